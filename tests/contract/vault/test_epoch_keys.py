"""Keys of epochs on a PKCS#11 token (SoftHSM here): made there, used there, destroyed there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pkcs11 import Attribute, ObjectClass
from pkcs11.exceptions import AttributeSensitive

from domain.assurance.notes import SignerKey
from domain.kernel.errors import DomainError
from domain.ports import ContentAlteredError, KeyDestroyedError
from domain.services.rechecking import is_gone
from infrastructure.custody.separate_rechecker import SeparateRechecker
from infrastructure.seal.token import Token
from infrastructure.vault import epoch_keys
from infrastructure.vault.epoch_keys import KeystoreToken, TokenEpochKeys
from infrastructure.vault.keystore import Keystore, KeystoreError
from tests.contract.vault.examples import CONTENT, EPOCH, NOON, SALT, OnDisk, item, label, on_disk
from tests.support import softhsm

TOMORROW = NOON + timedelta(days=1)


@pytest.fixture
def holder() -> str:
    """All of it is about the token."""
    return "pkcs11"


@pytest.fixture
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a person would set."""
    return softhsm.uri(tmp_path_factory.mktemp("pin"), object_label="epochs")


@pytest.fixture
def token(uri: str) -> KeystoreToken:
    """The token that holds them."""
    return KeystoreToken.from_uri(uri)


@contextmanager
def objects_of(opened: OnDisk, token: KeystoreToken) -> Iterator[list[Any]]:
    """The objects on the token that are this keystore's, looked for by the test itself."""
    root = (opened.keystore.directory / "root.key").read_bytes()
    with closing(TokenEpochKeys(token, root)) as holder:
        mark = holder.prepare("")[:16]
    with token.session() as session:
        found = list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}))
        yield [one for one in found if bytes(one[Attribute.ID]).startswith(mark)]


def count(opened: OnDisk, token: KeystoreToken) -> int:
    """How many there are."""
    with objects_of(opened, token) as found:
        return len(found)


def test_an_epoch_has_one_object_that_cannot_be_taken_out(
    opened: OnDisk, token: KeystoreToken
) -> None:
    """However many items it has."""
    for number in range(1, 6):
        opened.vault.seal(label(number), salt=SALT, content=CONTENT)
    with objects_of(opened, token) as found:
        (one,) = found
        assert one[Attribute.SENSITIVE] and one[Attribute.NEVER_EXTRACTABLE]
        assert one[Attribute.LOCAL] and one[Attribute.LABEL] == "epochs"
        assert not (one[Attribute.EXTRACTABLE] or one[Attribute.WRAP])
        with pytest.raises(AttributeSensitive):
            one[Attribute.VALUE]
    for number in range(1, 6):
        assert opened.vault.open(label(number)) == CONTENT


def test_nothing_on_our_disk_opens_without_the_token(opened: OnDisk, token: KeystoreToken) -> None:
    """Not even the key file, with the whole of the keystore's file."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    ((name, kept),) = opened.execute("SELECT epoch, wrapped FROM epoch_key")
    root = (opened.keystore.directory / "root.key").read_bytes()
    with pytest.raises(ContentAlteredError):
        epoch_keys.unwrapped_by(root, kept, epoch_keys.bound(name), "it")
    with objects_of(opened, token) as found:
        assert [bytes(one[Attribute.ID]) for one in found] == [kept]


def test_its_end_is_the_end_of_the_object(opened: OnDisk, token: KeystoreToken) -> None:
    """And what it wrapped is of no use, though it were put back."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    rows = {table: opened.execute(f"SELECT * FROM {table}") for table in ("item_key", "epoch_key")}
    opened.vault.destroy_keys([item()], at=NOON)
    (ended,) = opened.keystore.end_epochs(at=TOMORROW, over=[])
    assert (ended.kept_in, ended.epoch) == ("pkcs11", EPOCH)
    ((name,),) = opened.execute("SELECT item FROM tombstone WHERE seq = 2")
    assert name == f"{EPOCH.name}@pkcs11", "the chain covers who held it"
    assert count(opened, token) == 0
    opened.execute_unguarded("DELETE FROM tombstone")
    opened.execute("INSERT INTO item_key VALUES (?, ?, ?)", *rows["item_key"][0])
    opened.execute("INSERT INTO epoch_key VALUES (?, ?)", *rows["epoch_key"][0])
    with pytest.raises(KeyDestroyedError, match="its key is not on the token a token any more"):
        opened.vault.open(label())


class Undying:
    """An object that the device says it destroyed, and did not."""

    def __init__(self, found: Any) -> None:
        self._found = found

    def __getitem__(self, attribute: Attribute) -> Any:
        return self._found[attribute]

    def destroy(self) -> None:
        """Do nothing."""


def test_an_object_that_did_not_go_is_found_and_no_end_is_told(
    opened: OnDisk, token: KeystoreToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end is what was looked for and not found; repeated, it ends."""
    opened.keystore.new_keys([(item(), EPOCH)])[0]
    opened.keystore.destroy([item()], at=NOON)
    real = epoch_keys._objects
    with monkeypatch.context() as patch:
        patch.setattr(epoch_keys, "_objects", lambda *asked: [Undying(one) for one in real(*asked)])
        with pytest.raises(KeystoreError, match="still holds the object"):
            opened.keystore.end_epochs(at=TOMORROW, over=[])
    assert count(opened, token) == 1
    assert opened.keystore.ended_epochs() == []
    assert len(opened.keystore.end_epochs(at=TOMORROW, over=[])) == 1
    assert count(opened, token) == 0


def test_an_object_that_the_file_does_not_know_is_found_by_the_inventory(
    tmp_path: Path, opened: OnDisk, token: KeystoreToken, uri: str
) -> None:
    """By another process too; and it is left, for it may be another copy's."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    stores = opened.keystore.directory, opened.media.directory
    rechecker = SeparateRechecker(
        tmp_path / "recheck" / "recheck.key", *stores, epoch_keys=uri, enrol=lambda *_: None
    )
    with closing(rechecker), on_disk(tmp_path / "another", token) as another:
        another.keystore.new_keys([(item(), EPOCH)])[0]
        assert rechecker.stock().strays["keystore"] == opened.keystore.strays() == 0
        opened.execute("DELETE FROM epoch_key")
        assert rechecker.stock().strays["keystore"] == opened.keystore.strays() == 1
        assert another.keystore.strays() == 0
        assert count(opened, token) == count(another, token) == 1


class Careless:
    """A session on a device that makes keys that can be taken out, whatever it is told."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def get_objects(self, having: Any) -> Any:
        """As the session does."""
        return self._session.get_objects(having)

    def generate_key(self, *given: Any, template: dict[Attribute, Any], **named: Any) -> Any:
        """Make it as it likes."""
        careless = template | {Attribute.EXTRACTABLE: True}
        return self._session.generate_key(*given, template=careless, **named)


def test_a_key_that_could_be_taken_out_is_not_used(
    opened: OnDisk, token: KeystoreToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end would prove nothing; it does not stay on the token either."""
    real = TokenEpochKeys._session

    @contextmanager
    def careless(holder: TokenEpochKeys) -> Iterator[Any]:
        with real(holder) as session:
            yield Careless(session)

    with monkeypatch.context() as patch:
        patch.setattr(TokenEpochKeys, "_session", careless)
        with pytest.raises(KeystoreError, match="made a key that can be taken out of it"):
            opened.keystore.new_keys([(item(), EPOCH)])
    assert count(opened, token) == 0
    assert opened.keystore.items() == set()
    assert opened.keystore.new_keys([(item(), EPOCH)])


# -- crashes -------------------------------------------------------------------------------------


class Stopped(BaseException):
    """The process ended here."""


def stops(*_: object) -> None:
    """End."""
    raise Stopped


def after(real: Callable[..., Any]) -> Callable[..., None]:
    """End once this is done."""

    def done(*arguments: Any) -> None:
        real(*arguments)
        raise Stopped

    return done


MAKING = {
    "announced": ("make", stops),
    "made": ("make", after(TokenEpochKeys.make)),
}


@pytest.mark.parametrize("at", MAKING)
@pytest.mark.parametrize("hold", [False, True])
def test_a_crash_while_a_key_is_made_leaves_none_that_nobody_knows(
    tmp_path: Path, token: KeystoreToken, monkeypatch: pytest.MonkeyPatch, at: str, hold: bool
) -> None:
    """Repeated it is used; not repeated it ends like any other."""

    def make(opened: OnDisk) -> None:
        if hold:
            opened.keystore.rewrap([item(2)], item(9))
        else:
            opened.keystore.new_keys([(item(1), EPOCH)])[0]

    for path in (tmp_path / "repeated", tmp_path / "undone"):
        with on_disk(path, token) as opened, monkeypatch.context() as patch:
            if hold:
                opened.keystore.new_keys([(item(2), replace(EPOCH, item_class="footage"))])
            name, act = MAKING[at]
            patch.setattr(TokenEpochKeys, name, act)
            with pytest.raises(Stopped):
                make(opened)
        with on_disk(path, token) as opened:
            assert opened.keystore.strays() == 0
            assert opened.keystore.items() == ({item(2)} if hold else set())
            if path.name == "repeated":
                make(opened)
                assert opened.keystore.key(item(2 if hold else 1))
                opened.keystore.destroy([item(1), item(2)], at=NOON)
            else:
                opened.keystore.destroy([item(2)], at=NOON)
            opened.keystore.end_epochs(at=TOMORROW, over=[])
            assert count(opened, token) == 0
            assert opened.keystore.epochs() == set()
            opened.keystore.verify_tombstones()


@pytest.mark.parametrize("joined", [False, True])
def test_a_crash_between_the_end_of_the_object_and_its_tombstone(
    tmp_path: Path, token: KeystoreToken, monkeypatch: pytest.MonkeyPatch, joined: bool
) -> None:
    """The end is told by the next one; or the epoch goes on with another key."""
    with on_disk(tmp_path, token) as opened:
        opened.keystore.new_keys([(item(1), EPOCH)])[0]
        opened.keystore.destroy([item(1)], at=NOON)
        with monkeypatch.context() as patch:
            patch.setattr(Keystore, "_chained", stops)
            with pytest.raises(Stopped):
                opened.keystore.end_epochs(at=TOMORROW, over=[])
        assert count(opened, token) == 0
    with on_disk(tmp_path, token) as opened:
        assert opened.keystore.ended_epochs() == []
        assert opened.keystore.epochs() == set()
        if joined:
            key = opened.keystore.new_keys([(item(2), EPOCH)])[0]
            assert opened.keystore.key(item(2)) == key
            assert opened.keystore.end_epochs(at=TOMORROW, over=[]) == []
            opened.keystore.destroy([item(2)], at=NOON)
        (ended,) = opened.keystore.end_epochs(at=TOMORROW, over=[])
        assert opened.keystore.verify_tombstones() == ended.tombstone
        assert count(opened, token) == 0


# -- what is not as it should be -----------------------------------------------------------------


def destroyed_by_another(token: KeystoreToken, kept: bytes) -> None:
    """Another process destroys an object."""
    program = (
        "import pkcs11, sys\n"
        "from pkcs11 import Attribute\n"
        "module, label, pin, kept = sys.argv[1:]\n"
        "token = pkcs11.lib(module).get_token(token_label=label)\n"
        "with token.open(rw=True, user_pin=pin) as session:\n"
        "    (one,) = session.get_objects({Attribute.ID: bytes.fromhex(kept)})\n"
        "    one.destroy()\n"
    )
    given = [str(token.module), token.label, softhsm.PIN, kept.hex()]
    subprocess.run([sys.executable, "-c", program, *given], check=True)


def test_an_object_that_is_gone_is_told_and_nothing_is_sealed_in_its_place(
    opened: OnDisk, token: KeystoreToken
) -> None:
    """Also where we had it in hand; another epoch is not concerned."""
    opened.keystore.new_keys([(item(1), EPOCH)])[0]
    ((kept,),) = opened.execute("SELECT wrapped FROM epoch_key")
    destroyed_by_another(token, kept)
    with pytest.raises(KeyDestroyedError, match="not on the token a token any more"):
        opened.keystore.key(item(1))
    with pytest.raises(KeystoreError, match="although it wraps keys of items: bring it back"):
        opened.keystore.new_keys([(item(2), EPOCH)])[0]
    assert opened.keystore.epochs() == set()
    opened.keystore.new_keys([(item(3), replace(EPOCH, item_class="wide_frame"))])
    opened.keystore.destroy([item(1)], at=NOON)
    assert opened.keystore.key(item(3)) and opened.keystore.new_keys([(item(2), EPOCH)])[0]


@pytest.mark.parametrize(
    "damaged",
    [
        lambda one, other: one[:-1],
        lambda one, other: b"",
        lambda one, other: one[:-1] + bytes([one[-1] ^ 1]),
        lambda one, other: bytes([one[0] ^ 1]) + one[1:],
        lambda one, other: other,
    ],
    ids=["cut", "empty", "changed", "another nonce", "another item's"],
)
def test_a_wrapped_key_that_is_not_this_items_gives_no_key(
    opened: OnDisk, damaged: Callable[[bytes, bytes], bytes]
) -> None:
    """It is told from a token that is broken, and the session goes on."""
    keys = {number: opened.keystore.new_keys([(item(number), EPOCH)])[0] for number in (1, 2)}
    one, other = (
        opened.execute("SELECT wrapped FROM item_key WHERE item = ?", item(number).hex)[0][0]
        for number in (1, 2)
    )
    opened.execute(
        "UPDATE item_key SET wrapped = ? WHERE item = ?", damaged(one, other), item(1).hex
    )
    with pytest.raises(ContentAlteredError, match=f"item {item(1).hex}: its wrapped key is"):
        opened.keystore.key(item(1))
    assert opened.keystore.key(item(2)) == keys[2]


@pytest.mark.parametrize("only_reading", [False, True])
def test_a_keystore_whose_keys_are_on_a_token_asks_for_the_setting(
    opened: OnDisk, only_reading: bool
) -> None:
    """Otherwise new keys would lie in the file, and nobody would notice."""
    opened.keystore.new_keys([(item(), EPOCH)])[0]
    with pytest.raises(KeystoreError, match="on a token: name it with PLUMBLINE_EPOCH_KEYS"):
        Keystore(opened.keystore.directory, only_reading=only_reading)
    opened.keystore.destroy([item()], at=NOON)
    opened.keystore.end_epochs(at=TOMORROW, over=[])
    Keystore(opened.keystore.directory, only_reading=only_reading).close()


def test_a_keystore_that_moves_to_a_token_ends_both_keys_of_a_day_together(
    tmp_path: Path, token: KeystoreToken
) -> None:
    """What the file wraps opens on; an epoch is over when none of its keys is left."""
    with on_disk(tmp_path) as opened:
        keys = {item(1): opened.keystore.new_keys([(item(1), EPOCH)])[0]}
    with on_disk(tmp_path, token) as opened:
        keys[item(2)] = opened.keystore.new_keys([(item(2), EPOCH)])[0]
        assert {one: opened.keystore.key(one) for one in keys} == keys
        assert opened.keystore.epochs() == {EPOCH.name}
        opened.keystore.destroy([item(1)], at=NOON)
        assert opened.keystore.end_epochs(at=TOMORROW, over=[]) == []
        opened.keystore.destroy([item(2)], at=NOON)
        ended = opened.keystore.end_epochs(at=TOMORROW, over=[])
        assert [(one.epoch, one.kept_in) for one in ended] == [(EPOCH, "file"), (EPOCH, "pkcs11")]
        assert opened.keystore.ended_epochs() == ended


def test_a_token_that_cannot_be_used_is_told_without_the_pin(tmp_path: Path, uri: str) -> None:
    """Wrong PIN, open PIN file, no token."""
    token = KeystoreToken.from_uri(uri)
    found = []
    for content, mode in (("wrong-4711", 0o600), (softhsm.PIN, 0o640)):
        token.pin_file.write_text(content)
        token.pin_file.chmod(mode)
        with (
            closing(Keystore(tmp_path, token=token)) as keystore,
            pytest.raises(KeystoreError) as error,
        ):
            keystore.require_ready()
        found.append(str(error.value))
    token.pin_file.chmod(0o600)
    with (
        closing(Keystore(tmp_path, token=replace(token, label="none"))) as keystore,
        pytest.raises(KeystoreError) as error,
    ):
        keystore.require_ready()
    found.append(str(error.value))
    for words, expected in zip(
        found, ("PinIncorrect", "run chmod 600", "the token none"), strict=True
    ):
        assert expected in words and "4711" not in words
    with closing(Keystore(tmp_path, token=token)) as keystore:
        keystore.require_ready()
    assert "pin" not in repr(token)
    with pytest.raises(DomainError, match="a PIN stands in a file of its own"):
        KeystoreToken.from_uri(f"{uri}&pin-value=4711")


def test_the_log_may_be_signed_on_the_same_token(opened: OnDisk, uri: str) -> None:
    """A process logs in once; neither logs the other out."""
    log = Token.from_uri(uri)
    signer = log.generate("log.example")
    key = opened.keystore.new_keys([(item(), EPOCH)])[0]
    assert signer.sign("a text")
    assert opened.keystore.key(item()) == key
    with pytest.raises(DomainError, match="does not hold the key"):
        log.sign(SignerKey.generate("x").verifier(), b"x")
    assert opened.keystore.key(item()) == key
    opened.keystore.close()
    assert signer.sign("another"), "with a login of its own"
    log.remove(signer.key)


def test_a_session_that_broke_is_opened_anew(opened: OnDisk, token: KeystoreToken) -> None:
    """What the token lost in between is told once."""
    key = opened.keystore.new_keys([(item(), EPOCH)])[0]
    with token.session() as session:
        session.close()
    with pytest.raises(KeystoreError, match="cannot be used"):
        opened.keystore.key(item())
    assert opened.keystore.key(item()) == key


def test_a_second_keystore_in_the_process_uses_the_same_login(
    opened: OnDisk, token: KeystoreToken
) -> None:
    """As a recorder's thread does; whichever is closed first."""
    key = opened.keystore.new_keys([(item(), EPOCH)])[0]
    with closing(Keystore(opened.keystore.directory, token=token)) as another:
        assert another.key(item()) == key
    assert opened.keystore.key(item()) == key


def test_keys_are_destroyed_though_the_token_is_away(tmp_path: Path, token: KeystoreToken) -> None:
    """No deadline waits for a device; only the end of the epoch does."""
    with on_disk(tmp_path, token) as opened:
        opened.vault.seal(label(), salt=SALT, content=CONTENT)
    token.pin_file.chmod(0o640)
    with on_disk(tmp_path, token) as opened:
        for act in (
            lambda: opened.vault.open(label()),
            lambda: opened.vault.seal(label(2), salt=SALT, content=CONTENT),
            lambda: opened.vault.hold_keys([item()], hold=item(9)),
            lambda: opened.vault.epochs(),
            lambda: opened.vault.strays(),
        ):
            with pytest.raises(KeystoreError, match="run chmod 600"):
                act()
        assert opened.vault.destroy_keys([item()], at=NOON)[item()].sequence == 1
        assert is_gone(opened.vault, label()) is False, "its ciphertext is there"
        opened.vault.remove_ciphertexts([item()])
        assert is_gone(opened.vault, label())
        with pytest.raises(KeystoreError, match="run chmod 600"):
            opened.keystore.end_epochs(at=TOMORROW, over=[])
        token.pin_file.chmod(0o600)
        assert len(opened.keystore.end_epochs(at=TOMORROW, over=[])) == 1

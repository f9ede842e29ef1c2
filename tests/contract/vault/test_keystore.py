"""The keystore: closed to others, wrapped, real in its deletion, or it does not open."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from domain.custody.sealing import Epoch
from domain.ports import ContentAlteredError, KeyDestroyedError
from infrastructure.vault.keystore import Keystore, KeystoreError
from tests.contract.vault.examples import EPOCH, NOON, OnDisk, item, label
from tests.support.residue import search


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where a keystore may be made."""
    return tmp_path / "keystore"


def opens(directory: Path) -> bool:
    """Whether the keystore opens; it is closed again."""
    Keystore(directory).close()
    return True


def in_use(directory: Path) -> bytearray:
    """Make a keystore with one key, which is returned."""
    with closing(Keystore(directory)) as keystore:
        return keystore.new_keys([(item(), EPOCH)])[0]


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_directory_and_files_are_closed_to_others_whatever_the_umask(directory: Path) -> None:
    """0700 and 0600, the rollback journal while it exists included."""
    before = os.umask(0)
    try:
        with closing(Keystore(directory)) as keystore:
            keystore.new_keys([(item(), EPOCH)])[0]
            with closing(sqlite3.connect(directory / "keystore.db")) as other:
                other.execute("UPDATE item_key SET wrapped = x'00'")
                files = {path.name: mode(path) for path in directory.iterdir()}
    finally:
        os.umask(before)
    assert mode(directory) == 0o700
    assert files == {"keystore.db": 0o600, "keystore.db-journal": 0o600, "root.key": 0o600}


@pytest.mark.parametrize("name", ["", "keystore.db", "root.key"])
@pytest.mark.parametrize("too_open", [0o040, 0o004, 0o020, 0o002, 0o010, 0o001])
def test_what_others_may_open_is_refused_with_the_command_that_mends_it(
    directory: Path, name: str, too_open: int
) -> None:
    """The directory, the database and the wrapping key; then the very command mends it."""
    in_use(directory)
    path = directory / name
    right = mode(path)
    path.chmod(right | too_open)
    with pytest.raises(KeystoreError, match=f"run chmod {right:o} {path}"):
        Keystore(directory)
    assert mode(path) == right | too_open, "nothing is mended silently"
    path.chmod(right)
    assert opens(directory)


def test_the_command_that_mends_can_be_pasted(tmp_path: Path) -> None:
    """A path with a space is quoted."""
    directory = tmp_path / "two words"
    in_use(directory)
    directory.chmod(0o755)
    with pytest.raises(KeystoreError, match=f"run chmod 700 '{directory}'$"):
        Keystore(directory)


class StubbornConnection(sqlite3.Connection):
    """SQLite that keeps one wrong setting, whatever it is told."""

    wrong: tuple[str, str]

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        pragma, value = self.wrong
        self.execute(f"PRAGMA {pragma} = {value}")
        self.set_authorizer(self._allowed)

    def _allowed(self, action: int, name: str | None, value: str | None, *_: str | None) -> int:
        setting = action == sqlite3.SQLITE_PRAGMA and name == self.wrong[0] and value is not None
        return sqlite3.SQLITE_IGNORE if setting else sqlite3.SQLITE_OK


@pytest.mark.parametrize(
    ("pragma", "wrong", "told"),
    [
        ("journal_mode", "PERSIST", "journal_mode = DELETE .* found persist"),
        ("journal_mode", "WAL", "journal_mode = DELETE .* found wal"),
        ("secure_delete", "OFF", "secure_delete = ON .* found 0"),
        ("secure_delete", "FAST", "secure_delete = ON .* found 2"),
        ("synchronous", "NORMAL", "synchronous = FULL .* found 1"),
    ],
)
def test_a_setting_that_does_not_take_effect_keeps_it_closed(
    directory: Path, monkeypatch: pytest.MonkeyPatch, pragma: str, wrong: str, told: str
) -> None:
    """Deletion rests on each; none is believed because it was asked for."""
    StubbornConnection.wrong = (pragma, wrong)
    connect = sqlite3.connect

    def stubborn(database: Path, isolation_level: None, timeout: float) -> sqlite3.Connection:
        return connect(
            database,
            isolation_level=isolation_level,
            timeout=timeout,
            factory=StubbornConnection,
        )

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", stubborn)
        with pytest.raises(KeystoreError, match=f"expected SQLite to take {told}"):
            Keystore(directory)
    assert opens(directory)


def test_a_write_ahead_log_that_another_holds_open_keeps_it_closed(directory: Path) -> None:
    """The mode cannot be changed under another's feet, and its log would keep deleted keys."""
    in_use(directory)
    with closing(sqlite3.connect(directory / "keystore.db")) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("SELECT * FROM item_key").fetchall()
        with pytest.raises(KeystoreError, match="database is locked"):
            Keystore(directory)
    assert opens(directory)
    assert sorted(path.name for path in directory.iterdir()) == ["keystore.db", "root.key"]


def test_the_wrapping_key_is_made_once(directory: Path) -> None:
    """32 bytes, other ones for each keystore, and the same at each opening."""
    in_use(directory)
    root = (directory / "root.key").read_bytes()
    assert len(root) == 32
    assert opens(directory)
    assert (directory / "root.key").read_bytes() == root
    in_use(directory.with_name("another"))
    assert (directory.with_name("another") / "root.key").read_bytes() != root


def test_processes_that_start_together_make_one_wrapping_key(directory: Path) -> None:
    """Otherwise what the first wraps would be lost to the second."""
    together = Barrier(6)

    def start(number: int) -> tuple[UUID, bytearray]:
        together.wait()
        with closing(Keystore(directory)) as keystore:
            return item(number), keystore.new_keys([(item(number), EPOCH)])[0]

    with ThreadPoolExecutor(6) as pool:
        made = dict(pool.map(start, range(1, 7)))
    with closing(Keystore(directory)) as keystore:
        assert {one: keystore.key(one) for one in made} == made


def _with_a_key(directory: Path) -> None:
    in_use(directory)


def _with_a_tombstone(directory: Path) -> None:
    with closing(Keystore(directory)) as keystore:
        keystore.destroy([item()], at=NOON)[item()]


@pytest.mark.parametrize("used", [_with_a_key, _with_a_tombstone])
def test_a_missing_wrapping_key_is_not_made_anew(
    directory: Path, used: Callable[[Path], None]
) -> None:
    """Not once the keystore was used; put back, all is as it was."""
    used(directory)
    root = directory / "root.key"
    root.rename(directory / "elsewhere")
    with pytest.raises(KeystoreError, match=r"expected the wrapping key .*root\.key .*put it back"):
        Keystore(directory)
    assert not root.exists()
    (directory / "elsewhere").rename(root)
    assert opens(directory)


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_wrapping_key_of_another_length_is_refused(directory: Path, length: int) -> None:
    """Also one that AES would take; and it is left as it was found."""
    in_use(directory)
    (directory / "root.key").write_bytes(bytes(length))
    with pytest.raises(KeystoreError, match=rf"expected 32 bytes in .*root\.key, found {length}"):
        Keystore(directory)
    assert (directory / "root.key").read_bytes() == bytes(length)


def test_another_wrapping_key_opens_nothing_but_destroys(directory: Path) -> None:
    """What an operator is told to do when the wrapping key is lost."""
    in_use(directory)
    (directory / "root.key").write_bytes(os.urandom(32))
    with closing(Keystore(directory)) as keystore:
        with pytest.raises(ContentAlteredError, match="its wrapped key is damaged"):
            keystore.key(item())
        assert keystore.destroy([item()], at=NOON)[item()].sequence == 1
        assert keystore.items() == set()


def of_the_epoch(opened: OnDisk) -> bytes:
    """The key that wraps those of the items, itself wrapped by the key file."""
    root = (opened.keystore.directory / "root.key").read_bytes()
    ((wrapped,),) = opened.execute("SELECT wrapped FROM epoch_key")
    return aes_key_unwrap(root, wrapped)[:32]


@pytest.mark.parametrize("holder", ["file"])
def test_a_key_lies_in_the_keystore_only_wrapped_and_bound_to_its_item(opened: OnDisk) -> None:
    """AES key wrap (RFC 3394) of the key and the item, under the wrapping key."""
    key = opened.keystore.new_keys([(item(), EPOCH)])[0]
    ((wrapped,),) = opened.execute("SELECT wrapped FROM item_key")
    assert aes_key_unwrap(of_the_epoch(opened), wrapped) == key + item().bytes
    assert key not in opened.database.read_bytes()


@pytest.mark.parametrize("holder", ["file"])
@pytest.mark.parametrize(
    "damaged",
    [
        lambda root, wrapped: wrapped[:-8],
        lambda root, wrapped: wrapped[:8],
        lambda root, wrapped: b"",
        lambda root, wrapped: wrapped[:-1] + bytes([wrapped[-1] ^ 1]),
        lambda root, wrapped: aes_key_wrap(root, bytes(32)),
        lambda root, wrapped: aes_key_wrap(root, bytes(32) + item(2).bytes),
        lambda root, wrapped: aes_key_wrap(root, bytes(40) + item(1).bytes),
    ],
    ids=["cut", "cut short", "empty", "changed", "of no item", "of another item", "too long"],
)
def test_a_wrapped_key_that_is_not_ours_for_this_item_gives_no_key(
    opened: OnDisk, damaged: Callable[[bytes, bytes], bytes]
) -> None:
    """Whether it was damaged, or wrapped for something else."""
    opened.keystore.new_keys([(item(), EPOCH)])[0]
    ((wrapped,),) = opened.execute("SELECT wrapped FROM item_key")
    opened.execute("UPDATE item_key SET wrapped = ?", damaged(of_the_epoch(opened), wrapped))
    with pytest.raises(ContentAlteredError, match=f"item {item().hex}: its wrapped key is"):
        opened.keystore.key(item())


def test_the_unlinked_journal_is_synced_before_anything_is_answered(
    opened: OnDisk, holder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that came back with the power would bring a destroyed key back to life."""
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def listening(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        synced.append((path, opened.database.with_name("keystore.db-journal").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", listening)
    opened.keystore.new_keys([(item(), EPOCH)])[0]
    opened.keystore.destroy([item()], at=NOON)
    # The first key of an epoch is announced, where it is made outside the file.
    transactions = 2 if holder == "file" else 3
    assert synced == [(str(opened.keystore.directory), False)] * transactions


def test_there_is_no_key_before_the_first_and_after_the_last(opened: OnDisk) -> None:
    """``key`` says so, and ``holds`` and ``items`` agree."""
    for destroyed in (False, True):
        with pytest.raises(KeyDestroyedError, match=f"item {item().hex}: there is no key"):
            opened.keystore.key(item())
        assert not opened.keystore.holds(item())
        assert opened.keystore.items() == set()
        if not destroyed:
            opened.keystore.new_keys([(item(), EPOCH)])[0]
            assert opened.keystore.holds(item())
            opened.keystore.destroy([item()], at=NOON)


@pytest.mark.parametrize("name", ["", "someone", item(0xAB).hex.upper(), str(item())])
def test_a_key_of_something_that_is_no_item_is_told(opened: OnDisk, name: str) -> None:
    """An inventory that passed it over would not be one."""
    opened.execute("INSERT INTO item_key (item, wrapped) VALUES (?, x'00')", name)
    with pytest.raises(KeystoreError, match="found a key of something else"):
        opened.keystore.items()


@pytest.mark.parametrize("content", [b"this is no database" * 100, bytes(5000)])
def test_a_file_that_is_no_database_is_told_plainly(directory: Path, content: bytes) -> None:
    """With its path, and without touching it."""
    in_use(directory)
    (directory / "keystore.db").write_bytes(content)
    with pytest.raises(KeystoreError, match=r"keystore .*keystore\.db: file is not a database"):
        Keystore(directory)
    assert (directory / "keystore.db").read_bytes() == content


# -- epochs --------------------------------------------------------------------------------------

TOMORROW = NOON + timedelta(days=1)
OF = label().deployment


def test_the_key_of_an_epoch_ends_with_the_last_it_wraps_once_none_can_join(
    opened: OnDisk, holder: str
) -> None:
    """Not while items of this day and deployment may still come."""
    opened.keystore.new_keys([(item(1), EPOCH)])[0]
    opened.keystore.new_keys([(item(2), EPOCH)])[0]
    assert opened.keystore.epochs() == {EPOCH.name}
    opened.keystore.destroy([item(1)], at=NOON)
    assert opened.keystore.end_epochs(at=TOMORROW, over=[]) == []
    opened.keystore.destroy([item(2)], at=NOON)
    assert opened.keystore.end_epochs(at=NOON, over=[]) == []
    (ended,) = opened.keystore.end_epochs(at=TOMORROW, over=[])
    assert (ended.epoch, ended.kept_in, ended.tombstone.sequence) == (EPOCH, holder, 3)
    assert opened.keystore.ended_epochs() == [ended]
    assert opened.keystore.epochs() == set()
    assert opened.keystore.verify_tombstones() == ended.tombstone
    assert opened.execute("SELECT * FROM epoch_key") == []
    assert opened.keystore.end_epochs(at=TOMORROW, over=[]) == [], "once"


def test_the_end_of_a_deployment_ends_its_epochs_of_the_day(opened: OnDisk) -> None:
    """Nothing can join them any more."""
    opened.keystore.new_keys([(item(), EPOCH)])[0]
    opened.keystore.destroy([item()], at=NOON)
    assert len(opened.keystore.end_epochs(at=NOON, over=[OF])) == 1


def test_an_epoch_that_ended_is_not_brought_back(opened: OnDisk) -> None:
    """An item that comes all the same gets a key of another name."""
    opened.keystore.new_keys([(item(1), EPOCH)])[0]
    opened.keystore.destroy([item(1)], at=NOON)
    opened.keystore.end_epochs(at=TOMORROW, over=[])
    key = opened.keystore.new_keys([(item(2), EPOCH)])[0]
    assert opened.keystore.key(item(2)) == key
    ((name,),) = opened.execute("SELECT epoch FROM epoch_key")
    assert name != EPOCH.name
    opened.keystore.destroy([item(2)], at=NOON)
    (ended,) = opened.keystore.end_epochs(at=TOMORROW, over=[])
    assert ended.epoch == EPOCH


def test_without_the_key_of_its_epoch_an_items_key_is_of_no_use(opened: OnDisk) -> None:
    """Also where its own row is still there, as in an older copy."""
    opened.keystore.new_keys([(item(), EPOCH)])[0]
    opened.execute("DELETE FROM epoch_key")
    with pytest.raises(KeyDestroyedError, match="the key of its epoch is gone"):
        opened.keystore.key(item())


def test_epochs_do_not_share_a_key(opened: OnDisk) -> None:
    """Another class, deployment or day is another epoch."""
    others = [
        EPOCH,
        replace(EPOCH, item_class="wide_frame"),
        replace(EPOCH, day=TOMORROW.date()),
        replace(EPOCH, deployment=item(9)),
    ]
    for number, epoch in enumerate(others, start=1):
        opened.keystore.new_keys([(item(number), epoch)])[0]
    assert opened.keystore.epochs() == {one.name for one in others}
    wrapped = [row[0] for row in opened.execute("SELECT wrapped FROM epoch_key ORDER BY epoch")]
    opened.execute("UPDATE epoch_key SET wrapped = ?", wrapped[0])
    for number in range(1, 5):
        try:
            opened.keystore.key(item(number))
        except ContentAlteredError:
            continue
        assert sorted(one.name for one in others)[0] == others[number - 1].name


def test_a_keystore_from_before_there_were_epochs_is_read_on(directory: Path) -> None:
    """Its keys were wrapped by the key file itself."""
    with closing(Keystore(directory)):
        pass
    root, key = (directory / "root.key").read_bytes(), os.urandom(32)
    with closing(sqlite3.connect(directory / "keystore.db")) as older, older:
        older.execute("DROP TABLE item_key")
        older.execute("DROP TABLE epoch_key")
        older.execute("CREATE TABLE item_key (item TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT")
        wrapped = aes_key_wrap(root, key + item().bytes)
        older.execute("INSERT INTO item_key VALUES (?, ?)", (item().hex, wrapped))
    with closing(Keystore(directory)) as keystore:
        assert keystore.key(item()) == key
        assert keystore.destroy([item()], at=NOON)[item()].sequence == 1
        assert not keystore.holds(item())


def test_many_are_destroyed_in_one_transaction_or_none(opened: OnDisk) -> None:
    """A key that cannot go keeps its tombstone from being written, and all the others'."""
    items = [item(number) for number in range(1, 6)]
    for one in items:
        opened.keystore.new_keys([(one, EPOCH)])[0]
    opened.execute(
        "CREATE TRIGGER stuck BEFORE DELETE ON item_key WHEN OLD.item = '"
        + items[3].hex
        + "' BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
    )
    with pytest.raises(KeystoreError):
        opened.keystore.destroy(items, at=NOON)
    assert opened.keystore.items() == set(items)
    assert opened.keystore.newest_tombstone() is None
    opened.execute("DROP TRIGGER stuck")
    assert [one.sequence for one in opened.keystore.destroy(items, at=NOON).values()] == [
        1,
        2,
        3,
        4,
        5,
    ]


# -- holds ---------------------------------------------------------------------------------------

HOLD, ANOTHER_HOLD = UUID("40" * 16), UUID("41" * 16)
HELD = Epoch(EPOCH.deployment, EPOCH.item_class, day=None, hold=HOLD)


def test_what_is_held_keeps_no_epoch_from_ending(opened: OnDisk, holder: str) -> None:
    """Its key is under one of the hold's own, which ends as soon as it wraps nothing."""
    keystore = opened.keystore
    keys = {item(number): keystore.new_keys([(item(number), EPOCH)])[0] for number in (1, 2)}
    keystore.rewrap([item(1)], HOLD)
    assert {one: keystore.key(one) for one in keys} == keys
    assert keystore.epochs() == {EPOCH.name, HELD.name}
    keystore.destroy([item(2)], at=NOON)
    (day,) = keystore.end_epochs(at=TOMORROW, over=[])
    assert (day.epoch, keystore.epochs()) == (EPOCH, {HELD.name})
    assert keystore.key(item(1)) == keys[item(1)]
    assert keystore.end_epochs(at=TOMORROW, over=[OF]) == []
    keystore.destroy([item(1)], at=NOON)
    (hold,) = keystore.end_epochs(at=NOON, over=[])
    assert (hold.epoch, hold.kept_in) == (HELD, holder)
    assert keystore.ended_epochs() == [day, hold]
    assert keystore.epochs() == set()
    assert keystore.verify_tombstones() == hold.tombstone


def test_holding_again_changes_nothing(opened: OnDisk) -> None:
    """Also beside an item that is new to the hold."""
    for number in (1, 2):
        opened.keystore.new_keys([(item(number), EPOCH)])[0]
    opened.keystore.rewrap([item(1)], HOLD)
    held = opened.execute("SELECT * FROM item_key WHERE item = ?", item(1).hex)
    opened.keystore.rewrap([item(1), item(2), item(1)], HOLD)
    assert opened.execute("SELECT * FROM item_key WHERE item = ?", item(1).hex) == held
    assert len(opened.execute("SELECT DISTINCT epoch FROM item_key")) == 1


def test_nothing_is_left_of_what_an_epoch_wrapped(opened: OnDisk, tmp_path: Path) -> None:
    """Otherwise the key of the day would still open it, here."""
    opened.keystore.new_keys([(item(), EPOCH)])[0]
    ((before,),) = opened.execute("SELECT wrapped FROM item_key")
    assert search([tmp_path], {"before": before}), "the search finds what is there"
    opened.keystore.rewrap([item()], HOLD)
    assert search([tmp_path], {"before": before}) == []


def test_all_are_held_or_none(opened: OnDisk) -> None:
    """And what was begun ends with the next end of epochs."""
    items = [item(number) for number in range(1, 4)]
    keys = {one: opened.keystore.new_keys([(one, EPOCH)])[0] for one in items}
    before = opened.execute("SELECT * FROM item_key")
    opened.execute(
        "CREATE TRIGGER stuck BEFORE UPDATE ON item_key WHEN OLD.item = '"
        + items[2].hex
        + "' BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
    )
    with pytest.raises(KeystoreError, match="disk I/O error"):
        opened.keystore.rewrap(items, HOLD)
    assert opened.execute("SELECT * FROM item_key") == before
    assert opened.keystore.strays() == 0
    opened.keystore.end_epochs(at=NOON, over=[])
    assert opened.keystore.epochs() == {EPOCH.name}
    opened.execute("DROP TRIGGER stuck")
    opened.keystore.rewrap(items, HOLD)
    assert {one: opened.keystore.key(one) for one in items} == keys
    assert opened.keystore.epochs() == {EPOCH.name, HELD.name}


def test_a_hold_that_takes_over_lets_the_key_of_the_other_end(opened: OnDisk) -> None:
    """An item is under one key at a time."""
    key = opened.keystore.new_keys([(item(), EPOCH)])[0]
    opened.keystore.rewrap([item()], HOLD)
    opened.keystore.rewrap([item()], ANOTHER_HOLD)
    ended = opened.keystore.end_epochs(at=TOMORROW, over=[])
    assert {one.epoch for one in ended} == {EPOCH, HELD}
    assert opened.keystore.key(item()) == key


def test_a_hold_has_a_key_for_each_deployment_and_class(opened: OnDisk) -> None:
    """So that the end of one tells of one deployment."""
    others = [EPOCH, replace(EPOCH, item_class="wide_frame"), replace(EPOCH, deployment=item(9))]
    for number, epoch in enumerate(others, start=1):
        opened.keystore.new_keys([(item(number), epoch)])[0]
    opened.keystore.rewrap([item(number) for number in range(1, 4)], HOLD)
    ended = opened.keystore.end_epochs(at=TOMORROW, over=[])
    assert {one.epoch for one in ended} == set(others)
    expected = {replace(one, day=None, hold=HOLD).name for one in others}
    assert opened.keystore.epochs() == expected


def test_a_cut_off_transaction_is_told_to_who_only_reads(directory: Path, tmp_path: Path) -> None:
    """They cannot take it back; the next one to write can, and does."""
    key, cut_off = in_use(directory), tmp_path / "cut-off"
    with closing(Keystore(directory)) as keystore:
        keystore.new_keys([(item(number), EPOCH) for number in range(2, 250)])
    with closing(sqlite3.connect(directory / "keystore.db")) as other:
        # With so little room it writes before it commits, so that the journal is needed.
        other.execute("PRAGMA cache_size = 1")
        other.execute("UPDATE item_key SET wrapped = zeroblob(500)")
        shutil.copytree(directory, cut_off)
    with pytest.raises(KeystoreError, match=r"a transaction in it was cut off.*plumbline sweep"):
        Keystore(cut_off, only_reading=True)
    with closing(Keystore(cut_off)) as keystore:
        assert keystore.key(item()) == key
    Keystore(cut_off, only_reading=True).close()

"""A log's key on a PKCS#11 token: made there, signs there, never leaves it (SoftHSM here)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.assurance.checkpoints import open_checkpoint
from domain.assurance.notes import SignerKey
from domain.kernel.errors import DomainError
from infrastructure.seal.signing import SealKeyError
from infrastructure.seal.token import Token
from tests.contract.seal.sealed import Sealed
from tests.support import softhsm
from tests.support.stores import SQLiteStore


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """What a person would set."""
    return softhsm.uri(tmp_path, object_label="log")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    """One store is enough: the key knows nothing of it."""
    made = SQLiteStore.fresh(tmp_path)
    yield made
    made.close()


def test_a_log_is_signed_by_a_key_on_a_token(store: SQLiteStore, uri: str, tmp_path: Path) -> None:
    """Anyone with the public key can check it; what is on our disk signs nothing."""
    sealed = Sealed(store, tmp_path / "seal", token=Token.from_uri(uri))
    sealed.grow(3)
    checkpoint = sealed.sealing.seal()
    key = sealed.verifier_key()
    assert open_checkpoint(sealed.note(), key, sealed.record.origin) == checkpoint
    (first, *_) = sealed.record.history()
    assert first.event.kept_in == "token"  # type: ignore[attr-defined]
    reference = (sealed.keys.directory / "log.key").read_text("utf-8")
    assert reference == f"TOKEN+{key.text()}\n"
    again = Sealed(store, tmp_path / "seal", token=Token.from_uri(uri))
    again.grow(1, first=9)
    assert open_checkpoint((again.sealing.seal(), again.note())[1], key, sealed.record.origin)


def test_a_rotation_moves_a_log_to_a_token_and_on_to_another_key(
    store: SQLiteStore, uri: str, tmp_path: Path
) -> None:
    """The file's key is gone then, and a key that was replaced is gone from the token."""
    sealed = Sealed(store, tmp_path / "seal")
    private = (sealed.keys.directory / "log.key").read_bytes()
    token = Token.from_uri(uri)
    moving = Sealed(store, tmp_path / "seal", token=token)
    moving.register.rotate()
    first = moving.verifier_key()
    assert token.sign(first, b"x")
    moving.register.rotate()
    second = moving.verifier_key()
    assert token.sign(second, b"x") and second != first
    with pytest.raises(SealKeyError, match="does not hold the key"):
        token.sign(first, b"x")
    kept = [moving.register.read().kept_in[key] for key in moving.register.read().keys]
    assert kept == ["file", "token", "token"]
    assert private not in [file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()]


def test_a_log_whose_key_is_on_a_token_asks_for_the_setting(
    store: SQLiteStore, uri: str, tmp_path: Path
) -> None:
    """Nothing is signed with anything else."""
    Sealed(store, tmp_path / "seal", token=Token.from_uri(uri))
    with pytest.raises(SealKeyError, match="name it with PLUMBLINE_LOG_KEY"):
        Sealed(store, tmp_path / "seal")


def test_what_keeps_a_token_from_signing_is_told_without_the_pin(uri: str, tmp_path: Path) -> None:
    """Wrong PIN, open PIN file, no token, no driver."""
    key = SignerKey.generate("x").verifier()
    pin = tmp_path / "pin"
    found = []
    for content, mode in (("wrong-4711", 0o600), (softhsm.PIN, 0o640)):
        pin.write_text(content)
        pin.chmod(mode)
        with pytest.raises(SealKeyError) as error:
            Token.from_uri(uri).sign(key, b"x")
        found.append(str(error.value))
    pin.chmod(0o600)
    for other in (
        uri.replace("a%20token", "none"),
        uri.replace(str(softhsm.MODULE), "/nowhere.so"),
    ):
        with pytest.raises(SealKeyError) as error:
            Token.from_uri(other).sign(key, b"x")
        found.append(str(error.value))
    pin.unlink()
    with pytest.raises(SealKeyError) as error:
        Token.from_uri(uri).sign(key, b"x")
    found.append(str(error.value))
    for words, expected in zip(
        found,
        ("PinIncorrect", "run chmod 600", "the token none", "/nowhere.so cannot", "a PIN in"),
        strict=True,
    ):
        assert expected in words and "4711" not in words


def test_a_setting_that_holds_a_pin_is_told_where_it_belongs() -> None:
    """It would stand in the environment of every process."""
    with pytest.raises(DomainError, match="a PIN stands in a file of its own") as error:
        Token.from_uri("pkcs11:token=a?module-path=/x&pin-source=/p&pin-value=4711")
    assert "4711" not in str(error.value)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "file:/x",
        "pkcs11:token=a?module-path=/x",
        "pkcs11:token=a?module-path=/x&pin-source=/p&pin-value=1",
        "pkcs11:token=a;serial=1?module-path=/x&pin-source=/p",
    ],
)
def test_a_setting_that_names_no_token_is_refused(uri: str) -> None:
    """Above all one that holds a PIN."""
    with pytest.raises(DomainError, match=r"expected pkcs11:|a PIN stands in a file"):
        Token.from_uri(uri)

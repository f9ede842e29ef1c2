"""What ``domain.ports.Vault`` promises: of the vault on disk, and of the one other tests use."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from domain.kernel.errors import DomainError
from domain.ports import (
    CiphertextMissingError,
    ContentAlteredError,
    KeyDestroyedError,
    Vault,
    VaultError,
)
from tests.contract.vault.examples import CONTENT, NOON, SALT, OnDisk, item, label
from tests.support.memory import MemoryVault


@pytest.fixture(params=["file", "pkcs11", "in memory"])
def holder(request: pytest.FixtureRequest) -> str:
    """Who holds the keys of epochs; in memory there are none."""
    found: str = request.param
    return found


@pytest.fixture
def vault(holder: str, request: pytest.FixtureRequest) -> Vault:
    """Each kind of vault in turn."""
    if holder == "in memory":
        return MemoryVault()
    opened: OnDisk = request.getfixturevalue("opened")
    return opened.vault


@pytest.mark.parametrize("size", [0, 1, 31, 4096, 300_001])
def test_what_was_sealed_opens_as_the_content_alone(vault: Vault, size: int) -> None:
    """In a buffer that can be wiped, without the salt, whatever its size."""
    content = (CONTENT * (size // len(CONTENT) + 1))[:size]
    vault.seal(label(), salt=SALT, content=content)
    opened = vault.open(label())
    assert isinstance(opened, bytearray)
    assert opened == content


def test_a_buffer_is_sealed_as_it_is_and_left_as_it_was(vault: Vault) -> None:
    """The caller wipes its own buffer, and may do so at once."""
    buffer = bytearray(CONTENT)
    vault.seal(label(), salt=SALT, content=memoryview(buffer))
    assert buffer == CONTENT
    buffer[:] = bytes(len(buffer))
    assert vault.open(label()) == CONTENT


def test_wiping_what_was_opened_changes_nothing_that_is_kept(vault: Vault) -> None:
    """Each opening gives a buffer of its own."""
    vault.seal(label(), salt=SALT, content=CONTENT)
    opened = vault.open(label())
    opened[:] = bytes(len(opened))
    assert vault.open(label()) == CONTENT


@pytest.mark.parametrize("salt", [b"", SALT[:-1], SALT + b"\0"])
def test_a_salt_of_another_length_is_refused(vault: Vault, salt: bytes) -> None:
    """It would shift the content; nothing is kept."""
    with pytest.raises(ValueError, match="expected a salt of 32 bytes"):
        vault.seal(label(), salt=salt, content=CONTENT)
    assert not vault.holds(item())


def test_an_item_that_was_never_sealed_has_no_key(vault: Vault) -> None:
    """Even if another has."""
    vault.seal(label(1), salt=SALT, content=CONTENT)
    with pytest.raises(KeyDestroyedError, match=item(2).hex):
        vault.open(label(2))


@pytest.mark.parametrize(
    "changed",
    [
        {"item_class": "wide_frame"},
        {"deployment": UUID("d2" * 16)},
        {"content_type": "image/jpeg"},
        {"content_type": "image/png "},
    ],
)
def test_an_item_does_not_open_as_something_else(vault: Vault, changed: dict[str, Any]) -> None:
    """Its class, deployment and content type are bound to it."""
    vault.seal(label(), salt=SALT, content=CONTENT)
    with pytest.raises(ContentAlteredError, match=item().hex):
        vault.open(label(**changed))
    assert vault.open(label()) == CONTENT


def test_sealing_again_replaces(vault: Vault) -> None:
    """The new content opens, and what is said of it differs even where the content is the same."""
    first = vault.seal(label(), salt=SALT, content=CONTENT)
    second = vault.seal(label(), salt=SALT, content=CONTENT)
    assert first.ciphertext_digest != second.ciphertext_digest
    vault.seal(label(), salt=SALT, content=b"another")
    assert vault.open(label()) == b"another"
    assert vault.keys() == vault.ciphertexts() == {item()}


def test_what_was_destroyed_does_not_open_and_is_not_held(vault: Vault) -> None:
    """The key first, then the ciphertext; others live on."""
    for number in (1, 2):
        vault.seal(label(number), salt=SALT, content=CONTENT)
    assert vault.holds(item(1))

    vault.destroy_keys([item(1)], at=NOON)[item(1)]
    with pytest.raises(KeyDestroyedError):
        vault.open(label(1))
    assert vault.holds(item(1)), "its ciphertext is still there"
    assert (vault.keys(), vault.ciphertexts()) == ({item(2)}, {item(1), item(2)})

    vault.remove_ciphertexts([item(1)])
    with pytest.raises(KeyDestroyedError):
        vault.open(label(1))
    assert not vault.holds(item(1))
    assert vault.keys() == vault.ciphertexts() == {item(2)}
    assert vault.open(label(2)) == CONTENT


def test_a_ciphertext_that_is_missing_is_told_from_a_key_that_is(vault: Vault) -> None:
    """A key alone is still held."""
    vault.seal(label(), salt=SALT, content=CONTENT)
    vault.remove_ciphertexts([item()])
    with pytest.raises(CiphertextMissingError, match=item().hex):
        vault.open(label())
    assert vault.holds(item())
    assert (vault.keys(), vault.ciphertexts()) == ({item()}, set())


def test_destroying_twice_answers_the_same_tombstone(vault: Vault) -> None:
    """Whatever the clock says by then; and removing twice does no harm."""
    vault.seal(label(1), salt=SALT, content=CONTENT)
    first = vault.destroy_keys([item(1)], at=NOON)[item(1)]
    second = vault.destroy_keys([item(2)], at=NOON)[item(2)]
    assert vault.destroy_keys([item(1)], at=NOON.replace(hour=13))[item(1)] == first
    assert vault.destroy_keys([item(2)], at=NOON)[item(2)] == second
    for _ in range(2):
        vault.remove_ciphertexts([item(1)])
    assert not vault.holds(item(1))


def test_tombstones_are_numbered_from_one_without_gaps(vault: Vault) -> None:
    """Each with a digest of its own, also for items that were never sealed."""
    vault.seal(label(2), salt=SALT, content=CONTENT)
    tombstones = [
        vault.destroy_keys([item(number)], at=NOON)[item(number)] for number in (1, 2, 1, 3)
    ]
    assert [one.sequence for one in tombstones] == [1, 2, 1, 3]
    assert len({one.digest for one in tombstones}) == 3


@pytest.mark.parametrize("sealed_before", [True, False])
def test_an_item_has_one_life(vault: Vault, sealed_before: bool) -> None:
    """Once it has a tombstone it cannot be sealed, and the attempt leaves nothing."""
    if sealed_before:
        vault.seal(label(), salt=SALT, content=CONTENT)
    vault.destroy_keys([item()], at=NOON)[item()]
    vault.remove_ciphertexts([item()])
    with pytest.raises(KeyDestroyedError, match="was destroyed and cannot be sealed"):
        vault.seal(label(), salt=SALT, content=CONTENT)
    assert not vault.holds(item())


def test_a_tombstone_without_a_zone_is_refused(vault: Vault) -> None:
    """A local time says nothing to whoever reads it elsewhere."""
    with pytest.raises(DomainError, match="with its zone"):
        vault.destroy_keys([item()], at=datetime(2026, 11, 23, 12, 0))[item()]  # noqa: DTZ001
    assert vault.destroy_keys([item()], at=NOON)[item()].sequence == 1


HOLD = UUID("40" * 16)


def test_a_held_item_opens_as_before_and_ends_as_any(vault: Vault) -> None:
    """Whoever looks at it, however often it is asked, and whatever took it over."""
    for number in (1, 2):
        vault.seal(label(number), salt=SALT, content=CONTENT)
    for hold in (HOLD, HOLD, UUID("41" * 16)):
        vault.hold_keys([item(1)], hold=hold)
        assert vault.open(label(1)) == vault.open(label(2)) == CONTENT
    vault.hold_keys([], hold=HOLD)
    vault.destroy_keys([item(1)], at=NOON)
    with pytest.raises(KeyDestroyedError):
        vault.open(label(1))
    assert vault.keys() == {item(2)}


@pytest.mark.parametrize("gone", [True, False])
def test_what_has_no_key_is_not_held_and_nothing_beside_it(vault: Vault, gone: bool) -> None:
    """A hold comes too late for what was destroyed."""
    vault.seal(label(1), salt=SALT, content=CONTENT)
    if gone:
        vault.seal(label(2), salt=SALT, content=CONTENT)
        vault.destroy_keys([item(2)], at=NOON)
    with pytest.raises(KeyDestroyedError, match=item(2).hex):
        vault.hold_keys([item(1), item(2)], hold=HOLD)
    assert vault.open(label(1)) == CONTENT


@pytest.mark.parametrize("error", [KeyDestroyedError, CiphertextMissingError, ContentAlteredError])
def test_each_reason_is_a_vault_error(error: type[Exception]) -> None:
    """So that a caller can tell the vault's answer from a fault of its own."""
    assert issubclass(error, VaultError)

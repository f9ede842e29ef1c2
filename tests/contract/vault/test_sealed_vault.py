"""On disk: what is sealed is bound to its item, encrypted once under its own key, and wiped."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.kernel.errors import DomainError
from domain.ports import ContentAlteredError, Vault
from infrastructure.vault import frames
from infrastructure.vault.ciphertexts import MediaStoreError
from tests.contract.vault.examples import CONTENT, NOON, SALT, OnDisk, item, label, on_disk


def refuses(opened: OnDisk, number: int = 1) -> None:
    """The item is there, and is not what was sealed."""
    with pytest.raises(ContentAlteredError, match=item(number).hex):
        opened.vault.open(label(number))


def test_the_vault_on_disk_is_a_vault(opened: OnDisk) -> None:
    """The type checker compares every signature with the port's."""
    vault: Vault = opened.vault
    assert vault.keys() == vault.ciphertexts() == set()


def test_what_is_said_of_a_sealed_item_is_true_of_its_file(opened: OnDisk) -> None:
    """The digest and length are those of the ciphertext, which has a prefix, a salt and a tag."""
    sealed = opened.vault.seal(label(), salt=SALT, content=CONTENT)
    stored = opened.file_of().read_bytes()
    assert sealed.ciphertext_digest == hashlib.sha256(stored).hexdigest()
    assert sealed.ciphertext_length == len(stored) == 7 + len(SALT) + len(CONTENT) + 16


def test_the_format_is_the_one_that_is_written_down(opened: OnDisk) -> None:
    """AES-256-GCM of salt || content, with item, class, deployment and content type bound to it."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    stored = opened.file_of().read_bytes()
    bound_to = json.dumps(
        ["plumbline-item/v2", item().hex, "face_crop", "d1" * 16, "image/png"],
        separators=(",", ":"),
    ).encode()
    key = opened.keystore.key(item())
    assert len(key) == 32
    first_and_last = stored[:7] + b"\0\0\0\0" + b"\1"
    assert AESGCM(key).decrypt(first_and_last, stored[7:], bound_to) == SALT + CONTENT


def test_every_item_and_every_sealing_has_a_key_and_a_nonce_of_its_own(opened: OnDisk) -> None:
    """A key is used once."""
    keys, nonces = set(), set()
    for number in (1, 2, 2, 3):
        opened.vault.seal(label(number), salt=SALT, content=CONTENT)
        keys.add(bytes(opened.keystore.key(item(number))))
        nonces.add(opened.file_of(number).read_bytes()[:7])
    assert len(keys) == len(nonces) == 4


def test_one_changed_byte_anywhere_in_the_file_is_found(opened: OnDisk) -> None:
    """Prefix, salt, content or tag."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    stored = opened.file_of().read_bytes()
    for at in range(len(stored)):
        changed = bytearray(stored)
        changed[at] ^= 1
        opened.file_of().write_bytes(changed)
        refuses(opened)
    opened.file_of().write_bytes(stored)
    assert opened.vault.open(label()) == CONTENT


def test_a_file_that_is_cut_or_longer_is_found(opened: OnDisk) -> None:
    """At any length, down to nothing, at either end."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    stored = opened.file_of().read_bytes()
    for length in range(len(stored)):
        opened.file_of().write_bytes(stored[:length])
        refuses(opened)
    for changed in (stored[1:], stored + b"\0", b"\0" + stored, stored + stored):
        opened.file_of().write_bytes(changed)
        refuses(opened)
    opened.file_of().write_bytes(stored)
    assert opened.vault.open(label()) == CONTENT


def _exchange_files(opened: OnDisk) -> None:
    first, second = opened.file_of(1).read_bytes(), opened.file_of(2).read_bytes()
    opened.file_of(1).write_bytes(second)
    opened.file_of(2).write_bytes(first)


def _exchange_keys(opened: OnDisk) -> None:
    rows = opened.execute("SELECT item, wrapped FROM item_key ORDER BY item")
    for (name, _), (_, wrapped) in zip(rows, reversed(rows), strict=True):
        opened.execute("UPDATE item_key SET wrapped = ? WHERE item = ?", wrapped, name)


def _exchange_both(opened: OnDisk) -> None:
    _exchange_files(opened)
    _exchange_keys(opened)


@pytest.mark.parametrize("exchange", [_exchange_files, _exchange_keys, _exchange_both])
def test_two_items_that_were_exchanged_do_not_open(
    opened: OnDisk, exchange: Callable[[OnDisk], None]
) -> None:
    """Not by their files, nor by their wrapped keys, nor by both together."""
    for number in (1, 2):
        opened.vault.seal(label(number), salt=SALT, content=CONTENT)
    exchange(opened)
    refuses(opened, 1)
    refuses(opened, 2)
    exchange(opened)
    assert opened.vault.open(label(1)) == opened.vault.open(label(2)) == CONTENT


def test_an_older_file_of_the_same_item_does_not_open(opened: OnDisk) -> None:
    """Sealing again made the key of the first sealing useless."""
    opened.vault.seal(label(), salt=SALT, content=b"before")
    before = opened.file_of().read_bytes()
    opened.vault.seal(label(), salt=SALT, content=b"after")
    opened.file_of().write_bytes(before)
    refuses(opened)


def test_two_labels_never_share_their_canonical_text(opened: OnDisk) -> None:
    """Not even where a class holds what looks like the end of one field and the next."""
    tricky = label(item_class='face_crop","x', content_type="y\nz")
    opened.vault.seal(tricky, salt=SALT, content=CONTENT)
    with pytest.raises(ContentAlteredError):
        opened.vault.open(label(item_class="face_crop", content_type='x","y\nz'))
    assert opened.vault.open(tricky) == CONTENT


def test_the_key_is_durable_before_there_is_a_ciphertext(opened: OnDisk) -> None:
    """A ciphertext that cannot be written leaves a key, and nothing that it opens."""
    opened.media.directory.joinpath(item().hex[:2]).write_bytes(b"in the way")
    with pytest.raises(MediaStoreError, match=item().hex):
        opened.vault.seal(label(), salt=SALT, content=CONTENT)
    assert (opened.vault.keys(), opened.vault.ciphertexts()) == ({item()}, set())


def test_a_clear_error_of_the_disk_is_shown_to_the_caller() -> None:
    """What the domain shows to a caller is a domain error; nothing foreign crosses the layer."""
    assert issubclass(MediaStoreError, DomainError)


def test_a_sealed_item_survives_closing_and_opening(tmp_path: Path) -> None:
    """And so does a destroyed one's absence."""
    with on_disk(tmp_path) as first:
        for number in (1, 2):
            first.vault.seal(label(number), salt=SALT, content=CONTENT)
        tombstone = first.vault.destroy_keys([item(2)], at=NOON)[item(2)]
    with on_disk(tmp_path) as second:
        assert second.vault.open(label(1)) == CONTENT
        assert second.vault.keys() == {item(1)}
        assert second.vault.destroy_keys([item(2)], at=NOON)[item(2)] == tombstone


class ListeningAESGCM:
    """The cipher, keeping hold of every buffer of key or plaintext that it was handed."""

    handed: list[tuple[object, bytes]]

    def __init__(self, key: bytearray) -> None:
        self.handed.append((key, bytes(key)))
        self._cipher = AESGCM(key)

    def encrypt_into(
        self, nonce: bytes, plain: memoryview, bound_to: bytes, into: memoryview
    ) -> int:
        """Encrypt, and remember what was to be encrypted."""
        self.handed.append((plain, bytes(plain)))
        return self._cipher.encrypt_into(nonce, plain, bound_to, into)

    def decrypt_into(self, nonce: bytes, sealed: bytes, bound_to: bytes, into: bytearray) -> int:
        """Decrypt, and remember where to: also what does not prove to be genuine."""
        try:
            return self._cipher.decrypt_into(nonce, sealed, bound_to, into)
        finally:
            self.handed.append((into, bytes(into)))


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, bytes]]:
    """Each buffer that the cipher was handed, with what was in it at that moment."""
    ListeningAESGCM.handed = []
    monkeypatch.setattr(frames, "AESGCM", ListeningAESGCM)
    return ListeningAESGCM.handed


def test_every_buffer_of_our_own_is_wiped(
    opened: OnDisk, handed: list[tuple[object, bytes]]
) -> None:
    """Keys and plaintexts, after sealing, after opening, and after an opening that failed."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)
    assert opened.vault.open(label()) == CONTENT
    stored = bytearray(opened.file_of().read_bytes())
    stored[-1] ^= 1
    opened.file_of().write_bytes(stored)
    refuses(opened)

    assert [len(content) for _, content in handed] == [32, 58, 32, 58, 32, 58]
    assert handed[1][1] == handed[3][1] == SALT + CONTENT
    for buffer, content in handed:
        assert isinstance(buffer, bytearray | memoryview)
        assert any(content) and not any(buffer), "it held something, and holds nothing now"


def test_a_large_content_is_not_copied_needlessly(opened: OnDisk) -> None:
    """Sealing needs two frames, opening the frames and the answer."""
    size = 8_000_000
    content = memoryview(bytearray(size))
    tracemalloc.start()
    try:
        opened.vault.seal(label(), salt=SALT, content=content)
        _, sealing = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        assert len(opened.vault.open(label())) == size
        _, opening = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sealing < 1_000_000
    assert opening < 2.2 * size

"""The vault: AES-256-GCM under a key of each item's own, bound to what the item is.

A buffer of salt and content, or of a key, that is made here is overwritten after use. Out of
reach is the key as the cryptography library unwraps it: unchangeable bytes, left to the
interpreter.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.custody.sealing import (
    SALT_BYTES,
    EpochEnded,
    ItemLabel,
    SealedContent,
    SealedStream,
    Tombstone,
    commitment,
)
from domain.kernel.errors import DomainError
from domain.ports import CiphertextMissingError, ContentAlteredError
from infrastructure.vault.keystore import Keystore
from infrastructure.vault.media import MediaStore

_NONCE_BYTES = 12
_TAG_BYTES = 16
_LEAST_BYTES = _NONCE_BYTES + SALT_BYTES + _TAG_BYTES


class SealedVault:
    """Implements ``domain.ports.Vault`` over a keystore and a media store.

    Plaintext is salt || content, so that the salt of the item's commitment dies with its key. The
    associated text is item, class, deployment and content type: a ciphertext that was exchanged
    for another item's, or read under another label, does not open. A ciphertext file is
    nonce (12 bytes) || encrypted (as long as the plaintext) || tag (16 bytes).
    """

    def __init__(self, keystore: Keystore, media: MediaStore) -> None:
        self._keystore = keystore
        self._media = media

    def close(self) -> None:
        """Let go of the stores."""
        self._keystore.close()

    def require_ready(self) -> None:
        """See that items can be sealed and opened.

        Raises:
            KeystoreError: the token that holds keys cannot be used.
        """
        self._keystore.require_ready()

    def seal(self, label: ItemLabel, *, salt: bytes, content: bytes | memoryview) -> SealedContent:
        """Encrypt under a fresh key: the key is durable first, then the ciphertext.

        Raises:
            KeyDestroyedError: the item was destroyed; it has one life.
            KeystoreError: the key could not be made durable.
            MediaStoreError: the ciphertext could not. There is a key, and nothing that it opens.
        """
        plain = _joined(salt, content)
        try:
            key = self._keystore.new_key(label.item, label.epoch)
            try:
                ciphertext = _encrypted(key, plain, label)
            finally:
                _wipe(key)
        finally:
            _wipe(plain)
        self._media.write(label.item, ciphertext)
        return SealedContent(
            ciphertext_digest=hashlib.sha256(ciphertext).hexdigest(),
            ciphertext_length=len(ciphertext),
        )

    def seal_stream(
        self, label: ItemLabel, *, salt: bytes, chunks: Iterable[bytes | memoryview]
    ) -> SealedStream:
        """Encrypt what comes, joined."""
        whole = b"".join(chunks)
        content = self.seal(label, salt=salt, content=whole)
        return SealedStream(content, commitment(salt, whole), len(whole))

    def open_stream(self, label: ItemLabel) -> Iterator[bytearray]:
        """The content, in one buffer."""
        yield self.open(label)

    def open(self, label: ItemLabel) -> bytearray:
        """The content, in a buffer that the caller must wipe (see ``domain.ports.Vault``)."""
        key = self._keystore.key(label.item)
        try:
            ciphertext = self._media.read(label.item)
            if ciphertext is None:
                raise CiphertextMissingError(f"item {label.item.hex}: there is no ciphertext")
            return _decrypted(key, ciphertext, label)
        finally:
            _wipe(key)

    def last_tombstone(self) -> Tombstone | None:
        """The newest link of the keystore's chain, as it is stored."""
        return self._keystore.newest_tombstone()

    def verify_tombstones(self) -> Tombstone | None:
        """The newest link of the keystore's chain, recomputed from its first.

        Raises:
            RecordBrokenError: the chain does not hold.
        """
        return self._keystore.verify_tombstones()

    def verify_chain(self) -> Tombstone | None:
        """The same, whatever has a key beside its tombstone.

        Raises:
            RecordBrokenError: the chain does not hold.
        """
        return self._keystore.verify_chain()

    def buried(self) -> dict[UUID, Tombstone]:
        """Every item that has a tombstone, with it."""
        return self._keystore.buried()

    def ended_epochs(self) -> list[EpochEnded]:
        """Every epoch whose key is gone."""
        return self._keystore.ended_epochs()

    def destroy_keys(self, items: Sequence[UUID], *, at: datetime) -> dict[UUID, Tombstone]:
        """Delete the keys and chain a tombstone for each."""
        return self._keystore.destroy(items, at=at)

    def remove_ciphertexts(self, items: Sequence[UUID]) -> dict[UUID, DomainError]:
        """Unlink the ciphertexts; what could not be, and why."""
        return self._media.remove_all(items)

    def end_epochs(self, *, at: datetime, over: Collection[UUID]) -> list[EpochEnded]:
        """Destroy the wrapping keys that wrap nothing any more."""
        return self._keystore.end_epochs(at=at, over=over)

    def hold_keys(self, items: Sequence[UUID], *, hold: UUID) -> None:
        """Move the keys of held items under keys of the hold's own."""
        self._keystore.rewrap(items, hold)

    def holds(self, item: UUID) -> bool:
        """Whether there is still a key or a ciphertext of it, finished or not."""
        return self._keystore.holds(item) or self._media.holds(item)

    def epochs(self) -> set[str]:
        """The names of epochs that have a key."""
        return self._keystore.epochs()

    def strays(self) -> dict[str, int]:
        """Store to how many things lie there that are no item's."""
        return {"keystore": self._keystore.strays(), "media": len(self._media.strays())}

    def keys(self) -> set[UUID]:
        """Every item that has a key."""
        return self._keystore.items()

    def ciphertexts(self) -> set[UUID]:
        """Every item that has a ciphertext, finished or not."""
        return self._media.items()


def _joined(salt: bytes, content: bytes | memoryview) -> bytearray:
    """Salt || content, copied once."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"expected a salt of {SALT_BYTES} bytes, found {len(salt)}")
    given = memoryview(content).cast("B")
    plain = bytearray(SALT_BYTES + len(given))
    # Through a view: assigning to a slice of a bytearray makes a copy that nobody wipes.
    view = memoryview(plain)
    view[:SALT_BYTES] = salt
    view[SALT_BYTES:] = given
    return plain


def _encrypted(key: bytearray, plain: bytearray, label: ItemLabel) -> bytearray:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    ciphertext = bytearray(_NONCE_BYTES + len(plain) + _TAG_BYTES)
    view = memoryview(ciphertext)
    view[:_NONCE_BYTES] = nonce
    AESGCM(key).encrypt_into(nonce, plain, _bound_to(label), view[_NONCE_BYTES:])
    return ciphertext


def _decrypted(key: bytearray, ciphertext: bytes, label: ItemLabel) -> bytearray:
    """The content without its salt, which is wiped."""
    if len(ciphertext) < _LEAST_BYTES:
        raise _altered(label)
    view = memoryview(ciphertext)
    plain = bytearray(len(ciphertext) - _NONCE_BYTES - _TAG_BYTES)
    try:
        AESGCM(key).decrypt_into(view[:_NONCE_BYTES], view[_NONCE_BYTES:], _bound_to(label), plain)
        # Copied, not cut off at the front: the salt would stay in memory before the content.
        return bytearray(memoryview(plain)[SALT_BYTES:])
    except InvalidTag as error:
        raise _altered(label) from error
    finally:
        _wipe(plain)


def _altered(label: ItemLabel) -> ContentAlteredError:
    return ContentAlteredError(
        f"item {label.item.hex}: does not open as {label.item_class}: altered, cut or exchanged"
    )


def _bound_to(label: ItemLabel) -> bytes:
    """The label as canonical text: JSON, so that no two labels share one."""
    return json.dumps(
        [
            "plumbline-item/v1",
            label.item.hex,
            label.item_class,
            label.deployment.hex,
            label.content_type,
        ],
        separators=(",", ":"),
    ).encode()


def _wipe(buffer: bytearray) -> None:
    memoryview(buffer)[:] = bytes(len(buffer))

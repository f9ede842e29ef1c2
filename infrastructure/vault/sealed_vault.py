"""The vault: AES-256-GCM under a key of each item's own, bound to what the item is."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.custody.sealing import SALT_BYTES, ItemLabel, SealedContent, Tombstone
from domain.ports import CiphertextMissingError, ContentAlteredError
from infrastructure.vault.keystore import Keystore
from infrastructure.vault.media import MediaStore

_NONCE_BYTES = 12


class SealedVault:
    """Implements ``domain.ports.Vault`` over a keystore and a media store.

    Plaintext is salt || content, so that the salt of the item's commitment dies with its key. The
    associated text is item, class, deployment and content type: a ciphertext that was exchanged
    for another item's, or read under another label, does not open.
    """

    def __init__(self, keystore: Keystore, media: MediaStore) -> None:
        self._keystore = keystore
        self._media = media

    def close(self) -> None:
        """Let go of the stores."""
        self._keystore.close()

    def seal(self, label: ItemLabel, *, salt: bytes, content: bytes | memoryview) -> SealedContent:
        """Encrypt under a fresh key: the key is durable first, then the ciphertext."""
        if len(salt) != SALT_BYTES:
            raise ValueError(f"expected a salt of {SALT_BYTES} bytes, found {len(salt)}")
        key = self._keystore.new_key(label.item)
        plain = bytearray(salt)
        plain += content
        try:
            nonce = secrets.token_bytes(_NONCE_BYTES)
            ciphertext = nonce + AESGCM(key).encrypt(nonce, plain, _bound_to(label))
        finally:
            _wipe(plain)
            _wipe(key)
        self._media.write(label.item, ciphertext)
        return SealedContent(
            ciphertext_digest=hashlib.sha256(ciphertext).hexdigest(),
            ciphertext_length=len(ciphertext),
        )

    def open(self, label: ItemLabel) -> bytearray:
        """The content, in a buffer that the caller must wipe (see ``domain.ports.Vault``)."""
        key = self._keystore.key(label.item)
        try:
            ciphertext = self._media.read(label.item)
            if ciphertext is None:
                raise CiphertextMissingError(f"item {label.item.hex}: there is no ciphertext")
            nonce, sealed = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
            plain = bytearray(AESGCM(key).decrypt(nonce, sealed, _bound_to(label)))
        except (InvalidTag, ValueError) as error:
            raise ContentAlteredError(
                f"item {label.item.hex}: does not open as {label.item_class}: altered, cut or "
                "exchanged"
            ) from error
        finally:
            _wipe(key)
        del plain[:SALT_BYTES]
        return plain

    def destroy_key(self, item: UUID, *, at: datetime) -> Tombstone:
        """Delete the key and chain a tombstone."""
        return self._keystore.destroy(item, at=at)

    def remove_ciphertext(self, item: UUID) -> None:
        """Unlink the ciphertext."""
        self._media.remove(item)

    def holds(self, item: UUID) -> bool:
        """Whether there is still a key or a ciphertext of it, finished or not."""
        return self._keystore.holds(item) or self._media.holds(item)

    def keys(self) -> set[UUID]:
        """Every item that has a key."""
        return self._keystore.items()

    def ciphertexts(self) -> set[UUID]:
        """Every item that has a ciphertext, finished or not."""
        return self._media.items()


def _bound_to(label: ItemLabel) -> bytes:
    return "\n".join(
        (
            "plumbline-item/v1",
            label.item.hex,
            label.item_class,
            label.deployment.hex,
            label.content_type,
        )
    ).encode()


def _wipe(buffer: bytearray) -> None:
    buffer[:] = bytes(len(buffer))

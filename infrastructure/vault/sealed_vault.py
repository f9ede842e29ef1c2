"""The vault: AES-256-GCM under a key of each item's own, bound to what the item is.

A buffer of salt and content, or of a key, that is made here is overwritten after use. Out of
reach is the key as the cryptography library unwraps it: unchangeable bytes, left to the
interpreter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import chain
from typing import TypeVar
from uuid import UUID

from domain.custody.sealing import (
    SALT_BYTES,
    Digest,
    EpochEnded,
    ItemLabel,
    SealedContent,
    SealedStream,
    Tombstone,
    ToSeal,
    committing,
)
from domain.kernel.errors import DomainError
from domain.ports import CiphertextMissingError, ContentAlteredError
from infrastructure.vault.ciphertexts import Ciphertexts
from infrastructure.vault.frames import FrameAlteredError, opened, room_for_a_frame, sealed, wipe
from infrastructure.vault.keystore import Keystore

B = TypeVar("B", bytes, bytearray, memoryview, bytes | memoryview)


class SealedVault:
    """Implements ``domain.ports.Vault`` over a keystore and a media store.

    What is sealed is salt || content, so that the salt of the item's commitment dies with its key,
    in frames (:mod:`infrastructure.vault.frames`). Each is bound to item, class, deployment and
    content type: a ciphertext that was exchanged for another item's, or read under another label,
    does not open.
    """

    def __init__(self, keystore: Keystore, media: Ciphertexts) -> None:
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
        (content_sealed,) = self.seal_all([ToSeal(label, salt, content)])
        return content_sealed

    def seal_all(self, contents: Sequence[ToSeal]) -> list[SealedContent]:
        """As :meth:`seal`, with all keys in one transaction."""
        for one in contents:
            _require_salt(one.salt)
        keys = self._keystore.new_keys([(one.label.item, one.label.epoch) for one in contents])
        room = room_for_a_frame()
        try:
            return [
                self._sealed(key, one.label, [one.salt, one.content], room)
                for key, one in zip(keys, contents, strict=True)
            ]
        finally:
            for key in keys:
                wipe(key)

    def seal_stream(
        self, label: ItemLabel, *, salt: bytes, chunks: Iterable[bytes | memoryview]
    ) -> SealedStream:
        """Encrypt what comes, in memory of one frame; where it stops coming, nothing is kept."""
        _require_salt(salt)
        (key,) = self._keystore.new_keys([(label.item, label.epoch)])
        plain = _Tally(committing(salt))
        try:
            pieces = chain([salt], plain.counted(chunks))
            content = self._sealed(key, label, pieces, room_for_a_frame())
            return SealedStream(content, plain.digest.hexdigest(), plain.length)
        finally:
            wipe(key)

    def _sealed(
        self,
        key: bytearray,
        label: ItemLabel,
        pieces: Iterable[bytes | memoryview],
        room: bytearray,
    ) -> SealedContent:
        ciphertext = _Tally(hashlib.sha256())
        frames = sealed(key, _bound_to(label), pieces, room=room)
        self._media.write_stream(label.item, ciphertext.counted(frames))
        return SealedContent(
            ciphertext_digest=ciphertext.digest.hexdigest(), ciphertext_length=ciphertext.length
        )

    def open_stream(self, label: ItemLabel) -> Iterator[bytearray]:
        """The content, frame by frame, in buffers that the caller must wipe."""
        key = self._keystore.key(label.item)
        try:
            file = self._media.open(label.item)
            if file is None:
                raise CiphertextMissingError(f"item {label.item.hex}: there is no ciphertext")
            with closing(file):
                yield from _without_salt(opened(key, _bound_to(label), file))
        except FrameAlteredError as error:
            raise ContentAlteredError(
                f"item {label.item.hex}: frame {error.number} of its ciphertext does not open as "
                f"{label.item_class}: altered, cut or exchanged"
            ) from error
        finally:
            wipe(key)

    def open(self, label: ItemLabel) -> bytearray:
        """The content, in a buffer that the caller must wipe (see ``domain.ports.Vault``)."""
        frames: list[bytearray] = []
        try:
            frames.extend(self.open_stream(label))
            if len(frames) == 1:
                return frames.pop()
            # joined once: a buffer that grows leaves copies behind that nobody wipes
            whole, at = bytearray(sum(map(len, frames))), 0
            view = memoryview(whole)
            for one in frames:
                view[at : at + len(one)] = one
                at += len(one)
            return whole
        finally:
            for one in frames:
                wipe(one)

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


def _require_salt(salt: bytes) -> None:
    if len(salt) != SALT_BYTES:
        raise ValueError(f"expected a salt of {SALT_BYTES} bytes, found {len(salt)}")


class _Tally:
    """Digest and length of what passes by."""

    def __init__(self, digest: Digest) -> None:
        self.digest = digest
        self.length = 0

    def counted(self, pieces: Iterable[B]) -> Iterator[B]:
        """The same pieces."""
        for piece in pieces:
            self.digest.update(piece)
            self.length += memoryview(piece).nbytes
            yield piece


def _without_salt(frames: Iterator[bytearray]) -> Iterator[bytearray]:
    """The content alone. Copied, not cut off at the front: the salt would stay in memory."""
    first = next(frames)
    if len(first) < SALT_BYTES:
        raise FrameAlteredError(0)
    yield bytearray(memoryview(first)[SALT_BYTES:])
    wipe(first)
    yield from frames


def _bound_to(label: ItemLabel) -> bytes:
    """The label as canonical text: JSON, so that no two labels share one."""
    return json.dumps(
        [
            "plumbline-item/v2",
            label.item.hex,
            label.item_class,
            label.deployment.hex,
            label.content_type,
        ],
        separators=(",", ":"),
    ).encode()

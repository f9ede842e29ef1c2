"""Where ciphertexts lie: a directory, or a bucket of S3 objects. One contract for both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from pathlib import Path
from typing import Protocol
from uuid import UUID

from domain.kernel.errors import DomainError

S3 = "s3://"


class MediaStoreError(DomainError):
    """The store did not take or give what was asked: it is full, failing, away, or closed to us."""


class Ciphertext(Protocol):
    """An item's ciphertext, read from its beginning."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end.

        Raises:
            MediaStoreError: the store did not give them.
        """

    def close(self) -> None:
        """Let go of it."""


class Ciphertexts(Protocol):
    """A store of ciphertexts, one for each item.

    What lies here is of no use without its key, which is never here. What is not ours is reported
    and never touched. Every call may be repeated after a crash.
    """

    def write_stream(self, item: UUID, pieces: Iterable[bytes | bytearray | memoryview]) -> None:
        """Store an item's ciphertext as it comes; whole and durable, or not at all.

        Raises:
            MediaStoreError: the store did not take it.
            Exception: what the pieces came to an end with; nothing of them is kept.
        """

    def open(self, item: UUID) -> Ciphertext | None:
        """An item's ciphertext, to be closed; or ``None``."""

    def remove(self, item: UUID) -> None:
        """Remove what there is of an item, finished or not, for good."""

    def remove_all(self, items: Sequence[UUID]) -> dict[UUID, DomainError]:
        """As :meth:`remove`, for many.

        Returns:
            What could not be removed, and why. The others are gone for good.
        """

    def holds(self, item: UUID) -> bool:
        """Whether there is a ciphertext of an item, finished or not."""

    def items(self) -> set[UUID]:
        """Every item that has a ciphertext, finished or not."""

    def strays(self) -> Sized:
        """What lies here and is no item's."""


def ciphertexts_at(
    place: str, *, only_reading: bool = False, says_what_is_gone: bool = False
) -> Ciphertexts:
    """The store at a place.

    Args:
        place: a directory, or ``s3://bucket/prefix``.
        only_reading: make and change nothing.
        says_what_is_gone: also ask whether what is deleted there is gone; it may change any day.

    Raises:
        DomainError: it cannot be used, or nothing can be destroyed in it.
    """
    if place.startswith(S3):
        # brought in where it is used: it takes a quarter of a second
        from infrastructure.vault.bucket import Bucket

        return Bucket(place, only_reading=only_reading and not says_what_is_gone)
    from infrastructure.vault.media import MediaStore

    return MediaStore(Path(place), only_reading=only_reading)

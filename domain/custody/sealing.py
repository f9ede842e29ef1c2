"""What is said of a sealed item without saying anything of its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

SALT_BYTES = 32
"""Of the salt that is sealed with each content."""

_COMMITMENT = b"plumbline-item/v1\0"


_OF_A_HOLD = "hold-"


@dataclass(frozen=True)
class Epoch:
    """The items whose keys are wrapped by one key, so that they can all end with it.

    They are those of one day, or those of one hold.
    """

    deployment: UUID
    item_class: str
    day: date | None
    """On which they were registered, UTC; None where they are a hold's."""
    hold: UUID | None = None
    """The hold, where they are one's."""

    def __post_init__(self) -> None:
        """An epoch is of a day or of a hold."""
        if (self.day is None) == (self.hold is None):
            raise ValueError("expected an epoch of a day or of a hold")

    @classmethod
    def from_name(cls, name: str) -> Epoch:
        """What :attr:`name` told.

        Raises:
            ValueError: it is no such name.
        """
        deployment, item_class, which = name.split("/")
        if which.startswith(_OF_A_HOLD):
            hold = UUID(hex=which.removeprefix(_OF_A_HOLD))
            return cls(UUID(hex=deployment), item_class, None, hold)
        return cls(UUID(hex=deployment), item_class, date.fromisoformat(which))

    @property
    def which(self) -> str:
        """The day as ``2026-11-23``, or ``hold-<id>``."""
        return str(self.day) if self.hold is None else f"{_OF_A_HOLD}{self.hold.hex}"

    @property
    def name(self) -> str:
        """``<deployment>/<class>/<day, or hold-id>``."""
        return f"{self.deployment.hex}/{self.item_class}/{self.which}"


@dataclass(frozen=True)
class ItemLabel:
    """What an item is. All but the day is bound to its ciphertext: a swapped file does not open."""

    item: UUID
    item_class: str
    deployment: UUID
    content_type: str
    registered_on: date
    """The day of its registration, UTC."""

    @property
    def epoch(self) -> Epoch:
        """Whose key wraps this item's."""
        return Epoch(self.deployment, self.item_class, self.registered_on)


@dataclass(frozen=True)
class SealedContent:
    """What may be said of a sealed item without saying anything of its content."""

    ciphertext_digest: str
    """SHA-256 of the ciphertext, hex: of no use to anyone who holds the photograph."""
    ciphertext_length: int
    """Bytes."""


@dataclass(frozen=True)
class ToSeal:
    """Content that is to be sealed."""

    label: ItemLabel
    salt: bytes
    """:data:`SALT_BYTES` of its own."""
    content: bytes | memoryview


@dataclass(frozen=True)
class SealedStream:
    """What may be said of a sealed item whose content came in chunks."""

    content: SealedContent
    commitment: str
    """Over salt and content, as :func:`commitment` gives it: it could not be told before."""
    length: int
    """Bytes of the content."""


class Digest(Protocol):
    """What ``hashlib`` gives."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take in more."""

    def hexdigest(self) -> str:
        """Of all that was taken in."""


@dataclass(frozen=True)
class Tombstone:
    """One link of the keystore's chain of destroyed keys."""

    sequence: int
    """From 1, without gaps."""
    digest: str
    """SHA-256 over this link and the one before, hex."""


@dataclass(frozen=True)
class RecheckedBy:
    """Who looked again after a destruction."""

    recheck: UUID
    kind: str
    """``separate-process`` or ``in-process``."""


@dataclass(frozen=True)
class EpochEnded:
    """A wrapping key that is gone, and the tombstone that says so."""

    epoch: Epoch
    kept_in: str
    """``file`` or ``pkcs11``."""
    tombstone: Tombstone


def commitment(salt: bytes, content: bytes | memoryview) -> str:
    """SHA-256 over a salt and the content, hex.

    The salt is sealed with the content and dies with its key: afterwards nobody who holds the
    photograph can confirm that it was here. Source: domain specification, 3.1 NEVER 2.
    """
    digest = committing(salt)
    digest.update(content)
    return digest.hexdigest()


def committing(salt: bytes) -> Digest:
    """As :func:`commitment`, for content that comes piece by piece."""
    digest = hashlib.sha256(_COMMITMENT)
    digest.update(salt)
    return digest

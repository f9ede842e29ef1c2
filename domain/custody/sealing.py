"""What is said of a sealed item without saying anything of its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

SALT_BYTES = 32
"""Of the salt that is sealed with each content."""

_COMMITMENT = b"plumbline-item/v1\0"


@dataclass(frozen=True)
class ItemLabel:
    """What an item is, bound to its ciphertext: a swapped file does not open."""

    item: UUID
    item_class: str
    deployment: UUID
    content_type: str


@dataclass(frozen=True)
class SealedContent:
    """What may be said of a sealed item without saying anything of its content."""

    ciphertext_digest: str
    """SHA-256 of the ciphertext, hex: of no use to anyone who holds the photograph."""
    ciphertext_length: int
    """Bytes."""


@dataclass(frozen=True)
class Tombstone:
    """One link of the keystore's chain of destroyed keys."""

    sequence: int
    """From 1, without gaps."""
    digest: str
    """SHA-256 over this link and the one before, hex."""


def commitment(salt: bytes, content: bytes | memoryview) -> str:
    """SHA-256 over a salt and the content, hex.

    The salt is sealed with the content and dies with its key: afterwards nobody who holds the
    photograph can confirm that it was here. Source: domain specification, 3.1 NEVER 2.
    """
    digest = hashlib.sha256(_COMMITMENT)
    digest.update(salt)
    digest.update(content)
    return digest.hexdigest()

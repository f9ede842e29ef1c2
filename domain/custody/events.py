"""What happened to an item of personal data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("item.registered")
@dataclass(frozen=True, kw_only=True)
class ItemRegistered(Happened):
    """An item may now come to exist. Stored before it does."""

    item_class: str
    content_type: str
    deployment: UUID
    concerning: UUID
    """The alert or entry that the item belongs to."""
    rule: str
    clock_starts: str
    due_at: datetime
    """The latest instant at which it may exist; the deployment's end comes before it."""
    commitment: str
    """SHA-256 of a salt and the content, hex. The salt dies with the item's key."""


@recorded_as("item.sealed")
@dataclass(frozen=True, kw_only=True)
class ItemSealed(Happened):
    """The item exists: encrypted under a key of its own."""

    ciphertext_digest: str
    ciphertext_length: int


@recorded_as("item.consulted")
@dataclass(frozen=True, kw_only=True)
class ItemConsulted(Happened):
    """Someone opened the item. Stored before a byte of it is given out."""

    purpose: str


@recorded_as("item.destruction_started")
@dataclass(frozen=True, kw_only=True)
class DestructionStarted(Happened):
    """The item is to be destroyed, and reads of it are refused from here on."""

    cause: str


@recorded_as("item.destroyed")
@dataclass(frozen=True, kw_only=True)
class ItemDestroyed(Happened):
    """The item is gone. This is its receipt."""

    item_class: str
    deployment: UUID
    concerning: UUID
    registered_at: datetime
    registered_version: int
    rule: str
    clock_starts: str
    due_at: datetime
    cause: str
    started_at: datetime
    finished_at: datetime
    commitment: str
    ciphertext_digest: str | None
    """None where the item was registered but never sealed."""
    ciphertext_length: int | None
    tombstone_sequence: int
    tombstone_digest: str
    levels: list[str]
    """What was reached: L0 reads refused, L1 key destroyed, L2 ciphertext gone."""
    beyond_use: bool
    """True: an older copy of the keystore, if anybody made one, could still hold the key."""
    recheck: str
    """``in-process``: the same process that destroyed it looked again. Not independent."""
    boundary: str
    """The stores within which the item is gone. Copies outside are not claimed."""
    known_copies_outside: list[str]


@recorded_as("gallery.loaded")
@dataclass(frozen=True, kw_only=True)
class GalleryLoaded(Happened):
    """A recogniser took a watchlist's templates into memory: one consultation, with a count."""

    deployment: UUID
    watchlist: UUID
    camera: str
    count: int
    model_digest: str


ItemEvent = ItemRegistered | ItemSealed | ItemConsulted | DestructionStarted | ItemDestroyed


@recorded_as("item.consultation_refused")
@dataclass(frozen=True, kw_only=True)
class ConsultationRefused(WasRefused):
    """The item was not opened."""

    purpose: str

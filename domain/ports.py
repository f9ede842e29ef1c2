"""What the domain needs from outside: a record, a vault, a clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from domain.alerts.commands import RaiseAlert
from domain.custody.sealing import ItemLabel as ItemLabel
from domain.custody.sealing import SealedContent as SealedContent
from domain.custody.sealing import Tombstone as Tombstone
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command, Role
from domain.kernel.events import Happened
from domain.kernel.repeats import Sameness
from domain.kernel.time import Grain
from domain.sightings.commands import RecordFaces, ReportSourceFailure

A = TypeVar("A", bound=Aggregate)


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present instant: aware, UTC, whole milliseconds."""

    def trusted(self) -> bool:
        """Whether the clock may be believed; if not, entries say ``suspect``."""


@dataclass(frozen=True)
class Recorded:
    """One entry of the record, read back."""

    position: int
    """Its place in the log, from 0, without gaps."""
    scope: str
    mode: str
    recorded_at: datetime
    actor: str
    role: str
    cause: str
    """The id of the command that led to it."""
    clock: str
    """``trusted`` or ``suspect``."""
    event: Happened


@dataclass(frozen=True)
class Answered:
    """What a command was answered with when it first came."""

    entries: list[Recorded]
    """The entries of the transaction that answered it, in order."""
    sameness: Sameness


class Record(Protocol):
    """The one event-sourced record (``infrastructure/record``)."""

    def load(self, kind: type[A], stream: UUID, *, version: int | None = None) -> A:
        """The aggregate as its events leave it, or as it was at a version.

        Raises:
            NotFoundError: the stream has no event.
            RecordBrokenError: its events contradict each other.
        """

    def append(
        self,
        *changes: Aggregate | Happened,
        by: Command,
        given: Mapping[UUID, int] | None = None,
        grain: Grain = Grain.MILLISECOND,
        answers: bool = False,
    ) -> int:
        """Store the new events in ONE transaction, with their places in the log.

        Args:
            changes: aggregates whose new events are stored, and single events.
            by: the command that led to them: its actor, role, scope, mode and id.
            given: streams that the decision rested on, with the version that was read. They are
                compared again under the log's lock.
            grain: how finely the entries tell when they were recorded.
            answers: these entries are the answer to the command; it is not carried out again
                (:meth:`answer_to`).

        Returns:
            The size of the log after the transaction.

        Raises:
            ConflictError: a stream moved on since it was read, or the command was answered
                meanwhile. Nothing was stored.
            DomainError: a stream belongs to another scope, or the record to another mode.
        """

    def answer_to(self, command: Command) -> Answered | None:
        """What this command was answered with, if it was answered before."""

    def forget_contents(self, scope: str) -> None:
        """Erase the key that the contents of a scope's commands are compared under."""

    def history(self, scope: str | None = None, *, after: int = -1) -> Iterator[Recorded]:
        """The entries in the order of the log: of one scope or all, from behind a position."""

    def size(self) -> int:
        """The number of entries in the log."""


class Vault(Protocol):
    """Where erasable content lives: key in the keystore only, ciphertext in the media store only.

    Every call may be repeated after a crash: sealing again replaces, destroying again finds
    nothing left to do and answers the same.
    """

    def seal(self, label: ItemLabel, *, salt: bytes, content: bytes | memoryview) -> SealedContent:
        """Encrypt under a fresh key of its own, and make key and ciphertext durable."""

    def open(self, label: ItemLabel) -> bytearray:
        """The content, in a buffer that the caller must wipe.

        Raises:
            KeyDestroyedError: there is no key (any more).
            CiphertextMissingError: there is a key but no ciphertext.
            ContentAlteredError: the ciphertext is not what was sealed under this label.
        """

    def destroy_key(self, item: UUID, *, at: datetime) -> Tombstone:
        """Delete the key and chain a tombstone, in one transaction of the keystore."""

    def remove_ciphertext(self, item: UUID) -> None:
        """Unlink the ciphertext and make its absence durable."""

    def holds(self, item: UUID) -> bool:
        """Whether there is still a key or a ciphertext of it, finished or not."""

    def keys(self) -> set[UUID]:
        """Every item that has a key."""

    def ciphertexts(self) -> set[UUID]:
        """Every item that has a ciphertext or a half-written one."""


class VaultError(Exception):
    """The vault could not open an item."""


class KeyDestroyedError(VaultError):
    """There is no key for this item: it was destroyed, or never sealed."""


class CiphertextMissingError(VaultError):
    """There is a key, but no ciphertext."""


class ContentAlteredError(VaultError):
    """The ciphertext does not open under this label: altered, truncated or swapped."""


class CommandSink(Protocol):
    """Where a recogniser hands its commands. It stores, decides and notifies nothing itself."""

    def raise_alert(self, command: RaiseAlert) -> bool:
        """Raise a possible match. True when the alert exists, False when it was refused."""

    def record_faces(self, command: RecordFaces) -> None:
        """Store what became of faces."""

    def report_source_failure(self, command: ReportSourceFailure) -> None:
        """Keep that a camera or file could not be read on."""


class Identities(Protocol):
    """Who proved who they are."""

    def authenticated(self, actor: str) -> bool:
        """Whether this actor is a person who proved it for this session."""


class AlertState(StrEnum):
    """How far an alert has come."""

    RAISED = "raised"
    VIEWED = "viewed"
    ADJUDICATED = "adjudicated"
    CLOSED_UNDETERMINED = "closed_undetermined"


@dataclass(frozen=True, kw_only=True)
class AlertLine:
    """One alert as the register holds it: references, times and codes, never a face."""

    alert: UUID
    deployment: UUID
    mode: str
    run: UUID
    camera: str
    watchlist: UUID
    entry: UUID
    threshold: Decimal
    raised_at: datetime
    state: AlertState
    decision: str | None
    """viable, not_viable or insufficient; None while nobody decided."""
    decided_at: datetime | None
    version: int
    """The alert's newest version: what a decision on it must expect."""
    raised_position: int
    """The place in the log of ``alert.raised``."""
    newest_position: int
    """The place in the log of what changed it last."""


@dataclass(frozen=True, kw_only=True)
class AlertChange:
    """One entry of the record that raised or changed an alert."""

    position: int
    """The durable id of the change: its place in the log."""
    name: str
    """The stored name of the event."""
    occurred_at: datetime
    line: AlertLine
    """The alert as this change left it."""


class AlertRegister(Protocol):
    """Every alert and how far it has come (``infrastructure/projections/alert_register.py``)."""

    def knows(self, deployment: UUID) -> bool:
        """Whether such a deployment was ever applied for."""

    def alerts(
        self, deployment: UUID, *, before: int | None = None, limit: int = 100
    ) -> list[AlertLine]:
        """Alerts of a deployment, the newest first.

        Args:
            deployment: which.
            before: only those raised at a smaller position than this, for the next page.
            limit: at most so many, from 1 to 1000.
        """

    def changes(self, deployment: UUID, *, after: int, limit: int = 500) -> list[AlertChange]:
        """What raised or changed alerts of a deployment behind a position, in order."""

    def follows_to(self) -> int:
        """The size of the log that the register has taken in."""


class PublishedLog(Protocol):
    """The log as anyone may fetch it (C2SP tlog-tiles), never beyond the newest checkpoint."""

    def checkpoint(self) -> bytes | None:
        """The newest checkpoint, a signed note as it was signed; None before the first."""

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """A hash tile: ``width`` hashes of 32 bytes each, or None where the tree has no such.

        Args:
            level: from 0, the leaf hashes, to 63.
            index: which tile of the level, from 0.
            width: how many hashes, from 1 to 256; under 256 it is a partial tile.
        """

    def entry_bundle(self, index: int, width: int) -> bytes | None:
        """The entries under a tile of level 0, each behind its length in two bytes, or None."""

    def verifier_key(self) -> bytes:
        """The key to check a checkpoint with, in signed-note form, with its newline."""


@dataclass(frozen=True)
class Grant:
    """What a token opens."""

    fingerprint: str
    """Tells tokens apart: the hex SHA-256 of the token, from which nobody gets it back."""
    role: Role


class AccessTokens(Protocol):
    """The tokens of this node, one for each role (``infrastructure/access``)."""

    def grant(self, token: str) -> Grant | None:
        """What this token opens; None where there is no such token (any more)."""

    def stands(self, grant: Grant) -> bool:
        """Whether the token was not revoked since."""


@dataclass(frozen=True)
class Outside:
    """The ports that a service is given."""

    record: Record
    vault: Vault
    clock: Clock
    identities: Identities

"""What the domain needs from outside: a record, a vault, a clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from domain.alerts.commands import RaiseAlert
from domain.custody.sealing import Epoch as Epoch
from domain.custody.sealing import EpochEnded as EpochEnded
from domain.custody.sealing import ItemLabel as ItemLabel
from domain.custody.sealing import RecheckedBy as RecheckedBy
from domain.custody.sealing import SealedContent as SealedContent
from domain.custody.sealing import SealedStream as SealedStream
from domain.custody.sealing import Tombstone as Tombstone
from domain.custody.sealing import ToSeal as ToSeal
from domain.footage.commands import KeepSegment, ReportLostSegment, Segment
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command, Role
from domain.kernel.errors import DomainError
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

    @property
    def mode(self) -> str:
        """``rehearsal`` or ``operational``: of every entry."""


class Vault(Protocol):
    """Where erasable content lives: key in the keystore only, ciphertext in the media store only.

    Every call may be repeated after a crash: sealing again replaces, destroying again finds
    nothing left to do and answers the same.
    """

    def seal(self, label: ItemLabel, *, salt: bytes, content: bytes | memoryview) -> SealedContent:
        """Encrypt under a fresh key of its own, and make key and ciphertext durable."""

    def seal_all(self, contents: Sequence[ToSeal]) -> list[SealedContent]:
        """As :meth:`seal`, for several at once: all their keys in one transaction."""

    def seal_stream(
        self, label: ItemLabel, *, salt: bytes, chunks: Iterable[bytes | memoryview]
    ) -> SealedStream:
        """Encrypt what comes, chunk by chunk, in memory that does not grow with it.

        Until it is whole and durable, the item is not there.
        """

    def open_stream(self, label: ItemLabel) -> Iterator[bytearray]:
        """The content in buffers that the caller must wipe, in memory that does not grow with it.

        Raises:
            KeyDestroyedError: there is no key (any more).
            CiphertextMissingError: there is a key but no ciphertext.
            ContentAlteredError: what comes next is not what was sealed under this label. What was
                given out before is sound.
        """

    def open(self, label: ItemLabel) -> bytearray:
        """The content, in a buffer that the caller must wipe.

        Raises:
            KeyDestroyedError: there is no key (any more).
            CiphertextMissingError: there is a key but no ciphertext.
            ContentAlteredError: the ciphertext is not what was sealed under this label.
        """

    def destroy_keys(self, items: Sequence[UUID], *, at: datetime) -> dict[UUID, Tombstone]:
        """Delete the keys and chain a tombstone for each, in one transaction of the keystore."""

    def remove_ciphertexts(self, items: Sequence[UUID]) -> dict[UUID, DomainError]:
        """Unlink the ciphertexts and make their absence durable.

        Returns:
            What the store could not let go of, and why; the others are gone.
        """

    def end_epochs(self, *, at: datetime, over: Collection[UUID]) -> list[EpochEnded]:
        """Destroy the wrapping keys that wrap nothing and that nothing can join any more.

        Args:
            at: when. Epochs of days before this one (UTC) can be joined by nothing;
            over: nor can those of these deployments. The key of a hold ends once it wraps nothing.
        """

    def hold_keys(self, items: Sequence[UUID], *, hold: UUID) -> None:
        """Move the keys of held items under keys of the hold's own, all or none of them.

        So they keep no epoch of a day from ending. They stay there when the hold is lifted, until
        they are destroyed; another hold takes them over. Repeating it changes nothing.

        Raises:
            KeyDestroyedError: an item has no key (any more).
        """

    def holds(self, item: UUID) -> bool:
        """Whether there is still a key or a ciphertext of it, finished or not."""

    def last_tombstone(self) -> Tombstone | None:
        """The newest link of the keystore's chain; None where nothing was destroyed."""

    def buried(self) -> Mapping[UUID, Tombstone]:
        """Every item that has a tombstone, with it."""

    def ended_epochs(self) -> list[EpochEnded]:
        """Every epoch whose wrapping key is gone, in the order in which they ended."""

    def keys(self) -> set[UUID]:
        """Every item that has a key."""

    def ciphertexts(self) -> set[UUID]:
        """Every item that has a ciphertext or a half-written one."""


@dataclass(frozen=True)
class Rechecked:
    """What another principal than the one that destroyed found, when it tried to open items."""

    recheck: UUID
    rechecker: str
    """The key that signed (``rechecker.enrolled``); empty where none did."""
    kind: str
    """``separate-process`` or ``in-process``."""
    gone: list[UUID]
    """What could not be opened, with neither key nor ciphertext there."""
    still_there: list[UUID]
    last_tombstone: Tombstone | None
    signature: str
    """Ed25519, hex (``domain.assurance.rechecks``); empty where nobody signed."""

    @property
    def said(self) -> RecheckedBy:
        """What a receipt says of it."""
        return RecheckedBy(self.recheck, self.kind)


class Rechecker(Protocol):
    """Looks again after a destruction, with its own eyes on the stores."""

    def recheck(self, labels: Sequence[ItemLabel], *, at: datetime) -> Rechecked:
        """Try to open these items, at most 500, and look for their keys and ciphertexts.

        Raises:
            DomainError: it could not look. Nothing is said of any item.
        """


@dataclass(frozen=True)
class Stock:
    """What lies in the stores, whoever put it there."""

    keys: set[UUID]
    """Items that have a key."""
    ciphertexts: set[UUID]
    """Items that have a ciphertext, finished or not."""
    strays: Mapping[str, int]
    """Store to how many things lie there that are no item's."""


@dataclass(frozen=True)
class Wanted:
    """What an inventory is to be signed over."""

    scope: str
    """A deployment's id, or ``force`` for everything."""
    as_of: int
    """The size of the log that it was compared with."""
    skip: set[UUID]
    """Items between two of their steps, which may be there or not."""
    among: set[UUID] | None
    """Only these items; None for all that lie there."""
    missing: int
    orphans: int
    resurrected: int


class Stocktaker(Protocol):
    """Lists the stores with its own eyes, and signs what it listed."""

    def stock(self) -> Stock:
        """What lies in the stores now.

        Raises:
            DomainError: they cannot be listed to their end.
        """

    def attest(self, wanted: Sequence[Wanted]) -> list[tuple[str, dict[str, Any]]]:
        """List again and sign: for each scope the fields of ``inventory.attested``.

        Raises:
            DomainError: the stores cannot be listed.
        """


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


class FootageSink(Protocol):
    """Where a recorder hands its segments. One thread uses it, the one that opened it."""

    def keep_segment(self, command: KeepSegment, segment: Segment) -> bool:
        """Keep a segment while it comes in. False if it was refused: nothing of it was read.

        Raises:
            DomainError: it could not be kept; nothing of it is.
            VaultError: likewise.
        """

    def report_lost(self, command: ReportLostSegment) -> None:
        """Keep that a segment could not be kept."""


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


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """One entry of a deployment's history, without what its event says."""

    position: int
    occurred_at: datetime
    name: str
    """The stored name of the event."""
    mode: str
    role: str
    actor: str
    refused: bool
    """Whether something was asked for and refused."""
    stream: UUID
    """The aggregate or journal that the entry belongs to."""
    item: UUID | None
    """The item of personal data that it tells of."""
    concerning: UUID | None
    """What it is about: an alert, an entry of a watchlist, or what a refused command aimed at.
    An item's entries are about what the item was registered for."""


class DeploymentHistory(Protocol):
    """Everything that was recorded of a deployment, in order."""

    def lines(
        self,
        deployment: UUID,
        *,
        after: int = -1,
        limit: int = 500,
        names: Collection[str] | None = None,
        roles: Collection[str] | None = None,
        refused_only: bool = False,
        about: UUID | None = None,
    ) -> list[HistoryLine]:
        """The history of a deployment, in the order of the log.

        Args:
            deployment: which.
            after: only what stands behind this position, for the next page.
            limit: at most so many, from 1 to 1000.
            names: only these stored names.
            roles: only what was asked for in these roles.
            refused_only: only refusals.
            about: only what belongs to, tells of or concerns this alert, item, entry or stream.
        """

    def follows_to(self) -> int:
        """The size of the log that the register has taken in."""


class WatchlistState(StrEnum):
    """How far a watchlist has come."""

    CRITERIA_PROPOSED = "criteria_proposed"
    CRITERIA_APPROVED = "criteria_approved"
    SEAL_REQUESTED = "seal_requested"
    SEALED = "sealed"
    APPROVED = "approved"


class EntryState(StrEnum):
    """Where an entry of a watchlist stands."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class WatchlistLine:
    """One watchlist as the register holds it."""

    watchlist: UUID
    deployment: UUID
    mode: str
    state: WatchlistState
    categories: tuple[str, ...]
    """Who may be on it."""
    accepted_values: str
    """The version of the catalogue whose codes it uses."""
    by_state: Mapping[EntryState, int]
    """How many entries stand where."""
    by_category: Mapping[str, int]
    """How many accepted entries each category has."""
    model_digest: str | None
    """The model that made the templates of its accepted entries; None before the first."""
    proposed_at: datetime
    sealed_at: datetime | None
    approved_at: datetime | None
    version: int
    """The list's newest version: what a command on it must expect."""
    newest_position: int
    """The place in the log of what changed it last."""


@dataclass(frozen=True, kw_only=True)
class EntryLine:
    """One entry of a watchlist: a random reference and codes, never a person."""

    entry: UUID
    watchlist: UUID
    state: EntryState
    reasons: tuple[str, ...]
    """Why it was rejected or removed, as codes."""
    category: str
    source_system: str
    image_basis: str
    necessity: str
    attempted_means: str
    attempted_on: str
    attempted_result: str
    nexus: str
    age_band: str
    vulnerable: bool
    response_code: str
    proposed_at: datetime
    judged_at: datetime | None


class WatchlistRegister(Protocol):
    """Every watchlist and what became of its entries."""

    def watchlists(self, deployment: UUID) -> list[WatchlistLine]:
        """The lists of a deployment, in the order of their criteria."""

    def watchlist(self, watchlist: UUID) -> WatchlistLine | None:
        """One list, if its criteria were ever proposed."""

    def entries(
        self, watchlist: UUID, *, after: UUID | None = None, limit: int = 100
    ) -> list[EntryLine]:
        """The entries of a list, by reference.

        Args:
            watchlist: which.
            after: only those whose reference sorts behind this one, for the next page.
            limit: at most so many, from 1 to 1000.
        """

    def follows_to(self) -> int:
        """The size of the log that the register has taken in."""


class ItemState(StrEnum):
    """How far an item of personal data has come."""

    REGISTERED = "registered"
    SEALED = "sealed"
    DESTRUCTION_STARTED = "destruction_started"
    DESTROYED = "destroyed"


@dataclass(frozen=True, kw_only=True)
class ItemLine:
    """One item of personal data as the register holds it."""

    item: UUID
    item_class: str
    deployment: UUID
    concerning: UUID
    """The alert or entry that it belongs to."""
    mode: str
    state: ItemState
    rule: str
    due_at: datetime
    """The latest instant at which it may exist, as far as is known by now."""
    registered_at: datetime
    sealed_at: datetime | None
    destruction_started_at: datetime | None
    destroyed_at: datetime | None
    """When its destruction was finished, by its receipt."""
    cause: str | None
    """Why it was destroyed, as a code."""
    consultations: int
    """How often it was opened."""
    registered_position: int
    newest_position: int


@dataclass(frozen=True, kw_only=True)
class ClassCount:
    """The items of one class, counted at one time."""

    item_class: str
    registered: int
    existing: int
    """Registered and not destroyed by that time."""
    overdue: int
    """Of those, how many had to be gone by that time."""
    destroyed: int
    destroyed_late: int
    """Of those, how many after they had to be gone. It stays so for ever."""


class CustodyRegister(Protocol):
    """Every item of personal data that was ever to exist."""

    def item(self, item: UUID) -> ItemLine | None:
        """One item, if it was ever registered."""

    def items(self, deployment: UUID, *, after: int = -1, limit: int = 100) -> list[ItemLine]:
        """The items of a deployment, in the order of their registration.

        Args:
            deployment: which.
            after: only those registered behind this position, for the next page.
            limit: at most so many, from 1 to 1000.
        """

    def overdue(self, at: datetime, *, deployment: UUID | None = None) -> list[ItemLine]:
        """Items that still existed at a time although they had to be gone, the longest first."""

    def counts(self, at: datetime, *, deployment: UUID | None = None) -> list[ClassCount]:
        """How many items of each class there were at a time, by class."""

    def follows_to(self) -> int:
        """The size of the log that the register has taken in."""


class KeystoreState(StrEnum):
    """Whether the keys can be got at."""

    READABLE = "readable"
    UNREADABLE = "unreadable"
    """Missing, damaged, or open to others."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """How custody stands just now."""

    overdue: int
    """Items that exist although they had to be gone."""
    oldest_overdue_s: int | None
    """For how many seconds the longest of them had to be gone."""
    swept_s_ago: int | None
    """Seconds since the newest sign of life of the retention worker; None where there is none."""
    swept_every_s: int | None
    """Within how many seconds it said that it would be back; 0 where nobody knows."""
    keystore: KeystoreState
    clock_doubted: bool
    """Whether the last that was recorded of the clock is that nothing confirms it."""

    @property
    def silent(self) -> bool:
        """Whether the retention worker is away for more than twice as long as it said."""
        if not self.swept_every_s or self.swept_s_ago is None:
            return False
        return self.swept_s_ago > 2 * self.swept_every_s

    @property
    def well(self) -> bool:
        """Whether nobody has to be woken."""
        return not (
            self.overdue
            or self.silent
            or self.clock_doubted
            or self.keystore is not KeystoreState.READABLE
        )


class Reconciliation(StrEnum):
    """Whether the sums of a run were compared, and what came of it."""

    OPEN = "open"
    RECONCILED = "reconciled"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class CameraStatistics:
    """What one camera saw in one run, and what the record says became of it."""

    camera: str
    frames: int
    seen: int
    """Faces, by the tracker's own counter."""
    not_enrolled: int
    enrolled_and_discarded: int
    alerted: int
    suppressed: int
    refused: int
    """Possible matches whose alert the rules refused."""
    interrupted: int
    """Faces that a worker was following when it died, at least."""
    not_enrolled_for: Mapping[str, int]
    """Reason to how many faces were not enrolled for it."""
    max_template_life_ms: int
    source_failures: int


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """One run: a continuous period with recognition on."""

    run: UUID
    deployment: UUID
    mode: str
    started_at: datetime | None
    stopped_at: datetime | None
    reconciliation: Reconciliation
    cameras: tuple[CameraStatistics, ...]
    """By name."""


class RunStatistics(Protocol):
    """What every run saw and what became of it."""

    def runs(self, deployment: UUID) -> list[RunLine]:
        """The runs of a deployment, in the order in which they were started."""

    def run(self, run: UUID) -> RunLine | None:
        """One run, if the record tells of it."""

    def follows_to(self) -> int:
        """The size of the log that the register has taken in."""


@dataclass(frozen=True)
class Outside:
    """The ports that a service is given."""

    record: Record
    vault: Vault
    clock: Clock
    identities: Identities
    rechecker: Rechecker
    boundary: str = "the record, the keystore and the media store of one node"
    """The stores that a receipt speaks of, in words; nothing outside them is claimed."""

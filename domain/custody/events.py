"""What happened to an item of personal data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused
from domain.kernel.time import read, written

_A_DAY = timedelta(hours=24)


@recorded_as("item.registered")
@dataclass(frozen=True, kw_only=True)
class ItemRegistered(Happened):
    """An item may now come to exist. Stored before it does."""

    SHAPE: ClassVar[int] = 2

    item_class: str
    content_type: str
    deployment: UUID
    concerning: UUID
    """The alert, entry or run that the item belongs to."""
    schedule: str
    """The version of the retention schedule in force; empty where none was adopted yet."""
    rule: str
    clock_starts: str
    anchor_at: datetime | None
    """When its clock started. None where that is the end of the deployment, still to come."""
    due_at: datetime
    """The latest instant at which it may exist, as far as can be said now: an end of the
    deployment that comes earlier than the window's brings it forward."""
    commitment: str
    """SHA-256 of a salt and the content, hex. The salt dies with the item's key. Empty where the
    content streams in afterwards: then ``footage.segment_recorded`` gives it."""

    @classmethod
    def upcast(cls, body: dict[str, Any], *, shape: int) -> dict[str, Any]:
        """Shape 1 knew no schedules; every limit was a day, from the alert or the window's end."""
        from_alert = body.get("clock_starts") == "alert"
        anchor = written(read(body["due_at"]) - _A_DAY) if from_alert else None
        return body | {"schedule": "", "anchor_at": anchor}


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


@recorded_as("item.held")
@dataclass(frozen=True, kw_only=True)
class ItemHeld(Happened):
    """A hold was approved for the item, or reviewed: until its review it is not destroyed."""

    hold: UUID
    until: datetime
    """The date by which the hold must be reviewed, or it lapses."""
    due_at: datetime
    """The latest instant at which the item may exist now."""


@recorded_as("item.hold_ended")
@dataclass(frozen=True, kw_only=True)
class HoldEnded(Happened):
    """A hold on the item was released."""

    hold: UUID
    due_at: datetime
    """The latest instant at which the item may exist now."""


@recorded_as("item.copied_outside")
@dataclass(frozen=True, kw_only=True)
class CopiedOutside(Happened):
    """What the item holds went to a place outside these stores. Its own clock runs on."""

    destination: str
    """What kind of place, as a code; never which case."""


@recorded_as("item.destruction_started")
@dataclass(frozen=True, kw_only=True)
class DestructionStarted(Happened):
    """The item is to be destroyed, and reads of it are refused from here on."""

    cause: str


@recorded_as("item.destroyed")
@dataclass(frozen=True, kw_only=True)
class ItemDestroyed(Happened):
    """The item is gone. This is its receipt."""

    SHAPE: ClassVar[int] = 2

    item_class: str
    deployment: UUID
    concerning: UUID
    registered_at: datetime
    registered_version: int
    schedule: str
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
    epoch: str
    """The key that wrapped the item's key, as ``<deployment>/<class>/<day>``."""
    levels: list[str]
    """What was reached: L0 reads refused, L1 key destroyed, L2 ciphertext gone. What comes later
    is told by later entries: L4 by ``epoch.destroyed``."""
    methods: dict[str, str]
    """Level to how it was reached, as codes."""
    beyond_use: bool
    """True: an older copy of the keystore, if anybody made one, could still hold the key."""
    holds: list[UUID]
    """Every hold that was approved for it."""
    recheck: str
    """``in-process``: the same process that destroyed it looked again. Not independent.
    ``separate-process``: another process, with a key of its own, could not open it."""
    recheck_id: UUID | None
    """The ``destruction.rechecked`` that it stands in."""
    boundary: str
    """The stores within which the item is gone. Copies outside are not claimed."""
    known_copies_outside: list[str]
    """Kinds of copies outside those stores that the record knows of, as codes."""

    @classmethod
    def upcast(cls, body: dict[str, Any], *, shape: int) -> dict[str, Any]:
        """Shape 1 knew neither schedules nor epochs, holds or another principal."""
        return body | {
            "schedule": "",
            "epoch": "",
            "methods": {},
            "holds": [],
            "recheck_id": None,
        }


@dataclass(frozen=True)
class AdoptedRule:
    """One rule of a retention schedule, as its adoption tells it."""

    item_class: str
    rule: str
    starts: str
    limit_s: int
    hold_may_extend: bool
    source: str


@recorded_as("schedule.adopted")
@dataclass(frozen=True, kw_only=True)
class ScheduleAdopted(Happened):
    """From here on items are kept by this schedule; where it is shorter, those that exist too.

    In the scope of the force, with the whole content.
    """

    version: str
    owner: str
    """Who answers for it, as a code. Source: policy L79."""
    rules: list[AdoptedRule]
    """One for each class, by class."""


@recorded_as("schedule.adoption_refused")
@dataclass(frozen=True, kw_only=True)
class AdoptionRefused(WasRefused):
    """The schedule was not adopted; the one in force stays."""

    version: str


@dataclass(frozen=True)
class Statement:
    """What a document says of how long a class is kept."""

    item_class: str
    starts: str
    limit_s: int
    hold_may_extend: bool


@recorded_as("document.registered")
@dataclass(frozen=True, kw_only=True)
class DocumentRegistered(Happened):
    """A document of the force says how long things are kept. In the scope of the force."""

    document: str
    """What kind it is, as a code: ``policy``, ``dpia``, ``privacy-notice``."""
    version: str
    published_on: str
    """``2026-11-23``."""
    digest: str
    """SHA-256 of the file as it was given, hex."""
    statements: list[Statement]


@recorded_as("document.registration_refused")
@dataclass(frozen=True, kw_only=True)
class RegistrationRefused(WasRefused):
    """The document was not registered."""

    document: str


@recorded_as("gallery.loaded")
@dataclass(frozen=True, kw_only=True)
class GalleryLoaded(Happened):
    """A recogniser took a watchlist's templates into memory: one consultation, with a count."""

    deployment: UUID
    watchlist: UUID
    camera: str
    count: int
    model_digest: str


@recorded_as("destruction.rechecked")
@dataclass(frozen=True, kw_only=True)
class DestructionRechecked(Happened):
    """Another principal than the one that destroyed tried to open items, and signed the answer.

    In the journal of its deployment, before the receipts that rest on it.
    """

    recheck: UUID
    rechecker: str
    """The key that signed, as ``rechecker.enrolled`` names it; empty for ``in-process``."""
    kind: str
    """``separate-process`` or ``in-process``."""
    items: list[UUID]
    """What it could not open, and of which neither key nor ciphertext was there; at most 500."""
    still_there: list[UUID]
    """What was not gone. These have no receipt."""
    tombstone_sequence: int
    """The newest tombstone that it saw."""
    tombstone_digest: str
    signature: str
    """Ed25519 over the statement (``domain.assurance.rechecks``), hex; empty for ``in-process``."""


@recorded_as("epoch.destroyed")
@dataclass(frozen=True, kw_only=True)
class EpochDestroyed(Happened):
    """The key that wrapped an epoch's keys is gone: level L4 for every item destroyed before it."""

    deployment: UUID
    item_class: str
    day: str
    """The day of registration of its items, UTC, as ``2026-11-23``; or ``hold-<id>``."""
    kept_in: str
    """Where it was: ``file`` or ``pkcs11``."""
    tombstone_sequence: int
    tombstone_digest: str


@recorded_as("rechecker.enrolled")
@dataclass(frozen=True, kw_only=True)
class RecheckerEnrolled(Happened):
    """From here on this key may sign re-checks and inventories. In the scope of the force."""

    rechecker: str
    """Its name: the first 16 hex digits of the SHA-256 of the public key."""
    public_key: str
    """Ed25519, hex."""


@recorded_as("inventory.attested")
@dataclass(frozen=True, kw_only=True)
class InventoryAttested(Happened):
    """The re-checker listed the stores and signed what it found.

    In the scope of a deployment it tells of that deployment's items only; in the scope of the force
    of everything that the stores hold. Items between two of their steps (registered but not sealed,
    destruction begun but not finished, as of that size) are in no root and no count.
    """

    SHAPE: ClassVar[int] = 2

    as_of: int
    """The size of the log that the stores were compared with."""
    keystore_count: int
    keystore_root: str
    """Merkle root over the sorted ids that have a key, hex (``domain.assurance.inventories``)."""
    media_count: int
    media_root: str
    epoch_count: int
    epoch_root: str
    """Over the sorted names of epochs."""
    epochs: list[str]
    """Their names, as ``<deployment>/<class>/<day>``, sorted."""
    skipped: list[UUID]
    """Items that lay there and are in no root and no count, being between two of their steps."""
    tombstone_sequence: int
    tombstone_digest: str
    missing: int
    """Items that should exist and do not."""
    orphans: int
    """Keys and files that no entry knows."""
    resurrected: int
    """Items with a receipt that are there again."""
    rechecker: str
    signature: str

    @classmethod
    def upcast(cls, body: dict[str, Any], *, shape: int) -> dict[str, Any]:
        """Shape 1 told how many epochs had a key and not which, and not what was left out."""
        return body | {"epochs": [], "skipped": []}


@recorded_as("orphan.found")
@dataclass(frozen=True, kw_only=True)
class OrphanFound(Happened):
    """Something is in the stores that no entry knows. Its name is not repeated here."""

    orphan: UUID
    """A fresh reference to this finding."""
    store: str
    """``keystore`` or ``media``."""
    kind: str
    """``key``, ``ciphertext``, ``epoch``, ``unfinished`` or ``stray``."""
    item: UUID | None
    """The item that its name tells, where it is one."""


@recorded_as("item.resurrection_found")
@dataclass(frozen=True, kw_only=True)
class ResurrectionFound(Happened):
    """An item with a receipt has a key or a ciphertext again. Reads of it stay refused."""

    item: UUID
    store: str
    """``keystore`` or ``media``."""


@recorded_as("item.loss_found")
@dataclass(frozen=True, kw_only=True)
class LossFound(Happened):
    """An item that should exist has no key or no ciphertext, and nothing destroyed it."""

    item: UUID
    store: str


@recorded_as("item.overdue_found")
@dataclass(frozen=True, kw_only=True)
class OverdueFound(Happened):
    """An item still existed when it had to be gone. It is late for ever, whenever it goes."""

    item: UUID
    item_class: str
    due_at: datetime


@recorded_as("keystore.rollback_found")
@dataclass(frozen=True, kw_only=True)
class KeystoreRollbackFound(Happened):
    """The keystore knows fewer tombstones than the record has receipts for: an older copy."""

    expected_sequence: int
    found_sequence: int


@recorded_as("item.doubted")
@dataclass(frozen=True, kw_only=True)
class ItemDoubted(Happened):
    """Whether the item was destroyed in what is lost of the record, nobody knows. Reads of it are
    refused from here on; its deadline stays."""

    size_found: int
    """As ``record.restored_from_backup`` says."""


@recorded_as("record.restored_from_backup")
@dataclass(frozen=True, kw_only=True)
class RestoredFromBackup(Happened):
    """The record was brought back from an older copy, and what came after it is lost."""

    size_found: int
    """The entries that were there."""
    size_known: int
    """The entries that the witnesses, the checkpoint or the keystore know of at least; what lies
    between the two is lost."""
    known_from: str
    """``witness``, ``checkpoint`` or ``keystore``."""
    root_known: str
    """The root hash of what was signed at that size, hex: whoever holds such a checkpoint sees that
    it is meant. Empty where nothing signed is known."""
    tombstone_sequence: int
    """The newest tombstone that the keystore had then: those up to it may be of what is lost."""
    keystore_is_current: bool
    """Whether the person says that the keystore is none of what was brought back: then its
    tombstones tell what was destroyed meanwhile. If not, nobody knows it of any item."""


@recorded_as("retention.clock_doubted")
@dataclass(frozen=True, kw_only=True)
class ClockDoubted(Happened):
    """The wall clock was far ahead of all that was ever recorded, and nothing confirmed it.

    What would have been destroyed by that alone was kept; entries say ``suspect`` from here on.
    """

    ahead_s: int
    """Seconds ahead of the newest time that a trusted clock recorded."""


@recorded_as("retention.clock_confirmed")
@dataclass(frozen=True, kw_only=True)
class ClockConfirmed(Happened):
    """A clock that was far ahead of all that was recorded is right: the machine was off."""

    ahead_s: int
    source: str
    """``kernel`` (synchronised over the network), ``witness`` (one cosigned by its own clock), or
    ``person``: the actor of this entry."""


@recorded_as("retention.swept")
@dataclass(frozen=True, kw_only=True)
class RetentionSwept(Happened):
    """The retention worker looked, also when nothing was due. Its absence is itself a finding."""

    live: int
    """Items that existed when it looked."""
    due: int
    destroyed: int
    held: int
    """Past their limit on a valid hold."""
    overdue: int
    """Still there although they had to be gone, after this sweep."""
    next_due_at: datetime | None
    every_s: int
    """Within how many seconds the next one is to be expected; 0 where it ran once, by hand."""


@recorded_as("rechecker.enrolment_refused")
@dataclass(frozen=True, kw_only=True)
class EnrolmentRefused(WasRefused):
    """The key may not sign re-checks. What was destroyed meanwhile has no receipt yet."""

    rechecker: str


@dataclass(frozen=True)
class SearchedPlace:
    """One place that a canary's traces were looked for in."""

    place: str
    """``record``, ``keystore``, ``memory``, ...: :class:`domain.custody.canary.Place`."""
    outcome: str
    """``clean``, ``found``, ``absent``, ``not_readable`` or ``search_failed``."""
    files: int
    """Files, or regions of memory."""
    bytes_read: int
    controls: int
    """What was planted or known there, and had to be found."""
    controls_found: int
    residue: int
    """Templates and pictures that lie there, each form counted."""


@recorded_as("canary.searched")
@dataclass(frozen=True, kw_only=True)
class CanarySearched(Happened):
    """Faces that nobody has went through a whole run, and their traces were looked for everywhere.

    In the scope of the force.
    """

    outcome: str
    """``clean``, ``found``, or ``search_failed``: nothing was found, and not all controls."""
    deployment: UUID
    run: UUID
    played_in: str
    """``node``: in this record; ``beside``: in premises of its own, which are gone."""
    templates: int
    """How many different ones were looked for."""
    pictures: int
    alerts: int
    """Possible matches that the run raised, so that everything took place that a run can do."""
    forms: list[str]
    """How templates and pictures were looked for: ``float32``, ``base64``, ``jpeg``, ..."""
    seen_alive: bool
    """Whether a template was found in the worker's memory while it lived: the search's own test."""
    precautions: dict[str, str]
    """What the worker's process had taken (``recognition.precautions``), as codes."""
    places: list[SearchedPlace]


@recorded_as("canary.residue_found")
@dataclass(frozen=True, kw_only=True)
class ResidueFound(Happened):
    """Something of a canary's faces lies where nothing may. In the scope of the force."""

    finding: UUID
    """A fresh reference."""
    run: UUID
    place: str
    content: str
    """``template`` or ``picture``."""
    form: str
    count: int
    """How many different ones."""


ItemEvent = (
    ItemRegistered
    | ItemSealed
    | ItemConsulted
    | ItemDoubted
    | ItemHeld
    | HoldEnded
    | CopiedOutside
    | DestructionStarted
    | ItemDestroyed
)


@recorded_as("item.consultation_refused")
@dataclass(frozen=True, kw_only=True)
class ConsultationRefused(WasRefused):
    """The item was not opened."""

    purpose: str

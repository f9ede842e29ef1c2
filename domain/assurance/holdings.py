"""What custody came to, class by class: figures that anyone can add up again from the entries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Holding:
    """The items of one class, over a whole log or one deployment."""

    item_class: str
    registered: int = 0
    never_sealed: int = 0
    """Registered and destroyed without ever having come to exist."""
    destroyed_in_time: int = 0
    destroyed_late: int = 0
    held: int = 0
    """Past their limit, on a hold that is valid."""
    remaining: int = 0
    """Not destroyed; those that are held or overdue are among them."""
    overdue: int = 0
    """Not destroyed although they had to be."""
    oldest_anchor: datetime | None = None
    """When the clock of the oldest of those that remain started."""
    next_due: datetime | None = None
    """The earliest deadline of those that remain."""
    limit_s: int = 0
    """Seconds that one may be kept, by the schedule in force; 0 where that is not known."""
    levels: dict[str, int] = field(default_factory=dict)
    """How many reached each level."""
    positions: dict[str, list[int]] = field(default_factory=dict)
    """Where each figure can be added up again: registrations or receipts, where they were kept."""

    @property
    def destroyed(self) -> int:
        """All that have a receipt."""
        return self.destroyed_in_time + self.destroyed_late


@dataclass(frozen=True)
class Life:
    """One item, from its registration to its receipt."""

    item_class: str
    since: datetime
    until: datetime | None
    """When its receipt was recorded; None where it has none."""
    started: datetime
    """When its clock started; its registration, where the clock waits for the deployment's end."""
    deadline: datetime


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with custody."""

    code: str
    """What a program reads: lower case, underscores."""
    position: int
    """The entry in which it shows."""
    sentence: str
    overdue: bool = False
    """Whether it is lateness and nothing else."""


@dataclass(frozen=True)
class Notice:
    """Something that has to be known to read the rest."""

    position: int
    sentence: str


@dataclass(frozen=True)
class Attested:
    """One inventory of the stores, as it was signed."""

    position: int
    at: str
    scope: str
    keystore: int
    media: int
    missing: int
    orphans: int
    resurrected: int
    signed: bool
    """Whether the signature is that of an enrolled re-checker."""


@dataclass(frozen=True)
class Canary:
    """The newest search for faces that nobody has, after they went through a whole run."""

    position: int
    at: str
    outcome: str
    """``clean``, ``found`` or ``search_failed``."""
    templates: int
    pictures: int
    controls: int
    controls_found: int
    places: tuple[tuple[str, str], ...]
    """Each place and what it came to."""


@dataclass(frozen=True)
class CopiesLeft:
    """Copies of watchlists outside the stores, as far as anyone registered them."""

    registered: int
    gone: int
    """Another person than their destroyer looked for them, and they were not there."""
    left: tuple[tuple[str, int], ...]
    """Of what kind each of the others is, and the entry that registered it."""


@dataclass(frozen=True)
class Gap:
    """A time in which the retention worker was to give a sign of life, and gave none."""

    since: str
    until: str
    allowed_s: int


@dataclass(frozen=True)
class CustodyVerdict:
    """What the entries say of every item of personal data, recomputed."""

    as_of: str | None
    """The time up to which it was worked out; None where the log has no entry."""
    over_at: str | None
    """When the deployment was over, where one is asked about and it is."""
    holdings: tuple[Holding, ...]
    """By class."""
    faults: tuple[Fault, ...]
    """In the order of the log; at most :data:`MOST_FAULTS`."""
    fault_count: int
    late_count: int
    """Those of them that are lateness and nothing else."""
    notices: tuple[Notice, ...]
    """What is no fault of any item, and has to be known to read the rest."""
    inventory: Attested | None
    """The newest."""
    resolved: int
    """Findings of earlier inventories that a later one did not make any more."""
    canary: Canary | None
    """The newest. It tells of the node, not of a deployment."""
    copies: CopiesLeft
    gaps: tuple[Gap, ...]
    lives: tuple[Life, ...]
    """Every item, where positions were kept; the destroyed ones first."""
    in_process: int
    """Receipts whose re-check was made by the process that destroyed: not independent."""

    @property
    def sound(self) -> bool:
        """Whether nothing was late and nothing contradicts anything."""
        return self.fault_count == 0

    @property
    def only_late(self) -> bool:
        """Whether lateness is all that is wrong."""
        return not self.sound and self.late_count == self.fault_count

    @property
    def first(self) -> Fault:
        """The first thing that is wrong: lateness only where nothing else is. Not where sound."""
        worse = (one for one in self.faults if not one.overdue)
        return self.faults[0] if self.only_late else next(worse, self.faults[0])


MOST_FAULTS = 1000
"""Faults that are named one by one; all are counted."""

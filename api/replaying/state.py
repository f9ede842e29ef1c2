"""A deployment as it was: rebuilt by its own aggregates from its entries, one after the other.

Nothing here judges or remembers by rules of its own: the phase, the list, the alerts and the items
are what the aggregates say, the sums are the survey's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from api.replaying.moments import Moment
from domain.alerts.aggregate import Alert
from domain.alerts.events import AlertEvent, AlertRaised
from domain.copies.aggregate import Copies
from domain.copies.events import CopiesEvent
from domain.custody.aggregate import Item
from domain.custody.events import GalleryLoaded, ItemEvent
from domain.deployments.aggregate import Deployment
from domain.deployments.events import (
    DeploymentAppliedFor,
    DeploymentCancelled,
    DeploymentEvent,
)
from domain.engagements.aggregate import Engagement, engagement_after
from domain.engagements.events import EngagementEvent
from domain.holds.aggregate import Hold
from domain.holds.events import HoldEvent
from domain.kernel.aggregate import Aggregate
from domain.kernel.errors import RecordBrokenError
from domain.kernel.events import Happened
from domain.kernel.refusals import WasRefused
from domain.kernel.time import written
from domain.ports import AlertState, Reconciliation, Recorded, WatchlistState
from domain.services.survey import Survey
from domain.sightings.events import ReconciliationFailed, RunReconciled
from domain.sightings.sums import as_fields, sums_balance
from domain.watchlists.aggregate import Standing, Watchlist
from domain.watchlists.events import CriteriaProposed, EntryRejected, WatchlistEvent

A = TypeVar("A", bound=Aggregate)


class Phase(StrEnum):
    """How far a deployment has come."""

    NOT_APPLIED_FOR = "not_applied_for"
    APPLIED_FOR = "applied_for"
    AUTHORISED = "authorised"
    RUNNING = "running"
    STOPPED = "stopped"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Balance(StrEnum):
    """Whether the sums of a run balance."""

    BALANCED = "balanced"
    NOT_YET = "not_yet"
    """Recognition is on, and its counters are told from time to time only."""
    NOT_BALANCED = "not_balanced"


@dataclass(frozen=True, kw_only=True)
class Application:
    """What was applied for."""

    applicant: str
    use_case: str
    objective: str
    location: str
    requested_from: str
    requested_until: str
    officers: str


@dataclass(frozen=True, kw_only=True)
class Authorisation:
    """What was allowed."""

    officer: str
    targeted: str
    intelligence_led: str
    valid_from: str
    valid_until: str
    cameras: list[str]
    threshold: str
    threshold_justification: str
    model_digest: str
    urgency: str
    """The threat that left no time for a superintendent; empty for routine use."""
    lapses: str | None
    """When it is over unless it is ratified."""
    by_nexus: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class ListOf:
    """How far a watchlist has come, and its entries counted by their codes."""

    state: str
    """A value of ``WatchlistState``."""
    catalogue: str
    """The version of the catalogue of accepted values."""
    categories: list[str]
    proposer: str
    sealers: list[str]
    not_judged: int
    accepted: int
    """Entries that are on the list."""
    removed: int
    reviewed: int
    """Of those on the list, how many somebody looked at again."""
    extra_authority: int
    """Entries that a second authority allowed."""
    rejected: int
    rejected_for: dict[str, int]
    by_category: dict[str, int]
    """Of the accepted entries, like the two that follow."""
    by_source_system: dict[str, int]
    by_age_band: dict[str, int]
    model_digest: str | None
    loaded_by: dict[str, int]
    """Camera to how often its recogniser took the templates into memory."""


@dataclass(frozen=True, kw_only=True)
class RunOf:
    """What one run saw and what the record says became of it, so far."""

    recognition: str
    """``on`` or ``off``; empty for a run that was never started."""
    frames: int
    seen: int
    not_enrolled: int
    enrolled_and_discarded: int
    alerted: int
    suppressed: int
    interrupted: int
    without_outcome: int
    doubled: int
    balance: str
    """A value of ``Balance``: whether every face that was seen has exactly one outcome."""
    compared: str
    """A value of ``Reconciliation``: what the comparison that is on the record came to."""
    longest_template_life_ms: int


@dataclass(frozen=True, kw_only=True)
class AlertOf:
    """How far one alert has come."""

    state: str
    """A value of ``AlertState``."""
    camera: str
    run: str
    entry: str
    raised_at: str
    raised_position: int
    viewers: list[str]
    decision: str | None
    dissenters: list[str]
    """Officers who would have decided otherwise."""
    officers: list[str]
    """Who spoke to the person; empty where nobody did."""
    not_located: bool
    identity: str | None
    outcomes: list[str]
    """As they stand."""


@dataclass(frozen=True, kw_only=True)
class ItemsOf:
    """The items of one class."""

    live: int
    """Registered and not destroyed."""
    being_destroyed: int
    """Of those, how many whose destruction began."""
    overdue: int
    """Of those that are live, how many had to be gone by that time."""
    destroyed: int
    rules: list[str]
    """The retention rules that they were registered under."""


@dataclass(frozen=True, kw_only=True)
class State:
    """A deployment as its entries up to a place leave it, in plain values."""

    deployment: str
    mode: str
    position: int | None
    """Of the newest entry; None where there is none yet."""
    recorded_at: str | None
    """When the newest entry was recorded, by its own word."""
    overdue_at: str | None
    """The time by which items are counted as overdue."""
    entries: int
    clock_suspect: int
    """How many entries were recorded by a clock that was not to be believed."""
    phase: str
    """A value of ``Phase``."""
    application: Application | None
    cameras: dict[str, str]
    """Camera to its kind of source."""
    footage_recorded: bool
    report: dict[str, str]
    """Section to what it says."""
    place: str
    """What the second authority said of a sensitive place; empty for nothing."""
    authorisation: Authorisation | None
    watchlists: dict[str, ListOf]
    runs: dict[str, RunOf]
    alerts: dict[str, AlertOf]
    items: dict[str, ItemsOf]
    """By class."""
    refusals: dict[str, int]
    """Stored name to how often."""
    people: dict[str, dict[str, dict[str, int]]]
    """Role to actor to the stored names of what came of their commands, and how often."""

    def as_json(self) -> dict[str, Any]:
        """The state as one JSON object."""
        return asdict(self)


_KINDS: tuple[tuple[Any, type[Aggregate]], ...] = (
    (DeploymentEvent, Deployment),
    (WatchlistEvent, Watchlist),
    (AlertEvent, Alert),
    (EngagementEvent, Engagement),
    (ItemEvent, Item),
    (HoldEvent, Hold),
    (CopiesEvent, Copies),
)
"""Which events belong to the stream of which aggregate."""


@dataclass(frozen=True)
class Aimed:
    """An aggregate as it was, with the place of its newest entry."""

    aggregate: Aggregate
    position: int


class AsItWas:
    """The state that the entries of one deployment leave.

    Args:
        deployment: which; every entry that is taken in belongs to its scope.
    """

    def __init__(self, deployment: UUID) -> None:
        self.deployment = Deployment(deployment)
        self.survey = Survey()
        self.newest: Recorded | None = None
        self.criteria: dict[UUID, CriteriaProposed] = {}
        self._aggregates: dict[UUID, Aggregate] = {deployment: self.deployment}
        self._newest_of: dict[UUID, int] = {}
        self._mode = ""
        self._entries = 0
        self._suspect = 0
        self._cancelled = False
        self._application: DeploymentAppliedFor | None = None
        self._rejected_for: dict[UUID, Counter[str]] = {}
        self._loaded_by: dict[UUID, Counter[str]] = {}
        self._raised: dict[UUID, int] = {}
        self._compared: dict[UUID, Reconciliation] = {}
        self._refusals: Counter[str] = Counter()
        self._people: dict[str, dict[str, Counter[str]]] = {}

    def take(self, entry: Recorded) -> AsItWas:
        """Take in the next entry.

        Raises:
            RecordBrokenError: it does not follow from those before it.
        """
        event = entry.event
        try:
            self._follow(event, entry.position)
            self.survey.take((entry,))
            self._note(event, entry.position)
        except KeyError as error:
            raise RecordBrokenError(
                f"entry {entry.position} ({event.NAME}) goes on with what never began: {error}"
            ) from error
        self.newest, self._mode = entry, entry.mode
        self._entries += 1
        self._suspect += entry.clock != "trusted"
        acts = self._people.setdefault(entry.role, {}).setdefault(entry.actor, Counter())
        acts[event.NAME] += 1
        return self

    def take_up_to(self, entries: Iterable[Recorded], moment: Moment) -> Recorded | None:
        """Take in entries, in the order of the log, up to a moment.

        It ends before the first that was recorded later: what is told to the minute only (faces of
        passers-by) may stand behind entries with a later time, and there its place decides.

        Returns:
            The entry that it ends before; None where there is none.
        """
        for entry in entries:
            if not moment.holds(entry):
                return entry
            self.take(entry)
        return None

    def aimed_at(self, stream: UUID) -> Aimed | None:
        """The aggregate with this stream as it is now; None where it has no entry yet."""
        if stream not in self._newest_of:
            return None
        return Aimed(self._aggregates[stream], self._newest_of[stream])

    def item_class(self, item: UUID) -> str | None:
        """The class of an item that was registered."""
        seen = self.survey.items.get(item)
        return seen.item_class if seen else None

    def state(self, *, at: datetime | None = None) -> State:
        """The state in plain values.

        Args:
            at: the time by which items are counted as overdue; by default the newest at which a
                trusted clock recorded any of this.
        """
        newest = self.newest
        overdue_at = at or self.survey.newest_trusted or (newest.recorded_at if newest else None)
        return State(
            deployment=self.deployment.id.hex,
            mode=self._mode,
            position=newest.position if newest else None,
            recorded_at=written(newest.recorded_at) if newest else None,
            overdue_at=written(overdue_at) if overdue_at else None,
            entries=self._entries,
            clock_suspect=self._suspect,
            phase=self._phase(),
            application=self._told_application(),
            cameras=dict(self.deployment.cameras),
            footage_recorded=bool(self.deployment.recording),
            report=_told_report(self.deployment),
            place=_told_place(self.deployment),
            authorisation=self._told_authorisation(),
            watchlists={one.id.hex: self._told_list(one) for one in self._all(Watchlist)},
            runs={run.hex: self._told_run(run) for run in self.survey.runs},
            alerts={one.id.hex: self._told_alert(one) for one in self._all(Alert)},
            items=self._told_items(overdue_at),
            refusals=dict(sorted(self._refusals.items())),
            people={
                role: {actor: dict(acts) for actor, acts in sorted(actors.items())}
                for role, actors in sorted(self._people.items())
            },
        )

    # -- taking in -----------------------------------------------------------------------------

    def _follow(self, event: Happened, position: int) -> None:
        for events, kind in _KINDS:
            if isinstance(event, events):
                stream = event.originator_id
                aggregate = self._aggregates.setdefault(stream, kind(stream))
                aggregate.follow(event)
                self._newest_of[stream] = position

    def _note(self, event: Happened, position: int) -> None:
        """What the aggregates do not keep, because no rule asks for it."""
        match event:
            case WasRefused():
                self._refusals[event.NAME] += 1
            case DeploymentAppliedFor():
                self._application = event
            case DeploymentCancelled():
                self._cancelled = True
            case CriteriaProposed():
                self.criteria[event.originator_id] = event
            case EntryRejected():
                reasons = self._rejected_for.setdefault(event.originator_id, Counter())
                reasons.update(event.reasons)
            case GalleryLoaded():
                self._loaded_by.setdefault(event.watchlist, Counter())[event.camera] += 1
            case AlertRaised():
                self._raised[event.originator_id] = position
            case RunReconciled():
                self._compared[event.run] = Reconciliation.RECONCILED
            case ReconciliationFailed():
                self._compared[event.run] = Reconciliation.FAILED
            case _:
                pass

    # -- telling -------------------------------------------------------------------------------

    def _all(self, kind: type[A]) -> Iterator[A]:
        return (one for one in self._aggregates.values() if isinstance(one, kind))

    def _phase(self) -> Phase:
        found = self.deployment
        if found.over:
            return Phase.CANCELLED if self._cancelled else Phase.ENDED
        if found.run is not None:
            return Phase.RUNNING
        if found.runs:
            return Phase.STOPPED
        if found.authorised is not None:
            return Phase.AUTHORISED
        return Phase.APPLIED_FOR if found.version else Phase.NOT_APPLIED_FOR

    def _told_application(self) -> Application | None:
        found = self._application
        if found is None:
            return None
        return Application(
            applicant=found.applicant,
            use_case=found.use_case,
            objective=found.objective,
            location=found.location,
            requested_from=written(found.requested_from),
            requested_until=written(found.requested_until),
            officers=found.officers,
        )

    def _told_authorisation(self) -> Authorisation | None:
        found = self.deployment.authorised
        if found is None:
            return None
        return Authorisation(
            officer=found.officer,
            targeted=found.targeted,
            intelligence_led=found.intelligence_led,
            valid_from=written(found.valid_from),
            valid_until=written(found.valid_until),
            cameras=found.cameras,
            threshold=str(found.threshold),
            threshold_justification=found.threshold_justification,
            model_digest=found.model_digest,
            urgency=found.urgency,
            lapses=written(self.deployment.lapses) if self.deployment.lapses else None,
            by_nexus=dict(found.by_nexus),
        )

    def _told_list(self, found: Watchlist) -> ListOf:
        standing = Counter(found.standing.values())
        criteria = self.criteria.get(found.id)
        accepted = [found.entries[one] for one in found.accepted]
        return ListOf(
            state=_list_state(found),
            catalogue=criteria.accepted_values if criteria else "",
            categories=found.categories,
            proposer=found.proposer,
            sealers=found.sealers,
            not_judged=standing[Standing.PROPOSED],
            accepted=len(accepted),
            removed=standing[Standing.REMOVED],
            reviewed=sum(one in found.reviewed_at for one in found.accepted),
            extra_authority=len(found.authorised_extra),
            rejected=standing[Standing.REJECTED],
            rejected_for=_sorted(self._rejected_for.get(found.id, Counter())),
            by_category=_sorted(Counter(one.category for one in accepted)),
            by_source_system=_sorted(Counter(one.source_system for one in accepted)),
            by_age_band=_sorted(Counter(one.age_band for one in accepted)),
            model_digest=found.model_digest,
            loaded_by=_sorted(self._loaded_by.get(found.id, Counter())),
        )

    def _told_run(self, run: UUID) -> RunOf:
        sums = self.survey.runs[run]
        on = self.deployment.run == run
        compared = run in self.survey.reconciled  # no longer, once a face came after it
        waiting = Balance.NOT_YET if on else Balance.NOT_BALANCED
        started = run in self.deployment.runs
        return RunOf(
            recognition="on" if on else "off" if started else "",
            frames=sum(sums.frames.values()),
            **as_fields(sums),
            without_outcome=max(0, len(sums.missing()) - sum(sums.lost.values())),
            doubled=len(sums.doubled()),
            balance=Balance.BALANCED if sums_balance(sums) else waiting,
            compared=self._compared[run] if compared else Reconciliation.OPEN,
            longest_template_life_ms=sums.max_template_life_ms,
        )

    def _told_alert(self, alert: Alert) -> AlertOf:
        raised = alert.raised
        stream = engagement_after(alert.id)
        found = self._aggregates.get(stream)
        after = found if isinstance(found, Engagement) else Engagement(stream)
        return AlertOf(
            state=_alert_state(alert),
            camera=raised.camera if raised else "",
            run=raised.run.hex if raised else "",
            entry=raised.entry.hex if raised else "",
            raised_at=written(raised.timestamp) if raised else "",
            raised_position=self._raised.get(alert.id, -1),
            viewers=alert.viewers,
            decision=alert.decision,
            dissenters=sorted(alert.dissenters),
            officers=after.officers,
            not_located=after.not_located,
            identity=after.identity,
            outcomes=after.outcomes,
        )

    def _told_items(self, at: datetime | None) -> dict[str, ItemsOf]:
        by_class: dict[str, list[Item]] = {}
        for item in self._all(Item):
            by_class.setdefault(item.label.item_class, []).append(item)
        return {name: _told_class(items, at) for name, items in sorted(by_class.items())}


def flat(told: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """A state with each value under its path: ``("runs", "2f...", "seen")`` to 2.

    What is empty (None, 0, no text, an empty list) is left out: what does not exist yet and what
    is still nothing are the same to whoever compares two states.
    """
    lines: dict[tuple[str, ...], Any] = {}
    for name, value in told.items():
        if isinstance(value, dict):
            lines |= flat(value, (*path, name))
        elif value:
            lines[(*path, name)] = value
    return lines


def _told_report(found: Deployment) -> dict[str, str]:
    if found.report is None:
        return {}
    return {name: ", ".join(said) for name, said in found.report.sections.items()}


def _told_place(found: Deployment) -> str:
    if found.place is None:
        return ""
    return f"{'allowed' if found.place.granted else 'not allowed'} by {found.place.officer}"


def _told_class(items: list[Item], at: datetime | None) -> ItemsOf:
    registered = [(one, one.registered) for one in items if one.registered is not None]
    live = [(one, what) for one, what in registered if not one.destroyed]
    return ItemsOf(
        live=len(live),
        being_destroyed=sum(one.destruction is not None for one, _ in live),
        overdue=sum(_is_past(one, at) for one, _ in live),
        destroyed=len(items) - len(live),
        rules=sorted({what.rule for _, what in registered}),
    )


def _is_past(item: Item, at: datetime | None) -> bool:
    return at is not None and item.told_due_at is not None and item.told_due_at < at


def _alert_state(alert: Alert) -> AlertState:
    if alert.decision is not None:
        return AlertState.ADJUDICATED
    if alert.closed:
        return AlertState.CLOSED_UNDETERMINED
    return AlertState.VIEWED if alert.viewers else AlertState.RAISED


def _list_state(found: Watchlist) -> WatchlistState:
    for reached, state in (
        (found.approved, WatchlistState.APPROVED),
        (found.sealed, WatchlistState.SEALED),
        (found.closed, WatchlistState.SEAL_REQUESTED),
        (found.criteria_approved, WatchlistState.CRITERIA_APPROVED),
    ):
        if reached:
            return state
    return WatchlistState.CRITERIA_PROPOSED


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))

"""What the record says is still open: one reading of the history, from which others start.

A survey can be thrown away and made again; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain.alerts import events as alert_events
from domain.copies import events as copy_events
from domain.copies.aggregate import Copies
from domain.custody import events as custody_events
from domain.custody.classes import OF_A_LIST
from domain.custody.deadlines import HeldFrom, deadline
from domain.custody.schedule import BUILT_IN, RetentionSchedule
from domain.deployments import events as deployment_events
from domain.kernel.commands import Mode
from domain.kernel.references import FORCE
from domain.ports import Recorded
from domain.sightings import events as sighting_events
from domain.sightings.sums import Outcome, Sums


@dataclass
class DeploymentSeen:
    """A deployment, as far as an onlooker needs it."""

    deployment: UUID
    mode: Mode
    watchlist: UUID
    until: datetime
    """The end of the authorised window, or of the requested one before that."""
    run: UUID | None = None
    """The run that is on."""
    runs: list[UUID] = field(default_factory=list)
    """Every run that was started."""
    cameras: list[str] = field(default_factory=list)
    over: bool = False
    over_at: datetime | None = None
    footage_recorded: bool = False
    given_until: datetime | None = None
    """The end of the window, whatever is still to be ratified."""
    lapses: datetime | None = None
    """When an urgent authorisation is over that nobody ratified."""

    def stands(self, until: datetime, lapses: datetime | None) -> None:
        """The authorisation holds to the end of its window, an urgent one until it would lapse."""
        self.given_until, self.lapses = until, lapses
        self.until = until if lapses is None else min(until, lapses)


@dataclass(slots=True)
class ItemSeen:
    """An item, as far as an onlooker needs it."""

    item: UUID
    deployment: UUID
    item_class: str
    concerning: UUID
    due_at: datetime
    rule: str
    clock_starts: str
    anchor_at: datetime | None
    holds: dict[UUID, HeldFrom] = field(default_factory=dict)
    sealed: bool = False
    begun_at: datetime | None = None
    """When somebody last said that it is to be destroyed."""
    destroyed: bool = False

    @property
    def destruction_started(self) -> bool:
        """Whether reads of it are refused."""
        return self.begun_at is not None

    @property
    def newest_hold(self) -> UUID | None:
        """The hold that was approved for it last."""
        return next(reversed(self.holds), None)


@dataclass
class Survey:
    """What stands in the record, read once in the order of the log."""

    deployments: dict[UUID, DeploymentSeen] = field(default_factory=dict)
    runs: dict[UUID, Sums] = field(default_factory=dict)
    reconciled: set[UUID] = field(default_factory=set)
    """Runs whose sums were compared, whatever came of it."""
    items: dict[UUID, ItemSeen] = field(default_factory=dict)
    alerts: dict[UUID, alert_events.AlertRaised] = field(default_factory=dict)
    open_alerts: dict[UUID, UUID] = field(default_factory=dict)
    """Alert to deployment, where nobody has decided."""
    copies: dict[UUID, Copies] = field(default_factory=dict)
    """Of each list of which any was registered, by their stream."""
    schedule: RetentionSchedule = BUILT_IN
    """The one in force, as far as these entries tell."""
    adopted_at: datetime | None = None
    overdue_found: set[UUID] = field(default_factory=set)
    """Items that were found late before."""
    findings: dict[str, int] = field(default_factory=dict)
    """Scope to the newest version of its findings of custody."""
    newest_trusted: datetime | None = None
    """The newest time at which a trusted clock recorded anything."""
    inventory_at: datetime | None = None
    """When the newest inventory of everything was recorded."""
    clock_doubted: bool = False
    """Whether the last that was said of the clock is that nothing confirms it."""
    anchored_in_doubt: list[UUID] = field(default_factory=list)
    """Items whose clocks were started by a clock that nobody believed, since the newest entry of
    one that was."""

    def take(self, entries: Iterable[Recorded]) -> Survey:
        """Take in entries in the order of the log."""
        for entry in entries:
            if entry.clock == "trusted":
                self.newest_trusted = max(
                    self.newest_trusted or entry.recorded_at, entry.recorded_at
                )
                self._anchor_again(self.newest_trusted)
            elif isinstance(entry.event, custody_events.ItemRegistered):
                self.anchored_in_doubt.append(entry.event.originator_id)
            self.clock_doubted = entry.clock != "trusted" and (
                self.clock_doubted or isinstance(entry.event, custody_events.ClockDoubted)
            )
            self._take(entry)
        return self

    def live(self) -> Iterator[ItemSeen]:
        """The items that are not destroyed, in the order of registration."""
        return (one for one in self.items.values() if not one.destroyed)

    def deadline(self, one: ItemSeen) -> datetime:
        """The latest instant at which an item may exist, as far as is known by now."""
        return self._deadline(one, holds=list(one.holds.values()))

    def _deadline(self, one: ItemSeen, *, holds: Sequence[HeldFrom]) -> datetime:
        return deadline(
            clock_starts=one.clock_starts,
            due_at=one.due_at,
            limit=self.schedule.rule(one.item_class).limit,
            adopted_at=self.adopted_at,
            anchor_at=one.anchor_at,
            over_at=self.deployments[one.deployment].over_at,
            holds=holds,
        )

    def newest_holds(self) -> Iterator[tuple[UUID, UUID | None]]:
        """Items whose destruction has not begun, each with the hold approved last, if any was."""
        return ((one.item, one.newest_hold) for one in self.live() if one.begun_at is None)

    def held_at(self, one: ItemSeen, at: datetime) -> bool:
        """Whether a hold keeps an item from being destroyed at a time."""
        return any(hold.ends_at > at for hold in one.holds.values())

    def is_held(self, one: ItemSeen, now: datetime) -> bool:
        """Whether nothing but a hold keeps an item."""
        return self.held_at(one, now) and self._deadline(one, holds=()) < now

    def next_lapse(self, now: datetime) -> datetime | None:
        """When the next hold lapses that keeps an item past its limit, if nobody reviews it."""
        ends = (
            max(hold.ends_at for hold in one.holds.values())
            for one in self.live()
            if self.is_held(one, now)
        )
        return min(ends, default=None)

    def is_gone(self, copies: Copies) -> bool:
        """Whether nothing is left of a list whose deployment is over, neither here nor outside."""
        deployment = copies.deployment
        return (
            self.deployments[deployment].over
            and not copies.open
            and not any(
                one.deployment == deployment and one.item_class in OF_A_LIST for one in self.live()
            )
        )

    @property
    def live_items(self) -> int:
        """How many items, of all deployments, are not destroyed."""
        return sum(1 for one in self.items.values() if not one.destroyed)

    def items_left(self, deployment: UUID) -> list[UUID]:
        """Items that end with their deployment and are not destroyed, in the order of registration.

        Footage does not end with it: it has a clock of its own.
        """
        return [
            one.item
            for one in self.live()
            if one.deployment == deployment
            and self.schedule.rule(one.item_class).ends_with_deployment
        ]

    def is_unsettled(self, deployment: UUID) -> bool:
        """Whether a deployment has an open alert, an item that is not destroyed, or open sums."""
        return (
            deployment in self.open_alerts.values()
            or bool(self.items_left(deployment))
            or bool(self.unreconciled(deployment))
        )

    def unreconciled(self, deployment: UUID) -> list[UUID]:
        """Runs of a deployment that are off and whose sums were never compared."""
        seen = self.deployments[deployment]
        return [run for run in seen.runs if run != seen.run and run not in self.reconciled]

    def _anchor_again(self, latest: datetime) -> None:
        """No item's clock started later than it is now: one that was ahead extends nothing."""
        for one in map(self.items.__getitem__, self.anchored_in_doubt):
            if one.anchor_at is not None and one.anchor_at > latest:
                one.due_at -= one.anchor_at - latest
                one.anchor_at = latest
        self.anchored_in_doubt.clear()

    def _take(self, entry: Recorded) -> None:
        match entry.event:
            case deployment_events.DeploymentAppliedFor() as event:
                self.deployments[event.originator_id] = DeploymentSeen(
                    event.originator_id, Mode(entry.mode), event.watchlist, event.requested_until
                )
            case deployment_events.CameraConfigured() as event:
                cameras = self.deployments[event.originator_id].cameras
                if event.camera not in cameras:
                    cameras.append(event.camera)
            case deployment_events.DeploymentAuthorised() as event:
                self.deployments[event.originator_id].stands(event.valid_until, event.ratify_by)
            case deployment_events.AuthorisationRatified() as event:
                seen = self.deployments[event.originator_id]
                seen.stands(seen.given_until or seen.until, None)
            case deployment_events.AuthorisationVaried() as event:
                seen = self.deployments[event.originator_id]
                seen.stands(event.valid_until, seen.lapses)
            case deployment_events.RatificationDeclined() as event:
                self.deployments[event.originator_id].until = event.timestamp
            case deployment_events.DeploymentStarted() as event:
                seen = self.deployments[event.originator_id]
                seen.run = event.run
                seen.runs.append(event.run)
                seen.footage_recorded = event.footage_recorded
                self.runs.setdefault(event.run, Sums())
            case deployment_events.DeploymentStopped() as event:
                self.deployments[event.originator_id].run = None
            case (
                deployment_events.DeploymentEnded()
                | deployment_events.DeploymentCancelled() as event
            ):
                seen = self.deployments[event.originator_id]
                seen.over, seen.over_at = True, event.timestamp
            case custody_events.ItemRegistered() as event:
                self.items[event.originator_id] = ItemSeen(
                    event.originator_id,
                    event.deployment,
                    event.item_class,
                    event.concerning,
                    event.due_at,
                    event.rule,
                    event.clock_starts,
                    event.anchor_at,
                )
            case custody_events.ItemSealed() as event:
                self.items[event.originator_id].sealed = True
            case custody_events.ItemHeld() as event:
                holds = self.items[event.originator_id].holds
                since = holds[event.hold].approved_at if event.hold in holds else event.timestamp
                holds[event.hold] = HeldFrom(since, event.until)
            case custody_events.HoldEnded() as event:
                holds = self.items[event.originator_id].holds
                held = holds[event.hold]
                holds[event.hold] = replace(held, ends_at=min(held.ends_at, event.timestamp))
            case custody_events.DestructionStarted() as event:
                self.items[event.originator_id].begun_at = entry.recorded_at
            case custody_events.ItemDestroyed() as event:
                self.items[event.originator_id].destroyed = True
            case custody_events.ScheduleAdopted() as event:
                self.schedule = RetentionSchedule.adopted(event.version, event.owner, event.rules)
                self.adopted_at = event.timestamp
            case custody_events.InventoryAttested() if entry.scope == FORCE:
                self.inventory_at = entry.recorded_at
            case custody_events.OverdueFound() as event:
                self.overdue_found.add(event.item)
                self.findings[entry.scope] = event.originator_version
            case (
                custody_events.OrphanFound()
                | custody_events.ResurrectionFound()
                | custody_events.LossFound() as event
            ):
                self.findings[entry.scope] = event.originator_version
            case alert_events.AlertAdjudicated() | alert_events.AlertClosedUndetermined() as event:
                self.open_alerts.pop(event.originator_id, None)
            case (
                copy_events.CopyRegistered()
                | copy_events.CopyDestroyed()
                | copy_events.AbsenceVerified()
                | copy_events.StillThere()
                | copy_events.WatchlistDestroyed() as event
            ):
                stream = event.originator_id
                self.copies.setdefault(stream, Copies(stream)).follow(event)
            case _:
                self._take_face(entry)

    def _take_face(self, entry: Recorded) -> None:
        match entry.event:
            case alert_events.AlertRaised() as event:
                self.alerts[event.originator_id] = event
                self.open_alerts[event.originator_id] = UUID(entry.scope)
                self._ended(event, Outcome.ALERTED)
            case alert_events.RaiseRefused() as event:
                self._ended(event, Outcome.REFUSED)
            case sighting_events.FaceEnrolledAndDiscarded() as event:
                self._ended(event, Outcome.ENROLLED_AND_DISCARDED)
            case sighting_events.FaceNotEnrolled() as event:
                self._ended(event, Outcome.NOT_ENROLLED)
            case sighting_events.SightingSuppressed() as event:
                self._ended(event, Outcome.SUPPRESSED)
            case sighting_events.RunProgressed() as event:
                self.reconciled.discard(event.run)
                sums = self.runs.setdefault(event.run, Sums())
                # Cumulative, so it never falls: a counter that began again forgets nobody.
                sums.seen[event.camera] = max(event.seen, sums.seen.get(event.camera, 0))
                sums.frames[event.camera] = event.frames
            case sighting_events.RunInterrupted() as event:
                self.reconciled.discard(event.run)
                sums = self.runs.setdefault(event.run, Sums())
                sums.seen[event.camera] = event.seen_at_least
                sums.lost[event.camera] = event.interrupted_at_least
            case sighting_events.RunReconciled() | sighting_events.ReconciliationFailed() as event:
                self.reconciled.add(event.run)
            case _:
                pass

    def _ended(
        self,
        event: alert_events.AlertRaised
        | alert_events.RaiseRefused
        | sighting_events.FaceEnrolledAndDiscarded
        | sighting_events.FaceNotEnrolled
        | sighting_events.SightingSuppressed,
        outcome: Outcome,
    ) -> None:
        self.reconciled.discard(event.run)  # it was compared too early
        self.runs.setdefault(event.run, Sums()).ended(
            event.camera, event.ordinal, outcome, event.template_life_ms
        )

"""Destroying what is due. Destruction never waits for anyone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.custody.events import OverdueFound, RetentionSwept
from domain.kernel.commands import Command, Mode
from domain.kernel.errors import DomainError
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import FORCE, journal
from domain.ports import Outside
from domain.services.carrying_out import by_the_system
from domain.services.closing import close, settle
from domain.services.copies import known_outside
from domain.services.custody import DestructionFailedError, destroy_for
from domain.services.epochs import end_epochs
from domain.services.lateness import retention_now
from domain.services.reactions import close_undetermined
from domain.services.survey import ItemSeen, Survey

AHEAD = timedelta(minutes=5)
"""How long before its deadline an item is due: a limit is a ceiling, and destruction takes time."""


@dataclass(frozen=True)
class Planned:
    """An item, and when it will be destroyed."""

    item: UUID
    item_class: str
    deployment: UUID
    rule: str
    deadline: datetime
    overdue: bool


@dataclass
class Swept:
    """What one sweep came to."""

    live: int = 0
    """Items that existed before it."""
    due: int = 0
    destroyed: int = 0
    held: int = 0
    overdue: int = 0
    """Still there although they had to be gone."""
    next_due_at: datetime | None = None
    next_lapse_at: datetime | None = None
    """When the next hold lapses that keeps something past its limit, if nobody reviews it."""
    failures: list[str] = field(default_factory=list)
    """What could not be destroyed, in words."""


class Retention:
    """Sweeps again and again; of the record it reads only what is new each time."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._survey = Survey()
        self._read = -1

    def survey(self) -> Survey:
        """What stands in the record now."""
        for entry in self._outside.record.history(after=self._read):
            self._survey.take([entry])
            self._read = entry.position
        return self._survey

    def plan(self, *, at: datetime | None = None) -> list[Planned]:
        """What will be destroyed and when, the earliest first; nothing is touched."""
        survey = self.survey()
        now = at or retention_now(self._outside, survey)
        planned = [
            Planned(
                item=one.item,
                item_class=one.item_class,
                deployment=one.deployment,
                rule=one.rule,
                deadline=survey.deadline(one),
                overdue=survey.deadline(one) < now,
            )
            for one in survey.live()
        ]
        return sorted(planned, key=lambda one: (one.deadline, one.item))

    def sweep(self, *, every_s: int | None = None) -> Swept:
        """Close every deployment whose window is over and destroy every item that is due.

        What cannot be destroyed keeps nothing else alive; it is told, and stays overdue.

        Args:
            every_s: within how many seconds the next sweep will come, 0 if nobody knows; it is
                then put on the record that this one took place. None: nothing is said.
        """
        survey = self.survey()
        swept = Swept(live=survey.live_items)
        now = retention_now(self._outside, survey)
        self._tell_overdue(survey, now)
        for deployment in list(survey.deployments.values()):
            if not deployment.over and deployment.until <= now:
                close(self._outside, deployment, cause="authorisation_expired", died=False)
        settle(self._outside)
        # and whatever would be late by the time of the next but one
        self._destroy_due(now, now + AHEAD + 2 * timedelta(seconds=every_s or 0), swept)
        over = [one.deployment for one in self.survey().deployments.values() if one.over]
        end_epochs(self._outside, over=over)
        survey = self.survey()
        swept.destroyed = swept.live - survey.live_items
        deadlines = [survey.deadline(one) for one in survey.live()]
        swept.overdue = sum(1 for one in deadlines if one < now)
        swept.next_due_at = min(deadlines, default=None)
        swept.held = sum(1 for one in survey.live() if survey.is_held(one, now))
        swept.next_lapse_at = survey.next_lapse(now)
        if every_s is not None:
            self._tell_swept(swept, every_s)
        return swept

    def _tell_overdue(self, survey: Survey, now: datetime) -> None:
        """Whatever is late is late for ever, however soon it goes now."""
        for one in list(survey.live()):
            late_since = survey.deadline(one)
            if late_since >= now or one.item in survey.overdue_found:
                continue
            by = self._by(one.deployment.hex)
            self._outside.record.append(
                OverdueFound(
                    originator_id=journal("custody-findings", by.scope),
                    originator_version=NEXT_VERSION,
                    timestamp=by.at,
                    item=one.item,
                    item_class=one.item_class,
                    due_at=late_since,
                ),
                by=by,
            )

    def _destroy_due(self, now: datetime, until: datetime, swept: Swept) -> None:
        """Destroy what is due by a time. What a hold keeps now stays until that has ended."""
        survey = self.survey()
        due: dict[UUID, list[ItemSeen]] = defaultdict(list)
        for one in survey.live():
            if survey.deadline(one) <= until and not survey.held_at(one, now):
                due[one.deployment].append(one)
        for deployment, items in due.items():
            by = self._by(deployment.hex)
            swept.due += len(items)
            for alert in {one.concerning for one in items} & survey.open_alerts.keys():
                close_undetermined(self._outside, by, alert, cause="due")
            try:
                destroy_for(
                    self._outside,
                    by,
                    [one.item for one in items],
                    cause="due",
                    holds_as_of=now,
                    known_outside=known_outside(
                        self._outside, survey.deployments[deployment].watchlist
                    ),
                )
            except (DestructionFailedError, DomainError) as error:
                swept.failures.append(str(error))

    def _tell_swept(self, swept: Swept, every_s: int) -> None:
        by = self._by(FORCE)
        self._outside.record.append(
            RetentionSwept(
                originator_id=journal("retention", FORCE),
                originator_version=NEXT_VERSION,
                timestamp=by.at,
                live=swept.live,
                due=swept.due,
                destroyed=swept.destroyed,
                held=swept.held,
                overdue=swept.overdue,
                next_due_at=swept.next_due_at,
                every_s=every_s,
            ),
            by=by,
        )

    def _by(self, scope: str) -> Command:
        mode = Mode(self._outside.record.mode)
        return Command(**by_the_system(self._outside, scope=scope, mode=mode, part="custodian"))


def sweep(outside: Outside) -> int:
    """One sweep, of which nothing is said on the record unless it did something.

    Returns:
        How many items were destroyed now.

    Raises:
        DestructionFailedError: something could not be destroyed; all else was.
    """
    swept = Retention(outside).sweep()
    if swept.failures:
        raise DestructionFailedError("; ".join(swept.failures))
    return swept.destroyed

"""Destroying what is due. Destruction never waits for anyone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from domain.custody.events import OverdueFound, RetentionSwept
from domain.kernel.commands import Command, Mode
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import FORCE, journal
from domain.ports import Outside
from domain.services.carrying_out import by_the_system, tried_again
from domain.services.closing import close, settle
from domain.services.copies import known_outside
from domain.services.custody import KEEPS_NOTHING_ELSE, DestructionFailedError, destroy_for
from domain.services.epochs import end_epochs, keep_held_keys
from domain.services.lateness import retention_now
from domain.services.reactions import close_undetermined
from domain.services.survey import ItemSeen, Survey

MOST_EVERY_S = 3600
"""The longest between two sweeps: what would be late by the next but one goes now, and nobody may
lose footage a day early because a worker seldom comes."""

AHEAD = timedelta(minutes=5)
"""How long before its deadline an item is due: a limit is a ceiling, and destruction takes time."""

CLAIMED = timedelta(minutes=2)
"""How long whoever began a destruction is left alone with it by those who work beside it."""


@dataclass(frozen=True)
class Planned:
    """An item, and when it will be destroyed."""

    item: UUID
    item_class: str
    deployment: UUID
    rule: str
    deadline: datetime
    held: bool
    """Whether nothing but a hold keeps it."""
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
    """What could not be destroyed, or is not as it must be, in words."""


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
        return plan_of(survey, at or retention_now(self._outside, survey))

    def sweep(self, *, every_s: int | None = None, alone: bool = True) -> Swept:
        """Close every deployment whose window is over and destroy every item that is due.

        What cannot be destroyed keeps nothing else alive; it is told, and stays overdue.

        Args:
            every_s: within how many seconds the next sweep will come, 0 if nobody knows; it is
                then put on the record that this one took place. None: nothing is said.
            alone: whether nobody else writes here. Beside others only what is due is destroyed:
                what they are in the middle of is theirs, unless they left it.

        Raises:
            ValueError: a longer interval than :data:`MOST_EVERY_S`.
        """
        if not 0 <= (every_s or 0) <= MOST_EVERY_S:
            raise ValueError(f"expected 0 to {MOST_EVERY_S} s between sweeps, found {every_s}")
        swept = Swept(live=self.survey().live_items)
        now = tried_again(self._tell_overdue)
        if alone:
            self._close_and_settle(now, swept)
        # and whatever would be late by the time of the next but one
        until = now + AHEAD + 2 * timedelta(seconds=every_s or 0)
        self._destroy_due(now, until, swept, alone=alone)
        over = [one.deployment for one in self.survey().deployments.values() if one.over]
        try:
            swept.failures += keep_held_keys(self._outside, self.survey().newest_holds())
            end_epochs(self._outside, over=over)
        except KEEPS_NOTHING_ELSE as error:
            swept.failures.append(str(error))
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

    def sweep_or_raise(self) -> int:
        """As :func:`sweep`."""
        swept = self.sweep()
        if swept.failures:
            raise DestructionFailedError("; ".join(swept.failures))
        return swept.destroyed

    def _close_and_settle(self, now: datetime, swept: Swept) -> None:
        def attempt(act: Callable[[], object]) -> None:
            try:
                act()
            except KEEPS_NOTHING_ELSE as error:
                # It is due or begun all the same, and is asked for once more below.
                swept.failures.append(str(error))

        for one in list(self.survey().deployments.values()):
            if not one.over and one.until <= now:
                expired = partial(close, cause="authorisation_expired", died=False)
                attempt(partial(expired, self._outside, one))
        attempt(partial(settle, self._outside, self.survey))

    def _tell_overdue(self) -> datetime:
        """Whatever is late is late for ever, however soon it goes now. Gives the time gone by.

        Raises:
            ConflictError: another worker tells of the same.
        """
        survey = self.survey()
        now = retention_now(self._outside, survey)
        late: dict[str, list[ItemSeen]] = defaultdict(list)
        for one in survey.live():
            if survey.deadline(one) < now and one.item not in survey.overdue_found:
                late[one.deployment.hex].append(one)
        for scope, items in late.items():
            by, findings = self._by(scope), journal("custody-findings", scope)
            told = [
                OverdueFound(
                    originator_id=findings,
                    originator_version=NEXT_VERSION,
                    timestamp=by.at,
                    item=one.item,
                    item_class=one.item_class,
                    due_at=survey.deadline(one),
                )
                for one in items
            ]
            # each once, however many look: the versions of the journal decide who tells
            self._outside.record.append(
                *told, by=by, given={findings: survey.findings.get(scope, 0)}
            )
        return now

    def _destroy_due(self, now: datetime, until: datetime, swept: Swept, *, alone: bool) -> None:
        """Destroy what is due by a time. What a hold keeps now stays until that has ended."""
        survey = self.survey()
        due: dict[UUID, list[ItemSeen]] = defaultdict(list)
        left: dict[UUID, list[ItemSeen]] = defaultdict(list)
        long_ago = self._outside.clock.now() - CLAIMED
        for one in survey.live():
            if one.begun_at is None:
                if survey.deadline(one) <= until and not survey.held_at(one, now):
                    due[one.deployment].append(one)
            elif one.begun_at is not None and (alone or one.begun_at <= long_ago):
                left[one.deployment].append(one)
        for deployment, items in due.items():
            by = self._by(deployment.hex)
            for alert in {one.concerning for one in items} & survey.open_alerts.keys():
                close_undetermined(self._outside, by, alert, cause="due")
            self._destroy(by, items, swept, now=now, take_over=alone)
        for deployment, items in left.items():
            self._destroy(self._by(deployment.hex), items, swept, now=now, take_over=True)

    def _destroy(
        self, by: Command, items: list[ItemSeen], swept: Swept, *, now: datetime, take_over: bool
    ) -> None:
        swept.due += len(items)
        try:
            destroy_for(
                self._outside,
                by,
                [one.item for one in items],
                cause="due",
                take_over=take_over,
                holds_as_of=now,
                known_outside=self._known_outside(items[0].deployment),
            )
        except KEEPS_NOTHING_ELSE as error:
            swept.failures.append(str(error))

    def _known_outside(self, deployment: UUID) -> dict[str, list[str]]:
        return known_outside(self._outside, self._survey.deployments[deployment].watchlist)

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
    return Retention(outside).sweep_or_raise()


def plan_of(survey: Survey, now: datetime) -> list[Planned]:
    """What will be destroyed and when, the earliest first, as far as is known by now."""
    planned = [
        Planned(
            item=one.item,
            item_class=one.item_class,
            deployment=one.deployment,
            rule=one.rule,
            deadline=survey.deadline(one),
            held=survey.is_held(one, now),
            overdue=survey.deadline(one) < now,
        )
        for one in survey.live()
    ]
    return sorted(planned, key=lambda one: (one.deadline, one.item))

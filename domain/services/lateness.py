"""What time retention goes by, and what is late by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from domain.custody.events import ClockConfirmed, ClockDoubted
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import FORCE, journal
from domain.ports import Clock, Outside
from domain.services.carrying_out import by_the_system
from domain.services.survey import ItemSeen, Survey

JUMP = timedelta(hours=48)
"""How far the wall clock may be ahead of all that was ever recorded, before something else has to
confirm it if anything is kept: a clock set forward must not destroy it."""


def retention_now(outside: Outside, survey: Survey) -> datetime:
    """The time that retention goes by: a clock set back extends nothing.

    The wall clock, or the newest time that a trusted clock recorded if that is later. A wall
    clock that is itself suspect advances nothing (architecture, decision 9).
    """
    return time_by(outside.clock, survey)


def time_by(clock: Clock, survey: Survey) -> datetime:
    """As :func:`retention_now`, by a clock alone."""
    now, newest = clock.now(), survey.newest_trusted
    if newest is None:
        return now
    return max(now, newest) if clock.trusted() else newest


def jumped(outside: Outside, survey: Survey) -> timedelta | None:
    """How far the clock is ahead of the record, where something is kept that is not due yet.

    Also where the jump itself makes nothing due. Once believed it would be the record's own newest
    time, and the rest of the way to a deadline is then no jump any more.
    """
    now, newest = outside.clock.now(), survey.newest_trusted
    if newest is None or now - newest <= JUMP:
        return None
    to_lose = any(newest < survey.deadline(one) for one in survey.live())
    return now - newest if to_lose else None


class Jumps:
    """Believes a clock that is far ahead of the record only if something else confirms it.

    Args:
        outside: the ports.
        doubt: do not believe the clock from here on.
        believe: believe it, as it stands.
        source: what confirms it just now, as a code; None where nothing does.
        actor: the person, where the source is one.
    """

    def __init__(
        self,
        outside: Outside,
        *,
        doubt: Callable[[], None],
        believe: Callable[[], None],
        source: Callable[[], str | None],
        actor: str | None = None,
    ) -> None:
        self._outside = outside
        self._doubt, self._believe = doubt, believe
        self._source, self._actor = source, actor
        self._doubting = False

    def judge(self, survey: Survey) -> list[str]:
        """Look once; says in words what was found of the clock, if there is anything to say."""
        gap = jumped(self._outside, survey)
        if gap is None:
            if self._doubting:  # somebody whose clock was confirmed has recorded up to now
                self._doubting = False
                self._believe()
            return []
        if source := self._source():
            self._doubting = False
            self._believe()
            tell_of_a_jump(self._outside, gap, source=source, actor=self._actor)
            return [f"the clock, {gap} ahead of the record, was confirmed by a {source}"]
        self._doubting = True
        self._doubt()
        if not survey.clock_doubted:
            tell_of_a_jump(self._outside, gap, source=None)
        return [
            f"the clock is {gap} ahead of all that was recorded and nothing confirms it: what "
            "would be due by that alone is kept. If it is right, say so: custody work --once "
            "--clock-confirmed-by CODE"
        ]


def overdue_now(outside: Outside) -> Iterator[ItemSeen]:
    """Items that still exist although they had to be gone."""
    survey = Survey().take(outside.record.history())
    now = retention_now(outside, survey)
    return (one for one in survey.live() if survey.deadline(one) < now)


def tell_of_a_jump(
    outside: Outside, gap: timedelta, *, source: str | None, actor: str | None = None
) -> None:
    """Keep that the clock was far ahead of the record, and what confirmed it, if anything did.

    Args:
        outside: the ports; the clock is doubted already, where it is.
        gap: how far.
        source: ``kernel``, ``witness`` or ``person``; None where nothing confirmed it.
        actor: the person.
    """
    by = Command(
        **by_the_system(outside, scope=FORCE, mode=Mode(outside.record.mode), part="custodian")
    )
    place: dict[str, Any] = {
        "originator_id": journal("retention", FORCE),
        "originator_version": NEXT_VERSION,
        "timestamp": by.at,
        "ahead_s": int(gap.total_seconds()),
    }
    if source is None:
        outside.record.append(ClockDoubted(**place), by=by)
        return
    if actor is not None:
        by = replace(by, actor=actor, role=Role.OPERATOR)
    outside.record.append(ClockConfirmed(**place, source=source), by=by)

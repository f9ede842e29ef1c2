"""What time retention goes by, and what is late by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from domain.custody.events import ClockConfirmed, ClockDoubted
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import FORCE, journal
from domain.ports import Outside
from domain.services.carrying_out import by_the_system
from domain.services.survey import ItemSeen, Survey

JUMP = timedelta(hours=48)
"""How far the wall clock may be ahead of all that was ever recorded, before something else has to
confirm it if anything would be destroyed by that alone: a clock set forward must not do that."""


def retention_now(outside: Outside, survey: Survey) -> datetime:
    """The time that retention goes by: a clock set back extends nothing.

    The wall clock, or the newest time that a trusted clock recorded if that is later. A wall
    clock that is itself suspect advances nothing (architecture, decision 9).
    """
    now = outside.clock.now()
    newest = survey.newest_trusted
    if newest is None:
        return now
    return max(now, newest) if outside.clock.trusted() else newest


def jumped(outside: Outside, survey: Survey) -> timedelta | None:
    """How far the clock is ahead of the record, where that alone would destroy something."""
    now, newest = outside.clock.now(), survey.newest_trusted
    if newest is None or now - newest <= JUMP:
        return None
    by_the_jump = any(newest < survey.deadline(one) <= now for one in survey.live())
    return now - newest if by_the_jump else None


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
        source: ``kernel`` or ``person``; None where nothing confirmed it.
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

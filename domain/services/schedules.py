"""Adopting retention schedules, registering what documents say of them, and the one in force."""

from __future__ import annotations

from domain.custody.adoption import SCHEDULES, Schedules
from domain.custody.commands import AdoptSchedule, RegisterDocument
from domain.custody.schedule import BUILT_IN
from domain.kernel.commands import Mode
from domain.kernel.errors import NotFoundError
from domain.kernel.references import FORCE
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.carrying_out import by_the_system, carry_out

Answer = Schedules | Refused


def schedules(outside: Outside) -> Schedules:
    """Every schedule that was adopted, and what documents say."""
    try:
        return outside.record.load(Schedules, SCHEDULES)
    except NotFoundError:
        return Schedules()


def adopt(outside: Outside, command: AdoptSchedule) -> Answer:
    """Put another schedule in force."""

    def attempt() -> Answer:
        known = schedules(outside)
        if refused := known.decide_adoption(command):
            return refused
        outside.record.append(known, by=command, answers=True)
        return known

    return carry_out(outside, command, attempt, kind=Schedules, of=SCHEDULES)


def register(outside: Outside, command: RegisterDocument) -> Answer:
    """Keep what a document says of how long things are kept."""

    def attempt() -> Answer:
        known = schedules(outside)
        if refused := known.decide_registration(command):
            return refused
        outside.record.append(known, by=command, answers=True)
        return known

    return carry_out(outside, command, attempt, kind=Schedules, of=SCHEDULES)


def adopt_what_ships(outside: Outside) -> None:
    """A record without a schedule gets the one that ships, by the system, once."""
    if schedules(outside).adopted:
        return
    by = by_the_system(outside, scope=FORCE, mode=Mode(outside.record.mode), part="custodian")
    adopt(
        outside,
        AdoptSchedule(
            **by, version=BUILT_IN.version, owner=BUILT_IN.owner, rules=BUILT_IN.as_adopted()
        ),
    )

"""Retention and inventories: alone where nobody else is at work in the premises, else beside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from api.bootstrap.node import judge_of, open_node, ports_over, signing_of
from api.bootstrap.reading import mode_of, read_history
from api.bootstrap.surroundings import premises_at
from domain.custody.adoption import Schedules
from domain.custody.events import DocumentRegistered, ScheduleAdopted
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.errors import DomainError
from domain.kernel.references import FORCE
from domain.ports import Outside
from domain.services import rechecking
from domain.services.carrying_out import by_the_system
from domain.services.custody import KEEPS_NOTHING_ELSE
from domain.services.inventory import Inventory, StoresInMotionError, is_due, take_stock
from domain.services.lateness import time_by
from domain.services.rechecking import LookedAgain, recheck_receipts
from domain.services.recovery import finish_what_was_begun
from domain.services.retention import Planned, Retention, Swept, plan_of
from domain.services.survey import Survey
from infrastructure.clock import SystemClock
from infrastructure.custody.separate_rechecker import SeparateRechecker
from infrastructure.premises import Premises, PremisesInUseError
from infrastructure.record.event_record import EventRecord


class Worker:
    """Sweeps again and again, and reads of the record only what is new each time.

    Each time it is alone in writing if nobody else is: then it also finishes what a dead process
    left half done, and signs. Otherwise it destroys what is due, and the other process signs.
    Once a day it has the re-checker take stock.
    """

    def __init__(
        self,
        premises: Premises,
        outside: Outside,
        record: EventRecord,
        clock: SystemClock,
        rechecker: SeparateRechecker,
        *,
        confirmed_by: str | None,
    ) -> None:
        self._premises, self._outside, self._record = premises, outside, record
        self._rechecker = rechecker
        self._sealing, self._witnesses, _ = signing_of(premises, record, clock)
        self._jumps = judge_of(outside, clock, self._witnesses, confirmed_by=confirmed_by)
        self._retention = Retention(outside)
        self._others_were_here = False

    def sweep(self, *, every_s: int) -> tuple[Swept, list[str]]:
        """Sweep once and leave a sign of life; what else was found or done is told in words."""
        with ExitStack() as held:
            try:
                held.enter_context(self._premises.alone())
            except PremisesInUseError:
                self._others_were_here = True
                return self._swept(every_s, alone=False)
            swept, told = self._swept(every_s, alone=True)
            self._sealing.seal()
        self._witnesses.ask_all()
        return swept, told

    def _swept(self, every_s: int, *, alone: bool) -> tuple[Swept, list[str]]:
        told = self._jumps.judge(self._retention.survey())
        if alone and self._others_were_here:
            told += finish_what_was_begun(self._outside, self._retention.survey)
            self._others_were_here = False
        swept = self._retention.sweep(every_s=every_s, alone=alone)
        self._take_stock(swept, told)
        return swept, told

    def _take_stock(self, swept: Swept, told: list[str]) -> None:
        """If it is due. What it found is told, and amiss if it is not what has to be there."""
        if not is_due(self._retention.survey(), self._outside.clock.now()):
            return
        try:
            found = take_stock(self._outside, self._rechecker)
        except StoresInMotionError as error:
            told.append(str(error))
        except KEEPS_NOTHING_ELSE as error:
            swept.failures.append(str(error))
        else:
            (told if found.clean else swept.failures).append(found.in_words)


@contextmanager
def open_worker(
    path: Path, *, confirmed_by: str | None = None
) -> Iterator[tuple[Worker, list[str]]]:
    """The retention worker of these premises, and what it found half done, in words.

    Args:
        path: the data directory.
        confirmed_by: who says that the clock is right although it is far ahead of the record.

    Raises:
        DomainError: there is no record here, or the premises are not as a start must find them.
    """
    mode = mode_of(path)
    try:
        with open_node(path, mode, clock_confirmed_by=confirmed_by, sweeping=False) as node:
            found = node.recovered
    except PremisesInUseError:
        found = []
    premises, clock = premises_at(path), SystemClock()
    with ExitStack() as closing:
        record = premises.open_record(mode, clock)
        closing.callback(record.close)
        outside, _, rechecker = ports_over(premises, record, clock, None, closing)
        worker = Worker(premises, outside, record, clock, rechecker, confirmed_by=confirmed_by)
        yield worker, found


def planned(path: Path, *, at: datetime | None) -> list[Planned]:
    """What will be destroyed and when. Nothing is touched, and nothing is recorded."""
    survey = Survey().take(read_history(path, None))
    return plan_of(survey, at or time_by(SystemClock(), survey))


def retention_schedules(path: Path) -> Schedules:
    """Every schedule that was adopted in these premises, and what documents say."""
    known = Schedules()
    for entry in read_history(path, FORCE):
        if isinstance(entry.event, ScheduleAdopted | DocumentRegistered):
            known.follow(entry.event)
    return known


@dataclass(frozen=True)
class Rechecked:
    """What somebody who looked again found."""

    rechecker: str
    receipts: LookedAgain
    inventory: Inventory


def rechecked(
    path: Path, *, deployment: UUID | None, credential: Path | None, actor: str | None
) -> Rechecked:
    """Have a re-checker look for all that has a receipt, and list the stores; whatever is there.

    Args:
        path: the data directory.
        deployment: only the receipts of this one; the stores are listed as a whole.
        credential: another person's key, made if there is none; None for the node's own re-checker.
        actor: the other person.

    Raises:
        DomainError: the stores could not be looked at, or the key may not sign.
    """
    with open_node(path, mode_of(path), whatever_is_there=True) as node:
        rechecker = node.rechecker
        with ExitStack() as closing:
            if credential is not None:
                rechecker = _of_another(node.premises, node.outside, node.rechecker, credential)
                closing.callback(rechecker.close)
            by = Command(
                **by_the_system(node.outside, scope=FORCE, mode=mode_of(path), part="re-checker")
                | ({"actor": actor, "role": Role.AUDITOR} if actor else {})
            )
            name, _ = rechecker.introduce()
            receipts = recheck_receipts(node.outside, rechecker, by, deployment=deployment)
            inventory = take_stock(node.outside, rechecker)
        node.seal()
        return Rechecked(name, receipts, inventory)


def _of_another(
    premises: Premises, outside: Outside, nodes_own: SeparateRechecker, credential: Path
) -> SeparateRechecker:
    _, own_key = nodes_own.introduce()
    return premises.rechecker(
        credential=credential,
        enrol=lambda name, key: rechecking.enrol(
            outside, name, key, for_another=True, nodes_own=own_key
        ),
    )


@contextmanager
def at_work(path: Path) -> Iterator[Outside]:
    """The ports for one command by a person: alone where nobody else is at work here, else beside.

    Where another process is at work, that one seals; whatever two commands would both change, the
    record lets only one of them.

    Raises:
        DomainError: there is no record here, or it is operational: nobody is authenticated yet.
    """
    mode = mode_of(path)
    if mode is Mode.OPERATIONAL:
        raise DomainError(
            "expected a rehearsal's record, found an operational one: nobody can prove who they "
            "are on this command line"
        )
    with ExitStack() as closing:
        try:
            node = closing.enter_context(open_node(path, mode))
        except PremisesInUseError:
            yield closing.enter_context(_open_beside(path, mode))
            return
        yield node.outside
        node.seal()


@contextmanager
def _open_beside(path: Path, mode: Mode) -> Iterator[Outside]:
    """The ports beside whoever is alone in writing: only what may be done twice is done here."""
    premises, clock = premises_at(path), SystemClock()
    with ExitStack() as closing:
        record = premises.open_record(mode, clock)
        closing.callback(record.close)
        outside, _, _ = ports_over(premises, record, clock, None, closing)
        _, witnesses, _ = signing_of(premises, record, clock)
        survey = Survey().take(record.history())
        judge_of(outside, clock, witnesses, confirmed_by=None).judge(survey)
        yield outside

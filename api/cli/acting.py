"""Persons on the command line of a rehearsal: played by stand-ins, in the role of the command."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID

import typer

from api.bootstrap import now
from api.cli.telling import EXIT_REFUSED, complain, printable
from api.rehearsal.stand_ins import ByAStandIn
from domain.kernel.codes import is_code
from domain.kernel.commands import Mode, Role
from domain.kernel.errors import DomainError
from domain.kernel.references import FORCE
from domain.kernel.refusals import Refused

T = TypeVar("T")

Actor = typer.Option(
    ..., "--actor", metavar="CODE", help="Who does this, such as officer-7; never a name."
)


class ByAPerson(ByAStandIn):
    """The fields of a stand-in's command, with its time."""

    at: datetime


def played_by(actor: str, role: Role, deployment: UUID) -> ByAPerson:
    """The fields of a command by a stand-in, now.

    Raises:
        DomainError: the actor is no code.
    """
    return _in_scope(deployment.hex, actor, role)


def played_by_one_of_the_force(actor: str, role: Role) -> ByAPerson:
    """The same for what concerns no single deployment.

    Raises:
        DomainError: the actor is no code.
    """
    return _in_scope(FORCE, actor, role)


def _in_scope(scope: str, actor: str, role: Role) -> ByAPerson:
    if not is_code(actor):
        raise DomainError(f"--actor: expected a code such as officer-7, found {actor!a}")
    return ByAPerson(
        scope=scope, mode=Mode.REHEARSAL, actor=f"stand-in:{actor}", role=role, at=now()
    )


def agreed(answer: T | Refused) -> T:
    """The answer; a refusal is told, with all its reasons, and ends the program.

    Raises:
        Exit: the rules said no; that is on the record.
    """
    if isinstance(answer, Refused):
        reasons = "\n".join(f"  {printable(one.in_words)}" for one in answer.reasons)
        complain(f"refused ({answer.event.NAME}):\n{reasons}", EXIT_REFUSED)
        raise typer.Exit(EXIT_REFUSED)
    return answer

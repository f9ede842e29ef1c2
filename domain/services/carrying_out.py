"""How every command is carried out: tried, tried again after a conflict, refused on the record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict, TypeVar

from domain.kernel.commands import Command, Mode, Role
from domain.kernel.errors import ConflictError, DomainError
from domain.kernel.refusals import Refused
from domain.ports import Outside

T = TypeVar("T")

ATTEMPTS = 5
"""How often a decision is made anew after someone else wrote first."""


def carry_out(
    outside: Outside, command: Command, attempt: Callable[[], T | Refused]
) -> T | Refused:
    """Decide and append; keep a refusal; start over when the state had moved on.

    Raises:
        DomainError: the command names one deployment and is attributed to another's scope.
        ConflictError: the state moved on every time.
    """
    named = getattr(command, "deployment", None)
    if named is not None and command.scope != named.hex:
        raise DomainError(f"expected a command in scope {named.hex}, found scope {command.scope}")

    def decided() -> T | Refused:
        answer = attempt()
        if isinstance(answer, Refused):
            outside.record.append(answer.recorded(), by=command)
        return answer

    return tried_again(decided)


def tried_again(attempt: Callable[[], T]) -> T:
    """Do it, and do it anew from the start while someone else wrote first.

    Raises:
        ConflictError: the state moved on every time.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except ConflictError:
            continue
    return attempt()


class BySystem(TypedDict):
    """The fields of a command that the system gives itself ("whenever this, then that")."""

    scope: str
    mode: Mode
    actor: str
    role: Role
    at: datetime


def by_the_system(outside: Outside, *, scope: str, mode: Mode, part: str) -> BySystem:
    """Who asks, when the system itself does: ``StopDeployment(**by_the_system(...), ...)``."""
    return BySystem(
        scope=scope,
        mode=mode,
        actor=f"system:{part}",
        role=Role.SYSTEM,
        at=outside.clock.now(),
    )

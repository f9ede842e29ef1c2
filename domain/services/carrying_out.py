"""How every command is carried out: tried, tried again after a conflict, refused on the record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict, TypeVar
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.errors import ConflictError, DomainError
from domain.kernel.refusals import Refused, WasRefused
from domain.kernel.repeats import repeat_refused
from domain.ports import Answered, Outside

A = TypeVar("A", bound=Aggregate)
T = TypeVar("T")

ATTEMPTS = 5
"""How often a decision is made anew after someone else wrote first."""


def carry_out(
    outside: Outside,
    command: Command,
    attempt: Callable[[], A | Refused],
    *,
    kind: type[A],
    of: UUID,
) -> A | Refused:
    """Decide and append; keep a refusal; start over when the state had moved on.

    A command that was answered before gets its first answer again and changes nothing, whoever
    lost that answer on the way. What an attempt appends last, it marks with ``answers=True``.

    Args:
        outside: the ports.
        command: what is asked.
        attempt: decides on the state as it is, and appends.
        kind: the aggregate that the answer is.
        of: its stream.

    Raises:
        DomainError: the command names one deployment and is attributed to another's scope.
        ConflictError: the state moved on every time.
    """
    named = getattr(command, "deployment", None)
    if named is not None and command.scope != named.hex:
        raise DomainError(f"expected a command in scope {named.hex}, found scope {command.scope}")

    def decided() -> A | Refused:
        if (before := outside.record.answer_to(command)) is not None:
            return _answered_again(outside, command, before, kind, of)
        answer = attempt()
        if isinstance(answer, Refused):
            outside.record.append(answer.recorded(), by=command, answers=True)
        return answer

    return tried_again(decided)


def _answered_again(
    outside: Outside, command: Command, before: Answered, kind: type[A], of: UUID
) -> A | Refused:
    """The first answer to a command, or a refusal if this is not the same command again."""
    if refused := repeat_refused(command, before.sameness):
        outside.record.append(refused.recorded(), by=command)
        return refused
    for entry in before.entries:
        if isinstance(entry.event, WasRefused):
            return Refused.again(entry.event, command)
    versions = [
        entry.event.originator_version
        for entry in before.entries
        if entry.event.originator_id == of
    ]
    return outside.record.load(kind, of, version=max(versions, default=None))


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

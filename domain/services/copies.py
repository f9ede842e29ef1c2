"""Copies of watchlists outside the vault, and when nothing is left of a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.copies.aggregate import Copies, CopySeen, copies_of
from domain.copies.commands import DestroyCopy, RegisterCopy, VerifyCopy
from domain.custody.classes import OF_A_LIST, ClockStart, ItemClass
from domain.custody.deadlines import deadline
from domain.kernel.commands import Command
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.carrying_out import by_the_system, carry_out, tried_again
from domain.services.survey import Survey
from domain.watchlists.aggregate import Watchlist

Answer = Copies | Refused

_MAY_HOLD = {
    "csv": frozenset({ItemClass.CALLERS_REFERENCE}),
    "image_folder": frozenset({ItemClass.REFERENCE_IMAGE}),
}
"""Kind to the classes of what it may hold; any other kind may hold all of a list."""


def register(outside: Outside, command: RegisterCopy) -> Answer:
    """Take down that there is a copy of a list.

    Raises:
        NotFoundError: there is no such list.
    """

    def attempt() -> Answer:
        watchlist = outside.record.load(Watchlist, command.watchlist)
        copies = _found_or_new(outside, command.watchlist)
        refused = copies.decide_registration(
            command, lists_deployment=watchlist.deployment == command.deployment
        )
        if refused:
            return refused
        outside.record.append(copies, by=command, answers=True)
        return copies

    return carry_out(outside, command, attempt, kind=Copies, of=copies_of(command.watchlist))


def destroyed(outside: Outside, command: DestroyCopy) -> Answer:
    """Take down that somebody destroyed a copy."""
    return _decide(outside, command, lambda one: one.decide_destruction(command))


def verified(outside: Outside, command: VerifyCopy) -> Answer:
    """Take down what another person found; if that was the last of a list, say so."""
    answer = _decide(outside, command, lambda one: one.decide_verification(command))
    if isinstance(answer, Copies):
        tell_of_lists_gone(outside, command)
    return answer


def tell_of_lists_gone(outside: Outside, command: Command) -> None:
    """Whenever nothing is left of a list of this scope, whose deployment is over: say so, once."""
    by = Command(**by_the_system(outside, scope=command.scope, mode=command.mode, part="custodian"))

    def attempt() -> None:
        survey = Survey().take(outside.record.history(command.scope))
        for copies in survey.copies.values():
            if copies.to_be_declared and survey.is_gone(copies):
                items = [one for one in survey.items.values() if one.item_class in OF_A_LIST]
                copies.declare_destroyed(items=len(items), at=by.at)
                outside.record.append(copies, by=by)

    tried_again(attempt)


def known_outside(outside: Outside, watchlist: UUID) -> dict[str, list[str]]:
    """Class to the kinds of open copies that may hold what such an item of this list held."""
    found: dict[str, list[str]] = {}
    for kind in sorted({one.registered.kind for one in _found_or_new(outside, watchlist).open}):
        for item_class in _MAY_HOLD.get(kind, OF_A_LIST):
            found.setdefault(item_class, []).append(kind)
    return found


@dataclass(frozen=True)
class ListOutside:
    """One list, and what is known of its copies."""

    watchlist: UUID
    deployment: UUID
    copies: Sequence[CopySeen]
    """In the order of registration."""
    due_at: datetime
    """By when every copy has to be verified absent (RT-08)."""
    destroyed: bool
    """Whether nothing is left of it, neither here nor outside."""

    @property
    def open(self) -> list[CopySeen]:
        """The copies that nobody has verified to be gone."""
        return [one for one in self.copies if not one.verified]

    def overdue(self, at: datetime) -> bool:
        """Whether a copy is open although it had to be gone."""
        return bool(self.open) and self.due_at < at


def lists_outside(survey: Survey) -> list[ListOutside]:
    """Every list of which a copy was registered."""
    return [_told(survey, one) for one in survey.copies.values()]


def _told(survey: Survey, copies: Copies) -> ListOutside:
    seen = survey.deployments[copies.deployment]
    limit = survey.schedule.rule(ItemClass.CALLERS_REFERENCE).limit
    return ListOutside(
        watchlist=copies.watchlist,
        deployment=copies.deployment,
        copies=list(copies.copies.values()),
        due_at=deadline(
            clock_starts=ClockStart.DEPLOYMENT_END,
            due_at=seen.until + limit,
            limit=limit,
            anchor_at=None,
            adopted_at=survey.adopted_at,
            over_at=seen.over_at,
        ),
        destroyed=copies.declared == len(copies.copies),
    )


def _decide(
    outside: Outside,
    command: DestroyCopy | VerifyCopy,
    decide: Callable[[Copies], Refused | None],
) -> Answer:
    def attempt() -> Answer:
        copies = _found_or_new(outside, command.watchlist)
        if refused := decide(copies):
            return refused
        outside.record.append(copies, by=command, answers=True)
        return copies

    return carry_out(outside, command, attempt, kind=Copies, of=copies_of(command.watchlist))


def _found_or_new(outside: Outside, watchlist: UUID) -> Copies:
    stream = copies_of(watchlist)
    try:
        return outside.record.load(Copies, stream)
    except NotFoundError:
        return Copies(stream)

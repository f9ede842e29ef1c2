"""Which entries of a history somebody wants to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from uuid import UUID

from domain.alerts.events import AlertRaised, RaiseRefused
from domain.arrests.events import RetentionDecidedForArrest
from domain.catalogue import EVENTS
from domain.custody.events import ItemRegistered
from domain.engagements.events import EngagementEvent
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError
from domain.kernel.refusals import WasRefused
from domain.ports import Recorded
from domain.sightings.events import SightingSuppressed

_LISTED = 20
"""How many ids an error lists."""


_FOLLOWING = (SightingSuppressed, RetentionDecidedForArrest, *get_args(EngagementEvent))
"""Events that say which alert they followed."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What an entry must be to be shown; whatever is empty or None asks for nothing.

    Raises:
        DomainError: it asks for a kind or a role that no entry can have.
    """

    kinds: tuple[str, ...] = ()
    """Stored names (``alert.raised``) or whole contexts (``alert``)."""
    roles: tuple[str, ...] = ()
    actor: str | None = None
    refusals: bool = False
    alert: UUID | None = None
    """Only what belongs to one alert: its entries, its items', the sightings that were suppressed
    into it, and what was refused about any of them."""
    first: int = 0
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse what can only be a slip of the fingers."""
        contexts = {name.split(".")[0] for name in EVENTS}
        for kind in self.kinds:
            if kind not in EVENTS and kind not in contexts:
                near = sorted(name for name in EVENTS if name.split(".")[0] == kind.split(".")[0])
                raise DomainError(
                    f"no event is called {kind!a}: there are {', '.join(near or sorted(contexts))}"
                )
        for role in self.roles:
            if role not in list(Role):
                raise DomainError(f"no role is called {role!a}: there are {', '.join(Role)}")


class Choosing:
    """Who goes through a history in the order of the log, with a choice in hand.

    Nothing is kept on the way but the ids of one alert's items and the names of actors.
    """

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.actors: set[str] = set()
        """Everyone who asked for anything so far."""
        self._story = {choice.alert} if choice.alert is not None else set()

    def is_over(self, entry: Recorded) -> bool:
        """Whether neither this entry nor any behind it can fit."""
        return self.choice.last is not None and entry.position > self.choice.last

    def takes(self, entry: Recorded) -> bool:
        """Whether the entry fits. Asked of each, in order."""
        self.actors.add(entry.actor)
        # Also where something else keeps it out: an item belongs to what it was registered for.
        belongs = self.choice.alert is None or self._belongs(entry)
        return belongs and _fits(entry, self.choice)

    def among(self, entries: Iterable[Recorded]) -> Iterator[Recorded]:
        """The entries that fit, each once."""
        for entry in entries:
            if self.is_over(entry):
                return
            if self.takes(entry):
                yield entry

    def _belongs(self, entry: Recorded) -> bool:
        event = entry.event
        match event:
            case ItemRegistered() if event.concerning in self._story:
                self._story.add(event.originator_id)
            case WasRefused():
                return event.concerning in self._story
            case _ if isinstance(event, _FOLLOWING):
                return event.alert in self._story
            case _:
                pass
        return event.originator_id in self._story


def one_alert(entries: Iterable[Recorded], digits: str) -> UUID:
    """The one alert whose id begins like this, raised or refused.

    Raises:
        DomainError: there is none, or more than one.
    """
    found: dict[UUID, None] = {}
    for entry in entries:
        match entry.event:
            case AlertRaised() as event:
                found[event.originator_id] = None
            case RaiseRefused(concerning=UUID() as alert):
                found[alert] = None
            case _:
                continue
    return UUID(the_one([one.hex for one in found], digits, "alert"))


def the_one(ids: Iterable[str], digits: str, what: str) -> str:
    """The one id that begins like this.

    Args:
        ids: 32 hex digits each.
        digits: as a person typed them.
        what: they are called.

    Raises:
        DomainError: there is none, or more than one; it lists those that there are.
    """
    known = sorted(ids)
    wanted = digits.strip().lower().replace("-", "")
    fitting = [one for one in known if wanted and one.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise DomainError(
            f"{len(fitting)} {what}s begin with {digits!a}: give more digits; {_listed(fitting)}"
        )
    raise DomainError(f"no {what} begins with {digits!a}; {_listed(known)}")


def _listed(ids: list[str]) -> str:
    if not ids:
        return "there is none"
    more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
    return f"there are: {', '.join(ids[:_LISTED])}{more}"


def _fits(entry: Recorded, choice: Choice) -> bool:
    name = entry.event.NAME
    return (
        entry.position >= choice.first
        and (not choice.kinds or name in choice.kinds or name.split(".")[0] in choice.kinds)
        and (not choice.roles or entry.role in choice.roles)
        and choice.actor in (None, entry.actor)
        and (not choice.refusals or isinstance(entry.event, WasRefused))
        and (choice.since is None or entry.event.timestamp >= choice.since)
        and (choice.until is None or entry.event.timestamp <= choice.until)
    )

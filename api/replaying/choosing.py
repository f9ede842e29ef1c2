"""Which entries of a history somebody wants to see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from domain.alerts.events import AlertRaised, RaiseRefused
from domain.catalogue import EVENTS
from domain.custody.events import ItemRegistered
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError
from domain.kernel.refusals import WasRefused
from domain.ports import Recorded


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
    """Only what belongs to one alert: its entries, its items', and what was refused about it."""
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


def chosen(entries: Iterable[Recorded], choice: Choice) -> Iterator[Recorded]:
    """The entries that fit, in their order. Reads no further than it must."""
    streams = {choice.alert} if choice.alert is not None else None
    for entry in entries:
        if choice.last is not None and entry.position > choice.last:
            return
        # Asked of every entry, shown or not: an item belongs to the alert it was registered for.
        belongs = streams is None or _belongs(entry, streams)
        if belongs and _fits(entry, choice):
            yield entry


def one_alert(entries: Iterable[Recorded], digits: str) -> UUID:
    """The one alert whose id begins like this.

    Raises:
        DomainError: there is none, or more than one.
    """
    wanted = digits.lower().replace("-", "")
    found: set[UUID] = set()
    for entry in entries:
        match entry.event:
            case AlertRaised() as event:
                found.add(event.originator_id)
            case RaiseRefused(concerning=UUID() as alert):
                found.add(alert)
            case _:
                continue
    fitting = sorted(one.hex for one in found if wanted and one.hex.startswith(wanted))
    if len(fitting) == 1:
        return UUID(fitting[0])
    known = ", ".join(sorted(one.hex[:8] for one in found)) or "none"
    many = "no alert begins" if not fitting else f"{len(fitting)} alerts begin"
    raise DomainError(f"{many} with {digits!a}; there are: {known}")


def a_time(text: str) -> datetime:
    """A time as a person types it: RFC 3339, with its zone.

    Raises:
        DomainError: it is not one.
    """
    try:
        at = datetime.fromisoformat(text.strip().upper())
    except ValueError as error:
        raise DomainError(f"expected a time like 2026-11-23T09:30:00Z, found {text!a}") from error
    if at.tzinfo is None:
        raise DomainError(
            f"expected a time with its zone, like 2026-11-23T09:30:00Z, found {text!a} without one"
        )
    return at.astimezone(UTC)


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


def _belongs(entry: Recorded, streams: set[UUID]) -> bool:
    """Whether an entry is a part of the story of these streams; an item's stream joins them."""
    event = entry.event
    concerning = getattr(event, "concerning", None)
    if isinstance(event, ItemRegistered) and concerning in streams:
        streams.add(event.originator_id)
    return (
        event.originator_id in streams
        or concerning in streams
        or getattr(event, "alert", None) in streams
    )

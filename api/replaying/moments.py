"""Places in a log and times, as a person types them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from domain.kernel.errors import DomainError
from domain.kernel.time import written
from domain.ports import Recorded

_LONGEST_POSITION = 16
"""Digits: an entry's numbers end at 2**53 - 1."""


@dataclass(frozen=True)
class Moment:
    """How far to read: up to a position, up to what was recorded at a time, or to the end."""

    position: int | None = None
    time: datetime | None = None

    def holds(self, entry: Recorded) -> bool:
        """Whether the entry was recorded by then, going by its own word."""
        return not (
            (self.position is not None and entry.position > self.position)
            or (self.time is not None and entry.recorded_at > self.time)
        )

    def __str__(self) -> str:
        """As a person would type it."""
        if self.time is not None:
            return written(self.time)
        return "the end" if self.position is None else f"position {self.position}"


def a_moment(text: str) -> Moment:
    """A position or a time, whichever was typed.

    Raises:
        DomainError: it is neither.
    """
    if not (text.isascii() and text.isdigit()):
        return Moment(time=a_time(text))
    if len(text) > _LONGEST_POSITION:
        raise DomainError(f"expected a position of at most {_LONGEST_POSITION} digits")
    return Moment(position=int(text))


def a_time(text: str) -> datetime:
    """A time as a person types it: RFC 3339, with its zone.

    Raises:
        DomainError: it is not one.
    """
    try:
        at = datetime.fromisoformat(text.strip().upper())
        if at.tzinfo is None:
            raise DomainError(
                "expected a time with its zone, like 2026-11-23T09:30:00Z or "
                f"2026-11-23T09:30:00+01:00, found {text!a} without one"
            )
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        # OverflowError: a day that lies outside the calendar once its zone is taken off.
        raise DomainError(f"expected a time like 2026-11-23T09:30:00Z, found {text!a}") from error

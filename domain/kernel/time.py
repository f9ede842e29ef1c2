"""Time as the record keeps it: aware, UTC, whole milliseconds."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.kernel.errors import DomainError


class Grain(StrEnum):
    """How finely an entry tells the time.

    Faces of passers-by are told to the second, or to the minute where few people pass, so that
    the record together with footage does not single anyone out (architecture, decision 2).
    """

    MILLISECOND = "millisecond"
    SECOND = "second"
    MINUTE = "minute"

    def floor(self, at: datetime) -> datetime:
        """The time, rounded down to this grain."""
        at = utc(at)
        if self is Grain.MILLISECOND:
            return at
        if self is Grain.SECOND:
            return at.replace(microsecond=0)
        return at.replace(second=0, microsecond=0)


def utc(at: datetime) -> datetime:
    """The same instant in UTC, whole milliseconds. A local time is refused."""
    if at.tzinfo is None:
        raise DomainError(f"expected a time with its zone, found {at.isoformat()} without one")
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def written(at: datetime) -> str:
    """RFC 3339 with milliseconds and ``Z``: ``2026-11-23T09:30:00.000Z``."""
    return utc(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(text: str) -> datetime:
    """The instant that :func:`written` wrote."""
    return datetime.fromisoformat(text)


def milliseconds(span: timedelta) -> int:
    """A span in whole milliseconds, rounded up: what was short is never shown as nothing."""
    return -(-span // timedelta(milliseconds=1))

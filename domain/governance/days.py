"""Days as governance writes them: YYYY-MM-DD, in UTC."""

from __future__ import annotations

from datetime import date, datetime

from domain.kernel.time import utc


def day_of(at: datetime) -> date:
    """The day in UTC on which something happens."""
    return utc(at).date()


def day(text: str) -> date | None:
    """The day that a text writes as YYYY-MM-DD, or ``None``."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.isoformat() == text else None

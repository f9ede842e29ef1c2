"""Days that a person types."""

from __future__ import annotations

from datetime import date

from domain.governance.days import day
from domain.kernel.errors import DomainError


def a_day(option: str, text: str) -> date:
    """The day that an option names.

    Raises:
        DomainError: it is none.
    """
    if found := day(text):
        return found
    raise DomainError(f"{option}: expected a day such as 2026-11-23, found {text!a}")

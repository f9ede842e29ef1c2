"""What happened when someone was arrested after a possible match."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("retention.decided_for_arrest")
@dataclass(frozen=True, kw_only=True)
class RetentionDecidedForArrest(Happened):
    """An arrest followed a possible match, and somebody decided what of it moves to a case file.

    What moves is copied to a place outside. What is here is destroyed when it would have been.
    """

    alert: UUID
    decider: str
    decision: str
    """``nothing_moved`` or ``moved_to_case_file``."""
    basis: str
    """A code of the closed list of bases for that decision."""
    bases: str
    """The version of that list."""
    items: dict[str, UUID]
    """Class to item, of what moves."""
    destination: str | None
    """What kind of place it moves to."""


@recorded_as("retention.arrest_refused")
@dataclass(frozen=True, kw_only=True)
class ArrestRefused(WasRefused):
    """An arrest was not recorded."""

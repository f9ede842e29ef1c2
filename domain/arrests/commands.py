"""What is asked when someone was arrested after a possible match."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.kernel.commands import Command


class RetentionDecision(StrEnum):
    """What becomes of the material of a possible match."""

    NOTHING_MOVED = "nothing_moved"
    MOVED_TO_CASE_FILE = "moved_to_case_file"


@dataclass(frozen=True, kw_only=True)
class RecordArrest(Command):
    """Say that an arrest followed a viable possible match, and what of it moves to a case file."""

    deployment: UUID
    alert: UUID
    decision: str
    """A :class:`RetentionDecision`; without one no arrest is recorded."""
    basis: str
    item_classes: list[str]
    """What moves; empty where nothing does."""
    destination: str
    """What kind of place it moves to; empty where nothing does."""

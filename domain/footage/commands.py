"""What the recorder asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.kernel.commands import Command

LONGEST_SEGMENT_MS = 60_000
"""A hold takes whole segments, so none is longer than this."""


@dataclass(frozen=True)
class SegmentFacts:
    """What a segment is, known once all of it came in."""

    duration_ms: int
    frames: int
    codec: str
    starts_with_key_frame: bool


class Segment(Protocol):
    """A segment that is still coming in."""

    content_type: str

    def chunks(self) -> Iterator[bytes]:
        """Its bytes as they come, once. Nothing of it is kept in memory but a chunk or two.

        Raises:
            DomainError: what came cannot be put together.
        """

    def facts(self) -> SegmentFacts:
        """What it was, after its last chunk."""


@dataclass(frozen=True, kw_only=True)
class KeepSegment(Command):
    """Keep a segment of footage."""

    deployment: UUID
    run: UUID
    camera: str
    first_frame_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReportLostSegment(Command):
    """Say that a segment could not be kept."""

    deployment: UUID
    run: UUID
    camera: str
    first_frame_at: datetime
    duration_ms: int
    cause: str
    """As a code."""

"""What happened to the footage of a run.

Footage is kept apart from recognition: another class, another clock (domain specification, C-01 and
RT-10). An entry tells when a segment began, how long it is and that it was kept, never what is to
be seen in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("footage.segment_recorded")
@dataclass(frozen=True, kw_only=True)
class SegmentRecorded(Happened):
    """A segment of a camera's own packets is kept, as an item of its own."""

    run: UUID
    camera: str
    item: UUID
    first_frame_at: datetime
    """When its first frame came in, UTC: what starts its clock."""
    duration_ms: int
    """From its first frame to the end of its last, by the camera's own times; at most 60,000."""
    frames: int
    codec: str
    """As the camera encoded it, such as ``h264``."""
    starts_with_key_frame: bool
    """Whether it can be played without the segment before it."""
    commitment: str
    """SHA-256 of a salt and the content, hex. The salt dies with the item's key."""


@recorded_as("footage.segment_lost")
@dataclass(frozen=True, kw_only=True)
class SegmentLost(Happened):
    """A segment was to be kept and could not be: footage has a gap here, and why."""

    run: UUID
    camera: str
    first_frame_at: datetime
    duration_ms: int
    cause: str
    """What failed, as a code."""


@recorded_as("footage.recording_refused")
@dataclass(frozen=True, kw_only=True)
class RecordingRefused(WasRefused):
    """A segment that may not be recorded: it was not kept."""

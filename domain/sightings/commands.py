"""What the recogniser says of the faces it followed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.kernel.commands import Command


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """A face was processed, matched nobody, and its templates are wiped."""

    ordinal: int
    template_life_ms: int


@dataclass(frozen=True, kw_only=True)
class NotEnrolled:
    """A face was never good enough to process."""

    ordinal: int
    reason: str
    template_life_ms: int


@dataclass(frozen=True, kw_only=True)
class Suppressed:
    """A possible match of an entry that had alerted within the cool-down."""

    ordinal: int
    alert: UUID
    template_life_ms: int


FaceEnded = Enrolled | NotEnrolled | Suppressed


@dataclass(frozen=True, kw_only=True)
class RecordFaces(Command):
    """Store what became of faces, with the worker's own counters, in one transaction."""

    deployment: UUID
    run: UUID
    camera: str
    faces: list[FaceEnded]
    faces_in_the_last_minute: int
    progress: tuple[int, int] | None
    """(frames, seen), cumulative, or ``None`` between reports."""


@dataclass(frozen=True, kw_only=True)
class ReportSourceFailure(Command):
    """Say that a camera or file could not be read on."""

    deployment: UUID
    run: UUID
    camera: str
    reason: str
    frames: int


@dataclass(frozen=True, kw_only=True)
class ReconcileRun(Command):
    """Compare what was seen with what became of it."""

    deployment: UUID
    run: UUID

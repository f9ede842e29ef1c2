"""One event per face, and what a run says of itself.

A face is one track: the same face followed over consecutive frames. Each ends in exactly one of
``face.enrolled_and_discarded``, ``face.not_enrolled``, ``sighting.suppressed`` or
``alert.raised``. The first two hold the run, the camera, an ordinal, a coarse time and the
measured life of the template, and nothing else (architecture, decision 2).

"Enrolled" is the source document's word for a passer-by's face that is good enough to process
[L98]; ISO/IEC 2382-37 would call that acquisition. No reference is made of a passer-by.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.kernel.events import Happened, recorded_as


@recorded_as("face.enrolled_and_discarded")
@dataclass(frozen=True, kw_only=True)
class FaceEnrolledAndDiscarded(Happened):
    """A passer-by's face was good enough to process, matched nobody, and its template is gone."""

    run: UUID
    camera: str
    ordinal: int
    template_life_ms: int
    """The longest that any template of this face existed, milliseconds, rounded up."""


@recorded_as("face.not_enrolled")
@dataclass(frozen=True, kw_only=True)
class FaceNotEnrolled(Happened):
    """A face was never good enough to process."""

    run: UUID
    camera: str
    ordinal: int
    reason: str
    """pose, light, blur, resolution, occlusion or other."""
    template_life_ms: int
    """0 where no template was made."""


@recorded_as("sighting.suppressed")
@dataclass(frozen=True, kw_only=True)
class SightingSuppressed(Happened):
    """A possible match of an entry that had alerted within the cool-down."""

    run: UUID
    camera: str
    ordinal: int
    alert: UUID
    template_life_ms: int


@recorded_as("run.progressed")
@dataclass(frozen=True, kw_only=True)
class RunProgressed(Happened):
    """What the worker has done so far, by its own counters, cumulative."""

    run: UUID
    camera: str
    frames: int
    seen: int
    """Tracks opened: the tracker's own counter, not a sum of outcomes."""


@recorded_as("run.source_failed")
@dataclass(frozen=True, kw_only=True)
class SourceFailed(Happened):
    """A camera or file could not be read on."""

    run: UUID
    camera: str
    reason: str
    frames: int
    """Frames that were read before."""


@recorded_as("run.interrupted")
@dataclass(frozen=True, kw_only=True)
class RunInterrupted(Happened):
    """A worker died. What it was following when it died has no outcome of its own."""

    run: UUID
    camera: str
    seen_at_least: int
    """Faces known from what was stored; those opened after the last entry are not known."""
    interrupted_at_least: int


@recorded_as("run.reconciled")
@dataclass(frozen=True, kw_only=True)
class RunReconciled(Happened):
    """seen = not enrolled + enrolled and discarded + alerted + suppressed + interrupted."""

    run: UUID
    seen: int
    not_enrolled: int
    enrolled_and_discarded: int
    alerted: int
    suppressed: int
    interrupted: int
    max_template_life_ms: int


@recorded_as("run.reconciliation_failed")
@dataclass(frozen=True, kw_only=True)
class ReconciliationFailed(Happened):
    """The sums do not balance: some face has no outcome, or two. Blocks publication."""

    run: UUID
    seen: int
    not_enrolled: int
    enrolled_and_discarded: int
    alerted: int
    suppressed: int
    interrupted: int
    missing: list[str]
    """``camera/ordinal`` of faces without an outcome (the first 100)."""
    doubled: list[str]
    """``camera/ordinal`` of faces with more than one outcome (the first 100)."""

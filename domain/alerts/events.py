"""What happened to an alert.

An alert is a possible match, never an identification: it says that a face in the zone scored at
or above the authorised threshold against an entry, and nothing about who anyone is.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("alert.raised")
@dataclass(frozen=True, kw_only=True)
class AlertRaised(Happened):
    """A possible match. The similarity itself is in the vault, never here."""

    run: UUID
    camera: str
    ordinal: int
    """The face, among those that this camera's tracker opened in this run."""
    first_seen_ms: int
    """Capture time of the first frame of this face, from the run's first frame."""
    captured_ms: int
    """Capture time of the frame that decided."""
    watchlist: UUID
    entry: UUID
    threshold: Decimal
    model_digest: str
    items: dict[str, UUID]
    """Kind of item to its reference in the vault."""
    wide_frame_omitted: str | None
    """Why no wide frame was kept, if none was."""
    template_life_ms: int
    """The longest that any template of this face existed outside the vault, milliseconds."""


@recorded_as("alert.viewed")
@dataclass(frozen=True, kw_only=True)
class AlertViewed(Happened):
    """An officer looked at the alert."""

    officer: str


@recorded_as("alert.adjudicated")
@dataclass(frozen=True, kw_only=True)
class AlertAdjudicated(Happened):
    """An officer said what they decided, with the factors they had regard to."""

    officer: str
    decision: str
    """viable, not_viable or insufficient."""
    subject_factors: list[str]
    system_factors: list[str]
    environmental_factors: list[str]
    basis: str
    """``own-judgement``, or ``scripted-rule`` where a stand-in decides."""
    note_item: UUID | None
    """Free text lives in the vault."""


@recorded_as("alert.dissent_recorded")
@dataclass(frozen=True, kw_only=True)
class DissentRecorded(Happened):
    """Another officer would have decided otherwise. The first decision stands."""

    officer: str
    decision: str
    subject_factors: list[str]
    system_factors: list[str]
    environmental_factors: list[str]
    basis: str


@recorded_as("alert.closed_undetermined")
@dataclass(frozen=True, kw_only=True)
class AlertClosedUndetermined(Happened):
    """The time was up before anyone decided. Destruction never waits for anyone."""

    cause: str


AlertEvent = (
    AlertRaised | AlertViewed | AlertAdjudicated | DissentRecorded | AlertClosedUndetermined
)


@recorded_as("alert.raise_refused")
@dataclass(frozen=True, kw_only=True)
class RaiseRefused(WasRefused):
    """A possible match was not raised; what had been kept for it was destroyed."""

    run: UUID
    camera: str
    ordinal: int
    template_life_ms: int


@recorded_as("alert.view_refused")
@dataclass(frozen=True, kw_only=True)
class ViewRefused(WasRefused):
    """The alert could not be viewed."""


@recorded_as("alert.adjudication_refused")
@dataclass(frozen=True, kw_only=True)
class AdjudicationRefused(WasRefused):
    """The decision was not taken."""


@recorded_as("alert.dissent_refused")
@dataclass(frozen=True, kw_only=True)
class DissentRefused(WasRefused):
    """The other view was not taken."""

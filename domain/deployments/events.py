"""What happened to a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused

NOT_YET_SAID: dict[str, Any] = {
    "rank": "",
    "rank_evidence": "",
    "urgency": "",
    "ratify_by": None,
    "by_nexus": {},
}
"""What the third shape of an authorisation added."""
NOTHING_ASKED: dict[str, Any] = {"requirements": "", "documents": {}, "evidence": ""}
"""What was in force where nothing had to be."""


@recorded_as("deployment.applied_for")
@dataclass(frozen=True, kw_only=True)
class DeploymentAppliedFor(Happened):
    """Someone asked for a deployment: why, where, when. Its mode is fixed here, for ever."""

    mode: str
    officers: str
    """``authenticated`` persons, or ``stand-in`` (a scripted rule plays every officer)."""
    applicant: str
    watchlist: UUID
    """The list made for this deployment and no other."""
    use_case: str
    objective: str
    location: str
    """A code of the place, never an address of a person."""
    requested_from: datetime
    requested_until: datetime


@recorded_as("deployment.camera_configured")
@dataclass(frozen=True, kw_only=True)
class CameraConfigured(Happened):
    """A camera got its zone of recognition."""

    camera: str
    source_kind: str
    """``file``, ``rtsp``, ``http`` or ``device``. The address itself is never recorded."""
    zone: list[list[int]]
    """The polygon: [x, y] in thousandths of the frame's width and height."""
    footage_recorded: bool


@recorded_as("deployment.authorised")
@dataclass(frozen=True, kw_only=True)
class DeploymentAuthorised(Happened):
    """The Authorising Officer allowed the deployment, within these limits."""

    officer: str
    targeted: str
    intelligence_led: str
    valid_from: datetime
    valid_until: datetime
    cameras: list[str]
    watchlist: UUID
    threshold: Decimal
    """Similarity at or above which a possible match is raised."""
    threshold_justification: str
    model_digest: str
    """The threshold means nothing with any other model."""
    requirements: str
    """The version of what a deployment needs; empty before any was asked."""
    documents: dict[str, str]
    """Kind to the version in force on the first day of the window."""
    evidence: str
    """The code of the test that speaks for model, threshold and size of list."""
    rank: str
    """Of the officer, at that time; empty before it was asked."""
    rank_evidence: str
    urgency: str
    """The threat that left no time for a superintendent; empty for routine use."""
    ratify_by: datetime | None
    """When an urgent authorisation lapses unless it is ratified."""
    by_nexus: dict[str, int]
    """The list as the officer saw it: why its entries are expected here, and how many for each."""

    SHAPE: ClassVar[int] = 3

    @classmethod
    def upcast(cls, body: dict[str, Any], *, shape: int) -> dict[str, Any]:
        """Before the second shape nothing was asked of governance, before the third no rank."""
        return (NOTHING_ASKED if shape < 2 else {}) | NOT_YET_SAID | body


@recorded_as("deployment.report_submitted")
@dataclass(frozen=True, kw_only=True)
class ReportSubmitted(Happened):
    """The applicant's report to the Authorising Officer. It is never altered."""

    applicant: str
    catalogue: str
    """The version of the sections and their codes."""
    sections: dict[str, list[str]]


@recorded_as("deployment.place_decided")
@dataclass(frozen=True, kw_only=True)
class PlaceDecided(Happened):
    """A second authority said whether recognition may be used at a sensitive place."""

    officer: str
    rank: str
    rank_evidence: str
    granted: bool
    reason: str


@recorded_as("deployment.authorisation_ratified")
@dataclass(frozen=True, kw_only=True)
class AuthorisationRatified(Happened):
    """A superintendent or above took an urgent authorisation over: it holds to its end."""

    officer: str
    rank: str
    rank_evidence: str
    reason: str


@recorded_as("deployment.ratification_declined")
@dataclass(frozen=True, kw_only=True)
class RatificationDeclined(Happened):
    """An urgent authorisation was not ratified: from here on nothing starts or is alerted."""

    officer: str
    rank: str
    rank_evidence: str
    reason: str


@recorded_as("deployment.authorisation_varied")
@dataclass(frozen=True, kw_only=True)
class AuthorisationVaried(Happened):
    """Window and cameras of the authorisation are these from here on."""

    officer: str
    reason: str
    valid_from: datetime
    valid_until: datetime
    cameras: list[str]


@recorded_as("deployment.authorisation_withdrawn")
@dataclass(frozen=True, kw_only=True)
class AuthorisationWithdrawn(Happened):
    """The authorisation was taken back. Nothing starts, and no alert is raised, from here on."""

    officer: str
    reason: str


@recorded_as("deployment.started")
@dataclass(frozen=True, kw_only=True)
class DeploymentStarted(Happened):
    """Every gate held at that instant, and recognition was switched on."""

    run: UUID
    """This run: a continuous period with recognition on."""
    watchlist: UUID
    gallery_size: int
    model_digest: str
    threshold: Decimal
    footage_recorded: bool
    recogniser_settings: dict[str, str]
    """The limits that the run works by: quality gates, cool-down, frames for a decision."""
    precautions: dict[str, str]
    """What keeps templates out of swap and core dumps, as found at the start."""
    requirements: str
    """The version of what a deployment needs; empty before any was asked."""
    documents: dict[str, str]
    """Kind to the version in force that day."""
    evidence: str
    """The code of the test that speaks for model, threshold, settings and size of list."""

    SHAPE: ClassVar[int] = 2

    @classmethod
    def upcast(cls, body: dict[str, Any], *, shape: int) -> dict[str, Any]:
        """Before the second shape nothing was asked of governance."""
        return body | NOTHING_ASKED


@recorded_as("deployment.stopped")
@dataclass(frozen=True, kw_only=True)
class DeploymentStopped(Happened):
    """Recognition was switched off."""

    run: UUID
    cause: str


@recorded_as("deployment.ended")
@dataclass(frozen=True, kw_only=True)
class DeploymentEnded(Happened):
    """The deployment is over; everything that was kept for it is due."""


@recorded_as("deployment.cancelled")
@dataclass(frozen=True, kw_only=True)
class DeploymentCancelled(Happened):
    """The deployment will not take place; everything that was kept for it is due."""

    reason: str


DeploymentEvent = (
    DeploymentAppliedFor
    | CameraConfigured
    | ReportSubmitted
    | PlaceDecided
    | DeploymentAuthorised
    | AuthorisationRatified
    | RatificationDeclined
    | AuthorisationVaried
    | AuthorisationWithdrawn
    | DeploymentStarted
    | DeploymentStopped
    | DeploymentEnded
    | DeploymentCancelled
)


@recorded_as("deployment.application_refused")
@dataclass(frozen=True, kw_only=True)
class ApplicationRefused(WasRefused):
    """The application itself was not allowed."""


@recorded_as("deployment.camera_refused")
@dataclass(frozen=True, kw_only=True)
class CameraRefused(WasRefused):
    """The camera was not allowed."""


@recorded_as("deployment.authorisation_refused")
@dataclass(frozen=True, kw_only=True)
class AuthorisationRefused(WasRefused):
    """The authorisation was not allowed."""


@recorded_as("deployment.report_refused")
@dataclass(frozen=True, kw_only=True)
class ReportRefused(WasRefused):
    """The report was not taken."""


@recorded_as("deployment.place_refused")
@dataclass(frozen=True, kw_only=True)
class PlaceRefused(WasRefused):
    """Nobody who may decided on the place."""


@recorded_as("deployment.ratification_refused")
@dataclass(frozen=True, kw_only=True)
class RatificationRefused(WasRefused):
    """The urgent authorisation was neither ratified nor declined."""


@recorded_as("deployment.variation_refused")
@dataclass(frozen=True, kw_only=True)
class VariationRefused(WasRefused):
    """The authorisation stays as it is."""


@recorded_as("deployment.withdrawal_refused")
@dataclass(frozen=True, kw_only=True)
class WithdrawalRefused(WasRefused):
    """The authorisation was not taken back."""


@recorded_as("deployment.start_refused")
@dataclass(frozen=True, kw_only=True)
class StartRefused(WasRefused):
    """A gate did not hold, so recognition stayed off."""


@recorded_as("deployment.stop_refused")
@dataclass(frozen=True, kw_only=True)
class StopRefused(WasRefused):
    """There was no run to stop."""


@recorded_as("deployment.end_refused")
@dataclass(frozen=True, kw_only=True)
class EndRefused(WasRefused):
    """The deployment could not be ended."""


@recorded_as("deployment.cancellation_refused")
@dataclass(frozen=True, kw_only=True)
class CancellationRefused(WasRefused):
    """The deployment could not be cancelled."""

"""What happened after a viable possible match. No name, no description, no free text."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("engagement.started")
@dataclass(frozen=True, kw_only=True)
class EngagementStarted(Happened):
    """Officers spoke to the person. Being possibly matched gives nobody any more power."""

    alert: UUID
    officers: list[str]
    power: str
    codes: str
    """The version of the closed lists that this and all that follows is said in."""


@recorded_as("engagement.identity_established")
@dataclass(frozen=True, kw_only=True)
class IdentityEstablished(Happened):
    """Whether it is the person on the list, established without the recogniser."""

    alert: UUID
    officer: str
    identity: str
    """``same``, ``different`` or ``unresolved``."""
    method: str


@recorded_as("engagement.information_given")
@dataclass(frozen=True, kw_only=True)
class InformationGiven(Happened):
    """Whether the person got the card and heard of their rights."""

    alert: UUID
    officer: str
    information: str


@recorded_as("engagement.ended")
@dataclass(frozen=True, kw_only=True)
class EngagementEnded(Happened):
    """The engagement is over."""

    alert: UUID
    officer: str
    duration: str
    """A band, so that it singles nobody out."""
    force_used: bool
    handcuffed: bool


@recorded_as("engagement.outcome_recorded")
@dataclass(frozen=True, kw_only=True)
class OutcomeRecorded(Happened):
    """What came of it."""

    alert: UUID
    officer: str
    outcomes: list[str]


@recorded_as("engagement.outcome_corrected")
@dataclass(frozen=True, kw_only=True)
class OutcomeCorrected(Happened):
    """Something else came of it than was recorded before; both stay visible."""

    alert: UUID
    officer: str
    was: list[str]
    outcomes: list[str]
    reason: str


@recorded_as("engagement.not_located")
@dataclass(frozen=True, kw_only=True)
class PersonNotLocated(Happened):
    """Nobody was spoken to: the person was not found. The possible match stays undetermined."""

    alert: UUID
    officer: str


@recorded_as("engagement.false_alert_reviewed")
@dataclass(frozen=True, kw_only=True)
class FalseAlertReviewed(Happened):
    """Why a false alert was raised, and what is done about it."""

    alert: UUID
    reviewer: str
    causes: list[str]
    actions: list[str]
    codes: str
    """The version of the closed lists."""


EngagementEvent = (
    EngagementStarted
    | IdentityEstablished
    | InformationGiven
    | EngagementEnded
    | OutcomeRecorded
    | OutcomeCorrected
    | PersonNotLocated
    | FalseAlertReviewed
)


@recorded_as("engagement.start_refused")
@dataclass(frozen=True, kw_only=True)
class StartRefused(WasRefused):
    """Nobody was to be spoken to on this ground."""


@recorded_as("engagement.step_refused")
@dataclass(frozen=True, kw_only=True)
class StepRefused(WasRefused):
    """Identity, information or end was not taken down."""


@recorded_as("engagement.outcome_refused")
@dataclass(frozen=True, kw_only=True)
class OutcomeRefused(WasRefused):
    """An outcome was not recorded or not corrected."""


@recorded_as("engagement.not_located_refused")
@dataclass(frozen=True, kw_only=True)
class NotLocatedRefused(WasRefused):
    """That the person was not found was not taken down."""


@recorded_as("engagement.review_refused")
@dataclass(frozen=True, kw_only=True)
class ReviewRefused(WasRefused):
    """The review of a false alert was not taken."""

"""What may be asked of a deployment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.kernel.commands import Command


@dataclass(frozen=True, kw_only=True)
class ApplyForDeployment(Command):
    """Ask for a deployment. The actor is the applicant."""

    deployment: UUID
    watchlist: UUID
    use_case: str
    objective: str
    location: str
    requested_from: datetime
    requested_until: datetime


@dataclass(frozen=True, kw_only=True)
class ConfigureCamera(Command):
    """Give a camera its zone of recognition."""

    deployment: UUID
    camera: str
    source_kind: str
    zone: list[list[int]]
    """[x, y] in thousandths of the frame's width and height, at least three points."""
    footage_recorded: bool


@dataclass(frozen=True, kw_only=True)
class AuthoriseDeployment(Command):
    """Allow a deployment: targeted, intelligence-led, time-bound, geographically limited."""

    deployment: UUID
    targeted: str
    intelligence_led: str
    valid_from: datetime
    valid_until: datetime
    cameras: list[str]
    threshold: Decimal
    threshold_justification: str
    model_digest: str
    rank: str
    rank_evidence: str
    """A code: ``substantive``, or the order that the rank is acted under."""
    urgency: str = ""
    """The threat that leaves no time for a superintendent; empty for routine use."""


@dataclass(frozen=True, kw_only=True)
class SubmitReport(Command):
    """Report to the Authorising Officer, section by section."""

    deployment: UUID
    sections: dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class DecideOnPlace(Command):
    """Say whether recognition may be used at a sensitive place."""

    deployment: UUID
    granted: bool
    reason: str
    rank: str
    rank_evidence: str


@dataclass(frozen=True, kw_only=True)
class RatifyAuthorisation(Command):
    """Ratify an urgent authorisation, or decline to, which stops everything."""

    deployment: UUID
    ratified: bool
    reason: str
    rank: str
    rank_evidence: str


@dataclass(frozen=True, kw_only=True)
class VaryAuthorisation(Command):
    """Change window or cameras of the authorisation."""

    deployment: UUID
    valid_from: datetime
    valid_until: datetime
    cameras: list[str]
    reason: str
    rank: str = ""
    rank_evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class WithdrawAuthorisation(Command):
    """Take the authorisation back; recognition that is on is switched off."""

    deployment: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class StartDeployment(Command):
    """Switch recognition on."""

    deployment: UUID
    run: UUID
    model_digest: str
    gallery_size: int
    recogniser_settings: dict[str, str]
    precautions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class StopDeployment(Command):
    """Switch recognition off."""

    deployment: UUID
    cause: str


@dataclass(frozen=True, kw_only=True)
class EndDeployment(Command):
    """Close a deployment that took place."""

    deployment: UUID


@dataclass(frozen=True, kw_only=True)
class CancelDeployment(Command):
    """Close a deployment that will not take place."""

    deployment: UUID
    reason: str

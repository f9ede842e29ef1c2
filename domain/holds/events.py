"""What happened to a hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("hold.requested")
@dataclass(frozen=True, kw_only=True)
class HoldRequested(Happened):
    """Someone asked that items be kept past their limit. Nothing is kept by that alone."""

    deployment: UUID
    requester: str
    ground: str
    """A code of the closed list of grounds."""
    grounds: str
    """The version of that list."""
    case_reference: str
    """Of the hold's own file: opaque, a few letters and numbers."""
    items: list[UUID]
    review_by: datetime


@recorded_as("hold.approved")
@dataclass(frozen=True, kw_only=True)
class HoldApproved(Happened):
    """Another person let the hold count."""

    approver: str


@recorded_as("hold.declined")
@dataclass(frozen=True, kw_only=True)
class HoldDeclined(Happened):
    """Another person turned the hold down."""

    decliner: str


@recorded_as("hold.reviewed")
@dataclass(frozen=True, kw_only=True)
class HoldReviewed(Happened):
    """Another person than the requester found that the hold is still needed, until a new date."""

    reviewer: str
    review_by: datetime


@recorded_as("hold.released")
@dataclass(frozen=True, kw_only=True)
class HoldReleased(Happened):
    """The hold is over. What is past its limit is destroyed at once."""

    releaser: str


HoldEvent = HoldRequested | HoldApproved | HoldDeclined | HoldReviewed | HoldReleased


@recorded_as("hold.request_refused")
@dataclass(frozen=True, kw_only=True)
class RequestRefused(WasRefused):
    """A hold could not be asked for."""


@recorded_as("hold.approval_refused")
@dataclass(frozen=True, kw_only=True)
class ApprovalRefused(WasRefused):
    """A hold could not be approved; nothing is kept by it."""


@recorded_as("hold.decline_refused")
@dataclass(frozen=True, kw_only=True)
class DeclineRefused(WasRefused):
    """A hold could not be turned down."""


@recorded_as("hold.review_refused")
@dataclass(frozen=True, kw_only=True)
class ReviewRefused(WasRefused):
    """A hold does not count for longer."""


@recorded_as("hold.release_refused")
@dataclass(frozen=True, kw_only=True)
class ReleaseRefused(WasRefused):
    """A hold could not be released."""

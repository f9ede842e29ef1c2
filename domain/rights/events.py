"""What was said of requests, complaints and breaches. Never who asked, or who was listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("rights.request_received")
@dataclass(frozen=True, kw_only=True)
class RequestReceived(Happened):
    """Somebody used a right."""

    right: str
    asker: str
    """What kind of person, never who."""
    received_at: datetime
    answer_by: datetime
    codes: str
    """The version of the closed lists."""


@recorded_as("rights.identity_verified")
@dataclass(frozen=True, kw_only=True)
class IdentityVerified(Happened):
    """The force is satisfied who asked."""

    officer: str
    method: str


@recorded_as("rights.searched")
@dataclass(frozen=True, kw_only=True)
class Searched(Happened):
    """Somebody looked for what was asked about. What was found is in the case file."""

    officer: str
    deployment: UUID
    how: str
    since: datetime
    until: datetime
    segments: int
    """Footage of that time and place that was still there."""
    first_gone_at: datetime | None
    """When the first of it has to be gone; None where there was none."""


@recorded_as("rights.answer_restricted")
@dataclass(frozen=True, kw_only=True)
class AnswerRestricted(Happened):
    """Something is left out of the answer, on a ground that statute gives."""

    officer: str
    ground: str


@recorded_as("rights.answered")
@dataclass(frozen=True, kw_only=True)
class RequestAnswered(Happened):
    """An answer was sent. For access it does not say what it was."""

    officer: str
    answer: str
    told_of_remedies: bool


RequestEvent = RequestReceived | IdentityVerified | Searched | AnswerRestricted | RequestAnswered


@recorded_as("rights.step_refused")
@dataclass(frozen=True, kw_only=True)
class RequestStepRefused(WasRefused):
    """A step of a request was not taken."""


@recorded_as("complaint.received")
@dataclass(frozen=True, kw_only=True)
class ComplaintReceived(Happened):
    """Somebody complained."""

    about: str
    deployment: UUID
    received_at: datetime
    segments: int
    """Footage of the deployment that was still there."""
    first_gone_at: datetime | None
    """When the first of it has to be gone, unless it is held."""
    codes: str


@recorded_as("complaint.closed")
@dataclass(frozen=True, kw_only=True)
class ComplaintClosed(Happened):
    """What came of a complaint."""

    officer: str
    closing: str


ComplaintEvent = ComplaintReceived | ComplaintClosed


@recorded_as("complaint.step_refused")
@dataclass(frozen=True, kw_only=True)
class ComplaintStepRefused(WasRefused):
    """A step of a complaint was not taken."""


@recorded_as("breach.reported")
@dataclass(frozen=True, kw_only=True)
class BreachReported(Happened):
    """Personal data was breached. From here the clock runs."""

    reporter: str
    kind: str
    aware_at: datetime
    notify_by: datetime
    """When the Commissioner must know, unless people are not at risk."""
    codes: str


@recorded_as("breach.assessed")
@dataclass(frozen=True, kw_only=True)
class BreachAssessed(Happened):
    """What risk there is to people."""

    officer: str
    risk: str


@recorded_as("breach.commissioner_notified")
@dataclass(frozen=True, kw_only=True)
class CommissionerNotified(Happened):
    """The Commissioner was told."""

    officer: str
    notified_at: datetime
    late: bool
    reason_for_delay: str


@recorded_as("breach.people_notified")
@dataclass(frozen=True, kw_only=True)
class PeopleNotified(Happened):
    """The people concerned were told."""

    officer: str


@recorded_as("breach.closed")
@dataclass(frozen=True, kw_only=True)
class BreachClosed(Happened):
    """Nothing more is to be done."""

    officer: str


BreachEvent = BreachReported | BreachAssessed | CommissionerNotified | PeopleNotified | BreachClosed


@recorded_as("breach.step_refused")
@dataclass(frozen=True, kw_only=True)
class BreachStepRefused(WasRefused):
    """A step of a breach was not taken."""

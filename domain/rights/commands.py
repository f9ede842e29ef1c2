"""What may be said of requests, complaints and breaches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.commands import Command


@dataclass(frozen=True, kw_only=True)
class OnRequest(Command):
    """A command about one request."""

    request: UUID


@dataclass(frozen=True, kw_only=True)
class ReceiveRequest(OnRequest):
    """Somebody uses a right. Who they are stays outside the record."""

    right: str
    asker: str
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class VerifyIdentity(OnRequest):
    """The force is satisfied who asks."""

    method: str


@dataclass(frozen=True, kw_only=True)
class SearchForRequest(OnRequest):
    """Look for what is asked about, by place and time."""

    where: UUID
    """The deployment whose place it is."""
    how: str
    """``time-and-place`` or ``case-file``. A search by face is refused."""
    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class RestrictAnswer(OnRequest):
    """Leave something out of the answer, on a ground that statute gives."""

    ground: str


@dataclass(frozen=True, kw_only=True)
class AnswerRequest(OnRequest):
    """Say that an answer was sent."""

    answer: str
    told_of_remedies: bool
    """Whether the person was told of the Commissioner and the courts."""


@dataclass(frozen=True, kw_only=True)
class OnComplaint(Command):
    """A command about one complaint."""

    complaint: UUID


@dataclass(frozen=True, kw_only=True)
class ReceiveComplaint(OnComplaint):
    """Somebody complains."""

    about: str
    where: UUID
    """The deployment that it is about."""
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class CloseComplaint(OnComplaint):
    """Say what came of a complaint."""

    closing: str


@dataclass(frozen=True, kw_only=True)
class OnBreach(Command):
    """A command about one breach."""

    breach: UUID


@dataclass(frozen=True, kw_only=True)
class ReportBreach(OnBreach):
    """Say that personal data was breached, from when on the force knows."""

    kind: str
    aware_at: datetime


@dataclass(frozen=True, kw_only=True)
class AssessBreach(OnBreach):
    """Say what risk there is to people."""

    risk: str


@dataclass(frozen=True, kw_only=True)
class NotifyCommissioner(OnBreach):
    """Say that the Commissioner was told."""

    notified_at: datetime
    reason_for_delay: str
    """A code; needed where it was late, empty otherwise."""


@dataclass(frozen=True, kw_only=True)
class NotifyPeople(OnBreach):
    """Say that the people concerned were told."""


@dataclass(frozen=True, kw_only=True)
class CloseBreach(OnBreach):
    """Say that nothing more is to be done."""

"""Requests, complaints and breaches: taken down with their clocks, and what footage still lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from domain.custody.classes import ItemClass
from domain.deployments.aggregate import Deployment
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.rights import commands as asked
from domain.rights.breaches import Breach
from domain.rights.complaints import Complaint
from domain.rights.requests import Request
from domain.services.carrying_out import carry_out
from domain.services.governance import requirements_of
from domain.services.survey import Survey

A = TypeVar("A", bound=Aggregate)


@dataclass(frozen=True)
class FootageLeft:
    """Footage of a time at a place that has not been destroyed."""

    segments: int
    first_gone_at: datetime | None
    """When the first of it has to be gone."""


def footage_left(
    outside: Outside,
    deployment: UUID,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> FootageLeft:
    """The segments of a deployment that live, and when the first of them goes.

    Args:
        since, until: only segments that began in between; None for any.

    Raises:
        NotFoundError: there is no such deployment.
    """
    outside.record.load(Deployment, deployment)
    survey = Survey().take(outside.record.history(deployment.hex))
    found = [
        one
        for one in survey.live()
        if one.item_class == ItemClass.FOOTAGE_SEGMENT
        and (since is None or one.anchor_at is None or one.anchor_at >= since)
        and (until is None or one.anchor_at is None or one.anchor_at < until)
    ]
    return FootageLeft(len(found), min((survey.deadline(one) for one in found), default=None))


def receive_request(outside: Outside, command: asked.ReceiveRequest) -> Request | Refused:
    """Take a request down."""
    days = requirements_of(outside).in_force.limit("rights_answer_days")
    return _decide(
        outside,
        command,
        Request,
        command.request,
        lambda one: one.decide_receipt(command, within=timedelta(days=days)),
    )


def verify_identity(outside: Outside, command: asked.VerifyIdentity) -> Request | Refused:
    """Take down that it is known who asks."""
    return _decide(
        outside, command, Request, command.request, lambda one: one.decide_identity(command)
    )


def search(outside: Outside, command: asked.SearchForRequest) -> Request | Refused:
    """Say how much footage of a time and place there is, and until when.

    Raises:
        NotFoundError: there is no such deployment.
    """
    left = footage_left(outside, command.where, since=command.since, until=command.until)
    return _decide(
        outside,
        command,
        Request,
        command.request,
        lambda one: one.decide_search(
            command, segments=left.segments, first_gone_at=left.first_gone_at
        ),
    )


def restrict(outside: Outside, command: asked.RestrictAnswer) -> Request | Refused:
    """Take down on which ground something is left out of the answer."""
    return _decide(
        outside, command, Request, command.request, lambda one: one.decide_restriction(command)
    )


def answer(outside: Outside, command: asked.AnswerRequest) -> Request | Refused:
    """Take down that an answer was sent."""
    return _decide(
        outside, command, Request, command.request, lambda one: one.decide_answer(command)
    )


def receive_complaint(outside: Outside, command: asked.ReceiveComplaint) -> Complaint | Refused:
    """Take a complaint down, with how long footage still lives.

    Raises:
        NotFoundError: there is no such deployment.
    """
    left = footage_left(outside, command.where)
    return _decide(
        outside,
        command,
        Complaint,
        command.complaint,
        lambda one: one.decide_receipt(
            command, segments=left.segments, first_gone_at=left.first_gone_at
        ),
    )


def close_complaint(outside: Outside, command: asked.CloseComplaint) -> Complaint | Refused:
    """Take down what came of a complaint."""
    return _decide(
        outside, command, Complaint, command.complaint, lambda one: one.decide_closing(command)
    )


def report_breach(outside: Outside, command: asked.ReportBreach) -> Breach | Refused:
    """Take a breach down."""
    hours = requirements_of(outside).in_force.limit("breach_notice_hours")
    return _decide(
        outside,
        command,
        Breach,
        command.breach,
        lambda one: one.decide_report(command, within=timedelta(hours=hours)),
    )


def assess_breach(outside: Outside, command: asked.AssessBreach) -> Breach | Refused:
    """Take the DPO's judgement of the risk."""
    return _decide(
        outside, command, Breach, command.breach, lambda one: one.decide_assessment(command)
    )


def notify_commissioner(outside: Outside, command: asked.NotifyCommissioner) -> Breach | Refused:
    """Take down that the Commissioner was told."""
    return _decide(
        outside, command, Breach, command.breach, lambda one: one.decide_notification(command)
    )


def notify_people(outside: Outside, command: asked.NotifyPeople) -> Breach | Refused:
    """Take down that the people concerned were told."""
    return _decide(
        outside, command, Breach, command.breach, lambda one: one.decide_telling_people(command)
    )


def close_breach(outside: Outside, command: asked.CloseBreach) -> Breach | Refused:
    """Close a breach."""
    return _decide(outside, command, Breach, command.breach, lambda one: one.decide_end(command))


def _decide(
    outside: Outside,
    command: Command,
    kind: type[A],
    stream: UUID,
    decide: Callable[[A], Refused | None],
) -> A | Refused:
    def attempt() -> A | Refused:
        try:
            found = outside.record.load(kind, stream)
        except NotFoundError:
            found = kind(stream)
        if refused := decide(found):
            return refused
        outside.record.append(found, by=command, answers=True)
        return found

    return carry_out(outside, command, attempt, kind=kind, of=stream)

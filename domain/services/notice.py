"""Telling the public of a deployment, and whether that was done when recognition is to begin."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from domain.deployments.aggregate import Deployment
from domain.deployments.gates import Announced
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.notice import commands as asked
from domain.notice.aggregate import Notice, notice_of
from domain.ports import Outside
from domain.services.carrying_out import carry_out

Answer = Notice | Refused


def publish(outside: Outside, command: asked.PublishNotice) -> Answer:
    """Take down where the public can read of the deployment."""
    return _decide(outside, command, lambda one, of: one.decide_publication(command, over=of.over))


def omit(outside: Outside, command: asked.OmitNotice) -> Answer:
    """Take down that no notice is given, and for which threat."""
    return _decide(outside, command, lambda one, of: one.decide_omission(command, over=of.over))


def verify_signage(outside: Outside, command: asked.VerifySignage) -> Answer:
    """Take down that signs stand."""
    return _decide(
        outside,
        command,
        lambda one, of: one.decide_signage(command, over=of.over, configured=of.cameras),
    )


def record_route(outside: Outside, command: asked.RecordRoute) -> Answer:
    """Take down by which way people can stay out."""
    return _decide(
        outside,
        command,
        lambda one, of: one.decide_route(command, over=of.over, configured=of.cameras),
    )


def remove_signage(outside: Outside, command: asked.RemoveSignage) -> Answer:
    """Take down that the signs are gone."""
    return _decide(
        outside, command, lambda one, of: one.decide_removal(command, running=of.run is not None)
    )


def announced(outside: Outside, deployment: Deployment) -> tuple[Announced, dict[UUID, int]]:
    """What the public was told by now, and what that rests on."""
    found = _found_or_new(outside, deployment.id)
    cameras = deployment.authorised.cameras if deployment.authorised else []
    facts = Announced(
        published_at=found.published_at,
        omitted=found.omitted,
        without_signs=sorted(set(cameras) - found.signed),
        unavoidable=sorted(set(cameras) - found.avoidable),
    )
    return facts, {found.id: found.version}


def _found_or_new(outside: Outside, deployment: UUID) -> Notice:
    stream = notice_of(deployment)
    try:
        return outside.record.load(Notice, stream)
    except NotFoundError:
        return Notice(stream)


def _decide(
    outside: Outside,
    command: asked.OnNotice,
    decide: Callable[[Notice, Deployment], Refused | None],
) -> Answer:
    def attempt() -> Answer:
        deployment = outside.record.load(Deployment, command.deployment)
        notice = _found_or_new(outside, command.deployment)
        if refused := decide(notice, deployment):
            return refused
        given = {deployment.id: deployment.version}
        outside.record.append(notice, by=command, given=given, answers=True)
        return notice

    return carry_out(outside, command, attempt, kind=Notice, of=notice_of(command.deployment))

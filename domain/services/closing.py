"""Closing a deployment that nobody closes, and settling what is over: both can be repeated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from uuid import UUID

from domain.deployments.commands import CancelDeployment, EndDeployment, StopDeployment
from domain.kernel.commands import Command
from domain.kernel.events import NEXT_VERSION
from domain.ports import Outside
from domain.services import deployments
from domain.services.carrying_out import BySystem, by_the_system
from domain.services.copies import known_outside, tell_of_lists_gone
from domain.services.custody import destroy_for
from domain.services.reactions import when_over
from domain.services.sightings import reconcile, stream_of
from domain.services.survey import DeploymentSeen, ItemSeen, Survey
from domain.sightings.commands import ReconcileRun
from domain.sightings.events import RunInterrupted


def close(outside: Outside, deployment: DeploymentSeen, *, cause: str, died: bool) -> None:
    """Stop what runs and end it, or cancel what never started. All that was kept is destroyed.

    Args:
        cause: why nobody else closed it, as a code.
        died: whether the worker of the run is gone, so that what it followed has no outcome.
    """
    by = _by_the_custodian(outside, deployment)
    if deployment.run is not None:
        deployments.stop(
            outside, StopDeployment(**by, deployment=deployment.deployment, cause=cause)
        )
        settle_run(outside, deployment, deployment.run, died=died)
    if deployment.runs:
        deployments.end(outside, EndDeployment(**by, deployment=deployment.deployment))
    else:
        deployments.cancel(
            outside, CancelDeployment(**by, deployment=deployment.deployment, reason=cause)
        )


def settle_run(outside: Outside, deployment: DeploymentSeen, run: UUID, *, died: bool) -> None:
    """Count what a dead worker lost in a run that is off, then compare its sums."""
    by = _by_the_custodian(outside, deployment)
    survey = Survey().take(outside.record.history(deployment.deployment.hex))
    sums = survey.runs[run]
    for camera in deployment.cameras:
        seen = sums.seen_at_least(camera)
        lost = seen - sum(1 for one, _ in sums.outcomes if one == camera)
        if camera not in sums.lost and (lost or died):
            outside.record.append(
                RunInterrupted(
                    originator_id=stream_of(run, camera),
                    originator_version=NEXT_VERSION,
                    timestamp=by["at"],
                    run=run,
                    camera=camera,
                    seen_at_least=seen,
                    interrupted_at_least=lost,
                ),
                by=Command(**by),
            )
    if run not in survey.reconciled:
        reconcile(outside, ReconcileRun(**by, deployment=deployment.deployment, run=run))


def settle(outside: Outside, survey_now: Callable[[], Survey]) -> list[str]:
    """Finish what an end or a destruction began and did not finish.

    Open alerts of a deployment that is over are closed, what was kept for it is destroyed,
    destructions that began are ended, and lists of which nothing is left are told of. It must be
    alone.

    Args:
        outside: the ports.
        survey_now: what stands in the record now.

    Returns:
        What was done, in words.
    """
    done = []
    survey = survey_now()
    for deployment in survey.deployments.values():
        by = _by_the_custodian(outside, deployment)
        if deployment.over and survey.is_unsettled(deployment.deployment):
            when_over(
                outside, Command(**by), deployment=deployment.deployment, cause="deployment_over"
            )
            done.append(f"settled deployment {deployment.deployment.hex[:8]}")
    begun = [one for one in survey_now().live() if one.destruction_started]
    return [
        *done,
        *destroy_all(outside, survey_now(), begun, cause="destruction_begun"),
        *_lists_of_which_nothing_is_left(outside, survey_now()),
    ]


def _lists_of_which_nothing_is_left(outside: Outside, survey: Survey) -> list[str]:
    told = []
    for copies in survey.copies.values():
        if copies.to_be_declared and survey.is_gone(copies):
            by = _by_the_custodian(outside, survey.deployments[copies.deployment])
            tell_of_lists_gone(outside, Command(**by))
            told.append(f"told that list {copies.watchlist.hex[:8]} is gone")
    return told


def destroy_all(
    outside: Outside, survey: Survey, items: Iterable[ItemSeen], *, cause: str
) -> list[str]:
    """Destroy items of whatever deployments; says what was destroyed, in words."""
    of: dict[UUID, list[ItemSeen]] = defaultdict(list)
    for one in items:
        of[one.deployment].append(one)
    for deployment, those in of.items():
        seen = survey.deployments[deployment]
        destroy_for(
            outside,
            Command(**_by_the_custodian(outside, seen)),
            [one.item for one in those],
            cause=cause,
            known_outside=known_outside(outside, seen.watchlist),
        )
    return [
        f"destroyed {one.item_class} {one.item.hex[:8]}" for those in of.values() for one in those
    ]


def _by_the_custodian(outside: Outside, deployment: DeploymentSeen) -> BySystem:
    return by_the_system(
        outside, scope=deployment.deployment.hex, mode=deployment.mode, part="custodian"
    )

"""Closing a deployment that nobody closes: its time is up, or its worker died."""

from __future__ import annotations

from domain.deployments.commands import CancelDeployment, EndDeployment, StopDeployment
from domain.kernel.commands import Command
from domain.kernel.events import NEXT_VERSION
from domain.ports import Outside
from domain.services import deployments
from domain.services.carrying_out import by_the_system
from domain.services.sightings import reconcile, stream_of
from domain.services.survey import DeploymentSeen, Survey
from domain.sightings.commands import ReconcileRun
from domain.sightings.events import RunInterrupted

WORKER_DIED = "worker_died"
"""The cause of a close that finds a run whose process is gone."""


def close(outside: Outside, deployment: DeploymentSeen, *, cause: str) -> None:
    """Stop what runs and end it, or cancel what never started. All that was kept is destroyed."""
    by = by_the_system(
        outside, scope=deployment.deployment.hex, mode=deployment.mode, part="custodian"
    )
    if deployment.run is not None:
        deployments.stop(
            outside, StopDeployment(**by, deployment=deployment.deployment, cause=cause)
        )
        _count_what_was_lost(outside, Command(**by), deployment, died=cause == WORKER_DIED)
        reconcile(outside, ReconcileRun(**by, deployment=deployment.deployment, run=deployment.run))
    if deployment.started:
        deployments.end(outside, EndDeployment(**by, deployment=deployment.deployment))
    else:
        deployments.cancel(
            outside, CancelDeployment(**by, deployment=deployment.deployment, reason=cause)
        )


def _count_what_was_lost(
    outside: Outside, command: Command, deployment: DeploymentSeen, *, died: bool
) -> None:
    """Say how many faces have no outcome because their worker died, at least.

    A worker that ended its faces before it failed lost none, and nothing is said of it.
    """
    if deployment.run is None:
        return
    sums = Survey().take(outside.record.history(command.scope)).runs[deployment.run]
    for camera in deployment.cameras:
        seen = sums.seen_at_least(camera)
        ended = sum(1 for one, _ in sums.outcomes if one == camera)
        if seen == ended and not died:
            continue
        outside.record.append(
            RunInterrupted(
                originator_id=stream_of(deployment.run, camera),
                originator_version=NEXT_VERSION,
                timestamp=command.at,
                run=deployment.run,
                camera=camera,
                seen_at_least=seen,
                interrupted_at_least=seen - ended,
            ),
            by=command,
        )

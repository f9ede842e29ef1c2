"""Whenever this, then that."""

from __future__ import annotations

from uuid import UUID

from domain.alerts.aggregate import Alert
from domain.alerts.commands import CloseUndetermined
from domain.kernel.commands import Command
from domain.ports import Outside
from domain.services.carrying_out import by_the_system, tried_again
from domain.services.copies import known_outside, tell_of_lists_gone
from domain.services.custody import destroy_for
from domain.services.epochs import end_epochs
from domain.services.sightings import reconcile
from domain.services.survey import Survey
from domain.sightings.commands import ReconcileRun


def when_over(outside: Outside, command: Command, *, deployment: UUID, cause: str) -> int:
    """Whenever a deployment is over: compare its sums, close its alerts, destroy all it kept.

    Destruction never waits for anyone, so an alert that nobody decided is closed as undetermined.

    Returns:
        How many items were destroyed now.
    """
    survey = Survey().take(outside.record.history(command.scope))
    for run in survey.unreconciled(deployment):
        reconcile(
            outside,
            ReconcileRun(
                **by_the_system(outside, scope=command.scope, mode=command.mode, part="custodian"),
                deployment=deployment,
                run=run,
            ),
        )
    for alert, of in survey.open_alerts.items():
        if of == deployment:
            close_undetermined(outside, command, alert, cause=cause)
    seen = survey.deployments[deployment]
    destroyed = destroy_for(
        outside,
        command,
        survey.items_left(deployment),
        cause=cause,
        known_outside=known_outside(outside, seen.watchlist),
    )
    tell_of_lists_gone(outside, command)
    outside.record.forget_contents(command.scope)
    end_epochs(outside, over=[deployment])
    return destroyed


def close_undetermined(outside: Outside, command: Command, alert: UUID, *, cause: str) -> None:
    """Close an alert whose time is up; one that was decided meanwhile stays as it is."""
    closing = CloseUndetermined(
        **by_the_system(outside, scope=command.scope, mode=command.mode, part="custodian"),
        alert=alert,
        cause=cause,
    )

    def attempt() -> None:
        found = outside.record.load(Alert, alert)
        found.close_undetermined(closing)
        outside.record.append(found, by=closing)

    tried_again(attempt)

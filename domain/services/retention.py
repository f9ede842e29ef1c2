"""Destroying what is due. Destruction never waits for anyone."""

from __future__ import annotations

from datetime import datetime

from domain.kernel.commands import Command
from domain.ports import Outside
from domain.services.carrying_out import by_the_system
from domain.services.closing import close, settle
from domain.services.custody import destroy_for
from domain.services.reactions import close_undetermined
from domain.services.survey import Survey


def retention_now(outside: Outside, survey: Survey) -> datetime:
    """The time that retention goes by: a clock set back extends nothing.

    The wall clock, or the newest time that a trusted clock recorded if that is later. A wall
    clock that is itself suspect advances nothing (architecture, decision 9).
    """
    now = outside.clock.now()
    newest = survey.newest_trusted
    if newest is None:
        return now
    return max(now, newest) if outside.clock.trusted() else newest


def sweep(outside: Outside) -> int:
    """Close every deployment whose window is over and destroy every item that is due.

    Returns:
        How many items were destroyed now.
    """
    survey = Survey().take(outside.record.history())
    now = retention_now(outside, survey)
    before = survey.live_items
    for deployment in survey.deployments.values():
        if not deployment.over and deployment.until <= now:
            close(outside, deployment, cause="authorisation_expired", died=False)
    settle(outside)
    survey = Survey().take(outside.record.history())
    for item in survey.items.values():
        if not item.destroyed and item.due_at <= now:
            command = Command(
                **by_the_system(
                    outside,
                    scope=item.deployment.hex,
                    mode=survey.deployments[item.deployment].mode,
                    part="custodian",
                )
            )
            if survey.open_alerts.pop(item.concerning, None):
                close_undetermined(outside, command, item.concerning, cause="due")
            destroy_for(outside, command, [item.item], cause="due")
    return before - Survey().take(outside.record.history()).live_items

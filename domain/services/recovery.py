"""After a crash: finish what was begun, and destroy what was registered but never sealed.

Every step of keeping and destroying can be repeated, so recovery is nothing but repeating them.
It must be alone: the caller holds the data directory's lock, which means that whoever left
something half done is dead.
"""

from __future__ import annotations

from uuid import UUID

from domain.kernel.commands import Command, Mode
from domain.ports import Outside
from domain.services.carrying_out import by_the_system
from domain.services.closing import WORKER_DIED, close
from domain.services.custody import destroy_for
from domain.services.survey import Survey


def finish_what_was_begun(outside: Outside) -> list[str]:
    """Close runs whose worker died, finish destructions, destroy what was never sealed.

    A rehearsal belongs to the process that plays it, so one that is still open is closed too.

    Returns:
        What was done, in words, for whoever started the program.
    """
    done = []
    survey = Survey().take(outside.record.history())
    for deployment in survey.deployments.values():
        died = deployment.run is not None
        abandoned = deployment.mode is Mode.REHEARSAL and not deployment.over
        if died or abandoned:
            close(outside, deployment, cause=WORKER_DIED if died else "rehearsal_abandoned")
            done.append(f"closed deployment {deployment.deployment.hex[:8]}")
    survey = Survey().take(outside.record.history())
    for item in list(survey.items.values()):
        over = survey.deployments[item.deployment].over
        if not item.destroyed and (item.destruction_started or not item.sealed or over):
            mode = survey.deployments[item.deployment].mode
            _destroy(outside, item.item, item.deployment, mode)
            done.append(f"destroyed {item.item_class} {item.item.hex[:8]}")
    return done


def _destroy(outside: Outside, item: UUID, deployment: UUID, mode: Mode) -> None:
    command = Command(**by_the_system(outside, scope=deployment.hex, mode=mode, part="recovery"))
    destroy_for(outside, command, [item], cause="recovery")

"""After a crash: finish what was begun, and destroy what was registered but never sealed.

Every step of closing, keeping and destroying can be repeated, so recovery is nothing but
repeating them; if it dies itself, the next one goes on. It must be alone: the caller holds the
data directory's lock, which means that whoever left something half done is dead.
"""

from __future__ import annotations

from domain.kernel.commands import Command, Mode
from domain.ports import Outside
from domain.services.carrying_out import by_the_system
from domain.services.closing import close, settle, settle_run
from domain.services.custody import destroy_for
from domain.services.survey import Survey


def finish_what_was_begun(outside: Outside) -> list[str]:
    """Close runs whose worker died, finish destructions, destroy what was never sealed.

    A rehearsal belongs to the process that plays it, so one that is still open is closed too.

    Returns:
        What was done, in words, for whoever started the program.
    """
    return [
        *_runs_that_were_stopped(outside),
        *_deployments_without_a_process(outside),
        *settle(outside),
        *_items_never_sealed(outside),
    ]


def _runs_that_were_stopped(outside: Outside) -> list[str]:
    """Runs that are off and whose sums nobody compared any more."""
    done = []
    survey = Survey().take(outside.record.history())
    for deployment in survey.deployments.values():
        for run in survey.unreconciled(deployment.deployment):
            settle_run(outside, deployment, run, died=False)
            done.append(f"reconciled run {run.hex[:8]}")
    return done


def _deployments_without_a_process(outside: Outside) -> list[str]:
    done = []
    survey = Survey().take(outside.record.history())
    for deployment in survey.deployments.values():
        died = deployment.run is not None
        abandoned = deployment.mode is Mode.REHEARSAL and not deployment.over
        if died or abandoned:
            cause = "worker_died" if died else "rehearsal_abandoned"
            close(outside, deployment, cause=cause, died=died)
            done.append(f"closed deployment {deployment.deployment.hex[:8]}")
    return done


def _items_never_sealed(outside: Outside) -> list[str]:
    done = []
    survey = Survey().take(outside.record.history())
    for item in list(survey.items.values()):
        if item.destroyed or item.sealed:
            continue
        mode = survey.deployments[item.deployment].mode
        by = by_the_system(outside, scope=item.deployment.hex, mode=mode, part="recovery")
        destroy_for(outside, Command(**by), [item.item], cause="recovery")
        done.append(f"destroyed {item.item_class} {item.item.hex[:8]}")
    return done

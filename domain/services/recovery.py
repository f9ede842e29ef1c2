"""After a crash: finish what was begun, and destroy what was registered but never sealed.

Every step of closing, keeping and destroying can be repeated, so recovery is nothing but
repeating them; if it dies itself, the next one goes on. It must be alone: the caller holds the
data directory's lock, which means that whoever left something half done is dead.
"""

from __future__ import annotations

from collections.abc import Callable

from domain.kernel.commands import Mode
from domain.ports import Outside
from domain.services.closing import close, destroy_all, settle, settle_run
from domain.services.epochs import tell_ended
from domain.services.survey import Survey


def finish_what_was_begun(
    outside: Outside, survey_now: Callable[[], Survey] | None = None
) -> list[str]:
    """Close runs whose worker died, finish destructions, destroy what was never sealed.

    A rehearsal belongs to the process that plays it, so one that is still open is closed too.

    Args:
        outside: the ports.
        survey_now: what stands in the record now; None to read all of it.

    Returns:
        What was done, in words, for whoever started the program.
    """
    survey_now = survey_now or (lambda: Survey().take(outside.record.history()))
    return [
        *_runs_that_were_stopped(outside, survey_now()),
        *_deployments_without_a_process(outside, survey_now()),
        *settle(outside, survey_now),
        *_items_never_sealed(outside, survey_now()),
        *tell_ended(outside, of=survey_now().deployments),
    ]


def _runs_that_were_stopped(outside: Outside, survey: Survey) -> list[str]:
    """Runs that are off and whose sums nobody compared any more."""
    done = []
    for deployment in survey.deployments.values():
        for run in survey.unreconciled(deployment.deployment):
            settle_run(outside, deployment, run, died=False)
            done.append(f"reconciled run {run.hex[:8]}")
    return done


def _deployments_without_a_process(outside: Outside, survey: Survey) -> list[str]:
    done = []
    for deployment in survey.deployments.values():
        died = deployment.run is not None
        abandoned = deployment.mode is Mode.REHEARSAL and not deployment.over
        if died or abandoned:
            cause = "worker_died" if died else "rehearsal_abandoned"
            close(outside, deployment, cause=cause, died=died)
            done.append(f"closed deployment {deployment.deployment.hex[:8]}")
    return done


def _items_never_sealed(outside: Outside, survey: Survey) -> list[str]:
    never = [one for one in survey.live() if not one.sealed]
    return destroy_all(outside, survey, never, cause="recovery")

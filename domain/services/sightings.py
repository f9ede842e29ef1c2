"""What became of faces, and whether the sums balance."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.alerts.events import AlertRaised
from domain.deployments.aggregate import Deployment
from domain.kernel.errors import NotFoundError
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import journal
from domain.kernel.refusals import Refused
from domain.kernel.time import Grain
from domain.ports import Outside
from domain.services.carrying_out import carry_out
from domain.services.survey import Survey
from domain.sightings import events as happened
from domain.sightings.commands import (
    Enrolled,
    NotEnrolled,
    ReconcileRun,
    RecordFaces,
    ReportSourceFailure,
    Suppressed,
)
from domain.sightings.policies import grain_for
from domain.sightings.seeding import (
    RecordSeededPass,
    SeededFacts,
    SeededPassRecorded,
    decide_seeded_pass,
)
from domain.sightings.sums import as_fields, shortened, sums_balance
from domain.watchlists.accepted import accepted_values
from domain.watchlists.aggregate import Watchlist


def stream_of(run: UUID, camera: str) -> UUID:
    """The journal of one camera in one run: one writer, never loaded as an aggregate."""
    return journal("sightings", f"{run.hex}/{camera}")


def record_faces(outside: Outside, command: RecordFaces) -> None:
    """Store what became of faces in one transaction, timed no finer than the crowd allows.

    Raises:
        NotFoundError: the deployment has no such run.
    """
    _require_run(outside, command)
    grain = grain_for(command.faces_in_the_last_minute)
    at = grain.floor(command.at)
    stream = stream_of(command.run, command.camera)
    common: dict[str, Any] = {
        "originator_id": stream,
        "originator_version": NEXT_VERSION,
        "timestamp": at,
        "run": command.run,
        "camera": command.camera,
    }
    events: list[Happened] = []
    for face in command.faces:
        match face:
            case Enrolled(ordinal=ordinal, template_life_ms=life):
                events.append(
                    happened.FaceEnrolledAndDiscarded(
                        **common, ordinal=ordinal, template_life_ms=life
                    )
                )
            case NotEnrolled(ordinal=ordinal, reason=reason, template_life_ms=life):
                events.append(
                    happened.FaceNotEnrolled(
                        **common, ordinal=ordinal, reason=reason, template_life_ms=life
                    )
                )
            case Suppressed(ordinal=ordinal, alert=alert, template_life_ms=life):
                events.append(
                    happened.SightingSuppressed(
                        **common, ordinal=ordinal, alert=alert, template_life_ms=life
                    )
                )
    if command.progress is not None:
        frames, seen = command.progress
        events.append(happened.RunProgressed(**common, frames=frames, seen=seen))
    if events:
        outside.record.append(*events, by=command, grain=grain)


def report_source_failure(outside: Outside, command: ReportSourceFailure) -> None:
    """Keep that a camera or file could not be read on.

    Raises:
        NotFoundError: the deployment has no such run.
    """
    _require_run(outside, command)
    outside.record.append(
        happened.SourceFailed(
            originator_id=stream_of(command.run, command.camera),
            originator_version=NEXT_VERSION,
            timestamp=command.at,
            run=command.run,
            camera=command.camera,
            reason=command.reason,
            frames=command.frames,
        ),
        by=command,
    )


def reconcile(outside: Outside, command: ReconcileRun) -> bool:
    """Compare what the tracker opened with what the record says became of it.

    Returns:
        Whether the sums balance. Either answer is on the record.

    Raises:
        NotFoundError: there is no such run.
    """
    sums = Survey().take(outside.record.history(command.scope)).runs.get(command.run)
    if sums is None:
        raise NotFoundError(f"there is no run {command.run.hex}")
    common: dict[str, Any] = {
        "originator_id": journal("runs", command.scope),
        "originator_version": NEXT_VERSION,
        "timestamp": Grain.SECOND.floor(command.at),
        "run": command.run,
        **as_fields(sums),
    }
    balanced = sums_balance(sums)
    event: Happened
    if balanced:
        event = happened.RunReconciled(**common, max_template_life_ms=sums.max_template_life_ms)
    else:
        event = happened.ReconciliationFailed(
            **common, missing=shortened(sums.missing()), doubled=shortened(sums.doubled())
        )
    outside.record.append(event, by=command)
    return balanced


def record_seeded_pass(outside: Outside, command: RecordSeededPass) -> Deployment | Refused:
    """Take down that a volunteer of the list passed, and which alert that raised."""

    def attempt() -> Deployment | Refused:
        deployment = outside.record.load(Deployment, command.deployment)
        listed = outside.record.load(Watchlist, deployment.watchlist)
        alerted: dict[UUID, tuple[UUID, UUID]] = {}
        counted: set[UUID] = set()
        for entry in outside.record.history(deployment.id.hex):
            match entry.event:
                case AlertRaised() as event:
                    alerted[event.originator_id] = event.run, event.entry
                case SeededPassRecorded() as event if event.alert is not None:
                    counted.add(event.alert)
        run, whom = alerted.get(command.alert, (None, None)) if command.alert else (None, None)
        proposed = listed.entries.get(command.entry)
        answer = decide_seeded_pass(
            command,
            SeededFacts(
                role=command.role,
                run=command.run,
                runs=deployment.runs,
                entry=command.entry,
                listed=listed.accepted,
                seeded=proposed is not None
                and proposed.category in accepted_values().seeded_categories,
                alert=command.alert,
                alerted_entry=whom if run == command.run else None,
                alert_counted=command.alert in counted,
            ),
        )
        if isinstance(answer, Refused):
            return answer
        given = {deployment.id: deployment.version, listed.id: listed.version}
        outside.record.append(answer, by=command, given=given, answers=True)
        return deployment

    return carry_out(outside, command, attempt, kind=Deployment, of=command.deployment)


def _require_run(outside: Outside, command: RecordFaces | ReportSourceFailure) -> None:
    """Faces belong to a run of their own deployment; another's sums are not touched."""
    deployment = outside.record.load(Deployment, command.deployment)
    if command.scope != deployment.id.hex or command.run not in deployment.runs:
        raise NotFoundError(
            f"there is no run {command.run.hex} in deployment {command.deployment.hex}"
        )

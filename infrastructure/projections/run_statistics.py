"""The run statistics: what each camera saw in each run, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, Select, Text, select
from sqlalchemy.engine import Row

from domain.alerts.events import AlertRaised, RaiseRefused
from domain.deployments.events import DeploymentStarted, DeploymentStopped
from domain.kernel.events import Happened
from domain.kernel.time import read
from domain.ports import CameraStatistics, Reconciliation, RunLine
from domain.sightings.events import (
    FaceEnrolledAndDiscarded,
    FaceNotEnrolled,
    ReconciliationFailed,
    RunInterrupted,
    RunProgressed,
    RunReconciled,
    SightingSuppressed,
    SourceFailed,
)
from infrastructure.projections.entries import Entry
from infrastructure.projections.projection import (
    HEX,
    TIME,
    Projection,
    Queries,
    Writing,
    index,
    names,
    read_model,
)

NAME = "run_statistics"

RUNS = read_model(
    "projection_runs",
    Column("run", HEX, primary_key=True),
    Column("deployment", HEX, nullable=False),
    Column("mode", Text, nullable=False),
    Column("started_at", TIME),
    Column("stopped_at", TIME),
    Column("reconciliation", Text, nullable=False),
    Column("first_position", BigInteger, nullable=False),
)
index(RUNS, "deployment", "first_position")

_OUTCOMES: dict[type[Happened], str] = {
    FaceNotEnrolled: "not_enrolled",
    FaceEnrolledAndDiscarded: "enrolled_and_discarded",
    AlertRaised: "alerted",
    SightingSuppressed: "suppressed",
    RaiseRefused: "refused",
}
"""What can become of a face, with the column that counts it."""

_COUNTED = ("frames", "seen", *_OUTCOMES.values(), "interrupted", "source_failures")

CAMERAS = read_model(
    "projection_run_cameras",
    Column("run", HEX, primary_key=True),
    Column("camera", Text, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in _COUNTED),
    Column("not_enrolled_for", JSON, nullable=False),
    Column("max_template_life_ms", BigInteger, nullable=False),
)


class RunStatisticsProjection(Projection):
    """Counts what became of faces, and takes over the tracker's own counters."""

    NAME = NAME
    SHAPE = 1
    TABLES = (RUNS, CAMERAS)
    TAKES = names(
        *_OUTCOMES,
        DeploymentStarted,
        DeploymentStopped,
        RunProgressed,
        RunInterrupted,
        RunReconciled,
        ReconciliationFailed,
        SourceFailed,
    )

    def apply(self, entries: Sequence[Entry], writing: Writing) -> None:
        """As in :class:`Projection`."""
        events: list[tuple[Entry, Any]] = [(one, one.event) for one in entries]
        concerned = {event.run.hex for _, event in events}
        runs = writing.sheet(RUNS, run=concerned)
        cameras = writing.sheet(CAMERAS, run=concerned)
        for entry, event in events:
            name = event.run.hex
            run = runs.get(name) or runs.add(_run(name, entry))
            if hasattr(event, "camera"):
                camera = cameras.get(name, event.camera) or cameras.add(_camera(name, event.camera))
                _count(camera, event)
            _settle(run, entry, event)
        runs.store()
        cameras.store()


def _run(run: str, entry: Entry) -> dict[str, Any]:
    return {
        "run": run,
        "deployment": entry.scope,
        "mode": entry.mode,
        "started_at": None,
        "stopped_at": None,
        "reconciliation": Reconciliation.OPEN.value,
        "first_position": entry.pos,
    }


def _camera(run: str, camera: str) -> dict[str, Any]:
    return {
        "run": run,
        "camera": camera,
        **dict.fromkeys(_COUNTED, 0),
        "not_enrolled_for": {},
        "max_template_life_ms": 0,
    }


def _count(camera: dict[str, Any], event: Any) -> None:
    if (outcome := _OUTCOMES.get(type(event))) is not None:
        camera[outcome] += 1
        life = event.template_life_ms
        camera["max_template_life_ms"] = max(camera["max_template_life_ms"], life)
    match event:
        case FaceNotEnrolled(reason=reason):
            why = camera["not_enrolled_for"]
            camera["not_enrolled_for"] = {**why, reason: why.get(reason, 0) + 1}
        case RunProgressed(frames=frames, seen=seen):
            camera["frames"], camera["seen"] = frames, seen
        case RunInterrupted():
            camera["seen"], camera["interrupted"] = event.seen_at_least, event.interrupted_at_least
        case SourceFailed():
            camera["source_failures"] += 1


def _settle(run: dict[str, Any], entry: Entry, event: Any) -> None:
    match event:
        case DeploymentStarted():
            run["started_at"] = entry.occurred_at
        case DeploymentStopped():
            run["stopped_at"] = entry.occurred_at
        case RunReconciled():
            run["reconciliation"] = Reconciliation.RECONCILED.value
        case ReconciliationFailed():
            run["reconciliation"] = Reconciliation.FAILED.value
        case SourceFailed():
            pass
        case _:
            # A face or a count that comes later: what was compared, was compared too early.
            run["reconciliation"] = Reconciliation.OPEN.value


class RunStatisticsQueries(Queries):
    """Answers :class:`domain.ports.RunStatistics`."""

    NAME = NAME

    def runs(self, deployment: UUID) -> list[RunLine]:
        """The runs of a deployment, in the order in which they were started."""
        asked = select(RUNS).where(RUNS.c.deployment == deployment.hex)
        return self._lines(asked.order_by(RUNS.c.first_position))

    def run(self, run: UUID) -> RunLine | None:
        """One run, if the record tells of it."""
        return next(iter(self._lines(select(RUNS).where(RUNS.c.run == run.hex))), None)

    def _lines(self, asked: Select[Any]) -> list[RunLine]:
        with self._reading() as connection:
            runs = connection.execute(asked.where(self._serving(RUNS))).all()
            cameras = connection.execute(
                select(CAMERAS).where(
                    self._serving(CAMERAS), CAMERAS.c.run.in_([one.run for one in runs])
                )
            ).all()
        return [_line(run, [one for one in cameras if one.run == run.run]) for run in runs]


def _line(run: Row[Any], cameras: Sequence[Row[Any]]) -> RunLine:
    return RunLine(
        run=UUID(run.run),
        deployment=UUID(run.deployment),
        mode=run.mode,
        started_at=_time(run.started_at),
        stopped_at=_time(run.stopped_at),
        reconciliation=Reconciliation(run.reconciliation),
        cameras=tuple(
            CameraStatistics(
                camera=one.camera,
                **{name: getattr(one, name) for name in _COUNTED},
                not_enrolled_for=dict(one.not_enrolled_for),
                max_template_life_ms=one.max_template_life_ms,
            )
            for one in sorted(cameras, key=lambda one: str(one.camera))
        ),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else read(text)

"""The run statistics: what each camera saw in each run, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import JSON, BigInteger, Column, Select, Text, select
from sqlalchemy.engine import Row

from domain.alerts.events import AlertRaised, RaiseRefused
from domain.deployments.events import DeploymentStarted, DeploymentStopped
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

_OUTCOMES = {
    FaceNotEnrolled.NAME: "not_enrolled",
    FaceEnrolledAndDiscarded.NAME: "enrolled_and_discarded",
    AlertRaised.NAME: "alerted",
    SightingSuppressed.NAME: "suppressed",
    RaiseRefused.NAME: "refused",
}
"""What can become of a face, with the column that counts it."""

_COUNTING = names(RunProgressed, RunInterrupted) | _OUTCOMES.keys()
_WHOLE_RUN = names(DeploymentStarted, DeploymentStopped, RunReconciled, ReconciliationFailed)
"""Events of a run that are no camera's."""

_COUNTED = ("frames", "seen", *_OUTCOMES.values(), "interrupted", "source_failures")

CAMERAS = read_model(
    "projection_run_cameras",
    Column("run", HEX, primary_key=True),
    Column("camera", Text, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in _COUNTED),
    Column("not_enrolled_for", JSON, nullable=False),
    Column("max_template_life_ms", BigInteger, nullable=False),
)


class _Told(msgspec.Struct):
    """What the events of a run say: each of them a part of it, the faces of passers-by most."""

    run: str
    camera: str = ""
    template_life_ms: int = 0
    reason: str = ""
    frames: int = 0
    seen: int = 0
    seen_at_least: int = 0
    interrupted_at_least: int = 0


_TOLD = msgspec.json.Decoder(_Told)


class RunStatisticsProjection(Projection):
    """Counts what became of faces, and takes over the tracker's own counters."""

    NAME = NAME
    SHAPE = 1
    TABLES = (RUNS, CAMERAS)
    TAKES = _WHOLE_RUN | _COUNTING | names(SourceFailed)

    def apply(self, entries: Sequence[Entry], writing: Writing) -> None:
        """As in :class:`Projection`."""
        events = [(one, one.told(_TOLD)) for one in entries]
        concerned = {told.run for _, told in events}
        runs = writing.sheet(RUNS, run=concerned)
        cameras = writing.sheet(CAMERAS, run=concerned)
        for entry, told in events:
            run = runs.get(told.run) or runs.add(_run(told.run, entry))
            _settle(run, entry)
            if entry.name not in _WHOLE_RUN:
                key = told.run, told.camera
                _count(cameras.get(*key) or cameras.add(_camera(*key)), entry.name, told)
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


def _count(camera: dict[str, Any], name: str, told: _Told) -> None:
    if (outcome := _OUTCOMES.get(name)) is not None:
        camera[outcome] += 1
        if told.template_life_ms > camera["max_template_life_ms"]:
            camera["max_template_life_ms"] = told.template_life_ms
        if name == FaceNotEnrolled.NAME:
            why = camera["not_enrolled_for"]
            why[told.reason] = why.get(told.reason, 0) + 1
    elif name == RunProgressed.NAME:
        camera["frames"], camera["seen"] = told.frames, told.seen
    elif name == RunInterrupted.NAME:
        camera["seen"], camera["interrupted"] = told.seen_at_least, told.interrupted_at_least
    elif name == SourceFailed.NAME:
        camera["source_failures"] += 1


def _settle(run: dict[str, Any], entry: Entry) -> None:
    if entry.name in _COUNTING:
        # It comes later than what was compared, so that was compared too early.
        run["reconciliation"] = Reconciliation.OPEN.value
    elif entry.name == DeploymentStarted.NAME:
        run["started_at"] = entry.occurred_at
    elif entry.name == DeploymentStopped.NAME:
        run["stopped_at"] = entry.occurred_at
    elif entry.name == RunReconciled.NAME:
        run["reconciliation"] = Reconciliation.RECONCILED.value
    elif entry.name == ReconciliationFailed.NAME:
        run["reconciliation"] = Reconciliation.FAILED.value


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

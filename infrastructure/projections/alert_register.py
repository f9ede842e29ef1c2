"""The alert register: every possible match, how far it has come, and what changed it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Integer, Text, literal, select
from sqlalchemy.engine import Row

from domain.alerts.events import (
    AlertAdjudicated,
    AlertClosedUndetermined,
    AlertRaised,
    AlertViewed,
)
from domain.deployments.events import DeploymentAppliedFor
from domain.kernel.time import read
from domain.ports import AlertChange, AlertLine, AlertState
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

NAME = "alert_register"

DEPLOYMENTS = read_model(
    "projection_alert_deployments", Column("deployment", HEX, primary_key=True)
)
ALERTS = read_model(
    "projection_alerts",
    Column("alert", HEX, primary_key=True),
    Column("deployment", HEX, nullable=False),
    Column("mode", Text, nullable=False),
    Column("run", HEX, nullable=False),
    Column("camera", Text, nullable=False),
    Column("watchlist", HEX, nullable=False),
    Column("entry", HEX, nullable=False),
    Column("threshold", Text, nullable=False),
    Column("raised_at", TIME, nullable=False),
    Column("state", Text, nullable=False),
    Column("decision", Text),
    Column("decided_at", TIME),
    Column("version", Integer, nullable=False),
    Column("raised_position", BigInteger, nullable=False),
    Column("newest_position", BigInteger, nullable=False),
)
index(ALERTS, "deployment", "raised_position")

CHANGES = read_model(
    "projection_alert_changes",
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("deployment", HEX, nullable=False),
    Column("alert", HEX, nullable=False),
    Column("name", Text, nullable=False),
    Column("occurred_at", TIME, nullable=False),
    Column("state", Text, nullable=False),
    Column("decision", Text),
    Column("decided_at", TIME),
    Column("version", Integer, nullable=False),
)
index(CHANGES, "deployment", "position")

_MOVING = ("state", "decision", "decided_at", "version")
"""What a change can change, so what each keeps of the alert as it left it."""


class AlertRegisterProjection(Projection):
    """Follows alerts from the possible match to the decision."""

    NAME = NAME
    SHAPE = 1
    TABLES = (DEPLOYMENTS, ALERTS, CHANGES)
    TAKES = names(
        DeploymentAppliedFor, AlertRaised, AlertViewed, AlertAdjudicated, AlertClosedUndetermined
    )

    def apply(self, entries: Sequence[Entry], writing: Writing) -> None:
        """As in :class:`Projection`."""
        applied = DeploymentAppliedFor.NAME
        writing.put(
            DEPLOYMENTS, [{"deployment": one.stream} for one in entries if one.name == applied]
        )
        about = [one for one in entries if one.name != applied]
        alerts = writing.sheet(ALERTS, alert={one.stream for one in about})
        changes = []
        for entry in about:
            event = entry.event
            if isinstance(event, AlertRaised):
                line = alerts.add(_raised(entry, event))
            else:
                line = alerts.row(entry.stream)
                _change(line, entry, event)
            changes.append(
                {
                    "position": entry.pos,
                    "deployment": line["deployment"],
                    "alert": entry.stream,
                    "name": entry.name,
                    "occurred_at": entry.occurred_at,
                    **{name: line[name] for name in _MOVING},
                }
            )
        alerts.store()
        writing.add(CHANGES, changes)


def _raised(entry: Entry, event: AlertRaised) -> dict[str, Any]:
    return {
        "alert": entry.stream,
        "deployment": entry.scope,
        "mode": entry.mode,
        "run": event.run.hex,
        "camera": event.camera,
        "watchlist": event.watchlist.hex,
        "entry": event.entry.hex,
        "threshold": format(event.threshold, "f"),
        "raised_at": entry.occurred_at,
        "state": AlertState.RAISED.value,
        "decision": None,
        "decided_at": None,
        "version": entry.version,
        "raised_position": entry.pos,
        "newest_position": entry.pos,
    }


def _change(line: dict[str, Any], entry: Entry, event: object) -> None:
    match event:
        case AlertViewed():
            # An alert may be looked at again after it was decided.
            if line["state"] == AlertState.RAISED:
                line["state"] = AlertState.VIEWED.value
        case AlertAdjudicated():
            line["state"] = AlertState.ADJUDICATED.value
            line["decision"], line["decided_at"] = event.decision, entry.occurred_at
        case AlertClosedUndetermined():
            line["state"] = AlertState.CLOSED_UNDETERMINED.value
    line["version"], line["newest_position"] = entry.version, entry.pos


class AlertRegisterQueries(Queries):
    """Answers :class:`domain.ports.AlertRegister`."""

    NAME = NAME

    def knows(self, deployment: UUID) -> bool:
        """Whether such a deployment was ever applied for."""
        asked = select(literal(1)).where(
            self._serving(DEPLOYMENTS), DEPLOYMENTS.c.deployment == deployment.hex
        )
        return bool(self._rows(asked))

    def alerts(
        self, deployment: UUID, *, before: int | None = None, limit: int = 100
    ) -> list[AlertLine]:
        """Alerts of a deployment, the newest first."""
        asked = (
            select(ALERTS)
            .where(self._serving(ALERTS), ALERTS.c.deployment == deployment.hex)
            .order_by(ALERTS.c.raised_position.desc())
            .limit(limit)
        )
        if before is not None:
            asked = asked.where(ALERTS.c.raised_position < before)
        return [_line(row) for row in self._rows(asked)]

    def changes(self, deployment: UUID, *, after: int, limit: int = 500) -> list[AlertChange]:
        """What raised or changed alerts of a deployment behind a position, in order."""
        still = [one for one in ALERTS.c if one.name not in (*_MOVING, "newest_position")]
        asked = (
            select(
                *still,
                *(CHANGES.c[name] for name in _MOVING),
                CHANGES.c.position.label("newest_position"),
                CHANGES.c.name,
                CHANGES.c.occurred_at,
            )
            .join(
                ALERTS,
                (ALERTS.c.generation == CHANGES.c.generation) & (ALERTS.c.alert == CHANGES.c.alert),
            )
            .where(
                self._serving(CHANGES),
                CHANGES.c.deployment == deployment.hex,
                CHANGES.c.position > after,
            )
            .order_by(CHANGES.c.position)
            .limit(limit)
        )
        return [
            AlertChange(
                position=row.newest_position,
                name=row.name,
                occurred_at=read(row.occurred_at),
                line=_line(row),
            )
            for row in self._rows(asked)
        ]


def _line(row: Row[Any]) -> AlertLine:
    return AlertLine(
        alert=UUID(row.alert),
        deployment=UUID(row.deployment),
        mode=row.mode,
        run=UUID(row.run),
        camera=row.camera,
        watchlist=UUID(row.watchlist),
        entry=UUID(row.entry),
        threshold=Decimal(row.threshold),
        raised_at=read(row.raised_at),
        state=AlertState(row.state),
        decision=row.decision,
        decided_at=None if row.decided_at is None else read(row.decided_at),
        version=row.version,
        raised_position=row.raised_position,
        newest_position=row.newest_position,
    )

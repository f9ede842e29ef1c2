"""The custody register: every item of personal data, and whether it was gone in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, ColumnElement, Integer, Text, func, or_, select
from sqlalchemy.engine import Row

from domain.custody.classes import ClockStart
from domain.custody.events import (
    DestructionStarted,
    HoldEnded,
    ItemConsulted,
    ItemDestroyed,
    ItemHeld,
    ItemRegistered,
    ItemSealed,
)
from domain.custody.schedule import BUILT_IN
from domain.deployments.events import DeploymentCancelled, DeploymentEnded
from domain.kernel.time import read, written
from domain.ports import ClassCount, ItemLine, ItemState
from infrastructure.projections.entries import Entry
from infrastructure.projections.projection import (
    HEX,
    TIME,
    Projection,
    Queries,
    Sheet,
    Writing,
    index,
    names,
    read_model,
)

NAME = "custody_register"

_OVER = (DeploymentEnded, DeploymentCancelled)

ITEMS = read_model(
    "projection_items",
    Column("item", HEX, primary_key=True),
    Column("item_class", Text, nullable=False),
    Column("deployment", HEX, nullable=False),
    Column("concerning", HEX, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("due_at", TIME, nullable=False),
    Column("registered_at", TIME, nullable=False),
    Column("sealed_at", TIME),
    Column("destruction_started_at", TIME),
    Column("destroyed_at", TIME),
    Column("cause", Text),
    Column("consultations", Integer, nullable=False),
    Column("registered_position", BigInteger, nullable=False),
    Column("newest_position", BigInteger, nullable=False),
)
index(ITEMS, "deployment", "registered_position")
index(ITEMS, "due_at", where=ITEMS.c.destroyed_at.is_(None))


class CustodyRegisterProjection(Projection):
    """Follows items from their registration to their receipt."""

    NAME = NAME
    SHAPE = 2
    TABLES = (ITEMS,)
    TAKES = names(
        ItemRegistered,
        ItemSealed,
        ItemConsulted,
        ItemHeld,
        HoldEnded,
        DestructionStarted,
        ItemDestroyed,
        DeploymentEnded,
        DeploymentCancelled,
    )

    def apply(self, entries: Sequence[Entry], writing: Writing) -> None:
        """As in :class:`Projection`."""
        over = {one.stream for one in entries if isinstance(one.event, _OVER)}
        rows = {
            row["item"]: row
            for row in (
                *writing.fetch(ITEMS, item={one.stream for one in entries}),
                *writing.fetch(ITEMS, deployment=over),
            )
        }
        items = Sheet(writing, ITEMS, rows.values())
        for entry in entries:
            event = entry.event
            if isinstance(event, ItemRegistered):
                rows[entry.stream] = items.add(_registered(entry, event))
            elif isinstance(event, _OVER):
                _bring_forward(rows.values(), entry)
            else:
                _change(items.row(entry.stream), entry, event)
        items.store()


def _bring_forward(rows: Iterable[dict[str, Any]], entry: Entry) -> None:
    """A deployment that is over earlier than its window starts the clock of what waits for that."""
    over_at = read(entry.occurred_at)
    for row in rows:
        rule = BUILT_IN.rule(row["item_class"])
        if rule.starts is ClockStart.DEPLOYMENT_END and row["deployment"] == entry.stream:
            row["due_at"] = min(row["due_at"], written(over_at + rule.limit))


def _registered(entry: Entry, event: ItemRegistered) -> dict[str, Any]:
    return {
        "item": entry.stream,
        "item_class": event.item_class,
        "deployment": event.deployment.hex,
        "concerning": event.concerning.hex,
        "mode": entry.mode,
        "state": ItemState.REGISTERED.value,
        "rule": event.rule,
        "due_at": written(event.due_at),
        "registered_at": entry.occurred_at,
        "sealed_at": None,
        "destruction_started_at": None,
        "destroyed_at": None,
        "cause": None,
        "consultations": 0,
        "registered_position": entry.pos,
        "newest_position": entry.pos,
    }


def _change(line: dict[str, Any], entry: Entry, event: object) -> None:
    match event:
        case ItemSealed():
            line["state"], line["sealed_at"] = ItemState.SEALED.value, entry.occurred_at
        case ItemConsulted():
            line["consultations"] += 1
        case ItemHeld() | HoldEnded():
            line["due_at"] = written(event.due_at)
        case DestructionStarted():
            line["state"] = ItemState.DESTRUCTION_STARTED.value
            line["destruction_started_at"], line["cause"] = entry.occurred_at, event.cause
        case ItemDestroyed():
            line["state"] = ItemState.DESTROYED.value
            line["destroyed_at"] = written(event.finished_at)
    line["newest_position"] = entry.pos


class CustodyRegisterQueries(Queries):
    """Answers :class:`domain.ports.CustodyRegister`."""

    NAME = NAME

    def item(self, item: UUID) -> ItemLine | None:
        """One item, if it was ever registered."""
        rows = self._rows(select(ITEMS).where(self._serving(ITEMS), ITEMS.c.item == item.hex))
        return next((_line(row) for row in rows), None)

    def items(self, deployment: UUID, *, after: int = -1, limit: int = 100) -> list[ItemLine]:
        """The items of a deployment, in the order of their registration."""
        asked = (
            select(ITEMS)
            .where(
                self._serving(ITEMS),
                ITEMS.c.deployment == deployment.hex,
                ITEMS.c.registered_position > after,
            )
            .order_by(ITEMS.c.registered_position)
            .limit(limit)
        )
        return [_line(row) for row in self._rows(asked)]

    def overdue(self, at: datetime, *, deployment: UUID | None = None) -> list[ItemLine]:
        """Items that still existed at a time although they had to be gone, the longest first."""
        asked = (
            select(ITEMS)
            .where(self._of(deployment), _overdue(written(at)))
            .order_by(ITEMS.c.due_at, ITEMS.c.registered_position)
        )
        return [_line(row) for row in self._rows(asked)]

    def counts(self, at: datetime, *, deployment: UUID | None = None) -> list[ClassCount]:
        """How many items of each class there were at a time, by class."""
        then = written(at)
        gone = ITEMS.c.destroyed_at <= then
        asked = (
            select(
                ITEMS.c.item_class,
                func.count().label("registered"),
                func.count().filter(_existed(then)).label("existing"),
                func.count().filter(_overdue(then)).label("overdue"),
                func.count().filter(gone).label("destroyed"),
                func.count()
                .filter(gone, ITEMS.c.destroyed_at > ITEMS.c.due_at)
                .label("destroyed_late"),
            )
            .where(self._of(deployment), ITEMS.c.registered_at <= then)
            .group_by(ITEMS.c.item_class)
        )
        counted = [ClassCount(**row._mapping) for row in self._rows(asked)]
        return sorted(counted, key=lambda one: one.item_class)

    def _of(self, deployment: UUID | None) -> ColumnElement[bool]:
        serving = self._serving(ITEMS)
        return serving if deployment is None else serving & (ITEMS.c.deployment == deployment.hex)


def _existed(then: str) -> ColumnElement[bool]:
    """Registered by that time and not destroyed by then."""
    return (ITEMS.c.registered_at <= then) & or_(
        ITEMS.c.destroyed_at.is_(None), ITEMS.c.destroyed_at > then
    )


def _overdue(then: str) -> ColumnElement[bool]:
    """Existing at a time later than the latest at which it might."""
    return (ITEMS.c.due_at < then) & _existed(then)


def _line(row: Row[Any]) -> ItemLine:
    return ItemLine(
        item=UUID(row.item),
        item_class=row.item_class,
        deployment=UUID(row.deployment),
        concerning=UUID(row.concerning),
        mode=row.mode,
        state=ItemState(row.state),
        rule=row.rule,
        due_at=read(row.due_at),
        registered_at=read(row.registered_at),
        sealed_at=_time(row.sealed_at),
        destruction_started_at=_time(row.destruction_started_at),
        destroyed_at=_time(row.destroyed_at),
        cause=row.cause,
        consultations=row.consultations,
        registered_position=row.registered_position,
        newest_position=row.newest_position,
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else read(text)

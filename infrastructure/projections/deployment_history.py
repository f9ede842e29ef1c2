"""The deployment history: one line for each entry of each deployment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, Text, or_, select
from sqlalchemy.engine import Row

from domain.alerts.events import (
    AlertAdjudicated,
    AlertClosedUndetermined,
    AlertRaised,
    AlertViewed,
    DissentRecorded,
)
from domain.catalogue import EVENTS
from domain.custody.events import (
    ConsultationRefused,
    DestructionStarted,
    ItemConsulted,
    ItemDestroyed,
    ItemRegistered,
    ItemSealed,
)
from domain.engagements.events import EngagementEvent
from domain.kernel.references import FORCE
from domain.kernel.refusals import WasRefused
from domain.kernel.time import read
from domain.ports import HistoryLine
from domain.sightings.events import SightingSuppressed
from domain.watchlists.events import EntryAccepted, EntryProposed, EntryRejected, EntryRemoved
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

NAME = "deployment_history"

HISTORY = read_model(
    "projection_deployment_history",
    Column("deployment", HEX, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("occurred_at", TIME, nullable=False),
    Column("name", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("stream", HEX, nullable=False),
    Column("item", HEX),
    Column("concerning", HEX),
)
# Faces of passers-by are most of the entries, and concern nobody: they stay out of these.
index(HISTORY, "item", where=HISTORY.c.item.is_not(None))
index(HISTORY, "concerning", where=HISTORY.c.concerning.is_not(None))

_ALERTS = names(
    AlertRaised, AlertViewed, AlertAdjudicated, DissentRecorded, AlertClosedUndetermined
)
_FOLLOWING = frozenset(one.NAME for one in get_args(EngagementEvent))
"""Events that say which alert they followed."""
_ITEMS = names(ItemSealed, ItemConsulted, DestructionStarted, ItemDestroyed)
_REFUSALS = frozenset(name for name, kind in EVENTS.items() if issubclass(kind, WasRefused))


class DeploymentHistoryProjection(Projection):
    """Writes one line for each entry."""

    NAME = NAME
    SHAPE = 3
    TABLES = (HISTORY,)
    TAKES = frozenset(EVENTS)

    def apply(self, entries: Sequence[Entry], writing: Writing) -> None:
        """As in :class:`Projection`."""
        lines = [_line(entry) for entry in entries if entry.scope != FORCE]
        _say_what_items_concern(lines, writing)
        writing.add(HISTORY, lines)


def _line(entry: Entry) -> dict[str, Any]:
    item, concerning = _about(entry)
    return {
        "deployment": entry.scope,
        "position": entry.pos,
        "occurred_at": entry.occurred_at,
        "name": entry.name,
        "mode": entry.mode,
        "role": entry.role,
        "actor": entry.actor,
        "refused": entry.name in _REFUSALS,
        "stream": entry.stream,
        "item": item,
        "concerning": concerning,
    }


def _about(entry: Entry) -> tuple[str | None, str | None]:
    """The item that an entry tells of, and what it concerns as far as the entry itself says."""
    if entry.name in _ALERTS:
        return None, entry.stream
    if entry.name in _ITEMS:
        return entry.stream, None
    if entry.name not in _TELLING:
        return None, None
    match entry.event:
        case ItemRegistered(concerning=belongs_to):
            return entry.stream, belongs_to.hex
        case ConsultationRefused(concerning=item):
            return (None, None) if item is None else (item.hex, None)
        case WasRefused(concerning=stream):
            return None, None if stream is None else stream.hex
        case SightingSuppressed(alert=alert):
            return None, alert.hex
        case event if entry.name in _FOLLOWING:
            return None, event.alert.hex  # type: ignore[attr-defined]
        case (
            EntryProposed(entry=one)
            | EntryAccepted(entry=one)
            | EntryRejected(entry=one)
            | EntryRemoved(entry=one)
        ):
            return None, one.hex
    return None, None


_TELLING = (
    _REFUSALS
    | _FOLLOWING
    | names(ItemRegistered, SightingSuppressed)
    | names(EntryProposed, EntryAccepted, EntryRejected, EntryRemoved)
)
"""Events whose own fields say what they concern."""


def _say_what_items_concern(lines: list[dict[str, Any]], writing: Writing) -> None:
    """An item's entries concern what the item was registered for."""
    about = [line for line in lines if line["item"] is not None]
    earlier = writing.fetch(HISTORY, item={line["item"] for line in about})
    belongs_to: dict[str, str | None] = {}
    for line in (*earlier, *about):
        if line["name"] == ItemRegistered.NAME:
            belongs_to[line["item"]] = line["concerning"]
        line["concerning"] = belongs_to.get(line["item"])


class DeploymentHistoryQueries(Queries):
    """Answers :class:`domain.ports.DeploymentHistory`."""

    NAME = NAME

    def lines(
        self,
        deployment: UUID,
        *,
        after: int = -1,
        limit: int = 500,
        names: Collection[str] | None = None,
        roles: Collection[str] | None = None,
        refused_only: bool = False,
        about: UUID | None = None,
    ) -> list[HistoryLine]:
        """The history of a deployment, in the order of the log."""
        asked = (
            select(HISTORY)
            .where(
                self._serving(HISTORY),
                HISTORY.c.deployment == deployment.hex,
                HISTORY.c.position > after,
            )
            .order_by(HISTORY.c.position)
            .limit(limit)
        )
        if names is not None:
            asked = asked.where(HISTORY.c.name.in_(sorted(names)))
        if roles is not None:
            asked = asked.where(HISTORY.c.role.in_(sorted(roles)))
        if refused_only:
            asked = asked.where(HISTORY.c.refused)
        if about is not None:
            asked = asked.where(
                or_(
                    *(HISTORY.c[one] == about.hex for one in ("concerning", "item", "stream")),
                )
            )
        return [_told(row) for row in self._rows(asked)]


def _told(row: Row[Any]) -> HistoryLine:
    return HistoryLine(
        position=row.position,
        occurred_at=read(row.occurred_at),
        name=row.name,
        mode=row.mode,
        role=row.role,
        actor=row.actor,
        refused=row.refused,
        stream=UUID(row.stream),
        item=None if row.item is None else UUID(row.item),
        concerning=None if row.concerning is None else UUID(row.concerning),
    )

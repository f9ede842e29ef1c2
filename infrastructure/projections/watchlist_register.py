"""The watchlist register: every list, how far it has come, and where its entries stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, Select, Text, func, select
from sqlalchemy.engine import Row

from domain.kernel.time import read
from domain.ports import EntryLine, EntryState, WatchlistLine, WatchlistState
from domain.watchlists.events import (
    CriteriaApproved,
    CriteriaProposed,
    EntriesReviewed,
    EntryAccepted,
    EntryProposed,
    EntryRejected,
    EntryRemoved,
    ExtraAuthorityDecided,
    SealRequested,
    WatchlistApproved,
    WatchlistReopened,
    WatchlistSealed,
)
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

NAME = "watchlist_register"

WATCHLISTS = read_model(
    "projection_watchlists",
    Column("watchlist", HEX, primary_key=True),
    Column("deployment", HEX, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("categories", JSON, nullable=False),
    Column("accepted_values", Text, nullable=False),
    Column("model_digest", Text),
    Column("proposed_at", TIME, nullable=False),
    Column("sealed_at", TIME),
    Column("approved_at", TIME),
    Column("version", Integer, nullable=False),
    Column("first_position", BigInteger, nullable=False),
    Column("newest_position", BigInteger, nullable=False),
)
index(WATCHLISTS, "deployment", "first_position")

ENTRIES = read_model(
    "projection_watchlist_entries",
    Column("watchlist", HEX, primary_key=True),
    Column("entry", HEX, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("category", Text, nullable=False),
    Column("source_system", Text, nullable=False),
    Column("image_basis", Text, nullable=False),
    Column("necessity", Text, nullable=False),
    Column("attempted_means", Text, nullable=False),
    Column("attempted_on", Text, nullable=False),
    Column("attempted_result", Text, nullable=False),
    Column("nexus", Text, nullable=False),
    Column("age_band", Text, nullable=False),
    Column("vulnerable", Boolean, nullable=False),
    Column("response_code", Text, nullable=False),
    Column("proposed_at", TIME, nullable=False),
    Column("judged_at", TIME),
)


class WatchlistRegisterProjection(Projection):
    """Follows lists from their criteria to their approval."""

    NAME = NAME
    SHAPE = 2
    TABLES = (WATCHLISTS, ENTRIES)
    TAKES = names(
        CriteriaProposed,
        CriteriaApproved,
        EntryProposed,
        EntryAccepted,
        EntryRejected,
        SealRequested,
        WatchlistSealed,
        WatchlistApproved,
        EntriesReviewed,
        EntryRemoved,
        ExtraAuthorityDecided,
        WatchlistReopened,
    )

    def apply(self, entries: Sequence[Entry], writing: Writing) -> None:
        """As in :class:`Projection`."""
        events = [(one, one.event) for one in entries]
        of_entries = {
            event.entry.hex
            for _, event in events
            if isinstance(event, EntryProposed | EntryAccepted | EntryRejected | EntryRemoved)
        }
        touched = {one.stream for one in entries}
        lists = writing.sheet(WATCHLISTS, watchlist=touched)
        on_them = writing.sheet(ENTRIES, watchlist=touched, entry=of_entries)
        for entry, event in events:
            if isinstance(event, CriteriaProposed):
                # Criteria may be proposed again until they are approved.
                line = lists.get(entry.stream) or lists.add(_opened(entry, event))
                line["categories"] = event.categories
                line["accepted_values"] = event.accepted_values
            else:
                line = lists.row(entry.stream)
                _change(line, entry, event, on_them)
            line["version"], line["newest_position"] = entry.version, entry.pos
        lists.store()
        on_them.store()


def _opened(entry: Entry, event: CriteriaProposed) -> dict[str, Any]:
    return {
        "watchlist": entry.stream,
        "deployment": event.deployment.hex,
        "mode": entry.mode,
        "state": WatchlistState.CRITERIA_PROPOSED.value,
        "categories": event.categories,
        "accepted_values": event.accepted_values,
        "model_digest": None,
        "proposed_at": entry.occurred_at,
        "sealed_at": None,
        "approved_at": None,
        "version": entry.version,
        "first_position": entry.pos,
        "newest_position": entry.pos,
    }


def _change(line: dict[str, Any], entry: Entry, event: object, on_them: Sheet) -> None:
    match event:
        case CriteriaApproved():
            line["state"] = WatchlistState.CRITERIA_APPROVED.value
        case EntryProposed():
            on_them.add(_proposed(entry, event))
        case EntryAccepted():
            line["model_digest"] = event.model_digest
            _judged(on_them.row(entry.stream, event.entry.hex), entry, EntryState.ACCEPTED, [])
        case EntryRejected():
            one = on_them.row(entry.stream, event.entry.hex)
            _judged(one, entry, EntryState.REJECTED, event.reasons)
        case EntryRemoved():
            one = on_them.row(entry.stream, event.entry.hex)
            one["state"], one["reasons"] = EntryState.REMOVED.value, [event.reason]
        case WatchlistReopened():
            line["state"] = WatchlistState.CRITERIA_APPROVED.value
            line["sealed_at"] = line["approved_at"] = None
        case SealRequested():
            line["state"] = WatchlistState.SEAL_REQUESTED.value
        case WatchlistSealed():
            line["state"], line["sealed_at"] = WatchlistState.SEALED.value, entry.occurred_at
        case WatchlistApproved():
            line["state"], line["approved_at"] = WatchlistState.APPROVED.value, entry.occurred_at


def _proposed(entry: Entry, event: EntryProposed) -> dict[str, Any]:
    return {
        "watchlist": entry.stream,
        "entry": event.entry.hex,
        "state": EntryState.PROPOSED.value,
        "reasons": [],
        **{name: getattr(event, name) for name in _CODES},
        "proposed_at": entry.occurred_at,
        "judged_at": None,
    }


def _judged(one: dict[str, Any], entry: Entry, state: EntryState, reasons: list[str]) -> None:
    one["state"], one["reasons"], one["judged_at"] = state.value, reasons, entry.occurred_at


_CODES = (
    "category",
    "source_system",
    "image_basis",
    "necessity",
    "attempted_means",
    "attempted_on",
    "attempted_result",
    "nexus",
    "age_band",
    "vulnerable",
    "response_code",
)
"""What an entry is listed with, as it stands in its event and in its line."""


class WatchlistRegisterQueries(Queries):
    """Answers :class:`domain.ports.WatchlistRegister`."""

    NAME = NAME

    def watchlists(self, deployment: UUID) -> list[WatchlistLine]:
        """The lists of a deployment, in the order of their criteria."""
        asked = select(WATCHLISTS).where(WATCHLISTS.c.deployment == deployment.hex)
        return self._lines(asked.order_by(WATCHLISTS.c.first_position))

    def watchlist(self, watchlist: UUID) -> WatchlistLine | None:
        """One list, if its criteria were ever proposed."""
        asked = select(WATCHLISTS).where(WATCHLISTS.c.watchlist == watchlist.hex)
        return next(iter(self._lines(asked)), None)

    def entries(
        self, watchlist: UUID, *, after: UUID | None = None, limit: int = 100
    ) -> list[EntryLine]:
        """The entries of a list, by reference."""
        asked = (
            select(ENTRIES)
            .where(self._serving(ENTRIES), ENTRIES.c.watchlist == watchlist.hex)
            .order_by(ENTRIES.c.entry)
            .limit(limit)
        )
        if after is not None:
            asked = asked.where(ENTRIES.c.entry > after.hex)
        return [_entry_line(row) for row in self._rows(asked)]

    def _lines(self, asked: Select[Any]) -> list[WatchlistLine]:
        counted = select(
            ENTRIES.c.watchlist, ENTRIES.c.state, ENTRIES.c.category, func.count().label("many")
        ).group_by(ENTRIES.c.watchlist, ENTRIES.c.state, ENTRIES.c.category)
        with self._reading() as connection:
            rows = connection.execute(asked.where(self._serving(WATCHLISTS))).all()
            counts = connection.execute(
                counted.where(
                    self._serving(ENTRIES),
                    ENTRIES.c.watchlist.in_([row.watchlist for row in rows]),
                )
            ).all()
        return [
            _line(row, [one for one in counts if one.watchlist == row.watchlist]) for row in rows
        ]


def _line(row: Row[Any], counts: Sequence[Row[Any]]) -> WatchlistLine:
    by_state: dict[EntryState, int] = dict.fromkeys(EntryState, 0)
    by_category: dict[str, int] = defaultdict(int)
    for one in counts:
        by_state[EntryState(one.state)] += one.many
        if one.state == EntryState.ACCEPTED:
            by_category[one.category] += one.many
    return WatchlistLine(
        watchlist=UUID(row.watchlist),
        deployment=UUID(row.deployment),
        mode=row.mode,
        state=WatchlistState(row.state),
        categories=tuple(row.categories),
        accepted_values=row.accepted_values,
        by_state=by_state,
        by_category=dict(sorted(by_category.items())),
        model_digest=row.model_digest,
        proposed_at=read(row.proposed_at),
        sealed_at=None if row.sealed_at is None else read(row.sealed_at),
        approved_at=None if row.approved_at is None else read(row.approved_at),
        version=row.version,
        newest_position=row.newest_position,
    )


def _entry_line(row: Row[Any]) -> EntryLine:
    return EntryLine(
        entry=UUID(row.entry),
        watchlist=UUID(row.watchlist),
        state=EntryState(row.state),
        reasons=tuple(row.reasons),
        **{name: getattr(row, name) for name in _CODES},
        proposed_at=read(row.proposed_at),
        judged_at=None if row.judged_at is None else read(row.judged_at),
    )

"""The SQLite recorder: entries, their places and the log's head in ONE transaction.

An event without a position cannot exist, and no position is ever given twice: both are written
by the transaction that writes the event, under the log's lock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from domain.assurance.entries import complete
from domain.assurance.tree import Frontier, FrontierMalformedError, leaf_hash
from domain.kernel.commands import Command
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.kernel.events import NEXT_VERSION


@dataclass(frozen=True)
class Attribution:
    """What the log adds to an event: who asked, and when and in which state it was recorded."""

    command: Command
    recorded_at: str
    clock: str
    given: Mapping[UUID, int]


@dataclass(frozen=True)
class _Row:
    """One row to insert: the entry and its index columns."""

    position: int
    stream: str
    version: int
    name: str
    scope: str
    scope_pos: int
    leaf: bytes
    entry: bytes


class LogRecorder(SQLiteApplicationRecorder):
    """Adds the log to the library's recorder. The tables are Alembic's (``migrations/``)."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)

    def construct_create_table_statements(self) -> list[str]:
        """None: the library makes no table here."""
        return []

    def _insert_events(
        self,
        c: SQLiteCursor,
        stored_events: Sequence[StoredEvent],
        *,
        attribution: Attribution | None = None,
        **_: Any,
    ) -> Sequence[int] | None:
        if not stored_events:
            return []
        if attribution is None:
            raise TypeError("nothing is stored without saying who asked for it")
        # Take the write lock before reading any head: everything below rests on them.
        c.execute("UPDATE log_head SET size = size WHERE one = 1")
        for stream, version in attribution.given.items():
            self._require_version(c, stream, version)
        rows = self._place(c, stored_events, attribution)
        c.executemany(
            "INSERT INTO stored_events (rowid, position, originator_id, originator_version, "
            "topic, scope, scope_pos, leaf, state) VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (
                    row.position + 1,
                    row.position,
                    row.stream,
                    row.version,
                    row.name,
                    row.scope,
                    row.scope_pos,
                    row.leaf,
                    row.entry,
                )
                for row in rows
            ],
        )
        return [row.position + 1 for row in rows]

    def _place(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], by: Attribution
    ) -> list[_Row]:
        """Give each event its position, its place in its scope and its leaf; move the heads."""
        c.execute("SELECT origin, mode, size, frontier FROM log_head WHERE one = 1")
        head = c.fetchone()
        if head is None:
            raise RecordBrokenError("the log has no head: it was there when the record was opened")
        frontier = _frontier(head["size"], head["frontier"])
        scope = by.command.scope
        c.execute("SELECT size, leaf FROM scope_head WHERE scope = ?", (scope,))
        found = c.fetchone()
        scope_pos, scope_prev = (found["size"], found["leaf"]) if found else (0, None)
        versions: dict[UUID, int] = {}
        rows = []
        for event in stored_events:
            event = self._versioned(c, event, versions, scope)
            entry = complete(
                json.loads(event.state) | {"version": event.originator_version},
                log=head["origin"],
                pos=frontier.size,
                mode=head["mode"],
                scope=scope,
                scope_pos=scope_pos,
                scope_prev=scope_prev,
                recorded_at=by.recorded_at,
                clock=by.clock,
                actor=by.command.actor,
                role=by.command.role.value,
                cause=by.command.command_id.hex,
            )
            leaf = leaf_hash(entry)
            rows.append(
                _Row(
                    position=frontier.size,
                    stream=_hex(event.originator_id),
                    version=event.originator_version,
                    name=event.topic,
                    scope=scope,
                    scope_pos=scope_pos,
                    leaf=leaf,
                    entry=entry,
                )
            )
            frontier.append(leaf)
            scope_pos, scope_prev = scope_pos + 1, leaf.hex()
        c.execute(
            "UPDATE log_head SET size = ?, frontier = ? WHERE one = 1",
            (frontier.size, frontier.to_bytes()),
        )
        c.execute(
            "INSERT INTO scope_head (scope, size, leaf) VALUES (?,?,?) "
            "ON CONFLICT (scope) DO UPDATE SET size = excluded.size, leaf = excluded.leaf",
            (scope, scope_pos, scope_prev),
        )
        return rows

    def _versioned(
        self, c: SQLiteCursor, event: StoredEvent, versions: dict[UUID, int], scope: str
    ) -> StoredEvent:
        """The event with its place in its stream; a journal's is given here, under the lock."""
        stream = UUID(_hex(event.originator_id))
        if stream not in versions:
            versions[stream], home = self._head_of(c, stream)
            if home not in (None, scope):
                raise DomainError(
                    f"stream {stream.hex} belongs to scope {home}, not to scope {scope}"
                )
        if event.originator_version == NEXT_VERSION:
            event = replace(event, originator_version=versions[stream] + 1)
        if event.originator_version != versions[stream] + 1:
            raise IntegrityError(
                f"stream {stream.hex} is at version {versions[stream]}, "
                f"cannot add version {event.originator_version}"
            )
        versions[stream] += 1
        return event

    def _require_version(self, c: SQLiteCursor, stream: UUID, version: int) -> None:
        found, _ = self._head_of(c, stream)
        if found != version:
            raise IntegrityError(
                f"the decision rested on stream {stream.hex} at version {version}, "
                f"which is at version {found} now"
            )

    def _head_of(self, c: SQLiteCursor, stream: UUID) -> tuple[int, str | None]:
        """A stream's newest version, and the one scope that it belongs to; 0 and None if new."""
        c.execute(
            "SELECT originator_version AS version, scope FROM stored_events "
            "WHERE originator_id = ? ORDER BY originator_version DESC LIMIT 1",
            (stream.hex,),
        )
        row = c.fetchone()
        return (int(row["version"]), str(row["scope"])) if row else (0, None)


def _frontier(size: int, raw: bytes) -> Frontier:
    try:
        return Frontier.from_bytes(size, raw)
    except FrontierMalformedError as error:
        raise RecordBrokenError(f"the log's head: {error}") from error


def _hex(stream: UUID | str) -> str:
    return stream.hex if isinstance(stream, UUID) else stream

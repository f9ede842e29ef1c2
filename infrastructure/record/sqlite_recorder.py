"""The SQLite recorder: entries, their places and the heads in ONE transaction."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from domain.kernel.errors import RecordBrokenError
from infrastructure.record.group_commit import GroupCommit, GroupedInserts
from infrastructure.record.placing import (
    Heads,
    Row,
    ScopeHead,
    StreamHead,
    Wanted,
    commands_of,
    marks,
    place,
    scopes_of,
    streams_of,
)

IN_ONE_STATEMENT = 100
"""Rows in one INSERT: each statement costs SQLite a savepoint and a look at its sequence."""


class SQLiteRecorder(GroupedInserts, SQLiteApplicationRecorder):
    """Adds the log to the library's recorder. The tables are Alembic's (``migrations/``)."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)
        self.commits = GroupCommit(self.write)

    def construct_create_table_statements(self) -> list[str]:
        """None: the library makes no table here."""
        return []

    def write(self, batch: Sequence[Wanted]) -> None:
        """Store a batch in one transaction; mark each of it as stored or refused.

        Raises:
            RecordBrokenError: the heads do not fit the entries.
            PersistenceError: the database did not take it. Nothing of the batch was stored.
        """
        with self.datastore.transaction(commit=True) as c:
            # Take the write lock before reading any head: everything below rests on them.
            c.execute("UPDATE log_head SET size = size WHERE one = 1")
            heads = _heads(c, batch)
            rows = place(batch, heads)
            if rows:
                _insert(c, rows, heads, scopes_of(batch))
            _mark_answered(c, batch)


def _heads(c: SQLiteCursor, batch: Sequence[Wanted]) -> Heads:
    c.execute("SELECT origin, mode, size, frontier FROM log_head WHERE one = 1")
    head = c.fetchone()
    if head is None:
        raise RecordBrokenError("the log has no head: it was there when the record was opened")
    heads = Heads.of(head["origin"], head["mode"], head["size"], head["frontier"])
    for scope in scopes_of(batch):
        c.execute("SELECT size, leaf FROM scope_head WHERE scope = ?", (scope,))
        if found := c.fetchone():
            heads.scopes[scope] = ScopeHead(found["size"], found["leaf"])
    for stream in streams_of(batch):
        c.execute(
            "SELECT originator_version AS version, scope FROM stored_events "
            "WHERE originator_id = ? ORDER BY originator_version DESC LIMIT 1",
            (stream.hex,),
        )
        if found := c.fetchone():
            heads.streams[stream] = StreamHead(int(found["version"]), str(found["scope"]))
    for command in commands_of(batch):
        c.execute("SELECT 1 FROM answered_commands WHERE command = ?", (command.hex,))
        if c.fetchone():
            heads.answered.add(command)
    return heads


def _insert(c: SQLiteCursor, rows: list[Row], heads: Heads, scopes: list[str]) -> None:
    for start in range(0, len(rows), IN_ONE_STATEMENT):
        some = rows[start : start + IN_ONE_STATEMENT]
        c.execute(
            _insert_of(len(some)),
            [
                value
                for position, stream, version, name, scope, scope_pos, leaf, entry in some
                for value in (
                    position + 1,
                    position,
                    stream.hex,
                    version,
                    name,
                    scope,
                    scope_pos,
                    leaf,
                    entry,
                )
            ],
        )
    c.execute(
        "UPDATE log_head SET size = ?, frontier = ? WHERE one = 1",
        (heads.frontier.size, heads.frontier.to_bytes()),
    )
    c.executemany(
        "INSERT INTO scope_head (scope, size, leaf) VALUES (?,?,?) "
        "ON CONFLICT (scope) DO UPDATE SET size = excluded.size, leaf = excluded.leaf",
        [
            (one, heads.scopes[one].size, heads.scopes[one].leaf)
            for one in scopes
            if one in heads.scopes
        ],
    )


@functools.cache
def _insert_of(many: int) -> str:
    return (
        "INSERT INTO stored_events (rowid, position, originator_id, originator_version, "
        "topic, scope, scope_pos, leaf, state) VALUES " + ",".join(["(?,?,?,?,?,?,?,?,?)"] * many)
    )


def _mark_answered(c: SQLiteCursor, batch: Sequence[Wanted]) -> None:
    c.executemany(
        "INSERT INTO answered_commands (command, scope, digest, digest_key, position, entries) "
        "VALUES (?,?,?,?,?,?)",
        [(command.hex, *marked) for command, *marked in marks(batch)],
    )

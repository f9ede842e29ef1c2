"""The PostgreSQL recorder: entries, their places and the heads in ONE transaction.

An advisory lock orders the writers of all processes. The library's own ``LOCK TABLE`` would ask
for more rights than to read and to insert, which is all that the record's role has; the heads are
moved by a function of the tables' owner (``migrations/versions/0001_record.py``).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from eventsourcing.persistence import InterfaceError, OperationalError, PersistenceError
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Connection
from psycopg.rows import DictRow

from domain.kernel.errors import RecordBrokenError
from infrastructure.record.group_commit import GroupCommit, GroupedInserts, UnknownOutcomeError
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

CHANNEL = "plumbline_log"
"""Where the database tells those who listen that the log has grown."""

OUTCOME_S = 15
"""How long a server that was lost around COMMIT is asked what became of it."""

LOCK = "SELECT pg_advisory_xact_lock(7591802330156)"
"""The log's lock: who has it writes alone, until the transaction ends."""

IN_ONE_STATEMENT = 50
"""Rows up to here go as arrays in one INSERT; more by COPY, which needs two more answers."""

_TYPES = ("int8", "uuid", "int8", "text", "text", "int8", "bytea", "bytea")
_COLUMNS = "position, originator_id, originator_version, topic, scope, scope_pos, leaf, state"
"""In the order of :class:`Row`."""

_INSERT = f"""
INSERT INTO stored_events ({_COLUMNS})
SELECT * FROM unnest({", ".join(f"%b::{one}[]" for one in _TYPES)})
"""

_MARK = """
INSERT INTO answered_commands (command, scope, digest, digest_key, position, entries)
VALUES (%b, %b, %b, %b, %b, %b)
"""

_MOVE = f"""
SELECT move_heads(%b, %b, %b::text[], %b::int8[], %b::text[]), pg_notify('{CHANNEL}', '')
"""

_STREAM_HEADS = """
SELECT wanted.stream, newest.originator_version AS version, newest.scope
FROM unnest(%b::uuid[]) AS wanted (stream)
CROSS JOIN LATERAL (
    SELECT originator_version, scope FROM stored_events
    WHERE originator_id = wanted.stream ORDER BY originator_version DESC LIMIT 1
) AS newest
"""


class PostgresRecorder(GroupedInserts, PostgresApplicationRecorder):
    """Adds the log to the library's recorder. The tables are Alembic's (``migrations/``)."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore)
        self.commits = GroupCommit(self.write)

    def write(self, batch: Sequence[Wanted]) -> None:
        """Store a batch in one transaction; mark each of it as stored or refused.

        A connection can have died since it was last used: nothing was asked of it then, so
        another is taken. It can be lost after COMMIT was sent and before it was answered: what
        was placed is then looked for.

        Raises:
            RecordBrokenError: the heads do not fit the entries.
            UnknownOutcomeError: the server cannot be asked what became of a COMMIT.
            PersistenceError: the database did not take it. Nothing of the batch was stored.
        """
        for is_last in (False, True):
            attempt = _Attempt(batch)
            try:
                self._make(attempt)
                return
            except (OperationalError, InterfaceError):
                if attempt.sent is not None:
                    if self._stands(attempt.sent):
                        return
                    raise
                if is_last or attempt.begun or not attempt.connected:
                    raise
            self.datastore.pool.check()

    def _make(self, attempt: _Attempt) -> None:
        with self.datastore.get_connection() as connection:
            attempt.connected = True
            heads = _heads(connection, attempt)
            rows = place(attempt.batch, heads)
            if len(rows) > IN_ONE_STATEMENT:
                _copy(connection, rows)
            if rows:
                attempt.sent = rows[-1]
            with connection.pipeline():
                if 0 < len(rows) <= IN_ONE_STATEMENT:
                    _insert(connection, rows)
                if rows:
                    _move_on(connection, heads, attempt.batch)
                connection.execute("COMMIT")

    def _stands(self, row: Row) -> bool:
        """Whether this row was stored after all: its leaf hash is at its position only then.

        Raises:
            UnknownOutcomeError: the database cannot be asked.
        """
        until = time.monotonic() + OUTCOME_S
        while True:
            self.datastore.pool.check()
            try:
                return self._found(row)
            except PersistenceError as error:
                if time.monotonic() > until:
                    raise UnknownOutcomeError(str(error)) from error

    def _found(self, row: Row) -> bool:
        with self.datastore.transaction(commit=False) as c:
            # The lost connection's transaction may still be at work: it ends before we look.
            c.execute(LOCK)
            c.execute("SELECT leaf FROM stored_events WHERE position = %s", (row.position,))
            found = c.fetchone()
        return found is not None and bytes(found["leaf"]) == row.leaf


@dataclass
class _Attempt:
    """How far the storing of a batch has come."""

    batch: Sequence[Wanted]
    connected: bool = False
    begun: bool = False
    sent: Row | None = None
    """The last row, once nothing but COMMIT is left to do."""


def _heads(connection: Connection[DictRow], attempt: _Attempt) -> Heads:
    """Begin, wait for the log's lock, and read what the batch rests on: asked in one go."""
    batch = attempt.batch
    commands = commands_of(batch)
    with connection.pipeline():
        connection.execute("BEGIN")
        connection.execute(LOCK, prepare=True)
        log = connection.execute(
            "SELECT origin, mode, size, frontier FROM log_head", prepare=True, binary=True
        )
        scopes = connection.execute(
            "SELECT scope, size, leaf FROM scope_head WHERE scope = ANY(%b)",
            (scopes_of(batch),),
            prepare=True,
            binary=True,
        )
        streams = connection.execute(_STREAM_HEADS, (streams_of(batch),), prepare=True, binary=True)
        answered = (
            connection.execute(
                "SELECT command FROM answered_commands WHERE command = ANY(%b::uuid[])",
                (commands,),
                prepare=True,
                binary=True,
            )
            if commands
            else ()
        )
    attempt.begun = True
    head = log.fetchone()
    if head is None:
        raise RecordBrokenError("the log has no head: it was there when the record was opened")
    heads = Heads.of(head["origin"], head["mode"], head["size"], bytes(head["frontier"]))
    for found in scopes:
        heads.scopes[found["scope"]] = ScopeHead(found["size"], found["leaf"])
    for found in streams:
        heads.streams[found["stream"]] = StreamHead(found["version"], found["scope"])
    heads.answered.update(found["command"] for found in answered)
    return heads


def _copy(connection: Connection[DictRow], rows: Sequence[Row]) -> None:
    """Many rows: streamed, so that the server stores the first while the last are written down."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY stored_events ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(row)


def _insert(connection: Connection[DictRow], rows: Sequence[Row]) -> None:
    """A few rows: in one statement, sent together with what follows it."""
    connection.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)], prepare=True)


def _move_on(connection: Connection[DictRow], heads: Heads, batch: Sequence[Wanted]) -> None:
    moved = [(scope, heads.scopes[scope]) for scope in scopes_of(batch) if scope in heads.scopes]
    connection.execute(
        _MOVE,
        (
            heads.frontier.size,
            heads.frontier.to_bytes(),
            [scope for scope, _ in moved],
            [head.size for _, head in moved],
            [head.leaf for _, head in moved],
        ),
        prepare=True,
    )
    for marked in marks(batch):
        connection.execute(_MARK, marked, prepare=True)

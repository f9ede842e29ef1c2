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
from psycopg import Cursor
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

_INSERT = """
INSERT INTO stored_events (position, originator_id, originator_version, topic, scope, scope_pos,
                           leaf, state)
SELECT * FROM unnest(%b::int8[], %b::uuid[], %b::int8[], %b::text[], %b::text[], %b::int8[],
                     %b::bytea[], %b::bytea[])
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
        attempt = _Attempt(batch)
        try:
            self._make(attempt)
        except (OperationalError, InterfaceError):
            if attempt.sent is not None:
                if self._stands(attempt.sent):
                    return
                raise
            if attempt.begun or not attempt.connected:
                raise
            self.datastore.pool.check()
            self._make(_Attempt(batch))

    def _make(self, attempt: _Attempt) -> None:
        with self.datastore.get_connection() as connection:
            attempt.connected = True
            with connection.transaction(), connection.cursor(binary=True) as c:
                c.execute(LOCK, prepare=True)
                attempt.begun = True
                heads = _heads(c, attempt.batch)
                rows = place(attempt.batch, heads)
                if rows:
                    _insert(c, rows, heads, scopes_of(attempt.batch))
                    _mark_answered(c, attempt.batch)
                    attempt.sent = rows[-1]

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


def _heads(c: Cursor[DictRow], batch: Sequence[Wanted]) -> Heads:
    c.execute("SELECT origin, mode, size, frontier FROM log_head", prepare=True)
    head = c.fetchone()
    if head is None:
        raise RecordBrokenError("the log has no head: it was there when the record was opened")
    heads = Heads.of(head["origin"], head["mode"], head["size"], bytes(head["frontier"]))
    c.execute(
        "SELECT scope, size, leaf FROM scope_head WHERE scope = ANY(%b)",
        (scopes_of(batch),),
        prepare=True,
    )
    for found in c:
        heads.scopes[found["scope"]] = ScopeHead(found["size"], found["leaf"])
    c.execute(_STREAM_HEADS, (streams_of(batch),), prepare=True)
    for found in c:
        heads.streams[found["stream"]] = StreamHead(found["version"], found["scope"])
    if commands := commands_of(batch):
        c.execute("SELECT command FROM answered_commands WHERE command = ANY(%b)", (commands,))
        heads.answered.update(found["command"] for found in c)
    return heads


def _insert(c: Cursor[DictRow], rows: list[Row], heads: Heads, scopes: list[str]) -> None:
    c.execute(
        _INSERT,
        (
            [row.position for row in rows],
            [row.stream for row in rows],
            [row.version for row in rows],
            [row.name for row in rows],
            [row.scope for row in rows],
            [row.scope_pos for row in rows],
            [row.leaf for row in rows],
            [row.entry for row in rows],
        ),
        prepare=True,
    )
    moved = [(scope, heads.scopes[scope]) for scope in scopes if scope in heads.scopes]
    c.execute(
        "SELECT move_heads(%b, %b, %b::text[], %b::int8[], %b::text[])",
        (
            heads.frontier.size,
            heads.frontier.to_bytes(),
            [scope for scope, _ in moved],
            [head.size for _, head in moved],
            [head.leaf for _, head in moved],
        ),
        prepare=True,
    )
    c.execute(f"NOTIFY {CHANNEL}")


def _mark_answered(c: Cursor[DictRow], batch: Sequence[Wanted]) -> None:
    c.executemany(
        "INSERT INTO answered_commands (command, scope, digest, digest_key, position, entries) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        list(marks(batch)),
    )

"""A record's database file, read as it is: nothing is decoded, repaired or skipped.

Only SQLite, which the standard library reads. The one module of the proofs that knows a database:
whoever verifies a live record needs it as much as the rest.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from domain.assurance.verification import StoredHead, StoredRow, StoredScopeHead


class DatabaseUnreadableError(Exception):
    """The database cannot be read at all. This is neither sound nor altered."""


@dataclass(frozen=True)
class StoredLog:
    """A log as its database holds it."""

    mode: str
    head: StoredHead
    scope_heads: list[StoredScopeHead]
    rows: Iterator[StoredRow]
    """In the order of the table; to be read while the database is open."""


@contextmanager
def stored_in_sqlite(database: Path) -> Iterator[StoredLog]:
    """Read a record's database without changing a byte of it.

    Raises:
        DatabaseUnreadableError: missing, not a database, of another shape, or damaged.
    """
    if not database.is_file():
        raise DatabaseUnreadableError(f"expected a record at {database}, found none")
    try:
        with closing(_opened(database)) as connection:
            _require_tables(connection, database)
            head = connection.execute(
                "SELECT origin, mode, size, frontier FROM log_head"
            ).fetchone()
            if head is None:
                raise DatabaseUnreadableError(f"the record {database} was never founded")
            origin, mode, size, frontier = head
            yield StoredLog(
                mode=str(mode),
                # origin and mode never None, which would mean that there is nothing to compare
                head=StoredHead(size=size, frontier=frontier, origin=str(origin), mode=str(mode)),
                scope_heads=[
                    StoredScopeHead(scope=scope, size=size, leaf_hex=leaf)
                    for scope, size, leaf in connection.execute(
                        "SELECT scope, size, leaf FROM scope_head ORDER BY scope"
                    )
                ],
                rows=_rows(connection),
            )
    except (sqlite3.Error, UnicodeDecodeError) as error:
        # UnicodeDecodeError: SQLite quotes what is damaged in its own message.
        raise DatabaseUnreadableError(f"the record {database} cannot be read: {error}") from error


def _opened(database: Path) -> sqlite3.Connection:
    """The database, read-only, in one reading transaction.

    SQLite wants to write a shared-memory file even to read a database in write-ahead mode. Where
    there is no journal, or on a read-only medium, nobody is writing, and it is told so.
    """
    # Both journals lie beside the file itself, not beside a link to it. A rollback journal is
    # half a transaction: SQLite would undo it before anyone else reads, so it is not passed over.
    database = database.resolve()
    if (hot := database.with_name(database.name + "-journal")).exists() and hot.stat().st_size:
        raise DatabaseUnreadableError(
            f"the record {database} has a rollback journal beside it: what it holds is not what "
            "the next program reads; open it once (plumbline sweep), then verify"
        )
    journal = database.with_name(database.name + "-wal")
    how = "mode=ro" if journal.exists() else "immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(database))}?{how}", uri=True)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM log_head").fetchone()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        connection.close()
        if not isinstance(error, sqlite3.OperationalError):
            raise
        if os.access(database.parent, os.W_OK) or (journal.exists() and journal.stat().st_size):
            raise
        connection = sqlite3.connect(f"file:{quote(str(database))}?immutable=1", uri=True)
        connection.execute("BEGIN")
    return connection


_ROWS = """
SELECT
  -- rowid is an index over the position too; where they differ, neither is believed
  CASE WHEN rowid = position + 1 THEN position ELSE -1 END,
  originator_id, originator_version, topic, scope, scope_pos, leaf, state
FROM stored_events ORDER BY rowid
"""


def _require_tables(connection: sqlite3.Connection, database: Path) -> None:
    """Refuse views in place of tables: what they show may change with the day and the reader."""
    found = {
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        )
    }
    if missing := {"stored_events", "log_head", "scope_head"} - found:
        raise DatabaseUnreadableError(
            f"expected the tables of a record in {database}, found none called "
            f"{', '.join(sorted(missing))}"
        )
    if (heads := connection.execute("SELECT count(*) FROM log_head").fetchone()[0]) > 1:
        raise DatabaseUnreadableError(f"expected one head in {database}, found {heads}")


def _rows(connection: sqlite3.Connection) -> Iterator[StoredRow]:
    # None of the values is taken for what its column was declared as.
    # made in one step in C: a log has millions
    return map(partial(tuple.__new__, StoredRow), connection.execute(_ROWS))

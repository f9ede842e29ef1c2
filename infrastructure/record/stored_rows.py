"""The stored rows as they are, for verification: nothing is decoded, repaired or skipped."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from domain.assurance.verification import StoredHead, StoredRow, StoredScopeHead
from domain.kernel.errors import DomainError


class RecordUnreadableError(DomainError):
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
        RecordUnreadableError: missing, not a database, of another shape, or damaged.
    """
    if not database.is_file():
        raise RecordUnreadableError(f"expected a record at {database}, found none")
    try:
        with closing(_opened(database)) as connection:
            head = connection.execute(
                "SELECT origin, mode, size, frontier FROM log_head"
            ).fetchone()
            if head is None:
                raise RecordUnreadableError(f"the record {database} was never founded")
            yield StoredLog(
                mode=str(head["mode"]),
                head=StoredHead(
                    size=head["size"],
                    frontier=head["frontier"],
                    # never None, which would mean that there is nothing to compare
                    origin=str(head["origin"]),
                    mode=str(head["mode"]),
                ),
                scope_heads=[
                    StoredScopeHead(scope=row["scope"], size=row["size"], leaf_hex=row["leaf"])
                    for row in connection.execute(
                        "SELECT scope, size, leaf FROM scope_head ORDER BY scope"
                    )
                ],
                rows=_rows(connection),
            )
    except (sqlite3.Error, UnicodeDecodeError) as error:
        # UnicodeDecodeError: SQLite quotes what is damaged in its own message.
        raise RecordUnreadableError(f"the record {database} cannot be read: {error}") from error


def _opened(database: Path) -> sqlite3.Connection:
    """The database, read-only, in one reading transaction.

    SQLite wants to write a shared-memory file even to read a database in write-ahead mode. Where
    there is no journal, or on a read-only medium, nobody is writing, and it is told so.
    """
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
    connection.row_factory = sqlite3.Row
    return connection


def _rows(connection: sqlite3.Connection) -> Iterator[StoredRow]:
    # Each column by its name, and none of its values taken for what its column was declared as.
    for row in connection.execute(
        "SELECT rowid, position, rowid = position + 1 AS at_its_rowid, originator_id, "
        "originator_version, topic, scope, scope_pos, leaf, state FROM stored_events ORDER BY rowid"
    ):
        yield StoredRow(
            # rowid is an index over the position too; where they differ, neither is believed
            position=row["position"] if row["at_its_rowid"] else -1,
            stream=row["originator_id"],
            version=row["originator_version"],
            name=row["topic"],
            scope=row["scope"],
            scope_pos=row["scope_pos"],
            leaf=row["leaf"],
            blob=row["state"],
        )


_IN_POSTGRES = """
SELECT position, originator_id, originator_version, topic, scope, scope_pos, leaf, state
FROM stored_events ORDER BY position
"""

_AT_ONCE = 2000
"""Rows that one fetch from the server brings."""


@contextmanager
def stored_in_postgres(
    connect: Callable[[], AbstractContextManager[psycopg.Connection[tuple[Any, ...]]]], name: str
) -> Iterator[StoredLog]:
    """Read a record's database in one snapshot, without changing anything.

    Args:
        connect: gives a connection that only reads.
        name: how the database is called in messages.

    Raises:
        RecordUnreadableError: missing, of another shape, or not reachable.
    """
    try:
        with connect() as connection:
            head = connection.execute(
                "SELECT origin, mode, size, frontier FROM log_head"
            ).fetchone()
            if head is None:
                raise RecordUnreadableError(f"the record {name} was never founded")
            origin, mode, size, frontier = head
            yield StoredLog(
                mode=mode,
                head=StoredHead(size=size, frontier=frontier, origin=origin, mode=mode),
                scope_heads=[
                    StoredScopeHead(scope=scope, size=size, leaf_hex=leaf)
                    for scope, size, leaf in connection.execute(
                        "SELECT scope, size, leaf FROM scope_head ORDER BY scope"
                    )
                ],
                rows=_rows_in_postgres(connection),
            )
    except psycopg.Error as error:
        raise RecordUnreadableError(f"the record {name} cannot be read: {error}") from error


def _rows_in_postgres(connection: psycopg.Connection[tuple[Any, ...]]) -> Iterator[StoredRow]:
    with connection.cursor("stored_rows", binary=True) as rows:
        rows.itersize = _AT_ONCE
        for position, stream, version, name, scope, scope_pos, leaf, state in rows.execute(
            _IN_POSTGRES
        ):
            yield StoredRow(
                position=position,
                stream=getattr(stream, "hex", stream),
                version=version,
                name=name,
                scope=scope,
                scope_pos=scope_pos,
                leaf=leaf,
                blob=state,
            )

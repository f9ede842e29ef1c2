"""The stored rows as they are, for verification: nothing is decoded, repaired or skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from domain.assurance import databases
from domain.assurance.databases import StoredLog as StoredLog
from domain.assurance.verification import StoredHead, StoredRow, StoredScopeHead
from domain.kernel.errors import DomainError


class RecordUnreadableError(DomainError):
    """The database cannot be read at all. This is neither sound nor altered."""


@contextmanager
def stored_in_sqlite(database: Path) -> Iterator[StoredLog]:
    """Read a record's database without changing a byte of it.

    Raises:
        RecordUnreadableError: missing, not a database, of another shape, or damaged.
    """
    try:
        with databases.stored_in_sqlite(database) as log:
            yield log
    except databases.DatabaseUnreadableError as error:
        raise RecordUnreadableError(str(error)) from error


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
    except psycopg.errors.UndefinedTable as error:
        raise RecordUnreadableError(
            f"expected a record at {name}, found a database without its tables: "
            "run plumbline migrate as the owner of the database"
        ) from error
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

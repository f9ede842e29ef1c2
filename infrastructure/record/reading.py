"""The record for whoever only reads it: beside its writer, without its keys or its locks."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg

from domain.kernel.errors import DomainError
from infrastructure.record.databases import Database, RecordUnavailableError, Values
from infrastructure.record.schema import require_current


class RecordReader:
    """One record, read as it is now.

    Args:
        database: one that :func:`infrastructure.record.schema.migrate` made.

    Raises:
        SchemaError: the database is missing or of another shape.
    """

    def __init__(self, database: Database) -> None:
        require_current(database)
        self._database = database
        head = self._rows("SELECT origin FROM log_head")
        if not head:
            raise DomainError(f"the record {database.name} was never founded: it has no origin")
        self.origin = str(head[0][0])

    def size(self) -> int:
        """The number of entries in the log."""
        return int(self._rows("SELECT size FROM log_head")[0][0])

    def blobs(self, start: int, count: int) -> list[bytes]:
        """So many entries from a position on, as they are stored; fewer at the end of the log."""
        rows = self._rows(
            "SELECT state FROM stored_events WHERE position >= ? AND position < ? "
            "ORDER BY position",
            (start, start + count),
        )
        return [bytes(state) for (state,) in rows]

    def _rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        try:
            return self._database.read(statement, values)
        except (sqlite3.Error, psycopg.Error, UnicodeDecodeError) as error:
            # UnicodeDecodeError: SQLite quotes what is damaged in its own message.
            raise RecordUnavailableError(
                f"{type(error).__name__}: the record {self._database.name} cannot be read ({error})"
            ) from error

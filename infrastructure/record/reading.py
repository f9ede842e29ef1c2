"""The record for whoever only reads it: beside its writer, without its keys or its locks."""

from __future__ import annotations

from uuid import UUID

from domain.kernel.errors import DomainError
from infrastructure.record.databases import Database
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
        head = database.read("SELECT origin FROM log_head")
        if not head:
            raise DomainError(f"the record {database.name} was never founded: it has no origin")
        self.origin = str(head[0][0])

    def size(self) -> int:
        """The number of entries in the log."""
        return int(self._database.read("SELECT size FROM log_head")[0][0])

    def newest(self, stream: UUID, count: int) -> list[bytes]:
        """The newest entries of one stream, at most so many, as they are stored; newest first."""
        rows = self._database.read(
            "SELECT state FROM stored_events WHERE originator_id = ? "
            "ORDER BY originator_version DESC LIMIT ?",
            (self._database.id_of(stream), count),
        )
        return [bytes(state) for (state,) in rows]

    def blobs(self, start: int, count: int) -> list[bytes]:
        """So many entries from a position on, as they are stored; fewer at the end of the log."""
        rows = self._database.read(
            "SELECT state FROM stored_events WHERE position >= ? AND position < ? "
            "ORDER BY position",
            (start, start + count),
        )
        return [bytes(state) for (state,) in rows]

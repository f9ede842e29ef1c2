"""The record behind the domain's port: the one module that knows the library's names."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote
from uuid import UUID

from eventsourcing.persistence import EventStore, IntegrityError, PersistenceError
from eventsourcing.sqlite import SQLiteDatastore

from domain.assurance.tree import leaf_hash
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command
from domain.kernel.errors import (
    ConflictError,
    DomainError,
    NotFoundError,
    RecordBrokenError,
    UnavailableError,
)
from domain.kernel.events import Happened
from domain.kernel.time import Grain, read, written
from domain.ports import Clock, Recorded
from infrastructure.record.entry_mapper import EntryMapper, entry_of, event_of
from infrastructure.record.schema import require_current
from infrastructure.record.sqlite_recorder import Attribution, LogRecorder

A = TypeVar("A", bound=Aggregate)

_FULL = 2

Heard = Callable[[int], None]
"""Told the size of the log after each COMMIT."""


class RecordUnavailableError(UnavailableError):
    """The database did not take or give what was asked; nothing was stored."""


class SQLiteRecord:
    """The record of one data directory.

    Args:
        database: a database that :func:`infrastructure.record.schema.migrate` made.
        clock: stamps each entry with the time of its recording.
        on_commit: told the log's size after each COMMIT.

    Raises:
        SchemaError: the database is missing or of another shape.
    """

    def __init__(
        self, database: Path, *, clock: Clock, on_commit: Heard = lambda size: None
    ) -> None:
        require_current(database)
        self.database = database
        self._clock = clock
        self._on_commit = on_commit
        self._datastore = SQLiteDatastore(str(database))
        _require_full_sync(self._datastore)
        self._store = EventStore(mapper=EntryMapper(), recorder=LogRecorder(self._datastore))
        head = self._rows("SELECT origin, mode FROM log_head")
        if not head:
            raise DomainError(f"the record {database} was never founded: it has no origin")
        self.origin = str(head[0]["origin"])
        self.mode = str(head[0]["mode"])

    def close(self) -> None:
        """Let go of the database."""
        self._datastore.close()

    def load(self, kind: type[A], stream: UUID) -> A:
        """The aggregate as its events leave it (see ``domain.ports.Record``)."""
        with self._reading():
            events = cast(list[Happened], list(self._store.get(stream)))
        if not events:
            raise NotFoundError(f"there is no {kind.KIND} {stream.hex}")
        return kind.replayed(stream, events)

    def append(
        self,
        *changes: Aggregate | Happened,
        by: Command,
        given: Mapping[UUID, int] | None = None,
        grain: Grain = Grain.MILLISECOND,
    ) -> int:
        """Store new events with their places in the log (see ``domain.ports.Record``)."""
        if by.mode.value != self.mode:
            raise DomainError(f"a {by.mode.value} command cannot write to a {self.mode} record")
        events = _events(changes)
        attribution = Attribution(
            command=by,
            recorded_at=written(grain.floor(self._clock.now())),
            clock="trusted" if self._clock.trusted() else "suspect",
            given=given or {},
        )
        try:
            recordings = self._store.put(events, attribution=attribution)
        except IntegrityError as error:
            if isinstance(error.__cause__, sqlite3.Error):
                # Not the recorder's own comparison of versions but a rule of the tables: under
                # the log's lock only heads that do not fit the rows can lead there.
                raise RecordBrokenError(f"the heads do not fit the entries: {error}") from error
            raise ConflictError(str(error)) from error
        except (PersistenceError, sqlite3.Error) as error:
            raise RecordUnavailableError(
                f"{type(error).__name__}: the record did not take {len(events)} events ({error})"
            ) from error
        size = max((one.notification.id for one in recordings), default=self.size())
        self._on_commit(size)
        return size

    def history(self, scope: str | None = None, *, after: int = -1) -> Iterator[Recorded]:
        """The entries in the order of the log: of one scope or all, from behind a position."""
        where, values = (" AND scope = ?", (scope,)) if scope is not None else ("", ())
        for row in self._rows(
            f"SELECT state FROM stored_events WHERE position > ?{where} ORDER BY rowid",
            (after, *values),
        ):
            yield recorded(entry_of(row["state"]))

    def size(self) -> int:
        """The number of entries in the log."""
        return int(self._rows("SELECT size FROM log_head")[0]["size"])

    def leaves(self) -> Iterator[bytes]:
        """The leaf hashes, recomputed from the stored entries, in the order of the log."""
        for row in self._rows("SELECT state FROM stored_events ORDER BY rowid"):
            yield leaf_hash(row["state"])

    def _rows(self, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        address = f"file:{quote(str(self.database))}?mode=ro"
        with self._reading(), closing(sqlite3.connect(address, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(statement, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (PersistenceError, sqlite3.Error, UnicodeDecodeError) as error:
            # UnicodeDecodeError: SQLite quotes what is damaged in its own message.
            raise RecordUnavailableError(
                f"{type(error).__name__}: the record {self.database} cannot be read ({error})"
            ) from error


def _require_full_sync(datastore: SQLiteDatastore) -> None:
    """Refuse an SQLite whose COMMIT does not reach the disk: what was acknowledged could be lost.

    The library opens the connections, and the value is SQLite's build default.
    """
    with datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA synchronous")
        found = cursor.fetchone()[0]
    if found != _FULL:
        raise RecordUnavailableError(f"expected SQLite's synchronous to be 2 (FULL), found {found}")


def recorded(entry: dict[str, Any]) -> Recorded:
    """An entry as the domain reads it.

    Raises:
        RecordBrokenError: a field is missing, or this version does not know the event.
    """
    event = event_of(entry)
    try:
        return Recorded(
            position=entry["pos"],
            scope=entry["scope"],
            mode=entry["mode"],
            recorded_at=read(entry["recorded_at"]),
            actor=entry["actor"],
            role=entry["role"],
            cause=entry["cause"],
            clock=entry["clock"],
            event=event,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordBrokenError(f"entry {entry['pos']}: {error!r}") from error


def _events(changes: Sequence[Aggregate | Happened]) -> list[Any]:
    events: list[Happened] = []
    for change in changes:
        events.extend([change] if isinstance(change, Happened) else change.collect_events())
    return events

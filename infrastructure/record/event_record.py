"""The record behind the domain's port, over either kind of database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, TypeVar, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import EventStore, IntegrityError, PersistenceError

from domain.assurance.entries import EntryInvalidError
from domain.assurance.tree import leaf_hash
from domain.assurance.verification import StoredScopeHead
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command
from domain.kernel.errors import ConflictError, DomainError, NotFoundError, RecordBrokenError
from domain.kernel.events import Happened
from domain.kernel.time import Grain, read, written
from domain.ports import Answered, Clock, Recorded
from infrastructure.record.answers import CommandKeys, answering, sameness
from infrastructure.record.databases import (
    Database,
    OutcomeUnknownError,
    RecordUnavailableError,
    Values,
)
from infrastructure.record.entry_mapper import EntryMapper, entry_of, event_of
from infrastructure.record.group_commit import UnknownOutcomeError
from infrastructure.record.heads import HEADS, Heads
from infrastructure.record.placing import Answering, Attribution
from infrastructure.record.schema import require_current

A = TypeVar("A", bound=Aggregate)

Heard = Callable[[int], None]
"""Told the size of the log after each COMMIT."""

KEPT = 4
"""Aggregates of long streams that are kept as they were read last."""
AT_ONCE = 2000
"""Entries that are read from the database at a time; in between, nothing is held open."""


class EventRecord:
    """The record in one database.

    Args:
        database: one that :func:`infrastructure.record.schema.migrate` made.
        clock: stamps each entry with the time of its recording.
        keys: to know a command again that was answered before.
        on_commit: told the log's size after each COMMIT.

    Raises:
        SchemaError: the database is missing or of another shape.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        keys: CommandKeys,
        on_commit: Heard = lambda size: None,
    ) -> None:
        require_current(database)
        self.database = database
        self._clock = clock
        self._keys = keys
        self._on_commit = on_commit
        head = self.database.read("SELECT origin, mode FROM log_head")
        if not head:
            raise DomainError(f"the record {database.name} was never founded: it has no origin")
        self.origin, self.mode = str(head[0][0]), str(head[0][1])
        recorder = database.recorder()
        self._datastore = recorder.datastore
        self._store = EventStore(mapper=EntryMapper(), recorder=recorder)
        self._grown: dict[UUID, Aggregate] = {}
        self._growing = Lock()

    def close(self) -> None:
        """Let go of the database and the keys."""
        self._datastore.close()
        self._keys.close()

    def load(self, kind: type[A], stream: UUID, *, version: int | None = None) -> A:
        """The aggregate as its events leave it (see ``domain.ports.Record``)."""
        if kind.GROWS and version is None:
            return self._grown_on(kind, stream)
        if events := self._read(stream, lte=version):
            return kind.replayed(stream, events)
        raise NotFoundError(f"there is no {kind.KIND} {stream.hex}")

    def _grown_on(self, kind: type[A], stream: UUID) -> A:
        """What was read before, with what came since: long streams are read once."""
        with self._growing:
            kept = self._grown.get(stream)
        if not isinstance(kept, kind):
            if not (events := self._read(stream)):
                raise NotFoundError(f"there is no {kind.KIND} {stream.hex}")
            found = kind.replayed(stream, events)
        else:
            found = kept.forked()
            events = self._read(stream, gt=kept.version)
            for event in events:
                found.follow(event)
        if events:
            with self._growing:
                self._grown[stream] = found.forked()
                while len(self._grown) > KEPT:
                    self._grown.pop(next(iter(self._grown)))
        return found

    def _read(
        self, stream: UUID, *, gt: int | None = None, lte: int | None = None
    ) -> list[Happened]:
        try:
            return cast(list[Happened], list(self._store.get(stream, gt=gt, lte=lte)))
        except (PersistenceError, sqlite3.Error, psycopg.Error, UnicodeDecodeError) as error:
            # UnicodeDecodeError: SQLite quotes what is damaged in its own message.
            raise RecordUnavailableError(
                f"{type(error).__name__}: the record {self.database.name} cannot be read ({error})"
            ) from error

    def append(
        self,
        *changes: Aggregate | Happened,
        by: Command,
        given: Mapping[UUID, int] | None = None,
        grain: Grain = Grain.MILLISECOND,
        answers: bool = False,
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
            answers=answering(by, self._keys) if answers else None,
        )
        try:
            recordings = self._store.put(events, attribution=attribution)
        except IntegrityError as error:
            if isinstance(error.__cause__, sqlite3.Error | psycopg.Error):
                # Not the recorder's own comparison of versions but a rule of the tables: under
                # the log's lock only heads that do not fit the rows can lead there.
                raise RecordBrokenError(f"the heads do not fit the entries: {error}") from error
            raise ConflictError(str(error)) from error
        except EntryInvalidError as error:
            raise DomainError(f"these events cannot be recorded: {error}") from error
        except UnknownOutcomeError as error:
            raise OutcomeUnknownError(
                f"whether the record {self.database.name} took {len(events)} events is not known: "
                f"look before repeating them ({error})"
            ) from error
        except (PersistenceError, sqlite3.Error, psycopg.Error) as error:
            raise RecordUnavailableError(
                f"{type(error).__name__}: the record {self.database.name} did not take "
                f"{len(events)} events ({error})"
            ) from error
        size = recordings[-1].notification.id if recordings else self.size()
        self._on_commit(size)
        return size

    def answer_to(self, command: Command) -> Answered | None:
        """What this command was answered with (see ``domain.ports.Record``)."""
        rows = self.database.read(
            "SELECT digest, digest_key, position, entries FROM answered_commands WHERE command = ?",
            (self.database.id_of(command.command_id),),
        )
        if not rows:
            return None
        digest, key, position, entries = rows[0]
        found = self.database.read(
            "SELECT state FROM stored_events WHERE position >= ? AND position < ? "
            "ORDER BY position",
            (position, position + entries),
        )
        return Answered(
            entries=[recorded(entry_of(blob)) for (blob,) in found],
            sameness=sameness(command, Answering(bytes(digest), key), self._keys),
        )

    def forget_contents(self, scope: str) -> None:
        """Erase the key of a scope's commands (see ``domain.ports.Record``)."""
        self._keys.forget(scope)

    def history(self, scope: str | None = None, *, after: int = -1) -> Iterator[Recorded]:
        """The entries in the order of the log: of one scope or all, from behind a position."""
        for _, blob in self.blobs(scope, after=after):
            yield recorded(entry_of(blob))

    def blobs(self, scope: str | None = None, *, after: int = -1) -> Iterator[tuple[int, bytes]]:
        """The entries as they are stored, each with its position."""
        where, place = ("", "position") if scope is None else ("scope = ? AND", "scope_pos")
        asked: Values = () if scope is None else (scope,)
        behind = -1 if scope is not None else after
        while True:
            rows = self.database.read(
                f"SELECT position, {place}, state FROM stored_events WHERE {where} {place} > ? "
                f"AND position > ? ORDER BY {place} LIMIT {AT_ONCE}",
                (*asked, behind, after),
            )
            for position, _, blob in rows:
                yield position, blob
            if len(rows) < AT_ONCE:
                return
            behind = rows[-1][1]

    def size(self) -> int:
        """The number of entries in the log."""
        return int(self.database.read("SELECT size FROM log_head")[0][0])

    def leaves(self, *, after: int = -1) -> Iterator[bytes]:
        """The leaf hashes, recomputed from the stored entries, in the order of the log."""
        for _, blob in self.blobs(after=after):
            yield leaf_hash(blob)

    def heads(self) -> Heads:
        """The log's head and those of all scopes, at one instant."""
        rows = self.database.read(HEADS)
        size, frontier, *_ = rows[0]
        return Heads(
            size=int(size),
            frontier=bytes(frontier),
            scopes=[
                StoredScopeHead(scope=scope, size=int(held), leaf_hex=leaf)
                for _, _, scope, held, leaf in rows
                if scope is not None
            ],
        )


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

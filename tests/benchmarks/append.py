"""Appending to the record against the barest way of storing the same bytes, COMMIT included.

Ours: the recorder takes events that are already mapped, locks the log, gives places, completes and
hashes the entries, inserts them beside three unique indexes and triggers, moves the heads, commits.
The baseline: the same rows, ready made, into a table of the same columns without index or trigger,
by ``COPY ... (FORMAT BINARY)`` on PostgreSQL and ``executemany`` on SQLite, committed as durably on
the same disk. In turns within one run, so that both meet the same machine; the ratio is the median
of the turns'. Beside it what a caller waits for, from the making of the events to COMMIT.
"""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from eventsourcing.persistence import StoredEvent

from infrastructure.record.entry_mapper import EntryMapper
from infrastructure.record.event_record import EventRecord
from infrastructure.record.placing import Attribution, Heads, Row, Wanted, place
from tests.benchmarks.figure import Figure
from tests.contract.record.examples import asked, face
from tests.support.postgres import Server
from tests.support.stores import ORIGIN, PostgresStore, SQLiteStore, Store

TURNS = 9
IN_A_TURN = {1: 200, 100: 20, 1000: 6}
"""Transactions that each of the two makes in its turn, by the entries in one."""

_COLUMNS = "position, originator_id, originator_version, topic, scope, scope_pos, leaf, state"

BY = Attribution(command=asked(), recorded_at="2026-11-23T09:30:00.000Z", clock="trusted", given={})


class Bench(ABC):
    """One record and one bare table on the same database."""

    def __init__(self, store: Store) -> None:
        self.record: EventRecord = store.open()
        self.recorder: Any = store.database.recorder()

    @abstractmethod
    def store_bare(self, rows: Sequence[Row]) -> None:
        """Store rows in the bare table, and commit."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything."""


class PostgresBench(Bench):
    """On a server of its own, on disk."""

    def __init__(self, store: PostgresStore) -> None:
        super().__init__(store)
        self._connection = psycopg.connect(store.url, autocommit=True)
        self._connection.execute(
            "CREATE TABLE bare (position bigint, originator_id uuid, originator_version bigint, "
            "topic text, scope text, scope_pos bigint, leaf bytea, state bytea)"
        )

    def store_bare(self, rows: Sequence[Row]) -> None:
        """As above, by COPY."""
        with (
            self._connection.transaction(),
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY bare ({_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(["int8", "uuid", "int8", "text", "text", "int8", "bytea", "bytea"])
            for row in rows:
                copy.write_row(
                    (
                        row.position,
                        row.stream,
                        row.version,
                        row.name,
                        row.scope,
                        row.scope_pos,
                        row.leaf,
                        row.entry,
                    )
                )

    def close(self) -> None:
        """As above."""
        self._connection.close()
        self.recorder.datastore.close()


class SQLiteBench(Bench):
    """In one file, with its write-ahead log synced at each COMMIT, as the record demands."""

    def __init__(self, store: SQLiteStore) -> None:
        super().__init__(store)
        bare = store.file.with_name("bare.db")
        self._connection = sqlite3.connect(bare, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE bare (position INTEGER, originator_id TEXT, originator_version INTEGER, "
            "topic TEXT, scope TEXT, scope_pos INTEGER, leaf BLOB, state BLOB)"
        )

    def store_bare(self, rows: Sequence[Row]) -> None:
        """As above, by ``executemany``."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(
            f"INSERT INTO bare ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?)",
            [
                (
                    row.position,
                    row.stream.hex,
                    row.version,
                    row.name,
                    row.scope,
                    row.scope_pos,
                    row.leaf,
                    row.entry,
                )
                for row in rows
            ],
        )
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """As above."""
        self._connection.close()
        self.recorder.datastore.close()


@contextmanager
def on_postgres() -> Iterator[PostgresBench]:
    """A server of its own, on disk."""
    server = Server(on_disk=True)
    try:
        store = PostgresStore.on(server)
        bench = PostgresBench(store)
        yield bench
        bench.close()
        store.close()
    finally:
        server.stop()


@contextmanager
def on_sqlite() -> Iterator[SQLiteBench]:
    """A file of its own."""
    with tempfile.TemporaryDirectory() as directory:
        store = SQLiteStore.fresh(Path(directory))
        bench = SQLiteBench(store)
        yield bench
        bench.close()
        store.close()


def mapped(many: int) -> list[StoredEvent]:
    """Faces of passers-by, which are most of a record, mapped to halves of entries."""
    mapper = EntryMapper()
    return [mapper.to_stored_event(face(ordinal)) for ordinal in range(many)]


def placed(events: Sequence[StoredEvent]) -> list[Row]:
    """The rows that these events become at the beginning of a log."""
    return place([Wanted(events, BY)], Heads.of(ORIGIN, "rehearsal", 0, b""))


def append(database: Callable[[], Any], many: int) -> Figure:
    """Entries a second, with ``many`` in each transaction."""
    rounds = IN_A_TURN[many]
    events = mapped(many)
    rows = placed(events)
    with database() as bench:
        ours = partial(bench.recorder.insert_events, events, attribution=BY)
        bare = partial(bench.store_bare, rows)
        called = partial(_from_the_making, bench.record, many)
        turns = []
        for turn in range(TURNS + 1):
            seconds = [_seconds(task, rounds) for task in (ours, bare, called)]
            if turn:  # the first warms up
                turns.append(seconds)
    in_turn = many * rounds
    ratios = sorted(bare / ours for ours, bare, _ in turns)
    return Figure(
        ours=round(in_turn / statistics.median(ours for ours, _, _ in turns), 1),
        baseline=round(in_turn / statistics.median(bare for _, bare, _ in turns), 1),
        ratio=round(statistics.median(ratios), 3),
        unit="entries/s",
        n=in_turn * TURNS,
        beside={
            "lowest ratio": round(ratios[0], 3),
            "highest ratio": round(ratios[-1], 3),
            "entries/s from the making of the events to COMMIT": round(
                in_turn / statistics.median(called for _, _, called in turns), 1
            ),
        },
    )


def _from_the_making(record: EventRecord, many: int) -> None:
    record.append(*(face(ordinal) for ordinal in range(many)), by=asked())


def _seconds(task: Callable[[], object], rounds: int) -> float:
    begun = time.perf_counter()
    for _ in range(rounds):
        task()
    return time.perf_counter() - begun


BENCHMARKS: dict[str, Callable[[], Figure]] = {
    f"append_{name}_{many}": partial(append, database, many)
    for name, database in (("pg", on_postgres), ("sqlite", on_sqlite))
    for many in IN_A_TURN
}

"""Many callers, few transactions; and nobody pays for another's mistake."""

from __future__ import annotations

import os
import signal
import sqlite3
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from threading import Event, Thread

import psycopg
import pytest

from domain.kernel.errors import ConflictError, DomainError
from infrastructure.record.databases import OutcomeUnknownError, RecordUnavailableError
from infrastructure.record.event_record import EventRecord
from infrastructure.record.group_commit import (
    MOST_EVENTS,
    GroupCommit,
    GroupedInserts,
    UnknownOutcomeError,
)
from infrastructure.record.placing import Wanted
from infrastructure.record.postgres_recorder import LOCK
from tests.benchmarks.append import BY, mapped
from tests.contract.record.examples import asked, changed, face, stream, viewed
from tests.support.stores import PostgresStore, SQLiteStore, Store

CALLERS = 20
PATIENCE_S = 20


@contextmanager
def log_held(store: Store) -> Iterator[Callable[[str], object]]:
    """The log's lock, in another's transaction; what is executed in it counts when it is left."""
    if isinstance(store, SQLiteStore):
        with closing(sqlite3.connect(store.file, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection.execute
            connection.execute("COMMIT")
    else:
        assert isinstance(store, PostgresStore)
        with psycopg.connect(store.url) as connection:
            connection.execute(LOCK)
            yield lambda statement: connection.execute(statement.encode())


def transactions(store: Store) -> int:
    """How many have stored entries, as the database itself shows."""
    if isinstance(store, PostgresStore):
        # Each row names the transaction that made it.
        return int(store.execute("SELECT count(DISTINCT xmin::text) FROM stored_events")[0][0])
    assert isinstance(store, SQLiteStore)
    journal = store.file.with_name(store.file.name + "-wal").read_bytes()
    if not journal:  # nothing was written yet
        return 0
    page, salts = struct.unpack(">8xI4x8s", journal[:24])
    # In a frame's head: the page, the size of the database if it ends a transaction, the salts.
    frames = (journal[at : at + 16] for at in range(32, len(journal), 24 + page))
    return sum(
        frame[8:16] == salts and frame[4:8] != bytes(4) for frame in frames if len(frame) == 16
    )


def waiting(record: EventRecord) -> int:
    """Callers that wait for their turn, beside the one whose turn it is."""
    return len(commits_of(record)._waiting)


def somebody_writes(record: EventRecord) -> bool:
    """Whether one has the turn, and nobody waits."""
    return commits_of(record)._turn.locked() and waiting(record) == 0


def commits_of(record: EventRecord) -> GroupCommit:
    """Where the callers of this record wait."""
    recorder = record._store.recorder
    assert isinstance(recorder, GroupedInserts)
    return recorder.commits


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


@contextmanager
def all_at_once(
    store: Store, record: EventRecord, tasks: Sequence[Callable[[], int]]
) -> Iterator[list[Future[int]]]:
    """The callers, of whom one has the turn and all others wait, until the context is left."""
    with ThreadPoolExecutor(len(tasks)) as threads, log_held(store):
        futures = [threads.submit(tasks[0])]
        until(lambda: somebody_writes(record))
        futures += map(threads.submit, tasks[1:])
        until(lambda: waiting(record) == len(tasks) - 1)
        yield futures


def came_to(futures: Sequence[Future[int]]) -> list[object]:
    """The result of each, or what it was told instead."""
    return [future.exception(PATIENCE_S) or future.result() for future in futures]


def test_those_who_come_while_one_writes_share_the_next_transaction(store: Store) -> None:
    """Twenty callers, two transactions; one after the other they need one each."""
    record = store.open()
    before = transactions(store)
    tasks = [partial(record.append, viewed(number), by=asked()) for number in range(CALLERS)]
    with all_at_once(store, record, tasks) as futures:
        pass
    assert sorted(came_to(futures)) == list(range(1, CALLERS + 1))  # type: ignore[type-var]
    assert transactions(store) - before == 2
    for number in range(CALLERS):
        record.append(viewed(CALLERS + number), by=asked())
    assert transactions(store) - before == 2 + CALLERS
    assert [row.position for row in store.rows()] == list(range(2 * CALLERS))


def test_what_one_caller_did_wrong_harms_no_other_of_the_same_transaction(store: Store) -> None:
    """Each is told what is wrong with their own, and the others are stored together."""
    record = store.open()
    record.append(viewed(1), by=asked())
    before = transactions(store)
    too_long = changed(face(), camera="c" * 70_000)
    given = {stream(1): 7}
    tasks: list[Callable[[], int]] = [
        partial(record.append, viewed(2), by=asked()),
        partial(record.append, viewed(3), face(1), by=asked()),
        partial(record.append, viewed(4), viewed(1), by=asked()),
        partial(record.append, viewed(5), too_long, by=asked()),
        partial(record.append, viewed(6), by=asked(), given=given),
        partial(record.append, viewed(7), viewed(1, version=2), by=asked(scope="another")),
        partial(record.append, viewed(8), by=asked(actor="")),
        partial(record.append, viewed(9), face(2), by=asked()),
        partial(record.append, viewed(3, version=2), by=asked()),
    ]
    with all_at_once(store, record, tasks) as futures:
        pass
    told = came_to(futures)
    stored = [0, 1, 7, 8]
    assert [at for at, one in enumerate(told) if isinstance(one, int)] == stored
    assert [type(told[at]) for at in (2, 3, 4, 5, 6)] == [
        ConflictError,
        DomainError,
        ConflictError,
        DomainError,
        DomainError,
    ]
    for at, words in {
        2: "is at version 1, cannot add version 1",
        3: "at most 65535 bytes",
        4: "the decision rested on",
        5: "belongs to scope",
        6: "actor",
    }.items():
        assert words in str(told[at])
    assert transactions(store) - before == 2
    assert [row.stream for row in store.rows()] == [
        viewed(number).originator_id.hex if number else face().originator_id.hex
        for number in (1, 2, 3, 0, 9, 0, 3)
    ]


def test_a_database_that_is_lost_is_told_to_everyone_who_waits(store: Store) -> None:
    """Nobody hangs, and nobody is told that anything was stored."""
    record = store.open()
    record.append(viewed(1), by=asked())
    store.drop_triggers()
    with ThreadPoolExecutor(CALLERS) as threads:
        with log_held(store) as execute:
            futures = [
                threads.submit(record.append, viewed(2 + number), by=asked())
                for number in range(CALLERS)
            ]
            until(lambda: waiting(record) == CALLERS - 1)
            execute("DROP TABLE scope_head")
        told = came_to(futures)
    assert [type(one) for one in told] == [RecordUnavailableError] * CALLERS
    assert "scope_head" in str(told[-1])
    assert store.execute("SELECT count(*) FROM stored_events") == [(1,)]


def test_what_a_caller_wanted_who_was_broken_off_is_not_stored_later(store: Store) -> None:
    """Ctrl-C while waiting for the turn: the one whose turn it is goes on, the other is gone."""
    record = store.open()
    with ThreadPoolExecutor(1) as threads:
        with log_held(store):
            writing = threads.submit(record.append, viewed(1), by=asked())
            until(lambda: somebody_writes(record))

            def break_off() -> None:
                until(lambda: waiting(record) == 1)
                os.kill(os.getpid(), signal.SIGINT)

            breaking = Thread(target=break_off)
            breaking.start()
            with pytest.raises(KeyboardInterrupt):
                record.append(viewed(2), by=asked())
            breaking.join()
            assert waiting(record) == 0
        assert writing.result(PATIENCE_S) == 1
    assert record.append(viewed(3), by=asked()) == 2
    assert [row.stream for row in store.rows()] == [stream(1).hex, stream(3).hex]


# The turns themselves, with a place to write to that a test controls.


def wanted(many: int = 1) -> Wanted:
    """So many events of one caller."""
    return Wanted(mapped(many), BY)


def test_where_the_one_who_writes_is_broken_off_the_others_are_told_that_it_is_unknown() -> None:
    """It may have been around COMMIT. And the next caller's turn comes."""
    entered, go_on = Event(), Event()
    batches: list[int] = []

    def write(batch: Sequence[Wanted]) -> None:
        batches.append(len(batch))
        if len(batches) == 1:
            entered.set()
            go_on.wait(PATIENCE_S)
        elif len(batches) == 2:
            raise KeyboardInterrupt
        for one in batch:
            one.rows = []

    commits = GroupCommit(write)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(commits.store, wanted())
        assert entered.wait(PATIENCE_S)
        others = [threads.submit(commits.store, wanted()) for _ in range(3)]
        until(lambda: len(commits._waiting) == 3)
        go_on.set()
        first.result(PATIENCE_S)
        told = sorted(type(one.exception(PATIENCE_S)).__name__ for one in others)
    assert told == ["KeyboardInterrupt", "UnknownOutcomeError", "UnknownOutcomeError"]
    commits.store(wanted())
    assert batches == [1, 3, 1]


def test_a_batch_is_bounded_unless_one_caller_brings_more() -> None:
    """A long queue is written in several transactions, each caller's events in one."""
    entered, go_on = Event(), Event()
    batches: list[int] = []

    def write(batch: Sequence[Wanted]) -> None:
        batches.append(sum(len(one.events) for one in batch))
        entered.set()
        go_on.wait(PATIENCE_S)
        for one in batch:
            one.rows = []

    commits = GroupCommit(write)
    half = mapped(MOST_EVENTS // 2)
    with ThreadPoolExecutor(5) as threads:
        futures = [threads.submit(commits.store, wanted())]
        assert entered.wait(PATIENCE_S)
        for number, events in enumerate((half, half, half, half * 3)):
            futures.append(threads.submit(commits.store, Wanted(events, BY)))
            until(lambda many=number + 1: len(commits._waiting) == many)  # type: ignore[misc]
        go_on.set()
        for future in futures:
            future.result(PATIENCE_S)
    assert batches == [1, MOST_EVENTS, MOST_EVENTS // 2, MOST_EVENTS // 2 * 3]


def test_an_unknown_outcome_reaches_the_caller_as_such(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it is not taken for nothing stored."""
    record = store.open()

    def write(batch: Sequence[Wanted]) -> None:
        raise UnknownOutcomeError("lost")

    monkeypatch.setattr(commits_of(record), "_write", write)
    with pytest.raises(OutcomeUnknownError, match="is not known: look before repeating"):
        record.append(viewed(1), by=asked())

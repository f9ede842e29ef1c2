"""Whoever waits for the log to grow is woken, or looks for themselves when nobody wakes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from infrastructure.record import waiting
from infrastructure.record.databases import RecordUnavailableError
from infrastructure.record.event_record import EventRecord
from infrastructure.record.waiting import PostgresWaiter, Waiter
from tests.contract.record.examples import asked, viewed
from tests.support import postgres
from tests.support.cut_wire import wire_to
from tests.support.stores import PostgresStore, Store

LONG_S = 20
SOON_S = 0.5
"""Far below what polling alone would take in these tests; a loaded machine stays below it."""


@pytest.fixture
def record(store: Store) -> EventRecord:
    """A record with one entry."""
    record = store.open()
    record.append(viewed(1), by=asked())
    return record


@contextmanager
def waiter_of(store: Store) -> Iterator[Waiter]:
    """A waiter that has looked once."""
    waiter = store.database.waiter()
    try:
        waiter.wait_beyond(-1, timeout_s=0)
        yield waiter
    finally:
        waiter.close()


@contextmanager
def waits(waiter: Waiter, size: int) -> Iterator[Future[int]]:
    """Somebody who waits beside what happens here."""
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(waiter.wait_beyond, size, timeout_s=LONG_S)


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


def listeners(store: Store) -> int:
    """Connections that wait for a notification of this record."""
    return int(
        store.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND query LIKE '%SELECT size FROM log_head%' AND state = 'idle'"
        )[0][0]
    )


def test_it_does_not_wait_for_what_is_there(store: Store, record: EventRecord) -> None:
    """And gives the size as it is when the time is up."""
    with waiter_of(store) as waiter:
        assert waiter.wait_beyond(0, timeout_s=LONG_S) == 1
        begun = time.monotonic()
        assert waiter.wait_beyond(1, timeout_s=0.05) == 1
        assert 0.05 <= time.monotonic() - begun < LONG_S / 2


def test_it_is_woken_by_a_commit_at_once(
    store: Store, record: EventRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before polling would look."""
    monkeypatch.setattr(waiting, "POLL_S", LONG_S)
    with waiter_of(store) as waiter:
        for size in range(1, 6):
            with waits(waiter, size) as waited:
                begun = time.monotonic()
                record.append(viewed(1 + size), by=asked())
                assert waited.result() == size + 1
                assert time.monotonic() - begun < SOON_S


def test_a_commit_between_looking_and_waiting_is_not_missed(
    store: Store, record: EventRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment at which wake-ups are lost where they can be."""
    monkeypatch.setattr(waiting, "POLL_S", LONG_S)
    with waiter_of(store) as waiter:
        looked = waiter._size()
        assert looked == 1
        record.append(viewed(2), by=asked())
        begun = time.monotonic()
        waiter._wait(LONG_S)
        assert time.monotonic() - begun < SOON_S
        assert waiter.wait_beyond(1, timeout_s=0) == 2


def test_a_conflict_wakes_nobody_for_nothing(store: Store, record: EventRecord) -> None:
    """What was refused leaves the size as it was."""
    with waiter_of(store) as waiter:
        with pytest.raises(Exception, match="is at version"):
            record.append(viewed(1), by=asked())
        assert waiter.wait_beyond(1, timeout_s=0.05) == 1


@pytest.fixture
def on_server() -> Iterator[PostgresStore]:
    """A record on PostgreSQL alone."""
    made = PostgresStore.on(postgres.server())
    made.open().append(viewed(1), by=asked())
    yield made
    made.remove()


def test_a_lost_notification_is_made_good_by_polling(
    on_server: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody notifies: at the latest after the poll's time the size is looked at."""
    monkeypatch.setattr(waiting, "POLL_S", 0.05)
    record = on_server.open()
    with waiter_of(on_server) as waiter:
        assert isinstance(waiter, PostgresWaiter)
        waiter._listening().execute("UNLISTEN *")
        with waits(waiter, 1) as waited:
            record.append(viewed(2), by=asked())
            assert waited.result(LONG_S) == 2


def test_a_waiter_whose_connection_was_ended_goes_on_with_another(
    on_server: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended while it waits, and ended while nobody looks."""
    monkeypatch.setattr(waiting, "POLL_S", LONG_S)
    record = on_server.open()
    end_them = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
        "current_database() AND query LIKE '%SELECT size FROM log_head%' AND state = 'idle'"
    )
    with waiter_of(on_server) as waiter:
        with waits(waiter, 1) as waited:
            until(lambda: listeners(on_server) == 1)
            assert on_server.execute(end_them) == [(True,)]
            until(lambda: listeners(on_server) == 1 or waited.done())
            record.append(viewed(2), by=asked())
            assert waited.result(LONG_S) == 2
        assert on_server.execute(end_them) == [(True,)]
        until(lambda: listeners(on_server) == 0)
        assert waiter.wait_beyond(1, timeout_s=0) == 2


def test_a_server_that_is_away_is_told_and_the_next_call_finds_it_again(
    on_server: PostgresStore,
) -> None:
    """An error of ours, not the library's; a follower decides how often to try."""
    with wire_to(postgres.server().cluster) as wire:
        waiter = on_server.through(wire.url(on_server.name)).database.waiter()
        assert waiter.wait_beyond(0, timeout_s=0) == 1
        wire.stop()
        with pytest.raises(RecordUnavailableError, match="the size of the log cannot be asked"):
            waiter.wait_beyond(1, timeout_s=LONG_S)
        wire.resume()
        assert waiter.wait_beyond(0, timeout_s=0) == 1
        waiter.close()

"""A connection that is lost exactly around COMMIT: stored once or not at all, and said so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from infrastructure.record import databases, postgres_recorder
from infrastructure.record.databases import OutcomeUnknownError, RecordUnavailableError
from infrastructure.record.event_record import EventRecord
from tests.contract.record.examples import asked, face, viewed
from tests.support import postgres
from tests.support.cut_wire import Cut, Wire, wire_to
from tests.support.stores import PostgresStore

PATIENCE_S = 20

_WAITS_FOR_THE_LOG = (
    "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
    "WHERE locktype = 'advisory' AND NOT granted AND datname = %s"
)


@pytest.fixture
def behind() -> Iterator[PostgresStore]:
    """The record as it is, without the wire."""
    store = PostgresStore.on(postgres.server())
    yield store
    store.remove()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A wire to the server."""
    with wire_to(postgres.server().cluster) as made:
        yield made


@pytest.fixture
def record(behind: PostgresStore, wire: Wire) -> Iterator[EventRecord]:
    """The record over the wire, with one entry."""
    with closing(behind.through(wire.url(behind.name))) as store:
        record = store.open()
        record.append(viewed(1), by=asked())
        yield record


def streams(store: PostgresStore) -> list[str]:
    """The stream of each stored entry."""
    rows = store.rows()
    assert [row.position for row in rows] == list(range(len(rows)))
    assert store.head().size == len(rows)
    return [row.stream for row in rows]


def ids(*numbers: int) -> list[str]:
    """Streams of the examples."""
    return [viewed(number).originator_id.hex for number in numbers]


def test_an_answer_that_was_lost_is_looked_for(
    record: EventRecord, wire: Wire, behind: PostgresStore
) -> None:
    """The server had committed: the caller hears nothing of it, and nothing is doubled."""
    for number in range(2, 6):
        wire.cut_next_commit(Cut.ANSWER_LOST)
        assert record.append(viewed(number), face(number), by=asked()) == 2 * number - 1
        assert wire.cuts == number - 1
    assert record.append(viewed(9), by=asked()) == 10
    assert [one for one in streams(behind) if one in ids(*range(10))] == ids(1, 2, 3, 4, 5, 9)


def test_a_commit_that_never_arrived_stored_nothing(
    record: EventRecord, wire: Wire, behind: PostgresStore
) -> None:
    """The caller is told that nothing was stored, and the next one is not in its way."""
    for number in range(2, 5):
        wire.cut_next_commit(Cut.COMMIT_LOST)
        with pytest.raises(RecordUnavailableError) as told:
            record.append(viewed(number), by=asked())
        assert not isinstance(told.value, OutcomeUnknownError)
        assert record.append(viewed(10 * number), by=asked()) == number
    assert wire.cuts == 3
    assert streams(behind) == ids(1, 20, 30, 40)


def test_a_commit_that_arrives_late_is_waited_for(
    record: EventRecord, wire: Wire, behind: PostgresStore
) -> None:
    """Looking at once would find nothing, and then it would be stored after all."""
    wire.cut_next_commit(Cut.COMMIT_LATE)
    with ThreadPoolExecutor(1) as threads, psycopg.connect(postgres.server().url()) as looking:
        looking.autocommit = True
        came_to = threads.submit(record.append, viewed(2), by=asked())
        until = time.monotonic() + PATIENCE_S
        while looking.execute(_WAITS_FOR_THE_LOG, (behind.name,)).fetchone() != (1,):
            assert time.monotonic() < until, "nobody waits for the lost transaction to end"
            assert not came_to.done(), "an answer was given before the transaction ended"
            time.sleep(0.01)
        wire.let_through.set()
        assert came_to.result(PATIENCE_S) == 2
    assert streams(behind) == ids(1, 2)


def test_where_nobody_can_be_asked_the_outcome_is_called_unknown(
    wire: Wire, behind: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is away for longer than anyone waits: neither yes nor no would be true."""
    monkeypatch.setattr(postgres_recorder, "OUTCOME_S", 0)
    monkeypatch.setattr(databases, "CONNECT_TIMEOUT_S", 0.2)
    with closing(behind.through(wire.url(behind.name))) as store:
        record = store.open()
        record.append(viewed(1), by=asked())
        wire.cut_next_commit(Cut.ANSWER_LOST, for_good=True)
        with pytest.raises(OutcomeUnknownError, match=r"whether the record .* took 1 events"):
            record.append(viewed(2), by=asked())
    assert streams(behind) == ids(1, 2)


def test_a_server_that_is_back_is_found_at_once(
    wire: Wire, behind: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Away for long enough that a library's pool would look rarely, or no more at all."""
    monkeypatch.setattr(databases, "CONNECT_TIMEOUT_S", PATIENCE_S)
    with closing(behind.through(wire.url(behind.name))) as store, ThreadPoolExecutor(2) as threads:
        record = store.open()
        pool = record._datastore.pool
        assert isinstance(pool, ConnectionPool)
        record.append(viewed(1), by=asked())
        wire.stop()
        waiting = threads.submit(record.append, viewed(2), by=asked())
        until = time.monotonic() + PATIENCE_S
        while pool.get_stats().get("connections_errors", 0) < 8:
            assert time.monotonic() < until, "nobody looks for the server"
            time.sleep(0.01)
        wire.resume()
        back = time.monotonic()
        assert waiting.result(PATIENCE_S) == 2
        assert time.monotonic() - back < 1
    assert streams(behind) == ids(1, 2)

"""Following: exactly once, in any batches, by any number of followers, through kills and faults."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from domain.alerts.events import AlertAdjudicated
from domain.kernel.errors import ConflictError
from infrastructure.projections.alert_register import AlertRegisterProjection
from infrastructure.projections.deployment_history import DeploymentHistoryProjection
from infrastructure.projections.entries import Entry
from infrastructure.projections.follower import Follower, ProjectionStoppedError
from infrastructure.projections.positions import METADATA
from infrastructure.projections.projection import Writing
from infrastructure.projections.registers import PROJECTIONS, Registers, read_models
from infrastructure.record import databases
from infrastructure.record.databases import APPENDS, PostgresDatabase, RecordUnavailableError
from tests.contract.projections.examples import (
    SOON_S,
    deployment,
    follow_slowly,
    following,
    positions,
    rebuild_slowly,
    rebuilt_rows,
    rows,
    store_all,
    until,
    where,
)
from tests.support.postgres import server
from tests.support.processes import another_process
from tests.support.stores import PostgresStore, SQLiteStore, Store

SEED = 20261123
KILLS = 3


class Stumbling(AlertRegisterProjection):
    """Cannot take in decisions."""

    def apply(self, entries: Sequence[Entry], writing: Writing) -> None:
        """As in the register, but for decisions."""
        super().apply(entries, writing)
        for one in entries:
            if one.name == AlertAdjudicated.NAME:
                raise ValueError(f"what is decided at {one.pos} was not expected")


class Stricter(AlertRegisterProjection):
    """The same rows, under another shape."""

    SHAPE = 2


_STRICTER = (Stricter.NAME, Stricter.SHAPE)


def test_the_migration_makes_the_tables_that_the_read_models_are_written_for(store: Store) -> None:
    """Column by column and index by index, on both databases."""
    with store.engine().begin() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, _: _is_ours(name, kind)}
        )
        assert compare_metadata(context, METADATA) == []


def _is_ours(name: str | None, kind: str) -> bool:
    return kind != "table" or str(name).startswith("projection_")


@pytest.mark.parametrize("at_once", [1, 7])
def test_rows_do_not_depend_on_how_the_log_was_cut(store: Store, at_once: int) -> None:
    """Followed in pieces while the log grew, the rows are those of one go from the beginning."""
    record = store.open()
    with following(store, at_once=at_once) as follower:
        store_all(record, on_append=follower.catch_up if at_once == 7 else lambda: None)
        assert follower.catch_up() == record.size()
    assert positions(store) == {record.size() - 1}
    found = rows(store)
    assert all(found.values()), "some table has no row, so nothing was compared for it"
    assert found == rebuilt_rows(store)


def test_read_models_that_stand_apart_are_brought_together(store: Store) -> None:
    """One that was followed alone is not followed again from where it stands."""
    store_all(store.open())
    with following(store, [DeploymentHistoryProjection()], at_once=5) as alone:
        alone.catch_up()
    with following(store, at_once=50) as follower:
        follower.catch_up()
    assert rows(store) == rebuilt_rows(store)


def test_two_followers_at_once_apply_nothing_twice(store: Store) -> None:
    """They race for each batch; whoever comes second finds the position moved."""
    record = store.open()
    store_all(record)
    with following(store, at_once=3) as one, following(store, at_once=3) as other:
        racing = [threading.Thread(target=each.catch_up) for each in (one, other)]
        for thread in racing:
            thread.start()
        for thread in racing:
            thread.join()
    assert [one.failure for one in where(store)] == [None] * len(PROJECTIONS)
    assert positions(store) == {record.size() - 1}
    assert rows(store) == rebuilt_rows(store)


def test_a_follower_that_is_killed_goes_on_where_it_was(store: Store) -> None:
    """kill -9 in the middle of batches, again and again: nothing is left out or applied twice."""
    chance = random.Random(SEED)
    record = store.open()
    store_all(record, copies=2)
    killed_at = []
    for _ in range(KILLS):
        with another_process(follow_slowly, store.address) as (process, told):
            for _ in range(chance.randint(1, 6)):
                assert told.poll(SOON_S)
                told.recv()
            time.sleep(chance.uniform(0, 0.01))
            process.kill()
            process.join()
        killed_at.append(min(positions(store)))
    assert killed_at == sorted(killed_at) and -1 < killed_at[-1] < record.size() - 1
    with following(store) as follower:
        follower.catch_up()
    assert rows(store) == rebuilt_rows(store)


def test_a_read_model_stops_at_what_it_cannot_take_in_and_the_others_go_on(store: Store) -> None:
    """It keeps everything before that entry, says which it is and why, and skips nothing."""
    record = store.open()
    store_all(record)
    stumbling = [Stumbling(), *(one for one in PROJECTIONS if one.NAME != Stumbling.NAME)]
    with following(store, stumbling) as follower:
        assert follower.catch_up() == record.size()
        assert follower.catch_up() == record.size()
    decided = next(
        one.position for one in record.history() if one.event.NAME == "alert.adjudicated"
    )
    by_name = {one.name: one for one in read_models(store.database)}
    stopped = by_name.pop(Stumbling.NAME)
    assert (stopped.position, stopped.failed_at) == (decided - 1, decided)
    assert stopped.failure == f"ValueError: what is decided at {decided} was not expected"
    assert stopped.behind == record.size() - decided
    assert {one.position for one in by_name.values()} == {record.size() - 1}
    register = Registers.over(store.engine()).alert_register
    assert register.follows_to() == decided and register.stands_still()
    assert [one.position for one in register.changes(deployment(0), after=-1)] == [
        one.position
        for one in record.history(deployment(0).hex)
        if one.event.NAME.startswith("alert.")
        and not one.event.NAME.endswith("_refused")
        and one.position < decided
    ]

    with following(store) as mended:
        mended.catch_up()
    assert {one.failed_at for one in read_models(store.database)} == {None}
    assert not register.stands_still()
    assert rows(store) == rebuilt_rows(store)


def test_a_follower_says_once_that_a_read_model_stopped(store: Store) -> None:
    """In a sentence with the name, the entry and the reason."""
    store_all(store.open())
    told: list[str] = []
    with closing(Follower(store.database, [Stumbling()], tell=told.append)) as follower:
        follower.prepare()
        follower.catch_up()
        follower.catch_up()
    [words] = told
    assert words.startswith("alert_register stopped at entry ") and "was not expected" in words


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("UPDATE stored_events SET state = {junk} WHERE position = 9", "entry 9: "),
        ("UPDATE stored_events SET state = {other} WHERE position = 9", "entry 9 says that it is"),
        ("DELETE FROM stored_events WHERE position = 9", "expected entry 9, found entry 10"),
    ],
)
def test_an_entry_that_cannot_be_read_stops_every_read_model(
    store: Store, spoil: str, words: str
) -> None:
    """What it would have meant cannot be said, so nobody goes on as if it were not there."""
    store_all(store.open())
    store.drop_triggers()
    junk = "X'7b7d'" if isinstance(store, SQLiteStore) else "'\\x7b7d'"
    other = "(SELECT state FROM stored_events WHERE position = 8)"
    store.execute(spoil.format(junk=junk, other=other))
    with following(store) as follower:
        follower.catch_up()
    for one in read_models(store.database):
        assert (one.position, one.failed_at) == (8, 9)
        assert one.failure is not None and one.failure.startswith(words)


def test_an_event_of_a_newer_version_stops_every_read_model(store: Store) -> None:
    """Its name is not known here; a read model that skipped it might be wrong for ever."""
    record = store.open()
    store_all(record)
    store.drop_triggers()
    place, known = next((at, blob) for at, blob in record.blobs() if b'"name":"item.' in blob)
    unknown = known.replace(b'"name":"item.', b'"name":"jtem.')
    store.execute(
        "UPDATE stored_events SET state = :blob WHERE position = :at", blob=unknown, at=place
    )
    with following(store) as follower:
        follower.catch_up()
    found = read_models(store.database)
    assert {one.failed_at for one in found} == {place}
    assert all("no event is called jtem." in str(one.failure) for one in found)


# -- making again ------------------------------------------------------------------------------


def test_while_it_is_rebuilt_the_old_rows_answer_and_move_on(store: Store) -> None:
    """Nobody ever reads a table that is empty or half filled, and no entry waits for it."""
    record = store.open()
    store_all(record)
    with following(store) as live, following(store, at_once=20) as rebuilding:
        live.catch_up()
        before = rows(store)
        seen = []

        def look(done: int, in_all: int) -> None:
            seen.append(done)
            if len(seen) == 3:
                store_all(record, first=2)
                live.catch_up()
            found = rows(store)
            assert all(len(found[name]) >= len(before[name]) for name in before)
            assert positions(store) == {record.size() - 1}

        rebuilding.rebuild(look)
        assert len(seen) > 8
        live.catch_up()
    assert {one.generation for one in where(store)} == {2}
    assert positions(store) == {record.size() - 1}
    assert rows(store) == rebuilt_rows(store)


def test_a_rebuild_that_is_killed_leaves_the_old_rows_and_can_be_begun_again(store: Store) -> None:
    """What it had made is cleared away; the next one is whole."""
    store_all(store.open())
    with following(store) as follower:
        follower.catch_up()
    before = rows(store)
    with another_process(rebuild_slowly, store.address) as (process, told):
        for _ in range(5):
            assert told.poll(SOON_S)
            told.recv()
        process.kill()
        process.join()
    assert any(not one.serving and one.position > 0 for one in where(store))
    assert rows(store) == before == rebuilt_rows(store)
    assert len(where(store)) == len(PROJECTIONS)
    assert _stored_generations(store) == {one.generation for one in where(store)}


def _stored_generations(store: Store) -> set[int]:
    return {
        int(generation)
        for table in METADATA.tables
        for (generation,) in store.execute(f"SELECT DISTINCT generation FROM {table}")
    }


def test_rows_that_are_spoiled_are_mended_by_a_rebuild(store: Store) -> None:
    """They are worked out from the record alone; and a comparison would have seen the harm."""
    store_all(store.open())
    with following(store) as follower:
        follower.catch_up()
        whole = rows(store)
        store.execute("DELETE FROM projection_alert_changes")
        store.execute("UPDATE projection_items SET state = 'destroyed'")
        assert rows(store) != whole
        follower.rebuild()
    assert rows(store) == whole


def test_a_read_model_of_another_shape_is_made_again(store: Store) -> None:
    """The old rows answer until then, and the other read models are left alone."""
    record = store.open()
    store_all(record)
    with following(store) as follower:
        follower.catch_up()
    before = rows(store)
    newer = [Stricter(), *(one for one in PROJECTIONS if one.NAME != Stricter.NAME)]
    with following(store, newer) as follower:
        building = [one for one in where(store) if not one.serving]
        assert [(one.name, one.position, one.shape) for one in building] == [
            ("alert_register", -1, 2)
        ]
        assert rows(store) == before
        follower.catch_up()
    found = [(one.name, one.generation, one.shape) for one in where(store)]
    expected = sorted((one.NAME, 1, one.SHAPE) for one in PROJECTIONS)
    assert found == [("alert_register", 2, 2), *expected[1:]]
    assert rows(store) == before


def test_a_follower_of_an_older_version_does_not_write_into_newer_rows(store: Store) -> None:
    """Two versions may run beside each other while one is being replaced."""
    record = store.open()
    with following(store) as older:
        older.catch_up()
        with following(store, [Stricter()]) as newer:
            newer.catch_up()
            store_all(record)
            older.catch_up()
            (newest,) = (one for one in where(store) if (one.name, one.shape) == _STRICTER)
            assert newest.position == -1
            newer.catch_up()
            older.catch_up()
    assert [one.shape for one in where(store) if one.name == "alert_register"] == [2]
    assert positions(store) == {record.size() - 1}
    assert rows(store) == rebuilt_rows(store)


def test_of_two_rebuilds_the_later_goes_on(store: Store) -> None:
    """The earlier says so, and has written nothing into the rows of the later."""
    store_all(store.open())
    with following(store) as one, following(store) as other:
        later: list[int] = []

        def interrupt(done: int, in_all: int) -> None:
            if not later:
                later.append(done)
                other.rebuild()

        with pytest.raises(ConflictError, match="another rebuild"):
            one.rebuild(interrupt)
        one.catch_up()
    assert {one.generation for one in where(store)} == {3}
    assert rows(store) == rebuilt_rows(store)


def test_a_rebuild_that_cannot_take_in_an_entry_leaves_the_old_rows(store: Store) -> None:
    """It says at which entry it stopped, and the status shows it."""
    store_all(store.open())
    with following(store) as follower:
        follower.catch_up()
    before = rows(store)
    with (
        following(store, [Stumbling()]) as follower,
        pytest.raises(ProjectionStoppedError, match="cannot take in entry"),
    ):
        follower.rebuild()
    assert rows(store) == before
    [stopped] = [one for one in read_models(store.database) if one.failed_at is not None]
    assert stopped.name == "alert_register" and stopped.behind == 0


# -- waking, and a database that does not answer -----------------------------------------------


def test_a_follower_is_woken_by_what_is_appended(store: Store) -> None:
    """It takes in what another process appends, without being asked, and stops when told to."""
    record = store.open()
    with in_the_background(store) as told:
        store_all(record)
        until(lambda: positions(store) == {record.size() - 1})
        assert told == []
    assert rows(store) == rebuilt_rows(store)


def test_a_locked_database_is_waited_for_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower tries again, less and less often, until it gets its turn."""
    store = SQLiteStore.fresh(tmp_path)
    record = store.open()
    store_all(record)
    monkeypatch.setattr(databases, "LOCK_TIMEOUT_S", 0.01)
    engine = store.database.engine()
    with engine.connect() as holder:
        holder.begin()
        with in_the_background(store) as told:
            until(lambda: len(told) >= 2)
            holder.rollback()
            until(lambda: bool(where(store)) and positions(store) == {record.size() - 1})
    engine.dispose()
    assert "database is locked" in told[0] and "trying again in 0.1 s" in told[0]
    assert "trying again in 0.2 s" in told[1]
    assert rows(store) == rebuilt_rows(store)
    store.remove()


def test_a_server_that_is_killed_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    """kill -9 of the server in the middle of following; the follower goes on when it is back."""
    store = PostgresStore.fresh(tmp_path)
    record = store.open()
    store_all(record, copies=2)
    with in_the_background(store, at_once=3) as told:
        until(lambda: bool(where(store)) and min(positions(store)) > 10)
        server().kill()
        until(lambda: bool(told))
        server().start()
        store.engine().dispose()
        until(lambda: positions(store) == {record.size() - 1})
    assert "trying again in" in told[0] and "postgresql://" in told[0]
    assert rows(store) == rebuilt_rows(store)
    store.remove()


def test_whoever_appends_may_also_follow_and_rebuild(tmp_path: Path) -> None:
    """On PostgreSQL the role has what a follower needs, and still cannot change the record."""
    store = PostgresStore.fresh(tmp_path)
    store_all(store.open())
    user = f"follower_{store.name}"
    server().run(f"CREATE USER {user} IN ROLE {APPENDS}")
    url = server().url(store.name, user=user)
    with closing(Follower(PostgresDatabase(url), PROJECTIONS, at_once=50)) as follower:
        follower.prepare()
        follower.catch_up()
        follower.rebuild()
    assert rows(store) == rebuilt_rows(store)
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM stored_events")
    store.remove()
    server().run(f"DROP USER {user}")


def test_registers_say_that_the_database_does_not_answer(tmp_path: Path) -> None:
    """In our words, whatever the library calls it."""
    store = SQLiteStore.fresh(tmp_path)
    registers = Registers.over(store.engine())
    assert registers.alert_register.follows_to() == 0
    store.execute("DROP TABLE projection_positions")
    with pytest.raises(RecordUnavailableError, match="alert_register cannot be read"):
        registers.alert_register.follows_to()
    store.remove()


@contextmanager
def in_the_background(store: Store, *, at_once: int = 50) -> Iterator[list[str]]:
    """A follower in a thread of its own, and what it told."""
    told: list[str] = []
    stop = threading.Event()
    follower = Follower(store.database, PROJECTIONS, tell=told.append, at_once=at_once)
    thread = threading.Thread(target=follower.follow, args=(stop,))
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join()
        follower.close()

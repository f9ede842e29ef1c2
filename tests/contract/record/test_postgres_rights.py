"""What the role of a running Plumbline may do on PostgreSQL: read, append, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from domain.kernel.commands import Mode
from domain.kernel.errors import ConflictError
from infrastructure.premises import Premises
from infrastructure.record.databases import PostgresDatabase
from infrastructure.record.schema import SchemaError, migrate
from tests.contract.record.examples import asked, face, three_entries, viewed
from tests.support import postgres
from tests.support.stores import PostgresStore, SetClock, StatementRefusedError

LOGIN = "app_login"

_NEW_ROW = "'ffffffffffffffffffffffffffffffff', 1, 'alert.viewed', 'other', 9, '\\x00', '\\x7b7d'"

_ANOTHER_ROW = _NEW_ROW.replace("1, 'alert", "2, 'alert").replace("9,", "10,")

FORBIDDEN = {
    **{
        f"{what} {table}": statement.format(table=table)
        for table in ("stored_events", "log_head", "scope_head", "answered_commands")
        for what, statement in {
            "empty": "TRUNCATE {table}",
            "delete from": "DELETE FROM {table}",
            "switch off the triggers of": "ALTER TABLE {table} DISABLE TRIGGER ALL",
            "drop": "DROP TABLE {table}",
            "rename": "ALTER TABLE {table} RENAME TO other",
        }.items()
    },
    "change an entry": "UPDATE stored_events SET state = '\\x7b7d'",
    "change an answer": "UPDATE answered_commands SET position = 9",
    "change the head": "UPDATE log_head SET size = size + 1",
    "change a scope's head": "UPDATE scope_head SET size = size + 1",
    "add a head": "INSERT INTO scope_head VALUES ('other', 1, 'aa')",
    "drop a trigger": "DROP TRIGGER no_change ON stored_events",
    "replace the function that refuses": (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RETURN NEW; END'"
    ),
    "be a replica, for which triggers do not fire": "SET session_replication_role = replica",
    "change the schema's version": "UPDATE alembic_version SET version_num = '0001'",
    "be the owner": "SET ROLE postgres",
}
"""What the role has no right to."""

REFUSED_AT_THE_END = {
    "shrink the log with the owner's function": "SELECT move_heads(1, '\\x', '{}', '{}', '{}')",
    "shrink a scope with it": (
        "SELECT move_heads(3, frontier, ARRAY[scope], ARRAY[1::bigint], ARRAY[leaf]) "
        "FROM log_head, scope_head"
    ),
    "move the head beyond the end": "SELECT move_heads(9, '\\x', '{}', '{}', '{}')",
    "leave a gap": f"INSERT INTO stored_events SELECT 7, {_NEW_ROW}",
    "insert before the first": f"INSERT INTO stored_events SELECT -1, {_NEW_ROW}",
    "leave a gap behind what belongs at the end": (
        f"INSERT INTO stored_events SELECT 4, {_NEW_ROW}; "
        f"INSERT INTO stored_events SELECT 6, {_ANOTHER_ROW}"
    ),
    # A temporary table of this name stands before ours wherever nobody says which is meant.
    "leave a gap behind a table of the same name": (
        "CREATE TEMPORARY TABLE stored_events (position bigint); "
        "INSERT INTO pg_temp.stored_events VALUES (6); "
        f"INSERT INTO public.stored_events SELECT 7, {_NEW_ROW}"
    ),
    "shrink the log behind a table of the same name": (
        "CREATE TEMPORARY TABLE log_head (size bigint, frontier bytea, one integer); "
        "SELECT move_heads(1, '\\x', '{}', '{}', '{}')"
    ),
}
"""What it may ask for, and the tables' own rules refuse."""


@pytest.fixture
def owned() -> Iterator[PostgresStore]:
    """A record of three entries and an answer, as its owner sees it."""
    store = PostgresStore.on(postgres.server())
    record = store.open()
    three_entries(record)
    record.append(viewed(4), by=asked(), answers=True)
    postgres.server().run(f"CREATE ROLE {LOGIN} LOGIN; GRANT plumbline_appends TO {LOGIN}")
    yield store
    store.remove()
    postgres.server().run(f"DROP ROLE {LOGIN}")


@pytest.fixture
def appending(owned: PostgresStore) -> Iterator[PostgresStore]:
    """The same record, as a running Plumbline reaches it."""
    with closing(owned.through(postgres.server().url(owned.name, user=LOGIN))) as store:
        yield store


def everything(store: PostgresStore) -> list[object]:
    """What the record's tables hold."""
    tables = ("stored_events", "log_head", "scope_head", "answered_commands", "alembic_version")
    return [store.execute(f"SELECT * FROM {table} ORDER BY 1") for table in tables]


def test_it_appends_reads_and_waits(appending: PostgresStore) -> None:
    """All that a running Plumbline does with the record itself."""
    record = appending.open()
    another = asked(scope="another", command_id=UUID(int=7))
    assert record.append(viewed(5), face(1), by=another, answers=True) == 6
    with pytest.raises(ConflictError):
        record.append(viewed(5), by=asked(scope="another"))
    assert [entry.position for entry in record.history()] == list(range(6))
    assert len(appending.rows()) == record.size() == 6
    with closing(appending.database.waiter()) as waiter:
        assert waiter.wait_beyond(5, timeout_s=1) == 6


@pytest.mark.parametrize("attempt", FORBIDDEN)
def test_it_has_no_right_to_change_what_was_stored(
    appending: PostgresStore, owned: PostgresStore, attempt: str
) -> None:
    """The server says so before any trigger is asked."""
    before = everything(owned)
    with psycopg.connect(appending.url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (LOGIN,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(FORBIDDEN[attempt].encode())
    assert everything(owned) == before


@pytest.mark.parametrize("attempt", REFUSED_AT_THE_END)
def test_what_it_may_ask_for_is_refused_where_it_does_not_fit(
    appending: PostgresStore, owned: PostgresStore, attempt: str
) -> None:
    """Rows go to the end, heads only grow."""
    before = everything(owned)
    with (
        pytest.raises(psycopg.errors.RestrictViolation),
        psycopg.connect(appending.url) as connection,
    ):
        connection.execute(REFUSED_AT_THE_END[attempt].encode())
    assert everything(owned) == before


def test_an_owner_without_triggers_could_do_all_of_it(owned: PostgresStore) -> None:
    """So it is the rights and the triggers that refuse, and no mistake in the statements."""
    done = []
    for attempt, statement in {**FORBIDDEN, **REFUSED_AT_THE_END}.items():
        if attempt in ("drop a trigger", "be the owner"):
            continue
        with owned.as_it_was():
            owned.drop_triggers()
            owned.execute(statement)
            done.append(attempt)
    assert len(done) == len(FORBIDDEN) + len(REFUSED_AT_THE_END) - 2


def test_the_triggers_refuse_even_a_superuser_in_replica_mode(owned: PostgresStore) -> None:
    """As whoever restores or replicates works: others' triggers are silent then."""
    before = everything(owned)
    for table in ("stored_events", "log_head", "scope_head", "answered_commands"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(StatementRefusedError, match=r"append-only"):
                owned.execute(f"SET session_replication_role = replica; {statement}")
    assert everything(owned) == before


@pytest.fixture
def unfounded(owned: PostgresStore) -> Iterator[str]:
    """A database of its own without a table, as the login reaches it."""
    name = postgres.server().fresh()
    yield name
    postgres.server().drop(name)


def test_it_founds_a_log_once_where_the_owner_has_made_the_tables(
    unfounded: str, tmp_path: Path
) -> None:
    """As a first start does, and every start after it; a second head is refused."""
    url = postgres.server().url(unfounded, user=LOGIN)
    premises = Premises(tmp_path / "data", url=url)
    with pytest.raises(SchemaError, match=r"belongs to another role .* run plumbline migrate"):
        premises.found(Mode.REHEARSAL)
    migrate(PostgresDatabase(postgres.server().url(unfounded)))
    origins = set()
    for size in (1, 2):
        premises.found(Mode.REHEARSAL)
        with closing(premises.open_record(Mode.REHEARSAL, SetClock())) as record:
            origins.add(record.origin)
            assert record.append(viewed(size), by=asked()) == size
    assert len(origins) == 1
    with psycopg.connect(url, autocommit=True) as connection:
        for one in (1, 2):
            with pytest.raises(psycopg.IntegrityError):
                connection.execute(
                    "INSERT INTO log_head VALUES (%s, 'other', 'rehearsal', 0, '')", (one,)
                )


def test_a_login_without_the_role_cannot_even_read(owned: PostgresStore) -> None:
    """Nothing is open to everybody."""
    postgres.server().run(f"REVOKE plumbline_appends FROM {LOGIN}")
    with psycopg.connect(postgres.server().url(owned.name, user=LOGIN)) as connection:
        for statement in (
            "SELECT * FROM stored_events",
            "SELECT move_heads(9, '', '{}', '{}', '{}')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement.encode())

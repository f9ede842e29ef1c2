"""A record on a server that cannot take it is refused in words, and no password is in them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from domain.kernel.errors import DomainError
from infrastructure.record.databases import (
    PostgresDatabase,
    RecordUnavailableError,
    SQLiteDatabase,
    database_at,
)
from infrastructure.record.event_record import EventRecord
from infrastructure.record.schema import SchemaError, migrate, require_current
from infrastructure.settings import Settings
from tests.contract.record.examples import asked, viewed
from tests.support import postgres
from tests.support.stores import PostgresStore, SetClock, SetKeys

PASSWORD = "pa:ss/wö@rd%7"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def made() -> Iterator[PostgresStore]:
    """A record on the server that the tests share."""
    store = PostgresStore.on(postgres.server())
    yield store
    store.remove()


@pytest.fixture
def guarded(made: PostgresStore) -> Iterator[str]:
    """The URL of that record for a role that must show a password, without the password."""
    server, role = postgres.server(), postgres.GUARDED
    password = PASSWORD.replace("'", "''")
    server.run(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'; GRANT plumbline_appends TO {role}")
    yield server.url(made.name, user=role)
    made.close()
    server.run(f"DROP ROLE {role}")


def opened(url: str) -> EventRecord:
    """The record at a URL, opened as the premises do."""
    database = database_at(url, otherwise=Path("/nowhere"))
    return EventRecord(database, clock=SetClock(), keys=SetKeys())


def with_password(url: str, password: str) -> str:
    """The same URL with a password in it."""
    return url.replace(f"{postgres.GUARDED}@", f"{postgres.GUARDED}:{quote(password, safe='')}@")


# What is asked of the server itself.


@contextmanager
def set_on_the_server(statement: str, undo: str) -> Iterator[None]:
    """The server with another setting."""
    server = postgres.server()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(statement.encode())
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            connection.execute(undo.encode())
            connection.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("setting", ["fsync", "synchronous_commit"])
def test_a_server_whose_commit_does_not_reach_its_disk_is_refused(
    made: PostgresStore, setting: str
) -> None:
    """What was acknowledged could be lost."""
    made.open().append(viewed(1), by=asked())
    with (
        set_on_the_server(f"ALTER SYSTEM SET {setting} = off", f"ALTER SYSTEM RESET {setting}"),
        psycopg.connect(made.url) as looking,
    ):
        while looking.execute(f"SHOW {setting}").fetchone() != ("off",):
            looking.rollback()
        with pytest.raises(RecordUnavailableError, match=f"expected {setting} to be on"):
            made.open()


def test_a_role_for_which_commits_do_not_reach_the_disk_is_refused(made: PostgresStore) -> None:
    """The setting can also hang on the role or the database alone."""
    made.execute(f"ALTER DATABASE {made.name} SET synchronous_commit = off")
    with pytest.raises(RecordUnavailableError, match="expected synchronous_commit to be on"):
        made.open()


def test_a_server_in_recovery_is_refused() -> None:
    """A standby can be read, and takes nothing."""
    server = postgres.Server()
    try:
        store = PostgresStore.on(server)
        store.open().append(viewed(1), by=asked())
        store.close()
        server.end()
        (server.cluster / "standby.signal").touch()
        server.start()
        assert len(store.rows()) == 1
        with pytest.raises(RecordUnavailableError, match="found one in recovery"):
            store.open()
    finally:
        server.stop()


def test_whatever_isolation_the_server_prefers_writers_wait_and_then_look(
    made: PostgresStore,
) -> None:
    """An older snapshot would show old heads, and the record would be called broken."""
    made.execute(
        f"ALTER DATABASE {made.name} SET default_transaction_isolation = 'repeatable read'"
    )
    records = [made.open(), made.open()]
    with psycopg.connect(made.url) as holding:
        holding.execute("SELECT pg_advisory_xact_lock(7591802330156)")
        with beside(lambda: records[0].append(viewed(1), by=asked())) as first:
            until_somebody_waits(made)
            with beside(lambda: records[1].append(viewed(2), by=asked())) as second:
                until_somebody_waits(made, many=2)
                holding.rollback()
                assert {first(), second()} == {1, 2}
    assert [row.position for row in made.rows()] == [0, 1]


@contextmanager
def beside(task: Callable[[], int]) -> Iterator[Callable[[], int]]:
    """Runs a task beside; what is given waits for its result."""
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(task)
        yield lambda: future.result(20)


def until_somebody_waits(store: PostgresStore, *, many: int = 1) -> None:
    """Until so many wait for the log's lock."""
    for _ in range(100_000):
        found = store.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database WHERE "
            "locktype = 'advisory' AND NOT granted AND datname = current_database()"
        )
        if found == [(many,)]:
            return
    raise AssertionError("nobody waits for the log's lock")


# Who cannot be reached, and how it is told.


def refusals(made: PostgresStore, guarded: str) -> dict[str, tuple[str, str]]:
    """URLs that lead nowhere, each with a part of what is said."""
    server = postgres.server()
    return {
        "no server": (
            f"postgresql://{postgres.GUARDED}:{quote(PASSWORD, safe='')}@%2Fnowhere/{made.name}",
            "cannot be reached",
        ),
        "no such database": (server.url("not_there"), r"expected a record at .*/not_there, found"),
        "no such role": (server.url(made.name, user="nobody_here"), "nobody_here.*does not exist"),
        "a wrong password": (
            with_password(guarded, PASSWORD + "x"),
            "password authentication failed",
        ),
        "no password": (guarded, "no password supplied"),
        "not a URL": (f"postgresql://u:{PASSWORD}@host:port/x", "found another form"),
        "a bad escape": ("postgresql://u:pa%zz@host/x", "found another form"),
        "an unclosed address": (f"postgresql://u:{PASSWORD}@[::1/x", "found another form"),
        "a form that URLs do not have": (
            f"postgresql://u:{PASSWORD}\u2100@host/x",
            "PLUMBLINE|reached",
        ),
        "no name of a database": ("postgresql://u@host", "found no name of a database"),
        "another scheme": (f"mysql://u:{PASSWORD}@host/x", "found another scheme"),
        "no scheme": (f"host=h password={PASSWORD}", "found another scheme"),
    }


def test_what_cannot_be_reached_is_told_in_words_and_without_a_password(
    made: PostgresStore, guarded: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in the message, not in what led to it, not in a log."""
    caplog.set_level(logging.DEBUG)
    for what, (url, words) in refusals(made, guarded).items():
        with pytest.raises(DomainError, match=words) as told:
            opened(url)
        whole = "".join(traceback.format_exception(told.value)) + caplog.text
        assert PASSWORD not in whole, what
        assert quote(PASSWORD, safe="") not in whole, what
        assert "zz" not in whole, what


def test_the_right_password_opens_the_record_and_shows_nowhere(
    guarded: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In a list of arguments neither; the same search finds it where it was put there."""
    caplog.set_level(logging.DEBUG)
    url = with_password(guarded, PASSWORD)
    database = PostgresDatabase(url)
    settings = Settings.read({"PLUMBLINE_DATABASE": url})
    assert settings.database == url
    with closing(EventRecord(database, clock=SetClock(), keys=SetKeys())) as record:
        assert record.append(viewed(1), by=asked()) == 1
        with database.connection() as connection:
            pid = connection.info.backend_pid
            shown = [
                caplog.text,
                repr(settings),
                repr(database),
                str(vars(settings) | {"database": None}),
                database.name,
                database.migrate_command,
                repr(connection),
                repr(database.engine()),
                Path(f"/proc/{pid}/cmdline").read_text(),
                Path("/proc/self/cmdline").read_text(),
            ]
    assert not any(PASSWORD in one or quote(PASSWORD, safe="") in one for one in shown)
    waits = [sys.executable, "-c", "print(flush=True); input()", PASSWORD]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as careless:
        assert careless.stdout is not None
        careless.stdout.readline()
        assert PASSWORD in Path(f"/proc/{careless.pid}/cmdline").read_text()
        careless.kill()


def test_a_password_file_is_read(
    guarded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGPASSFILE, as every PostgreSQL program reads it: the URL holds no password then."""
    file = tmp_path / "pgpass"
    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    file.write_text(f"*:*:*:{postgres.GUARDED}:{escaped}\n", encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    with closing(opened(guarded)) as record:
        assert record.append(viewed(1), by=asked()) == 1
    monkeypatch.setenv("PGPASSFILE", "/nowhere")
    with pytest.raises(RecordUnavailableError, match="no password supplied"):
        opened(guarded)


# Shapes.


def plumbline(*arguments: str, database: str, home: Path) -> subprocess.CompletedProcess[str]:
    """The command line, as a person runs it."""
    return subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PLUMBLINE_DATABASE": database,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_empty_database_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    """The command, as a person runs it, with the database in the environment."""
    server = postgres.server()
    name = server.fresh()
    try:
        with pytest.raises(SchemaError, match=r"is at schema none, .* run plumbline migrate"):
            require_current(PostgresDatabase(server.url(name)))
        data = str(tmp_path / "data")
        done = plumbline("migrate", "--data", data, database=server.url(name), home=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        require_current(PostgresDatabase(server.url(name)))
        refused = plumbline("migrate", "--data", data, database="mysql://x", home=tmp_path)
        assert refused.returncode == 4
        assert refused.stderr.startswith("plumbline: PLUMBLINE_DATABASE: expected postgresql://")
    finally:
        server.drop(name)


def test_migrating_needs_the_owner_and_says_so(made: PostgresStore, guarded: str) -> None:
    """The appending role is told what it lacks; nothing has changed."""
    made.execute("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(DomainError, match=r"permission denied|must be owner"):
        migrate(PostgresDatabase(with_password(guarded, PASSWORD)))
    assert made.execute("SELECT version_num FROM alembic_version") == [("0001",)]


def test_a_file_is_used_where_no_database_is_named(tmp_path: Path) -> None:
    """An empty setting is none."""
    for nothing in (None, ""):
        found = database_at(nothing, otherwise=tmp_path / "record.db")
        assert isinstance(found, SQLiteDatabase)

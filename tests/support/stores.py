"""Records for tests: fresh, reopened, and reached into behind their backs.

A test asks the fixture ``store`` for a :class:`Store` and names no database. Another database
joins as one more class in :data:`STORES`.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine

from domain.assurance.notes import VerifierKey
from domain.assurance.verification import Kind, StoredHead, StoredRow, Verdict, verify
from domain.ports import Clock
from infrastructure.record.databases import Database, PostgresDatabase, SQLiteDatabase
from infrastructure.record.event_record import EventRecord
from infrastructure.record.schema import found_log, migrate
from infrastructure.record.stored_rows import RecordUnreadableError, StoredLog, stored_in_postgres
from tests.support import postgres

ORIGIN = "example.org/plumbline/rehearsal"
HALF_PAST_NINE = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


class SetClock:
    """A clock that shows what a test sets."""

    def __init__(self, at: datetime = HALF_PAST_NINE) -> None:
        self.at = at
        self.believed = True

    def now(self) -> datetime:
        """The instant that was set."""
        return self.at

    def trusted(self) -> bool:
        """Whether the test wants the clock believed."""
        return self.believed


class SetKeys:
    """Keys for knowing commands again, the same in every process of a test until forgotten."""

    def __init__(self) -> None:
        self._forgotten: dict[str, int] = {}

    def current(self, scope: str) -> tuple[str, bytes]:
        """The name of a scope's key and the key."""
        name = f"{scope}/{self._forgotten.get(scope, 0)}"
        return name, hashlib.sha256(name.encode()).digest()

    def find(self, name: str) -> bytes | None:
        """The key of this name, unless it was forgotten."""
        current, key = self.current(name.rpartition("/")[0])
        return key if current == name else None

    def forget(self, scope: str) -> None:
        """The next key of this scope is another."""
        self._forgotten[scope] = self._forgotten.get(scope, 0) + 1

    def close(self) -> None:
        """Nothing to let go of."""


class Store(ABC):
    """One rehearsal record of its own, and a way behind its back.

    ``address`` is what another process needs to reach the same record (:func:`reach`).
    """

    def __init__(self, address: str, database: Database) -> None:
        self.address = address
        self.database = database
        self.clock = SetClock()
        self.keys = SetKeys()
        self._open: list[EventRecord] = []
        self._engine: Engine | None = None

    def open(
        self,
        *,
        on_commit: Callable[[int], None] = lambda size: None,
        clock: Clock | None = None,
    ) -> EventRecord:
        """The record, opened once more, by the store's clock or another. The store closes it."""
        record = EventRecord(
            self.database, clock=clock or self.clock, keys=self.keys, on_commit=on_commit
        )
        self._open.append(record)
        return record

    def engine(self) -> Engine:
        """For tables other than the record's own. It is disposed of with the store."""
        self._engine = self._engine or self.database.engine()
        return self._engine

    def close(self) -> None:
        """Close everything that was opened here."""
        while self._open:
            self._open.pop().close()
        if self._engine is not None:
            self._engine.dispose()

    def remove(self) -> None:
        """Close everything, and leave nothing behind."""
        self.close()

    @abstractmethod
    def execute(self, statement: str, /, **values: object) -> list[tuple[Any, ...]]:
        """Run one statement with ``:named`` values on a connection of its own, and commit.

        Raises:
            StatementRefusedError: the database itself refused it.
        """

    @abstractmethod
    def drop_triggers(self) -> None:
        """Take away what keeps the record append-only, as whoever owns the file can."""

    @abstractmethod
    def drop_constraints(self) -> None:
        """Take away triggers and every other rule of the tables too: no key, no NOT NULL."""

    @property
    @abstractmethod
    def place_columns(self) -> Mapping[str, int]:
        """The columns that tell the place of a row, with what each adds to the position."""

    @property
    @abstractmethod
    def forbidden(self) -> Mapping[str, str]:
        """Statements that change, remove or slip in what was stored, by what they attempt.

        They assume the log of ``tests.contract.record.examples.three_entries``.
        """

    def stored(self) -> AbstractContextManager[StoredLog]:
        """The rows as they are stored."""
        return self.database.stored()

    @abstractmethod
    def as_it_was(self) -> AbstractContextManager[None]:
        """Whatever is done to the record inside is undone afterwards. It must not be open."""

    def rows(self) -> list[StoredRow]:
        """Every stored row, in the order of the log."""
        with self.stored() as log:
            return list(log.rows)

    def head(self) -> StoredHead:
        """The log's head."""
        with self.stored() as log:
            return log.head

    def verdict(
        self, key: VerifierKey, *, own: str | None = None, outside: str | None = None
    ) -> Verdict:
        """What verification says of what is stored.

        Raises:
            RecordUnreadableError: the database cannot be read.
        """
        with self.stored() as log:
            return verify(
                log.rows,
                head=log.head,
                scope_heads=log.scope_heads,
                key=key,
                own_checkpoint=own,
                outside_checkpoint=outside,
            )

    def kind(self, key: VerifierKey, *, own: str | None = None, outside: str | None = None) -> Kind:
        """The verdict in one word, as the command line would give it."""
        try:
            return self.verdict(key, own=own, outside=outside).kind
        except RecordUnreadableError:
            return Kind.UNREADABLE


class StatementRefusedError(Exception):
    """The database refused a statement."""


class SQLiteStore(Store):
    """A record in one SQLite file."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"sqlite:{file}", SQLiteDatabase(file))
        self.file = file

    @classmethod
    def fresh(cls, directory: Path) -> SQLiteStore:
        """A record without entries."""
        store = cls(directory / "record.db")
        store.file.write_bytes(_founded())
        return store

    def execute(self, statement: str, /, **values: object) -> list[tuple[Any, ...]]:
        """As above."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # no test pulls the plug on this one
            try:
                return connection.execute(statement, values).fetchall()
            except (sqlite3.IntegrityError, sqlite3.OperationalError) as error:
                raise StatementRefusedError(f"{statement}: {error}") from error

    def drop_triggers(self) -> None:
        """As above."""
        for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            self.execute(f"DROP TRIGGER {name}")

    def drop_constraints(self) -> None:
        """As above."""
        for table in ("stored_events", "log_head", "scope_head"):
            self.execute(f"CREATE TABLE copied AS SELECT * FROM {table}")
            self.execute(f"DROP TABLE {table}")
            self.execute(f"ALTER TABLE copied RENAME TO {table}")

    @property
    def place_columns(self) -> Mapping[str, int]:
        """As above."""
        return {"position": 0, "rowid": 1}

    @property
    def forbidden(self) -> Mapping[str, str]:
        """As above."""
        return _FORBIDDEN_IN_SQLITE

    @contextmanager
    def as_it_was(self) -> Iterator[None]:
        """As above: the file is put back, byte for byte."""
        # Out of WAL mode the whole database is in this one file.
        self.execute("PRAGMA journal_mode = DELETE")
        before = self.file.read_bytes()
        try:
            yield
        finally:
            self.file.write_bytes(before)


_COLUMNS = (
    "rowid, position, originator_id, originator_version, topic, scope, scope_pos, leaf, state"
)
_OTHER_STREAM = "'ffffffffffffffffffffffffffffffff'"

_FORBIDDEN_IN_SQLITE: Mapping[str, str] = {
    **{
        f"change the column {column}": f"UPDATE stored_events SET {column} = {value} "
        "WHERE position = 1"
        for column, value in {
            "rowid": "9",
            "position": "9",
            "originator_id": _OTHER_STREAM,
            "originator_version": "9",
            "topic": "'alert.closed'",
            "scope": "'other'",
            "scope_pos": "9",
            "leaf": "x'00'",
            "state": "x'7b7d'",
        }.items()
    },
    "change an entry to itself": "UPDATE stored_events SET state = state",
    "change an entry over another": (
        "UPDATE OR REPLACE stored_events SET position = 0 WHERE position = 1"
    ),
    "remove the last entry": "DELETE FROM stored_events WHERE position = 2",
    "remove every entry": "DELETE FROM stored_events",
    "replace an entry": (
        f"INSERT OR REPLACE INTO stored_events ({_COLUMNS}) SELECT rowid, position, "
        "originator_id, originator_version, topic, scope, scope_pos, leaf, x'7b7d' "
        "FROM stored_events WHERE position = 1"
    ),
    "replace an entry by a row at the end with its stream and version": (
        f"REPLACE INTO stored_events ({_COLUMNS}) SELECT 4, 3, originator_id, "
        "originator_version, topic, scope, 9, leaf, state FROM stored_events WHERE position = 1"
    ),
    "replace an entry by a row at the end with its place in the scope": (
        f"REPLACE INTO stored_events ({_COLUMNS}) SELECT 4, 3, {_OTHER_STREAM}, 1, topic, "
        "scope, scope_pos, leaf, state FROM stored_events WHERE position = 1"
    ),
    "replace an entry by the upsert of another": (
        f"INSERT INTO stored_events ({_COLUMNS}) SELECT * FROM stored_events WHERE position = 1 "
        "ON CONFLICT DO UPDATE SET state = x'7b7d'"
    ),
    "leave a gap": (
        f"INSERT INTO stored_events ({_COLUMNS}) SELECT 6, 5, {_OTHER_STREAM}, 1, topic, scope, "
        "9, leaf, state FROM stored_events WHERE position = 1"
    ),
    "insert before the first": (
        f"INSERT INTO stored_events ({_COLUMNS}) SELECT 0, -1, {_OTHER_STREAM}, 1, topic, scope, "
        "9, leaf, state FROM stored_events WHERE position = 1"
    ),
    "insert at the end under another rowid": (
        f"INSERT INTO stored_events ({_COLUMNS}) SELECT 9, 3, {_OTHER_STREAM}, 1, topic, scope, "
        "9, leaf, state FROM stored_events WHERE position = 1"
    ),
    "shrink the log": "UPDATE log_head SET size = 1",
    "rename the log": "UPDATE log_head SET origin = 'example.org/other'",
    "change the mode": "UPDATE log_head SET mode = 'operational'",
    "remove the log's head": "DELETE FROM log_head",
    "replace the log's head": (
        "REPLACE INTO log_head (one, origin, mode, size, frontier) "
        "SELECT one, origin, mode, 1, frontier FROM log_head"
    ),
    "shrink a scope": "UPDATE scope_head SET size = 1",
    "rename a scope": "UPDATE scope_head SET scope = 'other'",
    "remove a scope's head": "DELETE FROM scope_head",
    "replace a scope's head": (
        "REPLACE INTO scope_head (scope, size, leaf) SELECT scope, 1, leaf FROM scope_head"
    ),
}


@functools.cache
def _founded() -> bytes:
    """A founded record without entries: made once, copied for each test."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "record.db"
        database = SQLiteDatabase(file)
        migrate(database)
        found_log(database, origin=ORIGIN, mode="rehearsal")
        return file.read_bytes()


class PostgresStore(Store):
    """A record in a database of its own on a real server."""

    def __init__(self, name: str, url: str, *, made_on: postgres.Server | None = None) -> None:
        super().__init__(f"postgres:{name} {url}", PostgresDatabase(url))
        self.name = name
        self.url = url
        self._made_on = made_on
        self._held: psycopg.Connection[tuple[Any, ...]] | None = None

    @classmethod
    def fresh(cls, directory: Path) -> PostgresStore:
        """A record without entries."""
        return cls.on(postgres.server())

    @classmethod
    def on(cls, server: postgres.Server) -> PostgresStore:
        """A record without entries, on a server that a test wants for itself."""
        name = server.fresh(template=_founded_template(server))
        return cls(name, server.url(name), made_on=server)

    def through(self, url: str) -> PostgresStore:
        """The same record, reached in another way."""
        return PostgresStore(self.name, url)

    def remove(self) -> None:
        """As above: the database goes, if it was made here."""
        super().remove()
        if self._made_on is not None:
            self._made_on.drop(self.name)

    def execute(self, statement: str, /, **values: object) -> list[tuple[Any, ...]]:
        """As above."""
        asked = re.sub(r"(?<![:\w]):([a-z_]+)", r"%(\1)s", statement.replace("%", "%%"))
        try:
            with self._connection() as connection, connection.transaction():
                answer = connection.execute(asked.encode(), values)
                return answer.fetchall() if answer.description else []
        except psycopg.Error as error:
            raise StatementRefusedError(f"{statement}: {error}") from error

    def stored(self) -> AbstractContextManager[StoredLog]:
        """As above."""
        if self._held is None:
            return super().stored()
        return stored_in_postgres(self._connection, self.name)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        if self._held is not None:
            yield self._held
        else:
            with psycopg.connect(self.url) as connection:
                yield connection

    def drop_triggers(self) -> None:
        """As above."""
        for name, table in self.execute(
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        ):
            self.execute(f"DROP TRIGGER {name} ON {table}")

    def drop_constraints(self) -> None:
        """As above."""
        for table in ("stored_events", "log_head", "scope_head"):
            self.execute(f"CREATE TABLE copied AS SELECT * FROM {table}")
            self.execute(f"DROP TABLE {table}")
            self.execute(f"ALTER TABLE copied RENAME TO {table}")

    @property
    def place_columns(self) -> Mapping[str, int]:
        """As above."""
        return {"position": 0}

    @property
    def forbidden(self) -> Mapping[str, str]:
        """As above."""
        return _FORBIDDEN_IN_POSTGRES

    @contextmanager
    def as_it_was(self) -> Iterator[None]:
        """As above: everything inside is one transaction, which is taken back."""
        with psycopg.connect(self.url) as held, held.transaction(force_rollback=True):
            self._held = held
            try:
                yield
            finally:
                self._held = None


_PG_COLUMNS = _COLUMNS.removeprefix("rowid, ")
_PG_OTHER_STREAM = f"{_OTHER_STREAM}::uuid"

_FORBIDDEN_IN_POSTGRES: Mapping[str, str] = {
    **{
        f"change the column {column}": f"UPDATE stored_events SET {column} = {value} "
        "WHERE position = 1"
        for column, value in {
            "position": "9",
            "originator_id": _PG_OTHER_STREAM,
            "originator_version": "9",
            "topic": "'alert.closed'",
            "scope": "'other'",
            "scope_pos": "9",
            "leaf": "'\\x00'",
            "state": "'\\x7b7d'",
        }.items()
    },
    "change an entry to itself": "UPDATE stored_events SET state = state",
    "remove the last entry": "DELETE FROM stored_events WHERE position = 2",
    "remove every entry": "DELETE FROM stored_events",
    "empty the table": "TRUNCATE stored_events",
    "empty the heads": "TRUNCATE log_head, scope_head",
    "replace an entry by the upsert of another": (
        f"INSERT INTO stored_events ({_PG_COLUMNS}) SELECT * FROM stored_events "
        "WHERE position = 1 ON CONFLICT (position) DO UPDATE SET state = '\\x7b7d'"
    ),
    "leave a gap": (
        f"INSERT INTO stored_events ({_PG_COLUMNS}) SELECT 5, {_PG_OTHER_STREAM}, 1, topic, "
        "scope, 9, leaf, state FROM stored_events WHERE position = 1"
    ),
    "insert before the first": (
        f"INSERT INTO stored_events ({_PG_COLUMNS}) SELECT -1, {_PG_OTHER_STREAM}, 1, topic, "
        "scope, 9, leaf, state FROM stored_events WHERE position = 1"
    ),
    "change an entry as a replica would": (
        "SET session_replication_role = replica; UPDATE stored_events SET state = '\\x7b7d'"
    ),
    "remove an entry as a replica would": (
        "SET session_replication_role = replica; DELETE FROM stored_events"
    ),
    "shrink the log": "UPDATE log_head SET size = 1",
    "rename the log": "UPDATE log_head SET origin = 'example.org/other'",
    "change the mode": "UPDATE log_head SET mode = 'operational'",
    "remove the log's head": "DELETE FROM log_head",
    "replace the log's head": (
        "INSERT INTO log_head (one, origin, mode, size, frontier) "
        "SELECT one, origin, mode, 1, frontier FROM log_head "
        "ON CONFLICT (one) DO UPDATE SET size = excluded.size"
    ),
    "shrink a scope": "UPDATE scope_head SET size = 1",
    "rename a scope": "UPDATE scope_head SET scope = 'other'",
    "remove a scope's head": "DELETE FROM scope_head",
    "replace a scope's head": (
        "INSERT INTO scope_head (scope, size, leaf) SELECT scope, 1, leaf FROM scope_head "
        "ON CONFLICT (scope) DO UPDATE SET size = excluded.size"
    ),
    "shrink the heads with the owner's function": ("SELECT move_heads(1, '\\x', '{}', '{}', '{}')"),
}


@functools.cache
def _founded_template(server: postgres.Server) -> str:
    """A database with a founded record without entries: made once, cloned for each test."""
    name = server.fresh()
    database = PostgresDatabase(server.url(name))
    migrate(database)
    found_log(database, origin=ORIGIN, mode="rehearsal")
    return name


STORES: Mapping[str, Callable[[Path], Store]] = {
    "postgres": PostgresStore.fresh,
    "sqlite": SQLiteStore.fresh,
}
"""Each kind of store, with how it makes a fresh record below a directory."""

_REACHING: Mapping[str, Callable[[str], Store]] = {
    "postgres": lambda rest: PostgresStore(*rest.split(" ", 1)),
    "sqlite": lambda rest: SQLiteStore(Path(rest)),
}


def reach(address: str) -> Store:
    """The store at an address, from another process."""
    kind, rest = address.split(":", 1)
    return _REACHING[kind](rest)

"""The two kinds of database that can hold a record, behind one face.

SQLite is the embedded default, one file; PostgreSQL is the server, named by a URL. What differs
between them stands here, in their recorders and in the first migrations, and nowhere else.
"""

from __future__ import annotations

import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
from eventsourcing.postgres import ConnectionPool, PostgresDatastore
from eventsourcing.sqlite import SQLiteDatastore
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row, tuple_row
from psycopg_pool import PoolTimeout
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import Connection

from domain.kernel.errors import DomainError
from infrastructure.record.postgres_recorder import LOCK, PostgresRecorder
from infrastructure.record.sqlite_recorder import SQLiteRecorder
from infrastructure.record.stored_rows import StoredLog, stored_in_postgres, stored_in_sqlite
from infrastructure.record.unavailable import (
    OutcomeUnknownError as OutcomeUnknownError,
)
from infrastructure.record.unavailable import (
    RecordUnavailableError as RecordUnavailableError,
)
from infrastructure.record.waiting import PostgresWaiter, SQLiteWaiter, Waiter

LOCK_TIMEOUT_S = 30
"""How long a writer waits for another's transaction."""
CONNECT_TIMEOUT_S = 5
LOOK_AGAIN_S = 0.25
"""How often a server that is away is looked for, while somebody waits for a connection."""
POOLED = 4
"""Connections that one process keeps: a writer and some readers."""

_FULL = 2

Recorder = SQLiteRecorder | PostgresRecorder
Values = Sequence[object]


IDLE_S = 10
"""How long a writer may hold the log's lock without asking the server for anything."""
GONE_S = 10
"""After how long without an answer a connection over a network is given up."""


class Database(ABC):
    """Where a record is, and how it is reached."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What a person may read of it: never a password."""

    @property
    @abstractmethod
    def migrate_command(self) -> str:
        """What to type to bring it to this version's shape."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a database, with tables or without."""

    @abstractmethod
    def engine(self) -> Engine:
        """For tables other than the record's own: read models and migrations."""

    @abstractmethod
    def recorder(self) -> Recorder:
        """For appending and for loading streams. Whoever asked closes ``recorder.datastore``.

        Raises:
            RecordUnavailableError: it cannot be reached, or a COMMIT would not reach its disk.
        """

    @abstractmethod
    def stored(self) -> AbstractContextManager[StoredLog]:
        """The rows as they are stored, for verification; changes nothing.

        Raises:
            RecordUnreadableError: missing, of another shape, or damaged.
        """

    @abstractmethod
    def read(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Rows of the record, on a connection that cannot write. ``?`` stands for a value.

        Raises:
            RecordUnavailableError: they cannot be read.
        """

    @abstractmethod
    def id_of(self, reference: UUID) -> object:
        """How the database keeps a reference."""

    @abstractmethod
    def waiter(self) -> Waiter:
        """For whoever waits for the log to grow."""

    @abstractmethod
    def keep_others_out(self, connection: Connection) -> None:
        """Let no other writer in until the transaction of this connection ends."""

    @abstractmethod
    def after_migrating(self) -> None:
        """What a new shape needs beside the tables themselves."""


@dataclass(frozen=True)
class ServerFiles:
    """Where a server on this machine keeps what it was given."""

    directory: Path
    """Its data directory."""
    flushed: bool
    """Whether all that was committed until now lies there, and not only in its log."""


class SQLiteDatabase(Database):
    """A record in one file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def name(self) -> str:
        """The file."""
        return str(self.file)

    @property
    def migrate_command(self) -> str:
        """As above."""
        return f"plumbline migrate --data {self.file.parent.parent}"

    def exists(self) -> bool:
        """Whether the file is there."""
        return self.file.is_file()

    def engine(self) -> Engine:
        """As above; each transaction takes the write lock when it begins.

        Those of an engine with the execution option ``only_reads`` do not.
        """
        engine = create_engine(
            URL.create("sqlite+pysqlite", database=str(self.file)),
            connect_args={"timeout": LOCK_TIMEOUT_S},
        )

        # The driver opens transactions late and never around DDL; half a change must not stay.
        @event.listens_for(engine, "connect")
        def _autocommit(connection: object, _: object) -> None:
            connection.isolation_level = None  # type: ignore[attr-defined]

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            only_reads = connection.get_execution_options().get("only_reads")
            connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

        return engine

    def recorder(self) -> SQLiteRecorder:
        """As above."""
        datastore = SQLiteDatastore(str(self.file), lock_timeout=LOCK_TIMEOUT_S)
        try:
            _require_full_sync(datastore)
        except BaseException:
            datastore.close()
            raise
        return SQLiteRecorder(datastore)

    def stored(self) -> AbstractContextManager[StoredLog]:
        """As above."""
        return stored_in_sqlite(self.file)

    def read(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """As above."""
        address = f"file:{quote(str(self.file))}?mode=ro"
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=LOCK_TIMEOUT_S)) as connection:
                return connection.execute(statement, values).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            # UnicodeDecodeError: SQLite quotes what is damaged in its own message.
            raise _unreadable(self, error) from error

    def id_of(self, reference: UUID) -> str:
        """As above: 32 hex digits."""
        return reference.hex

    def waiter(self) -> Waiter:
        """As above."""
        return SQLiteWaiter(self.file)

    def keep_others_out(self, connection: Connection) -> None:
        """As above: already done when the transaction began (:meth:`engine`)."""

    def after_migrating(self) -> None:
        """Keep a write-ahead log from the first, so that readers and the writer do not wait.

        Left to the first connections of the ``eventsourcing`` library, two at once would collide:
        SQLite does not wait for its lock when it changes this.
        """
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")


class PostgresDatabase(Database):
    """A record in a PostgreSQL database of its own.

    Args:
        url: ``postgresql://user@host/name``; a password is better kept in a ``PGPASSFILE``.

    Raises:
        DomainError: the URL is not one.
    """

    def __init__(self, url: str) -> None:
        try:
            self._conninfo = conninfo_to_dict(url)
        except psycopg.Error:
            # Neither the URL nor the library's words about it: there may be a password in it.
            raise DomainError(f"PLUMBLINE_DATABASE: expected {_FORM}, found another form") from None
        if not self._conninfo.get("dbname"):
            raise DomainError(f"PLUMBLINE_DATABASE: expected {_FORM}, found no name of a database")

    @property
    def name(self) -> str:
        """Server and database, without user and password."""
        host = self._conninfo.get("host") or "localhost"
        return f"postgresql://{host}/{self._conninfo.get('dbname', '')}"

    @property
    def migrate_command(self) -> str:
        """As above."""
        return "plumbline migrate"

    def exists(self) -> bool:
        """Whether the server answers for this database."""
        try:
            psycopg.connect(**self._settings()).close()
        except psycopg.OperationalError as error:
            if f'database "{self._conninfo["dbname"]}" does not exist' in str(error):
                return False
            raise self._unreachable(error) from error
        return True

    def engine(self) -> Engine:
        """As above."""
        # SQLAlchemy would read the URL by rules of its own (a socket's directory, for one).
        return create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(**self._settings())
        )

    def recorder(self) -> PostgresRecorder:
        """As above."""
        # On a connection of its own: the pool would only say that there was none in time.
        try:
            with psycopg.connect(**self._settings()) as connection:
                self._require_durable_commits(connection)
        except psycopg.Error as error:
            raise self._unreachable(error) from error
        return PostgresRecorder(_Datastore(self._settings()))

    def stored(self) -> AbstractContextManager[StoredLog]:
        """As above."""
        return stored_in_postgres(self.connection, self.name)

    def read(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """As above."""
        try:
            with self.connection() as connection:
                return connection.execute(statement.replace("?", "%s"), values).fetchall()
        except psycopg.Error as error:
            raise _unreadable(self, error) from error

    def files(self) -> ServerFiles | None:
        """Where the server keeps its files; None where it is elsewhere or does not tell us.

        It tells superusers and members of ``pg_read_all_settings``, and flushes for superusers and
        members of ``pg_checkpoint``.
        """
        host = str(self._conninfo.get("host") or "/")
        if not host.startswith("/") and host not in _THIS_MACHINE:
            return None
        try:
            with psycopg.connect(**self._settings(), autocommit=True) as connection:
                told = connection.execute("SHOW data_directory").fetchone()
                try:
                    connection.execute("CHECKPOINT")
                except psycopg.errors.InsufficientPrivilege:
                    return ServerFiles(Path(told[0]), flushed=False) if told else None
        except psycopg.Error:
            return None
        return ServerFiles(Path(told[0]), flushed=True) if told else None

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection for reading only, in one repeatable-read transaction."""
        with psycopg.connect(**self._settings(), row_factory=tuple_row) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            yield connection

    def id_of(self, reference: UUID) -> UUID:
        """As above: a ``uuid``."""
        return reference

    def waiter(self) -> Waiter:
        """As above."""
        return PostgresWaiter(self._settings())

    def keep_others_out(self, connection: Connection) -> None:
        """As above: by the log's lock."""
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
        connection.exec_driver_sql(LOCK)

    def after_migrating(self) -> None:
        """Let the role that appends read and insert, and change nothing that was recorded."""
        try:
            with psycopg.connect(**self._settings()) as connection:
                grant(connection)
        except psycopg.Error as error:
            raise RecordUnavailableError(
                f"{self.name}: the role {APPENDS} was not given its rights: {error}"
            ) from error

    def _settings(self) -> dict[str, Any]:
        return {**_PATIENCE, **self._conninfo}

    def _unreachable(self, error: psycopg.Error) -> RecordUnavailableError:
        return RecordUnavailableError(f"{self.name} cannot be reached: {error}")

    def _require_durable_commits(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Refuse a server whose COMMIT does not reach its disk, or that takes none."""
        for setting in ("fsync", "synchronous_commit"):
            found = connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()
            if found == ("off",):
                raise RecordUnavailableError(
                    f"{self.name}: expected {setting} to be on, found it off: what was "
                    "acknowledged could be lost"
                )
        if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
            raise RecordUnavailableError(
                f"{self.name}: expected a server that takes entries, found one in recovery (a "
                "standby, or one that is being restored): use the primary"
            )


_FORM = "postgresql://user@host/name"
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})

_PATIENCE: dict[str, Any] = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    # A network that falls silent must not hold a writer, and with it all others, for hours.
    "keepalives_idle": GONE_S // 2,
    "keepalives_interval": 1,
    "keepalives_count": GONE_S // 2,
    "tcp_user_timeout": GONE_S * 1000,
}
"""How connections are made, unless the URL says otherwise."""

_SESSION = f"""
SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_S}s', false),
       set_config('lock_timeout', '{LOCK_TIMEOUT_S}s', false),
       -- Heads are read after the log's lock was waited for. An older snapshot would show old ones.
       set_config('default_transaction_isolation', 'read committed', false),
       -- Looked at when the record is opened, and for this role it may be changed at any time.
       set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                  WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)
"""
"""What every connection that writes is set to, whatever the server's own settings are."""


class _Datastore(PostgresDatastore):
    """The library's connections, from a pool of ours with every setting that the URL names."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(dbname="", host="", port="", user="", password="")
        self.pool = _Pool(
            connection_class=psycopg.Connection[DictRow],
            kwargs={"row_factory": dict_row, **settings},
            min_size=1,
            max_size=POOLED,
            open=False,
            configure=_begin_session,
            timeout=CONNECT_TIMEOUT_S,
            reconnect_timeout=0,
        )


class _Pool(ConnectionPool[psycopg.Connection[DictRow]]):
    """Looks for a server that is away for as long as anybody waits, and finds it at once.

    The library's pool looks at growing distances, then gives up and lets those wait who wait.
    """

    def getconn(self, timeout: float | None = None) -> psycopg.Connection[DictRow]:
        """A connection, asked for again and again until the time is up."""
        patience = self.timeout if timeout is None else timeout
        until = time.monotonic() + patience
        while True:
            try:
                return super().getconn(LOOK_AGAIN_S)
            except PoolTimeout:
                if time.monotonic() >= until:
                    raise PoolTimeout(f"no connection within {patience:g} s") from None


def _begin_session(connection: psycopg.Connection[Any]) -> None:
    connection.autocommit = True
    connection.execute(_SESSION)


def database_at(url: str | None, *, otherwise: Path) -> Database:
    """The database that a setting names, or the file that is used where it names none.

    Raises:
        DomainError: the URL is of no kind that is known here.
    """
    if not url:
        return SQLiteDatabase(otherwise)
    # Not taken apart by any other library: its complaints would quote what may hold a password.
    if not url.startswith(("postgresql://", "postgres://")):
        raise DomainError(f"PLUMBLINE_DATABASE: expected {_FORM}, found another scheme")
    return PostgresDatabase(url)


APPENDS = "plumbline_appends"
"""The role that a running Plumbline has: GRANT it to the user that it logs in as."""


def grant(connection: psycopg.Connection[Any]) -> None:
    """Make the appending role, if we may, and give it what it needs on the tables as they are."""
    made = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (APPENDS,)).fetchone()
    if made is None:
        may = connection.execute(
            "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        if may is None or not may[0]:
            return
        connection.execute(f"CREATE ROLE {APPENDS} NOLOGIN")
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    ).fetchall()
    connection.execute(f"GRANT USAGE ON SCHEMA public TO {APPENDS}")
    for (table,) in tables:
        connection.execute(f"GRANT {_rights(table)} ON {table} TO {APPENDS}")
    connection.execute(f"GRANT EXECUTE ON FUNCTION move_heads TO {APPENDS}")


def _rights(table: str) -> str:
    # Of heads of the log there is one at the most: adding it is how a log is founded.
    if table in ("stored_events", "answered_commands", "log_head"):
        return "SELECT, INSERT"
    if table.startswith("projection"):
        return "SELECT, INSERT, UPDATE, DELETE"
    return "SELECT"


def _unreadable(database: Database, error: Exception) -> RecordUnavailableError:
    return RecordUnavailableError(
        f"{type(error).__name__}: the record {database.name} cannot be read ({error})"
    )


def _require_full_sync(datastore: SQLiteDatastore) -> None:
    """Refuse an SQLite whose COMMIT does not reach the disk: what was acknowledged could be lost.

    The library opens the connections, and the value is SQLite's build default.
    """
    with datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA synchronous")
        found = cursor.fetchone()[0]
    if found != _FULL:
        raise RecordUnavailableError(f"expected SQLite's synchronous to be 2 (FULL), found {found}")

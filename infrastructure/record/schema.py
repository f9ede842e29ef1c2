"""The record's tables: made and moved forward by Alembic, and by nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from domain.kernel.errors import DomainError

MIGRATIONS = Path(__file__).parents[2] / "migrations"


class SchemaError(DomainError):
    """The database is not at the shape that this version of Plumbline needs."""


def migrate(database: Path) -> str:
    """Bring a record's database to the newest shape, in one transaction.

    Returns:
        The revision that it is at now.

    Raises:
        SchemaError: a newer version made it, or it cannot be changed. Nothing was changed.
    """
    with _transaction(database) as connection:
        _require_known(database, _revision(connection))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        newest = _revision(connection) or ""
    _write_ahead(database)
    return newest


def revision(database: Path) -> str | None:
    """The shape that a database is at, or ``None`` where no table was made yet."""
    if not database.is_file():
        return None
    with _transaction(database) as connection:
        return _revision(connection)


def require_current(database: Path) -> None:
    """Refuse a database of another shape, with the command to run."""
    if not database.is_file():
        raise SchemaError(f"expected a record at {database}, found none")
    found = revision(database)
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    if found != wanted:
        _require_known(database, found)
        raise SchemaError(
            f"the record {database} is at schema {found or 'none'}, this version needs {wanted}: "
            f"run plumbline migrate --data {database.parent.parent}"
        )


def found_log(database: Path, *, origin: str, mode: str) -> None:
    """Write a new log's origin and mode: once, and for ever."""
    with _transaction(database) as connection:
        connection.execute(
            text(
                "INSERT INTO log_head (one, origin, mode, size, frontier) "
                "SELECT 1, :origin, :mode, 0, x'' WHERE NOT EXISTS (SELECT 1 FROM log_head)"
            ),
            {"origin": origin, "mode": mode},
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _write_ahead(database: Path) -> None:
    """Keep a write-ahead log from the first, so that readers and the writer do not wait.

    Left to the first connections of the ``eventsourcing`` library, two at once would collide:
    SQLite does not wait for its lock when it changes this.
    """
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def _require_known(database: Path, found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaError(
            f"the record {database} is at schema {found}, which this version does not know: "
            "use the version of Plumbline that made it"
        )


@contextmanager
def _transaction(database: Path) -> Iterator[Connection]:
    """One transaction, all or nothing.

    Raises:
        SchemaError: what the database said against it.
    """
    engine = _engine(database)
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise SchemaError(f"the record {database} cannot be used: {error.orig}") from error
    except UnicodeDecodeError as error:  # SQLite quotes what is damaged in its own message
        raise SchemaError(f"the record {database} is damaged: {error}") from error
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _engine(database: Path) -> Engine:
    engine = create_engine(URL.create("sqlite+pysqlite", database=str(database)))

    # The driver opens transactions late and never around DDL; a half-made schema must not stay.
    @event.listens_for(engine, "connect")
    def _autocommit(connection: object, _: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine

"""The record's tables: made and moved forward by Alembic, and by nothing else."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, create_engine, event, text
from sqlalchemy.engine import Connection

from domain.kernel.errors import DomainError

MIGRATIONS = Path(__file__).parents[2] / "migrations"


class SchemaError(DomainError):
    """The database is not at the shape that this version of Plumbline needs."""


def migrate(database: Path) -> str:
    """Bring a record's database to the newest shape, in one transaction.

    Returns:
        The revision that it is at now.
    """
    engine = _engine(database)
    try:
        with engine.begin() as connection:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return _revision(connection) or ""
    finally:
        engine.dispose()


def revision(database: Path) -> str | None:
    """The shape that a database is at, or ``None`` where no table was made yet."""
    if not database.is_file():
        return None
    engine = _engine(database)
    try:
        with engine.connect() as connection:
            return _revision(connection)
    finally:
        engine.dispose()


def require_current(database: Path) -> None:
    """Refuse a database of another shape, with the command to run."""
    if not database.is_file():
        raise SchemaError(f"expected a record at {database}, found none")
    found = revision(database)
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    if found != wanted:
        raise SchemaError(
            f"the record {database} is at schema {found or 'none'}, this version needs {wanted}: "
            f"run plumbline migrate --data {database.parent.parent}"
        )


def found_log(database: Path, *, origin: str, mode: str) -> None:
    """Write a new log's origin and mode: once, and for ever."""
    engine = _engine(database)
    try:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT OR IGNORE INTO log_head (one, origin, mode, size, frontier) "
                    "VALUES (1, :origin, :mode, 0, x'')"
                ),
                {"origin": origin, "mode": mode},
            )
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


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

"""The record's tables: made and moved forward by Alembic, and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from domain.kernel.errors import DomainError
from infrastructure.record.databases import Database

MIGRATIONS = Path(__file__).parents[2] / "migrations"


class SchemaError(DomainError):
    """The database is not at the shape that this version of Plumbline needs."""


def migrate(database: Database) -> str:
    """Bring a record's database to the newest shape, in one transaction.

    Returns:
        The revision that it is at now.

    Raises:
        SchemaError: a newer version made it, or it cannot be changed. Nothing was changed.
    """
    with _transaction(database) as connection:
        database.keep_others_out(connection)
        _require_known(database, _revision(connection))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        newest = _revision(connection) or ""
    database.after_migrating()
    return newest


def revision(database: Database) -> str | None:
    """The shape that a database is at, or ``None`` where no table was made yet."""
    if not database.exists():
        return None
    with _transaction(database) as connection:
        return _revision(connection)


def require_current(database: Database) -> None:
    """Refuse a database of another shape, with the command to run."""
    if not database.exists():
        raise SchemaError(f"expected a record at {database.name}, found none")
    found = revision(database)
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    if found != wanted:
        _require_known(database, found)
        raise SchemaError(
            f"the record {database.name} is at schema {found or 'none'}, this version needs "
            f"{wanted}: run {database.migrate_command}"
        )


def found_log(database: Database, *, origin: str, mode: str) -> None:
    """Write a new log's origin and mode: once, and for ever."""
    with _transaction(database) as connection:
        # Asked first: the role that appends may add a head where there is none, and no more.
        if connection.execute(text("SELECT 1 FROM log_head")).first():
            return
        database.keep_others_out(connection)
        connection.execute(
            text(
                "INSERT INTO log_head (one, origin, mode, size, frontier) "
                "SELECT 1, :origin, :mode, 0, :frontier WHERE NOT EXISTS (SELECT 1 FROM log_head)"
            ),
            {"origin": origin, "mode": mode, "frontier": b""},
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _require_known(database: Database, found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaError(
            f"the record {database.name} is at schema {found}, which this version does not know: "
            "use the version of Plumbline that made it"
        )


@contextmanager
def _transaction(database: Database) -> Iterator[Connection]:
    """One transaction, all or nothing.

    Raises:
        SchemaError: what the database said against it.
    """
    engine = database.engine()
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise SchemaError(
                f"the record {database.name} belongs to another role "
                f"({error.orig.diag.message_primary}): as that one, "
                f"run {database.migrate_command}"
            ) from error
        raise SchemaError(f"the record {database.name} cannot be used: {error.orig}") from error
    except UnicodeDecodeError as error:  # SQLite quotes what is damaged in its own message
        raise SchemaError(f"the record {database.name} is damaged: {error}") from error
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()

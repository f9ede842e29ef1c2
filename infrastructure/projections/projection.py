"""What a read model is made of: tables, a projection that fills them, and queries.

A projection is a function of the entries alone: no clock, no other table, nothing random. So it
can be thrown away and made again, and every way of cutting the log into batches gives the same
rows.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, ClassVar

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Engine,
    Index,
    Select,
    String,
    Table,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.sql.dml import Insert

from domain.kernel.errors import RecordBrokenError
from domain.kernel.events import Happened
from infrastructure.projections.entries import Entry
from infrastructure.projections.positions import METADATA, POSITIONS, serving_generation
from infrastructure.record.databases import RecordUnavailableError

HEX = String(32)
"""A reference, as entries hold it."""
TIME = String(24)
"""A time as entries hold it: RFC 3339, UTC, milliseconds. As text it sorts as it passes."""


def read_model(name: str, *columns: Column[Any]) -> Table:
    """A table whose rows carry the generation that they belong to (see ``positions``)."""
    generation = Column("generation", BigInteger, primary_key=True, autoincrement=False)
    return Table(name, METADATA, generation, *columns)


def index(table: Table, *columns: str, where: ColumnElement[bool] | None = None) -> None:
    """An index within each generation, named after its columns."""
    Index(
        f"{table.name}_by_{'_'.join(columns)}",
        table.c.generation,
        *(table.c[column] for column in columns),
        sqlite_where=where,
        postgresql_where=where,
    )


def names(*events: type[Happened]) -> frozenset[str]:
    """The stored names of these events."""
    return frozenset(event.NAME for event in events)


class Projection(ABC):
    """Fills the tables of one read model."""

    NAME: ClassVar[str]
    """What a person calls it, and where its position is kept. It never changes."""
    SHAPE: ClassVar[int]
    """Raise it when the rows would come out otherwise: they are then made again."""
    TABLES: ClassVar[tuple[Table, ...]]
    TAKES: ClassVar[Collection[str]]
    """The stored names of the events that it asks for; no other reaches it."""

    @abstractmethod
    def apply(self, entries: Sequence[Entry], writing: Writing) -> None:
        """Take in entries in the order of the log. What it raises undoes all of them.

        Raises:
            RecordBrokenError: the entries contradict what came before.
        """


@dataclass(frozen=True)
class Writing:
    """One transaction's way to the rows of one generation."""

    connection: Connection
    generation: int

    def add(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows that are not there yet, many at once.

        Half of a rebuild is this. SQLAlchemy would spend longer on the parameters of a row than
        SQLite spends on the row; PostgreSQL takes them all as one JSON text.
        """
        if not rows:
            return
        columns = [one.name for one in table.columns]
        into = f"INSERT INTO {table.name} ({', '.join(columns)})"
        marked = self._marked(rows)
        if self.connection.dialect.name == "sqlite":
            values = f"{into} VALUES ({', '.join('?' * len(columns))})"
            in_order = itemgetter(*columns)
            self.connection.exec_driver_sql(values, [in_order(row) for row in marked])
        else:
            values = f"{into} SELECT {', '.join(columns)} FROM json_populate_recordset"
            text = msgspec.json.encode(marked).decode()
            self.connection.exec_driver_sql(f"{values}(NULL::{table.name}, %s::json)", (text,))

    def put(self, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        """Insert rows, or replace those with their keys."""
        if marked := self._marked(rows):
            self.connection.execute(_upsert(table, self.connection.dialect.name), marked)

    def fetch(self, table: Table, **wanted: Collection[str]) -> list[dict[str, Any]]:
        """The rows that have one of these values in each of these columns."""
        if not all(wanted.values()):
            return []
        asked = select(table).where(
            table.c.generation == self.generation,
            *(table.c[column].in_(sorted(values)) for column, values in wanted.items()),
        )
        return [dict(row) for row in self.connection.execute(asked).mappings()]

    def sheet(self, table: Table, **wanted: Collection[str]) -> Sheet:
        """The rows that a batch may change (see :meth:`fetch`), on a sheet."""
        return Sheet(self, table, self.fetch(table, **wanted))

    def _marked(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        marked = list(rows)
        for row in marked:
            row["generation"] = self.generation
        return marked


class Sheet:
    """Rows of one table: fetched once for a batch, changed in memory, stored once."""

    def __init__(self, writing: Writing, table: Table, rows: Iterable[dict[str, Any]]) -> None:
        self._writing = writing
        self._table = table
        self._key = [one.name for one in table.primary_key.columns if one.name != "generation"]
        self._rows = {self._key_of(row): row for row in rows}

    def get(self, *key: str) -> dict[str, Any] | None:
        """The row with this key, if there is one. To change it is to change what is stored."""
        return self._rows.get(key)

    def row(self, *key: str) -> dict[str, Any]:
        """The row with this key, which must be there.

        Raises:
            RecordBrokenError: nothing in the record made it.
        """
        if (found := self._rows.get(key)) is None:
            raise RecordBrokenError(f"{self._table.name}: no earlier entry told of {'/'.join(key)}")
        return found

    def add(self, row: dict[str, Any]) -> dict[str, Any]:
        """One more row.

        Raises:
            RecordBrokenError: there is one with its key.
        """
        key = self._key_of(row)
        if key in self._rows:
            raise RecordBrokenError(f"{self._table.name}: {'/'.join(key)} was told of before")
        self._rows[key] = row
        return row

    def store(self) -> None:
        """Write every row of the sheet."""
        self._writing.put(self._table, self._rows.values())

    def _key_of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(row[name] for name in self._key)


class Queries:
    """What answers from the generation of a read model that serves.

    Args:
        engine: of the record's database.
    """

    NAME: ClassVar[str]

    def __init__(self, engine: Engine) -> None:
        self._engine = only_reading(engine)

    def follows_to(self) -> int:
        """The size of the log that the register has taken in."""
        asked = select(POSITIONS.c.position).where(
            POSITIONS.c.name == self.NAME, POSITIONS.c.serving
        )
        return 1 + next((int(row.position) for row in self._rows(asked)), -1)

    def stands_still(self) -> bool:
        """Whether it stopped before an entry that it cannot take in."""
        asked = select(POSITIONS.c.failed_at).where(
            POSITIONS.c.name == self.NAME, POSITIONS.c.serving
        )
        return any(row.failed_at is not None for row in self._rows(asked))

    def _rows(self, asked: Select[Any]) -> Sequence[Row[Any]]:
        with self._reading() as connection:
            return connection.execute(asked).all()

    def _serving(self, table: Table) -> ColumnElement[bool]:
        return table.c.generation == serving_generation(self.NAME)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """One snapshot: what is read within belongs together.

        Raises:
            RecordUnavailableError: the database does not answer.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise RecordUnavailableError(f"{self.NAME} cannot be read: {error.orig}") from error
        except PoolTimeoutError as error:
            raise RecordUnavailableError(f"{self.NAME} cannot be read: too many ask") from error


def only_reading(engine: Engine) -> Engine:
    """The same database, in transactions that see one snapshot and hold up no writer."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(only_reads=True)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@functools.cache
def _upsert(table: Table, dialect: str) -> Insert:
    key = list(table.primary_key.columns)
    if dialect == "sqlite":
        into: Any = sqlite.insert(table)
    else:
        into = postgresql.insert(table)
    changed = {one.name: into.excluded[one.name] for one in table.columns if one not in key}
    if not changed:
        return into.on_conflict_do_nothing(index_elements=key)  # type: ignore[no-any-return]
    return into.on_conflict_do_update(index_elements=key, set_=changed)  # type: ignore[no-any-return]

"""How far each read model has come, and which of its generations answers.

A read model's rows carry a generation. One generation answers; a rebuild fills another beside it
and then takes its place, so nobody ever reads a table that is half filled (decision 0032).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    ScalarSelect,
    Table,
    Text,
    and_,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

METADATA = MetaData()
"""Every table of a read model, and the table of their positions."""

POSITIONS = Table(
    "projection_positions",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("shape", Integer, nullable=False),
    Column("serving", Boolean, nullable=False),
    Column("failed_at", BigInteger),
    Column("failure", Text),
)
Index(
    "projection_positions_one_serves",
    POSITIONS.c.name,
    unique=True,
    sqlite_where=POSITIONS.c.serving,
    postgresql_where=POSITIONS.c.serving,
)

CLEARED_AT_ONCE = 5000
"""Rows that are removed in one transaction: on SQLite every writer waits for it."""

NOTHING_YET = -1
"""The position of a generation that has taken in no entry."""


@dataclass(frozen=True)
class Standing:
    """One generation of one read model."""

    name: str
    generation: int
    position: int
    """The last entry that was taken in; -1 before the first."""
    shape: int
    """The version of the projection that fills it."""
    serving: bool
    """Whether this is the generation that answers."""
    failed_at: int | None
    """The entry that it stands still before."""
    failure: str | None

    @property
    def key(self) -> tuple[str, int]:
        """What names it."""
        return self.name, self.generation


def standings(
    connection: Connection, names: Iterable[str] | None = None, *, hold: bool = False
) -> list[Standing]:
    """Where read models stand, by name and generation.

    Args:
        connection: in a transaction.
        names: only these.
        hold: keep others from moving them until the transaction ends. On SQLite the transaction
            itself does, by taking the write lock when it begins.
    """
    statement = select(POSITIONS).order_by(POSITIONS.c.name, POSITIONS.c.generation)
    if names is not None:
        statement = statement.where(POSITIONS.c.name.in_(sorted(names)))
    if hold:
        statement = statement.with_for_update()
    return [Standing(**row._mapping) for row in connection.execute(statement)]


def held(connection: Connection, wanted: Iterable[Standing]) -> list[Standing]:
    """Those of the wanted that still stand where they stood; nobody else moves them meanwhile."""
    expected = {one.key: one.position for one in wanted}
    found = standings(connection, {name for name, _ in expected}, hold=True)
    return [one for one in found if expected.get(one.key) == one.position]


def begin(connection: Connection, name: str, *, generation: int, shape: int, serving: bool) -> None:
    """Begin a generation that has taken in nothing yet, unless somebody else just did."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(
        insert(POSITIONS)
        .values(
            name=name, generation=generation, position=NOTHING_YET, shape=shape, serving=serving
        )
        .on_conflict_do_nothing()
    )


def move(
    connection: Connection,
    standing: Standing,
    *,
    position: int,
    failed_at: int | None = None,
    failure: str | None = None,
) -> None:
    """Say how far a generation has come, and what it stands still before, if it does."""
    connection.execute(
        update(POSITIONS)
        .where(_is(standing))
        .values(position=position, failed_at=failed_at, failure=failure)
    )


def forget(connection: Connection, standing: Standing) -> None:
    """Take a generation off the list; its rows are cleared away afterwards."""
    connection.execute(delete(POSITIONS).where(_is(standing)))


def serve(connection: Connection, standing: Standing) -> None:
    """Let a generation answer; whichever did must have been forgotten."""
    connection.execute(update(POSITIONS).where(_is(standing)).values(serving=True))


def serving_generation(name: str) -> ScalarSelect[int]:
    """The generation of a read model that answers, for use within a query."""
    return (
        select(POSITIONS.c.generation)
        .where(POSITIONS.c.name == name, POSITIONS.c.serving)
        .scalar_subquery()
    )


def clear_unlisted(connection: Connection, name: str, table: Table) -> bool:
    """Remove some rows of a generation that is on the list no more.

    Args:
        connection: in a transaction.
        name: the read model that the table belongs to.
        table: which.

    Returns:
        Whether there may be more to remove.
    """
    # In this order: what is begun in between is on the list by the time that it is read.
    found = _generations(connection, table)
    listed = {one.generation for one in standings(connection, [name])}
    for generation in found:
        if generation not in listed:
            key = table.primary_key.columns
            some = select(*key).where(table.c.generation == generation).limit(CLEARED_AT_ONCE)
            connection.execute(delete(table).where(tuple_(*key).in_(some)))
            return True
    return False


def _generations(connection: Connection, table: Table) -> list[int]:
    """The generations that have rows, one look at the key's index for each."""
    found: list[int] = []
    while True:
        behind = found[-1] if found else 0
        asked = select(func.min(table.c.generation)).where(table.c.generation > behind)
        following = connection.execute(asked).scalar()
        if following is None:
            return found
        found.append(following)


def _is(standing: Standing) -> ColumnElement[bool]:
    return and_(POSITIONS.c.name == standing.name, POSITIONS.c.generation == standing.generation)

"""Every read model there is, and how far each has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, column, select, table
from sqlalchemy.exc import DBAPIError

from domain.kernel.errors import DomainError
from infrastructure.projections.alert_register import AlertRegisterProjection, AlertRegisterQueries
from infrastructure.projections.custody_register import (
    CustodyRegisterProjection,
    CustodyRegisterQueries,
)
from infrastructure.projections.deployment_history import (
    DeploymentHistoryProjection,
    DeploymentHistoryQueries,
)
from infrastructure.projections.positions import NOTHING_YET, Standing, standings
from infrastructure.projections.projection import Projection, only_reading
from infrastructure.projections.run_statistics import RunStatisticsProjection, RunStatisticsQueries
from infrastructure.projections.watchlist_register import (
    WatchlistRegisterProjection,
    WatchlistRegisterQueries,
)
from infrastructure.record.databases import Database, RecordUnavailableError

_HEAD = table("log_head")

PROJECTIONS: tuple[Projection, ...] = (
    DeploymentHistoryProjection(),
    AlertRegisterProjection(),
    WatchlistRegisterProjection(),
    CustodyRegisterProjection(),
    RunStatisticsProjection(),
)


class UnknownProjectionError(DomainError):
    """No read model has this name."""


@dataclass(frozen=True)
class Registers:
    """What answers from the read models of one record."""

    deployment_history: DeploymentHistoryQueries
    alert_register: AlertRegisterQueries
    watchlist_register: WatchlistRegisterQueries
    custody_register: CustodyRegisterQueries
    run_statistics: RunStatisticsQueries

    @classmethod
    def over(cls, engine: Engine) -> Registers:
        """All of them, over the record's database."""
        return cls(
            deployment_history=DeploymentHistoryQueries(engine),
            alert_register=AlertRegisterQueries(engine),
            watchlist_register=WatchlistRegisterQueries(engine),
            custody_register=CustodyRegisterQueries(engine),
            run_statistics=RunStatisticsQueries(engine),
        )


def named(names: Iterable[str]) -> list[Projection]:
    """The projections with these names.

    Raises:
        UnknownProjectionError: one of them is not a read model's.
    """
    known = {one.NAME: one for one in PROJECTIONS}
    wanted = list(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in known]:
        raise UnknownProjectionError(
            f"no read model is called {', '.join(unknown)}; there are {', '.join(known)}"
        )
    return [known[name] for name in wanted]


@dataclass(frozen=True)
class ReadModel:
    """How far one read model has come, as a person asks."""

    name: str
    position: int
    """The last entry that it has taken in; -1 before the first."""
    behind: int
    """How many entries of the log it has not taken in."""
    failed_at: int | None
    """The entry that it, or the rebuild of it, stands still before."""
    failure: str | None
    rebuilt_to: int | None
    """The last entry that a rebuild has taken in, where one is under way or was broken off."""


def read_models(database: Database) -> list[ReadModel]:
    """Every read model of a record.

    Raises:
        RecordUnavailableError: the database does not answer.
    """
    engine = database.engine()
    try:
        with only_reading(engine).begin() as connection:
            size = int(connection.execute(select(column("size")).select_from(_HEAD)).scalar_one())
            found = standings(connection, [one.NAME for one in PROJECTIONS])
    except DBAPIError as error:
        raise RecordUnavailableError(f"{database.name} cannot be read: {error.orig}") from error
    finally:
        engine.dispose()
    return [_read_model(one.NAME, size, found) for one in PROJECTIONS]


def _read_model(name: str, size: int, found: Iterable[Standing]) -> ReadModel:
    mine = [one for one in found if one.name == name]
    position = next((one.position for one in mine if one.serving), NOTHING_YET)
    stopped = next((one for one in mine if one.failed_at is not None), None)
    return ReadModel(
        name=name,
        position=position,
        behind=size - 1 - position,
        failed_at=stopped.failed_at if stopped else None,
        failure=stopped.failure if stopped else None,
        rebuilt_to=next((one.position for one in mine if not one.serving), None),
    )

"""Every read model there is, and how far each has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine

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
from infrastructure.projections.projection import Projection
from infrastructure.projections.run_statistics import RunStatisticsProjection, RunStatisticsQueries
from infrastructure.projections.watchlist_register import (
    WatchlistRegisterProjection,
    WatchlistRegisterQueries,
)

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

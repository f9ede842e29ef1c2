"""``/health``: whether anybody has to be woken, for anyone; why, for those who look after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State

from api.auth import HEALTH_READERS, grant_of, open_to_anyone
from api.problems import described
from domain.ports import Health


class HealthDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Why it stands as it does. Counts and ages, of nobody."""

    overdue: int
    """Items that exist although they had to be gone."""
    oldest_overdue_s: int | None
    swept_s_ago: int | None
    """Seconds since the retention worker last said that it looked; null where it never did."""
    swept_every_s: int | None
    keystore: str
    """``readable`` or ``unreadable``."""
    clock_doubted: bool


class HealthOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How custody stands."""

    status: str
    """``well``, or ``look``: something is overdue, silent, doubted or away."""
    details: HealthDetails | None = None
    """For the data protection officer and the auditor."""


@get(
    "/health",
    opt=open_to_anyone(),
    operation_id="health",
    summary="Whether somebody has to look after custody; why, with the DPO's or auditor's token",
    responses=described(_400="There is a query parameter.", _503="A database is not there."),
    security=[{}, {"token": []}],
    sync_to_thread=True,
)
def health(request: Request[Any, Any, Any], state: State) -> Response[HealthOut]:
    """200 where all is well; 503 with the same body where it is not."""
    ask: Callable[[], Health] = state.health
    found = ask()
    grant = grant_of(request.scope["state"])
    allowed = grant is not None and grant.role in HEALTH_READERS
    answer = HealthOut(
        status="well" if found.well else "look", details=_details(found) if allowed else None
    )
    return Response(
        answer, status_code=200 if found.well else 503, headers={"Cache-Control": "no-store"}
    )


def _details(found: Health) -> HealthDetails:
    return HealthDetails(
        overdue=found.overdue,
        oldest_overdue_s=found.oldest_overdue_s,
        swept_s_ago=found.swept_s_ago,
        swept_every_s=found.swept_every_s,
        keystore=found.keystore.value,
        clock_doubted=found.clock_doubted,
    )

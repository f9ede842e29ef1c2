"""``/deployments/{id}/alerts``: the possible matches of a deployment, listed and as they come."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Any
from uuid import UUID

import anyio.to_thread
from litestar import MediaType, Request, Response, get
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, PathParameter, QueryParameter
from litestar.types import ASGIApp

from api.auth import ALERT_READERS, grant_of, open_to, unauthenticated
from api.lines import AlertPage, CloudEvent, alert_out, deployment_id
from api.problems import (
    MALFORMED_CURSOR,
    MALFORMED_DEPLOYMENT,
    MALFORMED_LIMIT,
    UNKNOWN_PARAMETER,
    ProblemError,
    described,
)
from api.stream import EventStream, Feed
from domain.assurance.proofs import LARGEST_TREE
from domain.ports import AlertLine, AlertRegister

USUAL_LIMIT = 100
LARGEST_LIMIT = 1000

_LIMIT_FORM = re.compile(r"[1-9][0-9]{0,3}")
_CURSOR_FORM = re.compile(r"([0-9a-f]{32})/([1-9][0-9]{0,18})")

_PROBLEMS = described(
    _400="The request is malformed.",
    _401="There is no good token.",
    _403="The token's role may not read alerts.",
    _404="There is no such deployment.",
    _429="Too many attempts without a good token.",
    _503="A database, or the register, is not there.",
)

DeploymentId = Annotated[str, PathParameter(description="32 hex digits, with or without hyphens.")]
Cursor = Annotated[
    str | None, QueryParameter(description="From `next` of the page before.", required=False)
]
Limit = Annotated[
    str | None,
    QueryParameter(description="At most so many: 1 to 1000, usually 100.", required=False),
]
LastEventId = Annotated[
    str | None,
    HeaderParameter(
        name="Last-Event-ID", description="The id of the last event that was seen.", required=False
    ),
]


@get(
    "/deployments/{deployment:str}/alerts",
    opt=open_to(ALERT_READERS, query=("cursor", "limit")),
    operation_id="listAlerts",
    summary="Alerts of a deployment, the newest first",
    responses=_PROBLEMS,
)
async def list_alerts(
    request: Request[Any, Any, Any],
    state: State,
    deployment: DeploymentId,
    cursor: Cursor = None,
    limit: Limit = None,
) -> Response[AlertPage]:
    """One page. Alerts that are raised meanwhile come before it, never into it."""
    wanted = _deployment(deployment)
    most = _limit(_once(request, "limit"))
    before = _before(wanted, _once(request, "cursor"))
    feed: Feed = state.feed
    register: AlertRegister = state.register
    await feed.known(wanted)

    def read() -> tuple[int, list[AlertLine]]:
        # The position first: what comes between the two is told again by a stream, and not lost.
        position = register.follows_to() - 1
        return position, register.alerts(wanted, before=before, limit=most + 1)

    position, lines = await anyio.to_thread.run_sync(read)
    address = None
    if len(lines) > most:
        lines = lines[:most]
        following = _cursor(wanted, lines[-1].raised_position)
        address = f"/deployments/{wanted.hex}/alerts?cursor={following}&limit={most}"
    return Response(
        AlertPage(alerts=[alert_out(one) for one in lines], next=address, position=position),
        headers={"Cache-Control": "no-store"}
        | ({"Link": f'<{address}>; rel="next"'} if address else {}),
        media_type=MediaType.JSON,
    )


@get(
    "/deployments/{deployment:str}/alerts/stream",
    opt=open_to(ALERT_READERS),
    operation_id="streamAlerts",
    summary="Alerts of a deployment as they are raised, viewed and decided",
    responses={
        200: ResponseSpec(
            CloudEvent,
            description="Server-sent events. `id` is the position of the change in the log, "
            "`event` its stored name or `reset`, `data` a CloudEvent.",
            generate_examples=False,
            media_type="text/event-stream",
        ),
        **_PROBLEMS,
    },
)
async def stream_alerts(
    request: Request[Any, Any, Any],
    state: State,
    deployment: DeploymentId,
    last_event_id: LastEventId = None,
) -> ASGIApp:
    """Everything behind ``Last-Event-ID``, or from the first alert; then what comes."""
    wanted = _deployment(deployment)
    feed: Feed = state.feed
    grant = grant_of(request.scope["state"])
    if grant is None:
        raise unauthenticated()
    await feed.known(wanted)
    feed.require_room()
    after, reset = await feed.starting_point(last_event_id)
    return EventStream(feed.changes(wanted, grant, after=after, reset=reset))


def _deployment(text: str) -> UUID:
    found = deployment_id(text)
    if found is None:
        raise ProblemError(MALFORMED_DEPLOYMENT, "expected 32 hex digits, with or without hyphens")
    return found


def _once(request: Request[Any, Any, Any], name: str) -> str | None:
    found = request.query_params.getall(name, [])
    if len(found) > 1:
        raise ProblemError(UNKNOWN_PARAMETER, f"expected {name} once, found it {len(found)} times")
    return found[0] if found else None


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL_LIMIT
    if _LIMIT_FORM.fullmatch(text) is None or int(text) > LARGEST_LIMIT:
        raise ProblemError(MALFORMED_LIMIT, f"expected a number from 1 to {LARGEST_LIMIT}")
    return int(text)


def _cursor(deployment: UUID, position: int) -> str:
    """Where the next page begins. It belongs to this list, and means nothing to a caller."""
    return base64.urlsafe_b64encode(f"{deployment.hex}/{position}".encode()).decode().rstrip("=")


def _before(deployment: UUID, cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = _CURSOR_FORM.fullmatch(base64.urlsafe_b64decode(padded).decode("ascii"))
    except ValueError:
        found = None
    if (
        found is None
        or int(found[2]) > LARGEST_TREE
        or _cursor(deployment, int(found[2])) != cursor
    ):
        raise ProblemError(MALFORMED_CURSOR, "expected a cursor that this list gave out")
    return int(found[2])

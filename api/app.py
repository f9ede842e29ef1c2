"""The application: its parts, what stands around them, and the document that describes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from litestar import Litestar, Response, get
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from api.auth import ANYONE_WITH_A_TOKEN, Door, allowed, open_to
from api.problems import answer
from api.routes.alerts import list_alerts, stream_alerts
from api.routes.health import health
from api.routes.published import checkpoint, entry_bundle, hash_tile, verifier_key
from api.shell import LARGEST_BODY, Shell
from api.stream import Feed, Pace
from domain.ports import AccessTokens, AlertRegister, Health, PublishedLog


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What the API answers from."""

    register: AlertRegister
    published: PublishedLog
    tokens: AccessTokens
    origin: str
    """The log's name."""
    log_size: Callable[[], int]
    """The number of entries in the log."""
    stands_still: Callable[[], bool]
    """Whether the register stopped before an entry that it cannot take in."""
    health: Callable[[], Health]
    """How custody stands just now."""


@get(
    "/schema/openapi.json",
    opt=open_to(ANYONE_WITH_A_TOKEN),
    sync_to_thread=False,
)
def openapi(state: State) -> Response[dict[str, Any]]:
    """What there is, for programs (OpenAPI 3.1). There is no page: those load from elsewhere."""
    return Response(state.schema, media_type="application/vnd.oai.openapi+json;version=3.1")


PARTS = (
    list_alerts,
    stream_alerts,
    checkpoint,
    verifier_key,
    hash_tile,
    entry_bundle,
    health,
)
"""Every part of the API but the document that describes them."""


@dataclass(frozen=True)
class Application:
    """What a server runs, and what it must be able to tell it."""

    asgi: Shell
    feed: Feed
    origin: str
    """The log's name."""


def create_app(
    sources: Sources,
    *,
    pace: Pace | None = None,
    proxies: frozenset[str] = frozenset(),
    seconds: Callable[[], float] = time.monotonic,
) -> Application:
    """The application over these sources.

    Args:
        sources: what it answers from.
        pace: how often it looks and tells.
        proxies: addresses of TLS proxies, if they alone may ask.
        seconds: a clock that only goes forward, for the limit of failed attempts.
    """
    feed = Feed(
        sources.register,
        sources.tokens,
        origin=sources.origin,
        log_size=sources.log_size,
        stands_still=sources.stands_still,
        pace=pace or Pace(),
    )
    inner = Litestar(
        [*PARTS, openapi],
        guards=[allowed],
        exception_handlers={Exception: answer},
        lifespan=[feed.running],
        state=State(
            {
                "feed": feed,
                "register": sources.register,
                "published": sources.published,
                "health": sources.health,
                "schema": _schema(),
            }
        ),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=LARGEST_BODY,
    )
    door = Door(sources.tokens, seconds=seconds)
    return Application(Shell(inner, door, proxies), feed, sources.origin)


def _schema() -> dict[str, Any]:
    """The document, made from the parts themselves by an application that nobody can reach.

    In the one that is served, Litestar would add pages of its own beside it.
    """
    described = Litestar(
        PARTS,
        openapi_config=OpenAPIConfig(
            title="Plumbline",
            version=_version(),
            summary="Live alerts of a deployment, and the signed log that holds them to account",
            components=Components(
                security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
            ),
            security=[{"token": []}],
        ),
        logging_config=None,
    )
    return described.openapi_schema.to_schema()


def _version() -> str:
    try:
        return version("plumbline")
    except PackageNotFoundError:
        return "0"

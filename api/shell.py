"""The outermost layer: what holds for every request, whatever the application behind it does.

* A token is looked at before anything else; without one, only the public log and ``/health`` can
  be reached.
* Failed attempts are limited, and refused with the same problems as everything else.
* Every answer carries the headers that keep a browser from doing anything with it.
* HEAD is GET without the body. No request carries a large body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from api.auth import GRANT, Door, unauthenticated
from api.problems import (
    LENGTH_REQUIRED,
    NOT_FROM_HERE,
    TOO_LARGE,
    ProblemError,
    as_problem,
)

PUBLIC = "/log/"
"""Below here a request may come without a token; what needs a role there refuses it itself."""

HEALTH = "/health"
"""Nor does this need one: whoever watches the machine need not be one of us."""

LARGEST_BODY = 64 * 1024
"""Bytes. Nothing here takes a body yet."""

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


@dataclass(frozen=True)
class Shell:
    """Wraps the application.

    Args:
        inner: the application.
        door: looks at tokens.
        proxies: addresses of the TLS proxies in front; nobody else is answered, and the client is
            who the proxy says it is. Empty: there is none.
    """

    inner: ASGIApp
    door: Door
    proxies: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's start and end."""
        if scope["type"] == ScopeType.HTTP:
            await self._request(scope, receive, send)
        else:
            await self.inner(scope, receive, send)

    async def _request(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        try:
            client = self._client(scope)
            answer.on_unauthenticated = lambda: self.door.require_patience(client)
            _require_small(scope)
            scope.setdefault("state", {})[GRANT] = await self._grant(scope)
            if scope["method"] == "HEAD":
                await _without_body(self.inner, scope, answer)
            else:
                await self.inner(scope, receive, answer)
        except ProblemError as problem:
            await answer.problem(problem)
        except Exception as error:
            if answer.started:
                raise
            await answer.problem(as_problem(error))

    async def _grant(self, scope: HTTPScope) -> object:
        grant = await anyio.to_thread.run_sync(self.door.grant, list(scope["headers"]))
        path = scope["path"]
        if grant is None and path != HEALTH and not path.startswith(PUBLIC):
            raise unauthenticated()
        return grant

    def _client(self, scope: HTTPScope) -> str:
        """The address to count failed attempts under."""
        address = scope.get("client")
        peer = address[0] if address else "unknown"
        if not self.proxies:
            return str(peer)
        if peer not in self.proxies:
            raise ProblemError(
                NOT_FROM_HERE, "this server speaks to its TLS proxy; ask there, not here"
            )
        # The last one is what our proxy saw; what stands before it, anybody may have written.
        forwarded = [v for n, v in scope["headers"] if n.lower() == b"x-forwarded-for"]
        last = forwarded[-1].decode("latin-1").rpartition(",")[2].strip() if forwarded else ""
        return (last or str(peer))[:64]


class _Answer:
    """``send``, with our headers on every answer and a limit on those that say 401."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._replaced = False
        self.started = False
        self.on_unauthenticated: Callable[[], None] = lambda: None

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            if message["status"] == 401:
                try:
                    self.on_unauthenticated()
                except ProblemError as problem:
                    self._replaced = True
                    await self._out_with(problem)
                    return
            self.started = True
            message["headers"] = [*message["headers"], *_HEADERS]
        await self._send(message)

    async def problem(self, problem: ProblemError) -> None:
        """Answer with a problem from outside the application."""
        if problem.kind.status == 401:
            try:
                self.on_unauthenticated()
            except ProblemError as other:
                problem = other
        await self._out_with(problem)

    async def _out_with(self, problem: ProblemError) -> None:
        self.started = True
        body = problem.body().encoded()
        headers = {**problem.all_headers(), "Content-Length": str(len(body))}
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self._send(
            {
                "type": "http.response.start",
                "status": problem.kind.status,
                "headers": [*raw, *_HEADERS],
            }
        )
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


async def _without_body(inner: ASGIApp, scope: HTTPScope, send: Send) -> None:
    """GET, with only its head sent. A stream is told that the client left once that is out."""
    headed = asyncio.Event()

    async def receive() -> Any:
        await headed.wait()
        return {"type": "http.disconnect"}

    async def head_only(message: Any) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            headed.set()

    as_get = scope.copy()
    as_get["method"] = HttpMethod.GET
    await inner(as_get, receive, head_only)


def _require_small(scope: HTTPScope) -> None:
    """Refuse a body before a byte of it is read."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    close = {"Connection": "close"}
    if b"transfer-encoding" in headers:
        raise ProblemError(LENGTH_REQUIRED, "expected a body with Content-Length", close)
    if int(headers.get(b"content-length", b"0")) > LARGEST_BODY:
        raise ProblemError(TOO_LARGE, f"expected at most {LARGEST_BODY} bytes", close)

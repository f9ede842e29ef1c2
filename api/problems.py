"""What is wrong with a request, told as ``application/problem+json``.

Each kind of problem has a ``type`` that never changes and that a program may compare; ``title``
belongs to the kind, ``detail`` to the request. Nothing of an exception's own text leaves the
server: it may name files, statements or references.

Source: RFC 9457.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec

from domain.kernel.errors import UnavailableError

MEDIA_TYPE = "application/problem+json"
TYPES = "urn:plumbline:problem:"

RETRY_AFTER_S = 2
"""How long a caller is told to wait when a database is not there."""

_log = logging.getLogger("plumbline.api")


@dataclass(frozen=True)
class Kind:
    """One kind of problem."""

    code: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """The URI that names it, for ever."""
        return TYPES + self.code


NOT_AUTHENTICATED = Kind("not-authenticated", 401, "A token is needed")
NOT_ALLOWED = Kind("not-allowed", 403, "This role may not do that")
NOT_FROM_HERE = Kind("not-from-here", 403, "Requests come through the proxy only")
TOO_MANY_ATTEMPTS = Kind("too-many-attempts", 429, "Too many attempts without a good token")
UNKNOWN_PATH = Kind("unknown-path", 404, "There is nothing here")
UNKNOWN_DEPLOYMENT = Kind("unknown-deployment", 404, "There is no such deployment")
NOT_IN_LOG = Kind("not-in-log", 404, "The signed log has no such part")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "Not with this method")
MALFORMED_REQUEST = Kind("malformed-request", 400, "The request cannot be understood")
MALFORMED_DEPLOYMENT = Kind("malformed-deployment", 400, "That is not a deployment's id")
MALFORMED_LIMIT = Kind("malformed-limit", 400, "That is not a page's length")
MALFORMED_CURSOR = Kind("malformed-cursor", 400, "That is not a cursor of this list")
UNKNOWN_PARAMETER = Kind("unknown-parameter", 400, "There is a parameter that is not known here")
LENGTH_REQUIRED = Kind("length-required", 411, "A body must say its length")
TOO_LARGE = Kind("too-large", 413, "The request is too large")
FAILED = Kind("failed", 500, "The server failed")
UNAVAILABLE = Kind("unavailable", 503, "A database is not there")
REGISTER_BEHIND = Kind("register-behind", 503, "The register is still reading the record")
REGISTER_STOPPED = Kind("register-stopped", 503, "The register does not follow the record")
TOO_MANY_STREAMS = Kind("too-many-streams", 503, "Too many streams are open")

KINDS = tuple(one for one in list(globals().values()) if isinstance(one, Kind))
"""All of them."""

_BY_STATUS = {
    401: NOT_AUTHENTICATED,
    403: NOT_ALLOWED,
    404: UNKNOWN_PATH,
    405: METHOD_NOT_ALLOWED,
    413: TOO_LARGE,
}
_DETAILS = {
    UNKNOWN_PATH: "the paths are in /schema/openapi.json",
    METHOD_NOT_ALLOWED: "the header Allow says which methods there are",
    MALFORMED_REQUEST: "expected a request as in /schema/openapi.json",
    FAILED: "nothing was changed; the server's own log says where it failed",
    UNAVAILABLE: "nothing was changed; ask again in a moment",
}


class Problem(msgspec.Struct, frozen=True):
    """The body of every answer that is not what was asked for (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str

    def encoded(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)


def described(**statuses: str) -> dict[int, ResponseSpec]:
    """The problems that a part may answer with, for the document: ``_404="There is no ..."``."""
    return {
        int(status.removeprefix("_")): ResponseSpec(
            Problem, description=words, generate_examples=False, media_type=MEDIA_TYPE
        )
        for status, words in statuses.items()
    }


@dataclass
class ProblemError(Exception):
    """Ends a request with a problem."""

    kind: Kind
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> Problem:
        """What the caller is told."""
        return Problem(self.kind.type, self.kind.title, self.kind.status, self.detail)

    def all_headers(self) -> dict[str, str]:
        """With those that belong to the status."""
        headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **self.headers}
        if self.kind.status == 503:
            headers.setdefault("Retry-After", str(RETRY_AFTER_S))
        return headers


def as_problem(error: Exception) -> ProblemError:
    """The problem that an exception is to whoever asked. Only what is unforeseen is logged."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, UnavailableError):
        return _of(UNAVAILABLE)
    if isinstance(error, HTTPException) and error.status_code < 500:
        kind = _BY_STATUS.get(error.status_code, MALFORMED_REQUEST)
        return _of(kind, _allowed(error) if kind is METHOD_NOT_ALLOWED else {})
    tell_log("a request failed", error)
    return _of(FAILED)


def tell_log(what: str, error: Exception) -> None:
    """Say where something failed and as what, but never its text: that may quote a reference."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s: %s\n%s", what, type(error).__name__, frames)


def answer(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's way to here: one converter for every exception."""
    problem = as_problem(error)
    return Response(
        problem.body().encoded(),
        status_code=problem.kind.status,
        headers=problem.all_headers(),
        media_type=MEDIA_TYPE,
    )


def _of(kind: Kind, headers: Mapping[str, str] | None = None) -> ProblemError:
    return ProblemError(kind, _DETAILS.get(kind, kind.title), headers or {})


def _allowed(error: HTTPException) -> dict[str, str]:
    """The methods that there are; where there is GET there is HEAD (``api.shell``)."""
    allowed = {one.strip() for one in (error.headers or {}).get("allow", "").split(",")}
    if "GET" in allowed:
        allowed.add("HEAD")
    return {"Allow": ", ".join(sorted(allowed - {"", "OPTIONS"}))}

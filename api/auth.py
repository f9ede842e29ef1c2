"""Who asks: a bearer token is a role, and every part of the API says which roles may use it.

Nothing is open unless it says so. A part without roles is refused to everyone, so that one that
was added and forgotten fails shut; ``tests/api`` asks every part that there is.

The token travels in the header ``Authorization`` and nowhere else: addresses end up in logs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler

from api.problems import (
    NOT_ALLOWED,
    NOT_AUTHENTICATED,
    TOO_MANY_ATTEMPTS,
    UNKNOWN_PARAMETER,
    ProblemError,
)
from domain.kernel.commands import Role
from domain.ports import AccessTokens, Grant

ALERT_READERS: Final = frozenset(
    {
        Role.OPERATOR,
        Role.ENGAGEMENT_OFFICER,
        Role.AUTHORISING_OFFICER,
        Role.AUDITOR,
        Role.DPO,
    }
)
"""Who may follow the alerts of a deployment (domain specification, section 2)."""

ENTRY_READERS: Final = frozenset({Role.AUDITOR})
"""Who may fetch whole entries: they show timing, composition and references to staff."""

HEALTH_READERS: Final = frozenset({Role.AUDITOR, Role.DPO})
"""Who is told why custody stands as it does; that it does, anyone is told."""

ANYONE_WITH_A_TOKEN: Final = frozenset(Role)

GRANT = "grant"
"""Under which the connection's state holds the :class:`domain.ports.Grant`."""

_CHALLENGE = 'Bearer realm="plumbline"'


def open_to(roles: Iterable[Role], *, query: Iterable[str] = ()) -> dict[str, Any]:
    """What a part of the API declares: who may use it, and the query parameters that it knows."""
    return {"roles": frozenset(roles), "query": frozenset(query)}


def open_to_anyone() -> dict[str, Any]:
    """The declaration of what is public: no token is asked for."""
    return {"public": True, "query": frozenset()}


def allowed(connection: ASGIConnection[Any, Any, Any, Any], part: BaseRouteHandler) -> None:
    """Let nobody in whom the part does not name. Runs before every part of the API.

    Raises:
        ProblemError: no token, not this role, or a query parameter that the part does not know.
    """
    if connection.scope.get("method") == "OPTIONS":  # Litestar adds this to every path
        raise MethodNotAllowedException(headers={"allow": "GET"})
    if not part.opt.get("public"):
        grant = grant_of(connection.scope["state"])
        if grant is None:
            raise unauthenticated()
        if grant.role not in part.opt.get("roles", frozenset()):
            raise ProblemError(NOT_ALLOWED, f"the role {grant.role.value} may not use this")
    _require_known(connection.query_params.keys(), part.opt.get("query", frozenset()))


def grant_of(state: Mapping[str, Any]) -> Grant | None:
    """What the token of this request opens, if it had a good one."""
    grant = state.get(GRANT)
    return grant if isinstance(grant, Grant) else None


def unauthenticated(*, bad_token: bool = False) -> ProblemError:
    """The answer to whoever has no good token (RFC 6750, section 3)."""
    if bad_token:
        detail = "the token is not known here, or was revoked"
        challenge = f'{_CHALLENGE}, error="invalid_token"'
    else:
        detail = "expected the header Authorization with Bearer and a token"
        challenge = _CHALLENGE
    return ProblemError(NOT_AUTHENTICATED, detail, {"WWW-Authenticate": challenge})


def presented_token(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The bearer token among the headers; None where there is no header Authorization.

    Raises:
        ProblemError: the header is there twice, or is something else than a bearer token.
    """
    found = [value for name, value in headers if name.lower() == b"authorization"]
    if not found:
        return None
    scheme, _, token = found[0].decode("latin-1").strip().partition(" ")
    if len(found) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated(bad_token=True)
    return token.strip()


class Door:
    """Looks at tokens, and keeps whoever has none from trying for ever.

    Failed attempts are counted for each client in this process and go nowhere else: they must
    not make the record grow. A client that used its attempts up is told to wait, but a good
    token is let in even then: one forgotten script must not lock out the officers who share its
    address (architecture, decision 13). Tokens are 256 random bits; what is kept small is the
    load, not the chance.

    Args:
        tokens: the node's.
        seconds: a clock that only goes forward.
        burst: how many failed attempts a client has at once.
        refill_s: after how many seconds it has one more.
    """

    MOST_CLIENTS = 4096
    """So many are remembered; the one that failed longest ago is forgotten first."""

    def __init__(
        self,
        tokens: AccessTokens,
        *,
        seconds: Callable[[], float],
        burst: int = 10,
        refill_s: float = 6.0,
    ) -> None:
        self._tokens = tokens
        self._seconds = seconds
        self._burst = burst
        self._refill_s = refill_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def grant(self, headers: Iterable[tuple[bytes, bytes]]) -> Grant | None:
        """What the request's token opens; None where it brought none. Reads a file.

        Raises:
            ProblemError: the token is not a good one.
        """
        token = presented_token(headers)
        if token is None:
            return None
        grant = self._tokens.grant(token)
        if grant is None:
            raise unauthenticated(bad_token=True)
        return grant

    def require_patience(self, client: str) -> None:
        """Count a failed attempt.

        Raises:
            ProblemError: this client had too many; says when to come back.
        """
        now = self._seconds()
        left, since = self._left.pop(client, (float(self._burst), now))
        left = min(float(self._burst), left + (now - since) / self._refill_s)
        self._left[client] = (max(0.0, left - 1), now)
        while len(self._left) > self.MOST_CLIENTS:
            self._left.popitem(last=False)
        if left < 1:
            wait = max(1, round((1 - left) * self._refill_s))
            raise ProblemError(
                TOO_MANY_ATTEMPTS,
                f"wait {wait} seconds, or come with a good token",
                {"Retry-After": str(wait)},
            )


def _require_known(found: Iterable[str], known: frozenset[str]) -> None:
    if set(found) <= known:
        return
    # What was found is not repeated: somebody may have put a token there.
    expected = ", ".join(sorted(known)) or "none"
    raise ProblemError(UNKNOWN_PARAMETER, f"expected no query parameter but: {expected}")

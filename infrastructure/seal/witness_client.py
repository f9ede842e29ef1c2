"""Asking a witness over HTTP (C2SP tlog-witness), with an end to how long and how much.

Whatever a witness answers is bounded here and judged elsewhere: a witness that is slow, dead or
talks without end costs its time limit and nothing else.
"""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from domain.kernel.errors import DomainError

MOST_ANSWER_BYTES = 16_384
TIMEOUT_S = 5.0


class WitnessUnreachableError(DomainError):
    """No answer came in time, or none that is one."""


@dataclass(frozen=True)
class HttpAnswer:
    """What came back."""

    status: int
    body: bytes


def ask(prefix: str, body: bytes, *, timeout_s: float = TIMEOUT_S) -> HttpAnswer:
    """POST a request to a witness's ``add-checkpoint``.

    Args:
        prefix: the witness's submission prefix, ``http://`` or ``https://``.
        body: the request.
        timeout_s: for all of it: connecting, sending, and reading the answer.

    Raises:
        WitnessUnreachableError: no answer in time, too long an answer, or none of HTTP.
    """
    came: list[HttpAnswer | Exception] = []
    connection = _connection(urlsplit(prefix), timeout_s)
    # A name that is looked up, and an answer that comes byte by byte, know no limit of their own.
    asking = threading.Thread(
        target=lambda: came.append(_asked(connection, urlsplit(prefix).path, body)), daemon=True
    )
    asking.start()
    asking.join(timeout_s)
    if not came:
        raise WitnessUnreachableError(f"no answer in {timeout_s:g} s")
    if isinstance(came[0], Exception):
        raise WitnessUnreachableError(f"no answer ({came[0] or type(came[0]).__name__})") from came[
            0
        ]
    if len(came[0].body) > MOST_ANSWER_BYTES:
        raise WitnessUnreachableError(f"an answer of more than {MOST_ANSWER_BYTES} bytes")
    return came[0]


def _connection(where: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    return kind(where.hostname or "", where.port, timeout=timeout_s)


def _asked(
    connection: http.client.HTTPConnection, path: str, body: bytes
) -> HttpAnswer | Exception:
    try:
        connection.request(
            "POST",
            f"{path.rstrip('/')}/add-checkpoint",
            body,
            {"Content-Type": "text/plain; charset=utf-8"},
        )
        answer = connection.getresponse()
        return HttpAnswer(answer.status, answer.read(MOST_ANSWER_BYTES + 1))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return error
    finally:
        connection.close()

"""Asking a witness over HTTP (C2SP tlog-witness), with an end to how long and how much.

Whatever a witness answers is bounded here and judged elsewhere: a witness that is slow, dead or
talks without end costs its time limit and nothing else.
"""

from __future__ import annotations

import http.client
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

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
    where = urlsplit(prefix)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.hostname or "", where.port, timeout=timeout_s)
    # Each read has the limit for itself; together they get it once.
    deadline = threading.Timer(timeout_s, _hang_up, [connection])
    deadline.daemon = True
    deadline.start()
    try:
        connection.request(
            "POST",
            f"{where.path.rstrip('/')}/add-checkpoint",
            body,
            {"Content-Type": "text/plain; charset=utf-8"},
        )
        answer = connection.getresponse()
        told = answer.read(MOST_ANSWER_BYTES + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise WitnessUnreachableError(f"no answer ({error or type(error).__name__})") from error
    finally:
        deadline.cancel()
        connection.close()
    if len(told) > MOST_ANSWER_BYTES:
        raise WitnessUnreachableError(f"an answer of more than {MOST_ANSWER_BYTES} bytes")
    return HttpAnswer(answer.status, told)


def _hang_up(connection: http.client.HTTPConnection) -> None:
    """Break off whatever is being read or sent."""
    if connection.sock is not None:
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was closed meanwhile

"""A listener for server-sent events, as a browser would read them (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

LONGEST_WAIT_S = 60
"""No test waits longer than this for anything that must come."""


@dataclass(frozen=True)
class Heard:
    """One event."""

    id: str | None
    """Of this event; None where it had none."""
    name: str
    data: Any

    @property
    def position(self) -> int:
        """The id as a place in the log."""
        assert self.id is not None
        return int(self.id)


class Listener:
    """One open stream.

    Args:
        response: its status and headers are there; its body goes on.
    """

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id = ""
        self.retry: int | None = None
        self.comments: list[str] = []
        self._lines = response.iter_lines()

    def events(self) -> Iterator[Heard]:
        """Events as they come, until the server ends the stream."""
        name, identity, parts = "message", None, list[str]()
        until = time.monotonic() + LONGEST_WAIT_S
        for line in self._lines:
            # signs of life come often enough for this to be looked at
            assert time.monotonic() < until, "nothing but signs of life came"
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                if parts:
                    yield Heard(identity, name, msgspec.json.decode("\n".join(parts)))
                    until = time.monotonic() + LONGEST_WAIT_S
                name, identity, parts = "message", None, []
            elif not field:
                self.comments.append(value)
            elif field == "id":
                self.last_id = identity = value
            elif field == "event":
                name = value
            elif field == "data":
                parts.append(value)
            elif field == "retry":
                self.retry = int(value)

    def take(self, number: int) -> list[Heard]:
        """The next so many events."""
        events = self.events()
        return [next(events) for _ in range(number)]

    def comment(self) -> str:
        """The next comment; there must be no event before it."""
        for line in self._lines:
            assert not line.startswith("data"), line
            if line.startswith(":"):
                return line[1:].strip()
        raise AssertionError("the stream ended")


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def listening(
    address: str, headers: dict[str, str], *, last_event_id: str | None = None
) -> Iterator[Listener]:
    """Open a stream."""
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    if last_event_id is not None:
        sent.append((b"Last-Event-ID", last_event_id.encode()))
    with (
        httpx.Client(timeout=LONGEST_WAIT_S) as client,
        client.stream("GET", address, headers=sent) as response,
    ):
        if response.status_code != 200:
            response.read()
        yield Listener(response)

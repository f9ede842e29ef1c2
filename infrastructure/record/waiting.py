"""Waiting until the log has grown: woken where the database can wake, and polling always behind it.

A wake-up can be lost (a connection dies, a notification is sent while nobody listens), so no
waiting rests on it: at the latest after a second the size itself is looked at.
"""

from __future__ import annotations

import sqlite3
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from infrastructure.record.postgres_recorder import CHANNEL
from infrastructure.record.unavailable import RecordUnavailableError

POLL_S = 1.0
"""The longest that a lost wake-up can delay anyone."""
SQLITE_TICK_S = 0.005
"""How often SQLite is asked whether another connection has committed: about 2 us each time."""

_SIZE = "SELECT size FROM log_head"


class Waiter(ABC):
    """One waiter's own connection. Not to be shared between threads."""

    def wait_beyond(self, size: int, *, timeout_s: float) -> int:
        """Wait until the log is larger than this, or the time is up.

        Returns:
            The size of the log now, whether it has grown or not.

        Raises:
            RecordUnavailableError: the database cannot be asked. The next call tries again.
        """
        until = time.monotonic() + timeout_s
        while True:
            found = self._asked_size()
            left = until - time.monotonic()
            if found > size or left <= 0:
                return found
            self._wait(min(left, POLL_S))

    def _asked_size(self) -> int:
        try:
            return self._size()
        except (sqlite3.Error, psycopg.Error) as error:
            raise RecordUnavailableError(f"the size of the log cannot be asked: {error}") from error

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection."""

    @abstractmethod
    def _size(self) -> int: ...

    @abstractmethod
    def _wait(self, timeout_s: float) -> None:
        """Until something was committed, or the time is up."""


class SQLiteWaiter(Waiter):
    """Watches ``PRAGMA data_version``, which changes when another connection commits."""

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(
            f"file:{quote(str(file))}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        self._seen = self._version()

    def close(self) -> None:
        """As above."""
        self._connection.close()

    def _size(self) -> int:
        self._seen = self._version()
        return int(self._connection.execute(_SIZE).fetchone()[0])

    def _wait(self, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while self._version() == self._seen and time.monotonic() < until:
            time.sleep(SQLITE_TICK_S)

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


class PostgresWaiter(Waiter):
    """Listens for NOTIFY; connects anew when the connection was lost."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._connection: psycopg.Connection[Any] | None = None

    def close(self) -> None:
        """As above."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _size(self) -> int:
        held = self._connection is not None
        try:
            found = self._listening().execute(_SIZE).fetchone()
        except psycopg.Error:
            self.close()
            if not held:
                raise
            # It died while nobody looked. Whether the server is there, a new one tells.
            return self._size()
        return int(found[0]) if found else 0

    def _wait(self, timeout_s: float) -> None:
        with suppress(psycopg.OperationalError):  # the next look at the size connects anew
            for _ in self._listening().notifies(timeout=timeout_s, stop_after=1):
                return

    def _listening(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            connection = psycopg.connect(**self._settings, autocommit=True)
            connection.execute(f"LISTEN {CHANNEL}")
            self._connection = connection
        return self._connection

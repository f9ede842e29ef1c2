"""The API's ports in memory, an application over them, and a server for it on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import uvicorn

from api.app import Application, Sources, create_app
from api.stream import Pace
from domain.kernel.commands import Role
from domain.kernel.errors import UnavailableError
from domain.ports import AlertChange, AlertLine, AlertState, Grant, Health, KeystoreState
from tests.support.listening import eventually

ORIGIN = "example.org/plumbline/rehearsal"
DEPLOYMENT = UUID("d1" * 16)
ANOTHER_DEPLOYMENT = UUID("d2" * 16)
UNKNOWN_DEPLOYMENT = UUID("d9" * 16)
RAISED_AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)

WELL = Health(
    overdue=0,
    oldest_overdue_s=None,
    swept_s_ago=30,
    swept_every_s=60,
    keystore=KeystoreState.READABLE,
    clock_doubted=False,
)
"""Nobody has to be woken."""

QUICK = Pace(poll_s=0.02, gather_s=0.001, heartbeat_s=0.15, catch_up_s=0.3)
"""A pace at which no test waits long."""


def token_of(role: Role) -> str:
    """The token that opens a role in these tests."""
    return f"plumbline_test_{role.value}"


def bearer(role: Role) -> dict[str, str]:
    """The header that brings it."""
    return {"Authorization": f"Bearer {token_of(role)}"}


def a_line(number: int, *, deployment: UUID = DEPLOYMENT, position: int = 0) -> AlertLine:
    """An alert that was just raised."""
    return AlertLine(
        alert=UUID(int=0xA1 << 120 | number),
        deployment=deployment,
        mode="rehearsal",
        run=UUID("a7" * 16),
        camera="camera-1",
        watchlist=UUID("b1" * 16),
        entry=UUID(int=0xE1 << 120 | number),
        threshold=Decimal("0.420"),
        raised_at=RAISED_AT + timedelta(seconds=number),
        state=AlertState.RAISED,
        decision=None,
        decided_at=None,
        version=1,
        raised_position=position,
        newest_position=position,
    )


@dataclass
class MemoryRegister:
    """An alert register that a test fills, and a log that is as long as the test says."""

    deployments: set[UUID] = field(default_factory=lambda: {DEPLOYMENT, ANOTHER_DEPLOYMENT})
    kept: list[AlertChange] = field(default_factory=list)
    size: int = 1
    log: int = 1
    still: bool = False
    """It stands before an entry that it cannot take in."""
    broken: Exception | None = None
    """Raised by every question, until a test takes it away."""
    asked: int = 0
    """How many questions were asked."""

    def raise_alert(self, number: int, *, deployment: UUID = DEPLOYMENT) -> int:
        """One more alert; its position."""
        line = a_line(number, deployment=deployment, position=self.size)
        return self._keep("alert.raised", line)

    def view(self, number: int) -> int:
        """An alert is looked at; the position of that."""
        (newest, *_) = [
            one.line for one in reversed(self.kept) if one.line.alert.int & 0xFFFF == number
        ]
        return self._keep(
            "alert.viewed",
            replace(
                newest,
                state=AlertState.VIEWED,
                version=newest.version + 1,
                newest_position=self.size,
            ),
        )

    def pass_by(self, entries: int = 1) -> None:
        """Entries that change no alert."""
        self.size += entries
        self.log = self.size

    def _keep(self, name: str, line: AlertLine) -> int:
        position = self.size
        self.kept.append(
            AlertChange(position=position, name=name, occurred_at=line.raised_at, line=line)
        )
        self.pass_by()
        return position

    def knows(self, deployment: UUID) -> bool:
        """Whether such a deployment was ever applied for."""
        self._ask()
        return deployment in self.deployments

    def alerts(
        self, deployment: UUID, *, before: int | None = None, limit: int = 100
    ) -> list[AlertLine]:
        """Alerts of a deployment, the newest first."""
        self._ask()
        newest: dict[UUID, AlertLine] = {}
        for one in self.kept:
            if one.line.deployment == deployment:
                newest[one.line.alert] = one.line
        lines = sorted(newest.values(), key=lambda one: one.raised_position, reverse=True)
        return [one for one in lines if before is None or one.raised_position < before][:limit]

    def changes(self, deployment: UUID, *, after: int, limit: int = 500) -> list[AlertChange]:
        """What raised or changed alerts of a deployment behind a position, in order."""
        self._ask()
        start = bisect_right(self.kept, after, key=lambda one: one.position)
        return [one for one in self.kept[start:] if one.line.deployment == deployment][:limit]

    def follows_to(self) -> int:
        """The size of the log that was taken in."""
        self._ask()
        return self.size

    def _ask(self) -> None:
        self.asked += 1
        if self.broken is not None:
            raise self.broken


@dataclass
class MemoryLog:
    """A published log whose parts a test sets."""

    note: bytes | None = b"example.org/log\n256\nroot=\n\n"
    tiles: dict[tuple[int, int, int], bytes] = field(default_factory=dict)
    bundles: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def checkpoint(self) -> bytes | None:
        """The newest checkpoint."""
        return self.note

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """A hash tile."""
        return self.tiles.get((level, index, width))

    def entry_bundle(self, index: int, width: int) -> bytes | None:
        """A bundle of entries."""
        return self.bundles.get((index, width))

    def verifier_key(self) -> bytes:
        """The key."""
        return b"example.org/log+00000000+AQ==\n"


@dataclass
class MemoryTokens:
    """One token for each role, until a test takes it away."""

    revoked: set[Role] = field(default_factory=set)
    broken: bool = False

    def grant(self, token: str) -> Grant | None:
        """What it opens."""
        if self.broken:
            raise UnavailableError("the tokens cannot be read")
        for role in Role:
            if token == token_of(role) and role not in self.revoked:
                return Grant(hashlib.sha256(token.encode()).hexdigest(), role)
        return None

    def stands(self, grant: Grant) -> bool:
        """Whether it was not revoked."""
        if self.broken:
            raise UnavailableError("the tokens cannot be read")
        return grant.role not in self.revoked


@dataclass
class Site:
    """An application over ports in memory."""

    register: MemoryRegister = field(default_factory=MemoryRegister)
    published: MemoryLog = field(default_factory=MemoryLog)
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    health: Health = WELL
    passed: float = 0.0
    """Seconds on the clock of the limit of failed attempts."""

    def application(self, pace: Pace = QUICK, proxies: frozenset[str] = frozenset()) -> Application:
        """The application."""
        return create_app(
            Sources(
                register=self.register,
                published=self.published,
                tokens=self.tokens,
                origin=ORIGIN,
                log_size=lambda: self.register.log,
                stands_still=lambda: self.register.still,
                health=lambda: self.health,
            ),
            pace=pace,
            proxies=proxies,
            seconds=lambda: self.passed,
        )


@contextmanager
def on_loopback(application: Application) -> Iterator[str]:
    """A server for the application, in a thread of this process; its address."""
    config = uvicorn.Config(
        application.asgi, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(server.serve(sockets=[listener])), daemon=True
    )
    thread.start()
    try:
        eventually(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(application.feed.close)
        server.should_exit = True
        thread.join(5)
        loop.close()

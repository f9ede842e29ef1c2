"""Live alerts as server-sent events: every change once, in order, whoever reads however slowly.

* ``id`` is the position of the change in the log. It stands for ever and survives the server, so
  whoever comes back with ``Last-Event-ID`` gets everything behind it, without gap or duplicate.
* A stream pulls: it reads a page, sends it, and reads the next one when the client took the first.
  A slow client therefore costs one page, and what it has not read yet lies in the register.
* Streams that wait ask nobody. One watcher for the process looks at the register, when a follower
  says that something came and in any case every moment, and wakes those whom it concerns. What it
  just read it keeps at hand for a while, so that a hundred streams do not read it a hundred times.

Source: WHATWG HTML, server-sent events; CloudEvents 1.0, JSON format.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import anyio
import anyio.to_thread
import msgspec
from litestar.types import Receive, Scope, Send

from api.lines import cloud_event
from api.problems import (
    REGISTER_BEHIND,
    REGISTER_STOPPED,
    TOO_MANY_STREAMS,
    UNAVAILABLE,
    UNKNOWN_DEPLOYMENT,
    ProblemError,
    tell_log,
)
from domain.kernel.errors import UnavailableError
from domain.ports import AccessTokens, AlertChange, AlertRegister, Grant

T = TypeVar("T")

PAGE = 200
"""Changes that a stream reads at once."""

AT_HAND = 500
"""Changes of a deployment that the watcher keeps at hand."""

_POSITION = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often and how many. Seconds."""

    poll_s: float = 0.25
    """The register is looked at this often even if nobody says that something came."""
    gather_s: float = 0.01
    """After a look, the next one waits at least this long."""
    heartbeat_s: float = 15.0
    """A stream without news sends a comment this often, so that a dead connection is noticed."""
    retry_ms: int = 2000
    """How long a client should wait before it comes back."""
    catch_up_s: float = 2.0
    """How long a request waits for a register that is still reading the record."""
    most_streams: int = 1000


@dataclass
class _Topic:
    """One deployment that somebody listens to."""

    looked_to: int
    """The watcher has seen every change up to this position."""
    held_from: int
    """Every change behind this position and up to ``looked_to`` is in ``held``."""
    held: deque[tuple[int, bytes]] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: int = 0

    def take(self, changes: list[tuple[int, bytes]]) -> None:
        """Hold what is new, let go of the oldest, and wake everybody."""
        self.held.extend(changes)
        while len(self.held) > AT_HAND:
            self.held_from, _ = self.held.popleft()
        self.looked_to = changes[-1][0]
        self.wake()

    def wake(self) -> None:
        """Wake everybody; who waits from now on waits for the next time."""
        self.news.set()
        self.news = asyncio.Event()

    def behind(self, after: int) -> list[tuple[int, bytes]] | None:
        """A page of what is behind a position, if all of it is at hand."""
        if not self.held_from <= after <= self.looked_to:
            return None
        return [one for one in self.held if one[0] > after][:PAGE]


@dataclass(frozen=True)
class _Seen:
    """What one look found."""

    size: int
    """How far the register has come."""
    revoked: set[Grant]
    still: bool


class Feed:
    """The changes of alerts, for as many listeners as there are.

    Everything but :meth:`nudge` and :meth:`end_following` belongs to the event loop.

    Args:
        register: where changes are read.
        tokens: whether a listener may go on.
        origin: the log's name, for the events' ``source``.
        log_size: the number of entries in the log.
        stands_still: whether the register stopped before an entry that it cannot take in.
    """

    def __init__(
        self,
        register: AlertRegister,
        tokens: AccessTokens,
        *,
        origin: str,
        log_size: Callable[[], int],
        stands_still: Callable[[], bool],
        pace: Pace,
    ) -> None:
        self.pace = pace
        self._register = register
        self._tokens = tokens
        self._origin = origin
        self._log_size = log_size
        self._stands_still = stands_still
        self._topics: dict[UUID, _Topic] = {}
        self._listening: Counter[Grant] = Counter()
        self._revoked: set[Grant] = set()
        self._followed_to = 0
        self._still = False
        self._ended = False
        self._closing = False
        self._blind_since: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._look = asyncio.Event()
        self._looked = asyncio.Event()

    @property
    def open_streams(self) -> int:
        """How many streams are open now."""
        return self._listening.total()

    @asynccontextmanager
    async def running(self, _: object = None) -> AsyncIterator[None]:
        """Watch the register for as long as the application runs."""
        self._loop = asyncio.get_running_loop()
        watcher = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self.close()
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher

    def nudge(self) -> None:
        """Say that the register took something in. From any thread."""
        self._from_any_thread(self._look.set)

    def end_following(self) -> None:
        """Say that nobody keeps the register up any more. From any thread."""
        self._from_any_thread(self._end_following)

    def close(self) -> None:
        """End every stream."""
        self._closing = True
        self._wake_all()

    async def known(self, deployment: UUID) -> None:
        """Return once the deployment is known to the register.

        Raises:
            ProblemError: there is none, or the register cannot say.
        """
        self.require_following()
        if await _read(lambda: self._register.knows(deployment)):
            return
        # The register may only not have read so far yet: unknown is said of what it has read.
        size = await _read(self._log_size)
        deadline = anyio.current_time() + self.pace.catch_up_s
        while await _read(self._register.follows_to) < size:
            if anyio.current_time() >= deadline:
                raise ProblemError(
                    REGISTER_BEHIND, f"it has not read all {size} entries yet; ask again"
                )
            looked = self._looked
            with anyio.move_on_after(self.pace.poll_s):
                await looked.wait()
        if not await _read(lambda: self._register.knows(deployment)):
            raise ProblemError(UNKNOWN_DEPLOYMENT, "no deployment with this id was applied for")

    def require_following(self) -> None:
        """Refuse to show what has stopped to change.

        Raises:
            ProblemError: the register follows the record no longer.
        """
        if self._still:
            raise ProblemError(
                REGISTER_STOPPED,
                "it stands still before an entry that it cannot take in: plumbline projections "
                "status says which",
            )
        if self._blind_for_long():
            raise ProblemError(UNAVAILABLE, "the register cannot be read now; ask again")
        if self._ended:
            raise ProblemError(REGISTER_STOPPED, "the server must be started again; see its log")

    def require_room(self) -> None:
        """Refuse one stream too many.

        Raises:
            ProblemError: there are as many as there may be.
        """
        if self.open_streams >= self.pace.most_streams:
            raise ProblemError(
                TOO_MANY_STREAMS, f"at most {self.pace.most_streams} may be open at once"
            )

    async def starting_point(self, last_event_id: str | None) -> tuple[int, str | None]:
        """Where a stream goes on, and why it starts anew if it cannot go on.

        Args:
            last_event_id: what the client says it saw last.

        Returns:
            The position behind which the stream begins, -1 for everything; and the reason of a
            reset, or ``None``.
        """
        if not last_event_id:
            return -1, None
        if _POSITION.fullmatch(last_event_id) is None:
            return -1, "malformed"
        position = int(last_event_id)
        if position >= await _read(self._log_size):
            return -1, "beyond-the-log"
        return position, None

    async def changes(
        self, deployment: UUID, grant: Grant, *, after: int, reset: str | None
    ) -> AsyncGenerator[bytes, None]:
        """A stream's bytes, until the client leaves, the token is revoked or the server stops.

        Args:
            deployment: whose alerts.
            grant: what the listener's token opened.
            after: the position behind which it begins.
            reset: why it begins anew, if it does.
        """
        with self._listener(deployment, grant) as topic:
            yield f"retry: {self.pace.retry_ms}\n\n".encode()
            if reset is not None:
                yield reset_event(reset)
            while self._may_go_on(grant):
                # Taken before reading: whatever comes after this moment sets it.
                news = topic.news
                page = await self._behind(topic, deployment, after)
                for position, event in page:
                    yield event
                    after = position
                if len(page) == PAGE or not self._may_go_on(grant):
                    continue
                with anyio.move_on_after(self.pace.heartbeat_s) as waited:
                    await news.wait()
                if waited.cancelled_caught:
                    yield b": still here\n\n"

    def _may_go_on(self, grant: Grant) -> bool:
        """Not in front of a register that nobody can see: a stream must not only look alive."""
        stopped = self._closing or self._still or self._ended
        return not (stopped or grant in self._revoked or self._blind_for_long())

    def _blind_for_long(self) -> bool:
        since = self._blind_since
        return since is not None and anyio.current_time() - since > self.pace.catch_up_s

    async def _behind(self, topic: _Topic, deployment: UUID, after: int) -> list[tuple[int, bytes]]:
        """A page of what comes next; nothing for now where the register cannot be read."""
        page = topic.behind(after)
        if page is not None:
            return page
        try:
            return await self._page(deployment, after)
        except UnavailableError:
            return []

    async def _page(self, deployment: UUID, after: int) -> list[tuple[int, bytes]]:
        return await _read(lambda: self._encoded(deployment, after))

    def _encoded(self, deployment: UUID, after: int) -> list[tuple[int, bytes]]:
        """A page as it goes out; encoded here, in a thread, once for all who listen."""
        changes = self._register.changes(deployment, after=after, limit=PAGE)
        return [(one.position, change_event(one, self._origin)) for one in changes]

    @contextmanager
    def _listener(self, deployment: UUID, grant: Grant) -> Iterator[_Topic]:
        # Nothing in here waits, so that the watcher sees a listener or sees none.
        newest = self._followed_to - 1
        topic = self._topics.setdefault(deployment, _Topic(newest, newest))
        topic.listeners += 1
        self._listening[grant] += 1
        try:
            yield topic
        finally:
            topic.listeners -= 1
            if topic.listeners == 0:
                del self._topics[deployment]
            self._listening[grant] -= 1
            if self._listening[grant] == 0:
                del self._listening[grant]
                self._revoked.discard(grant)

    async def _watch(self) -> None:
        """Look, tell, wait. A register that cannot be read now is looked at again."""
        while True:
            self._look.clear()
            try:
                await self._look_once()
                if self._blind_since is not None:
                    # Some may have asked in between and been told nothing.
                    self._blind_since = None
                    self._wake_all()
            except UnavailableError:
                self._blind_since = self._blind_since or anyio.current_time()
                if self._blind_for_long():
                    self._wake_all()
            except Exception as error:  # noqa: BLE001  told to everyone, and nothing goes on
                tell_log("the register cannot be read", error)
                self._end_following()
                return
            await asyncio.sleep(self.pace.gather_s)
            with anyio.move_on_after(self.pace.poll_s):
                await self._look.wait()

    async def _look_once(self) -> None:
        grants = list(self._listening)
        seen = await _read(lambda: self._seen(grants))
        self._revoked |= seen.revoked & set(self._listening)
        self._followed_to, self._still = seen.size, seen.still
        for deployment, topic in list(self._topics.items()):
            await self._look_at(deployment, topic, seen.size)
        if seen.revoked or seen.still:
            self._wake_all()
        self._looked.set()
        self._looked = asyncio.Event()

    def _seen(self, grants: list[Grant]) -> _Seen:
        try:
            revoked = {one for one in grants if not self._tokens.stands(one)}
        except UnavailableError:  # tokens that cannot be read let nobody in, nor stay
            revoked = set(grants)
        return _Seen(self._register.follows_to(), revoked, self._stands_still())

    async def _look_at(self, deployment: UUID, topic: _Topic, size: int) -> None:
        while size > topic.looked_to + 1:
            page = await self._page(deployment, topic.looked_to)
            if page:
                topic.take(page)
            if len(page) < PAGE:
                topic.looked_to = max(topic.looked_to, size - 1)

    def _end_following(self) -> None:
        self._ended = True
        self._wake_all()

    def _wake_all(self) -> None:
        for topic in self._topics.values():
            topic.wake()

    def _from_any_thread(self, call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is over, and everything with it
            if self._loop is not None:
                self._loop.call_soon_threadsafe(call)


class EventStream:
    """A response that goes on: sends what comes until there is no more or the client leaves."""

    def __init__(self, content: AsyncGenerator[bytes, None]) -> None:
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. However it ends, the content is closed before this returns."""
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        async with aclosing(self._content) as content, anyio.create_task_group() as tasks:
            tasks.start_soon(_until_disconnected, receive, tasks.cancel_scope)
            try:
                async for chunk in content:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except Exception as error:  # noqa: BLE001  the client comes back and is told then
                tell_log("a stream failed", error)
            tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_disconnected(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def change_event(change: AlertChange, origin: str) -> bytes:
    """One change as a server-sent event."""
    encoded = msgspec.json.encode(cloud_event(change, origin)).decode()
    return f"id: {change.position}\nevent: {change.name}\ndata: {encoded}\n\n".encode()


class Reset(msgspec.Struct, frozen=True):
    """Why a stream begins anew: forget what you have, everything follows."""

    reason: str
    detail: str


_RESETS = {
    "malformed": (
        "expected the id of an event that was sent here; everything follows from the first"
    ),
    "beyond-the-log": (
        "the id is of a position that this log has not reached: it is another log, or was brought "
        "back from an older copy; everything follows from the first"
    ),
}


def reset_event(reason: str) -> bytes:
    """An event that says why; its empty id makes a client forget the one that it had."""
    encoded = msgspec.json.encode(Reset(reason, _RESETS[reason])).decode()
    return f"id:\nevent: reset\ndata: {encoded}\n\n".encode()


async def _read(question: Callable[[], T]) -> T:
    """Ask a database without stopping everybody else meanwhile."""
    return await anyio.to_thread.run_sync(question)

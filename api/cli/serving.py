"""The server itself: how long it waits for whom, and how it stops."""

from __future__ import annotations

import asyncio
import signal
import socket

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.app import Application
from api.cli.telling import say

GRACE_S = 1
"""How long answers that were begun may take when the server is asked to stop."""

HEAD_S = 10
"""How long a client may take to send a request's line and headers, from its first moment on."""

LARGEST_HEAD = 16 * 1024
"""Bytes of a request's line and headers."""


def serve_until_told(application: Application, listener: socket.socket, url: str) -> None:
    """Serve on a socket that listens already, until a signal says to stop."""
    asyncio.run(_serve(application, listener, url))


class _Impatient(H11Protocol):
    """Cuts off whoever connects and never finishes asking: each would hold a descriptor."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on while a request is unfinished; a finished one may be answered for ever."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_no_more()
        elif self._late is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._late = self.loop.call_later(HEAD_S, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class _Server(uvicorn.Server):
    """Ends the streams first when it is asked to stop, and says when it has started."""

    def __init__(self, config: uvicorn.Config, application: Application, url: str) -> None:
        super().__init__(config)
        self._application = application
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say where."""
        await super().startup(sockets)
        say(f"serving {self._application.origin} on {self._url}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop. Streams would go on for ever, and everything would wait for them."""
        self._application.feed.close()
        await super().shutdown(sockets)


async def _serve(application: Application, listener: socket.socket, url: str) -> None:
    config = uvicorn.Config(
        application.asgi,
        http=_Impatient,
        ws="none",
        lifespan="on",
        log_config=None,
        # addresses are not logged: of whom they are is nobody's business here
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=LARGEST_HEAD,
    )
    server = _Server(config, application, url)

    def stop() -> None:
        server.should_exit = True

    # Ours, because the server's own would raise the signal again once everything is in order.
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await server._serve([listener])

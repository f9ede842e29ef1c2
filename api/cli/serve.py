"""``plumbline serve``: live alerts and the signed log over HTTP, from one process."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import sys
from dataclasses import dataclass

import typer
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.app import Application
from api.bootstrap import open_site
from api.cli.record import data_directory
from api.cli.telling import say
from api.stream import Pace
from domain.kernel.errors import DomainError

GRACE_S = 1
"""How long answers that were begun may take when the server is asked to stop."""

STALLED_MS = 60_000
"""A client that takes nothing for so long is cut off, by the system itself."""

HEAD_S = 10
"""How long a client may take to send a request's line and headers, from its first moment on."""

LARGEST_HEAD = 16 * 1024
"""Bytes of a request's line and headers."""

Data = typer.Option(None, "--data", metavar="DIR", help="The directory that holds the record.")
Listen = typer.Option("127.0.0.1:8080", "--listen", metavar="ADDRESS:PORT", help="Where.")
Proxy = typer.Option(
    None,
    "--behind-tls-proxy",
    metavar="ADDRESS",
    help="The proxy in front, if there is one: nobody else is answered then. May be repeated.",
)
Heartbeat = typer.Option(
    Pace.heartbeat_s, "--heartbeat", metavar="S", min=0.05, help="Seconds between signs of life."
)


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        """IPv4 or IPv6."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    def told(self, port: int) -> str:
        """As a URL."""
        host = f"[{self.host}]" if self.family is socket.AF_INET6 else self.host
        return f"http://{host}:{port}"


def serve(
    data: str | None = Data,
    listen: str = Listen,
    behind_tls_proxy: list[str] | None = Proxy,
    heartbeat: float = Heartbeat,
) -> None:
    """Serve live alerts to roles with a token, and the signed log to anyone."""
    proxies = frozenset(_proxy(one) for one in behind_tls_proxy or [])
    address = as_address(listen, behind_proxy=bool(proxies))
    with (
        _listener(address) as listener,
        open_site(
            data_directory(data),
            pace=Pace(heartbeat_s=heartbeat),
            proxies=proxies,
            tell=lambda words: print(f"plumbline: {words}", file=sys.stderr, flush=True),
        ) as application,
    ):
        url = address.told(listener.getsockname()[1])
        asyncio.run(_serve(application, listener, url))
    say("stopped")


def as_address(text: str, *, behind_proxy: bool) -> Address:
    """The address that was typed.

    Raises:
        DomainError: it is no address and port, or would send tokens in the clear.
    """
    host, colon, port = text.rpartition(":")
    try:
        found = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        if not colon or not port.isascii() or not port.isdecimal() or int(port) > 65535:
            raise ValueError(port)
    except ValueError as error:
        raise DomainError(
            f"expected --listen as ADDRESS:PORT, such as 127.0.0.1:8080, found {text!r}"
        ) from error
    if not found.is_loopback and not behind_proxy:
        raise DomainError(
            f"{found} can be reached from other machines, and this server speaks plain HTTP: "
            "tokens and alerts would cross the network in the clear. Listen on 127.0.0.1, or put "
            "a TLS proxy in front and name it with --behind-tls-proxy ADDRESS"
        )
    return Address(str(found), int(port))


def _proxy(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise DomainError(
            f"expected --behind-tls-proxy with the proxy's address, found {text!r}"
        ) from error


def _listener(address: Address) -> socket.socket:
    listener = socket.socket(address.family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Connections take this over. Without it, a client that stopped reading would hold its
            # connection for as long as its machine answers.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
        listener.bind((address.host, address.port))
    except OSError as error:
        listener.close()
        raise DomainError(
            f"cannot listen on {address.told(address.port)}: {error.strerror}"
        ) from error
    return listener


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

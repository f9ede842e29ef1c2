"""``plumbline serve``: live alerts and the signed log over HTTP, from one process."""

from __future__ import annotations

import ipaddress
import socket
import sys
from dataclasses import dataclass

import typer

from api.cli.record import data_directory
from api.cli.telling import say
from domain.kernel.errors import DomainError

STALLED_MS = 60_000
"""A client that takes nothing for so long is cut off, by the system itself."""

Data = typer.Option(None, "--data", metavar="DIR", help="The directory that holds the record.")
Listen = typer.Option("127.0.0.1:8080", "--listen", metavar="ADDRESS:PORT", help="Where.")
Proxy = typer.Option(
    None,
    "--behind-tls-proxy",
    metavar="ADDRESS",
    help="The proxy in front, if there is one: nobody else is answered then. May be repeated.",
)
Heartbeat = typer.Option(
    15.0, "--heartbeat", metavar="S", min=0.05, help="Seconds between signs of life."
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
    # Only now: whoever starts no server need not wait for the libraries of one.
    from api.bootstrap.site import open_site
    from api.cli.serving import serve_until_told
    from api.stream import Pace

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
        serve_until_told(application, listener, url)
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

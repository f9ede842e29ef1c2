"""A wire to a PostgreSQL server that can be cut exactly around COMMIT.

It passes on what client and server say to each other over a socket of its own, until it is told
what to do with the next COMMIT.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from threading import Event, Thread

_COMMIT = b"COMMIT\0"
_SOCKET = ".s.PGSQL.5432"
_PATIENCE_S = 20


class Cut(Enum):
    """What becomes of a COMMIT, and of the connection that sent it."""

    ANSWER_LOST = "the server commits, and its answer does not come back"
    COMMIT_LOST = "the connection is gone before the server hears of it"
    COMMIT_LATE = "the client's end is gone, and the server hears of it only when told to"


class Wire:
    """Passes on everything, except as told by :meth:`cut_next_commit`."""

    def __init__(self, directory: Path, upstream: Path) -> None:
        self._upstream = upstream
        self._directory = directory
        self._next: Cut | None = None
        self._for_good = False
        self.cuts = 0
        self.let_through = Event()
        """Set it to let a late COMMIT through."""
        self._ends: list[socket.socket] = []
        self.resume()

    def url(self, database: str) -> str:
        """Where a database is, over this wire."""
        host = str(self._directory).replace("/", "%2F")
        return f"postgresql://postgres@{host}/{database}"

    def cut_next_commit(self, cut: Cut, *, for_good: bool = False) -> None:
        """Do this to the next COMMIT, once.

        Args:
            for_good: from then on nobody gets through any more.
        """
        self._next = cut
        self._for_good = for_good

    def resume(self) -> None:
        """Let connections through, from the first or after :meth:`stop`."""
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self._directory / _SOCKET))
        self._listening.listen()
        Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def stop(self) -> None:
        """Cut everything, and let nobody through."""
        self._close_except()
        (self._directory / _SOCKET).unlink()

    def _close_except(self, *spared: socket.socket) -> None:
        for end in [self._listening, *self._ends]:
            if end not in spared:
                _close(end)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:  # closed
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self._upstream / _SOCKET))
            except OSError:
                _close(client)
                _close(server)
                continue
            self._ends += [client, server]
            for pump in (self._to_server, self._to_client):
                Thread(target=pump, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        for said in _heard(client):
            cut = self._next
            if cut is not None and _COMMIT in said:
                self._next = None
                self.cuts += 1
                self._cut(cut, said, client, server)
                break
            with suppress(OSError):
                server.sendall(said)
        _close(server)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        for said in _heard(server):
            with suppress(OSError):
                client.sendall(said)
        _close(client)

    def _cut(self, cut: Cut, said: bytes, client: socket.socket, server: socket.socket) -> None:
        if cut is Cut.COMMIT_LOST:
            _close(client)
            return
        if self._for_good:
            self._close_except(client, server)
        # From here on nothing goes back: what the server answers finds no one.
        client.shutdown(socket.SHUT_WR)
        if cut is Cut.COMMIT_LATE:
            self.let_through.wait(_PATIENCE_S)
        server.sendall(said)
        # The server ends the connection only after it has done what was asked.
        server.shutdown(socket.SHUT_WR)
        for _ in _heard(server):
            continue


def _heard(end: socket.socket) -> Iterator[bytes]:
    with suppress(OSError):
        while said := end.recv(65536):
            yield said


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def wire_to(cluster: Path) -> Iterator[Wire]:
    """A wire to the server whose socket is in this directory."""
    # Not below a test's own directory: the path of a socket may have 107 bytes.
    directory = Path(tempfile.mkdtemp(prefix="wire-"))
    wire = Wire(directory, cluster)
    try:
        yield wire
    finally:
        wire.stop()
        shutil.rmtree(directory)

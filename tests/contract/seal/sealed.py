"""A record with everything that seals it, on any store; and witnesses to ask."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.notes import SignerKey, VerifierKey
from domain.assurance.tree import Frontier
from infrastructure.record.event_record import EventRecord
from infrastructure.seal.keys import KeyFolder
from infrastructure.seal.rotation import KeyRegister
from infrastructure.seal.scope_secrets import ScopeSecrets
from infrastructure.seal.sealer import Sealer
from infrastructure.seal.sealing import Sealing
from infrastructure.seal.token import Token
from infrastructure.seal.witness_office import WitnessOffice
from infrastructure.seal.witness_server import WitnessServer
from infrastructure.seal.witnesses import Witnesses
from tests.contract.record.examples import asked, face
from tests.support.stores import SetClock, Store

TIMEOUT_S = 0.5


class Sealed:
    """One record and its seal, as a node opens them; opened again they are another process's."""

    def __init__(self, store: Store, directory: Path, *, token: Token | None = None) -> None:
        self.store = store
        self.clock = store.clock
        self.record: EventRecord = store.open()
        self.keys = KeyFolder(directory, origin=self.record.origin, token=token)
        self.keys.make(new=self.record.size() == 0)
        self.sealer = Sealer(directory, self.keys)
        self.witnesses = Witnesses(self.sealer, self.clock, timeout_s=TIMEOUT_S)
        self.scope_secrets = ScopeSecrets(directory)
        self.sealing = Sealing(
            self.record,
            self.clock,
            self.sealer,
            self.scope_secrets,
            not_before=self.witnesses.newest_cosignature,
        )
        self.register = KeyRegister(self.sealing)
        self.register.settle()

    def grow(self, entries: int, *, first: int = 0) -> int:
        """Store so many more entries."""
        return self.record.append(*(face(first + number) for number in range(entries)), by=asked())

    def names(self) -> list[str]:
        """The stored names of all entries, in order."""
        return [entry.event.NAME for entry in self.record.history()]

    def note(self) -> str:
        """The newest checkpoint."""
        return self.sealer.last_note() or ""

    def verifier_key(self) -> VerifierKey:
        """The key that was given away."""
        return VerifierKey.from_text(self.keys.public_file.read_text("utf-8").strip())

    def real_key(self) -> SignerKey:
        """The log's private key, as a thief would have it."""
        return SignerKey.from_text((self.keys.directory / "log.key").read_text("utf-8").strip())

    def leaves(self) -> list[bytes]:
        """The leaf hashes, recomputed from the record."""
        return list(self.record.leaves())

    def witnessed_by(self, *lines: str) -> None:
        """Say who is to be asked."""
        file = self.keys.directory / "witnesses"
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def root_of(leaves: list[bytes]) -> bytes:
    """The root over these leaves."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def forked(sealed: Sealed, size: int) -> str:
    """Another history of this size, signed with the log's REAL key."""
    leaves = [bytes([number % 256]) * 32 for number in range(size)]
    return sign(Checkpoint(sealed.record.origin, size, root_of(leaves)), sealed.real_key())


def an_office(directory: Path, sealed: Sealed, *, name: str = "w1.example") -> WitnessOffice:
    """A witness that knows this log."""
    office = WitnessOffice(directory, clock=SetClock(sealed.clock.at), name=name)
    office.trust([sealed.verifier_key()])
    return office


@contextmanager
def served(office: WitnessOffice) -> Iterator[str]:
    """A witness over HTTP; gives the line that names it."""
    told: list[str] = []
    server = WitnessServer("127.0.0.1", 0, answer=office.add_checkpoint, tell=told.append)
    with running(server):
        yield f"{office.verifier_key} http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    """Serve until the context is left."""
    with server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def someone_who_says(status: int, body: bytes, *, slowly: bool = False) -> Iterator[str]:
    """An address at which every request gets this answer, or a byte of one now and then."""
    leave = threading.Event()

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if slowly:
                for place in range(len(body)):
                    if leave.wait(0.05):
                        return
                    try:
                        self.wfile.write(body[place : place + 1])
                    except OSError:
                        return
            else:
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    with running(server):
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            leave.set()

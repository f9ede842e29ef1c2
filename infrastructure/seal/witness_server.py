"""Our witness over HTTP (C2SP tlog-witness): one address, one method, bounded requests."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from domain.kernel.errors import DomainError, RecordBrokenError
from infrastructure.seal.witness_office import Answer

MOST_REQUEST_BYTES = 65_536
"""A request has at most 63 hashes and a note of at most 100 signatures: far less than this."""
READ_TIMEOUT_S = 10


class WitnessServer(ThreadingHTTPServer):
    """Answers ``POST /add-checkpoint`` until it is shut down.

    Args:
        host: where to listen; ``127.0.0.1`` unless something in front of it keeps others out.
        port: 0 for any that is free.
        answer: judges a request; may be called by several threads at once.
        tell: told in words what went wrong inside.
    """

    daemon_threads = True

    def __init__(
        self,
        host: str,
        port: int,
        *,
        answer: Callable[[bytes], Answer],
        tell: Callable[[str], None],
    ) -> None:
        self.answer = answer
        self.tell = tell
        super().__init__((host, port), _Desk)


class _Desk(BaseHTTPRequestHandler):
    server: WitnessServer
    timeout = READ_TIMEOUT_S
    server_version = "plumbline-witness"
    sys_version = ""

    def do_POST(self) -> None:
        """Judge one request."""
        if self.path != "/add-checkpoint":
            self._say(Answer(404, b"there is only /add-checkpoint\n"))
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._say(Answer(411, b"expected a Content-Length\n"))
        elif int(length) > MOST_REQUEST_BYTES:
            self._say(Answer(413, b"the request is too large\n"))
        else:
            self._say(self._judged(self.rfile.read(int(length))))

    def _judged(self, body: bytes) -> Answer:
        try:
            return self.server.answer(body)
        except (DomainError, RecordBrokenError) as error:
            self.server.tell(str(error))
            return Answer(500, b"this witness cannot answer now\n")

    def _say(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is kept of who asked."""

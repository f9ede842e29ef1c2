"""The worker's side: tells another process what lives in this one, and has it search."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from domain.custody.canary import Found, Place, Searched
from domain.kernel.errors import DomainError

_PROGRAM = "infrastructure.canary.search_process"
_ANSWER_S = 3600
_PATIENCE_S = 5


class SearcherError(DomainError):
    """The searcher's process did not answer."""


@dataclass(frozen=True)
class Where:
    """A place to search."""

    place: Place
    roots: Sequence[Path]
    plants: Sequence[Path] = ()
    """Directories in which a control is planted for as long as it takes."""
    known: Sequence[str] = ()
    """What must be found there because it was recorded there; at least 16 bytes each."""
    recent: bool = False
    """Whether only files of this user that were changed since the searcher was started count."""
    but: Sequence[Path] = ()
    """Directories below a root that are places of their own."""
    bucket: str | None = None
    """Where it is a place in a bucket, as ``s3://bucket/prefix``; then nothing else counts."""
    ours: bool = True
    """Whether the planted-in directories are nobody else's, so that what a killed search left in
    them can be removed."""


class SeparateSearcher:
    """Another process that searches this one too.

    Start it before core dumps and inspection are switched off: this process opens its own memory
    for it, and nobody can afterwards.

    Raises:
        SearcherError: it is too late for that.
    """

    def __init__(self) -> None:
        memory, maps = _opened("mem"), _opened("maps")
        ours, theirs = socket.socketpair()
        descriptors = (theirs.fileno(), memory, maps)
        try:
            # -P: the folder where a person stands must not be searched for modules
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _PROGRAM, *map(str, descriptors)],
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
            )
        finally:
            theirs.close()
            os.close(memory)
            os.close(maps)
        ours.settimeout(_ANSWER_S)
        self._socket = ours
        self._answers = ours.makefile("rb", buffering=0)
        self._plant = bytearray()

    def close(self) -> None:
        """Let the process end."""
        self._answers.close()
        self._socket.close()
        try:
            self._process.wait(timeout=_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def template(self, values: NDArray[Any]) -> None:
        """Tell of a template that lives, straight from its buffer: no copy is made here.

        Args:
            values: float32, shape (d,), C-contiguous.
        """
        self._say({"say": "template"}, values.data.cast("B"))

    def picture(self, pixels: NDArray[Any]) -> None:
        """Tell of a picture of a face, straight from its buffer.

        Args:
            pixels: uint8, shape (h, w, 3), C-contiguous, BGR.
        """
        self._say({"say": "picture", "shape": pixels.shape}, pixels.data.cast("B"))

    def sees_the_newest(self) -> bool:
        """Whether the template that was told last is found in this process's memory now."""
        self._say({"say": "alive"})
        return bool(self._answer()["found"])

    def leave_a_plant(self) -> None:
        """Have something in this process's memory that the search has to find."""
        self._say({"say": "plant"})
        self._plant = bytearray(self._answer()["size"])
        taken, view = 0, memoryview(self._plant)
        while taken < len(view):
            taken += self._socket.recv_into(view[taken:]) or self._gone()

    def search(self, places: Sequence[Where]) -> Searched:
        """Search all of these, swap, and the memory of this process."""
        self._say({"say": "search", "places": [as_asked(one) for one in places]})
        answer = self._answer()
        return Searched(
            templates=answer["templates"],
            pictures=answer["pictures"],
            forms=tuple(answer["forms"]),
            places=tuple(map(as_answered, answer["places"])),
        )

    def _say(self, told: dict[str, Any], bytes_: memoryview | None = None) -> None:
        told |= {"size": 0 if bytes_ is None else len(bytes_)}
        try:
            self._socket.sendall(json.dumps(told).encode() + b"\n")
            if bytes_ is not None:
                self._socket.sendall(bytes_)
        except OSError as error:
            raise SearcherError(f"the searcher is gone: {error}") from error

    def _answer(self) -> dict[str, Any]:
        line = b""
        with suppress(OSError):
            # unbuffered: what follows a line is read into a buffer of its own
            line = self._answers.readline()
        if not line.endswith(b"\n"):
            self._gone()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _gone(self) -> int:
        raise SearcherError("the searcher ended without an answer")


def as_asked(where: Where) -> dict[str, Any]:
    """A place as the other process is asked about it."""
    return {
        "place": where.place.value,
        "roots": [str(root) for root in where.roots],
        "plants": [str(folder) for folder in where.plants],
        "known": list(where.known),
        "recent": where.recent,
        "but": [str(folder) for folder in where.but],
        "ours": where.ours,
        "bucket": where.bucket,
    }


def as_answered(told: dict[str, Any]) -> Found:
    """What the other process found in a place."""
    return Found(
        place=Place(told["place"]),
        readable=told["readable"],
        absent=told["absent"],
        files=told["files"],
        bytes_read=told["bytes"],
        controls=told["controls"],
        controls_found=told["controls_found"],
        residue={(one["content"], one["form"]): one["count"] for one in told["found"]},
    )


def _opened(of_this_process: str) -> int:
    try:
        return os.open(f"/proc/self/{of_this_process}", os.O_RDONLY)
    except OSError as error:
        raise SearcherError(f"this process may not read its own memory: {error}") from error

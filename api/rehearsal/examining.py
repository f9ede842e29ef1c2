"""Looking at the photographs of a list on all cores, before anybody is proposed.

Each photograph is opened by one thread with an engine of its own, looked at, and let go: what stays
of it is whether it is fit, its digest, and its template in one piece of memory that is wiped. So a
list of ten thousand takes no more memory than its templates.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Barrier, Event
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from domain.kernel.errors import DomainError
from domain.watchlists.listing import ListedEntry, ListingProblem, ListingRefusedError
from recognition.engine import Engine
from recognition.models import DEFAULT_NAME
from recognition.precautions import keep_in_memory
from recognition.quality import REFERENCE_GATES, norm_reason
from recognition.references import ReferenceReader, ReferenceUnfitError

FEW = 50
"""Up to so many photographs one engine looks at faster than others are loaded."""
BLACKS = 3
"""How often a thread looks at black before it ends."""
TOLD = 100
"""How often progress over a long list is told, about."""


class PhotographChangedError(DomainError):
    """A photograph is not the one any more that was looked at."""


@dataclass(frozen=True)
class _Looked:
    """What came of one photograph."""

    digest: bytes
    unfit: str
    """Why its face is not good enough; empty where it is."""


class Examined:
    """Rows whose photographs were all found to show one face, with their templates.

    A context: on leaving it every template is overwritten.
    """

    def __init__(
        self,
        rows: Sequence[ListedEntry],
        images: Path,
        looked: Sequence[_Looked],
        templates: NDArray[np.float32],
    ) -> None:
        self.rows = rows
        self._images, self._looked, self._templates = images, looked, templates

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._templates.fill(0)

    def unfit(self, row: int) -> str:
        """Why the face of a row is not good enough; empty where it is."""
        return self._looked[row].unfit

    def photograph(self, row: int) -> bytes:
        """The very photograph that was looked at.

        Raises:
            PhotographChangedError: it is another by now.
        """
        entry = self.rows[row]
        read = (self._images / entry.image).read_bytes()
        if hashlib.sha256(read).digest() != self._looked[row].digest:
            raise PhotographChangedError(
                f"line {entry.line}: expected the photograph that was looked at, found another"
            )
        return read

    def template(self, row: int) -> memoryview:
        """The template of a row, float32, little endian, in the memory that is wiped."""
        return memoryview(self._templates[row]).cast("B")


def examine(
    rows: Sequence[ListedEntry],
    images: Path,
    engine: Engine,
    tell: Callable[[str], None],
    *,
    workers: int | None = None,
) -> Examined:
    """Look at every photograph.

    Args:
        rows: of the list.
        images: the folder of its photographs.
        engine: one that is loaded already; others are loaded beside it for a long list.
        tell: told from time to time how far it has come.
        workers: how many look at once; by default as many as there are cores.

    Raises:
        ListingRefusedError: with every photograph that is not as it must be.
    """
    many = 1 if len(rows) <= FEW else max(1, workers or os.cpu_count() or 1)
    engines: SimpleQueue[Engine] = SimpleQueue()
    every = [engine, *(Engine(engine.package) for _ in range(many - 1))]
    for one in every:
        engines.put(one)
    templates = np.zeros((len(rows), engine.package.dimension), np.float32)
    keep_in_memory(templates)

    def look(row: int) -> _Looked | ListingProblem:
        mine = engines.get()
        try:
            return _look(rows[row], images, mine, templates[row])
        finally:
            engines.put(mine)

    looked: list[_Looked] = []
    problems: list[ListingProblem] = []
    try:
        with _looking(look, range(len(rows)), engines, many) as answers:
            for done, found in enumerate(answers, start=1):
                if isinstance(found, ListingProblem):
                    problems.append(found)
                else:
                    looked.append(found)
                if len(rows) > FEW and is_told(done, len(rows)):
                    tell(f"photographs: {done} of {len(rows)} looked at, {len(problems)} unfit")
        if problems:
            raise ListingRefusedError(problems)
    except BaseException:
        templates.fill(0)
        raise
    finally:
        engine.forget_last_face()
    return Examined(rows, images, looked, templates)


@contextmanager
def _looking(
    look: Callable[[int], _Looked | ListingProblem],
    numbers: range,
    engines: SimpleQueue[Engine],
    many: int,
) -> Iterator[Iterator[_Looked | ListingProblem]]:
    """The answers, in order: from this thread alone, or from several.

    A thread has memory of its own, in which what a network worked out last is left when it ends. So
    each looks at black until that is overwritten, as this thread does too.
    """
    if many == 1:
        yield map(look, numbers)
        return
    together, broken_off = Barrier(many), Event()

    def look_on(row: int) -> _Looked | ListingProblem:
        if broken_off.is_set():
            raise CancelledError
        return look(row)

    def look_at_black(_: int) -> None:
        together.wait()  # so that no thread takes the turn of another
        mine = engines.get()
        for _again in range(BLACKS):
            mine.forget_last_face()
        engines.put(mine)

    with ThreadPoolExecutor(many) as pool:
        try:
            yield pool.map(look_on, numbers)
        finally:
            broken_off.set()
            list(pool.map(look_at_black, range(many)))


def is_told(done: int, many: int) -> bool:
    """Whether progress is told now: always over a short list, some hundred times over a long."""
    return done == many or done % max(1, many // TOLD) == 0


def _look(
    entry: ListedEntry, images: Path, engine: Engine, into: NDArray[np.float32]
) -> _Looked | ListingProblem:
    """Look at one photograph, and leave its template where it will be wiped."""
    try:
        photograph = (images / entry.image).read_bytes()
        reference = ReferenceReader(engine.detect).examine(photograph)
    except ReferenceUnfitError as error:
        return _problem(entry, error.code, str(error))
    except OSError as error:
        return _problem(entry, "image_unreadable", str(error.strerror))
    template = engine.embed(reference.image, reference.detection.landmarks)
    try:
        into[:] = template.values
        unfit = reference.unfit or _too_weak(engine, template.norm_before)
    finally:
        template.wipe()
    return _Looked(hashlib.sha256(photograph).digest(), unfit or "")


def _too_weak(engine: Engine, norm: float) -> str | None:
    """Whether the embedding's norm says that the photograph is poor, where that was measured."""
    if engine.package.name != DEFAULT_NAME:
        return None
    return norm_reason(norm, REFERENCE_GATES)


def _problem(entry: ListedEntry, code: str, sentence: str) -> ListingProblem:
    return ListingProblem(entry.line, "image", code, f"line {entry.line}: {sentence}")

"""Rows in chunks, each with its summary, worked out by several processes where there are many.

The rows are read here, in one snapshot and in order, and handed out; what comes back is put in
order again. A few chunks are on their way at a time, so that the memory needed does not grow with
the log. Where no processes can be started, or one dies, the work is done here.
"""

from __future__ import annotations

import gc
import marshal
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence, Set
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from domain.assurance.chunks import CHUNK, Shapes, Summary

R = TypeVar("R", bound=tuple[Any, ...])

MOST_WORKERS = 4
"""More could not be fed: one process reads for all."""

_OBJECTS_BETWEEN_COLLECTIONS = 100_000
"""Rows hold plain values and no cycles, so that looking for cycles among them all the time (after
every 700 new tuples, as Python does by itself) finds nothing and costs a tenth of the work."""

ALONE_UP_TO = 16 * CHUNK
"""Rows for which it is not worth while to start processes."""


def workers() -> int:
    """As many processes as this one may use processors."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    return min(MOST_WORKERS, len(allowed) or os.cpu_count() or 1)


class Summing(Generic[R]):
    """Goes through rows, chunk by chunk.

    Args:
        rows: from position 0 on.
        sizes: of the log; a chunk that one of them lies in is summed up with its leaf hashes.
        workers: processes to share the work between; with less than 2 there is none but this.
    """

    def __init__(self, rows: Iterator[R], sizes: Set[int], *, workers: int) -> None:
        self._rows = rows
        self._sizes = sizes
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._shapes = Shapes()
        self._pending: deque[tuple[int, list[R], Future[Summary | None] | None]] = deque()
        self._next = 0
        self._failure: Exception | None = None

    def __enter__(self) -> Self:
        """The processes live as long as this."""
        self._collects = gc.get_threshold()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *self._collects[1:])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the processes go; what they were at is of no use any more."""
        gc.set_threshold(*self._collects)
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __iter__(self) -> Iterator[tuple[list[R], Summary | None]]:
        """Each chunk in order, with its summary if it has one.

        What reading the rows raises is raised in its place, behind the rows that came before.
        """
        while True:
            self._hand_out()
            if not self._pending:
                break
            start, rows, future = self._pending.popleft()
            yield rows, self._summary(start, rows, future)
        if self._failure is not None:
            raise self._failure

    def later(self) -> Iterator[R]:
        """The rows behind the chunk that was given last, read on from there."""
        yield from chain.from_iterable(rows for _, rows, _ in self._pending)
        self._pending.clear()
        if self._failure is not None:
            raise self._failure
        yield from self._rows

    def _hand_out(self) -> None:
        ahead = 1 if self._next < ALONE_UP_TO else 2 * max(1, self._workers)
        while len(self._pending) < ahead and (rows := self._read()):
            start, self._next = self._next, self._next + len(rows)
            self._pending.append((start, rows, self._handed_out(start, rows)))

    def _read(self) -> list[R]:
        rows: list[R] = []
        if self._failure is not None:
            return rows
        try:
            for row in islice(self._rows, CHUNK):
                rows.append(row)
        except Exception as error:  # noqa: BLE001 - raised again behind these rows
            self._failure = error
        return rows

    def _handed_out(self, start: int, rows: Sequence[R]) -> Future[Summary | None] | None:
        if self._workers < 2 or start < ALONE_UP_TO:
            return None
        try:
            if self._pool is None:
                # not forked: whoever called may have threads and open databases
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(
                    self._workers,
                    mp_context=context,
                    initializer=gc.set_threshold,
                    initargs=(_OBJECTS_BETWEEN_COLLECTIONS,),
                )
            # version 2: nothing is looked up to be written only once
            packed = marshal.dumps(_columns(rows), 2)
            return self._pool.submit(_summed_elsewhere, start, packed, self._asks(start, rows))
        except (OSError, BrokenProcessPool, ValueError):
            # ValueError: a column holds what is no plain value, and the long way says which
            self._workers = 1
            return None

    def _summary(
        self, start: int, rows: Sequence[R], future: Future[Summary | None] | None
    ) -> Summary | None:
        if future is not None:
            try:
                return future.result()
            except (OSError, BrokenProcessPool):
                self._workers = 1
        return self._shapes.summary(start, _columns(rows), with_leaves=self._asks(start, rows))

    def _asks(self, start: int, rows: Sequence[R]) -> bool:
        return any(start < size <= start + len(rows) for size in self._sizes)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


_SHAPES = Shapes()
"""What a worker process has learned."""


def _summed_elsewhere(start: int, packed: bytes, with_leaves: bool) -> Summary | None:
    return _SHAPES.summary(start, marshal.loads(packed), with_leaves=with_leaves)

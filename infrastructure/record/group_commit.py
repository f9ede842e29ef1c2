"""Group commit: many callers at once, few transactions.

One COMMIT costs a sync of the disk, whatever it stores. Callers that come while one transaction
is under way are therefore stored together by the next. There is no thread of its own and no delay:
whoever gets the turn writes for everybody who waits, and a caller that finds itself served by
another's turn goes home.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

import psycopg
from eventsourcing.persistence import PersistenceError, StoredEvent

from domain.kernel.errors import RecordBrokenError
from infrastructure.record.placing import Attribution, Wanted

MOST_EVENTS = 5000
"""Events in one transaction, unless a single caller brings more."""


class UnknownOutcomeError(PersistenceError):
    """Whether a batch was stored is not known: whoever tried it was broken off around COMMIT."""


STORE_ERRORS = (PersistenceError, sqlite3.Error, psycopg.Error, RecordBrokenError)
"""What a database can answer instead of storing a batch."""


class GroupCommit:
    """Hands batches to ``write``, one at a time.

    Args:
        write: stores a batch in one transaction and marks each of it as stored or refused.
            If it raises, nothing of the batch is stored.
    """

    def __init__(self, write: Callable[[Sequence[Wanted]], None]) -> None:
        self._write = write
        self._waiting: list[Wanted] = []
        self._mutex = Lock()
        self._turn = Lock()

    def store(self, wanted: Wanted) -> None:
        """Store it with whatever else waits; returns once it is stored.

        Raises:
            Exception: what this caller's events were refused with, or what kept the whole batch
                from being stored.
        """
        try:
            with self._mutex:
                self._waiting.append(wanted)
            with self._turn:
                while not wanted.is_settled:
                    self._write_for_all()
        finally:
            self._forget(wanted)
        if wanted.refused is not None:
            raise wanted.refused

    def _write_for_all(self) -> None:
        batch: list[Wanted] = []
        try:
            self._take(batch)
            self._write(batch)
        except STORE_ERRORS as error:
            _refuse(batch, error)
        except BaseException as error:
            # Whoever was broken off is told so by what is raised; the others by this.
            _refuse(batch, UnknownOutcomeError(f"{type(error).__name__} of another caller"))
            raise

    def _forget(self, wanted: Wanted) -> None:
        """A caller that was broken off while it waited wants nothing stored any more."""
        with self._mutex:
            self._waiting = [one for one in self._waiting if one is not wanted]

    def _take(self, batch: list[Wanted]) -> None:
        with self._mutex:
            events = 0
            while self._waiting:
                events += len(self._waiting[0].events)
                if batch and events > MOST_EVENTS:
                    break
                # In the batch before it is off the list: a caller is never in neither.
                batch.append(self._waiting[0])
                del self._waiting[0]


def _refuse(batch: Sequence[Wanted], error: Exception) -> None:
    for one in batch:
        one.rows, one.refused = None, error


class GroupedInserts:
    """How our recorders insert: grouped, and never without saying who asked."""

    commits: GroupCommit

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        attribution: Attribution | None = None,
        **_: Any,
    ) -> Sequence[int] | None:
        """Store events with their places in the log (see the library's recorders).

        Returns:
            For each event the size of the log right after it.
        """
        if not stored_events:
            return []
        if attribution is None:
            raise TypeError("nothing is stored without saying who asked for it")
        wanted = Wanted(stored_events, attribution)
        self.commits.store(wanted)
        return [row.position + 1 for row in wanted.rows or []]

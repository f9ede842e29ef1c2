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
        with self._mutex:
            self._waiting.append(wanted)
        try:
            with self._turn:
                while not wanted.is_settled:
                    self._write_for_all()
        finally:
            self._forget(wanted)
        if wanted.refused is not None:
            raise wanted.refused

    def _write_for_all(self) -> None:
        batch = self._taken()
        try:
            self._write(batch)
        except STORE_ERRORS as error:
            for one in batch:
                one.rows, one.refused = None, error
        except BaseException as error:
            # Whoever was broken off is told so by what is raised; the others by this.
            for one in batch:
                one.rows, one.refused = None, InterruptedError(type(error).__name__)
            raise

    def _forget(self, wanted: Wanted) -> None:
        """A caller that was broken off while it waited wants nothing stored any more."""
        with self._mutex:
            self._waiting = [one for one in self._waiting if one is not wanted]

    def _taken(self) -> list[Wanted]:
        with self._mutex:
            taken, events = 0, 0
            while taken < len(self._waiting):
                events += len(self._waiting[taken].events)
                if taken and events > MOST_EVENTS:
                    break
                taken += 1
            batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch


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

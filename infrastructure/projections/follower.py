"""The one loop that keeps every read model up with the record, on either kind of database.

It promises:

* Exactly once. Rows and position are written in one transaction, which first takes hold of the
  position and compares it with the one that the entries were read behind. Whoever is killed, and
  however many follow at once, no entry is applied twice and none is left out.
* It stops at what it cannot take in. The read model keeps the position before that entry, the
  entry and the reason stand beside it, and the others go on.
* Waking is a courtesy: a follower that is never woken looks by itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event

import psycopg
from sqlalchemy import Table, column, select, table
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from domain.kernel.errors import ConflictError, RecordBrokenError
from infrastructure.projections.entries import Entry, entry_at
from infrastructure.projections.positions import (
    Standing,
    begin,
    clear_unlisted,
    forget,
    held,
    move,
    serve,
    standings,
)
from infrastructure.projections.projection import Projection, Writing, only_reading
from infrastructure.record.databases import Database, RecordUnavailableError

AT_ONCE = 2000
"""Entries that are applied in one transaction."""
WAIT_S = 0.5
"""The longest that a follower waits without asking whether it is to stop."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
"""The pauses between attempts on a database that does not answer: each twice the one before."""

_HEAD = table("log_head", column("size"))


class ProjectionStoppedError(RecordBrokenError):
    """A read model cannot take in an entry, and stands still before it."""


@dataclass(frozen=True)
class Batch:
    """Entries behind a position, and why the one after them could not be read, if so."""

    entries: list[Entry]
    unreadable: str | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands behind the position."""
        return not self.entries and self.unreadable is None


@dataclass(frozen=True)
class Stop:
    """A generation that stands still, before which entry and why."""

    standing: Standing
    failed_at: int
    why: str


class Follower:
    """Brings read models up to the end of the log, and keeps them there.

    Args:
        database: the record's, in this version's shape.
        projections: what to keep up.
        tell: told in a sentence what a person should know: a read model that stands still, a
            database that does not answer.
        at_once: entries in one transaction.
    """

    def __init__(
        self,
        database: Database,
        projections: Iterable[Projection],
        *,
        tell: Callable[[str], None] = lambda words: None,
        at_once: int = AT_ONCE,
    ) -> None:
        self._database = database
        self._engine = database.engine()
        self._reading = only_reading(self._engine)
        self._projections = {one.NAME: one for one in projections}
        self._tell = tell
        self._at_once = at_once
        self._stopped: set[tuple[str, int]] = set()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # -- following

    def follow(self, stop: Event) -> None:
        """Keep up with the log until told to stop, whatever becomes of the database meanwhile."""
        pause = FIRST_PAUSE_S
        while not stop.is_set():
            try:
                with self._asking(), closing(self._database.waiter()) as waiter:
                    self.prepare()
                    while not stop.is_set():
                        size = self.catch_up()
                        pause = FIRST_PAUSE_S
                        waiter.wait_beyond(size, timeout_s=WAIT_S)
            except RecordUnavailableError as error:
                if not _may_pass(error.__cause__):
                    raise
                self._tell(f"{error}: trying again in {pause:g} s")
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)

    def prepare(self) -> None:
        """List read models that are new, and begin to make those of another shape again."""
        with self._asking():
            with self._engine.begin() as connection:
                found = standings(connection, self._projections, hold=True)
                for name, projection in self._projections.items():
                    mine = [one for one in found if one.name == name]
                    if not mine:
                        begin(connection, name, generation=1, shape=projection.SHAPE, serving=True)
                    elif not any(one.shape == projection.SHAPE for one in mine):
                        _begin_anew(connection, mine, projection)
            self._clear()

    def catch_up(self) -> int:
        """Apply everything that is in the log now.

        Returns:
            The size of the log that was taken in by all that do not stand still.
        """
        with self._asking():
            while followed := self._followed():
                if not self._step(followed):
                    return 1 + min(one.position for one in followed)
            return self._size()

    # -- making again

    def rebuild(self, progress: Callable[[int, int], None] = lambda done, in_all: None) -> None:
        """Make the read models again from the first entry; the old rows answer until then.

        One pass over the log feeds all of them. If it is killed, the next rebuild begins again.

        Args:
            progress: told how many entries all of them have taken in, and the size of the log.

        Raises:
            ProjectionStoppedError: an entry could not be taken in. The old rows still answer.
            ConflictError: another rebuild of the same began meanwhile, and goes on instead.
        """
        with self._asking():
            generations = self._begin_all_anew()
            self._clear()
            while unfinished := [
                one
                for one in self._standings()
                if one.generation == generations[one.name]
                and not one.serving
                and one.key not in self._stopped
            ]:
                self._step(unfinished)
                progress(1 + min(one.position for one in unfinished), self._size())
            self._clear()
            self._require_served(generations)

    def _begin_all_anew(self) -> dict[str, int]:
        with self._engine.begin() as connection:
            found = standings(connection, self._projections, hold=True)
            return {
                name: _begin_anew(connection, [one for one in found if one.name == name], one)
                for name, one in self._projections.items()
            }

    def _require_served(self, generations: dict[str, int]) -> None:
        now = {one.key: one for one in self._standings()}
        for name, generation in generations.items():
            found = now.get((name, generation))
            if found is None:
                raise ConflictError(f"{name}: another rebuild began, and goes on instead")
            if found.failed_at is not None:
                raise ProjectionStoppedError(
                    f"{name} cannot be rebuilt, it cannot take in entry {found.failed_at}: "
                    f"{found.failure}"
                )

    # -- one step

    def _step(self, wanted: list[Standing]) -> bool:
        """Apply one batch to those that are furthest behind; False where nothing was left to do."""
        first = min(one.position for one in wanted)
        last_of_all = [one for one in wanted if one.position == first]
        # not past the next one: from there on they share one pass over the log
        distances = [one.position - first for one in wanted if one.position > first]
        batch = self._read(first, at_most=min([self._at_once, *distances]))
        if batch.is_empty:
            return self._serve(last_of_all)
        with self._engine.begin() as connection:
            taken = [self._take(connection, one, batch) for one in held(connection, last_of_all)]
        for stop in taken:
            if stop is not None:
                self._stopped.add(stop.standing.key)
                self._tell(f"{stop.standing.name} stopped at entry {stop.failed_at}: {stop.why}")
        return True

    def _read(self, after: int, *, at_most: int) -> Batch:
        with self._reading.begin() as connection:
            rows = _behind(connection, after, at_most)
        entries: list[Entry] = []
        for expected, (position, blob) in enumerate(rows, start=after + 1):
            if position != expected:
                return Batch(entries, f"expected entry {expected}, found entry {position}")
            try:
                entries.append(entry_at(position, blob))
            except RecordBrokenError as error:
                return Batch(entries, str(error))
        return Batch(entries, None)

    def _take(self, connection: Connection, standing: Standing, batch: Batch) -> Stop | None:
        """Apply a batch to one generation, within the transaction that moves its position."""
        projection = self._projections[standing.name]
        writing = Writing(connection, standing.generation)
        wanted = [one for one in batch.entries if one.name in projection.TAKES]
        if wanted and _why_not(projection, wanted, writing) is not None:
            for one in wanted:  # as far as it goes, to stop at the very entry
                if (why := _why_not(projection, [one], writing)) is not None:
                    return _stand_still(connection, standing, one.pos, why)
        if not batch.entries:
            return _stand_still(connection, standing, standing.position + 1, batch.unreadable or "")
        move(connection, standing, position=batch.entries[-1].pos)
        return None

    def _serve(self, finished: list[Standing]) -> bool:
        """Let generations that have reached the end answer in place of those that did."""
        served = False
        for one in finished:
            if not one.serving:
                with self._engine.begin() as connection:
                    served |= _take_over(connection, one)
        if served:
            self._clear()
        return served

    # -- what there is

    def _followed(self) -> list[Standing]:
        """Of each read model the generation that answers, or that replaces one of another shape."""
        chosen: dict[str, Standing] = {}
        for one in self._standings():
            if one.shape == self._projections[one.name].SHAPE and (
                one.serving or one.name not in chosen
            ):
                chosen[one.name] = one
        return [one for one in chosen.values() if one.key not in self._stopped]

    def _standings(self) -> list[Standing]:
        with self._reading.begin() as connection:
            return standings(connection, self._projections)

    def _size(self) -> int:
        with self._reading.begin() as connection:
            return int(connection.execute(select(_HEAD.c.size)).scalar_one())

    def _clear(self) -> None:
        """Remove the rows of generations that are on the list no more."""
        for name, projection in self._projections.items():
            for one in projection.TABLES:
                while self._cleared(name, one):
                    continue

    def _cleared(self, name: str, one: Table) -> bool:
        with self._engine.begin() as connection:
            return clear_unlisted(connection, name, one)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Translates what the databases' libraries raise.

        Raises:
            RecordUnavailableError: the database did not take or give what was asked.
        """
        try:
            yield
        except DBAPIError as error:
            raise self._unavailable(error, error.orig) from error
        except (PoolTimeoutError, sqlite3.Error, psycopg.Error) as error:
            raise self._unavailable(error, error) from error

    def _unavailable(self, error: Exception, why: object) -> RecordUnavailableError:
        return RecordUnavailableError(
            f"{type(error).__name__}: read models of {self._database.name} stand still ({why})"
        )


def _behind(connection: Connection, after: int, at_most: int) -> list[tuple[int, bytes]]:
    """Positions and stored bytes, straight from the driver: half the time of reading them."""
    if connection.dialect.name == "sqlite":
        cursor, mark = connection.connection.cursor(), "?"
    else:
        # bytes as they are; as text the server would send them in hexadecimal
        cursor, mark = connection.connection.cursor(binary=True), "%s"
    with closing(cursor):
        cursor.execute(
            f"SELECT position, state FROM stored_events WHERE position > {mark} "
            f"ORDER BY position LIMIT {mark}",
            (after, at_most),
        )
        return list(cursor.fetchall())


def _begin_anew(connection: Connection, found: list[Standing], projection: Projection) -> int:
    """Begin the next generation beside the one that answers; of half-made ones there is one."""
    for one in found:
        if not one.serving:
            forget(connection, one)
    following = 1 + max((one.generation for one in found), default=0)
    begin(connection, projection.NAME, generation=following, shape=projection.SHAPE, serving=False)
    return following


def _take_over(connection: Connection, made: Standing) -> bool:
    """Let a generation answer, unless the one that does has come further meanwhile."""
    found = standings(connection, [made.name], hold=True)
    now = next((one for one in found if one.key == made.key and not one.serving), None)
    before = next((one for one in found if one.serving), None)
    if now is None or (before is not None and before.position > now.position):
        return False
    if before is not None:
        forget(connection, before)
    serve(connection, now)
    return True


def _why_not(projection: Projection, entries: list[Entry], writing: Writing) -> str | None:
    """Apply entries, all or none of them; answers why none, if none."""
    try:
        with writing.connection.begin_nested():
            projection.apply(entries, writing)
    except Exception as error:
        if _may_pass(error):
            raise
        why = error.orig if isinstance(error, DBAPIError) else error
        return f"{type(error).__name__}: {why}"
    return None


def _stand_still(connection: Connection, standing: Standing, failed_at: int, why: str) -> Stop:
    move(connection, standing, position=failed_at - 1, failed_at=failed_at, failure=why)
    return Stop(standing, failed_at, why)


def _may_pass(error: BaseException | None) -> bool:
    """Whether it is the database that does not answer now: gone, locked, full, shutting down."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _may_pass(error.orig)
    if isinstance(error, sqlite3.OperationalError):
        # SQLITE_ERROR is a statement that is wrong, today and tomorrow
        return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR
    return isinstance(error, PoolTimeoutError | psycopg.OperationalError | psycopg.InterfaceError)

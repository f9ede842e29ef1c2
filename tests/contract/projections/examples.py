"""Whole histories to project: deployments that were played, one beside another."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import chain, zip_longest
from multiprocessing.connection import Connection
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.kernel.commands import Command
from domain.kernel.events import Happened
from domain.kernel.references import FORCE
from domain.kernel.refusals import Refused
from domain.services import alerts, custody, deployments, sightings
from infrastructure.projections.deployment_history import DeploymentHistoryProjection
from infrastructure.projections.entries import Entry
from infrastructure.projections.follower import Follower
from infrastructure.projections.positions import Standing, standings
from infrastructure.projections.projection import Projection, Writing, only_reading
from infrastructure.projections.registers import PROJECTIONS
from infrastructure.record.event_record import EventRecord
from tests.support import builders as a
from tests.support.memory import Transaction
from tests.support.scenarios import Scene, agreed
from tests.support.stores import Store, reach

DECIDED = UUID(int=0xA1)
VIEWED = UUID(int=0xA2)
"""An alert that was looked at and decided by nobody: closed at the end."""
REFUSED = UUID(int=0xA3)

SOON_S = 20.0

Rows = dict[str, list[tuple[Any, ...]]]


@functools.cache
def played() -> Scene:
    """One deployment from its application to its last receipt."""
    scene = Scene().applied().list_opened()
    scene.entry_proposed().entry_accepted()
    scene.entry_proposed(a.OTHER_ENTRY).entry_rejected(a.OTHER_ENTRY)
    scene.list_approved().authorised().later(timedelta(minutes=1)).started()
    scene.saw(a.enrolled(1), a.not_enrolled(2), a.not_enrolled(3, reason="pose"), progress=(50, 3))
    scene.alerted(DECIDED, ordinal=4).viewed(DECIDED).decided(DECIDED, note="a note")
    scene.viewed(DECIDED)
    scene.saw(a.suppressed(5, alert=DECIDED), a.enrolled(6, life_ms=44), progress=(90, 6))
    _refused(alerts.adjudicate(scene.outside, a.to_decide(alert=DECIDED, **scene.by)))
    outside_the_zone = a.to_raise(alert=REFUSED, ordinal=7, inside_zone=False, **scene.by)
    _refused(alerts.raise_alert(scene.outside, outside_the_zone))
    scene.alerted(VIEWED, ordinal=8).viewed(VIEWED)
    sightings.report_source_failure(scene.outside, a.to_report_a_failure(**scene.by))
    scene.saw(progress=(120, 8))
    scene.later(timedelta(minutes=3)).stopped()
    sightings.reconcile(scene.outside, a.to_reconcile(**scene.by))
    return scene.ended()


@functools.cache
def still_running() -> Scene:
    """One deployment in the middle: alerts open, items alive, sums compared too early."""
    scene = Scene().running().alerted(ordinal=1)
    _refused(deployments.start(scene.outside, a.to_start(**scene.by)))
    [item, *_] = scene.items_of(a.ALERT)
    agreed(custody.consult(scene.outside, a.to_consult(item=item, **scene.by))).clear()
    _refused(custody.consult(scene.outside, a.to_consult(item=item, purpose="x", **scene.by)))
    scene.saw(a.enrolled(2), progress=(9, 4))
    sightings.reconcile(scene.outside, a.to_reconcile(**scene.by))
    return scene.saw(a.enrolled(3))


def _refused(answer: object) -> None:
    assert isinstance(answer, Refused)


def store_all(
    record: EventRecord,
    *,
    copies: int = 1,
    first: int = 0,
    on_append: Callable[[], object] = lambda: None,
) -> None:
    """Play deployments into a record beside each other, a transaction of each in turn.

    Args:
        record: where.
        copies: how often each of the two is played.
        first: the number of the first (see :func:`deployment`); even ones come to their end.
        on_append: called after each transaction.
    """
    histories = [_transactions(number) for number in range(first, first + 2 * copies)]
    for transaction in chain.from_iterable(zip_longest(*histories)):
        if transaction is not None:
            record.append(*transaction.events, by=transaction.by, grain=transaction.grain)
            on_append()


@functools.cache
def _transactions(number: int) -> list[Transaction]:
    scene = still_running() if number % 2 else played()
    own = (one for one in scene.record.transactions if one.by.scope != FORCE)
    return [_elsewhere(one, number) for one in own]


def deployment(number: int) -> UUID:
    """The deployment that is called so in the history of this number."""
    return there(a.DEPLOYMENT, number)


def there(reference: UUID, number: int) -> UUID:
    """What a reference is called in the history of this number."""
    return UUID(int=reference.int ^ (number << 96))


def _elsewhere(transaction: Transaction, number: int) -> Transaction:
    scope = there(UUID(transaction.by.scope), number).hex
    return dataclasses.replace(
        transaction,
        by=_moved(dataclasses.replace(transaction.by, scope=scope), number),
        events=tuple(_moved(one, number) for one in transaction.events),
        given={},
    )


def _moved(value: Any, number: int) -> Any:
    match value:
        case UUID():
            return there(value, number)
        case list():
            return [_moved(one, number) for one in value]
        case dict():
            return {key: _moved(one, number) for key, one in value.items()}
        case Happened() | Command():
            names = (one.name for one in dataclasses.fields(value))
            return dataclasses.replace(
                value, **{name: _moved(getattr(value, name), number) for name in names}
            )
    return value


def rows(store: Store) -> Rows:
    """Everything that the read models answer from, table by table, without the generation."""
    answering = {one.name: one.generation for one in where(store) if one.serving}
    return {
        table.name: sorted(_rows(store, table, answering[projection.NAME]), key=repr)
        for projection in PROJECTIONS
        for table in projection.TABLES
    }


def _rows(store: Store, table: Any, generation: int) -> Iterator[tuple[Any, ...]]:
    columns = [one for one in table.columns if one.name != "generation"]
    with only_reading(store.engine()).begin() as connection:
        asked = select(*columns).where(table.c.generation == generation)
        yield from (tuple(row) for row in connection.execute(asked))


def where(store: Store) -> Sequence[Standing]:
    """Where the read models stand."""
    with only_reading(store.engine()).begin() as connection:
        return standings(connection)


def positions(store: Store) -> set[int]:
    """The positions at which the read models that answer stand."""
    return {one.position for one in where(store) if one.serving}


def rebuilt_rows(store: Store) -> Rows:
    """Everything that the read models answer from, after all were made again."""
    with closing(Follower(store.database, PROJECTIONS)) as follower:
        follower.rebuild()
    return rows(store)


def until(happened: Callable[[], bool]) -> None:
    """Wait for something that another thread or process does."""
    deadline = time.monotonic() + SOON_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


@contextmanager
def following(
    store: Store, projections: Sequence[Projection] = PROJECTIONS, *, at_once: int = 7
) -> Iterator[Follower]:
    """A follower that has been prepared."""
    with closing(Follower(store.database, projections, at_once=at_once)) as follower:
        follower.prepare()
        yield follower


def follow_slowly(told: Connection, address: str) -> None:
    """Follow in small batches, and tell of each before it is committed."""
    with following(reach(address), [_Telling(told), *PROJECTIONS[1:]], at_once=3) as follower:
        follower.catch_up()


def rebuild_slowly(told: Connection, address: str) -> None:
    """Rebuild in small batches, and tell of each."""
    with following(reach(address), at_once=3) as follower:
        follower.rebuild(lambda done, in_all: told.send(done))


class _Telling(DeploymentHistoryProjection):
    def __init__(self, told: Connection) -> None:
        self._told = told

    def apply(self, entries: Sequence[Entry], writing: Writing) -> None:
        super().apply(entries, writing)
        self._told.send(entries[-1].pos)

"""Whole histories to project: deployments that were played, one beside another."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain, zip_longest
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.kernel.commands import Command
from domain.kernel.events import Happened
from domain.kernel.refusals import Refused
from domain.services import alerts, custody, deployments, sightings
from infrastructure.projections.positions import Standing, standings
from infrastructure.projections.projection import only_reading
from infrastructure.projections.registers import PROJECTIONS
from infrastructure.record.event_record import EventRecord
from tests.support import builders as a
from tests.support.memory import Transaction
from tests.support.scenarios import Scene
from tests.support.stores import Store

DECIDED = UUID(int=0xA1)
VIEWED = UUID(int=0xA2)
"""An alert that was looked at and decided by nobody: closed at the end."""
REFUSED = UUID(int=0xA3)

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
    custody.consult(scene.outside, a.to_consult(item=item, **scene.by)).clear()
    _refused(custody.consult(scene.outside, a.to_consult(item=item, purpose="x", **scene.by)))
    scene.saw(a.enrolled(2), progress=(9, 4))
    sightings.reconcile(scene.outside, a.to_reconcile(**scene.by))
    return scene.saw(a.enrolled(3))


def _refused(answer: object) -> None:
    assert isinstance(answer, Refused)


def store_all(record: EventRecord, *, copies: int = 1) -> None:
    """Play deployments into a record beside each other, a transaction of each in turn."""
    scenes = [one for _ in range(copies) for one in (played(), still_running())]
    histories = [
        [_elsewhere(one, number) for one in scene.record.transactions]
        for number, scene in enumerate(scenes)
    ]
    for transaction in chain.from_iterable(zip_longest(*histories)):
        if transaction is not None:
            record.append(*transaction.events, by=transaction.by, grain=transaction.grain)


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

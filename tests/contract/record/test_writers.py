"""Several writers at once: one wins, the others are told, and nothing is stored twice or half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from domain.kernel.errors import ConflictError
from domain.kernel.events import Happened
from infrastructure.record.event_record import EventRecord
from tests.contract.record.examples import asked, face, stream, viewed
from tests.support.stores import Store


def stored(store: Store) -> object:
    """Everything that a refused transaction must leave alone."""
    with store.stored() as log:
        return (list(log.rows), log.head, log.scope_heads)


def at_once(*tasks: Callable[[], object]) -> list[object]:
    """What each task came to, started together: its result, or the conflict that it met."""
    together = Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        together.wait(timeout=30)
        try:
            return task()
        except ConflictError as conflict:
            return conflict

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(run, tasks))


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([viewed(2), viewed(1)], "a version that is there"),
        ([viewed(2), viewed(1, version=3)], "a version beyond the next"),
        ([viewed(2), viewed(2)], "one version twice in one transaction"),
        ([face(1), viewed(1)], "after an event of a journal"),
    ],
)
def test_a_transaction_that_comes_too_late_leaves_nothing_behind(
    store: Store, events: Sequence[Happened], why: str
) -> None:
    """The events before the conflicting one go with it."""
    record = store.open()
    record.append(viewed(1), by=asked())
    before = stored(store)
    with pytest.raises(ConflictError, match=rf"stream {events[-1].originator_id.hex} is at"):
        record.append(*events, by=asked())
    assert stored(store) == before, why
    assert record.append(viewed(2), viewed(1, version=2), by=asked()) == 3


def test_of_two_writers_of_one_version_one_wins(store: Store) -> None:
    """On two connections at once, again and again: never both, never none, never a part."""
    records = [store.open(), store.open()]
    for version in range(1, 9):
        own = [viewed(10 * version), viewed(10 * version + 1)]
        contested = viewed(1, version=version)
        outcomes = at_once(
            *(
                partial(record.append, event, contested, by=asked())
                for record, event in zip(records, own, strict=True)
            )
        )
        assert sorted(type(one).__name__ for one in outcomes) == ["ConflictError", "int"]
        winner = own[0 if isinstance(outcomes[0], int) else 1]
        streams = [row.stream for row in store.rows()][-2:]
        assert streams == [winner.originator_id.hex, stream(1).hex]
        assert records[0].size() == 2 * version


def test_a_decision_that_rests_on_what_moved_on_is_refused(store: Store) -> None:
    """The versions given are compared again under the log's lock, and nothing is stored."""
    record = store.open()
    record.append(viewed(1), by=asked())
    record.append(viewed(1, version=2), by=asked())
    before = stored(store)
    for given in ({stream(1): 1}, {stream(1): 3}, {stream(1): 2, stream(2): 1}, {stream(1): 0}):
        with pytest.raises(ConflictError, match="the decision rested on stream"):
            record.append(viewed(3), face(1), by=asked(), given=given)
        assert stored(store) == before
    assert record.append(viewed(3), by=asked(), given={stream(1): 2, stream(2): 0}) == 3


def test_of_a_decision_and_what_it_rests_on_one_comes_first(store: Store) -> None:
    """Either the decision stands before the stream moved on, or it is refused."""
    decider, mover = store.open(), store.open()
    for version in range(1, 9):
        before = decider.size()
        decide = partial(
            decider.append, viewed(2 + version), by=asked(), given={stream(1): version - 1}
        )
        move = partial(mover.append, viewed(1, version=version), by=asked())
        decided, moved = at_once(decide, move)
        assert isinstance(moved, int)
        if isinstance(decided, int):
            assert (decided, moved) == (before + 1, before + 2)
        else:
            assert (isinstance(decided, ConflictError), moved) == (True, before + 1)


def test_a_journal_numbers_its_events_itself(store: Store) -> None:
    """Several in one transaction, two journals beside each other, and on from there."""
    record = store.open()
    record.append(face(1), face(2, camera="camera-2"), face(3), viewed(1), face(4), by=asked())
    record.append(face(5), by=asked())
    faces = [row for row in store.rows() if row.name == "face.enrolled_and_discarded"]
    numbered = [(row.stream == face().originator_id.hex, row.version) for row in faces]
    assert numbered == [(True, 1), (False, 1), (True, 2), (True, 3), (True, 4)]
    assert [entry.event.originator_version for entry in record.history()] == [1, 1, 2, 1, 3, 4]


def test_a_journal_takes_events_from_several_writers_at_once(store: Store) -> None:
    """Nobody reads before writing, nobody is turned away, and no number is given twice."""
    rounds, per_round = 15, 3

    def write(record: EventRecord) -> int:
        for number in range(rounds):
            record.append(*(face(number * per_round + one) for one in range(per_round)), by=asked())
        return rounds

    writers = [store.open(), store.open()]
    assert at_once(*(partial(write, record) for record in writers)) == [rounds, rounds]
    rows = store.rows()
    total = 2 * rounds * per_round
    assert [row.version for row in rows] == list(range(1, total + 1))
    assert [row.position for row in rows] == list(range(total))
    ordinals = [entry.event.ordinal for entry in writers[0].history()]  # type: ignore[attr-defined]
    assert all(
        ordinals[start + 1] == ordinals[start] + 1 for start in range(0, total, per_round)
    ), "the events of one transaction stand beside each other"

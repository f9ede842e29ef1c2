"""Each event gets its place in the log, in its scope and in its stream, in its own transaction."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.assurance import entries
from domain.assurance.tree import Frontier, leaf_hash
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.kernel.time import Grain, written
from tests.contract.record.examples import asked, face, thirty_entries, viewed
from tests.support.stores import HALF_PAST_NINE, ORIGIN, Store


def test_positions_are_contiguous_from_0(store: Store) -> None:
    """In the order in which the events were given, across transactions and reopenings."""
    record = store.open()
    assert record.append(viewed(1), viewed(2), by=asked()) == 2
    assert store.open().append(viewed(3), by=asked()) == 3
    assert record.append(viewed(4), viewed(5), by=asked()) == 5
    assert [entry.position for entry in record.history()] == [0, 1, 2, 3, 4]
    assert [row.position for row in store.rows()] == [0, 1, 2, 3, 4]
    assert record.size() == store.head().size == 5


def test_nothing_appended_is_no_entry(store: Store) -> None:
    """The size is told all the same."""
    record = store.open()
    record.append(viewed(1), by=asked())
    assert record.append(by=asked()) == 1
    assert len(store.rows()) == 1


def test_every_column_repeats_what_the_entry_says(store: Store) -> None:
    """The entry is what is stored; the columns are an index over it."""
    thirty_entries(store.open())
    for row in store.rows():
        entry = entries.read(row.blob)
        assert (entry.log, entry.mode, entry.anchor) == (ORIGIN, "rehearsal", None)
        assert (row.position, row.stream, row.version) == (entry.pos, entry.stream, entry.version)
        assert (row.name, row.scope, row.scope_pos) == (entry.name, entry.scope, entry.scope_pos)


def test_a_leaf_is_the_hash_of_the_stored_bytes(store: Store) -> None:
    """Of those bytes, not of bytes that were made again."""
    record = store.open()
    thirty_entries(record)
    assert [row.leaf for row in store.rows()] == [leaf_hash(row.blob) for row in store.rows()]
    assert list(record.leaves()) == [row.leaf for row in store.rows()]


def test_each_scope_is_a_chain_of_its_own(store: Store) -> None:
    """Places from 0 in the scope, each entry with the leaf hash of the one before it there."""
    thirty_entries(store.open())
    chains: dict[str, list[tuple[int, str | None]]] = {}
    expected: dict[str, list[tuple[int, str | None]]] = {}
    last: dict[str, str] = {}
    for row in store.rows():
        entry = entries.read(row.blob)
        chains.setdefault(entry.scope, []).append((entry.scope_pos, entry.scope_prev))
        before = expected.setdefault(entry.scope, [])
        before.append((len(before), last.get(entry.scope)))
        last[entry.scope] = row.leaf.hex()
    assert len(chains) == 2
    assert chains == expected
    with store.stored() as log:
        heads = {head.scope: (head.size, head.leaf_hex) for head in log.scope_heads}
    assert heads == {scope: (len(chains[scope]), leaf) for scope, leaf in last.items()}


def test_the_stored_frontier_is_that_of_the_stored_leaves(store: Store) -> None:
    """After every transaction, whatever the size."""
    record = store.open()
    tree = Frontier()
    for number in range(9):
        record.append(*(viewed(number, version=one) for one in range(1, 3)), by=asked())
        for row in store.rows()[tree.size :]:
            tree.append(row.leaf)
        head = store.head()
        assert (head.size, head.frontier) == (tree.size, tree.to_bytes())


def test_a_stream_belongs_to_the_scope_of_its_first_event(store: Store) -> None:
    """What is told of one deployment is whole, and no journal runs across two."""
    record = store.open()
    record.append(viewed(1), face(1), by=asked(scope="one"))
    before = (store.rows(), store.head())
    for event in (viewed(1, version=2), face(2)):
        with pytest.raises(DomainError, match="belongs to scope one, not to scope two"):
            record.append(viewed(2), event, by=asked(scope="two"))
        assert (store.rows(), store.head()) == before
    assert record.append(viewed(1, version=2), face(2), by=asked(scope="one")) == 4
    assert record.append(viewed(2), by=asked(scope="two")) == 5


@pytest.mark.parametrize(
    ("grain", "told"),
    [
        (Grain.MILLISECOND, "2026-11-23T09:31:59.987Z"),
        (Grain.SECOND, "2026-11-23T09:31:59.000Z"),
        (Grain.MINUTE, "2026-11-23T09:31:00.000Z"),
    ],
)
def test_the_time_of_recording_is_told_no_finer_than_was_asked(
    store: Store, grain: Grain, told: str
) -> None:
    """Faces of passers-by are told coarsely; rounding is down, never into the future."""
    store.clock.at = HALF_PAST_NINE + timedelta(minutes=1, seconds=59, microseconds=987_654)
    record = store.open()
    record.append(face(1), face(2), by=asked(), grain=grain)
    for row in store.rows():
        assert entries.read(row.blob).recorded_at == told
    assert {written(entry.recorded_at) for entry in record.history()} == {told}


def test_a_clock_that_cannot_be_believed_is_said_to_be_suspect(store: Store) -> None:
    """On each entry, so that it never advances the retention clock."""
    record = store.open()
    for believed in (True, False, True):
        store.clock.believed = believed
        record.append(face(), by=asked())
    assert [entry.clock for entry in record.history()] == ["trusted", "suspect", "trusted"]
    assert [entries.read(row.blob).clock for row in store.rows()][1] == "suspect"


def test_a_command_of_the_other_mode_is_refused(store: Store) -> None:
    """A rehearsal and the real thing never share a record."""
    record = store.open()
    with pytest.raises(DomainError, match="operational command cannot write to a rehearsal record"):
        record.append(viewed(), by=asked(mode=Mode.OPERATIONAL))
    assert (record.size(), store.rows()) == (0, [])
    assert record.append(viewed(), by=asked(mode=Mode.REHEARSAL)) == 1


def test_whoever_asked_to_be_told_hears_the_size_after_each_commit(store: Store) -> None:
    """And what is told is already stored for everyone."""
    heard: list[tuple[int, int]] = []
    record = store.open(on_commit=lambda size: heard.append((size, len(store.rows()))))
    record.append(viewed(1), by=asked())
    record.append(viewed(2), viewed(3), by=asked())
    with pytest.raises(DomainError):
        record.append(viewed(4), by=asked(mode=Mode.OPERATIONAL))
    assert heard == [(1, 1), (3, 3)]

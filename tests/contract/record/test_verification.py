"""Whoever owns the database can change it, and verification says so.

The record here holds thirty entries of two deployments. One checkpoint covers the first twenty,
one covers all. Each test first takes away the triggers, as the owner of a file can.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.entries import canonical
from domain.assurance.notes import SignerKey
from domain.assurance.tree import Frontier, leaf_hash
from domain.assurance.verification import Kind
from tests.contract.record.examples import thirty_entries
from tests.support.stores import ORIGIN, Store

KEY = SignerKey(ORIGIN, bytes(range(32)))
SIZE = 30
SIGNED = 20
"""Entries under the log's own checkpoint, where a test does not say otherwise."""


@dataclass(frozen=True)
class Sealed:
    """A record that nobody has open, and its checkpoints."""

    store: Store
    at_twenty: str
    at_thirty: str

    def kinds(self) -> set[Kind]:
        """What is found with either checkpoint as the log's own, and with either from elsewhere."""
        return {
            self.store.kind(KEY.verifier(), own=own, outside=outside)
            for own in (self.at_twenty, self.at_thirty)
            for outside in (None, own)
        }


@pytest.fixture
def sealed(store: Store) -> Sealed:
    """Thirty entries without their triggers."""
    thirty_entries(store.open())
    store.close()
    store.drop_triggers()
    return Sealed(store, checkpoint(store, SIGNED), checkpoint(store, SIZE))


def checkpoint(store: Store, size: int) -> str:
    """A signed checkpoint over the first entries as they stand."""
    tree = Frontier()
    for row in store.rows()[:size]:
        tree.append(leaf_hash(row.blob))
    return sign(Checkpoint(ORIGIN, size, tree.root()), KEY)


def heads_fixed_up(store: Store) -> None:
    """Make every head fit the rows that are there: all that can be had without the key."""
    tree = Frontier()
    store.execute("DELETE FROM scope_head")
    for row in store.rows():
        tree.append(row.leaf)
        store.execute("DELETE FROM scope_head WHERE scope = :scope", scope=row.scope)
        store.execute(
            "INSERT INTO scope_head (scope, size, leaf) VALUES (:scope, :size, :leaf)",
            scope=row.scope,
            size=row.scope_pos + 1,
            leaf=row.leaf.hex(),
        )
    store.execute(
        "UPDATE log_head SET size = :size, frontier = :frontier",
        size=tree.size,
        frontier=tree.to_bytes(),
    )


def test_what_was_stored_and_left_alone_is_sound(sealed: Sealed) -> None:
    """As far as it is signed, and not a word further."""
    key, store = KEY.verifier(), sealed.store
    assert store.verdict(key, own=sealed.at_thirty).kind is Kind.SOUND
    partly = store.verdict(key, own=sealed.at_twenty, outside=sealed.at_twenty)
    assert (partly.kind, partly.anchored_size, partly.unanchored_tail) == (Kind.SOUND, 20, 10)
    unsigned = store.verdict(key)
    assert (unsigned.kind, unsigned.unanchored_tail) == (Kind.UNANCHORED, 30)
    assert unsigned.root == store.verdict(key, own=sealed.at_thirty).root


OTHER_VALUES: dict[str, Callable[[int], object]] = {
    "originator_id": lambda position: f"{position:032x}",
    "originator_version": lambda position: 1000 + position,
    "topic": lambda position: "alert.closed_undetermined",
    "scope": lambda position: "force",
    "scope_pos": lambda position: 1000 + position,
    "leaf": lambda position: bytes(32),
}


def test_another_value_in_any_column_of_any_row_is_seen(sealed: Sealed) -> None:
    """The columns are an index over the entry; nothing may read one thing and sign another."""
    store = sealed.store
    places = dict.fromkeys(store.place_columns, lambda position: 1000 + position)
    for column, other in (OTHER_VALUES | places).items():
        statement = f"UPDATE stored_events SET {column} = :value WHERE position = :position"
        for position in range(SIZE):
            with store.as_it_was():
                store.execute(statement, value=other(position), position=position)
                found = store.verdict(KEY.verifier(), own=sealed.at_twenty)
                assert found.kind in (Kind.ALTERED, Kind.REORDERED, Kind.MISSING), column
                assert found.position == position
    assert store.kind(KEY.verifier(), own=sealed.at_twenty) is Kind.SOUND


def changed_bytes() -> Iterator[tuple[int, float, int]]:
    """For each entry a few places in it, from 0 up to 1, and how the byte there changes."""
    chosen = random.Random(20_261_123)
    for position in range(SIZE):
        for _ in range(4):
            yield position, chosen.random(), chosen.randrange(1, 256)


def test_another_byte_anywhere_in_any_entry_is_seen(sealed: Sealed) -> None:
    """With the leaf hash as it was, and with one that fits the new bytes."""
    store = sealed.store
    blobs = [row.blob for row in store.rows()]
    statement = "UPDATE stored_events SET state = :state, leaf = :leaf WHERE position = :position"
    for position, place, flip in changed_bytes():
        altered = bytearray(blobs[position])
        altered[int(place * len(altered))] ^= flip
        for leaf in (leaf_hash(blobs[position]), leaf_hash(bytes(altered))):
            with store.as_it_was():
                store.execute(statement, state=bytes(altered), leaf=leaf, position=position)
                found = store.kind(KEY.verifier(), own=sealed.at_twenty)
                assert found not in (Kind.SOUND, Kind.UNANCHORED), (position, place, flip)


@pytest.mark.parametrize("columns", [("state",), ("state", "leaf"), None])
def test_two_entries_that_changed_places_are_seen(
    sealed: Sealed, columns: tuple[str, ...] | None
) -> None:
    """Their bytes, their bytes with their hashes, or (None) the places of whole rows."""
    store = sealed.store
    store.drop_constraints()
    chosen = random.Random(7)
    pairs = [(0, 1), (18, 19), (19, 20), (28, 29), *(chosen.sample(range(SIZE), 2) for _ in "1234")]
    theirs = "(SELECT one.{0} FROM before AS one WHERE one.position = :both - here.position)"
    exchanged = ", ".join(
        f"{column} = {theirs.format(column)}" for column in columns or store.place_columns
    )
    for one, other in pairs:
        with store.as_it_was():
            store.execute("CREATE TABLE before AS SELECT * FROM stored_events")
            store.execute(
                f"UPDATE stored_events AS here SET {exchanged} "
                "WHERE position = :one OR position = :other",
                both=one + other,
                one=one,
                other=other,
            )
            assert sealed.kinds() <= {Kind.REORDERED, Kind.ALTERED}, (one, other)
    assert sealed.kinds() == {Kind.SOUND}


def test_an_entry_that_is_there_twice_is_seen(sealed: Sealed) -> None:
    """As a copy of its whole row, and as its bytes at the end under columns that were free."""
    store = sealed.store
    places = store.place_columns
    columns = "originator_id, originator_version, topic, scope, scope_pos, leaf, state"
    for position in (0, 13, 29):
        with store.as_it_was():
            store.execute(
                f"INSERT INTO stored_events ({', '.join(places)}, {columns}) "
                f"SELECT {', '.join(str(SIZE + more) for more in places.values())}, "
                "originator_id, 1000, topic, scope, 1000, leaf, state "
                "FROM stored_events WHERE position = :position",
                position=position,
            )
            assert sealed.kinds() == {Kind.REORDERED}
        with store.as_it_was():
            store.drop_constraints()
            store.execute(
                "INSERT INTO stored_events SELECT * FROM stored_events WHERE position = :position",
                position=position,
            )
            assert sealed.kinds() == {Kind.REORDERED}


def test_an_entry_that_is_gone_is_seen(sealed: Sealed) -> None:
    """Any but the last leaves a gap. The heads are made to fit what is left."""
    store = sealed.store
    for position in range(SIZE - 1):
        with store.as_it_was():
            store.execute("DELETE FROM stored_events WHERE position = :it", it=position)
            assert sealed.kinds() == {Kind.MISSING}
            heads_fixed_up(store)
            assert sealed.kinds() == {Kind.MISSING}


def test_a_cut_tail_is_seen_by_the_heads(sealed: Sealed) -> None:
    """Where only the rows were cut off, nothing else is needed."""
    store = sealed.store
    for size in (1, SIGNED, SIZE - 1):
        with store.as_it_was():
            store.execute("DELETE FROM stored_events WHERE position >= :size", size=size)
            assert store.kind(KEY.verifier()) is Kind.TRUNCATED
            assert sealed.kinds() == {Kind.TRUNCATED}


def test_a_cut_tail_is_seen_by_any_checkpoint_that_covers_it(sealed: Sealed) -> None:
    """Even with every head made to fit. What no checkpoint covered cannot be missed."""
    store, key = sealed.store, KEY.verifier()
    for size in range(1, SIZE):
        with store.as_it_was():
            store.execute("DELETE FROM stored_events WHERE position >= :size", size=size)
            heads_fixed_up(store)
            assert store.kind(key, own=sealed.at_thirty) is Kind.TRUNCATED
            assert store.kind(key, own=None, outside=sealed.at_thirty) is Kind.TRUNCATED
            by_twenty = store.verdict(key, own=sealed.at_twenty)
            expected = Kind.TRUNCATED if size < SIGNED else Kind.SOUND
            assert (by_twenty.kind, by_twenty.size) == (expected, size)
            assert by_twenty.unanchored_tail == (size if size < SIGNED else size - SIGNED)
            without = store.verdict(key)
            assert (without.kind, without.unanchored_tail) == (Kind.UNANCHORED, size)


def another_history(store: Store, position: int) -> None:
    """Another actor at one entry, and everything after it worked out again, but for the key."""
    last: dict[str, str] = {}
    for row in store.rows():
        entry = json.loads(row.blob)
        if row.position == position:
            entry["actor"] = "stand-in:operator-2"
        if row.position >= position:
            entry["scope_prev"] = last.get(row.scope)
        blob = canonical(entry)
        last[row.scope] = leaf_hash(blob).hex()
        store.execute(
            "UPDATE stored_events SET state = :state, leaf = :leaf WHERE position = :position",
            state=blob,
            leaf=leaf_hash(blob),
            position=row.position,
        )
    heads_fixed_up(store)


@pytest.mark.parametrize("position", [0, 7, SIGNED - 1])
def test_another_history_that_agrees_with_itself_is_not_the_one_that_was_signed(
    sealed: Sealed, position: int
) -> None:
    """Only a checkpoint can tell: without one, nothing contradicts it."""
    another_history(sealed.store, position)
    assert sealed.kinds() == {Kind.FORKED}
    assert sealed.store.kind(KEY.verifier()) is Kind.UNANCHORED


def test_what_was_not_signed_can_be_rewritten_and_is_counted_as_such(sealed: Sealed) -> None:
    """After the newest checkpoint nothing can be seen. Every verdict says how much that is."""
    another_history(sealed.store, SIGNED)
    found = sealed.store.verdict(KEY.verifier(), own=sealed.at_twenty)
    assert (found.kind, found.unanchored_tail) == (Kind.SOUND, SIZE - SIGNED)
    assert sealed.store.kind(KEY.verifier(), own=sealed.at_thirty) is Kind.FORKED


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_head SET size = 29",
        "UPDATE log_head SET size = 31",
        "UPDATE log_head SET size = -30",
        "UPDATE log_head SET frontier = (SELECT leaf FROM stored_events WHERE position = 0)",
        "UPDATE log_head SET origin = 'example.org/other'",
        "UPDATE log_head SET mode = 'operational'",
        "UPDATE scope_head SET size = size - 1",
        "UPDATE scope_head SET size = size + 1",
        "UPDATE scope_head SET leaf = 'ff'",
        "UPDATE scope_head SET scope = scope || '0'",
        "DELETE FROM scope_head WHERE scope = (SELECT MAX(scope) FROM scope_head)",
        "INSERT INTO scope_head (scope, size, leaf) VALUES ('other', 1, 'ff')",
        "INSERT INTO scope_head (scope, size, leaf) VALUES ('other', 0, '')",
    ],
)
def test_a_head_that_is_not_what_the_entries_say_is_seen(sealed: Sealed, statement: str) -> None:
    """The next entry would be built on it, and whoever opens the record believes it."""
    sealed.store.execute(statement)
    assert sealed.kinds() <= {Kind.ALTERED, Kind.TRUNCATED}


@pytest.mark.parametrize("table", ["stored_events", "log_head", "scope_head"])
def test_a_table_that_is_gone_cannot_be_read(sealed: Sealed, table: str) -> None:
    """Neither sound nor altered: nothing can be said."""
    sealed.store.execute(f"DROP TABLE {table}")
    assert sealed.kinds() == {Kind.UNREADABLE}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("stored_events", "position"),
        ("stored_events", "topic"),
        ("stored_events", "state"),
        ("log_head", "origin"),
        ("log_head", "frontier"),
        ("scope_head", "leaf"),
    ],
)
def test_a_column_under_another_name_cannot_be_read(
    sealed: Sealed, table: str, column: str
) -> None:
    """Neither sound nor altered: nothing can be said."""
    sealed.store.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO renamed")
    assert sealed.kinds() == {Kind.UNREADABLE}


def test_a_log_without_its_head_cannot_be_read(sealed: Sealed) -> None:
    """There is no saying what it was."""
    sealed.store.execute("DELETE FROM log_head")
    assert sealed.kinds() == {Kind.UNREADABLE}

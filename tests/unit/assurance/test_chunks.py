"""The short way says nothing that the long way does not say."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assurance import summing
from domain.assurance.chunks import BLOCK, CHUNK, ScopePart, Shapes, root_over
from domain.assurance.entries import EntryUnreadableError, canonical, read
from domain.assurance.summing import _columns
from domain.assurance.tree import Frontier, leaf_hash
from domain.assurance.verification import (
    FaultFoundError,
    Kind,
    StoredHead,
    StoredRow,
    Verdict,
    verify,
)
from tests.unit.assurance.logs import KEY, SCOPES, Log, a_log, half_an_entry, place_in_the_log

BODIES: tuple[dict[str, object], ...] = (
    {"camera": "c1", "ordinal": 1},
    {},
    {"": "", "a": [], "b": {}, "z": None},
    {"flags": [True, False, None], "zone": [[0, 0], [1000, -7], [3, 2]]},
    {"by": {"adult": 3, "child": 0}, "deep": [{"one": [{"two": "x"}]}]},
    {"digits": "12", "looks": '{"a":1}'.replace('"', "'"), "name": "not the name"},
    {"large": 2**53 - 1, "small": -(2**53 - 1)},
    {"text": "Zo\u00eb \u2028"},
    {"text": 'a "word" and a \\'},
)


def entry(body: object, /, **changed: object) -> bytes:
    """An entry with this body, as the log stores it."""
    fields = half_an_entry(body=body, name="alert.raised") | place_in_the_log(pos=7)
    return canonical(fields | {"anchor": None} | changed)


def summed(shapes: Shapes, blob: bytes) -> bool:
    """Whether the short way takes an entry."""
    row = (7, leaf_hash(blob), blob)
    return shapes.summary(7, _columns([row]), with_leaves=False) is not None


def readable(blob: bytes) -> bool:
    """Whether the long way takes it."""
    try:
        return read(blob).pos == 7
    except EntryUnreadableError:
        return False


@pytest.fixture(scope="module")
def shapes() -> Shapes:
    """What all these bodies taught."""
    learned = Shapes()
    for body in BODIES:
        assert summed(learned, entry(body))
    return learned


def test_what_was_learned_is_used(shapes: Shapes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another entry of the same shape is not read the long way again."""

    def refuse(blob: bytes) -> None:
        raise AssertionError(blob)

    other = entry({"camera": "another", "ordinal": 4711}, role="auditor", version=99)
    monkeypatch.setattr("domain.assurance.entries.read", refuse)
    assert summed(shapes, other)
    with pytest.raises(AssertionError):
        summed(shapes, entry({"camera": "another", "ordinals": 4711}))


@pytest.mark.parametrize("body", BODIES)
def test_another_byte_anywhere_is_taken_by_both_ways_or_by_none(
    shapes: Shapes, body: dict[str, object]
) -> None:
    """Every byte, every bit of it, missing, and doubled."""
    blob = entry(body)
    assert readable(blob)
    for at in range(len(blob)):
        flipped = (bytes([blob[at] ^ 1 << bit]) for bit in range(8))
        for put in (b"", blob[at : at + 1] * 2, *flipped):
            changed = blob[:at] + put + blob[at + 1 :]
            assert summed(shapes, changed) == readable(changed), changed


PIECES = st.sampled_from(
    [
        *'",:{}[]\\0- \n\t\x7f\x00\u00e9',
        *("-0", "007", "1.0", "1e3", "NaN", "null", "true", "\\u0041", '"", ""'),
        *('"a":', '"a":1,', ',"b":2', "9007199254740991", "9007199254740992"),
        *("123456789012345", "1234567890123456"),
    ]
)


@settings(max_examples=200, deadline=None)
@given(
    body=st.sampled_from(BODIES),
    pieces=st.lists(PIECES, min_size=1, max_size=3),
    at=st.floats(0, 1),
    gone=st.integers(0, 30),
)
def test_pieces_put_in_and_taken_out_are_taken_by_both_ways_or_by_none(
    body: dict[str, object], pieces: list[str], at: float, gone: int
) -> None:
    """Whatever JSON, half of JSON or no JSON comes of it."""
    learned = Shapes()
    for one in BODIES:
        summed(learned, entry(one))
    blob = entry(body)
    place = int(at * len(blob))
    changed = blob[:place] + "".join(pieces).encode() + blob[place + gone :]
    assert summed(learned, changed) == readable(changed)


FIELDS: dict[str, tuple[object, ...]] = {
    "actor": ("", "a b", 3, None),
    "anchor": ({"size": 1, "root": "ab" * 32}, {"size": 1}, "null"),
    "body": ([], None, "x"),
    "cause": ("", 1),
    "clock": ("", "Trusted", "suspect"),
    "log": ("", "two words", "another.example"),
    "mode": ("demo", "operational", ""),
    "name": ("", "x", "alert.raised "),
    "occurred_at": (
        "2026-02-30T09:30:00.000Z",
        "2026-11-23T24:00:00.000Z",
        "2026-11-23T09:60:00.000Z",
        "2026-11-23T09:30:60.000Z",
        "2026-11-23T09:30:00Z",
        "2026-11-23t09:30:00.000Z",
        "2026-11-24T23:59:59.999Z",
        "",
    ),
    "pos": (8, -7, "7", True, 7_000_000_000_000_000),
    "role": ("", None),
    "scope": ("", "a b", "force"),
    "scope_pos": (-1, None, 3),
    "scope_prev": ("", "ab" * 31, "AB" * 32, "ab" * 32, 0),
    "shape": (0, -1, 2, "1"),
    "stream": ("", "g" * 32, "A" * 32, "0" * 31),
    "v": (0, 2, "1", True),
    "version": (0, -1, None),
    "extra": (1,),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_in_another_form_is_taken_by_both_ways_or_by_none(
    shapes: Shapes, name: str
) -> None:
    """Each in canonical JSON, so that only its form speaks."""
    for value in FIELDS[name]:
        blob = entry(BODIES[0], **{name: value})
        assert summed(shapes, blob) == readable(blob), value


def test_a_column_that_says_something_else_is_never_summed_up(shapes: Shapes) -> None:
    """Other values, and the same ones as another type."""
    blob = entry(BODIES[0])
    said = read(blob)
    good = (7, said.stream, 1, said.name, said.scope, 0, leaf_hash(blob), blob)
    assert shapes.summary(7, _columns([good]), with_leaves=False) is not None
    others: tuple[tuple[Any, ...], ...] = (
        (7.0, 8, "7", None),
        ("0" * 32, None, b"x"),
        (True, 1.0, 2, None),
        ("alert.viewed", None, b"alert.raised"),
        ("other", None),
        (False, 0.0, 1, None),
        (bytes(32), leaf_hash(blob).hex(), bytearray(leaf_hash(blob)), None),
        (blob + b" ", blob.decode(), bytearray(blob), None),
    )
    for place, values in enumerate(others):
        for value in values:
            row = (*good[:place], value, *good[place + 1 :])
            assert shapes.summary(7, _columns([row]), with_leaves=False) is None, (place, value)


# -- many of them --------------------------------------------------------------------------------

SIZE = 2 * CHUNK + 2 * BLOCK + 7


@pytest.fixture(scope="module")
def log() -> Log:
    """Three chunks, the last one with a block and a bit."""
    return a_log(SIZE)


def test_a_summary_is_what_the_entries_come_to(log: Log) -> None:
    """Roots, scopes and streams, worked out again one by one."""
    shapes = Shapes()
    rows = log.rows[CHUNK : 2 * CHUNK]
    found = shapes.summary(CHUNK, _columns(rows), with_leaves=True)
    assert found is not None
    assert found.leaves == [row.leaf for row in rows]
    tree = Frontier()
    for row in rows[:BLOCK]:
        tree.append(row.leaf)
    assert found.blocks[0] == tree.root() == root_over([row.leaf for row in rows[:BLOCK]])
    assert (len(found.blocks), found.rest) == (CHUNK // BLOCK, [])
    last = {row.scope: row for row in rows}
    first = {row.scope: row for row in reversed(rows)}
    assert found.scopes == {
        scope: ScopePart(
            mode="rehearsal",
            first_pos=first[scope].scope_pos,
            first_prev=read(first[scope].blob).scope_prev,
            size=last[scope].scope_pos + 1,
            leaf_hex=last[scope].leaf.hex(),
        )
        for scope in SCOPES
    }
    assert found.streams == {
        stream: (
            min(row.version for row in rows if row.stream == stream),
            max(row.version for row in rows if row.stream == stream),
        )
        for stream in {row.stream for row in rows}
    }


def found_in(log: Log, rows: Iterator[StoredRow] | None = None, *, workers: int = 1) -> Verdict:
    """The verdict, with the last size and one in the middle of a block signed."""
    return verify(
        rows or iter(log.rows),
        head=log.head,
        scope_heads=iter(log.scope_heads),
        key=KEY.verifier(),
        own_checkpoint=SIGNED[0],
        outside_checkpoint=SIGNED[1],
        workers=workers,
    )


SIGNED: list[str] = []


@pytest.fixture(autouse=True, scope="module")
def _signed(log: Log) -> None:
    SIGNED[:] = [log.checkpoint(), log.checkpoint(CHUNK + BLOCK + 3)]


Damage = Callable[[Log, int], Log]

DAMAGES: dict[str, Damage] = {
    "nothing": lambda log, at: log,
    "bytes": lambda log, at: log.with_row(at, blob=log.rows[at].blob + b" "),
    "a column": lambda log, at: log.with_row(at, version=1_000_000),
    "gone": lambda log, at: log.with_rows([*log.rows[:at], *log.rows[at + 1 :]]),
    "twice": lambda log, at: log.with_rows([*log.rows[: at + 1], *log.rows[at:]]),
    "swapped": lambda log, at: log.with_rows(
        [*log.rows[:at], log.rows[at + 1], log.rows[at], *log.rows[at + 2 :]]
    ),
    "cut": lambda log, at: log.with_rows(log.rows[:at]),
    "unreadable": lambda log, at: log.with_row(at, blob=b"{}", leaf=leaf_hash(b"{}")),
    "another scope's link": lambda log, at: _relinked(log, at),
}


def _relinked(log: Log, at: int) -> Log:
    other = json.loads(log.rows[at].blob) | {"scope_prev": "ab" * 32}
    blob = canonical(other)
    return log.with_row(at, blob=blob, leaf=leaf_hash(blob))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("at", [CHUNK - 1, CHUNK, SIZE - 2])
def test_several_processes_find_what_one_finds(
    log: Log, damage: str, at: int, pool: ProcessPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same verdict to the letter, whatever is wrong and wherever."""
    damaged = DAMAGES[damage](log, at)
    alone = found_in(damaged)
    assert (alone.kind is Kind.SOUND) == (damage == "nothing")
    assert alone.position in (None, at, at + 1)
    monkeypatch.setattr(summing, "ALONE_UP_TO", 0)
    monkeypatch.setattr(summing, "ProcessPoolExecutor", lambda *_, **__: _Lent(pool))
    assert found_in(damaged, workers=2) == alone


class _Lent:
    """A pool that outlives those who use it: starting one takes a second."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self.submit = pool.submit

    def shutdown(self, **_: object) -> None:
        """Not yet."""


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Two processes, started as verification starts them."""
    import multiprocessing

    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as started:
        yield started


def test_processes_that_cannot_be_started_or_die_are_done_without(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict is the same; it only takes longer."""
    monkeypatch.setattr(summing, "ALONE_UP_TO", 0)
    alone = found_in(log)

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    with monkeypatch.context() as without:
        without.setattr(summing, "ProcessPoolExecutor", refuse)
        assert found_in(log, workers=2) == alone
    monkeypatch.setattr(summing, "_summed_elsewhere", _die)
    assert found_in(log, workers=2) == alone


def _die(*_: object) -> None:
    os._exit(3)


def test_what_breaks_the_reading_off_is_told_behind_what_came_before(log: Log) -> None:
    """A row that is wrong is found though the file ends badly behind it."""

    def broken_off(rows: Log, after: int) -> Iterator[StoredRow]:
        yield from rows.rows[:after]
        raise FaultFoundError(Kind.UNREADABLE, "the rest is damaged")

    assert found_in(log, broken_off(log, CHUNK + 9)).sentence == "the rest is damaged"
    altered = DAMAGES["bytes"](log, 5)
    found = found_in(altered, broken_off(altered, CHUNK + 9))
    assert (found.kind, found.position) == (Kind.ALTERED, 5)


def test_the_head_of_a_summed_up_log_is_that_of_the_rows(log: Log) -> None:
    """The frontier is put together of blocks and leaves."""
    assert found_in(log).kind is Kind.SOUND
    wrong = StoredHead(log.head.size, bytes(len(log.head.frontier)))
    found = verify(
        iter(log.rows),
        head=wrong,
        scope_heads=None,
        key=KEY.verifier(),
        own_checkpoint=None,
        outside_checkpoint=None,
    )
    assert found.kind is Kind.ALTERED
    assert re.search("frontier", found.sentence)

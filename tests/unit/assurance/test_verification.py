"""Verification: a sound log is sound, and nothing else is.

Three people would rather have another history. The clumsy one changes bytes. The careful one also
works out again every hash, column and head that belongs to them. The thorough one rewrites every
entry from there on, with its chain. None of them has the key.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import rfc8785

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.notes import sign_note
from domain.assurance.tree import EMPTY_ROOT
from domain.assurance.verification import Kind, StoredHead, StoredRow, StoredScopeHead
from tests.unit.assurance.logs import (
    KEY,
    ORIGIN,
    OTHER_KEY,
    SCOPES,
    STREAMS,
    Log,
    a_log,
    stored,
    verified,
)

LOG = a_log(40)
OWN = LOG.checkpoint()
SHORT = a_log(7)
"""For the tests that go through every byte: all scopes, all streams, and quick."""

POSITIONS = range(40)


def found(
    log: Log, *, own: str | None = OWN, outside: str | None = None
) -> tuple[Kind, int | None]:
    """What is wrong, and where."""
    verdict = verified(log, own=own, outside=outside)
    assert (verdict.position is None) or f"position {verdict.position}:" in verdict.sentence
    assert 0 <= verdict.anchored_size <= verdict.size
    assert verdict.unanchored_tail == verdict.size - verdict.anchored_size
    return verdict.kind, verdict.position


def blobs(log: Log) -> list[bytes]:
    """The entries alone."""
    return [row.blob for row in log.rows]


def flipped(blob: bytes, index: int) -> bytes:
    """One bit of one byte changed; which bit depends on the place."""
    return blob[:index] + bytes([blob[index] ^ 1 << index % 8]) + blob[index + 1 :]


# A sound log


def test_a_log_that_nobody_touched_is_sound() -> None:
    """Everything recomputed, both checkpoints of this history."""
    verdict = verified(LOG, own=OWN, outside=LOG.checkpoint(25))
    assert (verdict.kind, verdict.kind.exit_code, verdict.position) == (Kind.SOUND, 0, None)
    assert (verdict.origin, verdict.size, verdict.root) == (ORIGIN, 40, LOG.root())
    assert (verdict.anchored_size, verdict.unanchored_tail) == (40, 0)
    assert "covers the first 25" in verdict.sentence
    assert "no shorter than that cannot be seen" in verdict.sentence


@pytest.mark.parametrize("size", range(1, 41))
def test_what_no_checkpoint_covers_yet_is_counted_as_a_tail(size: int) -> None:
    """The log's own checkpoint at every size; without another, a rollback cannot be seen."""
    verdict = verified(LOG, own=LOG.checkpoint(size))
    assert (verdict.kind, verdict.anchored_size, verdict.unanchored_tail) == (
        Kind.SOUND,
        size,
        40 - size,
    )
    assert "No checkpoint from elsewhere was given" in verdict.sentence
    assert "a rollback to an earlier signed state cannot be seen" in verdict.sentence


@pytest.mark.parametrize(("own", "outside"), [(40, 12), (12, 40), (20, 30), (30, 30), (None, 30)])
def test_the_longer_checkpoint_says_how_much_is_covered(own: int | None, outside: int) -> None:
    """Either one may be the older, and the log need not have one of its own."""
    verdict = verified(
        LOG,
        own=None if own is None else LOG.checkpoint(own),
        outside=LOG.checkpoint(outside),
    )
    assert verdict.kind is Kind.SOUND
    assert verdict.anchored_size == max(own or 0, outside)


def test_without_any_checkpoint_nothing_is_claimed() -> None:
    """The entries agree with each other. That is all, and it is not called sound."""
    verdict = verified(LOG)
    assert verdict.kind is Kind.UNANCHORED
    assert (verdict.anchored_size, verdict.unanchored_tail) == (0, 40)
    assert "consistent with each other" in verdict.sentence
    assert "no signed checkpoint covers any of them" in verdict.sentence


def test_a_checkpoint_over_nothing_vouches_for_nothing() -> None:
    """A signed checkpoint of size 0 is not a way to have any history called sound."""
    empty = LOG.checkpoint(0)
    assert found(LOG, own=empty) == (Kind.UNANCHORED, None)
    assert found(LOG, own=None, outside=empty) == (Kind.UNANCHORED, None)
    assert found(LOG, own=OWN, outside=empty) == (Kind.SOUND, None)


def test_an_empty_log_is_sound_and_says_that_it_is_empty() -> None:
    """With no checkpoint, and with one of size 0."""
    empty = a_log(0)
    for own in (None, empty.checkpoint()):
        verdict = verified(empty, own=own)
        assert (verdict.kind, verdict.size, verdict.root) == (Kind.SOUND, 0, EMPTY_ROOT)
        assert verdict.origin is None
        assert "holds no entries" in verdict.sentence
        assert "cannot be seen" in verdict.sentence


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9])
def test_logs_of_every_shape_are_sound(size: int) -> None:
    """One entry, a full tree, one more and one less."""
    log = a_log(size)
    assert found(log, own=log.checkpoint(), outside=log.checkpoint(1)) == (Kind.SOUND, None)


def test_a_clock_that_went_back_is_not_an_alteration() -> None:
    """The time of recording is what the clock said, and may be suspect."""
    log = a_log(12, entries={5: {"recorded_at": "2001-01-01T00:00:00.000Z", "clock": "suspect"}})
    assert found(log, own=log.checkpoint()) == (Kind.SOUND, None)


def test_every_kind_has_an_exit_code_of_its_own() -> None:
    """1 and 2 are left to a crash and to wrong usage."""
    assert {kind.value: kind.exit_code for kind in Kind} == {
        "sound": 0,
        "altered": 3,
        "missing": 4,
        "reordered": 5,
        "forked": 6,
        "truncated": 7,
        "unsigned": 8,
        "unreadable": 9,
        "unanchored": 10,
        "overdue": 11,
        "incomplete": 12,
    }


# Every byte


def test_any_changed_byte_of_any_entry_is_found_where_it_is() -> None:
    """The clumsy one, byte by byte. No checkpoint is needed to see it."""
    for position, row in enumerate(SHORT.rows):
        for index in range(len(row.blob)):
            log = SHORT.with_row(position, blob=flipped(row.blob, index))
            assert found(log, own=None) == (Kind.ALTERED, position), (position, index)


def test_any_changed_byte_is_found_though_hashes_and_heads_were_worked_out_again() -> None:
    """The careful one, byte by byte. That the entry cannot be read is no excuse."""
    own = SHORT.checkpoint()
    kinds = {Kind.ALTERED, Kind.MISSING, Kind.REORDERED, Kind.FORKED}
    seen = set()
    for position, row in enumerate(SHORT.rows):
        for index in range(len(row.blob)):
            changed = blobs(SHORT)
            changed[position] = flipped(row.blob, index)
            kind, _ = found(stored(changed, columns=SHORT.rows), own=own)
            assert kind in kinds, (position, index)
            seen.add(kind)
    assert seen == kinds


@pytest.mark.parametrize("position", POSITIONS)
def test_a_history_rewritten_from_any_entry_on_is_another_history(position: int) -> None:
    """The thorough one: everything agrees with everything, but not with what was signed."""
    log = a_log(40, entries={position: {"body": {"ordinal": 1000}}})
    assert verified(log).kind is Kind.UNANCHORED
    verdict = verified(log, own=OWN)
    assert (verdict.kind, verdict.position) == (Kind.FORKED, None)
    assert "the log's own checkpoint" in verdict.sentence
    assert verified(log, outside=LOG.checkpoint(position + 1)).kind is Kind.FORKED
    assert "from elsewhere" in verified(log, outside=LOG.checkpoint(position + 1)).sentence
    # What no checkpoint covers can be rewritten unseen, and is counted so that nobody relies on it.
    if position:
        short = verified(log, own=LOG.checkpoint(position), outside=LOG.checkpoint(position))
        assert (short.kind, short.anchored_size) == (Kind.SOUND, position)
        assert short.unanchored_tail == 40 - position


def test_any_changed_byte_of_a_leaf_hash_is_found_where_it_is() -> None:
    """The entry is whole; the column beside it is not."""
    for position, row in enumerate(SHORT.rows):
        for index in range(32):
            log = SHORT.with_row(position, leaf=flipped(row.leaf, index))
            assert found(log, own=None) == (Kind.ALTERED, position)


# Every column


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("position", -1),
        ("position", 1000),
        ("stream", "f" * 32),
        ("version", 1000),
        ("name", "alert.adjudicated"),
        ("scope", "d3" * 16),
        ("scope_pos", 1000),
        ("leaf", bytes(32)),
        ("leaf", b""),
    ],
)
def test_a_changed_index_column_is_found_where_it_is(column: str, value: object) -> None:
    """In every row the entry says otherwise. No checkpoint is needed to see it."""
    for position in POSITIONS:
        log = LOG.with_row(position, **{column: value})
        assert found(log, own=None) == (Kind.ALTERED, position)


@pytest.mark.parametrize("column", StoredRow._fields)
@pytest.mark.parametrize("value", [None, 1.5, True, "text", b"bytes"])
def test_a_column_of_another_type_is_an_alteration_and_no_crash(column: str, value: object) -> None:
    """A database file can be made to hold anything anywhere."""
    log = LOG.with_row(7, **{column: value})
    assert found(log) == (Kind.ALTERED, 7)
    # The same where rows are looked through for an entry that is not in its place.
    gone = log.with_rows(row for row in log.rows if row is not log.rows[3])
    assert found(gone) == (Kind.MISSING, 3)


# Rows taken away, moved and doubled


@pytest.mark.parametrize("position", POSITIONS)
def test_a_deleted_row_is_missing(position: int) -> None:
    """In the middle, a gap; at the end, the head remembers."""
    rest = [row for row in LOG.rows if row.position != position]
    expected = (Kind.MISSING, position) if position < 39 else (Kind.TRUNCATED, None)
    assert found(LOG.with_rows(rest)) == expected
    assert found(LOG.with_rows(rest), own=None) == expected


def test_several_deleted_rows_are_missing_from_the_first() -> None:
    """The sentence says where the rows go on."""
    verdict = verified(LOG.with_rows(LOG.rows[:10] + LOG.rows[20:]), own=OWN)
    assert (verdict.kind, verdict.position, verdict.size) == (Kind.MISSING, 10, 10)
    assert "at position 20" in verdict.sentence


@pytest.mark.parametrize("position", range(39))
def test_a_deleted_row_is_missing_though_the_rows_were_renumbered(position: int) -> None:
    """The careful one closes the gap: entries say other places, in the log, scope and stream."""
    rest = [row.blob for row in LOG.rows if row.position != position]
    assert found(stored(rest)) == (Kind.REORDERED, position)
    renumbered = [
        json.dumps(json.loads(blob) | {"pos": pos}, sort_keys=True, separators=(",", ":")).encode()
        for pos, blob in enumerate(rest)
    ]
    kind, _ = found(stored(renumbered))
    assert kind in {Kind.MISSING, Kind.ALTERED, Kind.TRUNCATED}


@pytest.mark.parametrize("distance", [1, 17])
@pytest.mark.parametrize("position", range(39))
def test_swapped_rows_are_reordered(position: int, distance: int) -> None:
    """Rows in another order; contents under each other's position; bytes alone; hashes alone."""
    other = min(position + distance, 39)
    rows = list(LOG.rows)
    a, b = rows[position], rows[other]

    def swapped(first: StoredRow, second: StoredRow) -> Log:
        between = rows[position + 1 : other]
        return LOG.with_rows([*rows[:position], first, *between, second, *rows[other + 1 :]])

    for log in (
        swapped(b, a),
        swapped(b._replace(position=position), a._replace(position=other)),
        swapped(a._replace(blob=b.blob, leaf=b.leaf), b._replace(blob=a.blob, leaf=a.leaf)),
        swapped(a._replace(blob=b.blob), b._replace(blob=a.blob)),
        swapped(a._replace(leaf=b.leaf), b._replace(leaf=a.leaf)),
    ):
        assert found(log, own=None) == (Kind.REORDERED, position)


def test_a_row_whose_position_was_changed_is_not_called_missing() -> None:
    """Read in the order of positions, its entry stands at the end and says where it belongs."""
    moved = [row for row in LOG.rows if row.position != 12]
    moved.append(LOG.rows[12]._replace(position=40))
    assert found(LOG.with_rows(moved)) == (Kind.REORDERED, 12)


def test_a_row_that_comes_later_is_not_called_missing_though_its_entry_is_noise() -> None:
    """Out of order is what shows first."""
    late = LOG.rows[12]._replace(blob=b"noise")
    rows = [row for row in LOG.rows if row.position != 12]
    assert found(LOG.with_rows([*rows, late])) == (Kind.REORDERED, 12)


@pytest.mark.parametrize("position", POSITIONS)
def test_a_doubled_row_is_reordered(position: int) -> None:
    """Beside itself, at the end, and under a position of its own."""
    row = LOG.rows[position]
    beside = [*LOG.rows[: position + 1], row, *LOG.rows[position + 1 :]]
    assert found(LOG.with_rows(beside)) == (Kind.REORDERED, position + 1)
    assert found(LOG.with_rows([*LOG.rows, row])) == (Kind.REORDERED, 40)
    numbered = row._replace(position=40)
    assert found(LOG.with_rows([*LOG.rows, numbered])) == (Kind.REORDERED, 40)


# Tails


@pytest.mark.parametrize("size", POSITIONS)
def test_a_cut_tail_is_found_as_long_as_anything_remembers_it(size: int) -> None:
    """First the head, then the log's own checkpoint, then the one from elsewhere."""
    cut, rolled_back = LOG.with_rows(LOG.rows[:size]), a_log(size)
    verdict = verified(cut)
    assert verdict.kind is Kind.TRUNCATED
    assert f"head counts 40 entries, the log holds {size}" in verdict.sentence
    verdict = verified(rolled_back, own=OWN)
    assert verdict.kind is Kind.TRUNCATED
    assert f"own checkpoint counts 40 entries, the log holds {size}" in verdict.sentence
    earlier = LOG.checkpoint(size)
    verdict = verified(rolled_back, own=earlier, outside=OWN)
    assert verdict.kind is Kind.TRUNCATED
    assert f"from elsewhere counts 40 entries, the log holds {size}" in verdict.sentence
    # With nothing that remembers, it cannot be seen, and the sentence says so.
    verdict = verified(rolled_back, own=earlier)
    assert verdict.kind is Kind.SOUND
    assert "a rollback to an earlier signed state cannot be seen" in verdict.sentence


def test_the_heads_of_the_scopes_remember_a_cut_tail_too() -> None:
    """The log's head was set back, theirs were not."""
    cut = a_log(30)
    log = replace(cut, scope_heads=LOG.scope_heads)
    assert found(log, own=None) == (Kind.TRUNCATED, None)


@pytest.mark.parametrize("size", [41, 1000])
def test_a_checkpoint_from_the_future_shows_a_log_that_was_cut(size: int) -> None:
    """Signed by the key, so the log was that long once."""
    later = a_log(41).checkpoint() if size == 41 else sign(Checkpoint(ORIGIN, size, bytes(32)), KEY)
    assert found(LOG, own=later) == (Kind.TRUNCATED, None)
    assert found(LOG, own=OWN, outside=later) == (Kind.TRUNCATED, None)
    assert found(a_log(0), own=later) == (Kind.TRUNCATED, None)


# Heads


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (StoredHead(41, LOG.head.frontier), Kind.TRUNCATED),
        (StoredHead(39, LOG.head.frontier), Kind.ALTERED),
        (StoredHead(0, b""), Kind.ALTERED),
        (StoredHead(-1, b""), Kind.ALTERED),
        (StoredHead(40, b""), Kind.ALTERED),
        (StoredHead(40, LOG.head.frontier + bytes(32)), Kind.ALTERED),
        (StoredHead(40, LOG.head.frontier[32:] + LOG.head.frontier[:32]), Kind.ALTERED),
        (StoredHead(a_log(39).head.size, a_log(39).head.frontier), Kind.ALTERED),
    ],
)
def test_a_head_that_is_not_that_of_the_entries_is_found(head: StoredHead, kind: Kind) -> None:
    """Size and frontier."""
    assert found(replace(LOG, head=head)) == (kind, None)


def test_any_changed_byte_of_the_frontier_is_found() -> None:
    """Byte by byte."""
    frontier = LOG.head.frontier
    for index in range(len(frontier)):
        head = StoredHead(40, flipped(frontier, index))
        assert found(replace(LOG, head=head)) == (Kind.ALTERED, None)


@pytest.mark.parametrize("wrong", [None, "40", 40.5, b"40"])
def test_a_head_of_another_type_is_an_alteration_and_no_crash(wrong: Any) -> None:
    """A database file can be made to hold anything anywhere."""
    assert found(replace(LOG, head=StoredHead(wrong, LOG.head.frontier))) == (Kind.ALTERED, None)
    assert found(replace(LOG, head=StoredHead(40, wrong))) == (Kind.ALTERED, None)
    for column in ("scope", "size", "leaf_hex"):
        heads = (replace(LOG.scope_heads[0], **{column: wrong}), *LOG.scope_heads[1:])
        assert found(replace(LOG, scope_heads=heads)) == (Kind.ALTERED, None)


@pytest.mark.parametrize("index", range(len(SCOPES)))
def test_a_scope_head_that_is_not_that_of_the_entries_is_found(index: int) -> None:
    """Its size, its leaf, its name; taken away; one too many."""
    heads = list(LOG.scope_heads)
    head = heads[index]
    last = head.leaf_hex
    for wrong, kind in (
        (replace(head, size=head.size + 1), Kind.TRUNCATED),
        (replace(head, size=head.size - 1), Kind.ALTERED),
        (replace(head, leaf_hex=("0" if last[0] != "0" else "1") + last[1:]), Kind.ALTERED),
        (replace(head, leaf_hex=last.upper()), Kind.ALTERED),
        (replace(head, scope="d3" * 16), Kind.ALTERED),
        (StoredScopeHead("d3" * 16, 0, ""), Kind.ALTERED),
    ):
        heads[index] = wrong
        assert found(replace(LOG, scope_heads=tuple(heads))) == (kind, None)
    heads[index] = head
    without = tuple(one for one in heads if one != head)
    assert found(replace(LOG, scope_heads=without)) == (Kind.ALTERED, None)
    extra = StoredScopeHead("d3" * 16, 1, "0" * 64)
    assert found(replace(LOG, scope_heads=(*heads, extra))) == (Kind.TRUNCATED, None)


# Entries that contradict each other, in a log that was otherwise rewritten throughout


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"log": "example.org/another"}, Kind.ALTERED),
        ({"pos": 19}, Kind.REORDERED),
        ({"pos": 21}, Kind.REORDERED),
        ({"mode": "operational"}, Kind.ALTERED),
        ({"scope_pos": 0}, Kind.REORDERED),
        ({"scope_pos": 30}, Kind.MISSING),
        ({"scope_prev": None}, Kind.ALTERED),
        ({"scope_prev": "0" * 64}, Kind.ALTERED),
        ({"scope": "d3" * 16}, Kind.MISSING),
        ({"scope": "d3" * 16, "scope_pos": 0}, Kind.ALTERED),
        ({"version": 1}, Kind.REORDERED),
        ({"version": 6}, Kind.MISSING),
        ({"stream": "f" * 32}, Kind.MISSING),
        ({"stream": STREAMS[1], "version": 4}, Kind.REORDERED),
    ],
)
def test_an_entry_that_contradicts_those_before_it_is_found_where_it_is(
    changed: dict[str, object], kind: Kind
) -> None:
    """Even when the key's owner signed it."""
    log = a_log(40, entries={20: changed})
    assert found(log, own=log.checkpoint()) == (kind, 20)
    assert found(log, own=None) == (kind, 20)


def test_the_first_entry_of_a_scope_has_none_before_it() -> None:
    """A link to something that is not in the log."""
    log = a_log(40, entries={0: {"scope_prev": "0" * 64}})
    assert found(log, own=None) == (Kind.ALTERED, 0)


# What cannot be read


@pytest.mark.parametrize("position", [0, 7, 39])
def test_an_entry_of_a_newer_format_is_unreadable_and_neither_sound_nor_altered(
    position: int,
) -> None:
    """Its bytes fit its leaf hash, and a checkpoint over them changes nothing."""
    newer = blobs(LOG)
    newer[position] = json.dumps(json.loads(newer[position]) | {"v": 2}).encode()
    log = stored(newer)
    for own in (None, log.checkpoint(), log.checkpoint(3), LOG.checkpoint(0), "no note"):
        assert found(log, own=own) == (Kind.UNREADABLE, position)
    verdict = verified(log, own=log.checkpoint())
    assert (verdict.size, verdict.anchored_size) == (40, 40)
    assert "expected entry format 1, found 2" in verdict.sentence


@pytest.mark.parametrize("position", [0, 7, 39])
def test_an_entry_made_unreadable_is_not_what_was_signed(position: int) -> None:
    """The careful one leaves noise behind; the signed root tells it from a newer format."""
    noise = blobs(LOG)
    noise[position] = b"\xff" * 100
    log = stored(noise, columns=LOG.rows)
    assert found(log, own=None) == (Kind.UNREADABLE, position)
    assert found(log, own=OWN) == (Kind.FORKED, None)
    assert found(log, own=None, outside=OWN) == (Kind.FORKED, None)
    # A checkpoint that ends before it cannot tell, and one of another log is not asked.
    assert found(log, own=LOG.checkpoint(position)) == (Kind.UNREADABLE, position)
    if position:
        other = LOG.checkpoint(origin="example.org/another")
        assert found(log, own=other) == (Kind.UNREADABLE, position)


def test_an_entry_that_cannot_be_read_and_does_not_fit_is_altered() -> None:
    """The clumsy one leaves noise behind."""
    assert found(LOG.with_row(7, blob=b"\xff" * 100)) == (Kind.ALTERED, 7)


def test_an_entry_cannot_write_on_the_screen_that_shows_the_verdict() -> None:
    """What was stored is quoted, never obeyed."""
    fake = blobs(LOG)
    fake[7] = rfc8785.dumps(json.loads(fake[7]) | {"body": {"\x1b[2J\r\nsound": 0.5}})
    verdict = verified(stored(fake), own=None)
    assert (verdict.kind, verdict.position) == (Kind.UNREADABLE, 7)
    assert "$.body.\\x1b[2J\\r\\nsound: expected" in verdict.sentence
    assert verdict.sentence.isprintable()


def test_after_an_unreadable_entry_a_broken_row_stops_the_hashes() -> None:
    """What was first is still what is reported."""
    newer = blobs(LOG)
    newer[7] = json.dumps(json.loads(newer[7]) | {"v": 2}).encode()
    log = stored(newer)
    verdict = verified(log.with_row(20, blob="text"), own=log.checkpoint())
    assert (verdict.kind, verdict.position, verdict.size) == (Kind.UNREADABLE, 7, 20)


# Checkpoints


@pytest.mark.parametrize("whose", ["own", "outside"])
def test_a_checkpoint_that_the_trusted_key_did_not_sign_is_unsigned(whose: str) -> None:
    """Another key under the same name, another log, no signature, no note."""
    unsigned = (
        LOG.checkpoint(key=OTHER_KEY),
        LOG.checkpoint(origin="example.org/another"),
        a_log(12, entries={0: {"log": "example.org/another"}}).checkpoint(
            1, origin="example.org/another"
        ),
        OWN.partition("\n\n")[0] + "\n",
        "no note",
        "",
    )
    for text in unsigned:
        good = OWN if whose == "outside" else None
        verdict = verified(LOG, **{"own": good, whose: text})
        assert (verdict.kind, verdict.position) == (Kind.UNSIGNED, None)
        assert verdict.anchored_size == (40 if good else 0)


def test_no_bit_of_the_checkpoint_can_change_unseen() -> None:
    """One bit of every character in turn."""
    own = SHORT.checkpoint()
    for index, character in enumerate(own):
        corrupt = own[:index] + chr(ord(character) ^ 1 << index % 7) + own[index + 1 :]
        assert found(SHORT, own=corrupt) == (Kind.UNSIGNED, None)


def test_a_signed_note_that_is_no_checkpoint_is_unreadable() -> None:
    """The key did sign it; this version does not know what it says."""
    assert found(LOG, own=sign_note("checkpoint/v2\n", KEY)) == (Kind.UNREADABLE, None)


def test_a_log_that_claims_another_origin_throughout_has_no_checkpoint() -> None:
    """The thorough one gives the whole log another name."""
    renamed = a_log(12, entries={pos: {"log": "example.org/another"} for pos in range(12)})
    assert found(renamed, own=None) == (Kind.UNANCHORED, None)
    assert found(renamed, own=a_log(12).checkpoint()) == (Kind.UNSIGNED, None)


def test_two_histories_signed_by_one_key_are_a_fork() -> None:
    """The log's own checkpoint is of this history; the one that was kept elsewhere is not."""
    other = a_log(40, entries={30: {"body": {"ordinal": 1000}}})
    verdict = verified(LOG, own=OWN, outside=other.checkpoint())
    assert (verdict.kind, verdict.anchored_size) == (Kind.FORKED, 40)
    assert other.root().hex() in verdict.sentence
    assert LOG.root().hex() in verdict.sentence
    assert found(LOG, own=OWN, outside=other.checkpoint(30)) == (Kind.SOUND, None)


def test_what_was_signed_before_a_fault_is_still_covered() -> None:
    """The verdict names the fault, and says how much before it stands as it was signed."""
    verdict = verified(LOG.with_row(30, blob=b""), own=LOG.checkpoint(25), outside=OWN)
    assert (verdict.kind, verdict.position) == (Kind.ALTERED, 30)
    assert (verdict.size, verdict.anchored_size, verdict.unanchored_tail) == (30, 25, 5)

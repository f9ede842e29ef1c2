"""Tombstones are for ever: chained, in one transaction with the deletion, refused to change."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.kernel.errors import RecordBrokenError
from domain.ports import KeyDestroyedError
from infrastructure.vault import keystore as keystore_module
from infrastructure.vault.keystore import Keystore
from tests.contract.vault.examples import EPOCH, NOON, OnDisk, item

ROWS = (1, 2, 3)


@pytest.fixture
def three_destroyed(opened: OnDisk) -> OnDisk:
    """Three tombstones (the second of an item that never had a key), and one key that lives."""
    for number in (1, 3, 4):
        opened.keystore.new_keys([(item(number), EPOCH)])[0]
    for number in ROWS:
        opened.keystore.destroy([item(number)], at=NOON + timedelta(minutes=number))[item(number)]
    return opened


def test_the_chain_is_the_one_that_is_written_down(three_destroyed: OnDisk) -> None:
    """SHA-256 over number, item, time and the digest before, by anyone who can hash a text."""
    before = "0" * 64
    for number in ROWS:
        at = f"2026-11-23T12:0{number}:00.000Z"
        text = f"plumbline-tombstone/v1\n{number}\n{item(number).hex}\n{at}\n{before}\n"
        digest = hashlib.sha256(text.encode()).hexdigest()
        stored = three_destroyed.execute("SELECT * FROM tombstone WHERE seq = ?", number)
        assert stored == [(number, item(number).hex, at, before, digest)]
        before = digest


def test_a_sound_chain_is_verified_up_to_its_last_link(three_destroyed: OnDisk) -> None:
    """Its last link is what destroying answered, and an empty chain has none."""
    keystore = three_destroyed.keystore
    assert keystore.verify_tombstones() == keystore.destroy([item(3)], at=NOON)[item(3)]


def test_a_keystore_that_destroyed_nothing_has_no_link(opened: OnDisk) -> None:
    """Keys that live say nothing of tombstones."""
    opened.keystore.new_keys([(item(), EPOCH)])[0]
    assert opened.keystore.verify_tombstones() is None


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize(
    ("field", "corrupted"),
    [
        ("seq", "seq + 3"),
        ("seq", "-seq"),
        ("item", f"'{item(9).hex}'"),
        ("item", "upper(item) || ' '"),
        ("at", "'2026-11-23T13:00:00.000Z'"),
        ("prev", "'" + "f" * 64 + "'"),
        ("prev", "''"),
        ("digest", "'" + "f" * 64 + "'"),
        ("digest", "upper(digest)"),
    ],
)
def test_every_field_of_every_row_is_covered(
    three_destroyed: OnDisk, row: int, field: str, corrupted: str
) -> None:
    """Whoever owns the file can change a field, but not unseen."""
    keystore = three_destroyed.keystore
    assert keystore.verify_tombstones()
    three_destroyed.execute_unguarded(
        f"UPDATE tombstone SET {field} = {corrupted} WHERE seq = {row}"
    )
    # A row that was numbered after the others leaves a gap; before them, it is in their way.
    first = 1 if corrupted == "-seq" else row
    with pytest.raises(RecordBrokenError, match=f"^tombstone {first}: expected to follow"):
        keystore.verify_tombstones()


@pytest.mark.parametrize("row", [1, 2])
def test_a_row_that_was_removed_is_missed(three_destroyed: OnDisk, row: int) -> None:
    """Also where the rest is numbered anew."""
    three_destroyed.execute_unguarded(f"DELETE FROM tombstone WHERE seq = {row}")
    with pytest.raises(RecordBrokenError, match=f"^tombstone {row}: expected"):
        three_destroyed.keystore.verify_tombstones()
    three_destroyed.execute_unguarded(f"UPDATE tombstone SET seq = seq - 1 WHERE seq > {row}")
    with pytest.raises(RecordBrokenError, match=f"^tombstone {row}: expected"):
        three_destroyed.keystore.verify_tombstones()


def test_a_chain_that_was_made_anew_with_a_gap_is_found(three_destroyed: OnDisk) -> None:
    """Every digest fits; the numbers do not."""
    three_destroyed.execute_unguarded("DELETE FROM tombstone")
    before = "0" * 64
    for expected, number in ((1, 1), (2, 3)):
        digest = keystore_module._link(number, item(number).hex, "at", before)
        three_destroyed.execute(
            "INSERT INTO tombstone VALUES (?, ?, 'at', ?, ?)",
            number,
            item(number).hex,
            before,
            digest,
        )
        before = digest
        if expected == number:
            assert three_destroyed.keystore.verify_tombstones()
    with pytest.raises(RecordBrokenError, match=r"^tombstone 2: expected .* found number 3"):
        three_destroyed.keystore.verify_tombstones()


def test_two_rows_that_changed_places_are_found(three_destroyed: OnDisk) -> None:
    """Each was sound where it was."""
    three_destroyed.execute_unguarded("UPDATE tombstone SET seq = -seq WHERE seq IN (1, 2)")
    three_destroyed.execute("UPDATE tombstone SET seq = 3 + seq WHERE seq < 0")
    with pytest.raises(RecordBrokenError, match=r"^tombstone 1: expected"):
        three_destroyed.keystore.verify_tombstones()


def test_a_chain_cut_at_its_end_shows_in_what_is_answered(three_destroyed: OnDisk) -> None:
    """It is sound in itself: only the record, which names the newest link, can tell."""
    newest = three_destroyed.keystore.verify_tombstones()
    three_destroyed.execute_unguarded("DELETE FROM tombstone WHERE seq = 3")
    assert newest and newest.sequence == 3
    found = three_destroyed.keystore.verify_tombstones()
    assert found and found.sequence == 2


def test_a_key_that_rose_from_its_grave_is_found_and_can_be_destroyed(
    three_destroyed: OnDisk,
) -> None:
    """Nobody but a tampering hand can put it there; destroying again deletes it again."""
    keystore = three_destroyed.keystore
    newest = keystore.verify_tombstones()
    three_destroyed.execute("INSERT INTO item_key (item, wrapped) VALUES (?, x'00')", item(2).hex)
    with pytest.raises(RecordBrokenError, match=f"item {item(2).hex}: was destroyed and has a key"):
        keystore.verify_tombstones()
    assert keystore.destroy([item(2)], at=NOON)[item(2)].sequence == 2
    assert keystore.verify_tombstones() == newest


def test_a_key_that_was_put_back_from_an_older_copy_opens_nothing(opened: OnDisk) -> None:
    """The row is sound; its tombstone stands beside it."""
    key = opened.keystore.new_keys([(item(), EPOCH)])[0]
    (row,) = opened.execute("SELECT item, wrapped, epoch FROM item_key")
    opened.keystore.destroy([item()], at=NOON)
    opened.execute("INSERT INTO item_key (item, wrapped, epoch) VALUES (?, ?, ?)", *row)
    with pytest.raises(KeyDestroyedError, match=item().hex):
        opened.keystore.key(item())
    opened.execute_unguarded("DELETE FROM tombstone")
    assert opened.keystore.key(item()) == key, "nothing but the tombstone kept it shut"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tombstone SET at = at",
        "UPDATE tombstone SET digest = 'f' WHERE seq = 3",
        "UPDATE OR REPLACE tombstone SET seq = 1 WHERE seq = 3",
        "UPDATE OR IGNORE tombstone SET seq = 9 WHERE seq = 3",
        "DELETE FROM tombstone",
        "DELETE FROM tombstone WHERE seq = 3",
        "REPLACE INTO tombstone SELECT seq, item, 'another time', prev, digest FROM tombstone",
        f"REPLACE INTO tombstone VALUES (1, '{item(9).hex}', 'at', 'prev', 'digest')",
        f"REPLACE INTO tombstone VALUES (4, '{item(1).hex}', 'at', 'prev', 'digest')",
        "INSERT INTO tombstone SELECT * FROM tombstone WHERE true "
        "ON CONFLICT DO UPDATE SET at = 'another time'",
        f"INSERT INTO tombstone VALUES (5, '{item(9).hex}', 'at', 'prev', 'digest')",
        f"INSERT INTO tombstone VALUES (0, '{item(9).hex}', 'at', 'prev', 'digest')",
    ],
)
def test_the_database_refuses_to_change_remove_or_slip_in_a_tombstone(
    three_destroyed: OnDisk, statement: str
) -> None:
    """By whatever statement, on whatever connection."""
    before = three_destroyed.execute("SELECT * FROM tombstone")
    with pytest.raises(sqlite3.IntegrityError, match="tombstones are for ever"):
        three_destroyed.execute(statement)
    assert three_destroyed.execute("SELECT * FROM tombstone") == before
    assert three_destroyed.keystore.verify_tombstones()


def test_destroying_again_changes_nothing_that_is_stored(three_destroyed: OnDisk) -> None:
    """Not even the time of the first destruction."""
    before = three_destroyed.execute("SELECT * FROM tombstone")
    for number in ROWS:
        tombstone = three_destroyed.keystore.destroy([item(number)], at=NOON + timedelta(days=1))[
            item(number)
        ]
        assert tombstone.sequence == number
        assert tombstone.digest == before[number - 1][-1]
    assert three_destroyed.execute("SELECT * FROM tombstone") == before


def test_a_tombstone_that_cannot_be_made_leaves_the_key(
    opened: OnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deletion and tombstone are one transaction: neither is ever there without the other."""
    key = opened.keystore.new_keys([(item(), EPOCH)])[0]

    def fails(*_: object) -> str:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(keystore_module, "_link", fails)
        with pytest.raises(MemoryError):
            opened.keystore.destroy([item()], at=NOON)
    assert opened.keystore.key(item()) == key
    assert opened.keystore.verify_tombstones() is None
    assert opened.keystore.destroy([item()], at=NOON)[item()].sequence == 1


@pytest.mark.parametrize(
    "act", [lambda one: one.new_keys([(item(), EPOCH)])[0], lambda one: one.key(item())]
)
def test_an_item_with_a_tombstone_has_no_key_any_more(
    opened: OnDisk, act: Callable[[Keystore], object]
) -> None:
    """Neither an old one nor a new one."""
    opened.keystore.destroy([item()], at=NOON)
    with pytest.raises(KeyDestroyedError, match=item().hex):
        act(opened.keystore)
    assert opened.keystore.items() == set()

"""One SQLite file: of another shape, damaged, of no database at all, or with odd values in it.

Whatever the file holds, whoever opens or verifies it gets an error that says which file and what
to do, or a verdict: never a traceback, and never ``sound``.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from domain.assurance.notes import SignerKey
from domain.assurance.verification import Kind
from domain.kernel.errors import DomainError, RecordBrokenError
from infrastructure.record.databases import RecordUnavailableError, SQLiteDatabase
from infrastructure.record.event_record import EventRecord
from infrastructure.record.schema import (
    MIGRATIONS,
    SchemaError,
    found_log,
    migrate,
    require_current,
    revision,
)
from infrastructure.record.stored_rows import RecordUnreadableError, stored_in_sqlite
from tests.contract.record.examples import asked, thirty_entries, viewed
from tests.support.stores import ORIGIN, SetClock, SetKeys, SQLiteStore, StatementRefusedError

KEY = SignerKey(ORIGIN, bytes(range(32))).verifier()


@pytest.fixture
def thirty(tmp_path: Path) -> Iterator[SQLiteStore]:
    """Thirty entries in one file that nobody has open."""
    store = SQLiteStore.fresh(tmp_path)
    thirty_entries(store.open())
    store.close()
    store.execute("PRAGMA journal_mode = DELETE")
    yield store
    store.close()


# -- the shape ---------------------------------------------------------------------------------


def test_the_migrations_are_found_beside_the_code() -> None:
    """From wherever the program is started, and wherever it is installed."""
    assert MIGRATIONS.is_absolute()
    repository = Path(__file__).parents[3]
    assert MIGRATIONS.relative_to(repository) == Path("migrations")
    assert (MIGRATIONS / "env.py").is_file()


def test_migrating_makes_the_newest_shape_and_may_be_repeated(tmp_path: Path) -> None:
    """A second time changes nothing; an empty file counts as a record without tables."""
    database = tmp_path / "record.db"
    assert revision(SQLiteDatabase(database)) is None
    database.touch()
    assert revision(SQLiteDatabase(database)) is None
    newest = migrate(SQLiteDatabase(database))
    assert revision(SQLiteDatabase(database)) == newest
    made = database.read_bytes()
    assert migrate(SQLiteDatabase(database)) == newest
    assert database.read_bytes() == made
    require_current(SQLiteDatabase(database))


def test_a_migration_that_fails_leaves_nothing_half_made(tmp_path: Path) -> None:
    """All tables or none: the last of them was in the way, so the first is not there either."""
    database = tmp_path / "record.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE scope_head (x)")
    with pytest.raises(SchemaError, match=r"record\.db.*scope_head"):
        migrate(SQLiteDatabase(database))
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("scope_head",)]
    assert revision(SQLiteDatabase(database)) is None


def test_a_log_gets_its_origin_and_mode_once(tmp_path: Path) -> None:
    """Founding again leaves what stands, also with entries in it."""
    store = SQLiteStore.fresh(tmp_path)
    store.open().append(viewed(), by=asked())
    found_log(store.database, origin="example.org/another", mode="operational")
    record = store.open()
    assert (record.origin, record.mode, record.size()) == (ORIGIN, "rehearsal", 1)
    store.close()


def test_a_record_that_was_never_founded_is_refused(tmp_path: Path) -> None:
    """It has no name, so nothing in it could be signed."""
    database = tmp_path / "record.db"
    migrate(SQLiteDatabase(database))
    with pytest.raises(DomainError, match="never founded"):
        EventRecord(SQLiteDatabase(database), clock=SetClock(), keys=SetKeys())
    with pytest.raises(RecordUnreadableError, match="never founded"), stored_in_sqlite(database):
        pass


def test_a_record_of_an_older_shape_is_refused_with_the_command_to_run(tmp_path: Path) -> None:
    """It is not moved forward unasked."""
    (tmp_path / "record").mkdir()
    store = SQLiteStore.fresh(tmp_path / "record")
    store.execute("DELETE FROM alembic_version")
    with pytest.raises(SchemaError, match=f"run plumbline migrate --data {tmp_path}$"):
        store.open()


def test_a_record_of_an_unknown_shape_is_neither_opened_nor_migrated(tmp_path: Path) -> None:
    """A newer version of the program made it: migrating with this one would not help."""
    store = SQLiteStore.fresh(tmp_path)
    store.execute("UPDATE alembic_version SET version_num = '9999'")
    for attempt in (store.open, lambda: migrate(SQLiteDatabase(store.file))):
        with pytest.raises(SchemaError, match=r"9999.*does not know"):
            attempt()


def test_a_directory_may_have_any_name(tmp_path: Path) -> None:
    """Also one with the characters that mean something in the address of a database."""
    directory = tmp_path / "100% of #1? & 'that' \"is\" é;"
    directory.mkdir()
    store = SQLiteStore.fresh(directory)
    migrate(SQLiteDatabase(store.file))
    record = store.open()
    assert record.append(viewed(), by=asked()) == 1
    assert [entry.position for entry in record.history()] == [0]
    assert store.kind(KEY) is Kind.UNANCHORED
    store.close()
    assert [file.name for file in tmp_path.iterdir()] == [directory.name]


# -- damage ------------------------------------------------------------------------------------


def test_a_record_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Whoever reads or opens it is told; only founding makes one."""
    for attempt in (SQLiteStore(tmp_path / "none.db").open, SQLiteStore(tmp_path / "none.db").rows):
        with pytest.raises(DomainError, match=r"expected a record at .*none\.db, found none"):
            attempt()
    assert list(tmp_path.iterdir()) == []


def no_database(_: bytes) -> bytes:
    """Something else under the name."""
    return b"This is not a database, but it is long enough to be taken for one. " * 100


def half(whole: bytes) -> bytes:
    """The first half, as of a copy that was broken off."""
    return whole[: len(whole) // 2]


def first_page(whole: bytes) -> bytes:
    """The header and nothing that it speaks of."""
    return whole[:4096]


def no_header(whole: bytes) -> bytes:
    """The first bytes overwritten."""
    return bytes(100) + whole[100:]


@pytest.mark.parametrize("damage", [no_database, half, first_page, no_header])
def test_a_damaged_file_gives_an_error_that_names_it(
    thirty: SQLiteStore, damage: Callable[[bytes], bytes]
) -> None:
    """Opening, reading and verifying: each says that the file cannot be read."""
    thirty.file.write_bytes(damage(thirty.file.read_bytes()))
    with pytest.raises(DomainError, match=r"record\.db"):
        list(thirty.open().history())
    with pytest.raises(RecordUnreadableError, match=r"record\.db"):
        thirty.rows()
    assert thirty.kind(KEY) is Kind.UNREADABLE


def test_an_empty_file_is_a_record_without_tables(tmp_path: Path) -> None:
    """It can be migrated; until then it is refused, and verification cannot read it."""
    store = SQLiteStore(tmp_path / "record.db")
    store.file.touch()
    with pytest.raises(SchemaError, match="is at schema none"):
        store.open()
    assert store.kind(KEY) is Kind.UNREADABLE


def test_a_record_that_is_damaged_while_it_is_open_says_so(thirty: SQLiteStore) -> None:
    """Reading and appending fail as ours, not as the database's."""
    record = thirty.open()
    size = record.size()
    thirty.file.write_bytes(no_database(b""))
    for attempt in (
        lambda: list(record.history()),
        lambda: list(record.leaves()),
        record.size,
        lambda: record.append(viewed(500), by=asked()),
    ):
        with pytest.raises(DomainError, match="record"):
            attempt()
    assert size == 30


def test_a_file_that_could_not_be_read_is_let_go(thirty: SQLiteStore) -> None:
    """While the error is still in hand, somebody else can have the file to themselves."""
    ((page,),) = thirty.execute("SELECT rootpage FROM sqlite_master WHERE name = 'log_head'")
    ((size,),) = thirty.execute("PRAGMA page_size")
    whole = bytearray(thirty.file.read_bytes())
    whole[(page - 1) * size : page * size] = b"\xff" * size
    thirty.file.write_bytes(whole)
    with pytest.raises(RecordUnreadableError) as unreadable:
        thirty.rows()
    with pytest.raises(RecordUnavailableError) as unavailable:
        thirty.open()
    with closing(sqlite3.connect(thirty.file, timeout=0)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    assert "malformed" in str(unreadable.value)
    assert "malformed" in str(unavailable.value)


def test_noise_in_the_file_is_never_a_traceback(thirty: SQLiteStore) -> None:
    """Pages overwritten at random: a verdict or an error of ours, whatever SQLite makes of it."""
    chosen = random.Random(11)
    whole = thirty.file.read_bytes()
    kinds = set()
    for _ in range(150):
        noisy = bytearray(whole)
        start = chosen.randrange(len(noisy))
        length = chosen.choice([1, 4, 60, 3000])
        noisy[start : start + length] = chosen.randbytes(len(noisy[start : start + length]))
        thirty.file.write_bytes(noisy)
        kinds.add(thirty.kind(KEY))
        with suppress(DomainError, RecordBrokenError):
            list(thirty.open().history())
        thirty.close()
    assert {Kind.UNREADABLE, Kind.ALTERED} <= kinds


# -- odd values --------------------------------------------------------------------------------

ODD_VALUES = {
    "text": "'x'",
    "other text that looks like a number": "'7 '",
    "nothing": "NULL",
    "bytes": "x'00ff'",
    "no bytes": "x''",
    "a fraction": "1.5",
    "infinity": "9e999",
    "a negative number": "-7",
    "the largest number": "9223372036854775807",
    "the smallest number": "-9223372036854775808",
    "text that is not UTF-8": "CAST(x'ff' AS TEXT)",
    "text with a zero byte": "'a' || char(0) || 'b'",
}

COLUMNS = {
    "stored_events": [
        "rowid",
        "position",
        "originator_id",
        "originator_version",
        "topic",
        "scope",
        "scope_pos",
        "leaf",
        "state",
    ],
    "log_head": ["origin", "mode", "size", "frontier"],
    "scope_head": ["scope", "size", "leaf"],
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table in COLUMNS for column in COLUMNS[table]]
)
@pytest.mark.parametrize("constrained", [True, False])
def test_an_odd_value_in_a_column_gets_a_verdict(
    thirty: SQLiteStore, table: str, column: str, constrained: bool
) -> None:
    """SQLite keeps text in a column of numbers; without its rules a column holds anything."""
    thirty.drop_triggers()
    if not constrained:
        thirty.drop_constraints()
    (row,) = thirty.execute(f"SELECT MAX(ROWID) FROM {table}")[0]
    for what, value in ODD_VALUES.items():
        with thirty.as_it_was():
            try:
                thirty.execute(f"UPDATE {table} SET {column} = {value} WHERE _rowid_ = {row}")
            except StatementRefusedError:
                assert constrained
                continue
            assert thirty.kind(KEY) not in (Kind.SOUND, Kind.UNANCHORED), what
    assert thirty.kind(KEY) is Kind.UNANCHORED


# -- a file that shows one thing to the verifier and another to the program ---------------------


def test_a_rollback_journal_is_not_passed_over(thirty: SQLiteStore) -> None:
    """The next program would undo it: what is verified must be what is read."""
    journal = thirty.file.with_name("record.db-journal")
    with closing(sqlite3.connect(thirty.file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute("UPDATE log_head SET size = size + 1")
        connection.execute("UPDATE log_head SET frontier = zeroblob(200000)")
        left = journal.read_bytes()
        connection.execute("ROLLBACK")
    assert thirty.kind(KEY) is Kind.UNANCHORED
    journal.write_bytes(left)
    assert thirty.kind(KEY) is Kind.UNREADABLE


def test_a_link_is_followed_before_its_journal_is_looked_for(
    thirty: SQLiteStore, tmp_path: Path
) -> None:
    """SQLite keeps the write-ahead log beside the file, not beside the link."""
    (tmp_path / "elsewhere").mkdir()
    real = thirty.file.rename(tmp_path / "elsewhere" / "record.db")
    thirty.file.symlink_to(real)
    with closing(sqlite3.connect(real, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("DROP TRIGGER stored_events_no_update")
        connection.execute("UPDATE stored_events SET state = x'7b7d' WHERE position = 3")
        assert thirty.kind(KEY) is Kind.ALTERED


def test_a_view_in_place_of_a_table_is_not_a_record(thirty: SQLiteStore) -> None:
    """It may show other entries tomorrow."""
    thirty.execute("ALTER TABLE stored_events RENAME TO kept")
    thirty.execute("CREATE VIEW stored_events AS SELECT position + 1 AS rowid, * FROM kept")
    assert thirty.kind(KEY) is Kind.UNREADABLE


def test_a_second_head_is_not_passed_over(thirty: SQLiteStore) -> None:
    """The verifier would read the one and the program the other."""
    thirty.drop_constraints()
    thirty.execute("INSERT INTO log_head SELECT 0, origin, mode, 99, frontier FROM log_head")
    assert thirty.kind(KEY) is Kind.UNREADABLE

"""A record of another shape is refused with what to do, and what an older version made goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from domain.assurance.notes import SignerKey
from domain.assurance.verification import Kind
from infrastructure.record.schema import (
    SchemaError,
    _config,
    found_log,
    migrate,
    require_current,
    revision,
)
from tests.contract.record.examples import (
    ANOTHER_DEPLOYMENT,
    DEPLOYMENT,
    asked,
    face,
    three_entries,
    viewed,
)
from tests.support.stores import ORIGIN, SQLiteStore, StatementRefusedError, Store

RELEASED = Path(__file__).parents[2] / "data" / "released" / "0001.sql"
"""A record that the version before PostgreSQL made (schema 0001), as SQL."""

KEY = SignerKey(ORIGIN, bytes(range(32))).verifier()


def newest() -> str:
    """The shape that this version needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


@pytest.fixture
def released(tmp_path: Path) -> SQLiteStore:
    """A record as the older version left it, twelve entries long."""
    file = tmp_path / "record.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(RELEASED.read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")
    return SQLiteStore(file)


def test_an_older_record_is_refused_and_migrates_with_nothing_lost(released: SQLiteStore) -> None:
    """Every entry byte for byte, every rule that keeps them, and it goes on from there."""
    before = released.rows()
    assert (len(before), released.head().size) == (12, 12)
    with pytest.raises(SchemaError, match=r"schema 0001, .* needs 0\d+: run plumbline migrate"):
        released.open()
    assert migrate(released.database) == newest()
    require_current(released.database)
    assert released.rows() == before
    assert released.kind(KEY) is Kind.UNANCHORED
    for statement in ("UPDATE stored_events SET state = state", "DELETE FROM scope_head"):
        with pytest.raises(StatementRefusedError):
            released.execute(statement)
    record = released.open()
    assert record.append(viewed(99), face(99), by=asked(), answers=True) == 14
    assert released.rows()[:12] == before
    assert released.kind(KEY) is Kind.UNANCHORED
    released.close()


def test_the_same_commands_still_leave_the_same_bytes(released: SQLiteStore, store: Store) -> None:
    """On either database, whatever has changed in how they are stored."""
    record = store.open()
    for number in range(3):
        for deployment, camera in ((DEPLOYMENT, "camera-1"), (ANOTHER_DEPLOYMENT, "camera-2")):
            first, second = viewed(deployment.int % 100 + number), face(2 * number, camera=camera)
            record.append(first, second, by=asked(scope=deployment.hex))
    assert [row.blob for row in store.rows()] == [row.blob for row in released.rows()]
    assert store.head().frontier == released.head().frontier


def test_migrating_twice_changes_nothing_more(store: Store) -> None:
    """Whoever is not sure may run it again."""
    three_entries(store.open())
    store.close()
    before = store.rows()
    assert migrate(store.database) == migrate(store.database) == newest()
    assert store.rows() == before
    assert revision(store.database) == newest()


def test_a_record_of_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    """Neither opened nor migrated: this version does not know what has changed."""
    three_entries(store.open())
    store.close()
    store.execute("UPDATE alembic_version SET version_num = '9999'")
    words = "schema 9999, which this version does not know: use the version of Plumbline that made"
    for attempt in (store.open, lambda: migrate(store.database)):
        with pytest.raises(SchemaError, match=words):
            attempt()
    assert store.execute("SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_log_is_founded_once(store: Store) -> None:
    """Its origin and mode stay whatever is asked later."""
    for origin, mode in (("example.org/other", "operational"), (ORIGIN, "rehearsal")):
        found_log(store.database, origin=origin, mode=mode)
        record = store.open()
        assert (record.origin, record.mode) == (ORIGIN, "rehearsal")

"""One history, whichever database holds it, and whichever copy of it is read."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.notes import SignerKey
from domain.assurance.verification import Kind, Verdict
from tests.contract.record.examples import asked, thirty_entries, viewed
from tests.support import postgres
from tests.support.stores import ORIGIN, PostgresStore, SQLiteStore, Store

SIGNER = SignerKey(ORIGIN, bytes(range(32)))


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[PostgresStore, SQLiteStore]]:
    """Thirty entries on each, by the same commands and the same clock."""
    made = PostgresStore.on(postgres.server()), SQLiteStore.fresh(tmp_path)
    for store in made:
        thirty_entries(store.open())
        store.close()
    yield made
    for store in made:
        store.remove()


def replayed(store: Store) -> bytes:
    """The entries as JSON Lines, as ``replay --json`` prints them."""
    with store.stored() as log:
        return b"".join(row.blob + b"\n" for row in log.rows)


def verdict(store: Store) -> Verdict:
    """What verification says, without a checkpoint."""
    return store.verdict(SIGNER.verifier())


def restored(dumped: PostgresStore, *options: str) -> PostgresStore:
    """A fresh database with everything that ``pg_dump`` took from another."""
    server = postgres.server()
    name = server.fresh()
    dump = subprocess.run(
        [server.program("pg_dump"), *options, "--dbname", dumped.url],
        check=True,
        capture_output=True,
    ).stdout
    loading = (
        [server.program("pg_restore"), "--exit-on-error"]
        if options
        else [server.program("psql"), "--quiet", "--set", "ON_ERROR_STOP=1"]
    )
    loaded = subprocess.run(
        [*loading, "--dbname", server.url(name)], input=dump, capture_output=True, check=False
    )
    assert (loaded.returncode, loaded.stderr) == (0, b"")
    return PostgresStore(name, server.url(name), made_on=server)


def test_both_databases_give_the_same_bytes(both: tuple[PostgresStore, SQLiteStore]) -> None:
    """And the same verdict, on the same head."""
    on_postgres, on_sqlite = both
    lines = replayed(on_postgres)
    assert lines.count(b"\n") == 30
    assert lines == replayed(on_sqlite)
    assert verdict(on_postgres) == verdict(on_sqlite)
    assert verdict(on_sqlite).kind is Kind.UNANCHORED
    assert on_postgres.head() == on_sqlite.head()


@pytest.mark.parametrize("options", [(), ("--format=custom",)])
def test_a_restored_dump_gives_the_same_bytes_and_goes_on(
    both: tuple[PostgresStore, SQLiteStore], options: tuple[str, ...]
) -> None:
    """With everything that keeps it append-only, and for the same role."""
    original = both[0]
    copy = restored(original, *options)
    try:
        assert replayed(copy) == replayed(original)
        assert verdict(copy) == verdict(original)
        triggers = (
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger "
            "WHERE NOT tgisinternal ORDER BY 1, 2"
        )
        assert copy.execute(triggers) == original.execute(triggers)
        rights = (
            "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind = 'r' ORDER BY 1"
        )
        assert copy.execute(rights) == original.execute(rights)
        for store in (copy, original):
            assert store.open().append(viewed(7), by=asked()) == 31
        assert replayed(copy) == replayed(original)
    finally:
        copy.remove()


def test_a_backup_of_the_file_gives_the_same_bytes_and_goes_on(
    both: tuple[PostgresStore, SQLiteStore], tmp_path: Path
) -> None:
    """SQLite's own backup, made while the record is open and has just been written to."""
    original = both[1]
    record = original.open()
    record.append(viewed(6), by=asked())
    copy = SQLiteStore(tmp_path / "copy.db")
    with (
        closing(sqlite3.connect(original.file)) as source,
        closing(sqlite3.connect(copy.file)) as target,
    ):
        source.backup(target)
    assert replayed(copy) == replayed(original)
    assert verdict(copy) == verdict(original)
    assert copy.open().append(viewed(7), by=asked()) == record.append(viewed(7), by=asked()) == 32
    assert replayed(copy) == replayed(original)
    copy.close()


def test_an_older_copy_is_found_out_by_a_checkpoint_kept_elsewhere(
    both: tuple[PostgresStore, SQLiteStore],
) -> None:
    """The positive control: a copy without the last entries reads well, and is not the record."""
    original = both[0]
    copy = restored(original)
    try:
        original.open().append(viewed(7), by=asked())
        sealed = verdict(original)
        checkpoint = sign(Checkpoint(origin=ORIGIN, size=31, root=sealed.root), SIGNER)
        assert original.kind(SIGNER.verifier(), outside=checkpoint) is Kind.SOUND
        assert replayed(copy) != replayed(original)
        assert copy.kind(SIGNER.verifier(), outside=checkpoint) is Kind.TRUNCATED
    finally:
        copy.remove()

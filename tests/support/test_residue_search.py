"""The residue search finds what was planted, wherever it stands, and never passes over a file."""

from __future__ import annotations

import os
import socket
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support import residue
from tests.support.residue import Finding, search

NEEDLE = bytes.fromhex("6e65656c64730001fffe0badc0ffee42")
FILLING = b"hay" * 700
CHUNK = 64


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks so small that every place of a boundary can be tried."""
    monkeypatch.setattr(residue, "CHUNK_BYTES", CHUNK)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("offset", [0, *range(CHUNK - len(NEEDLE), CHUNK + 1), len(FILLING)])
def test_a_needle_is_found_once_wherever_it_stands(tmp_path: Path, offset: int) -> None:
    """At the start, at the end, and at every place across the boundary of two chunks."""
    planted = tmp_path / "planted"
    planted.write_bytes(FILLING[:offset] + NEEDLE + FILLING[offset:])
    assert search([tmp_path], {"it": NEEDLE}) == [Finding(planted, "it", offset)]


@pytest.mark.usefixtures("small_chunks")
def test_a_needle_longer_than_a_chunk_is_found(tmp_path: Path) -> None:
    """Several short reads in a row carry enough over."""
    needle = bytes(range(256))
    (tmp_path / "planted").write_bytes(b"x" * 7 + needle + b"x" * 7)
    assert [one.offset for one in search([tmp_path], {"it": needle})] == [7]


@pytest.mark.usefixtures("small_chunks")
def test_needles_of_different_lengths_are_each_found_everywhere(tmp_path: Path) -> None:
    """A short needle within the bytes carried over for a long one is not told twice."""
    content = b"".join(bytes([65 + number]) * 13 + NEEDLE for number in range(9))
    (tmp_path / "planted").write_bytes(content)
    needles = {"long": NEEDLE, "short": NEEDLE[:2], "overlapping": b"AAA"}
    found = search([tmp_path], needles)
    for name, needle in needles.items():
        places = [at for at in range(len(content)) if content.startswith(needle, at)]
        assert sorted(one.offset for one in found if one.name == name) == places
    assert len(set(found)) == len(found)


def test_a_needle_is_found_with_chunks_of_the_real_size(tmp_path: Path) -> None:
    """Across the first real boundary, and behind the last."""
    size = 2 * residue.CHUNK_BYTES
    with (tmp_path / "planted").open("wb") as file:
        for offset in (residue.CHUNK_BYTES - 5, size + 11):
            file.seek(offset)
            file.write(NEEDLE)
    found = [one.offset for one in search([tmp_path], {"it": NEEDLE})]
    assert found == [residue.CHUNK_BYTES - 5, size + 11]


def test_a_file_without_the_needle_gives_nothing(tmp_path: Path) -> None:
    """One byte more or less is not the needle."""
    (tmp_path / "near").write_bytes(NEEDLE[:-1] + b"\0" + NEEDLE[1:])
    (tmp_path / "empty").touch()
    assert search([tmp_path], {"it": NEEDLE}) == []


def test_a_row_that_sqlite_deleted_is_still_found_in_its_page(tmp_path: Path) -> None:
    """The raw page keeps what a query no longer shows; that is what the search is for."""
    database = tmp_path / "some.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE kept (one BLOB)")
        connection.execute("INSERT INTO kept VALUES (?)", (NEEDLE,))
        connection.execute("DELETE FROM kept")
        assert connection.execute("SELECT * FROM kept").fetchall() == []
    assert [one.path for one in search([tmp_path], {"it": NEEDLE})] == [database]


def test_directories_are_searched_to_the_bottom_and_files_may_be_named(tmp_path: Path) -> None:
    """Hidden ones too; what lies beside the given paths is left alone."""
    deep = tmp_path / "a" / ".b" / "c" / ".planted"
    single = tmp_path / "single"
    beside = tmp_path / "beside"
    deep.parent.mkdir(parents=True)
    for file in (deep, single, beside):
        file.write_bytes(NEEDLE)
    found = search([tmp_path / "a", single], {"it": NEEDLE})
    assert [one.path for one in found] == [deep, single]


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_may_not_be_read_raises(kind: str) -> None:
    """An unread file is never a clean one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        below = folder / "below"
        below.mkdir()
        (below / "planted").write_bytes(NEEDLE)
        shut = below / "planted" if kind == "file" else below
        assert len(search([folder], {"it": NEEDLE})) == 1
        shut.chmod(0)
        with _as_an_ordinary_user(), pytest.raises(PermissionError, match=shut.name):
            search([folder], {"it": NEEDLE})
        shut.chmod(0o700)


def test_a_path_that_is_missing_raises(tmp_path: Path) -> None:
    """A misspelt path is not a clean one."""
    with pytest.raises(FileNotFoundError, match="misspelt"):
        search([tmp_path / "misspelt"], {"it": NEEDLE})


@pytest.mark.parametrize("kind", ["link to a file", "broken link", "link to a directory", "socket"])
def test_what_is_neither_file_nor_directory_raises(tmp_path: Path, kind: str) -> None:
    """It cannot be searched, so it must not pass for searched."""
    strange = tmp_path / "strange"
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(strange))
    else:
        targets = {"link to a file": __file__, "link to a directory": "/", "broken link": "gone"}
        strange.symlink_to(targets[kind])
    with pytest.raises(ValueError, match="strange"):
        search([tmp_path], {"it": NEEDLE})


@pytest.mark.parametrize("needles", [{}, {"nothing": b""}, {"it": NEEDLE, "nothing": b""}])
def test_a_search_for_nothing_is_refused(tmp_path: Path, needles: dict[str, bytes]) -> None:
    """It would find nothing, and look as if nothing were left."""
    with pytest.raises(ValueError, match="at least one byte"):
        search([tmp_path], needles)


@contextmanager
def _as_an_ordinary_user() -> Iterator[None]:
    """Be nobody where the tests run as root, whom no permission stops."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)

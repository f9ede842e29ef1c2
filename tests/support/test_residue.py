"""The search for residue finds what is there, wherever it lies, and never passes anything over."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.residue import CHUNK_BYTES, Finding, NotSearchableError, search

NEEDLE = bytes(range(100, 164))
NOBODY = 65534
"""The user that owns nothing."""


@pytest.mark.parametrize("of_it_before", [0, 1, 32, 63, 64])
def test_a_needle_across_a_chunk_boundary_is_found_once(of_it_before: int, tmp_path: Path) -> None:
    """Whether none, some or all of it lies before the boundary."""
    offset = CHUNK_BYTES - of_it_before
    (tmp_path / "file").write_bytes(bytes(offset) + NEEDLE + bytes(1000))
    assert search([tmp_path], {"key": NEEDLE}) == [Finding(tmp_path / "file", "key", offset)]


@pytest.mark.parametrize("of_it_before", [1, 5, 6, 20])
def test_a_short_needle_beside_a_long_one_is_not_found_twice(
    of_it_before: int, tmp_path: Path
) -> None:
    """The overlap is as long as the longest needle asks for; the shorter one lies in it whole."""
    offset = CHUNK_BYTES - of_it_before
    (tmp_path / "file").write_bytes(bytes(offset) + NEEDLE[:5] + bytes(100))
    found = search([tmp_path], {"long": NEEDLE, "short": NEEDLE[:5]})
    assert found == [Finding(tmp_path / "file", "short", offset)]


def test_every_place_is_found_even_where_they_overlap(tmp_path: Path) -> None:
    """Also at the very start, at the very end, and in a file without anything else."""
    (tmp_path / "file").write_bytes(b"aaa" + bytes(3 * CHUNK_BYTES) + b"aa")
    offsets = [one.offset for one in search([tmp_path], {"pair": b"aa"})]
    assert offsets == [0, 1, 3 * CHUNK_BYTES + 3]


def test_a_needle_longer_than_a_chunk_is_found(tmp_path: Path) -> None:
    """Such as a whole image."""
    image = os.urandom(2 * CHUNK_BYTES + 17)
    (tmp_path / "file").write_bytes(b"before" + image + b"after")
    assert search([tmp_path], {"image": image}) == [Finding(tmp_path / "file", "image", 6)]


def test_a_needle_inside_a_database_page_is_found(tmp_path: Path) -> None:
    """The file is read raw, not asked."""
    database = tmp_path / "some.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE one (content BLOB)")
        connection.executemany("INSERT INTO one VALUES (?)", [(bytes(900),), (NEEDLE,)])
        connection.commit()
    (found,) = search([tmp_path], {"template": NEEDLE})
    assert found.path == database
    assert database.read_bytes()[found.offset :].startswith(NEEDLE)


def test_files_in_deep_and_hidden_directories_are_searched(tmp_path: Path) -> None:
    """Below every path that was given, and a path may itself be a file."""
    deep = tmp_path / "one" / ".hidden" / "two" / ".file"
    deep.parent.mkdir(parents=True)
    deep.write_bytes(NEEDLE)
    alone = tmp_path / "alone"
    alone.write_bytes(NEEDLE)
    found = search([tmp_path / "one", alone], {"key": NEEDLE})
    assert [one.path for one in found] == [deep, alone]


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    """Nor is a needle of which one byte is missing or changed."""
    (tmp_path / "empty").touch()
    (tmp_path / "cut").write_bytes(NEEDLE[:-1])
    (tmp_path / "changed").write_bytes(NEEDLE[:-1] + b"\0")
    assert search([tmp_path], {"key": NEEDLE}) == []


@pytest.mark.parametrize("closed", ["file", "directory"])
def test_what_may_not_be_read_is_not_passed_over(closed: str) -> None:
    """A file or directory without read permission stops the search, though it holds the needle."""
    with tempfile.TemporaryDirectory() as path:
        directory = Path(path)
        directory.chmod(0o755)
        (directory / "a").mkdir(mode=0o755)
        (directory / "a" / "file").write_bytes(NEEDLE)
        with _without_privilege():
            assert search([directory], {"key": NEEDLE}), "the plant itself can be found"
        target = directory / "a" / "file" if closed == "file" else directory / "a"
        target.chmod(0o000 if closed == "file" else 0o311)
        with _without_privilege(), pytest.raises(PermissionError, match="Permission denied"):
            search([directory], {"key": NEEDLE})
        target.chmod(0o700)


def test_a_link_is_not_passed_over(tmp_path: Path) -> None:
    """What it leads to would not have been searched."""
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotSearchableError, match="link"):
        search([tmp_path], {"key": NEEDLE})


def test_a_path_that_is_missing_stops_the_search(tmp_path: Path) -> None:
    """A misspelt path would prove nothing."""
    with pytest.raises(FileNotFoundError):
        search([tmp_path / "misspelt"], {"key": NEEDLE})


@pytest.mark.parametrize("needles", [{}, {"key": NEEDLE, "template": b""}])
def test_a_search_for_nothing_is_refused(needles: dict[str, bytes], tmp_path: Path) -> None:
    """It would find nothing whatever is there."""
    with pytest.raises(ValueError, match="expected paths and needles"):
        search([tmp_path], needles)
    with pytest.raises(ValueError, match="expected paths and needles"):
        search([], {"key": NEEDLE})


@contextmanager
def _without_privilege() -> Iterator[None]:
    """The superuser reads everything, so be nobody for a while. Anyone else stays who they are."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)

"""A small file is whole or absent, and private where it must be."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from domain.kernel.errors import DomainError
from infrastructure.files import make_private_directory, write_durably


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """By content that is shorter too, and nothing is left beside it."""
    path = tmp_path / "checkpoint"
    for content in (b"the first and longer one", b"", b"the third"):
        write_durably(path, content, mode=0o644)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_its_permissions_from_the_first(tmp_path: Path, mode: int) -> None:
    """Whatever the leftovers of a crash had, and whatever the file had before."""
    path, left = tmp_path / "log.key", tmp_path / "log.key.new"
    for before in (0o666, 0o600):
        for one in (path, left):
            one.write_bytes(b"before")
            one.chmod(before)
        write_durably(path, b"after", mode=mode)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert path.read_bytes() == b"after"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """The new one never had the name."""
    path = tmp_path / "checkpoint"
    write_durably(path, b"old", mode=0o644)
    (tmp_path / "checkpoint.new").mkdir()
    with pytest.raises(IsADirectoryError):
        write_durably(path, b"new", mode=0o644)
    assert path.read_bytes() == b"old"


def test_a_private_directory_is_ours_alone(tmp_path: Path) -> None:
    """One that stands is left as it is."""
    make_private_directory(tmp_path / "one" / "two")
    assert stat.S_IMODE((tmp_path / "one" / "two").stat().st_mode) == 0o700
    (tmp_path / "shared").mkdir(mode=0o755)
    make_private_directory(tmp_path / "shared")
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file is in the way."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DomainError, match=rf"cannot use {tmp_path}/file"):
        make_private_directory(tmp_path / "file")
    with pytest.raises(DomainError, match=rf"cannot use {tmp_path}/file/below"):
        make_private_directory(tmp_path / "file" / "below")

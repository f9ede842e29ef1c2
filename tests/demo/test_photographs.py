"""Photographs are used only if they are the pinned ones, and can all be removed again."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from api.demo.photographs import (
    INSTALLED,
    SDIST,
    Cleared,
    Installed,
    MediaError,
    Photographs,
    Sdist,
    clear,
    downloaded,
)

FIRST, SECOND = b"the first photograph", b"the second photograph"


def digest(content: bytes) -> str:
    """SHA-256, hex."""
    return sha256(content).hexdigest()


def archive_of(members: Mapping[str, bytes | None]) -> bytes:
    """A tar.gz with these files; None makes a link to a file outside."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/hostname"
            else:
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content or b""))
    return raw.getvalue()


@dataclass
class Shelf:
    """A package index of one file, on disk; it counts how often it is asked."""

    served: bytes
    asked: int = 0

    def __call__(self, sdist: Sdist, folder: Path) -> Path:
        self.asked += 1
        path = folder / sdist.filename
        path.write_bytes(self.served)
        return path


def an_sdist(archive: bytes) -> Sdist:
    """The description of an archive that ought to hold the two photographs."""
    return Sdist(
        requirement="photographs==1.0",
        filename="photographs-1.0.tar.gz",
        sha256=digest(archive),
        folder="photographs-1.0/images",
        photographs={"one.jpg": digest(FIRST), "two.jpg": digest(SECOND)},
    )


GOOD = archive_of(
    {
        "photographs-1.0/setup.py": b"raise SystemExit",
        "photographs-1.0/images/one.jpg": FIRST,
        "../../../escaped.jpg": b"outside",
        "photographs-1.0/images/two.jpg": SECOND,
        "photographs-1.0/images/three.jpg": b"not asked for",
    }
)


def files_below(folder: Path) -> list[str]:
    """Every file, by name."""
    return sorted(path.name for path in folder.rglob("*") if not path.is_dir())


def test_only_the_pinned_photographs_are_taken_out_of_the_archive(tmp_path: Path) -> None:
    """Nothing else of the package is kept, and no path in it is followed."""
    photographs = Photographs(
        tmp_path / "cache", fetch=Shelf(GOOD), sdist=an_sdist(GOOD), installed=()
    )
    paths = photographs.paths()
    assert {name: path.read_bytes() for name, path in paths.items()} == {
        "one.jpg": FIRST,
        "two.jpg": SECOND,
    }
    assert files_below(tmp_path) == ["one.jpg", "two.jpg"]


def test_a_second_call_asks_nobody(tmp_path: Path) -> None:
    """With a warm cache no network is needed."""
    shelf = Shelf(GOOD)
    photographs = Photographs(tmp_path, fetch=shelf, sdist=an_sdist(GOOD), installed=())
    first = photographs.paths()
    assert (photographs.paths(), shelf.asked) == (first, 1)


def test_an_archive_that_is_not_the_pinned_one_is_refused_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    """Even if the photographs in it are the right ones."""
    other = archive_of(
        {"photographs-1.0/images/one.jpg": FIRST, "photographs-1.0/images/two.jpg": SECOND}
    )
    photographs = Photographs(tmp_path, fetch=Shelf(other), sdist=an_sdist(GOOD), installed=())
    with pytest.raises(MediaError, match=f"expected the SHA-256 {digest(GOOD)}, found"):
        photographs.paths()
    assert files_below(tmp_path) == []


def test_the_real_archive_is_pinned(tmp_path: Path) -> None:
    """A wrong file under the real name is refused like any other."""
    with pytest.raises(MediaError, match=SDIST.sha256):
        Photographs(tmp_path, fetch=Shelf(GOOD)).paths()
    assert files_below(tmp_path) == []


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        ({"photographs-1.0/images/two.jpg": SECOND + b"!"}, "two.jpg in .* expected the SHA-256"),
        ({"photographs-1.0/images/two.jpg": None}, "expected two.jpg in .* found no such file"),
        ({"photographs-1.0/other/two.jpg": SECOND}, "expected two.jpg in .* found no such file"),
        ({}, "expected two.jpg in .* found no such file"),
    ],
    ids=["altered", "a link", "elsewhere", "missing"],
)
def test_one_wrong_photograph_refuses_them_all(
    tmp_path: Path, second: dict[str, bytes | None], complaint: str
) -> None:
    """Each has its own digest; all are checked before the first is kept."""
    archive = archive_of({"photographs-1.0/images/one.jpg": FIRST, **second})
    photographs = Photographs(tmp_path, fetch=Shelf(archive), sdist=an_sdist(archive), installed=())
    with pytest.raises(MediaError, match=complaint):
        photographs.paths()
    assert files_below(tmp_path) == []


def test_a_cached_photograph_that_was_altered_is_refused_with_advice(tmp_path: Path) -> None:
    """The cache is checked each time, not only when it is filled."""
    photographs = Photographs(tmp_path, fetch=Shelf(GOOD), sdist=an_sdist(GOOD), installed=())
    photographs.paths()["one.jpg"].write_bytes(SECOND)
    with pytest.raises(MediaError, match="plumbline media clear"):
        photographs.paths()
    clear(tmp_path)
    assert photographs.paths()["one.jpg"].read_bytes() == FIRST


@pytest.mark.parametrize(
    ("installed", "complaint"),
    [
        (replace(INSTALLED[0], sha256=digest(b"")), "expected the SHA-256"),
        (replace(INSTALLED[0], path="data/images/nobody.jpg"), "found no such file"),
        (
            Installed(package="no_such_package", path="one.jpg", sha256=digest(b"")),
            "expected the package no_such_package, found none",
        ),
    ],
    ids=["altered", "missing", "not installed"],
)
def test_an_installed_photograph_must_be_the_pinned_one(
    tmp_path: Path, installed: Installed, complaint: str
) -> None:
    """Another version of a package may carry another picture."""
    photographs = Photographs(
        tmp_path, fetch=Shelf(GOOD), sdist=an_sdist(GOOD), installed=(installed,)
    )
    with pytest.raises(MediaError, match=complaint):
        photographs.paths()


def test_the_installed_photographs_are_there_and_their_packages_are_not_imported(
    tmp_path: Path,
) -> None:
    """Importing one of them takes half a second and would run its code."""
    before = set(sys.modules)
    paths = Photographs(tmp_path, fetch=Shelf(GOOD), sdist=an_sdist(GOOD)).paths()
    assert {one.name for one in INSTALLED} <= set(paths)
    assert not {one.package for one in INSTALLED} & (set(sys.modules) - before)


def test_without_a_network_the_error_says_what_was_wanted_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real pip, told to ask no index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(MediaError, match=r"expected face_recognition-1.3.0.tar.gz .* connect"):
        Photographs(tmp_path, fetch=downloaded).paths()
    assert files_below(tmp_path) == []


def test_a_disk_that_fails_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    """As when there is no room left in the middle of the download."""

    def half(sdist: Sdist, folder: Path) -> Path:
        (folder / sdist.filename).write_bytes(GOOD[:10])
        raise OSError(28, "No space left on device")

    with pytest.raises(MediaError, match="No space left on device"):
        Photographs(tmp_path, fetch=half, sdist=an_sdist(GOOD), installed=()).paths()
    assert files_below(tmp_path) == []


def test_clearing_removes_what_was_made_and_nothing_else(tmp_path: Path) -> None:
    """Photographs, videos and what a killed run left; models stay."""
    Photographs(tmp_path, fetch=Shelf(GOOD), sdist=an_sdist(GOOD), installed=()).paths()
    killed = tmp_path / "video" / "unfinished-1"
    killed.mkdir(parents=True)
    (killed / "half.mp4").write_bytes(b"1234")
    (tmp_path / "video" / "whole.mp4").write_bytes(b"12345678")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "kept.onnx").write_bytes(b"a model")
    assert clear(tmp_path) == Cleared(files=4, bytes=len(FIRST) + len(SECOND) + 12)
    assert files_below(tmp_path) == ["kept.onnx"]
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_clearing_twice_removes_nothing_more(tmp_path: Path) -> None:
    """An empty cache is not an error."""
    assert clear(tmp_path) == Cleared(files=0, bytes=0)

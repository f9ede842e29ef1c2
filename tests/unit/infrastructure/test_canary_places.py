"""Reading every byte of a place: no file, page or seam between two pieces is passed over."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.canary import places
from infrastructure.canary.places import (
    NotReadable,
    Region,
    files_below,
    is_swap,
    pieces_of_file,
    pieces_of_region,
    regions_of,
    swap_areas,
)
from infrastructure.canary.sieve import GRID, OVERLAP

NEEDLE = b"sixteen bytes of it"


def names_below(root: Path, **narrowed: object) -> set[str]:
    found = files_below(root, **narrowed)  # type: ignore[arg-type]
    return {str(one.relative_to(root)) for one in found if isinstance(one, Path)}


# -- files ---------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("one", "a/.hidden", "a/b/two"):
        (tmp_path / name).write_bytes(NEEDLE)
    (tmp_path / "link").symlink_to(tmp_path / "one")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def test_all_regular_files_are_told_hidden_ones_too_and_links_not_followed(tree: Path) -> None:
    assert names_below(tree) == {"one", "a/.hidden", "a/b/two"}


def test_directories_that_are_places_of_their_own_are_left_out(tree: Path) -> None:
    assert names_below(tree, but=[tree / "a" / "b"]) == {"one", "a/.hidden"}


def test_only_what_changed_since_counts_where_everybody_writes(tree: Path) -> None:
    began = (tree / "one").stat().st_ctime
    os.utime(tree / "one", (0, 0))  # a program may set this time, not the other
    assert "one" in names_below(tree, since=began)
    assert names_below(tree, since=began + 3600) == set()


def test_a_root_that_is_missing_is_not_readable_rather_than_empty(tmp_path: Path) -> None:
    assert list(files_below(tmp_path / "gone")) == [NotReadable(str(tmp_path / "gone"))]


def test_a_directory_that_cannot_be_listed_is_told(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = os.scandir

    def refuses(path: object) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("/b"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(os, "scandir", refuses)
    told = list(files_below(tree))
    assert NotReadable(str(tree / "a" / "b")) in told
    assert tree / "one" in told
    # of one's own it is told in a shared directory too
    assert NotReadable(str(tree / "a" / "b")) in list(files_below(tree, since=0.0))


def test_a_needle_on_the_seam_of_two_pieces_is_whole_in_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "CHUNK_BYTES", 256)
    file = tmp_path / "file"
    for at in range(200, 320):
        file.write_bytes(bytes(at) + NEEDLE + bytes(1000 - at))
        pieces = list(pieces_of_file(file))
        assert any(NEEDLE in one for one in pieces), at


def test_pieces_keep_the_grid_and_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "CHUNK_BYTES", 256)
    file = tmp_path / "file"
    whole = os.urandom(1000)
    file.write_bytes(whole)
    begin = 0
    for piece in pieces_of_file(file):
        begin = whole.index(piece, max(0, begin))
        assert begin % GRID == 0
        assert whole[begin:].startswith(piece)
        begin += len(piece) - 2 * OVERLAP
    assert whole.endswith(piece)


# -- memory --------------------------------------------------------------------------------------


@pytest.fixture
def own_maps() -> Iterator[int]:
    descriptor = os.open("/proc/self/maps", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def own_memory() -> Iterator[int]:
    descriptor = os.open("/proc/self/mem", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def address_of(mapped: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(mapped))


def holds(maps: int, address: int) -> bool:
    return any(one.begin <= address < one.end for one in regions_of(maps))


@pytest.mark.parametrize("flags", [mmap.MAP_PRIVATE, mmap.MAP_SHARED])
def test_memory_of_no_file_is_searched_shared_or_not(own_maps: int, flags: int) -> None:
    mapped = mmap.mmap(-1, mmap.PAGESIZE, flags=flags | mmap.MAP_ANONYMOUS)
    assert holds(own_maps, address_of(mapped))


def test_a_file_mapped_for_writing_is_searched_and_one_for_reading_is_on_disk(
    own_maps: int, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(bytes(mmap.PAGESIZE))
    with (tmp_path / "file").open("r+b") as file:
        written = mmap.mmap(file.fileno(), 0)
        copied = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        assert holds(own_maps, address_of(written))
        assert holds(own_maps, address_of(copied))
    libraries = [
        line.split(b"-")[0]
        for line in Path("/proc/self/maps").read_bytes().splitlines()
        if b" r-xp " in line and b".so" in line
    ]
    assert libraries and not any(holds(own_maps, int(one, 16)) for one in libraries)


def test_heap_and_stack_are_searched(own_maps: int) -> None:
    names = [
        (int(line.split(b"-")[0], 16), line)
        for line in Path("/proc/self/maps").read_bytes().splitlines()
        if line.endswith((b"[heap]", b"[stack]"))
    ]
    assert names and all(holds(own_maps, begin) for begin, _ in names)


def test_a_page_that_went_is_passed_over_and_those_around_it_read(own_memory: int) -> None:
    pages = 3
    mapped = mmap.mmap(-1, pages * mmap.PAGESIZE)
    mapped[:19] = NEEDLE
    mapped[-19:] = NEEDLE
    begin = address_of(mapped)
    middle = ctypes.c_void_p(begin + mmap.PAGESIZE)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.munmap(middle, ctypes.c_size_t(mmap.PAGESIZE)) == 0
    read = b"|".join(pieces_of_region(own_memory, Region(begin, begin + pages * mmap.PAGESIZE)))
    libc.mmap.restype = ctypes.c_void_p
    fixed_private_anonymous = 0x10 | 0x02 | 0x20
    libc.mmap(middle, ctypes.c_size_t(mmap.PAGESIZE), 3, fixed_private_anonymous, -1, 0)
    assert read.count(NEEDLE) == 2


# -- swap ----------------------------------------------------------------------------------------


def test_a_swap_area_is_known_by_its_signature(tmp_path: Path) -> None:
    area = tmp_path / "swap"
    area.write_bytes(bytes(4086) + b"SWAPSPACE2" + bytes(4096))
    assert is_swap(area)
    area.write_bytes(bytes(8192))
    assert not is_swap(area)


def test_areas_are_those_that_the_system_names(monkeypatch: pytest.MonkeyPatch) -> None:
    table = "Filename Type Size Used\n/swapfile   file\t1024\t0\n/dev/sdb2 partition\t1\t0\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: table)
    assert swap_areas() == [Path("/swapfile"), Path("/dev/sdb2")]

    def hidden(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", hidden)
    assert swap_areas() is None

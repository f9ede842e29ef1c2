"""Reading every byte of a place: files below directories, swap, the memory of a process."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from infrastructure.canary.sieve import OVERLAP

CHUNK_BYTES = 4 << 20
PAGE_BYTES = 4096
SWAP_SIGNATURE = b"SWAPSPACE2"
"""At the end of the first page of a swap area (``mkswap``)."""

Pieces = Iterator[bytes]
"""Pieces of one file or region, each beginning with the end of the one before."""


@dataclass(frozen=True)
class NotReadable:
    """A file or directory that the system did not let us read."""

    path: str


def files_below(
    root: Path, *, since: float | None = None, but: Collection[Path] = ()
) -> Iterator[Path | NotReadable]:
    """The regular files at or below a path. Links are not followed.

    Args:
        root: a file or a directory.
        since: only files of this user that were changed at this time or later, in seconds as
            ``stat`` tells them.
        but: directories to leave out.
    """
    errors: list[OSError] = []
    if root.is_file():
        yield root
        return
    if not os.access(root, os.R_OK | os.X_OK):
        yield NotReadable(str(root))
        return
    for folder, folders, names in os.walk(root, onerror=errors.append):
        folders[:] = [one for one in folders if Path(folder, one) not in but]
        for name in names:
            path = Path(folder, name)
            try:
                found = path.lstat()
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(found.st_mode):
                continue
            if since is None or (found.st_ctime >= since and found.st_uid == os.geteuid()):
                yield path
    yield from (
        NotReadable(str(one.filename))
        for one in errors
        if not isinstance(one, FileNotFoundError)
        # what others keep to themselves in a directory that everybody shares is not ours
        and (since is None or _is_ours(Path(str(one.filename))))
    )


def _is_ours(path: Path) -> bool:
    try:
        return path.lstat().st_uid == os.geteuid()
    except OSError:
        return False


def pieces_of_file(path: Path) -> Pieces:
    """A file, piece by piece.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        yield from pieces_of(file.read)


def pieces_of(read: Callable[[int], bytes]) -> Pieces:
    """What can be read, piece by piece.

    Args:
        read: gives at most so many bytes; none at the end.
    """
    kept = b""
    while chunk := read(CHUNK_BYTES):
        piece = kept + chunk
        yield piece
        kept = _end_of(piece)


def _end_of(piece: bytes) -> bytes:
    """What the next piece begins with: its place must stay a multiple of the grid."""
    return piece[max(0, (len(piece) - OVERLAP) // OVERLAP * OVERLAP) :]


@dataclass(frozen=True)
class Region:
    """One mapping of a process."""

    begin: int
    end: int


_MAPPING = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)\s*(.*)")


_SHARED_MEMORY = (b"/dev/shm", b"/dev/zero")


def regions_of(maps: int) -> list[Region]:
    """What a process has in memory of its own, from its open ``/proc/.../maps``.

    Left out: what is an unchanged piece of a file that nobody may write (programs, libraries,
    models), devices, and what the kernel puts there itself.
    """
    os.lseek(maps, 0, os.SEEK_SET)
    listed = b"".join(iter(lambda: os.read(maps, 1 << 16), b""))
    found = []
    for line in listed.splitlines():
        told = _MAPPING.match(line)
        if told is None:
            continue
        begin, end, rights, inode, name = told.groups()
        of_a_file = int(inode) != 0 and b"w" not in rights
        # shared memory of no file is listed as /dev/zero
        kernels = name.startswith((b"[v", b"/dev/")) and not name.startswith(_SHARED_MEMORY)
        if rights.startswith(b"r") and not of_a_file and not kernels:
            found.append(Region(int(begin, 16), int(end, 16)))
    return found


def pieces_of_region(memory: int, region: Region) -> Pieces:
    """A region, piece by piece, from an open ``/proc/.../mem``; pages that went meanwhile, not."""
    begin, kept = region.begin, b""
    while begin < region.end:
        wanted = min(CHUNK_BYTES, region.end - begin)
        try:
            chunk = os.pread(memory, wanted, begin)
        except OSError:
            chunk = b""
        if not chunk:
            # one page of it is away: take what can be had before it, or pass it over
            chunk, wanted = _page(memory, begin), PAGE_BYTES
        piece = kept + chunk
        yield piece
        kept = _end_of(piece) if chunk else b""
        begin += len(chunk) or wanted


def _page(memory: int, begin: int) -> bytes:
    try:
        return os.pread(memory, PAGE_BYTES, begin)
    except OSError:
        return b""


def swap_areas() -> list[Path] | None:
    """The files and devices that this machine swaps to; None where it does not say."""
    try:
        lines = Path("/proc/swaps").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    return [Path(line.split()[0]) for line in lines]


def is_swap(path: Path) -> bool:
    """Whether what is read there is a swap area: its control, since nothing can be planted."""
    with path.open("rb") as file:
        return file.read(PAGE_BYTES).endswith(SWAP_SIGNATURE)

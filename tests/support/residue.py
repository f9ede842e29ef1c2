"""The residue search: whether known bytes are left in any file below some paths.

It reads raw bytes, so it also sees what a program would not show: freed database pages, journals
and the rests of temporary files. What it cannot read raises: an unread file is never a clean one.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 22
"""How much of a file is in memory at once, besides the overlap."""


@dataclass(frozen=True)
class Finding:
    """One place where the bytes stand."""

    path: Path
    name: str
    """The name under which the needle was given."""
    offset: int
    """Bytes from the start of the file."""


def search(paths: Iterable[Path], needles: Mapping[str, bytes]) -> list[Finding]:
    """Every place where one of the needles stands, file by file in the order of their paths.

    Args:
        paths: files, and directories that are read with everything below them.
        needles: what is looked for, by name.

    Raises:
        ValueError: there is nothing to look for, a needle is empty, or there is something that is
            neither a file nor a directory (a link or a socket, say) and cannot be searched.
        OSError: a file or a directory cannot be read.
    """
    if not needles or not all(needles.values()):
        raise ValueError("expected needles of at least one byte: this search would find nothing")
    return [
        Finding(file, name, offset)
        for path in paths
        for file in _files(path.resolve(strict=True))
        for name, offset in _found(file, needles)
    ]


def _files(path: Path) -> Iterator[Path]:
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        yield path
    elif stat.S_ISDIR(mode):
        for below in sorted(path.iterdir()):
            yield from _files(below)
    else:
        raise ValueError(f"expected a file or a directory, found something else: {path}")


def _found(file: Path, needles: Mapping[str, bytes]) -> Iterator[tuple[str, int]]:
    """Names and offsets in one file.

    Each chunk is searched together with the last bytes of what came before it, one less than the
    longest needle. So a needle across the boundary is found, and one that lies wholly in those
    carried bytes was found in the round before and is not told twice. With chunks of 4 and a needle
    of 3: ``..AB`` carries ``AB``, and ``AB`` + ``C...`` holds ``ABC``.
    """
    overlap = max(map(len, needles.values())) - 1
    carried, start = b"", 0
    with file.open("rb", buffering=0) as raw:
        while chunk := raw.read(CHUNK_BYTES):
            window = carried + chunk
            for name, needle in needles.items():
                at = window.find(needle)
                while at >= 0:
                    if at + len(needle) > len(carried):
                        yield name, start + at
                    at = window.find(needle, at + 1)
            carried = window[max(0, len(window) - overlap) :]
            start += len(window) - len(carried)

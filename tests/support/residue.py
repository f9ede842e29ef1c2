"""Look for known bytes in every file below some paths, raw: what a thief of the disk would read.

It finds a needle only where it lies in one piece. A database cuts what is longer than a page (and
a compressed or encrypted file changes everything): look for short pieces, and plant one to show
that the search would have found it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 20


class NotSearchableError(Exception):
    """Something below the paths is neither a file nor a directory, so nothing can be said of it."""


@dataclass(frozen=True)
class Finding:
    """A needle, found."""

    path: Path
    name: str
    """The needle's."""
    offset: int
    """Of its first byte in the file, from 0."""


def search(paths: Iterable[Path], needles: Mapping[str, bytes]) -> list[Finding]:
    """Every place where a needle lies in a file below the paths, or in a path itself.

    Args:
        paths: files and directories. Links are not followed: name their targets instead.
        needles: what to look for, by a name for the finding.

    Raises:
        ValueError: there is no path or no needle, or a needle is empty: such a search finds
            nothing whatever is there.
        NotSearchableError: a link, socket or device lies below the paths.
        OSError: something cannot be read. It is never passed over.
    """
    paths = list(paths)
    if not paths or not needles or not all(needles.values()):
        raise ValueError(f"expected paths and needles, found {len(paths)} and {sorted(needles)}")
    return [one for path in paths for file in _files(path) for one in _found_in(file, needles)]


def _files(path: Path) -> Iterator[Path]:
    """The files at or below a path, in a fixed order."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        for name in sorted(os.listdir(path)):
            yield from _files(path / name)
    elif stat.S_ISREG(mode):
        yield path
    else:
        raise NotSearchableError(f"expected a file or directory, found {path} ({mode:o})")


def _found_in(path: Path, needles: Mapping[str, bytes]) -> Iterator[Finding]:
    """Read chunk by chunk, each with the end of the one before.

    Invariant: ``kept`` is the end of what was read, one byte shorter than the longest needle, and
    lies before ``chunk`` in ``window``. A needle that ends in ``kept`` was found with the chunk
    before, so the search for one of n bytes begins n - 1 bytes before ``chunk``. Example: needle
    ``abc``, chunks ``xxab`` and ``cabc``. The second window is ``ab`` + ``cabc``; the search begins
    at 2 - 2 = 0 and finds it at 0 and 3, which are 2 and 5 in the file.
    """
    overlap = max(map(len, needles.values())) - 1
    kept, end = b"", 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            window = kept + chunk
            start_of_window = end - len(kept)
            for name, needle in needles.items():
                at = window.find(needle, max(0, len(kept) - len(needle) + 1))
                while at >= 0:
                    yield Finding(path, name, start_of_window + at)
                    at = window.find(needle, at + 1)
            end += len(chunk)
            kept = window[len(window) - overlap :] if overlap < len(window) else window

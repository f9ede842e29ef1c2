"""The hashes of a log's tree on disk, so that sealing reads only what is new.

One file for each eighth level: ``tree/0`` holds the leaf hashes, ``tree/1`` the roots of each 256
of them, and so on, 32 bytes each and nothing else. A tile of C2SP tlog-tiles is a slice of one
file, and any complete subtree is at most eight levels above what a file holds.

It is a cache: whoever uses it compares its root with a signed checkpoint first, and builds it anew
from the record where they differ.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from domain.assurance.tiles import HEIGHT, WIDTH
from domain.assurance.tree import HASH_SIZE, Frontier, node_hash
from infrastructure.files import make_private_directory, sync_directory

_AT_ONCE = 4096


class TreeIncompleteError(Exception):
    """The files do not hold what was asked for: they were cut, or never written."""


class TreeStore:
    """The hashes of a tree that only grows.

    Args:
        directory: holds one file for each eighth level; made when first written to.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def size(self) -> int:
        """The number of whole leaf hashes that are held."""
        return self._held(0)

    def hash_at(self, level: int, index: int) -> bytes:
        """The root of a complete subtree of 2**level leaves, the index-th of its level.

        Raises:
            TreeIncompleteError: it is not held.
        """
        within = 1 << (level % HEIGHT)
        return _root_of(self.hashes(level // HEIGHT, index * within, within))

    def hashes(self, tile_level: int, start: int, count: int) -> bytes:
        """So many hashes of one file, side by side, from a place on.

        Raises:
            TreeIncompleteError: they are not all held.
        """
        try:
            descriptor = os.open(self._file(tile_level), os.O_RDONLY)
        except FileNotFoundError as error:
            raise TreeIncompleteError(f"there is no {self._file(tile_level)}") from error
        try:
            found = os.pread(descriptor, count * HASH_SIZE, start * HASH_SIZE)
        finally:
            os.close(descriptor)
        if len(found) != count * HASH_SIZE:
            raise TreeIncompleteError(
                f"{self._file(tile_level)}: expected {count} hashes from {start} on, found "
                f"{len(found) // HASH_SIZE}"
            )
        return found

    def frontier(self, size: int) -> Frontier:
        """The frontier of the first ``size`` leaves: one complete subtree for each 1 bit.

        Raises:
            TreeIncompleteError: fewer are held.
        """
        roots, before = [], 0
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                roots.append(self.hash_at(level, before >> level))
                before += 1 << level
        return Frontier.from_bytes(size, b"".join(roots))

    def root(self, size: int) -> bytes:
        """The root over the first ``size`` leaves (RFC 9162).

        Raises:
            TreeIncompleteError: fewer are held.
        """
        return self.frontier(size).root()

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add leaf hashes at the end, and what is complete above them; durable afterwards.

        Raises:
            OSError: the disk does not take them. Whoever reads next cuts what is half written.
        """
        make_private_directory(self.directory)
        self.cut(self.size)
        self._append(0, leaves)
        for level in itertools.count(1):
            below, held = self._held(level - 1), self._held(level)
            if held >= below // WIDTH:
                break
            self._append(level, self._tile_roots(level - 1, held, below // WIDTH))
        sync_directory(self.directory)

    def cut(self, size: int) -> None:
        """Forget everything behind the first ``size`` leaves, in every file."""
        for file in self.directory.glob("[0-9]*"):
            level = int(file.name)
            # never more than the whole hashes that are there: a half one may stand at the end
            whole = min(size >> HEIGHT * level, self._held(level)) * HASH_SIZE
            if file.stat().st_size > whole:
                os.truncate(file, whole)

    def _tile_roots(self, level: int, start: int, stop: int) -> Iterator[bytes]:
        for tile in range(start, stop):
            yield _root_of(self.hashes(level, tile * WIDTH, WIDTH))

    def _append(self, level: int, hashes: Iterable[bytes]) -> None:
        waiting = iter(hashes)
        with self._file(level).open("ab") as file:
            os.fchmod(file.fileno(), 0o600)
            while chunk := b"".join(itertools.islice(waiting, _AT_ONCE)):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())

    def _held(self, level: int) -> int:
        try:
            return self._file(level).stat().st_size // HASH_SIZE
        except FileNotFoundError:
            return 0

    def _file(self, level: int) -> Path:
        return self.directory / str(level)


def _root_of(hashes: bytes) -> bytes:
    """The root over hashes side by side, of which there is a power of two."""
    row = [hashes[place : place + HASH_SIZE] for place in range(0, len(hashes), HASH_SIZE)]
    while len(row) > 1:
        row = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]

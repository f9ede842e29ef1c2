"""Many known byte strings looked for at once, in one pass, wherever and however cut they lie.

Every 8-byte word of every fragment, at each of its offsets, goes into a table. Data is read as
8-byte words on its own grid and each is looked up: a piece of 15 bytes or more of a fragment
contains one whole such word, whatever its place. What the table knows is then compared byte by
byte, and counts only with enough equal bytes around it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from infrastructure.canary.forms import Fragment

GRID = 8
OVERLAP = 64
"""Bytes by which pieces of data have to overlap, so that nothing is cut: a multiple of the grid,
more than any fragment has to be found by."""

_FEWEST_DISTINCT = 4
"""Different bytes in a word worth looking for: zeros and plain surfaces are everywhere."""
_TABLE_BITS = 24
_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)


class Sieve:
    """Looks for fragments.

    Args:
        fragments: at least one. Those that are plain (a surface of one colour) are not looked
            for; others of their subject and form must then be among them.

    Raises:
        ValueError: all fragments of one subject in one form are too plain to be told from others.
    """

    def __init__(self, fragments: Sequence[Fragment]) -> None:
        words = [_words(one.bytes_) for one in fragments]
        self._fragments = fragments
        sought = {_of(one) for one, (those, _) in zip(fragments, words, strict=True) if len(those)}
        for one in fragments:
            if _of(one) not in sought or not 2 * GRID - 1 <= one.least <= OVERLAP - GRID:
                raise ValueError(f"nothing of what is sought as {one.form} could be found")
        found = np.concatenate([those for those, _ in words])
        order = np.argsort(found, kind="stable")
        self._words = found[order]
        self._offset = np.concatenate([offsets for _, offsets in words])[order]
        self._fragment = np.repeat(np.arange(len(words)), [len(one) for one, _ in words])[order]
        self._factor, self._table = _table(self._words)

    def found_in(self, bytes_: bytes | bytearray | memoryview) -> set[int]:
        """Which fragments lie in there with a piece that is long enough, by their index."""
        data = memoryview(bytes_)
        words = np.frombuffer(data[: len(data) // GRID * GRID], dtype="<u8")
        if not words.any():
            return set()
        known = np.flatnonzero(self._table.take(_hashed(words, self._factor)))
        left = np.searchsorted(self._words, words[known], side="left")
        right = np.searchsorted(self._words, words[known], side="right")
        found: set[int] = set()
        for index in np.flatnonzero(left < right):
            at = int(known[index]) * GRID
            for entry in range(left[index], right[index]):
                one = int(self._fragment[entry])
                if one not in found and self._holds(data, at, one, int(self._offset[entry])):
                    found.add(one)
        return found

    def _holds(self, data: memoryview, at: int, index: int, offset: int) -> bool:
        """Whether enough bytes around a word are those around it in the fragment."""
        fragment, least = self._fragments[index].bytes_, self._fragments[index].least
        for before in range(least - GRID + 1):
            begin, of = at - before, offset - before
            if begin < 0 or of < 0:
                return False
            piece = fragment[of : of + least]
            if len(piece) == least and data[begin : begin + least] == piece:
                return True
        return False


def _of(one: Fragment) -> tuple[int, str, str]:
    return one.subject, one.content, one.form


def worth_looking_for(bytes_: bytes) -> bool:
    """Whether any 16 bytes of it could be found wherever they lie: nothing of it is too plain."""
    return len(bytes_) >= 2 * GRID and len(_words(bytes_)[0]) == len(bytes_) - GRID + 1


def _words(bytes_: bytes) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Every word of a fragment that is worth looking for, and where it begins."""
    if len(bytes_) < GRID:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(bytes_, np.uint8), GRID)
    distinct = 1 + (np.diff(np.sort(windows, axis=1), axis=1) != 0).sum(axis=1)
    kept = np.flatnonzero(distinct >= _FEWEST_DISTINCT)
    return np.ascontiguousarray(windows[kept]).view("<u8").reshape(-1), kept


def _hashed(words: NDArray[np.uint64], factor: np.uint64) -> NDArray[np.int64]:
    hashes = words * factor
    hashes >>= np.uint64(64 - _TABLE_BITS)
    return hashes.view(np.int64)


def _table(words: NDArray[np.uint64]) -> tuple[np.uint64, NDArray[np.bool_]]:
    """Which hashes occur. A word of zeros must not, or empty memory would all be looked at."""
    for factor in map(np.uint64, _FACTORS):
        hashes = _hashed(words, factor)
        if not (hashes == 0).any():
            break
    table = np.zeros(1 << _TABLE_BITS, np.bool_)
    table[hashes] = True
    return factor, table

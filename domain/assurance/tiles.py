"""Tiles: a log as files that never change once they are full.

A tile of level L holds up to 256 hashes of the tree's level 8 * L, side by side; the tile above it
holds one hash for each full tile. Entries come in bundles of up to 256. A reader who has the
checkpoint knows which tiles there are, so nothing has to be listed, and any web server or disk can
give them out::

    checkpoint
    tile/0/000            256 leaf hashes
    tile/0/001.p/44       the 44 leaf hashes after them: a partial tile of a log of 300
    tile/1/000.p/1        the root of the first full tile
    tile/entries/000      256 entries, each behind its length in two bytes
    tile/entries/001.p/44

An index is written in groups of three digits, all but the last behind an x: ``x001/234`` is 1234.
A partial tile stands for one size of the log; a full one for all later sizes.

Source: C2SP tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.assurance.proofs import LARGEST_TREE
from domain.assurance.tree import HASH_SIZE, Frontier, node_hash

WIDTH = 256
"""Hashes or entries in a full tile."""

HEIGHT = 8
"""Levels of the tree from one tile to the next: 2**8 is the width."""

ENTRIES = -1
"""The level under which entry bundles are told from hash tiles."""

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/"
    r"(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_LENGTH = 2


class TileMalformedError(ValueError):
    """The bytes or the path are not those of a tile."""


@dataclass(frozen=True)
class Tile:
    """Which tile: its level, index and how many hashes or entries it holds."""

    level: int
    """From 0; :data:`ENTRIES` for a bundle of entries."""
    index: int
    width: int = WIDTH
    """1 to 256; less than 256 makes it partial."""

    @property
    def path(self) -> str:
        """Where it lies below the log's prefix."""
        if self.level == ENTRIES:
            return entries_path(self.index, self.width)
        return tile_path(self.level, self.index, self.width)


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The path of a tile of hashes: ``tile/0/x001/234``, ``tile/0/000.p/5``."""
    return f"tile/{level}/{_written(index, width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """The path of a bundle of entries: ``tile/entries/x001/234.p/5``."""
    return f"tile/entries/{_written(index, width)}"


def parse_tile_path(text: str) -> Tile:
    """The tile at a path.

    Raises:
        TileMalformedError: it is not a path that :attr:`Tile.path` gives.
    """
    found = _PATH.fullmatch(text)
    if found is None:
        raise TileMalformedError(f"expected the path of a tile, found {text[:80]!a}")
    index = int(re.sub(r"[x/]", "", found["index"]))
    width = int(found["width"]) if found["width"] else WIDTH
    level = ENTRIES if found["level"] == "entries" else int(found["level"])
    tile = Tile(level, index, width)
    if index > LARGEST_TREE or tile.path != text:
        raise TileMalformedError(f"expected the one path of a tile, found {text[:80]!a}")
    return tile


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a log of this size, full and partial, level by level, without the bundles."""
    level = 0
    while (count := size >> (HEIGHT * level)) > 0:
        yield from _row(level, count)
        level += 1


def bundles_of(size: int) -> Iterator[Tile]:
    """Every bundle of entries of a log of this size."""
    return _row(ENTRIES, size)


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """Up to 256 entries, each behind its length in two bytes, big-endian."""
    if not 1 <= len(entries) <= WIDTH:
        raise TileMalformedError(f"expected 1 to {WIDTH} entries, found {len(entries)}")
    for entry in entries:
        if len(entry) > 0xFFFF:
            raise TileMalformedError(f"expected at most 65535 bytes an entry, found {len(entry)}")
    return b"".join(len(entry).to_bytes(_LENGTH, "big") + entry for entry in entries)


def read_entry_bundle(raw: bytes, *, width: int | None = None) -> list[bytes]:
    """The entries of a bundle.

    Args:
        raw: the bundle.
        width: how many there must be, if that is known.

    Raises:
        TileMalformedError: it is cut off, empty, or holds another number of entries.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(raw):
        end = at + _LENGTH + int.from_bytes(raw[at : at + _LENGTH], "big")
        if end > len(raw):
            raise TileMalformedError(
                f"entry {len(entries)} of the bundle: expected it to end at byte {end}, the bundle "
                f"has {len(raw)}"
            )
        entries.append(raw[at + _LENGTH : end])
        at = end
    if len(entries) != (width or len(entries)) or not 1 <= len(entries) <= WIDTH:
        raise TileMalformedError(
            f"expected a bundle of {width or '1 to 256'} entries, found {len(entries)}"
        )
    return entries


def read_hash_tile(raw: bytes, *, width: int) -> list[bytes]:
    """The hashes of a tile.

    Raises:
        TileMalformedError: it holds another number of hashes.
    """
    if len(raw) != width * HASH_SIZE:
        raise TileMalformedError(
            f"expected a tile of {width} hashes of {HASH_SIZE} bytes, found {len(raw)} bytes"
        )
    return [raw[at : at + HASH_SIZE] for at in range(0, len(raw), HASH_SIZE)]


def tile_root(hashes: Sequence[bytes]) -> bytes:
    """The hash that stands for these in the tile above: the root over them."""
    tree = Frontier()
    for one in hashes:
        tree.append(one)
    return tree.root()


def tiles_from(
    leaves: Iterable[tuple[bytes, bytes]], *, bundles: bool = True
) -> Iterator[tuple[Tile, bytes]]:
    """Every tile of a log, as its leaves stream by: full ones when they fill, partial ones last.

    At most one unfinished tile of each level is held.

    Args:
        leaves: leaf hash and entry of each, in the order of the log.
        bundles: whether to give bundles of entries too.
    """
    rows: list[_Row] = []
    entries: list[bytes] = []
    bundle = 0
    for leaf, entry in leaves:
        if bundles:
            entries.append(entry)
            if len(entries) == WIDTH:
                yield Tile(ENTRIES, bundle), entry_bundle(entries)
                entries, bundle = [], bundle + 1
        yield from _pushed(rows, 0, leaf)
    if entries:
        yield Tile(ENTRIES, bundle, len(entries)), entry_bundle(entries)
    for level, row in enumerate(rows):
        if row.hashes:
            yield Tile(level, row.index, len(row.hashes)), b"".join(row.hashes)


@dataclass
class _Row:
    """The unfinished tile of one level."""

    index: int
    hashes: list[bytes]


def _pushed(rows: list[_Row], level: int, one: bytes) -> Iterator[tuple[Tile, bytes]]:
    if level == len(rows):
        rows.append(_Row(0, []))
    row = rows[level]
    row.hashes.append(one)
    if len(row.hashes) == WIDTH:
        yield Tile(level, row.index), b"".join(row.hashes)
        above = row.hashes
        rows[level] = _Row(row.index + 1, [])
        while len(above) > 1:
            above = [node_hash(*pair) for pair in zip(above[::2], above[1::2], strict=True)]
        yield from _pushed(rows, level + 1, above[0])


def _row(level: int, count: int) -> Iterator[Tile]:
    for index in range(count // WIDTH):
        yield Tile(level, index)
    if count % WIDTH:
        yield Tile(level, count // WIDTH, count % WIDTH)


def _written(index: int, width: int) -> str:
    if index < 0 or not 1 <= width <= WIDTH:
        raise ValueError(f"expected an index from 0 and a width of 1 to {WIDTH}")
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups) + ("" if width == WIDTH else f".p/{width}")

"""Tiles and bundles, byte for byte, and what is none."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from domain.assurance.notes import open_note
from domain.assurance.proofs import LevelHashes
from domain.assurance.tiles import (
    ENTRIES,
    Tile,
    TileMalformedError,
    bundles_of,
    entries_path,
    entry_bundle,
    parse_tile_path,
    read_entry_bundle,
    read_hash_tile,
    tile_path,
    tile_root,
    tiles_from,
    tiles_of,
)
from domain.assurance.tree import leaf_hash
from tests.support.exports import KEY, ORIGIN, write_export


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 0, 5), "tile/0/000.p/5"),
        (Tile(1, 999), "tile/1/999"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(0, 1234), "tile/0/x001/234"),
        (Tile(2, 1234067, 8), "tile/2/x001/x234/067.p/8"),
        (Tile(63, 0, 1), "tile/63/000.p/1"),
        (Tile(ENTRIES, 1234), "tile/entries/x001/234"),
        (Tile(ENTRIES, 0, 255), "tile/entries/000.p/255"),
    ],
)
def test_a_tile_has_one_path(tile: Tile, path: str) -> None:
    """The examples of the specification among them; and back."""
    assert tile.path == path
    assert parse_tile_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/234",
        "tile/0/x001/234.p/0",
        "tile/0/x001/234.p/256",
        "tile/0/x001/234.p/012",
        "tile/64/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/entries/../../seal/log.key",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/٠٠٠",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999",
        f"tile/0/{'x999/' * 2000}999",
        "",
    ],
)
def test_another_way_to_write_it_is_no_path(path: str) -> None:
    """One tile, one name: nothing may be reached in two ways, and nothing else at all."""
    with pytest.raises(TileMalformedError):
        parse_tile_path(path)


def test_a_bundle_gives_its_entries_back() -> None:
    """Lengths in two bytes, big-endian, up to the longest entry."""
    entries = [b"", b"a", b"bc" * 300, b"d" * 65_535]
    raw = entry_bundle(entries)
    assert raw[:5] == b"\0\0\0\1a"
    assert read_entry_bundle(raw) == read_entry_bundle(raw, width=4) == entries


def test_a_bundle_that_is_cut_or_too_long_is_said_to_be_so() -> None:
    """At whichever byte it was cut."""
    raw = entry_bundle([b"one", b"three"])
    for length in range(len(raw)):
        with pytest.raises(TileMalformedError):
            read_entry_bundle(raw[:length], width=2)
    for wrong in (raw + b"\0", b""):
        with pytest.raises(TileMalformedError):
            read_entry_bundle(wrong)
    with pytest.raises(TileMalformedError, match="bundle of 3 entries, found 2"):
        read_entry_bundle(raw, width=3)
    with pytest.raises(TileMalformedError, match="at most 65535"):
        entry_bundle([b"a" * 65_536])
    for entries in ([], [b""] * 257):
        with pytest.raises(TileMalformedError, match="1 to 256"):
            entry_bundle(entries)


def test_a_tile_of_another_length_is_none() -> None:
    """One hash too many or too few, or a part of one."""
    assert read_hash_tile(bytes(64), width=2) == [bytes(32), bytes(32)]
    for length in (0, 32, 63, 65, 96):
        with pytest.raises(TileMalformedError, match="tile of 2 hashes"):
            read_hash_tile(bytes(length), width=2)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 512, 600, 65_536, 65_537])
def test_the_tiles_of_a_log_are_its_subtrees(size: int) -> None:
    """Each at its level and index, full ones and last ones, all of them and no other."""
    tree = LevelHashes()
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    for one in leaves:
        tree.append(one)
    made = dict(tiles_from(((leaf, b"") for leaf in leaves), bundles=False))
    assert set(made) == set(tiles_of(size))
    for tile, raw in made.items():
        hashes = read_hash_tile(raw, width=tile.width)
        first = tile.index * 256
        assert hashes == [tree.hash_at(8 * tile.level, first + at) for at in range(tile.width)]
        above = Tile(tile.level + 1, tile.index // 256)
        if tile.width == 256:
            parent = next(
                one for one in made if (one.level, one.index) == (above.level, above.index)
            )
            at = tile.index % 256
            assert read_hash_tile(made[parent], width=parent.width)[at] == tile_root(hashes)


def test_the_bundles_of_a_log_are_its_entries_in_order() -> None:
    """Each once."""
    entries = [b"entry %d" % number for number in range(600)]
    made = [
        (tile, raw)
        for tile, raw in tiles_from((leaf_hash(one), one) for one in entries)
        if tile.level == ENTRIES
    ]
    assert [tile for tile, _ in made] == list(bundles_of(600))
    assert [one for _, raw in made for one in read_entry_bundle(raw)] == entries
    assert all(one.index < other.index for (one, _), (other, _) in pairwise(made))


def test_an_export_is_the_same_for_ever(tmp_path: Path) -> None:
    """Three hundred entries under a fixed key: every file, byte for byte."""

    export = write_export(tmp_path, [b"entry %d" % number for number in range(300)])
    text = open_note((export / "checkpoint").read_text(encoding="utf-8"), KEY.verifier())
    assert text.split("\n") == [ORIGIN, "300", "yjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eg=", ""]
    assert sorted(
        str(file.relative_to(export)) for file in export.rglob("*") if file.is_file()
    ) == [
        "checkpoint",
        "log.vkey",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    ]
    digest = hashlib.sha256()
    for file in sorted(one for one in export.rglob("*") if one.is_file()):
        digest.update(f"{file.relative_to(export)} {len(file.read_bytes())}\n".encode())
        digest.update(file.read_bytes())
    assert digest.hexdigest() == (
        "0e2fa87d8d90f631fcb2afdedb7c2c3f5c75048b5f9bda44349a1f464b5142de"
    )


def test_an_index_or_width_that_cannot_be_is_refused() -> None:
    """Asked for in code, not read from a path."""
    for index, width in ((-1, 256), (0, 0), (0, 257)):
        with pytest.raises(ValueError, match="index from 0"):
            tile_path(0, index, width)
        with pytest.raises(ValueError, match="index from 0"):
            entries_path(index, width)

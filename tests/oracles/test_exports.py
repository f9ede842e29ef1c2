"""Exported logs: Go recomputes them from the entries, and finds every file that is not right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.notes import SignerKey
from domain.assurance.tiles import ENTRIES, Tile, tiles_from
from domain.assurance.tree import EMPTY_ROOT, leaf_hash
from tests.oracles.others import Oracle
from tests.support.exports import KEY, ORIGIN, write_export

EDGES = (255, 256, 257, 65_535, 65_536, 65_537)


def entries(size: int) -> list[bytes]:
    """So many entries, each another."""
    return [b"entry %d" % number for number in range(size)]


def refusal(oracle: Oracle, export: Path) -> str:
    """Why Go refuses the export."""
    agreed, words = oracle.ask("check", str(export))
    assert not agreed, words
    return words


def same_key(file: Path, one: bytes, other: bytes) -> bool:
    """Whether both are the log's key: with a newline behind it or without."""
    return file.name == "log.vkey" and one.strip() == other.strip()


@pytest.mark.parametrize("size", [0, 1, 2, 300, 600, *EDGES])
def test_go_accepts_our_exports(oracle: Oracle, tmp_path: Path, size: int) -> None:
    """Checkpoint, every tile and every bundle; nothing is missing and nothing too many."""
    export = write_export(tmp_path, entries(size))
    assert oracle.ask("check", str(export)) == (True, f"OK {size}\n")


def test_go_refuses_an_export_with_any_byte_of_a_small_log_changed(
    oracle: Oracle, tmp_path: Path
) -> None:
    """Each byte of each file in turn, so that what it accepts means something."""
    export = write_export(tmp_path, entries(5))
    assert oracle.accepts(export)
    for file in sorted(one for one in export.rglob("*") if one.is_file()):
        before = file.read_bytes()
        for at in range(len(before)):
            changed = before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :]
            file.write_bytes(changed)
            assert not oracle.accepts(export) or same_key(file, changed, before), (file, at)
        file.write_bytes(before)
    assert oracle.accepts(export)


def test_go_refuses_an_export_with_any_file_cut_missing_or_longer(
    oracle: Oracle, tmp_path: Path
) -> None:
    """Each file in turn, full and partial ones, of both levels."""
    export = write_export(tmp_path, entries(600))
    for file in sorted(one for one in export.rglob("*") if one.is_file()):
        before = file.read_bytes()
        for changed in (b"", before[:-1], before + b"\0"):
            file.write_bytes(changed)
            assert not oracle.accepts(export) or same_key(file, changed, before), file
        file.unlink()
        assert "no such file" in refusal(oracle, export)
        file.write_bytes(before)
    assert oracle.accepts(export)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/003",
        "tile/0/002.p/89",
        "tile/1/000.p/3",
        "tile/2/000.p/1",
        "tile/entries/002.p/89",
        "tile/0/x000/001",
        "tile/data/000.p/1",
        "tile/0/000.p/256",
        "tile/0/000.new",
        "notes.txt",
    ],
)
def test_go_refuses_a_file_that_the_checkpoint_does_not_account_for(
    oracle: Oracle, tmp_path: Path, path: str
) -> None:
    """A tile that cannot be there yet, a name that no tile has."""
    export = write_export(tmp_path, entries(600))
    (export / path).parent.mkdir(parents=True, exist_ok=True)
    (export / path).write_bytes(bytes(32))
    assert f"{path} is not a" in refusal(oracle, export)


def test_go_takes_an_earlier_partial_tile_only_if_it_is_the_beginning_of_the_later_one(
    oracle: Oracle, tmp_path: Path
) -> None:
    """Exports grow in place, and who holds an earlier checkpoint needs its tiles."""
    for size in (100, 256, 300, 600):
        export = write_export(tmp_path, entries(size))
        assert oracle.ask("check", str(export)) == (True, f"OK {size}\n")
    for name in ("tile/0/000.p/100", "tile/1/000.p/1", "tile/entries/001.p/44"):
        before = (export / name).read_bytes()
        for changed in (before[:-1], before[:-1] + b"!", before + b"\0", b""):
            (export / name).write_bytes(changed)
            assert f"{name} is not the beginning of" in refusal(oracle, export)
        (export / name).write_bytes(before)
    assert oracle.accepts(export)
    outside = tmp_path.with_name("outside")
    shutil.copy(export / "tile/0/000", outside)
    (export / "tile/0/000").unlink()
    (export / "tile/0/000").symlink_to(outside)
    assert "not a plain file" in refusal(oracle, export)


# -- whole histories that were written anew -------------------------------------------------------

HISTORY = entries(600)
Rewritten = Callable[[list[bytes]], list[bytes]]
REWRITTEN: dict[str, Rewritten] = {
    "an entry changed": lambda them: [*them[:300], b"another", *them[301:]],
    "an entry dropped": lambda them: [*them[:300], *them[301:]],
    "the last entries dropped": lambda them: them[:-10],
    "an entry twice": lambda them: [*them[:300], them[299], *them[300:]],
    "an entry put in": lambda them: [*them[:300], b"another", *them[300:]],
    "two entries swapped": lambda them: [*them[:300], them[301], them[300], *them[302:]],
}


@pytest.mark.parametrize("way", REWRITTEN)
def test_go_refuses_a_history_written_anew_without_the_logs_key(
    oracle: Oracle, tmp_path: Path, way: str
) -> None:
    """All tiles and bundles fit each other, and the checkpoint is the one that was signed."""
    honest = write_export(tmp_path / "honest", HISTORY)
    for key in (KEY, SignerKey(ORIGIN, bytes(32))):
        forged = write_export(
            tmp_path / f"{key.verifier().key_id.hex()}", REWRITTEN[way](HISTORY), key=key
        )
        # positive control: under its own checkpoint and key it is a sound log
        assert oracle.accepts(forged)
        shutil.copy(honest / "log.vkey", forged)
        if key is not KEY:
            assert "no verifiable signatures" in refusal(oracle, forged)
        shutil.copy(honest / "checkpoint", forged)
        assert not oracle.accepts(forged)


def test_go_refuses_an_entry_whose_tiles_were_worked_out_again(
    oracle: Oracle, tmp_path: Path
) -> None:
    """One entry, its leaf and the tiles above it; whoever believes tiles would not see it."""
    export = write_export(tmp_path, HISTORY)
    altered = REWRITTEN["an entry changed"](HISTORY)
    changed = 0
    for tile, raw in tiles_from((leaf_hash(one), one) for one in altered):
        if tile.index == 300 // 256 or tile.level > 0:
            changed += (export / tile.path).read_bytes() != raw
            (export / tile.path).write_bytes(raw)
    assert changed == 3
    assert "the entries do not give the signed root" in refusal(oracle, export)


def test_go_refuses_entries_that_are_not_those_of_the_tiles(oracle: Oracle, tmp_path: Path) -> None:
    """Tiles of one history under the checkpoint of it, and a bundle of another."""
    export = write_export(tmp_path, HISTORY)
    bundle = Tile(ENTRIES, 0).path
    raw = (export / bundle).read_bytes()
    (export / bundle).write_bytes(raw.replace(b"entry 7", b"entry 8", 1))
    assert "the entries do not give the signed root" in refusal(oracle, export)


@pytest.mark.parametrize("root", [bytes(32), EMPTY_ROOT])
def test_go_wants_the_hash_of_nothing_as_the_root_of_an_empty_log(
    oracle: Oracle, tmp_path: Path, root: bytes
) -> None:
    """Thirty-two zero bytes are not it."""
    export = write_export(tmp_path, [])
    (export / "checkpoint").write_text(sign(Checkpoint(ORIGIN, 0, root), KEY), encoding="utf-8")
    assert oracle.accepts(export) is (root == EMPTY_ROOT)

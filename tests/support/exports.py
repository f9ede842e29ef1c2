"""Exported logs for tests: real entries, signed, in tiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.notes import SignerKey
from domain.assurance.tiles import tiles_from
from domain.assurance.tree import Frontier, leaf_hash

ORIGIN = "example.org/plumbline/rehearsal"
KEY = SignerKey(ORIGIN, bytes(range(32)))


def write_export(
    directory: Path, entries: Sequence[bytes], *, key: SignerKey = KEY, origin: str = ORIGIN
) -> Path:
    """A log of these entries as a directory of tiles."""
    tree = Frontier()
    leaves = [leaf_hash(entry) for entry in entries]
    for leaf in leaves:
        tree.append(leaf)
    for tile, raw in tiles_from(zip(leaves, entries, strict=True)):
        file = directory / tile.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
    directory.mkdir(parents=True, exist_ok=True)
    signed = sign(Checkpoint(origin, len(entries), tree.root()), key)
    (directory / "checkpoint").write_text(signed, encoding="utf-8")
    (directory / "log.vkey").write_text(key.verifier().text() + "\n", encoding="utf-8")
    return directory

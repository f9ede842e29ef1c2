"""The log as files that anyone's program can check: checkpoint, tiles, entries, verifier key.

The layout is that of C2SP tlog-tiles::

    checkpoint                    the newest checkpoint, as it was signed
    log.vkey                      the key to check it with
    tile/<level>/<index>          256 hashes of 32 bytes each; <index>.p/<width> where fewer
    tile/entries/<index>          the entries under a tile of level 0, each behind its length

Each file is whole or absent, and the checkpoint comes last: whoever reads while this writes finds
every tile that the checkpoint needs. A full tile never changes, so that exporting again only adds
what is new; tiles of earlier sizes stay, for those who still hold an earlier checkpoint.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from domain.assurance.checkpoints import Checkpoint, CheckpointError
from domain.assurance.notes import NoteError, VerifierKey, open_note
from domain.assurance.tiles import (
    WIDTH,
    Tile,
    bundles_of,
    entry_bundle,
    read_hash_tile,
    tile_root,
    tiles_of,
)
from domain.assurance.tree import leaf_hash
from domain.kernel.errors import DomainError, RecordBrokenError
from infrastructure.files import sync_directory
from infrastructure.seal.tree_store import TreeIncompleteError, TreeStore

_OURS = frozenset({"checkpoint", "log.vkey", "tile"})
_ENTRIES = "tile/entries"


class ExportError(DomainError):
    """The directory cannot take this export; nothing that was there before was changed."""


class Entries(Protocol):
    """Where the entries come from."""

    def blobs(self, *, after: int = -1) -> Iterator[tuple[int, bytes]]:
        """The entries as they are stored, each with its position."""


@dataclass(frozen=True)
class Exported:
    """What an export came to."""

    size: int
    """The size of the checkpoint; 0 where nothing was signed yet."""
    written: int
    """Files that were written now."""


class Exporter:
    """Writes one log below one directory.

    Args:
        directory: an empty or a new one, or one that an earlier export of this log filled.
        tree: the hashes, which must reach the checkpoint.
        record: the entries.
        public: leave the entries out.
    """

    def __init__(self, directory: Path, *, tree: TreeStore, record: Entries, public: bool) -> None:
        self._directory = directory
        self._tree = tree
        self._record = record
        self._public = public
        self._written = 0
        self._touched: set[Path] = set()

    def export(self, note: str, keys: list[VerifierKey]) -> Exported:
        """Write what is not there yet, up to this checkpoint.

        Args:
            note: the newest checkpoint, as it was signed.
            keys: every key that signed this log, the one that signs now last.

        Raises:
            ExportError: the directory holds something else, another log, or a checkpoint that
                this one does not continue; or the disk is full.
            RecordBrokenError: the entries are not those that were signed.
        """
        checkpoint = Checkpoint.parse(open_note(note, keys[-1]))
        self._require_same_log(checkpoint, keys)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for half_written in self._directory.rglob("*.new"):
                half_written.unlink()
            # first of all: it says whose directory this is, also when we are broken off
            self._write("log.vkey", f"{keys[-1].text()}\n".encode(), mode=0o644)
            self._write_tiles(checkpoint.size)
            if not self._public:
                self._write_entries(checkpoint.size)
            for directory in sorted(self._touched, reverse=True):
                sync_directory(directory)
            self._write("checkpoint", note.encode(), mode=0o644)
            sync_directory(self._directory)
        except OSError as error:
            raise ExportError(
                f"cannot write the export in {self._directory}: {error.strerror}"
            ) from error
        except TreeIncompleteError as error:
            raise RecordBrokenError(f"the hashes of the log: {error}") from error
        return Exported(checkpoint.size, self._written)

    # -- what is there -------------------------------------------------------------------------

    def _require_same_log(self, checkpoint: Checkpoint, keys: list[VerifierKey]) -> None:
        if not self._directory.exists():
            return
        if not self._directory.is_dir():
            raise ExportError(f"expected a directory at {self._directory}, found something else")
        names = {one.name.removesuffix(".new") for one in self._directory.iterdir()}
        if names - _OURS:
            raise ExportError(
                f"{self._directory} holds {len(names - _OURS)} things that are not of an export: "
                "give an empty or a new directory"
            )
        if not names:
            return
        self._require_our_key(keys)
        if self._public and (self._directory / _ENTRIES).exists():
            raise ExportError(
                f"{self._directory} holds entries already, and the public gets none: give an "
                "empty or a new directory"
            )
        there = self._checkpoint_there(keys)
        if there is None:
            return
        if there.size > checkpoint.size:
            raise ExportError(
                f"{self._directory} holds a checkpoint of {there.size} entries, this log was "
                f"signed at {checkpoint.size}: it was cut, or brought back from an older copy"
            )
        if self._tree.root(there.size) != there.root:
            raise ExportError(
                f"{self._directory} holds a checkpoint of {there.size} entries with the root "
                f"{there.root.hex()}, this log has another history"
            )

    def _require_our_key(self, keys: list[VerifierKey]) -> None:
        try:
            found = (self._directory / "log.vkey").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ExportError(
                f"{self._directory} is not empty and says not of which log it is (log.vkey)"
            ) from error
        if found not in {key.text() for key in keys}:
            raise ExportError(f"{self._directory} holds another log, or one under another key")

    def _checkpoint_there(self, keys: list[VerifierKey]) -> Checkpoint | None:
        file = self._directory / "checkpoint"
        if not file.exists():
            return None
        try:
            note = file.read_bytes().decode()
        except UnicodeDecodeError as error:
            raise ExportError(f"{file} is not a checkpoint: no text") from error
        for key in keys:
            try:
                return Checkpoint.parse(open_note(note, key))
            except (NoteError, CheckpointError):
                continue
        raise ExportError(f"{file} is not a checkpoint that a key of this log signed")

    # -- what is new ---------------------------------------------------------------------------

    def _write_tiles(self, size: int) -> None:
        for tile in tiles_of(size):
            if not (self._directory / tile.path).exists():
                self._write(tile.path, self._hashes(tile), mode=0o644)

    def _hashes(self, tile: Tile) -> bytes:
        """The hashes of a tile; those of a full one must fit the hash above them."""
        hashes = self._tree.hashes(tile.level, tile.index * WIDTH, tile.width)
        if tile.width == WIDTH:
            above = self._tree.hashes(tile.level + 1, tile.index, 1)
            if tile_root(read_hash_tile(hashes, width=WIDTH)) != above:
                raise RecordBrokenError(f"the hashes of the log do not fit each other: {tile.path}")
        return hashes

    def _write_entries(self, size: int) -> None:
        missing = [one for one in bundles_of(size) if not (self._directory / one.path).exists()]
        if not missing:
            return
        wanted = {one.index: one for one in missing}
        entries = self._record.blobs(after=missing[0].index * WIDTH - 1)
        for index in range(missing[0].index, missing[-1].index + 1):
            blobs = [blob for _, blob in itertools.islice(entries, WIDTH)]
            if (bundle := wanted.get(index)) is not None:
                del blobs[bundle.width :]
                self._require_leaves(bundle, blobs)
                self._write(bundle.path, entry_bundle(blobs), mode=0o600)

    def _require_leaves(self, bundle: Tile, blobs: list[bytes]) -> None:
        """The entries are those whose hashes are exported beside them."""
        first = bundle.index * WIDTH
        signed = read_hash_tile(self._tree.hashes(0, first, bundle.width), width=bundle.width)
        for place, leaf in enumerate(signed):
            if place >= len(blobs) or leaf_hash(blobs[place]) != leaf:
                raise RecordBrokenError(
                    f"position {first + place}: the entry is not the one that was signed"
                )

    def _write(self, path: str, content: bytes, *, mode: int) -> None:
        """A file that is whole or absent, and on the disk once it has its name."""
        file = self._directory / path
        if path in ("checkpoint", "log.vkey") and file.exists() and file.read_bytes() == content:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f"{file.name}.new")
        with open(temporary, "wb") as out:
            os.fchmod(out.fileno(), mode)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.rename(file)
        self._touched.update(one for one in file.parents if one.is_relative_to(self._directory))
        self._written += 1

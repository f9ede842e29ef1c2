"""The signed log as the server gives it out: up to the newest checkpoint, and nothing behind it.

Nothing here signs or writes. Hashes come from the tree that the sealer keeps beside the key,
entries from the record. The sealer compared both with what it signed; whoever checks the tiles
against the checkpoint compares them again, and finds it if one was changed since.

Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from domain.assurance.checkpoints import Checkpoint, CheckpointError, open_checkpoint
from domain.assurance.notes import NoteError, VerifierKey
from domain.assurance.tiles import HEIGHT, WIDTH, entry_bundle
from domain.kernel.errors import UnavailableError
from infrastructure.seal.tree_store import TreeIncompleteError, TreeStore


class SignedLogUnavailableError(UnavailableError):
    """Checkpoint, key or hashes cannot be read, or do not belong together."""


class Entries(Protocol):
    """What is asked of the record."""

    origin: str

    def blobs(self, start: int, count: int) -> list[bytes]:
        """So many entries from a position on, as they are stored."""


class ServedLog:
    """One log, as ``domain.ports.PublishedLog``.

    Args:
        directory: the seal: ``checkpoint``, ``log.vkey`` and ``tree``.
        record: the entries.
    """

    def __init__(self, directory: Path, record: Entries) -> None:
        self._directory = directory
        self._record = record
        self._tree = TreeStore(directory / "tree")

    def checkpoint(self) -> bytes | None:
        """The newest checkpoint, as it was signed; None before the first."""
        found = self._signed()
        return found[0] if found else None

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """A hash tile, if the signed tree has that many hashes there."""
        start = index * WIDTH
        if start + width > self._size() >> HEIGHT * level:
            return None
        try:
            return self._tree.hashes(level, start, width)
        except (TreeIncompleteError, OSError) as error:
            raise SignedLogUnavailableError("the hashes of the log cannot be read") from error

    def entry_bundle(self, index: int, width: int) -> bytes | None:
        """The entries under a tile of level 0, each behind its length."""
        start = index * WIDTH
        if start + width > self._size():
            return None
        blobs = self._record.blobs(start, width)
        if len(blobs) != width:
            raise SignedLogUnavailableError(f"expected {width} signed entries, found {len(blobs)}")
        return entry_bundle(blobs)

    def verifier_key(self) -> bytes:
        """The key that signs now."""
        try:
            return (self._directory / "log.vkey").read_bytes()
        except OSError as error:
            raise SignedLogUnavailableError("the log's verifier key cannot be read") from error

    def _size(self) -> int:
        found = self._signed()
        return found[1].size if found else 0

    def _signed(self) -> tuple[bytes, Checkpoint] | None:
        try:
            note = (self._directory / "checkpoint").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SignedLogUnavailableError("the checkpoint cannot be read") from error
        try:
            key = VerifierKey.from_text(self.verifier_key().decode().strip())
            return note, open_checkpoint(note.decode(), key, self._record.origin)
        except (NoteError, CheckpointError, UnicodeDecodeError) as error:
            raise SignedLogUnavailableError(
                "the checkpoint is not one that the log's key signed"
            ) from error

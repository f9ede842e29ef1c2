"""The signed log as the server gives it out: read from the record, up to the newest checkpoint.

Nothing here signs or writes. Hashes are worked out from the stored entries, so that a tile never
says anything else than the record; if the record no longer fits its checkpoint, whoever checks the
tiles against the checkpoint finds that out, as they should.

Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from domain.assurance.checkpoints import Checkpoint, CheckpointError, open_checkpoint
from domain.assurance.notes import NoteError, VerifierKey
from domain.assurance.tree import Frontier, leaf_hash
from domain.kernel.errors import UnavailableError

TILE_WIDTH = 256
"""Hashes in a full tile: eight levels of the tree."""

AT_ONCE = 2048
"""Entries that are read at a time."""


class SignedLogUnavailableError(UnavailableError):
    """The checkpoint or its key cannot be read, or they do not belong together."""


class Entries(Protocol):
    """What is asked of the record."""

    origin: str

    def blobs(self, start: int, count: int) -> list[bytes]:
        """So many entries from a position on, as they are stored."""


class SealedLog:
    """One log, as ``domain.ports.PublishedLog``.

    Args:
        directory: the seal: ``checkpoint`` and ``log.vkey``.
        record: the entries.
    """

    def __init__(self, directory: Path, record: Entries) -> None:
        self._directory = directory
        self._record = record

    def checkpoint(self) -> bytes | None:
        """The newest checkpoint, as it was signed; None before the first."""
        found = self._signed()
        return found[0] if found else None

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """A hash tile, if the signed tree has that many hashes there."""
        under = TILE_WIDTH**level
        start = index * TILE_WIDTH
        if (start + width) * under > self._size():
            return None
        if level == 0:
            return b"".join(leaf_hash(blob) for blob in self._record.blobs(start, width))
        return b"".join(self._root(under * at, under) for at in range(start, start + width))

    def entry_bundle(self, index: int, width: int) -> bytes | None:
        """The entries under a tile of level 0, each behind its length."""
        start = index * TILE_WIDTH
        if start + width > self._size():
            return None
        blobs = self._record.blobs(start, width)
        return b"".join(len(blob).to_bytes(2, "big") + blob for blob in blobs)

    def verifier_key(self) -> bytes:
        """The key that signs now."""
        try:
            return (self._directory / "log.vkey").read_bytes()
        except OSError as error:
            raise SignedLogUnavailableError("the log's verifier key cannot be read") from error

    def _root(self, start: int, count: int) -> bytes:
        tree = Frontier()
        for at in range(start, start + count, AT_ONCE):
            for blob in self._record.blobs(at, min(AT_ONCE, start + count - at)):
                tree.append(leaf_hash(blob))
        return tree.root()

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

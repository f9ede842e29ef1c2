"""Signs the state of the log, and refuses to sign a log that shrank or was changed.

A signature says: at this size the log had this root. Whoever keeps a checkpoint elsewhere can
later see that nothing before it was changed, cut or slipped in.
"""

from __future__ import annotations

import itertools
import stat
from collections.abc import Iterable
from pathlib import Path

from domain.assurance.checkpoints import Checkpoint, CheckpointError, open_checkpoint, sign
from domain.assurance.notes import NoteError, SignerKey, VerifierKey
from domain.assurance.tree import Frontier
from domain.kernel.errors import DomainError, RecordBrokenError
from infrastructure.files import make_private_directory, write_durably


class SealError(DomainError):
    """The log cannot be signed now; nothing that is stored is lost."""


class SealKeyError(SealError):
    """The log's key is missing, unreadable to us, or readable to others."""


class Sealer:
    """The key of one log, its last checkpoint, and the act of signing.

    Args:
        directory: holds ``log.key`` (private, 0600), ``log.vkey`` (to give away) and
            ``checkpoint`` (the newest).
        origin: the log's name; also the key's.
    """

    def __init__(self, directory: Path, *, origin: str) -> None:
        self.directory = directory
        self.origin = origin

    @property
    def checkpoint_file(self) -> Path:
        """The newest checkpoint."""
        return self.directory / "checkpoint"

    @property
    def verifier_key_file(self) -> Path:
        """The key that whoever verifies needs, in signed-note form."""
        return self.directory / "log.vkey"

    def make_key(self, *, new: bool = True) -> None:
        """Make the log's key, once, and the verifier key that belongs to it.

        Args:
            new: whether the log has no entry yet. A log that was signed keeps its key: another
                would sign as if nothing had happened.

        Raises:
            SealKeyError: the key is missing although the log has entries, or is another log's.
        """
        make_private_directory(self.directory)
        private = self.directory / "log.key"
        if not private.exists() and new:
            key = SignerKey.generate(self.origin)
            write_durably(private, f"{key.text()}\n".encode(), mode=0o600)
        public = self._key().verifier().text()
        if not self.verifier_key_file.exists():
            write_durably(self.verifier_key_file, f"{public}\n".encode(), mode=0o644)

    def seal(self, leaves: Iterable[bytes], *, size: int) -> Checkpoint:
        """Sign the log at this size.

        Args:
            leaves: the leaf hashes of the log, in order, from position 0.
            size: how many of them to sign.

        Raises:
            RecordBrokenError: the log is shorter than what was signed before, or differs from it.
            SealError: the key cannot be used, or the checkpoint cannot be written.
        """
        key = self._key()
        before = self._last(key.verifier())
        if before is not None and size < before.size:
            raise RecordBrokenError(
                f"the log has {size} entries, but {before.size} were signed: not signing"
            )
        tree = Frontier()
        for leaf in itertools.islice(leaves, size):
            tree.append(leaf)
            if before is not None and tree.size == before.size and tree.root() != before.root:
                raise RecordBrokenError(
                    f"the first {before.size} entries are not those that were signed: not signing"
                )
        if tree.size != size:
            raise RecordBrokenError(f"expected {size} entries to sign, found {tree.size}")
        checkpoint = Checkpoint(origin=self.origin, size=size, root=tree.root())
        try:
            write_durably(self.checkpoint_file, sign(checkpoint, key).encode(), mode=0o644)
        except OSError as error:
            raise SealError(f"cannot write {self.checkpoint_file}: {error.strerror}") from error
        return checkpoint

    def _last(self, key: VerifierKey) -> Checkpoint | None:
        if not self.checkpoint_file.exists():
            return None
        try:
            note = self.checkpoint_file.read_bytes().decode()
            return open_checkpoint(note, key, self.origin)
        except (NoteError, CheckpointError, UnicodeDecodeError) as error:
            raise RecordBrokenError(
                f"{self.checkpoint_file} is not the last checkpoint of this log ({error}): "
                "not signing"
            ) from error

    def _key(self) -> SignerKey:
        private = self.directory / "log.key"
        if not private.is_file():
            raise SealKeyError(f"expected the log's key at {private}, found none: bring it back")
        if stat.S_IMODE(private.stat().st_mode) & 0o077:
            raise SealKeyError(f"{private} can be read by others: run chmod 600 {private}")
        try:
            key = SignerKey.from_text(private.read_text(encoding="utf-8").strip())
        except (NoteError, UnicodeDecodeError) as error:
            raise SealKeyError(f"{private} cannot be read as a key: {error}") from error
        if key.name != self.origin:
            raise SealKeyError(f"expected the key of {self.origin}, found one of {key.name}")
        return key

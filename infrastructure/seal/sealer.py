"""Signs the state of the log, and refuses to sign a log that shrank or was changed.

A signature says: at this size the log had this root. Whoever keeps a checkpoint elsewhere can
later see that nothing before it was changed, cut or slipped in.

**What is read.** Only the entries behind the last checkpoint. Their leaf hashes go on top of the
hashes of the tree that are kept beside the key (:mod:`infrastructure.seal.tree_store`), which must
give the last checkpoint's root, and the result must be what the log's own head says. So a
signature always continues what was signed before. Where the two differ, the whole log is read
again to tell a damaged cache from a changed log. A single old entry that was changed in place is
not noticed here, and is not signed either: ``verify`` finds it.
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from domain.assurance.checkpoints import Checkpoint, CheckpointError, open_checkpoint
from domain.assurance.notes import NoteError
from domain.assurance.tree import FrontierMalformedError
from domain.kernel.errors import RecordBrokenError
from domain.kernel.time import written
from infrastructure.files import make_private_directory, sync_directory, write_durably
from infrastructure.record.heads import Heads
from infrastructure.seal.keys import KeyFolder
from infrastructure.seal.signing import SealError, Signer, signed_note
from infrastructure.seal.tree_store import TreeIncompleteError, TreeStore


class Log(Protocol):
    """What a sealer asks of a record."""

    origin: str
    mode: str

    def heads(self) -> Heads:
        """All heads, read at one instant."""

    def leaves(self, *, after: int = -1) -> Iterator[bytes]:
        """The leaf hashes behind a position, recomputed from the stored entries."""


class ClockBehindError(SealError):
    """The clock is before the last cosignature: whatever is signed now would seem older."""


class Sealer:
    """The last checkpoint of one log, and the act of signing the next.

    Args:
        directory: holds the keys, ``checkpoint`` (the newest) and ``tree/`` (the cache).
        keys: who signs.
    """

    def __init__(self, directory: Path, keys: KeyFolder) -> None:
        self.directory = directory
        self.keys = keys
        self.tree = TreeStore(directory / "tree")

    @property
    def checkpoint_file(self) -> Path:
        """The newest checkpoint."""
        return self.directory / "checkpoint"

    @property
    def verifier_key_file(self) -> Path:
        """The key that whoever verifies needs, in signed-note form."""
        return self.keys.public_file

    def last(self) -> Checkpoint | None:
        """The newest checkpoint, checked; None where nothing was signed yet.

        Raises:
            RecordBrokenError: what lies there is not this log's, or not signed by its key.
        """
        note = self.last_note()
        if note is None:
            return None
        try:
            return open_checkpoint(note, self.keys.current().verifier(), self.keys.origin)
        except (NoteError, CheckpointError) as error:
            raise RecordBrokenError(
                f"{self.checkpoint_file} is not the last checkpoint of this log ({error}): "
                "not signing"
            ) from error

    def last_note(self) -> str | None:
        """The newest checkpoint as the signed note that it is; not checked."""
        try:
            return self.checkpoint_file.read_bytes().decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise RecordBrokenError(
                f"{self.checkpoint_file} is not a checkpoint (no text): not signing"
            ) from error

    def examine(self, log: Log, *, now: datetime, not_before: datetime | None = None) -> Heads:
        """Bring the hashes up to the log as it stands; signs nothing.

        Args:
            log: the record.
            now: the present instant.
            not_before: when the newest cosignature was given, if there is one.

        Returns:
            The heads that were examined; their size is what can be signed.

        Raises:
            RecordBrokenError: the log is shorter than what was signed before, or differs from it.
            ClockBehindError: the clock is before the last cosignature.
            SealError: the hashes cannot be written.
        """
        with self._alone():
            return self._examined(log, now, not_before)

    def seal(
        self,
        log: Log,
        *,
        now: datetime,
        not_before: datetime | None = None,
        also: Callable[[], Signer | None] = lambda: None,
    ) -> Checkpoint:
        """Sign the log as it stands. A log that did not grow keeps its checkpoint.

        Args:
            log: the record.
            now: the present instant.
            not_before: when the newest cosignature was given, if there is one.
            also: a second key to sign with, while one is being replaced; asked for once the
                heads were read, so that what they cover of a rotation is known.

        Raises:
            RecordBrokenError: the log is shorter than what was signed before, or differs from it.
            SealError: the key cannot be used, the clock is behind, or nothing can be written.
        """
        with self._alone():
            heads = self._examined(log, now, not_before)
            before = self.last()
            if before is not None and before.size == heads.size:
                return before
            checkpoint = Checkpoint(
                origin=self.keys.origin, size=heads.size, root=self.tree.root(heads.size)
            )
            signers = [one for one in (self.keys.current(), also()) if one is not None]
            self._write(signed_note(checkpoint, signers))
            return checkpoint

    @property
    def lost_directory(self) -> Path:
        """What was signed of histories that were lost."""
        return self.directory / "lost"

    def set_aside(self) -> None:
        """Keep the newest checkpoint as that of a lost history: what is signed next is another.

        The hashes of that history go; they are made anew from the entries.

        Raises:
            SealError: it cannot be written.
        """
        with self._alone():
            note, last = self.last_note(), self.last()
            if note is None or last is None:
                return
            make_private_directory(self.lost_directory)
            name = f"{last.size}-{last.root.hex()[:16]}.checkpoint"
            try:
                write_durably(self.lost_directory / name, note.encode(), mode=0o644)
                self.tree.cut(0)
                self.checkpoint_file.unlink()
                sync_directory(self.directory)
            except OSError as error:
                raise SealError(f"cannot write in {self.directory}: {error.strerror}") from error

    def add_signature(self, checkpoint: Checkpoint, line: str) -> bool:
        """Add a signature line to the newest checkpoint, in the place of an older one by the key.

        Args:
            checkpoint: what was signed.
            line: a signature line that was checked.

        Returns:
            Whether it was still the newest; a newer checkpoint is left alone.

        Raises:
            SealError: it cannot be written.
        """
        with self._alone():
            text, _, lines = (self.last_note() or "").rpartition("\n\n")
            if f"{text}\n" != checkpoint.text():
                return False
            others = [one for one in lines.splitlines(keepends=True) if not _same_key(one, line)]
            self._write(f"{text}\n\n{''.join(others)}{line}")
            return True

    def _examined(self, log: Log, now: datetime, not_before: datetime | None) -> Heads:
        if not_before is not None and now < not_before:
            raise ClockBehindError(
                f"the clock says {written(now)}, but the last cosignature was given at "
                f"{written(not_before)}: set the clock; not signing"
            )
        before = self.last()
        heads = log.heads()
        signed = before.size if before else 0
        if heads.size < signed:
            raise RecordBrokenError(
                f"the log has {heads.size} entries, but {signed} were signed: not signing"
            )
        try:
            if not self._continues(before, log, heads):
                self._rebuild(before, log, heads)
        except OSError as error:
            raise SealError(
                f"cannot write the hashes of the log in {self.tree.directory}: {error.strerror}"
            ) from error
        return heads

    def _continues(self, before: Checkpoint | None, log: Log, heads: Heads) -> bool:
        """Take in what is new on top of what was signed; False where the two do not fit."""
        signed = before.size if before else 0
        try:
            if before is not None and self.tree.root(signed) != before.root:
                return False
            if self.tree.size > heads.size:
                self.tree.cut(signed)
            new = log.leaves(after=self.tree.size - 1)
            self.tree.extend(itertools.islice(new, heads.size - self.tree.size))
            return self.tree.frontier(heads.size).to_bytes() == heads.frontier
        except TreeIncompleteError:
            return False

    def _rebuild(self, before: Checkpoint | None, log: Log, heads: Heads) -> None:
        """Read the whole log again, and say what is wrong with it if anything is."""
        self.tree.cut(0)
        self.tree.extend(itertools.islice(log.leaves(), heads.size))
        found = self.tree.size
        if found != heads.size:
            raise RecordBrokenError(f"expected {heads.size} entries to sign, found {found}")
        if before is not None and self.tree.root(before.size) != before.root:
            self.tree.cut(0)
            raise RecordBrokenError(
                f"the first {before.size} entries are not those that were signed: not signing"
            )
        try:
            fits = self.tree.frontier(found).to_bytes() == heads.frontier
        except FrontierMalformedError:
            fits = False
        if not fits:
            self.tree.cut(before.size if before else 0)
            raise RecordBrokenError("the log's head does not fit its entries: not signing")

    def _write(self, note: str) -> None:
        try:
            write_durably(self.checkpoint_file, note.encode(), mode=0o644)
        except OSError as error:
            raise SealError(f"cannot write {self.checkpoint_file}: {error.strerror}") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One signing at a time, in whatever process."""
        make_private_directory(self.directory)
        try:
            descriptor = os.open(self.directory / "sealing.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SealError(f"cannot write in {self.directory}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _same_key(line: str, other: str) -> bool:
    """Whether two signature lines are by one key: its name, and its id in base64's first part."""
    (_, name, encoded), (_, other_name, other_encoded) = line.split(" ", 2), other.split(" ", 2)
    ids = [base64.b64decode(one)[:4] for one in (encoded, other_encoded)]
    return name == other_name and ids[0] == ids[1]

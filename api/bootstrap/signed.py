"""What was signed of a log, for whoever gives it away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.bootstrap.reading import mode_of
from api.bootstrap.surroundings import premises_at
from domain.assurance.checkpoints import Checkpoint, CheckpointError, open_checkpoint
from domain.assurance.notes import NoteError, VerifierKey
from domain.kernel.errors import DomainError, NotFoundError, RecordBrokenError
from domain.kernel.events import Happened
from domain.log.aggregate import KEYS, LogKeys
from infrastructure.clock import SystemClock
from infrastructure.packs.writer import Certifying, Packed, SignedLog, write_pack
from infrastructure.record.event_record import EventRecord
from infrastructure.seal.export import Exported, Exporter
from infrastructure.seal.following import Step, follow
from infrastructure.seal.scope_secrets import ScopeSecrets
from infrastructure.seal.sealer import Sealer
from infrastructure.seal.signing import SealError
from infrastructure.seal.witnesses import Witnesses


@dataclass
class SealedLog:
    """What was signed of one log, for whoever gives it away; nothing is written to the record."""

    record: EventRecord
    sealer: Sealer
    keys: LogKeys
    witnesses: Witnesses
    _clock: SystemClock

    def checked(self) -> tuple[Checkpoint, str]:
        """The newest checkpoint and its note, with the hashes of the tree at hand.

        Raises:
            SealError: nothing was signed yet.
            RecordBrokenError: the log is not what was signed.
        """
        last, note = self.sealer.last(), self.sealer.last_note()
        if last is None or note is None:
            raise SealError("nothing was signed yet: there is no checkpoint")
        self.sealer.examine(self.record, now=self._clock.now())
        return last, note

    def pack(
        self,
        target: Path,
        scope: str,
        *,
        checkpoint: str | None = None,
        tell: Callable[[Happened], str],
        certificate: Callable[[dict[str, Any]], str] | None = None,
    ) -> Packed:
        """Write the evidence pack of one deployment.

        Args:
            target: a name that is not taken.
            scope: the deployment.
            checkpoint: an older checkpoint to make it against; None for the newest.
            tell: an event in words.
            certificate: puts a deletion certificate into it: how it is written as a page.

        Raises:
            NotCertifiedError: something of the deployment is left, or does not add up.
            PackError: it cannot be written, or the log says too little of the deployment yet.
            DomainError: the checkpoint is not one of this log.
            RecordBrokenError: the log is not what was signed.
        """
        _, newest = self.checked()
        note = newest if checkpoint is None else checkpoint
        return write_pack(
            target,
            scope,
            SignedLog(
                note=note,
                key=self._signer_of(note),
                stored=self.record.database.stored,
                hash_at=self.sealer.tree.hash_at,
                open_end=ScopeSecrets(self.sealer.directory).open_end,
                tell=tell,
            ),
            certifying=Certifying(as_of=self._clock.now(), page=certificate)
            if certificate
            else None,
        )

    def _signer_of(self, note: str) -> VerifierKey:
        """The key of this log that signed a checkpoint, which must be one of its history."""
        current = self.sealer.keys.current().verifier()
        for key in (current, *(VerifierKey.from_text(text) for text in self.keys.keys)):
            try:
                found = open_checkpoint(note, key, self.sealer.keys.origin)
            except (NoteError, CheckpointError):
                continue
            if (
                found.size > self.sealer.tree.size
                or self.sealer.tree.root(found.size) != found.root
            ):
                raise RecordBrokenError(
                    f"a checkpoint of {found.size} entries that this log signed is not of the "
                    "history that is stored"
                )
            return key
        raise DomainError("the checkpoint given was not signed by a key of this log")

    def followed(self, key_text: str) -> list[Step]:
        """The keys that a key leads to, the one that signs now last; none where it still signs.

        Raises:
            DomainError: it is no key, none of this log's, or does not lead to the one that signs.
        """
        try:
            key = VerifierKey.from_text(key_text.strip())
        except NoteError as error:
            raise DomainError(f"the key given is not a verifier key: {error}") from error
        steps = follow(
            key, retired=self.sealer.keys.directory / "retired", blobs=self.record.blobs()
        )
        current = self.sealer.keys.current().verifier()
        if (steps[-1].key if steps else key) != current:
            raise DomainError("the key given is none that leads to the key that signs this log")
        return steps

    def export(self, directory: Path, *, public: bool) -> Exported:
        """Write checkpoint, tiles, entries and key below a directory (C2SP tlog-tiles).

        Raises:
            ExportError: the directory holds something else; nothing in it was changed.
        """
        _, note = self.checked()
        current = self.sealer.keys.current().verifier()
        earlier = [VerifierKey.from_text(text) for text in self.keys.keys]
        exporter = Exporter(directory, tree=self.sealer.tree, record=self.record, public=public)
        return exporter.export(note, [*(key for key in earlier if key != current), current])


@contextmanager
def sealed_log(path: Path) -> Iterator[SealedLog]:
    """The signed part of a log, beside whoever writes to it.

    Raises:
        RecordUnreadableError: there is no record, or it cannot be read.
        SealKeyError: the log's key is gone, or another log's.
    """
    premises = premises_at(path)
    mode = mode_of(path)
    clock = SystemClock()
    record = premises.open_record(mode, clock, lambda size: None)
    try:
        sealer = premises.sealer(record.origin, new=False)
        try:
            keys = record.load(LogKeys, KEYS)
        except NotFoundError:
            keys = LogKeys()
        yield SealedLog(record, sealer, keys, Witnesses(sealer, clock), clock)
    finally:
        record.close()

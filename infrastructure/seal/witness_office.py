"""Our witness: it cosigns a log's checkpoints, each only if it continues the one before.

Its directory holds ``witness.key`` (0600), ``witness.vkey`` to give away, ``logs`` (the verifier
keys of the logs that it knows) and ``held/``: of each log the newest checkpoint that it cosigned,
with its own signature, by which damage to it is noticed. The new state is on the disk before the
answer is given; whoever died in between asks again and gets the cosignature then.

A witness sees forks and rollbacks, and no lie that was entered.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from domain.assurance.checkpoints import Checkpoint, CheckpointError
from domain.assurance.cosignatures import WitnessSignerKey, add_cosignature, cosigned_at
from domain.assurance.notes import NoteError, VerifierKey, taken_apart
from domain.assurance.witnessing import (
    NOTHING,
    AddCheckpoint,
    Known,
    NotCosigned,
    RequestMalformedError,
    answer,
)
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.ports import Clock
from infrastructure.files import make_private_directory, write_durably

SIZE = "text/x.tlog.size"


class WitnessError(DomainError):
    """The witness's directory is not as it must be."""


class WitnessStateError(RecordBrokenError):
    """What the witness remembers is damaged: it cosigns nothing for that log any more."""


@dataclass(frozen=True)
class Answer:
    """An answer as tlog-witness has it: an HTTP status and a body."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"


class WitnessOffice:
    """One witness.

    Args:
        directory: its key and what it remembers; made when first used.
        clock: tells when it cosigned.
        name: the witness's name, for a new one; random where none is given.

    Raises:
        WitnessError: the key cannot be used, or is another's than the name says.
    """

    def __init__(self, directory: Path, *, clock: Clock, name: str | None = None) -> None:
        self.directory = directory
        self._clock = clock
        make_private_directory(directory)
        make_private_directory(directory / "held")
        with self._alone():
            self._key = self._own_key(name)
        public = directory / "witness.vkey"
        if not public.exists():
            write_durably(public, f"{self._key.verifier().text()}\n".encode(), mode=0o644)

    @property
    def verifier_key(self) -> str:
        """The key that whoever asks this witness must know."""
        return self._key.verifier().text()

    def trust(self, keys: Iterable[VerifierKey]) -> None:
        """Witness these logs too, from now on."""
        with self._alone():
            known = self._logs()
            wanted = dict.fromkeys([*known, *(key.text() for key in keys)])
            if len(wanted) > len(known):
                text = "".join(f"{one}\n" for one in wanted)
                write_durably(self.directory / "logs", text.encode(), mode=0o644)

    def logs(self) -> list[VerifierKey]:
        """The logs that it witnesses.

        Raises:
            WitnessError: the list cannot be read.
        """
        try:
            return [VerifierKey.from_text(line) for line in self._logs()]
        except NoteError as error:
            raise WitnessError(f"{self.directory / 'logs'}: {error}") from error

    def add_checkpoint(self, body: bytes) -> Answer:
        """Judge one request, remember what was cosigned, and answer.

        Raises:
            WitnessStateError: what it remembers of that log is damaged.
            WitnessError: what it would remember cannot be written; nothing was cosigned.
        """
        try:
            request = AddCheckpoint.parse(body.decode())
        except (RequestMalformedError, UnicodeDecodeError) as error:
            return Answer(400, f"{error}\n".encode())
        with self._alone():
            return self._judged(request)

    def _judged(self, request: AddCheckpoint) -> Answer:
        origin = request.checkpoint.partition("\n")[0]
        judged = answer(
            request,
            known={origin: self.held(origin)},
            log_keys={origin: [key for key in self.logs() if key.name == origin]},
            key=self._key,
            at=int(self._clock.now().timestamp()),
        )
        if isinstance(judged, NotCosigned):
            if judged.size is not None:
                return Answer(judged.status, f"{judged.size}\n".encode(), SIZE)
            return Answer(judged.status, f"{judged.sentence}\n".encode())
        self._remember(origin, add_cosignature(request.checkpoint, judged.line))
        return Answer(200, judged.line.encode())

    def held(self, origin: str) -> Known:
        """The newest checkpoint of a log that this witness cosigned.

        Raises:
            WitnessStateError: it is not what this witness wrote.
        """
        file = self._state_file(origin)
        try:
            note = file.read_bytes().decode()
            cosigned_at(note, self._key.verifier())
            checkpoint = Checkpoint.parse(taken_apart(note)[0])
        except FileNotFoundError:
            if file.name in self._ever():
                raise WitnessStateError(
                    f"{file} is gone, and this witness cosigned that log before. Without it this "
                    "witness could cosign a rollback: bring the file back"
                ) from None
            return NOTHING
        except (OSError, UnicodeDecodeError, NoteError, CheckpointError) as error:
            raise WitnessStateError(
                f"{file}: expected a checkpoint that this witness cosigned ({error}). Without it "
                "this witness could cosign a rollback, so it cosigns nothing of that log: bring "
                "the file back"
            ) from error
        if checkpoint.origin != origin:
            raise WitnessStateError(f"{file}: expected a checkpoint of {origin}")
        return Known(checkpoint.size, checkpoint.root)

    def _remember(self, origin: str, note: str) -> None:
        try:
            write_durably(self._state_file(origin), note.encode(), mode=0o600)
            # behind the state: who dies in between has given no answer, and lists it next time
            ever, name = self._ever(), self._state_file(origin).name
            if name not in ever:
                text = "".join(f"{one}\n" for one in sorted({*ever, name}))
                write_durably(self.directory / "cosigned", text.encode(), mode=0o600)
        except OSError as error:
            raise WitnessError(
                f"cannot write {self._state_file(origin)}: {error.strerror}; nothing was cosigned"
            ) from error

    def _state_file(self, origin: str) -> Path:
        return self.directory / "held" / hashlib.sha256(origin.encode()).hexdigest()

    def _ever(self) -> set[str]:
        """The logs of which something was cosigned, by the names of their state files."""
        try:
            return set((self.directory / "cosigned").read_text(encoding="utf-8").split())
        except FileNotFoundError:
            return set()
        except (OSError, UnicodeDecodeError) as error:
            raise WitnessError(f"{self.directory / 'cosigned'} cannot be read: {error}") from error

    def _logs(self) -> list[str]:
        try:
            text = (self.directory / "logs").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise WitnessError(f"{self.directory / 'logs'} cannot be read: {error}") from error
        return [line.strip() for line in text.splitlines() if line.strip()]

    def _own_key(self, name: str | None) -> WitnessSignerKey:
        file = self.directory / "witness.key"
        if not file.exists():
            if self._ever() or any((self.directory / "held").iterdir()):
                raise WitnessError(
                    f"expected the witness's key at {file}, found none: bring it back"
                )
            made = WitnessSignerKey.generate(
                name or f"plumbline.invalid/witness/{secrets.token_hex(8)}"
            )
            write_durably(file, f"{made.text()}\n".encode(), mode=0o600)
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise WitnessError(f"{file} can be read by others: run chmod 600 {file}")
        try:
            key = WitnessSignerKey.from_text(file.read_text(encoding="utf-8").strip())
        except (NoteError, UnicodeDecodeError) as error:
            raise WitnessError(f"{file} cannot be read as a key: {error}") from error
        if name is not None and key.name != name:
            raise WitnessError(f"{self.directory} is of the witness {key.name}, not of {name}")
        return key

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One request at a time, whichever process or thread it comes to."""
        descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

"""The witnesses of this log: who they are, what they hold, and asking them.

``seal/witnesses`` names them, one a line: the verifier key, and where it is asked (``http://``,
``https://``, or ``offline`` for one that is reached on a stick). ``seal/witnessed/`` keeps of each
what it cosigned last, so that a log that was cut or brought back from an older copy is noticed at
the next start, also with no network.

Whatever a witness answers is checked before it is kept, and no answer, a late one or a wrong one
never keeps a log from going on: it is told in words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from domain.assurance.checkpoints import Checkpoint
from domain.assurance.cosignatures import WitnessKey, cosigned_at
from domain.assurance.notes import NoteError, decoded_base64, taken_apart
from domain.assurance.proofs import ProofInvalidError, consistency_proof, verify_consistency
from domain.assurance.witnessing import AddCheckpoint
from domain.kernel.errors import RecordBrokenError
from domain.kernel.time import read, written
from domain.ports import Clock
from infrastructure.files import make_private_directory, sync_directory, write_durably
from infrastructure.seal.sealer import Sealer
from infrastructure.seal.signing import SealError
from infrastructure.seal.tree_store import TreeIncompleteError
from infrastructure.seal.witness_client import TIMEOUT_S, WitnessUnreachableError, ask

T = TypeVar("T")

OFFLINE = "offline"
AHEAD = timedelta(minutes=5)
"""A cosignature from further in the future than this is not kept: one of two clocks is wrong."""


class WitnessesError(SealError):
    """The list of witnesses, or what is kept of them, cannot be read."""


@dataclass(frozen=True)
class Witness:
    """One who cosigns."""

    key: WitnessKey
    where: str
    """The submission prefix, or ``offline``."""


@dataclass(frozen=True)
class Held:
    """What a witness cosigned last, as far as we know."""

    name: str
    size: int
    root: bytes
    cosigned_at: datetime
    """By the witness's clock."""
    accepted_at: datetime
    """By ours."""


class Witnesses:
    """The witnesses of one log.

    Args:
        sealer: of the log, whose directory keeps what is known of them.
        clock: tells the time.
        timeout_s: how long one may take to answer.
    """

    def __init__(self, sealer: Sealer, clock: Clock, *, timeout_s: float = TIMEOUT_S) -> None:
        self._sealer = sealer
        self._clock = clock
        self._timeout_s = timeout_s
        self._file = sealer.directory / "witnesses"
        self._kept = sealer.directory / "witnessed"

    def configured(self) -> list[Witness]:
        """Who is to be asked.

        Raises:
            WitnessesError: a line is not a verifier key and an address.
        """
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise WitnessesError(f"{self._file} cannot be read: {error}") from error
        return [
            self._witness(number, line.split())
            for number, line in enumerate(lines, 1)
            if line.strip() and not line.startswith("#")
        ]

    def named(self, name: str | None) -> Witness:
        """The one witness of this name, or the only one there is.

        Raises:
            WitnessesError: there is none, or several.
        """
        found = [one for one in self.configured() if name in (None, one.key.name)]
        if len(found) != 1:
            raise WitnessesError(
                f"expected one witness{f' called {name}' if name else ''} in {self._file}, found "
                f"{len(found)}"
            )
        return found[0]

    def held(self) -> list[Held]:
        """What each witness is known to hold.

        Raises:
            WitnessesError: what was kept is damaged.
        """
        return [self._read(file) for file in sorted(self._kept.glob("*.json"))]

    def newest_cosignature(self) -> datetime | None:
        """When the newest cosignature was given: by the witness's clock, or by ours if earlier.

        So a witness whose clock is ahead cannot keep a log from being sealed.
        """
        return max((min(one.cosigned_at, one.accepted_at) for one in self.held()), default=None)

    # -- at the start --------------------------------------------------------------------------

    def longest_told(self) -> int:
        """The longest log that any witness says it holds, of those that can be reached now."""
        note, asked = self._sealer.last_note(), self._reachable()
        if note is None:
            return 0
        told = _at_once(asked, lambda one: self._probe(one, note))
        return max((size for size, _ in told), default=0)

    def set_aside(self, *, beyond: int) -> None:
        """Keep what was cosigned of a lost history apart.

        Args:
            beyond: only where a witness holds more entries than these; -1 for all.

        Raises:
            SealError: it cannot be written.
        """
        try:
            for file in sorted(self._kept.glob("*.json")):
                held = self._read(file)
                if held.size > beyond:
                    make_private_directory(self._sealer.lost_directory)
                    file.rename(self._sealer.lost_directory / f"{held.size}-{file.name}")
            if self._kept.is_dir():
                sync_directory(self._kept)
        except OSError as error:
            raise SealError(f"cannot write in {self._kept}: {error.strerror}") from error

    def require_not_behind(self, size: int, *, lost: int = 0) -> list[str]:
        """Stop before anything is written if a witness or our own signature knows a longer log.

        Args:
            size: the entries that the record holds.
            lost: the longest history of which the record says that it was lost. A witness that
                holds no more than that tells nothing new.

        Returns:
            What the witnesses that were asked said, where it is worth telling.

        Raises:
            RecordBrokenError: the log was cut, or brought back from an older copy.
        """
        last = self._sealer.last()
        if last is not None and last.size > size:
            raise RecordBrokenError(_behind(size, "this log itself", f"signed {last.size}"))
        for one in self.held():
            if one.size > size:
                when = written(one.cosigned_at)
                raise RecordBrokenError(
                    _behind(size, f"the witness {one.name}", f"cosigned {one.size} at {when}")
                )
            if last is None:
                raise RecordBrokenError(
                    f"the witness {one.name} cosigned {one.size} entries, and "
                    f"{self._sealer.checkpoint_file} is gone: bring it back; nothing is written"
                )
            self._require_same_history(one, last)
        note = self._sealer.last_note()
        if last is None or note is None:
            return []
        asked = self._reachable()
        return [
            words
            for witness, (told, words) in zip(
                asked, _at_once(asked, lambda one: self._probe(one, note)), strict=True
            )
            if self._not_longer(max(size, lost), witness, told) and words
        ]

    def _reachable(self) -> list[Witness]:
        return [witness for witness in self.configured() if witness.where != OFFLINE]

    def _require_same_history(self, held: Held, last: Checkpoint | None) -> None:
        if last is None or held.size > last.size:
            return
        try:
            found = self._sealer.tree.root(held.size)
        except TreeIncompleteError:
            return  # the cache is gone; the sealer builds it anew and compares what was signed
        if self._sealer.tree.root(last.size) == last.root and found != held.root:
            raise RecordBrokenError(
                f"the witness {held.name} cosigned {held.size} entries with the root "
                f"{held.root.hex()}, this log has another history: nothing is written to it"
            )

    def _probe(self, witness: Witness, note: str) -> tuple[int, str]:
        """The size that a witness says it holds; 0 where it does not say, and why."""
        try:
            answer = ask(
                witness.where,
                AddCheckpoint(0, (), note).body().encode(),
                timeout_s=self._timeout_s,
            )
        except WitnessUnreachableError as error:
            return 0, f"the witness {witness.key.name} was not reached: {error}"
        if answer.status == 409:
            return _told_size(answer.body) or 0, ""
        if answer.status == 200:
            return 0, self._keep(witness, note, answer.body.decode(errors="replace"))
        return 0, f"the witness {witness.key.name} does not say what it holds: " + _told(
            answer.status
        )

    def _not_longer(self, size: int, witness: Witness, told: int) -> bool:
        if told <= size:
            return True
        raise RecordBrokenError(
            _behind(size, f"the witness {witness.key.name}", f"says that it holds {told}")
            + f". If that witness is known to be wrong, take it out of {self._file}"
        )

    # -- after a sealing -----------------------------------------------------------------------

    def ask_all(self) -> list[str]:
        """Have the newest checkpoint cosigned by every witness that can be reached.

        Returns:
            For each witness, what came of it, in words.
        """
        note, last = self._sealer.last_note(), self._sealer.last()
        if note is None or last is None:
            return []
        return _at_once(self._reachable(), lambda witness: self._ask(witness, note, last))

    def request(self, witness: Witness, *, old: int | None = None) -> bytes:
        """What an offline witness is given: the newest checkpoint, and a proof that it continues
        what that witness holds.

        Args:
            witness: who is to cosign.
            old: the size that it holds; None for the size that it cosigned last, as we know.

        Raises:
            SealError: nothing was signed yet, or the witness holds more than was signed.
        """
        note, last = self._sealer.last_note(), self._sealer.last()
        if note is None or last is None:
            raise SealError("nothing was signed yet: there is no checkpoint to cosign")
        if old is None:
            old = self._known_size(witness)
        if old > last.size:
            raise SealError(
                f"the witness holds {old} entries, the newest checkpoint has {last.size}"
            )
        return self._request(witness, old, last, note).body().encode()

    def accept(self, answer: str) -> list[str]:
        """Keep what an offline witness answered, if it fits the newest checkpoint.

        Returns:
            Whose cosignatures were kept, in words.

        Raises:
            WitnessAnswerError: it is not a cosignature of a witness of this log over the newest
                checkpoint.
        """
        note = self._sealer.last_note()
        if note is None:
            raise SealError("nothing was signed yet: there is no checkpoint to cosign")
        kept = []
        for witness in self.configured():
            try:
                at = self._checked(witness, note, answer)
            except _NotGivenError:
                continue
            kept.append(self._kept_words(witness, note, answer, at))
        if not kept:
            raise WitnessAnswerError(
                f"this answer holds no signature of a witness in {self._file}; nothing was changed"
            )
        return kept

    def _ask(self, witness: Witness, note: str, last: Checkpoint) -> str:
        name = witness.key.name
        try:
            old = self._known_size(witness)
            for _ in range(2):
                request = self._request(witness, old, last, note)
                answer = ask(witness.where, request.body().encode(), timeout_s=self._timeout_s)
                if answer.status == 200:
                    return self._keep(witness, note, answer.body.decode(errors="replace"))
                if answer.status == 422:
                    return (
                        f"ALARM: the witness {name} does not see this log grow from what it holds"
                    )
                told = _told_size(answer.body) if answer.status == 409 else None
                if told is None:
                    return f"the witness {name} did not cosign: {_told(answer.status)}"
                if told > last.size:
                    return (
                        f"ALARM: the witness {name} says that it holds {told} entries, the newest "
                        f"checkpoint has {last.size}"
                    )
                if told == old == last.size:
                    return (
                        f"ALARM: the witness {name} holds another history of {told} entries than "
                        "this log"
                    )
                old = told
        except (WitnessUnreachableError, SealError) as error:
            return f"the witness {name} did not cosign: {error}"
        return f"the witness {name} did not cosign: it says another size each time"

    def _request(self, witness: Witness, old: int, last: Checkpoint, note: str) -> AddCheckpoint:
        try:
            if old == 0:
                return AddCheckpoint(0, (), note)
            tree = self._sealer.tree
            proof = tuple(consistency_proof(old, last.size, tree.hash_at))
            verify_consistency(
                old=old,
                new=last.size,
                proof=proof,
                old_root=tree.root(old),
                new_root=last.root,
            )
        except (TreeIncompleteError, ProofInvalidError) as error:
            raise SealError(
                f"the hashes of the log are damaged ({error}): seal it again"
            ) from error
        return AddCheckpoint(old, proof, note)

    def _keep(self, witness: Witness, note: str, answer: str) -> str:
        try:
            return self._kept_words(witness, note, answer, self._checked(witness, note, answer))
        except SealError as error:
            return f"the witness {witness.key.name} did not cosign: {error}"

    def _checked(self, witness: Witness, note: str, answer: str) -> datetime:
        """When the witness cosigned this checkpoint, by its own clock.

        Raises:
            WitnessAnswerError: it did not, or at a time that cannot be.
        """
        line = _line_of(witness, answer)
        text, _ = taken_apart(note)
        try:
            at = datetime.fromtimestamp(cosigned_at(f"{text}\n{line}", witness.key), UTC)
        except (NoteError, OverflowError, OSError, ValueError) as error:
            raise WitnessAnswerError(
                "its signature does not fit the newest checkpoint of this log"
            ) from error
        now = self._clock.now()
        if at > now + AHEAD:
            raise WitnessAnswerError(
                f"it says that it cosigned at {written(at)}, the clock here says {written(now)}: "
                "one of them is wrong"
            )
        return at

    def _kept_words(self, witness: Witness, note: str, answer: str, at: datetime) -> str:
        checkpoint = Checkpoint.parse(taken_apart(note)[0])
        kept = {
            "witness": witness.key.text(),
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "cosigned_at": written(at),
            "accepted_at": written(self._clock.now()),
        }
        try:
            make_private_directory(self._kept)
            write_durably(
                self._kept_file(witness),
                f"{json.dumps(kept, indent=1)}\n".encode(),
                mode=0o644,
            )
        except OSError as error:
            raise SealError(f"cannot write in {self._kept}: {error.strerror}") from error
        self._sealer.add_signature(checkpoint, _line_of(witness, answer))
        return f"the witness {witness.key.name} cosigned {checkpoint.size} entries at {written(at)}"

    # -- what is kept --------------------------------------------------------------------------

    def _known_size(self, witness: Witness) -> int:
        file = self._kept_file(witness)
        return self._read(file).size if file.exists() else 0

    def _kept_file(self, witness: Witness) -> Path:
        return self._kept / f"{witness.key.key_id.hex()}.json"

    def _read(self, file: Path) -> Held:
        try:
            kept = json.loads(file.read_bytes())
            return Held(
                name=WitnessKey.from_text(kept["witness"]).name,
                size=int(kept["size"]),
                root=bytes.fromhex(kept["root"]),
                cosigned_at=read(kept["cosigned_at"]),
                accepted_at=read(kept["accepted_at"]),
            )
        except (OSError, ValueError, KeyError, TypeError, NoteError) as error:
            raise WitnessesError(
                f"{file} is damaged ({type(error).__name__}): bring it back, or remove it to go on "
                "without knowing what that witness cosigned"
            ) from error

    def _witness(self, number: int, parts: Sequence[str]) -> Witness:
        where = f"{self._file}, line {number}"
        if len(parts) != 2:
            raise WitnessesError(f"{where}: expected a verifier key and an address")
        try:
            key = WitnessKey.from_text(parts[0])
        except NoteError as error:
            raise WitnessesError(f"{where}: {error}") from error
        if parts[1] != OFFLINE:
            address = urlsplit(parts[1])
            if address.scheme not in ("http", "https") or not address.hostname or address.username:
                raise WitnessesError(
                    f"{where}: expected http://HOST..., https://HOST... or {OFFLINE}"
                )
        return Witness(key, parts[1])


class WitnessAnswerError(SealError):
    """What a witness answered cannot be kept."""


class _NotGivenError(WitnessAnswerError):
    """The answer holds no signature by this witness."""


def _line_of(witness: Witness, answer: str) -> str:
    """The line of the answer that claims to be by this witness."""
    for line in answer.split("\n"):
        name, _, encoded = line.removeprefix("\u2014 ").partition(" ")
        decoded = decoded_base64(encoded) or b""
        if (name, decoded[:4]) == (witness.key.name, witness.key.key_id):
            return f"{line}\n"
    raise _NotGivenError("the answer holds no signature by its key")


def _at_once(asked: Sequence[Witness], work: Callable[[Witness], T]) -> list[T]:
    """Ask all at the same time, so that a slow one costs its own time only."""
    if not asked:
        return []
    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(work, asked))


def _told(status: int) -> str:
    """What a witness means by a status that is no answer."""
    match status:
        case 403:
            return "it does not know the key that signs this log (403): give it log.vkey"
        case 404:
            return "it does not know this log (404): give it log.vkey"
        case _:
            return f"it answered {status}"


def _told_size(body: bytes) -> int | None:
    text = body.decode(errors="replace").strip()
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _behind(size: int, who: str, what: str) -> str:
    return (
        f"the log has {size} entries, but {who} {what}: it was cut, or brought back from an older "
        "copy. It can be read, and nothing is written to it (plumbline doctor says more)"
    )

"""An evidence pack: one deployment's history, which shows by itself that it is whole.

::

    data/entries.jsonl     the deployment's entries, byte for byte as they were hashed, one a line
    data/events.jsonl      the same as CloudEvents
    data/force.jsonl       the entries of the force that they rest on, byte for byte
    data/checkpoint        the signed checkpoint, with what witnesses added to it
    data/multiproof.bin    32 bytes each: that all these entries are under the checkpoint's root
    data/proof.json        which deployment, and the opening of its end in a commitment
    data/certificate.json  where one was asked for: that nothing of the deployment is left

**What is shown.** The entries are chained from the deployment's first one (``scope_pos``,
``scope_prev``), so none is left out before the last. The multiproof puts each at its place in the
log. Before it signs, a log commits to the last entry of every scope
(``log.scope_heads_committed``); the opening shows that the commitment in ``force.jsonl`` is to
this deployment with so many entries and this last one, so nothing was cut off at the end either.
What the deployment did behind that commitment is in the pack as far as the checkpoint goes, but
that nothing was cut off there is not shown, and is said.

A certificate is no proof: every figure of it is recomputed from the entries.

**What only the bag's digests cover:** every other file. They are for people, and whoever can change
one can write its digest anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import merge
from pathlib import Path
from typing import Any, Self

from domain.assurance import entries
from domain.assurance.bags import check_bag
from domain.assurance.certificates import (
    CERTIFICATE,
    certificate,
    statement,
    to_bytes,
    why_not,
)
from domain.assurance.checkpoints import Checkpoint, CheckpointError
from domain.assurance.chunks import name_in
from domain.assurance.cloud_events import cloud_event
from domain.assurance.cosignatures import WitnessKey, cosignatures
from domain.assurance.custody import Custody
from domain.assurance.entries import (
    FORCE_SCOPE,
    LARGEST_ENTRY,
    Entry,
    EntryInvalidError,
    EntryUnreadableError,
    canonical,
)
from domain.assurance.examined import Following, followed
from domain.assurance.files import content, open_plain, text
from domain.assurance.notes import NoteError, VerifierKey, open_note
from domain.assurance.proofs import ProofInvalidError, verify_multiproof
from domain.assurance.scope_heads import Opening, ScopeEnd, verify_opening
from domain.assurance.tree import HASH_SIZE, leaf_hash
from domain.assurance.verification import (
    Cosigned,
    FaultFoundError,
    Kind,
    Verdict,
    in_silence,
    not_looked_at,
    printable,
)

ENTRIES = "data/entries.jsonl"
EVENTS = "data/events.jsonl"
FORCE = "data/force.jsonl"
CHECKPOINT = "data/checkpoint"
MULTIPROOF = "data/multiproof.bin"
PROOF = "data/proof.json"
PROVEN = (ENTRIES, EVENTS, FORCE, CHECKPOINT, MULTIPROOF, PROOF)
"""The files that the signature reaches. Whatever else is in a pack only the digests cover."""

PROGRESS_EVERY = 4096
"""Entries from one telling to the next."""

FORMAT = "plumbline-pack/1"
COMMITTED = "log.scope_heads_committed"
"""The stored name of a commitment to the ends of all scopes."""

_MOST_PROOF_BYTES = 64 * 1024
_MOST_CERTIFICATE_BYTES = 256 * 1024 * 1024
_DEEPEST_TREE = 63
_LONGEST_EVENT = LARGEST_ENTRY * 2
_LAYOUT: dict[str, type] = {"commitment": int, "format": str, "opening": dict, "scope": str}
_OPENING: dict[str, type] = {
    "count": int,
    "index": int,
    "leaf": str,
    "proof": list,
    "size": int,
    "token": str,
}


@dataclass(frozen=True)
class PackProof:
    """What ``proof.json`` says: whose pack it is, and where it was committed to."""

    scope: str
    """The deployment's id."""
    commitment: int
    """The position of the commitment that is opened."""
    opening: Opening

    def to_bytes(self) -> bytes:
        """Canonical JSON and a newline."""
        told = {
            "commitment": self.commitment,
            "format": FORMAT,
            "opening": {
                "count": self.opening.count,
                "index": self.opening.index,
                "leaf": self.opening.end.leaf.hex(),
                "proof": [one.hex() for one in self.opening.proof],
                "size": self.opening.end.size,
                "token": self.opening.token.hex(),
            },
            "scope": self.scope,
        }
        return canonical(told) + b"\n"

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """What :meth:`to_bytes` wrote.

        Raises:
            ValueError: it is not the one form of such a thing.
        """
        told = _members(json.loads(raw.decode("utf-8")), _LAYOUT)
        opening = _members(told["opening"], _OPENING)
        proof = cls(
            scope=told["scope"],
            commitment=told["commitment"],
            opening=Opening(
                token=bytes.fromhex(opening["token"]),
                end=ScopeEnd(opening["size"], bytes.fromhex(opening["leaf"])),
                index=opening["index"],
                count=opening["count"],
                proof=tuple(bytes.fromhex(_a_text(one)) for one in opening["proof"]),
            ),
        )
        if told["format"] != FORMAT or proof.to_bytes() != raw:
            raise ValueError(f"expected {FORMAT} in canonical JSON")
        return proof


def verify_pack(
    directory: Path,
    *,
    key: VerifierKey,
    outside_checkpoint: str | None = None,
    witnesses: Sequence[WitnessKey] = (),
    as_of: datetime | None = None,
    progress: Callable[[int], None] = in_silence,
) -> Verdict:
    """Recompute an evidence pack.

    Args:
        directory: the bag.
        key: the log's public key, got from somewhere other than the pack.
        outside_checkpoint: a signed checkpoint that someone else kept. It must be the pack's own:
            of another one a pack cannot show that the two are of one history.
        witnesses: each of them must have cosigned the checkpoint.
        as_of: the time to work custody out for; None for the newest in the pack.
        progress: told the number of entries now and then.
    """
    try:
        pack = _Pack(directory)
        pack.open_checkpoint(key, outside_checkpoint, witnesses)
        pack.read_entries(progress)
        pack.check_places()
        pack.check_end()
        custody = Following(Custody(pack.scope))
        for name, blob in pack.named():
            custody.entry(name, blob)
        return pack.with_certificate(custody.told(pack.verdict(), as_of=as_of))
    except FaultFoundError as fault:
        return not_looked_at(fault.kind, str(fault))


@dataclass
class _History:
    """Entries that were followed: their leaf hashes by position, and where they end."""

    leaves: dict[int, bytes] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    """Positions, in the order of the entries."""
    mode: str | None = None
    last_leaf: str | None = None
    streams: dict[str, int] = field(default_factory=dict)


def in_order(
    directory: Path, *, own: Sequence[int], force: Sequence[int]
) -> Iterator[tuple[str, bytes]]:
    """The entries of a pack behind their names, in the order of the log.

    Args:
        directory: of the pack.
        own: the positions of the deployment's entries, in their order.
        force: those of the force's.
    """
    both = (
        zip(positions, _lines(directory, name, most=LARGEST_ENTRY), strict=True)
        for name, positions in ((ENTRIES, own), (FORCE, force))
    )
    return ((name_in(blob), blob) for _, blob in merge(*both))


def _lines(directory: Path, name: str, *, most: int) -> Iterator[bytes]:
    """The lines of a file, none longer than ``most`` bytes."""
    with open(open_plain(directory / name, name), "rb") as file:
        while line := file.readline(most + 2):
            if not line.endswith(b"\n"):
                raise FaultFoundError(
                    Kind.UNREADABLE, f"{name}: expected lines of at most {most} bytes"
                )
            yield line[:-1]


class _Pack:
    """A pack that is being checked, step by step.

    Raises:
        FaultFoundError: by each step, with the first thing that is wrong.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files = check_bag(directory)
        for name in PROVEN:
            if name not in self._files:
                raise FaultFoundError(Kind.MISSING, f"expected {name} in the pack, found none")
        self._own = _History()
        self._force = _History()
        self._commitment: Entry | None = None
        try:
            self._proof = PackProof.from_bytes(
                content(directory / PROOF, PROOF, most=_MOST_PROOF_BYTES)
            )
        except (ValueError, EntryInvalidError, RecursionError) as error:
            raise FaultFoundError(Kind.UNREADABLE, f"{PROOF}: {error}") from error

    def open_checkpoint(
        self, key: VerifierKey, outside: str | None, witnesses: Sequence[WitnessKey]
    ) -> None:
        """The checkpoint under the trusted key, with every trusted witness's signature."""
        note = text(self._directory / CHECKPOINT, CHECKPOINT)
        self._checkpoint = _opened(note, "the checkpoint of the pack", key)
        self._cosigned = _cosigned(note, self._checkpoint.size, witnesses)
        self._tied = outside is not None
        if outside is None:
            return
        kept = _opened(outside, "the checkpoint from elsewhere", key)
        if kept.origin != self._checkpoint.origin:
            raise FaultFoundError(
                Kind.UNSIGNED,
                f"the checkpoint from elsewhere is one of {kept.origin}, the pack's one of "
                f"{self._checkpoint.origin}",
            )
        if kept.size != self._checkpoint.size:
            raise FaultFoundError(
                Kind.UNANCHORED,
                f"the checkpoint from elsewhere is over {kept.size} entries, the pack's over "
                f"{self._checkpoint.size}: a pack cannot show that both are of one history. Ask "
                "for a pack that is made against the one, or for an export",
            )
        if kept.root != self._checkpoint.root:
            raise FaultFoundError(
                Kind.FORKED,
                f"over {kept.size} entries the root {kept.root.hex()} was signed elsewhere, and "
                f"{self._checkpoint.root.hex()} in the pack: there are two histories",
            )

    def read_entries(self, progress: Callable[[int], None]) -> None:
        """Every entry, its chain, and the CloudEvents beside it."""
        events = self._lines(EVENTS, most=_LONGEST_EVENT)
        for blob in self._lines(ENTRIES, most=LARGEST_ENTRY):
            entry = self._entry(blob, ENTRIES, self._own)
            self._chain(entry)
            if next(events, None) != cloud_event(entry):
                raise _at(entry, Kind.ALTERED, f"{EVENTS} says something else than {ENTRIES}")
            if len(self._own.order) % PROGRESS_EVERY == 0:
                progress(len(self._own.order))
        if next(events, None) is not None:
            raise FaultFoundError(Kind.ALTERED, f"{EVENTS} has more lines than {ENTRIES}")
        for blob in self._lines(FORCE, most=LARGEST_ENTRY):
            entry = self._entry(blob, FORCE, self._force)
            if entry.scope != FORCE_SCOPE:
                raise _at(entry, Kind.ALTERED, f"expected an entry of the force in {FORCE}")
            if entry.pos == self._proof.commitment:
                self._commitment = entry
        if not self._own.order:
            raise FaultFoundError(Kind.MISSING, f"expected entries in {ENTRIES}, found none")

    def check_places(self) -> None:
        """Each entry at its place under the root that was signed."""
        if twice := self._own.leaves.keys() & self._force.leaves.keys():
            # one would be proven in the place of the other
            raise FaultFoundError(
                Kind.ALTERED,
                f"position {min(twice)}: both {ENTRIES} and {FORCE} have an entry there",
            )
        leaves = self._own.leaves | self._force.leaves
        most = len(leaves) * _DEEPEST_TREE * HASH_SIZE
        raw = content(self._directory / MULTIPROOF, MULTIPROOF, most=most)
        try:
            verify_multiproof(
                leaves,
                size=self._checkpoint.size,
                proof=[raw[at : at + HASH_SIZE] for at in range(0, len(raw), HASH_SIZE)],
                root=self._checkpoint.root,
            )
        except ProofInvalidError as error:
            raise FaultFoundError(
                Kind.FORKED, f"these are not the entries that were signed: {error}"
            ) from error

    def check_end(self) -> None:
        """Nothing was cut off before the commitment."""
        commitment, opening = self._commitment, self._proof.opening
        if commitment is None or commitment.name != COMMITTED:
            raise FaultFoundError(
                Kind.MISSING,
                f"expected a commitment ({COMMITTED}) at position {self._proof.commitment} in "
                f"{FORCE}, found none",
            )
        root, size = commitment.body.get("root"), commitment.body.get("size")
        if not isinstance(root, str) or not isinstance(size, int) or size > commitment.pos:
            raise _at(commitment, Kind.UNREADABLE, "expected a commitment with root and size")
        if commitment.body.get("scopes") != opening.count:
            raise _at(commitment, Kind.ALTERED, "the opening is of another number of scopes")
        try:
            verify_opening(opening, bytes.fromhex(root))
        except (ProofInvalidError, ValueError) as error:
            raise FaultFoundError(
                Kind.FORKED, f"the opening does not fit the commitment: {error}"
            ) from error
        count, order = opening.end.size, self._own.order
        if count > len(order):
            raise FaultFoundError(
                Kind.TRUNCATED,
                f"the commitment counts {count} entries of {self._proof.scope}, the pack holds "
                f"{len(order)}",
            )
        if self._own.leaves[order[count - 1]] != opening.end.leaf:
            raise FaultFoundError(
                Kind.FORKED, f"entry {count - 1} of the scope is not the one that was committed to"
            )
        if order[count - 1] >= size or any(pos < size for pos in order[count:]):
            raise FaultFoundError(
                Kind.ALTERED, "the commitment counts other entries than stand before it"
            )
        self._complete_to = size

    def verdict(self) -> Verdict:
        """What is shown when nothing was found wrong."""
        count, behind = len(self._own.order), len(self._own.order) - self._proof.opening.end.size
        others = len(self._files) - len(PROVEN)
        remarks = [
            f"deployment {self._proof.scope}, {self._own.mode}: entries 0 to {count - 1} at the "
            f"positions {self._own.order[0]} to {self._own.order[-1]}",
            f"{len(self._force.order)} entries of the force, each at its place in the log",
            f"under a checkpoint of {self._checkpoint.size} entries, complete up to position "
            f"{self._complete_to}",
        ]
        if behind:
            remarks.append(
                f"The last {behind} entries stand behind the commitment: that none follows them is "
                "not shown."
            )
        if unseen := self._unseen():
            remarks.append(
                f"NOT SHOWN: {unseen} entries that the checkpoint covers stand behind the "
                "commitment and not in the pack; any of them may be of this deployment. "
                "Ask for a pack that opens the newest commitment."
            )
        remarks.append(
            "Of the force's retention schedules and re-checkers those are seen that the pack "
            "holds: a schedule that came after the last registration may be left out."
        )
        if not self._tied:
            remarks.append(
                "No checkpoint from elsewhere was given: whether the log's owner signed another "
                "history too cannot be seen without one, or without a witness."
            )
        remarks.append(
            f"Checked against the digests of the bag only, which anyone can write anew: {others} "
            "files for people (schemas, retention schedule, documents, history, key, verifier)."
        )
        return Verdict(
            kind=Kind.SOUND,
            sentence=printable(
                f"The entries ({count}) are consistent with each other, all of them are as they "
                "were signed, and none was left out before the last that was committed to."
            ),
            position=None,
            origin=self._checkpoint.origin,
            size=count,
            root=self._checkpoint.root,
            anchored_size=count,
            unanchored_tail=0,
            cosigned=self._cosigned,
            remarks=tuple(printable(one) for one in remarks),
        )

    @property
    def scope(self) -> str:
        """The deployment."""
        return self._proof.scope

    def named(self) -> Iterator[tuple[str, bytes]]:
        """The entries of the deployment and of the force, in the order of the log."""
        return in_order(self._directory, own=self._own.order, force=self._force.order)

    def with_certificate(self, verdict: Verdict) -> Verdict:
        """The verdict, with what becomes of the certificate that lies in the pack, if one does."""
        if CERTIFICATE not in self._files or verdict.custody is None:
            return verdict
        raw = content(self._directory / CERTIFICATE, CERTIFICATE, most=_MOST_CERTIFICATE_BYTES)
        try:
            as_of = datetime.fromisoformat(json.loads(raw)["as_of"])
            followed_again = followed(self.named(), Custody(self.scope, positions=True))
            custody = followed_again.verdict(as_of=as_of)
            told = certificate(
                custody, scope=self.scope, mode=self._own.mode or "", checkpoint=self._checkpoint
            )
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise FaultFoundError(Kind.UNREADABLE, f"{CERTIFICATE}: {error!r}") from error
        if to_bytes(told) != raw:
            raise FaultFoundError(
                Kind.ALTERED, f"{CERTIFICATE} says something else than the entries of the pack"
            )
        reasons = list(why_not(custody))
        if behind := len(self._own.order) - self._proof.opening.end.size + self._unseen():
            reasons.append(f"{behind} entries stand behind what the log committed to")
        if reasons:
            return replace(
                verdict,
                kind=Kind.INCOMPLETE,
                sentence=printable(f"{CERTIFICATE} could not be given: {'; '.join(reasons)}"),
            )
        remark = f"CERTIFICATE as of {custody.as_of}, recomputed: {statement(custody)}"
        return replace(verdict, remarks=(printable(remark), *verdict.remarks))

    def _unseen(self) -> int:
        """Entries behind the commitment, under the checkpoint, that the pack does not hold."""
        seen = sum(pos >= self._complete_to for pos in (*self._own.order, *self._force.order))
        return self._checkpoint.size - self._complete_to - seen

    def _lines(self, name: str, *, most: int) -> Iterator[bytes]:
        return _lines(self._directory, name, most=most)

    def _entry(self, blob: bytes, name: str, history: _History) -> Entry:
        try:
            entry = entries.read(blob)
        except EntryUnreadableError as error:
            raise FaultFoundError(
                Kind.UNREADABLE, f"{name}, line {len(history.order) + 1}: {error}"
            ) from error
        if entry.log != self._checkpoint.origin:
            raise _at(entry, Kind.ALTERED, f"expected an entry of {self._checkpoint.origin}")
        if entry.pos >= self._checkpoint.size:
            raise _at(entry, Kind.UNANCHORED, "it stands behind what the checkpoint covers")
        if history.order and entry.pos <= history.order[-1]:
            raise _at(entry, Kind.REORDERED, f"it stands behind position {history.order[-1]}")
        history.order.append(entry.pos)
        history.leaves[entry.pos] = leaf_hash(blob)
        return entry

    def _chain(self, entry: Entry) -> None:
        """The entry follows the one before it in the deployment, and in its stream."""
        own, expected = self._own, len(self._own.order) - 1
        if entry.scope != self._proof.scope or entry.mode != (own.mode or entry.mode):
            raise _at(entry, Kind.ALTERED, "it is of another deployment or mode")
        if entry.scope_pos != expected:
            gone = entry.scope_pos > expected and not self._comes_anywhere(expected)
            raise _at(
                entry,
                Kind.MISSING if gone else Kind.REORDERED,
                f"expected entry {expected} of the deployment, found its entry {entry.scope_pos}",
            )
        if entry.scope_prev != own.last_leaf:
            raise _at(entry, Kind.ALTERED, "it does not name the hash of the entry before it")
        version = own.streams.get(entry.stream, 0) + 1
        if entry.version != version:
            kind = Kind.MISSING if entry.version > version else Kind.REORDERED
            raise _at(
                entry,
                kind,
                f"expected version {version} of the stream {entry.stream}, found {entry.version}",
            )
        own.mode, own.last_leaf = entry.mode, own.leaves[entry.pos].hex()
        own.streams[entry.stream] = entry.version

    def _comes_anywhere(self, place: int) -> bool:
        """Whether the deployment's entry of this place stands in the pack, wherever."""
        for blob in self._lines(ENTRIES, most=LARGEST_ENTRY):
            try:
                if entries.read(blob).scope_pos == place:
                    return True
            except EntryUnreadableError:
                continue
        return False


def _at(entry: Entry, kind: Kind, sentence: str) -> FaultFoundError:
    return FaultFoundError(kind, f"position {entry.pos}: {sentence}")


def _opened(note: str, whose: str, key: VerifierKey) -> Checkpoint:
    try:
        return Checkpoint.parse(open_note(note, key))
    except NoteError as error:
        raise FaultFoundError(Kind.UNSIGNED, f"{whose}: {error}") from error
    except CheckpointError as error:
        # The key did sign it: a newer format, it may be.
        raise FaultFoundError(Kind.UNREADABLE, f"{whose}: {error}") from error


def _cosigned(note: str, size: int, witnesses: Sequence[WitnessKey]) -> tuple[Cosigned, ...]:
    try:
        seen = cosignatures(note, witnesses)
    except NoteError as error:
        raise FaultFoundError(Kind.UNSIGNED, f"the checkpoint of the pack: {error}") from error
    for witness in witnesses:
        if witness.name not in seen:
            raise FaultFoundError(
                Kind.UNSIGNED, f"expected a cosignature by the witness {witness.name}, found none"
            )
    return tuple(Cosigned(name, size, at) for name, at in seen.items())


def _members(value: object, layout: dict[str, type]) -> dict[str, Any]:
    """An object with exactly these members, each of its type."""
    if not isinstance(value, dict) or value.keys() != layout.keys():
        raise ValueError(f"expected the members {', '.join(layout)}")
    for name, kind in layout.items():
        if type(value[name]) is not kind:
            raise ValueError(f"{name}: expected {kind.__name__}")
    return value


def _a_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected hashes as text")
    return value

"""Verification: recompute everything from what is stored, and name the first thing that is wrong.

Nothing that is stored is believed. Positions, leaf hashes, the frontier, the chain of each scope,
the versions of each stream and every index column are worked out again from the entries, in one
pass, and compared. Then the checkpoints are asked: the log's own, and one that was kept elsewhere.

**What counts as what.** The rows are gone through in their order; then come the log's head, the
heads of the scopes, the log's own checkpoint and the one from elsewhere.

* A row whose bytes do not fit its leaf hash is *altered*, whether it can be read or not; but if a
  later row's leaf hash fits them, bytes changed places: *reordered*.
* A row whose bytes fit its leaf hash and that cannot be read is *unreadable* (a newer format, it
  may be), unless a checkpoint shows that the bytes are not those that were signed: then *forked*.
  Unreadable is never reported as sound, and never as altered.
* A position that is not there is *missing*; if its entry stands further on, or if a position comes
  twice or late, or an entry says that it belongs elsewhere, *reordered*. So are the places within
  a scope and within a stream.
* An index column, a link to the entry before in the scope, a mode, an origin or a head that is not
  what the entries say is *altered*.
* Fewer entries than a head or a checkpoint counts: *truncated*.
* A checkpoint that the trusted key did not sign, that a trusted witness did not cosign, or that is
  of another log: *unsigned*.
* Entries that agree with each other and not with a signed root: *forked*. There are two histories,
  and this one is not the one that was signed.
* Entries that agree with each other, none of them under a signed checkpoint: *unanchored*.
* Only then is it asked what a sound record says of the custody of personal data
  (:mod:`domain.assurance.custody`): *overdue* where some was kept too long, *incomplete* where it
  does not add up.

An entry's ``anchor`` is not compared (no entry carries one yet), nor are the times of recording: a
clock may be set back without anyone altering the record.

**What a verification cannot say** stands in :data:`LIMITS`, to be printed under every verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

from domain.assurance import entries
from domain.assurance.checkpoints import Checkpoint, CheckpointMalformedError
from domain.assurance.chunks import BLOCK, Summary
from domain.assurance.cosignatures import WitnessKey, cosignatures
from domain.assurance.entries import Entry, EntryUnreadableError
from domain.assurance.holdings import CustodyVerdict
from domain.assurance.notes import NoteError, VerifierKey, open_note
from domain.assurance.summing import Summing
from domain.assurance.tree import EMPTY_ROOT, Frontier, leaf_hash
from domain.assurance.versions import Versions

LIMITS = (
    "A signature says nothing if the signer was dishonest from the start.",
    "A sound record shows that what was entered was not changed, not that it was true.",
    "No log proves that something that was never recorded did not happen.",
)
"""What a verification cannot say, whatever its verdict."""


class Kind(StrEnum):
    """What a verification found. 1 and 2 are no exit codes here: a crash, and wrong usage."""

    SOUND = "sound"
    ALTERED = "altered"
    MISSING = "missing"
    REORDERED = "reordered"
    FORKED = "forked"
    TRUNCATED = "truncated"
    UNSIGNED = "unsigned"
    UNREADABLE = "unreadable"
    UNANCHORED = "unanchored"
    OVERDUE = "overdue"
    """The record is sound, and says that personal data was kept too long."""
    INCOMPLETE = "incomplete"
    """The record is sound, and what it says of the custody of personal data does not add up."""

    @property
    def exit_code(self) -> int:
        """The exit code of a program that found this."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Kind.SOUND: 0,
    Kind.ALTERED: 3,
    Kind.MISSING: 4,
    Kind.REORDERED: 5,
    Kind.FORKED: 6,
    Kind.TRUNCATED: 7,
    Kind.UNSIGNED: 8,
    Kind.UNREADABLE: 9,
    Kind.UNANCHORED: 10,
    Kind.OVERDUE: 11,
    Kind.INCOMPLETE: 12,
}


class FaultFoundError(Exception):
    """Raised by what gives the rows, where it cannot go on: the finding, instead of a row."""

    def __init__(self, kind: Kind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class StoredRow(NamedTuple):
    """One row as it is stored: the entry, and the columns that are an index over it."""

    position: int
    stream: str
    version: int
    name: str
    scope: str
    scope_pos: int
    leaf: bytes
    blob: bytes


class TiledRow(NamedTuple):
    """One entry as an export has it: at its place in a bundle, its leaf hash in a tile beside it.

    The place is all that says where it stands, so that whatever was taken out or put in moves
    every entry behind it.
    """

    position: int
    leaf: bytes
    blob: bytes


Row = StoredRow | TiledRow


@dataclass(frozen=True)
class StoredHead:
    """The log's head as it is stored: its size and the roots of its complete subtrees."""

    size: int
    frontier: bytes
    origin: str | None = None
    """The log's name, where the head has one of its own; None where it has not."""
    mode: str | None = None
    """The log's mode, likewise."""


@dataclass(frozen=True)
class StoredScopeHead:
    """The head of one scope as it is stored: its size and the leaf hash of its last entry."""

    scope: str
    size: int
    leaf_hex: str


@dataclass(frozen=True)
class Cosigned:
    """A trusted witness saw a checkpoint, and no fork of it."""

    witness: str
    """The name of its key."""
    size: int
    """Of the checkpoint that it signed."""
    at: int
    """By its clock: seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found, and how far it reaches."""

    kind: Kind
    sentence: str
    """What was expected and what was found, or what the finding rests on."""
    position: int | None
    """Where the first fault shows; None where it is not at one entry."""
    origin: str | None
    """The log, as its first entry names it; None where no entry could be read."""
    size: int
    """Entries whose hashes were recomputed: all of them, unless a fault stopped the reading."""
    root: bytes
    """The root over these entries, recomputed."""
    anchored_size: int
    """So many of them, from the first, are as a trusted signature says."""
    unanchored_tail: int
    """The rest: what no signature covers."""
    cosigned: tuple[Cosigned, ...] = ()
    """What trusted witnesses signed."""
    remarks: tuple[str, ...] = ()
    """What was checked beside that and what was not, in words."""
    custody: CustodyVerdict | None = None
    """What a sound record says of every item of personal data; None where it was not asked."""


def not_looked_at(kind: Kind, sentence: str) -> Verdict:
    """The verdict on something of which no entry could be followed."""
    return Verdict(
        kind=kind,
        sentence=printable(sentence),
        position=None,
        origin=None,
        size=0,
        root=EMPTY_ROOT,
        anchored_size=0,
        unanchored_tail=0,
    )


def in_silence(size: int) -> None:
    """Nobody asked how far it is."""


def unheard(rows: Sequence[Row]) -> None:
    """Nobody follows."""


def verify(
    rows: Iterable[Row],
    *,
    head: StoredHead | None,
    scope_heads: Iterable[StoredScopeHead] | None,
    key: VerifierKey,
    own_checkpoint: str | None,
    outside_checkpoint: str | None,
    witnesses: Sequence[WitnessKey] = (),
    progress: Callable[[int], None] = in_silence,
    workers: int = 1,
    following: Callable[[Sequence[Row]], None] = unheard,
) -> Verdict:
    """Recompute a log from its rows and say what was found first.

    One pass; what is kept is the frontier, and one head for each scope and each stream. Rows are
    first summed up by the thousand (:mod:`domain.assurance.chunks`); where that shows anything
    but that all is well, they are followed one by one.

    Args:
        rows: in the order of their positions.
        head: the log's stored head; None where there is none, as in an export.
        scope_heads: the stored heads of all scopes; None likewise.
        key: the log's public key, got from somewhere other than the log.
        own_checkpoint: the newest signed checkpoint that the log keeps, if any.
        outside_checkpoint: a signed checkpoint that someone else kept, if any.
        witnesses: each of them must have cosigned one of these checkpoints.
        progress: told the number of entries now and then.
        workers: processes to share the work between, where the log is long.
        following: told the rows, some at a time and in order, whatever is found of them.
    """
    own = _Anchor.opened(own_checkpoint, "the log's own checkpoint", key, witnesses)
    outside = _Anchor.opened(outside_checkpoint, "the checkpoint from elsewhere", key, witnesses)
    anchors = [anchor for anchor in (own, outside) if anchor is not None]
    log = _Recomputed({one.checkpoint.size for one in anchors if one.checkpoint is not None})
    finding = (
        _wrong_row(iter(rows), log, anchors, progress, workers, following)
        or _wrong_head(head, log)
        or _wrong_scope_head(scope_heads, log)
        or next((found for one in anchors if (found := one.contradicts(log))), None)
        or _unwitnessed(witnesses, anchors)
    )
    anchored = max((anchor.covers(log) for anchor in anchors), default=0)
    if finding is None:
        finding = _no_fault(log.size, anchored, outside.checkpoint if outside else None)
    return Verdict(
        kind=finding.kind,
        sentence=printable(finding.sentence),
        position=finding.position,
        origin=log.origin,
        size=log.size,
        root=log.frontier.root(),
        anchored_size=anchored,
        unanchored_tail=log.size - anchored,
        cosigned=tuple(one for anchor in anchors for one in anchor.cosigned),
    )


def verify_hashes(
    leaves: Iterable[bytes],
    *,
    key: VerifierKey,
    own_checkpoint: str,
    outside_checkpoint: str | None,
    witnesses: Sequence[WitnessKey] = (),
) -> Verdict:
    """Recompute a tree from its leaf hashes alone, for whoever may not have the entries.

    Args:
        leaves: in the order of their positions.
        key: the log's public key, got from somewhere other than the log.
        own_checkpoint: the newest signed checkpoint that the log keeps.
        outside_checkpoint: a signed checkpoint that someone else kept, if any.
        witnesses: each of them must have cosigned one of these checkpoints.
    """
    opened = (
        _Anchor.opened(own_checkpoint, "the log's own checkpoint", key, witnesses),
        _Anchor.opened(outside_checkpoint, "the checkpoint from elsewhere", key, witnesses),
    )
    anchors = [anchor for anchor in opened if anchor is not None]
    tree = _Recomputed({one.checkpoint.size for one in anchors if one.checkpoint is not None})
    try:
        for leaf in leaves:
            tree.append(leaf)
        fault = None
    except FaultFoundError as found:
        fault = _Finding(found.kind, str(found))
    finding = (
        fault
        or next((wrong for one in anchors if (wrong := one.contradicts(tree))), None)
        or _unwitnessed(witnesses, anchors)
        or _Finding(Kind.SOUND, f"The hashes of {tree.size} entries are as they were signed.")
    )
    anchored = max(anchor.covers(tree) for anchor in anchors)
    return Verdict(
        kind=finding.kind,
        sentence=printable(finding.sentence),
        position=None,
        origin=next((one.checkpoint.origin for one in anchors if one.checkpoint), None),
        size=tree.size,
        root=tree.frontier.root(),
        anchored_size=anchored,
        unanchored_tail=tree.size - anchored,
        cosigned=tuple(one for anchor in anchors for one in anchor.cosigned),
    )


def printable(sentence: str) -> str:
    """Nothing that was stored may steer the screen that shows a verdict."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in sentence)


@dataclass(frozen=True)
class _Finding:
    kind: Kind
    sentence: str
    position: int | None = None


def _at(position: int, kind: Kind, sentence: str) -> _Finding:
    return _Finding(kind, f"position {position}: {sentence}", position)


def _no_fault(size: int, anchored: int, outside: Checkpoint | None) -> _Finding:
    """What may be claimed when nothing was found wrong, and no more than that."""
    if outside is None:
        elsewhere = (
            "No checkpoint from elsewhere was given, so a rollback to an earlier signed state "
            "cannot be seen."
        )
    else:
        elsewhere = (
            f"The checkpoint from elsewhere covers the first {outside.size}; a rollback to a "
            "signed state no shorter than that cannot be seen."
        )
    if size == 0:
        return _Finding(Kind.SOUND, f"The log holds no entries. {elsewhere}")
    consistent = f"The entries ({size}) are consistent with each other"
    if anchored == 0:
        return _Finding(
            Kind.UNANCHORED,
            f"{consistent}, and no signed checkpoint covers any of them: nothing shows that they "
            "are those that were recorded.",
        )
    return _Finding(
        Kind.SOUND, f"{consistent}; the first {anchored} are as they were signed. {elsewhere}"
    )


@dataclass(frozen=True)
class _Anchor:
    """A checkpoint that was given: opened, or with what is wrong with it."""

    whose: str
    checkpoint: Checkpoint | None
    fault: _Finding | None = None
    cosigned: tuple[Cosigned, ...] = ()

    @classmethod
    def opened(
        cls, text: str | None, whose: str, key: VerifierKey, witnesses: Sequence[WitnessKey]
    ) -> _Anchor | None:
        """The checkpoint under the trusted key. Its origin is compared once the log's is known."""
        if text is None:
            return None
        try:
            checkpoint = Checkpoint.parse(open_note(text, key))
            seen = cosignatures(text, witnesses)
            cosigned = tuple(Cosigned(name, checkpoint.size, at) for name, at in seen.items())
            return cls(whose, checkpoint, cosigned=cosigned)
        except NoteError as error:
            return cls(whose, None, _Finding(Kind.UNSIGNED, f"{whose}: {error}"))
        except CheckpointMalformedError as error:
            # The key did sign it: a newer format, it may be.
            return cls(whose, None, _Finding(Kind.UNREADABLE, f"{whose}: {error}"))

    def covers(self, log: _Recomputed) -> int:
        """How many of the log's entries, from the first, are as this checkpoint says."""
        if self.checkpoint is None or self._of_another(log):
            return 0
        size = self.checkpoint.size
        return size if log.roots.get(size) == self.checkpoint.root else 0

    def contradicts(self, log: _Recomputed) -> _Finding | None:
        """What is wrong between this checkpoint and the whole log."""
        if self.checkpoint is None:
            return self.fault
        if self._of_another(log):
            return _Finding(
                Kind.UNSIGNED,
                f"{self.whose}: expected one of the log {log.origin}, found one of "
                f"{self.checkpoint.origin}",
            )
        if self.checkpoint.size > log.size:
            return _Finding(
                Kind.TRUNCATED,
                f"{self.whose} counts {self.checkpoint.size} entries, the log holds {log.size}",
            )
        return self.forks(log)

    def forks(self, log: _Recomputed) -> _Finding | None:
        """Whether the entries have another root than was signed, where both are known."""
        if self.checkpoint is None or self._of_another(log):
            return None
        size, signed = self.checkpoint.size, self.checkpoint.root
        found = log.roots.get(size, signed)
        if found == signed:
            return None
        return _Finding(
            Kind.FORKED,
            f"{self.whose} was signed over {size} entries with the root {signed.hex()}, the first "
            f"{size} entries of the log have the root {found.hex()}: this is another history",
        )

    def _of_another(self, log: _Recomputed) -> bool:
        return (
            self.checkpoint is not None
            and log.origin is not None
            and self.checkpoint.origin != log.origin
        )


def _unwitnessed(witnesses: Sequence[WitnessKey], anchors: Sequence[_Anchor]) -> _Finding | None:
    """A witness that was trusted to have seen this history, and signed no checkpoint of it."""
    signed = {one.witness for anchor in anchors for one in anchor.cosigned}
    for witness in witnesses:
        if witness.name not in signed:
            return _Finding(
                Kind.UNSIGNED, f"expected a cosignature by the witness {witness.name}, found none"
            )
    return None


@dataclass(slots=True)
class _Scope:
    """The head of one scope, recomputed."""

    mode: str
    size: int = 0
    leaf_hex: str | None = None


class _Recomputed:
    """What the rows say so far, worked out from the entries alone.

    Args:
        sizes: where to keep the root on the way, for the checkpoints.
    """

    def __init__(self, sizes: Set[int]) -> None:
        self._sizes = sizes
        self._streams = Versions()
        self.frontier = Frontier()
        self.roots = {0: EMPTY_ROOT}
        self.origin: str | None = None
        self.scopes: dict[str, _Scope] = {}

    @property
    def size(self) -> int:
        """The number of entries, which is also the position that comes next."""
        return self.frontier.size

    @property
    def sizes(self) -> Set[int]:
        """At these sizes of the log a checkpoint asks for the root."""
        return self._sizes

    def take(self, summary: Summary) -> bool:
        """Take in many rows at once, if they continue what came before; else nothing is taken."""
        if self.origin not in (None, summary.origin):
            return False
        for name, part in summary.scopes.items():
            scope = self.scopes.get(name) or _Scope(part.mode)
            if (part.mode, part.first_pos, part.first_prev) != (
                scope.mode,
                scope.size,
                scope.leaf_hex,
            ):
                return False
        for stream, (first, _) in summary.streams.items():
            if first != self._streams.of(stream) + 1:
                return False
        self.origin = summary.origin
        for name, part in summary.scopes.items():
            self.scopes[name] = _Scope(part.mode, part.size, part.leaf_hex)
        for stream, (_, last) in summary.streams.items():
            self._streams.keep(stream, last)
        if summary.leaves is not None:
            for leaf in summary.leaves:
                self.append(leaf)
            return True
        for root in summary.blocks:
            self.frontier.append_complete(root, BLOCK)
        for leaf in summary.rest:
            self.append(leaf)
        return True

    def append(self, leaf: bytes) -> None:
        """Take in a leaf, and keep the root where a checkpoint will ask for it."""
        self.frontier.append(leaf)
        if self.size in self._sizes:
            self.roots[self.size] = self.frontier.root()

    def follow(self, row: Row, later: Iterator[Row]) -> _Finding | None:
        """Take in the next row, or say what is wrong with it.

        Args:
            row: the row.
            later: the rows after it. They are looked through to tell what is gone from what
                only stands elsewhere, and only once something is wrong.
        """
        if (mistyped := _mistyped(row)) is not None:
            return _at(self.size, Kind.ALTERED, mistyped)
        if row.position != self.size:
            return self._misplaced(row, later)
        leaf = leaf_hash(row.blob)
        if row.leaf != leaf:
            return self._misfit(row, leaf, later)
        try:
            entry = entries.read(row.blob)
        except EntryUnreadableError as error:
            position = self.size
            self.append(leaf)
            return _at(
                position,
                Kind.UNREADABLE,
                f"the entry fits its leaf hash and cannot be read by this version ({error}); "
                "nothing can be said of it or of what follows",
            )
        finding = (
            self._displaced(row, entry, later)
            or self._wrong_column(row, entry)
            or self._wrong_origin(entry)
            or self._wrong_in_scope(entry)
            or self._wrong_in_stream(entry)
        )
        if finding is None:
            self._take(entry, leaf)
        return finding

    def hash_on(self, rows: Iterator[Row]) -> None:
        """Go on with the hashes only, where the entries can no longer be followed."""
        for row in rows:
            if _mistyped(row) is not None:
                return
            self.append(leaf_hash(row.blob))

    def _take(self, entry: Entry, leaf: bytes) -> None:
        self.origin = entry.log
        scope = self.scopes.setdefault(entry.scope, _Scope(entry.mode))
        scope.size += 1
        scope.leaf_hex = leaf.hex()
        self._streams.keep(entry.stream, entry.version)
        self.append(leaf)

    def _misplaced(self, row: Row, later: Iterator[Row]) -> _Finding:
        expected = self.size
        if _position_in_entry(row) == expected:
            return _at(
                expected,
                Kind.ALTERED,
                f"the column position says {row.position}, the entry says {expected}",
            )
        if row.position < expected:
            return _at(
                expected,
                Kind.REORDERED,
                f"found position {row.position}, which comes twice or late",
            )
        if any(expected in (one.position, _position_in_entry(one)) for one in later):
            return _at(
                expected, Kind.REORDERED, f"found position {row.position}, {expected} comes later"
            )
        return _at(
            expected, Kind.MISSING, f"the next entry that is there is at position {row.position}"
        )

    def _misfit(self, row: Row, leaf: bytes, later: Iterator[Row]) -> _Finding:
        fits, comes_later = None, False
        for one in later:
            fits = one.position if fits is None and one.leaf == leaf else fits
            comes_later = comes_later or (
                isinstance(one, TiledRow) and _position_in_entry(one) == self.size
            )
        if fits is not None and isinstance(row, TiledRow) and not comes_later:
            return _at(
                self.size,
                Kind.MISSING,
                f"the entry that is there is that of position {fits}, and its own comes nowhere",
            )
        if fits is not None:
            return _at(
                self.size,
                Kind.REORDERED,
                f"the bytes of the entry are those that the leaf hash at position {fits} is of",
            )
        return _at(self.size, Kind.ALTERED, "the bytes of the entry do not fit its leaf hash")

    def _displaced(self, row: Row, entry: Entry, later: Iterator[Row]) -> _Finding | None:
        if entry.pos == self.size:
            return None
        gone = isinstance(row, TiledRow) and entry.pos > self.size
        if gone and not any(_position_in_entry(one) == self.size for one in later):
            return _at(
                self.size, Kind.MISSING, f"the next entry that is there is at position {entry.pos}"
            )
        return _at(
            self.size, Kind.REORDERED, f"the entry says that it stands at position {entry.pos}"
        )

    def _wrong_column(self, row: Row, entry: Entry) -> _Finding | None:
        for column in _INDEX_COLUMNS if isinstance(row, StoredRow) else ():
            stored, said = getattr(row, column), getattr(entry, column)
            if stored != said:
                return _at(
                    self.size,
                    Kind.ALTERED,
                    f"the column {column} says {stored!a}, the entry says {said!a}",
                )
        return None

    def _wrong_origin(self, entry: Entry) -> _Finding | None:
        if self.origin is None or entry.log == self.origin:
            return None
        return _at(
            self.size,
            Kind.ALTERED,
            f"expected an entry of the log {self.origin}, as before it, found one of {entry.log}",
        )

    def _wrong_in_scope(self, entry: Entry) -> _Finding | None:
        scope = self.scopes.get(entry.scope) or _Scope(entry.mode)
        if entry.scope_pos != scope.size:
            return _at(
                self.size,
                Kind.MISSING if entry.scope_pos > scope.size else Kind.REORDERED,
                f"expected entry {scope.size} of the scope {entry.scope}, "
                f"found its entry {entry.scope_pos}",
            )
        if entry.scope_prev != scope.leaf_hex:
            return _at(
                self.size,
                Kind.ALTERED,
                f"the entry before it in the scope {entry.scope} has the leaf hash "
                f"{scope.leaf_hex}, it says {entry.scope_prev}",
            )
        if entry.mode != scope.mode:
            return _at(
                self.size,
                Kind.ALTERED,
                f"expected the mode {scope.mode}, as before in the scope {entry.scope}, "
                f"found {entry.mode}",
            )
        return None

    def _wrong_in_stream(self, entry: Entry) -> _Finding | None:
        expected = self._streams.of(entry.stream) + 1
        if entry.version == expected:
            return None
        return _at(
            self.size,
            Kind.MISSING if entry.version > expected else Kind.REORDERED,
            f"expected version {expected} of the stream {entry.stream}, found {entry.version}",
        )


_STORED_AS = {
    "position": int,
    "stream": str,
    "version": int,
    "name": str,
    "scope": str,
    "scope_pos": int,
    "leaf": bytes,
    "blob": bytes,
}

_INDEX_COLUMNS = ("stream", "version", "name", "scope", "scope_pos")
"""The columns that repeat a field of the entry under its own name."""


def _mistyped(row: Row) -> str | None:
    """A database file can hold text in a column of numbers: nothing is taken on trust."""
    for column in row._fields:
        kind = _STORED_AS[column]
        if type(getattr(row, column)) is not kind:
            found = type(getattr(row, column)).__name__
            return f"the column {column}: expected {kind.__name__}, found {found}"
    return None


def _position_in_entry(row: Row) -> int | None:
    """The position that the entry itself states, if it can be read."""
    if not isinstance(row.blob, bytes):
        return None
    try:
        return entries.read(row.blob).pos
    except EntryUnreadableError:
        return None


def _as_far_as_can_be_read(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows behind a fault. That they break off is no news then."""
    try:
        yield from rows
    except FaultFoundError:
        return


def _wrong_row(
    rows: Iterator[Row],
    log: _Recomputed,
    anchors: Sequence[_Anchor],
    progress: Callable[[int], None],
    workers: int,
    following: Callable[[Sequence[Row]], None],
) -> _Finding | None:
    with Summing(rows, log.sizes, workers=workers) as chunks:
        try:
            for some, summary in chunks:
                following(some)
                if summary is None or not log.take(summary):
                    finding = _wrong_row_among(iter(some), chunks, log, anchors)
                    if finding is not None:
                        return finding
                progress(log.size)
        except FaultFoundError as fault:
            return _Finding(fault.kind, str(fault))
    return None


def _wrong_row_among(
    some: Iterator[Row], chunks: Summing[Row], log: _Recomputed, anchors: Sequence[_Anchor]
) -> _Finding | None:
    """Follow rows one by one."""
    for row in some:
        later = _as_far_as_can_be_read(chain(some, chunks.later()))
        finding = log.follow(row, later)
        if finding is None:
            continue
        if finding.kind is Kind.UNREADABLE:
            # What cannot be read may still be shown not to be what was signed.
            log.hash_on(later)
            return next((fork for one in anchors if (fork := one.forks(log))), finding)
        return finding
    return None


def _wrong_head(head: StoredHead | None, log: _Recomputed) -> _Finding | None:
    if head is None:
        return None
    if head.origin is not None and log.origin not in (None, head.origin):
        return _Finding(
            Kind.ALTERED,
            f"the log's head names the log {head.origin!a}, the entries name {log.origin}",
        )
    for name, scope in log.scopes.items():
        if head.mode not in (None, scope.mode):
            return _Finding(
                Kind.ALTERED,
                f"the log's head says {head.mode!a}, the scope {name} is {scope.mode}",
            )
    if (head.size, head.frontier) == (log.size, log.frontier.to_bytes()):
        return None
    if head.size == log.size:
        return _Finding(
            Kind.ALTERED,
            f"the log's head: its frontier is not that of the {log.size} entries that are there",
        )
    return _Finding(
        _shorter_or_altered(head.size, log.size),
        f"the log's head counts {head.size!a} entries, the log holds {log.size}",
    )


def _wrong_scope_head(heads: Iterable[StoredScopeHead] | None, log: _Recomputed) -> _Finding | None:
    if heads is None:
        return None
    stored = list(heads)
    headless = log.scopes.keys() - {head.scope for head in stored}
    if headless:
        return _Finding(
            Kind.ALTERED, f"the scope {min(headless)}: expected a stored head, found none"
        )
    for head in stored:
        scope = log.scopes.get(head.scope)
        size = scope.size if scope is not None else 0
        if head.size != size or scope is None:
            return _Finding(
                _shorter_or_altered(head.size, size),
                f"the head of the scope {head.scope!a} counts {head.size!a} entries, "
                f"the log holds {size} of it",
            )
        if head.leaf_hex != scope.leaf_hex:
            return _Finding(
                Kind.ALTERED,
                f"the head of the scope {head.scope}: expected the leaf hash {scope.leaf_hex}, "
                f"found {head.leaf_hex!a}",
            )
    return None


def _shorter_or_altered(counted: object, found: int) -> Kind:
    shorter = isinstance(counted, int) and counted > found
    return Kind.TRUNCATED if shorter else Kind.ALTERED

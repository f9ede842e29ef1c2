"""Places in the log: worked out under the log's lock, from the heads as they are found there.

An event without a position cannot exist, and no position is ever given twice: whoever stores
events first takes the log's lock, reads the heads, places what is wanted, and writes rows and
moved heads in the same transaction. Nothing here touches a database, so both kinds place alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent

from domain.assurance.entries import Completer, EntryInvalidError
from domain.assurance.tree import Frontier, FrontierMalformedError
from domain.kernel.commands import Command
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.kernel.events import NEXT_VERSION


@dataclass(frozen=True)
class Attribution:
    """What the log adds to an event: who asked, and when and in which state it was recorded."""

    command: Command
    recorded_at: str
    clock: str
    given: Mapping[UUID, int]
    answers: Answering | None = None
    """Set where the entries are the answer to a command that a caller gave a key."""


@dataclass(frozen=True)
class Answering:
    """Marks a command as answered, in the transaction that stores its answer."""

    digest: bytes
    """HMAC of the command's content, under a key that can be erased."""
    key: str
    """Which key that was."""


@dataclass(eq=False)
class Wanted:
    """Events that one caller wants stored together, and what became of that."""

    events: Sequence[StoredEvent]
    by: Attribution
    rows: list[Row] | None = None
    refused: Exception | None = None

    @property
    def is_settled(self) -> bool:
        """Whether it was stored or refused."""
        return self.rows is not None or self.refused is not None


class Row(NamedTuple):
    """One row to insert, in the order of the table's columns: the entry and its index."""

    position: int
    stream: UUID
    version: int
    name: str
    scope: str
    scope_pos: int
    leaf: bytes
    entry: bytes


@dataclass(frozen=True)
class ScopeHead:
    """Where a scope ends: its size and the leaf hash of its last entry, hex."""

    size: int = 0
    leaf: str | None = None


@dataclass(frozen=True)
class StreamHead:
    """Where a stream ends: its newest version, and the one scope that it belongs to."""

    version: int = 0
    scope: str | None = None


@dataclass
class Heads:
    """The heads that a batch rests on, as they stand under the log's lock."""

    origin: str
    mode: str
    frontier: Frontier
    scopes: dict[str, ScopeHead] = field(default_factory=dict)
    streams: dict[UUID, StreamHead] = field(default_factory=dict)
    answered: set[UUID] = field(default_factory=set)
    """Commands among those wanted that were answered before."""

    @classmethod
    def of(cls, origin: str, mode: str, size: int, frontier: bytes) -> Heads:
        """The heads of a log; those of scopes and streams are added by whoever read them.

        Raises:
            RecordBrokenError: the frontier cannot be one of a log of this size.
        """
        try:
            return cls(origin, mode, Frontier.from_bytes(size, frontier))
        except FrontierMalformedError as error:
            raise RecordBrokenError(f"the log's head: {error}") from error


def scopes_of(batch: Iterable[Wanted]) -> list[str]:
    """The scopes whose heads a batch needs."""
    return sorted({one.by.command.scope for one in batch})


def streams_of(batch: Iterable[Wanted]) -> list[UUID]:
    """The streams whose heads a batch needs: those written to, and those rested on."""
    streams = {_id(event.originator_id).int for one in batch for event in one.events}
    streams.update(stream.int for one in batch for stream in one.by.given)
    return [UUID(int=stream) for stream in sorted(streams)]


def commands_of(batch: Iterable[Wanted]) -> list[UUID]:
    """The commands that a batch answers."""
    return [one.by.command.command_id for one in batch if one.by.answers is not None]


def marks(batch: Iterable[Wanted]) -> Iterator[tuple[UUID, str, bytes, str, int, int]]:
    """What marks the commands of a batch as answered, once it was placed.

    Returns:
        Command, scope, digest, name of the digest's key, first position, number of entries.
    """
    for one in batch:
        answers, command = one.by.answers, one.by.command
        if answers is not None and one.rows:
            yield (
                command.command_id,
                command.scope,
                answers.digest,
                answers.key,
                one.rows[0].position,
                len(one.rows),
            )


def place(batch: Iterable[Wanted], heads: Heads) -> list[Row]:
    """Give everything in a batch its place, and move the heads on.

    What cannot be stored is refused by itself (``Wanted.refused``), and nothing of it is placed:
    one caller's conflict is no other's.

    Returns:
        The rows to insert, in the order of their positions.
    """
    rows: list[Row] = []
    for wanted in batch:
        placing = _Placing(heads, wanted)
        try:
            placed = placing.rows()
        except (IntegrityError, DomainError, EntryInvalidError) as error:
            wanted.refused = error
            continue
        wanted.rows = placed
        rows += placed
        for row in placed:
            heads.frontier.append(row.leaf)
        heads.streams.update(placing.moved())
        if placed:
            last = placed[-1]
            heads.scopes[last.scope] = ScopeHead(last.scope_pos + 1, last.leaf.hex())
        if wanted.by.answers is not None:
            heads.answered.add(wanted.by.command.command_id)
    return rows


class _Placing:
    """The places of one caller's events, on heads that move on only if all of them fit."""

    def __init__(self, heads: Heads, wanted: Wanted) -> None:
        self._heads = heads
        self._wanted = wanted
        self._versions: dict[int, int] = {}
        """By a stream's number: its UUID itself is compared in Python, several times an event."""

    def rows(self) -> list[Row]:
        """The rows to insert.

        Raises:
            IntegrityError: a conflict with what is stored.
            DomainError, EntryInvalidError: these events can never be stored.
        """
        self._require_given()
        events, scope = self._wanted.events, self._wanted.by.command.scope
        head = self._heads.scopes.get(scope, ScopeHead())
        first, scope_first = self._heads.frontier.size, head.size
        streams = [_id(event.originator_id) for event in events]
        versions = list(map(self._next, streams, (event.originator_version for event in events)))
        linked = self._completer().linked(
            zip((event.state for event in events), versions, strict=True),
            pos=first,
            scope_pos=scope_first,
            scope_prev=head.leaf,
        )
        return [
            Row(first + at, streams[at], versions[at], topic, scope, scope_first + at, leaf, entry)
            for at, (topic, (entry, leaf)) in enumerate(
                zip((event.topic for event in events), linked, strict=True)
            )
        ]

    def moved(self) -> dict[UUID, StreamHead]:
        """Where the streams end once these rows are stored."""
        scope = self._wanted.by.command.scope
        return {
            UUID(int=stream): StreamHead(version, scope)
            for stream, version in self._versions.items()
        }

    def _require_given(self) -> None:
        by = self._wanted.by
        if by.answers is not None and by.command.command_id in self._heads.answered:
            raise IntegrityError(f"command {by.command.command_id.hex} was answered before")
        for stream, version in by.given.items():
            found = self._head(stream).version
            if found != version:
                raise IntegrityError(
                    f"the decision rested on stream {stream.hex} at version {version}, "
                    f"which is at version {found} now"
                )

    def _completer(self) -> Completer:
        by = self._wanted.by
        return Completer(
            log=self._heads.origin,
            mode=self._heads.mode,
            scope=by.command.scope,
            recorded_at=by.recorded_at,
            clock=by.clock,
            actor=by.command.actor,
            role=by.command.role.value,
            cause=by.command.command_id.hex,
        )

    def _next(self, stream: UUID, wanted: int) -> int:
        """The version of the next event of a stream; a journal's is given here."""
        newest = self._versions.get(stream.int)
        if newest is None:
            newest = self._of_this_scope(stream)
        if wanted not in (NEXT_VERSION, newest + 1):
            raise IntegrityError(
                f"stream {stream.hex} is at version {newest}, cannot add version {wanted}"
            )
        self._versions[stream.int] = newest + 1
        return newest + 1

    def _of_this_scope(self, stream: UUID) -> int:
        head, scope = self._head(stream), self._wanted.by.command.scope
        if head.scope not in (None, scope):
            raise DomainError(
                f"stream {stream.hex} belongs to scope {head.scope}, not to scope {scope}"
            )
        return head.version

    def _head(self, stream: UUID) -> StreamHead:
        return self._heads.streams.get(stream, StreamHead())


def _id(stream: UUID | str) -> UUID:
    return stream if isinstance(stream, UUID) else UUID(stream)

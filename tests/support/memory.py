"""Our own ports, in memory: a record, a vault, a clock and identities that a test can look into.

They keep the promises that ``domain.ports`` writes down, and nothing survives them. A shared
:class:`Fuse` can end the process after any durable step; a test then starts afresh over what the
record and the vault hold.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from domain.custody.sealing import (
    SALT_BYTES,
    EpochEnded,
    ItemLabel,
    SealedContent,
    SealedStream,
    Tombstone,
    ToSeal,
    commitment,
)
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.errors import ConflictError, DomainError, NotFoundError
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.repeats import Sameness
from domain.kernel.time import Grain, utc, written
from domain.ports import (
    Answered,
    CiphertextMissingError,
    ContentAlteredError,
    KeyDestroyedError,
    Recorded,
)
from infrastructure.record.answers import digest

A = TypeVar("A", bound=Aggregate)

_SCOPE = re.compile(r"[!-~]+")
_GENESIS = "0" * 64


class Crash(BaseException):
    """The process died. Not an ``Exception``, so that nothing goes on as if it had not."""


class RecordFullError(DomainError):
    """The record did not take what was given to it; nothing was stored."""


class Fuse:
    """Counts the durable steps of all ports, and ends the process after a chosen one.

    Args:
        after: the step after which the process dies, from 1; ``None`` for never.
    """

    def __init__(self, after: int | None = None) -> None:
        self.after = after
        self.steps = 0

    def burn(self) -> None:
        """One more step is durable."""
        self.steps += 1
        if self.steps == self.after:
            raise Crash(f"after step {self.steps}")


class MemoryClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime) -> None:
        self._at = utc(at)
        self.believed = True

    def now(self) -> datetime:
        """The instant that the test set."""
        return self._at

    def trusted(self) -> bool:
        """Whether the test lets it be believed."""
        return self.believed

    def moves(self, by: timedelta) -> datetime:
        """Move it forward, or back."""
        self._at = utc(self._at + by)
        return self._at

    def stands_at(self, at: datetime) -> None:
        """Set it."""
        self._at = utc(at)


class MemoryIdentities:
    """The persons who proved who they are."""

    def __init__(self, *persons: str) -> None:
        self.persons = set(persons)

    def authenticated(self, actor: str) -> bool:
        """Whether this actor is one of them."""
        return actor in self.persons


@dataclass(frozen=True)
class Transaction:
    """One call of ``append`` that stored something."""

    by: Command
    events: tuple[Happened, ...]
    given: Mapping[UUID, int]
    grain: Grain

    @property
    def names(self) -> list[str]:
        """The stored names, in order."""
        return [event.NAME for event in self.events]


class MemoryRecord:
    """The record.

    Args:
        clock: stamps each entry.
        mode: the only mode that may be written here.
        fuse: burns once for each transaction.
    """

    def __init__(
        self, clock: MemoryClock, *, mode: Mode = Mode.REHEARSAL, fuse: Fuse | None = None
    ) -> None:
        self._clock = clock
        self._mode = mode
        self.mode = mode.value
        self.fuse = fuse or Fuse()
        self._entries: list[Recorded] = []
        self._streams: dict[UUID, list[Happened]] = defaultdict(list)
        self._scopes: dict[UUID, str] = {}
        self.transactions: list[Transaction] = []
        self._answered: dict[UUID, tuple[bytes, range]] = {}
        self.forgotten: set[str] = set()
        """Scopes whose commands cannot be compared any more."""
        self.full = False
        """Set: nothing more is stored."""
        self._others_write = False
        self.meanwhile: list[Callable[[], object]] = []
        """What someone else does, one each, just before the next calls of ``append``."""

    def load(self, kind: type[A], stream: UUID, *, version: int | None = None) -> A:
        """The aggregate as its events leave it, or as it was at a version."""
        if not self.version(stream):
            raise NotFoundError(f"there is no {kind.KIND} {stream.hex}")
        return kind.replayed(stream, self._streams[stream][:version])

    def append(
        self,
        *changes: Aggregate | Happened,
        by: Command,
        given: Mapping[UUID, int] | None = None,
        grain: Grain = Grain.MILLISECOND,
        answers: bool = False,
    ) -> int:
        """Store new events in one transaction, or none of them."""
        self._let_others_write()
        _require_attribution(by, self._mode)
        events: list[Happened] = []
        for change in changes:
            events.extend([change] if isinstance(change, Happened) else change.collect_events())
        if not events:
            return self.size()
        if self.full:
            raise RecordFullError(f"the record did not take {len(events)} events")
        for stream, version in (given or {}).items():
            if self.version(stream) != version:
                raise ConflictError(
                    f"the decision rested on stream {stream.hex} at version {version}, "
                    f"which is at version {self.version(stream)} now"
                )
        for event in events:
            scope = self._scopes.get(event.originator_id, by.scope)
            if scope != by.scope:
                raise DomainError(
                    f"stream {event.originator_id.hex} belongs to the scope {scope}, "
                    f"found a command of the scope {by.scope}"
                )
        if answers and by.command_id in self._answered:
            raise ConflictError(f"command {by.command_id.hex} was answered before")
        placed = self._placed(events)
        first = len(self._entries)
        self._store(placed, by=by, grain=grain)
        self.transactions.append(
            Transaction(by=by, events=tuple(placed), given=dict(given or {}), grain=grain)
        )
        if answers:
            answer = range(first, len(self._entries))
            self._answered[by.command_id] = (digest(by, self._key_of(by.scope)), answer)
        self.fuse.burn()
        return self.size()

    def answer_to(self, command: Command) -> Answered | None:
        """What this command was answered with, if it was answered before."""
        if command.command_id not in self._answered:
            return None
        found, answer = self._answered[command.command_id]
        same = digest(command, self._key_of(command.scope)) == found
        if command.scope in self.forgotten:
            sameness = Sameness.FORGOTTEN
        else:
            sameness = Sameness.SAME if same else Sameness.ANOTHER
        return Answered([self._entries[one] for one in answer], sameness)

    def forget_contents(self, scope: str) -> None:
        """From now on, nothing of this scope can be compared."""
        self.forgotten.add(scope)

    def _key_of(self, scope: str) -> bytes:
        return scope.encode()

    def history(self, scope: str | None = None, *, after: int = -1) -> Iterator[Recorded]:
        """The entries in the order of the log: of one scope or all, from behind a position."""
        return iter([one for one in self._entries[after + 1 :] if scope in (None, one.scope)])

    def size(self) -> int:
        """The number of entries in the log."""
        return len(self._entries)

    def version(self, stream: UUID) -> int:
        """How many events a stream has."""
        return len(self._streams.get(stream, ()))

    def events(self, stream: UUID) -> list[Happened]:
        """The events of one stream."""
        return list(self._streams.get(stream, ()))

    def _let_others_write(self) -> None:
        """What someone else does meanwhile; their own appends are not overtaken."""
        if not self.meanwhile or self._others_write:
            return
        self._others_write = True
        try:
            self.meanwhile.pop(0)()
        finally:
            self._others_write = False

    def _placed(self, events: list[Happened]) -> list[Happened]:
        """The events with their places in their streams; a journal's is given here."""
        versions: dict[UUID, int] = {}
        placed = []
        for event in events:
            stream = event.originator_id
            following = versions.get(stream, self.version(stream)) + 1
            if event.originator_version == NEXT_VERSION:
                event = replace(event, originator_version=following)
            if event.originator_version != following:
                raise ConflictError(
                    f"stream {stream.hex} is at version {following - 1}, "
                    f"cannot add version {event.originator_version}"
                )
            versions[stream] = following
            # A copy: what was stored does not change with a list that someone still holds.
            placed.append(deepcopy(event))
        return placed

    def _store(self, events: list[Happened], *, by: Command, grain: Grain) -> None:
        for event in events:
            self._streams[event.originator_id].append(event)
            self._scopes[event.originator_id] = by.scope
            self._entries.append(
                Recorded(
                    position=len(self._entries),
                    scope=by.scope,
                    mode=by.mode.value,
                    recorded_at=grain.floor(self._clock.now()),
                    actor=by.actor,
                    role=by.role.value,
                    cause=by.command_id.hex,
                    clock="trusted" if self._clock.trusted() else "suspect",
                    event=event,
                )
            )


def _require_attribution(by: Command, mode: Mode) -> None:
    """Nothing is stored without saying who asked for it, for what and when."""
    if by.mode is not mode:
        raise DomainError(f"a {by.mode.value} command cannot write to a {mode.value} record")
    if not _SCOPE.fullmatch(by.scope):
        raise DomainError(f"expected a scope in visible ASCII, found {by.scope!a}")
    if not by.actor or not isinstance(by.role, Role):
        raise DomainError(f"expected an actor and a role, found {by.actor!a} and {by.role!a}")
    utc(by.at)


@dataclass(frozen=True)
class _Ciphertext:
    label: ItemLabel
    key: int
    content: bytes


class MemoryVault:
    """The vault: keys here, ciphertexts there, and a chain of tombstones.

    Args:
        fuse: burns once for each key and each ciphertext that is made or removed.
    """

    def __init__(self, *, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self._keys: dict[UUID, int] = {}
        self._ciphertexts: dict[UUID, _Ciphertext] = {}
        self.salts: dict[UUID, bytes] = {}
        """What was given with each item, kept for a test to recompute its commitment."""
        self.tombstones: dict[UUID, Tombstone] = {}
        self.held: dict[UUID, UUID] = {}
        """Item to the hold under whose key its own is."""
        self._made = 0
        self.after_seal: Callable[[ItemLabel], object] = lambda label: None
        """What happens elsewhere once an item is durable."""

    def seal(self, label: ItemLabel, *, salt: bytes, content: bytes | memoryview) -> SealedContent:
        """Make a key, then a ciphertext; an item that was destroyed has had its one life."""
        if len(salt) != SALT_BYTES:
            raise ValueError(f"expected a salt of {SALT_BYTES} bytes, found {len(salt)}")
        if label.item in self.tombstones:
            raise KeyDestroyedError(f"item {label.item.hex}: was destroyed and cannot be sealed")
        self._made += 1
        self.salts[label.item] = salt
        self._keys[label.item] = self._made
        self.fuse.burn()
        self._ciphertexts[label.item] = _Ciphertext(label, self._made, bytes(content))
        self.fuse.burn()
        self.after_seal(label)
        # Like a real one's, the digest says nothing of the content.
        return SealedContent(
            ciphertext_digest=hashlib.sha256(f"{label.item.hex} {self._made}".encode()).hexdigest(),
            ciphertext_length=len(salt) + len(content),
        )

    def seal_all(self, contents: Sequence[ToSeal]) -> list[SealedContent]:
        """One after the other."""
        return [self.seal(one.label, salt=one.salt, content=one.content) for one in contents]

    def open(self, label: ItemLabel) -> bytearray:
        """The content, in a buffer of the caller's own."""
        if label.item not in self._keys:
            raise KeyDestroyedError(f"item {label.item.hex}: there is no key")
        if label.item not in self._ciphertexts:
            raise CiphertextMissingError(f"item {label.item.hex}: there is no ciphertext")
        found = self._ciphertexts[label.item]
        if found.label != label or found.key != self._keys[label.item]:
            raise ContentAlteredError(f"item {label.item.hex}: does not open under this label")
        return bytearray(found.content)

    def seal_stream(
        self, label: ItemLabel, *, salt: bytes, chunks: Iterable[bytes | memoryview]
    ) -> SealedStream:
        """Seal what comes, joined."""
        whole = b"".join(chunks)
        content = self.seal(label, salt=salt, content=whole)
        return SealedStream(content, commitment(salt, whole), len(whole))

    def open_stream(self, label: ItemLabel) -> Iterator[bytearray]:
        """The content, in one buffer."""
        yield self.open(label)

    def destroy_keys(self, items: Sequence[UUID], *, at: datetime) -> dict[UUID, Tombstone]:
        """Delete the keys and chain a tombstone for each, once."""
        return {item: self._destroyed(item, at) for item in items}

    def _destroyed(self, item: UUID, at: datetime) -> Tombstone:
        if item in self.tombstones:
            return self.tombstones[item]
        self._keys.pop(item, None)
        last = list(self.tombstones.values())[-1:]
        sequence, before = (last[0].sequence + 1, last[0].digest) if last else (1, _GENESIS)
        link = f"{sequence}\n{item.hex}\n{written(at)}\n{before}".encode()
        self.tombstones[item] = Tombstone(sequence, hashlib.sha256(link).hexdigest())
        self.fuse.burn()
        return self.tombstones[item]

    def remove_ciphertexts(self, items: Sequence[UUID]) -> dict[UUID, DomainError]:
        """Unlink the ciphertexts."""
        for item in items:
            self._ciphertexts.pop(item, None)
            self.fuse.burn()
        return {}

    def end_epochs(self, *, at: datetime, over: Collection[UUID]) -> list[EpochEnded]:
        """There are none."""
        return []

    def hold_keys(self, items: Sequence[UUID], *, hold: UUID) -> None:
        """Keep whose hold has them, for a test to see; there are no epochs."""
        for item in items:
            if item not in self._keys:
                raise KeyDestroyedError(f"item {item.hex}: there is no key")
        self.held.update(dict.fromkeys(items, hold))
        self.fuse.burn()

    def buried(self) -> dict[UUID, Tombstone]:
        """Every item that has a tombstone."""
        return dict(self.tombstones)

    def ended_epochs(self) -> list[EpochEnded]:
        """There are none."""
        return []

    def last_tombstone(self) -> Tombstone | None:
        """The newest link."""
        return next(reversed(self.tombstones.values()), None)

    def holds(self, item: UUID) -> bool:
        """Whether there is still a key or a ciphertext of it."""
        return item in self._keys or item in self._ciphertexts

    def keys(self) -> set[UUID]:
        """Every item that has a key."""
        return set(self._keys)

    def ciphertexts(self) -> set[UUID]:
        """Every item that has a ciphertext."""
        return set(self._ciphertexts)

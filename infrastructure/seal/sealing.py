"""Sealing a record: commit to the heads of its scopes, then sign; and when that is due.

``log.scope_heads_committed`` is recorded before each checkpoint and never asks for one itself: a
log whose only new entries are that keeps its checkpoint.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.assurance.checkpoints import Checkpoint
from domain.assurance.scope_heads import ScopeEnd
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.errors import DomainError, NotFoundError, RecordBrokenError
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import FORCE
from domain.log.aggregate import KEYS, SCOPE_HEADS, LogKeys
from domain.log.events import ScopeHeadsCommitted
from domain.ports import Clock
from infrastructure.record.entry_mapper import entry_of
from infrastructure.record.event_record import EventRecord
from infrastructure.seal.scope_secrets import ScopeSecrets
from infrastructure.seal.sealer import Sealer
from infrastructure.seal.signing import Signer


class Sealing:
    """The sealing of one record.

    Args:
        record: the record.
        clock: tells the time.
        sealer: signs.
        scope_secrets: behind the commitments to the scopes' heads.
        not_before: when the newest cosignature was given, if there is one.
    """

    def __init__(
        self,
        record: EventRecord,
        clock: Clock,
        sealer: Sealer,
        scope_secrets: ScopeSecrets,
        not_before: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        self.record = record
        self.clock = clock
        self.sealer = sealer
        self._scope_secrets = scope_secrets
        self._not_before = not_before

    def seal(self) -> Checkpoint:
        """Sign the log as it stands; one that has nothing new to sign keeps its checkpoint.

        Raises:
            RecordBrokenError: the log is shorter than what was signed before, or differs from it.
            SealError: the key cannot be used, the clock is behind, or nothing can be written.
                Nothing was recorded then.
        """
        not_before = self._not_before()
        # refuse before anything is recorded
        self.sealer.examine(self.record, now=self.clock.now(), not_before=not_before)
        last = self.sealer.last()
        if last is not None and not self._has_news(last.size):
            return last
        if not self._heads_are_committed():
            self._commit_heads()
        return self.sealer.seal(
            self.record,
            now=self.clock.now(),
            not_before=not_before,
            also=self._follower,
        )

    def sealed(self) -> int:
        """How many entries, from the first, are signed."""
        last = self.sealer.last()
        return last.size if last else 0

    def command(self) -> Command:
        """Who asks for what is recorded of the log itself: the system does."""
        return Command(
            scope=FORCE,
            mode=Mode(self.record.mode),
            actor="system:sealer",
            role=Role.SYSTEM,
            at=self.clock.now(),
        )

    def _has_news(self, signed: int) -> bool:
        """Whether anything but commitments to heads was recorded behind the last checkpoint."""
        return any(
            entry_of(blob)["name"] != ScopeHeadsCommitted.NAME
            for _, blob in self.record.blobs(after=signed - 1)
        )

    def _heads_are_committed(self) -> bool:
        """Whether the newest entry is a commitment: a sealing died between that and signing."""
        for _, blob in self.record.blobs(after=self.record.size() - 2):
            if entry_of(blob)["name"] == ScopeHeadsCommitted.NAME:
                return True
        return False

    def _commit_heads(self) -> None:
        heads = self.record.heads()
        ends = {one.scope: ScopeEnd(one.size, bytes.fromhex(one.leaf_hex)) for one in heads.scopes}
        self._scope_secrets.make()
        command = self.command()
        self.record.append(
            ScopeHeadsCommitted(
                originator_id=SCOPE_HEADS,
                originator_version=NEXT_VERSION,
                timestamp=command.at,
                size=heads.size,
                scopes=len(heads.scopes),
                root=self._scope_secrets.commit(ends, size=heads.size).hex(),
            ),
            by=command,
        )

    def _follower(self) -> Signer | None:
        """The key that is to follow, once the record says so: it signs beside the current one."""
        try:
            register = self.record.load(LogKeys, KEYS)
        except NotFoundError:
            return None
        incoming = self.sealer.keys.incoming()
        if incoming is None or incoming.verifier().text() != register.current:
            return None
        return incoming


@dataclass(frozen=True)
class SealingPolicy:
    """How much may stand without a signature, and for how long."""

    entries: int
    seconds: int


class SealingLoop:
    """Seals a record that is written to, in a thread of its own.

    It is told of each COMMIT (:meth:`committed`) and seals once so many entries are unsigned, or
    the oldest unsigned one has waited so long. A sealing that fails is told, and tried again after
    as long; a record that contradicts itself ends the loop.

    Args:
        seal: signs the log as it stands, and gives the size that the log then has.
        clock: tells the time.
        policy: when to seal.
        sealed: the size that is signed now.
        on_trouble: told in words what went wrong.
    """

    def __init__(
        self,
        seal: Callable[[], int],
        *,
        clock: Clock,
        policy: SealingPolicy,
        sealed: int,
        on_trouble: Callable[[str], None],
    ) -> None:
        self._seal = seal
        self._clock = clock
        self._policy = policy
        self._sealed = sealed
        self._size = sealed
        self._waiting_since: datetime | None = None
        self._on_trouble = on_trouble
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def committed(self, size: int) -> None:
        """Take in the log's size after a COMMIT. Quick, and it never fails: a writer calls it."""
        with self._changed:
            self._size = max(self._size, size)
            if self._size > self._sealed and self._waiting_since is None:
                self._waiting_since = self._clock.now()
            self._changed.notify_all()

    def wait_s(self) -> float | None:
        """Seconds until a sealing is due; 0 when it is, None while nothing is unsigned."""
        with self._changed:
            if self._waiting_since is None:
                return None
            if self._size - self._sealed >= self._policy.entries:
                return 0.0
            waited = self._clock.now() - self._waiting_since
            if waited < timedelta():  # the clock was set back: the sealer knows whether it matters
                return 0.0
            return max(0.0, self._policy.seconds - waited.total_seconds())

    def turn(self) -> bool:
        """Seal if it is due.

        Returns:
            Whether the loop may go on.
        """
        if self.wait_s() != 0.0:
            return True
        with self._changed:
            self._waiting_since = None
            attempted = self._size
        try:
            sealed = self._seal()
        except RecordBrokenError as error:
            self._on_trouble(f"STOP: {error}")
            return False
        except DomainError as error:
            self._on_trouble(f"the log could not be sealed: {error}")
            with self._changed:
                self._waiting_since = self._clock.now()
                # not for so many entries again, but after as long
                self._sealed = attempted
            return True
        with self._changed:
            self._sealed = max(sealed, attempted)
            if self._size <= self._sealed:
                self._waiting_since = None
        return True

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="sealing", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, once what it is sealing is sealed. It does not seal once more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self.turn():
            with self._changed:
                if self._stopping:
                    return
                wait = self.wait_s()
                if wait != 0.0:
                    self._changed.wait(wait)

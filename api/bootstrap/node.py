"""What it takes to be the one writer of a record, and what a start has to find in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from api.bootstrap.reading import verify_premises
from api.bootstrap.surroundings import premises_at
from domain.assurance.checkpoints import Checkpoint
from domain.assurance.verification import Kind
from domain.kernel.commands import Mode
from domain.kernel.errors import RecordBrokenError
from domain.ports import Clock, FootageSink, Identities, Outside
from domain.services import rechecking
from domain.services.lateness import Jumps
from domain.services.recovery import finish_what_was_begun
from domain.services.restoring import Diagnosis, Kept, Standing, diagnose
from domain.services.retention import Retention
from domain.services.schedules import adopt_what_ships
from domain.services.sink import InProcessFootage
from infrastructure.clock import SystemClock, kept_by_the_network
from infrastructure.custody.separate_rechecker import SeparateRechecker
from infrastructure.premises import Premises
from infrastructure.record.event_record import EventRecord, Heard
from infrastructure.seal.rotation import KeyRegister
from infrastructure.seal.scope_secrets import ScopeSecrets
from infrastructure.seal.sealer import Sealer
from infrastructure.seal.sealing import Sealing, SealingLoop, SealingPolicy
from infrastructure.seal.witnesses import Witnesses
from infrastructure.vault.sealed_vault import SealedVault

SEALING = SealingPolicy(entries=1000, seconds=60)
"""When a process that writes seals: no entry waits longer, and no more wait."""

DOCTOR = "What can be done about it: plumbline doctor"

AGREES = timedelta(hours=1)
"""How far a witness's clock may be from ours to confirm it."""


class NobodyAuthenticated:
    """Until persons can prove who they are, nobody has, and operational mode stays shut."""

    def authenticated(self, actor: str) -> bool:
        """Never."""
        return False


@dataclass
class Node:
    """One node at work: the ports, the sealer and what a start found half done."""

    outside: Outside
    record: EventRecord
    sealer: Sealer
    premises: Premises
    recovered: list[str]
    sealing: Sealing
    keys: KeyRegister
    witnesses: Witnesses
    witnessed: list[str]
    """What the witnesses said last, in words; a start puts there what it was told."""
    listeners: list[Heard]
    """Told the log's size after each COMMIT."""
    rechecker: SeparateRechecker
    """The other principal, who looks at the stores itself."""

    def seal(self) -> Checkpoint:
        """Sign the log as it stands, and have its witnesses cosign it where they can be reached."""
        checkpoint = self.sealing.seal()
        self.witnessed = self.witnesses.ask_all()
        return checkpoint

    @contextmanager
    def sealed_meanwhile(
        self, *, on_trouble: Callable[[str], None], policy: SealingPolicy = SEALING
    ) -> Iterator[None]:
        """Seal now and then while the log is written to, in a thread of its own.

        Args:
            on_trouble: told in words what went wrong; the writing goes on.
            policy: when to seal.
        """
        loop = SealingLoop(
            lambda: self.seal().size,
            clock=self.outside.clock,
            policy=policy,
            sealed=self.sealing.sealed(),
            on_trouble=on_trouble,
        )
        self.listeners.append(loop.committed)
        loop.start()
        try:
            yield
        finally:
            self.listeners.remove(loop.committed)
            loop.stop()

    @contextmanager
    def footage(self) -> Iterator[FootageSink]:
        """Where a recorder's segments go: for its own thread, which a keystore serves alone."""
        with ExitStack() as closing:
            identities, clock = self.outside.identities, self.outside.clock
            outside, _, _ = ports_over(self.premises, self.record, clock, identities, closing)
            yield InProcessFootage(outside)

    def verified(self) -> bool:
        """Whether everything that is stored recomputes to what was signed."""
        key_text = self.sealer.verifier_key_file.read_text(encoding="utf-8")
        verdict = verify_premises(self.premises.path, key_text=key_text, outside_checkpoint=None)
        return verdict.kind is Kind.SOUND


def ports_over(
    premises: Premises,
    record: EventRecord,
    clock: Clock,
    identities: Identities | None,
    closing: ExitStack,
) -> tuple[Outside, SealedVault, SeparateRechecker]:
    """The ports of these premises; what has to be closed is given to ``closing``."""
    vault = premises.open_vault()
    closing.callback(vault.close)
    rechecker = premises.rechecker(enrol=lambda name, key: rechecking.enrol(outside, name, key))
    closing.callback(rechecker.close)
    outside = Outside(
        record,
        vault,
        clock,
        identities or NobodyAuthenticated(),
        rechecker,
        premises.boundary,
    )
    return outside, vault, rechecker


@contextmanager
def open_node(
    path: Path,
    mode: Mode,
    *,
    on_commit: Callable[[int], None] = lambda size: None,
    identities: Identities | None = None,
    clock_confirmed_by: str | None = None,
    whatever_is_there: bool = False,
    sweeping: bool = True,
) -> Iterator[Node]:
    """Be the one writer of these premises; first finish what a dead process left half done.

    Args:
        path: the data directory.
        mode: of the record, fixed when it was founded.
        on_commit: told the log's size after each COMMIT.
        identities: who proved who they are; None for nobody.
        clock_confirmed_by: who says that the clock is right although it is far ahead of the record.
        whatever_is_there: take the stores as they are, so that they can be looked at: nothing is
            finished or destroyed.
        sweeping: also destroy what is due. Otherwise nothing is kept here, only destroyed later.

    Raises:
        PremisesError: in use by another process, of the other mode, or not usable.
        SchemaError: the record is of another shape; says the command to run.
    """
    premises = premises_at(path)
    with premises.alone():
        premises.found(mode)
        clock = SystemClock()
        listeners: list[Heard] = [on_commit]
        record = premises.open_record(mode, clock, lambda size: _tell_all(listeners, size))
        with ExitStack() as closing:
            closing.callback(record.close)
            outside, vault, rechecker = ports_over(premises, record, clock, identities, closing)
            sealing, witnesses, keys = signing_of(premises, record, clock)
            standing = Standing().take(record.history())
            if not whatever_is_there:
                vault.verify_tombstones()
                found = diagnose(standing, Kept.of(vault))
                # What no entry knows stops whoever would keep more. It must not stop whoever only
                # destroys: else one stray file would keep everything alive.
                _require_what_fits(found if sweeping else replace(found, unknown={}))
            told = witnesses.require_not_behind(record.size(), lost=standing.longest_lost)
            retention = Retention(outside)
            jumps = judge_of(outside, clock, witnesses, confirmed_by=clock_confirmed_by)
            recovered = [*jumps.judge(retention.survey()), *keys.settle()]
            adopt_what_ships(outside)
            if not whatever_is_there:
                recovered += finish_what_was_begun(outside, retention.survey)
            if not whatever_is_there and sweeping:
                retention.sweep_or_raise()
            if not whatever_is_there:
                vault.require_ready()  # after the sweep: keys are destroyed without their token
            yield Node(
                outside,
                record,
                sealing.sealer,
                premises,
                recovered,
                sealing,
                keys,
                witnesses,
                told,
                listeners,
                rechecker,
            )


def signing_of(
    premises: Premises, record: EventRecord, clock: Clock
) -> tuple[Sealing, Witnesses, KeyRegister]:
    """What signs this log, and who else does."""
    sealer = premises.sealer(record.origin, new=record.size() == 0)
    witnesses = Witnesses(sealer, clock)
    sealing = Sealing(
        record,
        clock,
        sealer,
        ScopeSecrets(premises.seal),
        not_before=witnesses.newest_cosignature,
    )
    return sealing, witnesses, KeyRegister(sealing, both_signed=witnesses.ask_all)


def judge_of(
    outside: Outside, clock: SystemClock, witnesses: Witnesses, *, confirmed_by: str | None
) -> Jumps:
    """What believes this machine's clock, where it is far ahead of the record, or does not."""

    def source() -> str | None:
        if confirmed_by:
            return "person"
        if kept_by_the_network():
            return "kernel"
        return "witness" if _a_witness_agrees(witnesses, clock) else None

    return Jumps(
        outside, doubt=clock.doubt, believe=clock.believe, source=source, actor=confirmed_by
    )


def _a_witness_agrees(witnesses: Witnesses, clock: Clock) -> bool:
    """Whether one that is asked now cosigns with about the time that our clock shows."""
    asked_at = clock.now()
    witnesses.ask_all()
    return any(
        one.accepted_at >= asked_at and abs(one.cosigned_at - asked_at) <= AGREES
        for one in witnesses.held()
    )


def _tell_all(listeners: Sequence[Heard], size: int) -> None:
    for listener in tuple(listeners):
        listener(size)


def _require_what_fits(found: Diagnosis) -> None:
    """Stop if record, keystore and media store are not of one time.

    A receipt for what was not there when it was "destroyed" would be untrue; what no entry knows
    would never be destroyed; and what one of them calls destroyed must not be read.
    """
    if found.fits:
        return
    if found.rollback:
        expected, known = found.rollback
        raise RecordBrokenError(
            f"the record names tombstone {expected}, the keystore knows {known}, and is no "
            f"continuation: it was replaced or brought back from an older copy. {DOCTOR}"
        )
    if found.lost:
        raise RecordBrokenError(
            f"the keystore knows of {found.lost.size - found.size} entries at least that the "
            f"record has not: it was brought back from an older copy. {DOCTOR}"
        )
    missing, back = _count(found.missing), _count(found.came_back) + _count(found.unknown)
    raise RecordBrokenError(
        f"record, keystore and media store do not fit together: {missing} items are not there, "
        f"{back} are there that the record does not know or calls destroyed, "
        f"{len(found.ended_meanwhile)} were destroyed by the keystore and live by the record, "
        f"{len(found.undoubted)} are in doubt: a part was lost, or brought back from an older "
        f"copy. {DOCTOR}"
    )


def _count(found: Mapping[str, set[UUID]]) -> int:
    return len(set().union(*found.values()))

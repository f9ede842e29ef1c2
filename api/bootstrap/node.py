"""What it takes to be the one writer of a record, and what a start has to find in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.bootstrap.reading import verify_premises
from api.bootstrap.surroundings import premises_at
from domain.assurance.checkpoints import Checkpoint
from domain.assurance.verification import Kind
from domain.custody.events import ItemDestroyed
from domain.custody.sealing import Tombstone
from domain.kernel.commands import Mode
from domain.kernel.errors import RecordBrokenError
from domain.ports import Identities, Outside
from domain.services import rechecking
from domain.services.recovery import finish_what_was_begun
from domain.services.retention import sweep
from domain.services.survey import Survey
from infrastructure.clock import SystemClock
from infrastructure.premises import Premises
from infrastructure.record.event_record import EventRecord, Heard
from infrastructure.seal.rotation import KeyRegister
from infrastructure.seal.scope_secrets import ScopeSecrets
from infrastructure.seal.sealer import Sealer
from infrastructure.seal.sealing import Sealing, SealingLoop, SealingPolicy
from infrastructure.seal.witnesses import Witnesses

SEALING = SealingPolicy(entries=1000, seconds=60)
"""When a process that writes seals: no entry waits longer, and no more wait."""


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

    def verified(self) -> bool:
        """Whether everything that is stored recomputes to what was signed."""
        key_text = self.sealer.verifier_key_file.read_text(encoding="utf-8")
        verdict = verify_premises(self.premises.path, key_text=key_text, outside_checkpoint=None)
        return verdict.kind is Kind.SOUND


@contextmanager
def open_node(
    path: Path,
    mode: Mode,
    *,
    on_commit: Callable[[int], None] = lambda size: None,
    identities: Identities | None = None,
) -> Iterator[Node]:
    """Be the one writer of these premises; first finish what a dead process left half done.

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
            vault = premises.open_vault()
            closing.callback(vault.close)
            sealer = premises.sealer(record.origin, new=record.size() == 0)
            rechecker = premises.rechecker(
                enrol=lambda name, key: rechecking.enrol(outside, name, key)
            )
            closing.callback(rechecker.close)
            outside = Outside(record, vault, clock, identities or NobodyAuthenticated(), rechecker)
            _require_the_records_keystore(outside, vault.last_tombstone())
            _require_the_records_items(outside)
            witnesses = Witnesses(sealer, clock)
            told = witnesses.require_not_behind(record.size())
            sealing = Sealing(
                record,
                clock,
                sealer,
                ScopeSecrets(premises.seal),
                not_before=witnesses.newest_cosignature,
            )
            keys = KeyRegister(sealing, both_signed=witnesses.ask_all)
            recovered = [*keys.settle(), *finish_what_was_begun(outside)]
            sweep(outside)
            yield Node(
                outside,
                record,
                sealer,
                premises,
                recovered,
                sealing,
                keys,
                witnesses,
                told,
                listeners,
            )


def _tell_all(listeners: Sequence[Heard], size: int) -> None:
    for listener in tuple(listeners):
        listener(size)


def _require_the_records_keystore(outside: Outside, last: Tombstone | None) -> None:
    """Stop if the keystore knows fewer destroyed keys than the record has receipts for."""
    receipts = (
        entry.event.tombstone_sequence
        for entry in outside.record.history()
        if isinstance(entry.event, ItemDestroyed)
    )
    newest, known = max(receipts, default=0), last.sequence if last else 0
    if known < newest:
        raise RecordBrokenError(
            f"the record has receipts up to tombstone {newest}, the keystore knows {known}: it was "
            "replaced or brought back from an older copy"
        )


def _require_the_records_items(outside: Outside) -> None:
    """Stop if the stores hold other items than the record knows.

    A receipt for what was not there when it was "destroyed" would be untrue; what no entry knows
    would never be destroyed.
    """
    survey = Survey().take(outside.record.history())
    keys, ciphertexts = outside.vault.keys(), outside.vault.ciphertexts()
    live = {one.item for one in survey.items.values() if not one.destroyed}
    kept = {
        one.item
        for one in survey.items.values()
        if one.sealed and not one.destruction_started and not one.destroyed
    }
    lost, unknown = kept - (keys & ciphertexts), (keys | ciphertexts) - live
    if lost or unknown:
        raise RecordBrokenError(
            f"keystore and media store should hold {len(kept)} items: {len(lost)} of them are not "
            f"there, and {len(unknown)} are there that the record does not know or calls "
            "destroyed: a part was lost, or brought back from an older copy"
        )

"""Looking again after a destruction, and who may sign that nothing was left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.assurance.notes import VerifierKey
from domain.custody.aggregate import label_of
from domain.custody.commands import EnrolRechecker
from domain.custody.events import DestructionRechecked, ItemDestroyed, ItemRegistered
from domain.custody.recheckers import RECHECKERS, Recheckers
from domain.kernel.commands import Command, Mode
from domain.kernel.errors import DomainError, NotFoundError
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import FORCE, journal, new_reference
from domain.kernel.refusals import Refused
from domain.log.aggregate import KEYS, LogKeys
from domain.ports import (
    CiphertextMissingError,
    ItemLabel,
    KeyDestroyedError,
    Outside,
    Rechecked,
    Rechecker,
    Vault,
    VaultError,
)
from domain.services.carrying_out import by_the_system, tried_again

MOST_AT_ONCE = 500
"""Items that a re-checker is asked about at a time: what it signs fits into one entry."""


class EnrolmentRefusedError(DomainError):
    """A key may not sign re-checks. Nothing rests on it, so nothing gets a receipt."""


class LookAgain:
    """Implements ``domain.ports.Rechecker`` in the same process: not independent, not signed."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def recheck(self, labels: Sequence[ItemLabel], *, at: datetime) -> Rechecked:
        """Try to open each, and look for what is left of it."""
        still_there = [one.item for one in labels if not is_gone(self._vault, one)]
        return Rechecked(
            recheck=new_reference(),
            rechecker="",
            kind="in-process",
            gone=[one.item for one in labels if one.item not in still_there],
            still_there=still_there,
            last_tombstone=self._vault.last_tombstone(),
            signature="",
        )


def is_gone(vault: Vault, label: ItemLabel) -> bool:
    """Whether an item cannot be opened, with neither key nor ciphertext there."""
    try:
        next(vault.open_stream(label), None)
    except (KeyDestroyedError, CiphertextMissingError):
        return not vault.holds(label.item)
    except VaultError:
        return False
    return False


def looked(rechecked: Rechecked, *, scope: str, at: datetime) -> DestructionRechecked:
    """What a re-check found, as it is recorded in a scope."""
    last = rechecked.last_tombstone
    return DestructionRechecked(
        originator_id=journal("rechecks", scope),
        originator_version=NEXT_VERSION,
        timestamp=at,
        recheck=rechecked.recheck,
        rechecker=rechecked.rechecker,
        kind=rechecked.kind,
        items=rechecked.gone,
        still_there=rechecked.still_there,
        tombstone_sequence=last.sequence if last else 0,
        tombstone_digest=last.digest if last else "",
        signature=rechecked.signature,
    )


@dataclass(frozen=True)
class LookedAgain:
    """What came of looking for everything that has a receipt."""

    receipts: int
    still_there: list[UUID]
    """Items with a receipt that are there all the same."""


def recheck_receipts(
    outside: Outside, rechecker: Rechecker, command: Command, *, deployment: UUID | None = None
) -> LookedAgain:
    """Have somebody look for every item that has a receipt, and record what was signed.

    Args:
        outside: the ports.
        rechecker: who looks.
        command: who asked for it; of any scope.
        deployment: only its items; None for all.

    Raises:
        DomainError: the stores could not be looked at, or the key may not sign.
    """
    receipts = 0
    still_there: list[UUID] = []
    for scope, labels in _with_receipts(outside, deployment).items():
        for start in range(0, len(labels), MOST_AT_ONCE):
            found = rechecker.recheck(labels[start : start + MOST_AT_ONCE], at=outside.clock.now())
            by = replace(command, scope=scope, at=outside.clock.now())
            outside.record.append(looked(found, scope=scope, at=by.at), by=by)
            still_there += found.still_there
        receipts += len(labels)
    return LookedAgain(receipts, still_there)


def _with_receipts(outside: Outside, deployment: UUID | None) -> dict[str, list[ItemLabel]]:
    """Scope to the labels of the items in it that were destroyed."""
    living: dict[UUID, ItemLabel] = {}
    gone: dict[str, list[ItemLabel]] = {}
    for entry in outside.record.history(deployment.hex if deployment else None):
        match entry.event:
            case ItemRegistered() as event:
                living[event.originator_id] = label_of(event)
            case ItemDestroyed() as event:
                gone.setdefault(entry.scope, []).append(living.pop(event.originator_id))
            case _:
                pass
    return gone


def enrol(
    outside: Outside,
    name: str,
    public_key: str,
    *,
    for_another: bool = False,
    nodes_own: str | None = None,
) -> None:
    """Let a re-checker's key sign from here on, on the record. Repeating it does no harm.

    Args:
        outside: the ports.
        name: its name.
        public_key: Ed25519, hex.
        for_another: whether it must be another's than the key of the node that destroys.
        nodes_own: that key, where it is known.

    Raises:
        EnrolmentRefusedError: this key may not sign; the refusal is on the record.
    """
    command = EnrolRechecker(
        **by_the_system(outside, scope=FORCE, mode=Mode(outside.record.mode), part="custodian"),
        rechecker=name,
        public_key=public_key,
        for_another=for_another,
    )

    def attempt() -> Refused | None:
        known = _known(outside)
        refused = known.decide_enrolment(
            command, keys_of_the_log=_keys_of_the_log(outside), nodes_own=nodes_own
        )
        outside.record.append(refused.recorded() if refused else known, by=command)
        return refused

    if refused := tried_again(attempt):
        raise EnrolmentRefusedError(
            f"re-checker {name} may not sign: {'; '.join(one.sentence for one in refused.reasons)}"
        )


def _known(outside: Outside) -> Recheckers:
    try:
        return outside.record.load(Recheckers, RECHECKERS)
    except NotFoundError:
        return Recheckers()


def _keys_of_the_log(outside: Outside) -> set[str]:
    try:
        keys = outside.record.load(LogKeys, KEYS).keys
    except NotFoundError:
        return set()
    return {VerifierKey.from_text(one).public.hex() for one in keys}

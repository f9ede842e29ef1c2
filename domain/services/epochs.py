"""The keys that wrap the keys of items end with the last of them (level L4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from domain.custody.events import EpochDestroyed
from domain.kernel.commands import Command, Mode
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import journal
from domain.ports import EpochEnded, Outside
from domain.services.carrying_out import by_the_system


def end_epochs(outside: Outside, *, over: Collection[UUID]) -> None:
    """Destroy the keys of epochs that wrap nothing any more, and say so on the record.

    A crash between the two leaves a tombstone in the keystore that no entry tells of:
    :func:`tell_ended_epochs` makes up for it at the next start.

    Args:
        outside: the ports.
        over: deployments for which nothing can be registered any more.
    """
    _tell(outside, outside.vault.end_epochs(at=outside.clock.now(), over=over))


def tell_ended_epochs(outside: Outside, *, told: Collection[int]) -> list[str]:
    """Say of every epoch that ended in the keystore what nobody came to say.

    Args:
        outside: the ports.
        told: the tombstones that stand on the record.

    Returns:
        What was done, in words.
    """
    untold = [one for one in outside.vault.ended_epochs() if one.tombstone.sequence not in told]
    _tell(outside, untold)
    return [f"told the end of epoch {one.epoch.name}" for one in untold]


def _tell(outside: Outside, epochs: Iterable[EpochEnded]) -> None:
    for ended in epochs:
        scope = ended.epoch.deployment.hex
        by = Command(
            **by_the_system(outside, scope=scope, mode=Mode(outside.record.mode), part="custodian")
        )
        gone = EpochDestroyed(
            originator_id=journal("epochs", scope),
            originator_version=NEXT_VERSION,
            timestamp=by.at,
            deployment=ended.epoch.deployment,
            item_class=ended.epoch.item_class,
            day=ended.epoch.day.isoformat(),
            kept_in=ended.kept_in,
            tombstone_sequence=ended.tombstone.sequence,
            tombstone_digest=ended.tombstone.digest,
        )
        outside.record.append(gone, by=by)

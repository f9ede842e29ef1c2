"""The keys that wrap the keys of items end with the last of them (level L4)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from domain.custody.events import EpochDestroyed
from domain.kernel.commands import Command, Mode
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import journal
from domain.ports import Outside
from domain.services.carrying_out import by_the_system


def end_epochs(outside: Outside, *, over: Collection[UUID]) -> None:
    """Destroy the keys of epochs that wrap nothing any more, and say so on the record.

    A crash between the two leaves a tombstone in the keystore that no entry tells of: then level
    L4 is reached and not claimed.

    Args:
        outside: the ports.
        over: deployments for which nothing can be registered any more.
    """
    for ended in outside.vault.end_epochs(at=outside.clock.now(), over=over):
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

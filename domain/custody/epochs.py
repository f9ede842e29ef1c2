"""The epochs of one deployment whose keys are gone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.custody.events import EpochDestroyed
from domain.custody.sealing import EpochEnded
from domain.kernel.aggregate import Aggregate
from domain.kernel.references import journal


def epochs_of(deployment: UUID) -> UUID:
    """The stream of a deployment's ended epochs."""
    return journal("epochs", deployment.hex)


class EndedEpochs(Aggregate):
    """Whose end is on the record, so that each is told once, whoever tells it."""

    KIND = "register of ended epochs"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.told: set[str] = set()
        """The digests of their tombstones."""

    def tell(self, ended: EpochEnded, *, at: datetime) -> None:
        """Say that the key is gone. Saying it again changes nothing."""
        if ended.tombstone.digest in self.told:
            return
        self.happened(
            EpochDestroyed,
            at=at,
            deployment=ended.epoch.deployment,
            item_class=ended.epoch.item_class,
            day=ended.epoch.which,
            kept_in=ended.kept_in,
            tombstone_sequence=ended.tombstone.sequence,
            tombstone_digest=ended.tombstone.digest,
        )

    def evolve(self, event: EpochDestroyed) -> None:
        """Take in one event."""
        self.told.add(event.tombstone_digest)

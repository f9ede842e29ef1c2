"""An item: one life, from registration to receipt."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never
from uuid import UUID

from domain.custody import events as happened
from domain.custody.classes import ItemClass
from domain.custody.commands import ConsultItem
from domain.custody.policies import CONSULTATION_POLICIES, PURPOSES, ConsultationFacts
from domain.custody.schedule import RetentionRule
from domain.custody.sealing import ItemLabel, RecheckedBy, SealedContent, Tombstone
from domain.kernel.aggregate import Aggregate
from domain.kernel.errors import RecordBrokenError
from domain.kernel.refusals import Refused, refusals
from domain.kernel.time import utc


def label_of(registered: happened.ItemRegistered) -> ItemLabel:
    """What the ciphertext of an item is bound to."""
    return ItemLabel(
        item=registered.originator_id,
        item_class=registered.item_class,
        deployment=registered.deployment,
        content_type=registered.content_type,
        registered_on=utc(registered.timestamp).date(),
    )


class Item(Aggregate):
    """One item of personal data."""

    KIND = "item"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.registered: happened.ItemRegistered | None = None
        self.sealed: happened.ItemSealed | None = None
        self.destruction: happened.DestructionStarted | None = None
        self.destroyed = False

    @property
    def label(self) -> ItemLabel:
        """What the ciphertext is bound to."""
        return label_of(self._registered())

    # -- decide --------------------------------------------------------------------------------

    def register(
        self,
        item_class: ItemClass,
        *,
        content_type: str,
        deployment: UUID,
        concerning: UUID,
        rule: RetentionRule,
        schedule: str,
        anchor_at: datetime | None,
        due_at: datetime,
        commitment: str,
        at: datetime,
    ) -> None:
        """Say that the item may now come to exist, and until when."""
        self.happened(
            happened.ItemRegistered,
            at=at,
            item_class=item_class.value,
            content_type=content_type,
            deployment=deployment,
            concerning=concerning,
            schedule=schedule,
            rule=rule.rule,
            clock_starts=rule.starts.value,
            anchor_at=anchor_at,
            due_at=due_at,
            commitment=commitment,
        )

    def seal(self, content: SealedContent, *, at: datetime) -> None:
        """Say that the item exists."""
        self.happened(
            happened.ItemSealed,
            at=at,
            ciphertext_digest=content.ciphertext_digest,
            ciphertext_length=content.ciphertext_length,
        )

    def decide_consultation(self, command: ConsultItem) -> Refused | None:
        """Let someone open the item."""
        # A word that is no purpose may be anything, so it is not repeated in an event.
        purpose = command.purpose if command.purpose in PURPOSES else "unknown"
        facts = ConsultationFacts(
            role=command.role,
            purpose=purpose,
            item_class=ItemClass(self._registered().item_class),
            sealed=self.sealed is not None,
            destruction_started=self.destruction is not None,
        )
        if reasons := refusals(CONSULTATION_POLICIES, facts):
            extra = {"purpose": purpose}
            return Refused(happened.ConsultationRefused, reasons, command, self.id, extra)
        self.happened(happened.ItemConsulted, at=command.at, purpose=command.purpose)
        return None

    def start_destruction(self, *, cause: str, at: datetime) -> None:
        """Say that the item is to be destroyed. Saying it again changes nothing."""
        if self.destruction is None:
            self.happened(happened.DestructionStarted, at=at, cause=cause)

    def finish_destruction(
        self, tombstone: Tombstone, rechecked: RecheckedBy, *, boundary: str, at: datetime
    ) -> None:
        """Write the receipt. Writing it again changes nothing.

        Args:
            tombstone: of its key.
            rechecked: who looked again.
            boundary: the stores that it speaks of, in words.
            at: when it was gone and looked for.
        """
        if self.destroyed:
            return
        registered, started = self._registered(), self.destruction
        if started is None:
            raise RecordBrokenError(f"item {self.id.hex}: destroyed before its destruction began")
        self.happened(
            happened.ItemDestroyed,
            at=at,
            item_class=registered.item_class,
            deployment=registered.deployment,
            concerning=registered.concerning,
            registered_at=registered.timestamp,
            registered_version=registered.originator_version,
            schedule=registered.schedule,
            rule=registered.rule,
            clock_starts=registered.clock_starts,
            due_at=registered.due_at,
            cause=started.cause,
            started_at=started.timestamp,
            finished_at=at,
            commitment=registered.commitment,
            ciphertext_digest=self.sealed.ciphertext_digest if self.sealed else None,
            ciphertext_length=self.sealed.ciphertext_length if self.sealed else None,
            tombstone_sequence=tombstone.sequence,
            tombstone_digest=tombstone.digest,
            epoch=self.label.epoch.name,
            levels=["L0", "L1", "L2"],
            methods={
                "L0": "reads-refused",
                "L1": "key-deleted",
                "L2": "unlinked",
            },
            beyond_use=True,
            holds=[],
            recheck=rechecked.kind,
            recheck_id=rechecked.recheck,
            boundary=boundary,
            known_copies_outside=[],
        )

    def _registered(self) -> happened.ItemRegistered:
        if self.registered is None:
            raise RecordBrokenError(f"item {self.id.hex}: has no registration")
        return self.registered

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: happened.ItemEvent) -> None:
        """Take in one event."""
        match event:
            case happened.ItemRegistered():
                self.registered = event
            case happened.ItemSealed():
                self.sealed = event
            case happened.ItemConsulted():
                pass
            case happened.DestructionStarted():
                self.destruction = event
            case happened.ItemDestroyed():
                self.destroyed = True
            case _:
                assert_never(event)

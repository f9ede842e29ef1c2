"""An item: one life, from registration to receipt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never
from uuid import UUID

from domain.custody import events as happened
from domain.custody.classes import ItemClass
from domain.custody.commands import ConsultItem
from domain.custody.deadlines import HeldFrom, LimitInForce, deadline
from domain.custody.policies import CONSULTATION_POLICIES, PURPOSES, ConsultationFacts
from domain.custody.schedule import RetentionRule
from domain.custody.sealing import ItemLabel, RecheckedBy, SealedContent, Tombstone
from domain.kernel.aggregate import Aggregate
from domain.kernel.errors import RecordBrokenError
from domain.kernel.refusals import Refused, refusals
from domain.kernel.time import utc

LOST = "lost"
"""The cause of a destruction of what was not there any more, in part or in whole."""

_METHODS = {"L0": "reads-refused", "L1": "key-deleted", "L2": "unlinked"}
_METHODS_WHERE_LOST = {
    "L0": "reads-refused",
    "L1": "key-deleted-if-there",
    "L2": "unlinked-if-there",
}
"""Level to how it was reached."""


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
        self.holds: dict[UUID, HeldFrom] = {}
        """Every hold that was approved for it, with the time until which it counts."""
        self.told_due_at: datetime | None = None
        """When it has to be gone, as its newest entry about that says."""
        self.copies_outside: list[str] = []
        self.doubted = False
        """Whether it may have been destroyed in a part of the record that is lost."""

    @property
    def label(self) -> ItemLabel:
        """What the ciphertext is bound to."""
        return label_of(self._registered())

    def due_at(self, by: LimitInForce) -> datetime:
        """The latest instant at which it may exist, with its holds.

        Args:
            by: of its class.
        """
        return self._due(self.holds, by)

    @property
    def newest_hold(self) -> UUID | None:
        """The hold that was approved for it last."""
        return next(reversed(self.holds), None)

    def held_at(self, at: datetime) -> bool:
        """Whether a hold keeps it from being destroyed at a time."""
        return any(one.ends_at > at for one in self.holds.values())

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

    def decide_consultation(self, command: ConsultItem, *, by: LimitInForce) -> Refused | None:
        """Let someone open the item.

        Args:
            command: who asks, what for and when.
            by: how long its class may be kept.
        """
        # A word that is no purpose may be anything, so it is not repeated in an event.
        purpose = command.purpose if command.purpose in PURPOSES else "unknown"
        facts = ConsultationFacts(
            role=command.role,
            purpose=purpose,
            item_class=ItemClass(self._registered().item_class),
            sealed=self.sealed is not None,
            destruction_started=self.destruction is not None,
            doubted=self.doubted,
            due_at=self.due_at(by),
            at=command.at,
        )
        if reasons := refusals(CONSULTATION_POLICIES, facts):
            extra = {"purpose": purpose}
            return Refused(happened.ConsultationRefused, reasons, command, self.id, extra)
        self.happened(happened.ItemConsulted, at=command.at, purpose=command.purpose)
        return None

    def hold(self, hold: UUID, *, until: datetime, by: LimitInForce, at: datetime) -> None:
        """Keep it for an approved hold, or for longer once that was reviewed."""
        since = self.holds[hold].approved_at if hold in self.holds else at
        due_at = self._due({**self.holds, hold: HeldFrom(since, until)}, by)
        self.happened(happened.ItemHeld, at=at, hold=hold, until=until, due_at=due_at)

    def end_hold(self, hold: UUID, *, by: LimitInForce, at: datetime) -> None:
        """Let go of it for a hold that was released; one that lapsed before has ended already."""
        ended = replace(self.holds[hold], ends_at=min(at, self.holds[hold].ends_at))
        due_at = self._due({**self.holds, hold: ended}, by)
        self.happened(happened.HoldEnded, at=at, hold=hold, due_at=due_at)

    def copy_outside(self, destination: str, *, at: datetime) -> None:
        """Say that a copy of it left these stores."""
        self.happened(happened.CopiedOutside, at=at, destination=destination)

    def doubt(self, *, size_found: int, at: datetime) -> None:
        """Say that nobody knows whether it was destroyed. Saying it again changes nothing.

        Args:
            size_found: the size to which the record was brought back.
            at: when that is said.
        """
        if not self.doubted:
            self.happened(happened.ItemDoubted, at=at, size_found=size_found)

    def start_destruction(self, *, cause: str, at: datetime) -> None:
        """Say that the item is to be destroyed. Saying it again changes nothing."""
        if self.destruction is None:
            self.happened(happened.DestructionStarted, at=at, cause=cause)

    def finish_destruction(
        self,
        tombstone: Tombstone,
        rechecked: RecheckedBy,
        *,
        boundary: str,
        known_outside: Sequence[str] = (),
        at: datetime,
    ) -> None:
        """Write the receipt. Writing it again changes nothing.

        Args:
            tombstone: of its key.
            rechecked: who looked again.
            boundary: the stores that it speaks of, in words.
            known_outside: kinds of copies outside that may hold what it held, beside its own.
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
            methods=_METHODS_WHERE_LOST if started.cause == LOST else _METHODS,
            beyond_use=True,
            holds=list(self.holds),
            recheck=rechecked.kind,
            recheck_id=rechecked.recheck,
            boundary=boundary,
            known_copies_outside=sorted({*self.copies_outside, *known_outside}),
        )

    def _due(self, holds: Mapping[UUID, HeldFrom], by: LimitInForce) -> datetime:
        registered = self._registered()
        return deadline(
            clock_starts=registered.clock_starts,
            due_at=registered.due_at,
            limit=by.limit,
            anchor_at=registered.anchor_at,
            adopted_at=by.adopted_at,
            over_at=None,
            holds=list(holds.values()),
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
                self.told_due_at = event.due_at
            case happened.ItemSealed():
                self.sealed = event
            case happened.ItemConsulted():
                pass
            case happened.ItemHeld(hold=hold, until=until):
                self.told_due_at = event.due_at
                since = self.holds[hold].approved_at if hold in self.holds else event.timestamp
                self.holds[hold] = HeldFrom(since, until)
            case happened.HoldEnded(hold=hold):
                self.told_due_at = event.due_at
                held = self.holds[hold]
                self.holds[hold] = replace(held, ends_at=min(held.ends_at, event.timestamp))
            case happened.CopiedOutside(destination=destination):
                self.copies_outside.append(destination)
            case happened.ItemDoubted():
                self.doubted = True
            case happened.DestructionStarted():
                self.destruction = event
            case happened.ItemDestroyed():
                self.destroyed = True
            case _:
                assert_never(event)

"""Keeping, opening and destroying items, in the one order that survives a crash at any step.

Keep: registered (event) -> key -> ciphertext -> sealed (event, with what refers to the item).
Destroy: destruction started (event) -> key -> ciphertext -> looked again -> destroyed (event).
Every step can be repeated; :mod:`domain.services.recovery` does so after a crash.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.commands import ConsultItem, DestroyItems
from domain.custody.sealing import SALT_BYTES, SealedContent, Tombstone, ToSeal, commitment
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command
from domain.kernel.errors import ConflictError, DomainError
from domain.kernel.references import new_reference
from domain.kernel.refusals import Refused
from domain.ports import KeyDestroyedError, Outside, Rechecked, VaultError
from domain.services.carrying_out import by_the_system, carry_out, tried_again
from domain.services.rechecking import looked
from domain.services.schedules import schedules

A = TypeVar("A", bound=Aggregate)

BATCH = 100
"""Items that are destroyed together: one transaction for their keys."""


class DestructionFailedError(Exception):
    """An item could still be opened after its destruction. Stop and alarm."""


KEEPS_NOTHING_ELSE = (DestructionFailedError, DomainError, ConflictError, VaultError, OSError)
"""What may go wrong with one destruction, and keeps nothing else alive that is due."""


@dataclass(frozen=True)
class Content:
    """Something to be kept."""

    item_class: ItemClass
    content_type: str
    concerning: UUID
    content: bytes | memoryview


class Keeping:
    """What one command keeps: registered, made durable, stored with what refers to it.

    If the command comes to nothing, what was kept is destroyed (:meth:`give_up`). If the process
    dies instead, the next start destroys what was registered and never sealed.
    """

    def __init__(self, outside: Outside, command: Command) -> None:
        self._outside = outside
        self._command = command
        self._sealed: dict[UUID, SealedContent] = {}
        self.items: dict[str, UUID] = {}
        """Class to item, once registered."""

    def keep(
        self,
        contents: Sequence[Content],
        *,
        deployment: UUID,
        anchor_at: datetime | None,
        window_end: datetime,
    ) -> None:
        """Register the items (one transaction), then make key and ciphertext durable.

        Args:
            contents: what is to be kept.
            deployment: for which.
            anchor_at: when their clocks started; None where that is the deployment's end.
            window_end: when the deployment ends at the latest.

        Raises:
            ConflictError: an item was destroyed before it was sealed; the deployment is over.
        """
        prepared = [
            (Item(new_reference()), one, secrets.token_bytes(SALT_BYTES)) for one in contents
        ]
        known = schedules(self._outside)
        for item, one, salt in prepared:
            rule = known.in_force.rule(one.item_class)
            item.register(
                one.item_class,
                content_type=one.content_type,
                deployment=deployment,
                concerning=one.concerning,
                rule=rule,
                schedule=known.version_in_force,
                anchor_at=anchor_at,
                due_at=(anchor_at or window_end) + rule.limit,
                commitment=commitment(salt, one.content),
                at=self._command.at,
            )
        self._outside.record.append(*(item for item, _, _ in prepared), by=self._command)
        self.items = {one.item_class.value: item.id for item, one, _ in prepared}
        to_seal = [ToSeal(item.label, salt, one.content) for item, one, salt in prepared]
        try:
            sealed = self._outside.vault.seal_all(to_seal)
        except KeyDestroyedError as error:
            raise ConflictError(str(error)) from error
        for (item, _, _), content in zip(prepared, sealed, strict=True):
            self._sealed[item.id] = content

    def sealed_items(self) -> list[Item]:
        """The items with their ``item.sealed``, to be stored together with what refers to them.

        Raises:
            ConflictError: not all of them exist, or one was destroyed meanwhile.
        """
        found = []
        for one in self.items.values():
            item = self._outside.record.load(Item, one)
            if one not in self._sealed or item.destruction is not None:
                raise ConflictError(f"item {one.hex}: was destroyed before it was referred to")
            item.seal(self._sealed[one], at=self._command.at)
            found.append(item)
        return found

    def give_up(self, *, cause: str) -> None:
        """Destroy what was kept for a command that came to nothing."""
        destroy_for(self._outside, self._command, list(self.items.values()), cause=cause)


def carry_out_keeping(
    outside: Outside,
    command: Command,
    attempt: Callable[[Keeping], A | Refused],
    *,
    kind: type[A],
    of: UUID,
    if_refused: str,
) -> A | Refused:
    """Carry out a command that keeps items; leave none behind if it is refused or fails.

    Args:
        outside: the ports.
        command: what is asked.
        attempt: decides, keeps and appends.
        kind: the aggregate that the answer is.
        of: its stream.
        if_refused: the cause with which what was kept is then destroyed, as a code.

    Raises:
        ConflictError: the state moved on every time.
        DomainError: the record or the disk did not take it; nothing of it is kept.
        VaultError: the vault could not keep what was to be kept.
    """
    keeping = Keeping(outside, command)
    try:
        answer = carry_out(outside, command, lambda: attempt(keeping), kind=kind, of=of)
    except (ConflictError, DomainError, VaultError):
        keeping.give_up(cause="could_not_be_carried_out")
        raise
    if isinstance(answer, Refused):
        keeping.give_up(cause=if_refused)
    return answer


def consult(outside: Outside, command: ConsultItem) -> bytearray | Refused:
    """Open an item. The consultation is on the record before a byte is given out.

    Returns:
        The content, in a buffer that the caller must wipe; or the refusal.

    Raises:
        NotFoundError: there is no such item.
        VaultError: the vault could not open it.
    """
    item = _consulted(outside, command)
    return item if isinstance(item, Refused) else outside.vault.open(item.label)


def consult_stream(outside: Outside, command: ConsultItem) -> Iterator[bytearray] | Refused:
    """Open an item that is too large for one buffer, as :func:`consult` does.

    Returns:
        Its content piece by piece, each in a buffer that the caller must wipe; or the refusal.

    Raises:
        NotFoundError: there is no such item.
        VaultError: also while it is read on, if what comes next is not what was sealed.
    """
    item = _consulted(outside, command)
    return item if isinstance(item, Refused) else outside.vault.open_stream(item.label)


def _consulted(outside: Outside, command: ConsultItem) -> Item | Refused:
    """The item, once it is on the record that it was consulted.

    Nothing marks it as answered: whoever opens an item again under the same key has opened it
    twice, and both stand on the record.
    """

    def attempt() -> Item | Refused:
        item = outside.record.load(Item, command.item)
        by = schedules(outside).limit_of(ItemClass(item.label.item_class))
        if refused := item.decide_consultation(command, by=by):
            return refused
        outside.record.append(item, by=command)
        return item

    return carry_out(outside, command, attempt, kind=Item, of=command.item)


def destroy(outside: Outside, command: DestroyItems, *, take_over: bool = True) -> int:
    """Destroy items and store a receipt for each. Repeating it does no harm.

    In batches: what fails in one is said at the end and keeps no other item alive.

    Args:
        outside: the ports.
        command: which, and why.
        take_over: also go on with what somebody else began. If not, an item that is begun already
            is left to them: whose ``item.destruction_started`` is stored has claimed it.

    Returns:
        How many were destroyed now.

    Raises:
        DestructionFailedError: an item still opened afterwards; it has no receipt.
        DomainError: a store did not let go of something; it has no receipt.
    """
    asked = list(dict.fromkeys(command.items))
    failed: list[Exception] = []
    destroyed = 0
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        try:
            destroyed += _destroy_batch(outside, command, batch, failed, take_over=take_over)
        except KEEPS_NOTHING_ELSE as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return destroyed


def _destroy_batch(
    outside: Outside,
    command: DestroyItems,
    batch: list[UUID],
    failed: list[Exception],
    *,
    take_over: bool,
) -> int:
    begun = tried_again(lambda: _begin(outside, command, batch, take_over=take_over))
    if not begun:
        return 0
    # Every key first: one ciphertext that the disk does not let go of keeps no other item alive.
    tombstones = outside.vault.destroy_keys([item.id for item in begun], at=command.at)
    kept = outside.vault.remove_ciphertexts(list(tombstones))
    failed.extend(kept.values())
    labels = [item.label for item in begun if item.id not in kept]
    if not labels:
        return 0
    try:
        rechecked = outside.rechecker.recheck(labels, at=outside.clock.now())
    except DomainError as error:
        failed.append(error)
        return 0
    if rechecked.still_there:
        failed.append(
            DestructionFailedError(
                f"item {rechecked.still_there[0].hex}: still in the vault after its destruction"
            )
        )
    tried_again(lambda: _finish(outside, command, rechecked, tombstones))
    return len(rechecked.gone)


def _begin(
    outside: Outside, command: DestroyItems, batch: list[UUID], *, take_over: bool
) -> list[Item]:
    """Say which items are to be destroyed; from here on reads of them are refused.

    The versions of the items decide which of two workers it was whose saying was stored.
    """
    found = (outside.record.load(Item, one) for one in batch)
    live = [
        item
        for item in found
        if not item.destroyed
        and (take_over or item.destruction is None)
        and (item.destruction is not None or not item.held_at(command.holds_as_of or command.at))
    ]
    for item in live:
        item.start_destruction(cause=command.cause, at=command.at)
    if live:
        outside.record.append(*live, by=command)
    return live


def _finish(
    outside: Outside,
    command: DestroyItems,
    rechecked: Rechecked,
    tombstones: dict[UUID, Tombstone],
) -> None:
    """Store what the re-check found, and receipts of those that nobody else gave one meanwhile."""
    at = outside.clock.now()
    items = [outside.record.load(Item, one) for one in rechecked.gone]
    for item in items:
        item.finish_destruction(
            tombstones[item.id],
            rechecked.said,
            boundary=outside.boundary,
            known_outside=command.known_outside.get(item.label.item_class, ()),
            at=at,
        )
    outside.record.append(looked(rechecked, scope=command.scope, at=at), *items, by=command)


def destroy_for(
    outside: Outside,
    command: Command,
    items: list[UUID],
    *,
    cause: str,
    take_over: bool = True,
    holds_as_of: datetime | None = None,
    known_outside: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> int:
    """Destroy items because of what a command led to; the custodian does it, not the asker.

    Args:
        outside: the ports.
        command: what led to it.
        items: which. What a hold keeps is left alone.
        cause: why, as a code.
        take_over: also go on with what somebody else began.
        holds_as_of: the time that holds are judged by; by default the present.
        known_outside: class to the kinds of copies outside that its receipt names.
    """
    return destroy(
        outside,
        DestroyItems(
            **by_the_system(outside, scope=command.scope, mode=command.mode, part="custodian"),
            items=items,
            cause=cause,
            holds_as_of=holds_as_of,
            known_outside=known_outside,
        ),
        take_over=take_over,
    )

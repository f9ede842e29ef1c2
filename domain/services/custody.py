"""Keeping, opening and destroying items, in the one order that survives a crash at any step.

Keep: registered (event) -> key -> ciphertext -> sealed (event, with what refers to the item).
Destroy: destruction started (event) -> key -> ciphertext -> looked again -> destroyed (event).
Every step can be repeated; :mod:`domain.services.recovery` does so after a crash.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.commands import ConsultItem, DestroyItems
from domain.custody.sealing import SALT_BYTES, SealedContent, commitment
from domain.kernel.commands import Command
from domain.kernel.references import new_reference
from domain.kernel.refusals import Refused
from domain.ports import CiphertextMissingError, KeyDestroyedError, Outside
from domain.services.carrying_out import by_the_system, carry_out


class DestructionFailedError(Exception):
    """An item could still be opened after its destruction. Stop and alarm."""


@dataclass(frozen=True)
class Content:
    """Something to be kept."""

    item_class: ItemClass
    content_type: str
    concerning: UUID
    content: bytes | memoryview


@dataclass(frozen=True)
class KeptItem:
    """An item whose key and ciphertext exist, and whose ``item.sealed`` is still to be stored."""

    item: UUID
    item_class: ItemClass
    sealed: SealedContent


def keep(
    outside: Outside,
    command: Command,
    contents: Sequence[Content],
    *,
    deployment: UUID,
    due_at: datetime,
) -> list[KeptItem]:
    """Register the items (one transaction), then make them durable in the vault.

    The caller stores ``item.sealed`` for each (:func:`sealed_items`) together with the event that
    refers to them. Until then a crash leaves items that were registered and never sealed, which
    the next start destroys.
    """
    prepared = [(Item(new_reference()), one, secrets.token_bytes(SALT_BYTES)) for one in contents]
    for item, one, salt in prepared:
        item.register(
            one.item_class,
            content_type=one.content_type,
            deployment=deployment,
            concerning=one.concerning,
            due_at=due_at,
            commitment=commitment(salt, one.content),
            at=command.at,
        )
    outside.record.append(*(item for item, _, _ in prepared), by=command)
    return [
        KeptItem(
            item.id,
            one.item_class,
            outside.vault.seal(item.label, salt=salt, content=one.content),
        )
        for item, one, salt in prepared
    ]


def sealed_items(outside: Outside, kept: Iterable[KeptItem], *, at: datetime) -> list[Item]:
    """The items with their ``item.sealed`` event, to be stored with what refers to them."""
    items = []
    for one in kept:
        item = outside.record.load(Item, one.item)
        item.seal(one.sealed, at=at)
        items.append(item)
    return items


def consult(outside: Outside, command: ConsultItem) -> bytearray | Refused:
    """Open an item. The consultation is on the record before a byte is given out.

    Returns:
        The content, in a buffer that the caller must wipe; or the refusal.

    Raises:
        NotFoundError: there is no such item.
        VaultError: the vault could not open it.
    """

    def attempt() -> Item | Refused:
        item = outside.record.load(Item, command.item)
        if refused := item.decide_consultation(command):
            return refused
        outside.record.append(item, by=command)
        return item

    answer = carry_out(outside, command, attempt)
    return answer if isinstance(answer, Refused) else outside.vault.open(answer.label)


def destroy(outside: Outside, command: DestroyItems) -> int:
    """Destroy items and store a receipt for each. Repeating it does no harm.

    Returns:
        How many were destroyed now.

    Raises:
        DestructionFailedError: an item still opened afterwards; it has no receipt.
    """
    live = [item for one in command.items if not (item := outside.record.load(Item, one)).destroyed]
    if not live:
        return 0
    for item in live:
        item.start_destruction(cause=command.cause, at=command.at)
    outside.record.append(*live, by=command)
    for item in live:
        tombstone = outside.vault.destroy_key(item.id, at=command.at)
        outside.vault.remove_ciphertext(item.id)
        _look_again(outside, item)
        item.finish_destruction(tombstone, at=outside.clock.now())
    outside.record.append(*live, by=command)
    return len(live)


def destroy_for(outside: Outside, command: Command, items: list[UUID], *, cause: str) -> int:
    """Destroy items because of what a command led to; the custodian does it, not the asker."""
    return destroy(
        outside,
        DestroyItems(
            **by_the_system(outside, scope=command.scope, mode=command.mode, part="custodian"),
            items=items,
            cause=cause,
        ),
    )


def _look_again(outside: Outside, item: Item) -> None:
    """Fail unless the vault itself says that neither key nor ciphertext is left."""
    try:
        outside.vault.open(item.label)
    except (KeyDestroyedError, CiphertextMissingError):
        if not outside.vault.holds(item.id):
            return
    raise DestructionFailedError(f"item {item.id.hex}: still in the vault after its destruction")

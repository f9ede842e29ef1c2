"""Destroying: begun on the record, key, ciphertext, looked again, receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.custody.commands import DestroyItems
from domain.custody.events import (
    DestructionRechecked,
    DestructionStarted,
    ItemDestroyed,
    ItemRegistered,
    ItemSealed,
)
from domain.custody.sealing import Tombstone
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError, NotFoundError
from domain.services import alerts
from domain.services.custody import DestructionFailedError, consult, destroy
from domain.services.rechecking import LookAgain
from tests.support.builders import AT, DEPLOYMENT, ITEM, to_consult, to_raise
from tests.support.memory import MemoryVault, RecordFullError
from tests.support.scenarios import Scene, agreed


class KeyLeftVault(MemoryVault):
    """A vault that says it destroyed a key, and did not."""

    def destroy_keys(self, items: Sequence[UUID], *, at: datetime) -> dict[UUID, Tombstone]:
        """Chain tombstones over keys that are still there."""
        keys = {item: self._keys[item] for item in items if item in self._keys}
        tombstones = super().destroy_keys(items, at=at)
        self._keys |= keys
        return tombstones


class CiphertextLeftVault(MemoryVault):
    """A vault that leaves ciphertexts where they were."""

    def remove_ciphertexts(self, items: Sequence[UUID]) -> dict[UUID, DomainError]:
        """Do nothing."""
        return {}


class NothingDestroyedVault(KeyLeftVault, CiphertextLeftVault):
    """A vault that still opens what it says it destroyed."""


def to_destroy(*items: UUID, at: datetime = AT, cause: str = "due") -> DestroyItems:
    """The custodian destroys these items."""
    return DestroyItems(
        scope=DEPLOYMENT.hex,
        mode=Scene().mode,
        actor="system:custodian",
        role=Role.SYSTEM,
        at=at,
        items=list(items),
        cause=cause,
    )


def two_items(vault: MemoryVault | None = None) -> tuple[Scene, list[UUID]]:
    """An entry's image and reference."""
    scene = Scene(vault=vault or MemoryVault()).applied().list_opened().entry_proposed()
    return scene, [one.originator_id for one in scene.events(ItemRegistered)]


def test_a_destruction_is_begun_on_the_record_before_the_vault_is_touched() -> None:
    """At the first transaction the vault still holds all; at the second it holds nothing."""
    scene, items = two_items()
    held: list[int] = []
    scene.record.meanwhile = [lambda: held.append(len(scene.vault.keys()))] * 2
    assert destroy(scene.outside, to_destroy(*items)) == 2
    assert held == [2, 0]
    assert scene.names()[-5:] == [
        *[DestructionStarted.NAME] * 2,
        DestructionRechecked.NAME,
        *[ItemDestroyed.NAME] * 2,
    ]


def test_a_receipt_repeats_registration_and_seal_and_names_the_tombstone() -> None:
    """Everything that a verifier compares, for each item its own."""
    scene, items = two_items()
    scene.later(timedelta(hours=1))
    destroy(scene.outside, to_destroy(*items, at=scene.clock.now(), cause="withdrawn"))
    registered = {one.originator_id: one for one in scene.events(ItemRegistered)}
    sealed = {one.originator_id: one for one in scene.events(ItemSealed)}
    for receipt in scene.events(ItemDestroyed):
        item = receipt.originator_id
        assert receipt.commitment == registered[item].commitment
        assert receipt.due_at == registered[item].due_at
        assert receipt.ciphertext_digest == sealed[item].ciphertext_digest
        assert (
            Tombstone(receipt.tombstone_sequence, receipt.tombstone_digest)
            == (scene.vault.tombstones[item])
        )
        assert (receipt.cause, receipt.started_at) == ("withdrawn", AT + timedelta(hours=1))
    assert [one.tombstone_sequence for one in scene.events(ItemDestroyed)] == [1, 2]


def test_destroying_again_does_nothing_and_says_so() -> None:
    """One receipt for each item, whatever the cause of the second attempt."""
    scene, items = two_items()
    destroy(scene.outside, to_destroy(*items))
    size = scene.record.size()
    assert destroy(scene.outside, to_destroy(*items, cause="recovery")) == 0
    assert scene.record.size() == size
    assert [one.cause for one in scene.events(ItemDestroyed)] == ["due", "due"]


def test_destroying_one_more_than_before_destroys_the_one() -> None:
    """What is gone already is passed over."""
    scene, (image, reference) = two_items()
    assert destroy(scene.outside, to_destroy(image)) == 1
    assert destroy(scene.outside, to_destroy(image, reference)) == 1
    assert scene.live_items() == set()


def test_destroying_nothing_leaves_nothing_on_the_record() -> None:
    """No item, no transaction."""
    scene, _ = two_items()
    size = scene.record.size()
    assert destroy(scene.outside, to_destroy()) == 0
    assert scene.record.size() == size


@pytest.mark.parametrize("vault", [NothingDestroyedVault, KeyLeftVault, CiphertextLeftVault])
def test_an_item_that_is_still_in_the_vault_has_no_receipt(vault: type[MemoryVault]) -> None:
    """Key or ciphertext or both left: stop and alarm; nothing is said to be destroyed."""
    scene, items = two_items(vault())
    with pytest.raises(DestructionFailedError, match=f"{items[0].hex}: still in the vault"):
        destroy(scene.outside, to_destroy(*items))
    assert len(scene.events(DestructionStarted)) == 2
    assert scene.events(ItemDestroyed) == []


class OneIsStuckVault(MemoryVault):
    """A vault whose disk does not let go of the first ciphertext."""

    stuck: UUID | None = None

    def remove_ciphertexts(self, items: Sequence[UUID]) -> dict[UUID, DomainError]:
        """Fail for the first that is asked for."""
        self.stuck = self.stuck or items[0]
        super().remove_ciphertexts([one for one in items if one != self.stuck])
        return {self.stuck: RecordFullError("cannot remove it")} if self.stuck in items else {}


def test_one_ciphertext_that_stays_keeps_no_other_item_alive() -> None:
    """No key is left, the other item has its receipt, and the failure is said."""
    scene, items = two_items(OneIsStuckVault())
    with pytest.raises(RecordFullError):
        destroy(scene.outside, to_destroy(*items))
    assert scene.vault.keys() == set()
    assert [one.originator_id for one in scene.events(ItemDestroyed)] == [items[1]]


def test_an_item_whose_destruction_failed_is_not_read_again() -> None:
    """Its destruction has begun; that it still opens changes nothing for readers."""
    scene = Scene(vault=NothingDestroyedVault()).running().alerted()
    raised = scene.alert().raised
    assert raised is not None
    crop = raised.items["face_crop"]
    with pytest.raises(DestructionFailedError):
        destroy(scene.outside, to_destroy(crop))
    consult(scene.outside, to_consult(item=crop))
    assert scene.refusals() == [["item_destroyed"]]


def test_a_destruction_that_failed_is_finished_by_the_next_attempt() -> None:
    """With its first cause, and one receipt."""
    scene, items = two_items(KeyLeftVault())
    with pytest.raises(DestructionFailedError):
        destroy(scene.outside, to_destroy(*items))
    mended = MemoryVault()
    scene.outside = replace(scene.outside, vault=mended, rechecker=LookAgain(mended))
    assert destroy(scene.outside, to_destroy(*items, cause="recovery")) == 2
    assert [one.cause for one in scene.events(ItemDestroyed)] == ["due", "due"]


def test_a_record_that_cannot_store_destroys_nothing() -> None:
    """No store, no effect."""
    scene, items = two_items()
    scene.record.full = True
    with pytest.raises(RecordFullError):
        destroy(scene.outside, to_destroy(*items))
    assert scene.vault.keys() == set(items)
    assert scene.vault.tombstones == {}


def test_a_read_just_before_does_not_stop_a_destruction() -> None:
    """The item's stream moved on; it is destroyed all the same."""
    scene = Scene().running()
    agreed(alerts.raise_alert(scene.outside, to_raise()))
    raised = scene.alert().raised
    assert raised is not None
    crop = raised.items["face_crop"]
    scene.record.meanwhile = [lambda: consult(scene.outside, to_consult(item=crop))]
    assert destroy(scene.outside, to_destroy(crop)) == 1
    assert not scene.vault.holds(crop)


def test_an_item_that_does_not_exist_is_not_found() -> None:
    """And nothing else of the command is begun."""
    scene, items = two_items()
    with pytest.raises(NotFoundError):
        destroy(scene.outside, to_destroy(*items, ITEM))
    assert scene.events(DestructionStarted) == []

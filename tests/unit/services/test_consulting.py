"""Opening an item: on the record before a byte of it is given out."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.custody.commands import ConsultItem, DestroyItems
from domain.custody.events import ItemConsulted
from domain.custody.sealing import ItemLabel
from domain.kernel.commands import Role
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.ports import CiphertextMissingError
from domain.services.custody import consult, destroy
from tests.support.builders import AT, DEPLOYMENT, ITEM, to_consult
from tests.support.memory import MemoryVault, RecordFullError
from tests.support.scenarios import Scene, agreed


class WatchedVault(MemoryVault):
    """A vault that counts how often it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[UUID] = []

    def open(self, label: ItemLabel) -> bytearray:
        """Open, and count."""
        self.opened.append(label.item)
        return super().open(label)


@pytest.fixture
def vault() -> WatchedVault:
    """A vault that counts how often it was opened."""
    return WatchedVault()


@pytest.fixture
def scene(vault: WatchedVault) -> Scene:
    """A deployment with one alert."""
    return Scene(vault=vault).running().alerted()


def crop(scene: Scene, **changes: object) -> ConsultItem:
    """An engagement officer asks for the face crop."""
    raised = scene.alert().raised
    assert raised is not None
    return to_consult(item=raised.items["face_crop"], **changes)


def test_an_item_is_opened_and_the_consultation_is_on_the_record(scene: Scene) -> None:
    """Who, what for, and which item."""
    command = crop(scene)
    assert agreed(consult(scene.outside, command)) == bytearray(b"a face")
    (consulted,) = scene.events(ItemConsulted)
    assert (consulted.originator_id, consulted.purpose) == (command.item, "adjudication")
    last = list(scene.record.history())[-1]
    assert (last.event, last.actor, last.role) == (consulted, command.actor, "engagement_officer")


def test_the_consultation_is_stored_before_the_vault_is_opened(
    scene: Scene, vault: WatchedVault
) -> None:
    """At the time of its transaction nothing has been opened."""
    opened_before: list[int] = []
    scene.record.meanwhile = [lambda: opened_before.append(len(vault.opened))]
    consult(scene.outside, crop(scene))
    assert opened_before == [0]
    assert len(vault.opened) == 1


def test_a_record_that_cannot_store_gives_out_nothing(scene: Scene, vault: WatchedVault) -> None:
    """No store, no effect."""
    scene.record.full = True
    with pytest.raises(RecordFullError):
        consult(scene.outside, crop(scene))
    assert vault.opened == []


@pytest.mark.parametrize("role", [Role.APPLICANT, Role.AUTHORISING_OFFICER, Role.SYSTEM])
def test_a_refused_consultation_is_recorded_and_gives_out_nothing(
    scene: Scene, vault: WatchedVault, role: Role
) -> None:
    """Refused reads are recorded too."""
    answer = consult(scene.outside, crop(scene, role=role))
    assert isinstance(answer, Refused)
    assert scene.refusals() == [["purpose_not_allowed"]]
    assert scene.events(ItemConsulted) == []
    assert vault.opened == []


def test_an_item_that_was_destroyed_is_not_opened(scene: Scene, vault: WatchedVault) -> None:
    """The record says no before the vault is asked."""
    command = crop(scene)
    scene.stopped().ended()
    vault.opened.clear()
    answer = consult(scene.outside, command)
    assert isinstance(answer, Refused)
    assert answer.codes == ["item_destroyed"]
    assert vault.opened == []


def test_a_read_that_is_overtaken_by_the_destruction_is_refused(scene: Scene) -> None:
    """Decided anew on the item as it stands: its destruction has begun."""
    command = crop(scene)
    destruction = DestroyItems(
        scope=DEPLOYMENT.hex,
        mode=command.mode,
        actor="system:custodian",
        role=Role.SYSTEM,
        at=AT,
        items=[command.item],
        cause="due",
    )
    scene.record.meanwhile = [lambda: destroy(scene.outside, destruction)]
    answer = consult(scene.outside, command)
    assert isinstance(answer, Refused)
    assert answer.codes == ["item_destroyed"]
    assert scene.events(ItemConsulted) == []


def test_two_reads_at_once_are_both_recorded(scene: Scene) -> None:
    """The one that came second is tried again."""
    scene.record.meanwhile = [lambda: consult(scene.outside, crop(scene))]
    assert agreed(consult(scene.outside, crop(scene))) == bytearray(b"a face")
    assert len(scene.events(ItemConsulted)) == 2


def test_an_item_that_does_not_exist_is_not_found(scene: Scene) -> None:
    """There is no item to concern, so there is nothing to record."""
    with pytest.raises(NotFoundError, match=f"there is no item {ITEM.hex}"):
        consult(scene.outside, to_consult(item=ITEM))


def test_a_content_that_is_missing_is_said_to_be_missing(scene: Scene) -> None:
    """The consultation stays on the record: it was asked for and allowed."""
    command = crop(scene)
    scene.vault.remove_ciphertexts([command.item])
    with pytest.raises(CiphertextMissingError):
        consult(scene.outside, command)
    assert len(scene.events(ItemConsulted)) == 1

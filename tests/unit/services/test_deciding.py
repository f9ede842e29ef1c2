"""Looking at an alert and deciding it; the free text goes into the vault and dies there."""

from __future__ import annotations

from typing import Any

import pytest

from domain.alerts.events import AdjudicationRefused, AlertAdjudicated, AlertViewed
from domain.custody.aggregate import Item
from domain.custody.events import ItemDestroyed, ItemRegistered
from domain.kernel.commands import Mode
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.services import alerts
from tests.support.builders import (
    ALERT,
    ANOTHER_ENGAGEMENT_OFFICER,
    ENGAGEMENT_OFFICER,
    OPERATOR,
    OTHER_ENTRY,
    to_decide,
    to_view,
)
from tests.support.memory import RecordFullError
from tests.support.scenarios import Scene, agreed

NOTE = "he looked familiar"


@pytest.fixture
def scene() -> Scene:
    """One alert that the engagement officer has looked at."""
    return Scene().running().alerted().viewed()


def decides(scene: Scene, **changes: Any) -> Any:
    """The engagement officer decides."""
    return alerts.adjudicate(scene.outside, to_decide(**(scene.by | changes)))


def notes(scene: Scene) -> list[ItemRegistered]:
    """What was registered as free text."""
    return [one for one in scene.events(ItemRegistered) if one.item_class == "free_text"]


def test_a_look_and_a_decision_are_recorded_in_that_order(scene: Scene) -> None:
    """Each with the officer."""
    size = scene.record.size()
    decides(scene)
    assert [one.officer for one in scene.events(AlertViewed)] == [ENGAGEMENT_OFFICER]
    (adjudicated,) = scene.events(AlertAdjudicated)
    assert (adjudicated.officer, adjudicated.decision) == (ENGAGEMENT_OFFICER, "viable")
    assert scene.names(since=size) == ["alert.adjudicated"]
    assert not scene.alert().open


def test_a_decision_without_a_note_keeps_nothing(scene: Scene) -> None:
    """No empty text is encrypted and destroyed."""
    decides(scene)
    assert notes(scene) == []
    assert scene.events(AlertAdjudicated)[0].note_item is None


def test_a_note_is_in_the_vault_and_nowhere_in_the_record(scene: Scene) -> None:
    """The event names where it is; the words stand in no entry."""
    decides(scene, note=NOTE)
    (registered,) = notes(scene)
    (adjudicated,) = scene.events(AlertAdjudicated)
    assert adjudicated.note_item == registered.originator_id
    item = scene.record.load(Item, registered.originator_id)
    assert scene.vault.open(item.label) == bytearray(NOTE.encode())
    assert not any(NOTE in repr(one) for one in scene.record.history())


def test_a_note_for_a_refused_decision_never_reaches_the_vault(scene: Scene) -> None:
    """Decided first, kept then."""
    held = scene.vault.keys()
    answer = decides(scene, note=NOTE, decision="identified")
    assert isinstance(answer, Refused)
    assert notes(scene) == []
    assert scene.vault.keys() == held
    assert not any(NOTE in repr(one) for one in scene.record.history())


def test_two_officers_deciding_at_once_leave_one_decision_and_one_refusal(scene: Scene) -> None:
    """The second is decided anew, refused, and the note that was kept for it destroyed."""
    other = ANOTHER_ENGAGEMENT_OFFICER
    agreed(alerts.view(scene.outside, to_view(actor=other)))
    scene.vault.after_seal = lambda label: decides(scene, actor=other, decision="not_viable")
    answer = decides(scene, note=NOTE)
    assert isinstance(answer, Refused)
    assert answer.codes == ["already_decided"]
    assert [one.officer for one in scene.events(AlertAdjudicated)] == [other]
    assert len(scene.events(AdjudicationRefused)) == 1
    (registered,) = notes(scene)
    (destroyed,) = scene.events(ItemDestroyed)
    assert (destroyed.originator_id, destroyed.cause) == (
        registered.originator_id,
        "decision_refused",
    )
    assert scene.vault.keys() == scene.live_items()


def test_a_look_that_comes_between_does_not_lose_the_decision(scene: Scene) -> None:
    """Tried again on the alert as it stands, with the note that was kept the first time."""
    scene.vault.after_seal = lambda label: alerts.view(scene.outside, to_view(actor=OPERATOR))
    agreed(decides(scene, note=NOTE))
    assert len(scene.events(AlertAdjudicated)) == 1
    assert len(notes(scene)) == 1
    assert scene.events(ItemDestroyed) == []


def test_a_decision_that_is_overtaken_by_the_end_is_refused() -> None:
    """The alert was closed as undetermined while its note was being kept."""
    scene = Scene().running().alerted().viewed().stopped()
    scene.vault.after_seal = lambda label: scene.ended()
    answer = decides(scene, note=NOTE)
    assert isinstance(answer, Refused)
    assert answer.codes == ["alert_closed"]
    assert scene.events(AlertAdjudicated) == []
    assert scene.live_items() == scene.vault.keys() == scene.vault.ciphertexts() == set()


def test_a_script_does_not_decide_where_persons_do() -> None:
    """What the deployment says of its officers is what counts."""
    scene = Scene(mode=Mode.OPERATIONAL).running().alerted().viewed()
    answer = decides(scene, basis="scripted-rule")
    assert isinstance(answer, Refused)
    assert answer.codes == ["basis_not_true"]
    agreed(decides(scene, basis="own-judgement"))


def test_an_alert_that_was_never_raised_is_not_found(scene: Scene) -> None:
    """There is nothing to look at and nothing to decide."""
    with pytest.raises(NotFoundError, match=f"there is no alert {OTHER_ENTRY.hex}"):
        alerts.view(scene.outside, to_view(alert=OTHER_ENTRY))
    with pytest.raises(NotFoundError):
        decides(scene, alert=OTHER_ENTRY)


def test_a_record_that_cannot_store_takes_no_decision(scene: Scene) -> None:
    """No store, no effect: the alert stays open and no note is kept."""
    held = scene.vault.keys()
    scene.record.full = True
    with pytest.raises(RecordFullError):
        decides(scene, note=NOTE)
    scene.record.full = False
    assert scene.alert(ALERT).open
    assert scene.vault.keys() == held

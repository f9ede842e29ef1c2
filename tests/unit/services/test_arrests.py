"""An arrest forces a decision on the material, and stops no clock."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.arrests.events import ArrestRefused, RetentionDecidedForArrest
from domain.custody.events import CopiedOutside, ItemDestroyed, ItemRegistered
from domain.kernel.commands import Role
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.services.retention import AHEAD, Retention
from tests.support import builders as a
from tests.support.keeping import arrested
from tests.support.scenarios import Scene, agreed


@pytest.fixture
def scene() -> Scene:
    """A possible match that an officer found viable."""
    return Scene().running().alerted().viewed().decided()


def item_of(scene: Scene, item_class: str) -> UUID:
    """The possible match's item of a class."""
    (found,) = (
        one.originator_id
        for one in scene.events(ItemRegistered)
        if one.item_class == item_class and one.concerning == a.ALERT
    )
    return found


def test_what_moves_is_a_copy_outside_and_its_receipt_says_so(scene: Scene) -> None:
    """What is here is destroyed in its time all the same."""
    face = item_of(scene, "face_crop")
    agreed(arrested(scene))
    (told,) = scene.events(RetentionDecidedForArrest)
    assert (told.alert, told.items) == (a.ALERT, {"face_crop": face})
    assert (told.basis, told.destination) == ("cpia-1996", "evidence-store")
    assert [one.originator_id for one in scene.events(CopiedOutside)] == [face]
    scene.later(a.DAY - AHEAD)
    Retention(scene.outside).sweep()
    receipts = {one.originator_id: one for one in scene.events(ItemDestroyed)}
    assert receipts[face].known_copies_outside == ["evidence-store"]
    others = [one for item, one in receipts.items() if item != face]
    assert others
    assert not any("evidence-store" in one.known_copies_outside for one in others)


def test_that_nothing_moves_is_a_decision_too(scene: Scene) -> None:
    """With a basis of its own list."""
    agreed(
        arrested(
            scene, decision="nothing_moved", basis="not-relevant", item_classes=[], destination=""
        )
    )
    (told,) = scene.events(RetentionDecidedForArrest)
    assert (told.decision, told.items, told.destination) == ("nothing_moved", {}, None)
    assert not scene.events(CopiedOutside)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": Role.OPERATOR}, "not_an_engagement_officer"),
        ({"decision": ""}, "retention_not_decided"),
        ({"decision": "later"}, "retention_not_decided"),
        ({"basis": ""}, "basis_unknown"),
        ({"basis": "not-relevant"}, "basis_unknown"),
        ({"item_classes": []}, "nothing_named"),
        ({"item_classes": ["probe_template"]}, "class_never_moves"),
        ({"item_classes": ["reference_template"]}, "class_never_moves"),
        ({"destination": "my laptop"}, "destination_unknown"),
        ({"decision": "nothing_moved", "basis": "not-relevant"}, "moved_and_not_moved"),
    ],
)
def test_an_arrest_without_its_decision_is_refused(
    scene: Scene, changes: dict[str, Any], code: str
) -> None:
    """And nothing that was typed is repeated."""
    answer = arrested(scene, **changes)
    assert isinstance(answer, Refused)
    assert code in answer.codes
    (told,) = scene.events(ArrestRefused)
    assert "laptop" not in str(told)
    assert not scene.events(RetentionDecidedForArrest)


def test_a_possible_match_that_nobody_found_viable_leads_to_no_arrest() -> None:
    """Of an alert that nobody decided."""
    scene = Scene().running().alerted().viewed()
    answer = arrested(scene)
    assert isinstance(answer, Refused)
    assert answer.codes == ["alert_not_viable"]


def test_what_is_decided_is_decided_once(scene: Scene) -> None:
    """A second thought takes another way than a second entry."""
    agreed(arrested(scene))
    answer = arrested(scene)
    assert isinstance(answer, Refused)
    assert answer.codes == ["arrest_already_recorded"]


def test_what_was_destroyed_cannot_move(scene: Scene) -> None:
    """Its clock waited for no decision."""
    scene.later(a.DAY)
    Retention(scene.outside).sweep()
    answer = arrested(scene)
    assert isinstance(answer, Refused)
    assert answer.codes == ["item_not_there"]


def test_no_such_possible_match(scene: Scene) -> None:
    """Neither one that never was nor an id of something else."""
    for alert in (UUID(int=12345), a.DEPLOYMENT):
        with pytest.raises(NotFoundError):
            arrested(scene, alert=alert)

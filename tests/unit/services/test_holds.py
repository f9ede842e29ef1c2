"""Holds: footage is kept past its limit on two persons' word, until a review, and not longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.events import HoldEnded, ItemDestroyed, ItemHeld
from domain.holds.events import (
    ApprovalRefused,
    HoldApproved,
    HoldDeclined,
    HoldReleased,
    HoldRequested,
    HoldReviewed,
    ReleaseRefused,
    RequestRefused,
    ReviewRefused,
)
from domain.kernel.commands import Role
from domain.kernel.refusals import Refused
from domain.kernel.time import written
from domain.services.custody import destroy_for
from domain.services.recovery import finish_what_was_begun
from domain.services.retention import AHEAD, Retention
from domain.services.schedules import adopt, schedules
from tests.support import builders as a
from tests.support.keeping import (
    ASKER,
    HOLD,
    MONTH,
    OWNER,
    REVIEW,
    approved,
    asked,
    days,
    declined,
    released,
    reviewed,
)
from tests.support.scenarios import Scene, agreed
from tests.unit.custody.test_schedules import to_adopt
from tests.unit.services.test_footage import kept, recording, to_keep

MINUTE = timedelta(minutes=1)


@pytest.fixture
def scene() -> Scene:
    """A deployment that recorded, and is over."""
    return recording(Scene())


def footage(scene: Scene, many: int = 1) -> list[UUID]:
    """So many segments; then the deployment ends."""
    segments = [kept(scene) for _ in range(many)]
    scene.stopped().ended()
    return segments


def due_at(scene: Scene, segment: UUID) -> datetime:
    """When it must be gone, by its own entries and the schedule in force."""
    limit = schedules(scene.outside).limit_of(ItemClass.FOOTAGE_SEGMENT)
    return scene.record.load(Item, segment).due_at(limit)


def swept(scene: Scene) -> set[UUID]:
    """The retention worker comes by; what is left then."""
    Retention(scene.outside).sweep()
    return scene.live_items()


def codes(answer: object) -> list[str]:
    """Why it was refused."""
    assert isinstance(answer, Refused), answer
    return answer.codes


# -- what a hold does ----------------------------------------------------------------------------


def test_asking_keeps_nothing(scene: Scene) -> None:
    """Its clock runs out as if nobody had asked."""
    (segment,) = footage(scene)
    scene.later(days(20))
    agreed(asked(scene, segment))
    (told,) = scene.events(HoldRequested)
    assert (told.requester, told.ground, told.items) == (ASKER, "complaint", [segment])
    scene.later(days(11))
    assert swept(scene) == set()


def test_an_approved_hold_keeps_exactly_its_items_until_its_review(scene: Scene) -> None:
    """Not the others of the same minute; and not a day longer than it may."""
    first, second = footage(scene, 2)
    scene.later(days(20))
    agreed(asked(scene, first))
    agreed(approved(scene))
    until = scene.clock.now() + REVIEW
    (held,) = scene.events(ItemHeld)
    assert (held.originator_id, held.hold, held.until) == (first, HOLD, until)
    assert [one.approver for one in scene.events(HoldApproved)] == [OWNER]
    scene.later(days(12))
    assert swept(scene) == {first}
    assert Retention(scene.outside).sweep().held == 1
    scene.later(REVIEW - days(12) - 2 * AHEAD)
    assert swept(scene) == {first}
    scene.later(3 * AHEAD)
    assert swept(scene) == set()
    assert {one.originator_id for one in scene.events(ItemDestroyed)} >= {first, second}


def test_the_worker_is_told_when_the_next_hold_lapses(scene: Scene) -> None:
    """So that what nobody reviews does not wait for its next round."""
    (segment,) = footage(scene)
    scene.later(days(20))
    agreed(asked(scene, segment))
    agreed(approved(scene))
    lapses = scene.clock.now() + REVIEW
    assert Retention(scene.outside).sweep().next_lapse_at is None
    scene.later(days(12))
    assert Retention(scene.outside).sweep().next_lapse_at == lapses


def test_the_plan_shows_what_a_hold_keeps(scene: Scene) -> None:
    """With its ground for being there: it is held, not overdue."""
    (segment,) = footage(scene)
    scene.later(days(20))
    agreed(asked(scene, segment))
    agreed(approved(scene))
    scene.later(days(12))
    (planned,) = Retention(scene.outside).plan()
    assert (planned.item, planned.held, planned.overdue) == (segment, True, False)


def test_a_review_keeps_it_longer_and_again(scene: Scene) -> None:
    """Each time by a date of its own."""
    (segment,) = footage(scene)
    scene.later(days(20))
    agreed(asked(scene, segment))
    agreed(approved(scene))
    for _ in range(3):
        scene.later(days(27))
        assert swept(scene) == {segment}
        agreed(reviewed(scene))
    assert [one.reviewer for one in scene.events(HoldReviewed)] == [OWNER] * 3
    scene.later(REVIEW + MINUTE)
    assert swept(scene) == set()


def test_a_release_past_the_limit_destroys_at_once(scene: Scene) -> None:
    """No worker has to come by."""
    (segment,) = footage(scene)
    scene.later(days(20))
    agreed(asked(scene, segment))
    agreed(approved(scene))
    scene.later(days(12))
    agreed(released(scene))
    assert scene.live_items() == set()
    assert scene.vault.keys() == set()
    (gone,) = [one for one in scene.events(ItemDestroyed) if one.originator_id == segment]
    assert gone.cause == "hold_released"
    names = scene.names()
    assert "item.destroyed" in names[names.index("hold.released") :]


def test_a_release_before_the_limit_gives_its_clock_back(scene: Scene) -> None:
    """Neither sooner nor later than without the hold."""
    (segment,) = footage(scene)
    due = due_at(scene, segment)
    agreed(asked(scene, segment))
    agreed(approved(scene))
    scene.later(days(3))
    agreed(released(scene))
    assert [one.due_at for one in scene.events(HoldEnded)] == [due]
    assert due_at(scene, segment) == due
    assert swept(scene) == {segment}
    scene.later(days(28))
    assert swept(scene) == set()


def test_of_two_holds_the_longer_counts(scene: Scene) -> None:
    """The end of one lets nothing go that the other keeps."""
    (segment,) = footage(scene)
    other = UUID(int=2)
    scene.later(days(20))
    for hold, until in ((HOLD, days(12)), (other, REVIEW)):
        agreed(asked(scene, segment, hold=hold, review_by=scene.clock.now() + until))
        agreed(approved(scene, hold=hold))
    scene.later(days(13))
    assert swept(scene) == {segment}
    agreed(released(scene))
    assert scene.live_items() == {segment}
    agreed(released(scene, hold=other))
    assert scene.live_items() == set()


def test_a_hold_that_was_turned_down_keeps_nothing(scene: Scene) -> None:
    """And cannot be approved afterwards."""
    (segment,) = footage(scene)
    agreed(asked(scene, segment))
    agreed(declined(scene))
    assert [one.decliner for one in scene.events(HoldDeclined)] == [OWNER]
    assert codes(approved(scene)) == ["already_decided"]
    scene.later(MONTH)
    assert swept(scene) == set()


# -- what it must not do -------------------------------------------------------------------------


@pytest.mark.parametrize("item_class", ["face_crop", "wide_frame", "probe_template"])
def test_a_hold_on_a_biometric_item_is_refused_and_that_is_recorded(item_class: str) -> None:
    """There is no exception from their 24 hours (C-02)."""
    scene = Scene().running().alerted()
    item = next(one.item for one in scene.survey().live() if one.item_class == item_class)
    assert codes(asked(scene, item)) == ["biometric_no_exception"]
    (told,) = scene.events(RequestRefused)
    (why,) = told.reasons
    assert (why.code, why.compared) == (
        "biometric_no_exception",
        {"item": item.hex, "class": item_class},
    )


@pytest.mark.parametrize("item_class", ["alert_detail", "callers_reference"])
def test_nothing_but_footage_can_be_held(item_class: str) -> None:
    """Nor what is no face."""
    scene = Scene().running().alerted()
    item = next(one.item for one in scene.survey().live() if one.item_class == item_class)
    assert codes(asked(scene, item)) == ["only_footage_can_be_held"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": Role.OPERATOR}, "not_a_disclosure_officer"),
        ({"role": Role.INFORMATION_ASSET_OWNER}, "not_a_disclosure_officer"),
        ({"ground": "because"}, "ground_unknown"),
        ({"case_reference": "Smith, theft"}, "case_reference_not_opaque"),
        ({"review_by": None}, "review_date_missing"),
        ({"review_by": a.AT}, "review_date_past"),
        ({"review_by": a.AT + REVIEW + days(1)}, "review_date_too_far"),
        ({"items": []}, "no_items"),
        ({"items": [UUID(int=9)]}, "item_unknown"),
    ],
)
def test_a_request_is_refused(scene: Scene, changes: dict[str, Any], code: str) -> None:
    """With its reason on the record, and nothing that was typed."""
    (segment,) = footage(scene)
    assert code in codes(asked(scene, segment, **changes))
    recorded = scene.refusals()[-1]
    assert code in recorded
    assert "Smith" not in str(scene.events(RequestRefused))
    assert not scene.events(HoldRequested)


def test_a_request_names_each_item_once_and_no_more_than_it_may(scene: Scene) -> None:
    """The narrowest range."""
    (segment,) = footage(scene)
    assert codes(asked(scene, segment, segment)) == ["item_named_twice"]
    assert "too_many_items" in codes(asked(scene, *(UUID(int=one) for one in range(1, 102))))


def test_an_item_of_another_deployment_is_not_told_of(scene: Scene) -> None:
    """Neither is its class."""
    (segment,) = footage(scene)
    answer = asked(scene, segment, deployment=UUID(int=77), scope=UUID(int=77).hex)
    assert codes(answer) == ["item_of_another_deployment"]
    assert isinstance(answer, Refused)
    assert "footage" not in str(answer.reasons)


@pytest.mark.parametrize("decide", [approved, declined])
def test_who_asked_does_not_decide(scene: Scene, decide: Any) -> None:
    """Two persons (SOD)."""
    (segment,) = footage(scene)
    agreed(asked(scene, segment))
    assert codes(decide(scene, actor=ASKER)) == ["same_person"]
    assert codes(decide(scene, role=Role.DISCLOSURE_OFFICER)) == ["not_the_asset_owner"]
    assert not scene.events(ItemHeld)


def test_what_nobody_asked_for_cannot_be_decided(scene: Scene) -> None:
    """Approved, reviewed or released."""
    assert codes(approved(scene)) == ["not_requested"]
    assert "not_approved" in codes(reviewed(scene))
    assert codes(released(scene)) == ["not_approved"]
    assert scene.events(ApprovalRefused)
    assert scene.events(ReviewRefused)
    assert scene.events(ReleaseRefused)


def test_an_approval_that_comes_too_late_brings_nothing_back(scene: Scene) -> None:
    """The items are judged again, as they are then."""
    (segment,) = footage(scene)
    scene.later(days(20))
    agreed(asked(scene, segment))
    scene.later(days(11) + MINUTE)
    assert codes(approved(scene)) == ["item_past_its_limit"]
    assert swept(scene) == set()
    assert codes(approved(scene)) == ["item_destroyed"]


def test_a_hold_that_lapsed_is_not_reviewed_back(scene: Scene) -> None:
    """Nor approved once its date is past."""
    first, second = footage(scene, 2)
    agreed(asked(scene, first))
    agreed(approved(scene))
    agreed(asked(scene, second, hold=UUID(int=2)))
    scene.later(REVIEW)
    assert codes(reviewed(scene)) == ["hold_lapsed"]
    assert "hold_lapsed" in codes(approved(scene, hold=UUID(int=2)))


def test_a_released_hold_does_not_come_back(scene: Scene) -> None:
    """Neither by a review nor by another release."""
    (segment,) = footage(scene)
    agreed(asked(scene, segment))
    agreed(approved(scene))
    agreed(released(scene))
    assert codes(released(scene)) == ["already_released"]
    assert codes(reviewed(scene)) == ["already_released"]
    assert len(scene.events(HoldReleased)) == 1


def test_a_hold_is_asked_for_once(scene: Scene) -> None:
    """For more there is another."""
    (segment,) = footage(scene)
    agreed(asked(scene, segment))
    assert codes(asked(scene, segment)) == ["already_requested"]


# -- beside destruction --------------------------------------------------------------------------


def test_what_is_being_destroyed_cannot_be_held(scene: Scene) -> None:
    """Whatever its date says."""
    (segment,) = footage(scene)
    agreed(asked(scene, segment))
    destroy_for(scene.outside, to_keep(scene), [segment], cause="test")
    assert codes(approved(scene)) == ["item_destroyed"]


def test_a_held_item_is_not_destroyed_by_whoever_asks(scene: Scene) -> None:
    """Neither by a command nor by a start after a crash."""
    (segment,) = footage(scene)
    scene.later(days(20))
    agreed(asked(scene, segment))
    agreed(approved(scene))
    scene.later(days(12))
    assert destroy_for(scene.outside, to_keep(scene), [segment], cause="due") == 0
    finish_what_was_begun(scene.outside)
    assert scene.live_items() == {segment}


def test_the_deadline_on_the_record_is_the_one_that_counts(scene: Scene) -> None:
    """For whoever reads entries without our rules."""
    (segment,) = footage(scene)
    scene.later(days(20))
    agreed(asked(scene, segment))
    agreed(approved(scene))
    (held,) = scene.events(ItemHeld)
    (seen,) = scene.survey().live()
    assert written(held.due_at) == written(scene.survey().deadline(seen))


# -- beside a schedule that is shorter by now ----------------------------------------------------


def shorter(scene: Scene) -> None:
    """From here on footage is kept for 21 days."""
    command = to_adopt(
        change=lambda one: replace(one, limit_s=21 * 86_400),
        of=ItemClass.FOOTAGE_SEGMENT,
        at=scene.clock.now(),
    )
    agreed(adopt(scene.outside, command))


def test_a_hold_is_judged_by_the_schedule_in_force(scene: Scene) -> None:
    """What had to be gone by it is not held; and what is told of a hold's end is its deadline."""
    (segment,) = footage(scene)
    started = scene.clock.now()
    shorter(scene)
    agreed(asked(scene, segment))
    agreed(approved(scene))
    agreed(released(scene))
    assert [one.due_at for one in scene.events(HoldEnded)] == [started + days(21)]
    scene.later(days(21) + MINUTE)
    assert codes(asked(scene, segment, hold=UUID(int=2))) == ["item_past_its_limit"]


def test_a_release_past_the_shorter_limit_destroys_at_once(scene: Scene) -> None:
    """Not at the limit that its registration still says."""
    (segment,) = footage(scene)
    shorter(scene)
    agreed(asked(scene, segment))
    agreed(approved(scene))
    scene.later(days(22))
    assert swept(scene) == {segment}
    agreed(released(scene))
    assert scene.live_items() == set()

"""Holds and copies as the offline verifier sees them, of histories that were really recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.assurance.custody import Custody
from domain.assurance.entries import EntryUnreadableError
from domain.assurance.examined import Following, followed
from domain.assurance.verification import Kind, not_looked_at
from domain.copies.events import AbsenceVerified, WatchlistDestroyed
from domain.holds.events import HoldApproved, HoldRequested
from domain.services.retention import Retention
from tests.contract.custody.test_recomputed import (
    A_MOMENT,
    appended,
    codes,
    edited,
    journalled,
    judged,
)
from tests.contract.record.examples import changed
from tests.support import builders as a
from tests.support.keeping import (
    COPY,
    MANAGER,
    REVIEW,
    approved,
    asked,
    days,
    destroyed,
    registered,
    released,
    verified,
)
from tests.support.scenarios import Scene, agreed
from tests.support.stores import Store
from tests.unit.services.test_footage import kept, recording

ACT = timedelta(minutes=5)


@pytest.fixture
def scene(store: Store) -> Scene:
    """A deployment with a camera that records, over a real record."""
    return recording(Scene().on(store))


def swept(scene: Scene) -> set[UUID]:
    """The retention worker comes by; what is left then."""
    Retention(scene.outside).sweep(every_s=60)
    return scene.live_items()


def held(scene: Scene) -> UUID:
    """A segment that two persons keep, 20 days after it was recorded; the deployment is over."""
    segment = kept(scene)
    scene.stopped().ended().later(days(20))
    agreed(asked(scene, segment))
    agreed(approved(scene))
    return segment


# -- holds ---------------------------------------------------------------------------------------


def test_what_is_held_is_not_overdue_until_its_review(scene: Scene, store: Store) -> None:
    """And overdue from then on: nobody has to believe a flag for either."""
    segment = held(scene)
    until = scene.clock.now() + REVIEW
    scene.later(days(12))
    assert swept(scene) == {segment}
    verdict = judged(store)
    assert verdict.sound, verdict.faults
    (footage,) = [one for one in verdict.holdings if one.item_class == "footage_segment"]
    assert (footage.held, footage.remaining, footage.overdue) == (1, 1, 0)
    assert judged(store, as_of=until + ACT).sound
    assert codes(judged(store, as_of=until + ACT + A_MOMENT)) == ["overdue"]


def test_without_the_approval_the_same_history_is_overdue(scene: Scene, store: Store) -> None:
    """The control: it is the hold that the verifier reads, and not the item's own word."""
    segment = kept(scene)
    scene.stopped().ended().later(days(20))
    agreed(asked(scene, segment))
    assert codes(judged(store, as_of=scene.clock.now() + days(12))) == ["overdue"]


@pytest.mark.parametrize("after", [days(1), days(12)])
def test_a_release_is_followed_by_destruction_in_time(
    scene: Scene, store: Store, after: timedelta
) -> None:
    """Before the limit and past it."""
    held(scene)
    scene.later(after)
    agreed(released(scene))
    scene.later(days(11) - min(after, days(10)))
    assert swept(scene) == set()
    verdict = judged(store)
    assert verdict.sound, verdict.faults


def test_a_hold_on_a_face_is_found_however_it_came_into_the_log(store: Store) -> None:
    """A force that wrote its own rules."""
    scene = recording(Scene().on(store))
    segment = kept(scene)
    scene.alerted().stopped()
    agreed(asked(scene, segment))
    face = next(one.item for one in scene.survey().live() if one.item_class == "face_crop")
    (request,) = [one.event for one in scene.record.history() if "hold.req" in one.event.NAME]
    forged = UUID(int=0xF)
    appended(
        scene,
        changed(request, originator_id=forged, originator_version=1, items=[face]),
        HoldApproved(
            originator_id=forged,
            originator_version=2,
            timestamp=scene.clock.now(),
            approver="officer:asset-owner-1",
        ),
    )
    assert "held_without_right" in codes(judged(store))


def test_one_person_who_holds_alone_keeps_nothing(scene: Scene, store: Store) -> None:
    """Whatever the items say: who asked also approved, in a log that somebody wrote by hand."""
    segment = kept(scene)
    scene.stopped().ended().later(days(20))
    agreed(asked(scene, segment))
    (request,) = scene.events(HoldRequested)
    appended(
        scene,
        HoldApproved(
            originator_id=request.originator_id,
            originator_version=2,
            timestamp=scene.clock.now(),
            approver=request.requester,
        ),
    )
    late = judged(store, as_of=scene.clock.now() + days(12))
    assert codes(late) == ["overdue", "held_by_one_person"]


# -- copies --------------------------------------------------------------------------------------


def test_a_list_whose_copies_are_gone_in_time_is_sound(scene: Scene, store: Store) -> None:
    """And the figures say so."""
    agreed(registered(scene))
    scene.stopped().ended()
    agreed(destroyed(scene))
    agreed(verified(scene))
    verdict = judged(store, as_of=scene.clock.now() + days(30))
    assert verdict.sound, verdict.faults
    assert (verdict.copies.registered, verdict.copies.gone, verdict.copies.left) == (1, 1, ())
    assert len(scene.events(WatchlistDestroyed)) == 1


@pytest.mark.parametrize("said", ["nothing", "destroyed", "still there"])
def test_an_undeleted_copy_is_found(scene: Scene, store: Store, said: str) -> None:
    """The word of whoever destroyed it ends nothing."""
    agreed(registered(scene))
    scene.stopped().ended()
    ended = scene.clock.now()
    if said != "nothing":
        agreed(destroyed(scene))
    if said == "still there":
        agreed(verified(scene, still_there=True))
    assert judged(store, as_of=ended + a.DAY).sound
    late = judged(store, as_of=ended + a.DAY + A_MOMENT)
    assert (codes(late), late.only_late) == (["copy_late"], True)
    (position,) = [
        one.position for one in scene.record.history() if one.event.NAME == "copy.registered"
    ]
    assert late.copies.left == (("laptop", position),)
    assert not scene.events(WatchlistDestroyed)


def test_a_copy_that_went_too_late_stays_late(scene: Scene, store: Store) -> None:
    """For ever."""
    agreed(registered(scene))
    scene.stopped().ended().later(a.DAY + A_MOMENT)
    agreed(destroyed(scene))
    agreed(verified(scene))
    assert codes(judged(store)) == ["copy_late"]


def test_an_early_end_brings_the_limit_of_copies_forward(scene: Scene, store: Store) -> None:
    """As it does for what the vault holds."""
    agreed(registered(scene))
    window = judged(store, as_of=scene.clock.now() + a.WINDOW)
    assert window.sound
    scene.stopped().ended()
    assert not judged(store, as_of=scene.clock.now() + a.DAY + A_MOMENT).sound


@pytest.mark.parametrize("by_its_destroyer", [True, False])
def test_a_look_that_is_none_ends_nothing(
    scene: Scene, store: Store, by_its_destroyer: bool
) -> None:
    """By the person who destroyed it, or of what nobody destroyed."""
    agreed(registered(scene))
    if by_its_destroyer:
        agreed(destroyed(scene))
    scene.stopped().ended()
    fields: dict[str, Any] = {"copy": COPY, "verifier": MANAGER, "probe": "searched"}
    appended(scene, journalled("forged", AbsenceVerified, scene, **fields))
    expected = "copy_verified_by_its_destroyer" if by_its_destroyer else "copy_not_destroyed"
    assert expected in codes(judged(store))


def test_a_list_that_is_said_to_be_gone_too_early_is_found(scene: Scene, store: Store) -> None:
    """A copy of it is still open."""
    agreed(registered(scene))
    scene.stopped().ended()
    fields: dict[str, Any] = {
        "deployment": a.DEPLOYMENT,
        "watchlist": a.WATCHLIST,
        "copies": 1,
        "items": 3,
    }
    appended(scene, journalled("forged", WatchlistDestroyed, scene, **fields))
    assert codes(judged(store)) == ["list_not_gone"]


def test_a_time_that_nobody_can_reckon_with_is_unreadable_and_no_crash(
    scene: Scene, store: Store
) -> None:
    """It comes to light only when the verdict is made."""
    agreed(registered(scene))

    def spoil(body: dict[str, Any]) -> None:
        body["requested_until"] = "9999-12-31T23:59:59Z"

    entries = list(edited(store, "deployment.applied_for", spoil))
    with pytest.raises(EntryUnreadableError, match="cannot be followed"):
        followed(entries, Custody()).verdict()
    following = Following(Custody())
    for name, blob in entries:
        following.entry(name, blob)
    told = following.told(not_looked_at(Kind.SOUND, "a record"), as_of=None)
    assert (told.kind, told.custody) == (Kind.UNREADABLE, None)

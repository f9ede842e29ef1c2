"""A deployment as it was: at every place what it was then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from api.replaying.moments import Moment, a_time
from api.replaying.state import AsItWas, Phase, State
from domain.custody.events import ItemDestroyed
from domain.kernel.errors import RecordBrokenError
from domain.ports import AlertState, Reconciliation, Recorded
from domain.services import deployments, sightings
from tests.replay.history import (
    ALERT,
    CROP,
    DEPLOYMENT,
    ENTRY,
    RUN,
    WATCHLIST,
    a_history,
    in_memory,
)
from tests.support import builders as a
from tests.support.scenarios import Scene

OVER = 25
"""The last position of the made-up history."""


def history() -> Iterator[Recorded]:
    """The made-up deployment's entries."""
    return in_memory(a_history()).history(DEPLOYMENT.hex)


def after(position: int) -> State:
    """The made-up deployment after a position."""
    found = AsItWas(DEPLOYMENT)
    found.take_up_to(history(), Moment(position=position))
    return found.state()


def by(time: str) -> State:
    """The made-up deployment as it was recorded by a time."""
    found, moment = AsItWas(DEPLOYMENT), Moment(time=a_time(time))
    found.take_up_to(history(), moment)
    return found.state(at=moment.time)


def of(scene: Scene, *, at: datetime | None = None) -> State:
    """A scene's deployment as it stands."""
    found = AsItWas(a.DEPLOYMENT)
    found.take_up_to(scene.record.history(a.DEPLOYMENT.hex), Moment())
    return found.state(at=at)


@pytest.mark.parametrize(
    ("position", "before", "then"),
    [
        (0, Phase.NOT_APPLIED_FOR, Phase.APPLIED_FOR),
        (12, Phase.APPLIED_FOR, Phase.AUTHORISED),
        (13, Phase.AUTHORISED, Phase.RUNNING),
        (21, Phase.RUNNING, Phase.STOPPED),
        (23, Phase.STOPPED, Phase.ENDED),
    ],
)
def test_the_phase_is_that_of_the_place(position: int, before: str, then: str) -> None:
    """Before the entry the one, after it the other."""
    assert (after(position - 1).phase, after(position).phase) == (before, then)


def test_a_deployment_that_was_called_off_is_cancelled_and_not_ended() -> None:
    """Though both are over."""
    scene = Scene().applied()
    deployments.cancel(scene.outside, a.to_cancel(**scene.by))
    assert of(scene).phase == Phase.CANCELLED


def test_what_was_asked_for_and_what_was_allowed() -> None:
    """The second not before it was."""
    asked, allowed = after(11), after(12)
    assert asked.authorisation is None
    assert asked.application is not None
    assert asked.application.applicant == a.APPLICANT
    assert asked.cameras == {a.CAMERA: "file"}
    assert allowed.authorisation is not None
    assert allowed.authorisation.threshold == "0.62"
    assert allowed.authorisation.cameras == [a.CAMERA]
    assert allowed.authorisation.valid_until == "2026-11-23T17:30:00.000Z"


@pytest.mark.parametrize(
    ("position", "state", "counts"),
    [
        (2, "criteria_proposed", (0, 0, 0)),
        (4, "criteria_approved", (0, 0, 0)),
        (6, "criteria_approved", (1, 0, 0)),
        (7, "criteria_approved", (0, 1, 0)),
        (8, "seal_requested", (0, 1, 0)),
        (9, "sealed", (0, 1, 0)),
        (10, "approved", (0, 1, 0)),
    ],
)
def test_the_list_is_that_of_the_place(
    position: int, state: str, counts: tuple[int, int, int]
) -> None:
    """How far it has come, and who on it is not judged, accepted, rejected."""
    found = after(position).watchlists[WATCHLIST.hex]
    assert found.state == state
    assert (found.not_judged, found.accepted, found.rejected) == counts
    assert found.by_category == ({a.CATEGORY: 1} if found.accepted else {})
    assert found.catalogue == "2026-1"


def test_a_rejected_entry_is_counted_with_its_reasons() -> None:
    """And among no category of the list."""
    scene = Scene().applied().list_opened().entry_proposed().entry_rejected(a.ENTRY)
    found = of(scene).watchlists[a.WATCHLIST.hex]
    assert (found.rejected, found.rejected_for) == (1, {"no_face": 1})
    assert found.by_category == {}


def test_the_sums_so_far_are_those_of_the_place() -> None:
    """While recognition is on they are only not balanced yet; afterwards they balance."""
    early, late = after(15).runs[RUN.hex], after(18).runs[RUN.hex]
    assert (early.seen, early.enrolled_and_discarded, early.without_outcome) == (3, 1, 2)
    assert (early.balance, early.recognition) == ("not_yet", "on")
    assert (late.seen, late.alerted, late.suppressed, late.without_outcome) == (3, 1, 1, 0)
    assert (late.balance, late.frames, late.longest_template_life_ms) == ("balanced", 250, 40)
    assert after(OVER).runs[RUN.hex].recognition == "off"


def test_sums_that_do_not_balance_after_the_stop_are_told_to_be_so() -> None:
    """A face was seen that has no outcome; and what the comparison on the record came to."""
    scene = Scene().running().saw(a.enrolled(1), progress=(10, 2)).stopped()
    run = of(scene).runs[a.RUN.hex]
    assert (run.balance, run.without_outcome) == ("not_balanced", 1)
    assert run.compared == Reconciliation.OPEN
    sightings.reconcile(scene.outside, a.to_reconcile(**scene.by))
    assert of(scene).runs[a.RUN.hex].compared == Reconciliation.FAILED
    scene.saw(a.enrolled(2))
    run = of(scene).runs[a.RUN.hex]
    assert (run.balance, run.compared) == ("balanced", Reconciliation.OPEN)


@pytest.mark.parametrize(
    ("position", "state", "decision"),
    [
        (17, AlertState.RAISED, None),
        (19, AlertState.VIEWED, None),
        (20, AlertState.ADJUDICATED, "viable"),
        (22, AlertState.ADJUDICATED, "viable"),
    ],
)
def test_the_alert_is_that_of_the_place(position: int, state: str, decision: str | None) -> None:
    """Raised, viewed, decided; a refused second decision changes nothing."""
    found = after(position).alerts[ALERT.hex]
    assert (found.state, found.decision) == (state, decision)
    assert (found.raised_position, found.entry) == (17, ENTRY.hex)


def test_an_alert_that_nobody_decided_is_closed() -> None:
    """And is then neither open nor decided."""
    scene = Scene().running().alerted().stopped().ended()
    assert of(scene).alerts[a.ALERT.hex].state == AlertState.CLOSED_UNDETERMINED


def test_items_live_and_are_destroyed() -> None:
    """With the destruction that began counted in between."""
    assert "face_crop" not in after(15).items
    live, begun, gone = (after(place).items["face_crop"] for place in (23, 24, 25))
    assert (live.live, live.being_destroyed, live.destroyed) == (1, 0, 0)
    assert (begun.live, begun.being_destroyed, begun.destroyed) == (1, 1, 0)
    assert (gone.live, gone.being_destroyed, gone.destroyed) == (0, 0, 1)
    assert gone.rules == ["RT-03"]
    assert CROP.hex not in str(after(OVER).as_json())


def test_an_item_is_overdue_at_a_time_after_it_had_to_be_gone() -> None:
    """Not at that instant; and never once it is destroyed."""
    scene = Scene().running().alerted()
    due = a.AT + a.DAY
    moment = timedelta(milliseconds=1)
    assert of(scene, at=due).items["face_crop"].overdue == 0
    assert of(scene, at=due + moment).items["face_crop"].overdue == 1
    assert of(scene).overdue_at == "2026-11-23T09:30:00.000Z"
    scene.stopped().ended()
    assert of(scene, at=due + moment).items["face_crop"].overdue == 0
    destroyed = sum(one.destroyed for one in of(scene).items.values())
    assert destroyed == len(scene.events(ItemDestroyed)) > 0


def test_who_did_what_is_told_by_role() -> None:
    """With what came of it, refused or not."""
    people = after(OVER).people
    assert people["applicant"] == {a.APPLICANT: {"deployment.applied_for": 1}}
    assert people["operator"][a.OPERATOR]["deployment.start_refused"] == 1
    assert set(people["watchlist_manager"]) == {a.FIRST_MANAGER, a.SECOND_MANAGER}
    assert after(OVER).refusals == {
        "alert.adjudication_refused": 1,
        "deployment.start_refused": 1,
    }
    assert after(21).refusals == {"deployment.start_refused": 1}


def test_a_time_is_what_was_recorded_by_then_and_says_which_position_that_is() -> None:
    """The other deployment's entry between them is not of this one."""
    assert by("2026-11-23T09:30:03Z").position == 2
    assert by("2026-11-23T09:30:04Z").position == 4
    assert by("2026-11-23T09:30:03.999Z").overdue_at == "2026-11-23T09:30:03.999Z"
    before = by("2026-11-23T09:29:59Z")
    assert (before.position, before.entries, before.phase) == (None, 0, Phase.NOT_APPLIED_FOR)
    assert by("2027-01-01T00:00:00Z").position == OVER


def test_an_entry_that_is_told_to_the_minute_does_not_bring_back_later_ones() -> None:
    """At 09:30:17 it ends before the alert of that second, though 18 is told as 09:30:00."""
    assert by("2026-11-23T09:30:16Z").position == 16
    assert by("2026-11-23T09:30:17Z").position == 18


def test_the_entry_that_comes_next_is_known() -> None:
    """So that the answer can say where it ends."""
    following = AsItWas(DEPLOYMENT).take_up_to(history(), Moment(position=2))
    assert following is not None
    assert following.position == 4
    assert AsItWas(DEPLOYMENT).take_up_to(history(), Moment()) is None


def test_entries_of_a_clock_that_was_not_to_be_believed_are_counted() -> None:
    """Their place tells when, not their time."""
    scene = Scene().applied()
    scene.clock.believed = False
    scene.list_opened()
    state = of(scene)
    assert (state.entries, state.clock_suspect) == (4, 2)


def test_a_record_that_contradicts_itself_is_not_told_as_a_state() -> None:
    """An event is missing, or goes on with what never began."""
    entries = list(history())
    with pytest.raises(RecordBrokenError, match="deployment"):
        AsItWas(DEPLOYMENT).take_up_to([one for one in entries if one.position != 12], Moment())
    progress = [one for one in entries if one.position == 24]
    begun = replace(progress[0], event=replace(progress[0].event, originator_version=1))
    with pytest.raises(RecordBrokenError, match=r"entry 24 \(item\.destruction_started\)"):
        AsItWas(DEPLOYMENT).take_up_to([begun], Moment())

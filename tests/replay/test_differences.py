"""What changed between two moments: every difference, and the entries that made it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.replaying.causes import touched
from api.replaying.differences import Difference, differences
from api.replaying.moments import Moment, a_moment
from api.replaying.state import AsItWas, State, flat
from domain.alerts.commands import RecordDissent
from domain.catalogue import EVENTS
from domain.engagements import commands as asked
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError
from domain.ports import Recorded
from domain.services import (
    alerts,
    closing,
    custody,
    deployments,
    engagements,
    sightings,
    watchlists,
)
from tests.contract.record.examples import changed
from tests.replay.history import ALERT, DEPLOYMENT, RUN, a_history, in_memory
from tests.support import builders as a
from tests.support import keeping
from tests.support.scenarios import Scene, agreed
from tests.unit.services.test_footage import kept as footage_kept
from tests.unit.services.test_footage import recording

FIXED = {"camera", "run", "entry", "raised_at", "raised_position"}
NOT_COMPARED = {
    "deployment",
    "mode",
    "position",
    "recorded_at",
    "overdue_at",
    "entries",
    "clock_suspect",
    "people",
}


def history() -> Iterator[Recorded]:
    """The made-up deployment's entries."""
    return in_memory(a_history()).history(DEPLOYMENT.hex)


def found(earlier: str, later: str) -> dict[tuple[str, ...], Difference]:
    """What differs in the made-up history."""
    moments = a_moment(earlier), a_moment(later)
    return {one.path: one for one in differences(history(), DEPLOYMENT, *moments).found}


def positions(one: Difference) -> list[int]:
    """Of the entries that made it."""
    return [cause.position for cause in one.causes]


def test_each_difference_is_told_with_the_entries_that_made_it() -> None:
    """And with no others."""
    told = found("13", "22")
    phase = told["phase",]
    assert (phase.before, phase.after, positions(phase)) == ("running", "stopped", [21])
    alert = told["alerts", ALERT.hex, "state"]
    assert (alert.before, alert.after, positions(alert)) == (None, "adjudicated", [17, 19, 20])
    assert [one.role for one in alert.causes][-1] == "engagement_officer"
    seen = told["runs", RUN.hex, "seen"]
    assert (seen.before, seen.after, positions(seen)) == (None, 3, [15])
    assert positions(told["runs", RUN.hex, "suppressed"]) == [18]
    assert ("alerts", ALERT.hex, "camera") not in told
    assert not any(path[0] == "watchlists" for path in told)


def test_what_was_allowed_is_told_field_by_field() -> None:
    """From nothing to its limits, because of one entry."""
    told = found("11", "12")
    assert positions(told["authorisation", "threshold"]) == [12]
    assert told["authorisation", "threshold"].after == "0.62"
    assert told["phase",].before == "applied_for"
    assert {path[0] for path in told} == {"phase", "authorisation"}


def test_what_came_and_went_in_between_is_no_difference() -> None:
    """A value is compared at both ends only."""
    assert ("items", "face_crop", "live") in found("15", "16")
    assert ("items", "face_crop", "live") not in found("15", "25")
    assert ("items", "face_crop", "destroyed") in found("15", "25")


def test_between_two_times_and_between_a_position_and_a_time() -> None:
    """Each names a place."""
    times = found("2026-11-23T09:30:13Z", "2026-11-23T09:30:22Z")
    assert times == found("2026-11-23T09:30:13Z", "22")
    assert times.keys() == found("15", "22").keys()


def test_nothing_differs_between_a_moment_and_itself() -> None:
    """Nor behind the end."""
    assert found("9", "9") == {}
    assert found("25", "999") == {}


def test_what_becomes_overdue_does_so_because_time_passed() -> None:
    """No entry made it so."""
    crop = ("items", "face_crop", "overdue")
    told = found("2026-11-23T09:30:20Z", "2026-11-23T09:30:22Z")
    assert crop not in told
    entries = [one for one in history() if one.position < 23]
    later = replace(entries[-1], recorded_at=a.AT + a.DAY + timedelta(minutes=1))
    grown = differences(
        [*entries[:-1], later], DEPLOYMENT, Moment(position=20), Moment(position=22)
    )
    (overdue,) = (one for one in grown.found if one.path == crop)
    assert (overdue.before, overdue.after, overdue.causes) == (None, 1, [])


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("9", "8"),
        ("2026-11-23T09:30:09Z", "2026-11-23T09:30:08Z"),
        ("9", "2026-11-23T09:30:07Z"),
        ("2026-11-23T09:30:09Z", "7"),
    ],
)
def test_the_later_first_is_a_slip(earlier: str, later: str) -> None:
    """Said to be one, and not told backwards."""
    with pytest.raises(DomainError, match="the earlier one first"):
        found(earlier, later)


# -- every difference, against whole states --------------------------------------------------------


def values(state: State) -> dict[tuple[str, ...], object]:
    """Everything that could differ, found without the code under test's own choice."""
    told = {name: one for name, one in state.as_json().items() if name not in NOT_COMPARED}
    return {
        path: value
        for path, value in flat(told).items()
        if not (path[0] == "alerts" and path[-1] in FIXED)
    }


def busy() -> Scene:
    """Everything that can happen to a deployment, refused or not, in one scene."""
    scene = Scene().applied().list_opened()
    watchlists.propose_criteria(scene.outside, a.to_propose_criteria(**scene.by))
    scene.entry_proposed().entry_accepted().entry_proposed(a.OTHER_ENTRY)
    scene.entry_rejected(a.OTHER_ENTRY).list_approved()
    deployments.start(scene.outside, a.to_start(**scene.by))
    scene.authorised()
    watchlists.load_gallery(scene.outside, a.to_load_the_gallery(**scene.by))
    scene.started().saw(a.enrolled(1), a.not_enrolled(2), progress=(10, 3))
    scene.alerted(ordinal=3).saw(a.suppressed(4), progress=(20, 4)).viewed()
    item = next(scene.items_of(a.ALERT))
    custody.consult(scene.outside, a.to_consult(item=item, **scene.by))
    scene.decided(note="a note").later(timedelta(minutes=3))
    alerts.adjudicate(scene.outside, a.to_decide(**scene.by))
    scene.alerted(UUID(int=0xB), ordinal=5)
    sightings.report_source_failure(scene.outside, a.to_report_a_failure(**scene.by))
    scene.stopped()
    alerts.raise_alert(
        scene.outside, a.to_raise(alert=UUID(int=0xC), ordinal=6, run=UUID(int=3), **scene.by)
    )
    sightings.reconcile(scene.outside, a.to_reconcile(**scene.by))
    return scene.ended()


def died() -> Scene:
    """A worker dies, and the deployment is closed by whoever starts next."""
    scene = Scene().running().saw(a.enrolled(1), progress=(10, 3)).alerted(ordinal=2)
    scene.later(a.WINDOW)
    (seen,) = scene.survey().deployments.values()
    closing.close(scene.outside, seen, cause="authorisation_expired", died=True)
    return scene


def withdrawn() -> Scene:
    """Recognition was on when the authorisation was taken back."""
    scene = Scene().running()
    agreed(deployments.withdraw(scene.outside, a.to_withdraw(**scene.by)))
    return scene


def called_off() -> Scene:
    """Applied for and cancelled."""
    scene = Scene().applied().listed()
    deployments.cancel(scene.outside, a.to_cancel(**scene.by))
    return scene


def followed_up(scene: Scene) -> None:
    """Somebody was spoken to and the outcome corrected, another officer dissents; and of another
    alert nobody was found."""
    by = {"scope": a.DEPLOYMENT.hex, "deployment": a.DEPLOYMENT, "alert": a.ALERT, **scene.by}
    by |= {"actor": a.ENGAGEMENT_OFFICER, "role": Role.ENGAGEMENT_OFFICER}
    other = {"actor": a.ANOTHER_ENGAGEMENT_OFFICER}
    agreed(alerts.view(scene.outside, a.to_view(**scene.by, **other)))
    factors = {f"{one}_factors": ["light"] for one in ("subject", "system", "environmental")}
    view = {"decision": "insufficient", "basis": scene.basis, **factors}
    agreed(alerts.dissent(scene.outside, RecordDissent(**(by | other | view))))
    steps: list[tuple[Any, Any, dict[str, Any]]] = [
        (engagements.start, asked.StartEngagement, {"officers": [a.ENGAGEMENT_OFFICER]}),
        (engagements.establish_identity, asked.EstablishIdentity, {"identity": "same"}),
        (engagements.give_information, asked.GiveInformation, {"information": "given"}),
        (engagements.end, asked.EndEngagement, {"force_used": False, "handcuffed": False}),
        (engagements.record_outcome, asked.RecordOutcome, {"outcomes": ["arrest-offence"]}),
        (engagements.correct_outcome, asked.CorrectOutcome, {"outcomes": ["de-arrested"]}),
    ]
    rest = {"power": "arrest", "method": "documents", "duration": "under-5", "reason": "no-charge"}
    for serve, command, fields in steps:
        known = {name: value for name, value in rest.items() if name in command.__annotations__}
        agreed(serve(scene.outside, command(**(by | known | fields))))
    missing = UUID(int=0xAB)
    scene.alerted(missing, ordinal=2).viewed(missing).decided(missing)
    not_found = asked.ReportNotLocated(**(by | {"alert": missing}))
    agreed(engagements.not_located(scene.outside, not_found))


def kept() -> Scene:
    """Footage that is held and let go, an arrest, and a copy of the list that ends."""
    scene = recording(Scene())
    segment = footage_kept(scene)
    scene.alerted().viewed().decided()
    agreed(keeping.arrested(scene))
    followed_up(scene)
    agreed(keeping.registered(scene))
    scene.stopped().ended()
    agreed(keeping.asked(scene, segment))
    agreed(keeping.approved(scene))
    agreed(keeping.released(scene))
    agreed(keeping.destroyed(scene))
    agreed(keeping.verified(scene))
    return scene


def list_changed() -> Scene:
    """A list with a child on it, taken off again; the list is reopened, and recognition begins."""
    scene = Scene().applied().list_opened().entry_proposed().entry_accepted()
    child = a.why(age_band="13-to-17")
    scene.entry_proposed(a.OTHER_ENTRY, necessity=child).entry_accepted(a.OTHER_ENTRY)
    allowed = a.to_decide_extra_authority(entries=[a.OTHER_ENTRY], **scene.by)
    agreed(watchlists.decide_extra_authority(scene.outside, allowed))
    scene.list_approved().authorised()
    gone = a.to_remove(entry=a.OTHER_ENTRY, reason="found-safe", **scene.by)
    agreed(watchlists.remove_entry(scene.outside, gone))
    agreed(watchlists.reopen(scene.outside, a.to_reopen(**scene.by)))
    third = UUID(int=0xE3)
    scene.entry_proposed(third).entry_accepted(third).list_approved()
    return scene.started(gallery_size=2)


def urgent() -> Scene:
    """At a school, because life is at risk; varied, ratified, and in the end not."""
    scene = Scene().applied()
    sections = a.the_sections(sensitive_place=["school"])
    agreed(deployments.submit_report(scene.outside, a.to_report(sections=sections, **scene.by)))
    agreed(deployments.decide_on_place(scene.outside, a.to_decide_on_the_place(**scene.by)))
    scene.listed().in_force()
    agreed(deployments.authorise(scene.outside, a.to_authorise_urgently(**scene.by)))
    scene.announced().started()
    agreed(deployments.vary(scene.outside, a.to_vary(**scene.by)))
    agreed(deployments.ratify(scene.outside, a.to_ratify(**scene.by)))
    return scene


def declined() -> Scene:
    """Nobody ratifies what an inspector allowed."""
    scene = Scene().applied().listed().in_force()
    agreed(deployments.authorise(scene.outside, a.to_authorise_urgently(**scene.by)))
    scene.announced().started()
    agreed(deployments.ratify(scene.outside, a.to_ratify(ratified=False, **scene.by)))
    return scene


SCENES = {
    "urgent": urgent,
    "declined": declined,
    "list changed": list_changed,
    "busy": busy,
    "died": died,
    "withdrawn": withdrawn,
    "called off": called_off,
    "kept": kept,
}


@pytest.mark.parametrize("scene", SCENES)
def test_no_entry_changes_anything_that_it_is_not_known_to_touch(scene: str) -> None:
    """Step by step, against the whole state before and after; so no difference lacks its cause."""
    entries = list(SCENES[scene]().record.history(a.DEPLOYMENT.hex))
    found = AsItWas(a.DEPLOYMENT)
    before = values(found.state(at=a.AT))
    for entry in entries:
        found.take(entry)
        now = values(found.state(at=a.AT))
        changed = {path for path in before.keys() | now.keys() if before.get(path) != now.get(path)}
        known = set(touched(entry, found))
        missed = {
            path
            for path in changed
            if not any(path[:depth] in known for depth in range(1, len(path) + 1))
        }
        assert missed == set(), f"{entry.position} {entry.event.NAME}"
        before = now


def test_the_scenes_hold_every_event_that_can_change_a_state() -> None:
    """So that the steps above leave none out."""
    names = {name for one in SCENES.values() for name in one().names()}
    contexts = (
        "deployment.",
        "watchlist.",
        "face.",
        "sighting.",
        "run.",
        "alert.",
        "engagement.",
        "item.",
    )
    changing = {
        name
        for name in EVENTS
        if name.startswith(contexts) and not name.endswith(("_refused", "_found"))
    }
    # sums that fail need more; a doubt changes only what may be read; a review or a seeded pass
    # changes nothing at all
    elsewhere = {
        "run.reconciliation_failed",
        "item.doubted",
        "engagement.false_alert_reviewed",
        "sighting.seeded_pass_recorded",
    }
    assert changing - names == elsewhere - names


@pytest.mark.parametrize(("behind", "last"), [(0, 3), (3, 30), (12, 12), (20, 55), (40, 999)])
def test_every_difference_is_one_between_the_two_states(behind: int, last: int) -> None:
    """No difference too many, none missing."""
    entries = list(busy().record.history(a.DEPLOYMENT.hex))

    def at(position: int) -> dict[tuple[str, ...], object]:
        found = AsItWas(a.DEPLOYMENT)
        found.take_up_to(entries, Moment(position=position))
        return values(found.state())

    before, after = at(behind), at(last)
    told = differences(entries, a.DEPLOYMENT, Moment(position=behind), Moment(position=last))
    assert {one.path: (one.before, one.after) for one in told.found} == {
        path: (before.get(path), after.get(path))
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }
    assert all(behind < place <= last for one in told.found for place in positions(one))
    assert all(one.causes for one in told.found)


def test_twice_as_many_faces_take_about_twice_as_many_calls() -> None:
    """Not four times: no whole state is made for each entry."""
    entries = list(Scene().running().saw(a.enrolled(1)).record.history(a.DEPLOYMENT.hex))
    *before, face = entries

    def calls(faces: int) -> int:
        many = [
            replace(face, position=face.position + one, event=changed(face.event, ordinal=one + 1))
            for one in range(faces)
        ]
        counted = Counter[str]()
        sys.setprofile(lambda _frame, what, _of: counted.update([what]))
        try:
            told = differences([*before, *many], a.DEPLOYMENT, Moment(position=0), Moment())
        finally:
            sys.setprofile(None)
        assert told.entries == len(before) - 1 + faces
        return counted["call"] + counted["c_call"]

    assert calls(2_000) < 2.5 * calls(1_000)

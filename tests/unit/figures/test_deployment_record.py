"""The deployment record: each figure counts what it says, by whoever counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.alerts import events as alert
from domain.copies.events import CopyRegistered, WatchlistDestroyed
from domain.deployments.events import CameraConfigured, DeploymentStopped
from domain.engagements import events as engagement
from domain.engagements.aggregate import engagement_after
from domain.figures.deployment_record import (
    DEFINITIONS,
    DeploymentRecord,
    counted,
    counted_each,
)
from domain.figures.published import Published
from domain.governance.events import EvidenceAttached
from domain.ports import Recorded
from domain.sightings import events as sighting
from domain.watchlists.events import WatchlistSealed
from tests.support import builders as a
from tests.support.governed import EVIDENCE, a_test
from tests.support.scenarios import Scene
from tests.unit.figures.histories import History, at_random, entered, of_kind
from tests.unit.figures.test_published import ROWS

FIGURE_OF = {
    "watchlist": "watchlist_entries",
    "faces": "faces_seen",
    "alerts": "alerts",
    "true_alerts": "true_alerts",
    "false_alerts": "false_alerts",
    "engaged": "engagements",
    "arrests": "arrests",
    "cameras": "cameras",
}
FEW_ENOUGH = 20_000
"""Faces that a row may have for each to be an entry of its own."""


def record_of(entries: list[Recorded], **evidence: EvidenceAttached) -> DeploymentRecord:
    """What is published of these entries."""
    return counted(a.DEPLOYMENT, entries, evidence)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.row)
def test_every_published_row_comes_out_as_it_was_printed(row: Published) -> None:
    """Entered as a deployment, counted from its entries."""
    with_faces = (row.number("faces") or 0) <= FEW_ENOUGH
    record = record_of(entered(row, with_faces=with_faces))
    for name, figure in FIGURE_OF.items():
        if (printed := row.number(name)) is not None:
            assert record.value(figure) == printed, figure
    unsound = [one.says for one in record.sums if not one.holds]
    assert unsound == [] or not with_faces, unsound
    assert all(one.startswith("faces_seen =") for one in unsound)


def by_brute_force(entries: list[Recorded]) -> dict[str, int]:
    """The same figures, each looked for anew in all the entries, in no clever way."""
    raised = [one.originator_id for one in of_kind(entries, alert.AlertRaised)]
    decision = {one.originator_id: one.decision for one in of_kind(entries, alert.AlertAdjudicated)}
    engaged = {one.alert for one in of_kind(entries, engagement.EngagementStarted)}
    missing = {one.alert for one in of_kind(entries, engagement.PersonNotLocated)}
    reviewed = {one.alert for one in of_kind(entries, engagement.FalseAlertReviewed)}
    identity: dict[Any, str] = {}
    outcomes: dict[Any, list[str]] = {}
    for one in raised:
        stream = engagement_after(one)
        for event in entries:
            if event.event.originator_id != stream:
                continue
            if isinstance(event.event, engagement.IdentityEstablished):
                identity[one] = event.event.identity
            if isinstance(event.event, engagement.OutcomeRecorded | engagement.OutcomeCorrected):
                outcomes[one] = event.event.outcomes
    false = {
        one
        for one in raised
        if decision.get(one) == "not_viable" or identity.get(one) == "different"
    }
    true = {one for one in raised if decision.get(one) == "viable"} - false
    closed = {one.originator_id for one in of_kind(entries, alert.AlertClosedUndetermined)}
    arrest_codes = {"arrest-warrant", "arrest-offence", "recall", "de-arrested"}
    progressed = list(of_kind(entries, sighting.RunProgressed))
    lives = [
        one.event.template_life_ms for one in entries if hasattr(one.event, "template_life_ms")
    ]
    return {
        "faces_seen": max((one.seen for one in progressed), default=0),
        "not_enrolled": len(list(of_kind(entries, sighting.FaceNotEnrolled))),
        "enrolled_and_discarded": len(list(of_kind(entries, sighting.FaceEnrolledAndDiscarded))),
        "suppressed_sightings": len(list(of_kind(entries, sighting.SightingSuppressed))),
        "alerts": len(raised),
        "true_alerts": len(true),
        "confirmed_true_alerts": sum(identity.get(one) == "same" for one in true),
        "false_alerts": len(false),
        "unconfirmed_false_alerts": sum(decision.get(one) == "not_viable" for one in raised),
        "confirmed_false_alerts": sum(one == "different" for one in identity.values()),
        "undecided_alerts": len(raised) - len(true) - len(false),
        "open_alerts": len(set(raised) - decision.keys() - closed),
        "awaiting_follow_up": len(
            {one for one in raised if decision.get(one) == "viable"} - engaged - missing
        ),
        "not_located": len(missing),
        "engagements": len(engaged),
        "unresolved_identities": sum(
            identity.get(one, "") not in ("same", "different") for one in engaged
        ),
        "arrests": sum(bool(arrest_codes & set(one)) for one in outcomes.values()),
        "de_arrested": sum("de-arrested" in one for one in outcomes.values()),
        "corrected_outcomes": len(list(of_kind(entries, engagement.OutcomeCorrected))),
        "false_alerts_reviewed": len(false & reviewed),
        "false_alerts_not_reviewed": len(false - reviewed),
        "max_template_life_ms": max(lives, default=0),
        "watchlist_entries": sum(one.entries for one in of_kind(entries, WatchlistSealed)),
    }


def test_a_thousand_random_deployments_come_out_as_by_brute_force() -> None:
    """And whatever happened, the sums hold."""
    kinds = Counter[str]()
    for seed in range(1000):
        entries = at_random(seed)
        record = record_of(entries)
        found = {one.name: one.value for one in record.figures}
        expected = by_brute_force(entries)
        assert {name: found[name] for name in expected} == expected, seed
        assert [one.says for one in record.sums if not one.holds] == [], seed
        kinds.update(name for name, value in expected.items() if value)
    assert kinds.keys() == by_brute_force([]).keys(), "every figure was once more than nothing"


@pytest.mark.parametrize("seed", range(40))
def test_a_figure_is_counted_again_from_its_positions_alone(seed: int) -> None:
    """Whoever has the log and the positions gets the same figures, where one entry counts one."""
    entries = at_random(seed)
    by_position = {one.position: one for one in entries}
    for figure in record_of(entries).figures:
        places = {
            position
            for part in figure.positions.split(", ")
            if part
            for position in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)
        }
        assert places <= by_position.keys()
        counts_entries = figure.name in DEFINITIONS.keys() - {
            "faces_seen",
            "interrupted",
            "max_template_life_ms",
            "recognising_s",
            "blind_s",
            "watched_s",
            "authorised_s",
            "watchlist_entries",
            "rejected_references",
        }
        if counts_entries:
            assert len(places) == figure.value, figure.name


def test_a_forgotten_face_shows_in_the_sums() -> None:
    """A control: sums that hold whatever happens would say nothing."""
    history = History().begins()
    history.face(sighting.FaceEnrolledAndDiscarded, 1)
    history.progressed(2)
    broken = [one.says for one in record_of(history.stops().entries).sums if not one.holds]
    assert len(broken) == 1 and broken[0].startswith("faces_seen = ")


def test_a_played_deployment_from_its_record() -> None:
    """Through the services: what was commanded is what is counted."""
    scene = Scene().running()
    scene.saw(a.enrolled(1), a.not_enrolled(2), a.not_enrolled(3, reason="pose"), progress=(50, 4))
    scene.alerted(ordinal=4).viewed().decided().stopped().ended()
    record = counted(a.DEPLOYMENT, scene.record.history(a.DEPLOYMENT.hex), {})
    found = {one.name: one.value for one in record.figures}
    assert (found["faces_seen"], found["alerts"], found["true_alerts"]) == (4, 1, 1)
    assert record.breakdowns["not_enrolled"] == {"blur": 1, "pose": 1}
    assert all(one.holds for one in record.sums)
    assert record.facts["documents"] and record.facts["evidence"] == EVIDENCE
    assert "an alert is not closed" in record.unfit


def test_what_is_still_open_is_not_fit_for_publication() -> None:
    history = History().begins()
    stream = history.alerted(1)
    history.progressed(1)
    record = record_of(history.entries)
    assert record.unfit == (
        "a rehearsal is never published",
        "the deployment is not over",
        "a run's sums were not compared, or do not balance",
        "an alert is not closed",
        "the watchlist is not known to be destroyed",
    )
    history.decided(stream, "not_viable")
    assert "a false alert was not reviewed" in record_of(history.entries).unfit


def test_while_recognition_is_on_its_time_is_not_known() -> None:
    history = History().begins()
    with pytest.raises(KeyError):
        record_of(history.entries).value("recognising_s")
    record = record_of(history.stops().entries)
    assert record.value("recognising_s") == 1
    stopped = next(one for one in history.entries if isinstance(one.event, DeploymentStopped))
    assert str(stopped.position) in next(
        one.positions for one in record.figures if one.name == "recognising_s"
    )


def test_time_in_which_a_camera_could_not_be_read_is_not_called_watched() -> None:
    history = History().begins(cameras=2)
    history.progressed(1)
    history.add(sighting.SourceFailed, run=a.RUN, camera=a.CAMERA, reason="stalled", frames=3)
    history.add(sighting.SourceFailed, run=a.RUN, camera=a.CAMERA, reason="stalled", frames=3)
    for _ in range(3):
        history.progressed(1)
    record = record_of(history.entries)
    with pytest.raises(KeyError):
        record.value("watched_s")
    record = record_of(history.stops().entries)
    ran = record.value("recognising_s")
    assert record.value("blind_s") == 5, "from the first word of it to the stop"
    assert record.value("watched_s") == 2 * ran - 5
    places = next(one.positions for one in record.figures if one.name == "blind_s")
    failed = [one for one in history.entries if isinstance(one.event, sighting.SourceFailed)]
    assert str(failed[0].position) in places


def test_each_alert_is_told_with_its_time_and_what_it_is() -> None:
    history = History().begins()
    for ordinal, decision in enumerate(("viable", "not_viable", "insufficient"), start=1):
        history.decided(history.alerted(ordinal), decision)
    told = record_of(history.entries).alerts_over_time
    assert [one[1] for one in told] == ["true", "false", "undecided"]
    assert sorted(told) == list(told)


def test_a_prediction_is_held_against_what_was_observed() -> None:
    """10 in 60,000 on a list of 20,000 is one in 6,000 there, and less on a shorter list."""
    test = EvidenceAttached(
        originator_id=a.WATCHLIST,
        originator_version=1,
        timestamp=a.AT,
        **a_test(model_digest=a.MODEL, threshold=a.THRESHOLD, settings=a.SETTINGS, on=a.AT.date()),
    )
    history = History().begins(listed=2_000)
    history.progressed(1_000)
    predicted = record_of(history.stops().entries, **{EVIDENCE: test}).predicted
    assert predicted is not None
    assert predicted.false_alerts_a_search == pytest.approx(10 / 60_000 / 10)
    assert predicted.within is True


def test_what_nobody_measured_predicts_nothing() -> None:
    predicted = record_of(History().begins().stops().entries).predicted
    assert predicted is not None
    assert (predicted.false_alerts_a_search, predicted.within) == (None, None)


def test_every_figure_has_a_definition_that_says_something() -> None:
    record = record_of([])
    assert [one.name for one in record.figures] == list(DEFINITIONS)
    assert all(len(one.definition) > 15 for one in record.figures)
    assert record.not_measured == (
        "true recognition rate: no passes of known persons are recorded",
    )


def test_a_camera_that_is_configured_again_is_one_camera_as_it_was_configured_last() -> None:
    history = History().begins(cameras=2)
    for recorded in (True, False):
        history.add(
            CameraConfigured,
            camera="camera-1",
            source_kind="file",
            zone=a.ZONE,
            footage_recorded=recorded,
        )
    record = record_of(history.entries)
    assert record.value("cameras") == 2
    assert record.facts["footage_recorded"] is False


def test_another_list_in_the_scope_is_not_the_deployments_own() -> None:
    history = History().begins(listed=3)
    other = dict(of_kind(history.entries, WatchlistSealed).__next__().__dict__)
    fields = {
        name: value for name, value in other.items() if name in WatchlistSealed.__annotations__
    }
    history.add(WatchlistSealed, a.ALERT, **(fields | {"entries": 50}))
    assert record_of(history.entries).value("watchlist_entries") == 3


def test_a_copy_that_is_registered_later_is_not_known_to_be_gone() -> None:
    history = History().begins().stops()
    gone = {"deployment": a.DEPLOYMENT, "watchlist": a.WATCHLIST, "copies": 1, "items": 6}
    history.add(WatchlistDestroyed, a.WATCHLIST, **gone)
    said = "the watchlist is not known to be destroyed"
    assert said not in record_of(history.entries).unfit
    history.add(CopyRegistered, a.WATCHLIST, **a_copy())
    assert said in record_of(history.entries).unfit


def a_copy() -> dict[str, Any]:
    """The fields of a copy's registration."""
    return dict.fromkeys(CopyRegistered.__annotations__, "laptop")


def test_all_deployments_are_counted_in_one_pass_as_each_alone() -> None:
    entries = at_random(3)
    other = [replace(one, scope="d2" * 16) for one in at_random(4)]
    mixed = sorted([*entries, *other], key=lambda one: one.position)
    force = replace(entries[0], scope="force")
    found = counted_each([force, *mixed], {})
    alone = [record_of(entries), counted(UUID("d2" * 16), other, {})]
    assert sorted(map(repr, found)) == sorted(map(repr, alone))

"""The sums that must balance: every face that was seen has exactly one outcome."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sightings.sums import Outcome, Sums, as_fields, shortened, sums_balance

CAMERA = "camera-1"


def a_run(*outcomes: Outcome, seen: int | None = None) -> Sums:
    """A run of one camera whose faces 1, 2, 3, ... came to these ends."""
    sums = Sums(seen={CAMERA: len(outcomes) if seen is None else seen})
    for ordinal, outcome in enumerate(outcomes, start=1):
        sums.ended(CAMERA, ordinal, outcome)
    return sums


ONE_OF_EACH = tuple(Outcome)


def test_a_run_in_which_nobody_was_seen_balances() -> None:
    """Nothing is nothing."""
    assert sums_balance(Sums())
    assert sums_balance(a_run())


def test_a_run_in_which_every_face_has_one_outcome_balances() -> None:
    """Whatever the outcomes were."""
    sums = a_run(*ONE_OF_EACH)
    assert sums_balance(sums)
    assert as_fields(sums) == {
        "seen": 5,
        "not_enrolled": 1,
        "enrolled_and_discarded": 1,
        "alerted": 1,
        "suppressed": 1,
        "interrupted": 1,
    }


@pytest.mark.parametrize("dropped", range(1, 6))
def test_a_face_without_an_outcome_is_named(dropped: int) -> None:
    """Camera and ordinal of the very one."""
    sums = a_run(*ONE_OF_EACH)
    del sums.outcomes[(CAMERA, dropped)]
    assert not sums_balance(sums)
    assert sums.missing() == [f"camera-1/{dropped}"]
    assert sums.doubled() == []


@pytest.mark.parametrize("doubled", range(1, 6))
def test_a_face_with_two_outcomes_is_named(doubled: int) -> None:
    """Camera and ordinal of the very one."""
    sums = a_run(*ONE_OF_EACH)
    sums.ended(CAMERA, doubled, Outcome.NOT_ENROLLED)
    assert not sums_balance(sums)
    assert sums.doubled() == [f"camera-1/{doubled}"]
    assert sums.missing() == []


def test_an_outcome_that_is_missing_is_not_hidden_by_one_that_stands_twice() -> None:
    """The totals agree and the faces do not."""
    sums = a_run(Outcome.NOT_ENROLLED, Outcome.NOT_ENROLLED, Outcome.NOT_ENROLLED)
    del sums.outcomes[(CAMERA, 3)]
    sums.ended(CAMERA, 1, Outcome.NOT_ENROLLED)
    assert sum(sums.counts.values()) == sums.seen_in_all
    assert not sums_balance(sums)
    assert (sums.missing(), sums.doubled()) == (["camera-1/3"], ["camera-1/1"])


def test_a_face_that_nobody_saw_is_named() -> None:
    """An outcome beyond the tracker's own count."""
    sums = a_run(Outcome.NOT_ENROLLED, Outcome.ALERTED, seen=1)
    assert not sums_balance(sums)
    assert sums.doubled() == ["camera-1/2"]


@pytest.mark.parametrize("ordinal", [0, -1])
def test_an_outcome_of_no_face_does_not_balance(ordinal: int) -> None:
    """Faces are counted from 1."""
    sums = a_run(*ONE_OF_EACH)
    sums.ended(CAMERA, ordinal, Outcome.ENROLLED_AND_DISCARDED)
    assert not sums_balance(sums)


def test_a_camera_that_never_reported_saw_nobody() -> None:
    """Its outcomes belong to faces that nobody saw."""
    sums = Sums()
    sums.ended("camera-2", 1, Outcome.NOT_ENROLLED)
    assert not sums_balance(sums)
    assert sums.doubled() == ["camera-2/1"]


def test_faces_lost_with_their_worker_are_counted_as_interrupted() -> None:
    """As many as have no outcome, and then the sums balance."""
    sums = a_run(Outcome.ENROLLED_AND_DISCARDED, seen=3)
    assert not sums_balance(sums)
    sums.lost[CAMERA] = 2
    assert sums_balance(sums)
    assert as_fields(sums)["interrupted"] == 2


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_a_wrong_number_of_lost_faces_does_not_balance(lost: int) -> None:
    """Neither too few nor too many."""
    sums = a_run(Outcome.ENROLLED_AND_DISCARDED, seen=3)
    sums.lost[CAMERA] = lost
    assert not sums_balance(sums)


def test_one_cameras_loss_does_not_pay_for_another_cameras_missing_face() -> None:
    """Two cameras, one face missing here, one loss claimed there."""
    sums = Sums(seen={CAMERA: 1, "camera-2": 1}, lost={"camera-2": 1})
    sums.ended("camera-2", 1, Outcome.NOT_ENROLLED)
    assert not sums_balance(sums)


def test_faces_of_two_cameras_are_told_apart() -> None:
    """The same ordinal on another camera is another face."""
    sums = Sums(seen={CAMERA: 1, "camera-2": 1})
    sums.ended(CAMERA, 1, Outcome.ALERTED)
    assert sums.missing() == ["camera-2/1"]
    sums.ended("camera-2", 1, Outcome.SUPPRESSED)
    assert sums_balance(sums)
    assert sums.seen_in_all == 2


def test_a_refused_alert_is_counted_with_the_interrupted() -> None:
    """The face has an outcome, and nobody was alerted."""
    sums = a_run(Outcome.REFUSED)
    assert sums_balance(sums)
    assert as_fields(sums)["interrupted"] == 1
    assert as_fields(sums)["alerted"] == 0


def test_the_longest_life_of_any_template_is_kept() -> None:
    """Over all faces of the run."""
    sums = Sums()
    for ordinal, life in enumerate((30, 90, 60), start=1):
        sums.ended(CAMERA, ordinal, Outcome.ENROLLED_AND_DISCARDED, life)
    assert sums.max_template_life_ms == 90


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        (Sums(), 0),
        (a_run(Outcome.ALERTED, seen=4), 4),
        (a_run(*ONE_OF_EACH, seen=2), 5),
    ],
    ids=["nothing stored", "by the counter", "by the highest ordinal"],
)
def test_the_faces_known_of_a_dead_worker(sums: Sums, expected: int) -> None:
    """The counter, or the highest ordinal that was stored after it."""
    assert sums.seen_at_least(CAMERA) == expected
    assert sums.seen_at_least("camera-2") == 0


def test_a_failure_names_a_hundred_faces_at_most() -> None:
    """So that it cannot outgrow an entry."""
    faces = [f"camera-1/{ordinal}" for ordinal in range(1, 102)]
    assert shortened(faces) == faces[:100]
    assert shortened(faces[:100]) == faces[:100]


RUNS = st.dictionaries(
    st.sampled_from([CAMERA, "camera-2", "camera-3"]),
    st.lists(st.sampled_from(Outcome), max_size=8),
    max_size=3,
)


@settings(max_examples=100, deadline=None)
@given(runs=RUNS, choice=st.data())
def test_a_run_balances_exactly_while_each_face_has_one_outcome(
    runs: dict[str, list[Outcome]], choice: Any
) -> None:
    """Any run balances; dropping or doubling any one of its outcomes is found."""
    sums = Sums(seen={camera: len(ends) for camera, ends in runs.items()})
    for camera, ends in runs.items():
        for ordinal, outcome in enumerate(ends, start=1):
            sums.ended(camera, ordinal, outcome)
    assert sums_balance(sums)
    fields = dict(as_fields(sums))
    assert fields.pop("seen") == sum(fields.values())
    if not sums.outcomes:
        return
    camera, ordinal = choice.draw(st.sampled_from(sorted(sums.outcomes)))
    if choice.draw(st.booleans()):
        del sums.outcomes[(camera, ordinal)]
        assert sums.missing() == [f"{camera}/{ordinal}"]
    else:
        sums.ended(camera, ordinal, choice.draw(st.sampled_from(Outcome)))
        assert sums.doubled() == [f"{camera}/{ordinal}"]
    assert not sums_balance(sums)

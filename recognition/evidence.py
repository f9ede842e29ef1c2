"""What is handed over with a possible match, in buffers that are wiped when it has been sealed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import NDArray

from domain.alerts.commands import KeptMaterial
from recognition.detections import Detection
from recognition.masking import mask_bystanders, unmasked_faces
from recognition.matching import PossibleMatch
from recognition.sources import Frame
from recognition.templates import Template

Image = NDArray[np.uint8]

CROP_MARGIN = 0.35
"""Around the face, as a share of its width and height: what an officer needs to compare."""
JPEG_QUALITY = 92


@contextmanager
def material_of(
    frame: Frame,
    detection: Detection,
    template: Template,
    *,
    exceeding: Sequence[PossibleMatch],
    detect: Callable[[Image], Sequence[Detection]],
) -> Iterator[KeptMaterial]:
    """Face crop, masked wide frame, template and detail of one possible match.

    Args:
        frame: uint8 (h, w, 3) BGR with its capture time.
        detection: the face.
        template: its template, left to the caller to wipe.
        exceeding: every entry at or above the threshold with its similarity, best first.
        detect: finds faces down to a low score, so that no bystander is overlooked.
    """
    crop = _encoded(crop_of(frame.image, detection))
    wide, omitted = _wide(frame.image, detection, detect)
    detail = bytearray(
        json.dumps(
            {
                "captured_ms": frame.captured_ms,
                "box": [round(float(one), 1) for one in detection.box],
                "exceeding": [
                    {"entry": one.entry.hex, "similarity": round(one.similarity, 6)}
                    for one in exceeding
                ],
            }
        ).encode()
    )
    buffers = [crop, *([] if wide is None else [wide])]
    try:
        yield KeptMaterial(
            face_crop=crop.data,
            wide_frame=None if wide is None else wide.data,
            wide_frame_omitted=omitted,
            probe_template=template.values.data.cast("B"),
            detail=memoryview(detail),
        )
    finally:
        for buffer in buffers:
            buffer.fill(0)
        detail[:] = bytes(len(detail))


def _wide(
    image: Image, detection: Detection, detect: Callable[[Image], Sequence[Detection]]
) -> tuple[Image | None, str | None]:
    """The frame with every bystander masked, or why there is none.

    Masking is checked by looking again: if any face but the subject's is still found, the frame
    is not kept (domain specification, C-05).
    """
    others = [one.box for one in detect(image) if not _same(one, detection)]
    masked = mask_bystanders(image, detection.box, others)
    try:
        if unmasked_faces(masked, detection.box, detect):
            return None, "bystander_still_visible"
        return _encoded(masked), None
    finally:
        masked.fill(0)


def _same(one: Detection, other: Detection) -> bool:
    """Whether two detections are of one face: the centre of each lies in the other's box."""
    return all(
        a.box[0] < (b.box[0] + b.box[2]) / 2 < a.box[2]
        and a.box[1] < (b.box[1] + b.box[3]) / 2 < a.box[3]
        for a, b in ((one, other), (other, one))
    )


def crop_of(image: Image, detection: Detection) -> Image:
    """What is kept of a face: its box with a margin, as a view of the frame."""
    height, width = image.shape[:2]
    left, top, right, bottom = detection.box
    across, down = (right - left) * CROP_MARGIN, (bottom - top) * CROP_MARGIN
    return image[
        max(0, int(top - down)) : min(height, int(bottom + down) + 1),
        max(0, int(left - across)) : min(width, int(right + across) + 1),
    ]


def _encoded(image: Image) -> Image:
    """JPEG, uint8 (n,)."""
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"expected an image that can be encoded, found shape {image.shape}")
    return np.asarray(encoded, dtype=np.uint8).reshape(-1)

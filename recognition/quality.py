"""Is this face good enough to be compared, and if not, why not?

A face that is not good enough is not embedded: the record then says ``FaceNotEnrolled`` with one
of six reasons. The words are those of face image quality (ISO/IEC 29794-5); the measures are
simpler than that standard's, because every face of every frame is measured.

What is measured, all from the detector's box and five landmarks and one small grey patch:

* resolution: pixels between the eyes;
* occlusion: the part of the box that lies beyond the frame's edge;
* light: mean and standard deviation of the brightness;
* pose: yaw, pitch and roll, estimated from where the nose stands between eyes and mouth. Roughly
  degrees: good enough to tell a profile from a frontal face, not to measure an angle;
* blur: variance of the Laplacian over the variance of the brightness, on a patch of fixed size,
  so that neither the face's size nor the lighting moves it much.

The limits of brightness are wide on purpose. Dark skin in ordinary light is darker than light skin,
and a narrow limit would refuse faces by their colour; only pictures without detail are refused.
Whoever narrows them must compare the refusals between groups of people first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.detections import Detection

PATCH_PX = 64
"""Side of the grey patch. A box of a face with 10 px between the eyes is enlarged twofold."""

ENOUGH_EYE_PX = 36.0
"""More is thrown away: the recogniser's input (112 x 112) has 35.2 px between the eyes."""

_NOSE_DEPTH = 0.42
"""How far the nose stands out, in distances between the eyes: turns an offset into an angle."""
_NOSE_HEIGHT = 0.53
"""Where the nose of a level face stands on the way from the eyes to the mouth."""
_NOSE_DEPTH_OVER_HEIGHT = 0.36
"""How far it stands out, in distances between the eyes and the mouth."""


class Reason(StrEnum):
    """Why a face was not good enough, in the order in which reasons are reported.

    Where several hold, the first is reported: one that makes the later measures meaningless comes
    before them. Blur cannot be judged in the dark, nor anything on too few pixels.
    """

    RESOLUTION = "resolution"
    OCCLUSION = "occlusion"
    LIGHT = "light"
    POSE = "pose"
    BLUR = "blur"
    OTHER = "other"
    """The detector or the recogniser was unsure, and nothing measured says why."""


@dataclass(frozen=True, kw_only=True)
class Gates:
    """The limits that a face must keep. A limit itself is still good enough."""

    inter_eye_px: float
    beyond_frame: float
    """The part of the box's area that may lie outside the frame, 0 to 1."""
    darkest: float
    """Mean brightness, 0 to 255."""
    brightest: float
    contrast: float
    """Standard deviation of the brightness, 0 to 127.5."""
    yaw: float
    """Degrees to either side."""
    pitch: float
    roll: float
    sharpness: float
    detector_score: float
    """0 to 1."""
    embedding_norm: float
    """Length of the embedding before it is made 1. Depends on the model: 0 for one not measured."""


PROBE_GATES = Gates(
    inter_eye_px=10,
    beyond_frame=0.2,
    darkest=25,
    brightest=240,
    contrast=6,
    yaw=65,
    pitch=45,
    roll=45,
    sharpness=0.02,
    detector_score=0.6,
    embedding_norm=6.5,
)
"""For faces that a camera sees.

At 10 px between the eyes every one of 2,565 pairs of photographs still matched, at 8 px 76 %. The
rest is a starting point: of 12 faces in three photographs none was refused for its blur until a
Gaussian of 4 px was laid over 45 px between the eyes. The norm is that of SFace.
"""

REFERENCE_GATES = Gates(
    inter_eye_px=32,
    beyond_frame=0.1,
    darkest=50,
    brightest=220,
    contrast=15,
    yaw=30,
    pitch=30,
    roll=30,
    sharpness=0.05,
    detector_score=0.8,
    embedding_norm=8.5,
)
"""For reference images, which are compared with every face: stricter in everything."""


@dataclass(frozen=True)
class Quality:
    """What was measured on one face."""

    score: float
    """0 to 1: the product of its parts, to rank faces and weigh them. 1 is as good as is of use."""
    reason: Reason | None
    """Why it is not good enough; None if it is."""
    inter_eye_px: float
    beyond_frame: float
    """The part of the box's area outside the frame, 0 to 1."""
    brightness: float
    """Mean, 0 to 255."""
    contrast: float
    """Standard deviation of the brightness."""
    yaw: float
    """Roughly degrees; positive: the nose stands right of the middle, as seen in the picture."""
    pitch: float
    """Roughly degrees; positive: the nose stands high, the face looks up."""
    roll: float
    """Degrees; positive: turned clockwise, as seen in the picture."""
    sharpness: float
    """Variance of the Laplacian over the variance of the brightness; 0 for a patch without any."""


def assess(image_bgr: NDArray[np.uint8], detection: Detection, gates: Gates) -> Quality:
    """Measure one face and hold it against the limits.

    Args:
        image_bgr: uint8, shape (h, w, 3), BGR: the frame in which the face was detected.
        detection: in pixels of that frame.
        gates: the limits.
    """
    inter_eye_px, yaw, pitch, roll = _pose(detection.landmarks)
    x1, y1, x2, y2, beyond_frame = _inside(detection, *image_bgr.shape[:2])
    brightness, contrast, sharpness = _patch(image_bgr[y1:y2, x1:x2])
    broken = (
        (Reason.RESOLUTION, inter_eye_px < gates.inter_eye_px),
        (Reason.OCCLUSION, beyond_frame > gates.beyond_frame),
        (Reason.LIGHT, not gates.darkest <= brightness <= gates.brightest),
        (Reason.LIGHT, contrast < gates.contrast),
        (Reason.POSE, abs(yaw) > gates.yaw or abs(pitch) > gates.pitch or abs(roll) > gates.roll),
        (Reason.BLUR, sharpness < gates.sharpness),
        (Reason.OTHER, detection.score < gates.detector_score),
    )
    score = (
        min(1.0, inter_eye_px / ENOUGH_EYE_PX)
        * (1.0 - beyond_frame)
        * math.cos(math.radians(yaw))
        * math.cos(math.radians(pitch))
        * min(1.0, sharpness / REFERENCE_GATES.sharpness)
        * min(1.0, contrast / REFERENCE_GATES.contrast)
        * min(1.0, max(0.0, detection.score))
    )
    return Quality(
        score=score,
        reason=next((reason for reason, is_broken in broken if is_broken), None),
        inter_eye_px=inter_eye_px,
        beyond_frame=beyond_frame,
        brightness=brightness,
        contrast=contrast,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        sharpness=sharpness,
    )


def norm_reason(norm: float, gates: Gates) -> Reason | None:
    """Why a face is not good enough after it was embedded; None if it is.

    The norm falls with everything that makes a face hard to recognise, and does not say which.

    Args:
        norm: length of the embedding before it is made 1. NaN is not good enough.
        gates: the limits.
    """
    return None if norm >= gates.embedding_norm else Reason.OTHER


def _pose(landmarks: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Pixels between the eyes, then yaw, pitch and roll in degrees.

    The nose is measured along the line of the eyes and across it, from the middle between them.
    Example: eyes at (0, 0) and (40, 0), mouth at y = 40. A nose at (20, 21.2) is frontal: it stands
    in the middle, and 0.53 of the way down. At (30, 21.2) it is 0.25 distances between the eyes
    off: a yaw of atan(0.25 / 0.42), 31 degrees.
    """
    (lx, ly), (rx, ry), (nx, ny), (ax, ay), (bx, by) = landmarks.tolist()
    ex, ey = rx - lx, ry - ly
    inter_eye = math.hypot(ex, ey)
    if inter_eye == 0:
        return 0.0, 90.0, 90.0, 0.0
    ux, uy = ex / inter_eye, ey / inter_eye
    mx, my = (lx + rx) / 2, (ly + ry) / 2
    nose_along = (nx - mx) * ux + (ny - my) * uy
    nose_down = -(nx - mx) * uy + (ny - my) * ux
    mouth_down = -((ax + bx) / 2 - mx) * uy + ((ay + by) / 2 - my) * ux
    yaw = math.atan2(nose_along, inter_eye * _NOSE_DEPTH)
    if mouth_down <= 0:
        return inter_eye, math.degrees(yaw), 90.0, math.degrees(math.atan2(ey, ex))
    raised = _NOSE_HEIGHT - nose_down / mouth_down
    pitch = math.atan(raised / _NOSE_DEPTH_OVER_HEIGHT)
    return inter_eye, math.degrees(yaw), math.degrees(pitch), math.degrees(math.atan2(ey, ex))


def _inside(detection: Detection, height: int, width: int) -> tuple[int, int, int, int, float]:
    """The box's whole pixels within the frame, and the part of its area beyond it."""
    x1, y1, x2, y2 = detection.box
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if x1 >= x2 or y1 >= y2:
        return 0, 0, 0, 0, 1.0
    beyond = 1 - (x2 - x1) * (y2 - y1) / (detection.width * detection.height)
    return math.floor(x1), math.floor(y1), math.ceil(x2), math.ceil(y2), max(0.0, beyond)


def _patch(face_bgr: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Mean brightness, contrast and sharpness of a patch; zeros if it has no pixel."""
    if face_bgr.size == 0:
        return 0.0, 0.0, 0.0
    grey = cv2.cvtColor(face_bgr, cv2.COLOR_BGR2GRAY)
    grey = cv2.resize(grey, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA)
    mean, deviation = cv2.meanStdDev(grey)
    _, edges = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    contrast = float(deviation[0, 0])
    sharpness = (float(edges[0, 0]) / contrast) ** 2 if contrast > 0 else 0.0
    return float(mean[0, 0]), contrast, sharpness

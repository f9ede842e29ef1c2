"""Reference photographs: read safely, looked at, and refused with a reason where unfit.

A reference is compared with every face that passes, so it is held to stricter gates than a probe.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from domain.kernel.errors import DomainError
from recognition.detections import Detection
from recognition.quality import REFERENCE_GATES, assess

Image = NDArray[np.uint8]

MOST_PIXELS = 60_000_000
"""A larger picture is refused before it is decoded: a few bytes may unpack to gigabytes."""
LONG_SIDE = 1280
"""Larger photographs are shrunk to this before faces are looked for."""
LEAST_SCORE = 0.7
"""Of the detector, below which a face is taken for a ghost: neither the one face nor a second."""

_FORMATS = ("JPEG", "PNG")
"""Nothing else is tried: every further decoder is one more that a hostile file can choose."""
_UNREADABLE = "expected a whole JPEG or PNG photograph, found something else"


class ReferenceUnfitError(DomainError):
    """A photograph that cannot be a reference."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, eq=False)
class Reference:
    """A photograph with the one face in it."""

    image: Image
    """uint8, shape (h, w, 3), BGR, upright, long side at most 1280."""
    detection: Detection
    unfit: str | None
    """The quality reason for which it may not be enrolled, or ``None``."""


class ReferenceReader:
    """Reads photographs and finds the one face in each.

    Args:
        detect: finds faces in uint8 (h, w, 3) BGR.
    """

    def __init__(self, detect: Callable[[Image], Sequence[Detection]]) -> None:
        self._detect = detect

    def examine(self, photograph: bytes) -> Reference:
        """The face in a photograph.

        Raises:
            ReferenceUnfitError: ``image_unreadable``, ``image_too_large``, ``no_face`` or
                ``two_faces``.
        """
        image = read_image(photograph)
        faces = [one for one in self._detect(image) if one.score >= LEAST_SCORE]
        if not faces:
            raise ReferenceUnfitError("no_face", "expected one face, found none")
        if len(faces) > 1:
            raise ReferenceUnfitError("two_faces", f"expected one face, found {len(faces)}")
        reason = assess(image, faces[0], REFERENCE_GATES).reason
        return Reference(image, faces[0], None if reason is None else reason.value)


def read_image(photograph: bytes) -> Image:
    """Decode a photograph, turn it upright as its camera noted, and shrink it if it is large.

    Returns:
        uint8, shape (h, w, 3), BGR, upright, long side at most 1280; a smaller one is not enlarged.

    Raises:
        ReferenceUnfitError: ``image_unreadable`` or ``image_too_large``.
    """
    try:
        _require_whole(photograph)
    except Pillow.DecompressionBombError as error:
        # Pillow's own limit lies above ours and speaks first.
        raise ReferenceUnfitError(
            "image_too_large", f"expected at most {MOST_PIXELS} pixels, found more"
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ReferenceUnfitError("image_unreadable", _UNREADABLE) from error
    image = cv2.imdecode(np.frombuffer(photograph, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ReferenceUnfitError("image_unreadable", _UNREADABLE)
    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    if scale < 1:
        # At least one pixel: a line of pixels is no photograph, but it may not end in a crash.
        smaller = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, smaller, interpolation=cv2.INTER_AREA)
    return np.asarray(image, dtype=np.uint8)


def _require_whole(photograph: bytes) -> None:
    """Decode it once with a decoder that notices a cut; OpenCV would fill the rest with grey.

    Cameras write EXIF that Pillow warns of: no reason to refuse a photograph, and nobody's to read.
    Its warning of a large picture is not needed either, as our own limit is lower.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Pillow.open(io.BytesIO(photograph), formats=_FORMATS) as header:
            width, height = header.size
            if width * height > MOST_PIXELS:
                raise ReferenceUnfitError(
                    "image_too_large",
                    f"expected at most {MOST_PIXELS} pixels, found {width} x {height}",
                )
            header.load()

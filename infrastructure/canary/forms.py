"""The forms in which a template or a picture of a face would lie about, if it were left behind.

A compressed, encrypted or otherwise transformed copy looks like none of these: that is said where
the result is told.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

TEMPLATE, PICTURE, TEXT = "template", "picture", "text"

TEMPLATE_FORMS = ("float32", "float64", "float16", "int8", "base64", "hex", "json")
PICTURE_FORMS = ("pixels", "jpeg", "png")

LEAST = 16
"""Bytes in one piece that count as found; of pixels, where neighbours are alike, 48."""
_LEAST_PIXELS = 48
_LEAST = {"base64": 24, "hex": 32, "json": 40}
"""As text, more are needed for as much: two numbers of a list."""

_JPEG_QUALITY = 92
"""That of the pictures of a possible match (``recognition.evidence``)."""
_WINDOW, _WINDOWS = 96, 40
"""A picture is looked for by so many pieces of so many bytes, spread over it."""
_FEWEST_SHADES = 24
"""Different bytes in a piece of pixels: a plain background is like any other."""


@dataclass(frozen=True)
class Fragment:
    """Bytes of which no piece may be found anywhere."""

    subject: int
    """Whose: from 0, in the order in which they were told; controls have negative numbers."""
    content: str
    """``template``, ``picture`` or ``text``."""
    form: str
    bytes_: bytes
    least: int = LEAST


def of_template(subject: int, values: NDArray[np.float32]) -> list[Fragment]:
    """A template in every form in which programs write such numbers down.

    Args:
        subject: whose.
        values: float32, shape (d,), not all zero.
    """
    return [
        Fragment(subject, TEMPLATE, form, bytes_, _LEAST.get(form, LEAST))
        for form, those in _template_forms(values).items()
        for bytes_ in those
    ]


def _template_forms(values: NDArray[np.float32]) -> dict[str, list[bytes]]:
    raw = values.astype("<f4").tobytes()
    coded = [base64.b64encode(raw[start:]) for start in range(3)]
    peak = float(np.abs(values).max())
    return {
        "float32": [raw, values.astype(">f4").tobytes()],
        "float64": [values.astype("<f8").tobytes()],
        "float16": [values.astype("<f2").tobytes()],
        "int8": [np.rint(values * scale).astype(np.int8).tobytes() for scale in (127, 127 / peak)],
        "base64": [*coded, *(one.translate(_URL_SAFE) for one in coded)],
        "hex": [raw.hex().encode(), raw.hex().upper().encode()],
        "json": [json.dumps(values.tolist()).encode()],
    }


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def of_picture(subject: int, pixels: NDArray[np.uint8]) -> list[Fragment]:
    """A picture as rows of pixels, and encoded as this program encodes pictures.

    Args:
        subject: whose.
        pixels: uint8, shape (h, w, 3), BGR.

    Raises:
        ValueError: it is too small or too plain to be told from others in some form.
    """
    jpeg = _encoded(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    rows = [*_spread(pixels.tobytes()), *_spread(pixels[..., ::-1].tobytes())]
    fragments = [
        *(
            Fragment(subject, PICTURE, "pixels", one, _LEAST_PIXELS)
            for one in rows
            if len(set(one)) >= _FEWEST_SHADES
        ),
        *(Fragment(subject, PICTURE, "jpeg", one) for one in _spread(_scan(jpeg))),
        *(Fragment(subject, PICTURE, "png", one) for one in _spread(_encoded(".png", pixels, []))),
    ]
    if {one.form for one in fragments} != set(PICTURE_FORMS):
        raise ValueError(f"a picture of shape {pixels.shape} is too small or plain to be found")
    return fragments


def plant_of(fragments: Iterable[Fragment]) -> bytes:
    """Everything that a search has to find, behind one another as a careless program would."""
    # 7: nothing lies at a place that is a multiple of a word
    return b"\0" * 7 + b"\0\0\0".join(one.bytes_ for one in fragments)


def _encoded(kind: str, pixels: NDArray[np.uint8], options: list[int]) -> bytes:
    done, encoded = cv2.imencode(kind, pixels, options)
    if not done:
        raise ValueError(f"expected a picture that can be encoded, found shape {pixels.shape}")
    return encoded.tobytes()


def _scan(jpeg: bytes) -> bytes:
    """A JPEG without its tables, which every picture of one encoder shares."""
    return jpeg[jpeg.index(b"\xff\xda") + 14 :]


def _spread(bytes_: bytes) -> Iterator[bytes]:
    """Pieces from all over it."""
    step = max(1, len(bytes_) // (_WINDOWS + 1))
    # the beginning is left out: headers are alike
    for start in range(step, len(bytes_) - _WINDOW, step):
        yield bytes_[start : start + _WINDOW]

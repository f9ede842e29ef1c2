"""Finding pieces of templates and pictures: every form, every place in a word, and nothing else."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from infrastructure.canary.forms import (
    PICTURE_FORMS,
    TEMPLATE_FORMS,
    TEXT,
    Fragment,
    of_picture,
    of_template,
    plant_of,
)
from infrastructure.canary.sieve import GRID, Sieve, worth_looking_for

RANDOM = np.random.default_rng(20261123)


def a_template(dimension: int = 128) -> NDArray[np.float32]:
    values = RANDOM.normal(size=dimension).astype(np.float32)
    return values / np.linalg.norm(values)


def a_picture(side: int = 112) -> NDArray[np.uint8]:
    noise = RANDOM.integers(0, 256, (side, side, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (5, 5), 0), np.uint8)


TEMPLATE, OTHER = a_template(), a_template()
PIXELS, OTHER_PIXELS = a_picture(), a_picture()
FRAGMENTS = [*of_template(0, TEMPLATE), *of_picture(0, PIXELS)]
SIEVE = Sieve(FRAGMENTS)
NOISE = RANDOM.integers(0, 256, 1 << 16, dtype=np.uint8).tobytes()


def forms_in(data: bytes) -> set[str]:
    """In which forms something was found."""
    return {FRAGMENTS[one].form for one in SIEVE.found_in(data)}


@pytest.mark.parametrize("form", [*TEMPLATE_FORMS, *PICTURE_FORMS])
@pytest.mark.parametrize("before", range(GRID))
def test_every_form_is_found_wherever_it_begins(form: str, before: int) -> None:
    alone = plant_of(one for one in FRAGMENTS if one.form == form)
    assert forms_in(NOISE[: 1000 + before] + alone + NOISE[:333]) == {form}


@pytest.mark.parametrize("fragment", FRAGMENTS[:14], ids=lambda one: one.form)
def test_a_piece_as_short_as_is_promised_is_enough_wherever_it_was_cut(fragment: Fragment) -> None:
    for start in range(min(64, len(fragment.bytes_) - fragment.least)):
        piece = fragment.bytes_[start : start + fragment.least]
        if worth_looking_for(piece):
            assert fragment.form in forms_in(NOISE[:13] + piece + NOISE[:77])


@pytest.mark.parametrize("fragment", FRAGMENTS[:14], ids=lambda one: one.form)
def test_a_shorter_piece_is_nobody_s(fragment: Fragment) -> None:
    piece = fragment.bytes_[5 : 5 + fragment.least - 1]
    assert fragment.form not in forms_in(b"\0" * 16 + piece + b"\0" * 64)


def test_the_templates_and_pictures_of_others_are_not_taken_for_it() -> None:
    others = plant_of([*of_template(1, OTHER), *of_picture(1, OTHER_PIXELS)])
    assert SIEVE.found_in(others + NOISE) == set()


def test_one_changed_byte_in_each_piece_hides_it() -> None:
    """So that a find is a find: nothing that only resembles a template is called one."""
    raw = bytearray(TEMPLATE.astype("<f4").tobytes())
    for at in range(0, len(raw), 8):
        raw[at] ^= 0x55
    assert "float32" not in forms_in(bytes(raw))


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (lambda: TEMPLATE.tobytes(), "float32"),
        (lambda: TEMPLATE.astype(">f4").tobytes(), "float32"),
        (lambda: TEMPLATE.astype(float).tobytes(), "float64"),
        (lambda: json.dumps({"template": TEMPLATE.tolist()}).encode(), "json"),
        (lambda: b"x" + TEMPLATE.tobytes().hex().encode(), "hex"),
        (lambda: cv2.imencode(".png", PIXELS)[1].tobytes(), "png"),
        (lambda: cv2.imencode(".jpg", PIXELS, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes(), "jpeg"),
        (lambda: PIXELS[10:60].tobytes(), "pixels"),
        (lambda: cv2.cvtColor(PIXELS, cv2.COLOR_BGR2RGB).tobytes(), "pixels"),
    ],
)
def test_what_programs_really_write_is_found(written: object, form: str) -> None:
    assert callable(written)
    assert form in forms_in(NOISE[:101] + written() + NOISE[:64])


def test_empty_memory_is_empty() -> None:
    assert SIEVE.found_in(bytes(1 << 20)) == set()
    assert SIEVE.found_in(b"") == set()
    assert SIEVE.found_in(b"\1\2\3") == set()


def test_what_could_never_be_found_is_not_looked_for_quietly() -> None:
    plain = Fragment(0, TEXT, TEXT, b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    with pytest.raises(ValueError, match="nothing of what is sought as text"):
        Sieve([*FRAGMENTS, plain])
    assert not worth_looking_for(plain.bytes_)
    with pytest.raises(ValueError, match="could be found"):
        Sieve([Fragment(0, TEXT, TEXT, NOISE[:64], least=GRID)])


def test_a_picture_too_plain_to_be_told_from_others_is_refused() -> None:
    with pytest.raises(ValueError, match="too small or plain"):
        of_picture(0, np.full((64, 64, 3), 200, np.uint8))
    with pytest.raises(ValueError, match="too small or plain"):
        of_picture(0, a_picture(4))

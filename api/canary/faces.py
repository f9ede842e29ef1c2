"""Faces that nobody has: drawn from numbers, good enough for a detector to take them for faces.

No photograph takes part, so a canary needs no network and shows nobody. Each call draws with fresh
noise: what is looked for after one run cannot be left over from another.
"""

from __future__ import annotations

import csv
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from domain.watchlists.listing import COLUMNS

Image = NDArray[np.uint8]
"""uint8, shape (h, w, 3), BGR."""

LISTED = 3
"""Which face is on the list."""
PASSING = (0, 7, 4)
"""Faces that are on no list. The default model finds each less like the listed one's photograph
than 0.77, and the listed one, as the video shows it, more than 0.83."""
THRESHOLD = "0.80"
"""Between the two."""

SIDE = 320
"""Pixels of a drawn face's picture, in both directions."""
_WIDTH, _HEIGHT = 960, 540
_SHOWN = 220
"""Pixels of each in the video."""
_FRAMES_PER_SECOND = 25
_FRAMES = 60


@dataclass(frozen=True)
class Staged:
    """What a rehearsal takes: a list of one and a video of four."""

    csv: Path
    images: Path
    video: Path


def staged(folder: Path, *, today: date) -> Staged:
    """Have the faces drawn, and list, photograph and video written into a folder.

    Another process draws: this one's memory is to hold of them what a run leaves, and no more.

    Args:
        folder: an existing folder.
        today: less intrusive means are said to have failed some days before.
    """
    attempted_on = today - timedelta(days=3)
    subprocess.run(
        [sys.executable, "-P", "-m", __name__, str(folder), attempted_on.isoformat()], check=True
    )
    return _in(folder)


def _in(folder: Path) -> Staged:
    return Staged(folder / "list.csv", folder / "images", folder / "video.mp4")


def draw(folder: Path, attempted_on: date) -> None:
    """Draw and write, in this process."""
    random = np.random.default_rng(secrets.randbits(128))
    listing = _in(folder)
    listing.images.mkdir()
    photograph = cv2.imencode(".png", face(LISTED, random))[1]
    (listing.images / "canary.png").write_bytes(photograph.tobytes())
    with listing.csv.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        rows.writerow(_row(attempted_on))
    _encode(_frames(random), listing.video)


def _row(attempted_on: date) -> dict[str, str]:
    return {
        "entry_ref": "canary",
        "image": "canary.png",
        "category": "W1",
        "source_system": "custody",
        "image_basis": "other-lawful",
        "necessity": "locate-wanted",
        "attempted_means": "address-check",
        "attempted_on": attempted_on.isoformat(),
        "attempted_result": "not-found",
        "nexus": "intelligence-location",
        "age_band": "18+",
        "vulnerable": "no",
        "response_code": "stop-and-speak",
    }


def _frames(random: np.random.Generator) -> Iterator[Image]:
    """Four faces side by side, each drifting a little."""
    faces = [
        cv2.resize(face(which, random), (_SHOWN, _SHOWN), interpolation=cv2.INTER_AREA)
        for which in (PASSING[0], LISTED, *PASSING[1:])
    ]
    background = random.integers(60, 130, (_HEIGHT, _WIDTH, 3), dtype=np.uint8)
    for number in range(_FRAMES):
        frame = background.copy()
        for place, one in enumerate(faces):
            left = 10 + place * (_SHOWN + 20) + number // 6
            top = 60 + 30 * place + number // 4
            frame[top : top + _SHOWN, left : left + _SHOWN] = one
        grain = random.normal(0, 2, frame.shape)
        yield np.clip(frame + grain, 0, 255).astype(np.uint8)


def _encode(frames: Iterator[Image], video: Path) -> None:
    with av.open(str(video), "w") as container:
        stream = container.add_stream(
            "libx264", rate=_FRAMES_PER_SECOND, options={"crf": "18", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, _FRAMES_PER_SECOND)
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def face(which: int, random: np.random.Generator) -> Image:
    """Draw one face from the front.

    Args:
        which: its features; the same number gives the same ones.
        random: for noise, which makes each picture another.

    Returns:
        Shape (320, 320, 3).
    """
    drawing = _Drawing(np.random.default_rng(which))
    drawing.head()
    drawing.eyes()
    drawing.nose()
    drawing.mouth()
    return drawing.finished(random)


_Colour = NDArray[np.float64]


class _Drawing:
    """A canvas on which soft ellipses are laid over one another; pixels of 0 to 255."""

    def __init__(self, features: np.random.Generator) -> None:
        self._features = features
        between = features.uniform
        self._skin = np.array([between(90, 170), between(120, 190), between(170, 235)])
        self._canvas: NDArray[np.float64] = np.full((SIDE, SIDE, 3), between(90, 200, 3))
        self._y, self._x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
        self._middle, self._height = SIDE / 2, 165.0
        self._wide, self._tall = between(68, 84), between(92, 108)
        self._hair = between(15, 90, 3)
        self._eyes_at = 0.0

    def head(self) -> None:
        """Shoulders, neck, hair, and a face lit from one side."""
        between, x, y = self._features.uniform, self._middle, self._height
        self._lay(x, 345, 150, 80, between(30, 150, 3))
        self._lay(x, 265, 38, 60, self._skin * 0.8)
        self._lay(x, y - 22, self._wide + 14, self._tall + 6, self._hair)
        across = np.clip(((self._x - x + 8) / self._wide) ** 2, 0, 1.2)
        down = np.clip((self._y - y) / self._tall, -1, 1)
        lit = (1 - 0.35 * across - 0.12 * down)[..., None] * self._skin
        self._lay(x, y + 8, self._wide, self._tall, lit, soft=8)
        fringe = between(26, 40)
        self._lay(x, y - self._tall + 4, self._wide * 0.95, fringe, self._hair, soft=10)

    def eyes(self) -> None:
        """Two eyes with lids and brows."""
        between = self._features.uniform
        apart = between(30, 37)
        y = self._eyes_at = self._height - 8 + between(-5, 5)
        wide, tall = between(13, 17), between(6.5, 9)
        iris, brow = between(20, 110, 3), between(3, 5)
        lifted, leaning = between(-2, 2), between(-0.1, 0.18)
        for side in (-1, 1):
            x = self._middle + side * apart
            self._lay(x, y, wide + 10, tall + 9, self._skin * 0.6, soft=14, part=0.45)
            self._lay(x, y, wide, tall, _grey(226), soft=2.5)
            self._lay(x, y, tall * 0.95, tall * 0.95, iris, soft=2)
            self._lay(x, y, tall * 0.45, tall * 0.45, _grey(10), soft=1.5)
            self._lay(x - 2, y - 2.5, 2, 2, _grey(250), soft=1)
            self._lay(x, y - tall * 0.85, wide + 1, 2.4, _grey(22), soft=2, part=0.9)
            self._lay(
                x + side, y - tall - 10 + lifted, wide + 5, brow, self._hair * 0.8,
                soft=3, turned=side * leaning,
            )  # fmt: skip

    def nose(self) -> None:
        """A ridge, a tip and two nostrils."""
        between, x, skin = self._features.uniform, self._middle, self._skin
        wide, y = between(13, 19), self._height + 34 + between(-4, 4)
        half = (self._eyes_at + y) / 2
        self._lay(x + 5, half, 7, y - half, skin * 0.55, soft=9, part=0.35)
        self._lay(x - 2, half, 4, y - half, skin * 1.25, part=0.35)
        self._lay(x, y, wide, 9, skin * 1.1, soft=8, part=0.4)
        self._lay(x, y + 8, wide, 5, skin * 0.5, soft=5, part=0.5)
        for side in (-1, 1):
            self._lay(x + side * wide * 0.5, y + 5, 4, 2.8, skin * 0.25, soft=2, part=0.9)

    def mouth(self) -> None:
        """Lips, chin and cheeks."""
        between, x, skin = self._features.uniform, self._middle, self._skin
        y, wide = self._height + 66 + between(-4, 5), between(24, 32)
        lips = np.array([between(70, 110), between(70, 110), between(150, 200)])
        self._lay(x, y - 3, wide, 5.5, lips * 0.85, soft=4)
        self._lay(x, y + 5, wide * 0.8, 6.5, lips, soft=4)
        self._lay(x, y, wide, 1.6, lips * 0.35, soft=1.8)
        self._lay(x, y + 18, wide * 0.7, 4, skin * 0.55, part=0.4)
        for side in (-1, 1):
            cheek = x + side * (self._wide - 20)
            self._lay(cheek, self._height + 30, 12, 38, skin * 0.55, soft=18, part=0.25)
            self._lay(
                x + side * wide * 1.15, y - 14, 3, 20, skin * 0.5, part=0.35, turned=side * -0.35
            )

    def finished(self, random: np.random.Generator) -> Image:
        """The picture, with blotches and grain."""
        blotches = random.normal(0, 1, (40, 40)).astype(np.float32)
        skin = cv2.resize(blotches, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
        grain = random.normal(0, 4, (SIDE, SIDE))
        noisy = self._canvas + (5 * skin + grain)[..., None]
        return cast(Image, np.clip(noisy, 0, 255).astype(np.uint8))

    def _lay(
        self,
        x: float,
        y: float,
        wide: float,
        tall: float,
        colour: _Colour,
        *,
        soft: float = 6,
        part: float = 1.0,
        turned: float = 0.0,
    ) -> None:
        """Lay an ellipse over what is there.

        Args:
            x: its middle, and ``y``; pixels.
            wide: half of its width, and ``tall``.
            colour: BGR, shape (3,) or (320, 320, 3).
            soft: over how many pixels its edge fades.
            part: how much of what is below it covers, 0 to 1.
            turned: radians.
        """
        cos, sin = np.cos(turned), np.sin(turned)
        across = (self._x - x) * cos + (self._y - y) * sin
        down = (self._y - y) * cos - (self._x - x) * sin
        far = np.hypot(across / wide, down / tall)
        edge = (1 - far) * min(wide, tall) / soft + 0.5
        over = part * np.clip(edge, 0, 1)[..., None]
        self._canvas = self._canvas * (1 - over) + np.minimum(colour, 255) * over


def _grey(value: float) -> _Colour:
    return np.full(3, value)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]))

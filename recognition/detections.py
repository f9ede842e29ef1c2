"""One face found in one frame: where it is, its five landmarks and how sure the detector is.

It stands apart from the engine so that what only measures and follows faces (quality, tracking,
masking) needs no model to be installed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Detection:
    """A face as the detector reported it, in pixels of the frame it was found in.

    Two detections are equal only if they are the same object: arrays have no single answer.

    Raises:
        ValueError: a number is not finite, the box has no area, or the landmarks another shape.
    """

    box: tuple[float, float, float, float]
    """x1, y1, x2, y2; origin at the top left, y downwards. It may reach beyond the frame."""
    landmarks: NDArray[np.float32]
    """float32, shape (5, 2), (x, y): left eye, right eye, nose, left and right corner of the mouth.
    Left and right as they stand in the picture."""
    score: float
    """The detector's own score in [0, 1]. Not a probability."""

    def __post_init__(self) -> None:
        x1, y1, x2, y2 = self.box
        if not (-math.inf < x1 < x2 < math.inf and -math.inf < y1 < y2 < math.inf):
            raise ValueError(f"expected a box x1 < x2, y1 < y2 of finite pixels, found {self.box}")
        if self.landmarks.shape != (5, 2):
            raise ValueError(f"expected landmarks of shape (5, 2), found {self.landmarks.shape}")
        if not (np.isfinite(self.landmarks).all() and math.isfinite(self.score)):
            raise ValueError("expected finite landmarks and score, found one that is not")

    @property
    def width(self) -> float:
        """Of the box, pixels."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        """Of the box, pixels."""
        return self.box[3] - self.box[1]

    @property
    def centre(self) -> tuple[float, float]:
        """Of the box, (x, y) in pixels."""
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2

"""The street of the walk-past: generated, and seen by the camera that the people walk towards.

Nothing in it is a photograph, and nothing in it may look like a face to the detector.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX = 1280
HEIGHT_PX = 720

_SEED = 11
_STREET_HALF_WIDTH_M = 4.6
_END_OF_STREET_M = 70.0
_HAZE_BGR = (214, 208, 200)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that looks straight down the street.

    Source: the pinhole model; a point x metres to the right, y metres below the camera's height
    and z metres away is seen at (centre + f x / z, horizon + f y / z).
    """

    focal_px: float = 2600.0
    """A telephoto lens: a face two metres away is as large as one of a close-up."""
    height_m: float = 2.0
    horizon_px: float = 160.0
    centre_px: float = WIDTH_PX / 2


CAMERA = Camera()


def street() -> NDArray[np.uint8]:
    """The empty street, uint8, shape (720, 1280, 3), blue green red."""
    rows, columns = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX].astype(np.float32)
    right = (columns + 0.5 - CAMERA.centre_px) / CAMERA.focal_px
    down = (rows + 0.5 - CAMERA.horizon_px) / CAMERA.focal_px
    # How far away each surface is along each line of sight; the nearest one is seen.
    to_ground = CAMERA.height_m / np.maximum(down, 1e-6)
    to_wall = _STREET_HALF_WIDTH_M / np.maximum(np.abs(right), 1e-6)
    away = np.minimum(np.minimum(to_ground, to_wall), _END_OF_STREET_M)

    x, y = right * away, CAMERA.height_m - down * away
    ground = _paving(x, away)
    walls = _brickwork(away, y, lit=right > 0)
    end = _far_house(x, y)
    seen = np.where((to_ground <= to_wall)[..., None], ground, walls)
    seen = np.where((away >= _END_OF_STREET_M)[..., None], end, seen)

    haze = (1 - np.exp(-away / 90.0))[..., None]
    seen = seen * (1 - haze) + np.array(_HAZE_BGR, np.float32) * haze
    # The camera is focused on the people, not on the end of the street.
    return np.asarray(cv2.GaussianBlur(np.clip(seen, 0, 255).astype(np.uint8), (0, 0), 1.1))


def _paving(x: NDArray[np.float32], z: NDArray[np.float32]) -> NDArray[np.float32]:
    """Slabs of 0.9 by 0.6 m, each of its own grey, with joints."""
    row = np.floor(z / 0.6)
    along = x / 0.9 + 0.5 * (row % 2)
    joint = (np.abs(along % 1 - 0.5) > 0.485) | (np.abs(z / 0.6 % 1 - 0.5) > 0.47)
    grey = 128 + 16 * _noise(np.floor(along), row) + 7 * _noise(x * 60, z * 60)
    return np.where(joint, grey * 0.72, grey)[..., None] * np.array((0.97, 1.0, 1.03), np.float32)


def _brickwork(
    z: NDArray[np.float32], y: NDArray[np.float32], *, lit: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Brick fronts of houses 7 m wide, with a plinth and windows."""
    house = np.floor(z / 7.0)
    course = np.floor(y / 0.075)
    along = z / 0.225 + 0.5 * (course % 2)
    mortar = (np.abs(along % 1 - 0.5) > 0.47) | (np.abs(y / 0.075 % 1 - 0.5) > 0.42)
    tone = 1 + 0.16 * _noise(np.floor(along), course) + 0.25 * _noise(house, house * 3 + 1)
    brick = tone[..., None] * np.array((72, 88, 128), np.float32)
    brick = np.where(mortar[..., None], np.array((128, 136, 142), np.float32), brick)
    bay, storey = np.abs(z / 3.5 % 1 - 0.5), (y - 0.2) % 3.2
    window = (bay < 0.2) & (storey > 0.9) & (storey < 2.3)
    frame = (bay < 0.225) & (storey > 0.82) & (storey < 2.38)
    brick = np.where(frame[..., None], np.array((188, 194, 196), np.float32), brick)
    glass = np.array((104, 92, 78), np.float32) * (1 + 0.3 * storey[..., None] / 2.3)
    brick = np.where(window[..., None], glass, brick)
    brick = np.where((y < 0.35)[..., None], np.array((92, 94, 96), np.float32), brick)
    return brick * np.where(lit, 1.12, 0.78)[..., None].astype(np.float32)


def _far_house(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """What closes the street: a plain rendered front with rows of dark windows."""
    window = (np.abs(x / 1.6 % 1 - 0.5) < 0.22) & (y % 3.0 > 1.0) & (y % 3.0 < 2.2)
    wall = (172 + 6 * _noise(x * 8, y * 8))[..., None] * np.array((0.9, 0.97, 1.0), np.float32)
    return np.where(window[..., None], np.array((120, 112, 104), np.float32), wall)


def _noise(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """A value in [-1, 1] for each cell of a grid: the same cell always has the same."""
    table = np.random.default_rng(_SEED).uniform(-1, 1, (256, 256)).astype(np.float32)
    return np.asarray(table[a.astype(np.int64) % 256, b.astype(np.int64) % 256], np.float32)

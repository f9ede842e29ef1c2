"""The zone of recognition: the part of a camera's picture in which faces may be processed.

A zone is a simple polygon in permille of the frame's width and height, so that it means the same
at any resolution and is stored as whole numbers. A face belongs to the zone by the centre of its
box. All tests for validity are exact integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from domain.kernel.errors import DomainError

PERMILLE = 1000

Point = tuple[int, int]


class ZoneError(DomainError):
    """The points do not make a zone."""


@dataclass(frozen=True)
class Zone:
    """A polygon with at least three corners, an area, and no crossing of itself.

    Raises:
        ZoneError: it is not such a polygon.
    """

    points: tuple[Point, ...]
    """(x, y), each 0 to 1000: permille of the frame's width and height, from the top left."""

    def __post_init__(self) -> None:
        _check_corners(self.points)
        _check_shape(self.points)

    def contains(self, box: tuple[float, float, float, float], *, width: int, height: int) -> bool:
        """Whether the centre of a box lies in the zone; its border belongs to it.

        Args:
            box: x1, y1, x2, y2 in pixels.
            width: of the frame, pixels.
            height: of the frame, pixels.
        """
        x = (box[0] + box[2]) / 2 * PERMILLE / width
        y = (box[1] + box[3]) / 2 * PERMILLE / height
        inside = False
        for (ax, ay), (bx, by) in _edges(self.points):
            side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            if side == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
                return True
            # A ray to the right crosses the edge: count an end only when the other lies below.
            if (ay > y) != (by > y) and (side > 0) == (by > ay):
                inside = not inside
        return inside


def _edges(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    return list(zip(points, [*points[1:], points[0]], strict=True))


def _check_corners(points: Sequence[Point]) -> None:
    if len(points) < 3:
        raise ZoneError(f"expected a zone of at least 3 points, found {len(points)}")
    for number, (x, y) in enumerate(points, start=1):
        if type(x) is not int or type(y) is not int:
            raise ZoneError(f"expected whole numbers of permille, found ({x!r}, {y!r})")
        if not (0 <= x <= PERMILLE and 0 <= y <= PERMILLE):
            raise ZoneError(f"expected point {number} within 0 to {PERMILLE}, found ({x}, {y})")


def _check_shape(points: Sequence[Point]) -> None:
    if len(set(points)) < len(points):
        raise ZoneError("expected points that all differ, found one of them twice")
    if all(_turn(points[0], points[1], point) == 0 for point in points):
        raise ZoneError("expected a zone with an area, found its points in one line")
    for (i, first), (j, second) in combinations(enumerate(_edges(points), start=1), 2):
        next_to_each_other = j - i == 1 or j - i == len(points) - 1
        if _fold_back(first, second) if next_to_each_other else _touch(first, second):
            raise ZoneError(f"expected a zone that does not cross itself, found edges {i} and {j}")


def _turn(a: Point, b: Point, c: Point) -> int:
    """1 if a, b, c turn one way, -1 if the other, 0 if they stand in a line."""
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (area > 0) - (area < 0)


def _between(a: Point, b: Point, c: Point) -> bool:
    """Whether c, known to stand in line with a and b, lies from a to b."""
    return min(a[0], b[0]) <= c[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= c[1] <= max(a[1], b[1])


def _touch(first: tuple[Point, Point], second: tuple[Point, Point]) -> bool:
    """Whether two edges have a point in common."""
    (a, b), (c, d) = first, second
    if _turn(a, b, c) != _turn(a, b, d) and _turn(c, d, a) != _turn(c, d, b):
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(_turn(*end) == 0 and _between(*end) for end in ends)


def _fold_back(first: tuple[Point, Point], second: tuple[Point, Point]) -> bool:
    """Whether two edges that share one corner have more than that in common."""
    (corner,) = set(first) & set(second)
    (away_1,) = set(first) - {corner}
    (away_2,) = set(second) - {corner}
    if _turn(corner, away_1, away_2) != 0:
        return False
    return _between(corner, away_1, away_2) or _between(corner, away_2, away_1)

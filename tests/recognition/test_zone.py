"""The zone of recognition: which faces are inside, and which points make no zone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.zone import Zone, ZoneError

WIDTH, HEIGHT = 640, 360

WHOLE_FRAME = Zone(((0, 0), (1000, 0), (1000, 1000), (0, 1000)))
LEFT_HALF = Zone(((0, 0), (500, 0), (500, 1000), (0, 1000)))
# A pavement in the shape of an L: down the left side, then along the bottom.
AN_L = Zone(((0, 0), (300, 0), (300, 600), (1000, 600), (1000, 1000), (0, 1000)))


def a_face_at(x: float, y: float) -> tuple[float, float, float, float]:
    """A box of 20 by 30 pixels around a place given in permille of the frame."""
    cx, cy = x * WIDTH / 1000, y * HEIGHT / 1000
    return cx - 10, cy - 15, cx + 10, cy + 15


def is_in(zone: Zone, x: float, y: float) -> bool:
    return zone.contains(a_face_at(x, y), width=WIDTH, height=HEIGHT)


@pytest.mark.parametrize(
    ("zone", "x", "y", "inside"),
    [
        (LEFT_HALF, 250, 500, True),
        (LEFT_HALF, 750, 500, False),
        (AN_L, 150, 300, True),
        (AN_L, 800, 800, True),
        (AN_L, 800, 300, False),
        (AN_L, 150, 600, True),  # level with a corner: a ray through it must count once
        (WHOLE_FRAME, -1, 500, False),
        (WHOLE_FRAME, 500, 1001, False),
    ],
)
def test_a_face_belongs_to_the_zone_by_the_centre_of_its_box(zone, x, y, inside) -> None:
    assert is_in(zone, x, y) is inside


def test_a_face_whose_box_reaches_in_but_whose_centre_is_outside_is_not_in_the_zone() -> None:
    """Half a face over the line is not enough, on either side."""
    assert LEFT_HALF.contains((300, 100, 330, 140), width=WIDTH, height=HEIGHT)
    assert not LEFT_HALF.contains((311, 100, 331, 140), width=WIDTH, height=HEIGHT)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (1000, 1000), (0, 500), (500, 1000), (500, 0)])
def test_the_border_belongs_to_the_zone(x: int, y: int) -> None:
    assert is_in(WHOLE_FRAME, x, y)


def test_the_same_zone_holds_the_same_part_of_the_picture_at_any_resolution() -> None:
    for scale in (1, 2, 3.5):
        box = tuple(edge * scale for edge in a_face_at(499, 500))
        size = {"width": int(WIDTH * scale), "height": int(HEIGHT * scale)}
        assert LEFT_HALF.contains(box, **size)


@given(st.integers(1, 999), st.integers(1, 999), st.booleans())
def test_the_direction_in_which_the_corners_are_named_does_not_matter(x, y, mirrored) -> None:
    """The L, named backwards or from another corner, holds exactly the same places."""
    points = AN_L.points[::-1] if mirrored else AN_L.points[2:] + AN_L.points[:2]
    in_an_l = x <= 300 or y >= 600
    assert is_in(Zone(points), x, y) is is_in(AN_L, x, y) is in_an_l


@pytest.mark.parametrize(
    ("points", "told"),
    [
        ((), "at least 3 points, found 0"),
        (((0, 0), (1000, 1000)), "at least 3 points, found 2"),
        (((0, 0), (1001, 0), (0, 1000)), r"point 2 within 0 to 1000, found \(1001, 0\)"),
        (((0, -1), (1000, 0), (0, 1000)), r"point 1 within 0 to 1000, found \(0, -1\)"),
        (((0, 0), (0.5, 0), (0, 1000)), "whole numbers of permille"),
        (((0, 0), (True, 0), (0, 1000)), "whole numbers of permille"),
        (((0, 0), (1000, 0), (0, 0)), "all differ"),
        (((0, 0), (500, 500), (1000, 1000)), "with an area"),
        (((0, 0), (500, 500), (1000, 1000), (250, 250)), "with an area"),
        # a bow tie, a spike, a corner that touches another edge
        (((0, 0), (1000, 1000), (1000, 0), (0, 1000)), "cross itself, found edges 1 and 3"),
        (((0, 0), (1000, 0), (400, 0), (400, 900)), "cross itself, found edges 1 and 2"),
        (((0, 0), (1000, 0), (500, 900), (500, 0), (0, 900)), "cross itself, found edges 1 and 3"),
    ],
)
def test_points_that_make_no_zone_are_refused(points, told: str) -> None:
    """The message says what was expected and which point or edges are wrong."""
    with pytest.raises(ZoneError, match=told):
        Zone(points)

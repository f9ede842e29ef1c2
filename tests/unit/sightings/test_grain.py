"""How finely the face of a passer-by may be timed."""

import pytest

from domain.kernel.time import Grain
from domain.sightings.policies import grain_for


@pytest.mark.parametrize(
    ("faces", "grain"),
    [(0, Grain.MINUTE), (9, Grain.MINUTE), (10, Grain.SECOND), (300, Grain.SECOND)],
)
def test_a_face_is_timed_to_the_second_only_where_ten_a_minute_pass(
    faces: int, grain: Grain
) -> None:
    """At a quiet time the second, read together with footage, would point at one person."""
    assert grain_for(faces) is grain

"""Time as the record keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernel.errors import DomainError
from domain.kernel.time import Grain, milliseconds, read, utc, written

AT = datetime(2026, 11, 23, 9, 30, 17, 123_456, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.builds(
    lambda span, zone: (datetime(1980, 1, 1, tzinfo=UTC) + span).astimezone(zone),
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=80_000)),
    ZONES,
)


@pytest.mark.parametrize(
    ("grain", "expected"),
    [
        (Grain.MILLISECOND, datetime(2026, 11, 23, 9, 30, 17, 123_000, tzinfo=UTC)),
        (Grain.SECOND, datetime(2026, 11, 23, 9, 30, 17, tzinfo=UTC)),
        (Grain.MINUTE, datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_grain_rounds_down(grain: Grain, expected: datetime) -> None:
    """Never up: nothing is told as later than it was."""
    assert grain.floor(AT) == expected


@pytest.mark.parametrize("grain", Grain)
def test_a_local_time_is_refused(grain: Grain) -> None:
    """09:30 without its zone is no instant."""
    with pytest.raises(DomainError, match="without one"):
        grain.floor(AT.replace(tzinfo=None))
    with pytest.raises(DomainError, match="2026-11-23T09:30:17"):
        utc(AT.replace(tzinfo=None))


def test_a_time_of_another_zone_is_the_same_instant_in_utc() -> None:
    """An hour ahead of UTC, half past ten is half past nine."""
    ahead = datetime(2026, 11, 23, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    assert utc(ahead) == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert written(ahead) == "2026-11-23T09:30:00.000Z"


@settings(max_examples=100, deadline=None)
@given(INSTANTS)
def test_what_was_written_reads_back(at: datetime) -> None:
    """To the millisecond, in UTC, whatever zone it came in."""
    assert read(written(at)) == utc(at)
    assert read(written(at)).utcoffset() == timedelta(0)
    assert timedelta(0) <= at - utc(at) < timedelta(milliseconds=1)


@settings(max_examples=100, deadline=None)
@given(INSTANTS, st.sampled_from(Grain))
def test_rounding_down_twice_is_rounding_down_once(at: datetime, grain: Grain) -> None:
    """And never moves a time by a whole grain."""
    longest = {Grain.MILLISECOND: 0.001, Grain.SECOND: 1, Grain.MINUTE: 60}[grain]
    floored = grain.floor(at)
    assert grain.floor(floored) == floored
    assert 0 <= (at - floored).total_seconds() < longest


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (timedelta(0), 0),
        (timedelta(microseconds=1), 1),
        (timedelta(milliseconds=1), 1),
        (timedelta(milliseconds=1, microseconds=1), 2),
        (timedelta(seconds=2), 2000),
    ],
)
def test_a_short_span_is_never_shown_as_nothing(span: timedelta, expected: int) -> None:
    """The life of a template is rounded up."""
    assert milliseconds(span) == expected

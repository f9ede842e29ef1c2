"""The wall clock is believed as long as it keeps pace with the monotonic clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Self

import pytest

from infrastructure.clock import SystemClock

START = datetime(2026, 11, 23, 9, 30, 0, 123_987, tzinfo=UTC)


class Wall(datetime):
    """A wall clock that a test sets."""

    shown = START

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """The time that was set, in the zone that was asked for."""
        assert tz is not None
        at = cls.shown.astimezone(tz)
        return cls(at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond, tz)


class Clocks:
    """Both of a machine's clocks, set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monotonic = 1000.0
        monkeypatch.setattr(Wall, "shown", START)
        monkeypatch.setattr("infrastructure.clock.datetime", Wall)
        monkeypatch.setattr(
            "infrastructure.clock.time",
            SimpleNamespace(CLOCK_BOOTTIME=7, clock_gettime=lambda which: self.monotonic),
        )

    def pass_by(self, span: timedelta) -> None:
        """Both go on."""
        self.monotonic += span.total_seconds()
        Wall.shown += span

    def set_wall(self, span: timedelta) -> None:
        """Somebody sets the wall clock."""
        Wall.shown += span


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    """The clocks of the machine."""
    return Clocks(monkeypatch)


def test_the_time_is_utc_in_whole_milliseconds(clocks: Clocks) -> None:
    """Rounded down: nothing is recorded before it happened."""
    now = SystemClock().now()
    assert now == START.replace(microsecond=123_000)
    assert now.tzinfo is UTC


def test_a_clock_that_runs_is_believed(clocks: Clocks) -> None:
    """For as long as it runs."""
    clock = SystemClock()
    assert clock.trusted()
    clocks.pass_by(timedelta(days=40))
    assert clock.trusted()


@pytest.mark.parametrize("direction", [1, -1])
def test_a_clock_that_was_set_by_more_than_five_minutes_is_suspect(
    clocks: Clocks, direction: int
) -> None:
    """Forward or back; up to five minutes are a correction."""
    clock = SystemClock()
    clocks.pass_by(timedelta(hours=1))
    clocks.set_wall(direction * timedelta(minutes=5))
    assert clock.trusted()
    clocks.set_wall(direction * timedelta(milliseconds=1))
    assert not clock.trusted()
    clocks.pass_by(timedelta(days=1))
    assert not clock.trusted()


def test_small_steps_add_up(clocks: Clocks) -> None:
    """Ten corrections of a minute each are as suspect as one of ten minutes."""
    clock = SystemClock()
    believed = []
    for _ in range(10):
        clocks.pass_by(timedelta(minutes=30))
        clocks.set_wall(timedelta(minutes=1))
        believed.append(clock.trusted())
    assert believed == [True] * 5 + [False] * 5

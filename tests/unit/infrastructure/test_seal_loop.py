"""A record that is written to is sealed in time, and a sealing that fails stops nobody."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from domain.kernel.errors import RecordBrokenError
from infrastructure.seal.sealing import SealingLoop, SealingPolicy
from infrastructure.seal.signing import SealError
from tests.support.stores import SetClock


class Log:
    """A log that can be sealed, or not; each sealing adds an entry of its own."""

    def __init__(self) -> None:
        self.size = 5
        self.sealed: list[int] = []
        self.fails: Exception | None = None
        self.told: list[str] = []
        self.clock = SetClock()
        self.signed = threading.Event()
        self.loop = SealingLoop(
            self.seal,
            clock=self.clock,
            policy=SealingPolicy(entries=10, seconds=60),
            sealed=self.size,
            on_trouble=self.told.append,
        )

    def seal(self) -> int:
        """Sign, as :meth:`Node.seal` does."""
        if self.fails is not None:
            raise self.fails
        self.grow(1)
        self.sealed.append(self.size)
        self.signed.set()
        return self.size

    def grow(self, entries: int) -> None:
        """Store entries; the loop is told as after any COMMIT."""
        self.size += entries
        self.loop.committed(self.size)

    def later(self, seconds: float) -> None:
        """Move the clock."""
        self.clock.at += timedelta(seconds=seconds)


@pytest.fixture
def log() -> Log:
    """A log of five entries, all signed."""
    return Log()


def test_nothing_is_sealed_while_nothing_is_new(log: Log) -> None:
    """However long it takes."""
    log.later(10_000)
    assert log.loop.turn() and log.sealed == []
    assert log.loop.wait_s() is None


def test_it_seals_after_so_many_entries(log: Log) -> None:
    """At once then, and not again for the entry that the sealing itself added."""
    log.grow(9)
    assert log.loop.turn() and log.sealed == []
    log.grow(1)
    assert log.loop.turn() and log.sealed == [16]
    log.later(10_000)
    assert log.loop.turn() and log.sealed == [16]


def test_it_seals_after_so_long(log: Log) -> None:
    """From the oldest entry that is not signed."""
    log.grow(1)
    assert log.loop.wait_s() == 60
    log.later(59)
    log.grow(1)
    assert log.loop.turn() and log.sealed == []
    assert log.loop.wait_s() == 1
    log.later(1)
    assert log.loop.turn() and log.sealed == [8]
    log.grow(1)
    assert log.loop.wait_s() == 60


def test_a_clock_that_was_set_back_does_not_put_a_sealing_off(log: Log) -> None:
    """Whether it matters is for the sealer to say."""
    log.grow(1)
    log.later(-1)
    assert log.loop.turn() and log.sealed == [7]


def test_a_sealing_that_fails_is_told_and_tried_again_later(log: Log) -> None:
    """Not in a circle, and the writer notices nothing."""
    log.fails = SealError("no room")
    log.grow(10)
    assert log.loop.turn() and log.told == ["the log could not be sealed: no room"]
    assert log.loop.turn() and len(log.told) == 1
    log.grow(9)
    assert log.loop.turn() and len(log.told) == 1
    log.later(60)
    log.fails = None
    assert log.loop.turn() and log.sealed == [25]


def test_a_record_that_contradicts_itself_ends_the_loop(log: Log) -> None:
    """With an alarm."""
    log.fails = RecordBrokenError("it shrank")
    log.grow(10)
    assert not log.loop.turn()
    assert log.told == ["STOP: it shrank"]


def test_in_a_thread_of_its_own_it_seals_what_is_committed(log: Log) -> None:
    """And it ends when it is told to."""
    log.loop.start()
    log.grow(10)
    assert log.signed.wait(timeout=10)
    log.loop.stop()
    assert log.sealed == [16]

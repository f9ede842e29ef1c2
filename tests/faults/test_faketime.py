"""The command line by a clock that shows another day: real processes, real premises, libfaketime.

What the kernel says of its own clock is made up too (``strace`` answers ``adjtimex``), so that a
machine whose clock is kept over the network tells the same as one whose clock is not.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from api.bootstrap import planned, read_history
from domain.custody.events import (
    ClockConfirmed,
    ClockDoubted,
    ItemDestroyed,
    OverdueFound,
    RetentionSwept,
)
from domain.ports import Recorded
from domain.services.retention import Planned
from tests.faults.test_failing_disk import (
    DAY,
    PLUMBLINE,
    Ended,
    can_trace,
    in_the_stores,
    run,
    well,
)
from tests.support.required import need

MONTH_M = 31 * 24 * 60
"""Minutes that footage may be kept."""
OVERDUE = 11
"""The verifier's exit code where personal data was kept too long."""


@pytest.fixture(scope="module")
def a_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Premises after a whole day, with a segment of footage that lives."""
    need("faketime", present=shutil.which("faketime") is not None, reason="it makes up the time")
    need("strace", present=can_trace(), reason="it makes up what the kernel says of its clock")
    data = tmp_path_factory.mktemp("day") / "data"
    assert run(DAY, data).code == 0
    return data


@pytest.fixture
def data(tmp_path: Path, a_day: Path) -> Path:
    """The same, of a test's own."""
    return Path(shutil.copytree(a_day, tmp_path / "data"))


def at(offset: str, *arguments: object, synchronised: bool = False) -> Ended:
    """A command by a clock that is off by so much, such as ``+32d``."""
    kernel = "retval=0" if synchronised else "error=EPERM"
    calls = "adjtimex,clock_adjtime"
    made_up = ["strace", "-f", "--seccomp-bpf", "-o", os.devnull, "-e", f"trace={calls}"]
    made_up += ["-e", f"inject={calls}:{kernel}", "faketime", "-f", offset]
    ended = run([*made_up, *PLUMBLINE], *arguments)
    return ended if ended.code == OVERDUE else ended.in_our_words()


def history(data: Path) -> list[Recorded]:
    """What is on the record."""
    return list(read_history(data, None))


def told(data: Path, *kinds: type) -> list[Recorded]:
    """The entries of these kinds, in the order of the log."""
    return [one for one in history(data) if isinstance(one.event, kinds)]


def footage(data: Path) -> list[Planned]:
    """What lives, and until when: nothing but the segment, if it does."""
    plan = planned(data, at=None)
    assert {one.item for one in plan} == in_the_stores(data)
    return plan


WORK = ("custody", "work", "--once", "--data")


def test_a_month_later_nothing_goes_that_no_second_source_confirms(data: Path) -> None:
    """Whatever is started: it says so, each time, and the record says so once. By the right clock
    everything is as it was."""
    before, size = footage(data), len(history(data))
    for command in (("sweep", "--data"), WORK):
        ended = at("+32d", *command, data)
        assert ended.code == 0, ended.words
        assert "nothing confirms it" in ended.words
    assert footage(data) == before
    (doubted,) = told(data, ClockDoubted)
    assert isinstance(doubted.event, ClockDoubted)
    assert 0 <= doubted.event.ahead_s - 32 * 24 * 3600 < 600
    assert {one.clock for one in history(data)[size:]} == {"suspect"}
    well(*WORK, data)
    assert footage(data) == before
    assert told(data, RetentionSwept)[-1].clock == "trusted"
    assert told(data, OverdueFound, ClockConfirmed) == []
    well("verify", data, "--key", data / "seal" / "log.vkey")


@pytest.mark.parametrize("source", ["person", "kernel"])
def test_a_month_later_it_goes_once_a_second_source_confirms_the_clock(
    data: Path, source: str
) -> None:
    """On record: who confirmed it, and that the segment went a day too late."""
    by = ("--clock-confirmed-by", "officer-7") if source == "person" else ()
    ended = at("+32d", *WORK, data, *by, synchronised=source == "kernel")
    assert ended.code == 0, ended.words
    assert f"was confirmed by a {source}" in ended.words
    (confirmed,) = told(data, ClockConfirmed)
    assert isinstance(confirmed.event, ClockConfirmed)
    assert (confirmed.event.source, confirmed.clock) == (source, "trusted")
    assert confirmed.actor == ("stand-in:officer-7" if source == "person" else "system:custodian")
    (late,) = told(data, OverdueFound)
    gone = told(data, ItemDestroyed)[-1]
    assert isinstance(late.event, OverdueFound) and gone.event.originator_id == late.event.item
    assert footage(data) == []
    verified = at("+32d", "verify", data, "--key", data / "seal" / "log.vkey")
    assert verified.code == OVERDUE, verified.words


def test_a_day_back_extends_nothing(data: Path) -> None:
    """Neither from today nor from shortly before its time is over; it goes in time."""
    before = footage(data)
    shortly = MONTH_M - 8
    confirmed = ("--clock-confirmed-by", "officer-7")
    for offset, more in (("-1d", ()), (f"+{shortly}m", confirmed), (f"+{shortly - 1440}m", ())):
        ended = at(offset, *WORK, data, *more)
        assert ended.code == 0, ended.words
        assert footage(data) == before
    assert at(f"+{MONTH_M - 3}m", *WORK, data).code == 0
    assert footage(data) == []
    assert told(data, OverdueFound, ClockDoubted) == []
    assert at(f"+{MONTH_M - 2}m", "verify", data, "--key", data / "seal" / "log.vkey").code == 0

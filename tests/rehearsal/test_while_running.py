"""What others change from another process reaches a camera that runs, within a second."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.bootstrap import deployments_in, read_history
from api.demo.photographs import Photographs
from api.demo.walk_past import DEMO, rendered
from api.demo.watchlist import Listing
from domain.deployments.events import AuthorisationWithdrawn, DeploymentStopped
from domain.kernel.events import Happened
from domain.kernel.time import read, written
from domain.ports import Recorded
from domain.sightings.events import RunProgressed
from domain.watchlists.events import EntryAccepted, EntryRemoved
from tests.rehearsal.conftest import ROOT, command, rehearse_command, run

DEMO_FRAMES = 1175
A_SECOND = timedelta(seconds=1)


class Playing:
    """A rehearsal in a process of its own, with recognition on."""

    def __init__(self, process: subprocess.Popen[str], data: Path, told: Path) -> None:
        self.data = data
        self._process, self._told = process, told
        self._until(lambda: "recognition is on" in told.read_text())
        (self.deployment,) = deployments_in(data)

    def ends(self) -> dict[str, object]:
        """Wait for its summary."""
        out, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, self._told.read_text()
        summary: dict[str, object] = json.loads(out)
        return summary

    def entries(self) -> list[Recorded]:
        """What is on the record."""
        return list(read_history(self.data, self.deployment))

    def _until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            running = self._process.poll() is None
            assert running and time.monotonic() < deadline, self._told.read_text()
            time.sleep(0.01)


@pytest.fixture
def playing(listing: Listing, cache: Path, tmp_path: Path) -> Iterator[Playing]:
    """The demo's clip, from the moment at which faces are compared."""
    with _started(listing, cache, tmp_path) as one:
        yield one


@contextmanager
def _started(listing: Listing, cache: Path, path: Path) -> Iterator[Playing]:
    clip = rendered(DEMO, Photographs(cache))
    told = path / "told"
    with (
        told.open("w") as errors,
        subprocess.Popen(
            rehearse_command(listing, clip, path / "data"),
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            text=True,
        ) as process,
    ):
        try:
            yield Playing(process, path / "data", told)
        finally:
            process.kill()


def test_a_withdrawal_stops_a_run_that_is_on(playing: Playing) -> None:
    """Within a second no face is taken any more, and the play is closed in good order."""
    asked = ("--reason", "threat-has-passed", "--actor", "authorising-officer-2")
    withdraw = ("deployment", "withdraw", playing.deployment, *asked, "--data", playing.data)
    done = run(command(*withdraw))
    assert done.returncode == 0, done.stderr
    summary = playing.ends()
    assert 0 < int(str(summary["frames"])) < DEMO_FRAMES
    entries = playing.entries()
    names = [one.event.NAME for one in entries]
    taken_back = names.index("deployment.authorisation_withdrawn")
    assert names.index("deployment.stopped") == taken_back + 1
    withdrawn, stopped = the(AuthorisationWithdrawn, entries), the(DeploymentStopped, entries)
    assert isinstance(stopped.event, DeploymentStopped)
    assert stopped.event.cause == "authorisation-withdrawn"
    assert stopped.event.timestamp == withdrawn.event.timestamp
    nothing_is_compared_a_second_after(stopped, entries)
    again = run(command(*withdraw))
    assert again.returncode == 3 and "deployment_over" in again.stderr


def test_an_entry_that_is_removed_raises_nothing_any_more(playing: Playing) -> None:
    """Every entry is taken off, one after the other: with the last the run is over."""
    entries = [e.event for e in playing.entries() if isinstance(e.event, EntryAccepted)]
    assert entries
    for one in entries:
        asked = ("--reason", "found-safe", "--actor", "manager-7", "--data", playing.data)
        done = run(command("watchlist", "remove", one.entry.hex, *asked))
        assert done.returncode == 0, done.stderr
    summary = playing.ends()
    assert 0 < int(str(summary["frames"])) < DEMO_FRAMES
    recorded = playing.entries()
    last = [one for one in recorded if isinstance(one.event, EntryRemoved)][-1]
    assert "alert.raised" not in {
        one.event.NAME for one in recorded if one.position > last.position
    }
    nothing_is_compared_a_second_after(last, recorded)
    sizes = run(command("watchlist", "sizes", playing.deployment, "--data", playing.data))
    assert len(sizes.stdout.splitlines()) == 1 + len(entries), sizes.stdout
    assert sizes.stdout.splitlines()[-1].endswith("0 entries  removed: found-safe")


def test_a_run_stops_by_itself_at_the_end_that_an_operator_set(playing: Playing) -> None:
    """The window was twelve hours; now it is over in a second."""
    soon = written(datetime.now(UTC) + A_SECOND)
    asked = ("--until", soon, "--reason", "crowd-moved-on", "--actor", "operator-7")
    done = run(command("deployment", "vary", playing.deployment, *asked, "--data", playing.data))
    assert done.returncode == 0, done.stderr
    summary = playing.ends()
    assert 0 < int(str(summary["frames"])) < DEMO_FRAMES
    stopped = the(DeploymentStopped, playing.entries()).event
    assert isinstance(stopped, DeploymentStopped)
    assert stopped.cause == "authorised-window-over"
    assert read(soon) <= stopped.timestamp < read(soon) + 2 * A_SECOND


def the(kind: type[Happened], entries: list[Recorded]) -> Recorded:
    """The one entry of this kind."""
    (found,) = [one for one in entries if isinstance(one.event, kind)]
    return found


def nothing_is_compared_a_second_after(entry: Recorded, entries: list[Recorded]) -> None:
    """The recogniser's last count of frames is from within a second."""
    told = [
        one.recorded_at
        for one in entries
        if one.position > entry.position and isinstance(one.event, RunProgressed)
    ]
    assert max(told, default=entry.recorded_at) - entry.recorded_at < A_SECOND

"""A rehearsal that records: what the command line shows, and what it lets be looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from api.demo.watchlist import Listing
from recognition.engine import Engine
from tests.rehearsal.conftest import command, rehearse_command, run


@dataclass(frozen=True)
class Recorded:
    """A rehearsal with footage."""

    data: Path
    told: str
    segment: dict[str, object]

    @property
    def item(self) -> str:
        """The segment's item."""
        return str(self.segment["item"])


@pytest.fixture(scope="module")
def recorded(
    engine: Engine, clip: Path, listing: Listing, tmp_path_factory: pytest.TempPathFactory
) -> Recorded:
    """One rehearsal on the clip, with ``--footage``."""
    data = tmp_path_factory.mktemp("recorded") / "data"
    arguments = [one for one in rehearse_command(listing, clip, data) if one != "--json"]
    done = run([*arguments, "--footage"])
    assert done.returncode == 0, done.stderr
    listed = run(command("footage", "list", "--data", data, "--json"))
    (segment,) = json.loads(listed.stdout)
    return Recorded(data, done.stdout, segment)


def test_the_summary_says_that_footage_is_left(recorded: Recorded) -> None:
    """And where to look."""
    assert "Footage was recorded: 1 segments are left" in recorded.told
    assert "No footage was recorded" not in recorded.told
    assert "1 left" in recorded.told


def test_only_footage_is_left_and_planned(recorded: Recorded) -> None:
    """31 days after its first frame."""
    planned = json.loads(run(command("custody", "plan", "--data", recorded.data, "--json")).stdout)
    assert [(one["item"], one["deadline"]) for one in planned] == [
        (recorded.item, recorded.segment["due_at"])
    ]


def test_what_is_played_is_every_frame_of_the_video(
    recorded: Recorded, clip: Path, tmp_path: Path
) -> None:
    """Once it is on the record who looked."""
    out = tmp_path / "segment.mkv"
    arguments = ("footage", "play", recorded.item[:8], "-o", out, "--data", recorded.data)
    done = run(command(*arguments, "--actor", "dpo-1"))
    assert done.returncode == 0, done.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    with av.open(str(out)) as segment, av.open(str(clip)) as video:
        shown = sum(1 for _ in segment.decode(video=0))
        assert shown == sum(1 for _ in video.decode(video=0)) == recorded.segment["frames"]
    history = run(command("replay", recorded.segment["deployment"], "--data", recorded.data)).stdout
    assert f"item {recorded.item[:8]} was opened for footage-review" in history
    again = run(command(*arguments, "--actor", "dpo-1"))
    assert again.returncode == 4
    assert "expected a name that is free" in again.stderr


def test_an_operator_may_not_look_and_the_refusal_is_recorded(
    recorded: Recorded, tmp_path: Path
) -> None:
    """No file is made."""
    out = tmp_path / "segment.mkv"
    done = run(
        command(
            "footage", "play", recorded.item, "-o", out, "--data", recorded.data,
            "--actor", "operator-1", "--role", "operator",
        )
    )  # fmt: skip
    assert done.returncode == 3
    assert "purpose_not_allowed" in done.stderr
    assert not out.exists()
    key = recorded.data / "seal" / "log.vkey"
    verified = run(command("verify", recorded.data, "--key", key))
    assert verified.returncode == 0
    assert "unanchored tail: 0" in verified.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("0000", "--actor", "dpo-1"), "segment"),
        (("ITEM", "--actor", "Jane Doe"), "expected a code such as"),
        (("ITEM", "--actor", "dpo-1", "--role", "mayor"), "--role: expected"),
    ],
)
def test_what_was_typed_wrongly_is_said(
    recorded: Recorded, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    """Expected, found, where; nothing is opened."""
    given = [recorded.item if one == "ITEM" else one for one in arguments]
    out = tmp_path / "x.mkv"
    done = run(command("footage", "play", *given, "-o", out, "--data", recorded.data))
    assert done.returncode == 4
    assert words in done.stderr
    assert not out.exists()

"""The recorder: a camera's own packets, whole, in segments that can be played alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import pytest

from domain.footage.commands import KeepSegment, ReportLostSegment, Segment, SegmentFacts
from domain.kernel.commands import Mode, Role
from domain.kernel.errors import DomainError
from recognition.footage import FootageError, Recorder, RecordingOf
from recognition.sources import FileSource, SourceError
from tests.recognition.test_sources import FRAMES, record

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
OF = RecordingOf(UUID(int=1), UUID(int=2), "camera-1", Mode.REHEARSAL)
FRAME_MS = 40


class TickingClock:
    """A second further at each look."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> datetime:
        """The next second."""
        self.at += timedelta(seconds=1)
        return self.at

    def trusted(self) -> bool:
        """Always."""
        return True


@dataclass
class Kept:
    """A segment as the sink got it."""

    command: KeepSegment
    content: bytes
    facts: SegmentFacts


@dataclass
class Shelf:
    """A sink that keeps everything in memory, but what it is told to fail at."""

    fails: dict[int, Exception] = field(default_factory=dict)
    refuses: set[int] = field(default_factory=set)
    telling_fails: bool = False
    kept: list[Kept] = field(default_factory=list)
    lost: list[ReportLostSegment] = field(default_factory=list)
    asked: int = 0
    closed: bool = False

    def keep_segment(self, command: KeepSegment, segment: Segment) -> bool:
        """Read all of it, or up to the failure."""
        self.asked += 1
        if self.asked in self.refuses:
            return False
        parts = []
        for part in segment.chunks():
            parts.append(part)
            if self.asked in self.fails:
                raise self.fails[self.asked]
        self.kept.append(Kept(command, b"".join(parts), segment.facts()))
        return True

    def report_lost(self, command: ReportLostSegment) -> None:
        """Remember it."""
        if self.telling_fails:
            raise DomainError("the record is full")
        self.lost.append(command)

    @contextmanager
    def opened(self) -> Iterator[Shelf]:
        """Itself."""
        yield self
        self.closed = True


def recorded(
    video: Path, *, longest_ms: int = 60_000, shelf: Shelf | None = None
) -> tuple[Shelf, int]:
    """Play a file through the recorder; the sink, and how many frames recognition got."""
    shelf = shelf or Shelf()
    frames = 0
    with Recorder(
        of=OF, clock=TickingClock(), open_sink=shelf.opened, longest_ms=longest_ms
    ) as recorder:
        for _ in FileSource(video).frames(recorder.take):
            frames += 1
    return shelf, frames


def packets(file: Path | bytes) -> list[bytes]:
    """The encoded packets of a video's pictures."""
    opened = io.BytesIO(file) if isinstance(file, bytes) else str(file)
    with av.open(opened) as container:
        return [bytes(one) for one in container.demux(video=0) if one.size]


def shown(content: bytes) -> int:
    """How many frames a player shows."""
    with av.open(io.BytesIO(content)) as container:
        return sum(1 for _ in container.decode(video=0))


CAMERAS: list[tuple[str, dict[str, Any]]] = [
    ("h264.mp4", {}),
    ("h264.mkv", {}),
    ("h264.ts", {}),
    ("mpeg4.mp4", {"codec": "mpeg4", "encoder": {"sc_threshold": "1000000000"}}),
    ("vp8.webm", {"codec": "libvpx", "encoder": {"deadline": "realtime", "cpu-used": "8"}}),
    ("sound.mp4", {"sound_s": 1}),
]


@pytest.mark.parametrize(("name", "how"), CAMERAS, ids=[name for name, _ in CAMERAS])
def test_every_segment_plays_alone_and_together_they_hold_every_frame(
    tmp_path: Path, name: str, how: dict[str, Any]
) -> None:
    """Whatever the container and the codec; sound is left out."""
    video = record(tmp_path / name, key_every=6, **how)
    shelf, frames = recorded(video, longest_ms=6 * FRAME_MS)
    assert frames == FRAMES
    assert [one.facts.frames for one in shelf.kept] == [6, 6, 6, 6]
    assert sum(shown(one.content) for one in shelf.kept) == FRAMES
    assert all(one.facts.starts_with_key_frame for one in shelf.kept)
    for one in shelf.kept:
        with av.open(io.BytesIO(one.content)) as container:
            assert [stream.type for stream in container.streams] == ["video"]
            assert container.streams.video[0].codec_context.name == one.facts.codec
    assert shelf.closed
    assert not shelf.lost


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv"])
def test_nothing_is_encoded_again(tmp_path: Path, name: str) -> None:
    """The packets of the segments are the camera's, byte by byte and in their order."""
    video = record(tmp_path / name, key_every=6)
    shelf, _ = recorded(video, longest_ms=12 * FRAME_MS)
    assert [packet for one in shelf.kept for packet in packets(one.content)] == packets(video)


def test_a_segment_is_never_longer_than_its_limit(tmp_path: Path) -> None:
    """Cut before the key frame after which the next would come too late."""
    video = record(tmp_path / "camera.mp4", key_every=5)
    shelf, _ = recorded(video, longest_ms=12 * FRAME_MS)
    assert [one.facts.frames for one in shelf.kept] == [10, 10, 4]
    assert all(one.facts.duration_ms <= 12 * FRAME_MS for one in shelf.kept)


def test_a_camera_without_key_frames_in_time_is_cut_all_the_same(tmp_path: Path) -> None:
    """A segment that cannot be played alone says so; together they still hold every packet."""
    video = record(
        tmp_path / "camera.mp4", key_every=100, encoder={"preset": "ultrafast", "bf": "0"}
    )
    shelf, _ = recorded(video, longest_ms=10 * FRAME_MS)
    assert [one.facts.frames for one in shelf.kept] == [10, 10, 4]
    assert [one.facts.starts_with_key_frame for one in shelf.kept] == [True, False, False]
    assert [packet for one in shelf.kept for packet in packets(one.content)] == packets(video)


def test_what_comes_before_the_first_key_frame_is_left_out(tmp_path: Path) -> None:
    """Nobody could see it: a transport stream may begin anywhere."""
    whole = record(tmp_path / "whole.ts", key_every=6).read_bytes()
    tail = tmp_path / "tail.ts"
    tail.write_bytes(whole[188 * ((len(whole) // 188) // 8) :])
    shelf, frames = recorded(tail)
    assert 0 < frames < FRAMES
    assert sum(shown(one.content) for one in shelf.kept) == frames
    assert shelf.kept[0].facts.starts_with_key_frame


def test_each_command_tells_when_its_first_frame_came_in(tmp_path: Path) -> None:
    """By the clock of the machine, not by what the camera says of itself."""
    shelf, _ = recorded(record(tmp_path / "camera.mp4", key_every=6), longest_ms=12 * FRAME_MS)
    first, second = (one.command for one in shelf.kept)
    assert AT < first.first_frame_at < second.first_frame_at
    for one in (first, second):
        assert one.first_frame_at <= one.at
        assert (one.deployment, one.run, one.camera) == (OF.deployment, OF.run, "camera-1")
        assert (one.actor, one.role) == ("system:recorder/camera-1", Role.SYSTEM)


def test_a_segment_that_could_not_be_kept_is_told_and_the_next_is_kept(tmp_path: Path) -> None:
    """A gap is a fact; recognition goes on."""
    shelf = Shelf(fails={2: FootageError("the disk is full")})
    video = record(tmp_path / "camera.mp4", key_every=6)
    _, frames = recorded(video, longest_ms=6 * FRAME_MS, shelf=shelf)
    assert frames == FRAMES
    assert len(shelf.kept) == 3
    (lost,) = shelf.lost
    assert lost.cause == "footage"
    assert lost.duration_ms == pytest.approx(6 * FRAME_MS, abs=2 * FRAME_MS)
    assert shelf.kept[0].command.first_frame_at < lost.first_frame_at


def test_a_refused_segment_holds_nobody_up(tmp_path: Path) -> None:
    """What is refused is not read, and the camera's thread does not wait for it."""
    shelf = Shelf(refuses={1, 2, 3, 4})
    _, frames = recorded(
        record(tmp_path / "camera.mp4", key_every=6), longest_ms=6 * FRAME_MS, shelf=shelf
    )
    assert (frames, shelf.kept, shelf.lost, shelf.asked) == (FRAMES, [], [], 4)


def test_a_gap_that_cannot_be_recorded_stops_the_run(tmp_path: Path) -> None:
    """Promise 1: what cannot be put on the record does not go on."""
    shelf = Shelf(fails={1: FootageError("the disk is full")}, telling_fails=True)
    with pytest.raises(DomainError, match="the record is full"):
        recorded(record(tmp_path / "camera.mp4", key_every=6), longest_ms=6 * FRAME_MS, shelf=shelf)


def test_a_sink_that_cannot_be_opened_stops_the_run(tmp_path: Path) -> None:
    """And nobody waits for ever."""

    @contextmanager
    def shut() -> Iterator[Shelf]:
        raise DomainError("no keystore")
        yield

    source = FileSource(record(tmp_path / "camera.mp4"))
    with (
        pytest.raises(DomainError, match="no keystore"),
        Recorder(of=OF, clock=TickingClock(), open_sink=shut) as recorder,
    ):
        for _ in source.frames(recorder.take):
            pass


def test_a_video_that_breaks_off_is_kept_up_to_there(tmp_path: Path) -> None:
    """What the camera sent was sent; the run learns of the failure as before."""
    whole = record(tmp_path / "whole.mkv", container={"cluster_time_limit": "200"}).read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole[: len(whole) * 3 // 4])
    shelf = Shelf()
    with pytest.raises(SourceError):
        recorded(cut, shelf=shelf)
    (one,) = shelf.kept
    assert 0 < shown(one.content) < FRAMES

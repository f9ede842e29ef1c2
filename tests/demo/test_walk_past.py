"""The schedules keep what the demo promises, and the video is one that a camera could send."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from api.demo.people import CAST, Cut, Figure, figure
from api.demo.photographs import MediaError, Photographs
from api.demo.walk_past import (
    CROWDED_CLIP,
    DEMO,
    FRAMES_PER_SECOND,
    SHORT_CLIP,
    Passage,
    Pose,
    Schedule,
    drawn,
    rendered,
)
from infrastructure.settings import Settings

SCHEDULES = [DEMO, SHORT_CLIP, CROWDED_CLIP]
ENROLLED = {"obama2.jpg", "biden.jpg"}
ONE_SECOND = replace(SHORT_CLIP, lasts_s=1.0, passages=SHORT_CLIP.passages[:2])


def everyone(schedule: Schedule) -> set[str]:
    """Who passes."""
    return {CAST[passage.cut].person for passage in schedule.passages}


def poses(schedule: Schedule) -> Iterator[list[tuple[str, Pose]]]:
    """Who is where, frame by frame."""
    for number in range(schedule.frames):
        yield schedule.at(number / FRAMES_PER_SECOND)


@pytest.fixture
def photographs(tmp_path: Path) -> Photographs:
    """The real photographs in a cache of the test's own, copied from the user's."""
    users = Photographs(Settings.read(os.environ).cache)
    users.paths()
    shutil.copytree(users.cache / "photographs", tmp_path / "photographs")
    return Photographs(tmp_path)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
def test_an_enrolled_photograph_is_never_shown(schedule: Schedule) -> None:
    """Otherwise an alert would compare a photograph with itself."""
    shown = {CAST[passage.cut].photograph for passage in schedule.passages}
    assert shown
    assert not shown & ENROLLED


def test_the_demo_is_long_enough_and_shows_enough_people() -> None:
    """At least 44 s; the listed man and at least eight people who are on no list."""
    assert DEMO.lasts_s >= 44
    assert DEMO.frames >= 1100
    assert len(everyone(DEMO) - {"listed"}) >= 8
    assert "listed" in everyone(DEMO)


def test_the_listed_man_passes_twice_in_two_photographs_at_least_15_seconds_apart() -> None:
    """So that the second sighting is a new one and not the end of the first."""
    first, second = (passage for passage in DEMO.passages if CAST[passage.cut].person == "listed")
    assert [CAST[one.cut].photograph for one in (first, second)] == ["obama.jpg", "obama3.jpg"]
    assert second.starts_s - first.ends_s >= 15
    assert second.ends_s <= DEMO.lasts_s


def test_the_short_clip_shows_the_listed_man_once_among_three_others() -> None:
    """Eight to ten seconds."""
    assert 8 <= SHORT_CLIP.lasts_s <= 10
    assert [CAST[one.cut].person for one in SHORT_CLIP.passages].count("listed") == 1
    assert len(everyone(SHORT_CLIP)) == 4


@pytest.mark.parametrize(
    ("schedule", "fewest", "most"), [(DEMO, 2, 4), (CROWDED_CLIP, 4, 9)], ids=["demo", "crowded"]
)
def test_there_are_as_many_faces_in_a_frame_as_was_promised(
    schedule: Schedule, fewest: int, most: int
) -> None:
    """On average over the video."""
    assert fewest <= schedule.faces_per_frame() <= most


def test_faces_grow_from_hardly_visible_to_close() -> None:
    """The distance between the eyes, for those who come from the far end of the street."""
    for passage in DEMO.passages:
        seen = [pose for time in np.arange(0, 47, 0.04) if (pose := passage.at(float(time)))]
        sizes = [pose.eyes_apart for pose in seen]
        assert sizes == sorted(sizes)
        if passage.starts_s >= 0:
            assert sizes[0] < 9
    largest = max(pose.eyes_apart for frame in poses(DEMO) for _, pose in frame if pose.in_frame)
    assert 60 <= largest <= 80


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
def test_nobody_vanishes_in_the_middle_of_the_picture(schedule: Schedule) -> None:
    """A passage ends once head and shoulders are beyond the side or the lower edge."""
    for passage in schedule.passages:
        last = passage.at(passage.ends_s - 1 / FRAMES_PER_SECOND)
        assert last is not None
        shoulders, crown = 4.4 * last.eyes_apart, 2.2 * last.eyes_apart
        assert last.y - crown > 720 or abs(last.x - 640) - shoulders > 640, passage


def test_people_overlap_but_only_for_moments() -> None:
    """The tracker has to follow somebody behind somebody else."""
    covered = 0
    for frame in poses(DEMO):
        boxes = [pose.box for _, pose in frame if pose.in_frame]
        covered += any(
            a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
            for a, b in combinations(boxes, 2)
        )
    assert 10 <= covered <= DEMO.frames / 2


@pytest.mark.parametrize("cut", CAST.values(), ids=CAST)
def test_every_outline_encloses_the_face(cut: Cut) -> None:
    """The eyes lie inside the outline, which is pinned by hand."""
    outline = np.array(cut.outline, np.float32)
    assert cv2.pointPolygonTest(outline, cut.eyes, measureDist=False) > 0


def test_the_nearer_person_covers_the_farther_one() -> None:
    """Whatever the order in the schedule."""
    walk = Passage(cut="near", starts_s=-1, lasts_s=2, lane_m=(0.0, 0.0), distance_m=(6.0, 5.0))
    both = Schedule(
        name="two", lasts_s=0.04, passages=(walk, replace(walk, cut="far", distance_m=(9.0, 8.0)))
    )
    (frame,) = drawn(both, {"near": a_block((0, 0, 255)), "far": a_block((255, 0, 0))})
    near = walk.at(0.0)
    assert near is not None
    blue, green, red = frame[round(near.y), round(near.x)]
    assert (red > 200, green < 60, blue < 60) == (True, True, True)
    assert (frame[..., 0].astype(int) - frame[..., 2] > 150).any(), "the far one is seen as well"


def test_the_same_schedule_gives_the_same_frames() -> None:
    """So that a result on the video can be had again."""
    figures = {passage.cut: a_block((0, 128, 0)) for passage in SHORT_CLIP.passages}
    first, again = (list(islice(drawn(SHORT_CLIP, figures), 2)) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], first[1])


def test_the_video_is_what_a_camera_could_send(photographs: Photographs) -> None:
    """H.264, 1280x720, 25 frames a second, a keyframe each second, no reordered frames."""
    seen: list[tuple[int, int]] = []
    video = rendered(
        replace(ONE_SECOND, lasts_s=1.2),
        photographs,
        on_progress=lambda done, in_all: seen.append((done, in_all)),
    )
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        told = (stream.codec_context.name, stream.width, stream.height, stream.average_rate)
    assert told == ("h264", 1280, 720, Fraction(25))
    assert [frame.key_frame for frame in frames] == [n % 25 == 0 for n in range(30)]
    assert [frame.time for frame in frames] == pytest.approx([n / 25 for n in range(30)])
    assert seen == [(n + 1, 30) for n in range(30)]


def test_a_video_is_drawn_once_and_again_when_its_schedule_changes(
    photographs: Photographs,
) -> None:
    """Its name is the digest of what it was made from."""
    drawn_frames: list[int] = []
    short = replace(ONE_SECOND, lasts_s=0.08)
    for schedule in (short, short, replace(short, lasts_s=0.12)):
        rendered(schedule, photographs, on_progress=lambda done, _: drawn_frames.append(done))
    assert drawn_frames == [1, 2, 1, 2, 3]
    assert len(list((photographs.cache / "video").iterdir())) == 2


def test_an_interrupted_rendering_leaves_nothing(photographs: Photographs) -> None:
    """Nobody takes half a video for a whole one."""

    def interrupt(done: int, in_all: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rendered(replace(ONE_SECOND, lasts_s=0.08), photographs, on_progress=interrupt)
    assert list((photographs.cache / "video").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_told(photographs: Photographs) -> None:
    """Here a file stands where the folder should be."""
    (photographs.cache / "video").write_bytes(b"")
    with pytest.raises(MediaError, match="expected to write the video short"):
        rendered(replace(ONE_SECOND, lasts_s=0.04), photographs)


def test_a_photograph_that_cannot_be_decoded_is_told(tmp_path: Path) -> None:
    """By its name, not with what the library says."""
    (tmp_path / "one.jpg").write_text("no picture")
    with pytest.raises(MediaError, match=r"found one\.jpg, which cannot"):
        figure(CAST["passer-by 8"], tmp_path / "one.jpg")


def a_block(colour: tuple[int, int, int]) -> Figure:
    """A figure of one colour without a photograph."""
    block = np.full((1422, 812, 4), (*colour, 255), np.uint8)
    return Figure(levels=(block,), eyes_at=(406.0, 223.0), throat_at=(406.0, 400.0), coat=colour)

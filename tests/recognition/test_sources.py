"""Recorded videos: whole ones play to their end, and no other passes silently."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from recognition.sources import (
    CorruptVideoError,
    EmptyFileError,
    FileSource,
    Frame,
    NotARegularFileError,
    NotAVideoError,
    NoVideoStreamError,
    SourceError,
    SourceMissingError,
    SourceUnreadableError,
    TruncatedVideoError,
)

WIDTH, HEIGHT, FPS, FRAMES = 96, 64, 25, 24

QUICK = {"preset": "ultrafast", "bf": "2"}
FASTSTART = {"movflags": "+faststart"}
VP8 = {"codec": "libvpx", "encoder": {"deadline": "realtime", "cpu-used": "8"}}
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}
SHORT_CLUSTERS = {"cluster_time_limit": "200"}


def picture(number: int) -> np.ndarray:
    """A pattern with noise, so that every frame takes some hundred bytes; no two are alike."""
    image = np.random.default_rng(number).integers(0, 80, (HEIGHT, WIDTH, 3), np.uint8)
    image[:, : 2 * number + 2] += 120
    return image


def record(
    path: Path,
    *,
    pictures: Iterable[np.ndarray] | None = None,
    ticks: Iterable[int] | None = None,
    codec: str = "libx264",
    container: dict[str, str] | None = None,
    encoder: dict[str, str] | None = None,
    sound_s: float = 0,
    rotation: int = 0,
    key_every: int = 12,
) -> Path:
    """A synthetic video. ``ticks`` are the frames' times in milliseconds, else every 40."""
    pictures = [picture(n) for n in range(FRAMES)] if pictures is None else list(pictures)
    tick = Fraction(1, FPS if ticks is None else 1000)
    times = range(len(pictures)) if ticks is None else list(ticks)
    with av.open(str(path), "w", options=container or {}) as output:
        stream = output.add_stream(codec, rate=FPS, options=QUICK if encoder is None else encoder)
        stream.codec_context.gop_size = key_every
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = tick
        if rotation:
            stream.set_display_rotation(rotation)
        sound = output.add_stream("aac", rate=8000) if sound_s else None
        for image, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = time, tick
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if sound is not None:
            silence = np.zeros((1, round(8000 * sound_s)), np.float32)
            samples = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            samples.rate = 8000
            output.mux(sound.encode(samples))
            output.mux(sound.encode())
    return path


def played(path: Path) -> tuple[list[Frame], SourceError | None]:
    """The frames up to the end or the error, and the error."""
    frames: list[Frame] = []
    try:
        for frame in FileSource(path):
            frames.append(frame)
    except SourceError as error:
        return frames, error
    return frames, None


def altered(path: Path, content: bytes, name: str = "altered") -> Path:
    other = path.with_name(name + path.suffix)
    other.write_bytes(content)
    return other


WHOLE = [
    ("whole.mp4", {}),
    ("whole.mp4", {"container": FASTSTART}),
    ("whole.mp4", {"container": FRAGMENTED}),
    ("whole.mov", {}),
    ("whole.mp4", {"sound_s": 3}),
    ("whole.mp4", {"codec": "mpeg4", "encoder": {}}),
    ("whole.mkv", {}),
    ("whole.mkv", {"container": {"live": "1"}}),
    ("whole.mkv", {"container": SHORT_CLUSTERS}),
    ("whole.mkv", {"sound_s": 3}),
    ("whole.webm", VP8),
    ("whole.ts", {}),
    ("whole.ts", {"sound_s": 3}),
    ("whole.ts", {"codec": "mpeg2video", "encoder": {}}),
    ("whole.m2ts", {}),
]


@pytest.mark.parametrize(("name", "how"), WHOLE)
def test_a_whole_video_is_played_to_its_last_frame(tmp_path: Path, name: str, how: dict) -> None:
    """Every frame once, in order, at its time, and nothing is refused."""
    frames, error = played(record(tmp_path / name, **how))
    assert error is None
    assert [frame.ordinal for frame in frames] == list(range(FRAMES))
    assert [frame.captured_ms for frame in frames] == [n * 40 for n in range(FRAMES)]
    for frame in frames:
        assert frame.image.shape == (HEIGHT, WIDTH, 3)
        assert frame.image.dtype == np.uint8
        seen_bright = (frame.image.mean(axis=(0, 2)) > 100).sum()
        assert abs(int(seen_bright) - (2 * frame.ordinal + 2)) <= 2


def test_the_colours_are_blue_green_red(tmp_path: Path) -> None:
    blue = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    blue[:, :, 0] = 200
    (frame, *_) = FileSource(record(tmp_path / "blue.mp4", pictures=[blue] * 3))
    assert frame.image[:, :, 0].mean() > 180
    assert frame.image[:, :, 2].mean() < 20


def test_a_source_tells_what_progress_needs(tmp_path: Path) -> None:
    source = FileSource(record(tmp_path / "walk.mp4"))
    assert (source.width, source.height, source.fps) == (WIDTH, HEIGHT, FPS)
    assert source.frame_count_estimate == FRAMES
    assert source.name == "walk.mp4"


@pytest.mark.parametrize(
    ("name", "container", "states"),
    [
        ("a.mp4", {}, True),
        ("a.mp4", FRAGMENTED, False),
        ("a.mkv", {}, True),
        ("a.mkv", {"live": "1"}, False),
        ("a.ts", {}, False),
    ],
)
def test_a_source_says_whether_an_early_end_would_be_noticed_for_certain(
    tmp_path: Path, name: str, container: dict, states: bool
) -> None:
    assert FileSource(record(tmp_path / name, container=container)).states_its_length is states


def test_a_source_can_be_played_again_from_the_start(tmp_path: Path) -> None:
    source = FileSource(record(tmp_path / "twice.mp4"))
    first, second = list(source), list(source)
    assert len(first) == len(second) == FRAMES
    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", ["uneven.mp4", "uneven.mkv"])
def test_uneven_frame_times_are_kept(tmp_path: Path, name: str) -> None:
    """A camera that drops frames in the dark is no damaged video."""
    ticks = [0, 40, 80, 1080, 1090, 3000, 3040, 3080]
    video = record(tmp_path / name, pictures=[picture(n) for n in range(8)], ticks=ticks)
    frames, error = played(video)
    assert error is None
    assert [frame.captured_ms for frame in frames] == ticks


def test_time_is_counted_from_the_first_frame(tmp_path: Path) -> None:
    ticks = [5000 + 40 * n for n in range(FRAMES)]
    frames, error = played(record(tmp_path / "later.mkv", ticks=ticks))
    assert error is None
    assert [frame.captured_ms for frame in frames] == [n * 40 for n in range(FRAMES)]


@pytest.mark.parametrize(
    ("rotation", "corner"),
    [(0, (0, 0)), (90, (-1, 0)), (180, (-1, -1)), (-90, (0, -1))],
)
def test_the_picture_stands_as_the_telephone_was_held(
    tmp_path: Path, rotation: int, corner: tuple[int, int]
) -> None:
    """A white mark at the top left goes where a turn to the left by the noted angle puts it."""
    marked = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    marked[:20, :20] = 255
    video = record(tmp_path / "held.mp4", pictures=[marked] * 3, rotation=rotation)
    source = FileSource(video)
    upright = rotation % 180 == 0
    assert (source.width, source.height) == ((WIDTH, HEIGHT) if upright else (HEIGHT, WIDTH))
    for frame in source:
        assert frame.image.shape == (source.height, source.width, 3)
        for row in (0, -1):
            for column in (0, -1):
                assert (frame.image[row, column].mean() > 128) == ((row, column) == corner)


def test_a_recording_that_begins_between_key_frames_is_played_from_the_first(
    tmp_path: Path,
) -> None:
    """A transport stream is often cut out of a longer one; that is no damage."""
    whole = record(tmp_path / "whole.ts", key_every=6)
    content = whole.read_bytes()
    packet = len(content) // 188 // 5 * 188
    frames, error = played(altered(whole, content[: 3 * 188] + content[packet:]))
    assert error is None
    assert FRAMES // 2 <= len(frames) < FRAMES
    assert frames[0].captured_ms == 0


def are_among(frames: list[Frame], whole: list[Frame]) -> bool:
    """Whether each frame is the whole video's frame of that time, to the last bit."""
    by_time = {frame.captured_ms: frame.image for frame in whole}
    return all(np.array_equal(frame.image, by_time[frame.captured_ms]) for frame in frames)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("walk.mp4", {"container": FASTSTART}),
        ("walk.mp4", {"container": FRAGMENTED}),
        ("walk.mkv", {}),
        ("walk.mkv", {"container": {"live": "1"}}),
        ("walk.webm", VP8),
        ("walk.ts", {}),
    ],
)
def test_a_video_that_was_cut_never_passes(tmp_path: Path, name: str, how: dict) -> None:
    """Wherever it is cut inside a frame, the whole frames come and then the error."""
    video = record(tmp_path / name, **how)
    whole, _ = played(video)
    content = video.read_bytes()
    most = 0
    for kept in [*range(len(content) // 3, len(content), len(content) // 11), len(content) - 1]:
        frames, error = played(altered(video, content[:kept]))
        assert isinstance(error, TruncatedVideoError), f"cut at {kept} of {len(content)}: {error}"
        assert are_among(frames, whole)
        most = max(most, len(frames))
    assert most >= FRAMES - 1


def test_an_mp4_cut_between_two_boxes_never_passes(tmp_path: Path) -> None:
    """All boxes are whole, but the one with the pictures is not there."""
    video = record(tmp_path / "walk.mp4", container=FASTSTART)
    content = video.read_bytes()
    pictures_at = content.index(b"mdat") - 4
    frames, error = played(altered(video, content[:pictures_at]))
    assert not frames
    assert isinstance(error, TruncatedVideoError)


def test_an_mp4_that_was_repaired_to_fit_never_passes(tmp_path: Path) -> None:
    """It was cut between two frames and its box shortened: only its index tells what is missing."""
    video = record(tmp_path / "walk.mp4", container=FASTSTART, encoder={"preset": "ultrafast"})
    content = video.read_bytes()
    with av.open(str(video)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    box = content.index(b"mdat") - 4
    for frames_kept in (FRAMES - 6, 6):
        end = places[frames_kept]
        size = (end - box).to_bytes(4, "big")
        frames, error = played(altered(video, content[:box] + size + content[box + 4 : end]))
        assert isinstance(error, TruncatedVideoError)
        assert len(frames) == frames_kept


def test_an_mp4_without_its_index_cannot_be_read(tmp_path: Path) -> None:
    """The index stands at the end: a recorder that lost power left none."""
    video = record(tmp_path / "walk.mp4")
    content = video.read_bytes()
    for kept in (len(content) // 2, content.index(b"moov") - 4, content.index(b"moov") + 40):
        with pytest.raises(NotAVideoError, match=r"altered\.mp4: expected a video in MP4"):
            FileSource(altered(video, content[:kept]))


def test_a_makers_own_bytes_after_the_last_part_are_no_damage(tmp_path: Path) -> None:
    for name in ("walk.mp4", "walk.mkv"):
        video = record(tmp_path / name)
        frames, error = played(altered(video, video.read_bytes() + b"\x7f maker's own trailer"))
        assert error is None
        assert len(frames) == FRAMES


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("walk.mp4", {}),
        ("walk.mkv", {}),
        ("walk.ts", {}),
        ("walk.ts", {"codec": "mpeg2video", "encoder": {}}),
    ],
)
def test_damage_in_the_middle_never_passes(tmp_path: Path, name: str, how: dict) -> None:
    """One frame is smashed, or many; those long before the damage are as they were."""
    video = record(tmp_path / name, **how)
    whole, _ = played(video)
    content = video.read_bytes()
    noise = np.random.default_rng(7).integers(0, 256, len(content), np.uint8).tobytes()
    middle = len(content) // 2
    for smashed in (2000, len(content) // 4):
        spoilt = content[:middle] + noise[:smashed] + content[middle + smashed :]
        frames, error = played(altered(video, spoilt))
        assert isinstance(error, CorruptVideoError | TruncatedVideoError), f"{smashed}: {error}"
        assert len(frames) < FRAMES
        assert are_among(frames[:-3], whole)


def test_a_matroska_file_whose_parts_do_not_fit_is_refused(tmp_path: Path) -> None:
    """A demuxer steps over a cluster that it cannot read, and its frames are missing in silence."""
    video = record(tmp_path / "walk.mkv", container=SHORT_CLUSTERS, key_every=5)
    content = video.read_bytes()
    second = content.index(b"\x1f\x43\xb6\x75", content.index(b"\x1f\x43\xb6\x75") + 4)
    for spoilt in (b"\x7f\x43\xb6\x75", b"\x1f\x43\xb6\x75\x08", b"\x00\x00\x00\x00"):
        other = altered(video, content[:second] + spoilt + content[second + len(spoilt) :])
        with pytest.raises(CorruptVideoError, match="whose parts fit"):
            FileSource(other)


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    """A text, a picture and noise: the message says what was expected."""
    for name, content in (
        ("letter.txt", b"Dear Sir or Madam,\n" * 100),
        ("photograph.png", cv2.imencode(".png", picture(3))[1].tobytes()),
        ("noise.mp4", np.random.default_rng(1).bytes(5000)),
        ("only.mkv", b"\x1a\x45\xdf\xa3"),
        ("zeros.ts", bytes(5000)),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(NotAVideoError, match="expected a video in MP4, QuickTime, Matroska"):
            FileSource(path)


def test_a_playlist_is_no_video_even_if_it_names_one(tmp_path: Path) -> None:
    """It would lead to other files or, with an address in it, to a live camera."""
    video = record(tmp_path / "walk.ts")
    playlist = tmp_path / "walk.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n{video}\n#EXT-X-ENDLIST\n")
    # The positive control: the library by itself would follow it, even from an open file.
    with playlist.open("rb") as file, av.open(file) as followed:
        assert sum(1 for _ in followed.decode(video=0)) == FRAMES
    with pytest.raises(NotAVideoError):
        FileSource(playlist)


def test_a_recording_of_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "speech.mp4"
    with av.open(str(path), "w") as output:
        sound = output.add_stream("aac", rate=8000)
        silence = np.zeros((1, 8000), np.float32)
        samples = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
        samples.rate = 8000
        output.mux(sound.encode(samples))
        output.mux(sound.encode())
    with pytest.raises(NoVideoStreamError, match=r"speech\.mp4: .* found 1 of other kinds"):
        FileSource(path)


def test_a_missing_or_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(EmptyFileError, match=r"empty\.mp4: .* found 0 bytes"):
        FileSource(tmp_path / "empty.mp4")
    with pytest.raises(SourceMissingError, match=r"absent\.mp4: .* found none"):
        FileSource(tmp_path / "absent.mp4")
    with pytest.raises(SourceMissingError, match=r"walk\.mp4"):
        FileSource(tmp_path / "empty.mp4" / "walk.mp4")


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """Rehearsal never opens what could be live. A pipe that nobody writes to does not block."""
    os.mkfifo(tmp_path / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.mp4"))
        for path, found in (
            (tmp_path, "a directory"),
            (tmp_path / "pipe.mp4", "a pipe"),
            (tmp_path / "socket.mp4", "a socket"),
            (Path("/dev/null"), "a device"),
        ):
            with pytest.raises(
                NotARegularFileError, match=f"takes regular files only, found {found}"
            ):
                FileSource(path)


@pytest.mark.parametrize(
    "address", ["rtsp://operator:secret@10.0.0.5/stream", "http://a/b.mp4", "file:///walk.mp4"]
)
def test_an_address_is_refused_and_its_password_is_not_repeated(address: str) -> None:
    for given in (address, Path(address)):
        with pytest.raises(NotARegularFileError, match=r"found an address \(") as refused:
            FileSource(given)
        assert "secret" not in str(refused.value)


def test_a_symbolic_link_to_a_regular_file_is_fine_and_to_a_device_is_not(tmp_path: Path) -> None:
    video = record(tmp_path / "walk.mp4")
    (tmp_path / "link.mp4").symlink_to(video)
    frames, error = played(tmp_path / "link.mp4")
    assert error is None
    assert len(frames) == FRAMES
    (tmp_path / "trap.mp4").symlink_to("/dev/zero")
    with pytest.raises(NotARegularFileError, match="a device"):
        FileSource(tmp_path / "trap.mp4")
    (tmp_path / "circle.mp4").symlink_to(tmp_path / "circle.mp4")
    with pytest.raises(SourceUnreadableError, match=r"circle\.mp4"):
        FileSource(tmp_path / "circle.mp4")


def test_a_file_that_was_exchanged_after_the_check_is_checked_again(tmp_path: Path) -> None:
    video = record(tmp_path / "walk.mp4")
    source = FileSource(video)
    video.unlink()
    os.mkfifo(video)
    with pytest.raises(NotARegularFileError, match="a pipe"):
        list(source)


def test_a_file_that_is_exchanged_during_the_check_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look before saw a regular file; what was opened is a pipe, and nobody waits for it."""
    pipe, regular = tmp_path / "pipe.mp4", os.stat(record(tmp_path / "walk.mp4"))
    os.mkfifo(pipe)
    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", lambda path: regular)
        with pytest.raises(NotARegularFileError, match="a pipe"):
            FileSource(pipe)


def test_no_message_says_where_the_file_lies(tmp_path: Path) -> None:
    """Messages reach the record's readers; a directory may be named after a person."""
    for path in (tmp_path / "absent.mp4", tmp_path):
        with pytest.raises(SourceError) as refused:
            FileSource(path)
        assert str(path.parent) not in str(refused.value)

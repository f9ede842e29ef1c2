"""The walk-past: who passes the demo's camera when, drawn and encoded as a video.

A schedule says who passes, when, and where they walk; the same schedule and the same photographs
always give the same frames. People approach at a walking pace, so they grow slowly when far and
fast when near; they sway, turn, blur, cover one another, and leave at the side or the lower edge.

The enrolled photographs are never shown, so an alert compares two different photographs.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from api.demo.people import CAST, EYE_HEIGHT_M, EYES_APART_M, HIP_M, Figure, figure
from api.demo.photographs import MediaError, Photographs
from api.demo.street import CAMERA, HEIGHT_PX, WIDTH_PX, street

FRAMES_PER_SECOND = 25

Frame = NDArray[np.uint8]
"""uint8, shape (720, 1280, 3), blue green red."""
Progress = Callable[[int, int], None]
"""Called with the frames done and all frames."""

_RENDERER = 1
"""Raise it when the drawing changes, so that cached videos are drawn again."""
_SEED = 7
_STEPS_PER_SECOND = 1.9
_FADES_IN_S = 0.5
_TURNING_SHARE = 0.15
_NEAREST_M = 1.1
_NOISE_SIGMA = 1.6
_NOISE_MEAN = 8


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Where a face is in a frame, in pixels."""

    x: float
    """Half-way between the eyes, from the left."""
    y: float
    """Half-way between the eyes, from the top."""
    eyes_apart: float
    """As if the face were seen from the front; turning makes it look narrower."""
    turned_deg: float
    """Away from the camera."""
    roll_deg: float
    """Leaning, clockwise."""
    stride: float
    """Where in the step: -1 left foot lifted, 1 right foot lifted."""
    blurred_px: float
    """Length of the motion blur, 0 for none."""
    opacity: float
    """Less than 1 only while somebody comes out of the haze."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the face, from the forehead to the chin."""
        apart = self.eyes_apart
        half = 1.05 * apart * math.cos(math.radians(self.turned_deg))
        return self.x - half, self.y - 1.1 * apart, self.x + half, self.y + 1.95 * apart

    @property
    def in_frame(self) -> bool:
        """Whether the whole face can be seen, if nobody stands before it."""
        left, top, right, bottom = self.box
        return left >= 0 and top >= 0 and right <= WIDTH_PX and bottom <= HEIGHT_PX


@dataclass(frozen=True, kw_only=True)
class Passage:
    """One person walks towards the camera and past it, in a straight line at an even pace."""

    cut: str
    """A key of the cast."""
    starts_s: float
    """May be negative: already on the way when the video begins."""
    lasts_s: float
    lane_m: tuple[float, float]
    """To the right of the middle of the street, at the start and at the end."""
    distance_m: tuple[float, float]
    """From the camera, at the start and at the end."""
    turned_deg: tuple[float, float] = (0.0, 0.0)
    """Away from the camera, in the first and in the last part of the passage."""
    blurred_s: tuple[tuple[float, float], ...] = ()
    """Spans of seconds since the start in which the face is blurred by motion."""
    blur: float = 0.35
    """Length of that blur, as a share of the distance between the eyes."""

    @property
    def ends_s(self) -> float:
        """When it is over."""
        return self.starts_s + self.lasts_s

    def at(self, second: float) -> Pose | None:
        """Where the person is at a second of the video, or None before and after."""
        since = second - self.starts_s
        if not 0 <= since < self.lasts_s:
            return None
        share = since / self.lasts_s
        distance = _between(self.distance_m, share)
        step = math.sin(math.pi * _STEPS_PER_SECOND * since + 5.0 * self.lane_m[0])
        aside = _between(self.lane_m, share) + 0.018 * step
        below_camera = CAMERA.height_m - EYE_HEIGHT_M - 0.02 * step**2
        per_m = CAMERA.focal_px / distance
        eyes_apart = EYES_APART_M * per_m
        blurred = any(begins <= since < ends for begins, ends in self.blurred_s)
        return Pose(
            x=CAMERA.centre_px + aside * per_m,
            y=CAMERA.horizon_px + below_camera * per_m,
            eyes_apart=eyes_apart,
            turned_deg=self._turned(share),
            roll_deg=1.5 * step,
            stride=math.cos(math.pi * _STEPS_PER_SECOND * since + 5.0 * self.lane_m[0]),
            blurred_px=self.blur * eyes_apart if blurred else 0.0,
            opacity=min(1.0, since / _FADES_IN_S),
        )

    def _turned(self, share: float) -> float:
        """Degrees away from the camera: turns to it in the first part, away in the last."""
        first, last = self.turned_deg
        if share < _TURNING_SHARE:
            return first * (1 - share / _TURNING_SHARE)
        return last * max(0.0, 1 - (1 - share) / _TURNING_SHARE)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A whole video."""

    name: str
    lasts_s: float
    passages: tuple[Passage, ...]

    @property
    def frames(self) -> int:
        """How many frames it has."""
        return round(self.lasts_s * FRAMES_PER_SECOND)

    def at(self, second: float) -> list[tuple[str, Pose]]:
        """Everyone in the street, by cut: the farthest first, as they are drawn."""
        present = [
            (passage.cut, pose)
            for passage in self.passages
            if (pose := passage.at(second)) is not None
        ]
        return sorted(present, key=lambda entry: entry[1].eyes_apart)

    def faces_per_frame(self) -> float:
        """How many whole faces are in the frame, on average, covered ones included."""
        faces = sum(
            pose.in_frame
            for number in range(self.frames)
            for _, pose in self.at(number / FRAMES_PER_SECOND)
        )
        return faces / self.frames


def _passes(
    cut: str,
    starts_s: float,
    lanes: tuple[float, float],
    *,
    farthest_m: float = 20.0,
    pace: float = 1.45,
    turned_deg: tuple[float, float] = (0.0, 0.0),
    blurred_s: tuple[tuple[float, float], ...] = (),
) -> Passage:
    """A passage at a pace in metres per second, until nothing of the person is left to see."""
    return Passage(
        cut=cut,
        starts_s=starts_s,
        lasts_s=round((farthest_m - _NEAREST_M) / pace, 2),
        lane_m=lanes,
        distance_m=(farthest_m, _NEAREST_M),
        turned_deg=turned_deg,
        blurred_s=blurred_s,
    )


DEMO = Schedule(
    name="demo",
    lasts_s=47.0,
    passages=(
        _passes("passer-by 6", -6.5, (-1.6, -0.75), turned_deg=(0, 35)),
        _passes("passer-by 3", -2.0, (1.4, 0.25)),
        _passes("listed, first time", 3.0, (-0.9, -0.12), blurred_s=((9.6, 9.9),)),
        _passes("passer-by 1", 4.5, (0.4, 0.85), turned_deg=(0, 40)),
        _passes("passer-by 7", 8.0, (1.9, 0.3)),
        _passes("passer-by 4", 11.5, (-2.2, -0.3), blurred_s=((7.0, 7.8), (10.4, 10.8))),
        _passes("passer-by 8", 14.5, (0.9, -0.2)),
        _passes("passer-by 5", 17.5, (1.6, 0.95), turned_deg=(25, 30)),
        _passes("passer-by 2", 20.0, (-1.2, -0.85), turned_deg=(0, 40)),
        _passes("passer-by 6", 22.5, (0.2, 0.35), blurred_s=((8.0, 8.6),)),
        _passes("passer-by 3", 26.0, (-2.0, -0.4)),
        _passes("listed, second time", 31.5, (1.3, 0.1), blurred_s=((9.2, 9.5),)),
        _passes("passer-by 8", 29.5, (1.5, 0.8), turned_deg=(0, 35)),
        _passes("passer-by 4", 33.2, (-0.7, -0.9), turned_deg=(0, 40)),
        _passes("passer-by 7", 35.5, (-1.7, -0.2), blurred_s=((8.0, 8.5),)),
        _passes("passer-by 1", 38.5, (-2.9, -0.6)),
    ),
)
"""The demo: one listed man passes twice; around him eight people pass who are on no list."""

SHORT_CLIP = Schedule(
    name="short",
    lasts_s=9.0,
    passages=(
        _passes("listed, first time", 0.8, (-0.5, -0.1), farthest_m=12.0, pace=1.5),
        _passes("passer-by 1", 0.0, (1.0, 0.3), farthest_m=12.0, pace=1.6),
        _passes("passer-by 8", 0.5, (-1.3, -0.7), farthest_m=13.0, turned_deg=(0, 35)),
        _passes("passer-by 2", 1.4, (0.9, 0.35), farthest_m=12.0, blurred_s=((4.4, 4.8),)),
    ),
)
"""For tests: the listed man passes once, among three people who are on no list."""

CROWDED_CLIP = Schedule(
    name="crowded",
    lasts_s=10.0,
    passages=(
        _passes("passer-by 6", -7.5, (-1.2, -0.3)),
        _passes("passer-by 3", -6.0, (1.4, 0.3)),
        _passes("passer-by 8", -4.5, (-0.4, 0.1)),
        _passes("passer-by 1", -3.5, (2.2, 0.5)),
        _passes("passer-by 4", -2.5, (-2.4, -0.4)),
        _passes("listed, first time", -1.6, (0.6, -0.1)),
        _passes("passer-by 7", -0.5, (-1.4, -0.4)),
        _passes("passer-by 5", 0.0, (1.8, 0.4)),
        _passes("passer-by 2", 0.0, (-2.9, -0.6)),
    ),
)
"""For a benchmark: more than four faces in a frame."""


def rendered(
    schedule: Schedule, photographs: Photographs, *, on_progress: Progress | None = None
) -> Path:
    """The schedule's video: H.264 in MP4, 1280x720, 25 frames and one keyframe a second.

    It is drawn once and kept in the cache under the digest of everything it was made from.

    Raises:
        MediaError: a photograph is missing or altered, or the video cannot be written.
    """
    paths = photographs.paths()
    video = photographs.cache / "video" / f"{_digest(schedule, photographs)}.mp4"
    if video.exists():
        return video
    cuts = {passage.cut for passage in schedule.passages if passage.starts_s < schedule.lasts_s}
    figures = {name: figure(CAST[name], paths[CAST[name].photograph]) for name in sorted(cuts)}
    try:
        video.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=video.parent, prefix="unfinished-") as folder:
            unfinished = Path(folder) / video.name
            _encode(drawn(schedule, figures), schedule.frames, unfinished, on_progress)
            unfinished.replace(video)
    except (OSError, av.FFmpegError) as error:
        raise MediaError(
            f"expected to write the video {schedule.name} below {video.parent}, found: {error}; "
            "check the room on the disk and the folder's permissions"
        ) from error
    return video


def drawn(schedule: Schedule, figures: dict[str, Figure]) -> Iterator[Frame]:
    """The frames of a schedule, one after another."""
    empty = street()
    random = np.random.default_rng(_SEED)
    noise = random.normal(_NOISE_MEAN, _NOISE_SIGMA, (HEIGHT_PX + 128, WIDTH_PX + 128, 3))
    grain = np.clip(np.rint(noise), 0, 255).astype(np.uint8)
    for number in range(schedule.frames):
        second = number / FRAMES_PER_SECOND
        frame = empty.copy()
        for cut, pose in schedule.at(second):
            _place(frame, figures[cut], pose)
        exposure = 1 + 0.03 * math.sin(2 * math.pi * second / 17) + 0.004 * random.normal()
        top, left = random.integers(0, 128, 2)
        window = grain[top : top + HEIGHT_PX, left : left + WIDTH_PX]
        yield np.asarray(cv2.addWeighted(frame, exposure, window, 1.0, -_NOISE_MEAN))


def _digest(schedule: Schedule, photographs: Photographs) -> str:
    """SHA-256, hex, over everything that the frames depend on."""
    cuts = {passage.cut: asdict(CAST[passage.cut]) for passage in schedule.passages}
    shown = sorted({CAST[name].photograph for name in cuts})
    made_from = {
        "renderer": _RENDERER,
        "schedule": asdict(schedule),
        "cuts": cuts,
        "photographs": {name: photographs.pinned[name] for name in shown},
    }
    return sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def _place(frame: Frame, person: Figure, pose: Pose) -> None:
    """Draw one person into a frame, over whoever is there already."""
    moved = _to_frame(person, pose)
    left, top, right, bottom = _covered(person, moved, margin=math.ceil(pose.blurred_px) + 2)
    if left >= right or top >= bottom:
        return
    moved[:, 2] -= (left, top)
    window = frame[top:bottom, left:right]
    before = window.copy() if pose.opacity < 1 else window
    _draw_legs(window, person, pose, moved)
    _blend(window, _patch(person, pose, moved, window.shape[1::-1]))
    if pose.opacity < 1:
        cv2.addWeighted(window, pose.opacity, before, 1 - pose.opacity, 0, dst=window)


def _to_frame(person: Figure, pose: Pose) -> NDArray[np.float64]:
    """The affine map, shape (2, 3), from pixels of the figure to pixels of the frame."""
    scale = pose.eyes_apart / (EYES_APART_M * person.px_per_m)
    roll = math.radians(pose.roll_deg)
    leaning = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    linear = leaning @ np.diag([scale * math.cos(math.radians(pose.turned_deg)), scale])
    offset = np.array([pose.x, pose.y]) - linear @ np.array(person.eyes_at)
    return np.column_stack([linear, offset])


def _covered(
    person: Figure, moved: NDArray[np.float64], *, margin: int
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what a person may cover of the frame, feet included."""
    width = person.levels[0].shape[1]
    soles = person.eyes_at[1] + (EYE_HEIGHT_M + 0.1) * person.px_per_m
    corners = np.array([[0, 0], [width, 0], [0, soles], [width, soles]])
    reached = corners @ moved[:, :2].T + moved[:, 2]
    left, top = np.floor(reached.min(axis=0)).astype(int) - margin
    right, bottom = np.ceil(reached.max(axis=0)).astype(int) + margin
    return max(0, left), max(0, top), min(WIDTH_PX, right), min(HEIGHT_PX, bottom)


def _draw_legs(window: Frame, person: Figure, pose: Pose, moved: NDArray[np.float64]) -> None:
    """Draw the legs in a darker shade of the coat; the lifted one looks shorter from the front."""
    per_m = pose.eyes_apart / EYES_APART_M
    trousers = [30 + 0.25 * channel for channel in person.coat]
    middle = np.array([person.throat_at[0], person.eyes_at[1]])
    for side in (-1, 1):
        lifted = 0.13 * max(0.0, side * pose.stride)
        hip = middle + np.array([0.085 * side, HIP_M - 0.1]) * person.px_per_m
        foot = middle + np.array([0.095 * side, EYE_HEIGHT_M - 0.06 - lifted]) * person.px_per_m
        start, end = (moved[:, :2] @ point + moved[:, 2] for point in (hip, foot))
        cv2.line(
            window,
            (round(start[0]), round(start[1])),
            (round(end[0]), round(end[1])),
            trousers,
            max(1, round(0.14 * per_m)),
            cv2.LINE_AA,
        )


def _patch(
    person: Figure, pose: Pose, moved: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """The figure as it lies over a window of the frame: uint8, shape (h, w, 4), multiplied."""
    scale = pose.eyes_apart / (EYES_APART_M * person.px_per_m)
    level = min(len(person.levels) - 1, max(0, math.floor(-math.log2(scale))))
    # A pixel of level k covers 2^k pixels of the first one; their middles lie (2^k - 1) / 2 on.
    wide = 2.0**level
    from_level = moved @ np.array([[wide, 0, (wide - 1) / 2], [0, wide, (wide - 1) / 2], [0, 0, 1]])
    patch = cv2.warpAffine(person.levels[level], from_level, size, flags=cv2.INTER_LINEAR)
    if (length := round(pose.blurred_px)) > 1:
        patch = cv2.blur(patch, (length, max(1, length // 4)))
    return np.asarray(patch, np.uint8)


def _blend(window: Frame, patch: NDArray[np.uint8]) -> None:
    """Lay a patch with multiplied colours over a window of the frame."""
    uncovered = cv2.cvtColor(255 - patch[..., 3], cv2.COLOR_GRAY2BGR)
    kept = cv2.multiply(window, uncovered, scale=1 / 255)
    cv2.add(kept, patch[..., :3], dst=window)


def _encode(frames: Iterable[Frame], count: int, video: Path, on_progress: Progress | None) -> None:
    """Encode frames as a camera would: even keyframes and no frame that waits for a later one."""
    with av.open(str(video), "w") as container:
        stream = container.add_stream(
            "libx264",
            rate=FRAMES_PER_SECOND,
            # A fixed number of threads, because it changes the bytes.
            options={
                "crf": "20",
                "preset": "veryfast",
                "bf": "0",
                "sc_threshold": "0",
                "threads": "2",
            },
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.gop_size = FRAMES_PER_SECOND
        stream.time_base = Fraction(1, FRAMES_PER_SECOND)
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
            picture.pts = number
            container.mux(stream.encode(picture))
            if on_progress is not None:
                on_progress(number + 1, count)
        container.mux(stream.encode())


def _between(ends: tuple[float, float], share: float) -> float:
    """The value that lies a share of the way from the first to the second."""
    return ends[0] + (ends[1] - ends[0]) * share

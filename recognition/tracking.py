"""Which detections are the same face, from where they are alone.

Promises: no appearance is looked at, so that following a face is not recognising it; the same
detections at the same times give the same tracks; every face that is handed on for embedding was
counted before.

A track counts as opened at its second detection, and is handed out from then on. A detector's
ghosts last one frame: counting from the first would inflate the faces seen. Nothing is embedded of
what was seen once, so nothing that was processed goes uncounted; ``dismissed`` counts it. A worker
so slow that a face is never found twice within ``lost_after_ms`` counts none: it shows as a growing
``dismissed``.

When in doubt a track ends and another is opened. One person counted twice is a smaller wrong than
two persons in one track, which would mix their faces in one decision.

Source: ByteTrack (Zhang et al., ECCV 2022) for the two rounds, sure detections first. Pairs are
taken nearest first: in simulated crowds of 4,080 people (5 to 25 frames a second, some dropped) 268
of 4,636 tracks held two people, with the assignment of least total cost 268 of 4,631, and nearest
first needs no other library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recognition.detections import Detection

SURE_SCORE = 0.6
"""From here on a detection may open a track; one less sure only continues one."""

_REACH = 0.3
"""How far from its prediction a face may be found, in sizes of the face."""
_REACH_PER_S = 1.5
"""What is added for each second since it was last seen: people change pace and direction."""
_REACH_FIRST_PER_S = 9.0
"""The same for a face seen once, whose velocity is unknown. A face is 0.16 m wide and a brisk walk
is 1.5 m/s: nine widths a second."""
_REACH_MOST = 1.5
"""Half the way to a neighbour: shoulders are nearly three faces wide."""
_GROWTH_MOST = 0.4
"""Of the logarithm of the size: what is half as large again is another face."""

_FOLLOW_PLACE, _FOLLOW_VELOCITY = 0.8, 0.25
"""Gains of an alpha-beta filter: the part of a surprise that moves place and velocity."""


@dataclass(frozen=True)
class Track:
    """One face followed over frames, as it stood when it was handed out."""

    ordinal: int
    """From 1, in the order in which tracks were opened."""
    first_seen_ms: int
    """Capture time of the first detection."""
    last_seen_ms: int
    detections: int
    """How often it was detected, at least 2."""


@dataclass(frozen=True)
class TrackerStep:
    """What one frame changed."""

    active: list[tuple[Track, Detection]]
    """Every counted face that was detected in this frame, by ordinal."""
    ended: list[Track]
    """Every counted face that was given up, by ordinal. It does not come back."""


class Tracker:
    """The faces of one camera in one run.

    Args:
        lost_after_ms: a face that was not detected for longer than this, in capture time, is gone.
        confirm_within_ms: a face seen once is dismissed in the first frame without it that is
            later than this.
    """

    def __init__(self, *, lost_after_ms: int = 600, confirm_within_ms: int = 200) -> None:
        self.opened = 0
        """Faces counted so far: never falls, and is the ordinal of the newest track."""
        self.dismissed = 0
        """Faces that were detected once and no second time."""
        self._lost_after_ms = lost_after_ms
        self._confirm_within_ms = confirm_within_ms
        self._followed: list[_Followed] = []
        self._now_ms = 0

    def follow(self, captured_ms: int, detections: Sequence[Detection]) -> TrackerStep:
        """Take in the detections of one frame.

        Args:
            captured_ms: capture time of the frame; never less than that of the frame before.
            detections: all faces of the frame, in any order.

        Raises:
            ValueError: the frame is older than the one before.
        """
        if captured_ms < self._now_ms:
            raise ValueError(f"expected a frame of {self._now_ms} ms or later, found {captured_ms}")
        self._now_ms = captured_ms
        ended = self._give_up(lambda face: captured_ms - face.last_ms > self._lost_after_ms)
        found = self._associate(
            captured_ms, sorted(detections, key=lambda found: (found.box, found.score))
        )
        self._give_up(
            lambda face: (
                face.ordinal is None and captured_ms - face.last_ms > self._confirm_within_ms
            )
        )
        active = [(track, detection) for face, detection in found if (track := face.track())]
        return TrackerStep(active=sorted(active, key=lambda pair: pair[0].ordinal), ended=ended)

    def flush(self) -> list[Track]:
        """End every track: the run is over. Returns those that were counted, by ordinal."""
        return self._give_up(lambda face: True)

    def _give_up(self, is_over: Callable[[_Followed], bool]) -> list[Track]:
        over = [face for face in self._followed if is_over(face)]
        self._followed = [face for face in self._followed if not is_over(face)]
        ended = [track for face in over if (track := face.track())]
        self.dismissed += len(over) - len(ended)
        return sorted(ended, key=lambda track: track.ordinal)

    def _associate(
        self, now_ms: int, detections: Sequence[Detection]
    ) -> list[tuple[_Followed, Detection]]:
        """Give each detection to at most one face, and open a face for each sure one left over."""
        sure = [detection for detection in detections if detection.score >= SURE_SCORE]
        unsure = [detection for detection in detections if detection.score < SURE_SCORE]
        found = _assigned(self._followed, sure, now_ms)
        taken = {id(face) for face, _ in found}
        counted_left = [
            face for face in self._followed if face.ordinal is not None and id(face) not in taken
        ]
        found += _assigned(counted_left, unsure, now_ms)
        used = {id(detection) for _, detection in found}
        for face, detection in found:
            face.see(now_ms, detection)
            if face.ordinal is None:
                self.opened += 1
                face.ordinal = self.opened
        self._followed += [
            _Followed(now_ms, detection) for detection in sure if id(detection) not in used
        ]
        return found


class _Followed:
    """A face's place, size and velocity, in pixels and seconds of capture time."""

    def __init__(self, now_ms: int, detection: Detection) -> None:
        self.ordinal: int | None = None
        self.first_ms = self.last_ms = now_ms
        self.detections = 1
        self.x, self.y = detection.centre
        self.log_size = _log_size(detection)
        self.vx = self.vy = 0.0

    def expected(self, now_ms: int) -> tuple[float, float, float, float]:
        """Where it should be, the logarithm of its size, and how long it was not seen, seconds."""
        gap_s = (now_ms - self.last_ms) / 1000
        return self.x + self.vx * gap_s, self.y + self.vy * gap_s, self.log_size, gap_s

    def reach(self, gap_s: float) -> float:
        """How far from there it may be found, in sizes."""
        per_s = _REACH_FIRST_PER_S if self.detections == 1 else _REACH_PER_S
        return min(_REACH_MOST, _REACH + per_s * gap_s)

    def see(self, now_ms: int, detection: Detection) -> None:
        """Take in where it was found."""
        x, y, _, gap_s = self.expected(now_ms)
        found_x, found_y = detection.centre
        surprise_x, surprise_y = found_x - x, found_y - y
        self.x, self.y = x + _FOLLOW_PLACE * surprise_x, y + _FOLLOW_PLACE * surprise_y
        self.log_size += _FOLLOW_PLACE * (_log_size(detection) - self.log_size)
        if gap_s > 0:
            gain = (1.0 if self.detections == 1 else _FOLLOW_VELOCITY) / gap_s
            self.vx += gain * surprise_x
            self.vy += gain * surprise_y
        self.last_ms = now_ms
        self.detections += 1

    def track(self) -> Track | None:
        """What may be handed out of it: nothing before it was counted."""
        if self.ordinal is None:
            return None
        return Track(self.ordinal, self.first_ms, self.last_ms, self.detections)


def _log_size(detection: Detection) -> float:
    """Of the square root of the box's area."""
    return math.log(detection.width * detection.height) / 2


def _assigned(
    faces: Sequence[_Followed], detections: Sequence[Detection], now_ms: int
) -> list[tuple[_Followed, Detection]]:
    """The pairs within reach, the nearest first, each face and each detection once.

    A pair's distance is the square of the way in sizes, the square of the growth, and the seconds
    for which the face was not seen: of two faces expected in one place, the one that was there a
    moment ago is the one in front.
    """
    if not faces or not detections:
        return []
    expected = np.array([face.expected(now_ms) for face in faces])
    found = np.array([(*detection.centre, _log_size(detection)) for detection in detections])
    x, y, log_size, gap_s = (column[:, np.newaxis] for column in expected.T)
    growth = found[:, 2] - log_size
    way = np.hypot(found[:, 0] - x, found[:, 1] - y) / np.exp(log_size + growth / 2)
    reach = np.array([[face.reach(gap)] for face, gap in zip(faces, expected[:, 3], strict=True)])
    within = (way <= reach) & (np.abs(growth) <= _GROWTH_MOST)
    distance = np.where(within, way**2 + growth**2 + gap_s, np.inf)
    pairs = []
    for place in np.argsort(distance, axis=None, kind="stable")[: np.count_nonzero(within)]:
        row, column = divmod(int(place), len(detections))
        if within[row, column]:
            pairs.append((faces[row], detections[column]))
            within[row, :] = within[:, column] = False
    return pairs

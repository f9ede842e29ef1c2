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

Source: ByteTrack (Zhang et al., ECCV 2022) for the two rounds, sure detections first; the
assignment is Kuhn's (scipy). It replaced taking the nearest pair first, which gives neighbours who
move together each other's track as soon as frames are dropped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment  # type: ignore[import-untyped]

from recognition.detections import Detection

SURE_SCORE = 0.6
"""From here on a detection may open a track; one less sure only continues one."""

_REACH = 0.6
"""How far from its prediction a face may be found, in sizes of the face."""
_REACH_PER_S = 3.0
"""What is added for each second since it was last seen: people change pace and direction."""
_REACH_FIRST_PER_S = 9.0
"""The same for a track seen once, whose velocity is unknown. A face is 0.16 m wide and a brisk walk
1.5 m/s: nine widths a second."""
_REACH_MOST = 2.0
"""Neighbours stand nearly three widths apart."""
_GROWTH_MOST = 0.45
"""Of the logarithm of the size: a face half as large again is another face."""

_FOLLOW_PLACE = 0.8
_FOLLOW_VELOCITY = 0.35
"""Gains of an alpha-beta filter: the part of the surprise that moves place and velocity."""


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
        """Detections that no second one followed."""
        self._lost_after_ms = lost_after_ms
        self._confirm_within_ms = confirm_within_ms
        self._followed: list[_Followed] = []
        self._now_ms: int | None = None

    def update(self, captured_ms: int, detections: Sequence[Detection]) -> TrackerStep:
        """Take in the detections of one frame.

        Args:
            captured_ms: capture time of the frame; never less than that of the frame before.
            detections: all faces of the frame, in any order.

        Raises:
            ValueError: the frame is older than the one before.
        """
        if self._now_ms is not None and captured_ms < self._now_ms:
            raise ValueError(f"expected a frame of {self._now_ms} ms or later, found {captured_ms}")
        self._now_ms = captured_ms
        ended = self._give_up(lambda track: captured_ms - track.last_ms > self._lost_after_ms)
        found = self._associate(captured_ms, detections)
        self._give_up(
            lambda track: track.ordinal is None
            and captured_ms - track.last_ms > self._confirm_within_ms
        )
        active = [(track.seen(), detection) for track, detection in found if track.ordinal]
        return TrackerStep(active=sorted(active, key=lambda pair: pair[0].ordinal), ended=ended)

    def flush(self) -> list[Track]:
        """End every track: the run is over. Returns those that were counted, by ordinal."""
        return self._give_up(lambda track: True)

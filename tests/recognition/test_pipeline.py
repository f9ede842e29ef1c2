"""The pipeline without models: a detector and a recogniser that answer what a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

import numpy as np
import pytest

from domain.alerts.commands import RaiseAlert
from domain.kernel.commands import Mode
from domain.sightings.commands import RecordFaces, ReportSourceFailure
from recognition import pipeline
from recognition.detections import Detection
from recognition.engine import Engine
from recognition.matching import Gallery
from recognition.pipeline import Pipeline, RunOf
from recognition.sources import FileSource, Frame
from recognition.templates import Template
from recognition.zone import Zone
from tests.support.builders import AT
from tests.support.memory import MemoryClock

ENTRY = UUID(int=1)
LISTED = np.eye(1, 8, dtype=np.float32)


class OneFaceEngine:
    """Sees one face of the listed person in every bright frame."""

    def detect(self, image: Any) -> list[Detection]:
        """One face, or none in a dark frame."""
        landmarks = np.zeros((5, 2), np.float32)
        return [Detection((10.0, 10.0, 60.0, 60.0), landmarks, 0.9)] if image[0, 0, 0] else []

    detect_faint = detect

    def embed(self, image: Any, landmarks: Any) -> Template:
        """The listed person."""
        return Template(LISTED[0].copy(), model_digest="digest")

    def forget_last_face(self) -> None:
        """Nothing is kept."""


class RefusingSink:
    """Rules that refuse every alert."""

    def __init__(self) -> None:
        self.refused: list[int] = []

    def raise_alert(self, command: RaiseAlert) -> bool:
        """No."""
        self.refused.append(command.ordinal)
        return False

    def record_faces(self, command: RecordFaces) -> None:
        """Not what this is about."""

    def report_source_failure(self, command: ReportSourceFailure) -> None:
        """Not what this is about."""


class GoodQuality:
    """A look that passes every gate."""

    reason = None
    score = 0.9


class Frames(list[Frame]):
    """A source of given frames."""

    frame_count_estimate = 0

    def frames(self, on_packet: object) -> Frames:
        """They were never encoded."""
        return self


def bright(shown: Sequence[bool]) -> FileSource:
    """Ten frames a second."""
    frames = Frames(
        Frame(number, number * 100, np.full((100, 100, 3), on, np.uint8))
        for number, on in enumerate(shown)
    )
    return cast(FileSource, frames)


def test_a_refused_alert_suppresses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The listed person passes twice within the cool-down: both alerts are asked for."""
    monkeypatch.setattr(pipeline, "assess", lambda *_: GoodQuality)
    monkeypatch.setattr(pipeline, "norm_reason", lambda *_: None)
    sink = RefusingSink()
    Pipeline(
        engine=cast(Engine, OneFaceEngine()),
        gallery=Gallery(LISTED.copy(), [ENTRY], model_digest="digest"),
        zone=Zone(((0, 0), (1000, 0), (1000, 1000), (0, 1000))),
        of=RunOf(uuid4(), uuid4(), "camera-1", Mode.REHEARSAL, Decimal("0.4")),
        sink=sink,
        clock=MemoryClock(AT),
    ).run(bright([True] * 12 + [False] * 12 + [True] * 12))
    assert sink.refused == [1, 2]

"""A canary run: the rehearsal's own script, with an engine that tells the searcher what it makes.

Nothing of the run is a stand-in for the real thing: detector, recogniser, comparison, tracker,
decision, vault and record are those of every run. The engine only tells, from the very buffers
that will be wiped, into a socket: it makes no copy.

The templates of the list are told too; its photograph is not: that is no passer-by's, and files
that somebody brings go through decoders that keep pieces of them in memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from api.bootstrap import Node
from api.canary.faces import THRESHOLD, staged
from api.rehearsal.script import RECOGNITION_IS_ON, Listener, Play, rehearse
from domain.deployments.events import DeploymentStarted
from domain.services.canary import CanaryRun
from domain.watchlists.accepted import accepted_values
from recognition.detections import Detection
from recognition.engine import Engine, Image
from recognition.evidence import crop_of
from recognition.models import ModelPackage
from recognition.pipeline import RecogniserSettings
from recognition.templates import Template


class Searcher(Protocol):
    """Another process that is told what lives in this one."""

    def template(self, values: NDArray[np.float32]) -> None:
        """A template that lives: float32, shape (d,)."""

    def picture(self, pixels: NDArray[np.uint8]) -> None:
        """A picture of a face: uint8, shape (h, w, 3), contiguous."""

    def sees_the_newest(self) -> bool:
        """Whether the template told last is found in this process's memory."""


class TellingEngine(Engine):
    """The engine, telling of each face that it turns into a template."""

    def __init__(self, package: ModelPackage, searcher: Searcher) -> None:
        self._searcher = searcher
        self._found: Sequence[Detection] = ()
        self.seen_alive: bool | None = None
        """Whether the first template of a passer-by was found in memory while it lived."""
        self.recognising = False
        """Whether the faces that come are those of passers-by."""
        super().__init__(package)

    def detect(self, image_bgr: Image, *, min_score: float = 0.6) -> list[Detection]:
        """As above."""
        found = super().detect(image_bgr, min_score=min_score)
        self._found = found
        return found

    def detect_faint(self, image_bgr: Image) -> list[Detection]:
        """As above. It looks for whom to mask; the faces that are followed stay the same."""
        followed = self._found
        try:
            return super().detect_faint(image_bgr)
        finally:
            self._found = followed

    def embed(self, image_bgr: Image, landmarks: NDArray[np.float32]) -> Template:
        """As above; the searcher knows the face and its template from now on."""
        if self.recognising:
            self._tell(self.align(image_bgr, landmarks))
            for one in self._found:
                if one.landmarks is landmarks:
                    self._tell(crop_of(image_bgr, one).copy())
        template = super().embed(image_bgr, landmarks)
        self._searcher.template(template.values)
        if self.recognising and self.seen_alive is None:
            self.seen_alive = self._searcher.sees_the_newest()
        return template

    def _tell(self, own_copy: Image) -> None:
        self._searcher.picture(own_copy)
        own_copy.fill(0)


@dataclass
class _Telling:
    """What is said while it plays."""

    engine: TellingEngine
    tell: Callable[[str], None]

    def step(self, words: str) -> None:
        """Tell it, and note when recognition is on."""
        self.engine.recognising = words == RECOGNITION_IS_ON
        self.tell(words)


def play(
    node: Node,
    package: ModelPackage,
    searcher: Searcher,
    *,
    played_in: str,
    today: date,
    tell: Callable[[str], None],
) -> tuple[CanaryRun, Engine]:
    """Play a whole run of drawn faces.

    Returns:
        What the run was, and the engine, which stays in memory as it does between two runs.
    """
    engine = TellingEngine(package, searcher)
    before = node.record.size()
    with tempfile.TemporaryDirectory(prefix="plumbline-canary-") as folder:
        drawn = staged(Path(folder), today=today)
        summary = rehearse(
            node,
            Play(
                watchlist=drawn.csv,
                images=drawn.images,
                video=str(drawn.video),
                threshold=Decimal(THRESHOLD),
                accepted=accepted_values(),
                settings=RecogniserSettings.for_model(package),
            ),
            engine,
            Listener(step=_Telling(engine, tell).step),
        )
    started = next(
        entry.event
        for entry in node.outside.record.history(after=before - 1)
        if isinstance(entry.event, DeploymentStarted)
    )
    run = CanaryRun(
        deployment=UUID(summary.deployment),
        run=started.run,
        played_in=played_in,
        alerts=len(summary.alerts),
        seen_alive=bool(engine.seen_alive),
        precautions=started.precautions,
    )
    return run, engine

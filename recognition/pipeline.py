"""Frames in, commands out: detect, follow, gate, embed, match.

The pipeline never stores, decides or notifies: it hands commands to a sink. It promises that

* each face that the tracker opened ends in exactly one command (enrolled and discarded, not
  enrolled, suppressed, or a possible match);
* below the threshold nothing leaves the matcher, neither a nearest entry nor a score;
* every template of a passer-by is overwritten before the next frame is taken, and the time that
  it existed is measured; so is the frame itself.

Source: architecture, decision 2 and "What flows"; recognition, "Pipeline rules".
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TypedDict
from uuid import UUID

from domain.alerts.commands import RaiseAlert
from domain.kernel.codes import code_of
from domain.kernel.commands import Mode, Role
from domain.kernel.references import new_reference
from domain.ports import Clock, CommandSink
from domain.sightings.commands import (
    Enrolled,
    FaceEnded,
    NotEnrolled,
    RecordFaces,
    ReportSourceFailure,
    Suppressed,
)
from recognition.detections import Detection
from recognition.engine import Engine
from recognition.evidence import material_of
from recognition.matching import CoolDown, Gallery, TrackScore, threshold
from recognition.models import DEFAULT_NAME, ModelPackage
from recognition.quality import PROBE_GATES, Gates, Reason, assess, norm_reason
from recognition.sources import FileSource, Frame, SourceError, VideoPacket
from recognition.templates import Template
from recognition.tracking import Track, Tracker
from recognition.zone import Zone

STORE_EVERY_S = 1.0
"""Outcomes are stored in one transaction at most this often (architecture, decision 2)."""
REPORT_EVERY_S = 5.0
"""The worker's counters are stored this often."""


LEAST_WEIGHT = 0.01
"""Of a frame that passed the gates: what is good enough to embed counts for something."""


@dataclass(frozen=True)
class RecogniserSettings:
    """The limits that a run works by; recorded when it starts."""

    gates: Gates = PROBE_GATES
    cool_down_ms: int = 10_000
    """After an entry was last seen, before it may alert again. Capture time."""
    fewest_frames: int = 3
    """Good frames before anything is decided about a face."""
    most_embeddings: int = 12
    """Embeddings of one face, at most."""
    frames_between: int = 3
    """Frames between two embeddings of one face: neighbours say the same thing twice."""
    embed_again_at: float = 1.1
    """A face is embedded again once its quality is this many times its best so far."""

    @classmethod
    def for_model(cls, package: ModelPackage) -> RecogniserSettings:
        """The limits for a model: the norm of an embedding is gated only where it was measured."""
        if package.name == DEFAULT_NAME:
            return cls()
        return cls(gates=replace(PROBE_GATES, embedding_norm=0))

    def as_recorded(self) -> dict[str, str]:
        """The limits as ``deployment.started`` keeps them."""
        return {
            "cool_down_ms": str(self.cool_down_ms),
            "fewest_frames": str(self.fewest_frames),
            "most_embeddings": str(self.most_embeddings),
            "frames_between": str(self.frames_between),
            "embed_again_at": str(self.embed_again_at),
            **{f"gate_{name}": str(limit) for name, limit in asdict(self.gates).items()},
        }


@dataclass(frozen=True)
class RunOf:
    """What every command of this run says."""

    deployment: UUID
    run: UUID
    camera: str
    mode: Mode
    threshold: Decimal


class _ByTheRecogniser(TypedDict):
    scope: str
    mode: Mode
    actor: str
    role: Role
    at: datetime
    deployment: UUID


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    frames: int
    frames_in_all: int | None
    seen: int
    captured_ms: int


@dataclass
class _Following:
    """What is known of one face while it is followed. Never stored, never linked to another."""

    score: TrackScore
    embedded: int = 0
    embedded_at_frame: int = -1_000_000
    best_quality: float = 0.0
    reasons: Counter[Reason] = field(default_factory=Counter)
    life_ms: int = 0
    entry: UUID | None = None
    """The entry that it alerted for, or was suppressed for."""


class Pipeline:
    """One camera of one run.

    Args:
        engine: detector and embedder, one thread.
        gallery: the sealed list's templates.
        zone: faces outside it are not followed.
        of: the run.
        sink: takes the commands.
        clock: stamps them.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        gallery: Gallery,
        zone: Zone,
        of: RunOf,
        sink: CommandSink,
        clock: Clock,
        settings: RecogniserSettings | None = None,
    ) -> None:
        self._engine = engine
        self._gallery = gallery
        self._zone = zone
        self._of = of
        self._sink = sink
        self._clock = clock
        self._settings = settings or RecogniserSettings()
        self._threshold = threshold(float(of.threshold))
        self._tracker = Tracker()
        self._following: dict[int, _Following] = {}
        self._cool_down = CoolDown(self._settings.cool_down_ms)
        self._alert_of: dict[UUID, UUID] = {}
        self._ended: list[FaceEnded] = []
        self._ended_at: deque[float] = deque()
        self._frames = 0
        self._stored_at = self._reported_at = time.monotonic()

    def run(
        self,
        source: FileSource,
        *,
        on_packet: Callable[[VideoPacket], None] | None = None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        asked_to_stop: Callable[[], bool] = lambda: False,
    ) -> Progress:
        """Follow every face to its end, until the source is over or someone asks to stop.

        Args:
            source: the camera or file.
            on_packet: is given every packet before it is decoded, to be recorded.
            on_progress: is told how far the run has come, after each frame.
            asked_to_stop: is asked after each frame.

        Raises:
            SourceError: the source could not be read on. What was followed until then has its
                outcome, and the failure has been handed over as a command.
        """
        captured_ms = 0
        try:
            for frame in source.frames(on_packet):
                captured_ms = frame.captured_ms
                try:
                    self._take(frame)
                finally:
                    frame.image.fill(0)
                self._store_if_time()
                on_progress(self._progress(source, captured_ms))
                if asked_to_stop():
                    break
        except SourceError as error:
            self._finish()
            self._sink.report_source_failure(
                ReportSourceFailure(
                    **self._by(),
                    run=self._of.run,
                    camera=self._of.camera,
                    reason=code_of(error),
                    frames=self._frames,
                )
            )
            raise
        self._finish()
        return self._progress(source, captured_ms)

    # -- one frame -----------------------------------------------------------------------------

    def _take(self, frame: Frame) -> None:
        self._frames += 1
        height, width = frame.image.shape[:2]
        inside = [
            one
            for one in self._engine.detect(frame.image)
            if self._zone.contains(one.box, width=width, height=height)
        ]
        step = self._tracker.follow(frame.captured_ms, inside)
        for track, detection in step.active:
            self._look(frame, track, detection)
        for track in step.ended:
            self._end(track)

    def _look(self, frame: Frame, track: Track, detection: Detection) -> None:
        """Take one good look at a face, if it is worth one."""
        face = self._following.setdefault(
            track.ordinal,
            _Following(TrackScore(self._gallery, min_frames=self._settings.fewest_frames)),
        )
        if face.entry is not None:
            if face.entry in self._alert_of:  # a refused alert suppresses nothing
                self._cool_down.seen(face.entry, frame.captured_ms)
            return
        quality = assess(frame.image, detection, self._settings.gates)
        if quality.reason is not None:
            face.reasons[quality.reason] += 1
            return
        if not self._worth_embedding(face, quality.score):
            return
        template = self._engine.embed(frame.image, detection.landmarks)
        try:
            reason = norm_reason(template.norm_before, self._settings.gates)
            if reason is not None:
                face.reasons[reason] += 1
                return
            face.embedded += 1
            face.embedded_at_frame = self._frames
            face.best_quality = max(face.best_quality, quality.score)
            face.score.add(
                template.values,
                model_digest=template.model_digest,
                quality=max(quality.score, LEAST_WEIGHT),
            )
            self._decide(frame, track, detection, face, template)
        finally:
            template.wipe()
            face.life_ms = max(face.life_ms, template.life_ms)

    def _worth_embedding(self, face: _Following, quality: float) -> bool:
        if face.embedded >= self._settings.most_embeddings:
            return False
        if self._frames - face.embedded_at_frame < self._settings.frames_between:
            return False
        if face.embedded < self._settings.fewest_frames:
            return True
        return quality >= face.best_quality * self._settings.embed_again_at

    def _decide(
        self, frame: Frame, track: Track, detection: Detection, face: _Following, template: Template
    ) -> None:
        """Ask the matcher; on a possible match, raise it or count it as suppressed."""
        match = face.score.above(self._threshold)
        if match is None:
            return
        entry = face.entry = match.entry
        if self._cool_down.suppresses(entry, frame.captured_ms):
            self._cool_down.seen(entry, frame.captured_ms)
            self._ended.append(
                Suppressed(
                    ordinal=track.ordinal,
                    alert=self._alert_of[entry],
                    template_life_ms=max(face.life_ms, template.age_ms),
                )
            )
            return
        alert = new_reference()
        if self._raise(alert, entry, frame, track, detection, face, template):
            self._alert_of[entry] = alert
            self._cool_down.seen(entry, frame.captured_ms)

    def _raise(
        self,
        alert: UUID,
        entry: UUID,
        frame: Frame,
        track: Track,
        detection: Detection,
        face: _Following,
        template: Template,
    ) -> bool:
        with material_of(
            frame,
            detection,
            template,
            exceeding=face.score.exceeding(self._threshold),
            detect=self._engine.detect_faint,
        ) as material:
            return self._sink.raise_alert(
                RaiseAlert(
                    **self._by(),
                    alert=alert,
                    run=self._of.run,
                    camera=self._of.camera,
                    ordinal=track.ordinal,
                    first_seen_ms=track.first_seen_ms,
                    captured_ms=frame.captured_ms,
                    entry=entry,
                    threshold=self._of.threshold,
                    model_digest=self._gallery.model_digest,
                    inside_zone=True,
                    template_life_ms=max(face.life_ms, template.age_ms),
                    material=material,
                )
            )

    # -- ends ----------------------------------------------------------------------------------

    def _end(self, track: Track) -> None:
        """Say what became of a face that is no longer followed, and forget it."""
        face = self._following.pop(track.ordinal, None)
        self._ended_at.append(time.monotonic())
        if face is None:
            self._ended.append(
                NotEnrolled(ordinal=track.ordinal, reason="other", template_life_ms=0)
            )
            return
        face.score.wipe()
        if face.entry is not None:
            return  # its alert, refusal or suppression is its end
        if face.embedded:
            self._ended.append(Enrolled(ordinal=track.ordinal, template_life_ms=face.life_ms))
            return
        reason = face.reasons.most_common(1)[0][0] if face.reasons else "other"
        self._ended.append(
            NotEnrolled(ordinal=track.ordinal, reason=reason, template_life_ms=face.life_ms)
        )

    def _finish(self) -> None:
        """End every face that is still followed, and store the last counters."""
        for track in self._tracker.flush():
            self._end(track)
        self._engine.forget_last_face()
        self._store(report=True)

    # -- storing -------------------------------------------------------------------------------

    def _store_if_time(self) -> None:
        now = time.monotonic()
        report = now - self._reported_at >= REPORT_EVERY_S
        if report or (self._ended and now - self._stored_at >= STORE_EVERY_S):
            self._store(report=report)

    def _store(self, *, report: bool) -> None:
        """Hand over what ended since the last time, in one transaction."""
        now = time.monotonic()
        while self._ended_at and now - self._ended_at[0] > 60:
            self._ended_at.popleft()
        self._sink.record_faces(
            RecordFaces(
                **self._by(),
                run=self._of.run,
                camera=self._of.camera,
                faces=self._ended,
                faces_in_the_last_minute=len(self._ended_at),
                progress=(self._frames, self._tracker.opened) if report else None,
            )
        )
        self._ended = []
        self._stored_at = now
        if report:
            self._reported_at = now

    def _by(self) -> _ByTheRecogniser:
        return _ByTheRecogniser(
            scope=self._of.deployment.hex,
            mode=self._of.mode,
            actor=f"system:recogniser/{self._of.camera}",
            role=Role.SYSTEM,
            at=self._clock.now(),
            deployment=self._of.deployment,
        )

    def _progress(self, source: FileSource, captured_ms: int) -> Progress:
        return Progress(
            frames=self._frames,
            frames_in_all=source.frame_count_estimate or None,
            seen=self._tracker.opened,
            captured_ms=captured_ms,
        )

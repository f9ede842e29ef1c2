"""Our whole pipeline against stock insightface on every frame.

Same clip (at least four faces a frame on average), same models, same size of the detector's input,
one thread each, one after the other in one process. Ours: decode, zone, detect, follow, gate,
embed, match, seal, store, with the stand-in's decisions. The baseline: decode,
``insightface.app.FaceAnalysis.get`` on each frame, cosine against the same list. Every listed
person that the baseline finds must be found by ours.
"""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from insightface.app import FaceAnalysis

from api.bootstrap import open_node, today
from api.demo.photographs import Photographs
from api.demo.walk_past import CROWDED_CLIP, rendered
from api.demo.watchlist import Listing, write_watchlist
from api.rehearsal.script import Listener, Play, rehearse
from domain.kernel.commands import Mode
from domain.watchlists.accepted import accepted_values
from infrastructure.settings import Settings
from recognition.engine import Engine, detection_size
from recognition.models import ModelPackage, build
from recognition.pipeline import RecogniserSettings
from recognition.references import read_image
from recognition.sources import FileSource
from tests.benchmarks.figure import Figure

THRESHOLD = "0.42"
REFERENCES = {"listed-1.jpg": "demo-listed-1", "listed-2.jpg": "demo-listed-2"}


def pipeline_vs_insightface() -> Figure:
    """Frames a second of ours, and of the baseline."""
    cv2.setNumThreads(1)
    cache = Settings.read(os.environ).cache
    package = build(cache / "models" / "opencv_zoo")
    photographs = Photographs(cache)
    video = rendered(CROWDED_CLIP, photographs)
    with tempfile.TemporaryDirectory() as folder:
        listing = write_watchlist(
            Path(folder), photographs.paths(), attempted_on=today() - timedelta(days=3)
        )
        our_seconds, frames, our_found = _ours(package, video, listing, Path(folder) / "data")
        seconds, found = _baseline(package, video, listing)
    if not found <= our_found:
        raise RuntimeError(f"the baseline found {found}, ours {our_found}: not a fair comparison")
    return Figure(
        ours=round(frames / our_seconds, 2),
        baseline=round(frames / seconds, 2),
        ratio=round(seconds / our_seconds, 3),
        unit="frames/s",
        n=frames,
    )


def _ours(
    package: ModelPackage, video: Path, listing: Listing, data: Path
) -> tuple[float, int, set[str]]:
    """Seconds from recognition on to recognition off, frames, and who was found."""
    steps: dict[str, float] = {}

    def step(words: str) -> None:
        steps[words.split(";")[0]] = time.perf_counter()

    play = Play(
        watchlist=listing.csv,
        images=listing.images,
        video=str(video),
        threshold=Decimal(THRESHOLD),
        accepted=accepted_values(),
        settings=RecogniserSettings(),
    )
    engine = Engine(package)
    with open_node(data, Mode.REHEARSAL) as node:
        summary = rehearse(node, play, engine, Listener(step=step))
    seconds = steps["ending the deployment"] - steps["recognition is on"]
    return seconds, summary.frames, {alert.entry_ref for alert in summary.alerts}


def _baseline(package: ModelPackage, video: Path, listing: Listing) -> tuple[float, set[str]]:
    """Seconds for decoding and ``FaceAnalysis.get`` on each frame, and who was found."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    analysis = FaceAnalysis(
        str(package.path),
        allowed_modules=["detection", "recognition"],
        providers=["CPUExecutionProvider"],
        sess_options=options,
    )
    source = FileSource(video)
    size = detection_size(source.width, source.height, long_side=640)
    analysis.prepare(ctx_id=-1, det_size=size, det_thresh=0.6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its alignment calls something deprecated
        gallery = np.stack(
            [
                analysis.get(read_image((listing.images / name).read_bytes()))[0].normed_embedding
                for name in REFERENCES
            ]
        )
        found: set[str] = set()
        begun = time.perf_counter()
        for frame in source:
            for face in analysis.get(frame.image):
                similarity = gallery @ face.normed_embedding
                best = int(similarity.argmax())
                if similarity[best] >= float(THRESHOLD):
                    found.add(list(REFERENCES.values())[best])
        return time.perf_counter() - begun, found

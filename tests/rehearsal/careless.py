"""A worker that keeps what it must not: the positive control of a whole canary run.

``python -m tests.rehearsal.careless MEMORY|DISK DATA LOG``: runs ``plumbline custody canary`` with
an engine that keeps copies of templates in memory, or leaves pictures of passers-by beside the
record, templates in a temporary file and in a log.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from api.cli import main
from recognition.engine import Engine, Image
from recognition.templates import Template

IN_MEMORY, ON_DISK = "memory", "disk"

_KEPT: list[bytes] = []


def careless(where: str, data: Path, log: Path) -> None:
    """Spoil the engine of this process."""
    careful = Engine.embed

    def embed(self: Engine, image_bgr: Image, landmarks: NDArray[np.float32]) -> Template:
        template = careful(self, image_bgr, landmarks)
        if where == IN_MEMORY:
            _KEPT.append(template.values.tobytes())
        else:
            _leave(self.align(image_bgr, landmarks), template, data, log)
        return template

    Engine.embed = embed  # type: ignore[method-assign]


def _leave(face: Image, template: Template, data: Path, log: Path) -> None:
    cv2.imwrite(str(data / "record" / "debug.png"), face)
    with log.open("a") as file:
        file.write(f"DEBUG {template.values.tolist()}\n")
    with tempfile.NamedTemporaryFile(prefix="careless-", delete=False) as kept:
        kept.write(base64.b64encode(template.values.tobytes()))


if __name__ == "__main__":
    careless(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    sys.argv = ["plumbline", "custody", "canary", "--data", sys.argv[2], "--log", sys.argv[3]]
    sys.argv.append("--json")
    main()

"""Makes the sample entry of each stored name and shape that has none yet, once it is born.

``python -m tests.architecture.make_samples [NAME...]``: without names, whatever is missing. A
sample that exists is never written again: it is what an older version stored, and every later
version must read it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from domain.catalogue import EVENTS
from tests.contract.record.examples import asked, usual
from tests.support.stores import SQLiteStore

SAMPLES = Path(__file__).parents[1] / "data" / "stored_events"


def sample_file(folder: Path, name: str, shape: int) -> Path:
    """Where the sample of a stored name lies: ``<name>.json``, from the second shape on
    ``<name>.<shape>.json``."""
    return folder / (f"{name}.json" if shape == 1 else f"{name}.{shape}.json")


def newest(folder: Path, name: str) -> Path:
    """Where the sample of the newest shape lies."""
    return sample_file(folder, name, EVENTS[name].SHAPE)


def make(folder: Path, names: Sequence[str]) -> list[Path]:
    """Store an example of each in a fresh record, and keep its entry byte for byte.

    Raises:
        FileExistsError: there is a sample of one of them. None is made then.
    """
    files = [newest(folder, name) for name in names]
    for file in files:
        if file.exists():
            raise FileExistsError(f"{file} is what was stored when the event was born: it stays")
    with tempfile.TemporaryDirectory() as directory:
        store = SQLiteStore.fresh(Path(directory))
        store.open().append(*(usual(EVENTS[name]) for name in names), by=asked())
        store.close()
        rows = store.rows()
    for file, row in zip(files, rows, strict=True):
        with file.open("xb") as written:
            written.write(row.blob + b"\n")
    return files


def main(names: Sequence[str]) -> None:
    """Make the named samples, or all that are missing."""
    missing = [name for name in EVENTS if not newest(SAMPLES, name).exists()]
    for file in make(SAMPLES, names or missing):
        print(file.name)


if __name__ == "__main__":
    main(sys.argv[1:])

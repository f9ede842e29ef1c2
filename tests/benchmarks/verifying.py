"""``verify_vs_recompute``: the verifier on a record's file, against the bare tree of its bytes."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.chunks import root_over
from domain.assurance.notes import SignerKey
from domain.assurance.summing import workers
from domain.assurance.tree import Frontier
from infrastructure.record.event_record import EventRecord
from tests.benchmarks.figure import Figure
from tests.benchmarks.rebuild import fill
from tests.support.stores import ORIGIN, SQLiteStore

ENTRIES = 1_000_000
IN_MEMORY = 2**17
"""Entries whose bytes are held at a time while the bare tree is timed."""
KEY = SignerKey(ORIGIN, bytes(range(32)))

_VERIFY = """
import re, sys
from domain.assurance.command import main
if __name__ == "__main__":
    code = main()
    print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], file=sys.stderr)
    sys.exit(code)
"""
"""The verifier, and what memory it took: the parent's must not be counted with it."""


def verify_vs_recompute(entries: int = ENTRIES) -> Figure:
    """Entries a second through every check of the verifier, and through hashlib alone.

    The verifier is the command itself, from its start to its verdict, with as many processes as
    it takes by itself. The bare tree has the bytes in memory, and reads and checks nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore.fresh(_made(folder))
        record = store.open()
        fill(record, entries)
        size = record.size()
        bare = bare_tree(record)
        store.close()
        sign_for(Path(folder), size, bare.root)
        found = verified(Path(folder))
    seconds = found.seconds
    return Figure(
        ours=round(size / seconds),
        baseline=round(size / bare.seconds),
        ratio=round(bare.seconds / seconds, 3),
        unit="entries/s",
        n=size,
        beside={
            "bytes an entry": round(bare.octets / size),
            "processes": workers(),
            "ratio of processor time": round(bare.processor_s / found.processor_s, 3),
            "peak of the reading process in MiB": round(found.peak_kib / 1024),
        },
    )


def _made(folder: str) -> Path:
    directory = Path(folder) / "record"
    directory.mkdir()
    return directory


@dataclass(frozen=True)
class Verified:
    """What one verification took."""

    seconds: float
    processor_s: float
    """Of all processes together."""
    peak_kib: int


def sign_for(folder: Path, size: int, root: bytes) -> None:
    """Put a key and a checkpoint that was kept elsewhere beside the record of a folder."""
    (folder / "log.vkey").write_text(KEY.verifier().text())
    (folder / "kept").write_text(sign(Checkpoint(ORIGIN, size, root), KEY))


def verified(folder: Path) -> Verified:
    """Run the verifier's own command on the record of a folder.

    Raises:
        RuntimeError: it found something wrong.
    """
    command = [sys.executable, "-c", _VERIFY, str(folder / "record" / "record.db")]
    command += ["--key", str(folder / "log.vkey"), "--checkpoint", str(folder / "kept")]
    begun, before = time.perf_counter(), _children_s()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds, processor_s = time.perf_counter() - begun, _children_s() - before
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return Verified(seconds, processor_s, int(done.stderr.split()[-1]))


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@dataclass(frozen=True)
class Bare:
    """What the hashes alone took, and what they came to."""

    seconds: float
    processor_s: float
    root: bytes
    octets: int


def bare_tree(record: EventRecord) -> Bare:
    """The hashes alone."""
    tree, seconds, processor_s, octets = Frontier(), 0.0, 0.0, 0
    for blobs in _some(record):
        begun, before = time.perf_counter(), time.process_time()
        leaves = [sha256(b"\0" + blob).digest() for blob in blobs]
        full = len(leaves) if len(leaves) == IN_MEMORY else 0
        if full:
            tree.append_complete(root_over(leaves), IN_MEMORY)
        for leaf in leaves[full:]:
            tree.append(leaf)
        seconds += time.perf_counter() - begun
        processor_s += time.process_time() - before
        octets += sum(map(len, blobs))
    return Bare(seconds, processor_s, tree.root(), octets)


def _some(record: EventRecord) -> Iterator[list[bytes]]:
    entries = (blob for _, blob in record.blobs())
    while blobs := list(islice(entries, IN_MEMORY)):
        yield blobs

"""What keeps templates out of core dumps, swap and other programs' hands: asked of the kernel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recognition.precautions import LEAST_LOCKABLE

ROOT = Path(__file__).parents[2]

TOLD = """
import json, os, re, sys
from pathlib import Path
from recognition.precautions import take_precautions
told = take_precautions()
status = Path("/proc/self/status").read_text()
told["locked_kb"] = int(re.search(r"VmLck:\\s+(\\d+)", status).group(1))
print(json.dumps(told))
"""
DIES = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
CAREFUL = "from recognition.precautions import take_precautions; take_precautions(); "


def told_by(before: str = "") -> dict[str, Any]:
    """What a process of its own is told, and what the kernel says of it."""
    done = subprocess.run(
        [sys.executable, "-c", before + TOLD], capture_output=True, text=True, cwd=ROOT, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_core_dumps_and_inspection_are_off_and_memory_is_locked_as_far_as_it_is_told() -> None:
    told = told_by()
    assert told["core_dumps"] == "off"
    assert told["inspection"] == "off"
    assert (told["memory"] == "locked") == (told["locked_kb"] > LEAST_LOCKABLE >> 10)
    areas = Path("/proc/swaps").read_text(encoding="ascii").splitlines()[1:]
    assert told["swap"] == ("present" if areas else "none")


def _limited(kilobytes: int) -> str:
    """A process that is nobody's favourite, and may lock so much."""
    return (
        "import os, resource\n"
        f"resource.setrlimit(resource.RLIMIT_MEMLOCK, ({kilobytes << 10},) * 2)\n"
        "os.setuid(65534)\n"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody with less rights")
@pytest.mark.parametrize(
    ("kilobytes", "told"), [(LEAST_LOCKABLE >> 9, "buffers-locked"), (0, "not-locked")]
)
def test_nothing_is_claimed_that_the_system_did_not_permit(kilobytes: int, told: str) -> None:
    # read as root, before the rights go: somebody else may not open where Python lies
    before = (
        "import codecs, json, re, recognition.precautions; codecs.lookup('ascii')\n"
        + _limited(kilobytes)
    )
    assert told_by(before)["memory"] == told


def _cores_of(program: str, folder: Path) -> list[Path]:
    """What a program that dies leaves behind where it stood."""
    before = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30)); "
    done = subprocess.run(
        [sys.executable, "-c", before + program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == -signal.SIGSEGV
    return list(folder.iterdir())


@pytest.mark.skipif(
    Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").startswith(("|", "/")),
    reason="this system keeps core dumps elsewhere",
)
def test_a_worker_that_crashes_leaves_no_core_dump_and_a_careless_program_does(
    tmp_path: Path,
) -> None:
    for name in ("careful", "careless"):
        (tmp_path / name).mkdir()
    assert _cores_of(DIES, tmp_path / "careless"), "a control: otherwise this would show nothing"
    assert _cores_of(CAREFUL + DIES, tmp_path / "careful") == []


KEPT = """
import mmap, re
from pathlib import Path
import numpy as np
from recognition.precautions import keep_in_memory

def flags_at(address):
    "The kernel's two-letter flags of the mapping at an address (proc(5), VmFlags)."
    inside = False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        if span := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            inside = int(span[1], 16) <= address < int(span[2], 16)
        elif inside and line.startswith("VmFlags:"):
            return set(line.split()[1:])

locked_and_not_dumped = {"lo", "dd"}
buffer = np.frombuffer(mmap.mmap(-1, 4 * mmap.PAGESIZE), np.uint8)
assert not locked_and_not_dumped & flags_at(buffer.ctypes.data)
assert keep_in_memory(buffer)
assert locked_and_not_dumped <= flags_at(buffer.ctypes.data)
"""


def test_a_buffer_that_is_kept_in_memory_is_in_no_swap_and_no_core_dump() -> None:
    done = subprocess.run(
        [sys.executable, "-c", KEPT], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

"""What keeps templates out of core dumps and swap; taken once, and recorded at the start."""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


def take_precautions() -> dict[str, str]:
    """Switch core dumps off and lock memory where the system permits it.

    Returns:
        What was reached, in words that ``deployment.started`` keeps. Nothing is claimed that
        the system did not confirm.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return {
        "core_dumps": "off",
        "memory": "locked" if _lock_memory() else "not locked: the system does not permit it",
        "swap": _swap(),
    }


def _lock_memory() -> bool:
    """Lock pages as they are touched; only where there is no limit that later calls would hit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if soft != resource.RLIM_INFINITY and os.geteuid() != 0:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)


def _swap() -> str:
    """Whether the machine swaps at all (Linux: /proc/swaps has a header and a line for each)."""
    try:
        areas = Path("/proc/swaps").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return "unknown"
    return "present" if areas else "none"

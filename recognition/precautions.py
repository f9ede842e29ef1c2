"""What keeps templates out of core dumps, swap and other programs' hands; recorded at the start.

Promise: nothing is claimed that the system did not confirm, and what could not be had is told.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4
_MADV_DONTDUMP = 16

LEAST_LOCKABLE = 1 << 20
"""Bytes that a process must be allowed to lock for the buffers of passers-by: of a face at a time,
some hundred thousand."""


def take_precautions() -> dict[str, str]:
    """Switch core dumps and inspection off, and lock memory where the system permits it.

    Returns:
        What was reached, as the codes that ``deployment.started`` keeps: ``core_dumps`` ``off``;
        ``inspection`` ``off`` or ``on`` (whether other programs of this user may read this
        process's memory); ``memory`` ``locked``, ``buffers-locked`` (those of templates and of
        what they are made from) or ``not-locked``; ``swap``
        ``none``, ``present`` or ``unknown``.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return {
        "core_dumps": "off",
        "inspection": "off" if _switch_inspection_off() else "on",
        "memory": _memory(),
        "swap": _swap(),
    }


def keep_in_memory(buffer: NDArray[Any]) -> bool:
    """Keep the pages of a buffer out of swap and core dumps, before anything is written to it.

    To be asked again for every new buffer: memory that is given back loses both. Other things on
    the same pages are none the worse for it.

    Args:
        buffer: any shape, contiguous.

    Returns:
        Whether they cannot be swapped out.
    """
    begin = buffer.ctypes.data // mmap.PAGESIZE * mmap.PAGESIZE
    end = -(-(buffer.ctypes.data + buffer.nbytes) // mmap.PAGESIZE) * mmap.PAGESIZE
    address, length = ctypes.c_void_p(begin), ctypes.c_size_t(end - begin)
    _call("madvise", address, length, _MADV_DONTDUMP)
    return _call("mlock", address, length)


def _memory() -> str:
    """What of this process cannot be swapped out."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    without_limit = soft == resource.RLIM_INFINITY or os.geteuid() == 0
    if without_limit and _call("mlockall", _MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT):
        return "locked"
    # tried, not read from the limit: a container may forbid it whatever the limit says
    with mmap.mmap(-1, LEAST_LOCKABLE) as trial:
        return "buffers-locked" if keep_in_memory(np.frombuffer(trial, np.uint8)) else "not-locked"


def _switch_inspection_off() -> bool:
    """Let no other program of this user attach to this process or read its memory.

    It also keeps a core dump from a program that the kernel pipes dumps to: such a program gets
    them whatever the limit on their size is (core(5)).
    """
    _call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)
    return _call("prctl", _PR_GET_DUMPABLE, 0, 0, 0, 0)


def _swap() -> str:
    """Whether the machine swaps at all (Linux: /proc/swaps has a header and a line for each)."""
    try:
        areas = Path("/proc/swaps").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return "unknown"
    return "present" if areas else "none"


def _call(name: str, *arguments: Any) -> bool:
    function: Callable[..., int] = getattr(_libc(), name)
    return function(*arguments) == 0


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)

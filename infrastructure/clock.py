"""The wall clock, watched by the monotonic one."""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, datetime, timedelta

from domain.kernel.time import utc

_UNSYNCHRONISED = 0x0040
"""STA_UNSYNC of Linux's ``adjtimex``: nothing outside the machine keeps its clock."""

SUSPECT_AFTER = timedelta(minutes=5)
"""How far the wall clock may move away from the monotonic clock before it is not believed."""


class SystemClock:
    """The machine's wall clock.

    It is suspect once it has moved more than five minutes further than the monotonic clock
    since the start: somebody set it. A suspect stamp never advances a retention clock
    (architecture, decision 9).
    """

    def __init__(self) -> None:
        self._wall_at_start = datetime.now(UTC)
        self._monotonic_at_start = _since_boot()
        self._doubted = False

    def doubt(self) -> None:
        """Do not believe the wall clock any more: it is far ahead, and nothing confirms that."""
        self._doubted = True

    def believe(self) -> None:
        """Believe the wall clock from here on, as it stands: something else confirmed it."""
        self._doubted = False
        self._wall_at_start = datetime.now(UTC)
        self._monotonic_at_start = _since_boot()

    def now(self) -> datetime:
        """The present instant: UTC, whole milliseconds."""
        return utc(datetime.now(UTC))

    def trusted(self) -> bool:
        """Whether the wall clock has kept pace with the monotonic clock."""
        passed = timedelta(seconds=_since_boot() - self._monotonic_at_start)
        if self._doubted:
            return False
        return abs(datetime.now(UTC) - self._wall_at_start - passed) <= SUSPECT_AFTER


def _since_boot() -> float:
    """Seconds on the clock that nobody can set. It counts while the machine sleeps, too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def kept_by_the_network() -> bool:
    """Whether the kernel says that something outside this machine keeps its clock (NTP)."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        found = _Timex()
        state = libc.adjtimex(ctypes.byref(found))
    except (OSError, AttributeError):
        return False
    return state >= 0 and not found.status & _UNSYNCHRONISED


class _Timex(ctypes.Structure):
    """The beginning of ``struct timex``, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )

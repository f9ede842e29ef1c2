"""The wall clock, watched by the monotonic one."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from domain.kernel.time import utc

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
        self._monotonic_at_start = time.monotonic()

    def now(self) -> datetime:
        """The present instant: UTC, whole milliseconds."""
        return utc(datetime.now(UTC))

    def trusted(self) -> bool:
        """Whether the wall clock has kept pace with the monotonic clock."""
        passed = timedelta(seconds=time.monotonic() - self._monotonic_at_start)
        return abs(datetime.now(UTC) - self._wall_at_start - passed) <= SUSPECT_AFTER

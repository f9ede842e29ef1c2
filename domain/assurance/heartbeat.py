"""The retention worker's signs of life, and the times in which it gave none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.assurance.figures import written
from domain.assurance.holdings import Gap

MOST_SECONDS = 366 * 24 * 3600
"""Between two signs of life of a worker that anybody would call one."""


@dataclass
class Heartbeat:
    """Follows the sweeps, in the order of the log. Two intervals without one are a gap."""

    _last: tuple[datetime, int] | None = None
    """The newest sign, and after how many seconds the next was to come."""
    _gaps: list[Gap] = field(default_factory=list)

    def beat(self, at: datetime, every_s: object) -> None:
        """A sign of life.

        Args:
            at: when.
            every_s: after how many seconds the next is to come; 0 where none is promised.

        Raises:
            ValueError: that is no such number.
        """
        if not isinstance(every_s, int) or not 0 <= every_s <= MOST_SECONDS:
            raise ValueError(f"a worker that comes every {every_s!r} seconds")
        self._gaps.extend(self._since_the_last(at))
        self._last = (at, every_s) if every_s else None

    def gaps(self, now: datetime | None) -> tuple[Gap, ...]:
        """All of them until a time, that which lasts included."""
        return (*self._gaps, *(self._since_the_last(now) if now else []))

    def _since_the_last(self, at: datetime) -> list[Gap]:
        if self._last is None:
            return []
        last, every_s = self._last
        if at - last <= 2 * timedelta(seconds=every_s):
            return []
        return [Gap(written(last), written(at), every_s)]

"""A plot of alerts over the time with recognition on: one mark for each, by what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.kernel.time import read, written

LEFT, RIGHT = 110, 620
ROWS = {"true": 30, "false": 60, "undecided": 90}
"""What an alert is to how far down it stands."""
HEIGHT = 140


@dataclass(frozen=True)
class Mark:
    """One alert."""

    x: float
    y: int
    title: str


@dataclass(frozen=True)
class Timeline:
    """The whole plot; runs are drawn as the spans in which recognition was on."""

    first: str
    last: str
    spans: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]


def timeline(
    alerts: Sequence[tuple[datetime, str, int]], runs: Sequence[Mapping[str, Any]]
) -> Timeline | None:
    """The plot, or nothing where recognition was never on.

    Args:
        alerts: when raised, what it is, and the position of its entry.
        runs: each with ``from``, and ``until`` once it is over (RFC 3339).
    """
    if not runs:
        return None
    begun = [read(one["from"]) for one in runs]
    ends = [read(one.get("until", one["from"])) for one in runs]
    first = min(begun)
    last = max([*ends, *(at for at, _, _ in alerts)])
    width = max((last - first).total_seconds(), 1e-3)

    def x(at: datetime) -> float:
        return round(LEFT + (RIGHT - LEFT) * (at - first).total_seconds() / width, 1)

    return Timeline(
        written(first),
        written(last),
        tuple((x(begin), x(end)) for begin, end in zip(begun, ends, strict=True)),
        tuple(
            Mark(x(at), ROWS[what], f"{what} alert at {written(at)}, position {position}")
            for at, what, position in alerts
        ),
    )

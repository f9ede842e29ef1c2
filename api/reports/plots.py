"""Plots of holdings against their limits, drawn as SVG without anything from outside."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from domain.assurance.holdings import CustodyVerdict, Life
from domain.kernel.time import written

WIDTH, HEIGHT = 640, 190
LEFT = 72
COUNT_TOP, COUNT_BASE = 12, 76
"""The band in which it is drawn how many there were."""
USED_TOP, USED_BASE = 96, 160
"""The band, below it, for the share of the limit that was used: two things, two scales."""
STEPS = 160
"""Points in time that a plot shows."""


@dataclass(frozen=True)
class Plot:
    """One class over time."""

    item_class: str
    svg_area: str
    """Points of the area: how many there were."""
    svg_line: str
    """Points of the line: how much of its limit the oldest had used."""
    limit_y: float
    """Where 100 % of the limit is."""
    most: int
    """The most at a time."""
    highest: int
    """Per cent of its limit that the oldest had used at most."""
    since: str
    until: str
    alternative: str
    """What the plot shows, in words."""


def plots(verdict: CustodyVerdict) -> list[Plot]:
    """One for each class that was ever held."""
    if verdict.as_of is None:
        return []
    by_class: dict[str, list[Life]] = defaultdict(list)
    for one in verdict.lives:
        by_class[one.item_class].append(one)
    now = datetime.fromisoformat(verdict.as_of)
    first = min((one.since for one in verdict.lives), default=now)
    return [_plot(name, by_class[name], first, max(now, first)) for name in sorted(by_class)]


def _plot(item_class: str, lives: list[Life], first: datetime, now: datetime) -> Plot:
    moments = _moments(first, now)
    counts, used = _over(lives, moments)
    most, top = max(counts), max(1.2, *used)
    xs = [LEFT + (WIDTH - LEFT) * place / (len(moments) - 1) for place in range(len(moments))]

    def used_y(share: float) -> float:
        return round(USED_BASE - (USED_BASE - USED_TOP) * share / top, 1)

    room = COUNT_BASE - COUNT_TOP
    heights = [round(COUNT_BASE - room * count / (most or 1), 1) for count in counts]
    # steps: what there was stays until the next moment
    edge = [(xs[0], heights[0])]
    for (_, next_x), (height, next_height) in zip(pairwise(xs), pairwise(heights), strict=True):
        edge += [(next_x, height), (next_x, next_height)]
    area = [(xs[0], COUNT_BASE), *edge, (xs[-1], COUNT_BASE)]
    highest = round(100 * max(used))
    return Plot(
        item_class=item_class,
        svg_area=_points(area),
        svg_line=_points([(x, used_y(share)) for x, share in zip(xs, used, strict=True)]),
        limit_y=used_y(1),
        most=most,
        highest=highest,
        since=written(first),
        until=written(now),
        alternative=(
            f"{item_class}: at most {most} at a time between {written(first)} and "
            f"{written(now)}; the oldest had used at most {highest} % of its limit"
        ),
    )


def _moments(first: datetime, now: datetime) -> list[datetime]:
    span = max(now - first, timedelta(milliseconds=1))
    return [first + span * place / STEPS for place in range(STEPS + 1)]


def _over(lives: list[Life], moments: list[datetime]) -> tuple[list[int], list[float]]:
    """At each moment: how many there were, and the largest share of a limit that was used."""
    counts, used = [0] * len(moments), [0.0] * len(moments)
    first, step = moments[0], moments[1] - moments[0]
    for one in lives:
        begin = max(0, -(-(one.since - first) // step))
        end = len(moments) if one.until is None else -(-(one.until - first) // step)
        allowed = max(one.deadline - one.started, timedelta(milliseconds=1))
        for place in range(begin, max(end, begin + 1) if end <= begin else end):
            if place < len(moments):
                counts[place] += 1
                used[place] = max(used[place], (moments[place] - one.started) / allowed)
    return counts, used


def _points(path: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in path)

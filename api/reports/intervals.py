"""A plot of rates with their intervals, on one scale that shows a millionth beside a half."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log10

from domain.figures.rates import Rate

LEFT, RIGHT = 260, 620
ROW = 26
TOP = 20
_RAISED = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
DECADES = 8
"""From one in a hundred million to one."""


@dataclass(frozen=True)
class Row:
    """One rate."""

    name: str
    y: int
    low_x: float
    high_x: float
    value_x: float | None
    """``None`` where nothing was counted: a proportion of zero has no place on this scale."""
    alternative: str


@dataclass(frozen=True)
class Drawn:
    """The whole plot."""

    rows: tuple[Row, ...]
    height: int
    ticks: tuple[tuple[float, str], ...]


def drawn(rates: Mapping[str, Rate]) -> Drawn:
    """Those rates that have a denominator, one below the other."""
    known = {name: one for name, one in rates.items() if one.of}
    rows = tuple(
        _row(name, one, TOP + ROW * (place + 1)) for place, (name, one) in enumerate(known.items())
    )
    ticks = tuple((_x(10.0**-power), _label(power)) for power in range(DECADES, -1, -1))
    return Drawn(rows, TOP + ROW * (len(rows) + 2), ticks)


def _row(name: str, one: Rate, y: int) -> Row:
    low, high = one.low or 0.0, 1.0 if one.high is None else one.high
    return Row(
        name.replace("_", " "),
        y,
        _x(low),
        _x(high),
        _x(one.count / one.of) if one.count else None,
        f"{name.replace('_', ' ')}: {one.count} of {one.of}, between {low:.3g} and {high:.3g}",
    )


def _x(proportion: float) -> float:
    smallest = 10.0**-DECADES
    share = (log10(max(proportion, smallest)) + DECADES) / DECADES
    return round(LEFT + (RIGHT - LEFT) * share, 1)


def _label(power: int) -> str:
    return "1" if power == 0 else f"10\u207b{_RAISED[power]}"

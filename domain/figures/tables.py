"""What every other report is made of: tables of figures, each row with its places in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.figures.positions import Positions
from domain.ports import Recorded

SMALL = 5
"""A count below this of something about people is not told by itself. Source: 5.2 (k-threshold)."""
NOT_TOLD = "not told"
"""What stands for a count that would single somebody out."""
POSITIONS = "positions"
"""The column that says where in the log a row was counted."""


@dataclass(frozen=True)
class Table:
    """Rows of one kind."""

    name: str
    says: str
    """What a row is, and what is counted."""
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Report:
    """One report."""

    name: str
    title: str
    source: str
    """The duty or question that it answers."""
    entries: int
    """That were read for it."""
    last_position: int
    notes: tuple[str, ...]
    """What it does not say, and why."""
    tables: tuple[Table, ...]


@dataclass
class Reading:
    """What every report notes of the entries that it takes in."""

    entries: int = 0
    last: int = -1

    def over(self, entries: Iterable[Recorded]) -> Iterable[Recorded]:
        """The same entries, counted on their way."""
        for one in entries:
            self.entries, self.last = self.entries + 1, one.position
            yield one


@dataclass
class Tally:
    """Counts by some key, each with its positions."""

    counts: dict[tuple[str, ...], int] = field(default_factory=dict)
    places: dict[tuple[str, ...], Positions] = field(default_factory=dict)

    def add(self, *key: str, at: int, by: int = 1) -> None:
        """Count one more."""
        self.counts[key] = self.counts.get(key, 0) + by
        self.places.setdefault(key, Positions()).add(at)

    def rows(self, told: Callable[[int], Any] = lambda count: count) -> tuple[tuple[Any, ...], ...]:
        """Key, count and positions, ascending by key."""
        return tuple(
            (*key, told(count), str(self.places[key])) for key, count in sorted(self.counts.items())
        )


def meant(codes: Mapping[str, str], code: str) -> str:
    """A code with what it means, where that is known."""
    return f"{code}: {codes[code]}" if code in codes else code

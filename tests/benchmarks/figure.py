"""What a benchmark answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Ours against a baseline that was measured in the same run."""

    ours: float
    baseline: float
    ratio: float
    """Above 1: ours is faster."""
    unit: str
    n: int
    """How many things were measured, in each of the two."""

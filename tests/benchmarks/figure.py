"""What a benchmark answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    beside: Mapping[str, float] = field(default_factory=dict)
    """What belongs beside the ratio to read it, such as its spread."""

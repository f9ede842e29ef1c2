"""The sums that must balance: what the tracker opened against what the record says became of it.

The two sides come from different places: ``seen`` is the tracker's own counter, the outcomes
are counted from stored events. Each face has an ordinal, so an outcome that is missing cannot be
hidden by one that stands twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_SHOWN = 100


class Outcome(StrEnum):
    """What can become of a face."""

    NOT_ENROLLED = "not_enrolled"
    ENROLLED_AND_DISCARDED = "enrolled_and_discarded"
    ALERTED = "alerted"
    SUPPRESSED = "suppressed"
    REFUSED = "refused"
    """A possible match whose alert the rules refused: counted with the interrupted."""


@dataclass
class Sums:
    """What the record says of one run, gathered entry by entry."""

    seen: dict[str, int] = field(default_factory=dict)
    """Camera to faces seen, by the tracker's counter (its last, cumulative value)."""
    outcomes: dict[tuple[str, int], list[Outcome]] = field(default_factory=dict)
    """(camera, ordinal) to what became of the face."""
    lost: dict[str, int] = field(default_factory=dict)
    """Camera to faces that a worker was following when it died, at least."""
    max_template_life_ms: int = 0
    frames: dict[str, int] = field(default_factory=dict)

    def ended(self, camera: str, ordinal: int, outcome: Outcome, template_life_ms: int = 0) -> None:
        """Count one outcome."""
        self.outcomes.setdefault((camera, ordinal), []).append(outcome)
        self.max_template_life_ms = max(self.max_template_life_ms, template_life_ms)

    @property
    def counts(self) -> Counter[Outcome]:
        """How often each outcome stands in the record."""
        return Counter(one for ends in self.outcomes.values() for one in ends)

    @property
    def seen_in_all(self) -> int:
        """Faces seen by all cameras."""
        return sum(self.seen.values())

    @property
    def interrupted(self) -> int:
        """Faces lost with a worker, and possible matches whose alert was refused."""
        return sum(self.lost.values()) + self.counts[Outcome.REFUSED]

    def missing(self) -> list[str]:
        """``camera/ordinal`` of every face that was seen and has no outcome."""
        return [
            f"{camera}/{ordinal}"
            for camera, seen in self.seen.items()
            for ordinal in range(1, seen + 1)
            if (camera, ordinal) not in self.outcomes
        ]

    def doubled(self) -> list[str]:
        """``camera/ordinal`` of every face with two outcomes, or that nobody saw."""
        return [
            f"{camera}/{ordinal}"
            for (camera, ordinal), ends in self.outcomes.items()
            if len(ends) > 1 or not 1 <= ordinal <= self.seen.get(camera, 0)
        ]

    def seen_at_least(self, camera: str) -> int:
        """Faces of a camera that are known from what was stored, counter or ordinal."""
        ordinals = (ordinal for one, ordinal in self.outcomes if one == camera)
        return max(self.seen.get(camera, 0), max(ordinals, default=0))


def sums_balance(sums: Sums) -> bool:
    """Whether every face that was seen has exactly one outcome.

    seen = not enrolled + enrolled and discarded + alerted + suppressed + interrupted, and no
    ordinal stands twice. Source: domain specification, section 3.6; architecture, decision 2.
    """
    missing = Counter(one.rpartition("/")[0] for one in sums.missing())
    # Per camera: one camera's dead worker does not excuse another's forgotten face.
    return missing == Counter(sums.lost) and not sums.doubled()


def shortened(faces: list[str]) -> list[str]:
    """The first hundred, so that a failure cannot outgrow an entry."""
    return faces[:_SHOWN]


def as_fields(sums: Sums) -> Mapping[str, int]:
    """The six sums under the names that the events and the summary use."""
    counts = sums.counts
    return {
        "seen": sums.seen_in_all,
        "not_enrolled": counts[Outcome.NOT_ENROLLED],
        "enrolled_and_discarded": counts[Outcome.ENROLLED_AND_DISCARDED],
        "alerted": counts[Outcome.ALERTED],
        "suppressed": counts[Outcome.SUPPRESSED],
        "interrupted": sums.interrupted,
    }

"""What a canary run came to: faces that nobody has went through, and were looked for afterwards.

A search that found nothing says something only where it was shown to find what is there. So every
place has controls, and a place whose controls were not all found is never called clean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where is looked."""

    RECORD = "record"
    """The directory of the record's database, with its write-ahead log."""
    DATABASE = "postgresql-data"
    """The data directory of the server that holds the record."""
    DATABASE_LOG = "postgresql-wal"
    KEYSTORE = "keystore"
    MEDIA = "media"
    PREMISES = "premises"
    """Everything else below the data directory: keys, checkpoints, tokens."""
    TEMPORARY = "temporary"
    """Directories for temporary files and shared memory: this user's files, changed since."""
    LOGS = "logs"
    SWAP = "swap"
    MEMORY = "memory"
    """All that the worker's process has in memory, when the run is over."""


REQUIRED = frozenset({Place.RECORD, Place.KEYSTORE, Place.MEDIA, Place.PREMISES, Place.MEMORY})
"""What must have been searched. The rest may be closed to whoever asks, and then that is told."""


class PlaceOutcome(StrEnum):
    """What one place came to."""

    CLEAN = "clean"
    FOUND = "found"
    ABSENT = "absent"
    """There is no such thing here: no swap, no log."""
    NOT_READABLE = "not_readable"
    SEARCH_FAILED = "search_failed"
    """Nothing was found, and not all of the controls either."""


class CanaryOutcome(StrEnum):
    """What all came to."""

    CLEAN = "clean"
    FOUND = "found"
    SEARCH_FAILED = "search_failed"


@dataclass(frozen=True)
class Found:
    """What the searcher tells of one place."""

    place: Place
    readable: bool
    absent: bool
    files: int
    """Files, or regions of memory."""
    bytes_read: int
    controls: int
    """What was planted there, or known to be there, and had to be found."""
    controls_found: int
    residue: Mapping[tuple[str, str], int]
    """(``template`` or ``picture``, form) to how many of them lie there."""

    @property
    def outcome(self) -> PlaceOutcome:
        """What it came to."""
        if self.residue:
            return PlaceOutcome.FOUND
        if not self.readable:
            return PlaceOutcome.NOT_READABLE
        if self.absent:
            return PlaceOutcome.ABSENT
        if self.controls == 0 or self.controls_found != self.controls:
            return PlaceOutcome.SEARCH_FAILED
        return PlaceOutcome.CLEAN


@dataclass(frozen=True)
class Searched:
    """What the searcher tells of all."""

    templates: int
    """How many different ones it was told while they lived."""
    pictures: int
    forms: tuple[str, ...]
    places: tuple[Found, ...]


def judged(searched: Searched, *, seen_alive: bool) -> CanaryOutcome:
    """What a canary run came to as a whole.

    Args:
        searched: place by place.
        seen_alive: whether a template was found in the worker's memory while it lived.
    """
    outcomes = {one.place: one.outcome for one in searched.places}
    if PlaceOutcome.FOUND in outcomes.values():
        return CanaryOutcome.FOUND
    required = all(outcomes.get(one) is PlaceOutcome.CLEAN for one in REQUIRED)
    if (
        PlaceOutcome.SEARCH_FAILED in outcomes.values()
        or not required
        or not seen_alive
        or not searched.templates
        or not searched.pictures
    ):
        return CanaryOutcome.SEARCH_FAILED
    return CanaryOutcome.CLEAN


def residue_of(searched: Searched) -> Sequence[tuple[Place, str, str, int]]:
    """Everything that was found: place, content, form, how many."""
    return [
        (one.place, content, form, count)
        for one in searched.places
        for (content, form), count in sorted(one.residue.items())
    ]

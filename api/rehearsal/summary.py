"""What a rehearsal came to: one JSON object, and the same for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class AlertLine:
    """One alert, with the caller's own reference of the entry (read before its destruction)."""

    entry_ref: str
    first_seen_s: float
    """Capture time of the face's first frame, seconds from the first frame."""
    camera: str


_FOR_PEOPLE = frozenset(
    {"footage_kept", "rejected_entries", "stopped_by", "copies_registered", "copies_left"}
)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The figures of one rehearsal. All but the first are counted from the record."""

    deployment: str
    mode: str
    frames: int
    faces_seen: int
    not_enrolled: int
    enrolled_and_discarded: int
    faces_alerted: int
    suppressed_sightings: int
    interrupted: int
    alerts: list[AlertLine] = field(default_factory=list)
    items_registered: int
    items_destroyed: int
    items_remaining: int
    max_template_life_ms: int
    log_size: int
    checkpoint_root: str
    verified: bool
    duration_s: float
    footage_kept: int
    """Segments of footage that outlive the deployment, by their own clock; for people only."""
    rejected_entries: list[str]
    """Line and reasons of each entry that was rejected; for people only."""
    stopped_by: str
    """``video-over``, ``asked-to-stop``, ``authorised-window-over``, ``switched-off-by-another``,
    ``camera-no-longer-authorised`` or ``watchlist-empty``; for people only."""
    copies_registered: int
    """Copies of the list outside the vault; for people only."""
    copies_left: list[str]
    """The kinds of those that nobody has verified to be gone; for people only."""

    def as_json(self) -> dict[str, object]:
        """The object that ``--json`` prints: the agreed fields and no others."""
        told = asdict(self)
        return {name: told[name] for name in told if name not in _FOR_PEOPLE}

    @property
    def emptied(self) -> bool:
        """Whether nothing is left but footage, which has a clock of its own."""
        return self.items_remaining == self.footage_kept

    @property
    def balanced(self) -> bool:
        """Whether every face that was seen has an outcome."""
        return self.faces_seen == (
            self.not_enrolled
            + self.enrolled_and_discarded
            + self.faces_alerted
            + self.suppressed_sightings
            + self.interrupted
        )

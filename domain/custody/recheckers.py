"""Who may sign that destroyed items are gone: the keys of re-checkers, oldest first."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.custody.events import RecheckerEnrolled
from domain.kernel.aggregate import Aggregate
from domain.kernel.references import FORCE, journal

RECHECKERS = journal("recheckers", FORCE)
"""The one stream of a log's re-checkers."""


class Recheckers(Aggregate):
    """Every key that may sign re-checks and inventories."""

    KIND = "register of re-checkers"

    def __init__(self, stream: UUID = RECHECKERS) -> None:
        super().__init__(stream)
        self.keys: dict[str, str] = {}
        """Name to public key (Ed25519, hex)."""

    def enrol(self, name: str, public_key: str, *, at: datetime) -> None:
        """Say that this key may sign from here on. Saying it again changes nothing."""
        if self.keys.get(name) != public_key:
            self.happened(RecheckerEnrolled, at=at, rechecker=name, public_key=public_key)

    def evolve(self, event: RecheckerEnrolled) -> None:
        """Take in one event."""
        self.keys[event.rechecker] = event.public_key

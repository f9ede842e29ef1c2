"""Who may sign that destroyed items are gone: the keys of re-checkers, oldest first."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from domain.custody.commands import EnrolRechecker
from domain.custody.events import EnrolmentRefused, RecheckerEnrolled
from domain.custody.policies import ENROLMENT_POLICIES, EnrolmentFacts
from domain.kernel.aggregate import Aggregate
from domain.kernel.references import FORCE, journal
from domain.kernel.refusals import Refused, refusals

RECHECKERS = journal("recheckers", FORCE)
"""The one stream of a log's re-checkers."""


class Recheckers(Aggregate):
    """Every key that may sign re-checks and inventories."""

    KIND = "register of re-checkers"

    def __init__(self, stream: UUID = RECHECKERS) -> None:
        super().__init__(stream)
        self.keys: dict[str, str] = {}
        """Name to public key (Ed25519, hex)."""

    def decide_enrolment(
        self, command: EnrolRechecker, *, keys_of_the_log: Collection[str], nodes_own: str | None
    ) -> Refused | None:
        """Let this key sign from here on. Asking again changes nothing.

        Args:
            command: who, with which key.
            keys_of_the_log: public keys that sign the log, or did, hex.
            nodes_own: the public key of the node's own re-checker; None where it has none.
        """
        known = self.keys.get(command.rechecker)
        facts = EnrolmentFacts(
            signs_the_log=command.public_key in keys_of_the_log,
            known_with_another_key=known not in (None, command.public_key),
            for_another=command.for_another,
            nodes_own=command.public_key == nodes_own,
        )
        if reasons := refusals(ENROLMENT_POLICIES, facts):
            extra = {"rechecker": command.rechecker}
            return Refused(EnrolmentRefused, reasons, command, self.id, extra)
        if known is None:
            self.happened(
                RecheckerEnrolled,
                at=command.at,
                rechecker=command.rechecker,
                public_key=command.public_key,
            )
        return None

    def evolve(self, event: RecheckerEnrolled) -> None:
        """Take in one event."""
        self.keys[event.rechecker] = event.public_key

"""What was decided of the material of one possible match, when an arrest followed."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from domain.arrests.commands import RecordArrest, RetentionDecision
from domain.arrests.events import ArrestRefused, RetentionDecidedForArrest
from domain.arrests.policies import ARREST_POLICIES, ArrestFacts
from domain.kernel.aggregate import Aggregate
from domain.kernel.closed_lists import ClosedLists, closed_lists
from domain.kernel.references import journal
from domain.kernel.refusals import Refused, refusals


def bases() -> ClosedLists:
    """The closed lists of bases, destinations and classes."""
    return closed_lists("domain.arrests", "bases.toml")


def arrest_after(alert: UUID) -> UUID:
    """The one stream of what was decided for an arrest after a possible match."""
    return journal("arrest", alert.hex)


class Arrest(Aggregate):
    """One decision, taken once."""

    KIND = "arrest"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.decided: RetentionDecidedForArrest | None = None

    def decide(
        self, command: RecordArrest, *, alert_decision: str | None, there: Mapping[str, UUID]
    ) -> Refused | None:
        """Take the decision.

        Args:
            command: what was decided.
            alert_decision: how the possible match was adjudicated; None where nobody did.
            there: class to item, of what the possible match still has.
        """
        closed = bases()
        known = command.decision in set(RetentionDecision)
        facts = ArrestFacts(
            role=command.role,
            alert_decision=alert_decision,
            recorded=self.decided is not None,
            decision=command.decision,
            basis=command.basis,
            bases=closed.codes[command.decision] if known else {},
            item_classes=command.item_classes,
            movable=closed.codes["item_class"],
            there=set(there),
            destination=command.destination,
            destinations=closed.codes["destination"],
        )
        if reasons := refusals(ARREST_POLICIES, facts):
            return Refused(ArrestRefused, reasons, command, command.alert)
        self.happened(
            RetentionDecidedForArrest,
            at=command.at,
            alert=command.alert,
            decider=command.actor,
            decision=command.decision,
            basis=command.basis,
            bases=closed.version,
            items={one: there[one] for one in sorted(set(command.item_classes))},
            destination=command.destination or None,
        )
        return None

    def evolve(self, event: RetentionDecidedForArrest) -> None:
        """Take in one event."""
        self.decided = event

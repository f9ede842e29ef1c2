"""Recording that an arrest followed a possible match, with what became of its material."""

from __future__ import annotations

from uuid import UUID

from domain.alerts.aggregate import Alert
from domain.arrests.aggregate import Arrest, arrest_after
from domain.arrests.commands import RecordArrest
from domain.custody.aggregate import Item
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.alerts import alert_of
from domain.services.carrying_out import carry_out


def record_arrest(outside: Outside, command: RecordArrest) -> Arrest | Refused:
    """Take the decision that an arrest forces; no clock is stopped or extended by it.

    What moves is a copy outside from then on, and the receipts of its items say so.

    Raises:
        NotFoundError: there is no such possible match.
    """
    stream = arrest_after(command.alert)

    def attempt() -> Arrest | Refused:
        alert = alert_of(outside, command.deployment, command.alert)
        there = _items_there(outside, alert)
        arrest = _found_or_new(outside, stream)
        refused = arrest.decide(
            command,
            alert_decision=alert.decision,
            there={item_class: item.id for item_class, item in there.items()},
        )
        if refused:
            return refused
        moved = [there[item_class] for item_class in sorted(set(command.item_classes))]
        for item in moved:
            item.copy_outside(command.destination, at=command.at)
        given = {alert.id: alert.version}
        outside.record.append(arrest, *moved, by=command, given=given, answers=True)
        return arrest

    return carry_out(outside, command, attempt, kind=Arrest, of=stream)


def _items_there(outside: Outside, alert: Alert) -> dict[str, Item]:
    """What the possible match still has, by class."""
    found = {
        item_class: outside.record.load(Item, item)
        for item_class, item in (alert.raised.items if alert.raised else {}).items()
    }
    return {name: item for name, item in found.items() if item.sealed and not item.destruction}


def _found_or_new(outside: Outside, stream: UUID) -> Arrest:
    try:
        return outside.record.load(Arrest, stream)
    except NotFoundError:
        return Arrest(stream)

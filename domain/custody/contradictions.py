"""Where documents of the force and the retention schedule in force say different things.

Inconsistent documents were the regulator's main finding (domain specification, F 8), so this looks
for what disagrees, what a document says of a class that nobody knows, and what none speaks of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.custody.adoption import Schedules
from domain.custody.events import Statement
from domain.custody.schedule import RetentionRule


@dataclass(frozen=True)
class Contradiction:
    """A document and the schedule in force say different things."""

    document: str
    """Which document, as a code; empty where none speaks of the class."""
    version: str
    item_class: str
    about: str
    """``class``, ``limit``, ``start``, ``hold`` or ``silence``."""
    said: str
    scheduled: str


def contradictions(schedules: Schedules) -> list[Contradiction]:
    """Where the newest version of each registered document disagrees with the schedule in force."""
    rules = {one.value: rule for one, rule in schedules.in_force.rules.items()}
    found, spoken_of = [], set()
    for document in schedules.documents.values():
        for one in document.statements:
            spoken_of.add(one.item_class)
            found += [
                Contradiction(document.document, document.version, one.item_class, *difference)
                for difference in _differences(one, rules.get(one.item_class))
            ]
    silent = sorted(rules.keys() - spoken_of) if schedules.documents else []
    return found + [
        Contradiction("", "", one, "silence", "nothing", f"{_seconds(rules[one])} s")
        for one in silent
    ]


def _differences(said: Statement, rule: RetentionRule | None) -> Iterator[tuple[str, str, str]]:
    if rule is None:
        yield "class", said.item_class, "no such class"
        return
    if said.limit_s != _seconds(rule):
        yield "limit", f"{said.limit_s} s", f"{_seconds(rule)} s"
    if said.starts != rule.starts.value:
        yield "start", said.starts, rule.starts.value
    if said.hold_may_extend != rule.hold_may_extend:
        yield "hold", _yes_or_no(said.hold_may_extend), _yes_or_no(rule.hold_may_extend)


def _seconds(rule: RetentionRule) -> int:
    return int(rule.limit.total_seconds())


def _yes_or_no(answer: bool) -> str:
    return "may extend it" if answer else "may not extend it"

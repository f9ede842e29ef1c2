"""How long each class of items may be kept, as this verifier knows the law and the log says.

What an entry claims of its own clock and limit is compared with this and never believed. Source:
domain specification, section 4 (RT-03 to RT-08, RT-10), with its strict readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

DAY = timedelta(hours=24)
FOOTAGE = "footage_segment"
LONGEST_SEGMENT_MS = 60_000
"""Of footage: a hold takes whole segments."""
ALERT = "alert"
OVER = "deployment_end"
"""The clock that the end of the deployment starts."""
FIRST_FRAME = "first_frame"

CEILINGS: Mapping[str, timedelta] = {FOOTAGE: 31 * DAY}
"""The longest that a class may ever be kept, whatever a schedule says; 24 hours for any other."""
CLOCKS: Mapping[str, str] = {
    FOOTAGE: FIRST_FRAME,
    "reference_image": OVER,
    "reference_template": OVER,
    "callers_reference": OVER,
}
"""What starts the clock of a class; the alert for any other."""
ACT = timedelta(minutes=5)
"""How long the destruction itself may take, after a hold ended or a shorter schedule came."""


def moment(text: str) -> datetime:
    """A time that an entry tells.

    Raises:
        ValueError: it is no time, or one without its zone.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without its zone: {text}")
    return at


def clock_of(item_class: str) -> str:
    """What starts the clock of a class."""
    return CLOCKS.get(item_class, ALERT)


def ceiling_of(item_class: str) -> timedelta:
    """The longest that a class may be kept."""
    return CEILINGS.get(item_class, DAY)


@dataclass(frozen=True, slots=True)
class _Rule:
    limit: timedelta
    may_be_held: bool


@dataclass(frozen=True, slots=True)
class _Schedule:
    version: str
    adopted_at: datetime
    rules: Mapping[str, _Rule]


@dataclass
class Limits:
    """The retention schedules that the log adopted, in their order."""

    _schedules: list[_Schedule] = field(default_factory=list)

    def adopt(self, body: Mapping[str, Any], at: datetime) -> Iterator[tuple[str, str]]:
        """A schedule was adopted; gives what it may not say, as codes and sentences."""
        rules = {
            rule["item_class"]: _Rule(
                timedelta(seconds=rule["limit_s"]), bool(rule["hold_may_extend"])
            )
            for rule in body["rules"]
            if rule["item_class"]
        }
        for item_class, rule in rules.items():
            before = self.limit(item_class)
            if rule.limit > before:
                yield (
                    "schedule_lengthened",
                    f"schedule {body['version']} keeps {item_class} for {rule.limit}, until then "
                    f"it was {before}",
                )
            if rule.may_be_held and item_class != FOOTAGE:
                yield (
                    "schedule_allows_holds",
                    f"schedule {body['version']} lets a hold extend {item_class}",
                )
        self._schedules.append(_Schedule(body["version"], at, rules))

    def limit(self, item_class: str) -> timedelta:
        """The limit in force: the ceiling, or what the newest schedule says if that is less."""
        ceiling = ceiling_of(item_class)
        if self._schedules and (rule := self._schedules[-1].rules.get(item_class)):
            return min(ceiling, rule.limit)
        return ceiling

    def may_be_held(self, item_class: str) -> bool:
        """Whether a hold may extend a class, by the schedule in force."""
        if item_class != FOOTAGE:
            return False
        rule = self._schedules[-1].rules.get(item_class) if self._schedules else None
        return rule is None or rule.may_be_held

    def shortened(self, item_class: str, limit: timedelta, start: datetime) -> datetime:
        """The deadline that schedules leave to an item: none that came can postpone it.

        Args:
            item_class: its class.
            limit: the one that was in force when it was registered.
            start: of its clock.
        """
        deadline = start + limit
        for one in self._schedules:
            rule = one.rules.get(item_class)
            if rule is not None and rule.limit < limit:
                deadline = min(deadline, max(start + rule.limit, one.adopted_at + ACT))
        return deadline

    def were_in_force(self, version: str, at: datetime) -> bool:
        """Whether a registration at a time may name this schedule: the newest, or the one before
        where that was replaced a moment ago. Empty: before any was adopted."""
        newest = self._schedules[-1] if self._schedules else None
        if newest is None or newest.version == version:
            return newest is not None or version == ""
        before = self._schedules[-2].version if len(self._schedules) > 1 else ""
        return version == before and at <= newest.adopted_at + ACT

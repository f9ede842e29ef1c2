"""The retention schedule: how long each class of item may be kept, from when, and on what ground.

One object that software, reports, packs and generated texts all read. A limit is a ceiling, never
a target. The one that ships has the strict readings of the domain specification, section 4: a
possible match counts from the alert, a watchlist from the end of its deployment, footage from its
first frame; a hold may extend footage and nothing else (C-02). A force adopts its own by a recorded
command, which may shorten what is kept and never lengthen it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any

from domain.custody.classes import ClockStart, ItemClass
from domain.custody.events import AdoptedRule
from domain.kernel.errors import DomainError

_RULE_KEYS = {"rule", "starts", "limit_s", "hold_may_extend", "source"}


class ScheduleError(DomainError):
    """A schedule cannot be read as one."""


@dataclass(frozen=True)
class RetentionRule:
    """How long one class may be kept."""

    rule: str
    """Its number in the specification, such as ``RT-06``."""
    starts: ClockStart
    limit: timedelta
    """After the start of the clock, at the latest; elapsed time, not local dates."""
    hold_may_extend: bool
    source: str
    """The statute, standard or line of policy that it rests on."""

    @property
    def ends_with_deployment(self) -> bool:
        """Whether the end of the deployment ends it at once, whatever is left of its limit."""
        return self.starts is not ClockStart.FIRST_FRAME


@dataclass(frozen=True)
class RetentionSchedule:
    """One version of the schedule. It cannot be changed, only replaced by another version."""

    version: str
    owner: str
    rules: Mapping[ItemClass, RetentionRule]

    def rule(self, item_class: ItemClass | str) -> RetentionRule:
        """The rule for a class."""
        return self.rules[ItemClass(item_class)]

    @classmethod
    def parse(cls, text: str, where: str) -> RetentionSchedule:
        """Read TOML: ``version``, ``owner`` and a table ``classes.<class>`` for each class.

        Args:
            text: the file.
            where: what to call it in messages.

        Raises:
            ScheduleError: it is not as it must be; says where.
        """
        try:
            read = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ScheduleError(f"{where}: {error}") from error
        if read.keys() != {"version", "owner", "classes"}:
            raise ScheduleError(
                f"{where}: expected version, owner and classes, found {', '.join(sorted(read))}"
            )
        if not isinstance(read["classes"], dict):
            raise ScheduleError(f"{where}: expected a table for each class under classes")
        rules = {
            _class(name, where): _rule(name, rule, where) for name, rule in read["classes"].items()
        }
        return cls(_text(read, "version", where), _text(read, "owner", where), rules)

    @classmethod
    def adopted(cls, version: str, owner: str, rules: list[AdoptedRule]) -> RetentionSchedule:
        """The schedule that an event of its adoption tells."""
        return cls(
            version,
            owner,
            {
                ItemClass(one.item_class): RetentionRule(
                    one.rule,
                    ClockStart(one.starts),
                    timedelta(seconds=one.limit_s),
                    one.hold_may_extend,
                    one.source,
                )
                for one in rules
            },
        )

    def as_adopted(self) -> list[AdoptedRule]:
        """The rules as an event tells them, by class."""
        return [
            AdoptedRule(
                item_class=item_class.value,
                rule=rule.rule,
                starts=rule.starts.value,
                limit_s=int(rule.limit.total_seconds()),
                hold_may_extend=rule.hold_may_extend,
                source=rule.source,
            )
            for item_class, rule in sorted(self.rules.items())
        ]


def _class(name: str, where: str) -> ItemClass:
    try:
        return ItemClass(name)
    except ValueError as error:
        known = ", ".join(one.value for one in ItemClass)
        raise ScheduleError(f"{where}: {name} is no class; known are {known}") from error


def _rule(name: str, rule: Any, where: str) -> RetentionRule:
    place = f"{where}, {name}"
    if not isinstance(rule, dict) or rule.keys() != _RULE_KEYS:
        raise ScheduleError(f"{place}: expected {', '.join(sorted(_RULE_KEYS))}")
    limit, extend = rule["limit_s"], rule["hold_may_extend"]
    if type(limit) is not int or not 0 < limit <= _LONGEST_S:
        raise ScheduleError(f"{place}: expected limit_s from 1 to {_LONGEST_S}, found {limit!r}")
    if type(extend) is not bool:
        raise ScheduleError(f"{place}: expected hold_may_extend to be true or false")
    try:
        starts = ClockStart(rule["starts"])
    except ValueError as error:
        known = ", ".join(one.value for one in ClockStart)
        raise ScheduleError(f"{place}: expected starts to be one of {known}") from error
    return RetentionRule(
        _text(rule, "rule", place),
        starts,
        timedelta(seconds=limit),
        extend,
        _text(rule, "source", place),
    )


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    found = table[key]
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_TEXT:
        raise ScheduleError(f"{where}: expected {key} to be a text of 1 to {_LONGEST_TEXT} signs")
    return found


_LONGEST_S = 10 * 365 * 86_400
_LONGEST_TEXT = 200

BUILT_IN = RetentionSchedule.parse(
    files("domain.custody").joinpath("retention_schedule.toml").read_text(encoding="utf-8"),
    "the schedule that ships",
)
"""The schedule that ships. Its limits are the ceilings of every other one."""

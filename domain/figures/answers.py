"""The questions that are asked of a force under freedom of information, answered from its log.

A force has refused such a request because its data was "not held on a central log". Every answer
here is a sum of deployment records, each of which says where in the log it was counted.

Source: domain specification, 5.1 ("what FOI requesters repeatedly ask") and complaint K-09.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.figures.deployment_record import DeploymentRecord
from domain.figures.rates import FalseAlertRates, false_alert_rates

ADDED = (
    "faces_seen",
    "alerts",
    "true_alerts",
    "false_alerts",
    "undecided_alerts",
    "engagements",
    "confirmed_true_alerts",
    "confirmed_false_alerts",
    "arrests",
    "refusals",
)
"""The figures that are added up over a period."""
QUESTIONS = (
    "When and where was live facial recognition used?",
    "How many entries were on the watchlist each time?",
    "Where did the images come from?",
    "Why were people on the watchlists, and how many for another reason than being wanted?",
    "How many children, and how many people known to be vulnerable, were listed?",
    "How many faces were seen, and how many alerts were there?",
    "How many alerts led to a person being spoken to and their identity being checked?",
    "How many of those were the person on the list, and how many were not?",
    "How many alerts were false?",
    "How many arrests followed?",
    "How often did the rules refuse something?",
)
ADULTS = "18+"


@dataclass(frozen=True)
class Use:
    """One deployment in which recognition was on."""

    deployment: str
    first: str
    """When recognition was first on, RFC 3339."""
    last: str | None
    """When it was last switched off; ``None`` while it is on."""
    location: str
    use_case: str
    entries: int


@dataclass(frozen=True)
class Answers:
    """What is answered for a period."""

    first: date
    last: date
    uses: tuple[Use, ...]
    totals: dict[str, int]
    wanted: frozenset[str]
    """The categories of people who are wanted or suspected."""
    by_category: dict[str, int]
    by_source_system: dict[str, int]
    by_age_band: dict[str, int]
    vulnerable: int
    outcomes: dict[str, int]
    refusals: dict[str, int]
    false_alert_rates: FalseAlertRates

    @property
    def for_another_reason(self) -> int:
        """Entries of people who were neither wanted nor suspected."""
        return sum(count for one, count in self.by_category.items() if one not in self.wanted)

    @property
    def children(self) -> int:
        """Entries of people under 18."""
        return sum(count for band, count in self.by_age_band.items() if band != ADULTS)


def answered(
    records: Iterable[DeploymentRecord], *, first: date, last: date, wanted: frozenset[str]
) -> Answers:
    """The answers for a period.

    A deployment belongs to the day (UTC) on which recognition was first on; one in which it never
    was took place nowhere.

    Args:
        records: of all deployments.
        first: the first day of the period,
        last: and the last, which is in it.
        wanted: the categories of people who are wanted or suspected.
    """
    used = [one for one in records if _began(one) is not None]
    within = [one for one in used if first <= _day(one) <= last]
    within.sort(key=lambda one: str(_began(one)))
    totals = {name: sum(_value(one, name) for one in within) for name in ADDED}
    return Answers(
        first=first,
        last=last,
        uses=tuple(_use(one) for one in within),
        totals=totals,
        wanted=wanted,
        by_category=_added(within, "by_category"),
        by_source_system=_added(within, "by_source_system"),
        by_age_band=_added(within, "by_age_band"),
        vulnerable=sum(one.facts.get("vulnerable_entries", 0) for one in within),
        outcomes=_added(within, "outcomes"),
        refusals=_added(within, "refusals"),
        false_alert_rates=false_alert_rates(
            false=totals["false_alerts"],
            faces=max(totals["faces_seen"], totals["alerts"]),
            alerts=totals["alerts"],
        ),
    )


def _runs(record: DeploymentRecord) -> Sequence[dict[str, Any]]:
    runs: Sequence[dict[str, Any]] = record.facts["runs"]
    return runs


def _began(record: DeploymentRecord) -> str | None:
    return str(_runs(record)[0]["from"]) if _runs(record) else None


def _day(record: DeploymentRecord) -> date:
    return date.fromisoformat(str(_began(record))[:10])


def _use(record: DeploymentRecord) -> Use:
    facts = record.facts
    return Use(
        deployment=facts["deployment"],
        first=str(_began(record)),
        last=_runs(record)[-1].get("until"),
        location=facts.get("location", ""),
        use_case=facts.get("use_case", ""),
        entries=_value(record, "watchlist_entries"),
    )


def _value(record: DeploymentRecord, name: str) -> int:
    return next(one.value or 0 for one in record.figures if one.name == name)


def _added(records: Iterable[DeploymentRecord], name: str) -> dict[str, int]:
    total = Counter[str]()
    for one in records:
        total.update(one.breakdowns.get(name, {}))
    return dict(sorted(total.items()))

"""Reports over many deployments: the year, and what became of whom by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from domain.alerts.events import AlertAdjudicated, AlertRaised
from domain.engagements.events import EngagementEnded, EngagementStarted, IdentityEstablished
from domain.figures.answers import ADDED
from domain.figures.deployment_record import DEFINITIONS, DeploymentRecord
from domain.figures.positions import Positions
from domain.figures.rates import Rate, false_alert_rates
from domain.figures.tables import NOT_TOLD, POSITIONS, SMALL, Reading, Report, Table, Tally
from domain.ports import Recorded
from domain.watchlists.events import EntryAccepted, EntryProposed

YEARLY = (*ADDED, "recognising_s", "force_used", "handcuffed", "false_alerts_reviewed")


def annual(
    records: Sequence[DeploymentRecord],
    *,
    first: date,
    last: date,
    entries: int,
    last_position: int,
) -> Report:
    """Totals of a period, by use case, place and category, with both rates of false alerts.

    Args:
        records: of all deployments.
        first: the first day of the period,
        last: and the last, which is in it.
        entries: that the records were counted from.
        last_position: of the last of them.
    """
    within = [one for one in records if _used_within(one, first, last)]
    totals = {name: sum(_value(one, name) for one in within) for name in YEARLY}
    rates = false_alert_rates(
        false=totals["false_alerts"],
        faces=max(totals["faces_seen"], totals["alerts"]),
        alerts=totals["alerts"],
    )
    return Report(
        "annual",
        f"Annual report, {first.isoformat()} to {last.isoformat()}",
        "domain specification, 5.3 (public annual report)",
        entries,
        last_position,
        (
            "A deployment belongs to the day (UTC) on which recognition was first on.",
            "Faces seen are not persons: one person can be many faces.",
            "True recognition rate: not measured, unless a deployment's own record says otherwise.",
        ),
        (
            Table(
                "totals",
                "each figure added up over the deployments of the period",
                ("figure", "value", "what it counts", POSITIONS),
                tuple(
                    (name, totals[name], DEFINITIONS[name], _places(within, name))
                    for name in YEARLY
                ),
            ),
            Table(
                "false_alert_rates",
                "both rates, always together, with exact 95 % intervals",
                ("rate", "counted", "of", "value", "low", "high"),
                (
                    _rate_row("false_alerts_of_faces_seen", rates.of_faces),
                    _rate_row("false_alerts_of_alerts", rates.of_alerts),
                ),
            ),
            _grouped(within, "use_case"),
            _grouped(within, "location"),
            _broken_down(within, "by_category", "entries of the lists by category"),
            _broken_down(within, "outcomes", "outcomes of engagements, as they stand"),
            _broken_down(within, "false_alert_causes", "what reviews of false alerts found"),
            Table(
                "deployments",
                "each deployment of the period",
                ("deployment", "use case", "place", "faces", "alerts", "false", "arrests"),
                tuple(
                    (
                        one.facts["deployment"][:8],
                        one.facts.get("use_case", ""),
                        one.facts.get("location", ""),
                        *(
                            _value(one, name)
                            for name in ("faces_seen", "alerts", "false_alerts", "arrests")
                        ),
                    )
                    for one in within
                ),
            ),
        ),
    )


def _used_within(record: DeploymentRecord, first: date, last: date) -> bool:
    runs = record.facts.get("runs") or []
    return bool(runs) and first <= date.fromisoformat(runs[0]["from"][:10]) <= last


def _value(record: DeploymentRecord, name: str) -> int:
    return next((one.value or 0 for one in record.figures if one.name == name), 0)


def _places(records: Iterable[DeploymentRecord], name: str) -> str:
    told = (one.positions for record in records for one in record.figures if one.name == name)
    return ", ".join(one for one in told if one)


def _rate_row(name: str, rate: Rate) -> tuple[Any, ...]:
    return (name, rate.count, rate.of, rate.value, rate.low, rate.high)


def _grouped(records: Iterable[DeploymentRecord], fact: str) -> Table:
    names = ("faces_seen", "alerts", "false_alerts", "engagements", "arrests")
    groups: dict[str, Counter[str]] = {}
    for one in records:
        group = groups.setdefault(str(one.facts.get(fact, "")), Counter())
        group["deployments"] += 1
        for name in names:
            group[name] += _value(one, name)
    columns = ("deployments", *names)
    return Table(
        f"by_{fact}",
        f"deployments and their figures by {fact.replace('_', ' ')}",
        (fact.replace("_", " "), *columns),
        tuple((key, *(group[name] for name in columns)) for key, group in sorted(groups.items())),
    )


def _broken_down(records: Iterable[DeploymentRecord], name: str, says: str) -> Table:
    counts: Counter[str] = Counter()
    for one in records:
        counts.update(one.breakdowns.get(name, {}))
    return Table(name, says, ("code", "count"), tuple(sorted(counts.items())))


# -- equality ----------------------------------------------------------------------------------


def equality(entries: Iterable[Recorded]) -> Report:
    """What became of whom, by the only groups that the record knows: age band and vulnerability.

    Small counts are not told by themselves; totals always are. Source: 5.2, 5.3 (PSED).
    """
    reading = Reading()
    group_of: dict[UUID, tuple[str, str]] = {}
    alert_of: dict[UUID, UUID] = {}
    listed, raised, false, engaged, forced = Tally(), Tally(), Tally(), Tally(), Tally()
    totals: Counter[str] = Counter()
    places: dict[str, Positions] = {}

    def count(tally: Tally, name: str, entry: UUID | None, at: int) -> None:
        totals[name] += 1
        places.setdefault(name, Positions()).add(at)
        if entry in group_of:
            tally.add(*group_of[entry], at=at)

    for one in reading.over(entries):
        match one.event:
            case EntryProposed() as event:
                vulnerable = "vulnerable" if event.vulnerable else "not known to be vulnerable"
                group_of[event.entry] = event.age_band, vulnerable
            case EntryAccepted() as event:
                count(listed, "listed", event.entry, one.position)
            case AlertRaised() as event:
                alert_of[event.originator_id] = event.entry
                count(raised, "alerts", event.entry, one.position)
            case AlertAdjudicated() as event if event.decision == "not_viable":
                count(false, "false_alerts", alert_of.get(event.originator_id), one.position)
            case IdentityEstablished() as event if event.identity == "different":
                count(false, "false_alerts", alert_of.get(event.alert), one.position)
            case EngagementStarted() as event:
                count(engaged, "engagements", alert_of.get(event.alert), one.position)
            case EngagementEnded() as event if event.force_used or event.handcuffed:
                count(forced, "force_or_handcuffs", alert_of.get(event.alert), one.position)
    names = ("listed", "alerts", "false_alerts", "engagements", "force_or_handcuffs")
    by_group = dict(zip(names, (listed, raised, false, engaged, forced), strict=True))
    return Report(
        "equality",
        "Equality report",
        "Equality Act 2010 s.149; Bridges [2020] EWCA Civ 1058 [181]",
        reading.entries,
        reading.last,
        (
            "Recognition infers no characteristic of anybody, and the record holds none but the "
            "age band and vulnerability that an entry was listed with.",
            "Ethnicity and sex: not recorded. Rates by group come from tests of algorithms only.",
            "How many of each group walked past is not known: no group's share of faces seen is.",
            f"A count below {SMALL} is not told by itself, nor one that would give it away; the "
            "totals always are.",
        ),
        (
            Table(
                "totals",
                "all groups together",
                ("what", "count", POSITIONS),
                tuple((name, totals[name], str(places.get(name, ""))) for name in names),
            ),
            *(
                Table(
                    f"{name}_by_group",
                    f"{name.replace('_', ' ')} by age band and vulnerability of the entry",
                    ("age band", "vulnerability", "count", POSITIONS),
                    _disclosed(tally),
                )
                for name, tally in by_group.items()
            ),
        ),
    )


def _disclosed(tally: Tally) -> tuple[tuple[Any, ...], ...]:
    """Rows of which small ones tell neither count nor places: places can be counted.

    The total is told, so that a single small row would be what is left of it: the smallest of the
    others is then not told either.
    """
    hidden = {key for key, count in tally.counts.items() if count < SMALL}
    others = sorted((count, key) for key, count in tally.counts.items() if key not in hidden)
    if len(hidden) == 1 and others:
        hidden.add(others[0][1])
    return tuple(
        (*key, NOT_TOLD, "") if key in hidden else (*key, count, str(tally.places[key]))
        for key, count in sorted(tally.counts.items())
    )

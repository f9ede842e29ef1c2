"""The answers to a freedom of information request, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from api.reports.deployment import percent
from domain.figures.answers import QUESTIONS, Answers
from domain.figures.rates import Rate

FORMAT = "plumbline-foi-answers/v1"


def as_json(found: Answers, *, log: str, mode: str) -> dict[str, Any]:
    """The answers as one JSON object."""
    return {
        "format": FORMAT,
        "log": log,
        "mode": mode,
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "uses": [asdict(one) for one in found.uses],
        "totals": dict(found.totals),
        "entries_by_category": found.by_category,
        "entries_for_another_reason_than_being_wanted": found.for_another_reason,
        "entries_by_source_system": found.by_source_system,
        "entries_by_age_band": found.by_age_band,
        "entries_of_children": found.children,
        "entries_of_people_known_to_be_vulnerable": found.vulnerable,
        "outcomes": found.outcomes,
        "refusals": found.refusals,
        "false_alerts_of_faces_seen": asdict(found.false_alert_rates.of_faces),
        "false_alerts_of_alerts": asdict(found.false_alert_rates.of_alerts),
    }


def as_text(found: Answers, categories: Mapping[str, str], *, mark: str) -> Iterator[str]:
    """Question and answer, line by line.

    Args:
        found: the answers.
        categories: what each category means.
        mark: before the first line, where this is a rehearsal.
    """
    yield f"{mark}{found.first} to {found.last} (UTC), {len(found.uses)} deployments"
    for number, (question, lines) in enumerate(
        zip(QUESTIONS, _answers(found, categories), strict=True), start=1
    ):
        yield ""
        yield f"{number}. {question}"
        yield from (f"   {line}" for line in lines or ["none"])


def _answers(found: Answers, categories: Mapping[str, str]) -> Iterator[list[str]]:
    of = found.totals
    yield [
        f"{one.first} to {one.last or 'still on'}, {one.location} ({one.use_case})"
        for one in found.uses
    ]
    yield [f"{one.deployment[:8]}: {one.entries}" for one in found.uses]
    yield [f"{source}: {count}" for source, count in found.by_source_system.items()]
    yield [
        *(
            f"{category} ({categories.get(category, 'as adopted')}): {count}"
            for category, count in found.by_category.items()
        ),
        f"neither wanted nor suspected: {found.for_another_reason}",
    ]
    yield [
        *(f"{band}: {count}" for band, count in found.by_age_band.items()),
        f"under 18: {found.children}; known to be vulnerable: {found.vulnerable}",
    ]
    yield [
        f"faces seen: {of['faces_seen']} (not persons: one person can be many faces)",
        f"alerts: {of['alerts']} (true {of['true_alerts']}, false {of['false_alerts']}, "
        f"undecided {of['undecided_alerts']})",
    ]
    yield [f"{of['engagements']}"]
    yield [
        f"the person on the list: {of['confirmed_true_alerts']}",
        f"another person: {of['confirmed_false_alerts']}",
    ]
    yield [
        _rate("of all faces seen", found.false_alert_rates.of_faces),
        _rate("of all alerts", found.false_alert_rates.of_alerts),
    ]
    yield [
        f"{of['arrests']}",
        *(f"{outcome}: {count}" for outcome, count in found.outcomes.items()),
    ]
    yield [
        f"{of['refusals']}",
        *(f"{name}: {count}" for name, count in found.refusals.items()),
    ]


def _rate(of: str, one: Rate) -> str:
    if one.value is None:
        return f"{one.count} {of} ({one.of})"
    return (
        f"{one.count} {of} ({one.of}): {percent(one.value)}, 95 % interval {percent(one.low)} to "
        f"{percent(one.high)}"
    )

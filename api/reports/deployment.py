"""The deployment record as it is published: page, JSON and CSV of the same figures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from api.reports.intervals import drawn
from api.reports.pages import page
from api.reports.timeline import timeline
from domain.figures.deployment_record import DeploymentRecord
from domain.figures.rates import Rate

FORMAT = "plumbline-deployment-record/v1"
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(record: DeploymentRecord, *, log: str) -> dict[str, Any]:
    """The record as one JSON object.

    Args:
        record: what was counted.
        log: the origin of the log it was counted from.
    """
    return {
        "format": FORMAT,
        "log": log,
        "entries": record.entries,
        "last_position": record.last_position,
        "facts": dict(record.facts),
        "figures": [asdict(one) for one in record.figures],
        "breakdowns": {name: dict(parts) for name, parts in record.breakdowns.items()},
        "rates": {name: _of_rate(one) for name, one in _rates(record).items()},
        "predicted": _predicted(record),
        "sums": [asdict(one) for one in record.sums],
        "unfit_for_publication": list(record.unfit),
        "not_measured": list(record.not_measured),
    }


def as_csv(told: Mapping[str, Any]) -> str:
    """The figures of the JSON object, one a line, safe to open in a spreadsheet."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(("what", "value", "low", "high", "definition", "positions"))
    for name, fact in told["facts"].items():
        text_of = fact if isinstance(fact, str) else json.dumps(fact)
        lines.writerow(safe((name, text_of, "", "", "", "")))
    for one in told["figures"]:
        cells = one["name"], one["value"], "", "", one["definition"], one["positions"]
        lines.writerow(safe(cells))
    for name, parts in told["breakdowns"].items():
        for part, count in parts.items():
            lines.writerow(safe((f"{name}: {part}", count, "", "", "", "")))
    for name, one in told["rates"].items():
        about = f"{one['count']} of {one['of']}"
        lines.writerow(safe((name, one["value"], one["low"], one["high"], about, "")))
    for one in told["not_measured"]:
        lines.writerow(safe((one, "not measured", "", "", "", "")))
    return text.getvalue()


def as_html(told: Mapping[str, Any], record: DeploymentRecord, *, mark: str) -> str:
    """The record as a page that loads nothing from anywhere."""
    return page(
        "deployment.html.j2",
        mark=mark,
        told=told,
        plot=drawn(_rates(record)),
        timeline=timeline(record.alerts_over_time, record.facts.get("runs") or []),
        percent=percent,
    )


def _rates(record: DeploymentRecord) -> dict[str, Rate]:
    """Every rate; those of false alerts side by side, and first."""
    false = record.false_alert_rates
    return {
        "false_alerts_of_faces_seen": false.of_faces,
        "false_alerts_of_alerts": false.of_alerts,
        **record.rates,
    }


def _of_rate(one: Rate) -> dict[str, Any]:
    return {"value": one.value, "low": one.low, "high": one.high, "count": one.count, "of": one.of}


def _predicted(record: DeploymentRecord) -> dict[str, Any] | None:
    found = record.predicted
    if found is None:
        return None
    return {
        "evidence": found.evidence,
        "false_alerts_a_search": found.false_alerts_a_search
        if found.false_alerts_a_search is not None
        else "not measured",
        "observed": _of_rate(found.observed),
        "within_the_observed_interval": found.within,
    }


def safe(cells: tuple[Any, ...]) -> list[str]:
    """Cells that no spreadsheet takes for a formula."""
    texts = ["" if one is None else str(one) for one in cells]
    return [f"'{one}" if one.startswith(_STARTS_A_FORMULA) else one for one in texts]


def percent(value: float | None) -> str:
    """A proportion for people, with three digits that say something."""
    if value is None:
        return "no denominator"
    return f"{value * 100:.3g} %"

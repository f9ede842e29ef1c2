"""What a force says of itself, beside what its record shows: the DPIA evidence pack, the
Surveillance Camera Code self-assessment, and the records of processing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any

from domain.catalogue import EVENTS
from domain.custody.events import CopiedOutside, ScheduleAdopted
from domain.custody.schedule import BUILT_IN, RetentionSchedule
from domain.deployments.events import DeploymentAppliedFor
from domain.figures.deployment_record import DEFINITIONS, DeploymentRecord
from domain.figures.positions import Positions
from domain.figures.tables import POSITIONS, Reading, Report, Table, Tally
from domain.governance.events import PolicyDocumentRegistered
from domain.kernel.errors import DomainError
from domain.kernel.refusals import declared_by
from domain.kernel.time import written
from domain.ports import Recorded

NEWEST = 5
"""Observations of a statement that are told, the newest first."""


class StatementsError(DomainError):
    """The statements name a rule, a figure or an event that there is not."""


@cache
def statements() -> Mapping[str, Any]:
    """The statements that ship, each of whose references exists.

    Raises:
        StatementsError: one does not.
    """
    text = files("domain.figures").joinpath("statements.toml").read_text(encoding="utf-8")
    found = tomllib.loads(text)
    for one in (*found["dpia"], *found["camera_code"]):
        _check(one)
    return found


def _check(statement: Mapping[str, str]) -> None:
    event, figure = statement.get("event"), statement.get("figure")
    if (event is None) == (figure is None):
        raise StatementsError(f"expected an event or a figure: {statement['says']}")
    if event is not None and event not in EVENTS:
        raise StatementsError(f"no event is called {event}")
    if figure is not None and figure not in DEFINITIONS:
        raise StatementsError(f"no figure is called {figure}")
    if rule := statement.get("rule"):
        demand(rule)


def demand(rule: str) -> str:
    """What a rule demands, in the first line of its own words.

    Raises:
        StatementsError: there is no such rule.
    """
    module, _, name = rule.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise StatementsError(f"there is no rule {rule}") from error
    try:
        declared_by(found)
    except KeyError:
        raise StatementsError(f"{rule} is no rule: it refuses nothing") from None
    return str(found.__doc__).strip().splitlines()[0]


def dpia_evidence(entries: Iterable[Recorded], records: Sequence[DeploymentRecord]) -> Report:
    """Each statement of the impact assessment with its control and its newest observations.

    Args:
        entries: of the whole log, in its order.
        records: the deployment records of the same log.
    """
    reading = Reading()
    seen = _observed(reading.over(entries), (one.get("event") for one in statements()["dpia"]))
    rows = []
    for one in statements()["dpia"]:
        rule = one.get("rule", "")
        if figure := one.get("figure"):
            observed, places = _of_figure(records, figure)
        else:
            observed, places = seen[one["event"]]
        rows.append(
            (
                one["line"],
                one["says"],
                demand(rule) if rule else "no single rule: what is observed shows it",
                one.get("event") or figure,
                observed,
                places,
            )
        )
    return Report(
        "dpia",
        "Impact assessment: what shows each statement",
        "domain specification, 5.3 (DPIA evidence pack); source document by line",
        reading.entries,
        reading.last,
        (f"Observations are the newest {NEWEST}, the newest first.",),
        (
            Table(
                "statements",
                "each statement, the rule behind it, and what was observed last",
                ("line", "statement", "rule", "observed as", "newest observations", POSITIONS),
                tuple(rows),
            ),
        ),
    )


def camera_code(entries: Iterable[Recorded]) -> Report:
    """The twelve principles of the Surveillance Camera Code, with what was recorded for each."""
    reading = Reading()
    said = statements()["camera_code"]
    seen = _observed(reading.over(entries), (one["event"] for one in said))
    return Report(
        "camera-code",
        "Surveillance Camera Code: self-assessment",
        "Surveillance Camera Code of Practice (Protection of Freedoms Act 2012 s.30)",
        reading.entries,
        reading.last,
        ("Whether an observation is enough is for those who answer for it to judge.",),
        (
            Table(
                "principles",
                "each principle and what was recorded for it last",
                ("principle", "what it asks", "observed as", "newest observations", POSITIONS),
                tuple(
                    (one["principle"], one["says"], one["event"], *seen[one["event"]])
                    for one in said
                ),
            ),
        ),
    )


def _observed(
    entries: Iterable[Recorded], names: Iterable[str | None]
) -> dict[str, tuple[str, str]]:
    """How often each event was recorded, when last, and where."""
    newest: dict[str, list[Recorded]] = {one: [] for one in names if one is not None}
    counts = dict.fromkeys(newest, 0)
    for one in entries:
        if (kept := newest.get(one.event.NAME)) is not None:
            counts[one.event.NAME] += 1
            kept[:] = [one, *kept[: NEWEST - 1]]
    told = {}
    for name, kept in newest.items():
        places = Positions()
        for one in reversed(kept):
            places.add(one.position)
        times = ", ".join(written(one.recorded_at) for one in kept)
        told[name] = (f"{counts[name]} in all; {times}" if kept else "never", str(places))
    return told


def _of_figure(records: Sequence[DeploymentRecord], name: str) -> tuple[str, str]:
    """The newest values of a figure, by deployment."""
    found = [
        (record.facts["deployment"][:8], one)
        for record in reversed(records)
        for one in record.figures
        if one.name == name and one.value is not None
    ][:NEWEST]
    if not found:
        return "never", ""
    told = ", ".join(f"{one.value} ({deployment})" for deployment, one in found)
    return told, ", ".join(one.positions for _, one in found if one.positions)


# -- records of processing -----------------------------------------------------------------------


def processing(entries: Iterable[Recorded]) -> Report:
    """The records of processing activities, from what the log says is done and kept."""
    reading, purposes, recipients = Reading(), Tally(), Tally()
    schedule, adopted_at = BUILT_IN, ""
    documents: dict[str, tuple[str, str, str, str]] = {}
    for one in reading.over(entries):
        match one.event:
            case DeploymentAppliedFor() as event:
                purposes.add(event.use_case, event.objective, at=one.position)
            case CopiedOutside() as event:
                recipients.add(event.destination, at=one.position)
            case ScheduleAdopted() as event:
                schedule = RetentionSchedule.adopted(event.version, event.owner, event.rules)
                adopted_at = str(one.position)
            case PolicyDocumentRegistered() as event:
                documents[event.kind] = (
                    event.version,
                    event.valid_from,
                    event.valid_until,
                    str(one.position),
                )
    return Report(
        "processing",
        "Records of processing activities",
        "Data Protection Act 2018, section 61",
        reading.entries,
        reading.last,
        (
            "Controller: the force whose log this is. Data protection officer: see its notice.",
            "Data subjects: people on watchlists, people who pass the cameras, staff.",
            "Security: items under keys of their own, destroyed with them; see the custody report.",
        ),
        (
            Table(
                "purposes",
                "use cases and objectives of deployments that were applied for",
                ("use case", "objective", "deployments", POSITIONS),
                purposes.rows(),
            ),
            Table(
                "categories",
                f"what is kept, for how long, by schedule {schedule.version}",
                ("class", "rule", "counted from", "at most", "a hold may extend", POSITIONS),
                tuple(
                    (
                        name.value,
                        rule.rule,
                        rule.starts.value,
                        _days(rule.limit),
                        "yes" if rule.hold_may_extend else "no",
                        adopted_at,
                    )
                    for name, rule in sorted(schedule.rules.items())
                ),
            ),
            Table(
                "recipients",
                "kinds of places to which items went",
                ("kind of place", "items", POSITIONS),
                recipients.rows(),
            ),
            Table(
                "documents",
                "the newest registered version of each document",
                ("document", "version", "from", "until", POSITIONS),
                tuple((kind, *told) for kind, told in sorted(documents.items())),
            ),
        ),
    )


def _days(limit: timedelta) -> str:
    return (
        f"{limit.days} d" if limit >= timedelta(days=2) else f"{limit.total_seconds() / 3600:g} h"
    )

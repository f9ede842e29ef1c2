"""Reports made of tables: what they count, where, and what they never tell."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from api.reports import tables
from domain.alerts.commands import DecisionKind
from domain.figures import aggregates, registers, statements
from domain.figures.application import as_applied_for
from domain.figures.deployment_record import counted_each
from domain.figures.tables import NOT_TOLD, POSITIONS, SMALL, Report, Table, Tally
from domain.kernel.errors import DomainError
from domain.services import alerts, deployments, watchlists
from tests.support import builders as a
from tests.support.scenarios import Scene, agreed


def busy() -> Scene:
    """Refusals, a variation, a removal, alerts that are decided either way, an end."""
    scene = Scene().applied().list_opened()
    watchlists.propose_criteria(scene.outside, a.to_propose_criteria(**scene.by))
    scene.entry_proposed().entry_accepted()
    child = a.why(age_band="13-to-17", nexus="event")
    scene.entry_proposed(a.OTHER_ENTRY, necessity=child).entry_accepted(a.OTHER_ENTRY)
    allowed = a.to_decide_extra_authority(entries=[a.OTHER_ENTRY], **scene.by)
    agreed(watchlists.decide_extra_authority(scene.outside, allowed))
    scene.list_approved()
    deployments.start(scene.outside, a.to_start(**scene.by))
    scene.authorised().started(gallery_size=2)
    agreed(deployments.vary(scene.outside, a.to_vary(**scene.by)))
    for number in range(6):
        alert = UUID(int=0xA00 + number)
        scene.alerted(alert, ordinal=number + 1).viewed(alert)
        decision = DecisionKind.NOT_VIABLE if number else DecisionKind.VIABLE
        decide = a.to_decide(alert=alert, decision=decision, **scene.by)
        agreed(alerts.adjudicate(scene.outside, decide))
    gone = a.to_remove(entry=a.OTHER_ENTRY, reason="found-safe", **scene.by)
    agreed(watchlists.remove_entry(scene.outside, gone))
    return scene.stopped().ended()


def table(report: Report, name: str) -> Table:
    (found,) = [one for one in report.tables if one.name == name]
    return found


def rows(report: Report, name: str) -> list[dict[str, Any]]:
    one = table(report, name)
    return [dict(zip(one.columns, row, strict=True)) for row in one.rows]


def positions(text: str) -> set[int]:
    """``3, 7-9`` as numbers."""
    found: set[int] = set()
    for part in text.split(", ") if text else []:
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def of(scene: Scene) -> list[Report]:
    """Every report of a scene."""
    history = list(scene.record.history())
    records = counted_each(history, {})
    span = {"first": date(2026, 1, 1), "last": date(2026, 12, 31)}
    return [
        registers.decisions(history),
        registers.refusals(history),
        registers.operations(history, "self-monitoring"),
        aggregates.annual(
            records, **span, entries=len(history), last_position=history[-1].position
        ),
        aggregates.equality(history),
        statements.processing(history),
        statements.dpia_evidence(history, records),
        statements.camera_code(history),
        as_applied_for(scene.record.history(a.DEPLOYMENT.hex)),
    ]


REPORTS = {one.name: index for index, one in enumerate(of(Scene().applied()))}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return busy()


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_is_told_as_page_json_and_csv(scene: Scene, name: str) -> None:
    report = of(scene)[REPORTS[name]]
    told = tables.as_json(report, log="example.org/log", mode="rehearsal")
    assert json.loads(json.dumps(told)) == told
    assert set(told["tables"]) == {one.name for one in report.tables}
    page = tables.as_html(report, log="example.org/log", mark="REHEARSAL ")
    assert "http" not in page.replace("http-equiv", "") and report.title in html.unescape(page)
    lines = list(csv.reader(io.StringIO(tables.as_csv(report))))
    assert len(lines) == sum(1 + len(one.rows) for one in report.tables)


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_of_nothing_says_that_there_is_nothing(name: str) -> None:
    report = of(Scene().applied())[REPORTS[name]]
    assert report.entries >= 1 and tables.as_html(report, log="l", mark="")


def test_a_cell_is_no_formula() -> None:
    report = Report("r", "t", "s", 0, -1, (), (Table("x", "y", ("a",), (("=1+1",), ("@x",))),))
    assert [one[-1] for one in csv.reader(io.StringIO(tables.as_csv(report)))] == [
        "a",
        "'=1+1",
        "'@x",
    ]


@pytest.mark.parametrize("build", [registers.decisions, registers.refusals])
def test_each_total_is_the_number_of_its_rows(scene: Scene, build: Callable[..., Report]) -> None:
    report = build(scene.record.history())
    totals, each = report.tables
    for row in totals.rows:
        told = positions(row[-1])
        assert row[-2] == len(told)
        assert told <= {int(one[-1]) for one in each.rows}


def test_decisions_are_told_with_rank_and_without_anybodys_reference(scene: Scene) -> None:
    report = registers.decisions(scene.record.history())
    decided = {one["decision"]: one for one in rows(report, "decisions")}
    assert decided["deployment authorised"]["rank"] == "superintendent"
    assert decided["authorisation varied"]["why"] == "crowd-moved-on"
    assert decided["criteria not allowed"]["why"] == "criteria_decided"
    assert "staff:" not in json.dumps([one.rows for one in report.tables])


def test_an_urgent_decision_tells_how_long_its_ratification_took() -> None:
    scene = Scene().applied().listed().in_force()
    agreed(deployments.authorise(scene.outside, a.to_authorise_urgently(**scene.by)))
    scene.later(a.DAY / 24)
    agreed(deployments.ratify(scene.outside, a.to_ratify(**scene.by)))
    report = registers.decisions(scene.record.history())
    decided = {one["decision"]: one for one in rows(report, "decisions")}
    assert decided["deployment authorised urgently"]["rank"] == "inspector"
    assert decided["urgent authorisation ratified"]["why"] == "threat-made-out; 60 min"


def test_the_ledger_tells_every_refusal(scene: Scene) -> None:
    report = registers.refusals(scene.record.history())
    assert len(rows(report, "refusals")) == len(scene.refusals()) > 1


def test_the_extract_names_each_operation_and_is_for_a_purpose_of_statute(scene: Scene) -> None:
    report = registers.operations(scene.record.history(), "verify-lawfulness")
    found = {one["operation"] for one in rows(report, "totals")}
    assert found >= {"collection", "consultation", "alteration", "combination", "erasure"}
    with pytest.raises(DomainError, match="self-monitoring"):
        registers.operations(scene.record.history(), "curiosity")


def test_the_year_adds_up_its_deployments(scene: Scene) -> None:
    report = of(scene)[REPORTS["annual"]]
    totals = {one["figure"]: one["value"] for one in rows(report, "totals")}
    assert (totals["alerts"], totals["false_alerts"], totals["true_alerts"]) == (6, 5, 1)
    names = [one["rate"] for one in rows(report, "false_alert_rates")]
    assert names == ["false_alerts_of_faces_seen", "false_alerts_of_alerts"]
    for one in rows(report, "by_use_case"):
        assert one["alerts"] == 6 and one["deployments"] == 1
    before = aggregates.annual(
        counted_each(scene.record.history(), {}),
        first=date(2025, 1, 1),
        last=date(2025, 12, 31),
        entries=1,
        last_position=1,
    )
    assert {one["value"] for one in rows(before, "totals")} == {0}


def test_a_small_group_is_not_told_by_itself_and_the_total_always_is(scene: Scene) -> None:
    report = aggregates.equality(scene.record.history())
    totals = {one["what"]: one["count"] for one in rows(report, "totals")}
    assert (totals["alerts"], totals["false_alerts"], totals["listed"]) == (6, 5, 2)
    (alerted,) = rows(report, "alerts_by_group")
    assert (alerted["age band"], alerted["count"]) == ("18-and-over", 6)
    for one in rows(report, "listed_by_group"):
        assert (one["count"], one[POSITIONS]) == (NOT_TOLD, "")


def test_a_small_group_is_not_what_is_left_of_the_total() -> None:
    """Six of one group and two of another: with the six told, the two would be known."""
    tally = Tally()
    for at in range(6):
        tally.add("18+", "", at=at)
    for at in range(2):
        tally.add("13-17", "", at=10 + at)
    assert [one[2] for one in aggregates._disclosed(tally)] == [NOT_TOLD, NOT_TOLD]
    for at in range(SMALL - 1):
        tally.add("<13", "", at=20 + at)
    told = {one[0]: one[2] for one in aggregates._disclosed(tally)}
    assert told == {"18+": 6, "13-17": NOT_TOLD, "<13": NOT_TOLD}


def test_every_statement_rests_on_a_rule_a_figure_or_an_event_that_there_is() -> None:
    said = statements.statements()
    assert len(said["dpia"]) >= 20 and len(said["camera_code"]) == 12
    with pytest.raises(statements.StatementsError, match="no rule"):
        statements.demand("domain.alerts.policies.nothing_of_the_kind")
    with pytest.raises(statements.StatementsError, match="refuses nothing"):
        statements.demand("domain.figures.rates.rate")


def test_what_was_never_observed_is_told_as_never(scene: Scene) -> None:
    report = of(Scene().applied())[REPORTS["dpia"]]
    seen = {one["observed as"]: one["newest observations"] for one in rows(report, "statements")}
    assert seen["watchlist.destroyed"] == "never"
    report = of(scene)[REPORTS["dpia"]]
    seen = {one["observed as"]: one["newest observations"] for one in rows(report, "statements")}
    assert seen["alert.adjudicated"].startswith("6 in all")


def test_the_officer_sees_why_the_listed_are_expected_here(scene: Scene) -> None:
    before = [one for one in scene.record.history(a.DEPLOYMENT.hex) if not _decided(one)]
    report = as_applied_for(before)
    assert "Nexus coverage: 2 of 2" in " ".join(report.notes)
    shares = {one["code"]: one["share"] for one in rows(report, "by_nexus")}
    assert shares == {"event": "50 %", "seen-here-before": "50 %"}
    assert len(rows(report, "report")) == len(a.the_sections())
    after = as_applied_for(scene.record.history(a.DEPLOYMENT.hex))
    assert "1 of 1" in " ".join(after.notes), "an entry was removed"
    assert "authorised" in {one["what"] for one in rows(after, "decision")}


def _decided(entry: Any) -> bool:
    return entry.event.NAME in ("deployment.authorised", "watchlist.entry_removed")

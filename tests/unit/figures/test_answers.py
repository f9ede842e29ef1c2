"""The answers for a period: the sum of its deployment records, and of no others."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from api.reports.answers import as_json, as_text
from domain.figures.answers import ADDED, QUESTIONS, Answers, answered
from domain.figures.deployment_record import DeploymentRecord
from tests.support import builders as a
from tests.unit.figures.histories import History, at_random
from tests.unit.figures.test_deployment_record import record_of

DAY = a.AT.date()
WANTED = frozenset({"W1"})
MEANINGS = {"W1": "wanted by the courts"}


def answers(*records: DeploymentRecord, first: date = DAY, last: date = DAY) -> Answers:
    """What is answered for a period."""
    return answered(records, first=first, last=last, wanted=WANTED)


def test_the_totals_are_the_sums_of_the_records() -> None:
    records = [record_of(at_random(seed)) for seed in range(20)]
    found = answers(*records)
    assert len(found.uses) == 20
    for name in ADDED:
        values = [
            one.value or 0 for record in records for one in record.figures if one.name == name
        ]
        assert found.totals[name] == sum(values), name
    false, alerts = found.totals["false_alerts"], found.totals["alerts"]
    assert (found.false_alert_rates.of_alerts.count, found.false_alert_rates.of_alerts.of) == (
        false,
        alerts,
    )


@pytest.mark.parametrize(
    ("first", "last", "uses"),
    [
        (DAY, DAY, 1),
        (DAY - timedelta(days=9), DAY, 1),
        (DAY + timedelta(days=1), DAY + timedelta(days=9), 0),
        (DAY - timedelta(days=9), DAY - timedelta(days=1), 0),
    ],
)
def test_a_deployment_belongs_to_the_day_on_which_recognition_began(
    first: date, last: date, uses: int
) -> None:
    found = answers(record_of(History().begins().stops().entries), first=first, last=last)
    assert len(found.uses) == uses
    assert found.totals["alerts"] == 0


def test_where_recognition_was_never_on_nothing_took_place() -> None:
    """Applied for, and nothing more."""
    assert answers(record_of(History().begins().entries[:1])).uses == ()


def test_who_was_listed_for_another_reason_and_who_was_a_child() -> None:
    found = answers(record_of(History().begins(listed=7).stops().entries))
    assert (found.by_category, found.for_another_reason, found.children) == ({"W1": 7}, 0, 0)
    other = answered(
        [record_of(History().begins(listed=7).stops().entries)],
        first=DAY,
        last=DAY,
        wanted=frozenset(),
    )
    assert other.for_another_reason == 7


def test_every_question_is_answered_in_words_and_for_programs() -> None:
    found = answers(*(record_of(at_random(seed)) for seed in range(5)))
    lines = list(as_text(found, MEANINGS, mark="REHEARSAL "))
    assert lines[0].startswith("REHEARSAL ")
    for number, question in enumerate(QUESTIONS, start=1):
        at = lines.index(f"{number}. {question}")
        assert lines[at + 1].startswith("   ")
    assert any("W1 (wanted by the courts)" in line for line in lines)
    told = as_json(found, log="example.org/log", mode="rehearsal")
    assert json.loads(json.dumps(told)) == told
    assert told["totals"]["alerts"] == found.totals["alerts"]


def test_a_period_without_any_use_is_answered_too() -> None:
    lines = list(as_text(answers(), MEANINGS, mark=""))
    assert lines.count("   none") == 3, "when and where, how many entries, which images"
    assert "   0 of all faces seen (0)" in lines
    assert "   0 of all alerts (0)" in lines

"""The deployment record as page, JSON and CSV: the same figures, safe to open, nothing loaded."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from api.reports import deployment as report
from api.reports.intervals import LEFT, RIGHT, drawn
from domain.figures.deployment_record import DeploymentRecord
from domain.figures.rates import rate
from tests.support import builders as a
from tests.unit.figures.histories import History, at_random
from tests.unit.figures.test_deployment_record import record_of

LOG = "example.org/log"


@pytest.fixture(scope="module")
def record() -> DeploymentRecord:
    """One with everything in it."""
    return record_of(at_random(7))


def test_both_rates_of_false_alerts_stand_in_every_form(record: DeploymentRecord) -> None:
    told = report.as_json(record, log=LOG)
    page = report.as_html(told, record, mark="REHEARSAL ")
    for text in (json.dumps(told), report.as_csv(told)):
        assert "false_alerts_of_faces_seen" in text and "false_alerts_of_alerts" in text
    assert "false alerts of faces seen" in page and "false alerts of alerts" in page


def test_every_figure_stands_in_every_form_with_its_definition(record: DeploymentRecord) -> None:
    told = report.as_json(record, log=LOG)
    page = report.as_html(told, record, mark="")
    lines = {line[0]: line for line in csv.reader(io.StringIO(report.as_csv(told)))}
    for one in record.figures:
        assert lines[one.name][1] == ("" if one.value is None else str(one.value))
        assert lines[one.name][4:] == [one.definition, one.positions]
        assert one.name.replace("_", " ") in page
    assert json.loads(json.dumps(told)) == told


def test_nothing_is_loaded_from_anywhere(record: DeploymentRecord) -> None:
    page = report.as_html(report.as_json(record, log=LOG), record, mark="")
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|<script|<img|<link|url\(|@import", page)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_taken_for_a_formula(record: DeploymentRecord, cell: str) -> None:
    """A code cannot begin so; the form of a file does not rest on that."""
    told = report.as_json(replace(record, facts={"location": cell}), log=LOG)
    (line,) = [one for one in csv.reader(io.StringIO(report.as_csv(told))) if one[0] == "location"]
    assert line[1] == f"'{cell}"


def test_what_was_recorded_cannot_write_into_the_page(record: DeploymentRecord) -> None:
    facts = {"deployment": "d", "location": "<script>alert(1)</script>"}
    changed = replace(record, facts=facts)
    page = report.as_html(report.as_json(changed, log=LOG), changed, mark="")
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_a_rehearsal_says_so_and_why_it_is_not_published(record: DeploymentRecord) -> None:
    page = report.as_html(report.as_json(record, log=LOG), record, mark="REHEARSAL ")
    assert "REHEARSAL: stand-in officers" in page
    assert "Not to be published: a rehearsal is never published" in page
    assert "Not measured: true recognition rate" in page


def test_a_sum_that_does_not_hold_is_seen() -> None:
    history = History().begins()
    history.progressed(3)
    broken = record_of(history.stops().entries)
    page = report.as_html(report.as_json(broken, log=LOG), broken, mark="")
    assert "1 of 4 sums do not hold" in page and 'class="verdict wrong"' in page


def test_a_deployment_without_a_single_face_has_a_page() -> None:
    empty = record_of([])
    page = report.as_html(report.as_json(empty, log=LOG), empty, mark="")
    assert "No rate has a denominator" in page and "no denominator" in page


def test_the_scale_shows_a_millionth_beside_a_half() -> None:
    plot = drawn({"small": rate(1, 1_000_000), "half": rate(50, 100), "none": rate(0, 10)})
    small, half, none = plot.rows
    assert LEFT < small.low_x < (small.value_x or 0) < small.high_x < half.low_x < RIGHT
    assert none.value_x is None and none.low_x == LEFT
    assert "1 of 1000000" in small.alternative
    assert not drawn({"without": rate(0, 0)}).rows


def test_the_deployment_is_the_one_that_was_asked_for(record: DeploymentRecord) -> None:
    assert report.as_json(record, log=LOG)["facts"]["deployment"] == a.DEPLOYMENT.hex

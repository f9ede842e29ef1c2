"""Published figures: read as they were printed, and where they contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.figures.published import (
    Contradiction,
    Parts,
    Published,
    PublishedError,
    contradictions,
    read_published,
)

FILE = Path(__file__).parents[2] / "data" / "published" / "deployments.csv"
ROWS = read_published(FILE.read_text(encoding="utf-8"), FILE.name)
HEADER = (
    "id,start,end,place,force,deployments,watchlist,faces,alerts,true_alerts,false_alerts,engaged,"
    "arrests,cameras\n"
)
ARRESTS_OF_THE_MET = Parts("FX-09", "arrests", (549, 347, 85))
"""The reasons that were published beside the total (domain specification, section 6)."""


def rows(*lines: str) -> list[Published]:
    """Rows of a file with these lines."""
    return read_published(HEADER + "\n".join(lines), "file.csv")


def test_every_row_is_read() -> None:
    assert len(ROWS) == 30
    by_row = {one.row: one for one in ROWS}
    assert by_row["FX-09"].numbers["faces"] == 3_147_436
    assert by_row["FX-09"].numbers["true_alerts"] is None, "what was not printed stays unknown"


def test_981_reasons_for_962_arrests_are_a_contradiction() -> None:
    found = contradictions(ROWS, [ARRESTS_OF_THE_MET])
    assert Contradiction(("FX-09",), "arrests", "549 + 347 + 85 = 981, published as 962") in found


def test_11_arrests_in_a_time_with_22_within_it_are_a_contradiction() -> None:
    """Essex: 38 deployments with 11 arrests, in which earlier rows had already printed more."""
    (essex,) = [one for one in contradictions(ROWS) if one.figure == "arrests"]
    assert essex.rows == ("FX-28", "FX-23", "FX-24", "FX-25", "FX-26", "FX-27")
    assert essex.says == "11 from 2023-10 to 2025-02, but 22 within that time"


def test_there_is_no_other_contradiction_in_what_was_published() -> None:
    found = contradictions(ROWS, [ARRESTS_OF_THE_MET])
    assert sorted(one.rows[0] for one in found) == ["FX-09", "FX-28"]


@pytest.mark.parametrize(
    ("line", "figure"),
    [
        ("A,2024-01,2024-01,x,F,1,,100,5,4,2,,,", "alerts"),
        ("A,2024-01,2024-01,x,F,1,,100,5,,6,,,", "alerts"),
        ("A,2024-01,2024-01,x,F,1,,100,5,,,6,,", "engaged"),
        ("A,2024-01,2024-01,x,F,1,,100,5,,,2,3,", "arrests"),
        ("A,2024-01,2024-01,x,F,1,,4,5,,,,,", "alerts"),
    ],
)
def test_a_row_that_contradicts_itself_is_told(line: str, figure: str) -> None:
    assert [one.figure for one in contradictions(rows(line))] == [figure]


def test_what_is_not_printed_contradicts_nothing() -> None:
    assert contradictions(rows("A,2024-01,2024-01,x,F,,,,,,,,,")) == []


def test_rows_of_another_force_or_time_are_not_held_against_it() -> None:
    whole = "A,2024-01,2024-02,x,F,2,,,,,,,5,"
    assert contradictions(rows(whole, "B,2024-01-05,2024-01-05,x,G,1,,,,,,,9,")) == []
    assert contradictions(rows(whole, "B,2024-02-28,2024-03-01,x,F,1,,,,,,,9,")) == []
    assert len(contradictions(rows(whole, "B,2024-01-05,2024-01-05,x,F,1,,,,,,,9,"))) == 1


def test_a_day_that_stands_in_a_month_that_stands_in_a_year_counts_once() -> None:
    year = "A,2024-01,2024-12,x,F,5,,,,,,,5,"
    month = "B,2024-03,2024-03,x,F,2,,,,,,,4,"
    day = "C,2024-03-05,2024-03-05,x,F,1,,,,,,,4,"
    assert contradictions(rows(year, month, day)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,start\n", "expected the columns alerts, arrests"),
        (
            HEADER + "A,2024-01,2024-01,x,F,1,,many,,,,,,",
            "line 2: expected a whole number for faces",
        ),
        (HEADER + "A,2024-01,2024-01,x,F,1,,-3,,,,,,", "whole number"),
        (HEADER + "A,spring,2024-01,x,F,1,,,,,,,,", "expected a month, day or minute"),
    ],
)
def test_a_file_that_is_not_as_it_must_be_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(PublishedError, match=says):
        read_published(text, "file.csv")

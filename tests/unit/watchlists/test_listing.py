"""Reading a watchlist file: all of it, or none of it and every reason that tells no secret.

A refused file's reasons are recorded for ever, so what stands in a cell may never be in one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernel.errors import DomainError
from domain.watchlists.accepted import CODE_COLUMNS, accepted_values
from domain.watchlists.listing import (
    COLUMNS,
    LONGEST_CELL,
    MOST_PROBLEMS,
    MOST_ROWS,
    OLDEST_ATTEMPT,
    ListedEntry,
    Listing,
    ListingProblem,
    ListingRefusedError,
    read_listing,
)

TODAY = date(2026, 11, 23)
NAME = "Featherstonehaugh"
BORN = "1980-03-12"
PLANTS = (NAME, BORN)

Found = tuple[int | None, str | None, str]
"""Line, column and code of a problem."""


def a_row(number: int = 1, /, **cells: str) -> dict[str, str]:
    """A row in which nothing is wrong, but for the cells that a test gives."""
    return {
        "entry_ref": f"ref-{number}",
        "image": f"{number}.jpg",
        "category": "W1",
        "source_system": "custody",
        "image_basis": "custody-image",
        "necessity": "locate-wanted",
        "attempted_means": "address-check",
        "attempted_on": "2026-11-20",
        "attempted_result": "not-found",
        "nexus": "intelligence-location",
        "age_band": "18+",
        "vulnerable": "no",
        "response_code": "stop-and-speak",
    } | cells


def a_text(*rows: dict[str, str], columns: Sequence[str] = COLUMNS, end: str = "\n") -> str:
    """A file with these rows under a header, as a spreadsheet would write it."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator=end)
    lines.writerow(columns)
    lines.writerows([row.get(column, "x") for column in columns] for row in rows)
    return written.getvalue()


def a_file(*rows: dict[str, str], columns: Sequence[str] = COLUMNS) -> bytes:
    return a_text(*rows, columns=columns).encode()


def reading(raw: bytes, images: Collection[str] = ("1.jpg",)) -> Listing:
    return read_listing(raw, images=images, accepted=accepted_values(), on=TODAY)


def refusal(raw: bytes, images: Collection[str] = ("1.jpg",)) -> ListingRefusedError:
    with pytest.raises(ListingRefusedError) as refused:
        reading(raw, images)
    return refused.value


def problems(raw: bytes, images: Collection[str] = ("1.jpg",)) -> list[Found]:
    return [(one.line, one.column, one.code) for one in refusal(raw, images).problems]


# A whole file


def test_a_good_file_is_read_row_by_row_with_its_lines() -> None:
    listing = reading(
        a_file(a_row(1), a_row(2, vulnerable="yes", age_band="13-17", category="W6")),
        images=["1.jpg", "2.jpg"],
    )
    assert listing == Listing(
        [
            ListedEntry(
                line=2,
                entry_ref="ref-1",
                image="1.jpg",
                category="W1",
                source_system="custody",
                image_basis="custody-image",
                necessity="locate-wanted",
                attempted_means="address-check",
                attempted_on=date(2026, 11, 20),
                attempted_result="not-found",
                nexus="intelligence-location",
                age_band="18+",
                vulnerable=False,
                response_code="stop-and-speak",
            ),
            ListedEntry(
                line=3,
                entry_ref="ref-2",
                image="2.jpg",
                category="W6",
                source_system="custody",
                image_basis="custody-image",
                necessity="locate-wanted",
                attempted_means="address-check",
                attempted_on=date(2026, 11, 20),
                attempted_result="not-found",
                nexus="intelligence-location",
                age_band="13-17",
                vulnerable=True,
                response_code="stop-and-speak",
            ),
        ]
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "not-ended"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte-order-mark"])
def test_a_file_is_read_alike_whichever_machine_wrote_it(end: str, last: bool, mark: bytes) -> None:
    text = a_text(a_row(1), a_row(2), end=end)
    raw = mark + (text if last else text.removesuffix(end)).encode()
    assert reading(raw, ["1.jpg", "2.jpg"]) == reading(
        a_file(a_row(1), a_row(2)), ["1.jpg", "2.jpg"]
    )


def test_the_columns_may_stand_in_any_order() -> None:
    assert reading(a_file(a_row(), columns=COLUMNS[::-1])) == reading(a_file(a_row()))


def test_empty_lines_are_passed_over_and_still_counted() -> None:
    header, row = a_text(a_row()).splitlines()
    assert [one.line for one in reading(f"\n{header}\n\n\n{row}\n\n".encode()).rows] == [5]


@pytest.mark.parametrize("column", CODE_COLUMNS)
def test_every_code_of_the_catalogue_is_accepted(column: str) -> None:
    for code in accepted_values().codes[column]:
        (row,) = reading(a_file(a_row(**{column: code}))).rows
        assert getattr(row, column) == (code == "yes" if column == "vulnerable" else code)


@pytest.mark.parametrize(
    "reference", ["a", "7", "A-1", "case/2026:11.3_b", "x" * 64, "2026-11-20T10:00"]
)
def test_an_opaque_reference_is_accepted(reference: str) -> None:
    assert reading(a_file(a_row(entry_ref=reference))).rows[0].entry_ref == reference


@pytest.mark.parametrize("day", [TODAY, OLDEST_ATTEMPT, date(2024, 2, 29)])
def test_an_attempt_may_be_as_old_as_allowed_and_as_new_as_today(day: date) -> None:
    assert reading(a_file(a_row(attempted_on=day.isoformat()))).rows[0].attempted_on == day


# One fault in one cell

BAD_CELLS = {
    "an empty reference": ("entry_ref", "", "empty_cell"),
    "a reference of spaces": ("entry_ref", "  ", "empty_cell"),
    "a reference with a space": ("entry_ref", "ref 1", "bad_reference"),
    "a reference that is too long": ("entry_ref", "x" * 65, "bad_reference"),
    "a reference with an accent": ("entry_ref", "réf", "bad_reference"),
    "a reference with a line in it": ("entry_ref", "ref\n1", "bad_reference"),
    "a reference that ends a line": ("entry_ref", "ref-1\n", "bad_reference"),
    "a formula with =": ("entry_ref", "=1+1", "bad_reference"),
    "a formula with +": ("entry_ref", "+1", "bad_reference"),
    "a formula with -": ("entry_ref", "-1", "bad_reference"),
    "a formula with @": ("entry_ref", "@sum", "bad_reference"),
    "an overlong reference": ("entry_ref", "x" * (LONGEST_CELL + 1), "cell_too_long"),
    "no image": ("image", "", "empty_cell"),
    "an image in a folder": ("image", "a/1.jpg", "image_is_a_path"),
    "an image in a folder of Windows": ("image", "a\\1.jpg", "image_is_a_path"),
    "an image on a drive": ("image", "C:1.jpg", "image_is_a_path"),
    "an absolute image": ("image", "/etc/passwd", "image_is_a_path"),
    "an image above the folder": ("image", "../1.jpg", "image_is_a_path"),
    "the folder above": ("image", "..", "image_is_a_path"),
    "the folder itself": ("image", ".", "image_is_a_path"),
    "an image that is not there": ("image", "2.jpg", "row_without_image"),
    "an image in other letters": ("image", "1.JPG", "row_without_image"),
    "an image with a space": ("image", "1.jpg ", "row_without_image"),
    "a category that is none": ("category", "W9", "unknown_code"),
    "a category in small letters": ("category", "w1", "unknown_code"),
    "a code with a space": ("nexus", " access-route", "unknown_code"),
    "a number for yes": ("vulnerable", "1", "unknown_code"),
    "an exact age": ("age_band", "17", "unknown_code"),
    "an overlong code": ("necessity", "x" * (LONGEST_CELL + 1), "cell_too_long"),
    "no day": ("attempted_on", "", "empty_cell"),
    "a British day": ("attempted_on", "20/11/2026", "bad_date"),
    "a day without signs": ("attempted_on", "20261120", "bad_date"),
    "a day of the week": ("attempted_on", "2026-W47-5", "bad_date"),
    "a day and an hour": ("attempted_on", "2026-11-20T10:00", "bad_date"),
    "a day that never was": ("attempted_on", "2026-02-30", "bad_date"),
    "a year nought": ("attempted_on", "0000-01-01", "bad_date"),
    "a day in other digits": ("attempted_on", "２０２６-11-20", "bad_date"),
    "tomorrow": ("attempted_on", str(TODAY + timedelta(days=1)), "date_in_future"),
    "the year 9999": ("attempted_on", "9999-12-31", "date_in_future"),
    "another century": ("attempted_on", "1999-12-31", "date_too_old"),
}


@pytest.mark.parametrize("case", BAD_CELLS)
def test_a_bad_cell_is_refused_with_its_line_and_column(case: str) -> None:
    column, cell, code = BAD_CELLS[case]
    raw = a_file(a_row(1), a_row(2), a_row(3, **{column: cell}))
    found = refusal(raw, ["1.jpg", "2.jpg", "3.jpg"]).problems
    expected: list[Found] = [(4, column, code)]
    if column == "image":
        expected = _with_what_follows(cell, code)
    assert [(one.line, one.column, one.code) for one in found] == expected
    assert found[0].sentence.startswith("line 4: ")


def _with_what_follows(cell: str, code: str) -> list[Found]:
    """A row whose image is wrong leaves the photograph that it meant without a row.

    ``2.jpg`` is another row's already, so it is that column's second, not missing.
    """
    if cell == "2.jpg":
        code = "image_twice"
    return [(4, "image", code), (None, None, "image_without_row")]


@pytest.mark.parametrize("column", CODE_COLUMNS)
def test_the_codes_that_would_be_accepted_are_listed(column: str) -> None:
    (problem,) = refusal(a_file(a_row(**{column: "no-such-code"}))).problems
    assert (problem.line, problem.column, problem.code) == (2, column, "unknown_code")
    for code in accepted_values().codes[column]:
        assert code in problem.sentence


# Rows against each other, and against the folder


def test_a_reference_that_stands_twice_is_refused_naming_both_lines() -> None:
    raw = a_file(a_row(1), a_row(2), a_row(3, entry_ref="ref-1"))
    (problem,) = refusal(raw, ["1.jpg", "2.jpg", "3.jpg"]).problems
    assert (problem.line, problem.column, problem.code) == (4, "entry_ref", "entry_ref_twice")
    assert "line 2" in problem.sentence


def test_an_image_in_two_rows_is_refused() -> None:
    assert problems(a_file(a_row(1), a_row(2, image="1.jpg"))) == [(3, "image", "image_twice")]


def test_a_repeated_reference_is_found_although_its_row_has_another_fault() -> None:
    raw = a_file(a_row(1, category="W9"), a_row(2, entry_ref="ref-1"))
    assert problems(raw, ["1.jpg", "2.jpg"]) == [
        (2, "category", "unknown_code"),
        (3, "entry_ref", "entry_ref_twice"),
    ]


def test_a_row_without_a_photograph_is_refused() -> None:
    assert problems(a_file(a_row(1), a_row(2))) == [(3, "image", "row_without_image")]


def test_photographs_without_a_row_are_counted_and_not_named() -> None:
    images = ["1.jpg", f"{NAME}.jpg", "other.jpg"]
    (problem,) = refusal(a_file(a_row(1)), images).problems
    assert (problem.line, problem.code) == (None, "image_without_row")
    assert "none for 2 of 3" in problem.sentence
    assert NAME not in problem.sentence


def test_a_photograph_is_not_called_left_over_when_its_row_could_not_be_read() -> None:
    raw = a_file(a_row(1)) + b"ref-2,2.jpg\n"
    assert problems(raw, ["1.jpg", "2.jpg"]) == [(3, None, "wrong_cell_count")]


def test_one_bad_row_keeps_every_good_one_out() -> None:
    assert problems(a_file(a_row(1), a_row(2, vulnerable="maybe")), ["1.jpg", "2.jpg"]) == [
        (3, "vulnerable", "unknown_code")
    ]


def test_every_fault_is_told_at_once_in_the_order_of_the_lines() -> None:
    raw = a_file(
        a_row(1, entry_ref="no space", nexus="x"),
        a_row(2, attempted_on="yesterday"),
        a_row(3, image="../3.jpg"),
        columns=(*COLUMNS, "colour"),
    )
    assert problems(raw + b"short\n" + b'"open', ["1.jpg", "2.jpg"]) == [
        (1, None, "unknown_column"),
        (2, "entry_ref", "bad_reference"),
        (2, "nexus", "unknown_code"),
        (3, "attempted_on", "bad_date"),
        (4, "image", "image_is_a_path"),
        (5, None, "wrong_cell_count"),
        (6, None, "bad_quoting"),
    ]


# The file as a whole

HEADER = ",".join(COLUMNS).encode()
ROW = a_file(a_row()).splitlines()[1]

BAD_FILES: dict[str, tuple[bytes, list[Found]]] = {
    "nothing": (b"", [(None, None, "empty_file")]),
    "only empty lines": (b"\r\n\n \n", [(None, None, "empty_file")]),
    "only a byte order mark": (b"\xef\xbb\xbf", [(None, None, "empty_file")]),
    "only a header": (HEADER, [(None, None, "no_rows")]),
    "UTF-16": (a_text(a_row()).encode("utf-16"), [(None, None, "wrong_encoding")]),
    "UTF-16, big end first": (
        b"\xfe\xff" + a_text(a_row()).encode("utf-16-be"),
        [(None, None, "wrong_encoding")],
    ),
    "UTF-16 without its mark": (
        a_text(a_row()).encode("utf-16-le"),
        [(None, None, "wrong_encoding")],
    ),
    "Latin-1": (a_file(a_row()) + "é".encode("latin-1"), [(None, None, "wrong_encoding")]),
    "a zero byte": (a_file(a_row(entry_ref="a\0b")), [(None, None, "wrong_encoding")]),
    "a row and no header": (ROW, [(1, None, "no_header")]),
    "semicolons": (a_file(a_row()).replace(b",", b";"), [(1, None, "no_header")]),
    "tabs": (a_file(a_row()).replace(b",", b"\t"), [(1, None, "no_header")]),
    "a column missing": (
        a_file(a_row(), columns=COLUMNS[:-1]),
        [(1, "response_code", "missing_column")],
    ),
    "the image column missing": (
        a_file(a_row(), columns=("entry_ref", *COLUMNS[2:])),
        [(1, "image", "missing_column")],
    ),
    "a column in capitals": (
        a_file(a_row()).replace(b"nexus", b"NEXUS"),
        [(1, None, "unknown_column"), (1, "nexus", "missing_column")],
    ),
    "every column in capitals": (
        a_text(a_row()).replace(a_text(), a_text().upper()).encode(),
        [(1, None, "unknown_column")] * len(COLUMNS)
        + [(1, column, "missing_column") for column in COLUMNS],
    ),
    "a column twice": (
        a_file(a_row(), columns=(*COLUMNS, "nexus")),
        [(1, "nexus", "column_twice")],
    ),
    "an unknown column": (
        a_file(a_row(), columns=(*COLUMNS, "colour")),
        [(1, None, "unknown_column")],
    ),
    "a column without a name": (
        a_file(a_row(), columns=(*COLUMNS, "")),
        [(1, None, "unknown_column")],
    ),
    "a header below empty lines": (
        b"\n\n" + a_file(a_row(), columns=("surname", *COLUMNS)),
        [(3, "surname", "forbidden_column")],
    ),
    "too few cells": (HEADER + b"\n" + ROW[:-15], [(2, None, "wrong_cell_count")]),
    "too many cells": (HEADER + b"\n" + ROW + b",", [(2, None, "wrong_cell_count")]),
    "a line of spaces": (a_file(a_row()) + b"  \n", [(3, None, "wrong_cell_count")]),
    "a quote in the header": (b'"' + HEADER + b"\n" + ROW, [(1, None, "bad_quoting")]),
    "a quote that stays open": (
        HEADER + b'\n"' + ROW + b"\n" + ROW + b"\n",
        [(2, None, "bad_quoting")],
    ),
    "text behind a quote": (
        HEADER + b"\n" + ROW.replace(b"W1", b'"W1"x'),
        [(2, None, "bad_quoting")],
    ),
    "a cell without end": (
        HEADER + b"\n" + ROW.replace(b"W1", b"W" * 200_000),
        [(2, None, "bad_quoting")],
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_with_every_reason(case: str) -> None:
    raw, expected = BAD_FILES[case]
    assert problems(raw) == expected


def test_the_file_that_the_bad_ones_were_made_of_is_good() -> None:
    """Otherwise the cases above might be refused for another reason."""
    assert len(reading(HEADER + b"\n" + ROW).rows) == 1


def test_the_first_byte_of_another_encoding_is_named() -> None:
    (problem,) = refusal(b"\xef\xbb\xbf" + HEADER + b"\nab\xe9").problems
    assert f"at byte {3 + len(HEADER) + 3}" in problem.sentence


def test_the_error_about_an_encoding_does_not_carry_the_file() -> None:
    """Python's own error holds the whole file, and a log of it would be a watchlist."""
    error = refusal(HEADER + b"\n" + NAME.encode() + b"\xe9")
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_utf_16_is_recognised_and_said() -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert "UTF-16" in str(refusal(a_text(a_row()).encode(encoding)))


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("surname", "column surname would hold a name"),
        ("Date of Birth", "column Date of Birth would hold a date of birth"),
        ("home-address", "column home-address would hold an address"),
        ("officer_notes", "column notes would hold free text"),
        ("\x1bnotes", "column notes would hold free text"),
    ],
)
def test_a_forbidden_column_is_refused_by_name_and_kind(column: str, words: str) -> None:
    (problem,) = refusal(a_file(a_row(), columns=(*COLUMNS, column))).problems
    assert problem.code == "forbidden_column"
    assert words in problem.sentence
    assert problem.sentence.isprintable()


@pytest.mark.parametrize("column", ["nexus ", " nexus", "NEXUS", "Nexus:", "ne_xus", "\ufeffnexus"])
def test_a_column_that_only_looks_like_a_known_one_is_told_how_to_be_written(column: str) -> None:
    """A space at its end is not seen in a spreadsheet."""
    columns = [column if one == "nexus" else one for one in COLUMNS]
    strange, missing = refusal(a_file(a_row(), columns=columns)).problems
    assert (strange.code, missing.code) == ("unknown_column", "missing_column")
    assert strange.sentence == (
        "line 1: column 10 differs from nexus in case, spaces or signs: write nexus"
    )


def test_quotes_around_the_names_of_columns_do_no_harm() -> None:
    """Some programs write them around everything."""
    quoted = b",".join(b'"%s"' % name for name in HEADER.split(b","))
    assert reading(quoted + b"\n" + ROW) == reading(HEADER + b"\n" + ROW)


def test_one_line_of_very_many_columns_is_refused_as_any_other() -> None:
    """Known and unknown ones, of which the first problems are told."""
    raw = HEADER + b"," + b"x," * 50_000 + b"nexus," * 50_000 + b"\n" + ROW
    error = refusal(raw)
    assert {one.code for one in error.problems} == {"unknown_column"}
    assert error.left_out == 100_001 + 1 - MOST_PROBLEMS


def test_several_forbidden_columns_are_all_named() -> None:
    columns = ("surname", "dob", *COLUMNS, "postcode", "comment")
    assert problems(a_file(a_row(), columns=columns)) == [
        (1, "surname", "forbidden_column"),
        (1, "dob", "forbidden_column"),
        (1, "postcode", "forbidden_column"),
        (1, "comment", "forbidden_column"),
    ]


def test_more_rows_than_allowed_are_refused() -> None:
    raw = HEADER + b"\n" + b"x\n" * (MOST_ROWS + 1)
    error = refusal(raw)
    assert len(error.problems) == MOST_PROBLEMS
    assert error.left_out == MOST_ROWS + 1 - MOST_PROBLEMS
    raw = HEADER + b"\n" + b"x\n" * MOST_ROWS
    assert refusal(raw).left_out == MOST_ROWS - MOST_PROBLEMS


def test_many_faults_in_few_rows_are_not_taken_for_too_many_rows() -> None:
    rows = MOST_ROWS // len(COLUMNS) + 1
    error = refusal(HEADER + b"\n" + b"," * (len(COLUMNS) - 1) + b"\n" + b",,\n" * (rows - 1))
    assert {one.code for one in error.problems} == {"empty_cell", "wrong_cell_count"}


def test_the_first_faults_are_told_and_the_rest_counted() -> None:
    rows = [a_row(number, category="W9") for number in range(MOST_PROBLEMS + 7)]
    error = refusal(a_file(*rows), [row["image"] for row in rows])
    assert len(error.problems) == MOST_PROBLEMS
    assert error.left_out == 7
    assert str(error).endswith("\n  and 7 more")
    assert error.problems[-1].line == MOST_PROBLEMS + 1


def test_a_refusal_is_the_callers_to_mend_and_lists_every_reason() -> None:
    error = refusal(a_file(a_row(category="W9", vulnerable="maybe")))
    assert isinstance(error, DomainError)
    assert "nothing of it was" in str(error)
    assert "unknown_code: line 2: category is one of W1, W2" in str(error)
    assert "unknown_code: line 2: vulnerable is one of yes, no" in str(error)


def test_a_list_of_problems_found_elsewhere_is_cut_alike() -> None:
    """The photographs are looked at by another reader, which refuses with the same error."""
    found = [ListingProblem(line, "image", "no_face", "x") for line in range(MOST_PROBLEMS + 1)]
    assert ListingRefusedError(found).left_out == 1
    assert ListingRefusedError(found, left_out=2).left_out == 3


# What a reason may never tell


def told(error: ListingRefusedError) -> str:
    """Everything that a refusal says, to a person, a program or the record."""
    said = [str(error), repr(error)]
    for one in error.problems:
        said += [one.sentence, one.column or "", one.code]
    return "\n".join(said).casefold()


def leaks(error: ListingRefusedError, plants: Sequence[str]) -> list[str]:
    return [plant for plant in plants if plant.casefold() in told(error)]


def with_cell(column: str, cell: str) -> bytes:
    return a_file(a_row(1), a_row(2, **{column: cell}))


LEAKY = {
    **{f"a name as {column}": with_cell(column, NAME) for column in COLUMNS if column != "image"},
    **{f"a day of birth as {column}": with_cell(column, BORN) for column in CODE_COLUMNS},
    "a day of birth as the day": with_cell("attempted_on", "12 March 1980 " + BORN),
    "a birthday as the day": with_cell("attempted_on", BORN),
    "a photograph called by a name": with_cell("image", f"{NAME}.jpg"),
    "a path with a name": with_cell("image", f"{NAME}/1.jpg"),
    "a full name as a reference": with_cell("entry_ref", f"{NAME} {BORN}"),
    "a name twice": a_file(a_row(1, entry_ref=NAME), a_row(2, entry_ref=NAME)),
    "a photograph twice": a_file(a_row(1, image=NAME), a_row(2, image=NAME)),
    "a name too long": with_cell("nexus", NAME * 20),
    "a column called by a name": a_file(a_row(), columns=(*COLUMNS, NAME, BORN)),
    "a column called by a name and a kind": a_file(a_row(), columns=(*COLUMNS, f"{NAME}_notes")),
    "a row with a name instead of a header": f"{NAME},{BORN},1.jpg,W1\n".encode(),
    "a name in an unknown column": a_file(
        a_row(colour=NAME, surname=BORN), columns=(*COLUMNS, "colour", "surname")
    ),
    "a row that is too long": a_file(a_row()) + ROW + f",{NAME}\n".encode(),
    "an open quote": a_file(a_row()) + f'"{NAME},{BORN}'.encode(),
    "text behind a quote": a_file(a_row()) + f'"{NAME}"{BORN}\n'.encode(),
    "Latin-1": f"{NAME},é,{BORN}".encode("latin-1"),
    "UTF-16": f"{NAME},{BORN}".encode("utf-16"),
}


@pytest.mark.parametrize("case", LEAKY)
def test_no_reason_tells_what_stands_in_a_cell(case: str) -> None:
    images = ("1.jpg", "2.jpg", f"{NAME} {BORN}.png")
    try:
        reading(LEAKY[case], images)
    except ListingRefusedError as error:
        assert leaks(error, PLANTS) == []
    else:
        pytest.fail("expected a refusal, found a listing")


def test_the_search_for_a_leak_finds_one_that_was_planted() -> None:
    for plant in PLANTS:
        for problem in (
            ListingProblem(2, "nexus", "unknown_code", f"line 2: found {plant.upper()}"),
            ListingProblem(2, plant, "unknown_code", "line 2"),
        ):
            assert leaks(ListingRefusedError([problem]), PLANTS) == [plant]


# Anything at all


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_and_nothing_else(raw: bytes) -> None:
    assert _refused_or_read(raw) is None


@settings(deadline=None)
@given(raw=st.lists(st.sampled_from([*b',"\n\r;=\0', 0xEF, 0xBB, 0xBF, 0xFF, 0xC3])).map(bytes))
def test_bytes_that_mean_something_are_read_or_refused(raw: bytes) -> None:
    assert _refused_or_read(HEADER + b"\n" + raw) is None
    assert _refused_or_read(raw + HEADER + b"\n" + ROW) in (None, 1)


@settings(max_examples=200, deadline=None)
@given(
    at=st.integers(0, len(HEADER) + len(ROW)),
    cut=st.integers(0, 12),
    put=st.one_of(st.binary(max_size=12), st.text(max_size=6).map(lambda text: text.encode())),
)
def test_a_good_file_with_a_piece_replaced_is_read_or_refused(
    at: int, cut: int, put: bytes
) -> None:
    whole = HEADER + b"\n" + ROW
    assert _refused_or_read(whole[:at] + put + whole[at + cut :]) in (None, 1)


CELLS = st.one_of(
    st.sampled_from([code for codes in accepted_values().codes.values() for code in codes]),
    st.sampled_from(["1.jpg", "ref-1", "2026-11-20", "", "=1", "..", '"', "a,b", "x\ny"]),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8),
)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=4))
def test_any_cells_are_read_or_refused(rows: list[list[str]]) -> None:
    raw = a_file(*(dict(zip(COLUMNS, cells, strict=True)) for cells in rows))
    assert _refused_or_read(raw) in (None, 1)


@settings(deadline=None)
@given(st.lists(st.sampled_from(CODE_COLUMNS), min_size=1, unique=True), st.data())
def test_any_accepted_codes_come_back_as_they_were_written(
    columns: list[str], draw: st.DataObject
) -> None:
    row = a_row()
    for column in columns:
        row[column] = draw.draw(st.sampled_from(sorted(accepted_values().codes[column])))
    (found,) = reading(a_file(row)).rows
    back = {column: getattr(found, column) for column in COLUMNS}
    back |= {"attempted_on": str(found.attempted_on), "vulnerable": "yn"[not found.vulnerable]}
    assert back == row | {"vulnerable": row["vulnerable"][0]}


def _refused_or_read(raw: bytes) -> int | None:
    """How many rows were read, or ``None`` if the file was refused, which has a reason."""
    try:
        return len(reading(raw).rows)
    except ListingRefusedError as error:
        assert error.problems
        assert all(one.code and one.sentence.isprintable() for one in error.problems)
        return None

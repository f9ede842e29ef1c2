"""Reading a watchlist file: every row of it, or none and every reason.

Pure: bytes and the names of the photographs in, rows or problems out. A problem names line and
column and never repeats what stands in a cell, which might be what must not be here.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from domain.kernel.errors import DomainError
from domain.watchlists.accepted import CODE_COLUMNS, AcceptedValues, plain

COLUMNS = (
    "entry_ref",
    "image",
    "category",
    "source_system",
    "image_basis",
    "necessity",
    "attempted_means",
    "attempted_on",
    "attempted_result",
    "nexus",
    "age_band",
    "vulnerable",
    "response_code",
)
MOST_ROWS = 100_000
MOST_PROBLEMS = 200
LONGEST_CELL = 200
OLDEST_ATTEMPT = date(2000, 1, 1)

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_SAFE_TO_REPEAT = re.compile(r"[A-Za-z0-9<>+-]{1,24}")


@dataclass(frozen=True)
class ListedEntry:
    """One row, checked."""

    line: int
    entry_ref: str
    image: str
    category: str
    source_system: str
    image_basis: str
    necessity: str
    attempted_means: str
    attempted_on: date
    attempted_result: str
    nexus: str
    age_band: str
    vulnerable: bool
    response_code: str


@dataclass(frozen=True)
class Listing:
    """A whole file, checked."""

    rows: list[ListedEntry]


@dataclass(frozen=True)
class ListingProblem:
    """Why a file cannot be imported."""

    line: int | None
    column: str | None
    code: str
    sentence: str


class ListingRefusedError(DomainError):
    """The file is refused as a whole, with every reason."""

    def __init__(self, problems: Sequence[ListingProblem]) -> None:
        self.problems = list(problems[:MOST_PROBLEMS])
        self.left_out = len(problems) - len(self.problems)
        more = f"\n  and {self.left_out} more" if self.left_out else ""
        super().__init__(
            "the watchlist was not imported, and nothing of it was:\n"
            + "\n".join(f"  {one.code}: {one.sentence}" for one in self.problems)
            + more
        )


def read_listing(
    raw: bytes, *, images: Collection[str], accepted: AcceptedValues, on: date
) -> Listing:
    """All rows of a watchlist file.

    Args:
        raw: the file: UTF-8 (a byte order mark is allowed), comma separated, with a header.
        images: the names of the files in the folder of photographs.
        accepted: the codes that may be used.
        on: the present day; an attempt cannot lie after it.

    Raises:
        ListingRefusedError: with every problem, in the order of the lines.
    """
    records = _records(_text(raw))
    header = next(records, None)
    if header is None:
        raise _refused("empty_file", "expected a header and rows, found nothing")
    _check_header(header[1], accepted)
    problems: list[ListingProblem] = []
    rows: list[ListedEntry] = []
    for line, cells in records:
        row = _row(line, dict(zip(header[1], cells, strict=False)), len(cells), accepted, on)
        if isinstance(row, ListedEntry):
            rows.append(row)
        else:
            problems.extend(row)
        if len(rows) + len(problems) > MOST_ROWS:
            raise _refused("too_many_rows", f"expected at most {MOST_ROWS} rows")
    if not rows and not problems:
        raise _refused("no_rows", "expected at least one row below the header")
    problems.extend(_repeated(rows, lambda row: row.entry_ref, "entry_ref"))
    problems.extend(_repeated(rows, lambda row: row.image, "image"))
    problems.extend(_unmatched(rows, images, complete=not problems))
    if problems:
        raise ListingRefusedError(sorted(problems, key=lambda one: one.line or 0))
    return Listing(rows)


def _text(raw: bytes) -> str:
    if not raw.strip():
        raise _refused("empty_file", "expected a header and rows, found nothing")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _refused("wrong_encoding", "expected UTF-8, found UTF-16: save it as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(
            "wrong_encoding", f"expected UTF-8, found another encoding at byte {error.start}"
        ) from error
    if "\0" in text:
        raise _refused("wrong_encoding", "expected text, found a zero byte")
    return text


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every line that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refused(
                "bad_quoting",
                f"line {reader.line_num}: expected comma separated cells, quotes closed",
                reader.line_num,
            ) from error
        if cells:
            yield reader.line_num, cells


def _check_header(header: Sequence[str], accepted: AcceptedValues) -> None:
    problems = []
    for number, column in enumerate(header, start=1):
        if column in COLUMNS:
            if column in header[: number - 1]:
                problems.append(_header_problem("column_twice", f"column {column} stands twice"))
            continue
        kind = accepted.forbidden.get(plain(column))
        shown = column if _SAFE_TO_REPEAT.fullmatch(plain(column)) else f"number {number}"
        if kind is not None:
            problems.append(
                _header_problem(
                    "forbidden_column",
                    f"column {shown} would hold {kind}, which may not be in a watchlist file",
                )
            )
        else:
            problems.append(
                _header_problem(
                    "unknown_column",
                    f"column {shown} is not known and might hold free text; known are "
                    f"{', '.join(COLUMNS)}",
                )
            )
    for column in COLUMNS:
        if column not in header:
            problems.append(_header_problem("missing_column", f"column {column} is missing"))
    if problems:
        raise ListingRefusedError(problems)


def _row(
    line: int, cells: dict[str, str], found: int, accepted: AcceptedValues, on: date
) -> ListedEntry | list[ListingProblem]:
    if found != len(COLUMNS):
        sentence = f"line {line}: expected {len(COLUMNS)} cells, found {found}"
        return [ListingProblem(line, None, "wrong_cell_count", sentence)]
    problems = [
        *_shape_problems(line, cells),
        *(one for column in CODE_COLUMNS if (one := _code_problem(line, column, cells, accepted))),
    ]
    attempted_on = _day(cells["attempted_on"])
    if attempted_on is None or not OLDEST_ATTEMPT <= attempted_on <= on:
        problems.append(
            ListingProblem(
                line,
                "attempted_on",
                "bad_date",
                f"line {line}: attempted_on is a day YYYY-MM-DD from {OLDEST_ATTEMPT} to today",
            )
        )
    if problems or attempted_on is None:
        return problems
    return ListedEntry(
        line=line,
        attempted_on=attempted_on,
        vulnerable=cells["vulnerable"] == "yes",
        **{
            column: cells[column]
            for column in COLUMNS
            if column not in ("attempted_on", "vulnerable")
        },
    )


def _shape_problems(line: int, cells: dict[str, str]) -> Iterator[ListingProblem]:
    for column, cell in cells.items():
        if not cell.strip():
            yield ListingProblem(line, column, "empty_cell", f"line {line}: {column} is empty")
        elif len(cell) > LONGEST_CELL:
            yield ListingProblem(
                line, column, "cell_too_long", f"line {line}: {column} is over {LONGEST_CELL} signs"
            )
    if cells["entry_ref"].strip() and not _REFERENCE.fullmatch(cells["entry_ref"]):
        yield ListingProblem(
            line,
            "entry_ref",
            "bad_reference",
            f"line {line}: entry_ref is an opaque reference of at most 64 letters, digits and "
            "._:/- without spaces, never a name",
        )
    image = cells["image"]
    if "/" in image or "\\" in image or image in (".", ".."):
        yield ListingProblem(
            line,
            "image",
            "image_is_a_path",
            f"line {line}: image is the name of a file in the folder, not a path",
        )


def _code_problem(
    line: int, column: str, cells: dict[str, str], accepted: AcceptedValues
) -> ListingProblem | None:
    cell, codes = cells[column], accepted.codes[column]
    if cell in codes or not cell.strip():
        return None
    found = f", found {cell}" if _SAFE_TO_REPEAT.fullmatch(cell) else ""
    return ListingProblem(
        line,
        column,
        "unknown_code",
        f"line {line}: {column} is one of {', '.join(codes)}{found}",
    )


def _repeated(
    rows: Sequence[ListedEntry], key: Callable[[ListedEntry], str], column: str
) -> Iterator[ListingProblem]:
    first: dict[str, int] = {}
    for row in rows:
        if (value := key(row)) in first:
            yield ListingProblem(
                row.line,
                column,
                f"{column}_twice",
                f"line {row.line}: {column} stands in line {first[value]} already",
            )
        first.setdefault(value, row.line)


def _unmatched(
    rows: Sequence[ListedEntry], images: Collection[str], *, complete: bool
) -> Iterator[ListingProblem]:
    """Rows without a photograph; and, once every row was read, photographs without a row."""
    named = {row.image for row in rows}
    for row in rows:
        if row.image not in images:
            yield ListingProblem(
                row.line,
                "image",
                "row_without_image",
                f"line {row.line}: its image is not in the folder",
            )
    left_over = len(set(images) - named)
    if complete and left_over:
        yield ListingProblem(
            None,
            None,
            "image_without_row",
            f"{left_over} files in the folder of photographs are in no row",
        )


def _day(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _header_problem(code: str, sentence: str) -> ListingProblem:
    return ListingProblem(1, None, code, sentence)


def _refused(code: str, sentence: str, line: int | None = None) -> ListingRefusedError:
    return ListingRefusedError([ListingProblem(line, None, code, sentence)])

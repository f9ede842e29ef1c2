"""Reading a watchlist file: every row of it, or none and every reason.

Pure: bytes and the names of the photographs in, rows or problems out. A problem names line and
column and never repeats what stands in a cell: that might be what must not be here, moved one
column over, and the reasons of a refused file are recorded for ever (promise 4).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from domain.kernel.errors import DomainError
from domain.watchlists.accepted import AcceptedValues, plain

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
"""The first sign is a letter or digit, so that no spreadsheet takes it for a formula."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_COLUMN_NAME = re.compile(r"[A-Za-z0-9 _-]{1,40}")
_OWN_IN_EACH_ROW = ("entry_ref", "image")
_NEARLY = {plain(column): column for column in COLUMNS}
"""Each column by what is left of its name without case, spaces and signs."""


@dataclass(frozen=True)
class ListedEntry:
    """One row, checked."""

    line: int
    """The line of the file on which it begins, from 1."""
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
    """The line of the file, from 1, or ``None`` where it is about the file or the folder."""
    column: str | None
    code: str
    """What a program reads: stable."""
    sentence: str
    """What a person reads. Never the content of a cell."""


class ListingRefusedError(DomainError):
    """The file is refused as a whole, with every reason.

    Args:
        problems: all that were found, or the first of them.
        left_out: how many more there were.
    """

    def __init__(self, problems: Sequence[ListingProblem], *, left_out: int = 0) -> None:
        self.problems = list(problems[:MOST_PROBLEMS])
        self.left_out = left_out + len(problems) - len(self.problems)
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
        ListingRefusedError: with every problem, in the order of the lines; what is about the
            folder stands last.
    """
    records = _records(_text(raw))
    reading = _Reading(_header(records), frozenset(images), accepted, on)
    try:
        for line, cells in records:
            reading.take(line, cells)
    except _UnreadableRestError as rest:
        reading.stop(rest.problem)
    return reading.finished()


class _UnreadableRestError(Exception):
    """From here on the file cannot be read; what came before still counts."""

    def __init__(self, problem: ListingProblem) -> None:
        super().__init__(problem.sentence)
        self.problem = problem


class _Reading:
    """What was found in a file so far.

    The first problems are kept and the rest counted, so that a long file without one good cell
    does not fill the memory with reasons.
    """

    def __init__(
        self,
        header: tuple[int, list[str]],
        images: frozenset[str],
        accepted: AcceptedValues,
        on: date,
    ) -> None:
        line, self._header = header
        self._images = images
        self._accepted = accepted
        self._on = on
        self._count = 0
        self._rows: list[ListedEntry] = []
        self._problems: list[ListingProblem] = []
        self._left_out = 0
        self._first_seen: dict[tuple[str, str], int] = {}
        self._named: set[str] = set()
        self._read_to_the_end = True
        self._every_image_is_known = self._header.count("image") == 1
        self._keep(_header_problems(line, self._header, accepted))

    def take(self, line: int, cells: list[str]) -> None:
        """Check one row and keep it, or what is wrong with it."""
        self._count += 1
        if self._count > MOST_ROWS:
            raise _UnreadableRestError(
                _problem(line, None, "too_many_rows", f"expected at most {MOST_ROWS} rows")
            )
        if len(cells) != len(self._header):
            self._every_image_is_known = False
            sentence = f"expected {len(self._header)} cells, found {len(cells)}"
            self._keep([_problem(line, None, "wrong_cell_count", sentence)])
            return
        # Unknown columns are a problem of the header; what stands in them is not looked at.
        row = {
            column: cell
            for column, cell in zip(self._header, cells, strict=True)
            if column in COLUMNS
        }
        problems = list(self._row_problems(line, row))
        self._keep(problems)
        if not problems and not self._problems:
            self._rows.append(_entry(line, row))

    def stop(self, problem: ListingProblem) -> None:
        """Take note that the rest of the file is not looked at."""
        self._read_to_the_end = False
        self._keep([problem])

    def finished(self) -> Listing:
        """The rows, if nothing at all was wrong.

        Raises:
            ListingRefusedError: something was.
        """
        if self._read_to_the_end:
            self._keep(self._problems_of_the_whole())
        if self._problems:
            raise ListingRefusedError(self._problems, left_out=self._left_out)
        return Listing(self._rows)

    def _problems_of_the_whole(self) -> list[ListingProblem]:
        """What only shows once every row was read."""
        if not self._count:
            return [_file_problem("no_rows", "expected at least one row below the header")]
        left_over = len(self._images - self._named)
        if not left_over or not self._every_image_is_known:
            return []
        # Only how many: the name of a photograph may be the name of a person.
        sentence = (
            "expected a row for every file in the folder of photographs, "
            f"found none for {left_over} of {len(self._images)}"
        )
        return [_file_problem("image_without_row", sentence)]

    def _row_problems(self, line: int, row: Mapping[str, str]) -> Iterator[ListingProblem]:
        """What is wrong with one row, in the order of the file's columns."""
        self._named.add(row.get("image", ""))
        for column, cell in row.items():
            fault = _cell_fault(column, cell, self._accepted, self._on)
            if fault is not None:
                yield _problem(line, column, *fault)
                continue
            if column in _OWN_IN_EACH_ROW:
                first = self._first_seen.setdefault((column, cell), line)
                if first != line:
                    sentence = f"{column} stands in line {first} already"
                    yield _problem(line, column, f"{column}_twice", sentence)
            if column == "image" and cell not in self._images:
                sentence = "its image is not in the folder of photographs"
                yield _problem(line, column, "row_without_image", sentence)

    def _keep(self, problems: Sequence[ListingProblem]) -> None:
        room = MOST_PROBLEMS - len(self._problems)
        self._problems.extend(problems[:room])
        self._left_out += len(problems[room:])


def _text(raw: bytes) -> str:
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        raise _refused("empty_file", "expected a header and rows, found nothing")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _refused("wrong_encoding", "expected UTF-8, found UTF-16: save it as UTF-8")
    if (zero := raw.find(b"\0")) >= 0:
        raise _refused(
            "wrong_encoding",
            f"expected UTF-8, found a zero at byte {zero}: if it is UTF-16, save it as UTF-8",
        )
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        # Not "from error": that one carries the whole file, and whoever logs it logs a watchlist.
        raise _refused(
            "wrong_encoding", f"expected UTF-8, found another encoding at byte {error.start}"
        ) from None


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which it begins, and the cells, of every record that is not an empty line.

    Lines end as they may on any machine: LF, CR LF or CR.

    Raises:
        _UnreadableRestError: quotes are not closed, or a cell has no end in sight.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _UnreadableRestError(
                _problem(
                    line,
                    None,
                    "bad_quoting",
                    "expected cells with their quotes closed, found a cell that does not end as "
                    "it should; nothing from here on was read",
                )
            ) from error
        if cells:
            yield line, cells


def _header(records: Iterator[tuple[int, list[str]]]) -> tuple[int, list[str]]:
    """The header and its line.

    Raises:
        ListingRefusedError: there is none. A first line without one column that is known, or
            nearly, is taken for a row: nothing in it may be repeated as if it were the name of a
            column.
    """
    try:
        header = next(records, None)
    except _UnreadableRestError as rest:
        raise ListingRefusedError([rest.problem]) from rest
    if header is None:
        raise _refused("empty_file", "expected a header and rows, found nothing")
    line, columns = header
    if not any(plain(column) in _NEARLY for column in columns):
        sentence = f"expected a header of comma separated columns: {', '.join(COLUMNS)}"
        raise ListingRefusedError([_problem(line, None, "no_header", sentence)])
    return line, columns


def _header_problems(
    line: int, header: Sequence[str], accepted: AcceptedValues
) -> list[ListingProblem]:
    problems = []
    seen: set[str] = set()
    for number, column in enumerate(header, start=1):
        if column not in COLUMNS:
            problems.append(_strange_column(line, number, column, accepted))
        elif column in seen:
            sentence = f"column {column} stands twice"
            problems.append(_problem(line, column, "column_twice", sentence))
        seen.add(column)
    return problems + [
        _problem(line, column, "missing_column", f"column {column} is missing")
        for column in COLUMNS
        if column not in seen
    ]


def _strange_column(
    line: int, number: int, column: str, accepted: AcceptedValues
) -> ListingProblem:
    """A column that may not be there, named only as far as the catalogue knows its name."""
    if (meant := _NEARLY.get(plain(column))) is not None:
        sentence = f"column {number} differs from {meant} in case, spaces or signs: write {meant}"
        return _problem(line, None, "unknown_column", sentence)
    word = accepted.forbidden_word(column)
    if word is None:
        sentence = f"column {number} is not known and might hold free text"
        return _problem(line, None, "unknown_column", sentence)
    is_whole_name = _COLUMN_NAME.fullmatch(column) is not None and plain(column) == word
    return _problem(
        line,
        word,
        "forbidden_column",
        f"column {column if is_whole_name else word} would hold {accepted.forbidden[word]}, "
        "which may not be in a watchlist file",
    )


def _cell_fault(
    column: str, cell: str, accepted: AcceptedValues, on: date
) -> tuple[str, str] | None:
    """What is wrong with one cell by itself: a code, and a sentence that does not repeat it."""
    if not cell.strip():
        return "empty_cell", f"{column} is empty"
    if len(cell) > LONGEST_CELL:
        return "cell_too_long", f"{column} is longer than {LONGEST_CELL} characters"
    if column == "entry_ref":
        return _reference_fault(cell)
    if column == "image":
        return _image_fault(cell)
    if column == "attempted_on":
        return _day_fault(cell, on)
    if cell not in accepted.codes[column]:
        return "unknown_code", f"{column} is one of {', '.join(accepted.codes[column])}"
    return None


def _reference_fault(cell: str) -> tuple[str, str] | None:
    if _REFERENCE.fullmatch(cell):
        return None
    return (
        "bad_reference",
        "entry_ref is an opaque reference of at most 64 letters, digits and ._:/- that begins "
        "with a letter or digit and has no space, never a name",
    )


def _image_fault(cell: str) -> tuple[str, str] | None:
    if cell not in (".", "..") and not set("/\\:") & set(cell):
        return None
    return "image_is_a_path", "image is the name of a file in the folder, not a path"


def _day_fault(cell: str, on: date) -> tuple[str, str] | None:
    try:
        day = date.fromisoformat(cell) if _DAY.fullmatch(cell) else None
    except ValueError:
        day = None
    if day is None:
        return "bad_date", "attempted_on is a day, written YYYY-MM-DD"
    if day > on:
        return "date_in_future", f"attempted_on lies after the present day, {on}"
    if day < OLDEST_ATTEMPT:
        return "date_too_old", f"attempted_on lies before {OLDEST_ATTEMPT}"
    return None


def _entry(line: int, row: Mapping[str, str]) -> ListedEntry:
    """A row in which nothing is wrong."""
    return ListedEntry(
        line=line,
        attempted_on=date.fromisoformat(row["attempted_on"]),
        vulnerable=row["vulnerable"] == "yes",
        **{
            column: row[column]
            for column in COLUMNS
            if column not in ("attempted_on", "vulnerable")
        },
    )


def _problem(line: int, column: str | None, code: str, sentence: str) -> ListingProblem:
    return ListingProblem(line, column, code, f"line {line}: {sentence}")


def _file_problem(code: str, sentence: str) -> ListingProblem:
    return ListingProblem(None, None, code, sentence)


def _refused(code: str, sentence: str) -> ListingRefusedError:
    return ListingRefusedError([_file_problem(code, sentence)])

"""Figures that were published elsewhere, and where they contradict each other.

Forces have published totals that do not add up. Their rows are taken as they were printed; nothing
is corrected, and what was not printed stays unknown.

Source: domain specification, section 6 and complaint K-08.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.kernel.errors import DomainError

FIGURES = (
    "deployments",
    "watchlist",
    "faces",
    "alerts",
    "true_alerts",
    "false_alerts",
    "engaged",
    "arrests",
    "cameras",
)
_ADDED = ("deployments", "faces", "alerts", "true_alerts", "false_alerts", "engaged", "arrests")
"""What a longer period has at least as much of as the periods within it."""


class PublishedError(DomainError):
    """Published figures cannot be read."""


@dataclass(frozen=True)
class Published:
    """One row, as it was printed. ``None`` where nothing was."""

    row: str
    start: str
    end: str
    """A month, a day or a minute: 2024-09, 2024-09-19 or 2024-09-19T11:00."""
    place: str
    force: str
    numbers: Mapping[str, int | None]

    def number(self, name: str) -> int | None:
        """One figure."""
        return self.numbers[name]


@dataclass(frozen=True)
class Parts:
    """What a figure was said to be made up of."""

    row: str
    figure: str
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Contradiction:
    """Two statements that cannot both be true."""

    rows: tuple[str, ...]
    figure: str
    says: str


def read_published(text: str, where: str) -> list[Published]:
    """Rows of a CSV with a header; columns that are not known are left aside.

    Raises:
        PublishedError: a column is missing, or a cell is no number; says which.
    """
    reader = csv.DictReader(io.StringIO(text))
    needed = {"id", "start", "end", "place", "force", *FIGURES}
    if missing := sorted(needed - set(reader.fieldnames or ())):
        raise PublishedError(f"{where}: expected the columns {', '.join(missing)}")
    return [_row(cells, f"{where}, line {number}") for number, cells in enumerate(reader, start=2)]


def _row(cells: Mapping[str, str], where: str) -> Published:
    numbers: dict[str, int | None] = {}
    for name in FIGURES:
        text = (cells[name] or "").strip()
        if text and not (text.isascii() and text.isdigit()):
            raise PublishedError(f"{where}: expected a whole number for {name}, found {text!a}")
        numbers[name] = int(text) if text else None
    for name in ("start", "end"):
        _whole(cells[name], where, last=False)
    return Published(
        cells["id"], cells["start"], cells["end"], cells["place"], cells["force"], numbers
    )


def contradictions(rows: Sequence[Published], parts: Sequence[Parts] = ()) -> list[Contradiction]:
    """Every contradiction within a row and between rows."""
    return [*_within(rows), *_of_parts(rows, parts), *_between(rows)]


def _within(rows: Sequence[Published]) -> Iterator[Contradiction]:
    for row in rows:
        alerts, true, false = (
            row.number(name) for name in ("alerts", "true_alerts", "false_alerts")
        )
        if alerts is not None and (true or 0) + (false or 0) > alerts:
            yield Contradiction(
                (row.row,), "alerts", f"{true or 0} true and {false or 0} false of {alerts} alerts"
            )
        for part, whole in (("engaged", "alerts"), ("arrests", "engaged"), ("alerts", "faces")):
            small, large = row.number(part), row.number(whole)
            if small is not None and large is not None and small > large:
                yield Contradiction((row.row,), part, f"{small} {part} of {large} {whole}")


def _of_parts(rows: Sequence[Published], parts: Sequence[Parts]) -> Iterator[Contradiction]:
    by_row = {row.row: row for row in rows}
    for one in parts:
        said = by_row[one.row].number(one.figure)
        summed = sum(one.parts)
        if said is not None and summed != said:
            yield Contradiction(
                (one.row,),
                one.figure,
                f"{' + '.join(map(str, one.parts))} = {summed}, published as {said}",
            )


def _between(rows: Sequence[Published]) -> Iterator[Contradiction]:
    """A longer period of a force has no less of anything than what lies within it."""
    for whole in rows:
        inside = [one for one in rows if one is not whole and _lies_within(one, whole)]
        inside = [one for one in inside if not any(_lies_within(one, other) for other in inside)]
        for name in _ADDED:
            said = whole.number(name)
            known = [(one.row, one.number(name)) for one in inside]
            counted = [(row, number) for row, number in known if number is not None]
            summed = sum(number for _, number in counted)
            if said is not None and summed > said:
                yield Contradiction(
                    (whole.row, *(row for row, number in counted if number)),
                    name,
                    f"{said} from {whole.start} to {whole.end}, but {summed} within that time",
                )


def _lies_within(one: Published, whole: Published) -> bool:
    if one is whole or one.force != whole.force:
        return False
    first, last = _span(one)
    begin, end = _span(whole)
    return begin <= first and last <= end and (first, last) != (begin, end)


def _span(row: Published) -> tuple[str, str]:
    return _whole(row.start, row.row, last=False), _whole(row.end, row.row, last=True)


def _whole(text: str, where: str, *, last: bool) -> str:
    """A month, day or minute as the first or last minute of it, so that texts compare."""
    for form, rest in (("%Y-%m", "-31T23:59"), ("%Y-%m-%d", "T23:59"), ("%Y-%m-%dT%H:%M", "")):
        try:
            datetime.strptime(text, form)  # noqa: DTZ007 - compared as text only
        except ValueError:
            continue
        first = {"-31T23:59": "-01T00:00", "T23:59": "T00:00", "": ""}[rest]
        return text + (rest if last else first)
    raise PublishedError(f"{where}: expected a month, day or minute, found {text!a}")

"""Reports that are made of tables: page, JSON and CSV of the same rows."""

from __future__ import annotations

import csv
import io
from typing import Any

from api.reports.deployment import safe
from api.reports.pages import page
from domain.figures.tables import POSITIONS, Report

FORMAT = "plumbline-report/v1"


def as_json(report: Report, *, log: str, mode: str) -> dict[str, Any]:
    """The report as one JSON object; each row is an object with its columns."""
    return {
        "format": FORMAT,
        "report": report.name,
        "title": report.title,
        "source": report.source,
        "log": log,
        "mode": mode,
        "entries": report.entries,
        "last_position": report.last_position,
        "notes": list(report.notes),
        "tables": {
            one.name: {
                "says": one.says,
                "rows": [dict(zip(one.columns, row, strict=True)) for row in one.rows],
            }
            for one in report.tables
        },
    }


def as_csv(report: Report) -> str:
    """Every row of every table, safe to open in a spreadsheet: its table's name stands first."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    for one in report.tables:
        lines.writerow(safe(("table", *one.columns)))
        for row in one.rows:
            lines.writerow(safe((one.name, *row)))
    return text.getvalue()


def as_html(report: Report, *, log: str, mark: str) -> str:
    """The report as a page that loads nothing from anywhere."""
    return page(
        "tables.html.j2", report=report, log=log, mark=mark, positions=POSITIONS, told=_told
    )


def _told(cell: object) -> str:
    """A cell for a person."""
    if cell is None:
        return ""
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)

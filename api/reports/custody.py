"""The report to the data protection officer: what was kept, what is gone, what is left and why.

Its figures come from the same recomputation as the offline verifier's verdict
(:mod:`domain.assurance.custody`), so that the two cannot disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import takewhile
from typing import Any

from api.reports.pages import page
from api.reports.plots import Plot, plots
from domain.assurance.custody import Custody
from domain.assurance.examined import followed
from domain.assurance.figures import figures
from domain.assurance.holdings import CustodyVerdict
from domain.kernel.time import written


def recomputed(
    named: Iterable[tuple[str, bytes]], *, scope: str | None, as_of: datetime
) -> CustodyVerdict:
    """Custody as the entries up to a time tell it.

    Args:
        named: the entries of the log, each behind its stored name.
        scope: only those of this deployment and of the force; None for all.
        as_of: the time; what is overdue by then is, though nothing was recorded since.
    """
    return followed(named, Custody(scope, positions=True)).verdict(as_of=as_of)


def as_json(verdict: CustodyVerdict, *, deployment: str | None, log: str) -> dict[str, Any]:
    """The report as one JSON object."""
    return figures(verdict) | {
        "format": "plumbline-custody-report/v1",
        "log": log,
        "deployment": deployment,
        "heartbeat_gaps": [asdict(one) for one in verdict.gaps],
    }


def as_html(report: dict[str, Any], verdict: CustodyVerdict, *, mark: str) -> str:
    """The report as a page that loads nothing from anywhere."""
    drawn: list[Plot] = plots(verdict)
    return page("custody.html.j2", mark=mark, report=report, plots=drawn, levels=LEVELS)


LEVELS = {
    "L0": "reads are refused",
    "L1": "the key is destroyed",
    "L2": "the ciphertext is gone",
    "L3": "an inventory of the stores found nothing of it afterwards",
    "L4": "the key of its epoch is destroyed",
    "L5": "every backup that could hold it has passed its horizon (never claimed here: no backup "
    "horizon is recorded)",
}
"""What each level says. Source: design of the record, custody and destruction."""


def certificate_page(certificate: dict[str, Any]) -> str:
    """A deletion certificate as a page that loads nothing from anywhere."""
    mark = "REHEARSAL " if certificate["mode"] == "rehearsal" else ""
    return page("certificate.html.j2", mark=mark, certificate=certificate, levels=LEVELS)


def up_to(named: Iterable[tuple[str, bytes]], as_of: datetime) -> Iterator[tuple[str, bytes]]:
    """Entries behind their names, as far as they were recorded by a time."""
    last = written(as_of)
    return takewhile(lambda one: json.loads(one[1])["recorded_at"] <= last, named)

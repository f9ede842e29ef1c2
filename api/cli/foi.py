"""``plumbline foi``: what requesters ask, answered for any period from the log."""

from __future__ import annotations

import typer

from api.bootstrap import evidence_in, mode_of, origin_of, read_history
from api.cli.days import a_day
from api.cli.record import Data, data_directory
from api.cli.telling import printable, say, say_json
from api.reports.answers import as_json, as_text
from domain.figures.answers import answered
from domain.figures.deployment_record import counted_each
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.watchlists.accepted import accepted_values


def foi(
    first: str = typer.Option(..., "--from", metavar="DAY", help="The first day, YYYY-MM-DD."),
    last: str = typer.Option(..., "--to", metavar="DAY", help="The last day, YYYY-MM-DD."),
    as_json_: bool = typer.Option(False, "--json", help="One JSON object."),
    data: str | None = Data,
) -> None:
    """Answer the questions that are asked under freedom of information, for any period."""
    path, begin, end = data_directory(data), a_day("--from", first), a_day("--to", last)
    if end < begin:
        raise DomainError(f"--to: expected a day from {begin} on, found {end}")
    mode, tests = mode_of(path), evidence_in(path)
    records = counted_each(read_history(path, None), tests)
    catalogue = accepted_values()
    found = answered(records, first=begin, last=end, wanted=catalogue.wanted_categories)
    if as_json_:
        say_json(as_json(found, log=origin_of(path), mode=mode.value))
        return
    mark = "REHEARSAL " if mode is Mode.REHEARSAL else ""
    for line in as_text(found, catalogue.codes["category"], mark=mark):
        say(printable(line))

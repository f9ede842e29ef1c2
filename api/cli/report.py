"""``plumbline report``: what a person who oversees reads, with figures that add up again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from uuid import UUID

import typer

from api.bootstrap import (
    at_work,
    evidence_in,
    mode_of,
    named_entries,
    new_directory,
    now,
    origin_of,
    read_history,
    sealed_log,
    settings,
    typed_path,
    write_whole,
)
from api.cli.acting import Actor, agreed, played_by
from api.cli.days import a_day
from api.cli.record import Data, data_directory, given_text
from api.cli.replay import scope_of
from api.cli.telling import EXIT_BROKEN, complain, printable, say, say_json
from api.narration import sentence
from api.replaying.moments import a_time
from api.reports import deployment as deployment_record
from api.reports import tables
from api.reports.custody import as_html, as_json, certificate_page, recomputed, up_to
from domain.assurance.verification import Kind
from domain.figures import aggregates, registers, statements
from domain.figures.application import as_applied_for
from domain.figures.deployment_record import counted, counted_each
from domain.figures.published import FIGURES, Parts, contradictions, read_published
from domain.figures.registers import EXTRACT_PURPOSES
from domain.figures.tables import Reading, Report
from domain.kernel.commands import Mode, Role
from domain.kernel.errors import DomainError
from domain.publication.commands import PublishRecord
from domain.services import publication

EXIT_CONTRADICTED = 1

app = typer.Typer(help="Reports whose figures can be added up again.", no_args_is_help=True)


@app.callback()
def report() -> None:
    """Reports whose figures can be added up again."""


@app.command()
def custody(
    deployment: str | None = typer.Option(
        None, "--deployment", metavar="ID", help="Only this one; its first digits do."
    ),
    as_of: str | None = typer.Option(
        None,
        "--as-of",
        metavar="TIME",
        help="As it was then, such as 2026-11-23T09:30:00Z; now without it.",
    ),
    as_json_: bool = typer.Option(False, "--json", help="One JSON object."),
    output: str | None = typer.Option(
        None, "-o", "--output", metavar="FILE.html", help="Write the page there."
    ),
    data: str | None = Data,
) -> None:
    """What is kept of whom, until when, and whether all else was destroyed in time."""
    path = data_directory(data)
    scope = scope_of(path, deployment) if deployment else None
    named = named_entries(path, scope)
    then = a_time(as_of) if as_of is not None else now()
    if as_of is not None:
        named = up_to(named, then)
    verdict = recomputed(named, scope=scope, as_of=then)
    told = as_json(verdict, deployment=scope, log=origin_of(path))
    if output is not None:
        mark = "REHEARSAL " if mode_of(path) is Mode.REHEARSAL else ""
        target = typed_path(output)
        write_whole(target, as_html(told, verdict, mark=mark).encode())
        if not as_json_:
            say(f"{target}: {'sound' if verdict.sound else f'{verdict.fault_count} findings'}")
    if as_json_ or output is None:
        say_json(told)
    if not verdict.sound:
        raise typer.Exit((Kind.OVERDUE if verdict.only_late else Kind.INCOMPLETE).exit_code)


@app.command()
def deployment(
    which: str = typer.Argument(
        metavar="DEPLOYMENT", help="The deployment's id, or its first digits."
    ),
    output: str | None = typer.Option(
        None, "-o", "--output", metavar="DIR", help="A new directory for page, JSON and CSV."
    ),
    data: str | None = Data,
) -> None:
    """The deployment record: every figure with what it counts and its places in the log."""
    path = data_directory(data)
    scope = scope_of(path, which)
    record = counted(UUID(scope), read_history(path, scope), evidence_in(path))
    told = deployment_record.as_json(record, log=origin_of(path))
    if output is None:
        say_json(told)
    else:
        mark = "REHEARSAL " if mode_of(path) is Mode.REHEARSAL else ""
        target = typed_path(output)
        new_directory(target)
        page = deployment_record.as_html(told, record, mark=mark)
        write_whole(target / "record.html", page.encode())
        write_whole(target / "record.json", (json.dumps(told, indent=1) + "\n").encode())
        write_whole(target / "record.csv", deployment_record.as_csv(told).encode())
        say(f"{target}: record.html, record.json, record.csv")
    broken = [one.says for one in record.sums if not one.holds]
    for says in broken:
        complain(f"does not hold: {says}", EXIT_BROKEN)
    if broken:
        raise typer.Exit(EXIT_BROKEN)


Output = typer.Option(
    None, "-o", "--output", metavar="DIR", help="A new directory for page, JSON and CSV."
)
First = typer.Option(..., "--from", metavar="DAY", help="The first day, YYYY-MM-DD.")
Last = typer.Option(..., "--to", metavar="DAY", help="The last day, YYYY-MM-DD.")


@app.command()
def decisions(output: str | None = Output, data: str | None = Data) -> None:
    """Every decision of authorising officers, granted and refused, by role and rank."""
    _give(data, output, lambda path: registers.decisions(read_history(path, None)))


@app.command()
def refusals(output: str | None = Output, data: str | None = Data) -> None:
    """The ledger of refusals: what was asked for and not allowed, and why."""
    _give(data, output, lambda path: registers.refusals(read_history(path, None)))


@app.command()
def operations(
    purpose: str = typer.Option(
        ..., "--purpose", metavar="CODE", help=f"One of {', '.join(EXTRACT_PURPOSES)}."
    ),
    output: str | None = Output,
    data: str | None = Data,
) -> None:
    """An extract of the log of operations (DPA 2018 s.62), for a purpose that statute allows."""
    _give(data, output, lambda path: registers.operations(read_history(path, None), purpose))


@app.command()
def annual(
    first: str = First, last: str = Last, output: str | None = Output, data: str | None = Data
) -> None:
    """The annual report: totals by use case, place and category, both rates of false alerts."""
    begin, end = a_day("--from", first), a_day("--to", last)

    def made(path: Path) -> Report:
        reading = Reading()
        records = counted_each(reading.over(read_history(path, None)), evidence_in(path))
        return aggregates.annual(
            records,
            first=begin,
            last=end,
            entries=reading.entries,
            last_position=reading.last,
        )

    _give(data, output, made)


@app.command()
def equality(output: str | None = Output, data: str | None = Data) -> None:
    """What became of whom by the groups that the record knows; small counts are not told."""
    _give(data, output, lambda path: aggregates.equality(read_history(path, None)))


@app.command()
def processing(output: str | None = Output, data: str | None = Data) -> None:
    """The records of processing activities (DPA 2018 s.61)."""
    _give(data, output, lambda path: statements.processing(read_history(path, None)))


@app.command()
def dpia(output: str | None = Output, data: str | None = Data) -> None:
    """Each statement of the impact assessment with its rule and its newest observations."""

    def made(path: Path) -> Report:
        records = counted_each(read_history(path, None), evidence_in(path))
        return statements.dpia_evidence(read_history(path, None), records)

    _give(data, output, made)


@app.command("camera-code")
def camera_code(output: str | None = Output, data: str | None = Data) -> None:
    """The twelve principles of the Surveillance Camera Code with what was recorded for each."""
    _give(data, output, lambda path: statements.camera_code(read_history(path, None)))


@app.command()
def application(
    which: str = typer.Argument(metavar="DEPLOYMENT", help="Its id; the first digits do."),
    output: str | None = Output,
    data: str | None = Data,
) -> None:
    """What the Authorising Officer decides on: report, list, nexus coverage, evidence."""
    scope = scope_of(data_directory(data), which)
    _give(data, output, lambda path: as_applied_for(read_history(path, scope)))


def _give(data: str | None, output: str | None, made: Callable[[Path], Report]) -> None:
    """A report as JSON, or as page, JSON and CSV in a new directory."""
    path = data_directory(data)
    report = made(path)
    mode = mode_of(path)
    told = tables.as_json(report, log=origin_of(path), mode=mode.value)
    if output is None:
        say_json(told)
        return
    mark = "REHEARSAL " if mode is Mode.REHEARSAL else ""
    target = typed_path(output)
    new_directory(target)
    page = tables.as_html(report, log=origin_of(path), mark=mark)
    write_whole(target / f"{report.name}.html", page.encode())
    write_whole(target / f"{report.name}.json", (json.dumps(told, indent=1) + "\n").encode())
    write_whole(target / f"{report.name}.csv", tables.as_csv(report).encode())
    say(f"{target}: {report.name}.html, {report.name}.json, {report.name}.csv")


@app.command()
def publish(
    which: str = typer.Argument(metavar="DEPLOYMENT", help="Its id; the first digits do."),
    page: str = typer.Option(..., "--page", metavar="URL", help="Where the public reads it."),
    correction: str = typer.Option(
        "",
        "--correction",
        metavar="CODE",
        help="Why published figures are replaced.",
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Take down, as the sponsor, that the deployment record is published, or corrected."""
    path = data_directory(data)
    scope = scope_of(path, which)
    record = counted(UUID(scope), read_history(path, scope), evidence_in(path))
    figures = deployment_record.as_json(record, log=origin_of(path))
    digest = hashlib.sha256(json.dumps(figures["figures"], sort_keys=True).encode()).hexdigest()
    with at_work(path) as outside:
        answer = publication.publish(
            outside,
            PublishRecord(
                **played_by(actor, Role.SPONSOR, UUID(scope)),
                deployment=UUID(scope),
                page=page,
                digest=digest,
                correction=correction,
            ),
        )
    agreed(answer)
    say(f"the record of deployment {scope[:8]} is published: figures {digest[:16]}")


@app.command()
def published(
    file: str = typer.Argument(help="Published figures, in CSV (docs/figures.md)."),
    parts: list[str] = typer.Option(
        [], "--parts", metavar="ROW:FIGURE=A+B", help="What a figure was said to be made up of."
    ),
    as_json_: bool = typer.Option(False, "--json", help="One JSON array."),
) -> None:
    """List where published figures contradict each other (exit code 1)."""
    rows = read_published(given_text(file, "file of published figures"), file)
    found = contradictions(rows, [_parts(one, {row.row for row in rows}) for one in parts])
    if as_json_:
        say_json([vars(one) for one in found])
    else:
        for one in found:
            say(printable(f"{', '.join(one.rows)}: {one.figure}: {one.says}"))
        say(f"{len(found)} contradictions in {len(rows)} rows")
    if found:
        raise typer.Exit(EXIT_CONTRADICTED)


def _parts(text: str, rows: set[str]) -> Parts:
    """``FX-09:arrests=549+347+85``.

    Raises:
        DomainError: it is not of that form, or about no row or figure there is.
    """
    about, _, numbers = text.partition("=")
    row, _, figure = about.partition(":")
    if row not in rows or figure not in FIGURES:
        raise DomainError(
            f"--parts: expected a row of the file and one of {', '.join(FIGURES)}, found {about!a}"
        )
    try:
        return Parts(row, figure, tuple(int(one) for one in numbers.split("+")))
    except ValueError as error:
        raise DomainError(f"--parts: expected whole numbers, found {numbers!a}") from error


@app.command()
def certificate(
    deployment: str = typer.Argument(help="The deployment's id, or its first digits."),
    output: str = typer.Option(
        ..., "-o", "--output", metavar="DIR", help="A new directory to write."
    ),
    data: str | None = Data,
) -> None:
    """Certify that nothing of a deployment is left: an evidence pack that shows it offline."""
    path, target = data_directory(data), typed_path(output)
    scope = scope_of(path, deployment)
    with sealed_log(path) as log:
        log.pack(target, scope, tell=sentence, certificate=certificate_page)
    say(f"{target}: nothing of deployment {scope[:8]} is left but what data/certificate.html says")
    say(
        f"Check it:  {settings().command} verify {quote(str(target))} "
        f"--key {quote(str(path / 'seal' / 'log.vkey'))}"
    )

"""``plumbline report``: what a person who oversees reads, with figures that add up again."""

from __future__ import annotations

import json
from shlex import quote
from uuid import UUID

import typer

from api.bootstrap import (
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
from api.cli.record import Data, data_directory, given_text
from api.cli.replay import scope_of
from api.cli.telling import EXIT_BROKEN, complain, printable, say, say_json
from api.narration import sentence
from api.replaying.moments import a_time
from api.reports import deployment as deployment_record
from api.reports.custody import as_html, as_json, certificate_page, recomputed, up_to
from domain.assurance.verification import Kind
from domain.figures.deployment_record import counted
from domain.figures.published import FIGURES, Parts, contradictions, read_published
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError

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

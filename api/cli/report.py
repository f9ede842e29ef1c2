"""``plumbline report``: what a person who oversees reads, with figures that add up again."""

from __future__ import annotations

from shlex import quote

import typer

from api.bootstrap import (
    mode_of,
    named_entries,
    now,
    origin_of,
    sealed_log,
    settings,
    typed_path,
    write_whole,
)
from api.cli.record import Data, data_directory
from api.cli.replay import scope_of
from api.cli.telling import say, say_json
from api.narration import sentence
from api.replaying.moments import a_time
from api.reports.custody import as_html, as_json, certificate_page, recomputed, up_to
from domain.assurance.verification import Kind
from domain.kernel.commands import Mode

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

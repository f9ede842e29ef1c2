"""``plumbline custody canary``: drawn faces through a whole run, and their traces looked for."""

from __future__ import annotations

from pathlib import Path

import typer

from api.bootstrap import open_canary, today, typed_path
from api.canary.play import play
from api.cli.models import default_package
from api.cli.record import Data, data_directory
from api.cli.telling import EXIT_BROKEN, Teller, say, say_json
from domain.assurance.verification import Kind
from domain.custody.canary import CanaryOutcome, Found, PlaceOutcome, Searched
from domain.kernel.errors import DomainError
from domain.services.canary import CanaryRun, record_canary
from recognition.models import load_package

EXIT_CODES = {
    CanaryOutcome.CLEAN: 0,
    CanaryOutcome.FOUND: Kind.INCOMPLETE.exit_code,
    CanaryOutcome.SEARCH_FAILED: EXIT_BROKEN,
}


def canary(
    log: list[str] = typer.Option(
        [], "--log", metavar="FILE", help="A log file to search too; may be given again."
    ),
    models: str | None = typer.Option(
        None, "--models", metavar="DIR", help="An insightface package other than the default."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object."),
    data: str | None = Data,
) -> None:
    """Send drawn faces through a whole run, then search every store, swap and this memory for them.

    Nothing is called clean where the search did not find what was planted for it.
    """
    path = data_directory(data)
    package = load_package(typed_path(models)) if models else default_package()
    logs = [_log_file(one) for one in log]
    teller = Teller()
    with open_canary(path) as opened:
        run, engine = play(
            opened.stage,
            package,
            opened.searcher,
            played_in=opened.played_in,
            today=today(),
            tell=teller.step,
        )
        teller.step("searching for what it left behind")
        searched = opened.searched(run.deployment, logs)
        del engine  # until here it was in memory, as it is between two runs
        outcome = record_canary(opened.node.outside, run, searched)
        opened.node.seal()
    teller.finish()
    if as_json:
        say_json(_as_json(outcome, run, searched))
    else:
        _tell(outcome, run, searched, logs)
    raise typer.Exit(EXIT_CODES[outcome])


def _log_file(text: str) -> Path:
    """A log file, looked at before anything is played: a mistyped one must not go unsearched."""
    path = typed_path(text)
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise DomainError(
            f"--log: expected a file that can be read, found none at {text!a}"
        ) from error


def _tell(outcome: CanaryOutcome, run: CanaryRun, searched: Searched, logs: list[Path]) -> None:
    say(
        f"CANARY {outcome.value.upper()}: {searched.templates} templates and {searched.pictures} "
        f"pictures of faces that nobody has, in {len(searched.forms)} forms"
    )
    say(
        f"  while it lived, a template was {'' if run.seen_alive else 'NOT '}found in the worker's "
        "memory"
    )
    if not run.alerts:
        say("  the run raised NO possible match, so that not all took place that a run can do")
    for one in searched.places:
        say(f"  {one.place.value:16}  {one.outcome.value.upper():13}  {_detail(one)}")
    if not logs:
        say("  logs: none was named with --log")
    words = ", ".join(f"{name} {code}" for name, code in sorted(run.precautions.items()))
    say(f"  precautions: {words}")


def _detail(one: Found) -> str:
    residue = "; ".join(
        f"{count} of {content} as {form}" for (content, form), count in sorted(one.residue.items())
    )
    if one.outcome in (PlaceOutcome.ABSENT, PlaceOutcome.NOT_READABLE):
        return residue
    what = "regions" if one.place.value == "memory" else "files"
    return (
        f"{one.files} {what}, {one.bytes_read / 1e6:.1f} MB, {one.controls_found} of "
        f"{one.controls} controls found{': ' + residue if residue else ''}"
    )


def _as_json(outcome: CanaryOutcome, run: CanaryRun, searched: Searched) -> dict[str, object]:
    return {
        "outcome": outcome.value,
        "deployment": run.deployment.hex,
        "played_in": run.played_in,
        "templates": searched.templates,
        "pictures": searched.pictures,
        "alerts": run.alerts,
        "seen_alive": run.seen_alive,
        "precautions": dict(run.precautions),
        "places": [
            {
                "place": one.place.value,
                "outcome": one.outcome.value,
                "files": one.files,
                "bytes": one.bytes_read,
                "controls": one.controls,
                "controls_found": one.controls_found,
                "residue": [
                    {"content": content, "form": form, "count": count}
                    for (content, form), count in sorted(one.residue.items())
                ],
            }
            for one in searched.places
        ],
    }

"""``plumbline projections``: how far read models have come, following, making them again."""

from __future__ import annotations

from dataclasses import asdict

import typer

from api.bootstrap import ReadModel, follow_record, read_models_at, rebuild_read_models
from api.cli.record import Data, data_directory
from api.cli.stopping import asked_to_stop
from api.cli.telling import EXIT_BROKEN, EXIT_USAGE, Teller, complain, say, say_json

app = typer.Typer(
    help="Read models: registers worked out from the record, which can be made again.",
    no_args_is_help=True,
)


@app.command("status")
def status(
    data: str | None = Data,
    json: bool = typer.Option(False, "--json", help="One JSON array."),
) -> None:
    """Say how far each read model has come; exit code 5 where one stands still."""
    found = read_models_at(data_directory(data))
    if json:
        say_json([asdict(one) for one in found])
    for one in found if not json else ():
        say(f"{one.name:<20} position {one.position}, behind by {one.behind}")
        if one.rebuilt_to is not None:
            say(f"{'':<20} being rebuilt: position {one.rebuilt_to}")
        if one.failed_at is not None:
            say(f"{'':<20} STOPPED at entry {one.failed_at}: {one.failure}")
    _require_none_stopped(found)


@app.command("rebuild")
def rebuild(
    names: list[str] | None = typer.Argument(None, metavar="[NAME]...", help="Which of them."),
    every: bool = typer.Option(False, "--all", help="All of them, in one pass over the log."),
    data: str | None = Data,
) -> None:
    """Make read models again from the first entry; until it is done the old ones answer."""
    if every == bool(names):
        words = "expected the names of read models, or --all"
        raise typer.Exit(complain(words, EXIT_USAGE))
    teller = Teller()

    def progress(done: int, in_all: int) -> None:
        teller.committed(in_all)
        teller.work("entries taken in", done, in_all)

    try:
        rebuilt = rebuild_read_models(
            data_directory(data),
            None if every else names,
            progress=progress,
        )
    finally:
        teller.finish()
    for name in rebuilt:
        say(f"{name}: rebuilt")


@app.command("follow")
def follow(data: str | None = Data) -> None:
    """Keep the read models up with the record until this is ended (Ctrl-C, or SIGTERM)."""
    path = data_directory(data)
    with asked_to_stop() as stop:
        follow_record(path, stop, tell=_tell)
    _require_none_stopped(read_models_at(path))


def _tell(words: str) -> None:
    complain(words, EXIT_BROKEN)


def _require_none_stopped(found: list[ReadModel]) -> None:
    if stopped := [one.name for one in found if one.failed_at is not None]:
        raise typer.Exit(complain(f"STOP: standing still: {', '.join(stopped)}", EXIT_BROKEN))

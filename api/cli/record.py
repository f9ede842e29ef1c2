"""``plumbline verify | migrate | sweep``: checking the record, and keeping it in order."""

from __future__ import annotations

from pathlib import Path

import typer

from api.bootstrap import (
    exact_text,
    migrate_premises,
    mode_of,
    open_node,
    settings,
    typed_path,
    verify_premises,
)
from api.cli.telling import EXIT_USAGE, complain, say
from domain.assurance.verification import LIMITS, Verdict
from domain.kernel.errors import DomainError

Data = typer.Option(None, "--data", help="The directory that holds the record.", metavar="DIR")


def data_directory(given: str | None) -> Path:
    """The directory that was typed, or the one where rehearsals are kept."""
    if given is None:
        return settings().premises
    if not given.strip():
        raise DomainError("expected a directory after --data, found an empty text")
    return typed_path(given)


def verify(
    data: str = typer.Argument(help="The directory that holds the record."),
    key: str = typer.Option(..., "--key", help="The log's verifier key (log.vkey)."),
    checkpoint: str | None = typer.Option(
        None, "--checkpoint", help="A checkpoint that was kept elsewhere."
    ),
) -> None:
    """Recompute everything that is stored and name the first thing that is wrong."""
    try:
        verdict = verify_premises(
            typed_path(data),
            key_text=_text(key, "verifier key"),
            outside_checkpoint=_text(checkpoint, "checkpoint") if checkpoint else None,
        )
    except DomainError as error:
        # 4 and the others name what was found in a log; nothing was looked at here
        raise typer.Exit(complain(str(error), EXIT_USAGE)) from error
    _tell(verdict)
    raise typer.Exit(verdict.kind.exit_code)


def migrate(data: str | None = Data) -> None:
    """Bring the record's database to the shape that this version needs."""
    path = data_directory(data)
    say(f"{path}: schema {migrate_premises(path)}")


def sweep(data: str | None = Data) -> None:
    """Finish what a dead process left half done, and destroy everything that is due."""
    path = data_directory(data)
    with open_node(path, mode_of(path)) as node:
        for words in node.recovered:
            say(words)
        node.seal()
        say(f"{path}: nothing is overdue, log {node.record.size()}")


def _text(given: str, what: str) -> str:
    path = typed_path(given)
    try:
        return exact_text(path)
    except OSError as error:
        raise DomainError(f"expected a {what} at {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DomainError(f"expected a {what} at {path}, found bytes that are no text") from error


def _tell(verdict: Verdict) -> None:
    where = f" at position {verdict.position}" if verdict.position is not None else ""
    sentence = verdict.sentence.removeprefix(f"position {verdict.position}: ")
    say(f"{verdict.kind.value.upper()}{where}: {sentence}")
    say(f"log {verdict.origin or 'unknown'}, {verdict.size} entries, root {verdict.root.hex()}")
    say(f"anchored {verdict.anchored_size}, unanchored tail {verdict.unanchored_tail}")
    for limit in LIMITS:
        say(f"  {limit}")

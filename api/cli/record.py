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
    trusted_by,
    typed_path,
    verify_premises,
)
from api.cli.telling import EXIT_USAGE, complain, say
from api.replaying.moments import a_time
from domain.assurance.command import Telling
from domain.assurance.report import lines
from domain.assurance.targets import Target, examine, kind_of
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
    target: str = typer.Argument(
        help="A data directory, an exported log, an evidence pack or a record.db."
    ),
    key: str = typer.Option(..., "--key", help="The log's verifier key (log.vkey)."),
    checkpoint: str | None = typer.Option(
        None, "--checkpoint", help="A checkpoint that was kept elsewhere."
    ),
    witness_key: list[str] = typer.Option(
        [], "--witness-key", help="A witness that must have cosigned; may be given again."
    ),
    as_of: str | None = typer.Option(
        None,
        "--as-of",
        metavar="TIME",
        help="Ask what is overdue then, and not at the newest time in the log.",
    ),
    hashes_only: bool = typer.Option(
        False, "--hashes-only", help="Of an export without entries, check the hashes alone."
    ),
) -> None:
    """Recompute everything that is stored and name the first thing that is wrong."""
    path = typed_path(target)
    try:
        key_text = given_text(key, "verifier key")
        outside = given_text(checkpoint, "checkpoint") if checkpoint else None
        then = a_time(as_of) if as_of is not None else None
        witnesses = [given_text(one, "witness key") for one in witness_key]
        if kind_of(path) in (Target.PREMISES, Target.NOTHING):
            verdict = verify_premises(
                path,
                key_text=key_text,
                outside_checkpoint=outside,
                witness_keys=witnesses,
                as_of=then,
                progress=Telling(),
            )
        else:
            verdict = examine(
                path,
                trusted_by(key_text, outside, witnesses, as_of=then),
                hashes_only=hashes_only,
                progress=Telling(),
            )
    except DomainError as error:
        # 4 and the others name what was found in a log; nothing was looked at here
        raise typer.Exit(complain(str(error), EXIT_USAGE)) from error
    for line in lines(verdict):
        say(line)
    raise typer.Exit(verdict.kind.exit_code)


def migrate(data: str | None = Data) -> None:
    """Bring the record's database to the shape that this version needs."""
    say(migrate_premises(data_directory(data)))


def sweep(data: str | None = Data) -> None:
    """Finish what a dead process left half done, and destroy everything that is due."""
    path = data_directory(data)
    with open_node(path, mode_of(path)) as node:
        for words in node.recovered:
            say(words)
        node.seal()
        say(f"{path}: nothing is overdue, log {node.record.size()}")


def given_text(given: str, what: str) -> str:
    """The text of a file that was typed, its line ends as they are.

    Raises:
        DomainError: there is none, or it is no text.
    """
    path = typed_path(given)
    try:
        return exact_text(path)
    except OSError as error:
        raise DomainError(f"expected a {what} at {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DomainError(f"expected a {what} at {path}, found bytes that are no text") from error

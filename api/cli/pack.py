"""``plumbline pack``: one deployment's evidence, to give away."""

from __future__ import annotations

from shlex import quote

import typer

from api.bootstrap import sealed_log, settings, typed_path
from api.cli.record import Data, data_directory, given_text
from api.cli.replay import scope_of
from api.cli.telling import say
from api.narration import sentence


def pack(
    deployment: str = typer.Argument(help="The deployment's id, or its first digits."),
    output: str = typer.Option(
        ..., "-o", "--output", metavar="PACK", help="A new directory to write."
    ),
    data: str | None = Data,
    checkpoint: str | None = typer.Option(
        None,
        "--checkpoint",
        metavar="FILE",
        help="Make it against this checkpoint of the log, and not against its newest.",
    ),
) -> None:
    """Write the evidence pack of one deployment: its history, and what shows that it is whole."""
    path, target = data_directory(data), typed_path(output)
    scope = scope_of(path, deployment)
    kept = given_text(checkpoint, "checkpoint") if checkpoint else None
    with sealed_log(path) as log:
        packed = log.pack(target, scope, checkpoint=kept, tell=sentence)
    say(
        f"{target}: {packed.entries} entries of deployment {scope[:8]}, under a checkpoint of "
        f"{packed.checkpoint.size} entries"
    )
    if packed.behind_the_commitment:
        say(
            f"the last {packed.behind_the_commitment} stand behind the log's newest commitment: "
            "that none follows them is not shown"
        )
    say("It holds references of staff and times: give it to whoever is entitled to them.")
    say(
        f"Check it:  {settings().command} verify {quote(str(target))} "
        f"--key {quote(str(path / 'seal' / 'log.vkey'))}"
    )

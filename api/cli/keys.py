"""``plumbline keys``: the keys that sign the log, and another one from here on."""

from __future__ import annotations

import typer

from api.bootstrap import exact_text, mode_of, open_node, sealed_log, typed_path
from api.cli.record import Data, data_directory
from api.cli.telling import say
from domain.kernel.errors import DomainError
from domain.log.aggregate import LogKeys

app = typer.Typer(help="The keys that sign the log.", no_args_is_help=True)


@app.command("show")
def show(data: str | None = Data) -> None:
    """Every key that signed this log, oldest first, in the form that a verifier needs."""
    with sealed_log(data_directory(data)) as log:
        _tell(log.keys)


@app.command("rotate")
def rotate(data: str | None = Data) -> None:
    """Sign with a new key from here on. One checkpoint is signed by both, the old key then goes.

    The new key is made on the token that PLUMBLINE_LOG_KEY names, else in a file.
    """
    path = data_directory(data)
    with open_node(path, mode_of(path)) as node:
        for words in node.recovered:
            say(words)
        _tell(node.keys.rotate())
    say("Give the new key to witnesses and to whoever verifies. The last checkpoint of the old")
    say("one is signed by both (seal/retired), so that keys follow can lead from one to the other")


@app.command("follow")
def follow(
    key: str = typer.Argument(help="A verifier key of this log that was given to you earlier."),
    data: str | None = Data,
) -> None:
    """Prove, entry by entry, which key follows from one that was given out earlier."""
    with sealed_log(data_directory(data)) as log:
        steps = log.followed(_text(key))
    if not steps:
        say("this key still signs the log")
    for step in steps:
        say(f"{step.key.text()}  follows; both signed the checkpoint at {step.size} entries")


def _text(given: str) -> str:
    path = typed_path(given)
    try:
        return exact_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(f"expected a verifier key at {path}: {error}") from error


def _tell(keys: LogKeys) -> None:
    for key in keys.keys:
        if key in keys.retired:
            state = f"retired, its last checkpoint has {keys.retired[key]} entries"
        elif key == keys.current:
            state = f"signs, kept in a {keys.kept_in[key]}"
        else:
            state = "being replaced"
        say(f"{key}  {state}")

"""``plumbline keys``: the keys that sign the log, and another one from here on."""

from __future__ import annotations

import typer

from api.bootstrap import mode_of, open_node, sealed_log
from api.cli.record import Data, data_directory
from api.cli.telling import say
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
    say("Give the new key to witnesses and to whoever verifies; the old one leads to it by")
    say(f"{path / 'seal' / 'retired'}, where its last checkpoint is signed by both")


def _tell(keys: LogKeys) -> None:
    for key in keys.keys:
        if key in keys.retired:
            state = f"retired, its last checkpoint has {keys.retired[key]} entries"
        elif key == keys.current:
            state = f"signs, kept in a {keys.kept_in[key]}"
        else:
            state = "being replaced"
        say(f"{key}  {state}")

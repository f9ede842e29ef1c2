"""``plumbline log``: the log as files that anyone's program can check."""

from __future__ import annotations

from pathlib import Path

import typer

from api.bootstrap import sealed_log, settings, typed_path
from api.cli.record import Data, data_directory
from api.cli.telling import say

app = typer.Typer(help="Give the log away, to whoever checks it.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Give the log away, to whoever checks it."""


@app.command("export")
def export(
    directory: str = typer.Argument(help="An empty or a new one, or one of an earlier export."),
    data: str | None = Data,
    public: bool = typer.Option(False, "--public", help="Leave the entries out."),
) -> None:
    """Write checkpoint, tiles, entries and verifier key (C2SP tlog-tiles), as far as signed."""
    path, target = data_directory(data), typed_path(directory)
    with sealed_log(path) as log:
        exported = log.export(target, public=public)
        unsigned = log.record.size() - exported.size
    say(f"{target}: {exported.size} entries, {exported.written} files written")
    if unsigned:
        say(f"{unsigned} newer entries are not signed yet and were left out")
    if not public:
        say(f"Check it:  {settings().command} verify {target} --key {_key(path)}")


def _key(path: Path) -> Path:
    return path / "seal" / "log.vkey"

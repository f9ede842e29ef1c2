"""``plumbline witness``: be a witness, ask the witnesses of a log, or carry both on a stick."""

from __future__ import annotations

from pathlib import Path

import typer

from api.bootstrap import (
    exact_text,
    sealed_log,
    typed_path,
    witness_office,
    witness_server,
    write_whole,
)
from api.cli.record import Data, data_directory
from api.cli.telling import EXIT_REFUSED, complain, say
from domain.kernel.errors import DomainError

app = typer.Typer(help="Witnesses: who else saw the log grow.", no_args_is_help=True)

State = typer.Option(..., "--state", metavar="DIR", help="The witness's key and what it holds.")
Logs = typer.Option([], "--log", metavar="FILE.vkey", help="A log to witness from now on.")
Name = typer.Option(None, "--name", metavar="NAME", help="The name of a new witness.")


@app.command("serve")
def serve(
    state: str = State,
    listen: str = typer.Option(..., "--listen", metavar="HOST:PORT", help="127.0.0.1:PORT"),
    log: list[str] = Logs,
    name: str | None = Name,
) -> None:
    """Cosign checkpoints over HTTP (C2SP tlog-witness), each only if it continues the last."""
    office = witness_office(typed_path(state), name=name, logs=[_text(one) for one in log])
    host, port = _address(listen)
    with witness_server(office, host, port, tell=_complain) as server:
        say(f"witness {office.verifier_key}")
        for key in office.logs():
            say(f"knows {key.text()}")
        say(f"listening at http://{host}:{server.server_address[1]}")
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say("stopped")


@app.command("key")
def key(state: str = State, log: list[str] = Logs, name: str | None = Name) -> None:
    """Make a witness, or say which one it is: the key that its logs write in seal/witnesses."""
    office = witness_office(typed_path(state), name=name, logs=[_text(one) for one in log])
    say(office.verifier_key)


@app.command("ask")
def ask(data: str | None = Data) -> None:
    """Have the newest checkpoint cosigned by every witness in seal/witnesses that is reached."""
    with sealed_log(data_directory(data)) as log:
        log.checked()
        told = log.witnesses.ask_all()
    for words in told:
        say(words)
    if not told:
        say("no witness with an address stands in seal/witnesses")


@app.command("request")
def request(
    out: str = typer.Option(..., "-o", metavar="FILE", help="Where to write the request."),
    data: str | None = Data,
    witness: str | None = typer.Option(
        None, "--witness", metavar="NAME", help="Which one, if seal/witnesses names several."
    ),
    old: int | None = typer.Option(
        None, "--old", metavar="SIZE", min=0, help="The size that the witness holds, as it says."
    ),
) -> None:
    """Write the newest checkpoint and its proof for a witness that no network reaches."""
    with sealed_log(data_directory(data)) as log:
        checkpoint, _ = log.checked()
        asked = log.witnesses.named(witness)
        body = log.witnesses.request(asked, old=old)
    write_whole(typed_path(out), body)
    say(f"{typed_path(out)}: {checkpoint.size} entries, for the witness {asked.key.name}")


@app.command("sign")
def sign(
    file: str = typer.Argument(help="The request."),
    state: str = State,
    out: str = typer.Option(..., "-o", metavar="ANSWER", help="Where to write the answer."),
    log: list[str] = Logs,
    name: str | None = Name,
) -> None:
    """Judge a request that came on a stick, and write the cosignature."""
    office = witness_office(typed_path(state), name=name, logs=[_text(one) for one in log])
    answer = office.add_checkpoint(_bytes(file))
    if answer.status == 200:
        write_whole(typed_path(out), answer.body)
        say(f"{typed_path(out)}: cosigned by {office.verifier_key}")
        return
    words = answer.body.decode().strip()
    if answer.status == 409:
        words = (
            f"this witness holds {words} entries of that log, and not what the request says. If "
            f"the log has that many, ask again with: witness request --old {words}; a log that "
            "has them and is refused again has two histories"
        )
    raise typer.Exit(complain(f"not cosigned ({answer.status}): {words}", EXIT_REFUSED))


@app.command("accept")
def accept(
    answer: str = typer.Argument(help="What the witness wrote."), data: str | None = Data
) -> None:
    """Keep a cosignature that came on a stick, if it fits the newest checkpoint."""
    with sealed_log(data_directory(data)) as log:
        for words in log.witnesses.accept(_text(answer)):
            say(words)


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65_535:
        raise DomainError(f"expected an address such as 127.0.0.1:8765, found {listen!r}")
    return host, int(port)


def _complain(words: str) -> None:
    complain(words, 0)


def _text(given: str) -> str:
    path = typed_path(given)
    try:
        return exact_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(f"cannot read {path}: {_why(error)}") from error


def _bytes(given: str) -> bytes:
    path = typed_path(given)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DomainError(f"cannot read {path}: {_why(error)}") from error


def _why(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is no text"

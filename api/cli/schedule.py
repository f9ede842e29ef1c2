"""``plumbline schedule`` and ``documents``: how long things are kept, and what documents say."""

from __future__ import annotations

import hashlib
import tomllib
from typing import Any

import typer

from api.bootstrap import mode_of, open_node, retention_schedules
from api.cli.record import Data, data_directory, given_text
from api.cli.telling import EXIT_BAD_INPUT, EXIT_REFUSED, complain, say, say_json
from domain.custody.classes import ClockStart
from domain.custody.commands import AdoptSchedule, RegisterDocument
from domain.custody.contradictions import contradictions
from domain.custody.events import Statement
from domain.custody.public_text import public_statement
from domain.custody.schedule import RetentionSchedule
from domain.kernel.codes import is_code
from domain.kernel.commands import Mode, Role
from domain.kernel.errors import DomainError
from domain.kernel.references import FORCE
from domain.kernel.refusals import Refused
from domain.services import schedules

app = typer.Typer(help="How long things are kept, and since when.", no_args_is_help=True)
documents = typer.Typer(help="What documents say of retention.", no_args_is_help=True)
EXIT_CONTRADICTED = 1

Actor = typer.Option(..., "--actor", metavar="CODE", help="Who asks, as a code: dpo-1.")


@app.command()
def show(
    as_json: bool = typer.Option(False, "--json", help="One JSON object."),
    data: str | None = Data,
) -> None:
    """Show the retention schedule in force."""
    schedule = retention_schedules(data_directory(data)).in_force
    rules = schedule.as_adopted()
    if as_json:
        say_json(
            {
                "version": schedule.version,
                "owner": schedule.owner,
                "classes": [vars(one) for one in rules],
            }
        )
        return
    say(f"retention schedule {schedule.version}, owner {schedule.owner}")
    for one in rules:
        held = ", a hold may extend it" if one.hold_may_extend else ""
        say(f"{one.rule}  {one.item_class:18}  {one.limit_s / 3600:g} h from {one.starts}{held}")
        say(f"       {one.source}")


@app.command()
def adopt(
    file: str = typer.Argument(help="The schedule, in TOML."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Put another schedule in force, which keeps nothing longer."""
    path = data_directory(data)
    mode = mode_of(path)
    proposed = RetentionSchedule.parse(given_text(file, "schedule"), file)
    asked = _as_the_dpo(actor, mode)
    with open_node(path, mode) as node:
        command = AdoptSchedule(
            **asked,
            at=node.outside.clock.now(),
            version=proposed.version,
            owner=proposed.owner,
            rules=proposed.as_adopted(),
        )
        answer = schedules.adopt(node.outside, command)
        node.seal()
    _agreed(answer)
    say(f"retention schedule {proposed.version} is in force")


@app.command("contradictions")
def disagreeing(
    as_json: bool = typer.Option(False, "--json", help="One JSON array."),
    data: str | None = Data,
) -> None:
    """List where registered documents and the schedule in force say different things."""
    found = contradictions(retention_schedules(data_directory(data)))
    if as_json:
        say_json([vars(one) for one in found])
    else:
        for one in found:
            whose = f"{one.document} {one.version} says" if one.document else "documents say"
            say(f"{one.item_class}, {one.about}: {whose} {one.said}; the schedule, {one.scheduled}")
        say(f"{len(found)} contradictions")
    if found:
        raise typer.Exit(EXIT_CONTRADICTED)


@app.command()
def statement(
    recorded: bool = typer.Option(
        ..., "--footage/--no-footage", help="Whether the cameras of the deployment record."
    ),
    data: str | None = Data,
) -> None:
    """Write what the public may be told, from the schedule in force."""
    schedule = retention_schedules(data_directory(data)).in_force
    say(public_statement(schedule, footage_recorded=recorded))


@documents.callback()
def of_documents() -> None:
    """What documents say of retention."""


@documents.command()
def register(
    file: str = typer.Argument(help="What the document says, in TOML (docs/retention.md)."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Keep what a document says of how long things are kept."""
    path, text = data_directory(data), given_text(file, "document")
    mode, told = mode_of(path), _document(text, file)
    asked = _as_the_dpo(actor, mode)
    with open_node(path, mode) as node:
        command = RegisterDocument(
            **asked,
            **told,
            at=node.outside.clock.now(),
            digest=hashlib.sha256(text.encode()).hexdigest(),
        )
        answer = schedules.register(node.outside, command)
        node.seal()
    _agreed(answer)
    say(f"registered {told['document']} {told['version']}")


def _document(text: str, where: str) -> dict[str, Any]:
    """Kind, version, day and statements of a document.

    Raises:
        DomainError: it is not as it must be; says where.
    """
    try:
        read = tomllib.loads(text)
        statements = [_statement(one) for one in read.pop("statements")]
        told = {name: str(read.pop(name)) for name in ("document", "version", "published_on")}
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise DomainError(
            f"{where}: expected document, version, published_on and [[statements]] with "
            f"item_class, starts, limit_s and hold_may_extend: {error!r}"
        ) from error
    if read:
        raise DomainError(f"{where}: unknown {', '.join(sorted(read))}")
    return told | {"statements": statements}


def _statement(one: dict[str, Any]) -> Statement:
    if one.keys() != {"item_class", "starts", "limit_s", "hold_may_extend"}:
        raise ValueError(f"a statement with {sorted(one)}")
    if type(one["limit_s"]) is not int or type(one["hold_may_extend"]) is not bool:
        raise ValueError("limit_s in whole seconds, hold_may_extend true or false")
    starts = ClockStart(one["starts"]).value
    return Statement(str(one["item_class"]), starts, one["limit_s"], one["hold_may_extend"])


def _as_the_dpo(actor: str, mode: Mode) -> dict[str, Any]:
    if mode is not Mode.REHEARSAL:
        raise DomainError("an operational record takes this only from a person who is known")
    if not is_code(actor):
        raise typer.Exit(complain("--actor: expected a code such as dpo-1", EXIT_BAD_INPUT))
    return {"scope": FORCE, "mode": mode, "actor": f"stand-in:{actor}", "role": Role.DPO}


def _agreed(answer: object) -> None:
    if isinstance(answer, Refused):
        words = "; ".join(f"{one.sentence} ({one.code})" for one in answer.reasons)
        raise typer.Exit(complain(f"refused: {words}", EXIT_REFUSED))

"""``plumbline replay | state | diff | why``: a deployment's history, read as a person would."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import typer

from api.bootstrap import read_history, stored_entries
from api.cli.record import Data, data_directory
from api.cli.telling import say, say_json
from api.narration import line
from api.replaying.choosing import Choice, a_time, chosen, one_alert
from api.replaying.differences import differences
from api.replaying.reasons import why as reasons_of
from api.replaying.state import AsItWas, flat, up_to
from domain.kernel.errors import DomainError
from domain.kernel.time import written
from domain.ports import Recorded

Which = typer.Argument(help="The deployment's id, or its first digits.")
Json = typer.Option(False, "--json", help="For programs.")

NO_DOCUMENTS = "No document is on this record yet; what it holds of the rules of that day:"


def replay(
    deployment: str = Which,
    data: str | None = Data,
    json: bool = typer.Option(False, "--json", help="The entries themselves, as JSON Lines."),
    kind: list[str] = typer.Option(
        [], "--kind", help="Only entries of this stored name (alert.raised) or context (alert)."
    ),
    role: list[str] = typer.Option([], "--role", help="Only what was asked in this role."),
    actor: str | None = typer.Option(None, "--actor", help="Only what this actor asked."),
    refusals: bool = typer.Option(False, "--refusals", help="Only what was refused."),
    alert: str | None = typer.Option(
        None, "--alert", help="Only the story of this alert (its first digits do)."
    ),
    first: int = typer.Option(0, "--from", min=0, help="From this position on."),
    last: int | None = typer.Option(None, "--to", min=0, help="Up to this position."),
    since: str | None = typer.Option(None, "--since", help="From this time on (RFC 3339)."),
    until: str | None = typer.Option(None, "--until", help="Up to this time (RFC 3339)."),
) -> None:
    """Print a deployment's history in the order of the log, or what you choose of it."""
    path = data_directory(data)
    scope = scope_of(path, deployment)
    choice = Choice(
        kinds=tuple(kind),
        roles=tuple(role),
        actor=actor,
        refusals=refusals,
        alert=one_alert(read_history(path, scope), alert) if alert is not None else None,
        first=first,
        last=last,
        since=a_time(since) if since else None,
        until=a_time(until) if until else None,
    )
    if not json:
        for entry in chosen(read_history(path, scope), choice):
            say(printable(line(entry)))
    elif choice == Choice():
        for blob in stored_entries(path, scope):
            say(blob.decode())
    else:
        for blob in _blobs(path, scope, choice):
            say(blob.decode())


def state(
    deployment: str = Which,
    data: str | None = Data,
    to: int | None = typer.Option(None, "--to", min=0, help="As it was after this position."),
    at: str | None = typer.Option(None, "--at", help="As it was recorded at this time (RFC 3339)."),
    json: bool = Json,
) -> None:
    """Show a deployment as it is, or as it was."""
    if to is not None and at is not None:
        raise DomainError("expected --to or --at, found both: a place is a time already")
    path = data_directory(data)
    scope = scope_of(path, deployment)
    then = a_time(at) if at else None
    found = AsItWas(UUID(scope))
    for entry in up_to(read_history(path, scope), position=to, at=then):
        found.take(entry)
    if json:
        say_json({"position": found.position, **found.told()})
        return
    say(f"{scope} {_place(found.position, then)}")
    for name, value in flat(found.told()).items():
        if value is not None:
            say(printable(f"  {name:<44} {_plain(value)}"))


def diff(
    deployment: str = Which,
    earlier: str = typer.Argument(help="A position, or a time (RFC 3339)."),
    later: str = typer.Argument(help="A position, or a time (RFC 3339)."),
    data: str | None = Data,
    json: bool = Json,
) -> None:
    """Show what changed in a deployment between two positions or times, and what changed it."""
    path = data_directory(data)
    scope = scope_of(path, deployment)
    behind, last = (_position(path, scope, one) for one in (earlier, later))
    if last < behind:
        raise DomainError(f"expected the earlier one first, found {behind} before {last}")
    found = differences(read_history(path, scope), UUID(scope), behind=behind, last=last)
    if json:
        say_json([dataclasses.asdict(one) for one in found])
        return
    say(f"{scope} between positions {behind} and {last}: {len(found)} differences")
    for one in found:
        places = ", ".join(str(position) for position in one.positions[-5:])
        more = "... " if len(one.positions) > 5 else ""
        say(
            printable(
                f"  {one.name}: {_plain(one.before)} -> {_plain(one.after)}  [{more}{places}]"
            )
        )


def why(
    deployment: str = Which,
    position: int = typer.Argument(min=0, help="The position of a refusal."),
    data: str | None = Data,
    json: bool = Json,
) -> None:
    """Say why something was refused: each rule, what it compared, and where it comes from."""
    path = data_directory(data)
    answer = reasons_of(read_history(path, scope_of(path, deployment)), position)
    if json:
        say_json(dataclasses.asdict(answer))
        return
    said = [f"position {position}, {answer.at}: {answer.actor} as {answer.role} asked for:"]
    said[0] += f" {answer.asked}"
    for reason in answer.reasons:
        said.append(f"  {reason.code}: {reason.sentence}")
        said += [f"    compared {name}: {value}" for name, value in reason.compared.items()]
        if reason.rule is not None:
            said.append(f"    rule: {reason.rule}")
        said.append(f"    source: {reason.source or 'none is named'}")
    said.append(NO_DOCUMENTS)
    said += [f"    {name}: {value}" for name, value in answer.in_force.items()] or ["    nothing"]
    for words in said:
        say(printable(words))


def printable(words: str) -> str:
    """The words, with whatever could steer a terminal shown as what it is."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in words)


def _blobs(path: Path, scope: str, choice: Choice) -> Iterator[bytes]:
    """The chosen entries as they are stored."""
    wanted = chosen(read_history(path, scope), choice)
    following: Recorded | None = next(wanted, None)
    for entry, blob in zip(read_history(path, scope), stored_entries(path, scope), strict=True):
        if following is None:
            return
        if entry.position == following.position:
            yield blob
            following = next(wanted, None)


def _position(path: Path, scope: str, text: str) -> int:
    """The position that was typed, or of the newest entry recorded by the time that was typed."""
    if text.isdecimal():
        return int(text)
    found = -1
    for entry in up_to(read_history(path, scope), at=a_time(text)):
        found = entry.position
    return found


def _place(position: int, then: datetime | None) -> str:
    if position < 0:
        return "before its first entry"
    when = f", the newest recorded by {written(then)}" if then is not None else ""
    return f"after position {position}{when}"


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def scope_of(path: Path, deployment: str) -> str:
    """The one deployment whose id begins like this."""
    wanted = deployment.lower().replace("-", "")
    found = sorted(
        {
            entry.scope
            for entry in read_history(path, None)
            if entry.event.NAME == "deployment.applied_for" and entry.scope.startswith(wanted)
        }
    )
    if len(found) == 1 and wanted:
        return found[0]
    if not found:
        raise DomainError(f"no deployment in {path} begins with {deployment}")
    raise DomainError(f"{len(found)} deployments begin with {deployment!r}: give more digits")

"""``plumbline replay | state | diff | why``: a deployment's history, read as a person would.

Nothing here writes: not a byte of the data directory changes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

import typer

from api.bootstrap import deployments_in, read_history, stored_entries
from api.cli.record import Data, data_directory
from api.cli.telling import on_a_terminal, printable, printable_json, say, say_json
from api.narration import line, sentence
from api.replaying.choosing import Choice, Choosing, one_alert, the_one
from api.replaying.differences import Differences, differences
from api.replaying.in_words import answer_lines, difference_lines, no_refusal_lines, state_lines
from api.replaying.moments import Moment, a_moment, a_time
from api.replaying.reasons import NoRefusal
from api.replaying.reasons import why as reasons_of
from api.replaying.state import AsItWas
from domain.kernel.errors import DomainError
from domain.ports import Recorded

Which = typer.Argument(help="The deployment's id, or its first digits.")
Json = typer.Option(False, "--json", help="One JSON object.")


def replay(
    deployment: str = Which,
    data: str | None = Data,
    json: bool = typer.Option(False, "--json", help="The entries themselves, as JSON Lines."),
    kind: list[str] = typer.Option(
        [], "--kind", help="Only this stored name (alert.raised) or context (alert); repeatable."
    ),
    role: list[str] = typer.Option([], "--role", help="Only what was asked in it; repeatable."),
    actor: str | None = typer.Option(None, "--actor", help="Only what this actor asked."),
    refusals: bool = typer.Option(False, "--refusals", help="Only what was refused."),
    alert: str | None = typer.Option(
        None, "--alert", help="Only the story of this alert (its first digits do)."
    ),
    first: int = typer.Option(0, "--from", min=0, help="From this position on."),
    last: int | None = typer.Option(None, "--to", min=0, help="Up to this position."),
    since: str | None = typer.Option(
        None, "--since", help="What happened from then on (RFC 3339)."
    ),
    until: str | None = typer.Option(None, "--until", help="What happened up to then (RFC 3339)."),
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
        since=a_time(since) if since is not None else None,
        until=a_time(until) if until is not None else None,
    )
    if json and choice == Choice():
        # What this version cannot read as an event is given out all the same.
        _say_blobs(stored_entries(path, scope))
        return
    choosing = Choosing(choice)
    if json:
        shown = _say_blobs(_blobs(path, scope, choosing))
    else:
        shown = _say_all(line(entry) for entry in choosing.among(read_history(path, scope)))
    if not shown:
        _explain_nothing(choosing)


def state(
    deployment: str = Which,
    data: str | None = Data,
    to: int | None = typer.Option(None, "--to", min=0, help="As it was after this position."),
    at: str | None = typer.Option(None, "--at", help="As it was recorded by then (RFC 3339)."),
    json: bool = Json,
) -> None:
    """Show a deployment as it is, or as it was."""
    if to is not None and at is not None:
        raise DomainError("expected --to or --at, found both: a position is a time already")
    path = data_directory(data)
    scope = scope_of(path, deployment)
    moment = Moment(position=to, time=a_time(at) if at is not None else None)
    found = AsItWas(UUID(scope))
    following = found.take_up_to(read_history(path, scope), moment)
    told = found.state(at=moment.time)
    if json:
        say_json(told.as_json())
        return
    _say_all(state_lines(told, moment, following))


def diff(
    deployment: str = Which,
    earlier: str = typer.Argument(help="A position, or a time (RFC 3339)."),
    later: str = typer.Argument(help="A position, or a time (RFC 3339)."),
    data: str | None = Data,
    json: bool = Json,
) -> None:
    """Show what changed in a deployment between two positions or times, and what changed it."""
    path = data_directory(data)
    moments = a_moment(earlier), a_moment(later)
    scope = scope_of(path, deployment)
    found = differences(read_history(path, scope), UUID(scope), *moments)
    if json:
        say_json(_differences_as_json(found))
        return
    _say_all(difference_lines(found, *moments))


def why(
    deployment: str = Which,
    position: int = typer.Argument(min=0, help="The position of a refusal."),
    data: str | None = Data,
    json: bool = Json,
) -> None:
    """Say why something was refused: each rule, what it compared, and what was in force."""
    path = data_directory(data)
    scope = scope_of(path, deployment)
    answer = reasons_of(read_history(path, scope), UUID(scope), position)
    if isinstance(answer, NoRefusal):
        if json:
            say_json(_no_refusal_as_json(answer.entry))
        else:
            _say_all(no_refusal_lines(answer.entry))
    elif json:
        say_json({"refused": True, **answer.as_json()})
    else:
        _say_all(answer_lines(answer))


def scope_of(path: Path, deployment: str) -> str:
    """The one deployment whose id begins like this.

    Raises:
        DomainError: there is none, or more than one; it lists those that there are.
    """
    return the_one(deployments_in(path), deployment, "deployment")


def _blobs(path: Path, scope: str, choosing: Choosing) -> Iterator[bytes]:
    """The entries that fit, as they are stored."""
    # The record may grow between the two readings; as far as both go they are the same.
    both = zip(read_history(path, scope), stored_entries(path, scope), strict=False)
    for entry, blob in both:
        if choosing.is_over(entry):
            return
        if choosing.takes(entry):
            yield blob


def _explain_nothing(choosing: Choosing) -> None:
    """Say that nothing fitted, on standard error.

    Raises:
        DomainError: nobody is called as was asked for.
    """
    actor = choosing.choice.actor
    if actor is not None and actor not in choosing.actors:
        there_are = ", ".join(printable(one) for one in sorted(choosing.actors)) or "none"
        raise DomainError(f"no actor {actor!a} asked for anything there; there are: {there_are}")
    print("plumbline: no entry fits", file=sys.stderr, flush=True)


def _no_refusal_as_json(entry: Recorded) -> dict[str, object]:
    return {
        "refused": False,
        "position": entry.position,
        "name": entry.event.NAME,
        "actor": entry.actor,
        "role": entry.role,
        "told": sentence(entry.event),
    }


def _differences_as_json(found: Differences) -> dict[str, object]:
    return {
        "deployment": found.after.deployment,
        "from": found.before.position,
        "to": found.after.position,
        "entries": found.entries,
        "differences": [
            {
                "path": list(one.path),
                "before": one.before,
                "after": one.after,
                "entries": [cause.position for cause in one.causes],
            }
            for one in found.found
        ],
    }


def _say_all(lines: Iterable[str]) -> int:
    shown = 0
    for words in lines:
        say(printable(words))
        shown += 1
    return shown


def _say_blobs(blobs: Iterable[bytes]) -> int:
    """Entries, byte for byte; on a screen the same JSON, with nothing in it that could steer it."""
    shown = 0
    screen = on_a_terminal()
    for blob in blobs:
        text = blob.decode()
        say(printable_json(text) if screen else text)
        shown += 1
    return shown

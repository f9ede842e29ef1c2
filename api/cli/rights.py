"""``plumbline rights``, ``complaint``, ``breach``: what people ask, complain of, must be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import typer

from api.bootstrap import at_work, now, read_history
from api.cli.acting import Actor, agreed, played_by_one_of_the_force
from api.cli.record import Data, data_directory
from api.cli.replay import scope_of
from api.cli.telling import say, say_json
from api.narration import sentence
from api.replaying.choosing import the_one
from api.replaying.moments import a_time
from domain.kernel.commands import Role
from domain.kernel.references import new_reference
from domain.kernel.time import written
from domain.ports import Outside, Recorded
from domain.rights import commands as asked
from domain.rights import events as said
from domain.services import rights as serving

rights = typer.Typer(
    help="Requests of data subjects, with their clocks. Who asks stays outside the record.",
    no_args_is_help=True,
)
complaint = typer.Typer(help="Complaints, with how long footage still lives.", no_args_is_help=True)
breach = typer.Typer(help="Breaches of personal data, with their 72 hours.", no_args_is_help=True)

Which = typer.Argument(metavar="REFERENCE", help="Its first digits do.")
AsJson = typer.Option(False, "--json", help="One JSON list.")
Received = typer.Option(
    None, "--received", metavar="TIME", help="When it came, such as 2026-11-23T09:30:00Z; now."
)


# -- requests ----------------------------------------------------------------------------------


@rights.command()
def receive(
    right: str = typer.Option(..., "--right", metavar="CODE", help="Such as access."),
    asker: str = typer.Option(..., "--asker", metavar="CODE", help="A kind of person, never who."),
    received: str | None = Received,
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Take a request down, as the DPO; the clock runs from when it came."""
    request, at = new_reference(), _time(received)
    _do(
        data,
        actor,
        serving.receive_request,
        lambda by: asked.ReceiveRequest(
            **by, request=request, right=right, asker=asker, received_at=at
        ),
    )
    _tell(data, request)
    say("keep who asked, and what was asked, where the force keeps its cases")


@rights.command()
def identity(
    which: str = Which,
    method: str = typer.Option(..., "--method", metavar="CODE", help="Such as documents."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that it is known who asks."""
    request = _the(data, which, said.RequestReceived, "request")
    _do(
        data,
        actor,
        serving.verify_identity,
        lambda by: asked.VerifyIdentity(**by, request=request, method=method),
    )
    _tell(data, request)


@rights.command()
def search(
    which: str = Which,
    deployment: str = typer.Option(..., "--deployment", metavar="ID", help="Where."),
    since: str = typer.Option(..., "--since", metavar="TIME"),
    until: str = typer.Option(..., "--until", metavar="TIME"),
    by: str = typer.Option("time-and-place", "--by", metavar="CODE", help="Never by face."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say how much footage of a time and place there is, and until when."""
    request = _the(data, which, said.RequestReceived, "request")
    where = UUID(scope_of(data_directory(data), deployment))
    first, last = a_time(since), a_time(until)
    _do(
        data,
        actor,
        serving.search,
        lambda who: asked.SearchForRequest(
            **who, request=request, where=where, how=by, since=first, until=last
        ),
    )
    _tell(data, request)


@rights.command()
def restrict(
    which: str = Which,
    ground: str = typer.Option(..., "--ground", metavar="CODE", help="Of s.45(4)."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Leave something out of the answer, on a ground that statute gives."""
    request = _the(data, which, said.RequestReceived, "request")
    _do(
        data,
        actor,
        serving.restrict,
        lambda by: asked.RestrictAnswer(**by, request=request, ground=ground),
    )
    _tell(data, request)


@rights.command()
def answer(
    which: str = Which,
    code: str = typer.Option("replied", "--answer", metavar="CODE"),
    told: bool = typer.Option(
        False, "--told-of-remedies", help="The person was told of the Commissioner and the courts."
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that an answer was sent; for access the record does not say what it was."""
    request = _the(data, which, said.RequestReceived, "request")
    _do(
        data,
        actor,
        serving.answer,
        lambda by: asked.AnswerRequest(**by, request=request, answer=code, told_of_remedies=told),
    )
    _tell(data, request)


@rights.command("list")
def list_requests(as_json: bool = AsJson, data: str | None = Data) -> None:
    """List requests with their clocks, the open ones first."""
    _list(data, as_json, said.RequestReceived, said.RequestAnswered, "answer_by")


# -- complaints --------------------------------------------------------------------------------


@complaint.command("receive")
def receive_complaint(
    about: str = typer.Option(..., "--about", metavar="CODE", help="Such as stop."),
    deployment: str = typer.Option(..., "--deployment", metavar="ID"),
    received: str | None = Received,
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Take a complaint down; it says how long footage still lives unless somebody holds it."""
    one, at = new_reference(), _time(received)
    where = UUID(scope_of(data_directory(data), deployment))
    _do(
        data,
        actor,
        serving.receive_complaint,
        lambda by: asked.ReceiveComplaint(
            **by, complaint=one, about=about, where=where, received_at=at
        ),
    )
    _tell(data, one)


@complaint.command("close")
def close_complaint(
    which: str = Which,
    closing: str = typer.Option(..., "--closing", metavar="CODE", help="Such as upheld."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say what came of a complaint."""
    one = _the(data, which, said.ComplaintReceived, "complaint")
    _do(
        data,
        actor,
        serving.close_complaint,
        lambda by: asked.CloseComplaint(**by, complaint=one, closing=closing),
    )
    _tell(data, one)


@complaint.command("list")
def list_complaints(as_json: bool = AsJson, data: str | None = Data) -> None:
    """List complaints, with when footage goes."""
    _list(data, as_json, said.ComplaintReceived, said.ComplaintClosed, "first_gone_at")


# -- breaches ----------------------------------------------------------------------------------


@breach.command("report")
def report_breach(
    kind: str = typer.Option(..., "--kind", metavar="CODE", help="Such as list-lost."),
    aware: str | None = typer.Option(None, "--aware", metavar="TIME", help="Since when; now."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Report a breach: 72 hours run from when the force knew."""
    one, at = new_reference(), _time(aware)
    _do(
        data,
        actor,
        serving.report_breach,
        lambda by: asked.ReportBreach(**by, breach=one, kind=kind, aware_at=at),
    )
    _tell(data, one)


@breach.command()
def assess(
    which: str = Which,
    risk: str = typer.Option(..., "--risk", metavar="CODE", help="unlikely, risk or high."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say what risk there is to people, as the DPO."""
    _on_a_breach(
        data,
        which,
        actor,
        serving.assess_breach,
        lambda by: asked.AssessBreach(**by, risk=risk),
    )


@breach.command()
def commissioner(
    which: str = Which,
    at: str | None = typer.Option(None, "--at", metavar="TIME", help="When; now."),
    delay: str = typer.Option("", "--delay", metavar="CODE", help="Why so late, where it is."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that the Commissioner was told."""
    when = _time(at)
    _on_a_breach(
        data,
        which,
        actor,
        serving.notify_commissioner,
        lambda by: asked.NotifyCommissioner(**by, notified_at=when, reason_for_delay=delay),
    )


@breach.command()
def people(which: str = Which, actor: str = Actor, data: str | None = Data) -> None:
    """Say that the people concerned were told."""
    _on_a_breach(data, which, actor, serving.notify_people, lambda by: asked.NotifyPeople(**by))


@breach.command("close")
def close_breach(which: str = Which, actor: str = Actor, data: str | None = Data) -> None:
    """Close a breach, once whoever must know knows."""
    _on_a_breach(data, which, actor, serving.close_breach, lambda by: asked.CloseBreach(**by))


@breach.command("list")
def list_breaches(as_json: bool = AsJson, data: str | None = Data) -> None:
    """List breaches with their clocks, the open ones first."""
    _list(data, as_json, said.BreachReported, said.BreachClosed, "notify_by")


# -- what they share -----------------------------------------------------------------------------


def _time(text: str | None) -> datetime:
    return now() if text is None else a_time(text)


def _do(
    data: str | None,
    actor: str,
    serve: Callable[[Outside, Any], Any],
    command: Callable[[Any], Any],
) -> None:
    """Give one command as the DPO, and say why if it is refused."""
    with at_work(data_directory(data)) as outside:
        answer = serve(outside, command(played_by_one_of_the_force(actor, Role.DPO)))
    agreed(answer)


def _on_a_breach(
    data: str | None,
    which: str,
    actor: str,
    serve: Callable[[Outside, Any], Any],
    command: Callable[[Any], Any],
) -> None:
    one = _the(data, which, said.BreachReported, "breach")
    _do(data, actor, serve, lambda by: command({**by, "breach": one}))
    _tell(data, one)


def _the(data: str | None, which: str, kind: type[Any], word: str) -> UUID:
    """A request, complaint or breach by its first digits."""
    known = {one.event.originator_id.hex: one for one in _of(data, kind)}
    return UUID(the_one(known, which, word))


def _of(data: str | None, *kinds: type[Any]) -> Iterable[Recorded]:
    history = read_history(data_directory(data), None)
    return (one for one in history if isinstance(one.event, kinds))


def _tell(data: str | None, stream: UUID) -> None:
    """The newest thing that was recorded of it, in words."""
    newest = None
    for one in read_history(data_directory(data), None):
        if one.event.originator_id == stream:
            newest = one
    if newest is not None:
        say(f"{stream.hex[:8]}  {sentence(newest.event)}")


def _list(data: str | None, as_json: bool, begins: type[Any], ends: type[Any], clock: str) -> None:
    """Everything of a kind, the open ones first, with its clock."""
    found: dict[UUID, dict[str, Any]] = {}
    for one in _of(data, begins, ends):
        stream = one.event.originator_id
        if isinstance(one.event, begins):
            due = getattr(one.event, clock)
            found[stream] = {
                "reference": stream.hex,
                "what": sentence(one.event),
                "due": written(due) if due else None,
                "late": due is not None and due < now(),
                "open": True,
            }
        else:
            told = found[stream]
            told["open"] = False
            told["late"] = told["due"] is not None and told["due"] < written(one.recorded_at)
    lines = sorted(found.values(), key=lambda line: (not line["open"], line["due"] or ""))
    if as_json:
        say_json(lines)
        return
    for line in lines:
        state = ("LATE, " if line["late"] else "") + ("open" if line["open"] else "closed")
        say(f"{line['reference'][:8]}  {state:<12}  {line['what']}")
    say(f"{sum(line['open'] for line in lines)} open of {len(lines)}")

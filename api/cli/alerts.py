"""``plumbline alert``: what is recorded of a possible match after it was decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import typer

from api.bootstrap import at_work, read_history
from api.cli.acting import Actor, agreed, played_by
from api.cli.record import Data, data_directory
from api.cli.telling import say
from api.replaying.choosing import the_one
from domain.alerts.commands import RecordDissent
from domain.alerts.events import AlertRaised
from domain.arrests.commands import RecordArrest
from domain.engagements import commands as asked
from domain.kernel.commands import Role
from domain.ports import Outside
from domain.services import alerts, engagements
from domain.services.arrests import record_arrest

app = typer.Typer(
    help="What is recorded of a possible match after it was decided.", no_args_is_help=True
)


Which = typer.Argument(metavar="ALERT", help="A possible match; its first digits do.")


@app.callback()
def alert() -> None:
    """What is recorded of a possible match after it was decided."""


@app.command()
def arrest(
    which: str = Which,
    decision: str = typer.Option(
        "", "--decision", metavar="CODE", help="nothing_moved or moved_to_case_file."
    ),
    basis: str = typer.Option("", "--basis", metavar="CODE", help="Of the closed list."),
    moved: list[str] = typer.Option(
        [], "--moved", metavar="CLASS", help="A class of items that moves; may be given again."
    ),
    destination: str = typer.Option("", "--to", metavar="CODE", help="What kind of place."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Record an arrest, with what was decided of the material: there is no arrest without."""
    path = data_directory(data)
    found, of = _the_alert(path, which)
    with at_work(path) as outside:
        answer = record_arrest(
            outside,
            RecordArrest(
                **played_by(actor, Role.ENGAGEMENT_OFFICER, of),
                deployment=of,
                alert=found,
                decision=decision,
                basis=basis,
                item_classes=moved,
                destination=destination,
            ),
        )
    agreed(answer)
    say(
        f"an arrest after alert {found.hex[:8]} is recorded: {decision}; no clock is extended by it"
    )


@app.command()
def engage(
    which: str = Which,
    power: str = typer.Option(..., "--power", metavar="CODE", help="Such as stop-and-account."),
    colleagues: list[str] = typer.Option(
        [], "--with", metavar="CODE", help="Another officer who took part; may be given again."
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Speak to the person: only after the alert was found viable."""
    officers = [f"stand-in:{one}" for one in (actor, *colleagues)]
    _do(
        data,
        which,
        actor,
        engagements.start,
        lambda by: asked.StartEngagement(**by, officers=officers, power=power),
    )
    say("the engagement has begun")


@app.command()
def identity(
    which: str = Which,
    found: str = typer.Argument(help="same, different or unresolved."),
    method: str = typer.Option(..., "--method", metavar="CODE", help="Such as documents."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say whether it is the person on the list, established without the recogniser."""
    _do(
        data,
        which,
        actor,
        engagements.establish_identity,
        lambda by: asked.EstablishIdentity(**by, identity=found, method=method),
    )
    say(f"identity: {found}, by {method}")


@app.command()
def informed(
    which: str = Which,
    information: str = typer.Argument(help="given, declined or not-possible."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say whether card and rights were given: everyone who is spoken to gets them."""
    _do(
        data,
        which,
        actor,
        engagements.give_information,
        lambda by: asked.GiveInformation(**by, information=information),
    )
    say(f"card and rights: {information}")


@app.command("end")
def end_engagement(
    which: str = Which,
    duration: str = typer.Option(..., "--minutes", metavar="BAND", help="Such as 5-to-15."),
    force_used: bool = typer.Option(..., "--force/--no-force", help="Whether force was used."),
    handcuffed: bool = typer.Option(
        ..., "--handcuffed/--not-handcuffed", help="Whether the person was."
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that the engagement is over."""
    _do(
        data,
        which,
        actor,
        engagements.end,
        lambda by: asked.EndEngagement(
            **by, duration=duration, force_used=force_used, handcuffed=handcuffed
        ),
    )
    say("the engagement is over")


@app.command()
def outcome(
    which: str = Which,
    outcomes: list[str] = typer.Argument(metavar="CODE...", help="Of the closed list."),
    corrects: str = typer.Option(
        "", "--correct", metavar="CODE", help="Why it takes the place of what was recorded."
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say what came of it, or correct that; the old value is kept."""
    if corrects:
        _do(
            data,
            which,
            actor,
            engagements.correct_outcome,
            lambda by: asked.CorrectOutcome(**by, outcomes=outcomes, reason=corrects),
        )
    else:
        _do(
            data,
            which,
            actor,
            engagements.record_outcome,
            lambda by: asked.RecordOutcome(**by, outcomes=outcomes),
        )
    say(f"outcome: {', '.join(outcomes)}")


@app.command("not-located")
def person_not_located(which: str = Which, actor: str = Actor, data: str | None = Data) -> None:
    """Say that the person was not found; the alert stays undetermined."""
    _do(data, which, actor, engagements.not_located, lambda by: asked.ReportNotLocated(**by))
    say("the person was not found; nobody was spoken to")


@app.command()
def dissent(
    which: str = Which,
    decision: str = typer.Argument(help="viable, not_viable or insufficient."),
    subject: list[str] = typer.Option([], "--subject", metavar="CODE", help="A subject factor."),
    system: list[str] = typer.Option([], "--system", metavar="CODE", help="A system factor."),
    environment: list[str] = typer.Option(
        [], "--environment", metavar="CODE", help="An environmental factor."
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that one would have decided otherwise; the first decision stands."""
    _do(
        data,
        which,
        actor,
        alerts.dissent,
        lambda by: RecordDissent(
            **by,
            decision=decision,
            subject_factors=subject,
            system_factors=system,
            environmental_factors=environment,
            basis="scripted-rule",
        ),
    )
    say(f"another view is kept: {decision}; the first decision stands")


@app.command()
def review(
    which: str = Which,
    causes: list[str] = typer.Option([], "--cause", metavar="CODE", help="Such as look-alike."),
    actions: list[str] = typer.Option(
        [], "--action", metavar="CODE", help="What is done about it."
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say why a false alert was raised and what is done about it, as an internal auditor."""
    _do(
        data,
        which,
        actor,
        engagements.review_false_alert,
        lambda by: asked.ReviewFalseAlert(**by, causes=causes, actions=actions),
        role=Role.AUDITOR,
    )
    say("the review is kept")


def _do(
    data: str | None,
    which: str,
    actor: str,
    serve: Callable[[Outside, Any], Any],
    command: Callable[[Any], Any],
    *,
    role: Role = Role.ENGAGEMENT_OFFICER,
) -> None:
    """Give one command about an alert as a stand-in, and say why if it is refused."""
    path = data_directory(data)
    found, of = _the_alert(path, which)
    with at_work(path) as outside:
        by = {**played_by(actor, role, of), "deployment": of, "alert": found}
        answer = serve(outside, command(by))
    agreed(answer)


def _the_alert(path: Path, which: str) -> tuple[UUID, UUID]:
    """A possible match by its first digits, and its deployment."""
    raised = {
        one.event.originator_id.hex: UUID(one.scope)
        for one in read_history(path, None)
        if isinstance(one.event, AlertRaised)
    }
    found = the_one(raised, which, "alert")
    return UUID(found), raised[found]

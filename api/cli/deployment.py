"""``plumbline deployment``: acts on a deployment by those who answer for it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import typer

from api.bootstrap import at_work, read_history
from api.cli.acting import Actor, agreed, played_by
from api.cli.record import Data, data_directory
from api.cli.replay import scope_of
from api.cli.telling import say
from api.replaying.choosing import the_one
from api.replaying.moments import a_time
from domain.alerts.events import AlertRaised
from domain.deployments.aggregate import Deployment
from domain.deployments.commands import VaryAuthorisation, WithdrawAuthorisation
from domain.deployments.events import DeploymentStarted
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError
from domain.kernel.time import written
from domain.services import deployments
from domain.services.sightings import record_seeded_pass
from domain.sightings.seeding import RecordSeededPass
from domain.watchlists.events import EntryAccepted

app = typer.Typer(help="Acts on a deployment by those who answer for it.", no_args_is_help=True)


@app.callback()
def deployment() -> None:
    """Acts on a deployment by those who answer for it."""


@app.command("pass")
def seeded_pass(
    which: str = typer.Argument(metavar="DEPLOYMENT", help="Its id; the first digits do."),
    entry: str = typer.Option(..., "--entry", metavar="ID", help="The volunteer's entry."),
    camera: str = typer.Option("camera-1", "--camera", metavar="CODE"),
    alert: str | None = typer.Option(
        None, "--alert", metavar="ID", help="What it raised; none where recognition missed it."
    ),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Take down, as an operator, that a volunteer of the list passed: for the recognition rate."""
    path = data_directory(data)
    found = UUID(scope_of(path, which))
    entries, alerts, run = _seen_in(path, found)
    with at_work(path) as outside:
        answer = record_seeded_pass(
            outside,
            RecordSeededPass(
                **played_by(actor, Role.OPERATOR, found),
                deployment=found,
                run=run,
                camera=camera,
                entry=UUID(the_one(entries, entry, "entry")),
                alert=None if alert is None else UUID(the_one(alerts, alert, "alert")),
            ),
        )
    agreed(answer)
    say("the pass is taken down")


@app.command()
def vary(
    which: str = typer.Argument(metavar="DEPLOYMENT", help="Its id; the first digits do."),
    until: str = typer.Option(..., "--until", metavar="TIME", help="The new end."),
    reason: str = typer.Option(..., "--reason", metavar="CODE", help="Why, as a code."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Let recognition end earlier, as an operator: a run that is on stops by itself then."""
    path = data_directory(data)
    found, end = UUID(scope_of(path, which)), a_time(until)
    with at_work(path) as outside:
        allowed = outside.record.load(Deployment, found).authorised
        if allowed is None:
            raise DomainError(f"deployment {found.hex[:8]} is not authorised, or not any more")
        answer = deployments.vary(
            outside,
            VaryAuthorisation(
                **played_by(actor, Role.OPERATOR, found),
                deployment=found,
                valid_from=allowed.valid_from,
                valid_until=end,
                cameras=allowed.cameras,
                reason=reason,
            ),
        )
    agreed(answer)
    say(f"deployment {found.hex[:8]} may go on until {written(end)}")


def _seen_in(path: Path, deployment: UUID) -> tuple[dict[str, None], dict[str, None], UUID]:
    """The accepted entries, the alerts and the newest run of a deployment."""
    entries: dict[str, None] = {}
    alerts: dict[str, None] = {}
    run = UUID(int=0)
    for one in read_history(path, deployment.hex):
        match one.event:
            case EntryAccepted() as event:
                entries[event.entry.hex] = None
            case AlertRaised() as event:
                alerts[event.originator_id.hex] = None
            case DeploymentStarted() as event:
                run = event.run
    return entries, alerts, run


@app.command()
def withdraw(
    which: str = typer.Argument(metavar="DEPLOYMENT", help="Its id; the first digits do."),
    reason: str = typer.Option(..., "--reason", metavar="CODE", help="Why, as a code."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Take the authorisation back, as an Authorising Officer: a run that is on stops at once."""
    path = data_directory(data)
    found = UUID(scope_of(path, which))
    with at_work(path) as outside:
        answer = deployments.withdraw(
            outside,
            WithdrawAuthorisation(
                **played_by(actor, Role.AUTHORISING_OFFICER, found), deployment=found, reason=reason
            ),
        )
    agreed(answer)
    say(f"the authorisation of deployment {found.hex[:8]} is withdrawn: nothing starts any more")

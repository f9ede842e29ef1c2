"""``plumbline deployment``: acts on a deployment by those who answer for it."""

from __future__ import annotations

from uuid import UUID

import typer

from api.bootstrap import at_work
from api.cli.acting import Actor, agreed, played_by
from api.cli.record import Data, data_directory
from api.cli.replay import scope_of
from api.cli.telling import say
from domain.deployments.commands import WithdrawAuthorisation
from domain.kernel.commands import Role
from domain.services import deployments

app = typer.Typer(help="Acts on a deployment by those who answer for it.", no_args_is_help=True)


@app.callback()
def deployment() -> None:
    """Acts on a deployment by those who answer for it."""


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

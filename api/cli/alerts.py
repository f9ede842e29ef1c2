"""``plumbline alert``: what is recorded of a possible match after it was decided."""

from __future__ import annotations

from uuid import UUID

import typer

from api.bootstrap import at_work, read_history
from api.cli.acting import Actor, agreed, played_by
from api.cli.record import Data, data_directory
from api.cli.telling import say
from api.replaying.choosing import the_one
from domain.alerts.events import AlertRaised
from domain.arrests.commands import RecordArrest
from domain.kernel.commands import Role
from domain.services.arrests import record_arrest

app = typer.Typer(
    help="What is recorded of a possible match after it was decided.", no_args_is_help=True
)


@app.callback()
def alert() -> None:
    """What is recorded of a possible match after it was decided."""


@app.command()
def arrest(
    which: str = typer.Argument(metavar="ALERT", help="A possible match; its first digits do."),
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
    raised = {
        one.event.originator_id.hex: UUID(one.scope)
        for one in read_history(path, None)
        if isinstance(one.event, AlertRaised)
    }
    found = the_one(raised, which, "alert")
    with at_work(path) as outside:
        answer = record_arrest(
            outside,
            RecordArrest(
                **played_by(actor, Role.ENGAGEMENT_OFFICER, raised[found]),
                deployment=raised[found],
                alert=UUID(found),
                decision=decision,
                basis=basis,
                item_classes=moved,
                destination=destination,
            ),
        )
    agreed(answer)
    say(f"an arrest after alert {found[:8]} is recorded: {decision}; no clock is extended by it")

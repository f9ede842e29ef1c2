"""``plumbline watchlist``: who is on a list by their codes, how large it was when, and removals."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import typer

from api.bootstrap import at_work, evidence_in, read_history
from api.cli.acting import Actor, agreed, played_by
from api.cli.record import Data, data_directory
from api.cli.replay import scope_of
from api.cli.telling import say, say_json
from api.replaying.choosing import the_one
from domain.figures.deployment_record import counted
from domain.kernel.commands import Role
from domain.services import watchlists
from domain.watchlists.commands import RemoveEntry
from domain.watchlists.events import EntryAccepted

app = typer.Typer(
    help="How large a watchlist was when, and taking entries off it.", no_args_is_help=True
)


@app.callback()
def watchlist() -> None:
    """How large a watchlist was when, and taking entries off it."""


@app.command()
def sizes(
    which: str = typer.Argument(metavar="DEPLOYMENT", help="Its id; the first digits do."),
    as_json: bool = typer.Option(False, "--json", help="One JSON list."),
    data: str | None = Data,
) -> None:
    """Tell every size that a deployment's list had, and what changed it."""
    path = data_directory(data)
    scope = scope_of(path, which)
    told = counted(UUID(scope), read_history(path, scope), evidence_in(path))
    changes = told.facts["watchlist_sizes"]
    if as_json:
        say_json(changes)
        return
    for one in changes:
        entries = "" if one["entries"] is None else f"{one['entries']:>7} entries"
        say(f"{one['position']:>6}  {one['at']}  {entries}  {one['why']}")
    if not changes:
        say("no list was sealed, and no entry removed")


@app.command()
def remove(
    which: str = typer.Argument(metavar="ENTRY", help="An accepted entry; its first digits do."),
    reason: str = typer.Option(..., "--reason", metavar="CODE", help="Such as arrested."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Take an entry off its list, as a watchlist manager: a running camera follows at once."""
    path = data_directory(data)
    found, of, deployment = _the_entry(path, which)
    with at_work(path) as outside:
        answer = watchlists.remove_entry(
            outside,
            RemoveEntry(
                **played_by(actor, Role.WATCHLIST_MANAGER, deployment),
                watchlist=of,
                entry=found,
                reason=reason,
            ),
        )
    left = len(agreed(answer).accepted)
    say(
        f"entry {found.hex[:8]} is off the list; what was kept for it is destroyed; {left} are left"
    )


def _the_entry(path: Path, which: str) -> tuple[UUID, UUID, UUID]:
    """An accepted entry by its first digits, its list and its deployment."""
    accepted = {
        one.event.entry.hex: (one.event.originator_id, UUID(one.scope))
        for one in read_history(path, None)
        if isinstance(one.event, EntryAccepted)
    }
    found = the_one(accepted, which, "entry")
    return UUID(found), *accepted[found]

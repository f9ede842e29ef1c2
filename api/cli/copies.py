"""``plumbline copies``: copies of watchlists outside the vault, until each is known to be gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import typer

from api.bootstrap import at_work, now, read_history
from api.cli.acting import Actor, agreed, played_by
from api.cli.record import Data, data_directory
from api.cli.telling import say, say_json
from api.replaying.choosing import the_one
from domain.copies.aggregate import CopySeen
from domain.copies.commands import DestroyCopy, RegisterCopy, VerifyCopy
from domain.kernel.commands import Role
from domain.kernel.references import new_reference
from domain.kernel.time import written
from domain.services import copies
from domain.services.copies import ListOutside, lists_outside
from domain.services.survey import Survey
from domain.watchlists.events import CriteriaProposed

app = typer.Typer(
    help="Copies of watchlists outside the vault, until each is known to be gone.",
    no_args_is_help=True,
)

Which = typer.Argument(metavar="COPY", help="A copy; its first digits do.")


@app.command()
def register(
    watchlist: str = typer.Option(..., "--watchlist", metavar="ID", help="Its first digits do."),
    kind: str = typer.Option(..., "--kind", metavar="CODE", help="What it is."),
    location: str = typer.Option(..., "--location", metavar="CODE", help="What kind of place."),
    holder: str = typer.Option(..., "--holder", metavar="CODE", help="The role of who has it."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that there is a copy of a list."""
    path = data_directory(data)
    lists = {
        one.event.originator_id.hex: one.event.deployment
        for one in read_history(path, None)
        if isinstance(one.event, CriteriaProposed)
    }
    of = the_one(lists, watchlist, "watchlist")
    copy = new_reference()
    with at_work(path) as outside:
        answer = copies.register(
            outside,
            RegisterCopy(
                **played_by(actor, Role.WATCHLIST_MANAGER, lists[of]),
                deployment=lists[of],
                watchlist=UUID(of),
                copy=copy,
                kind=kind,
                location=location,
                holder=holder,
                exposure="not-checked",
            ),
        )
    agreed(answer)
    say(f"copy {copy.hex} is registered; it is open until another person found it gone")


@app.command()
def destroyed(
    which: str = Which,
    method: str = typer.Option(..., "--method", metavar="CODE", help="How it was destroyed."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that you destroyed a copy."""
    path = data_directory(data)
    found = _the_copy(path, which)
    with at_work(path) as outside:
        answer = copies.destroyed(
            outside,
            DestroyCopy(
                **played_by(actor, Role.WATCHLIST_MANAGER, found.list.deployment),
                watchlist=found.list.watchlist,
                copy=found.copy,
                method=method,
            ),
        )
    agreed(answer)
    say(f"copy {found.copy.hex[:8]} is destroyed; another person has to look for it")


@app.command()
def verified(
    which: str = Which,
    probe: str = typer.Option(..., "--probe", metavar="CODE", help="How you looked for it."),
    still_there: bool = typer.Option(False, "--still-there", help="It was there all the same."),
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Say that you looked for a copy that another person destroyed."""
    path = data_directory(data)
    found = _the_copy(path, which)
    with at_work(path) as outside:
        answer = copies.verified(
            outside,
            VerifyCopy(
                **played_by(actor, Role.INFORMATION_ASSET_OWNER, found.list.deployment),
                watchlist=found.list.watchlist,
                copy=found.copy,
                probe=probe,
                still_there=still_there,
            ),
        )
    left = len(agreed(answer).open)
    what = "is still there" if still_there else "is gone"
    say(f"copy {found.copy.hex[:8]} {what}; {left} copies of this list are open")


@app.command("list")
def list_copies(
    as_json: bool = typer.Option(False, "--json", help="One JSON array."), data: str | None = Data
) -> None:
    """Show every copy and how it stands, the lists with open copies last."""
    at = now()
    found = sorted(_lists(data_directory(data)), key=lambda one: bool(one.open))
    if as_json:
        say_json([_as_json(one, overdue=one.overdue(at)) for one in found])
        return
    for one in found:
        late = "  OVERDUE" if one.overdue(at) else ""
        gone = "nothing is left of it" if one.destroyed else f"gone by {written(one.due_at)}{late}"
        say(f"list {one.watchlist.hex[:8]} of deployment {one.deployment.hex[:8]}: {gone}")
        for copy in one.copies:
            seen = copy.registered
            say(
                f"  {seen.copy.hex[:8]}  {_state(copy):9}  {seen.kind} in {seen.location}, with "
                f"the {seen.holder} ({seen.exposure})"
            )
    say(f"{sum(len(one.open) for one in found)} copies of {len(found)} lists are open")


@dataclass(frozen=True)
class _Found:
    list: ListOutside
    copy: UUID


def _lists(path: Path) -> list[ListOutside]:
    return lists_outside(Survey().take(read_history(path, None)))


def _the_copy(path: Path, digits: str) -> _Found:
    known = {
        copy.registered.copy.hex: _Found(one, copy.registered.copy)
        for one in _lists(path)
        for copy in one.copies
    }
    return known[the_one(known, digits, "copy")]


def _state(copy: CopySeen) -> str:
    if copy.verified:
        return "gone"
    return "destroyed" if copy.destroyed_by is not None else "open"


def _as_json(found: ListOutside, *, overdue: bool) -> dict[str, object]:
    return {
        "watchlist": found.watchlist.hex,
        "deployment": found.deployment.hex,
        "due_at": written(found.due_at),
        "overdue": overdue,
        "destroyed": found.destroyed,
        "copies": [
            {
                "copy": one.registered.copy.hex,
                "kind": one.registered.kind,
                "location": one.registered.location,
                "holder": one.registered.holder,
                "exposure": one.registered.exposure,
                "state": _state(one),
            }
            for one in found.copies
        ],
    }

"""``plumbline hold``: footage that is kept past its limit, on two persons' word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import typer

from api.bootstrap import at_work, now, read_history
from api.cli.acting import Actor, agreed, played_by
from api.cli.record import Data, data_directory
from api.cli.replay import scope_of
from api.cli.telling import say, say_json
from api.replaying.choosing import the_one
from api.replaying.moments import a_time
from domain.custody.events import ItemRegistered
from domain.holds.aggregate import Hold
from domain.holds.commands import (
    ApproveHold,
    DeclineHold,
    ReleaseHold,
    RequestHold,
    ReviewHold,
)
from domain.holds.events import HoldEvent
from domain.kernel.commands import Role
from domain.kernel.references import new_reference
from domain.kernel.time import written
from domain.services import holds

app = typer.Typer(
    help="Footage that is kept past its limit, on two persons' word.", no_args_is_help=True
)

Which = typer.Argument(metavar="HOLD", help="A hold; its first digits do.")
ReviewBy = typer.Option(
    None, "--review-by", metavar="TIME", help="By when it is to be reviewed, at most 28 days off."
)


@app.command()
def request(
    items: list[str] = typer.Argument(metavar="ITEM...", help="Items; their first digits do."),
    deployment: str = typer.Option(..., "--deployment", metavar="ID", help="Whose items they are."),
    ground: str = typer.Option(..., "--ground", metavar="CODE", help="Of the closed list."),
    case: str = typer.Option(..., "--case", metavar="REF", help="Opaque, such as psd-2026-118."),
    review_by: str | None = ReviewBy,
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Ask that items be kept; another person has to approve it."""
    path = data_directory(data)
    of = UUID(scope_of(path, deployment))
    known = _items_in(path, of)
    hold = new_reference()
    with at_work(path) as outside:
        answer = holds.request(
            outside,
            RequestHold(
                **played_by(actor, Role.DISCLOSURE_OFFICER, of),
                deployment=of,
                hold=hold,
                ground=ground,
                case_reference=case,
                items=[UUID(the_one(known, one, "item")) for one in items],
                review_by=a_time(review_by) if review_by is not None else None,
            ),
        )
    agreed(answer)
    say(f"hold {hold.hex} is asked for; nothing is kept until another person approves it")


@app.command()
def approve(which: str = Which, actor: str = Actor, data: str | None = Data) -> None:
    """Let a hold count until its review."""
    path = data_directory(data)
    found = _the_hold(path, which)
    with at_work(path) as outside:
        answer = holds.approve(
            outside,
            ApproveHold(
                **played_by(actor, Role.INFORMATION_ASSET_OWNER, found.deployment),
                hold=found.hold.id,
            ),
        )
    _tell_until(agreed(answer))


@app.command()
def decline(which: str = Which, actor: str = Actor, data: str | None = Data) -> None:
    """Turn a hold down."""
    path = data_directory(data)
    found = _the_hold(path, which)
    with at_work(path) as outside:
        answer = holds.decline(
            outside,
            DeclineHold(
                **played_by(actor, Role.INFORMATION_ASSET_OWNER, found.deployment),
                hold=found.hold.id,
            ),
        )
    say(f"hold {agreed(answer).id.hex[:8]} is turned down; nothing is kept by it")


@app.command()
def review(
    which: str = Which,
    review_by: str | None = ReviewBy,
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Let a hold count until a new review date."""
    path = data_directory(data)
    found = _the_hold(path, which)
    with at_work(path) as outside:
        answer = holds.review(
            outside,
            ReviewHold(
                **played_by(actor, Role.INFORMATION_ASSET_OWNER, found.deployment),
                hold=found.hold.id,
                review_by=a_time(review_by) if review_by is not None else None,
            ),
        )
    _tell_until(agreed(answer))


@app.command()
def release(which: str = Which, actor: str = Actor, data: str | None = Data) -> None:
    """End a hold; what is past its limit is destroyed at once."""
    path = data_directory(data)
    found = _the_hold(path, which)
    with at_work(path) as outside:
        answer = holds.release(
            outside,
            ReleaseHold(
                **played_by(actor, Role.INFORMATION_ASSET_OWNER, found.deployment),
                hold=found.hold.id,
            ),
        )
    say(f"hold {agreed(answer).id.hex[:8]} is released; what is past its limit is destroyed")


@app.command("list")
def list_holds(
    as_json: bool = typer.Option(False, "--json", help="One JSON array."), data: str | None = Data
) -> None:
    """Show every hold and how it stands."""
    told = [_as_json(one) for one in _holds_in(data_directory(data))]
    if as_json:
        say_json(told)
        return
    for one in told:
        say(
            f"{str(one['hold'])[:8]}  {one['state']:9}  review by {one['review_by']}  "
            f"{one['items']} items of deployment {str(one['deployment'])[:8]}  {one['ground']}, "
            f"{one['case_reference']}"
        )
    say(f"{len(told)} holds, {sum(one['state'] == 'counts' for one in told)} of them count")


@dataclass(frozen=True)
class _Found:
    deployment: UUID
    hold: Hold


def _holds_in(path: Path) -> list[_Found]:
    found: dict[UUID, _Found] = {}
    for entry in read_history(path, None):
        if isinstance(entry.event, HoldEvent):
            stream = entry.event.originator_id
            one = found.setdefault(stream, _Found(UUID(entry.scope), Hold(stream)))
            one.hold.follow(entry.event)
    return list(found.values())


def _the_hold(path: Path, digits: str) -> _Found:
    known = {one.hold.id.hex: one for one in _holds_in(path)}
    return known[the_one(known, digits, "hold")]


def _items_in(path: Path, deployment: UUID) -> list[str]:
    return [
        one.event.originator_id.hex
        for one in read_history(path, deployment.hex)
        if isinstance(one.event, ItemRegistered)
    ]


def _tell_until(hold: Hold) -> None:
    until = written(hold.review_by) if hold.review_by else "no date"
    say(f"hold {hold.id.hex[:8]} keeps {len(hold.items)} items until {until} unless it is reviewed")


def _as_json(found: _Found) -> dict[str, object]:
    asked = found.hold.requested
    return {
        "hold": found.hold.id.hex,
        "deployment": found.deployment.hex,
        "state": next(_states(found.hold)),
        "ground": asked.ground if asked else None,
        "case_reference": asked.case_reference if asked else None,
        "items": len(found.hold.items),
        "review_by": written(found.hold.review_by) if found.hold.review_by else None,
    }


def _states(hold: Hold) -> Iterator[str]:
    """The first that fits is how it stands."""
    if hold.declined:
        yield "declined"
    if hold.released:
        yield "released"
    if not hold.approved:
        yield "requested"
    if hold.review_by is not None and hold.review_by < now():
        yield "lapsed"
    yield "counts"

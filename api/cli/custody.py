"""``plumbline custody``: what will be destroyed, the worker that does it, and who looks again."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from uuid import UUID

import typer

from api.bootstrap import (
    Worker,
    deployments_in,
    mode_of,
    now,
    open_worker,
    planned,
    rechecked,
    typed_path,
)
from api.cli.record import Data, data_directory
from api.cli.telling import EXIT_BROKEN, EXIT_USAGE, complain, say, say_json
from api.replaying.moments import a_time
from domain.assurance.verification import Kind
from domain.kernel.codes import is_code
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.kernel.time import written
from domain.services.custody import KEEPS_NOTHING_ELSE
from domain.services.retention import MOST_EVERY_S, Planned, Swept

app = typer.Typer(
    help="What is kept until when, destroying it, and inventories of the stores.",
    no_args_is_help=True,
)

LEAST_EVERY_S = 10


@app.command()
def plan(
    at: str | None = typer.Option(None, "--at", metavar="TIME", help="As it would be then."),
    as_json: bool = typer.Option(False, "--json", help="One JSON array."),
    data: str | None = Data,
) -> None:
    """Show what will be destroyed, when and why. Nothing is touched."""
    items = planned(data_directory(data), at=a_time(at) if at is not None else None)
    if as_json:
        say_json([_as_json(one) for one in items])
        return
    for one in items:
        mark = "OVERDUE " if one.overdue else "held " if one.held else ""
        say(
            f"{mark}{written(one.deadline)}  {one.item_class:18}  {one.item.hex[:8]}  "
            f"deployment {one.deployment.hex[:8]}  by {one.rule}"
        )
    held, overdue = sum(one.held for one in items), sum(one.overdue for one in items)
    say(f"{len(items)} items are kept: {held} held, {overdue} overdue")


def _as_json(one: Planned) -> dict[str, object]:
    return {
        "item": one.item.hex,
        "class": one.item_class,
        "deployment": one.deployment.hex,
        "rule": one.rule,
        "deadline": written(one.deadline),
        "held": one.held,
        "overdue": one.overdue,
    }


@app.command()
def work(
    every: int = typer.Option(60, "--every", metavar="SECONDS", help="How often to look."),
    once: bool = typer.Option(False, "--once", help="Look once, and end."),
    clock_confirmed_by: str | None = typer.Option(
        None,
        "--clock-confirmed-by",
        metavar="CODE",
        help="Who says that the clock is right, where it is far ahead of the record.",
    ),
    data: str | None = Data,
) -> None:
    """Destroy what is due, again and again, and leave a sign of life each time."""
    path = data_directory(data)
    if not LEAST_EVERY_S <= every <= MOST_EVERY_S:
        code = complain(f"--every: expected {LEAST_EVERY_S} to {MOST_EVERY_S} seconds", EXIT_USAGE)
        raise typer.Exit(code)
    if clock_confirmed_by is not None and not is_code(clock_confirmed_by):
        code = complain("--clock-confirmed-by: expected a code such as officer-7", EXIT_USAGE)
        raise typer.Exit(code)
    actor = f"stand-in:{clock_confirmed_by}" if clock_confirmed_by else None
    if actor is not None:
        _require_rehearsal(path)
    if once:
        with open_worker(path, confirmed_by=actor) as (worker, found):
            _tell(found)
            came_to = _sweep(worker, every_s=0)
            raise typer.Exit(EXIT_BROKEN if came_to.failures or came_to.overdue else 0)
    pause = Event()
    while not pause.wait(0):
        try:
            with open_worker(path, confirmed_by=actor) as (worker, found):
                _tell(found)
                while not pause.wait(0):
                    came_to = _sweep(worker, every_s=every)
                    pause.wait(_until_the_next(came_to, every))
        except KEEPS_NOTHING_ELSE as error:
            # A disk or database that is away now may be back: what is late then is told as late.
            complain(str(error), EXIT_BROKEN)
        pause.wait(every)


def _until_the_next(came_to: Swept, every: int) -> float:
    """Seconds to wait: what a hold no longer keeps does not wait for the next round."""
    if came_to.next_lapse_at is None:
        return every
    return min(every, max(1.0, (came_to.next_lapse_at - now()).total_seconds() + 1))


def _sweep(worker: Worker, *, every_s: int) -> Swept:
    came_to, found = worker.sweep(every_s=every_s)
    _tell([*found, *came_to.failures])
    say(_in_words(came_to))
    return came_to


def _tell(told: list[str]) -> None:
    for words in told:
        say(words)


def _require_rehearsal(path: Path) -> None:
    """Nobody is authenticated yet, so that no person can speak in an operational record."""
    if mode_of(path) is not Mode.REHEARSAL:
        raise DomainError("an operational record takes a person's word once they can prove who")


def _in_words(came_to: Swept) -> str:
    due = f"next due {written(came_to.next_due_at)}" if came_to.next_due_at else "nothing is kept"
    return (
        f"{written(now())}  {came_to.live} kept, {came_to.due} due, {came_to.destroyed} destroyed, "
        f"{came_to.held} held, {came_to.overdue} overdue; {due}"
    )


@app.command()
def recheck(
    credential: str | None = typer.Option(
        None,
        "--credential",
        metavar="FILE",
        help="Your own key, which the node lacks; made if there is none. Otherwise the node's own.",
    ),
    actor: str | None = typer.Option(None, "--actor", metavar="CODE", help="Who you are."),
    deployment: str | None = typer.Option(
        None, "--deployment", metavar="ID", help="Only the receipts of this deployment."
    ),
    data: str | None = Data,
) -> None:
    """Look again for all that was destroyed, list the stores, and sign what was found.

    Another process does it, with a key of its own; with --credential, another person's.
    """
    path = data_directory(data)
    if (credential is None) != (actor is None) or (actor is not None and not is_code(actor)):
        words = "expected --credential FILE together with --actor CODE, such as auditor-1"
        raise typer.Exit(complain(words, EXIT_USAGE))
    if actor is not None:
        _require_rehearsal(path)
    found = rechecked(
        path,
        deployment=_deployment(path, deployment),
        credential=typed_path(credential) if credential else None,
        actor=f"stand-in:{actor}" if actor else None,
    )
    again, stock = found.receipts, found.inventory
    say(
        f"re-checker {found.rechecker}: {again.receipts} items have receipts, "
        f"{len(again.still_there)} of them are there all the same"
    )
    say(stock.in_words)
    if again.still_there or not stock.clean:
        raise typer.Exit(Kind.INCOMPLETE.exit_code)


def _deployment(path: Path, typed: str | None) -> UUID | None:
    if typed is None:
        return None
    found = [one for one in deployments_in(path) if one.startswith(typed.lower())]
    if len(found) != 1:
        raise DomainError(f"expected one deployment that begins with it, found {len(found)}")
    return UUID(found[0])

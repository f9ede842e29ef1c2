"""``plumbline custody``: what will be destroyed, the worker that does it, and who looks again."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import typer

from api.bootstrap import now, planned, stock_taken, swept
from api.cli.record import Data, data_directory
from api.cli.telling import EXIT_BROKEN, EXIT_USAGE, complain, say, say_json
from api.replaying.moments import a_time
from domain.assurance.verification import Kind
from domain.kernel.codes import is_code
from domain.kernel.errors import DomainError
from domain.kernel.time import written
from domain.services.retention import Planned, Swept

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
        mark = "OVERDUE " if one.overdue else ""
        say(
            f"{mark}{written(one.deadline)}  {one.item_class:18}  {one.item.hex[:8]}  "
            f"deployment {one.deployment.hex[:8]}  by {one.rule}"
        )
    say(f"{len(items)} items are kept, {sum(one.overdue for one in items)} of them are overdue")


def _as_json(one: Planned) -> dict[str, object]:
    return {
        "item": one.item.hex,
        "class": one.item_class,
        "deployment": one.deployment.hex,
        "rule": one.rule,
        "deadline": written(one.deadline),
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
    if every < LEAST_EVERY_S:
        code = complain(f"--every: expected at least {LEAST_EVERY_S} seconds", EXIT_USAGE)
        raise typer.Exit(code)
    if clock_confirmed_by is not None and not is_code(clock_confirmed_by):
        code = complain("--clock-confirmed-by: expected a code such as officer-7", EXIT_USAGE)
        raise typer.Exit(code)
    actor = f"stand-in:{clock_confirmed_by}" if clock_confirmed_by else None
    if once:
        came_to = _sweep(path, every_s=0, confirmed_by=actor)
        raise typer.Exit(EXIT_BROKEN if came_to.failures or came_to.overdue else 0)
    pause = Event()
    while not pause.wait(0):
        wait_s = float(every)
        try:
            came_to = _sweep(path, every_s=every, confirmed_by=actor)
            wait_s = _until_the_next(came_to, every)
        except DomainError as error:
            # A disk or database that is away now may be back: what is late then is told as late.
            complain(str(error), EXIT_BROKEN)
        pause.wait(wait_s)


def _until_the_next(came_to: Swept, every: int) -> float:
    """Seconds to wait: what a hold no longer keeps does not wait for the next round."""
    if came_to.next_lapse_at is None:
        return every
    return min(every, max(1.0, (came_to.next_lapse_at - now()).total_seconds() + 1))


def _sweep(path: Path, *, every_s: int, confirmed_by: str | None) -> Swept:
    came_to, found = swept(path, every_s=every_s, confirmed_by=confirmed_by)
    for words in (*found, *came_to.failures):
        say(words)
    say(_in_words(came_to))
    return came_to


def _in_words(came_to: Swept) -> str:
    due = f"next due {written(came_to.next_due_at)}" if came_to.next_due_at else "nothing is kept"
    return (
        f"{written(now())}  {came_to.live} kept, {came_to.due} due, {came_to.destroyed} destroyed, "
        f"{came_to.held} held, {came_to.overdue} overdue; {due}"
    )


@app.command()
def recheck(data: str | None = Data) -> None:
    """Have another process, with a key of its own, list the stores and sign what it found."""
    found = stock_taken(data_directory(data))
    say(
        f"inventory at {found.as_of} entries: {found.keys} keys, {found.ciphertexts} ciphertexts, "
        f"{len(found.missing)} missing, {found.orphans} orphans, {len(found.resurrected)} "
        "resurrected"
    )
    if not found.clean:
        raise typer.Exit(Kind.INCOMPLETE.exit_code)

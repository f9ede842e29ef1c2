"""``plumbline footage``: what the cameras recorded, and looking at it, which is on the record."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import typer

from api.bootstrap import mode_of, open_node, read_history, typed_path
from api.cli.acting import Actor, agreed, played_by
from api.cli.record import Data, data_directory
from api.cli.telling import say, say_json
from api.replaying.choosing import the_one
from domain.custody.commands import ConsultItem
from domain.footage.events import SegmentLost, SegmentRecorded
from domain.kernel.commands import Mode, Role
from domain.kernel.errors import DomainError
from domain.kernel.refusals import Refused
from domain.kernel.time import written
from domain.ports import VaultError
from domain.services.custody import consult_stream
from domain.services.survey import ItemSeen, Survey

PURPOSE = "footage-review"

app = typer.Typer(
    help="What the cameras of a deployment recorded; looking at it is on the record.",
    no_args_is_help=True,
)

Reviewer = typer.Option(
    Role.DPO.value,
    "--role",
    metavar="ROLE",
    help="dpo, auditor or authorising_officer.",
)


@app.command("list")
def list_segments(
    deployment: str | None = typer.Option(None, "--deployment", help="Its first digits do."),
    as_json: bool = typer.Option(False, "--json", help="One JSON array."),
    data: str | None = Data,
) -> None:
    """List the segments, when each began, and until when it is kept. No picture is opened."""
    survey, told = Survey(), []
    for entry in read_history(data_directory(data), None):
        survey.take([entry])
        if not entry.scope.startswith(deployment or ""):
            continue
        if isinstance(entry.event, SegmentRecorded | SegmentLost):
            told.append((entry.scope, entry.event))
    if as_json:
        say_json([_as_json(survey, scope, event) for scope, event in told])
        return
    for scope, event in told:
        say(_in_words(survey, scope, event))
    kept = [one for _, one in told if isinstance(one, SegmentRecorded)]
    left = sum(not survey.items[one.item].destroyed for one in kept)
    say(f"{len(kept)} segments were recorded, {left} are left, {len(told) - len(kept)} were lost")


@app.command()
def play(
    which: str = typer.Argument(metavar="SEGMENT", help="Its item; the first digits do."),
    output: str = typer.Option(..., "-o", "--output", metavar="FILE.mkv", help="A new file."),
    role: str = Reviewer,
    actor: str = Actor,
    data: str | None = Data,
) -> None:
    """Open a segment and write it to a file: that it was looked at, and by whom, is recorded first.

    The file is a copy outside these stores: whoever makes it has to destroy it.
    """
    path, target = data_directory(data), typed_path(output)
    if target.exists():
        raise DomainError(f"{target}: expected a name that is free, found a file")
    item = _segment(path, which)
    with open_node(path, _rehearsals(path)) as node:
        opened = consult_stream(
            node.outside,
            ConsultItem(
                **played_by(actor, _role(role), item.deployment), item=item.item, purpose=PURPOSE
            ),
        )
        size = 0 if isinstance(opened, Refused) else _write(target, opened)
        node.seal()
    agreed(opened)
    say(f"{target}: {size} bytes; it is on the record that {actor} opened it")


def _rehearsals(path: Path) -> Mode:
    mode = mode_of(path)
    if mode is Mode.OPERATIONAL:
        raise DomainError(
            "expected a rehearsal's record, found an operational one: nobody can prove who they "
            "are on this command line"
        )
    return mode


def _role(name: str) -> Role:
    if name not in {one.value for one in Role}:
        raise DomainError(f"--role: expected dpo, auditor or authorising_officer, found {name!a}")
    return Role(name)


def _segment(path: Path, which: str) -> ItemSeen:
    """The item of a segment, by its first digits."""
    survey, segments = Survey(), set()
    for entry in read_history(path, None):
        survey.take([entry])
        if isinstance(entry.event, SegmentRecorded):
            segments.add(entry.event.item.hex)
    return survey.items[UUID(the_one(segments, which, "segment"))]


def _write(target: Path, chunks: Iterator[bytearray]) -> int:
    """Write a new file that nobody else may read; what breaks off leaves none.

    Raises:
        DomainError: the file could not be written.
        VaultError: what was stored is not what was sealed.
    """
    size = 0
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise DomainError(f"{target}: cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                size += file.write(chunk)
                chunk[:] = bytes(len(chunk))
    except OSError as error:
        target.unlink()
        raise DomainError(f"{target}: cannot be written: {error.strerror}") from error
    except VaultError:
        target.unlink()
        raise
    return size


def _in_words(survey: Survey, scope: str, event: SegmentRecorded | SegmentLost) -> str:
    begins = (
        f"{written(event.first_frame_at)}  {event.duration_ms / 1000:5.1f} s  "
        f"deployment {scope[:8]}  {event.camera}"
    )
    if isinstance(event, SegmentLost):
        return f"LOST      {begins}  {event.cause}"
    item = survey.items[event.item]
    state = "destroyed" if item.destroyed else f"kept until {written(survey.deadline(item))}"
    return f"{event.item.hex[:8]}  {begins}  {state}"


def _as_json(survey: Survey, scope: str, event: SegmentRecorded | SegmentLost) -> dict[str, object]:
    told: dict[str, object] = {
        "deployment": scope,
        "run": event.run.hex,
        "camera": event.camera,
        "first_frame_at": written(event.first_frame_at),
        "duration_ms": event.duration_ms,
    }
    if isinstance(event, SegmentLost):
        return told | {"item": None, "lost": event.cause}
    item = survey.items[event.item]
    due: datetime | None = None if item.destroyed else survey.deadline(item)
    return told | {
        "item": event.item.hex,
        "frames": event.frames,
        "codec": event.codec,
        "due_at": due and written(due),
        "destroyed": item.destroyed,
    }

"""``plumbline rehearse``: the whole lifecycle on anybody's list and video."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from shlex import quote

import typer

from api.bootstrap import Node, open_node, settings, typed_path
from api.cli.models import default_package
from api.cli.record import data_directory
from api.cli.stopping import asked_to_stop
from api.cli.telling import EXIT_BROKEN, Teller, say, say_json
from api.rehearsal.script import Listener, Play
from api.rehearsal.script import rehearse as play_through
from api.rehearsal.summary import Summary
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.watchlists.accepted import accepted_values
from recognition.engine import Engine
from recognition.models import ModelPackage, load_package
from recognition.pipeline import RecogniserSettings

DEFAULT_THRESHOLD = "0.42"
"""Between the 0.40 and 0.45 at which the default models are to be started with human review."""

Data = typer.Option(None, "--data", metavar="DIR", help="Where record, keystore and media go.")
Threshold = typer.Option(
    DEFAULT_THRESHOLD, "--threshold", metavar="T", help="Similarity, above 0 and below 1."
)
Footage = typer.Option(
    False, "--footage", help="Also keep the video itself, sealed in segments, for up to 31 days."
)
Json = typer.Option(False, "--json", help="Print one JSON object instead of a summary.")


def rehearse(
    watchlist: str = typer.Option(..., "--watchlist", metavar="FILE.csv", help="The list."),
    images: str = typer.Option(..., "--images", metavar="DIR", help="Its photographs."),
    video: str = typer.Option(..., "--video", metavar="FILE", help="A regular video file."),
    threshold: str = Threshold,
    data: str | None = Data,
    models: str | None = typer.Option(
        None, "--models", metavar="DIR", help="An insightface package other than the default."
    ),
    delete_imported: bool = typer.Option(
        False,
        "--delete-imported",
        help="Remove list and photographs once they are in the vault, and look whether they went.",
    ),
    footage: bool = Footage,
    json: bool = Json,
) -> None:
    """Play a whole deployment with stand-in officers: list, authority, video, deletion, proof."""
    package = load_package(typed_path(models)) if models else default_package()
    run(
        Play(
            watchlist=typed_path(watchlist),
            images=typed_path(images),
            video=video if "://" in video else str(typed_path(video)),
            threshold=as_threshold(threshold),
            accepted=accepted_values(),
            settings=RecogniserSettings.for_model(package),
            delete_imported=delete_imported,
            footage=footage,
        ),
        package,
        data_directory(data),
        json=json,
    )


def run(play: Play, package: ModelPackage, data: Path, *, json: bool) -> None:
    """Play, with progress on standard error and the summary on standard output."""
    teller = Teller()
    engine = Engine(package)
    with (
        asked_to_stop() as asked,
        open_node(data, Mode.REHEARSAL, on_commit=teller.committed) as node,
    ):
        teller.committed(node.record.size())
        for words in node.recovered:
            teller.step(f"left half done by a process that died: {words}")
        try:
            with node.sealed_meanwhile(on_trouble=teller.step):
                summary = play_through(
                    node, play, engine, Listener(teller.step, teller.frames, asked.is_set)
                )
        finally:
            teller.finish()
        if json:
            say_json(summary.as_json())
        else:
            _tell(summary, node)
    if not (summary.verified and summary.balanced and summary.emptied):
        raise typer.Exit(EXIT_BROKEN)


def as_threshold(text: str) -> Decimal:
    """The threshold as it was typed, so that the record holds exactly that.

    Raises:
        DomainError: it is no number above 0 and below 1.
    """
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise DomainError(f"expected a threshold such as 0.42, found {text!r}") from error
    if not value.is_finite() or not 0 < value < 1:
        raise DomainError(f"expected a threshold above 0 and below 1, found {text}")
    return value


def _tell(summary: Summary, node: Node) -> None:
    """The summary for people."""
    command = settings().command
    path = quote(str(node.premises.path))
    key = quote(str(node.sealer.verifier_key_file))
    lines = [
        "",
        f"REHEARSAL {summary.deployment}",
        *(
            []
            if summary.stopped_by == "video-over"
            else [f"  STOPPED BEFORE THE END        {summary.stopped_by}"]
        ),
        *(f"  rejected entry            {words}" for words in summary.rejected_entries),
        f"  frames                    {summary.frames}",
        f"  faces seen                {summary.faces_seen}",
        f"    not enrolled            {summary.not_enrolled}",
        f"    enrolled and discarded  {summary.enrolled_and_discarded}",
        f"    alerted                 {summary.faces_alerted}",
        f"    suppressed sightings    {summary.suppressed_sightings}",
        f"    interrupted             {summary.interrupted}",
        f"  longest template life     {summary.max_template_life_ms} ms",
        f"  possible matches          {len(summary.alerts)}",
        *(
            f"    {one.entry_ref} at {one.camera}, first seen {one.first_seen_s:.2f} s into it"
            for one in summary.alerts
        ),
        f"  items of personal data    {summary.items_registered} registered, "
        f"{summary.items_destroyed} destroyed, {summary.items_remaining} left",
        f"  copies of the list        {summary.copies_registered} registered, "
        f"{summary.copies_registered - len(summary.copies_left)} verified gone, "
        f"{len(summary.copies_left)} left",
        f"  record                    {summary.log_size} entries, "
        f"root {summary.checkpoint_root[:16]}..., "
        f"{'verified' if summary.verified else 'DOES NOT VERIFY'}",
        f"  took                      {summary.duration_s:.1f} s",
        "",
        *_of_footage(summary, f"{command} footage list --data {path}"),
        "Your video and the media cache lie outside the boundary of these stores: they are",
        "untouched.",
        *_copies_left(summary, f"{command} copies list --data {path}"),
        "",
        f"Read the history:    {command} replay {summary.deployment[:8]} --data {path}",
        f"Check the record:    {command} verify {path} --key {key}",
        f"Keep this elsewhere: {quote(str(node.sealer.checkpoint_file))}",
    ]
    for line in lines:
        say(line)


def _copies_left(summary: Summary, command: str) -> list[str]:
    """What a person still has to do about the list."""
    left = summary.copies_left
    if not left:
        return []
    what = "copy of the list is" if len(left) == 1 else "copies of the list are"
    return [
        f"{len(left)} {what} left outside: {', '.join(left)}. Each has to be gone within a day:",
        f"    {command}",
    ]


def _of_footage(summary: Summary, command: str) -> list[str]:
    if not summary.footage_kept:
        return ["No footage was recorded, and the record says so."]
    return [
        f"Footage was recorded: {summary.footage_kept} segments are left, each until its own 31 "
        "days are over.",
        f"List them:           {command}",
    ]

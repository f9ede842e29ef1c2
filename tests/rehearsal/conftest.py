"""What whole rehearsals share: the clip, the list, and one rehearsal that was played through."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from api.cli.main import main
from api.demo.photographs import Photographs
from api.demo.walk_past import SHORT_CLIP, rendered
from api.demo.watchlist import Listing, write_watchlist
from infrastructure.settings import Settings
from recognition.engine import Engine
from recognition.models import build

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Played:
    """A rehearsal that was played by the command line."""

    data: Path
    summary: dict[str, Any]
    told: str
    """Standard error."""

    @property
    def key(self) -> Path:
        """The log's verifier key."""
        return self.data / "seal" / "log.vkey"


@pytest.fixture(scope="session")
def cache() -> Path:
    """The user's cache: photographs are fetched once, not for each test run."""
    return Settings.read(os.environ).cache


@pytest.fixture(scope="session")
def engine(cache: Path) -> Engine:
    """One engine for all."""
    return Engine(build(cache / "models" / "opencv_zoo"))


@pytest.fixture(scope="session")
def clip(cache: Path) -> Path:
    """Nine seconds: the listed man passes once, three others walk by."""
    return rendered(SHORT_CLIP, Photographs(cache))


@pytest.fixture(scope="session")
def listing(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Listing:
    """The demo's list of two men."""
    folder = tmp_path_factory.mktemp("list")
    return write_watchlist(folder, Photographs(cache).paths(), attempted_on=date(2026, 1, 5))


@pytest.fixture
def own_listing(listing: Listing, tmp_path: Path) -> Iterator[Listing]:
    """A copy of the list that a test may spoil."""
    shutil.copytree(listing.images, tmp_path / "images")
    shutil.copy(listing.csv, tmp_path / "watchlist.csv")
    yield Listing(csv=tmp_path / "watchlist.csv", images=tmp_path / "images")


def command(*arguments: object) -> list[str]:
    """The command line that a person would type."""
    return [sys.executable, "-c", "from api.cli import main; main()", *map(str, arguments)]


def rehearse_command(listing: Listing, video: object, data: Path) -> list[str]:
    """``plumbline rehearse`` with these inputs."""
    return command(
        "rehearse",
        "--watchlist",
        listing.csv,
        "--images",
        listing.images,
        "--video",
        video,
        "--data",
        data,
        "--json",
    )


def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, timeout=170)


def spoken(*words: str) -> tuple[int, str, str]:
    """How a command ends, and what it says and complains of; in this process, which is faster."""
    with (
        redirect_stdout(StringIO()) as told,
        redirect_stderr(StringIO()) as complained,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("sys.argv", ["plumbline", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0), told.getvalue(), complained.getvalue()


@pytest.fixture(scope="session")
def played(
    engine: Engine, clip: Path, listing: Listing, tmp_path_factory: pytest.TempPathFactory
) -> Played:
    """One rehearsal from the command line, on the clip."""
    data = tmp_path_factory.mktemp("played") / "data"
    done = run(rehearse_command(listing, clip, data))
    assert done.returncode == 0, done.stderr
    return Played(data, json.loads(done.stdout), done.stderr)


@pytest.fixture(autouse=True, scope="session")
def in_a_process_with_other_work() -> Iterator[None]:
    """A rehearsal that is played here takes no precautions: they are for good, and would reach
    every later test of this process. Those played by the command line take them all."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("api.rehearsal.script.take_precautions", dict)
        yield

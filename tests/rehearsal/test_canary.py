"""A canary run as the DPO starts it: clean when the worker is, and found out when it is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.cli.telling import EXIT_BAD_INPUT
from domain.assurance.verification import Kind
from tests.rehearsal.careless import IN_MEMORY, ON_DISK
from tests.rehearsal.conftest import ROOT, command, run

FOUND = Kind.INCOMPLETE.exit_code


@dataclass(frozen=True)
class Canary:
    """A canary run that was played to its end."""

    data: Path
    code: int
    told: dict[str, Any]

    def of(self, place: str) -> dict[str, Any]:
        """What was said of one place."""
        return next(one for one in self.told["places"] if one["place"] == place)

    def residue(self) -> set[tuple[str, str, str]]:
        """Place, content and form of everything that was found."""
        return {
            (place["place"], one["content"], one["form"])
            for place in self.told["places"]
            for one in place["residue"]
        }


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Canary:
    """The worker as it is, with a log named."""
    folder = tmp_path_factory.mktemp("canary")
    log = folder / "service.log"
    log.write_text("2026-11-23T09:30:00Z recognition is on, and nobody is named here\n" * 20)
    done = run(command("custody", "canary", "--data", folder / "data", "--log", log, "--json"))
    assert done.stdout, done.stderr
    return Canary(folder / "data", done.returncode, json.loads(done.stdout))


def played_carelessly(where: str, folder: Path) -> Canary:
    """The same with a worker that keeps things; its temporary files are in a folder of its own."""
    data, log, temporary = folder / "data", folder / "service.log", folder / "temporary"
    log.write_text("2026-11-23T09:30:00Z recognition is on, and nobody is named here\n" * 20)
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.rehearsal.careless", where, str(data), str(log)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=170,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert done.stdout, done.stderr
    return Canary(data, done.returncode, json.loads(done.stdout))


def reported(data: Path) -> tuple[int, dict[str, Any]]:
    done = run(command("report", "custody", "--data", data, "--json"))
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def verified(data: Path) -> subprocess.CompletedProcess[str]:
    return run(command("verify", data, "--key", data / "seal" / "log.vkey"))


def test_nothing_of_a_passer_by_is_left_anywhere(clean: Canary) -> None:
    assert (clean.code, clean.told["outcome"]) == (0, "clean"), clean.told
    assert clean.residue() == set()
    assert clean.told["seen_alive"], "and it was there to be found while it lived"
    assert clean.told["alerts"] >= 1, "a possible match keeps more than a passer-by does"
    assert clean.told["templates"] > 5
    assert clean.told["pictures"] > 10


@pytest.mark.parametrize(
    "place", ["record", "keystore", "media", "premises", "temporary", "logs", "memory"]
)
def test_every_place_was_searched_and_every_plant_in_it_found(clean: Canary, place: str) -> None:
    told = clean.of(place)
    assert told["outcome"] == "clean"
    assert told["controls_found"] == told["controls"] > 0
    assert told["bytes"] > 0


def test_the_result_is_on_the_record_in_the_report_and_in_the_verdict(clean: Canary) -> None:
    code, report = reported(clean.data)
    assert (code, report["sound"]) == (0, True)
    assert report["canary"]["outcome"] == "clean"
    verdict = verified(clean.data)
    assert verdict.returncode == 0, verdict.stdout
    assert "clean; " in verdict.stdout and "canary at" in verdict.stdout


def test_templates_kept_in_memory_are_found_there_and_nowhere_else(tmp_path: Path) -> None:
    canary = played_carelessly(IN_MEMORY, tmp_path)
    assert canary.told["outcome"] == "found"
    assert canary.code == FOUND
    assert ("memory", "template", "float32") in canary.residue()
    assert {place for place, _, _ in canary.residue()} == {"memory"}


def test_what_is_left_on_disk_is_found_where_it_lies_and_reported(tmp_path: Path) -> None:
    canary = played_carelessly(ON_DISK, tmp_path)
    assert (canary.told["outcome"], canary.code) == ("found", FOUND)
    assert {
        ("record", "picture", "png"),
        ("temporary", "template", "base64"),
        ("logs", "template", "json"),
    } <= canary.residue()
    code, report = reported(canary.data)
    assert (code, report["sound"]) == (FOUND, False)
    assert report["canary"]["outcome"] == "found"
    verdict = verified(canary.data)
    assert verdict.returncode == FOUND
    assert "something is left" in verdict.stdout


def test_a_log_that_is_not_there_is_said_before_anything_is_played(tmp_path: Path) -> None:
    done = run(command("custody", "canary", "--data", tmp_path / "data", "--log", tmp_path / "no"))
    assert done.returncode == EXIT_BAD_INPUT, done.stderr
    assert "--log: expected a file that can be read" in done.stderr
    assert not (tmp_path / "data").exists()

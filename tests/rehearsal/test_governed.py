"""A rehearsal passes the gates of governance, and a person's word counts more than a stand-in's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.demo.watchlist import Listing
from domain.governance.requirements import SHIPPED
from tests.rehearsal.conftest import Played, rehearse_command, run, spoken

SPONSOR = ("--actor", "sponsor-7")
TEST = """
evidence = "lab-2026-7"
tester = "laboratory-1"
tested_on = 2026-10-01
threshold = 0.42
gallery_size = 2000
non_mated_searches = 60000
false_positives = 10
mated_searches = 400
misses = 44
"""


@dataclass(frozen=True)
class Force:
    """A data directory in which one rehearsal was played."""

    data: Path

    def says(self, *words: str, code: int = 0) -> str:
        """What ``plumbline governance`` answers there, and on standard error."""
        ended, told, complained = spoken("governance", *words, "--data", str(self.data))
        assert ended == code, told + complained
        return told + complained

    def lacking(self) -> dict[str, Any]:
        """What a deployment would lack today."""
        _, told, _ = spoken("governance", "show", "--json", "--data", str(self.data))
        found: dict[str, Any] = json.loads(told)["lacking"]
        return found


@pytest.fixture
def force(played: Played, tmp_path: Path) -> Iterator[Force]:
    """A copy of it, that a test may change."""
    shutil.copytree(played.data, tmp_path / "data")
    yield Force(tmp_path / "data")


def test_stand_ins_said_what_is_asked_for_and_were_told_as_such(played: Played) -> None:
    assert "putting stand-in documents in force: none of them exists" in played.told
    assert "nothing was measured" in played.told
    ended, told, _ = spoken("governance", "show", "--data", str(played.data))
    assert ended == 0
    assert "0 lacking" in told and "stand-in-1" in told


def test_a_second_rehearsal_says_none_of_it_again_and_a_pause_refuses_it(
    force: Force, clip: Path, listing: Listing
) -> None:
    force.says("programme", "pause", "--reason", "disparity-under-review", *SPONSOR)
    done = run(rehearse_command(listing, clip, force.data))
    assert done.returncode == 3
    assert "programme_paused" in done.stderr
    assert "stand-in" not in done.stderr
    force.says("programme", "resume", "--reason", "retested", *SPONSOR, code=3)
    force.says("programme", "resume", "--reason", "retested", "--evidence", "lab-1", *SPONSOR)
    assert force.lacking() == {}


def test_what_a_person_withdraws_no_stand_in_puts_back(
    force: Force, clip: Path, listing: Listing
) -> None:
    force.says("document", "withdraw", "eia", "stand-in-1", "--reason", "court-order", *SPONSOR)
    force.says("evidence", "withdraw", "stand-in-1", "--reason", "not-a-test", *SPONSOR)
    done = run(rehearse_command(listing, clip, force.data))
    assert done.returncode == 3
    assert "documents_not_in_force" in done.stderr
    assert "eia version stand-in-1 was withdrawn" in done.stderr
    assert "evidence_missing" in done.stderr


def test_a_document_of_the_forces_own_takes_the_place_of_a_stand_in(
    force: Force, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.txt"
    policy.write_text("The policy.", encoding="utf-8")
    valid = ("--file", str(policy), "--from", "2026-11-20", "--until", "2099-12-31")
    force.says("document", "register", "policy", "2.0", *valid, *SPONSOR)
    assert force.lacking() == {"policy": "version 2.0 is not published"}
    page = ("--page", "https://force.example/lfr", "--on", "2026-11-20")
    force.says("document", "publish", "policy", "2.0", *page, *SPONSOR)
    assert force.lacking() == {}
    missing = ("--file", str(tmp_path / "none"), "--from", "2026-11-20", "--until", "2099-12-31")
    assert "expected a document at" in force.says(
        "document", "register", "policy", "2.1", *missing, *SPONSOR, code=4
    )


def test_the_impact_assessment_from_answers_to_approval(force: Force, tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    questions = [f"5.{number}" for number in range(1, 13)]
    answers.write_text("\n".join(f'"{one}" = false' for one in questions), encoding="utf-8")
    assert "no DPIA stage 2" in force.says("dpia", "screen", str(answers), "--actor", "dpo-1")
    answers.write_text('"5.1" = true', encoding="utf-8")
    told = force.says("dpia", "screen", str(answers), "--actor", "dpo-1", code=3)
    assert "screening_incomplete" in told
    answers.write_text('"5.1" = "yes"', encoding="utf-8")
    told = force.says("dpia", "screen", str(answers), "--actor", "dpo-1", code=4)
    assert "true or false" in told
    force.says("dpia", "advise", "2.0", "do-not-proceed", "--actor", "dpo-1")
    first_day = ("--commences", "2026-12-01", *SPONSOR)
    assert "advised_against" in force.says("dpia", "approve", "2.0", *first_day, code=3)
    force.says("dpia", "approve", "2.0", "--against-advice", "risk-accepted", *first_day)


def test_a_test_is_attached_with_the_settings_of_a_rehearsal(
    force: Force, clip: Path, listing: Listing, tmp_path: Path
) -> None:
    test = tmp_path / "test.toml"
    test.write_text(TEST, encoding="utf-8")
    force.says("evidence", "attach", str(test), *SPONSOR)
    force.says("evidence", "withdraw", "stand-in-1", "--reason", "not-a-test", *SPONSOR)
    done = run(rehearse_command(listing, clip, force.data))
    assert done.returncode == 0, done.stderr
    _, told, _ = spoken(
        "replay",
        json.loads(done.stdout)["deployment"],
        "--json",
        "--kind",
        "deployment.started",
        "--data",
        str(force.data),
    )
    assert json.loads(told)["body"]["evidence"] == "lab-2026-7"


@pytest.mark.parametrize(
    ("instead", "of", "says"),
    [
        ("", "misses = 44", "missing: misses"),
        ("misses = 44\nfoo = 1", "misses = 44", "unknown: foo"),
        ("misses = 4.4", "misses = 44", "whole numbers"),
        ('threshold = "high"', "threshold = 0.42", "a threshold such as 0.42"),
        ("misses = ", "misses = 44", "test.toml"),
        ("misses = 44\nsettings = 5", "misses = 44", "a table of settings"),
    ],
)
def test_a_test_that_is_not_as_it_must_be_says_what_is_wrong(
    force: Force, tmp_path: Path, instead: str, of: str, says: str
) -> None:
    test = tmp_path / "test.toml"
    test.write_text(TEST.replace(of, instead), encoding="utf-8")
    assert says in force.says("evidence", "attach", str(test), *SPONSOR, code=4)


def test_training_and_requirements(force: Force, tmp_path: Path) -> None:
    person = ("stand-in:operator-1", "lfr-operator")
    force.says("training", "withdraw", *person, "--reason", "left", *SPONSOR)
    assert force.lacking() == {"course of operator": "nobody has lfr-operator"}
    days = ("--passed", "2026-11-01", "--until", "2099-12-31")
    force.says("training", "record", *person, *days, *SPONSOR)
    less = tmp_path / "less.toml"
    shipped = Path("domain/governance/requirements.toml").read_text(encoding="utf-8")
    less.write_text(shipped.replace('apd = "published"\n', "").replace(SHIPPED.version, "2027-1"))
    assert "document apd published" in force.says("adopt", str(less), *SPONSOR, code=3)
    more = shipped.replace("[screening]", 'radio-plan = "in-force"\n[screening]')
    less.write_text(more.replace(SHIPPED.version, "2027-1"), encoding="utf-8")
    force.says("adopt", str(less), *SPONSOR)
    assert force.lacking() == {"radio-plan": "none in force"}
    assert "expected a day" in force.says("show", "--on", "tomorrow", code=4)

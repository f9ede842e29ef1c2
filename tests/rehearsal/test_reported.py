"""The deployment record from the command line: what was played, followed up and counted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from api.demo.watchlist import Listing
from tests.rehearsal.conftest import Played, rehearse_command, run, spoken

FIGURES = Path(__file__).parents[1] / "data" / "published" / "deployments.csv"
OFFICER = ("--actor", "engagement-officer-1")


@pytest.fixture(scope="module")
def viable(clip: Path, listing: Listing, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A rehearsal whose one alert lies clearly above its threshold, so that it is found viable."""
    data = tmp_path_factory.mktemp("viable") / "data"
    done = run([*rehearse_command(listing, clip, data), "--threshold", "0.36"])
    assert done.returncode == 0, done.stderr
    return Played(data, json.loads(done.stdout), done.stderr)


@pytest.fixture
def data(viable: Played, tmp_path: Path) -> Path:
    """A copy of it, that a test may go on with."""
    shutil.copytree(viable.data, tmp_path / "data")
    return tmp_path / "data"


def record_of(data: Path, deployment: str) -> dict[str, Any]:
    """The record as JSON."""
    ended, told, complained = spoken("report", "deployment", deployment, "--data", str(data))
    assert ended == 0, complained
    found: dict[str, Any] = json.loads(told)
    return found


def figures_of(data: Path, deployment: str) -> dict[str, int | None]:
    """The figures alone."""
    return {one["name"]: one["value"] for one in record_of(data, deployment)["figures"]}


def test_the_figures_are_those_of_the_summary(played: Played) -> None:
    """Counted from the record, and by the play itself."""
    figures = figures_of(played.data, played.summary["deployment"])
    said = played.summary
    assert figures["faces_seen"] == said["faces_seen"]
    assert figures["enrolled_and_discarded"] == said["enrolled_and_discarded"]
    assert figures["alerts"] == len(said["alerts"]) == 1
    assert figures["max_template_life_ms"] == said["max_template_life_ms"]


def test_an_engagement_moves_the_figures_and_a_correction_too(viable: Played, data: Path) -> None:
    deployment = viable.summary["deployment"]
    _, told, _ = spoken(
        "replay", deployment, "--kind", "alert.raised", "--json", "--data", str(data)
    )
    alert = json.loads(told)["stream"]
    assert figures_of(data, deployment)["awaiting_follow_up"] == 1
    for words in (
        ("engage", alert, "--power", "stop-and-account"),
        ("informed", alert, "given"),
        ("identity", alert, "same", "--method", "documents"),
        ("end", alert, "--minutes", "under-5", "--no-force", "--not-handcuffed"),
        ("outcome", alert, "info-obtained"),
        ("outcome", alert, "no-further-action", "--correct", "misheard"),
    ):
        ended, _, complained = spoken("alert", *words, *OFFICER, "--data", str(data))
        assert ended == 0, complained
    figures = figures_of(data, deployment)
    counted = ("engagements", "confirmed_true_alerts", "corrected_outcomes", "awaiting_follow_up")
    assert [figures[name] for name in counted] == [1, 1, 1, 0]
    record = record_of(data, deployment)
    assert record["breakdowns"]["outcomes"] == {"no-further-action": 1}
    assert all(one["holds"] for one in record["sums"])
    # The file and the photographs of the list were left where they lay.
    assert record["unfit_for_publication"] == [
        "a rehearsal is never published",
        "the watchlist is not known to be destroyed",
    ]
    ended, told, _ = spoken("alert", "not-located", alert, *OFFICER, "--data", str(data))
    assert ended == 3
    assert figures_of(data, deployment)["refusals"] == 1


def test_page_json_and_csv_are_written_once(played: Played, tmp_path: Path) -> None:
    target = tmp_path / "out"
    words = ("report", "deployment", played.summary["deployment"], "--data", str(played.data))
    assert spoken(*words, "-o", str(target))[0] == 0
    assert sorted(one.name for one in target.iterdir()) == [
        "record.csv",
        "record.html",
        "record.json",
    ]
    assert "REHEARSAL" in (target / "record.html").read_text(encoding="utf-8")
    ended, _, complained = spoken(*words, "-o", str(target))
    assert ended == 4 and "expected to make the directory" in complained


def test_published_figures_that_contradict_each_other_are_listed() -> None:
    parts = ("--parts", "FX-09:arrests=549+347+85")
    ended, told, _ = spoken("report", "published", str(FIGURES), *parts)
    assert ended == 1
    assert "FX-09: arrests: 549 + 347 + 85 = 981, published as 962" in told
    assert "FX-28, FX-23, FX-24, FX-25, FX-26, FX-27: arrests: 11 from 2023-10" in told
    assert "2 contradictions in 30 rows" in told


@pytest.mark.parametrize("wrong", ["FX-99:arrests=1", "FX-09:poems=1", "FX-09:arrests=many", ""])
def test_parts_that_are_about_nothing_are_told(wrong: str) -> None:
    ended, _, complained = spoken("report", "published", str(FIGURES), "--parts", wrong)
    assert ended == 4 and "--parts" in complained


def test_a_request_for_information_is_answered_for_any_period(played: Played) -> None:
    words = ("foi", "--from", "2020-01-01", "--to", "2099-12-31", "--data", str(played.data))
    ended, told, complained = spoken(*words)
    assert ended == 0, complained
    assert told.startswith("REHEARSAL 2020-01-01 to 2099-12-31 (UTC), 1 deployments")
    found = json.loads(spoken(*words, "--json")[1])
    assert found["totals"]["faces_seen"] == played.summary["faces_seen"]
    assert found["entries_by_source_system"] == {"custody": 2}
    empty = json.loads(spoken(*words[:3], "--to", "2020-12-31", *words[5:], "--json")[1])
    assert empty["uses"] == []


@pytest.mark.parametrize(
    ("first", "last"), [("yesterday", "2026-11-23"), ("2026-11-24", "2026-11-23"), ("", "")]
)
def test_a_period_that_is_none_is_told(played: Played, first: str, last: str) -> None:
    ended, _, complained = spoken("foi", "--from", first, "--to", last, "--data", str(played.data))
    assert ended == 4 and "expected a day" in complained

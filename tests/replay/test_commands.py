"""The commands over a real record: their words, their errors, and that reading changes nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.cli.replay import printable
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.services import alerts
from infrastructure.premises import Premises
from tests.support.builders import ALERT, DEPLOYMENT, to_decide
from tests.support.scenarios import Scene
from tests.support.stores import SetClock

runner = CliRunner()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose record holds what a scene in memory did."""
    path = tmp_path_factory.mktemp("data")
    scene = Scene().running().alerted().viewed().decided(note="a note")
    alerts.adjudicate(scene.outside, to_decide(**scene.by))
    scene.stopped().ended()
    premises = Premises(path)
    premises.found(Mode.REHEARSAL)
    clock = SetClock()
    record = premises.open_record(Mode.REHEARSAL, clock)
    for one in scene.record.transactions:
        clock.at = max(clock.at, one.by.at)
        record.append(*one.events, by=one.by, grain=one.grain)
    record.close()
    return path


def digest(path: Path) -> str:
    """Of every file, by name and content."""
    whole = hashlib.sha256()
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        whole.update(f"{file.relative_to(path)} ".encode() + file.read_bytes())
    return whole.hexdigest()


def told(data: Path, *arguments: str) -> str:
    """What a command says."""
    answer = runner.invoke(app, [*arguments, "--data", str(data)], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def refused(data: Path, *arguments: str) -> str:
    """What a command says against what was typed."""
    answer = runner.invoke(app, [*arguments, "--data", str(data)])
    assert isinstance(answer.exception, DomainError), answer.output
    return str(answer.exception)


WHICH = DEPLOYMENT.hex


def test_reading_in_every_way_changes_not_a_byte(data: Path) -> None:
    """Of the whole data directory."""
    before = digest(data)
    for command in (
        ("replay", WHICH),
        ("replay", WHICH, "--json"),
        ("replay", WHICH, "--alert", ALERT.hex, "--json"),
        ("state", WHICH),
        ("state", WHICH, "--to", "9"),
        ("diff", WHICH, "3", "20"),
    ):
        told(data, *command)
    assert digest(data) == before
    (data / "record" / "more").write_bytes(b"")
    assert digest(data) != before
    (data / "record" / "more").unlink()


def test_the_entries_come_byte_for_byte_also_when_they_are_chosen(data: Path) -> None:
    """Each chosen line is one of all lines."""
    everything = told(data, "replay", WHICH, "--json").splitlines()
    some = told(data, "replay", WHICH, "--json", "--kind", "alert").splitlines()
    assert some == [one for one in everything if json.loads(one)["name"].startswith("alert.")]
    assert 0 < len(some) < len(everything)


def test_the_words_say_what_was_chosen(data: Path) -> None:
    """One line an entry, marked as a rehearsal."""
    lines = told(data, "replay", WHICH, "--refusals").splitlines()
    assert len(lines) == 1
    assert "alert.adjudication_refused" in lines[0]
    assert lines[0].startswith("REHEARSAL ")


def test_the_state_is_told_in_words_and_for_programs(data: Path) -> None:
    """As it was and as it is."""
    lines = [one.split() for one in told(data, "state", WHICH).splitlines()]
    assert ["deployment", "/", "phase", "ended"] in lines
    told_json: dict[str, Any] = json.loads(told(data, "state", WHICH, "--to", "0", "--json"))
    assert told_json["position"] == 0
    assert told_json["deployment"]["phase"] in ("applied for", "not applied for")
    assert "before its first entry" in told(data, "state", WHICH, "--at", "2001-01-01T00:00:00Z")


def test_the_refusal_is_explained(data: Path) -> None:
    """By the position that the replay shows."""
    line = told(data, "replay", WHICH, "--refusals", "--json")
    position = json.loads(line)["pos"]
    words = told(data, "why", WHICH, str(position))
    assert "already_decided: the alert was decided" in words
    assert "rule: " in words
    assert "source: " in words
    assert "No document is on this record yet" in words
    assert "authorised threshold: 0.62" in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("replay", "ffff"), "no deployment"),
        (("replay", ""), "deployments begin"),
        (("replay", WHICH, "--kind", "alarm"), "no event is called 'alarm'"),
        (("replay", WHICH, "--alert", "ffff"), "no alert begins"),
        (("replay", WHICH, "--since", "yesterday"), "expected a time like"),
        (("state", WHICH, "--to", "1", "--at", "2026-11-23T09:00:00Z"), "found both"),
        (("state", WHICH, "--at", "2026-11-23T09:00:00"), "with its zone"),
        (("diff", WHICH, "20", "3"), "the earlier one first"),
        (("why", WHICH, "0"), "refused nothing"),
        (("why", WHICH, "99999"), "no entry at position"),
    ],
)
def test_what_was_typed_wrongly_is_said_to_be_so(
    data: Path, arguments: tuple[str, ...], words: str
) -> None:
    """With what was expected."""
    assert words in refused(data, *arguments)


def test_nothing_of_the_record_steers_the_terminal() -> None:
    """Escapes are shown as what they are."""
    assert printable("a\x1b[2Jb\u202ec") == "a\\x1b[2Jb\\u202ec"
    assert printable("é — ok") == "é — ok"

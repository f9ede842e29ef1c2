"""The commands over a real record: their words, their errors, and that reading changes nothing."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.bootstrap import stored_entries
from api.cli import replay as commands
from api.cli.main import app
from api.cli.telling import printable, printable_json
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.errors import DomainError
from domain.kernel.time import Grain
from domain.services import deployments
from tests.replay.history import (
    ALERT,
    DEPLOYMENT,
    Step,
    a_history,
    on_disk,
    put,
)
from tests.support import builders as a
from tests.support.scenarios import Scene
from tests.support.stores import PostgresStore

runner = CliRunner()


@pytest.fixture(autouse=True)
def no_server_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the surroundings say."""
    monkeypatch.delenv("PLUMBLINE_DATABASE", raising=False)


REPOSITORY = Path(__file__).parents[2]
WHICH = DEPLOYMENT.hex


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the made-up history in its SQLite record."""
    return on_disk(tmp_path_factory.mktemp("data") / "premises", a_history())


def told(data: Path, *arguments: str) -> str:
    """What a command says."""
    answer = runner.invoke(app, [*arguments, "--data", str(data)], catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def refused(data: Path, *arguments: str) -> str:
    """What a command says against what was typed."""
    answer = runner.invoke(app, [*arguments, "--data", str(data)])
    assert isinstance(answer.exception, DomainError), answer.output
    assert answer.stdout == ""
    return str(answer.exception)


# -- as a person reads it ----------------------------------------------------------------------

GOLDEN = Path(__file__).parent / "golden"


AGREED = {
    "alert.txt": ("replay", "d1", "--alert", "aa"),
    "state.txt": ("state", "d1", "--to", "19"),
    "diff.txt": ("diff", "d1", "15", "2026-11-23T09:30:22Z"),
    "why.txt": ("why", "d1", "11"),
}
"""What is asked, by the file with the answer."""


@pytest.mark.parametrize("file", AGREED)
def test_a_person_reads_word_for_word_what_was_agreed(data: Path, file: str) -> None:
    """The same history gives the same words, on any machine, on any day."""
    assert told(data, *AGREED[file]) == (GOLDEN / file).read_text(encoding="utf-8")


def test_the_words_are_the_same_from_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And chosen entries come as they are stored there."""
    store = PostgresStore.fresh(tmp_path)
    try:
        put(store.open(), store.clock, a_history())
        monkeypatch.setenv("PLUMBLINE_DATABASE", store.url)
        for file, asked in AGREED.items():
            assert told(tmp_path, *asked) == (GOLDEN / file).read_text(encoding="utf-8")
        alerts = told(tmp_path, "replay", WHICH, "--kind", "alert", "--json").encode().splitlines()
        kept = [row.blob for row in store.rows() if row.name.startswith("alert.")]
        assert alerts == kept != []
    finally:
        store.remove()


def test_what_is_no_refusal_is_said_to_be_none_and_shown(data: Path) -> None:
    """It is no error to ask."""
    assert told(data, "why", "d1", "4").splitlines() == [
        "REHEARSAL position 4 is no refusal but says what happened (watchlist.criteria_approved, "
        "by staff:authorising-officer as authorising_officer):",
        "  staff:authorising-officer approved the criteria",
    ]
    assert json.loads(told(data, "why", "d1", "4", "--json"))["refused"] is False


def test_a_state_before_the_first_entry_and_behind_the_last(data: Path) -> None:
    """Neither is an error; each says where it is."""
    early = told(data, "state", WHICH, "--at", "2001-01-01T00:00:00Z")
    assert "none up to there" in early
    assert "position 0, deployment.applied_for" in early
    late = told(data, "state", WHICH, "--to", "9999")
    assert "the newest at position 25" in late
    assert "nothing of this deployment was recorded after it" in late


# -- for programs ------------------------------------------------------------------------------


def test_the_entries_come_byte_for_byte_also_when_they_are_chosen(data: Path) -> None:
    """Each line is an entry as it is stored, and what was chosen is the same as in words."""
    everything = told(data, "replay", WHICH, "--json")
    assert everything.encode() == b"".join(one + b"\n" for one in stored_entries(data, WHICH))
    lines = everything.splitlines()
    some = told(data, "replay", WHICH, "--json", "--kind", "alert", "--to", "20").splitlines()
    wanted = [json.loads(one) for one in lines]
    assert some == [
        line
        for line, entry in zip(lines, wanted, strict=True)
        if entry["name"].startswith("alert.") and entry["pos"] <= 20
    ]
    assert len(some) == 3


def test_a_state_for_programs(data: Path) -> None:
    """One object, with the same values."""
    found = json.loads(told(data, "state", WHICH, "--to", "19", "--json"))
    assert (found["position"], found["entries"], found["phase"]) == (19, 19, "running")
    assert found["alerts"][ALERT.hex]["state"] == "viewed"
    assert found["items"]["face_crop"]["live"] == 1
    assert found["authorisation"]["threshold"] == "0.62"


def test_differences_for_programs(data: Path) -> None:
    """Each with its path, both values and the positions of its entries."""
    found = json.loads(told(data, "diff", WHICH, "19", "20", "--json"))
    assert (found["from"], found["to"], found["entries"]) == (19, 20, 1)
    assert {
        "path": ["alerts", ALERT.hex, "decision"],
        "before": None,
        "after": "viable",
        "entries": [20],
    } in found["differences"]


def test_reasons_for_programs(data: Path) -> None:
    """The rule with its source, and what it was judged against."""
    found = json.loads(told(data, "why", WHICH, "11", "--json"))
    assert found["refused"] is True
    assert found["reasons"][0]["rule"]["source"] == "seed L34"
    assert found["judged_against"]["version"] == 2


# -- what was typed wrongly --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("replay", "ffff"), f"no deployment begins with 'ffff'; there are: {WHICH}"),
        (("replay", ""), f"there are: {WHICH}"),
        (("replay", "d"), "2 deployments begin with 'd': give more digits"),
        (("replay", WHICH, "--kind", "alarm"), "no event is called 'alarm'"),
        (("replay", WHICH, "--role", "chief"), "no role is called 'chief': there are applicant"),
        (("replay", WHICH, "--alert", "ffff"), ALERT.hex),
        (("replay", WHICH, "--actor", "staff:nobody"), "there are: staff:applicant, "),
        (("replay", WHICH, "--since", "yesterday"), "expected a time like"),
        (("replay", WHICH, "--until", ""), "expected a time like"),
        (("state", WHICH, "--to", "1", "--at", "2026-11-23T09:00:00Z"), "found both"),
        (("state", WHICH, "--at", "2026-11-23T09:00:00"), "with its zone"),
        (("diff", WHICH, "20", "3"), "the earlier one first"),
        (("diff", WHICH, "20", "soon"), "expected a time like"),
        (("why", WHICH, "3"), "not of this deployment"),
        (("why", WHICH, "99999"), "no entry at position"),
    ],
)
def test_what_was_typed_wrongly_is_said_to_be_so(
    data: Path, arguments: tuple[str, ...], words: str
) -> None:
    """With what was expected, and what there is."""
    assert words in refused(data, *arguments)


def test_a_choice_that_nothing_fits_is_no_error(data: Path) -> None:
    """But it is said, beside the answer."""
    answer = runner.invoke(
        app, ["replay", WHICH, "--kind", "gallery", "--data", str(data)], catch_exceptions=False
    )
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert answer.stderr == "plumbline: no entry fits\n"


def test_the_process_ends_with_the_code_of_bad_input(data: Path) -> None:
    """The error alone on standard error, and no traceback."""
    arguments = ["replay", WHICH, "--role", "chief", "--data", str(data)]
    done = subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("plumbline: no role is called 'chief'")
    assert len(done.stderr.splitlines()) == 1


# -- what must hold ----------------------------------------------------------------------------


def digest(path: Path) -> str:
    """Of every file and directory, by name and content."""
    whole = hashlib.sha256()
    for one in sorted(path.rglob("*")):
        whole.update(f"{one.relative_to(path)} ".encode())
        whole.update(one.read_bytes() if one.is_file() else b"")
    return whole.hexdigest()


def test_reading_in_every_way_changes_not_a_byte(data: Path) -> None:
    """Of the whole data directory; and a byte more would be seen."""
    before = digest(data)
    for command in (
        ("replay", WHICH),
        ("replay", WHICH, "--json"),
        ("replay", WHICH, "--alert", ALERT.hex, "--json"),
        ("state", WHICH),
        ("state", WHICH, "--at", "2026-11-23T09:30:10Z", "--json"),
        ("diff", WHICH, "3", "20"),
        ("why", WHICH, "11"),
        ("why", WHICH, "12"),
    ):
        told(data, *command)
    refused(data, "replay", WHICH, "--actor", "staff:nobody")
    assert digest(data) == before
    (data / "record" / "more").write_bytes(b"")
    assert digest(data) != before
    (data / "record" / "more").unlink()


def test_an_application_that_was_refused_can_be_read_too(tmp_path: Path) -> None:
    """There is no deployment, but somebody asked for one, and why it was refused is told."""
    scene = Scene()
    deployments.apply_for(scene.outside, a.to_apply(role=Role.OPERATOR, **scene.by))
    data = on_disk(tmp_path / "premises", scene.record.transactions)
    assert "not_an_applicant" in told(data, "replay", a.DEPLOYMENT.hex)
    words = told(data, "why", a.DEPLOYMENT.hex, "0")
    assert "asked to                have a deployment" in words
    assert "which was not there yet" in words
    assert "there is no application that was taken" in told(data, "state", a.DEPLOYMENT.hex)


CURSES = "staff:\x1b[2J\x9b2J\u202e\u2028\nFORGED"
"""An actor that would clear the screen, turn the direction of text and begin a line of its own."""
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")


@pytest.fixture(scope="module")
def cursed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record in which somebody's reference would steer a terminal."""
    steps = [
        Step(
            Command(
                scope=step.by.scope,
                mode=Mode.REHEARSAL,
                actor=CURSES,
                role=step.by.role,
                at=step.by.at,
                command_id=step.by.command_id,
            ),
            step.events,
            Grain.MILLISECOND,
        )
        for step in a_history()
    ]
    officer = {"officer": CURSES, "targeted": CURSES}
    (given,) = (one for one in steps if one.events[0].NAME == "deployment.authorised")
    for name, value in officer.items():
        object.__setattr__(given.events[0], name, value)
    return on_disk(tmp_path_factory.mktemp("cursed") / "premises", steps)


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", WHICH),
        ("state", WHICH),
        ("state", WHICH, "--json"),
        ("diff", WHICH, "0", "25"),
        ("diff", WHICH, "0", "25", "--json"),
        ("why", WHICH, "22"),
        ("why", WHICH, "22", "--json"),
        ("why", WHICH, "12"),
    ],
)
def test_nothing_of_the_record_steers_the_terminal(
    cursed: Path, arguments: tuple[str, ...]
) -> None:
    """Escapes are shown as what they are, in words and in JSON, and begin no line."""
    words = told(cursed, *arguments)
    assert STEERING.search(words) is None
    assert re.search(r"\\x1b|\\u001b", words)
    assert not any(line.startswith("FORGED") for line in words.splitlines())
    if "--json" in arguments:
        assert CURSES in str(json.loads(words)) or CURSES in json.loads(words).get("actor", CURSES)


def test_an_error_that_lists_what_there_is_steers_no_terminal(cursed: Path) -> None:
    """It lists the names of actors."""
    words = refused(cursed, "replay", WHICH, "--actor", "staff:nobody\x1b[2J")
    assert STEERING.search(words) is None
    assert "\\x1b[2J" in words


def test_entries_are_byte_for_byte_in_a_file_and_harmless_on_a_screen(
    cursed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same JSON in both; only the bytes in the file are those that were hashed."""
    plain = told(cursed, "replay", WHICH, "--json")
    assert plain.encode() == b"".join(one + b"\n" for one in stored_entries(cursed, WHICH))
    assert STEERING.search(plain)  # the control: canonical JSON leaves some of them as they are
    monkeypatch.setattr(commands, "on_a_terminal", lambda: True)
    shown = told(cursed, "replay", WHICH, "--json")
    assert STEERING.search(shown) is None
    # lines are ended by \n alone; canonical JSON may hold what else Python takes for an end
    assert [json.loads(one) for one in shown.strip().split("\n")] == [
        json.loads(one) for one in plain.strip().split("\n")
    ]


def test_words_and_json_are_made_harmless_and_nothing_else_is_changed() -> None:
    """Escapes as in Python and as in JSON; letters of any language as they are."""
    assert printable("a\x1b[2Jb\u202ec") == "a\\x1b[2Jb\\u202ec"
    assert printable("é — ok") == "é — ok"
    steering = json.dumps({"a": "\x9b2J\u202e \U000e0001 é"}, ensure_ascii=False)
    assert json.loads(printable_json(steering)) == json.loads(steering)
    assert printable_json(steering).isprintable()
    assert "é" in printable_json(steering)

"""``plumbline projections``, as it is typed: what it says and its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli.main import app
from domain.kernel.commands import Mode
from infrastructure.premises import Premises
from infrastructure.projections.follower import ProjectionStoppedError
from infrastructure.projections.registers import PROJECTIONS, UnknownProjectionError
from infrastructure.record.databases import SQLiteDatabase
from tests.contract.projections.examples import store_all, until
from tests.support.stores import SetClock

NAMES = [one.NAME for one in PROJECTIONS]


@pytest.fixture
def premises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Premises:
    """Premises whose record holds two deployments that nobody followed."""
    monkeypatch.delenv("PLUMBLINE_DATABASE", raising=False)
    premises = Premises(tmp_path / "premises")
    premises.found(Mode.REHEARSAL)
    with closing(premises.open_record(Mode.REHEARSAL, SetClock(), lambda size: None)) as record:
        store_all(record)
    return premises


def ask(premises: Premises, *words: str) -> Result:
    """Type ``plumbline projections`` and these words."""
    return CliRunner().invoke(app, ["projections", *words, "--data", str(premises.path)])


def status(premises: Premises) -> dict[str, tuple[int, int]]:
    """Name to position and how far behind."""
    told = json.loads(ask(premises, "status", "--json").stdout)
    return {one["name"]: (one["position"], one["behind"]) for one in told}


def test_what_nobody_followed_is_behind_by_the_whole_log(premises: Premises) -> None:
    """And after a rebuild by nothing."""
    before = status(premises)
    assert list(before) == NAMES
    [(position, behind)] = set(before.values())
    assert position == -1 and behind > 100
    done = ask(premises, "rebuild", "--all")
    assert done.exit_code == 0
    assert [line for line in done.stdout.splitlines() if "rebuilt" in line] == [
        f"{name}: rebuilt" for name in NAMES
    ]
    assert set(status(premises).values()) == {(behind - 1, 0)}
    assert f"position {behind - 1}, behind by 0" in ask(premises, "status").stdout


def test_one_read_model_can_be_rebuilt_alone(premises: Premises) -> None:
    """The others stay where they were."""
    assert ask(premises, "rebuild", "alert_register").exit_code == 0
    after = status(premises)
    assert after.pop("alert_register")[1] == 0
    assert {position for position, _ in after.values()} == {-1}


def test_a_rebuild_wants_names_or_all(premises: Premises) -> None:
    """Neither, or both, is wrong usage; a name that there is not is said."""
    assert ask(premises, "rebuild").exit_code == 2
    assert ask(premises, "rebuild", "alert_register", "--all").exit_code == 2
    assert isinstance(ask(premises, "rebuild", "alerts").exception, UnknownProjectionError)


def test_a_read_model_that_stands_still_is_shown_and_exits_5(premises: Premises) -> None:
    """With the entry and the reason, after a follower and after a rebuild."""
    _spoil(premises, 9)
    stopped = ask(premises, "rebuild", "alert_register")
    assert isinstance(stopped.exception, ProjectionStoppedError)
    shown = ask(premises, "status")
    assert shown.exit_code == 5
    assert "STOPPED at entry 9: entry 9: " in shown.stdout
    assert "being rebuilt: position 8" in shown.stdout
    assert "standing still: alert_register" in shown.stderr
    assert ask(premises, "status", "--json").exit_code == 5


def test_following_goes_on_until_it_is_ended(premises: Premises) -> None:
    """In a process of its own, beside whoever appends; SIGTERM ends it in order."""
    arguments = ["projections", "follow", "--data", str(premises.path)]
    process = subprocess.Popen(
        [sys.executable, "-c", "from api.cli import main; main()", *arguments],
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    try:
        until(lambda: {behind for _, behind in status(premises).values()} == {0})
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, told) == (0, b"")


def _spoil(premises: Premises, position: int) -> None:
    assert isinstance(premises.database, SQLiteDatabase)
    engine = premises.database.engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER stored_events_no_update")
        connection.exec_driver_sql(
            "UPDATE stored_events SET state = X'7b7d' WHERE position = ?", (position,)
        )
    engine.dispose()

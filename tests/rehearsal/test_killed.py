"""kill -9 at random moments: the next start finishes or cleans up what was begun."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from api.bootstrap import open_node, verify_premises
from api.demo.watchlist import Listing
from domain.assurance.verification import Kind
from domain.kernel.commands import Mode
from domain.services.survey import Survey
from recognition.engine import Engine
from tests.rehearsal.conftest import ROOT, rehearse_command

KILLS = 10
SEED = 20261123
_LOG = re.compile(r"\[log (\d+)\]")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory for all kills: each start finds what the last kill left."""
    return tmp_path_factory.mktemp("killed") / "data"


@pytest.mark.parametrize("kill", range(KILLS))
def test_what_a_kill_leaves_is_finished_by_the_next_start(
    kill: int, data: Path, engine: Engine, clip: Path, listing: Listing, tmp_path: Path
) -> None:
    """Nothing that was printed as stored is lost; nothing that was destroyed can be read."""
    printed = _killed(rehearse_command(listing, clip, data), kill, tmp_path / "told")

    with open_node(data, Mode.REHEARSAL) as node:
        assert node.record.size() >= printed
        survey = Survey().take(node.record.history())
        assert survey.live_items == 0
        assert all(one.over for one in survey.deployments.values())
        assert node.outside.vault.keys() == node.outside.vault.ciphertexts() == set()
        node.seal()
        key = node.sealer.verifier_key_file.read_text(encoding="utf-8")
    verdict = verify_premises(data, key_text=key, outside_checkpoint=None)
    assert verdict.kind is Kind.SOUND, verdict


def test_some_kills_came_while_faces_were_followed(data: Path) -> None:
    """Otherwise the kills above would have tested little."""
    with open_node(data, Mode.REHEARSAL) as node:
        names = [entry.event.NAME for entry in node.record.history()]
    assert "run.interrupted" in names and "item.destroyed" in names


def _killed(arguments: list[str], kill: int, told: Path) -> int:
    """Start, wait for a random moment, kill; the largest size of the log that was printed."""
    waits = random.Random(SEED + kill)
    with told.open("w") as errors:
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=errors, cwd=ROOT)
    deadline = time.monotonic() + 60
    while "recognition" not in told.read_text() and kill % 5:
        assert process.poll() is None and time.monotonic() < deadline, told.read_text()
        time.sleep(0.01)
    time.sleep(waits.uniform(0.0, 4.0 if kill % 5 else 2.5))
    process.send_signal(signal.SIGKILL)
    process.wait()
    return max((int(size) for size in _LOG.findall(told.read_text())), default=0)

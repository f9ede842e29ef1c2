"""An authorisation that is withdrawn from another process reaches a running camera."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import datetime
from pathlib import Path

from api.bootstrap import deployments_in, read_history
from api.demo.photographs import Photographs
from api.demo.walk_past import DEMO, rendered
from api.demo.watchlist import Listing
from domain.deployments.events import AuthorisationWithdrawn, DeploymentStopped
from domain.sightings.events import RunProgressed
from tests.rehearsal.conftest import ROOT, command, rehearse_command, run

DEMO_FRAMES = 1175


def test_a_withdrawal_stops_a_run_that_is_on(listing: Listing, cache: Path, tmp_path: Path) -> None:
    """Within a second no face is taken any more, and the play is closed in good order."""
    clip = rendered(DEMO, Photographs(cache))
    data, told = tmp_path / "data", tmp_path / "told"
    with told.open("w") as errors:
        playing = subprocess.Popen(
            rehearse_command(listing, clip, data),
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            text=True,
        )
    deadline = time.monotonic() + 60
    while "recognition is on" not in told.read_text():
        assert playing.poll() is None and time.monotonic() < deadline, told.read_text()
        time.sleep(0.01)
    (deployment,) = deployments_in(data)
    asked = ("--reason", "threat-has-passed", "--actor", "authorising-officer-2")
    done = run(command("deployment", "withdraw", deployment, *asked, "--data", data))
    assert done.returncode == 0, done.stderr
    out, _ = playing.communicate(timeout=60)
    assert playing.returncode == 0, told.read_text()
    assert 0 < json.loads(out)["frames"] < DEMO_FRAMES

    entries = list(read_history(data, deployment))
    names = [one.event.NAME for one in entries]
    assert names.index("deployment.authorisation_withdrawn") + 1 == names.index(
        "deployment.stopped"
    )
    (withdrawn,) = [one for one in entries if isinstance(one.event, AuthorisationWithdrawn)]
    (stopped,) = [one for one in entries if isinstance(one.event, DeploymentStopped)]
    (cause,) = [one.event.cause for one in entries if isinstance(one.event, DeploymentStopped)]
    assert cause == "authorisation-withdrawn"
    assert stopped.event.timestamp == withdrawn.event.timestamp
    after = [one for one in entries if one.position > stopped.position]
    assert "alert.raised" not in {one.event.NAME for one in after}
    last_told = max(
        (one.recorded_at for one in after if isinstance(one.event, RunProgressed)),
        default=stopped.recorded_at,
    )
    assert _seconds(last_told, stopped.recorded_at) < 1
    again = run(command("deployment", "withdraw", deployment, *asked, "--data", data))
    assert again.returncode == 3 and "deployment_over" in again.stderr


def _seconds(last: datetime, first: datetime) -> float:
    return (last - first).total_seconds()

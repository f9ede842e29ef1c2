"""``plumbline serve`` as a process of its own, and somebody who writes the record meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID, uuid5

from domain.alerts.events import AlertRaised, AlertViewed
from domain.deployments.events import DeploymentAppliedFor
from infrastructure.record.event_record import EventRecord
from tests.contract.record.examples import DEPLOYMENT, asked, changed, face, usual
from tests.support.stores import PostgresStore, SQLiteStore, Store, reach

ROOT = Path(__file__).parents[2]
_ALERTS = UUID("0f5d2b1e-91c1-5d4e-8f4b-6d0f4a1c7e22")


@dataclass(frozen=True)
class Place:
    """A data directory and the settings that lead to its record."""

    data: Path
    store: Store
    environment: dict[str, str]

    @classmethod
    def fresh(cls, kind: str, directory: Path) -> Place:
        """With a record without entries, in this kind of store."""
        data = directory / "data"
        (data / "record").mkdir(parents=True)
        data.chmod(0o700)
        if kind == "sqlite":
            return cls(data, SQLiteStore.fresh(data / "record"), {})
        store = PostgresStore.fresh(directory)
        return cls(data, store, {"PLUMBLINE_DATABASE": store.url})

    def command(self, *arguments: str) -> list[str]:
        """How one types it."""
        start = "from api.cli import main; main()"
        return [sys.executable, "-c", start, *arguments, "--data", str(self.data)]

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a command."""
        return os.environ | self.environment | {"PYTHONPATH": str(ROOT)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, env=self.settings, check=False
        )

    def token(self, role: str) -> str:
        """A fresh token of a role."""
        made = self.run("tokens", "make", role)
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    process: subprocess.Popen[str]
    address: str
    errors: Path

    @property
    def alerts(self) -> str:
        """The list of the one deployment."""
        return f"{self.address}/deployments/{DEPLOYMENT.hex}/alerts"

    @property
    def stream(self) -> str:
        """Its stream."""
        return f"{self.alerts}/stream"

    def kill(self) -> None:
        """As the system would, without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def told(self) -> str:
        """Everything that it said after it had stopped."""
        assert self.process.stdout is not None
        return self.process.stdout.read() + self.errors.read_text()


@contextmanager
def serving(place: Place, *arguments: str) -> Iterator[Server]:
    """Start it on a free port, and wait until it says where; it is killed at the end."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as errors:
        process = subprocess.Popen(
            place.command("serve", "--listen", "127.0.0.1:0", "--heartbeat", "0.2", *arguments),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=place.settings,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("serving "), Path(errors.name).read_text()
            yield Server(process, line.split()[-1], Path(errors.name))
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def apply_for_deployment(record: EventRecord) -> None:
    """Let there be a deployment."""
    record.append(
        changed(usual(DeploymentAppliedFor), originator_id=DEPLOYMENT, originator_version=1),
        by=asked(),
    )


def write_alerts(connection: Connection, address: str) -> None:
    """In another process: write what is asked for, and answer with the positions of alerts.

    Each alert comes between faces of passers-by, and is looked at later.
    """
    store = reach(address)
    record = store.open()
    made = 0
    while (number := connection.recv()) is not None:
        positions = []
        for _ in range(number):
            alert = uuid5(_ALERTS, str(made))
            size = record.append(
                face(2 * made),
                changed(usual(AlertRaised), originator_id=alert, originator_version=1),
                by=asked(),
            )
            positions.append(size - 1)
            size = record.append(
                changed(usual(AlertViewed), originator_id=alert, originator_version=2),
                face(2 * made + 1),
                by=asked(),
            )
            positions.append(size - 2)
            made += 1
        connection.send(positions)
    store.close()

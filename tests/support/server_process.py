"""``plumbline serve`` as a process of its own, and somebody who writes the record meanwhile."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from uuid import UUID, uuid5

from api.cli import main
from domain.alerts.events import AlertRaised, AlertViewed
from domain.deployments.events import DeploymentAppliedFor
from domain.kernel.commands import Role
from domain.kernel.events import Happened
from infrastructure.access.tokens import TokenFile
from infrastructure.record.event_record import EventRecord
from tests.contract.record.examples import DEPLOYMENT, asked, changed, face, usual
from tests.support.listening import LONGEST_WAIT_S, eventually
from tests.support.processes import another_process
from tests.support.stores import HALF_PAST_NINE, PostgresStore, SQLiteStore, Store, reach

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

    @property
    def tokens(self) -> TokenFile:
        """Who may ask."""
        return TokenFile(self.data / "access")

    def token(self, role: Role) -> str:
        """A fresh token of a role."""
        return self.tokens.make(role, at=HALF_PAST_NINE)


@dataclass(frozen=True)
class Server:
    """A process of the command line."""

    process: BaseProcess
    out: Path
    errors: Path

    @property
    def address(self) -> str:
        """Where it serves, as it said."""
        return self.out.read_text().split()[3]

    @property
    def alerts(self) -> str:
        """The list of the one deployment."""
        return f"{self.address}/deployments/{DEPLOYMENT.hex}/alerts"

    @property
    def stream(self) -> str:
        """Its stream."""
        return f"{self.alerts}/stream"

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    def ended(self) -> int:
        """Wait for its end; its exit code."""
        self.process.join(LONGEST_WAIT_S)
        assert self.process.exitcode is not None
        return self.process.exitcode

    def kill(self) -> None:
        """As the system would, without a word."""
        self.process.kill()
        self.process.join()

    def has_started(self) -> bool:
        """Whether it said that it serves; it must not have ended."""
        assert self.process.exitcode is None, self.errors.read_text()
        return self.out.read_text().endswith("\n")


@contextmanager
def typed(place: Place, *arguments: str) -> Iterator[Server]:
    """A command, begun; it is killed at the end if it still runs."""
    with tempfile.TemporaryDirectory() as told:
        out, errors = Path(told, "out"), Path(told, "errors")
        out.touch()
        command = ["plumbline", *arguments, "--data", str(place.data)]
        with another_process(_type, command, place.environment, out, errors) as (process, _):
            yield Server(process, out, errors)


@contextmanager
def serving(place: Place, *, heartbeat: str = "0.2") -> Iterator[Server]:
    """A server on a free port, once it said where."""
    with typed(place, "serve", "--listen", "127.0.0.1:0", "--heartbeat", heartbeat) as server:
        eventually(server.has_started)
        yield server


def _type(
    _: Connection, command: list[str], environment: dict[str, str], out: Path, errors: Path
) -> None:
    """In another process: what a shell would do."""
    for number, file in ((1, out), (2, errors)):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(descriptor, number)
    os.environ.update(environment)
    sys.argv = command
    main()


def apply_for_deployment(record: EventRecord) -> None:
    """Let there be a deployment."""
    record.append(
        changed(usual(DeploymentAppliedFor), originator_id=DEPLOYMENT, originator_version=1),
        by=asked(),
    )


def raised(number: int) -> Happened:
    """One of many alerts of the deployment."""
    return changed(
        usual(AlertRaised), originator_id=uuid5(_ALERTS, str(number)), originator_version=1
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
            size = record.append(face(2 * made), raised(made), by=asked())
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

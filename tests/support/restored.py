"""Premises with a past: copies of their parts at three moments, and any of them brought back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from api.bootstrap import open_node
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.kernel.refusals import Refused
from domain.ports import Outside, VaultError
from domain.services.custody import destroy_for
from domain.services.rechecking import LookAgain
from infrastructure.clock import SystemClock
from infrastructure.premises import Premises
from infrastructure.seal.scope_secrets import ScopeSecrets
from infrastructure.seal.sealing import Sealing
from infrastructure.vault.sealed_vault import SealedVault
from tests.support import postgres
from tests.support.builders import WINDOW, a_command
from tests.support.scenarios import Scene
from tests.unit.services.test_footage import CHUNKS, kept, review

PARTS = ("record", "media", "keystore")
MOMENTS = ("before", "during", "after")
"""When a copy was made: before A was destroyed, in the middle of that, and afterwards."""

AN_HOUR = timedelta(hours=1)


class Stopped(BaseException):
    """The process ended here."""


class StoppingVault(SealedVault):
    """One whose process ends between the keys and the ciphertexts."""

    stopping = False

    def remove_ciphertexts(self, items: Sequence[UUID]) -> dict[UUID, DomainError]:
        """End, or do as asked."""
        if self.stopping:
            raise Stopped
        return super().remove_ciphertexts(items)


@dataclass
class Past:
    """A force's premises, and copies of their parts.

    Four segments of footage: ``A`` is destroyed around the copies, ``D`` after them, ``C`` comes
    after them, ``B`` stays. Everything else ends with its deployment.
    """

    path: Path
    databases: dict[str, str] | None
    """Moment to database, on the tests' server; None for files."""
    items: dict[str, UUID] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    """Moment to the size of the log."""

    @classmethod
    def lived(cls, path: Path, *, kind: str) -> Past:
        """Live it."""
        past = cls(path, {} if kind == "postgres" else None)
        work = path / "work"
        url = None
        if past.databases is not None:
            past.databases["work"] = postgres.server().fresh()
            url = postgres.server().url(past.databases["work"])
        premises = Premises(work, url=url)
        premises.found(Mode.REHEARSAL)
        scene = Scene()
        scene.clock.stands_at(SystemClock().now() - 2 * AN_HOUR)
        with past._at_work(premises, scene):
            _recording(scene)
            for name in "ABD":
                past.items[name] = kept(scene)
        past._copy("before")
        with past._at_work(premises, scene) as vault, suppress(Stopped):
            vault.stopping = True
            _destroyed(scene, past.items["A"])
        past._copy("during")
        with past._at_work(premises, scene):
            _destroyed(scene, past.items["A"])
        past._copy("after")
        with past._at_work(premises, scene.later(AN_HOUR)):
            past.items["C"] = kept(scene)
            _destroyed(scene, past.items["D"])
        past._copy("now")
        return past

    @contextmanager
    def _at_work(self, premises: Premises, scene: Scene) -> Iterator[StoppingVault]:
        """The scene over these premises; what it leaves is signed."""
        record = premises.open_record(Mode.REHEARSAL, scene.clock)
        stores = premises.open_vault()
        vault = StoppingVault(stores._keystore, stores._media)
        scene.outside = Outside(record, vault, scene.clock, scene.identities, LookAgain(vault))
        scene.record = record  # type: ignore[assignment]
        sealer = premises.sealer(record.origin, new=record.size() == 0)
        try:
            yield vault
        finally:
            Sealing(record, scene.clock, sealer, ScopeSecrets(premises.seal)).seal()
            self.sizes["work"] = record.size()
            vault.close()
            record.close()

    def _copy(self, moment: str) -> None:
        shutil.copytree(self.path / "work", self.path / moment)
        self.sizes[moment] = self.sizes["work"]
        if self.databases is not None:
            self.databases[moment] = postgres.server().fresh(template=self.databases["work"])

    @contextmanager
    def brought_back(
        self, to: Path, parts: Collection[str], moment: str, patch: pytest.MonkeyPatch
    ) -> Iterator[Path]:
        """Premises as they are now, but for these parts, which are as they were then."""
        of = {part: moment if part in parts else "now" for part in (*PARTS, "seal")}
        for part, when in of.items():
            shutil.copytree(self.path / when / part, to / part)
        if self.databases is None:
            patch.delenv("PLUMBLINE_DATABASE", raising=False)
            yield to
            return
        server = postgres.server()
        name = server.fresh(template=self.databases[of["record"]])
        patch.setenv("PLUMBLINE_DATABASE", server.url(name))
        try:
            yield to
        finally:
            server.drop(name)

    def premises(self, path: Path) -> Premises:
        """Those that were brought back."""
        return Premises(path, url=os.environ.get("PLUMBLINE_DATABASE"))

    def named(self, items: Collection[UUID]) -> str:
        """Which of the segments these are, such as ``AD``; ``?`` for anything else."""
        names = {item: name for name, item in self.items.items()}
        return "".join(sorted(names.get(one, "?") for one in items))

    def remove(self) -> None:
        """Leave nothing on the server."""
        for name in (self.databases or {}).values():
            postgres.server().drop(name)


def what_opens(outside: Outside, items: dict[str, UUID]) -> str:
    """Which of the segments can be read, each asked for by the DPO."""
    scene = Scene()
    scene.outside = outside
    scene.clock.stands_at(outside.clock.now())
    opened = ""
    for name, item in items.items():
        with suppress(VaultError, DomainError):
            answer = review(scene, item)
            if not isinstance(answer, Refused):
                assert b"".join(answer) == b"".join(CHUNKS)
                opened += name
    return opened


@contextmanager
def at_work(path: Path) -> Iterator[Outside]:
    """The premises as a start leaves them."""
    with open_node(path, Mode.REHEARSAL) as node:
        yield node.outside


def _recording(scene: Scene) -> None:
    at: datetime = scene.clock.now()
    window = {"requested_from": at, "requested_until": at + WINDOW}
    scene.applied(**window).camera(footage_recorded=True).listed()
    scene.authorised(valid_from=at, valid_until=at + WINDOW).started()


def _destroyed(scene: Scene, item: UUID) -> None:
    by = a_command(at=scene.clock.now())
    destroy_for(scene.outside, by, [item], cause="due")

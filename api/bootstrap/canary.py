"""The searcher of a canary run, and every place that it looks through."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from api.bootstrap.node import Node, open_node
from api.bootstrap.reading import mode_of
from api.bootstrap.surroundings import premises_at, settings
from domain.custody.canary import Place, Searched
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from infrastructure.canary.searcher import SeparateSearcher, Where
from infrastructure.premises import Premises
from infrastructure.record.databases import PostgresDatabase

_SHARED = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass(frozen=True)
class Canary:
    """A node, the node that a canary run plays on, and who searches afterwards."""

    node: Node
    """Whose record keeps the result."""
    stage: Node
    """The same for a rehearsal; premises of its own beside an operational record."""
    searcher: SeparateSearcher

    @property
    def played_in(self) -> str:
        """``node`` or ``beside``."""
        return "node" if self.stage is self.node else "beside"

    def searched(self, deployment: UUID, logs: Sequence[Path]) -> Searched:
        """Search everything for what the run may have left behind.

        Args:
            deployment: of the run; its id has to be found where it was recorded.
            logs: files that this or another program logs to.
        """
        self.searcher.leave_a_plant()
        return self.searcher.search([*self._stores(deployment), *_of_all(self._paths(), logs)])

    def _paths(self) -> list[Path]:
        return [one.premises.path.resolve() for one in self._nodes()]

    def _nodes(self) -> list[Node]:
        return [self.node] if self.stage is self.node else [self.node, self.stage]

    def _stores(self, deployment: UUID) -> Iterator[Where]:
        premises = [one.premises for one in self._nodes()]
        bucket = self.stage.premises.bucket
        if bucket is not None:
            yield Where(Place.MEDIA, [], bucket=bucket)
        for place, folders in (
            (Place.RECORD, [one.path / "record" for one in premises]),
            (Place.KEYSTORE, [one.keystore for one in premises]),
            *([] if bucket else [(Place.MEDIA, [one.media for one in premises])]),
        ):
            in_a_file = place is Place.RECORD and not _on_a_server(self.stage.premises)
            known = [deployment.hex] if in_a_file else []
            yield Where(place, folders, plants=folders, known=known)
        seals = [one.seal for one in premises]
        rest = [*(one.path for one in premises), *(one.recheck for one in premises)]
        yield Where(
            Place.PREMISES,
            [one for one in dict.fromkeys(rest) if one.exists()],
            plants=seals,
            but=[folder for one in premises for folder in _stores_of(one)],
        )
        database = self.node.premises.database
        if isinstance(database, PostgresDatabase):
            yield from _on_the_server(database, self.node.record.origin, deployment)


def _stores_of(premises: Premises) -> list[Path]:
    return [premises.path / "record", premises.keystore, premises.media]


def _on_a_server(premises: Premises) -> bool:
    return isinstance(premises.database, PostgresDatabase)


def _on_the_server(database: PostgresDatabase, origin: str, deployment: UUID) -> Iterator[Where]:
    """Its files, where it is on this machine and tells; what was recorded must be found there."""
    files = database.files()
    if files is None:
        yield Where(Place.DATABASE, [])
        yield Where(Place.DATABASE_LOG, [])
        return
    log = files.directory / "pg_wal"
    known = [origin, deployment.hex] if files.flushed else [origin]
    yield Where(Place.DATABASE, [files.directory], known=known, but=[log])
    yield Where(Place.DATABASE_LOG, [log.resolve()], known=[deployment.hex])


def _of_all(ours: Sequence[Path], logs: Sequence[Path]) -> Iterator[Where]:
    """What this machine shares among programs."""
    folders = [Path(one).resolve() for one in (tempfile.gettempdir(), *_SHARED)]
    there = [one for one in dict.fromkeys(folders) if one.is_dir()]
    yield Where(Place.TEMPORARY, there, plants=there, recent=True, but=ours, ours=False)
    if logs:
        yield Where(Place.LOGS, logs)


@contextmanager
def open_canary(path: Path) -> Iterator[Canary]:
    """Be alone in these premises, with a searcher who sees this process's memory.

    Where there is no record yet, one for rehearsals is made.

    Raises:
        DomainError: the premises are in use, or no run can be played beside the record.
    """
    mode = mode_of(path) if premises_at(path).exists() else Mode.REHEARSAL
    with ExitStack() as closing:
        # before anything switches inspection off: nobody could open this memory afterwards
        searcher = SeparateSearcher()
        closing.callback(searcher.close)
        node = closing.enter_context(open_node(path, mode))
        stage = node
        if mode is Mode.OPERATIONAL:
            if settings().database is not None or settings().media is not None:
                raise DomainError(
                    "a canary run cannot be played in an operational record, and not beside one on "
                    "a server or with a bucket: play it in a rehearsal's record of its own there"
                )
            beside = tempfile.TemporaryDirectory(prefix=".canary-", dir=path.parent)
            folder = Path(closing.enter_context(beside))
            stage = closing.enter_context(open_node(folder / "data", Mode.REHEARSAL))
        yield Canary(node, stage, searcher)

"""How far the read models of a record have come, and making them again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path
from threading import Event

from api.bootstrap.surroundings import premises_at
from infrastructure.projections.follower import Follower
from infrastructure.projections.registers import PROJECTIONS, named, read_models
from infrastructure.projections.registers import ReadModel as ReadModel
from infrastructure.record.databases import Database
from infrastructure.record.schema import require_current


def read_models_at(path: Path) -> list[ReadModel]:
    """How far each read model of these premises has come."""
    return read_models(_current_database(path))


def rebuild_read_models(
    path: Path, names: Collection[str] | None, *, progress: Callable[[int, int], None]
) -> list[str]:
    """Make read models again from the first entry, those with these names or all; says which.

    Raises:
        UnknownProjectionError: there is no read model of such a name.
        ProjectionStoppedError: an entry could not be taken in; the old rows still answer.
    """
    projections = PROJECTIONS if names is None else named(names)
    with closing(Follower(_current_database(path), projections)) as follower:
        follower.rebuild(progress)
    return [one.NAME for one in projections]


def follow_record(path: Path, stop: Event, *, tell: Callable[[str], None]) -> None:
    """Keep every read model of these premises up with the record until told to stop."""
    with closing(Follower(_current_database(path), PROJECTIONS, tell=tell)) as follower:
        follower.follow(stop)


def _current_database(path: Path) -> Database:
    database = premises_at(path).database
    require_current(database)
    return database

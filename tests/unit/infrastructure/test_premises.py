"""Premises are founded once, belong to one mode and to one process at a time."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from infrastructure.premises import Premises, PremisesError
from infrastructure.record.databases import SQLiteDatabase
from infrastructure.record.event_record import EventRecord
from infrastructure.record.schema import SchemaError, migrate
from tests.contract.record.examples import asked, viewed
from tests.support.processes import another_process
from tests.support.stores import SetClock, SQLiteStore


def file_of(premises: Premises) -> Path:
    """The record's file."""
    assert isinstance(premises.database, SQLiteDatabase)
    return premises.database.file


@contextmanager
def opened(premises: Premises, mode: Mode) -> Iterator[EventRecord]:
    """The record of these premises."""
    record = premises.open_record(mode, SetClock(), lambda size: None)
    try:
        yield record
    finally:
        record.close()


def test_founding_makes_a_record_that_only_we_can_reach(tmp_path: Path) -> None:
    """Each part in a directory of its own, because they live differently."""
    premises = Premises(tmp_path / "van")
    assert not premises.exists()
    premises.found(Mode.REHEARSAL)
    assert premises.exists()
    file = file_of(premises)
    assert file == tmp_path / "van" / "record" / "record.db"
    for directory in (premises.path, file.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    parts = {file.parent, premises.keystore, premises.media, premises.seal}
    assert len(parts) == 4
    with opened(premises, Mode.REHEARSAL) as record:
        assert (record.size(), record.mode) == (0, "rehearsal")


def test_every_log_has_a_name_of_its_own_that_says_its_mode(tmp_path: Path) -> None:
    """Random, so that no two logs can be taken for each other."""
    origins = set()
    for number in range(3):
        premises = Premises(tmp_path / str(number))
        premises.found(Mode.REHEARSAL)
        with opened(premises, Mode.REHEARSAL) as record:
            origins.add(record.origin)
    assert len(origins) == 3
    assert all(origin.startswith("plumbline.invalid/rehearsal/") for origin in origins)


def test_founding_again_changes_nothing(tmp_path: Path) -> None:
    """Neither the entries nor the origin, whatever mode is asked for."""
    premises = Premises(tmp_path)
    premises.found(Mode.REHEARSAL)
    with opened(premises, Mode.REHEARSAL) as record:
        record.append(viewed(), by=asked())
        origin = record.origin
    premises.found(Mode.OPERATIONAL)
    with opened(premises, Mode.REHEARSAL) as record:
        assert (record.origin, record.size()) == (origin, 1)


def empty_file(premises: Premises) -> None:
    """The crash came after the first byte of the file, which is none."""
    file_of(premises).touch()


def tables_only(premises: Premises) -> None:
    """The crash came between the tables and the origin."""
    migrate(premises.database)


@pytest.mark.parametrize("crash", [empty_file, tables_only])
def test_a_founding_that_was_broken_off_is_finished_by_the_next(
    tmp_path: Path, crash: Callable[[Premises], None]
) -> None:
    """At any step."""
    premises = Premises(tmp_path)
    file_of(premises).parent.mkdir()
    crash(premises)
    premises.found(Mode.REHEARSAL)
    with opened(premises, Mode.REHEARSAL) as record:
        assert record.append(viewed(), by=asked()) == 1


def test_a_record_of_another_shape_is_not_touched_by_founding(tmp_path: Path) -> None:
    """It says what to do instead."""
    premises = Premises(tmp_path)
    premises.found(Mode.REHEARSAL)
    SQLiteStore(file_of(premises)).execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match="9999"):
        premises.found(Mode.REHEARSAL)


@pytest.mark.parametrize(
    ("founded", "asked_for"),
    [(Mode.OPERATIONAL, Mode.REHEARSAL), (Mode.REHEARSAL, Mode.OPERATIONAL)],
)
def test_a_record_of_the_other_mode_is_refused(
    tmp_path: Path, founded: Mode, asked_for: Mode
) -> None:
    """A rehearsal never shares a directory with the real thing."""
    premises = Premises(tmp_path)
    premises.found(founded)
    with (
        pytest.raises(PremisesError, match=f"holds a {founded} record: a {asked_for} needs a"),
        opened(premises, asked_for),
    ):
        pass
    with opened(premises, founded) as record:
        assert record.mode == founded.value


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """Whether premises are to be founded or only to be entered."""
    (tmp_path / "file").touch()
    premises = Premises(tmp_path / "file")
    with pytest.raises(DomainError, match=rf"cannot use {tmp_path}/file"):
        premises.found(Mode.REHEARSAL)
    with pytest.raises(DomainError, match=rf"cannot use {tmp_path}/file"), premises.alone():
        pass


def stay_inside(telling: Connection, path: Path) -> None:
    """Enter the premises, say so, and stay until killed."""
    with Premises(path).alone():
        telling.send("inside")
        telling.recv()


def test_a_second_process_is_turned_away_until_the_first_is_gone(tmp_path: Path) -> None:
    """Also when the first did not leave but was killed."""
    with another_process(stay_inside, tmp_path) as (_, telling):
        assert telling.recv() == "inside"
        with (
            pytest.raises(PremisesError, match=f"{tmp_path} is in use by another process"),
            Premises(tmp_path).alone(),
        ):
            pass
    with Premises(tmp_path).alone():
        pass


def test_whoever_left_can_enter_again(tmp_path: Path) -> None:
    """Also after an error inside; and beside other premises one may be at work at once."""
    premises = Premises(tmp_path / "one")
    with pytest.raises(KeyError), premises.alone():
        raise KeyError
    with (
        premises.alone(),
        Premises(tmp_path / "another").alone(),
        pytest.raises(PremisesError),
        premises.alone(),
    ):
        pass
    with premises.alone():
        pass

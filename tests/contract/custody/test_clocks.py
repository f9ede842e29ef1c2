"""Clocks that go wrong, over real premises: nothing is extended, nothing goes by a jump alone."""

from __future__ import annotations

import functools
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from api.bootstrap import Node, Worker, open_node, open_worker, read_history, verify_premises
from domain.assurance.notes import VerifierKey
from domain.assurance.verification import Kind
from domain.custody.events import (
    ClockConfirmed,
    ClockDoubted,
    ItemDestroyed,
    ItemRegistered,
    OverdueFound,
    RetentionSwept,
)
from domain.kernel.commands import Mode
from domain.kernel.errors import RecordBrokenError
from domain.kernel.events import Happened
from domain.kernel.references import new_reference
from domain.services.lateness import JUMP
from domain.services.retention import AHEAD, Planned, plan_of
from domain.services.survey import Survey
from infrastructure.premises import Premises
from infrastructure.seal.witness_office import WitnessOffice
from tests.contract.seal.sealed import served
from tests.support import postgres
from tests.support.builders import APPLICANT, AT, DAY, WINDOW
from tests.support.injected import InjectedClock, going_by
from tests.support.memory import MemoryClock, MemoryIdentities, MemoryRecord
from tests.support.scenarios import Scene
from tests.unit.services.test_footage import kept

MODE = Mode.OPERATIONAL
MONTH = 31 * DAY
YEAR = 365 * DAY
A_MOMENT = timedelta(milliseconds=1)
AN_HOUR = timedelta(hours=1)
CLASSES = {
    "footage": {"footage_segment"},
    "alert": {"face_crop", "probe_template", "alert_detail", "wide_frame"},
    "list": {"reference_image", "reference_template", "callers_reference"},
}
"""Material to its classes: the clocks are the first frame, the alert, the deployment's end."""


@dataclass
class Place:
    """Premises on one kind of database, and the clock that shows there."""

    data: Path
    database: str | None
    clock: InjectedClock

    @contextmanager
    def at_work(self, *, synchronised: bool = False) -> Iterator[tuple[Scene, Node]]:
        """A start, and a scene over what it opened."""
        with (
            going_by(self.clock, database=self.database, synchronised=synchronised),
            open_node(self.data, MODE, identities=MemoryIdentities(APPLICANT)) as node,
        ):
            scene = Scene(mode=MODE)
            scene.clock = cast(MemoryClock, node.outside.clock)
            scene.record = cast(MemoryRecord, node.record)
            scene.outside = node.outside
            yield scene, node

    def restarted(self, at: datetime, *, synchronised: bool = False) -> set[str]:
        """A start, by a clock that shows this; the material that lives after it."""
        self.clock = InjectedClock(at)
        with self.at_work(synchronised=synchronised):
            return self.living()

    @contextmanager
    def beside(
        self, at: datetime, *, synchronised: bool = False, confirmed_by: str | None = None
    ) -> Iterator[tuple[InjectedClock, Worker]]:
        """The retention worker, a process with a clock of its own, whoever else is at work."""
        clock = InjectedClock(at)
        with (
            going_by(clock, database=self.database, synchronised=synchronised),
            open_worker(self.data, confirmed_by=confirmed_by) as (worker, _),
        ):
            yield clock, worker

    def looked_after(self, at: datetime, *, confirmed_by: str | None = None) -> set[str]:
        """The worker looks once, by a clock that shows this; the material that lives after it."""
        with self.beside(at, confirmed_by=confirmed_by) as (_, worker):
            worker.sweep(every_s=0)
        return self.living()

    def survey(self) -> Survey:
        """What stands in the record."""
        with going_by(self.clock, database=self.database):
            return Survey().take(read_history(self.data, None))

    def planned(self) -> list[Planned]:
        """What will be destroyed and when, as far as the record tells."""
        return plan_of(self.survey(), self.clock.now())

    def living(self) -> set[str]:
        """The material of which anything lives."""
        classes = {one.item_class for one in self.survey().live()}
        return {name for name, those in CLASSES.items() if those & classes}

    def told(self, *kinds: type[Happened]) -> list[Any]:
        """The recorded events of these kinds, in the order of the log."""
        with going_by(self.clock, database=self.database):
            found = [one.event for one in read_history(self.data, None)]
        return [one for one in found if isinstance(one, kinds)]

    def verdict(self) -> Kind:
        """What verification says, once all of it is signed."""
        with going_by(self.clock, database=self.database):
            with self.at_work() as (_, node):
                node.seal()
                key = node.sealer.verifier_key_file.read_text(encoding="utf-8")
            return verify_premises(self.data, key_text=key, outside_checkpoint=None).kind


@functools.cache
def founded() -> str:
    """A database with a founded record without entries: made once, cloned for each test."""
    name = postgres.server().fresh()
    with tempfile.TemporaryDirectory() as directory:
        Premises(Path(directory), url=postgres.server().url(name)).found(MODE)
    return name


@pytest.fixture(params=["postgres", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """On each kind of database."""
    if request.param == "sqlite":
        yield Place(tmp_path / "data", None, InjectedClock(AT))
        return
    name = postgres.server().fresh(template=founded())
    yield Place(tmp_path / "data", postgres.server().url(name), InjectedClock(AT))
    postgres.server().drop(name)


def a_run(scene: Scene, *, window: timedelta = WINDOW) -> Scene:
    """All three kinds of material, from now on, while recognition is on."""
    at = scene.clock.now()
    asked = {"requested_from": at, "requested_until": at + window}
    scene.applied(**asked).camera(footage_recorded=True).listed()
    scene.authorised(valid_from=at, valid_until=at + window).started()
    kept(scene)
    return scene.alerted()


# -- set back --------------------------------------------------------------------------------------


def test_footage_is_not_kept_a_day_longer_by_a_clock_that_is_set_back(place: Place) -> None:
    """The newest time that was recorded counts, in this start and in every later one."""
    with place.at_work() as (scene, _):
        a_run(scene).stopped().ended()
    newest = AT + MONTH - AHEAD - A_MOMENT
    with place.beside(newest, synchronised=True) as (_, worker):
        worker.sweep(every_s=0)
    assert place.restarted(newest - DAY) == {"footage"}
    assert place.looked_after(newest + AHEAD) == set()
    assert place.told(OverdueFound, ClockDoubted) == []
    assert place.verdict() is Kind.SOUND


@pytest.mark.parametrize("back", [timedelta(0), DAY])
def test_nothing_is_kept_a_day_longer_by_a_clock_that_is_set_back(
    place: Place, back: timedelta
) -> None:
    """Each kind of material goes by the newest time that was recorded before it was set back."""
    with place.at_work() as (scene, _):
        a_run(scene)
        for after, living in (
            (timedelta(0), {"footage", "alert", "list"}),
            (DAY, {"footage", "list"}),
            (DAY + WINDOW, {"footage"}),
        ):
            scene.clock.stands_at(AT + after)
            scene.saw(progress=(1, 1))  # recorded by whoever is at work, at that time
            assert place.looked_after(AT + after - back) == living
        assert place.told(ClockDoubted) == []


def test_a_window_is_not_open_a_day_longer_by_a_clock_that_is_set_back(place: Place) -> None:
    """A deployment that nobody started is over when its window was."""
    with place.at_work() as (scene, _):
        scene.applied().listed()
        scene.later(WINDOW)
        scene.authorised(valid_until=AT + WINDOW)  # recorded, at the last moment
    assert place.restarted(AT + WINDOW - DAY) == set()


# -- set forward -----------------------------------------------------------------------------------

FORWARD = {
    "a year": YEAR,
    "nearly a month": MONTH - AN_HOUR,
    "just more than is allowed": JUMP + A_MOMENT,
}
"""With footage that has 31 days, and an alert that has one."""


@pytest.mark.parametrize("by", ["a year", "nearly a month"])
def test_a_clock_set_forward_destroys_nothing_that_runs(place: Place, by: str) -> None:
    """Nor the day after, by what it recorded itself. Once it is right again all is as it was."""
    with place.at_work() as (scene, _):
        everything = set(CLASSES)
        a_run(scene, window=3 * DAY)
        for later in (timedelta(0), 2 * AN_HOUR, 2 * DAY):
            assert place.looked_after(AT + FORWARD[by] + later) == everything
        assert len(place.told(ClockDoubted)) == 1
        assert place.looked_after(AT + AN_HOUR) == everything
        assert place.looked_after(AT + DAY) == everything - {"alert"}
    assert place.told(OverdueFound, ClockConfirmed) == []


@pytest.mark.parametrize(
    ("material", "by"),
    [
        ("footage", "a year"),
        ("footage", "nearly a month"),
        ("list", "just more than is allowed"),
    ],
)
def test_a_start_by_a_clock_set_forward_destroys_nothing(
    place: Place, material: str, by: str
) -> None:
    """Nor does the next; and nothing is kept longer because it was doubted for a while."""
    with place.at_work() as (scene, _):
        if material == "footage":
            a_run(scene).stopped().ended()
        else:  # a window that the jump ends, and a deadline that it does not reach
            scene.applied(requested_until=AT + JUMP).listed()
    for later in (timedelta(0), 2 * AN_HOUR, 2 * DAY):
        assert place.looked_after(AT + FORWARD[by] + later) == {material}
    (doubted,) = place.told(ClockDoubted)
    assert doubted.ahead_s == int(FORWARD[by].total_seconds())
    assert place.told(ClockConfirmed, OverdueFound) == []


@pytest.mark.parametrize("source", ["kernel", "person", "witness"])
def test_a_clock_that_something_else_confirms_destroys_what_is_due(
    place: Place, source: str
) -> None:
    """A machine that was off for a year: all of it goes, and stands as late."""
    key = signed_footage(place)
    with ExitStack() as confirming:
        given: dict[str, Any] = {}
        if source == "kernel":
            given = {"synchronised": True}
        elif source == "person":
            given = {"confirmed_by": "stand-in:officer-7"}
        else:
            confirming.enter_context(a_witness(place, key, shows=AT + YEAR))
        with place.beside(AT + YEAR, **given) as (_, worker):
            worker.sweep(every_s=0)
    assert place.living() == set()
    (confirmed,) = place.told(ClockConfirmed)
    assert (confirmed.source, confirmed.ahead_s) == (source, int(YEAR.total_seconds()))
    (late,) = place.told(OverdueFound)
    assert late.due_at == AT + MONTH
    place.clock.stands_at(AT + YEAR)
    assert place.verdict() is Kind.OVERDUE


def test_a_witness_whose_clock_shows_something_else_confirms_nothing(place: Place) -> None:
    """It is a second source, not a second machine."""
    key = signed_footage(place)
    with a_witness(place, key, shows=AT + AN_HOUR):
        assert place.looked_after(AT + YEAR) == {"footage"}
    assert place.told(ClockConfirmed) == []


def signed_footage(place: Place) -> str:
    """A segment that outlived its deployment, in a log that a witness cosigned; the log's key."""
    with place.at_work() as (scene, node):
        a_run(scene).stopped().ended()
        key = node.sealer.verifier_key_file.read_text(encoding="utf-8")
        with a_witness(place, key, shows=AT):
            node.seal()
            assert node.witnessed
    return key


@contextmanager
def a_witness(place: Place, key: str, *, shows: datetime) -> Iterator[None]:
    """One whose clock shows this, and that cosigns what is signed here."""
    office = WitnessOffice(place.data.parent / "w1", clock=MemoryClock(shows), name="w1.example")
    office.trust([VerifierKey.from_text(key.strip())])
    with served(office) as line:
        (place.data / "seal" / "witnesses").write_text(f"{line}\n", "utf-8")
        yield
        (place.data / "seal" / "witnesses").unlink()


def test_footage_that_came_in_by_a_clock_set_forward_is_kept_no_longer_for_it(
    place: Place,
) -> None:
    """It was set while the run was on; its month counts at the latest from when it was right."""
    with place.at_work() as (scene, _):
        a_run(scene)
        scene.clock.stands_at(AT + YEAR)
        scene.clock.believed = False  # as the machine's says of itself, by the monotonic one
        segment = kept(scene)
        scene.clock.stands_at(AT + AN_HOUR)
        scene.clock.believed = True
        scene.stopped().ended()
    deadline = max(one.deadline for one in place.planned())
    assert AT + MONTH < deadline <= AT + AN_HOUR + MONTH
    with place.beside(deadline - AHEAD - A_MOMENT, synchronised=True) as (clock, worker):
        worker.sweep(every_s=0)
        assert [one.item for one in place.planned()] == [segment]
        clock.moves(A_MOMENT)
        worker.sweep(every_s=0)
        assert place.planned() == []


# -- clocks of a place -----------------------------------------------------------------------------


@pytest.fixture
def in_london(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The trap: this process, and what it starts, live by the time of the place."""
    with monkeypatch.context() as patch:
        for name in ("TZ", "PGTZ"):
            patch.setenv(name, "Europe/London")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_london")
@pytest.mark.parametrize(
    "first",
    [
        datetime(2026, 3, 28, 23, 30, tzinfo=UTC),  # 01:00 to 02:00 does not exist
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # 01:30, which comes twice
    ],
    ids=str,
)
def test_a_change_of_the_clocks_gives_and_takes_nothing(place: Place, first: datetime) -> None:
    """24 hours of an alert, 24 after a window, 31 x 24 of footage: not a moment more or less."""
    there = [(first + DAY * days).astimezone().utcoffset() for days in (0, 1)]
    assert there[0] != there[1]
    place.clock.stands_at(first)
    ends = {"alert": DAY, "list": WINDOW + DAY, "footage": MONTH}
    living = set(CLASSES)
    with place.at_work() as (scene, _), place.beside(first, synchronised=True) as (clock, worker):
        a_run(scene)
        registered = {one.item_class: one.due_at for one in place.told(ItemRegistered)}
        for material, after in ends.items():
            assert {registered[one] for one in CLASSES[material]} == {first + after}
            clock.stands_at(first + after - AHEAD - A_MOMENT)
            worker.sweep(every_s=0)
            assert place.living() == living
            clock.moves(A_MOMENT)
            worker.sweep(every_s=0)
            living.remove(material)
            assert place.living() == living
    assert place.told(OverdueFound) == []
    place.clock.stands_at(first + MONTH)
    assert place.verdict() is Kind.SOUND


# -- a whole life ----------------------------------------------------------------------------------

EVERY = AN_HOUR


def test_a_life_of_31_days(place: Place) -> None:
    """Footage of a day, looked after every hour where something is due, and every day between:
    each segment goes in its time, none late."""
    with place.at_work() as (scene, _):
        a_run(scene)
        for _ in range(7):
            kept(scene.later(AN_HOUR))
        scene.stopped().ended()
        over = scene.clock.now()
    sweeps = 0
    with place.beside(over) as (clock, worker):
        while clock.now() <= over + MONTH:
            swept, _ = worker.sweep(every_s=int(EVERY.total_seconds()))
            sweeps += 1
            assert (swept.overdue, swept.failures) == (0, [])
            quiet = AT + DAY <= clock.now() < AT + MONTH - 2 * DAY
            clock.moves(DAY if quiet else EVERY)
        place.clock = clock
    due = {one.originator_id: one.due_at for one in place.told(ItemRegistered)}
    went = {one.originator_id: one.timestamp for one in place.told(ItemDestroyed)}
    assert due.keys() == went.keys()
    footage = [one.originator_id for one in place.told(ItemRegistered) if "footage" in one.rule]
    assert all(timedelta(0) <= due[one] - went[one] <= 2 * EVERY + AHEAD for one in footage)
    assert len(place.told(RetentionSwept)) == sweeps
    assert place.told(ClockDoubted, OverdueFound) == []
    assert place.verdict() is Kind.SOUND


# -- whatever else is amiss ------------------------------------------------------------------------


def test_what_no_entry_knows_keeps_nothing_alive(place: Place) -> None:
    """Somebody put a file into the media store: nobody keeps more, what is due goes."""
    with place.at_work() as (scene, _):
        a_run(scene).stopped().ended()
    stray = new_reference().hex
    (place.data / "media" / stray[:2]).mkdir(exist_ok=True)
    (place.data / "media" / stray[:2] / stray).write_bytes(b"put there by somebody")
    with pytest.raises(RecordBrokenError, match="do not fit together"):
        place.restarted(AT + DAY)
    with place.beside(AT + MONTH, synchronised=True) as (_, worker):
        swept, _ = worker.sweep(every_s=0)
    assert place.living() == set()
    assert any("1 orphans" in words for words in swept.failures), "and it is told"

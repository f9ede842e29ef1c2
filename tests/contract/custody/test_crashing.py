"""A crash after every step of creating and destroying: the next start finishes what was begun.

A process of its own works in real premises and dies at a step, without closing anything. What it
left is compared with the record as it lies, before anybody starts; then a start recovers, and the
same comparison finds nothing any more.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from api.bootstrap import Node, open_node, read_history, verify_premises
from domain.assurance.verification import Kind
from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.events import EpochDestroyed, ItemDestroyed
from domain.kernel.commands import Mode
from domain.ports import Outside
from domain.services.inventory import take_stock
from domain.services.retention import Retention
from domain.services.survey import Survey
from infrastructure.vault.keystore import Keystore
from infrastructure.vault.media import MediaStore
from tests.support import postgres
from tests.support.builders import APPLICANT, AT, DAY
from tests.support.dying import Act, At, until_it_dies
from tests.support.injected import InjectedClock, going_by
from tests.support.memory import MemoryClock, MemoryIdentities, MemoryRecord
from tests.support.scenarios import Scene
from tests.unit.services.test_footage import CHUNKS, kept

MODE = Mode.OPERATIONAL
A_MINUTE = timedelta(minutes=1)


# -- what the processes do -------------------------------------------------------------------------


@contextmanager
def at_work(data: Path) -> Iterator[tuple[Scene, Node]]:
    """A scene over real premises."""
    with open_node(data, MODE, identities=MemoryIdentities(APPLICANT)) as node:
        scene = Scene(mode=MODE)
        scene.clock = cast(MemoryClock, node.outside.clock)
        scene.record = cast(MemoryRecord, node.record)
        scene.outside = node.outside
        yield scene, node


def start(data: Path) -> None:
    """What every start does: make the premises, or finish what was begun in them."""
    with at_work(data):
        pass


def compile_a_list(data: Path) -> None:
    """Two items of an entry are kept together, then a third."""
    with at_work(data) as (scene, _):
        scene.applied().camera(footage_recorded=True).listed().authorised()


def deploy(data: Path) -> None:
    """A segment of footage and the four items of an alert; all but the footage goes at the end."""
    with at_work(data) as (scene, node):
        scene.started()
        kept(scene)
        scene.alerted().stopped().ended()
        Retention(scene.outside).sweep()
        take_stock(scene.outside, node.rechecker)


def wait_a_month(data: Path) -> None:
    """The footage goes too."""
    with at_work(data) as (scene, node):
        scene.later(31 * DAY - 3 * A_MINUTE)
        Retention(scene.outside).sweep()
        take_stock(scene.outside, node.rechecker)


ACTS = {"list": compile_a_list, "deployment": deploy, "month": wait_a_month}
"""In the order in which they follow each other."""


@dataclass(frozen=True)
class Point:
    """Where a process dies."""

    act: str
    at: At
    leaves: Mapping[str, int]
    """What is half done then, in the words of :func:`differences`."""
    lives: int
    """Items that exist once a start has recovered."""


def _in_list(step: str, nth: int = 1, *, lives: int = 0, **leaves: int) -> Point:
    return Point("list", At(step, nth), leaves, lives)


def _in_deployment(step: str, nth: int = 1, *, lives: int = 1, **leaves: int) -> Point:
    return Point("deployment", At(step, nth), leaves, lives)


def _in_month(step: str, **leaves: int) -> Point:
    return Point("month", At(step), leaves, lives=0)


_BEGUN = {"begun": 7, "left": 7}
_NO_KEYS = _BEGUN | {"key": 7, "tombstone": 7}
_GONE = _NO_KEYS | {"file": 7}
_SEGMENT = {"begun": 1, "key": 1, "tombstone": 1}
_RECEIPT = "destruction.rechecked + item.destroyed"
POINTS = {
    # Create: what a list keeps, two items at once; it goes on after a crash.
    "images registered": _in_list("item.registered", unsealed=2, key=2, file=2),
    "images' keys not committed": _in_list("key not committed", unsealed=2, key=2, file=2),
    "images' keys made": _in_list("key made", unsealed=2, file=2),
    "image half written": _in_list("ciphertext half written", unsealed=2, file=1, temporary=1),
    "image not renamed": _in_list("ciphertext not renamed", unsealed=2, file=1, temporary=1),
    "image renamed": _in_list("ciphertext renamed", unsealed=2, file=1),
    "both durable": _in_list("ciphertext durable", 2, unsealed=2),
    "images sealed": _in_list("item.sealed + watchlist.entry_proposed", lives=2),
    "template sealed": _in_list("item.sealed + watchlist.entry_accepted", lives=3),
    # Create: what comes from a camera, and the four items of an alert.
    "segment registered": _in_deployment(
        "item.registered", lives=0, run=1, unsealed=1, key=1, file=1
    ),
    "segment's key made": _in_deployment("key made", lives=0, run=1, unsealed=1, file=1),
    "segment half written": _in_deployment(
        "ciphertext half written", lives=0, run=1, unsealed=1, temporary=1
    ),
    "segment sealed": _in_deployment("item.sealed + footage.segment_recorded", run=1),
    "third of an alert half written": _in_deployment(
        "ciphertext half written", 4, run=1, unsealed=4, file=1, temporary=1
    ),
    "alert sealed": _in_deployment("item.sealed + alert.raised", run=1),
    # Destroy: seven items, when their deployment ends.
    "deployment ended": _in_deployment("deployment.ended", left=7),
    "destruction started": _in_deployment("item.destruction_started", **_BEGUN),
    "four keys' ends not committed": _in_deployment("key's end not committed", 4, **_BEGUN),
    "keys destroyed": _in_deployment("keys destroyed", **_NO_KEYS),
    "one ciphertext unlinked": _in_deployment("ciphertext unlinked", **_NO_KEYS, file=1),
    "ciphertexts gone": _in_deployment("ciphertexts gone", **_GONE),
    "re-checker enrolled": _in_deployment("rechecker.enrolled", **_GONE),
    "looked again": _in_deployment("looked again", **_GONE),
    "receipts stored": _in_deployment(_RECEIPT),
    "epoch keys ended": _in_deployment("epoch keys ended", epoch=7),
    "epoch ends told": _in_deployment("epoch.destroyed"),
    "inventory signed": _in_deployment("inventory signed"),
    "inventory attested": _in_deployment("inventory.attested"),
    # Destroy: the segment, when its month is over.
    "segment's destruction started": _in_month("item.destruction_started", begun=1),
    "segment's key destroyed": _in_month("keys destroyed", **_SEGMENT),
    "segment unlinked": _in_month("ciphertext unlinked", **_SEGMENT, file=1),
    "segment's receipt stored": _in_month(_RECEIPT),
    "segment's epoch key ended": _in_month("epoch keys ended", epoch=1),
}
"""Every durable step of creating and of destroying, and what it leaves."""


# -- premises --------------------------------------------------------------------------------------


def lived(act: Act, data: Path, database: str | None) -> list[str]:
    """Let a process act to its end; the steps that it reached."""
    died, reached = until_it_dies(act, data, database=database, at=AT, dying=None)
    assert not died
    return reached


def crashed(point: Point, data: Path, database: str | None) -> None:
    """Let a process act until it dies there."""
    died, reached = until_it_dies(ACTS[point.act], data, database=database, at=AT, dying=point.at)
    assert died, reached
    assert reached.count(str(point.at.step)) == point.at.nth


@dataclass
class Ground:
    """Premises as they stand before an act, to be copied for each crash."""

    kind: str
    path: Path
    databases: dict[str, str] = field(default_factory=dict)
    """State to database on the tests' server, for PostgreSQL."""

    @classmethod
    def prepared(cls, kind: str, path: Path) -> Ground:
        """Premises before each of the acts."""
        ground = cls(kind, path)
        if kind == "postgres":
            ground.databases["list"] = postgres.server().fresh()
        lived(start, path / "list", ground.url(ground.databases.get("list")))
        for before, after in pairwise(ACTS):
            with ground.copied(before, path / after, keep_as=after) as (data, database):
                lived(ACTS[before], data, database)
        return ground

    def url(self, database: str | None) -> str | None:
        """Where a database is; None for a file."""
        return None if database is None else postgres.server().url(database)

    @contextmanager
    def copied(
        self, state: str, to: Path, *, keep_as: str | None = None
    ) -> Iterator[tuple[Path, str | None]]:
        """Premises in that state, of their own."""
        shutil.copytree(self.path / state, to)
        if self.kind != "postgres":
            yield to, None
            return
        name = postgres.server().fresh(template=self.databases[state])
        try:
            yield to, self.url(name)
        finally:
            if keep_as is None:
                postgres.server().drop(name)
            else:
                self.databases[keep_as] = name

    def remove(self) -> None:
        """Leave nothing on the server."""
        for name in self.databases.values():
            postgres.server().drop(name)


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """On each kind of database."""
    prepared = Ground.prepared(request.param, tmp_path_factory.mktemp("ground"))
    yield prepared
    prepared.remove()


# -- what must hold --------------------------------------------------------------------------------


def differences(data: Path) -> Counter[str]:
    """What is half done, by the record and the stores as they lie: how much of each kind.

    Nobody has to have started for it. ``unsealed``: registered items; ``begun``: destructions;
    ``left``: items of a deployment that is over; ``run``: nobody stopped it; ``key`` and
    ``file``: there and not on the record, or the reverse; ``temporary``: files; ``tombstone``:
    without a receipt, or the reverse; ``epoch``: whose end is not told.
    """
    entries = [one.event for one in read_history(data, None)]
    survey = Survey().take(read_history(data, None))
    keystore, media = Keystore(data / "keystore", only_reading=True), MediaStore(data / "media")
    live = {one.item for one in survey.live()}
    gone = {one.originator_id for one in entries if isinstance(one, ItemDestroyed)}
    told = {one.tombstone_digest for one in entries if isinstance(one, EpochDestroyed)}
    deployments = survey.deployments.values()
    try:
        return +Counter(
            unsealed=sum(not one.sealed for one in survey.live()),
            begun=sum(one.destruction_started for one in survey.live()),
            left=sum(len(survey.items_left(one.deployment)) for one in deployments if one.over),
            run=sum(one.run is not None for one in deployments),
            key=len(keystore.items() ^ live),
            file=len(media.items() ^ live),
            temporary=sum(1 for _ in media.directory.rglob("*.new")),
            tombstone=len(set(keystore.buried()) ^ gone),
            epoch=len({one.tombstone.digest for one in keystore.ended_epochs()} ^ told),
        )
    finally:
        keystore.close()


def recovered(data: Path, database: str | None) -> int:
    """Start, and see that nothing is half done any more, by everybody who can look.

    Returns:
        How many items live.
    """
    with going_by(InjectedClock(AT), database=database):
        now = max(one.recorded_at for one in read_history(data, None)) + A_MINUTE
    with going_by(InjectedClock(now), database=database):
        with at_work(data) as (scene, node):
            inventory = take_stock(scene.outside, node.rechecker)
            live = scene.live_items()
            assert inventory.clean
            assert inventory.keys == inventory.ciphertexts == len(live)
            assert all(opens_whole(scene.outside, scene.record.load(Item, one)) for one in live)
            receipts = Counter(one.originator_id for one in scene.events(ItemDestroyed))
            assert set(receipts.values()) <= {1}
            assert {*receipts, *live} == scene.survey().items.keys()
            node.seal()
            key = node.sealer.verifier_key_file.read_text(encoding="utf-8")
        assert differences(data) == {}
        verdict = verify_premises(data, key_text=key, outside_checkpoint=None)
        assert verdict.kind is Kind.SOUND, verdict
    return len(live)


def opens_whole(outside: Outside, item: Item) -> bool:
    """Whether an item can be read to its end, and is what was kept."""
    content = b"".join(outside.vault.open_stream(item.label))
    return item.label.item_class != ItemClass.FOOTAGE_SEGMENT or content == b"".join(CHUNKS)


# -- crashes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", POINTS)
def test_a_start_finishes_what_a_crash_left(ground: Ground, tmp_path: Path, name: str) -> None:
    """At each point; what it left is the positive control of what finds nothing afterwards."""
    point = POINTS[name]
    with ground.copied(point.act, tmp_path / "data") as (data, database):
        crashed(point, data, database)
        with going_by(InjectedClock(AT), database=database):
            assert differences(data) == point.leaves
        assert recovered(data, database) == point.lives


def of_custody(step: str) -> bool:
    """Whether a step is about items: one of the stores, or an entry of theirs."""
    kinds = ("item.", "destruction.", "rechecker.", "epoch.", "inventory.")
    return "." not in step or step.startswith(kinds)


@pytest.mark.parametrize("act", ACTS)
def test_the_table_has_every_step(ground: Ground, tmp_path: Path, act: str) -> None:
    """Of an act in which nobody dies: a step that is new to it has to be added there."""
    with ground.copied(act, tmp_path / act) as (data, database):
        steps = {one for one in lived(ACTS[act], data, database) if of_custody(one)}
        with going_by(InjectedClock(AT), database=database):
            assert differences(data) == {}
    assert steps <= {point.at.step for point in POINTS.values()}
    assert len(POINTS) >= 12


# -- crashes of a start ----------------------------------------------------------------------------

MUCH_TO_DO = POINTS["third of an alert half written"]
"""A run that is on, a segment that lives, and four items in three states."""
THE_LIST = 3
"""Items that live on where a start had time to stop the run, and not to end the deployment: an
operational one that is off may be started again until its window is over."""


def test_a_start_that_dies_again_and_again_gets_there(ground: Ground, tmp_path: Path) -> None:
    """After its first step, the next after two, and so on."""
    with ground.copied(MUCH_TO_DO.act, tmp_path / "data") as (data, database):
        crashed(MUCH_TO_DO, data, database)
        starts, died = 0, True
        while died:
            starts += 1
            died, _ = until_it_dies(start, data, database=database, at=AT, dying=At(None, starts))
        assert starts > 3
        assert recovered(data, database) in (MUCH_TO_DO.lives, MUCH_TO_DO.lives + THE_LIST)


def test_a_start_that_dies_at_any_step_is_finished_by_the_next(tmp_path: Path) -> None:
    """At each, on what the same crash left; of steps that are repeated, before and after all."""
    ground = Ground.prepared("sqlite", tmp_path)
    with ground.copied(MUCH_TO_DO.act, tmp_path / "crashed") as (data, _):
        crashed(MUCH_TO_DO, data, None)
    with ground.copied("crashed", tmp_path / "whole") as (data, _):
        steps = lived(start, data, None)
    ends = [nth for nth, (one, then) in enumerate(pairwise([*steps, ""]), start=1) if one != then]
    assert len(ends) >= 12
    for nth in ends:
        with ground.copied("crashed", tmp_path / f"{nth}") as (data, _):
            died, reached = until_it_dies(start, data, database=None, at=AT, dying=At(None, nth))
            assert (died, reached) == (True, steps[:nth])
            stopped = "deployment.stopped" in reached and "deployment.ended" not in reached
            assert recovered(data, None) == MUCH_TO_DO.lives + stopped * THE_LIST

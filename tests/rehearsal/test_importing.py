"""A long list: looked at on several cores in little memory, and gone on with after a kill."""

from __future__ import annotations

import csv
import shutil
from contextlib import suppress
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from api.bootstrap import Node, open_node
from api.demo.watchlist import Listing
from api.rehearsal import examining
from api.rehearsal.examining import PhotographChangedError, examine
from api.rehearsal.listing import Reading, enter
from api.rehearsal.stand_ins import ByAStandIn
from domain.custody.events import ItemConsulted
from domain.kernel.commands import Mode, Role
from domain.services import watchlists
from domain.watchlists.accepted import accepted_values
from domain.watchlists.events import EntryAccepted, EntryProposed
from domain.watchlists.listing import ListingRefusedError, read_listing
from recognition.engine import Engine
from recognition.models import build
from tests.support import builders as a
from tests.support.memory import MemoryClock, MemoryIdentities, MemoryRecord
from tests.support.processes import another_process
from tests.support.scenarios import Scene

LONG = examining.FEW + 10
SHORT = 6


def a_list_of(many: int, listing: Listing, folder: Path) -> Listing:
    """The demo's two photographs again and again, each under a name and reference of its own."""
    found = list(csv.DictReader(listing.csv.read_text(encoding="utf-8").splitlines()))
    (folder / "images").mkdir(parents=True)
    with (folder / "list.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, found[0].keys())
        rows.writeheader()
        for number in range(many):
            row = dict(found[number % len(found)])
            name = f"{number}.jpg"
            shutil.copyfile(listing.images / row["image"], folder / "images" / name)
            today = date(2026, 11, 20).isoformat()
            rows.writerow(
                row | {"entry_ref": f"row-{number}", "image": name, "attempted_on": today}
            )
    return Listing(folder / "list.csv", folder / "images")


def rows_of(listing: Listing) -> Any:
    names = [one.name for one in listing.images.iterdir()]
    return read_listing(
        listing.csv.read_bytes(),
        images=names,
        accepted=accepted_values(),
        on=date(2026, 11, 23),
    ).rows


# -- looking -------------------------------------------------------------------------------------


def test_a_long_list_is_looked_at_by_several_engines_with_the_same_answers(
    listing: Listing, engine: Engine, tmp_path: Path
) -> None:
    long = a_list_of(LONG, listing, tmp_path / "long")
    told: list[str] = []
    with (
        examine(rows_of(long), long.images, engine, told.append, workers=2) as two,
        examine(rows_of(long), long.images, engine, told.append, workers=1) as one,
    ):
        for row in range(LONG):
            assert bytes(two.template(row)) == bytes(one.template(row)) != bytes(512)
            assert two.unfit(row) == one.unfit(row) == ""
        kept = two._templates
    assert not kept.any(), "every template was overwritten"
    assert told[-1] == f"photographs: {LONG} of {LONG} looked at, 0 unfit"


def test_every_bad_photograph_of_a_long_list_is_told_and_nothing_is_kept(
    listing: Listing, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = a_list_of(LONG, listing, tmp_path / "long")
    (long.images / "7.jpg").write_bytes(b"no picture")
    (long.images / "31.jpg").write_bytes((long.images / "31.jpg").read_bytes()[:100])
    made: list[np.ndarray[Any, Any]] = []
    zeros = np.zeros

    def noted(*given: Any, **named: Any) -> Any:
        made.append(zeros(*given, **named))
        return made[-1]

    monkeypatch.setattr(np, "zeros", noted)
    with pytest.raises(ListingRefusedError) as refused:
        examine(rows_of(long), long.images, engine, lambda words: None, workers=2)
    assert [one.line for one in refused.value.problems] == [9, 33]
    templates = [one for one in made if one.shape == (LONG, engine.package.dimension)]
    assert templates and not any(one.any() for one in templates)


def test_a_photograph_that_was_replaced_meanwhile_is_not_taken(
    listing: Listing, engine: Engine, tmp_path: Path
) -> None:
    short = a_list_of(2, listing, tmp_path / "short")
    with examine(rows_of(short), short.images, engine, lambda words: None) as examined:
        assert examined.photograph(0) == (short.images / "0.jpg").read_bytes()
        shutil.copyfile(short.images / "1.jpg", short.images / "0.jpg")
        with pytest.raises(PhotographChangedError, match="line 2"):
            examined.photograph(0)


def look_and_leave(there: Connection, cache: Path, listing: Listing) -> None:
    """What the process does whose memory is searched: it keeps one template, as a control."""
    engine = Engine(build(cache / "models" / "opencv_zoo"))
    with examine(rows_of(listing), listing.images, engine, lambda words: None, workers=2) as seen:
        kept = bytearray(seen.template(1))
        there.send([bytes(255 - one for one in seen.template(row)) for row in (0, 1)])
    there.send("left")
    there.recv()
    there.send(len(kept))


def test_no_thread_leaves_a_template_in_memory(
    listing: Listing, cache: Path, tmp_path: Path
) -> None:
    """Each thread has memory of its own. The control is a template that was kept on purpose."""
    long = a_list_of(LONG, listing, tmp_path / "long")
    with another_process(look_and_leave, cache, long) as (process, here):
        first, second = (bytes(255 - one for one in covered) for covered in here.recv())
        assert first != second
        assert here.recv() == "left" and process.pid is not None
        places = {name: count(process.pid, one) for name, one in (("0", first), ("1", second))}
        here.send("done")
        assert here.recv() == len(second)
    assert places == {"0": 0, "1": 1}


def count(process: int, needle: bytes) -> int:
    """How often these bytes stand in another process's memory.

    A piece of their second half: what is freed soon loses its beginning to whatever comes next.
    """
    found, needle = 0, needle[320:384]
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if "rw" not in rights or "[v" in line:
                continue
            first, last = (int(one, 16) for one in span.split("-"))
            memory.seek(first)
            with suppress(OSError):
                found += memory.read(last - first).count(needle)
    return found


# -- going on ------------------------------------------------------------------------------------

MANAGER = ByAStandIn(
    scope=a.DEPLOYMENT.hex,
    mode=Mode.OPERATIONAL,
    actor=a.FIRST_MANAGER,
    role=Role.WATCHLIST_MANAGER,
)


def opened(node: Node) -> Scene:
    """A scene over real premises, of operational use: a list that waits does not end with us."""
    scene = Scene(mode=Mode.OPERATIONAL)
    scene.outside = node.outside
    scene.record = cast(MemoryRecord, node.record)
    scene.clock = cast(MemoryClock, node.outside.clock)
    return scene


def imported(node: Node, listing: Listing, engine: Engine, tell: Any) -> list[str]:
    """Import the list; the rejected rows."""
    return enter(
        node.outside,
        Reading(listing.csv, listing.images, accepted_values()),
        engine=engine,
        manager=MANAGER,
        deployment=a.DEPLOYMENT,
        watchlist=a.WATCHLIST,
        on_row=tell,
    ).rejected


def import_and_tell(there: Connection, data: Path, listing: Listing, cache: Path) -> None:
    """What the process that is killed does."""
    with open_node(data, Mode.OPERATIONAL, identities=MemoryIdentities(a.APPLICANT)) as node:
        engine = Engine(build(cache / "models" / "opencv_zoo"))
        imported(node, listing, engine, there.send)


def test_an_import_that_is_killed_goes_on_where_it_was(
    listing: Listing, engine: Engine, cache: Path, tmp_path: Path
) -> None:
    """Every row once, by a look at the references that are there, which is on the record."""
    short = a_list_of(SHORT, listing, tmp_path / "short")
    data, people = tmp_path / "data", MemoryIdentities(a.APPLICANT)
    with open_node(data, Mode.OPERATIONAL, identities=people) as node:
        scene = opened(node)
        now = scene.clock.now()
        scene.applied(requested_from=now, requested_until=now + a.WINDOW)
        proposed = {"categories": ["W1", "W2"], "adult_age_bands": ["18+"]}
        watchlists.propose_criteria(node.outside, a.to_propose_criteria(**(scene.by | proposed)))
        watchlists.approve_criteria(node.outside, a.to_approve_criteria(**scene.by))
    with another_process(import_and_tell, data, short, cache) as (process, here):
        while "watchlist: 2 of" not in here.recv():
            pass
        process.kill()
        process.join()

    with open_node(data, Mode.OPERATIONAL, identities=people) as node:
        scene = opened(node)
        before = len(scene.events(EntryProposed))
        assert 2 <= before < SHORT
        assert imported(node, short, engine, lambda words: None) == []
        assert len(scene.events(EntryAccepted)) == SHORT
        standing = scene.watchlist()
        assert len(standing.accepted) == SHORT
        looked = [one for one in scene.events(ItemConsulted) if one.purpose == "import-resumed"]
        assert 2 <= len(looked) <= before
        assert imported(node, short, engine, lambda words: None) == []
        assert len(scene.watchlist().entries) == len(standing.entries), "a third time adds nobody"

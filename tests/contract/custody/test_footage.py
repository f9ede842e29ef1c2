"""A segment's whole life over both databases and real stores, as the offline verifier sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.assurance.holdings import Holding
from domain.assurance.limits import FOOTAGE
from domain.footage.events import SegmentRecorded
from domain.kernel.refusals import Refused
from domain.ports import ContentAlteredError
from domain.services.rechecking import LookAgain
from domain.services.retention import AHEAD, Retention
from tests.contract.custody.test_recomputed import by, codes, journalled, judged
from tests.contract.vault.examples import OnDisk, on_disk
from tests.support.builders import AT, CAMERA, RUN
from tests.support.scenarios import Scene
from tests.support.stores import Store
from tests.unit.services.test_footage import CHUNKS, MONTH, kept, recording, review

A_MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[OnDisk]:
    """A keystore and media store on disk."""
    with on_disk(tmp_path) as opened:
        yield opened


@pytest.fixture
def scene(store: Store, stores: OnDisk) -> Scene:
    """A run that is on, with a camera that records."""
    return recording(Scene().on(store).over(stores.vault, LookAgain(stores.vault)))


def footage_of(store: Store, scene: Scene) -> Holding:
    """What the verifier says of the class now."""
    verdict = judged(store, as_of=scene.clock.now())
    (found,) = (one for one in verdict.holdings if one.item_class == FOOTAGE)
    return found


def test_a_month_of_footage_ends_to_the_moment(scene: Scene, store: Store, stores: OnDisk) -> None:
    """Three segments a minute apart, each gone by its own deadline, long after the deployment."""
    items = []
    for _ in range(3):
        items.append(kept(scene))
        scene.later(timedelta(minutes=1))
    scene.stopped().ended()
    assert stores.vault.keys() == stores.vault.ciphertexts() == set(items)
    for gone in range(1, 4):
        scene.clock.stands_at(AT + MONTH + (gone - 1) * timedelta(minutes=1) - AHEAD)
        Retention(scene.outside).sweep()
        assert stores.vault.keys() == stores.vault.ciphertexts() == set(items[gone:])
        told = footage_of(store, scene)
        assert (told.remaining, told.destroyed_in_time, told.overdue) == (3 - gone, gone, 0)
    verdict = judged(store, as_of=scene.clock.now())
    assert verdict.sound, verdict.faults
    assert isinstance(review(scene, items[0]), Refused)


def test_footage_that_nobody_destroys_is_overdue_from_the_first_moment(
    scene: Scene, store: Store
) -> None:
    """And in time up to its last."""
    kept(scene)
    scene.stopped().ended()
    last = AT + MONTH
    assert judged(store, as_of=last).sound
    assert codes(judged(store, as_of=last + A_MOMENT)) == ["overdue"]


def test_a_clock_that_starts_after_the_first_frame_is_found(scene: Scene, store: Store) -> None:
    """The verifier reads both entries: a registration cannot give a segment a longer life."""
    item = kept(scene)
    (told,) = scene.events(SegmentRecorded)
    earlier = journalled(
        f"footage/{RUN.hex}/{CAMERA}",
        SegmentRecorded,
        scene,
        **{
            name: value
            for name, value in vars(told).items()
            if name not in ("originator_id", "originator_version", "timestamp", "first_frame_at")
        },
        first_frame_at=told.first_frame_at - timedelta(hours=1),
    )
    assert told.item == item
    assert codes(judged(store)) == []
    scene.record.append(earlier, by=by(scene))
    assert codes(judged(store)) == ["clock_starts_later"]


def test_two_segments_cannot_be_exchanged(scene: Scene, stores: OnDisk) -> None:
    """Each ciphertext opens as its own item and as nothing else."""
    one, other = kept(scene), kept(scene)
    files = [stores.media.directory / item.hex[:2] / item.hex for item in (one, other)]
    first, second = (file.read_bytes() for file in files)
    files[0].write_bytes(second)
    files[1].write_bytes(first)
    for item in (one, other):
        opened = review(scene, item)
        assert not isinstance(opened, Refused)
        with pytest.raises(ContentAlteredError):
            b"".join(opened)


def test_what_is_played_back_is_what_came_in(scene: Scene) -> None:
    """Through real stores, piece by piece."""
    opened = review(scene, kept(scene))
    assert not isinstance(opened, Refused)
    assert b"".join(opened) == b"".join(CHUNKS)

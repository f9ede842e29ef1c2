"""A segment's whole life over both databases and real stores, as the offline verifier sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.assurance.custody import Custody
from domain.assurance.examined import followed
from domain.assurance.holdings import Holding
from domain.assurance.limits import FOOTAGE
from domain.custody.events import EpochDestroyed
from domain.footage.events import SegmentRecorded
from domain.kernel.references import FORCE
from domain.kernel.refusals import Refused
from domain.ports import ContentAlteredError
from domain.services.rechecking import LookAgain
from domain.services.retention import AHEAD, Retention
from tests.contract.custody.test_recomputed import (
    appended,
    attested,
    by,
    codes,
    edited,
    enrolled,
    journalled,
    judged,
)
from tests.contract.vault.examples import OnDisk, on_disk
from tests.support.builders import AT, CAMERA, RUN
from tests.support.keeping import HOLD, approved, asked, days, released
from tests.support.memory import Crash
from tests.support.scenarios import Scene, agreed
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


def test_a_segment_that_is_longer_than_any_may_be_is_named(scene: Scene, store: Store) -> None:
    """However it came into the log."""
    kept(scene)
    assert codes(judged(store)) == []

    def longer(body: dict[str, Any]) -> None:
        body["duration_ms"] = 9 * 3600 * 1000

    told = followed(edited(store, "footage.segment_recorded", longer), Custody()).verdict()
    assert codes(told) == ["segment_too_long"]


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


# -- the keys of what is held ----------------------------------------------------------------------


def held_of_two(scene: Scene) -> tuple[UUID, UUID]:
    """Two segments of one day, the first of them on a hold; the deployment is over."""
    first, second = kept(scene), kept(scene)
    scene.stopped().ended().later(days(20))
    agreed(asked(scene, first))
    agreed(approved(scene))
    return first, second


def ended(scene: Scene) -> list[str]:
    """Which keys of footage are gone, by the record."""
    told = (one.event for one in scene.record.history())
    return [
        one.day for one in told if isinstance(one, EpochDestroyed) and one.item_class == FOOTAGE
    ]


DAY_OF_FOOTAGE = AT.date().isoformat()
OF_THE_HOLD = f"hold-{HOLD.hex}"


def looked_at(scene: Scene, stores: OnDisk) -> None:
    """Somebody takes stock, and signs what is there."""
    last = stores.vault.last_tombstone()
    there: dict[str, Any] = {"epochs": sorted(stores.vault.epochs())}
    there |= {"tombstone_sequence": last.sequence if last else 0}
    appended(scene, attested(scene, **there), scope=FORCE)


def test_what_is_held_keeps_no_day_from_ending(scene: Scene, store: Store, stores: OnDisk) -> None:
    """Its own key ends with its hold's, and only then is it at the level of both."""
    enrolled(scene)
    held_of_two(scene)
    scene.clock.stands_at(AT + MONTH - AHEAD)
    Retention(scene.outside).sweep()
    assert ended(scene) == [DAY_OF_FOOTAGE]
    looked_at(scene, stores)
    assert (footage_of(store, scene).held, footage_of(store, scene).levels["L4"]) == (0, 1)
    scene.later(days(1))
    assert footage_of(store, scene).held == 1
    agreed(released(scene))
    Retention(scene.outside).sweep()
    assert ended(scene) == [DAY_OF_FOOTAGE, OF_THE_HOLD]
    looked_at(scene, stores)
    assert footage_of(store, scene).levels["L4"] == 2
    verdict = judged(store, as_of=scene.clock.now())
    assert verdict.sound, verdict.faults


def test_keys_that_were_not_moved_are_by_the_next_sweep(
    scene: Scene, stores: OnDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died between the approval and the keystore."""

    def dies(*given: object, **named: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(type(stores.vault), "hold_keys", dies)
        with pytest.raises(Crash):
            held_of_two(scene)
    assert {one.rsplit("/")[-1] for one in stores.vault.epochs()} == {DAY_OF_FOOTAGE}
    Retention(scene.outside).sweep()
    of = {one.rsplit("/")[-1] for one in stores.vault.epochs()}
    assert of == {DAY_OF_FOOTAGE, OF_THE_HOLD}


def test_the_hold_approved_last_has_the_key(scene: Scene, stores: OnDisk) -> None:
    """However often a sweep looks."""
    another = UUID(int=HOLD.int + 1)
    first, _ = held_of_two(scene)
    agreed(asked(scene, first, hold=another))
    agreed(approved(scene, hold=another))
    Retention(scene.outside).sweep()
    of = {one.rsplit("/")[-1] for one in stores.vault.epochs()}
    assert of == {DAY_OF_FOOTAGE, f"hold-{another.hex}"}
    assert ended(scene) == [OF_THE_HOLD]

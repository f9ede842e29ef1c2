"""What the offline verifier says of custody, of histories that were really recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.assurance.custody import Custody
from domain.assurance.entries import EntryUnreadableError
from domain.assurance.examined import followed
from domain.assurance.holdings import CustodyVerdict, Holding
from domain.assurance.inventories import items_listed, listed
from domain.assurance.inventories import statement as inventory_statement
from domain.assurance.rechecks import key_name, public_key_of, signed
from domain.assurance.rechecks import statement as recheck_statement
from domain.custody import events as item_events
from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.schedule import BUILT_IN
from domain.custody.sealing import SealedContent, Tombstone
from domain.deployments.events import DeploymentEnded
from domain.kernel.commands import Command
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import FORCE, journal, new_reference
from domain.services.custody import destroy_for
from domain.services.survey import ItemSeen
from tests.contract.record.examples import changed
from tests.support.builders import (
    ALERT,
    AT,
    BOUNDARY,
    DAY,
    DEPLOYMENT,
    RECHECKED,
    WINDOW,
    a_command,
)
from tests.support.scenarios import Scene
from tests.support.stores import Store

ITEMS = 7
"""Of a list of one and one alert."""
A_MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def scene(store: Store) -> Scene:
    """A deployment that runs, with one possible match, over a real record."""
    return Scene().on(store).running().alerted()


def judged(store: Store, *, as_of: datetime | None = None) -> CustodyVerdict:
    """What the stored entries come to."""
    return followed(named(store), Custody(positions=True)).verdict(as_of=as_of)


def named(store: Store) -> Iterator[tuple[str, bytes]]:
    return ((row.name, row.blob) for row in store.rows())


def without(store: Store, name: str, field: str) -> Iterator[tuple[str, bytes]]:
    """The entries, as a hostile keeper would hand them on: those of a name lack a field."""
    return edited(store, name, lambda body: body.pop(field))


def edited(
    store: Store, name: str, edit: Callable[[dict[str, Any]], object]
) -> Iterator[tuple[str, bytes]]:
    for one, blob in named(store):
        entry = json.loads(blob)
        if one == name:
            edit(entry["body"])
        yield one, json.dumps(entry).encode()


def codes(verdict: CustodyVerdict) -> list[str]:
    """What is wrong, as codes."""
    return [one.code for one in verdict.faults]


def sums(verdict: CustodyVerdict, figure: Callable[[Holding], int]) -> int:
    """A figure over all classes."""
    return sum(figure(one) for one in verdict.holdings)


def appended(scene: Scene, *events: Happened | Item, scope: str = DEPLOYMENT.hex) -> None:
    """Whatever somebody wants the record to say."""
    scene.record.append(*events, by=by(scene, scope))


def by(scene: Scene, scope: str = DEPLOYMENT.hex) -> Command:
    """The system, now."""
    return a_command(at=scene.clock.now(), scope=scope)


def journalled(
    stream: str, event: type[Happened], scene: Scene, *, scope: str = DEPLOYMENT.hex, **fields: Any
) -> Happened:
    """An event for a journal of a scope."""
    return event(
        originator_id=journal(stream, scope),
        originator_version=NEXT_VERSION,
        timestamp=scene.clock.now(),
        **fields,
    )


def registered(scene: Scene, **changes: Any) -> Item:
    """A face crop more, as its registration says; nobody seals it."""
    item = Item(new_reference())
    given: dict[str, Any] = {
        "item_class": ItemClass.FACE_CROP,
        "content_type": "image/jpeg",
        "deployment": DEPLOYMENT,
        "concerning": new_reference(),
        "rule": BUILT_IN.rule(ItemClass.FACE_CROP),
        "schedule": "",
        "anchor_at": scene.clock.now(),
        "due_at": scene.clock.now() + DAY,
        "commitment": "a" * 64,
        "at": scene.clock.now(),
    }
    item.register(**(given | changes))
    return item


# -- in time -------------------------------------------------------------------------------------


def test_a_deployment_that_was_emptied_in_time_is_sound(scene: Scene, store: Store) -> None:
    """Every item registered is destroyed in time, and the positions add up again."""
    scene.viewed().decided(note="a note").stopped().ended()
    verdict = judged(store)
    assert verdict.sound, verdict.faults
    assert sums(verdict, lambda one: one.registered) == ITEMS + 1
    assert sums(verdict, lambda one: one.destroyed_in_time) == ITEMS + 1
    assert sums(verdict, lambda one: one.remaining) == 0
    assert verdict.in_process == ITEMS + 1
    names = {row.position: row.name for row in store.rows()}
    for one in verdict.holdings:
        for figure in ("registered", "destroyed_in_time"):
            listed_at = one.positions.get(figure, [])
            assert len(listed_at) == getattr(one, figure)
            wanted = "item.registered" if figure == "registered" else "item.destroyed"
            assert {names[position] for position in listed_at} == {wanted}


@pytest.mark.parametrize(("waited", "late"), [(DAY, 0), (DAY + A_MOMENT, 4)])
def test_a_possible_match_is_late_from_the_first_moment_after_its_day(
    scene: Scene, store: Store, waited: timedelta, late: int
) -> None:
    """Of an alert four items are kept; the list's have a day from the end of the window."""
    scene.later(waited).stopped().ended()
    verdict = judged(store)
    assert sums(verdict, lambda one: one.destroyed_late) == late
    assert codes(verdict) == ["late"] * late
    assert verdict.only_late is (late > 0)


def test_what_is_late_stays_late_for_ever(scene: Scene, store: Store) -> None:
    """A year later it is said in the same way."""
    scene.later(DAY + A_MOMENT).stopped().ended()
    assert codes(judged(store, as_of=AT + 365 * DAY)) == ["late"] * 4


def test_an_early_end_brings_the_deadline_of_the_list_forward(scene: Scene, store: Store) -> None:
    """A day from the actual end, although the registration says a day from the window's."""
    held = scene.survey().items.values()
    kept = [one.item for one in held if one.item_class == "reference_image"]
    ending = journalled_end(scene)
    scene.later(timedelta(hours=1))
    appended(scene, ending)
    scene.later(DAY + A_MOMENT)
    destroy_for(scene.outside, by(scene), kept, cause="due")
    (image,) = (one for one in judged(store).holdings if one.item_class == "reference_image")
    assert (image.destroyed_in_time, image.destroyed_late) == (0, 1)
    assert scene.clock.now() < AT + WINDOW + DAY


def journalled_end(scene: Scene) -> Happened:
    """The deployment says that it ended, and destroys nothing."""
    return DeploymentEnded(
        originator_id=DEPLOYMENT,
        originator_version=scene.deployment().version + 1,
        timestamp=scene.clock.now(),
    )


# -- not gone ------------------------------------------------------------------------------------


def test_an_item_that_was_not_deleted_is_overdue_at_a_time_and_not_before(
    scene: Scene, store: Store
) -> None:
    """Nobody says so in the record: the verifier does."""
    assert judged(store, as_of=AT + DAY).sound
    verdict = judged(store, as_of=AT + DAY + A_MOMENT)
    assert codes(verdict) == ["overdue"] * 4
    assert sums(verdict, lambda one: one.overdue) == 4
    assert verdict.only_late


def test_the_newest_trusted_time_of_the_log_is_its_own_as_of(scene: Scene, store: Store) -> None:
    """A suspect clock says nothing."""
    scene.later(2 * DAY)
    scene.clock.believed = False
    appended(scene, registered(scene))
    assert judged(store).as_of != scene.clock.now()
    assert judged(store).sound
    scene.clock.believed = True
    appended(scene, registered(scene))
    assert "overdue" in codes(judged(store))


# -- what contradicts itself -----------------------------------------------------------------------


def test_a_registration_that_promises_too_much_isnamed(scene: Scene, store: Store) -> None:
    """A claimed deadline is compared with what the law allows."""
    appended(scene, registered(scene, due_at=scene.clock.now() + DAY + A_MOMENT))
    assert codes(judged(store)) == ["due_too_late"]


def test_a_clock_that_starts_in_the_future_isnamed(scene: Scene, store: Store) -> None:
    """Otherwise whoever registers could choose the deadline."""
    later = scene.clock.now() + DAY
    appended(scene, registered(scene, anchor_at=later, due_at=later + DAY))
    assert codes(judged(store)) == ["clock_starts_later"]


def test_an_alert_that_names_an_item_nobody_registered_isnamed(store: Store) -> None:
    """The producer's own count."""
    scene = Scene().on(store).running().alerted()
    appended(scene, raised_again(scene, UUID(int=0xAA), {"face_crop": UUID(int=0xAB)}))
    assert codes(judged(store)) == ["item_not_registered"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("item_class", "wide_frame"),
        ("deployment", UUID(int=1)),
        ("concerning", UUID(int=1)),
        ("due_at", AT + 2 * DAY),
        ("registered_at", AT - DAY),
        ("commitment", "b" * 64),
        ("ciphertext_digest", "b" * 64),
        ("ciphertext_length", 1),
        ("rule", "RT-99"),
        ("clock_starts", "deployment_end"),
    ],
)
def test_a_receipt_that_says_something_else_than_the_registration_isnamed(
    scene: Scene, store: Store, field: str, value: object
) -> None:
    """Each field that both have."""
    receipt = true_receipt(scene)
    appended(scene, recheck(scene, receipt), changed(receipt, **{field: value}))
    verdict = judged(store)
    assert codes(verdict) == ["receipt_differs"]
    assert field in verdict.faults[0].sentence
    assert not verdict.only_late


def kept(scene: Scene) -> Item:
    """A face crop more: registered, sealed, and named by the alert that it was kept for."""
    alert = new_reference()
    item = registered(scene, concerning=alert)
    item.seal(SealedContent("c" * 64, 100), at=scene.clock.now())
    appended(scene, item, raised_again(scene, alert, {"face_crop": item.id}))
    return scene.record.load(Item, item.id)


def raised_again(scene: Scene, alert: UUID, items: dict[str, UUID]) -> Happened:
    """One more possible match, with these items."""
    raised = scene.alert().raised
    assert raised is not None
    at = scene.clock.now()
    return replace(raised, originator_id=alert, timestamp=at, ordinal=9, items=items)


def true_receipt(scene: Scene) -> item_events.ItemDestroyed:
    """What the receipt of a new, sealed item would say; its destruction has begun."""
    item = kept(scene)
    item.start_destruction(cause="due", at=scene.clock.now())
    appended(scene, item)
    gone = scene.record.load(Item, item.id)
    gone.finish_destruction(
        Tombstone(1, "9" * 64), RECHECKED, boundary=BOUNDARY, at=scene.clock.now()
    )
    (receipt,) = gone.collect_events()
    assert isinstance(receipt, item_events.ItemDestroyed)
    return receipt


def recheck(scene: Scene, *receipts: item_events.ItemDestroyed, **changes: Any) -> Happened:
    """Somebody looked again for these items."""
    fields: dict[str, Any] = {
        "recheck": RECHECKED.recheck,
        "rechecker": "",
        "kind": "in-process",
        "items": [one.originator_id for one in receipts],
        "still_there": [],
        "tombstone_sequence": 1,
        "tombstone_digest": "9" * 64,
        "signature": "",
    }
    return journalled("rechecks", item_events.DestructionRechecked, scene, **(fields | changes))


def test_a_receipt_in_order_is_believed(scene: Scene, store: Store) -> None:
    """So that the ones above are refused for what was changed."""
    receipt = true_receipt(scene)
    appended(scene, recheck(scene, receipt), receipt)
    assert judged(store).sound


def test_a_receipt_without_a_recheck_isnamed(scene: Scene, store: Store) -> None:
    """Nobody looked again."""
    appended(scene, true_receipt(scene))
    assert codes(judged(store)) == ["receipt_without_recheck"]


def test_two_receipts_with_one_tombstone_arenamed(scene: Scene, store: Store) -> None:
    """Each key that was destroyed has a link of its own in the chain."""
    first, second = true_receipt(scene), true_receipt(scene)
    appended(scene, recheck(scene, first, second), first, second)
    assert codes(judged(store)) == ["tombstone_twice"]


def test_an_item_that_was_still_there_isnamed(scene: Scene, store: Store) -> None:
    """By whoever looked again."""
    receipt = true_receipt(scene)
    appended(scene, recheck(scene, items=[], still_there=[receipt.originator_id]))
    assert codes(judged(store)) == ["still_there"]


@pytest.mark.parametrize(
    ("late", "expected"),
    [(timedelta(0), ["overdue"]), (timedelta(minutes=6), ["opened_past_its_limit", "overdue"])],
)
def test_an_item_is_not_opened_when_it_had_to_be_gone(
    scene: Scene, store: Store, late: timedelta, expected: list[str]
) -> None:
    """Though nobody destroyed it: reading it is worse than being late."""
    item = kept(scene)
    scene.clock.stands_at(AT + DAY + late)
    opened = item_events.ItemConsulted(
        originator_id=item.id,
        originator_version=3,
        timestamp=scene.clock.now(),
        purpose="adjudication",
    )
    appended(scene, opened)
    found = judged(store, as_of=AT + DAY + timedelta(hours=1))
    assert sorted(set(codes(found))) == sorted(expected)


def test_an_item_is_not_opened_after_its_destruction_began(scene: Scene, store: Store) -> None:
    """Level L0."""
    receipt = true_receipt(scene)
    appended(
        scene,
        item_events.ItemConsulted(
            originator_id=receipt.originator_id,
            originator_version=receipt.originator_version,
            timestamp=scene.clock.now(),
            purpose="adjudication",
        ),
    )
    assert codes(judged(store)) == ["opened_after_its_end"]


def test_an_item_has_one_life(scene: Scene, store: Store) -> None:
    """A second registration would give it another deadline."""
    item = registered(scene)
    appended(scene, item)
    (first,) = (one for one in history(scene) if one.originator_id == item.id)
    again = changed(first, originator_version=2)
    appended(scene, again)
    assert codes(judged(store)) == ["registered_twice"]


def history(scene: Scene) -> list[item_events.ItemRegistered]:
    """Every registration."""
    return scene.events(item_events.ItemRegistered)


def test_no_class_chooses_what_starts_its_clock(scene: Scene, store: Store) -> None:
    """A face that claims to live until the deployment's end."""
    at = scene.clock.now()
    claimed = changed(
        history(scene)[-1],
        originator_id=new_reference(),
        item_class="face_crop",
        concerning=new_reference(),
        timestamp=at,
        clock_starts="deployment_end",
        anchor_at=None,
        due_at=at + WINDOW + DAY,
    )
    appended(scene, claimed)
    assert codes(judged(store)) == ["clock_differs", "due_too_late"]
    assert "overdue" in codes(judged(store, as_of=at + DAY + A_MOMENT))


def test_a_note_has_the_day_of_its_alert(scene: Scene, store: Store) -> None:
    """And not one of its own from when it was written."""
    scene.later(timedelta(hours=1))
    appended(scene, registered(scene, item_class=ItemClass.FREE_TEXT, concerning=ALERT))
    assert codes(judged(store)) == ["clock_starts_later", "due_too_late"]


def test_an_item_of_a_deployment_nobody_applied_for_isnamed(scene: Scene, store: Store) -> None:
    """Nothing would end it."""
    other = UUID(int=0xD0)
    appended(scene, registered(scene, deployment=other), scope=other.hex)
    assert codes(judged(store)) == ["no_deployment"]


def test_a_schedule_that_nobody_adopted_isnamed(scene: Scene, store: Store) -> None:
    """Whether it never was, or was left out of what is shown."""
    appended(scene, registered(scene, schedule="2026-2"))
    assert codes(judged(store)) == ["schedule_not_in_force"]


def test_a_sealed_item_that_no_entry_names_isnamed(scene: Scene, store: Store) -> None:
    """While it lives, and by its receipt."""
    item = registered(scene)
    item.seal(SealedContent("c" * 64, 100), at=scene.clock.now())
    appended(scene, item)
    assert codes(judged(store)) == ["nothing_refers_to_it"]
    destroy_for(scene.outside, by(scene), [item.id], cause="due")
    assert codes(judged(store)) == ["nothing_refers_to_it"]


def test_an_item_is_not_sealed_after_its_end(scene: Scene, store: Store) -> None:
    """What was given up stays away."""
    item = registered(scene)
    item.start_destruction(cause="due", at=scene.clock.now())
    item.seal(SealedContent("c" * 64, 100), at=scene.clock.now())
    appended(scene, item)
    assert codes(judged(store)) == ["sealed_after_its_end"]


def test_a_tombstone_older_than_the_destruction_isnamed(scene: Scene, store: Store) -> None:
    """A number below one that had its receipt before."""
    first = replace(true_receipt(scene), tombstone_sequence=5)
    appended(scene, recheck(scene, first, tombstone_sequence=5), first)
    second = replace(true_receipt(scene), tombstone_sequence=4)
    appended(scene, recheck(scene, second, tombstone_sequence=5), second)
    assert codes(judged(store)) == ["tombstone_too_early"]


def test_who_looked_again_saw_the_tombstone(scene: Scene, store: Store) -> None:
    """A re-check from before the key was destroyed shows nothing."""
    receipt = true_receipt(scene)
    appended(scene, recheck(scene, receipt, tombstone_sequence=0), receipt)
    assert codes(judged(store)) == ["recheck_before_destruction"]


def test_a_clock_that_was_set_back_makes_nothing_earlier(scene: Scene, store: Store) -> None:
    """The receipt stands behind an entry of a trusted clock."""
    scene.later(DAY + A_MOMENT)
    appended(scene, registered(scene))
    scene.clock.believed = False
    scene.later(-DAY)
    scene.stopped().ended()
    assert codes(judged(store)) == ["late"] * 4


# -- who looked again ------------------------------------------------------------------------------

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NAME = key_name(public_key_of(KEY))


def enrolled(scene: Scene) -> None:
    """The key may sign from here on."""
    event = journalled(
        "recheckers",
        item_events.RecheckerEnrolled,
        scene,
        scope=FORCE,
        rechecker=NAME,
        public_key=public_key_of(KEY),
    )
    appended(scene, event, scope=FORCE)


def signed_recheck(
    scene: Scene, receipt: item_events.ItemDestroyed, key: Ed25519PrivateKey = KEY
) -> Happened:
    """By another principal, with its signature."""
    told = {
        "recheck": RECHECKED.recheck.hex,
        "rechecker": NAME,
        "items": [receipt.originator_id.hex],
        "still_there": [],
        "tombstone_sequence": 1,
        "tombstone_digest": "9" * 64,
    }
    return recheck(
        scene,
        receipt,
        kind="separate-process",
        rechecker=NAME,
        signature=signed(recheck_statement(told), key),
    )


def test_a_recheck_that_an_enrolled_key_signed_holds(scene: Scene, store: Store) -> None:
    """And its receipt is not counted among those of the same process."""
    enrolled(scene)
    receipt = replace(true_receipt(scene), recheck="separate-process")
    appended(scene, signed_recheck(scene, receipt), receipt)
    verdict = judged(store)
    assert (verdict.sound, verdict.in_process) == (True, 0), verdict.faults


@pytest.mark.parametrize("how", ["not enrolled", "another key", "another statement"])
def test_a_recheck_that_no_enrolled_key_signed_isnamed(
    scene: Scene, store: Store, how: str
) -> None:
    """Whoever destroyed cannot sign for whoever looks again."""
    if how != "not enrolled":
        enrolled(scene)
    receipt = replace(true_receipt(scene), recheck="separate-process")
    looked = signed_recheck(scene, receipt, OTHER_KEY if how == "another key" else KEY)
    assert isinstance(looked, item_events.DestructionRechecked)
    if how == "another statement":
        looked = replace(looked, tombstone_sequence=2)
    appended(scene, looked, receipt)
    assert codes(judged(store)) == ["recheck_not_signed"]


# -- inventories -----------------------------------------------------------------------------------


def epoch_of(item_class: str) -> str:
    """The name of the epoch of today's items of a class."""
    return f"{DEPLOYMENT.hex}/{item_class}/{AT.date().isoformat()}"


def _lasting(scene: Scene) -> list[ItemSeen]:
    there = set(scene.vault.keys())
    return [one for one in scene.survey().items.values() if one.item in there]


def attested(scene: Scene, *, scope: str = FORCE, **changes: Any) -> Happened:
    """An inventory that found what the memory's vault holds."""
    there = items_listed(map(attrgetter("hex"), scene.vault.keys()))
    epochs = changes.pop("epochs", None)
    if epochs is None:
        epochs = sorted({epoch_of(one.item_class) for one in _lasting(scene)})
    wrapped = listed(one.encode() for one in epochs)
    told: dict[str, Any] = {
        "as_of": scene.record.size(),
        "keystore_count": there.count,
        "keystore_root": there.root,
        "media_count": there.count,
        "media_root": there.root,
        "epoch_count": wrapped.count,
        "epoch_root": wrapped.root,
        "epochs": epochs,
        "skipped": [],
        "tombstone_sequence": 0,
        "tombstone_digest": "",
        "missing": 0,
        "orphans": 0,
        "resurrected": 0,
        "rechecker": NAME,
    } | changes
    told |= {"signature": signed(inventory_statement(told, scope), KEY)}
    told |= {"skipped": [UUID(one) for one in told["skipped"]]}
    return journalled("inventories", item_events.InventoryAttested, scene, scope=scope, **told)


def test_an_inventory_may_leave_out_what_is_between_two_of_its_steps(
    scene: Scene, store: Store
) -> None:
    """Its destruction began, and nobody knows what is there."""
    enrolled(scene)
    item = kept(scene)
    item.start_destruction(cause="due", at=scene.clock.now())
    appended(scene, item)
    appended(scene, attested(scene, skipped=[item.id.hex]), scope=FORCE)
    assert judged(store).sound


@pytest.mark.parametrize("which", ["gone", "lasting", "unknown"])
def test_an_inventory_that_leaves_out_something_else_is_named(
    scene: Scene, store: Store, which: str
) -> None:
    """Whoever asks for it could hide with it what is there although it is destroyed."""
    enrolled(scene)
    left_out, tombstones = min(scene.live_items()), 0
    if which == "gone":
        scene.stopped().ended()
        tombstones = ITEMS
    if which == "unknown":
        left_out = new_reference()
    hiding = attested(scene, skipped=[left_out.hex], tombstone_sequence=tombstones)
    appended(scene, hiding, scope=FORCE)
    assert codes(judged(store)) == ["inventory_left_out"]


def test_an_inventory_of_what_ought_to_be_there_is_believed(scene: Scene, store: Store) -> None:
    """Over everything, and over the deployment alone."""
    enrolled(scene)
    for scope in (FORCE, DEPLOYMENT.hex):
        appended(scene, attested(scene, scope=scope), scope=scope)
    verdict = judged(store)
    assert verdict.sound, verdict.faults
    assert verdict.inventory is not None
    assert verdict.inventory.keystore == ITEMS


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"keystore_count": ITEMS - 1}, ["stores_differ"]),
        ({"media_root": "5f" * 32}, ["stores_differ"]),
        ({"orphans": 1}, ["orphans"]),
        ({"missing": 1}, ["missing"]),
        ({"resurrected": 2}, ["resurrected"]),
    ],
)
def test_an_inventory_that_found_something_else_isnamed(
    scene: Scene, store: Store, changes: dict[str, Any], expected: list[str]
) -> None:
    """Also where it says that it found nothing wrong."""
    enrolled(scene)
    appended(scene, attested(scene, **changes), scope=FORCE)
    assert codes(judged(store)) == expected


def test_what_an_inventory_found_is_resolved_by_a_later_one(scene: Scene, store: Store) -> None:
    """It stays on the record and is counted; lateness alone is for ever."""
    enrolled(scene)
    appended(scene, attested(scene, orphans=1), scope=FORCE)
    assert codes(judged(store)) == ["orphans"]
    appended(scene, attested(scene), scope=FORCE)
    verdict = judged(store)
    assert (verdict.sound, verdict.resolved) == (True, 1)


def test_an_inventory_nobody_signed_isnamed(scene: Scene, store: Store) -> None:
    """The key was never enrolled."""
    appended(scene, attested(scene), scope=FORCE)
    assert codes(judged(store)) == ["inventory_not_signed"]


def test_an_inventory_shows_that_what_was_destroyed_stayed_away(scene: Scene, store: Store) -> None:
    """Level L3 for all that was gone by then."""
    enrolled(scene)
    scene.stopped().ended()
    appended(scene, attested(scene, tombstone_sequence=ITEMS), scope=FORCE)
    verdict = judged(store)
    assert verdict.sound, verdict.faults
    assert sum(one.levels["L3"] for one in verdict.holdings) == ITEMS


def test_a_keystore_that_forgot_its_tombstones_isnamed(scene: Scene, store: Store) -> None:
    """It was brought back from an older copy."""
    enrolled(scene)
    scene.stopped().ended()
    appended(scene, attested(scene, tombstone_sequence=ITEMS - 1), scope=FORCE)
    assert codes(judged(store)) == ["keystore_rolled_back"]


def test_a_tombstone_that_nothing_accounts_for_isnamed(scene: Scene, store: Store) -> None:
    """A key was destroyed that no receipt tells of."""
    enrolled(scene)
    appended(scene, attested(scene, tombstone_sequence=1), scope=FORCE)
    assert codes(judged(store)) == ["tombstone_without_receipt"]


def test_a_destruction_under_way_accounts_for_its_tombstone(scene: Scene, store: Store) -> None:
    """Its receipt is still to come."""
    enrolled(scene)
    item = kept(scene)
    item.start_destruction(cause="due", at=scene.clock.now())
    appended(scene, item)
    appended(scene, attested(scene, tombstone_sequence=1), scope=FORCE)
    assert judged(store).sound


def test_an_inventory_shows_nothing_of_what_was_destroyed_after_it(
    scene: Scene, store: Store
) -> None:
    """As of a size that the receipts stand behind."""
    enrolled(scene)
    size = scene.record.size()
    scene.stopped().ended()
    there = items_listed(one.item.hex for one in scene.survey().items.values())
    held: dict[str, Any] = {"keystore_count": there.count, "keystore_root": there.root}
    held |= {"media_count": there.count, "media_root": there.root}
    appended(scene, attested(scene, as_of=size, tombstone_sequence=ITEMS, **held), scope=FORCE)
    verdict = judged(store)
    assert verdict.sound, verdict.faults
    assert not any("L3" in one.levels for one in verdict.holdings)


@pytest.mark.parametrize(
    ("finding", "code"),
    [
        (item_events.OrphanFound, "orphans"),
        (item_events.ResurrectionFound, "resurrected"),
        (item_events.LossFound, "missing"),
    ],
)
def test_what_was_found_in_the_stores_is_named_until_an_inventory_says_otherwise(
    scene: Scene, store: Store, finding: type[Happened], code: str
) -> None:
    """The finding stays on the record."""
    enrolled(scene)
    fields: dict[str, Any] = {"store": "media", "item": new_reference()}
    if finding is item_events.OrphanFound:
        fields |= {"orphan": new_reference(), "kind": "ciphertext"}
    appended(
        scene, journalled("custody-findings", finding, scene, scope=FORCE, **fields), scope=FORCE
    )
    assert codes(judged(store)) == [code]
    appended(scene, attested(scene), scope=FORCE)
    assert judged(store).sound


# -- epochs, older copies --------------------------------------------------------------------------


def epoch_gone(scene: Scene, *, tombstone: int) -> Happened:
    """The key of today's faces is gone."""
    return journalled(
        "epochs",
        item_events.EpochDestroyed,
        scene,
        deployment=DEPLOYMENT,
        item_class="face_crop",
        day=AT.date().isoformat(),
        kept_in="file",
        tombstone_sequence=tombstone,
        tombstone_digest="9" * 64,
    )


def level_four(store: Store) -> int:
    return sum(one.levels.get("L4", 0) for one in judged(store).holdings)


def test_an_epoch_s_end_is_level_four_once_an_inventory_shows_it(
    scene: Scene, store: Store
) -> None:
    """For what was destroyed before it. The entry alone is only what somebody says."""
    enrolled(scene)
    scene.stopped().ended()
    appended(scene, epoch_gone(scene, tombstone=ITEMS + 1))
    assert (level_four(store), judged(store).sound) == (0, True)
    appended(scene, attested(scene, tombstone_sequence=ITEMS + 1, epochs=[]), scope=FORCE)
    (face,) = (one for one in judged(store).holdings if one.item_class == "face_crop")
    assert (face.levels["L4"], face.positions["L4"]) == (1, face.positions["destroyed_in_time"])
    assert level_four(store) == 1, "the keys of the other epochs may be there still"


def test_an_epoch_s_end_shows_in_the_deployment_alone_by_the_forces_inventory(
    scene: Scene, store: Store
) -> None:
    """Its key ends at the end of a day, when its deployment may need no inventory any more."""
    enrolled(scene)
    scene.stopped().ended()
    appended(scene, epoch_gone(scene, tombstone=ITEMS + 1))
    appended(scene, attested(scene, tombstone_sequence=ITEMS + 1, epochs=[]), scope=FORCE)
    alone = followed(named(store), Custody(scope=DEPLOYMENT.hex)).verdict()
    assert sum(one.levels.get("L4", 0) for one in alone.holdings) == 1


def test_an_epoch_s_key_that_is_still_there_is_named_and_no_level_four(
    scene: Scene, store: Store
) -> None:
    """The entry says that it is gone, the re-checker lists it."""
    enrolled(scene)
    scene.stopped().ended()
    appended(scene, epoch_gone(scene, tombstone=ITEMS + 1))
    still = [epoch_of("face_crop")]
    appended(scene, attested(scene, tombstone_sequence=ITEMS + 1, epochs=still), scope=FORCE)
    assert codes(judged(store)) == ["epoch_without_need"]
    assert level_four(store) == 0
    appended(scene, attested(scene, tombstone_sequence=ITEMS + 1, epochs=[]), scope=FORCE)
    assert (codes(judged(store)), level_four(store)) == ([], 1)


def test_an_epoch_s_key_that_its_items_need_and_is_not_there_isnamed(
    scene: Scene, store: Store
) -> None:
    """They cannot be opened any more, whatever the store of their own keys holds."""
    enrolled(scene)
    appended(scene, attested(scene, epochs=[]), scope=FORCE)
    assert codes(judged(store)) == ["epoch_missing"]


def test_an_inventory_whose_epochs_are_not_its_root_s_isnamed(scene: Scene, store: Store) -> None:
    """Both are signed."""
    enrolled(scene)
    appended(scene, attested(scene, epoch_count=99), scope=FORCE)
    assert codes(judged(store)) == ["inventory_contradicts_itself"]


def test_an_inventory_of_the_first_shape_shows_no_level_four(scene: Scene, store: Store) -> None:
    """It told how many epochs had a key, and not which."""
    enrolled(scene)
    scene.stopped().ended()
    appended(scene, epoch_gone(scene, tombstone=ITEMS + 1))
    appended(scene, attested(scene, tombstone_sequence=ITEMS + 1, epochs=[]), scope=FORCE)
    older = followed(without(store, "inventory.attested", "epochs"), Custody()).verdict()
    assert sum(one.levels.get("L4", 0) for one in older.holdings) == 0
    assert codes(older) == ["inventory_not_signed"], "and what was signed cannot be left out"


def test_an_epoch_that_ends_before_its_items_isnamed(scene: Scene, store: Store) -> None:
    """They cannot be opened any more, and their destruction was not recorded."""
    appended(scene, epoch_gone(scene, tombstone=1))
    assert codes(judged(store)) == ["epoch_gone_too_early"]


def test_an_older_keystore_is_told_and_numbers_again(scene: Scene, store: Store) -> None:
    """What was brought back gives numbers that were given before."""
    scene.stopped().ended()
    rolled_back = journalled(
        "custody-findings",
        item_events.KeystoreRollbackFound,
        scene,
        scope=FORCE,
        expected_sequence=ITEMS,
        found_sequence=0,
    )
    appended(scene, rolled_back, scope=FORCE)
    receipt = true_receipt(scene)
    appended(scene, recheck(scene, receipt), receipt)
    verdict = judged(store)
    assert verdict.sound, verdict.faults
    assert [one.sentence for one in verdict.notices] == [
        "the keystore was an older copy: it knew 0 tombstones of 7"
    ]


# -- clocks that nobody vouches for ----------------------------------------------------------------


def test_what_a_doubted_clock_registered_began_by_the_next_trusted_time(
    scene: Scene, store: Store
) -> None:
    """Whatever the clock told: an item may not live 3,000 days because of it."""
    ahead = timedelta(days=3000)
    scene.clock.believed = False
    scene.later(ahead)
    item = kept(scene)
    scene.clock.stands_at(AT + A_MOMENT)
    scene.clock.believed = True
    appended(scene, raised_again(scene, new_reference(), {}))
    scene.stopped()
    assert scene.survey().deadline(scene.survey().items[item.id]) == AT + A_MOMENT + DAY
    assert codes(judged(store, as_of=AT + DAY)) == []
    late = judged(store, as_of=AT + DAY + timedelta(minutes=1))
    assert set(codes(late)) == {"overdue"}
    (faces,) = [one for one in late.holdings if one.item_class == "face_crop"]
    assert faces.overdue == 2


def test_a_log_without_any_trusted_clock_is_judged_by_what_its_clock_told(
    scene: Scene, store: Store
) -> None:
    """Else a flag would save everything from being late."""
    scene.later(timedelta(days=400))
    appended(scene, raised_again(scene, new_reference(), {}))

    def doubted() -> Iterator[tuple[str, bytes]]:
        for name, blob in named(store):
            yield name, json.dumps(json.loads(blob) | {"clock": "suspect"}).encode()

    verdict = followed(doubted(), Custody()).verdict()
    assert set(codes(verdict)) == {"overdue"}
    assert "no entry is of a trusted clock" in verdict.notices[-1].sentence


# -- what entries claim of themselves --------------------------------------------------------------


@pytest.mark.parametrize("level", ["L3", "L4", "L5", "L99"])
def test_a_level_that_a_receipt_cannot_show_is_named_and_not_counted(
    scene: Scene, store: Store, level: str
) -> None:
    """Inventories show L3 and L4, and nothing in a log shows L5."""
    receipt = replace(true_receipt(scene), levels=["L0", "L1", "L2", level])
    appended(scene, recheck(scene, receipt), receipt)
    verdict = judged(store)
    assert codes(verdict) == ["level_not_shown"]
    assert {name for one in verdict.holdings for name in one.levels} == {"L0", "L1", "L2"}


def test_a_receipt_of_the_first_shape_is_not_independent_whatever_it_says(
    scene: Scene, store: Store
) -> None:
    """It names no re-check that anybody signed."""
    receipt = replace(true_receipt(scene), recheck="separate-process")
    appended(scene, receipt)
    first = followed(without(store, "item.destroyed", "recheck_id"), Custody()).verdict()
    assert (codes(first), first.in_process) == ([], 1)


def test_a_receipt_of_the_first_shape_is_none_once_a_recheck_could_be_had(
    scene: Scene, store: Store
) -> None:
    """Who writes an older shape than the log is in leaves something out."""
    enrolled(scene)
    receipt = true_receipt(scene)
    appended(scene, recheck(scene, receipt), receipt)
    assert codes(judged(store)) == []
    first = followed(without(store, "item.destroyed", "recheck_id"), Custody()).verdict()
    assert codes(first) == ["receipt_without_recheck"]


@pytest.mark.parametrize("every_s", ["x", -1, 10**15, 1.5e300, None])
def test_a_worker_s_interval_that_is_none_is_unreadable_and_no_crash(
    scene: Scene, store: Store, every_s: object
) -> None:
    """Whatever somebody wrote into a pack."""
    appended(scene, _swept(scene), scope=FORCE)

    def spoil(body: dict[str, Any]) -> None:
        body["every_s"] = every_s

    with pytest.raises(EntryUnreadableError, match="cannot be followed"):
        followed(edited(store, "retention.swept", spoil), Custody())


# -- the worker's sign of life ---------------------------------------------------------------------


def _swept(scene: Scene) -> Happened:
    """A sign of life."""
    return journalled(
        "retention",
        item_events.RetentionSwept,
        scene,
        scope=FORCE,
        live=0,
        due=0,
        destroyed=0,
        held=0,
        overdue=0,
        next_due_at=None,
        every_s=600,
    )


@pytest.mark.parametrize(("minutes", "gaps"), [(20, 0), (21, 1)])
def test_a_missing_sign_of_life_is_told(
    scene: Scene, store: Store, minutes: int, gaps: int
) -> None:
    """Two intervals without one are a gap; it is no fault of any item."""
    for _ in range(2):
        appended(scene, _swept(scene), scope=FORCE)
        scene.later(timedelta(minutes=minutes))
    verdict = judged(store)
    assert (verdict.sound, len(verdict.gaps)) == (True, gaps)

"""Keeping: registered, then durable in the vault, then sealed together with what refers to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from domain.alerts.events import AlertAdjudicated, AlertRaised
from domain.custody.events import ItemRegistered, ItemSealed
from domain.custody.sealing import ItemLabel, commitment
from domain.services import alerts
from domain.watchlists.events import EntryAccepted, EntryProposed
from tests.support.builders import (
    ALERT,
    AT,
    DAY,
    DEPLOYMENT,
    ENTRY,
    OTHER_ENTRY,
    WINDOW,
    material,
    to_raise,
)
from tests.support.scenarios import Scene, agreed

OF_AN_ALERT = ["face_crop", "probe_template", "alert_detail", "wide_frame"]


@dataclass(frozen=True)
class Keeping:
    """One way in which something comes to be kept."""

    before: Callable[[Scene], Scene]
    act: Callable[[Scene], Scene]
    classes: list[str]
    referring: str
    """The stored name of what refers to the items."""


KEEPING = [
    pytest.param(
        Keeping(
            before=lambda scene: scene.running(),
            act=lambda scene: scene.alerted(),
            classes=OF_AN_ALERT,
            referring=AlertRaised.NAME,
        ),
        id="an alert",
    ),
    pytest.param(
        Keeping(
            before=lambda scene: scene.applied().list_opened(),
            act=lambda scene: scene.entry_proposed(),
            classes=["reference_image", "callers_reference"],
            referring=EntryProposed.NAME,
        ),
        id="a proposed entry",
    ),
    pytest.param(
        Keeping(
            before=lambda scene: scene.applied().list_opened().entry_proposed(),
            act=lambda scene: scene.entry_accepted(),
            classes=["reference_template"],
            referring=EntryAccepted.NAME,
        ),
        id="an accepted entry",
    ),
    pytest.param(
        Keeping(
            before=lambda scene: scene.running().alerted().viewed(),
            act=lambda scene: scene.decided(note="he looked familiar"),
            classes=["free_text"],
            referring=AlertAdjudicated.NAME,
        ),
        id="a decision with a note",
    ),
]


@pytest.mark.parametrize("keeping", KEEPING)
def test_items_are_registered_before_and_sealed_together_with_what_refers_to_them(
    keeping: Keeping,
) -> None:
    """Two transactions: the first registers, the second seals and refers."""
    scene = keeping.before(Scene())
    scene.record.transactions.clear()
    keeping.act(scene)
    first, second = scene.record.transactions
    assert first.names == [ItemRegistered.NAME] * len(keeping.classes)
    assert second.names == [ItemSealed.NAME] * len(keeping.classes) + [keeping.referring]
    registered = [one for one in first.events if isinstance(one, ItemRegistered)]
    assert [one.item_class for one in registered] == keeping.classes
    assert [one.originator_id for one in second.events[:-1]] == [
        one.originator_id for one in registered
    ]


@pytest.mark.parametrize("keeping", KEEPING)
def test_nothing_is_in_the_vault_before_it_is_registered(keeping: Keeping) -> None:
    """At each seal the item is on the record, and not yet said to be sealed."""
    scene = keeping.before(Scene())
    seen: list[str] = []

    def look(label: ItemLabel) -> None:
        stored = [one.NAME for one in scene.record.events(label.item)]
        assert stored == [ItemRegistered.NAME]
        seen.append(label.item_class)

    scene.vault.after_seal = look
    keeping.act(scene)
    assert seen == keeping.classes


@pytest.mark.parametrize("keeping", KEEPING)
def test_key_and_ciphertext_are_durable_before_anything_refers_to_them(keeping: Keeping) -> None:
    """When the second transaction begins, the vault holds all that it speaks of."""
    scene = keeping.before(Scene())
    held: list[set[UUID]] = []

    def look() -> None:
        held.append(scene.vault.keys() & scene.vault.ciphertexts())

    scene.record.meanwhile = [look, look]
    keeping.act(scene)
    at_the_first, at_the_second = held
    kept = {one.originator_id for one in scene.events(ItemSealed)[-len(keeping.classes) :]}
    assert kept & at_the_first == set()
    assert kept <= at_the_second


def test_an_alert_names_its_items_by_what_they_are() -> None:
    """And each is registered for this alert and this deployment."""
    scene = Scene().running().alerted()
    (raised,) = scene.events(AlertRaised)
    registered = {one.item_class: one for one in scene.events(ItemRegistered)}
    assert raised.items == {one: registered[one].originator_id for one in OF_AN_ALERT}
    assert {registered[one].concerning for one in OF_AN_ALERT} == {ALERT}
    assert {registered[one].deployment for one in OF_AN_ALERT} == {DEPLOYMENT}


def test_what_was_kept_is_what_was_handed_over() -> None:
    """Each item opens to the recogniser's own bytes."""
    scene = Scene().running().alerted()
    kept = material()
    (raised,) = scene.events(AlertRaised)
    handed = {
        "face_crop": kept.face_crop,
        "probe_template": kept.probe_template,
        "alert_detail": kept.detail,
        "wide_frame": kept.wide_frame,
    }
    types = {one.originator_id: one.content_type for one in scene.events(ItemRegistered)}
    for item_class, content in handed.items():
        item = raised.items[item_class]
        opened = scene.vault.open(ItemLabel(item, item_class, DEPLOYMENT, types[item], AT.date()))
        assert content is not None
        assert opened == content


def test_an_alert_without_a_wide_frame_keeps_none() -> None:
    """And says why on the record."""
    scene = Scene().running()
    kept = material(wide_frame=None, wide_frame_omitted="bystander-not-masked")
    agreed(alerts.raise_alert(scene.outside, to_raise(material=kept, **scene.by)))
    (raised,) = scene.events(AlertRaised)
    assert sorted(raised.items) == ["alert_detail", "face_crop", "probe_template"]
    assert raised.wide_frame_omitted == "bystander-not-masked"


def test_the_items_of_an_alert_are_due_a_day_after_the_alert() -> None:
    """A note that is written later is due with the others, not later."""
    scene = Scene().running().later(timedelta(hours=1)).alerted().viewed()
    scene.later(timedelta(hours=3)).decided(note="he looked familiar")
    due = {one.item_class: one.due_at for one in scene.events(ItemRegistered)}
    assert {due[one] for one in [*OF_AN_ALERT, "free_text"]} == {AT + timedelta(hours=1) + DAY}


def test_the_items_of_an_entry_are_due_a_day_after_the_requested_window_at_the_latest() -> None:
    """The end of the deployment comes before that."""
    scene = Scene().applied().list_opened().entry_proposed().entry_accepted()
    assert {one.due_at for one in scene.events(ItemRegistered)} == {AT + WINDOW + DAY}
    assert {one.concerning for one in scene.events(ItemRegistered)} == {ENTRY}


def test_a_registration_commits_to_the_content_under_a_salt_of_its_own() -> None:
    """The same photograph twice has two commitments, and neither is a plain digest."""
    scene = Scene().applied().list_opened().entry_proposed().entry_proposed(OTHER_ENTRY)
    registered = scene.events(ItemRegistered)
    salts = [scene.vault.salts[one.originator_id] for one in registered]
    contents = [b"an image", b"row-1"] * 2
    assert [one.commitment for one in registered] == [
        commitment(salt, content) for salt, content in zip(salts, contents, strict=True)
    ]
    assert len(set(salts)) == 4

"""Events, their permanent names, and the aggregates that they leave."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.catalogue import EVENTS
from domain.custody.aggregate import Item
from domain.custody.events import DestructionStarted, ItemConsulted, ItemRegistered
from domain.kernel.errors import RecordBrokenError
from domain.kernel.events import Happened, event_classes, recorded_as
from domain.kernel.refusals import WasRefused
from tests.support.builders import ITEM, a_registered_item, item_consulted, item_sealed

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ELSEWHERE = UUID(int=0xF00)


def test_a_stored_name_is_never_given_to_something_else() -> None:
    """Promise 3: the second taker is turned away and the first keeps it."""
    with pytest.raises(ValueError, match=r"item\.consulted is already taken by .*ItemConsulted"):
        recorded_as("item.consulted")(DestructionStarted)
    assert event_classes()["item.consulted"] is ItemConsulted
    assert DestructionStarted.NAME == "item.destruction_started"


def test_the_register_of_names_cannot_be_changed_from_outside() -> None:
    """A reader gets a copy."""
    event_classes().clear()
    assert event_classes()["item.consulted"] is ItemConsulted


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_stored_name_says_the_context_and_the_fact(name: str) -> None:
    """``context.fact``, which is also what its class calls itself."""
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", name)
    assert name == EVENTS[name].NAME


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_no_event_has_a_default_value(name: str) -> None:
    """What was not known when it happened is not made up when it is read."""
    assert [
        field.name
        for field in dataclasses.fields(EVENTS[name])
        if field.default is not dataclasses.MISSING
        or field.default_factory is not dataclasses.MISSING
    ] == []


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_refusal_calls_itself_one(name: str) -> None:
    """And nothing else does."""
    assert name.endswith("_refused") == issubclass(EVENTS[name], WasRefused)


def test_an_event_cannot_be_changed() -> None:
    """Facts are added to, never edited."""
    event = item_consulted().placed(ITEM, 3)
    with pytest.raises(AttributeError):
        setattr(event, "purpose", "curiosity")  # noqa: B010


def test_an_aggregate_takes_its_events_in_their_order() -> None:
    """Replayed from what was stored, it stands at the version of the last."""
    item = Item.replayed(ITEM, [a_registered_item().placed(ITEM, 1), item_sealed().placed(ITEM, 2)])
    assert item.version == 2
    assert item.id == ITEM
    assert item.collect_events() == []


@pytest.mark.parametrize(
    "wrong",
    [
        item_sealed().placed(ITEM, 3),
        item_sealed().placed(ITEM, 1),
        item_sealed().placed(ELSEWHERE, 2),
    ],
    ids=["one is missing", "one stands twice", "another stream's"],
)
def test_an_event_out_of_place_is_a_broken_record(wrong: Happened) -> None:
    """Says what was expected, what was found, and where."""
    with pytest.raises(RecordBrokenError, match=f"item {ITEM}: expected its event 2, found event"):
        Item.replayed(ITEM, [a_registered_item().placed(ITEM, 1), wrong])


def test_new_events_are_handed_over_once() -> None:
    """What was appended is not appended again."""
    item = Item.replayed(ITEM, [a_registered_item().placed(ITEM, 1)])
    item.start_destruction(cause="due", at=AT)
    assert [type(event) for event in item.collect_events()] == [DestructionStarted]
    assert item.collect_events() == []
    assert item.version == 2


def test_a_new_event_follows_the_last_stored_one() -> None:
    """Its stream, its version and its time are those of the aggregate and the command."""
    item = Item.replayed(ITEM, [a_registered_item().placed(ITEM, 1)])
    item.start_destruction(cause="due", at=AT)
    (event,) = item.collect_events()
    assert event == DestructionStarted(
        originator_id=ITEM, originator_version=2, timestamp=AT, cause="due"
    )
    assert not isinstance(event, ItemRegistered)

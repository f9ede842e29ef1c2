"""Every stored event can be told in words, and the words single nobody out."""

from __future__ import annotations

import re

import pytest

from api.narration import can_tell, line, sentence
from domain.catalogue import EVENTS
from domain.kernel.events import Happened
from domain.kernel.time import written
from infrastructure.record.entry_mapper import entry_of
from infrastructure.record.event_record import recorded
from tests.architecture.test_samples import NAMES, stored
from tests.contract.record.examples import at_the_edges

FULL_REFERENCE = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}", re.IGNORECASE)


def test_there_is_a_sentence_for_every_event() -> None:
    """A history with a gap in it would be no history."""
    assert {name for name, event_class in EVENTS.items() if not can_tell(event_class)} == set()
    assert not can_tell(Happened)


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_told_in_one_line(name: str) -> None:
    """With its place, its time, its role and its stored name, and no reference in full."""
    entry = recorded(entry_of(stored(name)))
    told = line(entry)
    assert told.isprintable()
    assert told.endswith(sentence(entry.event))
    assert len(sentence(entry.event)) > 10
    assert told.startswith("REHEARSAL ")
    for part in (str(entry.position), written(entry.event.timestamp), entry.role, name):
        assert part in told
    assert FULL_REFERENCE.search(told) is None


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_with_little_or_much_in_it_is_told_too(name: str) -> None:
    """Nothing known, nobody named, empty lists: a sentence all the same."""
    for event in at_the_edges(EVENTS[name]):
        assert sentence(event)


@pytest.mark.parametrize(
    "reference", ["e4" * 16, "E4" * 16, "12345678-1234-1234-1234-123456789012"]
)
def test_a_full_reference_is_found(reference: str) -> None:
    """So the search above can fail; eight digits of one are let through."""
    assert FULL_REFERENCE.search(f"entry {reference} was accepted")
    assert not FULL_REFERENCE.search(f"entry {reference[:8]} was accepted")

"""What goes into the record comes out unchanged, and what could not does not go in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from domain.alerts.events import AdjudicationRefused, AlertAdjudicated, AlertRaised
from domain.assurance.entries import EntryError
from domain.catalogue import EVENTS
from domain.deployments.aggregate import Deployment
from domain.deployments.events import DeploymentAppliedFor, DeploymentAuthorised
from domain.kernel.errors import DomainError, NotFoundError, RecordBrokenError
from domain.kernel.events import Happened
from domain.kernel.refusals import Refusal
from domain.watchlists.events import WatchlistSealed
from tests.contract.record.examples import asked, at_the_edges, changed, stream, usual, viewed
from tests.support.stores import HALF_PAST_NINE, Store


def examples() -> list[Happened]:
    """Every class of the catalogue, each three times in a stream of its own."""
    return [
        changed(event, originator_version=version)
        for event_class in EVENTS.values()
        for version, event in enumerate([usual(event_class), *at_the_edges(event_class)], start=1)
    ]


def test_every_event_class_comes_back_with_the_same_values_of_the_same_types(store: Store) -> None:
    """Neither a value nor its type may change: ``repr`` tells a list from a tuple, 1 from True."""
    events = examples()
    assert {type(event) for event in events} == set(EVENTS.values())
    store.open().append(*events, by=asked())
    found = [entry.event for entry in store.open().history()]
    assert found == events
    assert [repr(event) for event in found] == [repr(event) for event in events]


def test_an_entry_says_who_asked_and_when_it_was_recorded(store: Store) -> None:
    """The command's actor, role, scope and id, the record's mode and the clock's time."""
    record = store.open()
    command = asked()
    record.append(viewed(), by=command)
    (entry,) = record.history()
    assert (entry.position, entry.scope, entry.mode) == (0, command.scope, "rehearsal")
    assert (entry.actor, entry.role) == (command.actor, "operator")
    assert entry.cause == command.command_id.hex
    assert (entry.recorded_at, entry.clock) == (HALF_PAST_NINE, "trusted")


def test_an_aggregate_loads_as_its_events_left_it(store: Store) -> None:
    """Also in another process, and nothing is left to store a second time."""
    deployment = Deployment(stream(1))
    for event in (usual(DeploymentAppliedFor), usual(DeploymentAuthorised)):
        given = {name: value for name, value in vars(event).items() if "originator" not in name}
        deployment.happened(type(event), at=given.pop("timestamp"), **given)
    store.open().append(deployment, by=asked())
    loaded = store.open().load(Deployment, deployment.id)
    assert loaded.version == 2
    assert vars(loaded) == vars(deployment)
    assert store.open().append(deployment, loaded, by=asked()) == 2


def test_a_stream_without_events_is_not_found(store: Store) -> None:
    """And the message says what was looked for."""
    with pytest.raises(NotFoundError, match=f"no deployment {stream(1).hex}"):
        store.open().load(Deployment, stream(1))


def test_the_history_of_a_scope_leaves_out_the_others(store: Store) -> None:
    """In the order of the log."""
    record = store.open()
    for number in range(4):
        record.append(viewed(number), by=asked(scope="one" if number % 2 else "two"))
    assert [entry.position for entry in record.history("one")] == [1, 3]
    assert [entry.position for entry in record.history()] == [0, 1, 2, 3]
    assert list(record.history("three")) == []


class Colour(StrEnum):
    """An enum that an event may not hold in place of a list."""

    RED = "red"


MAY_NOT_BE_HELD: dict[str, Callable[[], Happened]] = {
    "a float": lambda: changed(usual(AlertRaised), threshold=0.4),
    "a decimal that is no number": lambda: changed(usual(AlertRaised), threshold=Decimal("NaN")),
    "a signalling NaN": lambda: changed(usual(AlertRaised), threshold=Decimal("sNaN")),
    "an infinite decimal": lambda: changed(usual(AlertRaised), threshold=Decimal("-Infinity")),
    "bytes": lambda: changed(usual(AlertRaised), camera=b"camera-1"),
    "a tuple": lambda: changed(usual(AlertAdjudicated), subject_factors=("pose",)),
    "a set": lambda: changed(usual(AlertAdjudicated), subject_factors={"pose"}),
    "an enum in a list": lambda: changed(usual(AlertAdjudicated), subject_factors=[Colour]),
    "a time without its zone": lambda: changed(
        usual(DeploymentAppliedFor), requested_from=HALF_PAST_NINE.replace(tzinfo=None)
    ),
    "a time without its zone, of the event itself": lambda: changed(
        usual(AlertRaised), timestamp=HALF_PAST_NINE.replace(tzinfo=None)
    ),
    "an integer that not every reader keeps": lambda: changed(usual(AlertRaised), ordinal=2**53),
    "half a character": lambda: changed(usual(AlertRaised), camera="\ud83d"),
    "a key that is a number": lambda: changed(usual(WatchlistSealed), by_category={1: 1}),
    "a key outside ASCII": lambda: changed(usual(WatchlistSealed), by_category={"é": 1}),
    "an object of another class": lambda: changed(usual(AlertRaised), camera=object()),
}

WRONG_TYPE: dict[str, Callable[[], Happened]] = {
    "text for a number": lambda: changed(usual(AlertRaised), ordinal="7"),
    "a bool for a number": lambda: changed(usual(AlertRaised), ordinal=True),
    "a number for a bool": lambda: changed(usual(DeploymentAppliedFor), officers=1),
    "a number for a decimal": lambda: changed(usual(AlertRaised), threshold=1),
    "nothing for text": lambda: changed(usual(AlertRaised), camera=None),
    "text for a reference": lambda: changed(usual(AlertRaised), run="a7" * 16),
    "one for a list": lambda: changed(usual(AlertAdjudicated), subject_factors="pose"),
    "numbers for a list of text": lambda: changed(usual(AlertAdjudicated), subject_factors=[1]),
    "microseconds, which are not kept": lambda: changed(
        usual(DeploymentAppliedFor), requested_from=datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    ),
}

REFUSED_BEFORE = (TypeError, ValueError, DomainError, EntryError)


@pytest.mark.parametrize("what", [*MAY_NOT_BE_HELD, *WRONG_TYPE])
def test_what_could_not_come_back_unchanged_is_refused_and_nothing_is_stored(
    store: Store, what: str
) -> None:
    """An event that cannot be read again would make the record unreadable for ever."""
    record = store.open()
    record.append(viewed(1), by=asked())
    before = (store.rows(), store.head())
    event = {**MAY_NOT_BE_HELD, **WRONG_TYPE}[what]()
    with pytest.raises(REFUSED_BEFORE):
        record.append(viewed(2), event, by=asked())
    assert (store.rows(), store.head()) == before
    assert record.append(viewed(2), by=asked()) == 2


def with_camera_of(length: int) -> Happened:
    """An event whose entry is longer by each character."""
    return changed(usual(AlertRaised), camera="c" * length)


def test_an_entry_may_have_65535_bytes_and_no_more(store: Store) -> None:
    """One byte more is refused, with the rest of its transaction."""
    record = store.open()
    record.append(with_camera_of(1), by=asked(scope="a" * 32))
    spare = 65_535 - len(store.rows()[0].blob)
    largest = changed(with_camera_of(1 + spare), originator_id=stream(9))
    one_more = changed(with_camera_of(2 + spare), originator_id=stream(9))

    before = (store.rows(), store.head())
    with pytest.raises(DomainError, match="65535 bytes, found 65536"):
        record.append(one_more, viewed(1), by=asked(scope="b" * 32))
    assert (store.rows(), store.head()) == before

    record.append(largest, viewed(1), by=asked(scope="b" * 32))
    assert len(store.rows()[1].blob) == 65_535


def rewritten(store: Store, position: int, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a stored entry as whoever owns the database can."""
    entry = json.loads(store.rows()[position].blob)
    change(entry)
    store.drop_triggers()
    store.execute(
        "UPDATE stored_events SET state = :state WHERE position = :position",
        state=json.dumps(entry).encode(),
        position=position,
    )


def body(**changed: object) -> Callable[[dict[str, Any]], object]:
    """Other values in an entry's body."""
    return lambda entry: entry["body"].update(changed)


def entry(**changed: object) -> Callable[[dict[str, Any]], object]:
    """Other values in an entry."""
    return lambda whole: whole.update(changed)


BROKEN: dict[str, tuple[type[Happened], Callable[[dict[str, Any]], object]]] = {
    "an unknown stored name": (AlertRaised, entry(name="alert.forgotten")),
    "a newer shape": (AlertRaised, entry(shape=2)),
    "a field too many": (AlertRaised, body(note="x")),
    "a field too few": (AlertRaised, lambda whole: whole["body"].pop("camera")),
    "no body": (AlertRaised, lambda whole: whole.pop("body")),
    "a body that is a list": (AlertRaised, entry(body=[])),
    "no stored name": (AlertRaised, lambda whole: whole.pop("name")),
    "a stream that is no reference": (AlertRaised, entry(stream="x")),
    "a time that is none": (AlertRaised, entry(occurred_at="yesterday")),
    "a time of its own without a zone": (AlertRaised, entry(occurred_at="2026-11-23T09:30:00")),
    "text for a number": (AlertRaised, body(ordinal="7")),
    "a bool for a number": (AlertRaised, body(ordinal=True)),
    "a fraction for a number": (AlertRaised, body(ordinal=7.0)),
    "a number for a decimal": (AlertRaised, body(threshold=1)),
    "an exponent for a decimal": (AlertRaised, body(threshold="4E-1")),
    "no number for a decimal": (AlertRaised, body(threshold="NaN")),
    "nothing for text": (AlertRaised, body(camera=None)),
    "text for a list": (AlertAdjudicated, body(subject_factors="pose")),
    "a number in a list of text": (AlertAdjudicated, body(subject_factors=[1])),
    "another form of a reference": (AlertRaised, body(run=str(UUID("a7" * 16)))),
    "a time without its zone": (DeploymentAppliedFor, body(requested_from="2026-11-23T09:30:00")),
    "a time of another zone": (
        DeploymentAppliedFor,
        body(requested_from="2026-11-23T09:30:00.000+01:00"),
    ),
    "a reason with a field too many": (
        AdjudicationRefused,
        body(reasons=[{"code": "a", "sentence": "b", "compared": {}, "note": "x"}]),
    ),
    "a reason with a field too few": (
        AdjudicationRefused,
        body(reasons=[{"code": "a", "sentence": "b"}]),
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_entry_that_this_version_does_not_know_breaks_the_reading(
    store: Store, how: str
) -> None:
    """A broken record stops whoever reads it; it is never guessed at. The entry before is read."""
    event_class, change = BROKEN[how]
    record = store.open()
    record.append(viewed(1), usual(event_class), by=asked())
    assert [type(one.event) for one in record.history()][1:] == [event_class]
    rewritten(store, 1, change)

    history = store.open().history()
    assert next(history).event == viewed(1)
    with pytest.raises(RecordBrokenError):
        next(history)
    with pytest.raises(RecordBrokenError):
        store.open().load(Deployment, usual(event_class).originator_id)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"7"])
def test_an_entry_that_is_no_json_object_breaks_the_reading(store: Store, content: bytes) -> None:
    """Whether one stream is loaded or the whole history is read."""
    record = store.open()
    record.append(viewed(1), by=asked())
    store.drop_triggers()
    store.execute("UPDATE stored_events SET state = :state", state=content)
    with pytest.raises(RecordBrokenError):
        list(record.history())
    with pytest.raises(RecordBrokenError):
        record.load(Deployment, stream(1))


def test_a_reason_keeps_what_its_rule_compared(store: Store) -> None:
    """A refusal is a fact, with its reasons and the values they rest on."""
    reasons = [Refusal("too_late", "apply earlier", {"limit": "7", "found": "3"})]
    record = store.open()
    record.append(changed(usual(AdjudicationRefused), reasons=reasons), by=asked())
    (stored,) = record.history()
    assert isinstance(stored.event, AdjudicationRefused)
    assert stored.event.reasons == reasons

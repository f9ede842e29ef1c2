"""Whatever was ever stored can be read: one stored entry of every event, as it was stored then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.assurance import entries
from domain.catalogue import EVENTS
from domain.kernel.errors import RecordBrokenError
from domain.kernel.time import written
from infrastructure.record.entry_mapper import EntryMapper, entry_of
from infrastructure.record.event_record import recorded
from tests.architecture.make_samples import SAMPLES, make, sample_file

NAMES = sorted(EVENTS)
OLDER = [(name, shape) for name in NAMES for shape in range(1, EVENTS[name].SHAPE)]


def stored(name: str, shape: int | None = None) -> bytes:
    """The entry as it was stored, of the newest shape or an older; the file adds a newline."""
    content = sample_file(SAMPLES, name, shape or EVENTS[name].SHAPE).read_bytes()
    assert content.endswith(b"}\n")
    return content[:-1]


def test_every_stored_name_has_its_sample() -> None:
    """A new event gets one with ``python -m tests.architecture.make_samples``."""
    expected = {
        sample_file(SAMPLES, name, shape)
        for name in NAMES
        for shape in range(1, EVENTS[name].SHAPE + 1)
    }
    assert set(SAMPLES.glob("*.json")) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_loads_and_is_what_was_stored(name: str) -> None:
    """Read by this version and written again, it is the same entry, byte for byte."""
    blob = stored(name)
    whole = entries.read(blob)
    entry = recorded(entry_of(blob))
    assert type(entry.event) is EVENTS[name]
    assert (whole.name, whole.shape) == (entry.event.NAME, entry.event.SHAPE)
    assert (whole.name, whole.shape) == (name, EVENTS[name].SHAPE)

    half = json.loads(EntryMapper().to_stored_event(entry.event).state)
    again = json.loads(blob) | half | {"recorded_at": written(entry.recorded_at)}
    assert entries.canonical(again) == blob
    told = (entry.position, entry.scope, entry.mode, entry.actor, entry.role, entry.cause)
    assert told == (whole.pos, whole.scope, whole.mode, whole.actor, whole.role, whole.cause)


@pytest.mark.parametrize(("name", "shape"), OLDER)
def test_a_sample_of_an_older_shape_is_read_as_todays(name: str, shape: int) -> None:
    """What was asked then stands as it was stored; no field was dropped."""
    blob = stored(name, shape)
    entry = entry_of(blob)
    assert entry["shape"] == shape
    event = recorded(entry).event
    assert type(event) is EVENTS[name]
    again = json.loads(EntryMapper().to_stored_event(event).state)["body"]
    assert entry["body"].items() <= again.items()
    with pytest.raises(RecordBrokenError, match=name):
        recorded(entry | {"body": entry["body"] | {"unheard_of": 1}})


def without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """All but one."""
    return {field: value for field, value in fields.items() if field != name}


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_with_any_field_gone_or_of_another_type_does_not_load(name: str) -> None:
    """Nothing is guessed at, so the test above can fail."""
    entry = entry_of(stored(name))
    body = entry["body"]
    for field in body:
        for broken in (without(body, field), body | {field: 0.5}, body | {f"{field}_": 1}):
            with pytest.raises(RecordBrokenError, match=name):
                recorded(entry | {"body": broken})
    with pytest.raises(RecordBrokenError, match="no event is called"):
        recorded(entry | {"name": f"{name}_"})
    for shape in (0, EVENTS[name].SHAPE + 1):
        with pytest.raises(RecordBrokenError, match=f"has shape {shape}"):
            recorded(entry | {"shape": shape})


def test_a_sample_is_never_written_again(tmp_path: Path) -> None:
    """Not even where only one of those asked for exists."""
    (made,) = make(tmp_path, ["alert.raised"])
    before = made.read_bytes()
    with pytest.raises(FileExistsError, match="it stays"):
        make(tmp_path, ["alert.viewed", "alert.raised"])
    assert made.read_bytes() == before
    assert list(tmp_path.iterdir()) == [made]

"""Stored entries as read models take them: the envelope at once, the event when it is asked for.

The record's own reading (``infrastructure/record/entry_mapper.py``) compares every field with the
form that it must have. Here most entries are only counted, so the parser builds the fields in
their types and stops there; whether an entry is what was signed is for ``plumbline verify``.
"""

from __future__ import annotations

import dataclasses
import functools
from datetime import datetime
from typing import Any, TypedDict, TypeVar, get_type_hints
from uuid import UUID

import msgspec

from domain.catalogue import EVENTS
from domain.kernel.errors import RecordBrokenError
from domain.kernel.events import Happened

F = TypeVar("F")

_ENVELOPE = ("originator_id", "originator_version", "timestamp")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry. References are 32 hex digits and times RFC 3339, as they are stored."""

    pos: int
    name: str
    shape: int
    scope: str
    mode: str
    stream: str
    version: int
    occurred_at: str
    actor: str
    role: str
    body: msgspec.Raw

    @property
    def event(self) -> Happened:
        """The event that it holds.

        Raises:
            RecordBrokenError: it has not the fields of that event.
        """
        event_class, body = _known(self.name)
        return event_class(
            originator_id=msgspec.convert(self.stream, UUID),
            originator_version=self.version,
            timestamp=msgspec.convert(self.occurred_at, datetime),
            **self.told(body),
        )

    def told(self, fields: msgspec.json.Decoder[F]) -> F:
        """Some of the event's fields, for those who take in too many to make an event of each.

        Raises:
            RecordBrokenError: the event has not these fields.
        """
        try:
            return fields.decode(self.body)
        except msgspec.DecodeError as error:
            raise RecordBrokenError(f"entry {self.pos}: {self.name}: {error}") from error


_DECODER = msgspec.json.Decoder(Entry)
_SHAPES = {name: event_class.SHAPE for name, event_class in EVENTS.items()}


def entry_at(position: int, blob: bytes) -> Entry:
    """The entry that is stored at a position.

    Raises:
        RecordBrokenError: it is no entry, that of another place, or of an event that this version
            does not know in this shape: what it means to a read model cannot be said.
    """
    try:
        entry = _DECODER.decode(blob)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordBrokenError(f"entry {position}: {error}") from error
    if entry.pos != position:
        raise RecordBrokenError(f"entry {position} says that it is entry {entry.pos}")
    shape = _SHAPES.get(entry.name)
    if shape is None:
        raise RecordBrokenError(f"entry {position}: no event is called {entry.name}")
    if entry.shape != shape:
        raise RecordBrokenError(
            f"entry {position}: {entry.name} has shape {entry.shape}, this version reads "
            f"shape {shape}"
        )
    return entry


@functools.cache
def _known(name: str) -> tuple[type[Happened], msgspec.json.Decoder[dict[str, Any]]]:
    """The class of a stored name, and what reads its own fields into their types."""
    event_class = EVENTS[name]
    hints = get_type_hints(event_class)
    fields = {
        field.name: hints[field.name]
        for field in dataclasses.fields(event_class)
        if field.name not in _ENVELOPE
    }
    body = TypedDict(event_class.__name__, fields)  # type: ignore[misc]
    return event_class, msgspec.json.Decoder(body)

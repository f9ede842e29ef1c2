"""Between an event and its entry, for the ``eventsourcing`` library.

Half an entry goes out (what the event knows of itself); the recorder completes it under the
log's lock with what only the log knows. A whole entry comes back.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import Mapper, StoredEvent

from domain.assurance.entries import half_of
from domain.catalogue import EVENTS
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.kernel.events import Happened
from domain.kernel.time import read, utc, written
from infrastructure.record.bodies import from_body, to_body

ENTRY_FORMAT = 1


class EntryMapper(Mapper[UUID]):
    """Maps our events; nothing of the library's transcoding is used."""

    def __init__(self) -> None:
        """No transcoder, no cipher, no compressor: the entry is what is stored."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Half an entry, as the recorder takes it."""
        event: Happened = domain_event
        half = {
            "v": ENTRY_FORMAT,
            "name": event.NAME,
            "shape": event.SHAPE,
            "stream": event.originator_id.hex,
            "occurred_at": written(event.timestamp),
            "body": to_body(event),
        }
        return StoredEvent(
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            topic=event.NAME,
            state=half_of(half),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event of a stored entry."""
        return event_of(entry_of(stored_event.state))


def entry_of(blob: bytes) -> dict[str, Any]:
    """The entry that is stored as these bytes; what is in it is not asked here.

    Raises:
        RecordBrokenError: the bytes are not a JSON object.
    """
    try:
        entry = msgspec.json.decode(blob)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordBrokenError(f"expected an entry in JSON, found: {error}") from error
    if not isinstance(entry, dict):
        raise RecordBrokenError(f"expected an entry, found a {type(entry).__name__}")
    return entry


class _OfTheEvent(msgspec.Struct):
    """What an entry says of its event, beside what only the log knows."""

    pos: int
    name: str
    shape: int
    stream: str
    version: int
    occurred_at: str
    body: dict[str, Any]


def event_of(entry: dict[str, Any]) -> Happened:
    """The event that an entry holds.

    Raises:
        RecordBrokenError: this version does not know the name, the shape or the fields.
    """
    try:
        told = msgspec.convert(entry, _OfTheEvent)
    except msgspec.ValidationError as error:
        raise RecordBrokenError(f"entry {entry.get('pos')!a}: {error}") from error
    event_class = EVENTS.get(told.name)
    if event_class is None:
        raise RecordBrokenError(f"entry {told.pos}: no event is called {told.name}")
    if not 1 <= told.shape <= event_class.SHAPE:
        raise RecordBrokenError(
            f"entry {told.pos}: {told.name} has shape {told.shape}, "
            f"this version reads shapes up to {event_class.SHAPE}"
        )
    body = told.body
    if told.shape < event_class.SHAPE:
        body = event_class.upcast(body, shape=told.shape)
    fields = from_body(event_class, body)
    try:
        return event_class(
            originator_id=UUID(told.stream),
            originator_version=told.version,
            timestamp=utc(read(told.occurred_at)),
            **fields,
        )
    except (ValueError, DomainError) as error:
        raise RecordBrokenError(f"entry {told.pos}: {error}") from error

"""Between an event and its entry, for the ``eventsourcing`` library.

Half an entry goes out (what the event knows of itself); the recorder completes it under the
log's lock with what only the log knows. A whole entry comes back.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from eventsourcing.persistence import Mapper, StoredEvent

from domain.catalogue import EVENTS
from domain.kernel.errors import RecordBrokenError
from domain.kernel.events import Happened
from domain.kernel.time import read, written
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
            "version": event.originator_version,
            "occurred_at": written(event.timestamp),
            "body": to_body(event),
        }
        return StoredEvent(
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            topic=event.NAME,
            state=json.dumps(half).encode(),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event of a stored entry."""
        return event_of(json.loads(stored_event.state))


def event_of(entry: dict[str, Any]) -> Happened:
    """The event that an entry holds.

    Raises:
        RecordBrokenError: this version does not know the name, the shape or the fields.
    """
    event_class = EVENTS.get(entry["name"])
    if event_class is None:
        raise RecordBrokenError(f"entry {entry['pos']}: no event is called {entry['name']}")
    if entry["shape"] != event_class.SHAPE:
        raise RecordBrokenError(
            f"entry {entry['pos']}: {entry['name']} has shape {entry['shape']}, "
            f"this version reads shape {event_class.SHAPE}"
        )
    return event_class(
        originator_id=UUID(entry["stream"]),
        originator_version=entry["version"],
        timestamp=read(entry["occurred_at"]),
        **from_body(event_class, entry["body"]),
    )

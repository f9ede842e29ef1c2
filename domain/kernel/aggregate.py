"""An aggregate: state that policies ask about, rebuilt from its own events.

``decide`` methods may refuse; ``evolve`` may not, and reads nothing but the event.
The shape is what the ``eventsourcing`` library stores and loads (an id, a version and
pending events to collect), without its metaclass.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Self, get_type_hints
from uuid import UUID

from domain.kernel.errors import NotFoundError, RecordBrokenError
from domain.kernel.events import Happened


class Aggregate(ABC):
    """One stream of events and the state that they leave."""

    KIND: ClassVar[str]
    """What a reader calls it, for messages."""
    GROWS: ClassVar[bool] = False
    """Whether its stream can become so long that a record keeps what it has read of it. No method
    of such a class may change anything inside the values of its dictionaries and lists."""

    def __init__(self, stream: UUID) -> None:
        self._stream = stream
        self.version = 0
        self._pending: list[Happened] = []

    @property
    def id(self) -> UUID:
        """The stream."""
        return self._stream

    @abstractmethod
    def evolve(self, event: Any) -> None:
        """Take in one event. Never refuses."""

    def follow(self, event: Happened) -> None:
        """Take in a stored event, which must be the next of this stream."""
        if event.originator_id != self.id or event.originator_version != self.version + 1:
            raise RecordBrokenError(
                f"{self.KIND} {self.id}: expected its event {self.version + 1}, "
                f"found event {event.originator_version} of {event.originator_id}"
            )
        self.evolve(event)
        self.version = event.originator_version

    def happened(self, event_class: type[Happened], *, at: datetime, **fields: Any) -> None:
        """Add a new event to the stream, to be appended to the record."""
        event = event_class(
            originator_id=self.id, originator_version=self.version + 1, timestamp=at, **fields
        )
        self.follow(event)
        self._pending.append(event)

    def collect_events(self) -> Sequence[Happened]:
        """The new events, once."""
        pending, self._pending = self._pending, []
        return pending

    def forked(self) -> Self:
        """Another in the same state, without pending events: neither changes the other."""
        other = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, dict | list | set):
                setattr(other, name, value.copy())
        other._pending = []
        return other

    @classmethod
    def replayed(cls, stream: UUID, events: Sequence[Happened]) -> Self:
        """The aggregate as its events leave it.

        Raises:
            NotFoundError: the stream is that of something else: a caller can name any stream.
        """
        if events and not isinstance(events[0], _events_of(cls)):
            raise NotFoundError(f"there is no {cls.KIND} {stream.hex}, but something else")
        aggregate = cls(stream)
        for event in events:
            aggregate.follow(event)
        return aggregate


@cache
def _events_of(kind: type[Aggregate]) -> Any:
    """The events that an aggregate takes in, as its ``evolve`` says."""
    return get_type_hints(kind.evolve)["event"]

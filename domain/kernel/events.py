"""The base of every event, and the register of permanent stored names.

An event is one fact. Its stored name never changes and is never given to something else
(promise 3), and its fields carry nothing that must one day be erased (promise 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from eventsourcing.domain import DomainEvent

NEXT_VERSION = 0
"""The version of an event for a journal: the record gives the next one under the log's lock.

A journal (the refusals of a scope, the faces of a run) is only ever added to, so nobody needs
to have read it before writing to it.
"""


@dataclass(frozen=True, kw_only=True)
class Happened(DomainEvent):
    """One fact.

    ``originator_id`` is the stream, ``originator_version`` its place there (from 1), and
    ``timestamp`` the time at which it happened (aware, UTC, whole milliseconds).
    """

    NAME: ClassVar[str]
    """The permanent stored name, ``context.fact``."""
    SHAPE: ClassVar[int] = 1
    """The version of the fields. Raise it, with :meth:`upcast`, when they change."""

    @classmethod
    def upcast(cls, body: dict[str, Any], *, shape: int) -> dict[str, Any]:
        """The fields that an entry of an older shape stored, as they are called today.

        What was not asked then is filled in with what was true then, never with a guess.

        Args:
            body: the fields as they were stored, which stay as they are.
            shape: from 1 to one less than :attr:`SHAPE`.
        """
        raise NotImplementedError(f"{cls.NAME} never had shape {shape}")


E_co = TypeVar("E_co", bound=type[Happened])

_BY_NAME: dict[str, type[Happened]] = {}


def recorded_as(name: str) -> Callable[[E_co], E_co]:
    """Give an event class its permanent stored name."""

    def register(event_class: E_co) -> E_co:
        if name in _BY_NAME:
            raise ValueError(f"the stored name {name} is already taken by {_BY_NAME[name]}")
        event_class.NAME = name
        _BY_NAME[name] = event_class
        return event_class

    return register


def event_classes() -> dict[str, type[Happened]]:
    """Every event class by its stored name; complete once ``domain.catalogue`` is imported."""
    return dict(_BY_NAME)

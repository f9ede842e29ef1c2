"""What may be asked about an item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from domain.custody.events import AdoptedRule, Statement
from domain.kernel.commands import Command


@dataclass(frozen=True, kw_only=True)
class ConsultItem(Command):
    """Open an item, for a purpose given as a code."""

    item: UUID
    purpose: str


@dataclass(frozen=True, kw_only=True)
class EnrolRechecker(Command):
    """Let a key sign re-checks and inventories."""

    rechecker: str
    """Its name (``domain.assurance.rechecks.key_name``)."""
    public_key: str
    """Ed25519, hex."""
    for_another: bool
    """Whether it is to be another person's than whoever runs the node that destroys."""


@dataclass(frozen=True, kw_only=True)
class DestroyItems(Command):
    """Destroy items, for a cause given as a code."""

    items: list[UUID]
    cause: str
    holds_as_of: datetime | None = None
    """The time that holds are judged by, if not :attr:`at`: what one keeps then is left alone."""
    known_outside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Class to the kinds of copies outside that may hold what such an item held."""


@dataclass(frozen=True, kw_only=True)
class AdoptSchedule(Command):
    """Keep items by this retention schedule from now on."""

    version: str
    owner: str
    rules: list[AdoptedRule]


@dataclass(frozen=True, kw_only=True)
class RegisterDocument(Command):
    """Keep what a document of the force says of how long things are kept."""

    document: str
    version: str
    published_on: str
    digest: str
    statements: list[Statement]

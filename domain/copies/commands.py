"""What may be said of a copy of a watchlist."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.kernel.commands import Command


@dataclass(frozen=True, kw_only=True)
class RegisterCopy(Command):
    """Say that there is a copy; where it is in a code, never by a path."""

    deployment: UUID
    watchlist: UUID
    copy: UUID
    kind: str
    location: str
    holder: str
    """The role of whoever has it, as a code."""
    exposure: str
    """Who could read or change it, as a code; ``not-checked`` where nobody looked."""


@dataclass(frozen=True, kw_only=True)
class DestroyCopy(Command):
    """Say that a copy was destroyed, and how. The actor is who did it."""

    watchlist: UUID
    copy: UUID
    method: str


@dataclass(frozen=True, kw_only=True)
class VerifyCopy(Command):
    """Say what another person found who looked for a destroyed copy."""

    watchlist: UUID
    copy: UUID
    probe: str
    """How they looked, as a code."""
    still_there: bool

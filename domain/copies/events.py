"""What happened to the copies of a watchlist. All copies of a list share one stream."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("copy.registered")
@dataclass(frozen=True, kw_only=True)
class CopyRegistered(Happened):
    """There is a copy of a watchlist outside the vault."""

    copy: UUID
    deployment: UUID
    watchlist: UUID
    kind: str
    location: str
    """What kind of place, as a code; never a path."""
    holder: str
    """The role of whoever has it."""
    exposure: str
    """``owner-only``, ``others-may-read``, ``others-may-write`` or ``not-checked``."""
    kinds: str
    """The version of the closed lists that these codes are from."""


@recorded_as("copy.destroyed")
@dataclass(frozen=True, kw_only=True)
class CopyDestroyed(Happened):
    """Someone says that they destroyed a copy. It counts once another person looked for it."""

    copy: UUID
    destroyer: str
    method: str


@recorded_as("copy.absence_verified")
@dataclass(frozen=True, kw_only=True)
class AbsenceVerified(Happened):
    """Another person looked for a destroyed copy, and it was not there."""

    copy: UUID
    verifier: str
    probe: str


@recorded_as("copy.still_there")
@dataclass(frozen=True, kw_only=True)
class StillThere(Happened):
    """Another person looked for a destroyed copy, and it was there: it is yet to be destroyed."""

    copy: UUID
    finder: str
    probe: str


@recorded_as("watchlist.destroyed")
@dataclass(frozen=True, kw_only=True)
class WatchlistDestroyed(Happened):
    """Nothing is left of a list: every registered copy was verified absent, every item destroyed.

    A copy that is registered later is a new finding, and this is then said again in its time.
    """

    deployment: UUID
    watchlist: UUID
    copies: int
    items: int


CopiesEvent = CopyRegistered | CopyDestroyed | AbsenceVerified | StillThere | WatchlistDestroyed


@recorded_as("copy.registration_refused")
@dataclass(frozen=True, kw_only=True)
class RegistrationRefused(WasRefused):
    """A copy was not registered."""


@recorded_as("copy.destruction_refused")
@dataclass(frozen=True, kw_only=True)
class DestructionRefused(WasRefused):
    """A copy's destruction was not taken down."""


@recorded_as("copy.verification_refused")
@dataclass(frozen=True, kw_only=True)
class VerificationRefused(WasRefused):
    """What somebody says they found of a copy was not taken down."""

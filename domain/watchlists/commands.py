"""What may be asked of a watchlist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.kernel.commands import Command
from domain.kernel.refusals import Refusal


@dataclass(frozen=True, kw_only=True)
class ProposeCriteria(Command):
    """Propose who may be on the list."""

    watchlist: UUID
    deployment: UUID
    categories: list[str]
    accepted_values: str
    adult_age_bands: list[str]
    contested_categories: list[str]
    most_entries: int
    """How many entries the list may have, at least 1."""


@dataclass(frozen=True, kw_only=True)
class ApproveCriteria(Command):
    """Approve who may be on the list."""

    watchlist: UUID


@dataclass(frozen=True, kw_only=True)
class Necessity:
    """Why one person is proposed, in the codes of the accepted values."""

    category: str
    source_system: str
    image_basis: str
    necessity: str
    attempted_means: str
    attempted_on: date
    attempted_result: str
    nexus: str
    age_band: str
    vulnerable: bool
    response_code: str


@dataclass(frozen=True, kw_only=True)
class ProposeEntry(Command):
    """Propose one person, with the reference image and the caller's own reference."""

    watchlist: UUID
    entry: UUID
    necessity: Necessity


@dataclass(frozen=True, kw_only=True)
class AcceptEntry(Command):
    """Take a proposed entry whose reference image was good enough."""

    watchlist: UUID
    entry: UUID
    model_digest: str


@dataclass(frozen=True, kw_only=True)
class RejectEntry(Command):
    """Turn a proposed entry away."""

    watchlist: UUID
    entry: UUID
    reasons: list[str]


@dataclass(frozen=True, kw_only=True)
class RefuseImport(Command):
    """Keep the reasons why a watchlist file was not imported."""

    watchlist: UUID
    reasons: list[Refusal]


@dataclass(frozen=True, kw_only=True)
class SealWatchlist(Command):
    """Close the list: asked by one person, done by a second."""

    watchlist: UUID


@dataclass(frozen=True, kw_only=True)
class ApproveWatchlist(Command):
    """Approve the composition of the sealed list."""

    watchlist: UUID


@dataclass(frozen=True, kw_only=True)
class ReviewEntries(Command):
    """Say that these entries were looked at again and belong on the list."""

    watchlist: UUID
    entries: list[UUID]


@dataclass(frozen=True, kw_only=True)
class RemoveEntry(Command):
    """Take an entry off the list, at any time."""

    watchlist: UUID
    entry: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class DecideExtraAuthority(Command):
    """Say whether entries that need a second authority may be on the list, and why."""

    watchlist: UUID
    entries: list[UUID]
    granted: bool
    reason: str
    rank: str
    rank_evidence: str


@dataclass(frozen=True, kw_only=True)
class ReopenWatchlist(Command):
    """Vary the authorisation: let a sealed list take more entries."""

    watchlist: UUID
    reason: str
    most_added: int


@dataclass(frozen=True, kw_only=True)
class LoadGallery(Command):
    """Take a list's templates into a recogniser's memory."""

    deployment: UUID
    watchlist: UUID
    camera: str

"""What happened to a watchlist."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("watchlist.criteria_proposed")
@dataclass(frozen=True, kw_only=True)
class CriteriaProposed(Happened):
    """Someone proposed who may be on the list."""

    deployment: UUID
    proposer: str
    categories: list[str]
    accepted_values: str
    """The version of the catalogue whose codes the list uses."""


@recorded_as("watchlist.criteria_approved")
@dataclass(frozen=True, kw_only=True)
class CriteriaApproved(Happened):
    """The Authorising Officer approved who may be on the list, before anyone was."""

    officer: str


@recorded_as("watchlist.entry_proposed")
@dataclass(frozen=True, kw_only=True)
class EntryProposed(Happened):
    """A person was proposed for the list, by a random reference, with the necessity in codes."""

    entry: UUID
    proposer: str
    category: str
    source_system: str
    image_basis: str
    necessity: str
    attempted_means: str
    attempted_on: str
    """The day of the last failed attempt by a less intrusive means, YYYY-MM-DD."""
    attempted_result: str
    nexus: str
    """Why this person is expected at this place and time."""
    age_band: str
    vulnerable: bool
    response_code: str
    image_item: UUID
    reference_item: UUID
    """Where the caller's own reference of the entry is kept, in the vault."""


@recorded_as("watchlist.entry_accepted")
@dataclass(frozen=True, kw_only=True)
class EntryAccepted(Happened):
    """The reference image was good enough, and its template was made."""

    entry: UUID
    template_item: UUID
    model_digest: str


@recorded_as("watchlist.entry_rejected")
@dataclass(frozen=True, kw_only=True)
class EntryRejected(Happened):
    """The entry was not taken, for these reasons."""

    entry: UUID
    reasons: list[str]


@recorded_as("watchlist.seal_requested")
@dataclass(frozen=True, kw_only=True)
class SealRequested(Happened):
    """The first of two persons closed the list."""

    sealer: str
    entries: int


@recorded_as("watchlist.sealed")
@dataclass(frozen=True, kw_only=True)
class WatchlistSealed(Happened):
    """The second of two persons closed the list; its nature is recorded here."""

    sealers: list[str]
    entries: int
    rejected: int
    by_category: dict[str, int]
    by_source_system: dict[str, int]
    by_age_band: dict[str, int]
    vulnerable: int
    model_digest: str


@recorded_as("watchlist.approved")
@dataclass(frozen=True, kw_only=True)
class WatchlistApproved(Happened):
    """The Authorising Officer approved the composition of the sealed list."""

    officer: str
    entries: int


WatchlistEvent = (
    CriteriaProposed
    | CriteriaApproved
    | EntryProposed
    | EntryAccepted
    | EntryRejected
    | SealRequested
    | WatchlistSealed
    | WatchlistApproved
)


@recorded_as("watchlist.criteria_refused")
@dataclass(frozen=True, kw_only=True)
class CriteriaRefused(WasRefused):
    """The criteria could not be proposed or approved."""


@recorded_as("watchlist.import_refused")
@dataclass(frozen=True, kw_only=True)
class ImportRefused(WasRefused):
    """A file was not imported; nothing of it was."""


@recorded_as("watchlist.entry_refused")
@dataclass(frozen=True, kw_only=True)
class EntryRefused(WasRefused):
    """An entry could not be proposed, accepted or rejected."""


@recorded_as("watchlist.seal_refused")
@dataclass(frozen=True, kw_only=True)
class SealRefused(WasRefused):
    """The list could not be sealed."""


@recorded_as("watchlist.approval_refused")
@dataclass(frozen=True, kw_only=True)
class ApprovalRefused(WasRefused):
    """The list could not be approved."""


@recorded_as("watchlist.gallery_refused")
@dataclass(frozen=True, kw_only=True)
class GalleryRefused(WasRefused):
    """The list's templates were not given to a recogniser."""

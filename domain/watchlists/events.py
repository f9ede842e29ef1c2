"""What happened to a watchlist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
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
    adult_age_bands: list[str]
    """The age bands of adults; an entry of any other needs extra authority."""
    contested_categories: list[str]
    """Categories that are off unless somebody asks for them; each entry needs extra authority."""
    most_entries: int
    """How many entries the list may have; 0 where nobody said."""

    SHAPE: ClassVar[int] = 2

    @classmethod
    def upcast(cls, body: dict[str, Any], *, shape: int) -> dict[str, Any]:
        """Before the second shape nobody said who is an adult: then no band is."""
        return body | {"adult_age_bands": [], "contested_categories": [], "most_entries": 0}


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


@recorded_as("watchlist.entries_reviewed")
@dataclass(frozen=True, kw_only=True)
class EntriesReviewed(Happened):
    """Somebody looked at these entries again: they are up to date and belong on the list."""

    reviewer: str
    entries: list[UUID]


@recorded_as("watchlist.entry_removed")
@dataclass(frozen=True, kw_only=True)
class EntryRemoved(Happened):
    """An entry is off the list; nothing is compared with it from here on."""

    entry: UUID
    remover: str
    reason: str


@recorded_as("watchlist.extra_authority_decided")
@dataclass(frozen=True, kw_only=True)
class ExtraAuthorityDecided(Happened):
    """A second authority said whether a child, a vulnerable person or a contested category may be
    on the list."""

    officer: str
    rank: str
    """At that time, with what shows it."""
    rank_evidence: str
    entries: list[UUID]
    granted: bool
    reason: str


@recorded_as("watchlist.reopened")
@dataclass(frozen=True, kw_only=True)
class WatchlistReopened(Happened):
    """The authorisation was varied: the sealed list may take this many more entries.

    It must be sealed and approved anew before anything starts.
    """

    officer: str
    reason: str
    most_added: int


WatchlistEvent = (
    CriteriaProposed
    | CriteriaApproved
    | EntryProposed
    | EntryAccepted
    | EntryRejected
    | SealRequested
    | WatchlistSealed
    | WatchlistApproved
    | EntriesReviewed
    | EntryRemoved
    | ExtraAuthorityDecided
    | WatchlistReopened
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


@recorded_as("watchlist.review_refused")
@dataclass(frozen=True, kw_only=True)
class ReviewRefused(WasRefused):
    """The entries could not be called looked at."""


@recorded_as("watchlist.removal_refused")
@dataclass(frozen=True, kw_only=True)
class RemovalRefused(WasRefused):
    """The entry could not be taken off."""


@recorded_as("watchlist.extra_authority_refused")
@dataclass(frozen=True, kw_only=True)
class ExtraAuthorityRefused(WasRefused):
    """Nobody who may decided on the extra authority."""


@recorded_as("watchlist.reopening_refused")
@dataclass(frozen=True, kw_only=True)
class ReopeningRefused(WasRefused):
    """The sealed list takes no more entries."""

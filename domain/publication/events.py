"""What happened to published records. Nothing that was published is ever unsaid."""

from __future__ import annotations

from dataclasses import dataclass

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("publication.record_published")
@dataclass(frozen=True, kw_only=True)
class RecordPublished(Happened):
    """The public can read the record of a deployment."""

    publisher: str
    page: str
    digest: str
    entries: int
    """That the figures were counted from."""


@recorded_as("publication.record_corrected")
@dataclass(frozen=True, kw_only=True)
class RecordCorrected(Happened):
    """Other figures took the place of those that were published; the old ones stay here."""

    publisher: str
    page: str
    digest: str
    was: str
    """The digest of the figures before."""
    reason: str
    entries: int


PublicationEvent = RecordPublished | RecordCorrected


@recorded_as("publication.step_refused")
@dataclass(frozen=True, kw_only=True)
class PublicationRefused(WasRefused):
    """The record is not fit to be published yet, or not to be corrected like this."""

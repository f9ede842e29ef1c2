"""Which values of a deployment's state an entry can have changed.

Told from the kind of the entry alone, so that the causes of a difference are gathered in one pass:
comparing whole states after each entry would take the square of their number. A test steps through
played histories and fails if anything changed that is not named here.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from api.replaying.state import AsItWas
from domain.alerts import events as alert
from domain.custody import events as item
from domain.deployments import events as deployment
from domain.engagements import events as engagement
from domain.kernel.refusals import WasRefused
from domain.ports import Recorded
from domain.sightings import events as sighting
from domain.watchlists import events as watchlist

Path = tuple[str, ...]
"""A value's place in ``State.as_json()``, or that of a group of values."""

_SUMS = ("without_outcome", "doubled", "balance", "compared")
"""What whatever is counted can change, beside its own count."""
_OUTCOME = (*_SUMS, "longest_template_life_ms")
"""What any face's outcome can change, beside its own count."""

_BORN_WITH = ("state", "catalogue", "categories", "proposer")
_COUNTED_WHEN_ACCEPTED = (
    "not_judged",
    "accepted",
    "model_digest",
    "by_category",
    "by_source_system",
    "by_age_band",
)
_COUNTED_WHEN_REJECTED = ("not_judged", "rejected", "rejected_for")
_COUNTED_WHEN_REMOVED = (
    "accepted",
    "removed",
    "reviewed",
    "by_category",
    "by_source_system",
    "by_age_band",
)
_COUNTED_WHEN_DESTROYED = ("live", "being_destroyed", "overdue", "destroyed")


def touched(entry: Recorded, state: AsItWas) -> Iterator[Path]:
    """The values that an entry can have changed.

    Args:
        entry: the newest.
        state: as it is with the entry taken in.
    """
    match entry.event:
        case WasRefused() as event:
            yield ("refusals", event.NAME)
            if isinstance(event, alert.RaiseRefused):
                yield from _of_run(event.run, "interrupted", *_OUTCOME)
        case sighting.SightingSuppressed() | sighting.FaceNotEnrolled() as event:
            yield from _of_run(event.run, _COUNT[type(event)], *_OUTCOME)
        case sighting.FaceEnrolledAndDiscarded() as event:
            yield from _of_run(event.run, _COUNT[type(event)], *_OUTCOME)
        case sighting.RunProgressed() as event:
            yield from _of_run(event.run, "frames", "seen", *_SUMS)
        case sighting.RunInterrupted() as event:
            yield from _of_run(event.run, "seen", "interrupted", *_SUMS)
        case sighting.RunReconciled() | sighting.ReconciliationFailed() as event:
            yield from _of_run(event.run, "compared")
        case alert.AlertRaised() as event:
            yield from _of("alerts", event.originator_id, "state")
            yield from _of_run(event.run, "alerted", *_OUTCOME)
        case alert.AlertViewed() as event:
            yield from _of("alerts", event.originator_id, "state", "viewers")
        case alert.AlertAdjudicated() as event:
            yield from _of("alerts", event.originator_id, "state", "decision")
        case alert.AlertClosedUndetermined() as event:
            yield from _of("alerts", event.originator_id, "state")
        case alert.DissentRecorded() as event:
            yield from _of("alerts", event.originator_id, "dissenters")
        case engagement.EngagementStarted() as event:
            yield from _of("alerts", event.alert, "officers")
        case engagement.PersonNotLocated() as event:
            yield from _of("alerts", event.alert, "not_located")
        case engagement.IdentityEstablished() as event:
            yield from _of("alerts", event.alert, "identity")
        case engagement.OutcomeRecorded() | engagement.OutcomeCorrected() as event:
            yield from _of("alerts", event.alert, "outcomes")
        case _:
            yield from _touched_beside_faces(entry, state)


def _touched_beside_faces(entry: Recorded, state: AsItWas) -> Iterator[Path]:
    match entry.event:
        case deployment.DeploymentAppliedFor():
            yield from (("phase",), ("application",))
        case deployment.CameraConfigured():
            yield from (("cameras",), ("footage_recorded",))
        case (
            deployment.DeploymentAuthorised()
            | deployment.AuthorisationRatified()
            | deployment.RatificationDeclined()
            | deployment.AuthorisationVaried()
            | deployment.AuthorisationWithdrawn()
        ):
            yield from (("phase",), ("authorisation",))
        case deployment.ReportSubmitted():
            yield ("report",)
        case deployment.PlaceDecided():
            yield ("place",)
        case deployment.DeploymentStarted() as event:
            yield ("phase",)
            yield from _of_run(event.run, "recognition", "balance", "compared")
        case deployment.DeploymentStopped() as event:
            yield ("phase",)
            yield from _of_run(event.run, "recognition", "balance")
        case deployment.DeploymentEnded() | deployment.DeploymentCancelled():
            yield ("phase",)
        case watchlist.CriteriaProposed() as event:
            yield from _of("watchlists", event.originator_id, *_BORN_WITH)
        case watchlist.EntryProposed() as event:
            yield from _of("watchlists", event.originator_id, "not_judged")
        case watchlist.EntryAccepted() as event:
            yield from _of("watchlists", event.originator_id, *_COUNTED_WHEN_ACCEPTED)
        case watchlist.EntryRejected() as event:
            yield from _of("watchlists", event.originator_id, *_COUNTED_WHEN_REJECTED)
        case watchlist.WatchlistSealed() as event:
            yield from _of("watchlists", event.originator_id, "state", "sealers")
        case watchlist.CriteriaApproved() | watchlist.SealRequested() as event:
            yield from _of("watchlists", event.originator_id, "state")
        case watchlist.WatchlistApproved() as event:
            yield from _of("watchlists", event.originator_id, "state")
        case watchlist.WatchlistReopened() as event:
            yield from _of("watchlists", event.originator_id, "state", "sealers")
        case watchlist.EntryRemoved() as event:
            yield from _of("watchlists", event.originator_id, *_COUNTED_WHEN_REMOVED)
        case watchlist.EntriesReviewed() as event:
            yield from _of("watchlists", event.originator_id, "reviewed")
        case watchlist.ExtraAuthorityDecided() as event:
            yield from _of("watchlists", event.originator_id, "extra_authority")
        case item.GalleryLoaded() as event:
            yield from _of("watchlists", event.watchlist, "loaded_by")
        case item.ItemRegistered() as event:
            yield from _of_class(event.item_class, "live", "overdue", "rules")
        case item.ItemHeld() | item.HoldEnded() as event:
            yield from _of_class(state.item_class(event.originator_id), "overdue")
        case item.DestructionStarted() as event:
            yield from _of_class(state.item_class(event.originator_id), "being_destroyed")
        case item.ItemDestroyed() as event:
            yield from _of_class(event.item_class, *_COUNTED_WHEN_DESTROYED)
        case _:
            return


_COUNT: dict[type, str] = {
    sighting.FaceNotEnrolled: "not_enrolled",
    sighting.FaceEnrolledAndDiscarded: "enrolled_and_discarded",
    sighting.SightingSuppressed: "suppressed",
}


def _of(group: str, one: UUID, *names: str) -> Iterator[Path]:
    return ((group, one.hex, name) for name in names)


def _of_run(run: UUID, *names: str) -> Iterator[Path]:
    return _of("runs", run, *names)


def _of_class(item_class: str | None, *names: str) -> Iterator[Path]:
    return (("items", item_class or "", name) for name in names)

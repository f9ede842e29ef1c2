"""A deployment's history in words, one line an entry: when, in what role, what happened.

Every stored name has its sentence; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from domain.alerts import events as alert
from domain.arrests import events as arrest
from domain.copies import events as copies
from domain.custody import events as item
from domain.deployments import events as deployment
from domain.engagements import events as engagement
from domain.footage import events as footage
from domain.governance import events as governance
from domain.holds import events as hold
from domain.kernel.events import Happened
from domain.kernel.refusals import WasRefused
from domain.kernel.time import written
from domain.log import events as log
from domain.notice import events as notice
from domain.ports import Recorded
from domain.publication import events as publication
from domain.rights import events as rights
from domain.sightings import events as sighting
from domain.sightings.seeding import SeededPassRecorded
from domain.watchlists import events as watchlist

E = TypeVar("E", bound=Happened)
_SENTENCES: dict[type[Happened], Callable[[Any], str]] = {}


def line(entry: Recorded) -> str:
    """One entry as a line: position, time, role, stored name, sentence."""
    mark = "REHEARSAL " if entry.mode == "rehearsal" else ""
    suspect = " (clock suspect)" if entry.clock == "suspect" else ""
    return (
        f"{mark}{entry.position:>6}  {written(entry.event.timestamp)}{suspect}  "
        f"{entry.role:<20}  {entry.event.NAME:<28}  {sentence(entry.event)}"
    )


def sentence(event: Happened) -> str:
    """What happened, in words.

    Raises:
        KeyError: no sentence was written for this event; the architecture test prevents it.
    """
    if isinstance(event, WasRefused):
        asked = event.NAME.split(".")[1].replace("_refused", "").replace("_", " ")
        reasons = "; ".join(f"{one.code}: {one.sentence}" for one in event.reasons)
        return f"refused ({asked}): {reasons}"
    return _SENTENCES[type(event)](event)


def can_tell(event_class: type[Happened]) -> bool:
    """Whether there is a sentence for this event."""
    return issubclass(event_class, WasRefused) or event_class in _SENTENCES


def _tells(event_class: type[E]) -> Callable[[Callable[[E], str]], Callable[[E], str]]:
    def register(tell: Callable[[E], str]) -> Callable[[E], str]:
        _SENTENCES[event_class] = tell
        return tell

    return register


def _by_whom(kind: str) -> str:
    """Who looked whether something is gone."""
    known = {
        "in-process": "by the process that destroyed",
        "separate-process": "by another process",
    }
    return known.get(kind, kind)


def _footage(segments: int, first_gone_at: datetime | None) -> str:
    if first_gone_at is None:
        return "no footage is left"
    return (
        f"{_count(segments, 'segment', 'segments')} of footage left, the first gone by "
        f"{written(first_gone_at)} unless it is held"
    )


def _count(many: int, one: str, more: str) -> str:
    return f"{many} {one if many == 1 else more}"


def _short(reference: object) -> str:
    return str(getattr(reference, "hex", reference))[:8]


@_tells(deployment.DeploymentAppliedFor)
def _(e: deployment.DeploymentAppliedFor) -> str:
    return (
        f"{e.applicant} applied for a {e.mode} deployment ({e.use_case}, {e.objective}) at "
        f"{e.location}, {written(e.requested_from)} to {written(e.requested_until)}, "
        f"with {e.officers} officers"
    )


@_tells(deployment.CameraConfigured)
def _(e: deployment.CameraConfigured) -> str:
    footage = "footage is recorded" if e.footage_recorded else "no footage is recorded"
    return f"camera {e.camera} ({e.source_kind}) got a zone of {len(e.zone)} points; {footage}"


@_tells(deployment.DeploymentAuthorised)
def _(e: deployment.DeploymentAuthorised) -> str:
    return (
        f"{e.officer} authorised the deployment: targeted ({e.targeted}), intelligence-led "
        f"({e.intelligence_led}), {written(e.valid_from)} to {written(e.valid_until)}, cameras "
        f"{', '.join(e.cameras)}, threshold {e.threshold} ({e.threshold_justification})"
    )


@_tells(deployment.ReportSubmitted)
def _(e: deployment.ReportSubmitted) -> str:
    return f"{e.applicant} reported to the Authorising Officer in {len(e.sections)} sections"


@_tells(deployment.PlaceDecided)
def _(e: deployment.PlaceDecided) -> str:
    verb = "allowed" if e.granted else "did not allow"
    return f"{e.officer} ({e.rank}) {verb} the sensitive place ({e.reason})"


@_tells(deployment.AuthorisationRatified)
def _(e: deployment.AuthorisationRatified) -> str:
    return f"{e.officer} ({e.rank}) ratified the urgent authorisation ({e.reason})"


@_tells(deployment.RatificationDeclined)
def _(e: deployment.RatificationDeclined) -> str:
    return (
        f"{e.officer} ({e.rank}) did not ratify the urgent authorisation ({e.reason}): nothing "
        "starts any more"
    )


@_tells(deployment.AuthorisationVaried)
def _(e: deployment.AuthorisationVaried) -> str:
    return (
        f"{e.officer} varied the authorisation ({e.reason}): {written(e.valid_from)} to "
        f"{written(e.valid_until)}, cameras {', '.join(e.cameras)}"
    )


@_tells(deployment.AuthorisationWithdrawn)
def _(e: deployment.AuthorisationWithdrawn) -> str:
    return f"{e.officer} withdrew the authorisation ({e.reason}): nothing starts any more"


@_tells(deployment.DeploymentStarted)
def _(e: deployment.DeploymentStarted) -> str:
    return (
        f"recognition was switched on against {e.gallery_size} entries at threshold {e.threshold}"
    )


@_tells(deployment.DeploymentStopped)
def _(e: deployment.DeploymentStopped) -> str:
    return f"recognition was switched off: {e.cause}"


@_tells(deployment.DeploymentEnded)
def _(e: deployment.DeploymentEnded) -> str:
    return "the deployment ended; everything kept for it is due"


@_tells(deployment.DeploymentCancelled)
def _(e: deployment.DeploymentCancelled) -> str:
    return f"the deployment was cancelled: {e.reason}"


@_tells(watchlist.CriteriaProposed)
def _(e: watchlist.CriteriaProposed) -> str:
    return f"{e.proposer} proposed criteria: categories {', '.join(e.categories)}"


@_tells(watchlist.CriteriaApproved)
def _(e: watchlist.CriteriaApproved) -> str:
    return f"{e.officer} approved the criteria"


@_tells(watchlist.EntryProposed)
def _(e: watchlist.EntryProposed) -> str:
    return (
        f"entry {_short(e.entry)} was proposed: {e.category}, {e.necessity}; {e.attempted_means} "
        f"on {e.attempted_on} gave {e.attempted_result}; expected here by {e.nexus}"
    )


@_tells(watchlist.EntryAccepted)
def _(e: watchlist.EntryAccepted) -> str:
    return f"entry {_short(e.entry)} was accepted; its template is item {_short(e.template_item)}"


@_tells(watchlist.EntryRejected)
def _(e: watchlist.EntryRejected) -> str:
    return f"entry {_short(e.entry)} was rejected: {', '.join(e.reasons)}"


@_tells(watchlist.SealRequested)
def _(e: watchlist.SealRequested) -> str:
    return f"{e.sealer} asked for the list of {e.entries} entries to be sealed"


@_tells(watchlist.WatchlistSealed)
def _(e: watchlist.WatchlistSealed) -> str:
    counts = ", ".join(f"{count} {category}" for category, count in e.by_category.items())
    return f"{' and '.join(e.sealers)} sealed the list: {e.entries} entries ({counts})"


@_tells(watchlist.WatchlistApproved)
def _(e: watchlist.WatchlistApproved) -> str:
    return f"{e.officer} approved the list of {e.entries} entries"


@_tells(watchlist.EntriesReviewed)
def _(e: watchlist.EntriesReviewed) -> str:
    return f"{e.reviewer} looked again at {_count(len(e.entries), 'entry', 'entries')}"


@_tells(watchlist.EntryRemoved)
def _(e: watchlist.EntryRemoved) -> str:
    return f"{e.remover} took entry {_short(e.entry)} off the list ({e.reason})"


@_tells(watchlist.ExtraAuthorityDecided)
def _(e: watchlist.ExtraAuthorityDecided) -> str:
    verb = "gave" if e.granted else "declined"
    return (
        f"{e.officer} {verb} extra authority for {_count(len(e.entries), 'entry', 'entries')}: "
        f"{e.reason}"
    )


@_tells(watchlist.WatchlistReopened)
def _(e: watchlist.WatchlistReopened) -> str:
    return (
        f"{e.officer} varied the authorisation ({e.reason}): the list may take "
        f"{_count(e.most_added, 'more entry', 'more entries')}, then be sealed and approved anew"
    )


@_tells(notice.NoticePublished)
def _(e: notice.NoticePublished) -> str:
    return f"a notice can be read by {e.channel} since {written(e.published_at)} {e.page}".rstrip()


@_tells(notice.NoticeOmitted)
def _(e: notice.NoticeOmitted) -> str:
    return f"{e.officer} let the notice be left out ({e.ground})"


@_tells(notice.SignageVerified)
def _(e: notice.SignageVerified) -> str:
    return (
        f"{e.verifier} saw {_count(e.signs, 'sign', 'signs')} for {', '.join(e.cameras)}, "
        f"{e.nearest_m} m or more outside the zone"
    )


@_tells(notice.SignageRemoved)
def _(e: notice.SignageRemoved) -> str:
    return f"{e.remover} took the signs down"


@_tells(notice.RouteRecorded)
def _(e: notice.RouteRecorded) -> str:
    return f"people can avoid {', '.join(e.cameras)} by {e.route}"


@_tells(rights.RequestReceived)
def _(e: rights.RequestReceived) -> str:
    return f"a request for {e.right} came ({e.asker}); answer it by {written(e.answer_by)}"


@_tells(rights.IdentityVerified)
def _(e: rights.IdentityVerified) -> str:
    return f"{e.officer} verified who asks ({e.method})"


@_tells(rights.Searched)
def _(e: rights.Searched) -> str:
    return (
        f"{e.officer} searched deployment {_short(e.deployment)} by {e.how}, {written(e.since)} to "
        f"{written(e.until)}: {_footage(e.segments, e.first_gone_at)}"
    )


@_tells(rights.AnswerRestricted)
def _(e: rights.AnswerRestricted) -> str:
    return f"{e.officer} restricts the answer ({e.ground})"


@_tells(rights.RequestAnswered)
def _(e: rights.RequestAnswered) -> str:
    return f"{e.officer} answered the request: {e.answer}"


@_tells(rights.ComplaintReceived)
def _(e: rights.ComplaintReceived) -> str:
    return (
        f"a complaint ({e.about}) about deployment {_short(e.deployment)} came: "
        f"{_footage(e.segments, e.first_gone_at)}"
    )


@_tells(rights.ComplaintClosed)
def _(e: rights.ComplaintClosed) -> str:
    return f"{e.officer} closed the complaint: {e.closing}"


@_tells(rights.BreachReported)
def _(e: rights.BreachReported) -> str:
    return f"{e.reporter} reported a breach ({e.kind}); notify by {written(e.notify_by)}"


@_tells(rights.BreachAssessed)
def _(e: rights.BreachAssessed) -> str:
    return f"{e.officer} assessed the breach: {e.risk}"


@_tells(rights.CommissionerNotified)
def _(e: rights.CommissionerNotified) -> str:
    late = f", late ({e.reason_for_delay})" if e.late else ""
    return f"{e.officer} notified the Commissioner at {written(e.notified_at)}{late}"


@_tells(rights.PeopleNotified)
def _(e: rights.PeopleNotified) -> str:
    return f"{e.officer} told the people concerned"


@_tells(rights.BreachClosed)
def _(e: rights.BreachClosed) -> str:
    return f"{e.officer} closed the breach"


@_tells(publication.RecordPublished)
def _(e: publication.RecordPublished) -> str:
    return f"{e.publisher} published the deployment record {e.digest[:16]} at {e.page}"


@_tells(publication.RecordCorrected)
def _(e: publication.RecordCorrected) -> str:
    return (
        f"{e.publisher} corrected the published record ({e.reason}): {e.was[:16]} became "
        f"{e.digest[:16]} at {e.page}"
    )


@_tells(SeededPassRecorded)
def _(e: SeededPassRecorded) -> str:
    came = "raised no alert" if e.alert is None else f"raised alert {_short(e.alert)}"
    return f"{e.witness} saw volunteer {_short(e.entry)} pass {e.camera}; that {came}"


@_tells(sighting.FaceEnrolledAndDiscarded)
def _(e: sighting.FaceEnrolledAndDiscarded) -> str:
    return (
        f"face {e.ordinal} at {e.camera} matched nobody and was discarded; its template existed "
        f"for {e.template_life_ms} ms"
    )


@_tells(sighting.FaceNotEnrolled)
def _(e: sighting.FaceNotEnrolled) -> str:
    return f"face {e.ordinal} at {e.camera} was not good enough to process: {e.reason}"


@_tells(sighting.SightingSuppressed)
def _(e: sighting.SightingSuppressed) -> str:
    return f"face {e.ordinal} at {e.camera} belongs to alert {_short(e.alert)}; no second alert"


@_tells(sighting.RunProgressed)
def _(e: sighting.RunProgressed) -> str:
    return f"{e.camera} has taken {e.frames} frames and seen {e.seen} faces so far"


@_tells(sighting.SourceFailed)
def _(e: sighting.SourceFailed) -> str:
    return f"{e.camera} could not be read on after {e.frames} frames: {e.reason}"


@_tells(sighting.RunInterrupted)
def _(e: sighting.RunInterrupted) -> str:
    return (
        f"the worker of {e.camera} died: at least {e.seen_at_least} faces seen, "
        f"{e.interrupted_at_least} of them without an outcome"
    )


@_tells(sighting.RunReconciled)
def _(e: sighting.RunReconciled) -> str:
    return (
        f"the sums balance: {e.seen} seen = {e.not_enrolled} not enrolled + "
        f"{e.enrolled_and_discarded} enrolled and discarded + {e.alerted} alerted + "
        f"{e.suppressed} suppressed + {e.interrupted} interrupted"
    )


@_tells(sighting.ReconciliationFailed)
def _(e: sighting.ReconciliationFailed) -> str:
    return (
        f"THE SUMS DO NOT BALANCE: {e.seen} seen; without an outcome "
        f"{', '.join(e.missing) or 'none'}; with two or unseen {', '.join(e.doubled) or 'none'}"
    )


@_tells(alert.AlertRaised)
def _(e: alert.AlertRaised) -> str:
    return (
        f"possible match at {e.camera}, {e.captured_ms / 1000:.1f} s into the run, with entry "
        f"{_short(e.entry)} (alert {_short(e.originator_id)}, face {e.ordinal})"
    )


@_tells(alert.AlertViewed)
def _(e: alert.AlertViewed) -> str:
    return f"{e.officer} viewed alert {_short(e.originator_id)}"


@_tells(alert.AlertAdjudicated)
def _(e: alert.AlertAdjudicated) -> str:
    factors = ", ".join([*e.subject_factors, *e.system_factors, *e.environmental_factors])
    return (
        f"{e.officer} decided alert {_short(e.originator_id)}: {e.decision} ({e.basis}; {factors})"
    )


@_tells(alert.AlertClosedUndetermined)
def _(e: alert.AlertClosedUndetermined) -> str:
    return f"alert {_short(e.originator_id)} was closed as undetermined: {e.cause}"


@_tells(item.ItemRegistered)
def _(e: item.ItemRegistered) -> str:
    return (
        f"{e.item_class} {_short(e.originator_id)} may exist until {written(e.due_at)} ({e.rule})"
    )


@_tells(item.ItemSealed)
def _(e: item.ItemSealed) -> str:
    return f"item {_short(e.originator_id)} was sealed, {e.ciphertext_length} bytes"


@_tells(item.ItemConsulted)
def _(e: item.ItemConsulted) -> str:
    return f"item {_short(e.originator_id)} was opened for {e.purpose}"


@_tells(item.ItemHeld)
def _(e: item.ItemHeld) -> str:
    return (
        f"item {_short(e.originator_id)} is kept by hold {_short(e.hold)}, to be reviewed by "
        f"{written(e.until)}"
    )


@_tells(item.HoldEnded)
def _(e: item.HoldEnded) -> str:
    return (
        f"item {_short(e.originator_id)} is no longer kept by hold {_short(e.hold)}: it may exist "
        f"until {written(e.due_at)}"
    )


@_tells(item.CopiedOutside)
def _(e: item.CopiedOutside) -> str:
    return (
        f"a copy of item {_short(e.originator_id)} went to {e.destination}, outside these stores; "
        "the item's own clock runs on"
    )


@_tells(item.DestructionStarted)
def _(e: item.DestructionStarted) -> str:
    return f"destruction of item {_short(e.originator_id)} began: {e.cause}"


@_tells(item.ItemDestroyed)
def _(e: item.ItemDestroyed) -> str:
    state = "BEYOND_USE" if e.beyond_use else "destroyed"
    return (
        f"{e.item_class} {_short(e.originator_id)} is gone: {', '.join(e.levels)}, {state}, "
        f"tombstone {e.tombstone_sequence}, re-checked {_by_whom(e.recheck)}"
    )


@_tells(item.DestructionRechecked)
def _(e: item.DestructionRechecked) -> str:
    left = f"; {len(e.still_there)} STILL THERE" if e.still_there else ""
    return f"{len(e.items)} items could not be opened any more, re-checked {_by_whom(e.kind)}{left}"


@_tells(item.EpochDestroyed)
def _(e: item.EpochDestroyed) -> str:
    place = "token" if e.kept_in == "pkcs11" else "file"
    return (
        f"the key of epoch {e.item_class} {e.day} is gone from its {place}, "
        f"tombstone {e.tombstone_sequence}"
    )


@_tells(item.RecheckerEnrolled)
def _(e: item.RecheckerEnrolled) -> str:
    return f"re-checker {_first(e.rechecker)} may sign what it found in the stores"


@_tells(item.InventoryAttested)
def _(e: item.InventoryAttested) -> str:
    return (
        f"inventory at {e.as_of} entries: {e.keystore_count} keys, {e.media_count} ciphertexts, "
        f"{e.missing} missing, {e.orphans} orphans, {e.resurrected} resurrected"
    )


@_tells(item.OrphanFound)
def _(e: item.OrphanFound) -> str:
    return f"orphan {_short(e.orphan)}: a {e.kind} in the {e.store} that no entry knows"


@_tells(item.ResurrectionFound)
def _(e: item.ResurrectionFound) -> str:
    return f"item {_short(e.item)} was destroyed and is in the {e.store} again"


@_tells(item.LossFound)
def _(e: item.LossFound) -> str:
    return f"item {_short(e.item)} should exist and is not in the {e.store}"


@_tells(item.OverdueFound)
def _(e: item.OverdueFound) -> str:
    return f"OVERDUE: {e.item_class} {_short(e.item)} had to be gone by {written(e.due_at)}"


@_tells(item.KeystoreRollbackFound)
def _(e: item.KeystoreRollbackFound) -> str:
    return (
        f"the keystore is an older copy: it knows {e.found_sequence} tombstones, the record has "
        f"receipts up to {e.expected_sequence}"
    )


@_tells(item.ItemDoubted)
def _(e: item.ItemDoubted) -> str:
    return (
        f"item {_short(e.originator_id)} may have been destroyed in what is lost after entry "
        f"{e.size_found}: it is not read any more"
    )


@_tells(item.RestoredFromBackup)
def _(e: item.RestoredFromBackup) -> str:
    return (
        f"the record was brought back with {e.size_found} entries; its {e.known_from} knows of "
        f"{e.size_known}: what lay between is lost"
        + (f", its root was {e.root_known[:16]}" if e.root_known else "")
    )


@_tells(item.ScheduleAdopted)
def _(e: item.ScheduleAdopted) -> str:
    return f"retention schedule {e.version} is in force, {len(e.rules)} classes, owner {e.owner}"


@_tells(item.DocumentRegistered)
def _(e: item.DocumentRegistered) -> str:
    return (
        f"document {e.document} {e.version} was registered with {len(e.statements)} statements on "
        "how long things are kept"
    )


@_tells(item.ClockDoubted)
def _(e: item.ClockDoubted) -> str:
    return (
        f"the clock is {e.ahead_s} s ahead of all that was recorded and nothing confirms it: what "
        "would be due by it alone is kept"
    )


@_tells(item.ClockConfirmed)
def _(e: item.ClockConfirmed) -> str:
    return f"the clock, {e.ahead_s} s ahead of all that was recorded, was confirmed by a {e.source}"


@_tells(item.CanarySearched)
def _(e: item.CanarySearched) -> str:
    told = {"clean": "nothing was found", "found": "SOMETHING WAS FOUND"}.get(
        e.outcome, "THE SEARCH FAILED"
    )
    where = ", ".join(f"{one.place} {one.outcome}" for one in e.places)
    return (
        f"drawn faces went through run {_short(e.run)}, and {e.templates} templates and "
        f"{e.pictures} pictures of them were looked for: {told} ({where or 'nowhere'})"
    )


@_tells(item.ResidueFound)
def _(e: item.ResidueFound) -> str:
    return (
        f"RESIDUE: {e.count} of {e.content} as {e.form} of the drawn faces of run "
        f"{_short(e.run)} in {e.place} (finding {_short(e.finding)})"
    )


@_tells(item.RetentionSwept)
def _(e: item.RetentionSwept) -> str:
    return (
        f"retention: {e.live} items, {e.due} due, {e.destroyed} destroyed, {e.held} held, "
        f"{e.overdue} overdue"
    )


@_tells(footage.SegmentRecorded)
def _(e: footage.SegmentRecorded) -> str:
    return (
        f"{e.camera}: {e.duration_ms / 1000:.1f} s of footage from {written(e.first_frame_at)} are "
        f"kept as item {_short(e.item)}"
    )


@_tells(footage.SegmentLost)
def _(e: footage.SegmentLost) -> str:
    return (
        f"{e.camera}: {e.duration_ms / 1000:.1f} s of footage from {written(e.first_frame_at)} "
        f"could not be kept ({e.cause})"
    )


@_tells(item.GalleryLoaded)
def _(e: item.GalleryLoaded) -> str:
    return f"{e.camera} took {e.count} templates of the list into memory"


@_tells(hold.HoldRequested)
def _(e: hold.HoldRequested) -> str:
    return (
        f"{e.requester} asked for hold {_short(e.originator_id)} on {len(e.items)} items "
        f"({e.ground}, {e.case_reference}), to be reviewed by {written(e.review_by)}"
    )


@_tells(hold.HoldApproved)
def _(e: hold.HoldApproved) -> str:
    return f"{e.approver} approved hold {_short(e.originator_id)}"


@_tells(hold.HoldDeclined)
def _(e: hold.HoldDeclined) -> str:
    return f"{e.decliner} turned hold {_short(e.originator_id)} down; nothing is kept by it"


@_tells(hold.HoldReviewed)
def _(e: hold.HoldReviewed) -> str:
    return (
        f"{e.reviewer} reviewed hold {_short(e.originator_id)}: it counts until "
        f"{written(e.review_by)}"
    )


@_tells(hold.HoldReleased)
def _(e: hold.HoldReleased) -> str:
    return f"{e.releaser} released hold {_short(e.originator_id)}"


@_tells(arrest.RetentionDecidedForArrest)
def _(e: arrest.RetentionDecidedForArrest) -> str:
    moved = f": {', '.join(e.items)} to {e.destination}" if e.items else ""
    return (
        f"an arrest followed alert {_short(e.alert)}; {e.decider} decided {e.decision} "
        f"({e.basis}){moved}"
    )


@_tells(copies.CopyRegistered)
def _(e: copies.CopyRegistered) -> str:
    return (
        f"copy {_short(e.copy)} of the list: {e.kind} in {e.location}, with the {e.holder} "
        f"({e.exposure})"
    )


@_tells(copies.CopyDestroyed)
def _(e: copies.CopyDestroyed) -> str:
    return f"{e.destroyer} destroyed copy {_short(e.copy)} of the list: {e.method}"


@_tells(copies.AbsenceVerified)
def _(e: copies.AbsenceVerified) -> str:
    return f"{e.verifier} looked for copy {_short(e.copy)} ({e.probe}): it is not there"


@_tells(copies.StillThere)
def _(e: copies.StillThere) -> str:
    return f"{e.finder} looked for copy {_short(e.copy)} ({e.probe}): IT IS STILL THERE"


@_tells(copies.WatchlistDestroyed)
def _(e: copies.WatchlistDestroyed) -> str:
    return (
        f"nothing is left of list {_short(e.watchlist)}: {e.copies} copies verified absent, "
        f"{e.items} items destroyed"
    )


@_tells(log.KeyGenerated)
def _(e: log.KeyGenerated) -> str:
    return f"the log is signed by {_key(e.verifier_key)}, kept in a {e.kept_in}"


@_tells(log.KeyRotated)
def _(e: log.KeyRotated) -> str:
    return (
        f"{_key(e.new_verifier_key)}, kept in a {e.kept_in}, signs the log in place of "
        f"{_key(e.old_verifier_key)}; the next checkpoint is signed by both"
    )


@_tells(log.KeyRetired)
def _(e: log.KeyRetired) -> str:
    return (
        f"{_key(e.verifier_key)} is gone; the last checkpoint it signed has {e.last_size} entries"
    )


@_tells(log.ScopeHeadsCommitted)
def _(e: log.ScopeHeadsCommitted) -> str:
    return f"the heads of {e.scopes} scopes at {e.size} entries were put under one root"


def _first(name: str) -> str:
    """Enough of a name in hex to tell it from others."""
    return name[:8]


def _key(verifier_key: str) -> str:
    """Which key it is: the id that stands in a note."""
    return f"key {verifier_key.partition('+')[2].partition('+')[0]}"


@_tells(governance.RequirementsAdopted)
def _(e: governance.RequirementsAdopted) -> str:
    return (
        f"a deployment needs what requirements {e.version} ask for: {len(e.documents)} documents, "
        f"{len(e.questions)} screening answers, courses for {len(e.training)} roles, evidence of "
        f"at most {e.oldest_evidence_days} days"
    )


@_tells(governance.PolicyDocumentRegistered)
def _(e: governance.PolicyDocumentRegistered) -> str:
    return f"{e.kind} {e.version} is in force from {e.valid_from} to {e.valid_until}"


@_tells(governance.PolicyDocumentPublished)
def _(e: governance.PolicyDocumentPublished) -> str:
    return f"{e.kind} {e.version} can be read at {e.page} since {e.published_on}"


@_tells(governance.PolicyDocumentWithdrawn)
def _(e: governance.PolicyDocumentWithdrawn) -> str:
    return f"{e.kind} {e.version} is out of force ({e.reason})"


@_tells(governance.ScreeningAnswered)
def _(e: governance.ScreeningAnswered) -> str:
    yes = [question for question, answer in e.answers.items() if answer]
    if not yes:
        return f"DPIA screening: no to all {len(e.answers)} questions"
    return f"DPIA screening: yes to {', '.join(yes)}; a DPIA stage 2 is demanded"


@_tells(governance.DpoAdviceRecorded)
def _(e: governance.DpoAdviceRecorded) -> str:
    return f"{e.officer} advised on DPIA stage 2 {e.version}: {e.advice}"


@_tells(governance.DpiaApproved)
def _(e: governance.DpiaApproved) -> str:
    followed = "followed" if e.advice_followed else f"not followed ({e.reason})"
    return (
        f"{e.officer} approved DPIA stage 2 {e.version}, processing from {e.commences_on}; the "
        f"advice ({e.advice}) is {followed}"
    )


@_tells(governance.EvidenceAttached)
def _(e: governance.EvidenceAttached) -> str:
    tested = (
        "nothing was measured (a stand-in)"
        if e.basis == "stand-in"
        else f"{e.false_positives} of {e.non_mated_searches} searches of persons not listed gave a "
        f"false alert, {e.misses} of {e.mated_searches} of listed persons gave none"
    )
    return (
        f"evidence {e.evidence} by {e.tester} of {e.tested_on}, at threshold {e.threshold} and "
        f"{e.gallery_size} references: {tested}"
    )


@_tells(governance.EvidenceWithdrawn)
def _(e: governance.EvidenceWithdrawn) -> str:
    return f"evidence {e.evidence} counts no longer ({e.reason})"


@_tells(governance.TrainingRecorded)
def _(e: governance.TrainingRecorded) -> str:
    return f"{e.person} passed {e.course} on {e.passed_on}; it counts until {e.valid_until}"


@_tells(governance.TrainingWithdrawn)
def _(e: governance.TrainingWithdrawn) -> str:
    return f"{e.course} counts no longer for {e.person} ({e.reason})"


@_tells(governance.ProgrammePaused)
def _(e: governance.ProgrammePaused) -> str:
    return f"{e.officer} paused the programme ({e.reason}): nothing starts"


@_tells(governance.ProgrammeResumed)
def _(e: governance.ProgrammeResumed) -> str:
    return (
        f"{e.officer} resumed the programme ({e.reason}), on the evidence of "
        f"{', '.join(e.evidence)}"
    )


@_tells(alert.DissentRecorded)
def _(e: alert.DissentRecorded) -> str:
    factors = ", ".join((*e.subject_factors, *e.system_factors, *e.environmental_factors))
    return (
        f"{e.officer} would have decided alert {_short(e.originator_id)} {e.decision} "
        f"({e.basis}; {factors}); the first decision stands"
    )


@_tells(engagement.EngagementStarted)
def _(e: engagement.EngagementStarted) -> str:
    return f"{', '.join(e.officers)} spoke to the person of alert {_short(e.alert)} ({e.power})"


@_tells(engagement.IdentityEstablished)
def _(e: engagement.IdentityEstablished) -> str:
    whether = {
        "same": "it is the person on the list",
        "different": "it is not the person on the list",
        "unresolved": "whether it is the person on the list stays unresolved",
    }
    return f"{e.officer} established identity by {e.method}: {whether.get(e.identity, e.identity)}"


@_tells(engagement.InformationGiven)
def _(e: engagement.InformationGiven) -> str:
    return f"card and rights: {e.information}, said by {e.officer}"


@_tells(engagement.EngagementEnded)
def _(e: engagement.EngagementEnded) -> str:
    force = "force was used" if e.force_used else "no force was used"
    cuffs = "the person was handcuffed" if e.handcuffed else "nobody was handcuffed"
    return f"the engagement is over ({e.duration} minutes); {force}, {cuffs}"


@_tells(engagement.OutcomeRecorded)
def _(e: engagement.OutcomeRecorded) -> str:
    return f"outcome of the engagement: {', '.join(e.outcomes)}"


@_tells(engagement.OutcomeCorrected)
def _(e: engagement.OutcomeCorrected) -> str:
    return (
        f"outcome corrected from {', '.join(e.was)} to {', '.join(e.outcomes)} ({e.reason}) by "
        f"{e.officer}"
    )


@_tells(engagement.PersonNotLocated)
def _(e: engagement.PersonNotLocated) -> str:
    return f"the person of alert {_short(e.alert)} was not found; nobody was spoken to"


@_tells(engagement.FalseAlertReviewed)
def _(e: engagement.FalseAlertReviewed) -> str:
    return (
        f"{e.reviewer} reviewed the false alert {_short(e.alert)}: {', '.join(e.causes)}; "
        f"{', '.join(e.actions)}"
    )

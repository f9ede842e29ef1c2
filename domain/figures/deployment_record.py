"""The record of one deployment, as it is published: every figure counted from the log.

Each figure has its definition and the positions of the entries that it was counted from, so that
whoever has the log can count again. The sums that must hold are told with whether they do. Counted
in one pass, in memory that grows with alerts and not with faces.

Source: domain specification, 5.1 and 5.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.alerts import events as alert
from domain.copies.events import CopyRegistered, WatchlistDestroyed
from domain.deployments import events as deployment
from domain.engagements import events as engagement
from domain.engagements.aggregate import codes
from domain.figures.positions import Positions
from domain.figures.rates import FalseAlertRates, Rate, false_alert_rates, rate
from domain.governance.events import EvidenceAttached
from domain.governance.evidence import MEASURED
from domain.holds.events import HoldApproved
from domain.kernel.events import Happened
from domain.kernel.references import FORCE
from domain.kernel.refusals import WasRefused
from domain.kernel.time import written
from domain.notice.events import NoticeOmitted, NoticePublished, SignageRemoved, SignageVerified
from domain.ports import Recorded
from domain.publication.events import RecordCorrected, RecordPublished
from domain.sightings import events as sighting
from domain.sightings.seeding import SeededPassRecorded
from domain.watchlists import events as watchlist

DE_ARRESTED = "de-arrested"

DEFINITIONS: Mapping[str, str] = {
    "faces_seen": "faces that the cameras' trackers opened, by their own counters. Not persons: "
    "one person can be many faces",
    "not_enrolled": "faces that were never good enough to process",
    "enrolled_and_discarded": "faces that were processed, matched nobody, and whose template is "
    "gone",
    "suppressed_sightings": "faces of an entry that had alerted shortly before",
    "interrupted": "faces that were lost with a worker, or whose alert was refused",
    "alerts": "possible matches that were raised",
    "true_alerts": "alerts that an officer found viable, less those that led to another person",
    "confirmed_true_alerts": "true alerts after which identity was established as the same",
    "false_alerts": "unconfirmed and confirmed false alerts together",
    "unconfirmed_false_alerts": "alerts that an officer found not viable; nobody was engaged",
    "confirmed_false_alerts": "alerts that led to an engagement with another person",
    "undecided_alerts": "alerts found insufficient, closed before anyone decided, or still open",
    "open_alerts": "alerts that nobody has decided and nothing has closed",
    "awaiting_follow_up": "viable alerts of which neither an engagement nor its lack is recorded",
    "not_located": "viable alerts whose person was not found",
    "engagements": "persons who were spoken to because of an alert",
    "unresolved_identities": "engagements after which identity stayed unresolved, or was not said",
    "arrests": "engagements whose outcome, as it stands, is an arrest, also one that was undone",
    "de_arrested": "of the arrests, those that were undone without charge",
    "corrected_outcomes": "outcomes that were corrected; the old values stay on the record",
    "force_used": "engagements in which force was used",
    "handcuffed": "engagements in which the person was handcuffed",
    "informed": "engagements in which card and rights were given, or offered and declined",
    "dissents": "views of other officers who would have decided otherwise",
    "false_alerts_reviewed": "false alerts that somebody with no hand in them reviewed",
    "false_alerts_not_reviewed": "false alerts of which no review is recorded",
    "seeded_passes": "passes of volunteers who were listed to measure recognition with",
    "seeded_alerts": "of the seeded passes, those that raised an alert",
    "refusals": "commands that the rules refused",
    "watchlist_entries": "entries on the list when it was sealed last",
    "removed_entries": "entries that were taken off the list, before or after its seal",
    "rejected_references": "entries that were proposed and not taken",
    "cameras": "cameras with a zone of recognition",
    "holds": "holds on footage that were approved",
    "max_template_life_ms": "the longest that any template of a passer-by existed, milliseconds",
    "recognising_s": "seconds with recognition on, all runs together",
    "blind_s": "seconds of runs in which a camera could not be read any more, all cameras together",
    "watched_s": "camera-seconds with recognition on, less the blind ones",
    "authorised_s": "seconds of the authorised window, as it was varied or ratified last",
}
"""What each figure counts."""


@dataclass(frozen=True)
class Figure:
    """One figure, with what it counts and where."""

    name: str
    value: int | None
    """``None`` where it cannot be known yet."""
    definition: str
    positions: str
    """Of the entries it was counted from; empty for none."""


@dataclass(frozen=True)
class Sum:
    """A sum that must hold between figures."""

    says: str
    holds: bool


@dataclass(frozen=True)
class Predicted:
    """What the test of this configuration predicted, against what was observed."""

    evidence: str
    false_alerts_a_search: float | None
    """Predicted for the size of this list; ``None`` where nothing was measured."""
    observed: Rate
    """False alerts over faces seen."""
    within: bool | None
    """Whether the prediction lies in the observed interval."""


@dataclass(frozen=True)
class DeploymentRecord:
    """All that is published of one deployment."""

    entries: int
    """That it was counted from."""
    last_position: int
    """Of the last of them; -1 for none."""
    facts: Mapping[str, Any]
    """Codes, times and compositions, as they were recorded."""
    figures: tuple[Figure, ...]
    breakdowns: Mapping[str, Mapping[str, int]]
    """What a figure is made up of: reason, code or name to count."""
    false_alert_rates: FalseAlertRates
    rates: Mapping[str, Rate]
    predicted: Predicted | None
    sums: tuple[Sum, ...]
    unfit: tuple[str, ...]
    """Why it may not be published yet; empty where it may."""
    not_measured: tuple[str, ...]
    alerts_over_time: tuple[tuple[datetime, str, int], ...]
    """When each alert was raised, whether it is ``true``, ``false`` or ``undecided``, and where."""

    def value(self, name: str) -> int:
        """One figure.

        Raises:
            KeyError: there is no such figure, or it is not known yet.
        """
        for one in self.figures:
            if one.name == name and one.value is not None:
                return one.value
        raise KeyError(name)


@dataclass
class _Alert:
    """One alert, as far as it has come."""

    raised: int
    at: datetime
    decision: str | None = None
    decided: int = -1
    closed: bool = False
    not_located: int = -1
    engaged: int = -1
    identity: str | None = None
    identified: int = -1
    outcomes: list[str] = field(default_factory=list)
    outcome: int = -1
    reviewed: int = -1

    @property
    def confirmed_false(self) -> bool:
        return self.identity == "different"

    @property
    def unconfirmed_false(self) -> bool:
        return self.decision == "not_viable"

    @property
    def false(self) -> bool:
        return self.confirmed_false or self.unconfirmed_false

    @property
    def true(self) -> bool:
        return self.decision == "viable" and not self.confirmed_false

    @property
    def open(self) -> bool:
        return self.decision is None and not self.closed

    @property
    def awaiting(self) -> bool:
        return self.decision == "viable" and self.engaged < 0 and self.not_located < 0


class _Counted:
    """Counts, each with its positions."""

    def __init__(self) -> None:
        self.values: Counter[str] = Counter()
        self.positions: dict[str, Positions] = {}

    def add(self, name: str, position: int, by: int = 1) -> None:
        self.values[name] += by
        self.at(name, position)

    def at(self, name: str, position: int) -> None:
        self.positions.setdefault(name, Positions()).add(position)


class Counting:
    """Takes in a deployment's entries in the order of the log, and tells its record."""

    def __init__(self, deployment_id: UUID, evidence: Mapping[str, EvidenceAttached]) -> None:
        """Nothing was taken in yet.

        Args:
            deployment_id: whose entries will come.
            evidence: the force's tests, by code.
        """
        self._id = deployment_id
        self._evidence = evidence
        self._facts: dict[str, Any] = {"deployment": deployment_id.hex}
        self._entries, self._last = 0, -1
        self._counted = _Counted()
        self._broken: dict[str, Counter[str]] = {}
        self._alerts: dict[UUID, _Alert] = {}
        self._seen: dict[tuple[UUID, str], tuple[int, int]] = {}
        """Run and camera to the newest counter and its position."""
        self._started: dict[UUID, tuple[datetime, int]] = {}
        self._runs: list[dict[str, Any]] = []
        self._ran = timedelta()
        self._watched = timedelta()
        self._blind: dict[tuple[UUID, str], datetime] = {}
        """Run and camera to when it could not be read any more."""
        self._was_blind = timedelta()
        self._open_runs: set[UUID] = set()
        self._recording: dict[str, bool] = {}
        """Camera to whether its footage is kept, as it was configured last."""
        self._watchlist: UUID | None = None
        self._unreconciled: set[UUID] = set()
        self._unbalanced: set[UUID] = set()
        self._longest = 0
        self._allowed: tuple[datetime, datetime, datetime | None] | None = None
        """From, until, and when it lapses unless it is ratified."""
        self._begun: deployment.DeploymentStarted | None = None
        self._over_at: datetime | None = None
        self._list_gone_at: datetime | None = None
        self._signs_stand = False
        self._list_size: int | None = None
        self._list_sizes: list[dict[str, Any]] = []
        """Every size that the list had, each change explained."""

    def take(self, entry: Recorded) -> None:
        """Take in the next entry."""
        event, at = entry.event, entry.position
        self._entries, self._last = self._entries + 1, at
        match event:
            case WasRefused():
                self._counted.add("refusals", at)
                self._break("refusals", event.NAME)
                if isinstance(event, alert.RaiseRefused):
                    self._counted.add("interrupted", at)
                    self._lived(event.template_life_ms, at)
            case sighting.FaceEnrolledAndDiscarded():
                self._counted.add("enrolled_and_discarded", at)
                self._lived(event.template_life_ms, at)
            case sighting.FaceNotEnrolled():
                self._counted.add("not_enrolled", at)
                self._break("not_enrolled", event.reason)
                self._lived(event.template_life_ms, at)
            case sighting.SightingSuppressed():
                self._counted.add("suppressed_sightings", at)
                self._lived(event.template_life_ms, at)
            case SeededPassRecorded():
                self._counted.add("seeded_passes", at)
                if event.alert is not None:
                    self._counted.add("seeded_alerts", at)
            case sighting.RunProgressed():
                newest, _ = self._seen.get((event.run, event.camera), (0, at))
                self._seen[event.run, event.camera] = max(event.seen, newest), at
            case sighting.RunInterrupted():
                self._seen[event.run, event.camera] = event.seen_at_least, at
                self._counted.add("interrupted", at, event.interrupted_at_least)
            case _:
                self._take_of_alerts(event, at)

    def _take_of_alerts(self, event: Happened, at: int) -> None:
        match event:
            case alert.AlertRaised():
                self._alerts[event.originator_id] = _Alert(raised=at, at=event.timestamp)
                self._counted.add("alerts", at)
                self._lived(event.template_life_ms, at)
            case alert.AlertAdjudicated():
                found = self._alerts[event.originator_id]
                found.decision, found.decided = event.decision, at
                self._break("decisions", event.decision)
            case alert.DissentRecorded():
                self._counted.add("dissents", at)
            case alert.AlertClosedUndetermined():
                self._alerts[event.originator_id].closed = True
            case engagement.EngagementStarted():
                self._alerts[event.alert].engaged = at
                self._counted.add("engagements", at)
                self._break("powers", event.power)
            case engagement.PersonNotLocated():
                self._alerts[event.alert].not_located = at
            case engagement.FalseAlertReviewed():
                self._alerts[event.alert].reviewed = at
                for cause in event.causes:
                    self._break("false_alert_causes", cause)
            case engagement.IdentityEstablished():
                one = self._alerts[event.alert]
                one.identity, one.identified = event.identity, at
            case engagement.InformationGiven():
                self._break("information", event.information)
                if event.information != "not-possible":
                    self._counted.add("informed", at)
            case engagement.EngagementEnded():
                self._break("durations", event.duration)
                if event.force_used:
                    self._counted.add("force_used", at)
                if event.handcuffed:
                    self._counted.add("handcuffed", at)
            case engagement.OutcomeRecorded() | engagement.OutcomeCorrected():
                one = self._alerts[event.alert]
                one.outcomes, one.outcome = event.outcomes, at
                if isinstance(event, engagement.OutcomeCorrected):
                    self._counted.add("corrected_outcomes", at)
            case _:
                self._take_of_the_deployment(event, at)

    def _take_of_the_deployment(self, event: Happened, at: int) -> None:
        match event:
            case deployment.DeploymentAppliedFor():
                self._watchlist = event.watchlist
                self._facts |= {
                    "mode": event.mode,
                    "use_case": event.use_case,
                    "objective": event.objective,
                    "location": event.location,
                    "requested": [written(event.requested_from), written(event.requested_until)],
                }
            case deployment.CameraConfigured():
                if event.camera not in self._recording:
                    self._counted.add("cameras", at)
                self._recording[event.camera] = event.footage_recorded
                self._facts["footage_recorded"] = any(self._recording.values())
            case watchlist.WatchlistSealed() if event.originator_id == self._watchlist:
                self._sealed(event, at)
            case watchlist.EntryRemoved() if event.originator_id == self._watchlist:
                self._counted.add("removed_entries", at)
                self._break("removed_because", event.reason)
                if self._list_size is not None:
                    self._list_size -= 1
                    self._size_changed(event, at, f"removed: {event.reason}")
            case watchlist.WatchlistReopened() if event.originator_id == self._watchlist:
                self._size_changed(event, at, f"reopened for {event.most_added}: {event.reason}")
            case deployment.DeploymentAuthorised():
                self._allow(at, event.valid_from, event.valid_until, event.ratify_by)
                self._facts |= {
                    "threshold": str(event.threshold),
                    "officers_rank": event.rank,
                    "by_nexus": dict(event.by_nexus),
                    "urgency": event.urgency,
                }
            case deployment.AuthorisationRatified() if self._allowed is not None:
                self._allow(at, self._allowed[0], self._allowed[1], None)
                self._facts["ratified"] = written(event.timestamp)
            case deployment.AuthorisationVaried():
                lapses = self._allowed[2] if self._allowed else None
                self._allow(at, event.valid_from, event.valid_until, lapses)
                self._facts.setdefault("variations", []).append(
                    {"at": written(event.timestamp), "position": at, "why": event.reason}
                )
            case deployment.RatificationDeclined():
                self._facts["not_ratified"] = written(event.timestamp)
            case deployment.ReportSubmitted():
                self._facts["report"] = {name: list(said) for name, said in event.sections.items()}
            case deployment.PlaceDecided():
                self._facts["sensitive_place"] = "allowed" if event.granted else "not allowed"
            case deployment.AuthorisationWithdrawn():
                self._facts["withdrawn"] = written(event.timestamp)
            case deployment.DeploymentStarted():
                self._begun = event
                self._started[event.run] = event.timestamp, at
                self._open_runs.add(event.run)
                self._unreconciled.add(event.run)
                self._runs.append({"run": event.run.hex, "from": written(event.timestamp)})
                self._facts |= {
                    "model_digest": event.model_digest,
                    "requirements": event.requirements,
                    "documents": dict(event.documents),
                    "evidence": event.evidence,
                }
            case deployment.DeploymentStopped():
                self._stop(event, at)
            case sighting.SourceFailed() if event.run in self._open_runs:
                self._blind.setdefault((event.run, event.camera), event.timestamp)
                self._counted.at("blind_s", at)
                self._counted.at("watched_s", at)
            case sighting.RunReconciled():
                self._unreconciled.discard(event.run)
                self._unbalanced.discard(event.run)
            case sighting.ReconciliationFailed():
                self._unbalanced.add(event.run)
            case deployment.DeploymentEnded() | deployment.DeploymentCancelled():
                self._over_at = event.timestamp
                ended = isinstance(event, deployment.DeploymentEnded)
                self._facts["ended" if ended else "cancelled"] = written(event.timestamp)
            case SignageVerified():
                self._signs_stand = True
            case SignageRemoved():
                self._signs_stand = False
            case NoticePublished():
                self._facts.setdefault("notice_published", written(event.published_at))
            case NoticeOmitted():
                self._facts["notice_omitted"] = event.ground
            case WatchlistDestroyed():
                self._list_gone_at = event.timestamp
            case CopyRegistered():
                self._list_gone_at = None
            case RecordPublished() | RecordCorrected():
                self._facts.setdefault("publications", []).append(
                    {"at": written(event.timestamp), "position": at, "digest": event.digest}
                )
            case HoldApproved():
                self._counted.add("holds", at)
            case _:
                return

    def told(self) -> DeploymentRecord:
        """The record as far as the entries go."""
        self._settle()
        counts = self._counted.values
        faces = false_alert_rates(
            false=counts["false_alerts"],
            faces=max(counts["faces_seen"], counts["alerts"]),
            alerts=counts["alerts"],
        )
        decided = counts["true_alerts"] + counts["false_alerts"]
        return DeploymentRecord(
            entries=self._entries,
            last_position=self._last,
            facts=self._facts | self._late_facts(),
            figures=tuple(self._figures()),
            breakdowns={name: dict(sorted(one.items())) for name, one in self._broken.items()},
            false_alert_rates=faces,
            rates={
                "not_enrolled_of_faces_seen": rate(
                    min(counts["not_enrolled"], counts["faces_seen"]), counts["faces_seen"]
                ),
                **(
                    {"true_recognition_rate": rate(counts["seeded_alerts"], seeded)}
                    if (seeded := counts["seeded_passes"])
                    else {}
                ),
                "true_of_decided_alerts": rate(counts["true_alerts"], decided),
                "engagements_of_alerts": rate(counts["engagements"], counts["alerts"]),
                "arrests_of_engagements": rate(counts["arrests"], counts["engagements"]),
            },
            predicted=self._predicted(faces.of_faces),
            sums=tuple(self._sums()),
            unfit=tuple(self._unfit()),
            alerts_over_time=tuple(
                (one.at, _disposition(one), one.raised) for one in self._alerts.values()
            ),
            not_measured=()
            if seeded
            else ("true recognition rate: no passes of known persons are recorded",),
        )

    # -- what is worked out at the end -------------------------------------------------------------

    def _settle(self) -> None:
        """Count the alerts by what became of them."""
        counted = self._counted
        for name in _SETTLED:
            counted.values.pop(name, None)
            counted.positions.pop(name, None)
        self._broken.pop("outcomes", None)
        arrests = codes().codes["arrest"]
        for one in self._alerts.values():
            for name, applies, position in _dispositions(one, arrests.keys()):
                if applies:
                    counted.add(name, position)
            for outcome in one.outcomes:
                self._break("outcomes", outcome)
        for seen, position in sorted(self._seen.values(), key=lambda pair: pair[1]):
            counted.add("faces_seen", position, seen)

    def _figures(self) -> Iterator[Figure]:
        known: dict[str, int | None] = {
            "max_template_life_ms": self._longest,
            "recognising_s": None if self._open_runs else int(self._ran.total_seconds()),
            "authorised_s": None,
            "blind_s": None if self._open_runs else int(self._was_blind.total_seconds()),
            "watched_s": None if self._open_runs else int(self._watched.total_seconds()),
        }
        if self._allowed is not None:
            first, until, lapses = self._allowed
            window = (until if lapses is None else min(until, lapses)) - first
            known["authorised_s"] = int(window.total_seconds())
        for name, definition in DEFINITIONS.items():
            value = known[name] if name in known else self._counted.values[name]
            positions = self._counted.positions.get(name, "")
            yield Figure(name, value, definition, str(positions))

    def _late_facts(self) -> dict[str, Any]:
        gone = self._list_gone_at
        after = None
        if gone is not None and self._over_at is not None:
            after = max(0, int((gone - self._over_at).total_seconds()))
        return {
            "runs": list(self._runs),
            "watchlist_sizes": list(self._list_sizes),
            "watchlist_destroyed": written(gone) if gone else None,
            "watchlist_destroyed_after_s": after,
        }

    def _predicted(self, observed: Rate) -> Predicted | None:
        if self._begun is None or not self._begun.evidence:
            return None
        tested = self._evidence.get(self._begun.evidence)
        predicted = None
        if tested is not None and tested.basis == MEASURED:
            each = tested.false_positives / tested.non_mated_searches
            predicted = each * self._begun.gallery_size / tested.gallery_size
        within = None
        if predicted is not None and observed.low is not None and observed.high is not None:
            within = observed.low <= predicted <= observed.high
        return Predicted(self._begun.evidence, predicted, observed, within)

    def _sums(self) -> Iterator[Sum]:
        of = self._counted.values
        outcomes = (
            "not_enrolled",
            "enrolled_and_discarded",
            "alerts",
            "suppressed_sightings",
            "interrupted",
        )
        yield Sum(
            "faces_seen = not_enrolled + enrolled_and_discarded + alerts + suppressed_sightings + "
            "interrupted",
            of["faces_seen"] == sum(of[name] for name in outcomes),
        )
        yield Sum(
            "alerts = true_alerts + false_alerts + undecided_alerts",
            of["alerts"] == of["true_alerts"] + of["false_alerts"] + of["undecided_alerts"],
        )
        yield Sum(
            "true_alerts = confirmed_true_alerts + not_located + awaiting_follow_up + "
            "unresolved_identities",
            of["true_alerts"]
            == of["confirmed_true_alerts"]
            + of["not_located"]
            + of["awaiting_follow_up"]
            + of["unresolved_identities"],
        )
        yield Sum(
            "engagements = confirmed_true_alerts + confirmed_false_alerts + unresolved_identities",
            of["engagements"]
            == of["confirmed_true_alerts"]
            + of["confirmed_false_alerts"]
            + of["unresolved_identities"],
        )

    def _unfit(self) -> Iterator[str]:
        """Why nothing may be published yet. Source: domain specification, 3.10."""
        of = self._counted.values
        if self._facts.get("mode") == "rehearsal":
            yield "a rehearsal is never published"
        if self._over_at is None:
            yield "the deployment is not over"
        if self._unreconciled or self._unbalanced:
            yield "a run's sums were not compared, or do not balance"
        if of["open_alerts"] or of["awaiting_follow_up"]:
            yield "an alert is not closed"
        if of["false_alerts_not_reviewed"]:
            yield "a false alert was not reviewed"
        if of["watchlist_entries"] and self._list_gone_at is None:
            yield "the watchlist is not known to be destroyed"
        if self._signs_stand:
            yield "the signs are not known to be gone"

    # -- small steps ---------------------------------------------------------------------------

    def _break(self, name: str, part: str) -> None:
        self._broken.setdefault(name, Counter())[part] += 1

    def _lived(self, milliseconds: int, at: int) -> None:
        if milliseconds > self._longest:
            self._longest = milliseconds
            self._counted.positions["max_template_life_ms"] = Positions()
            self._counted.at("max_template_life_ms", at)

    def _allow(self, at: int, first: datetime, until: datetime, lapses: datetime | None) -> None:
        """The window as it stands now; only the newest entry that set it counts."""
        self._allowed = first, until, lapses
        ends = until if lapses is None else min(until, lapses)
        self._facts["authorised"] = [written(first), written(ends)]
        self._counted.positions.pop("authorised_s", None)
        self._counted.at("authorised_s", at)

    def _sealed(self, event: watchlist.WatchlistSealed, at: int) -> None:
        """The list as it was sealed last; each size that it had stays in its history."""
        for name, value in (
            ("watchlist_entries", event.entries),
            ("rejected_references", event.rejected),
        ):
            self._counted.values.pop(name, None)
            self._counted.positions.pop(name, None)
            self._counted.add(name, at, value)
        for name in ("by_category", "by_source_system", "by_age_band"):
            self._broken[name] = Counter(getattr(event, name))
        self._facts["vulnerable_entries"] = event.vulnerable
        self._list_size = event.entries
        self._size_changed(event, at, "sealed")

    def _size_changed(self, event: Happened, at: int, why: str) -> None:
        self._list_sizes.append(
            {"at": written(event.timestamp), "position": at, "entries": self._list_size, "why": why}
        )

    def _stop(self, event: deployment.DeploymentStopped, at: int) -> None:
        started, begun_at = self._started[event.run]
        # A clock that was set back meanwhile makes no time undone.
        self._ran += max(event.timestamp - started, timedelta())
        self._open_runs.discard(event.run)
        for name in ("recognising_s", "watched_s"):
            self._counted.at(name, begun_at)
            self._counted.at(name, at)
        ran = max(event.timestamp - started, timedelta())
        blind = sum(
            (
                max(event.timestamp - since, timedelta())
                for (run, _), since in self._blind.items()
                if run == event.run
            ),
            timedelta(),
        )
        self._was_blind += blind
        self._watched += max(ran * len(self._recording) - blind, timedelta())
        self._runs[-1] |= {"until": written(event.timestamp), "cause": event.cause}


_SETTLED = (
    "true_alerts",
    "confirmed_true_alerts",
    "false_alerts",
    "unconfirmed_false_alerts",
    "confirmed_false_alerts",
    "undecided_alerts",
    "open_alerts",
    "awaiting_follow_up",
    "not_located",
    "unresolved_identities",
    "arrests",
    "de_arrested",
    "false_alerts_reviewed",
    "false_alerts_not_reviewed",
    "faces_seen",
)
"""What is counted anew whenever the record is told."""


def _disposition(one: _Alert) -> str:
    if one.true:
        return "true"
    return "false" if one.false else "undecided"


def _dispositions(one: _Alert, arrests: Iterable[str]) -> Iterator[tuple[str, bool, int]]:
    """What an alert counts as, and the entry that makes it so."""
    engaged = one.engaged >= 0
    arrested = bool({*arrests, DE_ARRESTED} & set(one.outcomes))
    yield "true_alerts", one.true, one.decided
    yield "confirmed_true_alerts", one.true and one.identity == "same", one.identified
    yield "false_alerts", one.false, one.identified if one.confirmed_false else one.decided
    yield "unconfirmed_false_alerts", one.unconfirmed_false, one.decided
    yield "confirmed_false_alerts", one.confirmed_false, one.identified
    yield "undecided_alerts", not one.true and not one.false, one.raised
    yield "open_alerts", one.open, one.raised
    yield "awaiting_follow_up", one.awaiting, one.decided
    yield "not_located", one.not_located >= 0, one.not_located
    yield (
        "unresolved_identities",
        engaged and one.identity not in ("same", "different"),
        max(one.identified, one.engaged),
    )
    yield "arrests", arrested, one.outcome
    yield "de_arrested", DE_ARRESTED in one.outcomes, one.outcome
    yield "false_alerts_reviewed", one.false and one.reviewed >= 0, one.reviewed
    yield "false_alerts_not_reviewed", one.false and one.reviewed < 0, one.raised


def counted(
    deployment_id: UUID, entries: Iterable[Recorded], evidence: Mapping[str, EvidenceAttached]
) -> DeploymentRecord:
    """The record of one deployment.

    Args:
        deployment_id: which.
        entries: of its scope, in the order of the log.
        evidence: the force's tests, by code.
    """
    counting = Counting(deployment_id, evidence)
    for entry in entries:
        counting.take(entry)
    return counting.told()


def counted_each(
    entries: Iterable[Recorded], evidence: Mapping[str, EvidenceAttached]
) -> list[DeploymentRecord]:
    """The record of each deployment, counted in one pass over the whole log."""
    each: dict[str, Counting] = {}
    for entry in entries:
        if entry.scope != FORCE:
            each.setdefault(entry.scope, Counting(UUID(entry.scope), evidence)).take(entry)
    return [one.told() for one in each.values()]

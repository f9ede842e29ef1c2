"""Lawful commands and facts, with everything that a test is not about already filled in.

``to_start()`` is a command, ``started()`` is the fact that it leads to. Both take the fields that
a test is about: ``to_start(gallery_size=3)``. They are written apart, so that a test which
expects ``started()`` after ``to_start()`` says something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from domain.alerts import commands as alert_commands
from domain.alerts import events as alert_events
from domain.alerts.aggregate import Alert
from domain.alerts.policies import RaiseFacts
from domain.custody import events as item_events
from domain.custody.aggregate import Item
from domain.custody.commands import ConsultItem
from domain.custody.sealing import RecheckedBy, SealedContent, Tombstone
from domain.deployments import commands as deployment_commands
from domain.deployments import events as deployment_events
from domain.deployments.aggregate import Deployment
from domain.deployments.authority import report_codes, sections
from domain.deployments.policies import ListFacts
from domain.engagements.aggregate import Engagement, engagement_after
from domain.governance.adoption import REQUIREMENTS, RequirementsRegister
from domain.governance.documents import DOCUMENTS, Documents
from domain.governance.evidence import EVIDENCE, PerformanceEvidence
from domain.governance.impact_assessment import DPIA, ImpactAssessment
from domain.governance.programme import PROGRAMME, Programme
from domain.governance.training import TRAINING, Training
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.events import Happened
from domain.notice import commands as notice_commands
from domain.notice.aggregate import Notice, notice_of
from domain.publication.aggregate import Publication, publication_of
from domain.rights.breaches import Breach
from domain.rights.complaints import Complaint
from domain.rights.requests import Request
from domain.sightings import commands as sighting_commands
from domain.watchlists import commands as watchlist_commands
from domain.watchlists import events as watchlist_events
from domain.watchlists.aggregate import Watchlist
from domain.watchlists.commands import LoadGallery
from tests.support.governed import PINNED

A = TypeVar("A", bound=Aggregate)
A_co = TypeVar("A_co", bound=Aggregate, covariant=True)

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
"""When everything happens, unless a test says otherwise."""
WINDOW = timedelta(hours=8)
"""How long the requested and the authorised window last, from :data:`AT`."""
DAY = timedelta(hours=24)

DEPLOYMENT = UUID(int=0xD)
WATCHLIST = UUID(int=0x11)
RUN = UUID(int=0x2)
ALERT = UUID(int=0xA)
ITEM = UUID(int=0x17)
ENTRY = UUID(int=0xE)
REQUEST = UUID(int=0x5E9)
COMPLAINT = UUID(int=0xC0)
BREACH = UUID(int=0xB7)
OTHER_ENTRY = UUID(int=0xEE)
STREAMS: dict[type[Aggregate], UUID] = {
    Deployment: DEPLOYMENT,
    Watchlist: WATCHLIST,
    Alert: ALERT,
    Item: ITEM,
    Engagement: engagement_after(ALERT),
    Notice: notice_of(DEPLOYMENT),
    Publication: publication_of(DEPLOYMENT),
    Request: REQUEST,
    Complaint: COMPLAINT,
    Breach: BREACH,
    RequirementsRegister: REQUIREMENTS,
    Documents: DOCUMENTS,
    ImpactAssessment: DPIA,
    PerformanceEvidence: EVIDENCE,
    Training: TRAINING,
    Programme: PROGRAMME,
}
"""The stream of each kind in a scenario."""
CONCERNED: dict[type[Aggregate], UUID] = STREAMS | {
    Engagement: ALERT,
    Notice: DEPLOYMENT,
    Publication: DEPLOYMENT,
}
"""What a refusal about each kind concerns."""

APPLICANT = "staff:applicant"
FIRST_MANAGER = "staff:manager-1"
SECOND_MANAGER = "staff:manager-2"
AUTHORISING_OFFICER = "staff:authorising-officer"
EXTRA_AUTHORISER = "staff:extra-authoriser"
URGENT_OFFICER = "staff:inspector"
OPERATOR = "staff:operator"
ENGAGEMENT_OFFICER = "staff:engagement-officer"
ANOTHER_ENGAGEMENT_OFFICER = "staff:engagement-officer-2"
TRAINED = {
    OPERATOR: "lfr-operator",
    ENGAGEMENT_OFFICER: "lfr-adjudicator",
    ANOTHER_ENGAGEMENT_OFFICER: "lfr-adjudicator",
}
"""Who is trained, and for what."""
RECOGNISER = "system:recogniser/camera-1"

CAMERA = "camera-1"
MODEL = "d" * 64
THRESHOLD = Decimal("0.62")
SETTINGS = {"cool_down_ms": "10000"}
BOUNDARY = "the record, the keystore and the media store of these tests"
RECHECKED = RecheckedBy(UUID(int=0x7E), "in-process")
ZONE = [[0, 0], [1000, 0], [1000, 1000], [0, 1000]]
RANK = {"rank": "superintendent", "rank_evidence": "substantive"}
HIGHER_RANK = {"rank": "chief-superintendent", "rank_evidence": "substantive"}
CATEGORY = "wanted-by-the-courts"


@dataclass(frozen=True)
class Fact(Generic[A_co]):
    """Something that happened to one kind of aggregate, before it has a place in a stream."""

    kind: type[A_co]
    event: type[Happened]
    fields: Mapping[str, Any] = field(default_factory=dict)
    at: datetime = AT

    def placed(self, stream: UUID, version: int) -> Happened:
        """The event, at its place."""
        return self.event(
            originator_id=stream, originator_version=version, timestamp=self.at, **self.fields
        )


def _fact(kind: type[A], event: type[Happened], fields: Mapping[str, Any]) -> Fact[A]:
    """A fact; ``at`` among its fields is the time at which it happened."""
    return Fact(
        kind,
        event,
        {name: value for name, value in fields.items() if name != "at"},
        fields.get("at", AT),
    )


def _asked_by(actor: str, role: Role, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Who asks, as the base of every command, where the test does not say otherwise."""
    return {
        "scope": DEPLOYMENT.hex,
        "mode": Mode.REHEARSAL,
        "actor": actor,
        "role": role,
        "at": AT,
        **changes,
    }


def a_command(**changes: Any) -> Command:
    """Some command, by the system."""
    return Command(**_asked_by("system:test", Role.SYSTEM, changes))


# -- deployments: commands ---------------------------------------------------------------------


def to_apply(**changes: Any) -> deployment_commands.ApplyForDeployment:
    """An applicant applies for the next eight hours."""
    asked = {
        "deployment": DEPLOYMENT,
        "watchlist": WATCHLIST,
        "use_case": "locate-wanted-persons",
        "objective": "arrest",
        "location": "high-street",
        "requested_from": AT,
        "requested_until": AT + WINDOW,
    }
    return deployment_commands.ApplyForDeployment(
        **_asked_by(APPLICANT, Role.APPLICANT, asked | changes)
    )


def to_configure_a_camera(**changes: Any) -> deployment_commands.ConfigureCamera:
    """An operator gives a camera the whole frame as its zone."""
    asked = {
        "deployment": DEPLOYMENT,
        "camera": CAMERA,
        "source_kind": "file",
        "zone": ZONE,
        "footage_recorded": False,
    }
    return deployment_commands.ConfigureCamera(
        **_asked_by(OPERATOR, Role.OPERATOR, asked | changes)
    )


def to_authorise(**changes: Any) -> deployment_commands.AuthoriseDeployment:
    """An Authorising Officer allows everything that was asked for."""
    asked = {
        "deployment": DEPLOYMENT,
        "targeted": "entries-of-the-approved-list",
        "intelligence_led": "nexus-recorded-for-each-entry",
        "valid_from": AT,
        "valid_until": AT + WINDOW,
        "cameras": [CAMERA],
        "threshold": THRESHOLD,
        "threshold_justification": "evidence-2026-3",
        "model_digest": MODEL,
        **RANK,
    }
    return deployment_commands.AuthoriseDeployment(
        **_asked_by(AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER, asked | changes)
    )


def the_sections(**changes: list[str]) -> dict[str, list[str]]:
    """A report that says something in every section; ``_`` for ``-`` in the names of others."""
    known = report_codes().codes
    told = {one: [next(iter(known[one]))] if one in known else ["ref-7"] for one in sections()}
    told["rights"] = list(known["rights"])
    return told | {name.replace("_", "-"): said for name, said in changes.items()}


def to_report(**changes: Any) -> deployment_commands.SubmitReport:
    """The applicant reports."""
    asked = {"deployment": DEPLOYMENT, "sections": the_sections()}
    return deployment_commands.SubmitReport(**_asked_by(APPLICANT, Role.APPLICANT, asked | changes))


def to_decide_on_the_place(**changes: Any) -> deployment_commands.DecideOnPlace:
    """An extra authoriser allows the place."""
    asked = {
        "deployment": DEPLOYMENT,
        "granted": True,
        "reason": "closed-that-day",
        "rank": "chief-superintendent",
        "rank_evidence": "substantive",
    }
    return deployment_commands.DecideOnPlace(
        **_asked_by(EXTRA_AUTHORISER, Role.EXTRA_AUTHORISER, asked | changes)
    )


def to_authorise_urgently(**changes: Any) -> deployment_commands.AuthoriseDeployment:
    """An inspector allows everything that was asked for, because life is at risk."""
    urgent = {
        "actor": URGENT_OFFICER,
        "role": Role.URGENT_AUTHORISING_OFFICER,
        "rank": "inspector",
        "urgency": "threat-to-life",
    }
    return to_authorise(**(urgent | changes))


def to_ratify(**changes: Any) -> deployment_commands.RatifyAuthorisation:
    """A superintendent takes the urgent authorisation over."""
    asked = {"deployment": DEPLOYMENT, "ratified": True, "reason": "threat-made-out", **RANK}
    return deployment_commands.RatifyAuthorisation(
        **_asked_by(AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER, asked | changes)
    )


def to_vary(**changes: Any) -> deployment_commands.VaryAuthorisation:
    """An Authorising Officer lets it end an hour earlier."""
    asked = {
        "deployment": DEPLOYMENT,
        "valid_from": AT,
        "valid_until": AT + WINDOW - timedelta(hours=1),
        "cameras": [CAMERA],
        "reason": "crowd-moved-on",
        **RANK,
    }
    return deployment_commands.VaryAuthorisation(
        **_asked_by(AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER, asked | changes)
    )


def to_withdraw(**changes: Any) -> deployment_commands.WithdrawAuthorisation:
    """An Authorising Officer takes the authorisation back."""
    asked = {"deployment": DEPLOYMENT, "reason": "threat-has-passed"}
    return deployment_commands.WithdrawAuthorisation(
        **_asked_by(AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER, asked | changes)
    )


def to_start(**changes: Any) -> deployment_commands.StartDeployment:
    """An operator switches recognition on, with a list of one entry loaded."""
    asked = {
        "deployment": DEPLOYMENT,
        "run": RUN,
        "model_digest": MODEL,
        "gallery_size": 1,
        "recogniser_settings": SETTINGS,
        "precautions": {"core_dumps": "off"},
    }
    return deployment_commands.StartDeployment(
        **_asked_by(OPERATOR, Role.OPERATOR, asked | changes)
    )


def to_stop(**changes: Any) -> deployment_commands.StopDeployment:
    """An operator switches recognition off."""
    asked = {"deployment": DEPLOYMENT, "cause": "asked-to-stop"}
    return deployment_commands.StopDeployment(**_asked_by(OPERATOR, Role.OPERATOR, asked | changes))


def to_end(**changes: Any) -> deployment_commands.EndDeployment:
    """An operator closes the deployment."""
    asked = {"deployment": DEPLOYMENT}
    return deployment_commands.EndDeployment(**_asked_by(OPERATOR, Role.OPERATOR, asked | changes))


def to_cancel(**changes: Any) -> deployment_commands.CancelDeployment:
    """An operator calls the deployment off."""
    asked = {"deployment": DEPLOYMENT, "reason": "weather"}
    return deployment_commands.CancelDeployment(
        **_asked_by(OPERATOR, Role.OPERATOR, asked | changes)
    )


def an_approved_list(**changes: Any) -> ListFacts:
    """What a deployment knows of an approved list with one entry."""
    facts: dict[str, Any] = {
        "watchlist": WATCHLIST,
        "approved": True,
        "makers": [FIRST_MANAGER, SECOND_MANAGER],
        "accepted": 1,
        "not_reviewed": 0,
        "extra_authorisers": [],
        "by_nexus": {"seen-here-before": 1},
        "model_digest": MODEL,
    }
    return ListFacts(**(facts | changes))


# -- notice: commands --------------------------------------------------------------------------


def to_publish_the_notice(**changes: Any) -> notice_commands.PublishNotice:
    """An operator says that the public was told two days before."""
    asked = {
        "deployment": DEPLOYMENT,
        "channel": "force-website",
        "page": "https://force.example/notice-1",
        "published_at": AT - 2 * DAY,
    }
    return notice_commands.PublishNotice(**_asked_by(OPERATOR, Role.OPERATOR, asked | changes))


def to_omit_the_notice(**changes: Any) -> notice_commands.OmitNotice:
    """An Authorising Officer leaves the notice out."""
    asked = {"deployment": DEPLOYMENT, "ground": "threat-to-life"}
    return notice_commands.OmitNotice(
        **_asked_by(AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER, asked | changes)
    )


def to_verify_the_signs(**changes: Any) -> notice_commands.VerifySignage:
    """An operator saw the signs."""
    asked = {"deployment": DEPLOYMENT, "cameras": [CAMERA], "signs": 4, "nearest_m": 30}
    return notice_commands.VerifySignage(**_asked_by(OPERATOR, Role.OPERATOR, asked | changes))


def to_record_the_way(**changes: Any) -> notice_commands.RecordRoute:
    """An operator says how people can stay out."""
    asked = {"deployment": DEPLOYMENT, "cameras": [CAMERA], "route": "north-entrance"}
    return notice_commands.RecordRoute(**_asked_by(OPERATOR, Role.OPERATOR, asked | changes))


def to_remove_the_signs(**changes: Any) -> notice_commands.RemoveSignage:
    """An operator took the signs down."""
    asked = {"deployment": DEPLOYMENT}
    return notice_commands.RemoveSignage(**_asked_by(OPERATOR, Role.OPERATOR, asked | changes))


# -- deployments: facts ------------------------------------------------------------------------


def an_applied_deployment(**changes: Any) -> Fact[Deployment]:
    """A rehearsal was applied for."""
    fields = {
        "mode": "rehearsal",
        "officers": "stand-in",
        "applicant": APPLICANT,
        "watchlist": WATCHLIST,
        "use_case": "locate-wanted-persons",
        "objective": "arrest",
        "location": "high-street",
        "requested_from": AT,
        "requested_until": AT + WINDOW,
    }
    return _fact(Deployment, deployment_events.DeploymentAppliedFor, fields | changes)


def camera_configured(**changes: Any) -> Fact[Deployment]:
    """The camera got its zone."""
    fields = {"camera": CAMERA, "source_kind": "file", "zone": ZONE, "footage_recorded": False}
    return _fact(Deployment, deployment_events.CameraConfigured, fields | changes)


def authorised(**changes: Any) -> Fact[Deployment]:
    """An Authorising Officer allowed everything that was asked for."""
    fields = {
        "officer": AUTHORISING_OFFICER,
        "targeted": "entries-of-the-approved-list",
        "intelligence_led": "nexus-recorded-for-each-entry",
        "valid_from": AT,
        "valid_until": AT + WINDOW,
        "cameras": [CAMERA],
        "watchlist": WATCHLIST,
        "threshold": THRESHOLD,
        "threshold_justification": "evidence-2026-3",
        "model_digest": MODEL,
        **RANK,
        "urgency": "",
        "ratify_by": None,
        "by_nexus": {"seen-here-before": 1},
        **PINNED,
    }
    return _fact(Deployment, deployment_events.DeploymentAuthorised, fields | changes)


def reported(**changes: Any) -> Fact[Deployment]:
    """The applicant reported."""
    fields = {
        "applicant": APPLICANT,
        "catalogue": report_codes().version,
        "sections": the_sections(),
    }
    return _fact(Deployment, deployment_events.ReportSubmitted, fields | changes)


def place_decided(**changes: Any) -> Fact[Deployment]:
    """An extra authoriser allowed the place."""
    fields = {
        "officer": EXTRA_AUTHORISER,
        "rank": "chief-superintendent",
        "rank_evidence": "substantive",
        "granted": True,
        "reason": "closed-that-day",
    }
    return _fact(Deployment, deployment_events.PlaceDecided, fields | changes)


def urgently_authorised(**changes: Any) -> Fact[Deployment]:
    """An inspector allowed it; it lapses after a day."""
    fields = {
        "officer": URGENT_OFFICER,
        "rank": "inspector",
        "urgency": "threat-to-life",
        "ratify_by": AT + DAY,
    }
    return authorised(**(fields | changes))


def ratified(**changes: Any) -> Fact[Deployment]:
    """A superintendent took it over."""
    fields = {"officer": AUTHORISING_OFFICER, "reason": "threat-made-out", **RANK}
    return _fact(Deployment, deployment_events.AuthorisationRatified, fields | changes)


def not_ratified(**changes: Any) -> Fact[Deployment]:
    """A superintendent did not take it over."""
    fields = {"officer": AUTHORISING_OFFICER, "reason": "threat-made-out", **RANK}
    return _fact(Deployment, deployment_events.RatificationDeclined, fields | changes)


def varied(**changes: Any) -> Fact[Deployment]:
    """It ends an hour earlier."""
    fields = {
        "officer": AUTHORISING_OFFICER,
        "reason": "crowd-moved-on",
        "valid_from": AT,
        "valid_until": AT + WINDOW - timedelta(hours=1),
        "cameras": [CAMERA],
    }
    return _fact(Deployment, deployment_events.AuthorisationVaried, fields | changes)


def withdrawn(**changes: Any) -> Fact[Deployment]:
    """The authorisation was taken back."""
    fields = {"officer": AUTHORISING_OFFICER, "reason": "threat-has-passed"}
    return _fact(Deployment, deployment_events.AuthorisationWithdrawn, fields | changes)


def started(**changes: Any) -> Fact[Deployment]:
    """Recognition was switched on."""
    fields = {
        "run": RUN,
        "watchlist": WATCHLIST,
        "gallery_size": 1,
        "model_digest": MODEL,
        "threshold": THRESHOLD,
        "footage_recorded": False,
        "recogniser_settings": SETTINGS,
        "precautions": {"core_dumps": "off"},
        **PINNED,
    }
    return _fact(Deployment, deployment_events.DeploymentStarted, fields | changes)


def stopped(**changes: Any) -> Fact[Deployment]:
    """Recognition was switched off."""
    return _fact(
        Deployment,
        deployment_events.DeploymentStopped,
        {"run": RUN, "cause": "asked-to-stop"} | changes,
    )


def ended(**changes: Any) -> Fact[Deployment]:
    """The deployment is over."""
    return _fact(Deployment, deployment_events.DeploymentEnded, changes)


def cancelled(**changes: Any) -> Fact[Deployment]:
    """The deployment was called off."""
    return _fact(Deployment, deployment_events.DeploymentCancelled, {"reason": "weather"} | changes)


def a_running_deployment() -> tuple[Fact[Deployment], ...]:
    """Applied for, one camera, authorised, started."""
    return (an_applied_deployment(), camera_configured(), reported(), authorised(), started())


# -- watchlists: commands ----------------------------------------------------------------------


def to_propose_criteria(**changes: Any) -> watchlist_commands.ProposeCriteria:
    """A watchlist manager proposes one category."""
    asked = {
        "watchlist": WATCHLIST,
        "deployment": DEPLOYMENT,
        "categories": [CATEGORY],
        "accepted_values": "2026-1",
        "adult_age_bands": ["18-and-over"],
        "contested_categories": [],
        "most_entries": 100,
    }
    return watchlist_commands.ProposeCriteria(
        **_asked_by(FIRST_MANAGER, Role.WATCHLIST_MANAGER, asked | changes)
    )


def to_approve_criteria(**changes: Any) -> watchlist_commands.ApproveCriteria:
    """An Authorising Officer approves the criteria."""
    asked = {"watchlist": WATCHLIST}
    return watchlist_commands.ApproveCriteria(
        **_asked_by(AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER, asked | changes)
    )


def why(**changes: Any) -> watchlist_commands.Necessity:
    """Why a person is proposed."""
    codes: dict[str, Any] = {
        "category": CATEGORY,
        "source_system": "custody-images",
        "image_basis": "taken-in-custody",
        "necessity": "serious-harm",
        "attempted_means": "visit-to-address",
        "attempted_on": date(2026, 11, 20),
        "attempted_result": "not-found",
        "nexus": "seen-here-before",
        "age_band": "18-and-over",
        "vulnerable": False,
        "response_code": "arrest",
    }
    return watchlist_commands.Necessity(**(codes | changes))


def to_propose_an_entry(**changes: Any) -> watchlist_commands.ProposeEntry:
    """A watchlist manager proposes one person."""
    asked = {"watchlist": WATCHLIST, "entry": ENTRY, "necessity": why()}
    return watchlist_commands.ProposeEntry(
        **_asked_by(FIRST_MANAGER, Role.WATCHLIST_MANAGER, asked | changes)
    )


def to_accept(**changes: Any) -> watchlist_commands.AcceptEntry:
    """The system takes an entry whose image was good enough."""
    asked = {"watchlist": WATCHLIST, "entry": ENTRY, "model_digest": MODEL}
    return watchlist_commands.AcceptEntry(
        **_asked_by("system:listing", Role.SYSTEM, asked | changes)
    )


def to_reject(**changes: Any) -> watchlist_commands.RejectEntry:
    """The system turns an entry away."""
    asked = {"watchlist": WATCHLIST, "entry": ENTRY, "reasons": ["no_face"]}
    return watchlist_commands.RejectEntry(
        **_asked_by("system:listing", Role.SYSTEM, asked | changes)
    )


def to_refuse_the_import(**changes: Any) -> watchlist_commands.RefuseImport:
    """The system does not import a file."""
    asked = {"watchlist": WATCHLIST, "reasons": []}
    return watchlist_commands.RefuseImport(
        **_asked_by("system:listing", Role.SYSTEM, asked | changes)
    )


def to_seal(**changes: Any) -> watchlist_commands.SealWatchlist:
    """The first watchlist manager closes the list."""
    asked = {"watchlist": WATCHLIST}
    return watchlist_commands.SealWatchlist(
        **_asked_by(FIRST_MANAGER, Role.WATCHLIST_MANAGER, asked | changes)
    )


def to_approve(**changes: Any) -> watchlist_commands.ApproveWatchlist:
    """An Authorising Officer approves the composition."""
    asked = {"watchlist": WATCHLIST}
    return watchlist_commands.ApproveWatchlist(
        **_asked_by(AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER, asked | changes)
    )


def to_review(**changes: Any) -> watchlist_commands.ReviewEntries:
    """A watchlist manager looked at the one entry again."""
    asked = {"watchlist": WATCHLIST, "entries": [ENTRY]}
    return watchlist_commands.ReviewEntries(
        **_asked_by(SECOND_MANAGER, Role.WATCHLIST_MANAGER, asked | changes)
    )


def to_remove(**changes: Any) -> watchlist_commands.RemoveEntry:
    """A watchlist manager takes the one entry off."""
    asked = {"watchlist": WATCHLIST, "entry": ENTRY, "reason": "arrested"}
    return watchlist_commands.RemoveEntry(
        **_asked_by(FIRST_MANAGER, Role.WATCHLIST_MANAGER, asked | changes)
    )


def to_decide_extra_authority(**changes: Any) -> watchlist_commands.DecideExtraAuthority:
    """A second authority allows the one entry."""
    asked = {
        "watchlist": WATCHLIST,
        "entries": [ENTRY],
        "granted": True,
        "reason": "missing-and-at-risk",
        **HIGHER_RANK,
    }
    return watchlist_commands.DecideExtraAuthority(
        **_asked_by(EXTRA_AUTHORISER, Role.EXTRA_AUTHORISER, asked | changes)
    )


def to_reopen(**changes: Any) -> watchlist_commands.ReopenWatchlist:
    """An Authorising Officer lets the list take one more entry."""
    asked = {"watchlist": WATCHLIST, "reason": "new-intelligence", "most_added": 1}
    return watchlist_commands.ReopenWatchlist(
        **_asked_by(AUTHORISING_OFFICER, Role.AUTHORISING_OFFICER, asked | changes)
    )


def to_load_the_gallery(**changes: Any) -> LoadGallery:
    """A recogniser takes the list's templates into memory."""
    asked = {"deployment": DEPLOYMENT, "watchlist": WATCHLIST, "camera": CAMERA}
    return LoadGallery(**_asked_by(RECOGNISER, Role.SYSTEM, asked | changes))


# -- watchlists: facts -------------------------------------------------------------------------

IMAGE_ITEM = UUID(int=0x1001)
REFERENCE_ITEM = UUID(int=0x1002)
TEMPLATE_ITEM = UUID(int=0x1003)


def criteria_proposed(**changes: Any) -> Fact[Watchlist]:
    """A manager proposed one category."""
    fields = {
        "deployment": DEPLOYMENT,
        "proposer": FIRST_MANAGER,
        "categories": [CATEGORY],
        "accepted_values": "2026-1",
        "adult_age_bands": ["18-and-over"],
        "contested_categories": [],
        "most_entries": 100,
    }
    return _fact(Watchlist, watchlist_events.CriteriaProposed, fields | changes)


def criteria_approved(**changes: Any) -> Fact[Watchlist]:
    """An Authorising Officer approved the criteria."""
    return _fact(
        Watchlist, watchlist_events.CriteriaApproved, {"officer": AUTHORISING_OFFICER} | changes
    )


def entry_proposed(**changes: Any) -> Fact[Watchlist]:
    """A manager proposed one person."""
    fields = {
        "entry": ENTRY,
        "proposer": FIRST_MANAGER,
        "category": CATEGORY,
        "source_system": "custody-images",
        "image_basis": "taken-in-custody",
        "necessity": "serious-harm",
        "attempted_means": "visit-to-address",
        "attempted_on": "2026-11-20",
        "attempted_result": "not-found",
        "nexus": "seen-here-before",
        "age_band": "18-and-over",
        "vulnerable": False,
        "response_code": "arrest",
        "image_item": IMAGE_ITEM,
        "reference_item": REFERENCE_ITEM,
    }
    return _fact(Watchlist, watchlist_events.EntryProposed, fields | changes)


def entry_accepted(**changes: Any) -> Fact[Watchlist]:
    """The entry's image was good enough."""
    fields = {"entry": ENTRY, "template_item": TEMPLATE_ITEM, "model_digest": MODEL}
    return _fact(Watchlist, watchlist_events.EntryAccepted, fields | changes)


def entry_rejected(**changes: Any) -> Fact[Watchlist]:
    """The entry was turned away."""
    return _fact(
        Watchlist,
        watchlist_events.EntryRejected,
        {"entry": ENTRY, "reasons": ["no_face"]} | changes,
    )


def seal_requested(**changes: Any) -> Fact[Watchlist]:
    """The first of two managers closed the list."""
    return _fact(
        Watchlist, watchlist_events.SealRequested, {"sealer": FIRST_MANAGER, "entries": 1} | changes
    )


def list_sealed(**changes: Any) -> Fact[Watchlist]:
    """The second of two managers closed the list of one entry."""
    fields = {
        "sealers": [FIRST_MANAGER, SECOND_MANAGER],
        "entries": 1,
        "rejected": 0,
        "by_category": {CATEGORY: 1},
        "by_source_system": {"custody-images": 1},
        "by_age_band": {"18-and-over": 1},
        "vulnerable": 0,
        "model_digest": MODEL,
    }
    return _fact(Watchlist, watchlist_events.WatchlistSealed, fields | changes)


def list_approved(**changes: Any) -> Fact[Watchlist]:
    """An Authorising Officer approved the composition."""
    fields = {"officer": AUTHORISING_OFFICER, "entries": 1}
    return _fact(Watchlist, watchlist_events.WatchlistApproved, fields | changes)


def reviewed(**changes: Any) -> Fact[Watchlist]:
    """A manager looked at the one entry again."""
    fields = {"reviewer": SECOND_MANAGER, "entries": [ENTRY]}
    return _fact(Watchlist, watchlist_events.EntriesReviewed, fields | changes)


def entry_removed(**changes: Any) -> Fact[Watchlist]:
    """The one entry is off the list."""
    fields = {"entry": ENTRY, "remover": FIRST_MANAGER, "reason": "arrested"}
    return _fact(Watchlist, watchlist_events.EntryRemoved, fields | changes)


def extra_authority_decided(**changes: Any) -> Fact[Watchlist]:
    """A second authority allowed the one entry."""
    fields = {
        "officer": EXTRA_AUTHORISER,
        "entries": [ENTRY],
        "granted": True,
        "reason": "missing-and-at-risk",
        **HIGHER_RANK,
    }
    return _fact(Watchlist, watchlist_events.ExtraAuthorityDecided, fields | changes)


def reopened(**changes: Any) -> Fact[Watchlist]:
    """The list may take one more entry."""
    fields = {"officer": AUTHORISING_OFFICER, "reason": "new-intelligence", "most_added": 1}
    return _fact(Watchlist, watchlist_events.WatchlistReopened, fields | changes)


def an_open_list() -> tuple[Fact[Watchlist], ...]:
    """Criteria proposed and approved; nobody is on the list."""
    return (criteria_proposed(), criteria_approved())


def a_list_of_one() -> tuple[Fact[Watchlist], ...]:
    """An open list with one accepted entry."""
    return (*an_open_list(), entry_proposed(), entry_accepted())


def a_sealed_list() -> tuple[Fact[Watchlist], ...]:
    """A list of one entry that two managers closed."""
    return (*a_list_of_one(), seal_requested(), list_sealed())


# -- alerts: commands --------------------------------------------------------------------------


def material(**changes: Any) -> alert_commands.KeptMaterial:
    """What a recogniser hands over with a possible match."""
    kept: dict[str, Any] = {
        "face_crop": memoryview(bytearray(b"a face")),
        "wide_frame": memoryview(bytearray(b"a frame")),
        "wide_frame_omitted": None,
        "probe_template": memoryview(bytearray(b"a template")),
        "detail": memoryview(bytearray(b'{"similarity": "0.71"}')),
    }
    return alert_commands.KeptMaterial(**(kept | changes))


def to_raise(**changes: Any) -> alert_commands.RaiseAlert:
    """The recogniser raises a possible match of the camera's first face."""
    asked = {
        "deployment": DEPLOYMENT,
        "alert": ALERT,
        "run": RUN,
        "camera": CAMERA,
        "ordinal": 1,
        "first_seen_ms": 1000,
        "captured_ms": 1200,
        "entry": ENTRY,
        "threshold": THRESHOLD,
        "model_digest": MODEL,
        "inside_zone": True,
        "template_life_ms": 40,
        "material": material(),
    }
    return alert_commands.RaiseAlert(**_asked_by(RECOGNISER, Role.SYSTEM, asked | changes))


def everything_stands(**changes: Any) -> RaiseFacts:
    """What a possible match rests on, all of it as authorised."""
    facts: dict[str, Any] = {
        "at": AT,
        "run": RUN,
        "live_run": RUN,
        "valid_from": AT,
        "valid_until": AT + WINDOW,
        "camera": CAMERA,
        "cameras": [CAMERA],
        "inside_zone": True,
        "entry_listed": True,
        "threshold": THRESHOLD,
        "authorised_threshold": THRESHOLD,
        "model_digest": MODEL,
        "authorised_model": MODEL,
    }
    return RaiseFacts(**(facts | changes))


def to_view(**changes: Any) -> alert_commands.ViewAlert:
    """An engagement officer looks."""
    return alert_commands.ViewAlert(
        **_asked_by(ENGAGEMENT_OFFICER, Role.ENGAGEMENT_OFFICER, {"alert": ALERT} | changes)
    )


def to_decide(**changes: Any) -> alert_commands.AdjudicateAlert:
    """An engagement officer, played by a stand-in, decides."""
    asked = {
        "deployment": DEPLOYMENT,
        "alert": ALERT,
        "decision": "viable",
        "subject_factors": ["frontal-view"],
        "system_factors": ["above-threshold"],
        "environmental_factors": ["daylight"],
        "basis": "scripted-rule",
        "note": "",
    }
    return alert_commands.AdjudicateAlert(
        **_asked_by(ENGAGEMENT_OFFICER, Role.ENGAGEMENT_OFFICER, asked | changes)
    )


def to_close(**changes: Any) -> alert_commands.CloseUndetermined:
    """The custodian closes an alert whose time is up."""
    asked = {"alert": ALERT, "cause": "due"}
    return alert_commands.CloseUndetermined(
        **_asked_by("system:custodian", Role.SYSTEM, asked | changes)
    )


# -- alerts: facts -----------------------------------------------------------------------------

ITEMS_OF_THE_ALERT = {"face_crop": UUID(int=0x2001), "alert_detail": UUID(int=0x2002)}


def an_alert(**changes: Any) -> Fact[Alert]:
    """A possible match was raised."""
    fields = {
        "run": RUN,
        "camera": CAMERA,
        "ordinal": 1,
        "first_seen_ms": 1000,
        "captured_ms": 1200,
        "watchlist": WATCHLIST,
        "entry": ENTRY,
        "threshold": THRESHOLD,
        "model_digest": MODEL,
        "items": ITEMS_OF_THE_ALERT,
        "wide_frame_omitted": None,
        "template_life_ms": 40,
    }
    return _fact(Alert, alert_events.AlertRaised, fields | changes)


def viewed(**changes: Any) -> Fact[Alert]:
    """The engagement officer looked."""
    return _fact(Alert, alert_events.AlertViewed, {"officer": ENGAGEMENT_OFFICER} | changes)


def decided(**changes: Any) -> Fact[Alert]:
    """The engagement officer, played by a stand-in, decided."""
    fields = {
        "officer": ENGAGEMENT_OFFICER,
        "decision": "viable",
        "subject_factors": ["frontal-view"],
        "system_factors": ["above-threshold"],
        "environmental_factors": ["daylight"],
        "basis": "scripted-rule",
        "note_item": None,
    }
    return _fact(Alert, alert_events.AlertAdjudicated, fields | changes)


def closed(**changes: Any) -> Fact[Alert]:
    """The time was up before anyone decided."""
    return _fact(Alert, alert_events.AlertClosedUndetermined, {"cause": "due"} | changes)


# -- custody -----------------------------------------------------------------------------------

SEALED_CONTENT = SealedContent(ciphertext_digest="c" * 64, ciphertext_length=100)
TOMBSTONE = Tombstone(sequence=7, digest="7" * 64)


def to_consult(**changes: Any) -> ConsultItem:
    """An engagement officer opens an item to decide an alert."""
    asked = {"item": ITEM, "purpose": "adjudication"}
    return ConsultItem(**_asked_by(ENGAGEMENT_OFFICER, Role.ENGAGEMENT_OFFICER, asked | changes))


def a_registered_item(**changes: Any) -> Fact[Item]:
    """A face crop may come to exist."""
    fields = {
        "item_class": "face_crop",
        "content_type": "image/jpeg",
        "deployment": DEPLOYMENT,
        "concerning": ALERT,
        "schedule": "",
        "rule": "RT-03",
        "clock_starts": "alert",
        "anchor_at": AT,
        "due_at": AT + DAY,
        "commitment": "a" * 64,
    }
    return _fact(Item, item_events.ItemRegistered, fields | changes)


def item_sealed(**changes: Any) -> Fact[Item]:
    """The item exists."""
    fields = {"ciphertext_digest": "c" * 64, "ciphertext_length": 100}
    return _fact(Item, item_events.ItemSealed, fields | changes)


def item_consulted(**changes: Any) -> Fact[Item]:
    """Someone opened the item."""
    return _fact(Item, item_events.ItemConsulted, {"purpose": "adjudication"} | changes)


def destruction_started(**changes: Any) -> Fact[Item]:
    """The item is to be destroyed."""
    return _fact(Item, item_events.DestructionStarted, {"cause": "due"} | changes)


def item_destroyed(**changes: Any) -> Fact[Item]:
    """The item is gone; its receipt."""
    fields = {
        "item_class": "face_crop",
        "deployment": DEPLOYMENT,
        "concerning": ALERT,
        "registered_at": AT,
        "registered_version": 1,
        "schedule": "",
        "rule": "RT-03",
        "clock_starts": "alert",
        "due_at": AT + DAY,
        "cause": "due",
        "started_at": AT,
        "finished_at": AT,
        "commitment": "a" * 64,
        "ciphertext_digest": "c" * 64,
        "ciphertext_length": 100,
        "tombstone_sequence": 7,
        "tombstone_digest": "7" * 64,
        "epoch": f"{DEPLOYMENT.hex}/face_crop/{AT.date().isoformat()}",
        "levels": ["L0", "L1", "L2"],
        "methods": {"L0": "reads-refused", "L1": "key-deleted", "L2": "unlinked"},
        "beyond_use": True,
        "holds": [],
        "recheck": "in-process",
        "recheck_id": RECHECKED.recheck,
        "boundary": BOUNDARY,
        "known_copies_outside": [],
    }
    return _fact(Item, item_events.ItemDestroyed, fields | changes)


# -- sightings ---------------------------------------------------------------------------------


def to_record_faces(**changes: Any) -> sighting_commands.RecordFaces:
    """The recogniser says what became of faces, at a busy time."""
    asked = {
        "deployment": DEPLOYMENT,
        "run": RUN,
        "camera": CAMERA,
        "faces": [],
        "faces_in_the_last_minute": 30,
        "progress": None,
    }
    return sighting_commands.RecordFaces(**_asked_by(RECOGNISER, Role.SYSTEM, asked | changes))


def to_report_a_failure(**changes: Any) -> sighting_commands.ReportSourceFailure:
    """The recogniser could not read on."""
    asked = {
        "deployment": DEPLOYMENT,
        "run": RUN,
        "camera": CAMERA,
        "reason": "truncated_video",
        "frames": 12,
    }
    return sighting_commands.ReportSourceFailure(
        **_asked_by(RECOGNISER, Role.SYSTEM, asked | changes)
    )


def to_reconcile(**changes: Any) -> sighting_commands.ReconcileRun:
    """The system compares what was seen with what became of it."""
    asked = {"deployment": DEPLOYMENT, "run": RUN}
    return sighting_commands.ReconcileRun(
        **_asked_by("system:reconciler", Role.SYSTEM, asked | changes)
    )


def enrolled(ordinal: int, *, life_ms: int = 30) -> sighting_commands.Enrolled:
    """A passer-by's face matched nobody."""
    return sighting_commands.Enrolled(ordinal=ordinal, template_life_ms=life_ms)


def not_enrolled(ordinal: int, *, reason: str = "blur") -> sighting_commands.NotEnrolled:
    """A face was never good enough."""
    return sighting_commands.NotEnrolled(ordinal=ordinal, reason=reason, template_life_ms=0)


def suppressed(ordinal: int, *, alert: UUID = ALERT) -> sighting_commands.Suppressed:
    """An entry that had just alerted was seen again."""
    return sighting_commands.Suppressed(ordinal=ordinal, alert=alert, template_life_ms=30)

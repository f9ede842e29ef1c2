"""When a deployment may be applied for, authorised, started, stopped and closed.

Each policy is a true sentence about a lawful deployment. Limits come in as facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from domain.deployments.authority import report_codes
from domain.deployments.gates import (
    NOTICE_POLICIES,
    READINESS_POLICIES,
    STANDING_POLICIES,
    Announced,
    Readiness,
    Standing,
)
from domain.kernel.codes import is_code
from domain.kernel.commands import Mode, Role
from domain.kernel.ranks import officer_has_the_rank
from domain.kernel.refusals import Policy, Refusal, refuses
from domain.kernel.time import written

LIVE_SOURCES = frozenset({"rtsp", "http", "device"})
AUTHORISERS = frozenset({Role.AUTHORISING_OFFICER, Role.URGENT_AUTHORISING_OFFICER})
RECORDED_SOURCES = frozenset({"file"})


@dataclass(frozen=True)
class ListFacts:
    """What a deployment needs to know of its watchlist."""

    watchlist: UUID
    approved: bool
    makers: Sequence[str]
    """Who had a hand in it: criteria, entries, seal."""
    accepted: int
    """Entries that are on it."""
    not_reviewed: int
    """Entries that nobody looked at within the time that the requirements give."""
    model_digest: str | None
    """The model that made its templates."""
    extra_authorisers: Sequence[str]
    """Who gave a second authority for any of its entries."""
    by_nexus: Mapping[str, int]
    """Why its entries are expected at the place, and how many for each reason."""


@dataclass(frozen=True)
class ApplicationFacts:
    """What an application is judged by."""

    mode: Mode
    role: Role
    authenticated: bool
    codes: Mapping[str, str]
    """Use case, objective and location, as given."""
    requested_from: datetime
    requested_until: datetime
    exists: bool


@refuses("already_applied_for")
def applied_for_once(facts: ApplicationFacts) -> Refusal | None:
    """A deployment is applied for once; what changes later is a variation."""
    if facts.exists:
        return Refusal("already_applied_for", "apply for a new deployment")
    return None


@refuses("not_an_applicant")
def applicant_may_apply(facts: ApplicationFacts) -> Refusal | None:
    """Applications come from an applicant. Source: domain specification, section 2."""
    if facts.role is not Role.APPLICANT:
        return Refusal("not_an_applicant", "an applicant applies", {"role": facts.role.value})
    return None


@refuses("officers_not_authenticated", "rehearsal_needs_stand_ins")
def officers_fit_the_mode(facts: ApplicationFacts) -> Refusal | None:
    """Operational use needs persons who proved who they are; a rehearsal has stand-ins.

    Source: architecture, "Two modes".
    """
    operational = facts.mode is Mode.OPERATIONAL
    if operational and not facts.authenticated:
        return Refusal(
            "officers_not_authenticated",
            "operational use needs authenticated persons; rehearse instead",
            {"mode": facts.mode.value},
        )
    if not operational and facts.authenticated:
        return Refusal(
            "rehearsal_needs_stand_ins",
            "a rehearsal is played by stand-ins, so that nothing in it passes for a decision",
            {"mode": facts.mode.value},
        )
    return None


@refuses("window_without_end")
def application_has_an_end(facts: ApplicationFacts) -> Refusal | None:
    """A deployment is time-bound from the first word. Source: seed L34."""
    if facts.requested_until <= facts.requested_from:
        return Refusal(
            "window_without_end",
            "the requested window must end after it begins",
            {"from": written(facts.requested_from), "until": written(facts.requested_until)},
        )
    return None


@refuses("not_a_code")
def application_is_in_codes(facts: ApplicationFacts) -> Refusal | None:
    """An event holds codes; what needs a sentence belongs in the vault. Source: NEVER 5."""
    unfit = sorted(name for name, text in facts.codes.items() if not is_code(text))
    if unfit:
        return Refusal(
            "not_a_code",
            "give a code of lower-case letters, digits and ._/- without spaces",
            {"fields": ", ".join(unfit)},
        )
    return None


APPLICATION_POLICIES: tuple[Policy[ApplicationFacts], ...] = (
    applied_for_once,
    applicant_may_apply,
    officers_fit_the_mode,
    application_has_an_end,
    application_is_in_codes,
)


@refuses("not_an_operator")
def operator_works_the_system(facts: CameraFacts | StartFacts) -> Refusal | None:
    """Cameras and recognition are the operator's. Source: domain specification, section 2."""
    if facts.role is not Role.OPERATOR:
        return Refusal("not_an_operator", "an operator does this", {"role": facts.role.value})
    return None


CLOSERS = frozenset({Role.OPERATOR, Role.AUTHORISING_OFFICER, Role.SYSTEM})
"""Who may stop and close: whoever works it, whoever allowed it, and the system when time is up."""


@refuses("role_may_not_close")
def role_may_close(facts: StopFacts | ClosingFacts) -> Refusal | None:
    """Stopping is easier than starting, but not anyone's. Source: specification, section 2."""
    if facts.role not in CLOSERS:
        return Refusal(
            "role_may_not_close",
            "an operator or the Authorising Officer stops and closes",
            {"role": facts.role.value},
        )
    return None


@dataclass(frozen=True)
class CameraFacts:
    """What a camera is judged by."""

    role: Role
    mode: Mode
    camera: str
    source_kind: str
    zone: Sequence[Sequence[int]]
    over: bool
    authorised: bool


@refuses("source_does_not_fit_the_mode")
def source_fits_the_mode(facts: CameraFacts) -> Refusal | None:
    """Operational mode takes live sources only, a rehearsal regular files only.

    A recorded file in operational use would be retrospective recognition, which the source
    document does not allow; a live camera in a rehearsal would be recognition of the public
    without authority. Source: seed L19; architecture, "Two modes".
    """
    wanted = LIVE_SOURCES if facts.mode is Mode.OPERATIONAL else RECORDED_SOURCES
    known = LIVE_SOURCES | RECORDED_SOURCES
    if facts.source_kind not in wanted:
        # A word that is no kind may be an address with its password: it is not repeated.
        found = facts.source_kind if facts.source_kind in known else "another kind"
        return Refusal(
            "source_does_not_fit_the_mode",
            f"expected {', '.join(sorted(wanted))} in {facts.mode.value} use, found {found}",
            {"mode": facts.mode.value, "source_kind": found},
        )
    return None


@refuses("zone_is_no_polygon")
def zone_is_a_polygon(facts: CameraFacts) -> Refusal | None:
    """Recognition happens inside a drawn zone, never "wherever the camera looks".

    Source: seed L25; requirement 15.
    """
    inside = all(len(point) == 2 and all(0 <= one <= 1000 for one in point) for point in facts.zone)
    if len(facts.zone) < 3 or not inside:
        return Refusal(
            "zone_is_no_polygon",
            "a zone has at least three points, each from 0 to 1000 across and down the frame",
            {"points": str(len(facts.zone))},
        )
    return None


@refuses("already_authorised")
def cameras_are_named_before_the_authorisation(facts: CameraFacts) -> Refusal | None:
    """The AO authorises what is known; a camera added later would widen it. Source: seed L34."""
    if facts.authorised:
        return Refusal("already_authorised", "a camera added now needs a variation")
    return None


@refuses("deployment_over")
def camera_deployment_is_open(facts: CameraFacts) -> Refusal | None:
    """Nothing is added to a deployment that is over."""
    if facts.over:
        return Refusal("deployment_over", "apply for a new deployment")
    return None


@refuses("not_a_code")
def camera_is_named_by_a_code(facts: CameraFacts) -> Refusal | None:
    """A camera's name stands on every entry of its run. Source: NEVER 5."""
    if not is_code(facts.camera):
        return Refusal("not_a_code", "name the camera by a code such as camera-1")
    return None


CAMERA_POLICIES: tuple[Policy[CameraFacts], ...] = (
    operator_works_the_system,
    camera_deployment_is_open,
    camera_is_named_by_a_code,
    cameras_are_named_before_the_authorisation,
    source_fits_the_mode,
    zone_is_a_polygon,
)


@dataclass(frozen=True)
class AuthorisationFacts:
    """What an authorisation is judged by."""

    officer: str
    role: Role
    rank: str
    rank_evidence: str
    urgency: str
    urgent_before: bool
    """Whether the deployment was authorised urgently once."""
    reported: bool
    """Whether the applicant's report was submitted."""
    sensitive: Sequence[str]
    """The sensitive places that it names."""
    place_allowed_by: str
    """Who gave the second authority for them; empty for nobody."""
    longest_window: timedelta
    applicant: str
    watchlist: ListFacts
    targeted: str
    intelligence_led: str
    valid_from: datetime
    valid_until: datetime
    requested_from: datetime | None
    requested_until: datetime | None
    cameras: Sequence[str]
    configured: Sequence[str]
    threshold: Decimal
    threshold_justification: str
    model_digest: str
    standing: Standing
    """Of the force, over the whole window."""
    already_authorised: bool
    over: bool


@refuses("not_an_authorising_officer")
def officer_may_authorise(facts: AuthorisationFacts) -> Refusal | None:
    """Only an Authorising Officer authorises. Source: seed L34."""
    if facts.role in AUTHORISERS:
        return None
    return Refusal(
        "not_an_authorising_officer",
        "an Authorising Officer authorises",
        {"role": facts.role.value},
    )


@refuses("urgency_unknown", "not_urgent", "urgent_before")
def urgency_fits_the_role(facts: AuthorisationFacts) -> Refusal | None:
    """A lower rank authorises only for an imminent threat, once; a superintendent needs none.

    Source: domain specification, section 2.
    """
    urgent = facts.role is Role.URGENT_AUTHORISING_OFFICER
    if urgent and not report_codes().has("threat", facts.urgency):
        return Refusal(
            "urgency_unknown",
            f"expected one of {', '.join(report_codes().codes['threat'])}",
        )
    if facts.urgency and not urgent:
        return Refusal("not_urgent", "an Authorising Officer authorises without urgency")
    if urgent and facts.urgent_before:
        # Else one that is not ratified could be given again and again.
        return Refusal("urgent_before", "have an Authorising Officer authorise what goes on")
    return None


@refuses("report_missing")
def applicant_has_reported(facts: AuthorisationFacts) -> Refusal | None:
    """The officer decides on a full report; with life at risk it may follow. Source: seed L34."""
    if facts.reported or facts.role is Role.URGENT_AUTHORISING_OFFICER:
        return None
    return Refusal("report_missing", "have the applicant submit the report first")


@refuses("extra_authority_missing", "officer_gave_the_extra_authority")
def sensitive_place_was_allowed(facts: AuthorisationFacts) -> Refusal | None:
    """A second person, of higher rank, allowed it. Source: domain specification, section 2, 3.3."""
    if facts.officer in (facts.place_allowed_by, *facts.watchlist.extra_authorisers):
        return Refusal(
            "officer_gave_the_extra_authority",
            "someone other than the extra authoriser must authorise",
            {"officer": facts.officer},
        )
    if facts.sensitive and not facts.place_allowed_by:
        return Refusal(
            "extra_authority_missing",
            "have an extra authoriser decide on the sensitive place",
            {"places": ", ".join(facts.sensitive)},
        )
    return None


@refuses("window_too_long")
def window_is_short(facts: AuthorisationFacts) -> Refusal | None:
    """No longer than the force's requirements allow. Source: domain specification, 3.3."""
    if facts.valid_until - facts.valid_from <= facts.longest_window:
        return None
    return Refusal(
        "window_too_long",
        "authorise a shorter window",
        {
            "hours": f"{(facts.valid_until - facts.valid_from) / timedelta(hours=1):g}",
            "at_most": f"{facts.longest_window / timedelta(hours=1):g}",
        },
    )


@refuses("officer_is_the_applicant")
def officer_did_not_apply(facts: AuthorisationFacts) -> Refusal | None:
    """Nobody approves their own application. Source: domain specification, SOD-1."""
    if facts.officer == facts.applicant:
        return Refusal(
            "officer_is_the_applicant",
            "someone other than the applicant must authorise",
            {"officer": facts.officer},
        )
    return None


@refuses("officer_made_the_list")
def officer_did_not_make_the_list(facts: AuthorisationFacts) -> Refusal | None:
    """Nobody authorises the use of a list that they compiled. Source: SOD-2."""
    if facts.officer in facts.watchlist.makers:
        return Refusal(
            "officer_made_the_list",
            "someone other than those who compiled and sealed the watchlist must authorise",
            {"officer": facts.officer},
        )
    return None


@refuses("not_targeted")
def deployment_is_targeted(facts: AuthorisationFacts) -> Refusal | None:
    """Against whom and why, in the authorisation itself. Source: seed L34."""
    if not is_code(facts.targeted):
        return Refusal("not_targeted", "say by a code what makes the deployment targeted")
    return None


@refuses("not_intelligence_led")
def deployment_is_intelligence_led(facts: AuthorisationFacts) -> Refusal | None:
    """Why here and now, in the authorisation itself. Source: seed L34."""
    if not is_code(facts.intelligence_led):
        return Refusal("not_intelligence_led", "say by a code what intelligence leads here and now")
    return None


@refuses("not_time_bound")
def deployment_is_time_bound(facts: AuthorisationFacts) -> Refusal | None:
    """The authorised window has an end and lies inside the one applied for. Source: seed L34."""
    asked = (facts.requested_from, facts.requested_until)
    if (
        facts.valid_until <= facts.valid_from
        or asked[0] is None
        or asked[1] is None
        or facts.valid_from < asked[0]
        or facts.valid_until > asked[1]
    ):
        return Refusal(
            "not_time_bound",
            "the authorised window must end after it begins and lie inside the requested one",
            {"from": written(facts.valid_from), "until": written(facts.valid_until)},
        )
    return None


@refuses("not_geographically_limited")
def deployment_is_geographically_limited(facts: AuthorisationFacts) -> Refusal | None:
    """Named cameras with a zone each, and no others. Source: seed L34."""
    unknown = sorted(set(facts.cameras) - set(facts.configured))
    if not facts.cameras or unknown:
        return Refusal(
            "not_geographically_limited",
            "name the cameras, each with its zone of recognition",
            {"cameras": ", ".join(facts.cameras), "without_zone": ", ".join(unknown)},
        )
    return None


@refuses("threshold_out_of_range")
def threshold_is_a_similarity(facts: AuthorisationFacts) -> Refusal | None:
    """A threshold lies between 0 and 1. Anything else, NaN above all, would let all or none in."""
    if not facts.threshold.is_finite() or not 0 < facts.threshold < 1:
        return Refusal(
            "threshold_out_of_range",
            "a threshold is a number above 0 and below 1",
            {"threshold": str(facts.threshold)},
        )
    return None


@refuses("threshold_not_justified")
def threshold_is_justified(facts: AuthorisationFacts) -> Refusal | None:
    """A threshold is set for a reason that can be read afterwards. Source: requirement 22."""
    if not is_code(facts.threshold_justification):
        return Refusal(
            "threshold_not_justified", "say by a code why this threshold, for this model and list"
        )
    return None


@refuses("watchlist_not_approved")
def watchlist_is_approved(facts: AuthorisationFacts) -> Refusal | None:
    """The AO decides on a list that was sealed and approved. Source: seed L30, L32."""
    if not facts.watchlist.approved:
        return Refusal("watchlist_not_approved", "approve the sealed watchlist first")
    return None


@refuses("model_differs_from_the_list")
def threshold_is_for_the_lists_model(facts: AuthorisationFacts) -> Refusal | None:
    """Scores of two models do not compare. Source: domain specification, C-13."""
    if facts.watchlist.model_digest != facts.model_digest:
        return Refusal(
            "model_differs_from_the_list",
            "authorise the model that made the watchlist's templates",
            {"list": str(facts.watchlist.model_digest), "authorised": facts.model_digest},
        )
    return None


@refuses("already_authorised")
def authorised_once(facts: AuthorisationFacts) -> Refusal | None:
    """A second authorisation would be a variation, and says so."""
    if facts.already_authorised:
        return Refusal("already_authorised", "vary the authorisation instead")
    return None


@refuses("deployment_over")
def authorisation_is_before_the_end(facts: AuthorisationFacts) -> Refusal | None:
    """A deployment that is over stays over."""
    if facts.over:
        return Refusal("deployment_over", "apply for a new deployment")
    return None


AUTHORISATION_POLICIES: tuple[Policy[AuthorisationFacts], ...] = (
    authorisation_is_before_the_end,
    authorised_once,
    officer_may_authorise,
    officer_has_the_rank,
    urgency_fits_the_role,
    applicant_has_reported,
    sensitive_place_was_allowed,
    officer_did_not_apply,
    officer_did_not_make_the_list,
    deployment_is_targeted,
    deployment_is_intelligence_led,
    deployment_is_time_bound,
    window_is_short,
    deployment_is_geographically_limited,
    threshold_is_a_similarity,
    threshold_is_justified,
    watchlist_is_approved,
    threshold_is_for_the_lists_model,
    *STANDING_POLICIES,
)


@dataclass(frozen=True)
class WithdrawalFacts:
    """What a withdrawal is judged by."""

    role: Role
    authorised: bool
    over: bool
    reason: str


@refuses("role_may_not_withdraw")
def role_may_withdraw(facts: WithdrawalFacts) -> Refusal | None:
    """The AO at any time; the sponsor, who may pause everything, too. Source: section 2."""
    if facts.role in (Role.AUTHORISING_OFFICER, Role.SPONSOR):
        return None
    return Refusal(
        "role_may_not_withdraw",
        "an Authorising Officer or the project sponsor withdraws",
        {"role": facts.role.value},
    )


@refuses("not_authorised")
def there_is_something_to_withdraw(facts: WithdrawalFacts) -> Refusal | None:
    """Only what was given can be taken back, once."""
    if facts.authorised:
        return None
    return Refusal("not_authorised", "the deployment is not authorised, or not any more")


@refuses("deployment_over")
def withdrawal_is_before_the_end(facts: WithdrawalFacts) -> Refusal | None:
    """A deployment that is over needs no withdrawal."""
    return Refusal("deployment_over", "the deployment is over") if facts.over else None


@refuses("not_a_code")
def withdrawal_has_a_reason(facts: WithdrawalFacts) -> Refusal | None:
    """Why, as a code. Source: NEVER 5."""
    return None if is_code(facts.reason) else Refusal("not_a_code", "give the reason by a code")


WITHDRAWAL_POLICIES: tuple[Policy[WithdrawalFacts], ...] = (
    role_may_withdraw,
    withdrawal_is_before_the_end,
    there_is_something_to_withdraw,
    withdrawal_has_a_reason,
)


@dataclass(frozen=True)
class StartFacts:
    """What a start is judged by."""

    role: Role
    at: datetime
    authorised: bool
    valid_from: datetime | None
    valid_until: datetime | None
    model_allowed: str | None
    model_loaded: str
    gallery_size: int
    watchlist: ListFacts
    running: bool
    run_known: bool
    over: bool
    items_overdue: int
    standing: Standing
    """Of the force, that day."""
    readiness: Readiness
    announced: Announced
    notice_needed: timedelta


@refuses("items_overdue")
def nothing_is_overdue(facts: StartFacts) -> Refusal | None:
    """Who keeps faces too long may not take more. Source: domain specification, 3.8."""
    if facts.items_overdue:
        return Refusal(
            "items_overdue",
            "destroy what is overdue first (plumbline custody plan says what)",
            {"items": str(facts.items_overdue)},
        )
    return None


@refuses("not_authorised")
def start_is_authorised(facts: StartFacts) -> Refusal | None:
    """No recognition without an authorisation. Source: seed L34."""
    if not facts.authorised:
        return Refusal("not_authorised", "an Authorising Officer must authorise the deployment")
    return None


@refuses("outside_the_authorised_window")
def start_is_inside_the_window(facts: StartFacts) -> Refusal | None:
    """Recognition only between the authorised times. Source: seed L34; requirement 37."""
    if facts.valid_from is None or facts.valid_until is None:
        return None
    if not facts.valid_from <= facts.at < facts.valid_until:
        return Refusal(
            "outside_the_authorised_window",
            "start inside the authorised window",
            {
                "at": written(facts.at),
                "from": written(facts.valid_from),
                "until": written(facts.valid_until),
            },
        )
    return None


@refuses("watchlist_not_approved", "watchlist_empty")
def start_finds_an_approved_list(facts: StartFacts) -> Refusal | None:
    """Start is refused without a sealed and approved list, or one from which everybody was removed.

    Source: seed L23, L31.
    """
    if not facts.watchlist.approved:
        return Refusal("watchlist_not_approved", "approve the sealed watchlist first")
    if not facts.watchlist.accepted:
        return Refusal("watchlist_empty", "nobody is left on the list to look for")
    return None


@refuses("entries_not_reviewed")
def every_entry_was_reviewed(facts: StartFacts) -> Refusal | None:
    """Every entry was looked at shortly before recognition is switched on.

    Source: College APP, "Watchlist"; domain specification, 3.4, 3.11 (currency), K-12.
    """
    if facts.watchlist.not_reviewed:
        return Refusal(
            "entries_not_reviewed",
            "look at every entry again, and remove those that are out of date",
            {"entries": str(facts.watchlist.not_reviewed)},
        )
    return None


@refuses("gallery_differs_from_the_list")
def gallery_is_the_approved_list(facts: StartFacts) -> Refusal | None:
    """What the recogniser holds is what was approved, entry for entry. Source: peers, 19."""
    if facts.gallery_size != facts.watchlist.accepted:
        return Refusal(
            "gallery_differs_from_the_list",
            "load the approved watchlist",
            {"gallery": str(facts.gallery_size), "list": str(facts.watchlist.accepted)},
        )
    return None


@refuses("model_not_authorised")
def model_is_the_authorised_one(facts: StartFacts) -> Refusal | None:
    """The threshold was authorised for one model. Source: domain specification, C-13."""
    if facts.model_allowed is not None and facts.model_loaded != facts.model_allowed:
        return Refusal(
            "model_not_authorised",
            "load the authorised model",
            {"authorised": facts.model_allowed, "loaded": facts.model_loaded},
        )
    return None


@refuses("already_running")
def one_run_at_a_time(facts: StartFacts) -> Refusal | None:
    """A deployment has one run at a time, so that the sums belong to one."""
    if facts.running:
        return Refusal("already_running", "stop the present run first")
    return None


@refuses("run_known")
def run_is_new(facts: StartFacts) -> Refusal | None:
    """Each run has a reference of its own, so that its sums are its own."""
    if facts.run_known and not facts.running:
        return Refusal("run_known", "give the run a new reference")
    return None


@refuses("deployment_over")
def start_is_before_the_end(facts: StartFacts) -> Refusal | None:
    """A deployment that is over stays over."""
    if facts.over:
        return Refusal("deployment_over", "apply for a new deployment")
    return None


START_POLICIES: tuple[Policy[StartFacts], ...] = (
    operator_works_the_system,
    start_is_before_the_end,
    start_is_authorised,
    start_is_inside_the_window,
    start_finds_an_approved_list,
    every_entry_was_reviewed,
    gallery_is_the_approved_list,
    model_is_the_authorised_one,
    one_run_at_a_time,
    run_is_new,
    nothing_is_overdue,
    *STANDING_POLICIES,
    *READINESS_POLICIES,
    *NOTICE_POLICIES,
)


@dataclass(frozen=True)
class StopFacts:
    """What a stop is judged by."""

    role: Role
    running: bool


@refuses("not_running")
def there_is_a_run(facts: StopFacts) -> Refusal | None:
    """Only what runs can be stopped."""
    return None if facts.running else Refusal("not_running", "there is no run to stop")


STOP_POLICIES: tuple[Policy[StopFacts], ...] = (role_may_close, there_is_a_run)


@dataclass(frozen=True)
class ClosingFacts:
    """What an end or a cancellation is judged by."""

    role: Role
    running: bool
    over: bool


@refuses("still_running")
def run_was_stopped_first(facts: ClosingFacts) -> Refusal | None:
    """The cameras are off before the books are closed."""
    return Refusal("still_running", "stop the run first") if facts.running else None


@refuses("deployment_over")
def closed_once(facts: ClosingFacts) -> Refusal | None:
    """A deployment ends once, because its end starts the clocks of destruction."""
    return Refusal("deployment_over", "the deployment is over already") if facts.over else None


CLOSING_POLICIES: tuple[Policy[ClosingFacts], ...] = (
    role_may_close,
    run_was_stopped_first,
    closed_once,
)

"""A deployment: each rule holds, and what is refused is refused with every reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.deployments.aggregate import Deployment
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from tests.support.builders import (
    APPLICANT,
    AT,
    AUTHORISING_OFFICER,
    DAY,
    FIRST_MANAGER,
    SECOND_MANAGER,
    WINDOW,
    Fact,
    a_running_deployment,
    an_applied_deployment,
    an_approved_list,
    authorised,
    camera_configured,
    cancelled,
    ended,
    reported,
    started,
    stopped,
    to_apply,
    to_authorise,
    to_cancel,
    to_configure_a_camera,
    to_end,
    to_start,
    to_stop,
    to_withdraw,
    withdrawn,
)
from tests.support.governed import a_readiness, a_standing, an_announcement
from tests.support.scenarios import given, given_no, happened, refused

MINUTE = timedelta(minutes=1)
NOT_APPLICANTS = [role for role in Role if role is not Role.APPLICANT]
DECIDING = (Role.AUTHORISING_OFFICER, Role.URGENT_AUTHORISING_OFFICER, Role.EXTRA_AUTHORISER)
NOT_AUTHORISING = [role for role in Role if role not in DECIDING]
"""Those who decide by their rank are in test_authority.py."""

Ask = Callable[[Deployment], Refused | None]


def apply(*, authenticated: bool = False, **changes: Any) -> Ask:
    """Ask for a deployment."""
    return lambda one: one.decide_application(to_apply(**changes), authenticated=authenticated)


def configure(**changes: Any) -> Ask:
    """Ask for a camera."""
    return lambda one: one.decide_camera(to_configure_a_camera(**changes))


def authorise(
    *,
    watchlist: dict[str, Any] | None = None,
    standing: dict[str, Any] | None = None,
    **changes: Any,
) -> Ask:
    """Ask for the authorisation, with list and force as changed."""
    return lambda one: one.decide_authorisation(
        to_authorise(**changes),
        watchlist=an_approved_list(**(watchlist or {})),
        standing=a_standing(**(standing or {})),
        longest_window=DAY,
        urgent_for=DAY,
    )


def start(
    *,
    watchlist: dict[str, Any] | None = None,
    items_overdue: int = 0,
    standing: dict[str, Any] | None = None,
    readiness: dict[str, Any] | None = None,
    **changes: Any,
) -> Ask:
    """Ask for recognition, with list and force as changed."""
    return lambda one: one.decide_start(
        to_start(**changes),
        watchlist=an_approved_list(**(watchlist or {})),
        items_overdue=items_overdue,
        standing=a_standing(**(standing or {})),
        readiness=a_readiness(**(readiness or {})),
        announced=an_announcement(),
        notice_needed=DAY,
    )


def stop(one: Deployment) -> Refused | None:
    """Ask for the end of recognition."""
    return one.decide_stop(to_stop())


def end(one: Deployment) -> Refused | None:
    """Ask for the end."""
    return one.decide_end(to_end())


def cancel(one: Deployment) -> Refused | None:
    """Ask for the cancellation."""
    return one.decide_cancellation(to_cancel())


# -- application -------------------------------------------------------------------------------


def test_an_application_is_recorded_with_what_was_asked_for() -> None:
    """Who asks, for what, where and when; stand-ins are called stand-ins."""
    given_no(Deployment).when(apply()).then(happened(an_applied_deployment()))


def test_an_operational_application_says_that_the_officers_are_authenticated() -> None:
    """Persons who proved who they are may apply for operational use."""
    (
        given_no(Deployment)
        .when(apply(mode=Mode.OPERATIONAL, authenticated=True))
        .then(happened(an_applied_deployment(mode="operational", officers="authenticated")))
    )


def test_a_deployment_is_applied_for_once() -> None:
    """What changes later is a variation, never a second application."""
    given(an_applied_deployment()).when(apply()).then(
        refused("already_applied_for", kept_as="deployment.application_refused")
    )


@pytest.mark.parametrize("role", NOT_APPLICANTS)
def test_only_an_applicant_applies(role: Role) -> None:
    """Every other role is told so."""
    given_no(Deployment).when(apply(role=role)).then(
        refused("not_an_applicant", compared={"role": role.value})
    )


def test_operational_use_without_authenticated_persons_is_refused() -> None:
    """Until persons prove who they are, nothing operational begins."""
    given_no(Deployment).when(apply(mode=Mode.OPERATIONAL)).then(
        refused("officers_not_authenticated", compared={"mode": "operational"})
    )


def test_a_rehearsal_with_authenticated_persons_is_refused() -> None:
    """Nothing in a rehearsal may pass for what a real person decided."""
    given_no(Deployment).when(apply(authenticated=True)).then(
        refused("rehearsal_needs_stand_ins", compared={"mode": "rehearsal"})
    )


@pytest.mark.parametrize("until", [AT, AT - MINUTE])
def test_a_requested_window_that_does_not_end_after_it_begins_is_refused(until: Any) -> None:
    """A deployment is time-bound from the first word; an empty window is none."""
    given_no(Deployment).when(apply(requested_until=until)).then(refused("window_without_end"))


def test_a_refused_application_tells_every_reason_at_once() -> None:
    """Nobody learns the rules one error at a time."""
    (
        given(an_applied_deployment())
        .when(apply(role=Role.OPERATOR, mode=Mode.OPERATIONAL, requested_until=AT))
        .then(
            refused(
                "already_applied_for",
                "not_an_applicant",
                "officers_not_authenticated",
                "window_without_end",
            )
        )
    )


# -- cameras -----------------------------------------------------------------------------------


def test_a_camera_is_recorded_with_its_zone() -> None:
    """The zone is on the record before anybody authorises it."""
    given(an_applied_deployment()).when(configure()).then(happened(camera_configured()))


def test_an_address_in_place_of_a_kind_of_source_is_not_repeated() -> None:
    """It may hold a password, and a refusal is kept for ever."""
    given(an_applied_deployment()).when(configure(source_kind="rtsp://user:secret@host")).then(
        refused(
            "source_does_not_fit_the_mode",
            compared={"mode": "rehearsal", "source_kind": "another kind"},
        )
    )


@pytest.mark.parametrize("kind", ["rtsp", "http", "device"])
def test_a_live_camera_in_a_rehearsal_is_refused(kind: str) -> None:
    """It would be recognition of the public without authority."""
    given(an_applied_deployment()).when(configure(source_kind=kind)).then(
        refused(
            "source_does_not_fit_the_mode",
            kept_as="deployment.camera_refused",
            compared={"mode": "rehearsal", "source_kind": kind},
        )
    )


def test_a_recorded_file_in_operational_use_is_refused() -> None:
    """It would be retrospective recognition, which the source document does not allow."""
    (
        given(an_applied_deployment(mode="operational", officers="authenticated"))
        .when(configure(mode=Mode.OPERATIONAL, source_kind="file"))
        .then(refused("source_does_not_fit_the_mode"))
    )


@pytest.mark.parametrize("kind", ["rtsp", "http", "device"])
def test_a_live_camera_in_operational_use_is_taken(kind: str) -> None:
    """Live sources are what operational use is for; footage may be recorded there."""
    (
        given(an_applied_deployment(mode="operational", officers="authenticated"))
        .when(configure(mode=Mode.OPERATIONAL, source_kind=kind, footage_recorded=True))
        .then(happened(camera_configured(source_kind=kind, footage_recorded=True)))
    )


def test_a_camera_is_judged_by_the_mode_that_was_fixed_at_the_application() -> None:
    """A command that claims the other mode does not bring a file into operational use."""
    (
        given(an_applied_deployment(mode="operational", officers="authenticated"))
        .when(configure(mode=Mode.REHEARSAL, source_kind="file"))
        .then(refused("source_does_not_fit_the_mode"))
    )


@pytest.mark.parametrize(
    "zone",
    [
        [],
        [[0, 0], [1000, 0]],
        [[0, 0], [1000, 0], [1001, 1000]],
        [[0, 0], [1000, 0], [500, -1]],
        [[0, 0], [1000, 0], [500]],
    ],
    ids=["nothing", "a line", "beyond the frame", "before the frame", "half a point"],
)
def test_a_zone_that_is_no_polygon_inside_the_frame_is_refused(zone: list[list[int]]) -> None:
    """Recognition happens inside a drawn zone, never wherever the camera looks."""
    given(an_applied_deployment()).when(configure(zone=zone)).then(
        refused("zone_is_no_polygon", compared={"points": str(len(zone))})
    )


def test_a_triangle_from_edge_to_edge_is_a_zone() -> None:
    """Three points suffice, and 0 and 1000 lie inside the frame."""
    zone = [[0, 0], [1000, 0], [500, 1000]]
    given(an_applied_deployment()).when(configure(zone=zone)).then(
        happened(camera_configured(zone=zone))
    )


def test_a_camera_is_recorded_or_not_as_it_was_configured_last() -> None:
    """And the start says whether any is."""
    for last, recording in ((True, {"camera-1"}), (False, set())):
        facts = [camera_configured(footage_recorded=not last)]
        outcome = given(an_applied_deployment(), *facts).when(configure(footage_recorded=last))
        outcome.then(happened(camera_configured(footage_recorded=last)))
        assert outcome.aggregate.recording == recording


def test_a_camera_after_the_authorisation_is_refused() -> None:
    """The Authorising Officer allowed what was known; a camera more would widen it."""
    given(an_applied_deployment(), camera_configured(), authorised()).when(
        configure(camera="camera-2")
    ).then(refused("already_authorised"))


@pytest.mark.parametrize("over", [ended(), cancelled()])
def test_a_camera_for_a_deployment_that_is_over_is_refused(over: Fact[Deployment]) -> None:
    """Nothing is added to a deployment that is over."""
    given(an_applied_deployment(), over).when(configure()).then(refused("deployment_over"))


def test_a_refused_camera_tells_every_reason_at_once() -> None:
    """All four rules speak."""
    (
        given(an_applied_deployment(), camera_configured(), authorised(), ended())
        .when(configure(source_kind="rtsp", zone=[]))
        .then(
            refused(
                "deployment_over",
                "already_authorised",
                "source_does_not_fit_the_mode",
                "zone_is_no_polygon",
            )
        )
    )


# -- authorisation -----------------------------------------------------------------------------


def asked_for() -> tuple[Fact[Deployment], ...]:
    """Applied for, with one camera."""
    return (an_applied_deployment(), camera_configured(), reported())


def test_an_authorisation_is_recorded_with_all_its_limits() -> None:
    """Who, against whom, why, when, where, with which list, threshold and model."""
    given(*asked_for()).when(authorise()).then(happened(authorised()))


@pytest.mark.parametrize("role", NOT_AUTHORISING)
def test_only_an_authorising_officer_authorises(role: Role) -> None:
    """Every other role is told so."""
    given(*asked_for()).when(authorise(role=role)).then(
        refused(
            "not_an_authorising_officer",
            kept_as="deployment.authorisation_refused",
            compared={"role": role.value},
        )
    )


def test_nobody_authorises_their_own_application() -> None:
    """SOD-1: the applicant and the Authorising Officer are two persons."""
    given(*asked_for()).when(authorise(actor=APPLICANT)).then(
        refused("officer_is_the_applicant", compared={"officer": APPLICANT})
    )


@pytest.mark.parametrize("maker", [FIRST_MANAGER, SECOND_MANAGER])
def test_nobody_authorises_the_use_of_a_list_that_they_made(maker: str) -> None:
    """SOD-2: who compiled or sealed the list does not authorise its use."""
    given(*asked_for()).when(authorise(actor=maker)).then(
        refused("officer_made_the_list", compared={"officer": maker})
    )


@pytest.mark.parametrize("nothing", ["", "  \t\n"])
@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("targeted", "not_targeted"),
        ("intelligence_led", "not_intelligence_led"),
        ("threshold_justification", "threshold_not_justified"),
    ],
)
def test_an_authorisation_says_why(field: str, code: str, nothing: str) -> None:
    """Against whom, why here and now, and why this threshold; blanks say nothing."""
    said: dict[str, Any] = {field: nothing}
    given(*asked_for()).when(authorise(**said)).then(refused(code))


@pytest.mark.parametrize(
    "window",
    [
        {"valid_from": AT, "valid_until": AT},
        {"valid_from": AT + MINUTE, "valid_until": AT},
        {"valid_from": AT - MINUTE, "valid_until": AT + WINDOW},
        {"valid_from": AT, "valid_until": AT + WINDOW + MINUTE},
    ],
    ids=["empty", "backwards", "begins too early", "ends too late"],
)
def test_an_authorised_window_outside_the_requested_one_is_refused(window: Any) -> None:
    """Time-bound: it ends after it begins, and lies inside what was applied for."""
    given(*asked_for()).when(authorise(**window)).then(refused("not_time_bound"))


def test_a_narrower_window_than_the_requested_one_may_be_authorised() -> None:
    """An officer may allow less than was asked for."""
    window: dict[str, Any] = {"valid_from": AT + MINUTE, "valid_until": AT + WINDOW - MINUTE}
    given(*asked_for()).when(authorise(**window)).then(happened(authorised(**window)))


@pytest.mark.parametrize(
    ("cameras", "without_zone"),
    [([], ""), (["camera-2"], "camera-2"), (["camera-1", "camera-2"], "camera-2")],
)
def test_only_cameras_with_a_zone_are_authorised(cameras: list[str], without_zone: str) -> None:
    """Geographically limited: named cameras with a zone each, and at least one."""
    given(*asked_for()).when(authorise(cameras=cameras)).then(
        refused(
            "not_geographically_limited",
            compared={"cameras": ", ".join(cameras), "without_zone": without_zone},
        )
    )


@pytest.mark.parametrize("threshold", ["0", "1", "-0.2", "1.01", "NaN", "sNaN", "Infinity"])
def test_a_threshold_that_would_let_all_or_none_in_is_refused(threshold: str) -> None:
    """A threshold lies above 0 and below 1; anything else decides nothing."""
    given(*asked_for()).when(authorise(threshold=Decimal(threshold))).then(
        refused("threshold_out_of_range", compared={"threshold": threshold})
    )


def test_the_use_of_a_list_that_nobody_approved_is_not_authorised() -> None:
    """The officer decides on a list that was sealed and approved."""
    given(*asked_for()).when(authorise(watchlist={"approved": False})).then(
        refused("watchlist_not_approved")
    )


@pytest.mark.parametrize("made_with", ["e" * 64, None])
def test_a_model_that_did_not_make_the_list_is_not_authorised(made_with: str | None) -> None:
    """C-13: scores of two models do not compare."""
    given(*asked_for()).when(authorise(watchlist={"model_digest": made_with})).then(
        refused(
            "model_differs_from_the_list",
            compared={"list": str(made_with), "authorised": "d" * 64},
        )
    )


def test_a_deployment_is_authorised_once() -> None:
    """A second authorisation would be a variation."""
    given(*asked_for(), authorised()).when(authorise()).then(refused("already_authorised"))


@pytest.mark.parametrize("over", [ended(), cancelled()])
def test_a_deployment_that_is_over_is_not_authorised(over: Fact[Deployment]) -> None:
    """Over stays over."""
    given(*asked_for(), over).when(authorise()).then(refused("deployment_over"))


def test_a_deployment_that_nobody_applied_for_has_no_window_to_authorise() -> None:
    """Without an application there is nothing inside which a window could lie."""
    given_no(Deployment).when(authorise(cameras=[])).then(
        refused("report_missing", "not_time_bound", "not_geographically_limited")
    )


def test_a_refused_authorisation_tells_every_reason_at_once() -> None:
    """All thirteen rules speak."""
    (
        given(*asked_for(), authorised(), ended())
        .when(
            authorise(
                actor=APPLICANT,
                role=Role.OPERATOR,
                targeted="",
                intelligence_led="",
                valid_until=AT,
                cameras=[],
                threshold=Decimal("NaN"),
                threshold_justification="",
                watchlist={"approved": False, "makers": [APPLICANT], "model_digest": None},
            )
        )
        .then(
            refused(
                "deployment_over",
                "already_authorised",
                "not_an_authorising_officer",
                "officer_is_the_applicant",
                "officer_made_the_list",
                "not_targeted",
                "not_intelligence_led",
                "not_time_bound",
                "not_geographically_limited",
                "threshold_out_of_range",
                "threshold_not_justified",
                "watchlist_not_approved",
                "model_differs_from_the_list",
            )
        )
    )


# -- start -------------------------------------------------------------------------------------


def ready() -> tuple[Fact[Deployment], ...]:
    """Applied for, one camera, authorised."""
    return (*asked_for(), authorised())


def test_a_start_is_recorded_with_what_was_authorised_and_what_was_loaded() -> None:
    """The threshold is the authorised one, whoever starts."""
    given(*ready()).when(start()).then(happened(started()))


def test_a_start_says_whether_any_camera_records_footage() -> None:
    """One recording camera is enough."""
    facts = (
        an_applied_deployment(mode="operational"),
        camera_configured(source_kind="rtsp", footage_recorded=True),
        camera_configured(camera="camera-2", source_kind="rtsp"),
        authorised(),
    )
    given(*facts).when(start()).then(happened(started(footage_recorded=True)))


def test_a_start_without_authorisation_is_refused() -> None:
    """No recognition without an authorisation."""
    given(*asked_for()).when(start()).then(
        refused("not_authorised", kept_as="deployment.start_refused")
    )


@pytest.mark.parametrize("at", [AT - MINUTE, AT + WINDOW, AT + WINDOW + MINUTE])
def test_a_start_outside_the_authorised_window_is_refused(at: Any) -> None:
    """Before its first instant, or from its end on."""
    given(*ready()).when(start(at=at)).then(refused("outside_the_authorised_window"))


def test_a_refused_start_says_which_times_were_compared() -> None:
    """The refusal can be checked by someone who was not there."""
    given(*ready()).when(start(at=AT + WINDOW)).then(
        refused(
            "outside_the_authorised_window",
            compared={
                "at": "2026-11-23T17:30:00.000Z",
                "from": "2026-11-23T09:30:00.000Z",
                "until": "2026-11-23T17:30:00.000Z",
            },
        )
    )


def test_a_start_in_the_last_millisecond_of_the_window_is_inside() -> None:
    """The window holds its first instant and not its last."""
    last = AT + WINDOW - timedelta(milliseconds=1)
    given(*ready()).when(start(at=last)).then(happened(started(at=last)))


def test_a_start_with_nobody_left_on_the_list_is_refused() -> None:
    """Everybody was removed since it was approved."""
    given(*AUTHORISED).when(start(watchlist={"accepted": 0}, gallery_size=0)).then(
        refused("watchlist_empty")
    )


def test_a_start_without_an_approved_list_is_refused() -> None:
    """Sealed and approved, or nobody is sought."""
    given(*ready()).when(start(watchlist={"approved": False})).then(
        refused("watchlist_not_approved")
    )


@pytest.mark.parametrize("loaded", [0, 2])
def test_a_start_with_other_entries_loaded_than_were_approved_is_refused(loaded: int) -> None:
    """What the recogniser holds is what was approved, entry for entry."""
    given(*ready()).when(start(gallery_size=loaded)).then(
        refused("gallery_differs_from_the_list", compared={"gallery": str(loaded), "list": "1"})
    )


def test_a_start_with_another_model_than_the_authorised_one_is_refused() -> None:
    """C-13: the threshold was authorised for one model."""
    given(*ready()).when(start(model_digest="e" * 64)).then(
        refused("model_not_authorised", compared={"authorised": "d" * 64, "loaded": "e" * 64})
    )


def test_a_second_start_during_a_run_is_refused() -> None:
    """One run at a time, so that the sums belong to one."""
    given(*a_running_deployment()).when(start()).then(refused("already_running"))


def test_recognition_may_be_switched_on_again_as_a_run_of_its_own() -> None:
    """Another run has another reference."""
    another = an_approved_list().watchlist
    given(*a_running_deployment(), stopped()).when(start(run=another)).then(
        happened(started(run=another))
    )


def test_whoever_keeps_something_too_long_may_not_take_more() -> None:
    """One item is enough, of whatever deployment."""
    given(*a_running_deployment(), stopped()).when(
        start(run=an_approved_list().watchlist, items_overdue=1)
    ).then(refused("items_overdue"))


def test_a_reference_of_a_run_is_used_once() -> None:
    """A second run under the first one's reference would mix their sums."""
    given(*a_running_deployment(), stopped()).when(start()).then(refused("run_known"))


def test_the_reference_of_an_earlier_run_is_not_used_again_either() -> None:
    """Not only that of the last one."""
    second = an_approved_list().watchlist
    (
        given(*a_running_deployment(), stopped(), started(run=second), stopped(run=second))
        .when(start())
        .then(refused("run_known"))
    )


@pytest.mark.parametrize("over", [ended(), cancelled()])
def test_a_start_of_a_deployment_that_is_over_is_refused(over: Fact[Deployment]) -> None:
    """Over stays over."""
    given(*ready(), over).when(start()).then(refused("deployment_over"))


def test_a_refused_start_tells_every_reason_at_once() -> None:
    """Every gate that does not hold is named, not only the first."""
    (
        given(*a_running_deployment(), ended())
        .when(
            start(
                at=AT + WINDOW,
                gallery_size=7,
                model_digest="e" * 64,
                watchlist={"approved": False},
            )
        )
        .then(
            refused(
                "deployment_over",
                "outside_the_authorised_window",
                "watchlist_not_approved",
                "gallery_differs_from_the_list",
                "model_not_authorised",
                "already_running",
            )
        )
    )


# -- stop, end, cancellation -------------------------------------------------------------------


def test_a_stop_names_the_run_and_its_cause() -> None:
    """The run that was stopped is the one that ran."""
    given(*a_running_deployment()).when(stop).then(happened(stopped()))


@pytest.mark.parametrize("facts", [ready(), (*a_running_deployment(), stopped())])
def test_a_stop_without_a_run_is_refused(facts: Sequence[Fact[Deployment]]) -> None:
    """Only what runs can be stopped."""
    given(*facts).when(stop).then(refused("not_running", kept_as="deployment.stop_refused"))


def test_a_deployment_that_took_place_is_ended() -> None:
    """Its end starts the clocks of destruction."""
    given(*a_running_deployment(), stopped()).when(end).then(happened(ended()))


def test_a_deployment_that_will_not_take_place_is_cancelled_with_its_reason() -> None:
    """At any time before it starts."""
    given(an_applied_deployment()).when(cancel).then(happened(cancelled()))


@pytest.mark.parametrize(
    ("close", "name"),
    [(end, "deployment.end_refused"), (cancel, "deployment.cancellation_refused")],
)
def test_a_running_deployment_is_not_closed(close: Ask, name: str) -> None:
    """The cameras are off before the books are closed."""
    given(*a_running_deployment()).when(close).then(refused("still_running", kept_as=name))


@pytest.mark.parametrize("close", [end, cancel])
@pytest.mark.parametrize("over", [ended(), cancelled()])
def test_a_deployment_is_closed_once(over: Fact[Deployment], close: Ask) -> None:
    """Its end starts the clocks of destruction, and a second end would move them."""
    given(an_applied_deployment(), over).when(close).then(refused("deployment_over"))


@pytest.mark.parametrize("close", [end, cancel])
def test_a_refused_close_tells_every_reason_at_once(close: Ask) -> None:
    """Running and over at once: both are said."""
    given(*a_running_deployment(), ended()).when(close).then(
        refused("still_running", "deployment_over")
    )


def test_who_authorised_is_on_the_record() -> None:
    """The officer named is the one who asked, not one whom somebody typed in."""
    other = "staff:another-authorising-officer"
    given(*asked_for()).when(authorise(actor=other)).then(happened(authorised(officer=other)))
    assert other != AUTHORISING_OFFICER


# -- roles, and codes instead of text ----------------------------------------------------------

NOT_OPERATORS = [role for role in Role if role is not Role.OPERATOR]
NOT_CLOSERS = [Role.APPLICANT, Role.WATCHLIST_MANAGER, Role.ENGAGEMENT_OFFICER]
SENTENCE = "Mr Smith of 1 High Street"


@pytest.mark.parametrize("role", NOT_OPERATORS)
def test_only_an_operator_sets_up_a_camera(role: Role) -> None:
    """Nobody else works the system."""
    given(an_applied_deployment()).when(configure(role=role)).then(refused("not_an_operator"))


@pytest.mark.parametrize("role", NOT_OPERATORS)
def test_only_an_operator_switches_recognition_on(role: Role) -> None:
    """Not even whoever authorised it."""
    given(an_applied_deployment(), camera_configured(), authorised()).when(start(role=role)).then(
        refused("not_an_operator")
    )


@pytest.mark.parametrize("role", NOT_CLOSERS)
def test_recognition_is_switched_off_by_few(role: Role) -> None:
    """The operator, the Authorising Officer, or the system when the time is up."""
    given(*a_running_deployment()).when(lambda one: one.decide_stop(to_stop(role=role))).then(
        refused("role_may_not_close")
    )


@pytest.mark.parametrize("role", NOT_CLOSERS)
def test_a_deployment_is_closed_by_few(role: Role) -> None:
    """Its end starts the destruction."""
    stopped_one = (*a_running_deployment(), stopped())
    given(*stopped_one).when(lambda one: one.decide_end(to_end(role=role))).then(
        refused("role_may_not_close")
    )
    given(*stopped_one).when(lambda one: one.decide_cancellation(to_cancel(role=role))).then(
        refused("role_may_not_close")
    )


@pytest.mark.parametrize("field", ["use_case", "objective", "location"])
@pytest.mark.parametrize("text", [SENTENCE, "", "Smith", "a" * 65])
def test_an_application_holds_codes_and_no_text(field: str, text: str) -> None:
    """The refusal names the field and does not repeat the text."""
    asked: dict[str, Any] = {field: text}
    given_no(Deployment).when(apply(**asked)).then(
        refused("not_a_code", compared={"fields": field})
    )


def test_a_camera_is_named_by_a_code() -> None:
    """Its name stands on every entry of its run."""
    given(an_applied_deployment()).when(configure(camera=SENTENCE)).then(refused("not_a_code"))


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("targeted", "not_targeted"),
        ("intelligence_led", "not_intelligence_led"),
        ("threshold_justification", "threshold_not_justified"),
    ],
)
def test_an_authorisation_holds_codes_and_no_text(field: str, code: str) -> None:
    """What needs a sentence belongs in the vault."""
    sentence: dict[str, Any] = {field: SENTENCE}
    given(*asked_for()).when(authorise(**sentence)).then(refused(code))


# -- taking it back ----------------------------------------------------------------------------


def withdraw(**changes: Any) -> Ask:
    """Ask for the authorisation to be taken back."""
    return lambda one: one.decide_withdrawal(to_withdraw(**changes))


AUTHORISED = (an_applied_deployment(), camera_configured(), reported(), authorised())


def test_an_authorisation_is_taken_back_before_anything_ran() -> None:
    given(*AUTHORISED).when(withdraw()).then(happened(withdrawn()))


def test_a_run_that_is_on_is_switched_off_with_it() -> None:
    """In the same transaction: there is no instant with recognition on and no authority."""
    off = stopped(cause="authorisation-withdrawn")
    given(*AUTHORISED, started()).when(withdraw()).then(happened(withdrawn(), off))


@pytest.mark.parametrize("role", [Role.AUTHORISING_OFFICER, Role.SPONSOR])
def test_officer_and_sponsor_withdraw(role: Role) -> None:
    given(*AUTHORISED).when(withdraw(role=role)).then(happened(withdrawn()))


@pytest.mark.parametrize(
    "role", [one for one in Role if one not in (Role.AUTHORISING_OFFICER, Role.SPONSOR)]
)
def test_nobody_else_withdraws(role: Role) -> None:
    given(*AUTHORISED).when(withdraw(role=role)).then(
        refused("role_may_not_withdraw", kept_as="deployment.withdrawal_refused")
    )


def test_what_was_not_given_or_is_over_is_not_taken_back() -> None:
    given(an_applied_deployment()).when(withdraw()).then(refused("not_authorised"))
    given(*AUTHORISED, withdrawn()).when(withdraw()).then(refused("not_authorised"))
    given(*AUTHORISED, ended()).when(withdraw()).then(refused("deployment_over"))
    given(*AUTHORISED).when(withdraw(reason="It rains.")).then(refused("not_a_code"))


def test_after_a_withdrawal_nothing_starts_until_it_is_authorised_anew() -> None:
    """A new authorisation is a new decision, with every gate."""
    given(*AUTHORISED, withdrawn()).when(start()).then(refused("not_authorised"))
    given(*AUTHORISED, withdrawn()).when(authorise()).then(happened(authorised()))

"""Who decides on a deployment: report, rank, sensitive place, urgency, variation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.deployments.aggregate import Deployment
from domain.deployments.authority import report_codes, sections
from domain.kernel.commands import Role
from domain.kernel.ranks import LEAST_RANK, RANKS
from domain.kernel.refusals import Refused
from tests.support import builders as a
from tests.support.governed import a_standing
from tests.support.scenarios import given, happened, nothing_happened, refused

Ask = Callable[[Deployment], Refused | None]
HOUR = timedelta(hours=1)
APPLIED = (a.an_applied_deployment(), a.camera_configured())
REPORTED = (*APPLIED, a.reported())
AUTHORISED = (*REPORTED, a.authorised())
URGENT = (*APPLIED, a.urgently_authorised())


def report(**changes: Any) -> Ask:
    return lambda one: one.decide_report(a.to_report(**changes))


def decide_on_place(**changes: Any) -> Ask:
    return lambda one: one.decide_place(
        a.to_decide_on_the_place(**changes), watchlist=a.an_approved_list()
    )


def authorise(*, urgently: bool = False, longest: timedelta = a.DAY, **changes: Any) -> Ask:
    build = a.to_authorise_urgently if urgently else a.to_authorise
    return lambda one: one.decide_authorisation(
        build(**changes),
        watchlist=a.an_approved_list(),
        standing=a_standing(),
        longest_window=longest,
        urgent_for=a.DAY,
    )


def ratify(**changes: Any) -> Ask:
    return lambda one: one.decide_ratification(
        a.to_ratify(**changes), watchlist=a.an_approved_list()
    )


def vary(*, longest: timedelta = a.DAY, **changes: Any) -> Ask:
    return lambda one: one.decide_variation(
        a.to_vary(**changes), watchlist=a.an_approved_list(), longest_window=longest
    )


# -- the report --------------------------------------------------------------------------------


def test_a_report_is_kept_section_by_section() -> None:
    given(*APPLIED).when(report()).then(happened(a.reported()))


@pytest.mark.parametrize("section", sections())
def test_no_section_is_left_out(section: str) -> None:
    told = a.the_sections()
    del told[section]
    given(*APPLIED).when(report(sections=told)).then(
        refused(
            "report_incomplete",
            kept_as="deployment.report_refused",
            compared={"missing": section},
        )
    )


def test_every_right_was_considered() -> None:
    told = a.the_sections(rights=["article-8", "article-9", "article-10", "article-14"])
    given(*APPLIED).when(report(sections=told)).then(
        refused("report_incomplete", compared={"missing": "rights article-11"})
    )


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"purpose": ["because"]}, "purpose"),
        ({"operation": ["A whole sentence about a person"]}, "operation"),
        ({"weather": ["rain"]}, "weather"),
        ({"threat": ["threat-to-life"]}, "threat"),
    ],
)
def test_a_report_holds_codes_of_its_sections_and_no_text(
    changes: dict[str, list[str]], named: str
) -> None:
    given(*APPLIED).when(report(sections=a.the_sections(**changes))).then(
        refused("report_not_in_codes", compared={"sections": named})
    )


def test_a_section_that_is_no_code_is_not_repeated() -> None:
    told = a.the_sections() | {"Mr Example of High Street": ["x"]}
    given(*APPLIED).when(report(sections=told)).then(
        refused("report_not_in_codes", compared={"sections": ""})
    )


def test_a_place_is_sensitive_or_it_is_not() -> None:
    told = a.the_sections(sensitive_place=["none", "school"])
    given(*APPLIED).when(report(sections=told)).then(refused("report_contradicts_itself"))


def test_a_submitted_report_is_not_altered() -> None:
    given(*REPORTED).when(report()).then(refused("already_submitted"))
    given(*APPLIED, a.cancelled()).when(report()).then(refused("deployment_over"))


@pytest.mark.parametrize(
    "who",
    [{"role": role} for role in Role if role is not Role.APPLICANT] + [{"actor": "staff:other"}],
)
def test_nobody_but_who_applied_reports(who: dict[str, Any]) -> None:
    given(*APPLIED).when(report(**who)).then(refused("not_an_applicant"))


def test_nothing_is_authorised_without_a_report() -> None:
    given(*APPLIED).when(authorise()).then(refused("report_missing"))
    given(*REPORTED).when(authorise()).then(happened(a.authorised()))


def test_every_code_of_the_catalogue_is_explained() -> None:
    assert len(sections()) == len(set(sections())) > 15
    assert all(meaning for codes in report_codes().codes.values() for meaning in codes.values())


# -- rank --------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [*RANKS[: RANKS.index("superintendent")], "", "emperor"])
def test_nobody_below_superintendent_authorises(rank: str) -> None:
    given(*REPORTED).when(authorise(rank=rank)).then(
        refused("rank_too_low", compared={"rank": rank if rank in RANKS else "none"})
    )


@pytest.mark.parametrize("rank", RANKS[RANKS.index("superintendent") :])
def test_who_has_the_rank_authorises_and_it_is_kept(rank: str) -> None:
    given(*REPORTED).when(authorise(rank=rank)).then(happened(a.authorised(rank=rank)))


def test_an_acting_rank_counts_with_what_shows_it() -> None:
    order = "acting-order-12"
    given(*REPORTED).when(authorise(rank_evidence=order)).then(
        happened(a.authorised(rank_evidence=order))
    )
    given(*REPORTED).when(authorise(rank_evidence="")).then(refused("rank_not_evidenced"))


def test_the_least_ranks_rise_with_what_is_decided() -> None:
    order = [
        RANKS.index(LEAST_RANK[role])
        for role in (
            Role.URGENT_AUTHORISING_OFFICER,
            Role.AUTHORISING_OFFICER,
            Role.EXTRA_AUTHORISER,
        )
    ]
    assert order == sorted(set(order))


def test_a_window_is_no_longer_than_the_force_allows() -> None:
    given(*REPORTED).when(authorise(longest=4 * HOUR)).then(
        refused("window_too_long", compared={"hours": "8", "at_most": "4"})
    )


# -- sensitive places --------------------------------------------------------------------------

AT_A_SCHOOL = (*APPLIED, a.reported(sections=a.the_sections(sensitive_place=["school"])))


def test_a_sensitive_place_needs_a_second_authority() -> None:
    given(*AT_A_SCHOOL).when(authorise()).then(
        refused("extra_authority_missing", compared={"places": "school"})
    )
    given(*AT_A_SCHOOL, a.place_decided(granted=False)).when(authorise()).then(
        refused("extra_authority_missing")
    )
    given(*AT_A_SCHOOL, a.place_decided()).when(authorise()).then(happened(a.authorised()))


def test_the_second_authority_is_a_second_person() -> None:
    given(*AT_A_SCHOOL, a.place_decided(officer=a.AUTHORISING_OFFICER)).when(authorise()).then(
        refused("officer_gave_the_extra_authority")
    )


def test_the_second_authority_is_recorded() -> None:
    given(*AT_A_SCHOOL).when(decide_on_place()).then(happened(a.place_decided()))


@pytest.mark.parametrize(
    ("past", "changes", "code"),
    [
        (AT_A_SCHOOL, {"role": Role.OPERATOR}, "not_an_extra_authoriser"),
        (AT_A_SCHOOL, {"rank": "superintendent"}, "rank_too_low"),
        (AT_A_SCHOOL, {"actor": a.APPLICANT}, "officer_is_not_independent"),
        (AT_A_SCHOOL, {"actor": a.SECOND_MANAGER}, "officer_is_not_independent"),
        (AT_A_SCHOOL, {"reason": "A sentence"}, "reason_missing"),
        (REPORTED, {}, "nothing_sensitive"),
        (APPLIED, {}, "nothing_sensitive"),
        ((*AT_A_SCHOOL, a.authorised()), {}, "already_authorised"),
        ((*AT_A_SCHOOL, a.cancelled()), {}, "deployment_over"),
    ],
)
def test_when_it_is_not_given(
    past: tuple[a.Fact[Deployment], ...], changes: dict[str, Any], code: str
) -> None:
    given(*past).when(decide_on_place(**changes)).then(
        refused(code, kept_as="deployment.place_refused")
    )


# -- urgency -----------------------------------------------------------------------------------


def test_an_inspector_authorises_where_life_is_at_risk_before_any_report() -> None:
    given(*APPLIED).when(authorise(urgently=True)).then(happened(a.urgently_authorised()))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"urgency": ""}, "urgency_unknown"),
        ({"urgency": "convenience"}, "urgency_unknown"),
        ({"rank": "sergeant"}, "rank_too_low"),
        ({"role": Role.AUTHORISING_OFFICER, "rank": "superintendent"}, "not_urgent"),
    ],
)
def test_urgency_is_for_a_known_threat_and_has_its_own_rank(
    changes: dict[str, Any], code: str
) -> None:
    given(*REPORTED).when(authorise(urgently=True, **changes)).then(refused(code))


def test_an_urgent_authorisation_lapses_unless_it_is_ratified() -> None:
    long = a.an_applied_deployment(requested_until=a.AT + 20 * HOUR)
    soon = a.urgently_authorised(valid_until=a.AT + 20 * HOUR, ratify_by=a.AT + 2 * HOUR)
    urgent = given(long, a.camera_configured(), soon).when(lambda one: None).aggregate
    assert urgent.authorised is not None
    assert urgent.authorised.valid_until == urgent.lapses == a.AT + 2 * HOUR
    taken_over = given(long, a.camera_configured(), soon, a.ratified()).when(lambda one: None)
    assert taken_over.aggregate.lapses is None
    assert taken_over.aggregate.authorised is not None
    assert taken_over.aggregate.authorised.valid_until == a.AT + 20 * HOUR


def test_what_was_not_ratified_is_not_urgently_authorised_again() -> None:
    """Neither by another inspector nor after a withdrawal; a superintendent may still authorise."""
    for past in ((*URGENT, a.not_ratified()), (*URGENT, a.withdrawn())):
        again = authorise(urgently=True, actor="staff:inspector-2")
        given(*past).when(again).then(refused("urgent_before"))
        given(*past, a.reported()).when(authorise()).then(happened(a.authorised()))


def test_who_gave_extra_authority_for_an_entry_does_not_authorise() -> None:
    def ask(one: Deployment) -> Refused | None:
        return one.decide_authorisation(
            a.to_authorise(),
            watchlist=a.an_approved_list(extra_authorisers=[a.AUTHORISING_OFFICER]),
            standing=a_standing(),
            longest_window=a.DAY,
            urgent_for=a.DAY,
        )

    given(*REPORTED).when(ask).then(refused("officer_gave_the_extra_authority"))


def test_a_superintendent_ratifies_an_urgent_authorisation() -> None:
    given(*URGENT).when(ratify()).then(happened(a.ratified()))


def test_what_is_not_ratified_stops_at_once() -> None:
    given(*URGENT).when(ratify(ratified=False)).then(happened(a.not_ratified()))
    given(*URGENT, a.started()).when(ratify(ratified=False)).then(
        happened(a.not_ratified(), a.stopped(cause="not-ratified"))
    )
    after = given(*URGENT, a.not_ratified()).when(lambda one: None).aggregate
    assert after.authorised is None


@pytest.mark.parametrize(
    ("past", "changes", "code"),
    [
        (URGENT, {"role": Role.OPERATOR}, "not_an_authorising_officer"),
        (URGENT, {"rank": "chief-inspector"}, "rank_too_low"),
        (URGENT, {"actor": a.URGENT_OFFICER}, "officer_is_not_independent"),
        (URGENT, {"actor": a.APPLICANT}, "officer_is_not_independent"),
        (URGENT, {"actor": a.FIRST_MANAGER}, "officer_is_not_independent"),
        (URGENT, {"at": a.AT + a.DAY}, "ratification_lapsed"),
        (URGENT, {"reason": ""}, "reason_missing"),
        (AUTHORISED, {}, "nothing_to_ratify"),
        ((*URGENT, a.ratified()), {}, "nothing_to_ratify"),
        ((*URGENT, a.cancelled()), {}, "deployment_over"),
    ],
)
def test_when_nothing_is_ratified(
    past: tuple[a.Fact[Deployment], ...], changes: dict[str, Any], code: str
) -> None:
    given(*past).when(ratify(**changes)).then(
        refused(code, kept_as="deployment.ratification_refused")
    )


# -- variation ---------------------------------------------------------------------------------


def test_a_window_is_narrowed() -> None:
    given(*AUTHORISED).when(vary()).then(happened(a.varied()))
    narrowed = given(*AUTHORISED, a.varied()).when(lambda one: None).aggregate
    assert narrowed.authorised is not None
    assert narrowed.authorised.valid_until == a.AT + a.WINDOW - HOUR


def test_who_commands_may_narrow_without_a_rank() -> None:
    given(*AUTHORISED).when(
        vary(role=Role.OPERATOR, actor=a.OPERATOR, rank="", rank_evidence="")
    ).then(happened(a.varied(officer=a.OPERATOR)))


@pytest.mark.parametrize(
    "wider",
    [
        {"valid_until": a.AT + a.WINDOW},
        {"valid_until": a.AT + a.WINDOW - HOUR, "cameras": [a.CAMERA, "camera-2"]},
        {"valid_from": a.AT - HOUR},
    ],
)
def test_only_an_authorising_officer_widens(wider: dict[str, Any]) -> None:
    past = (
        a.an_applied_deployment(requested_from=a.AT - HOUR),
        a.camera_configured(),
        a.camera_configured(camera="camera-2"),
        a.reported(),
        a.authorised(),
        a.varied(),
    )
    operator: dict[str, Any] = {"role": Role.OPERATOR, "actor": a.OPERATOR}
    given(*past).when(vary(**wider, **operator)).then(
        refused("role_may_not_vary", kept_as="deployment.variation_refused")
    )
    given(*past).when(vary(**wider)).then(happened(a.varied(**wider)))
    given(*past).when(vary(**wider, rank="inspector")).then(refused("rank_too_low"))
    given(*past).when(vary(**wider, actor=a.FIRST_MANAGER)).then(
        refused("officer_is_not_independent")
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_until": a.AT}, "not_time_bound"),
        ({"valid_until": a.AT + a.WINDOW + HOUR}, "not_time_bound"),
        ({"longest": 2 * HOUR}, "not_time_bound"),
        ({"cameras": []}, "not_geographically_limited"),
        ({"cameras": ["camera-9"]}, "not_geographically_limited"),
        ({"reason": ""}, "reason_missing"),
    ],
)
def test_a_variation_stays_within_its_bounds(changes: dict[str, Any], code: str) -> None:
    given(*AUTHORISED).when(vary(**changes)).then(refused(code))


def test_only_what_is_authorised_is_varied() -> None:
    given(*REPORTED).when(vary()).then(refused("not_authorised"))
    given(*AUTHORISED, a.ended()).when(vary()).then(refused("deployment_over"))


def test_a_variation_of_an_urgent_authorisation_does_not_save_it_from_lapsing() -> None:
    soon = a.urgently_authorised(ratify_by=a.AT + HOUR)
    found = given(*APPLIED, soon, a.varied()).when(lambda one: None)
    assert found.aggregate.authorised is not None
    assert found.aggregate.authorised.valid_until == a.AT + HOUR
    found.then(nothing_happened())

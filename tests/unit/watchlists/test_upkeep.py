"""What keeps a list lawful once it is compiled: looks, removals, extra authority, reopening."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.kernel.commands import Role
from domain.kernel.refusals import Refused
from domain.watchlists.aggregate import Watchlist
from domain.watchlists.upkeep import MOST_AT_ONCE, removal_reasons
from tests.support.builders import (
    APPLICANT,
    AT,
    AUTHORISING_OFFICER,
    CATEGORY,
    ENTRY,
    FIRST_MANAGER,
    OTHER_ENTRY,
    SECOND_MANAGER,
    Fact,
    a_list_of_one,
    a_sealed_list,
    an_open_list,
    criteria_approved,
    criteria_proposed,
    entry_accepted,
    entry_proposed,
    entry_removed,
    extra_authority_decided,
    list_approved,
    list_sealed,
    reopened,
    reviewed,
    seal_requested,
    to_accept,
    to_approve,
    to_decide_extra_authority,
    to_propose_criteria,
    to_remove,
    to_reopen,
    to_review,
    to_seal,
)
from tests.support.scenarios import given, given_no, happened, refused

Ask = Callable[[Watchlist], Refused | None]
HOUR = timedelta(hours=1)
EXTRA = UUID(int=0xE3)


def review(**changes: Any) -> Ask:
    return lambda one: one.decide_review(to_review(**changes))


def remove(**changes: Any) -> Ask:
    return lambda one: one.decide_removal(to_remove(**changes))


def extra_authority(**changes: Any) -> Ask:
    return lambda one: one.decide_extra_authority(
        to_decide_extra_authority(**changes), applicant=APPLICANT
    )


def reopen(*, running: bool = False, over: bool = False, **changes: Any) -> Ask:
    return lambda one: one.decide_reopening(
        to_reopen(**changes), applicant=APPLICANT, running=running, deployment_over=over
    )


def accept(**changes: Any) -> Ask:
    return lambda one: one.decide_acceptance(to_accept(**changes), template_item=ENTRY)


def approve(**changes: Any) -> Ask:
    return lambda one: one.decide_approval(to_approve(**changes), applicant=APPLICANT)


def seal(**changes: Any) -> Ask:
    return lambda one: one.decide_seal(to_seal(**changes))


def a_list_with_a_child(**changes: Any) -> tuple[Fact[Watchlist], ...]:
    child = {"age_band": "13-to-17"} | changes
    return (*an_open_list(), entry_proposed(**child), entry_accepted())


def an_approved_list() -> tuple[Fact[Watchlist], ...]:
    return (*a_sealed_list(), list_approved())


# -- size --------------------------------------------------------------------------------------


def test_criteria_say_how_many_entries_the_list_may_have() -> None:
    def propose(many: int) -> Ask:
        return lambda one: one.decide_criteria(
            to_propose_criteria(most_entries=many), largest_list=2_000
        )

    given_no(Watchlist).when(propose(2_000)).then(happened(criteria_proposed(most_entries=2_000)))
    for many in (0, 2_001):
        given_no(Watchlist).when(propose(many)).then(
            refused("list_too_large", compared={"asked": str(many), "largest": "2000"})
        )


def test_a_full_list_takes_nobody() -> None:
    (
        given(
            criteria_proposed(most_entries=1),
            criteria_approved(),
            entry_proposed(),
            entry_accepted(),
            entry_proposed(entry=OTHER_ENTRY),
        )
        .when(accept(entry=OTHER_ENTRY))
        .then(refused("watchlist_full"))
    )


def test_a_removal_makes_room() -> None:
    (
        given(
            criteria_proposed(most_entries=1),
            criteria_approved(),
            entry_proposed(),
            entry_accepted(),
            entry_removed(),
            entry_proposed(entry=OTHER_ENTRY),
        )
        .when(accept(entry=OTHER_ENTRY))
        .then(happened(entry_accepted(entry=OTHER_ENTRY, template_item=ENTRY)))
    )


# -- looks -------------------------------------------------------------------------------------


def test_a_look_at_entries_is_recorded() -> None:
    given(*a_list_of_one()).when(review()).then(happened(reviewed()))


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.WATCHLIST_MANAGER])
def test_nobody_but_a_manager_reviews(role: Role) -> None:
    given(*a_list_of_one()).when(review(role=role)).then(
        refused("not_a_watchlist_manager", kept_as="watchlist.review_refused")
    )


def test_a_review_names_entries_that_are_on_the_list_each_once() -> None:
    given(*a_list_of_one()).when(review(entries=[OTHER_ENTRY])).then(refused("entries_not_listed"))
    given(*a_list_of_one()).when(review(entries=[])).then(refused("entries_not_named"))
    twice = [ENTRY, ENTRY]
    given(*a_list_of_one()).when(review(entries=twice)).then(refused("entries_not_named"))
    many = [ENTRY] * (MOST_AT_ONCE + 1)
    given(*a_list_of_one()).when(review(entries=many)).then(refused("entries_not_named"))


def test_an_old_look_no_longer_counts() -> None:
    listed = given(*a_list_of_one(), reviewed()).when(lambda one: None).aggregate
    assert listed.not_reviewed_since(AT) == 0
    assert listed.not_reviewed_since(AT + HOUR) == 1
    assert given(*a_list_of_one()).when(lambda one: None).aggregate.not_reviewed_since(AT) == 1


# -- removals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("past", [a_list_of_one, a_sealed_list, an_approved_list])
def test_an_entry_is_removed_whatever_state_the_list_is_in(
    past: Callable[[], tuple[Fact[Watchlist], ...]],
) -> None:
    given(*past()).when(remove()).then(happened(entry_removed()))


@pytest.mark.parametrize("role", [Role.AUTHORISING_OFFICER, Role.DPO])
def test_officer_and_dpo_remove_too(role: Role) -> None:
    (
        given(*a_list_of_one())
        .when(remove(role=role, actor="staff:dpo", reason="rights-request"))
        .then(happened(entry_removed(remover="staff:dpo", reason="rights-request")))
    )


@pytest.mark.parametrize(
    "role",
    [r for r in Role if r not in (Role.WATCHLIST_MANAGER, Role.AUTHORISING_OFFICER, Role.DPO)],
)
def test_nobody_else_removes(role: Role) -> None:
    given(*a_list_of_one()).when(remove(role=role)).then(
        refused("role_may_not_remove", kept_as="watchlist.removal_refused")
    )


def test_an_entry_is_removed_once_and_for_a_known_reason() -> None:
    given(*a_list_of_one(), entry_removed()).when(remove()).then(refused("entries_not_listed"))
    given(*a_list_of_one()).when(remove(reason="because")).then(refused("reason_unknown"))
    assert "arrested" in removal_reasons().codes["removal_reason"]


def test_who_was_removed_is_on_the_list_no_more() -> None:
    listed = given(*a_sealed_list(), entry_removed()).when(lambda one: None).aggregate
    assert listed.accepted == [] and ENTRY in listed.entries


# -- extra authority ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "who",
    [
        {"age_band": "13-to-17"},
        {"age_band": "a band that nobody named"},
        {"vulnerable": True},
    ],
)
def test_a_list_with_a_child_or_a_vulnerable_person_is_not_sealed_without(
    who: dict[str, Any],
) -> None:
    given(*a_list_with_a_child(**({"age_band": "18-and-over"} | who))).when(seal()).then(
        refused("extra_authority_missing", compared={"entries": "1"})
    )


def test_a_contested_category_needs_it_as_well() -> None:
    (
        given(
            criteria_proposed(contested_categories=[CATEGORY]),
            criteria_approved(),
            entry_proposed(),
            entry_accepted(),
        )
        .when(seal())
        .then(refused("extra_authority_missing"))
    )


def test_with_it_the_list_is_sealed() -> None:
    given(*a_list_with_a_child(), extra_authority_decided()).when(seal()).then(
        happened(seal_requested())
    )


def test_an_entry_whose_authority_was_declined_must_go() -> None:
    declined = extra_authority_decided(granted=False)
    given(*a_list_with_a_child(), declined).when(seal()).then(refused("extra_authority_missing"))
    given(*a_list_with_a_child(), extra_authority_decided(), declined).when(seal()).then(
        refused("extra_authority_missing")
    )
    given(*a_list_with_a_child(), declined).when(remove(reason="authority-declined")).then(
        happened(entry_removed(reason="authority-declined"))
    )


def test_extra_authority_is_of_a_higher_rank() -> None:
    given(*a_list_with_a_child()).when(extra_authority(rank="superintendent")).then(
        refused("rank_too_low", compared={"rank": "superintendent"})
    )
    given(*a_list_with_a_child()).when(extra_authority(rank_evidence="")).then(
        refused("rank_not_evidenced")
    )


def test_extra_authority_is_recorded_with_its_reason() -> None:
    given(*a_list_with_a_child()).when(extra_authority()).then(happened(extra_authority_decided()))
    given(*a_list_with_a_child()).when(extra_authority(reason="")).then(refused("reason_missing"))


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.EXTRA_AUTHORISER])
def test_nobody_but_an_extra_authoriser_decides_on_it(role: Role) -> None:
    given(*a_list_with_a_child()).when(extra_authority(role=role)).then(
        refused("not_an_extra_authoriser", kept_as="watchlist.extra_authority_refused")
    )


@pytest.mark.parametrize("officer", [APPLICANT, FIRST_MANAGER])
def test_extra_authority_is_a_second_persons(officer: str) -> None:
    given(*a_list_with_a_child()).when(extra_authority(actor=officer)).then(
        refused("officer_is_not_independent", compared={"officer": officer})
    )


def test_who_gave_it_does_not_approve_the_list() -> None:
    (
        given(
            *a_list_with_a_child(),
            extra_authority_decided(officer=AUTHORISING_OFFICER),
            seal_requested(),
            list_sealed(),
        )
        .when(approve())
        .then(refused("officer_gave_the_extra_authority"))
    )


def test_who_approved_the_list_does_not_give_it() -> None:
    past = (*a_list_with_a_child(), seal_requested(), list_sealed(), list_approved(), reopened())
    given(*past).when(extra_authority(actor=AUTHORISING_OFFICER)).then(
        refused("officer_is_not_independent")
    )


def test_it_is_for_those_who_need_it_and_before_the_seal() -> None:
    given(*a_list_of_one()).when(extra_authority()).then(refused("extra_authority_not_needed"))
    sealed = (*a_list_with_a_child(), seal_requested(), list_sealed())
    given(*sealed).when(extra_authority()).then(refused("watchlist_sealed"))
    given(*sealed).when(extra_authority(granted=False)).then(
        happened(extra_authority_decided(granted=False))
    )


# -- reopening ---------------------------------------------------------------------------------


def test_a_sealed_list_takes_entries_again_by_a_variation() -> None:
    given(*an_approved_list()).when(reopen()).then(happened(reopened()))
    (
        given(*an_approved_list(), reopened(), entry_proposed(entry=OTHER_ENTRY))
        .when(accept(entry=OTHER_ENTRY))
        .then(happened(entry_accepted(entry=OTHER_ENTRY, template_item=ENTRY)))
    )


def test_it_takes_as_many_as_the_variation_says_and_no_more() -> None:
    third = entry_proposed(entry=EXTRA)
    (
        given(
            *an_approved_list(),
            reopened(),
            entry_proposed(entry=OTHER_ENTRY),
            entry_accepted(entry=OTHER_ENTRY),
            third,
        )
        .when(accept(entry=EXTRA))
        .then(refused("watchlist_full"))
    )


def test_a_reopened_list_is_sealed_and_approved_anew() -> None:
    listed = given(*an_approved_list(), reopened()).when(lambda one: None).aggregate
    assert not listed.sealed and not listed.closed and not listed.approved
    assert {FIRST_MANAGER, SECOND_MANAGER} <= set(listed.makers), "the earlier sealers too"
    given(*an_approved_list(), reopened()).when(seal()).then(happened(seal_requested()))


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.AUTHORISING_OFFICER])
def test_nobody_but_an_authorising_officer_varies(role: Role) -> None:
    given(*an_approved_list()).when(reopen(role=role)).then(
        refused("not_an_authorising_officer", kept_as="watchlist.reopening_refused")
    )


@pytest.mark.parametrize("officer", [APPLICANT, FIRST_MANAGER, SECOND_MANAGER])
def test_nobody_widens_their_own_list(officer: str) -> None:
    given(*an_approved_list()).when(reopen(actor=officer)).then(
        refused("officer_is_not_independent", compared={"officer": officer})
    )


def test_nobody_is_added_under_a_running_camera() -> None:
    given(*an_approved_list()).when(reopen(running=True)).then(refused("recognition_is_on"))


def test_an_open_list_and_one_that_is_over_are_not_reopened() -> None:
    given(*a_list_of_one()).when(reopen()).then(refused("watchlist_not_sealed"))
    given(*an_approved_list()).when(reopen(over=True)).then(refused("deployment_over"))


@pytest.mark.parametrize("many", [0, 100])
def test_a_variation_says_how_many_within_the_criteria(many: int) -> None:
    given(*an_approved_list()).when(reopen(most_added=many)).then(
        refused("additions_unlimited", compared={"asked": str(many), "room": "99"})
    )


def test_a_variation_has_a_reason() -> None:
    given(*an_approved_list()).when(reopen(reason="A long story")).then(refused("reason_missing"))

"""A watchlist: each rule holds, and what is refused is refused with every reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.kernel.commands import Role
from domain.kernel.refusals import Refusal, Refused
from domain.watchlists.aggregate import Watchlist
from domain.watchlists.policies import APPROVERS
from tests.support.builders import (
    APPLICANT,
    AUTHORISING_OFFICER,
    ENTRY,
    FIRST_MANAGER,
    IMAGE_ITEM,
    MODEL,
    OTHER_ENTRY,
    REFERENCE_ITEM,
    SECOND_MANAGER,
    TEMPLATE_ITEM,
    a_list_of_one,
    a_sealed_list,
    an_open_list,
    criteria_approved,
    criteria_proposed,
    entry_accepted,
    entry_proposed,
    entry_rejected,
    extra_authority_decided,
    list_approved,
    list_sealed,
    seal_requested,
    to_accept,
    to_approve,
    to_approve_criteria,
    to_load_the_gallery,
    to_propose_an_entry,
    to_propose_criteria,
    to_refuse_the_import,
    to_reject,
    to_seal,
    why,
)
from tests.support.scenarios import given, given_no, happened, nothing_happened, refused

NOT_MANAGERS = [role for role in Role if role is not Role.WATCHLIST_MANAGER]
NOT_AUTHORISING = [role for role in Role if role not in APPROVERS]

Ask = Callable[[Watchlist], Refused | None]


def propose_criteria(**changes: Any) -> Ask:
    """Ask for criteria."""
    return lambda one: one.decide_criteria(to_propose_criteria(**changes), largest_list=10_000)


def approve_criteria(**changes: Any) -> Ask:
    """Ask for the approval of the criteria."""
    return lambda one: one.decide_criteria_approval(
        to_approve_criteria(**changes), applicant=APPLICANT
    )


def propose(*, over: bool = False, **changes: Any) -> Ask:
    """Ask for an entry, while the deployment is open or over."""
    return lambda one: one.decide_proposal(
        to_propose_an_entry(**changes),
        deployment_over=over,
        image_item=IMAGE_ITEM,
        reference_item=REFERENCE_ITEM,
    )


def accept(*, over: bool = False, **changes: Any) -> Ask:
    """Ask that an entry be taken, while the deployment is open or over."""
    return lambda one: one.decide_acceptance(
        to_accept(**changes), deployment_over=over, template_item=TEMPLATE_ITEM
    )


def reject(**changes: Any) -> Ask:
    """Ask that an entry be turned away."""
    return lambda one: one.decide_rejection(to_reject(**changes))


def seal(**changes: Any) -> Ask:
    """Ask for the seal."""
    return lambda one: one.decide_seal(to_seal(**changes))


def approve(**changes: Any) -> Ask:
    """Ask for the approval of the list."""
    return lambda one: one.decide_approval(to_approve(**changes))


# -- criteria ----------------------------------------------------------------------------------


def test_proposed_criteria_are_recorded_with_the_catalogue_they_come_from() -> None:
    """Which deployment, who, which categories, which version of the accepted values."""
    given_no(Watchlist).when(propose_criteria()).then(happened(criteria_proposed()))


@pytest.mark.parametrize("role", NOT_MANAGERS)
def test_only_a_watchlist_manager_proposes_criteria(role: Role) -> None:
    """Every other role is told so."""
    given_no(Watchlist).when(propose_criteria(role=role)).then(
        refused(
            "role_does_not_fit",
            kept_as="watchlist.criteria_refused",
            compared={"role": role.value},
        )
    )


def test_criteria_without_a_category_are_refused() -> None:
    """No open-ended list."""
    given_no(Watchlist).when(propose_criteria(categories=[])).then(refused("no_category"))


def test_criteria_are_proposed_once() -> None:
    """While they wait for approval they are not exchanged."""
    given(criteria_proposed()).when(propose_criteria()).then(refused("criteria_decided"))


def test_approved_criteria_are_not_proposed_again() -> None:
    """What the Authorising Officer approved stays."""
    given(*an_open_list()).when(propose_criteria()).then(refused("criteria_decided"))


def test_an_authorising_officer_approves_the_criteria() -> None:
    """Before anyone is on the list."""
    given(criteria_proposed()).when(approve_criteria()).then(happened(criteria_approved()))


@pytest.mark.parametrize("role", NOT_AUTHORISING)
def test_only_an_authorising_officer_approves_criteria(role: Role) -> None:
    """Every other role is told so."""
    given(criteria_proposed()).when(approve_criteria(role=role)).then(
        refused("role_does_not_fit", compared={"role": role.value})
    )


def test_nobody_approves_the_criteria_that_they_proposed() -> None:
    """SOD-2, whatever role they now wear."""
    given(criteria_proposed()).when(approve_criteria(actor=FIRST_MANAGER)).then(
        refused("officer_proposed_the_criteria", compared={"officer": FIRST_MANAGER})
    )


def test_criteria_that_nobody_proposed_are_not_approved() -> None:
    """There is nothing to approve, and no category in it."""
    given_no(Watchlist).when(approve_criteria()).then(
        refused("criteria_not_proposed", "no_category")
    )


def test_criteria_are_approved_once() -> None:
    """A second approval is refused."""
    given(*an_open_list()).when(approve_criteria()).then(refused("criteria_decided"))


def test_refused_criteria_tell_every_reason_at_once() -> None:
    """All four rules speak."""
    (
        given(criteria_proposed(categories=[]), criteria_approved())
        .when(approve_criteria(actor=FIRST_MANAGER, role=Role.OPERATOR))
        .then(
            refused(
                "role_does_not_fit",
                "officer_proposed_the_criteria",
                "criteria_decided",
                "no_category",
            )
        )
    )


# -- proposals ---------------------------------------------------------------------------------


def test_a_proposed_entry_is_recorded_in_codes_with_references_into_the_vault() -> None:
    """No name, no image: codes, and where image and reference are kept."""
    given(*an_open_list()).when(propose()).then(happened(entry_proposed()))


@pytest.mark.parametrize("role", NOT_MANAGERS)
def test_only_a_watchlist_manager_proposes_an_entry(role: Role) -> None:
    """Every other role is told so."""
    given(*an_open_list()).when(propose(role=role)).then(
        refused(
            "not_a_watchlist_manager",
            kept_as="watchlist.entry_refused",
            compared={"role": role.value},
        )
    )


def test_nobody_is_proposed_before_the_criteria_are_approved() -> None:
    """The Authorising Officer says who may be on the list before anyone is."""
    given(criteria_proposed()).when(propose()).then(refused("criteria_not_approved"))


def test_nobody_is_proposed_for_a_sealed_list() -> None:
    """A sealed list stays as it is."""
    given(*a_sealed_list()).when(propose(entry=OTHER_ENTRY)).then(refused("watchlist_sealed"))


def test_an_entry_is_proposed_once() -> None:
    """The same reference a second time is refused."""
    given(*an_open_list(), entry_proposed()).when(propose()).then(refused("entry_known"))


def test_nobody_is_proposed_for_a_deployment_that_is_over() -> None:
    """What is kept for it would have no end of its own."""
    given(*an_open_list()).when(propose(over=True)).then(refused("deployment_over"))


def test_an_entry_outside_the_criteria_is_proposed_so_that_the_list_shows_it() -> None:
    """It will be rejected with that reason; whom someone wanted on the list stays known."""
    (
        given(*an_open_list())
        .when(propose(necessity=why(category="witness")))
        .then(happened(entry_proposed(category="witness")))
    )


def test_the_category_outside_the_criteria_is_the_reason_for_its_rejection() -> None:
    """The aggregate names the code; within the criteria there is none."""
    witness = entry_proposed(entry=OTHER_ENTRY, category="witness")
    watchlist = given(*an_open_list(), entry_proposed(), witness).when(lambda one: None).aggregate
    assert watchlist.category_refusal(ENTRY) is None
    assert watchlist.category_refusal(OTHER_ENTRY) == "category_not_in_the_criteria"


def test_a_refused_proposal_tells_every_reason_at_once() -> None:
    """All five rules speak."""
    (
        given(criteria_proposed(), entry_proposed(), seal_requested(), list_sealed())
        .when(propose(over=True, role=Role.OPERATOR))
        .then(
            refused(
                "not_a_watchlist_manager",
                "deployment_over",
                "criteria_not_approved",
                "watchlist_sealed",
                "entry_known",
            )
        )
    )


# -- judgements --------------------------------------------------------------------------------


def test_an_accepted_entry_names_the_model_that_made_its_template() -> None:
    """And where the template is kept."""
    given(*an_open_list(), entry_proposed()).when(accept()).then(happened(entry_accepted()))


def test_a_rejected_entry_keeps_its_reasons() -> None:
    """In codes."""
    given(*an_open_list(), entry_proposed()).when(reject()).then(happened(entry_rejected()))


def test_an_entry_outside_the_criteria_is_rejected() -> None:
    """The criteria are no bar to turning an entry away."""
    reasons = ["category_not_in_the_criteria"]
    given(*an_open_list(), entry_proposed(category="witness")).when(reject(reasons=reasons)).then(
        happened(entry_rejected(reasons=reasons))
    )


@pytest.mark.parametrize("judge", [accept(), reject()])
def test_an_entry_that_nobody_proposed_is_neither_accepted_nor_rejected(judge: Ask) -> None:
    """Only what was proposed can be judged."""
    answer = given(*an_open_list()).when(judge).answer
    assert answer is not None
    assert "entry_unknown" in answer.codes


@pytest.mark.parametrize("judge", [accept(), reject()])
@pytest.mark.parametrize("judged", [entry_accepted(), entry_rejected()])
def test_an_entry_is_judged_once(judged: Any, judge: Ask) -> None:
    """Neither a rejection after an acceptance nor the reverse."""
    given(*an_open_list(), entry_proposed(), judged).when(judge).then(
        refused("entry_judged", kept_as="watchlist.entry_refused")
    )


@pytest.mark.parametrize("judge", [accept(entry=OTHER_ENTRY), reject(entry=OTHER_ENTRY)])
def test_no_entry_of_a_sealed_list_is_judged(judge: Ask) -> None:
    """Even one that was forgotten stays as it is."""
    given(*an_open_list(), entry_proposed(entry=OTHER_ENTRY), list_sealed()).when(judge).then(
        refused("entry_judged")
    )


def test_an_entry_outside_the_criteria_is_not_accepted() -> None:
    """Only the approved categories are sought."""
    given(*an_open_list(), entry_proposed(category="witness")).when(accept()).then(
        refused("category_not_in_the_criteria")
    )


def test_nobody_is_accepted_for_a_deployment_that_is_over() -> None:
    """Their template would have no end of its own; turning them away is still possible."""
    given(*an_open_list(), entry_proposed()).when(accept(over=True)).then(
        refused("deployment_over")
    )


def test_a_list_has_templates_of_one_model_only() -> None:
    """C-13: templates of two models do not compare."""
    given(*a_list_of_one(), entry_proposed(entry=OTHER_ENTRY)).when(
        accept(entry=OTHER_ENTRY, model_digest="e" * 64)
    ).then(
        refused("model_differs_from_the_list", compared={"list": MODEL, "entry": "e" * 64}),
    )


def test_a_refused_acceptance_tells_every_reason_at_once() -> None:
    """Over, judged, outside the criteria, and of another model."""
    (
        given(
            *a_list_of_one(),
            entry_proposed(entry=OTHER_ENTRY, category="witness"),
            entry_rejected(entry=OTHER_ENTRY),
        )
        .when(accept(over=True, entry=OTHER_ENTRY, model_digest="e" * 64))
        .then(
            refused(
                "deployment_over",
                "entry_judged",
                "category_not_in_the_criteria",
                "model_differs_from_the_list",
            )
        )
    )


def test_an_acceptance_of_nobody_tells_every_reason_at_once() -> None:
    """An unknown entry is within no criteria."""
    given(*an_open_list()).when(accept()).then(
        refused("entry_unknown", "category_not_in_the_criteria")
    )


# -- imports -----------------------------------------------------------------------------------


def test_why_a_file_was_not_imported_is_kept() -> None:
    """All the reasons that the reader of the file gave; nothing was imported."""
    reasons = [Refusal("missing_image", "every row has an image"), Refusal("empty", "a row")]
    (
        given(*an_open_list())
        .when(lambda one: one.refuse_import(to_refuse_the_import(reasons=reasons)))
        .then(refused("missing_image", "empty", kept_as="watchlist.import_refused"))
    )


# -- seal --------------------------------------------------------------------------------------


def test_the_first_of_two_managers_asks_for_the_seal() -> None:
    """The list is not sealed by one person."""
    given(*a_list_of_one()).when(seal()).then(happened(seal_requested()))


def test_the_second_manager_seals_and_the_nature_of_the_list_is_recorded() -> None:
    """How many, of which category, from which system, of which age, how many vulnerable."""
    (
        given(
            *a_list_of_one(),
            entry_proposed(
                entry=OTHER_ENTRY,
                source_system="missing-persons",
                age_band="13-to-17",
                vulnerable=True,
            ),
            entry_accepted(entry=OTHER_ENTRY),
            extra_authority_decided(entries=[OTHER_ENTRY]),
            entry_proposed(entry=IMAGE_ITEM, category="witness"),
            entry_rejected(entry=IMAGE_ITEM),
            seal_requested(entries=2),
        )
        .when(seal(actor=SECOND_MANAGER))
        .then(
            happened(
                list_sealed(
                    entries=2,
                    rejected=1,
                    by_category={"wanted-by-the-courts": 2},
                    by_source_system={"custody-images": 1, "missing-persons": 1},
                    by_age_band={"18-and-over": 1, "13-to-17": 1},
                    vulnerable=1,
                )
            )
        )
    )


@pytest.mark.parametrize("role", NOT_MANAGERS)
def test_only_watchlist_managers_seal(role: Role) -> None:
    """Every other role is told so."""
    given(*a_list_of_one()).when(seal(role=role)).then(
        refused(
            "not_a_watchlist_manager",
            kept_as="watchlist.seal_refused",
            compared={"role": role.value},
        )
    )


def test_one_person_does_not_seal_twice() -> None:
    """SOD-8: two distinct people."""
    given(*a_list_of_one(), seal_requested()).when(seal(actor=FIRST_MANAGER)).then(
        refused("second_person_needed", compared={"sealer": FIRST_MANAGER})
    )


def test_a_list_is_sealed_once() -> None:
    """A third person changes nothing."""
    given(*a_sealed_list()).when(seal(actor="staff:manager-3")).then(refused("watchlist_sealed"))


@pytest.mark.parametrize("facts", [an_open_list(), (*an_open_list(), entry_rejected())])
def test_a_list_without_an_accepted_entry_is_not_sealed(facts: Any) -> None:
    """A deployment without anyone to look for has no purpose."""
    given(*facts).when(seal()).then(refused("watchlist_empty"))


def test_a_list_with_an_entry_that_nobody_judged_is_not_sealed() -> None:
    """Accepted and rejected entries make up the list; nothing is left open."""
    given(*a_list_of_one(), entry_proposed(entry=OTHER_ENTRY)).when(seal()).then(
        refused("entries_not_judged", compared={"unjudged": "1"})
    )


def test_a_refused_seal_tells_every_reason_at_once() -> None:
    """All five rules speak."""
    (
        given(*an_open_list(), entry_proposed(), seal_requested(), list_sealed())
        .when(seal(actor=FIRST_MANAGER, role=Role.OPERATOR))
        .then(
            refused(
                "not_a_watchlist_manager",
                "second_person_needed",
                "watchlist_sealed",
                "watchlist_empty",
                "entries_not_judged",
            )
        )
    )


def test_nobody_is_added_once_the_first_manager_has_closed_the_list() -> None:
    """Both managers seal the same list."""
    given(*a_list_of_one(), seal_requested()).when(propose(entry=OTHER_ENTRY)).then(
        refused("watchlist_sealed")
    )


# -- approval ----------------------------------------------------------------------------------


def test_the_approval_of_a_sealed_list_is_recorded_with_its_size() -> None:
    """An Authorising Officer approves the composition."""
    given(*a_sealed_list()).when(approve()).then(happened(list_approved()))


@pytest.mark.parametrize("role", NOT_AUTHORISING)
def test_only_an_authorising_officer_approves_the_list(role: Role) -> None:
    """Every other role is told so."""
    given(*a_sealed_list()).when(approve(role=role)).then(
        refused(
            "not_an_authorising_officer",
            kept_as="watchlist.approval_refused",
            compared={"role": role.value},
        )
    )


@pytest.mark.parametrize("maker", [FIRST_MANAGER, SECOND_MANAGER])
def test_nobody_approves_a_list_that_they_sealed(maker: str) -> None:
    """SOD-2, whatever role they now wear."""
    given(*a_sealed_list()).when(approve(actor=maker)).then(
        refused("officer_made_the_list", compared={"officer": maker})
    )


def test_nobody_approves_a_list_whose_criteria_they_proposed() -> None:
    """The proposer of the criteria is one of its makers, though others sealed it."""
    proposer = "staff:manager-3"
    (
        given(criteria_proposed(proposer=proposer), *a_sealed_list()[1:])
        .when(approve(actor=proposer))
        .then(refused("officer_made_the_list"))
    )


def test_nobody_approves_a_list_on_which_they_put_someone() -> None:
    """SOD-2: who proposed an entry compiled the list, though others sealed it."""
    compiler = "staff:manager-3"
    (
        given(
            *an_open_list(),
            entry_proposed(proposer=compiler),
            entry_accepted(),
            seal_requested(),
            list_sealed(),
        )
        .when(approve(actor=compiler))
        .then(refused("officer_made_the_list"))
    )


def test_a_list_that_is_not_sealed_is_not_approved() -> None:
    """What is approved can no longer change; one person's request is no seal."""
    given(*a_list_of_one(), seal_requested()).when(approve()).then(refused("watchlist_not_sealed"))


def test_a_list_is_approved_once() -> None:
    """A second approval is refused."""
    given(*a_sealed_list(), list_approved()).when(approve()).then(refused("already_approved"))


def test_a_refused_approval_tells_every_reason_at_once() -> None:
    """All four rules speak, though no history holds all four."""
    (
        given(*a_sealed_list(), list_approved())
        .when(approve(actor=FIRST_MANAGER, role=Role.OPERATOR))
        .then(
            refused("not_an_authorising_officer", "officer_made_the_list", "already_approved"),
        )
    )
    (
        given(criteria_proposed(proposer=AUTHORISING_OFFICER))
        .when(approve(role=Role.OPERATOR))
        .then(
            refused("not_an_authorising_officer", "officer_made_the_list", "watchlist_not_sealed"),
        )
    )


# -- gallery -----------------------------------------------------------------------------------


def load(*, over: bool = False, **changes: Any) -> Ask:
    """Ask for the templates, while the deployment is open or over."""
    return lambda one: one.decide_gallery(to_load_the_gallery(**changes), deployment_over=over)


def test_a_recogniser_may_load_an_approved_list() -> None:
    """The consultation stands in a journal of its own; the list itself does not move."""
    given(*a_sealed_list(), list_approved()).when(load()).then(nothing_happened())


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_templates_go_to_a_recogniser_and_to_nobody_else(role: Role) -> None:
    """No person loads a whole list's templates."""
    given(*a_sealed_list(), list_approved()).when(load(role=role)).then(
        refused("not_a_recogniser", kept_as="watchlist.gallery_refused")
    )


@pytest.mark.parametrize("past", [a_list_of_one(), a_sealed_list()])
def test_a_list_that_nobody_approved_is_not_loaded(past: Any) -> None:
    """Sealed is not approved."""
    given(*past).when(load()).then(refused("watchlist_not_approved"))


def test_another_deployments_list_is_not_loaded() -> None:
    """A list belongs to one deployment."""
    given(*a_sealed_list(), list_approved()).when(load(deployment=OTHER_ENTRY)).then(
        refused("watchlist_of_another")
    )


def test_the_list_of_a_deployment_that_is_over_is_not_loaded() -> None:
    """Its templates are gone, or about to be."""
    given(*a_sealed_list(), list_approved()).when(load(over=True)).then(refused("deployment_over"))


def test_a_refused_gallery_tells_every_reason_at_once() -> None:
    """All four rules speak."""
    (
        given(*a_sealed_list())
        .when(load(over=True, role=Role.OPERATOR, deployment=OTHER_ENTRY))
        .then(
            refused(
                "not_a_recogniser",
                "deployment_over",
                "watchlist_not_approved",
                "watchlist_of_another",
            )
        )
    )


@pytest.mark.parametrize(
    "role", [role for role in Role if role not in (Role.WATCHLIST_MANAGER, Role.SYSTEM)]
)
@pytest.mark.parametrize("judge", [accept, reject])
def test_an_entry_is_judged_by_the_manager_or_the_quality_check(
    role: Role, judge: Callable[..., Ask]
) -> None:
    """Nobody else puts someone on a list or takes them off it."""
    given(*an_open_list(), entry_proposed()).when(judge(role=role)).then(
        refused("not_a_watchlist_manager")
    )


def test_nobody_approves_the_criteria_or_the_list_of_their_own_application() -> None:
    """The applicant may hold another role on another day, not for this deployment."""
    own = {"actor": APPLICANT}
    given(criteria_proposed()).when(
        lambda one: one.decide_criteria_approval(to_approve_criteria(**own), applicant=APPLICANT)
    ).then(refused("officer_is_the_applicant"))
    given(*a_sealed_list()).when(
        lambda one: one.decide_approval(to_approve(**own), applicant=APPLICANT)
    ).then(refused("officer_is_the_applicant"))


def test_criteria_are_not_approved_before_anyone_applied() -> None:
    """Else the applicant could approve them and apply afterwards."""
    (
        given(criteria_proposed())
        .when(lambda one: one.decide_criteria_approval(to_approve_criteria(), applicant=""))
        .then(refused("deployment_not_applied_for"))
    )

"""Who may be on a watchlist, who closes it and who approves it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, refuses

APPROVERS = frozenset({Role.AUTHORISING_OFFICER, Role.URGENT_AUTHORISING_OFFICER})
"""Who decides on criteria and list: whoever may authorise the deployment that they are for."""


@dataclass(frozen=True)
class CriteriaFacts:
    """What criteria are judged by."""

    actor: str
    role: Role
    wanted_roles: Collection[Role]
    proposer: str
    applicant: str
    approving: bool
    proposed: bool
    approved: bool
    categories: Sequence[str]
    most_entries: int
    largest_list: int
    """What the force's requirements allow."""


@refuses("role_does_not_fit")
def role_fits_the_criteria(facts: CriteriaFacts) -> Refusal | None:
    """The watchlist manager proposes, the AO approves. Source: seed L32; SOD-2."""
    if facts.role not in facts.wanted_roles:
        return Refusal(
            "role_does_not_fit",
            f"this is for the role {' or '.join(sorted(facts.wanted_roles))}",
            {"role": facts.role.value},
        )
    return None


@refuses("officer_proposed_the_criteria")
def criteria_are_approved_by_another(facts: CriteriaFacts) -> Refusal | None:
    """Nobody approves what they proposed. Source: seed L32; SOD-2."""
    if facts.approving and facts.actor == facts.proposer:
        return Refusal(
            "officer_proposed_the_criteria",
            "someone other than the proposer must approve the criteria",
            {"officer": facts.actor},
        )
    return None


@refuses("officer_is_the_applicant")
def criteria_are_not_approved_by_the_applicant(facts: CriteriaFacts) -> Refusal | None:
    """Nobody approves any part of their own application. Source: SOD-1."""
    if facts.approving and facts.actor == facts.applicant:
        return Refusal(
            "officer_is_the_applicant",
            "someone other than the applicant must approve the criteria",
            {"officer": facts.actor},
        )
    return None


@refuses("deployment_not_applied_for")
def criteria_belong_to_an_application(facts: CriteriaFacts) -> Refusal | None:
    """While nobody has applied, nobody can be told from the applicant. Source: SOD-1."""
    if facts.approving and not facts.applicant:
        return Refusal(
            "deployment_not_applied_for",
            "apply for the deployment before its criteria are approved",
        )
    return None


@refuses("criteria_not_proposed", "criteria_decided")
def criteria_come_in_order(facts: CriteriaFacts) -> Refusal | None:
    """Proposed once, then approved once."""
    if facts.approving and not facts.proposed:
        return Refusal("criteria_not_proposed", "propose criteria first")
    if facts.approved or (facts.proposed and not facts.approving):
        return Refusal("criteria_decided", "the criteria of this list are settled")
    return None


@refuses("no_category")
def criteria_name_a_category(facts: CriteriaFacts) -> Refusal | None:
    """No open-ended list. Source: Bridges [123]-[124]; seed L32."""
    if not facts.categories:
        return Refusal("no_category", "name at least one category of the catalogue")
    return None


@refuses("list_too_large")
def criteria_say_how_many(facts: CriteriaFacts) -> Refusal | None:
    """A list has a size that was decided, within what the force allows. Source: 3.4 (cap)."""
    if facts.approving or 1 <= facts.most_entries <= facts.largest_list:
        return None
    return Refusal(
        "list_too_large",
        "say how many entries the list may have, within what the force's requirements allow",
        {"asked": str(facts.most_entries), "largest": str(facts.largest_list)},
    )


CRITERIA_POLICIES: tuple[Policy[CriteriaFacts], ...] = (
    role_fits_the_criteria,
    criteria_are_approved_by_another,
    criteria_are_not_approved_by_the_applicant,
    criteria_belong_to_an_application,
    criteria_come_in_order,
    criteria_name_a_category,
    criteria_say_how_many,
)


@dataclass(frozen=True)
class ProposalFacts:
    """What a proposed entry is judged by."""

    role: Role
    deployment_over: bool
    criteria_approved: bool
    sealed: bool
    known: bool
    category: str
    categories: Sequence[str]


@refuses("not_a_watchlist_manager", saying="the watchlist manager compiles the list")
def manager_compiles(facts: ProposalFacts) -> Refusal | None:
    """The watchlist manager compiles the list. Source: domain specification, section 2."""
    if facts.role is not Role.WATCHLIST_MANAGER:
        return Refusal(
            "not_a_watchlist_manager",
            "the watchlist manager compiles the list",
            {"role": facts.role.value},
        )
    return None


@refuses("deployment_over")
def deployment_is_open(facts: ProposalFacts | JudgementFacts | GalleryFacts) -> Refusal | None:
    """What is kept or read for a deployment that is over would have no end of its own."""
    if facts.deployment_over:
        return Refusal("deployment_over", "make a new list for a new deployment")
    return None


@refuses("criteria_not_approved")
def criteria_come_before_entries(facts: ProposalFacts) -> Refusal | None:
    """Nothing is compiled before the AO approved the criteria. Source: seed L32; req. 30."""
    if not facts.criteria_approved:
        return Refusal("criteria_not_approved", "have the criteria approved first")
    return None


@refuses("watchlist_sealed")
def list_is_open(facts: ProposalFacts) -> Refusal | None:
    """A sealed list takes no more entries. Source: seed L19; requirement 07."""
    if facts.sealed:
        return Refusal("watchlist_sealed", "a sealed list is changed only by a variation")
    return None


@refuses("entry_known")
def entry_is_new(facts: ProposalFacts) -> Refusal | None:
    """An entry is proposed once."""
    if facts.known:
        return Refusal("entry_known", "this entry was proposed already")
    return None


PROPOSAL_POLICIES: tuple[Policy[ProposalFacts], ...] = (
    manager_compiles,
    deployment_is_open,
    criteria_come_before_entries,
    list_is_open,
    entry_is_new,
)


@refuses("category_not_in_the_criteria")
def category_is_within_the_criteria(facts: ProposalFacts) -> Refusal | None:
    """Only the approved categories. Source: seed L32; requirement 32.

    Not among the reasons to refuse the proposal: the entry is proposed, and then rejected with
    this reason, so that the list shows whom someone wanted on it.
    """
    if facts.category not in facts.categories:
        return Refusal(
            "category_not_in_the_criteria",
            "the approved criteria do not hold this category",
            {"category": facts.category, "criteria": ", ".join(facts.categories)},
        )
    return None


@dataclass(frozen=True)
class JudgementFacts:
    """What the acceptance or rejection of an entry is judged by."""

    role: Role
    deployment_over: bool
    proposed: bool
    judged: bool
    sealed: bool
    within_criteria: bool
    accepting: bool
    model_digest: str | None
    lists_model: str | None
    room: int
    """How many more entries the list may take."""


@refuses("not_a_watchlist_manager", saying="the watchlist manager judges entries")
def manager_or_system_judges(facts: JudgementFacts) -> Refusal | None:
    """The manager judges entries, or the quality check does. Source: specification, section 2."""
    if facts.role not in (Role.WATCHLIST_MANAGER, Role.SYSTEM):
        return Refusal(
            "not_a_watchlist_manager",
            "the watchlist manager judges entries",
            {"role": facts.role.value},
        )
    return None


@refuses("entry_unknown")
def entry_was_proposed(facts: JudgementFacts) -> Refusal | None:
    """Only what was proposed can be judged."""
    return None if facts.proposed else Refusal("entry_unknown", "propose the entry first")


@refuses("entry_judged")
def entry_is_judged_once(facts: JudgementFacts) -> Refusal | None:
    """Accepted or rejected, once, while the list is open."""
    if facts.judged or facts.sealed:
        return Refusal("entry_judged", "the entry was judged, or the list is sealed")
    return None


@refuses("category_not_in_the_criteria")
def accepted_entry_is_within_the_criteria(facts: JudgementFacts) -> Refusal | None:
    """Only the approved categories. Source: seed L32; requirement 32."""
    if facts.accepting and not facts.within_criteria:
        return Refusal("category_not_in_the_criteria", "reject the entry")
    return None


@refuses("model_differs_from_the_list")
def list_has_one_model(facts: JudgementFacts) -> Refusal | None:
    """Templates of two models do not compare. Source: domain specification, C-13."""
    if facts.accepting and facts.lists_model not in (None, facts.model_digest):
        return Refusal(
            "model_differs_from_the_list",
            "make every template of a list with one model",
            {"list": str(facts.lists_model), "entry": str(facts.model_digest)},
        )
    return None


@refuses("watchlist_full")
def list_has_room(facts: JudgementFacts) -> Refusal | None:
    """No more entries than the criteria, and a variation, allow. Source: 3.4 (cap)."""
    if facts.accepting and facts.room < 1:
        return Refusal("watchlist_full", "the list has as many entries as were approved")
    return None


JUDGEMENT_POLICIES: tuple[Policy[JudgementFacts], ...] = (
    manager_or_system_judges,
    deployment_is_open,
    entry_was_proposed,
    entry_is_judged_once,
    accepted_entry_is_within_the_criteria,
    list_has_one_model,
    list_has_room,
)


@dataclass(frozen=True)
class SealFacts:
    """What the sealing of a list is judged by."""

    actor: str
    role: Role
    requested_by: str | None
    sealed: bool
    accepted: int
    unjudged: int
    without_authority: int
    """Entries that need extra authority and have none."""


@refuses("not_a_watchlist_manager")
def manager_seals(facts: SealFacts) -> Refusal | None:
    """Watchlist managers seal. Source: domain specification, section 2."""
    if facts.role is not Role.WATCHLIST_MANAGER:
        return Refusal(
            "not_a_watchlist_manager", "watchlist managers seal", {"role": facts.role.value}
        )
    return None


@refuses("second_person_needed")
def two_persons_seal(facts: SealFacts) -> Refusal | None:
    """Two distinct people seal the watchlist. Source: domain specification, SOD-8."""
    if facts.requested_by == facts.actor:
        return Refusal(
            "second_person_needed",
            "someone other than the first sealer must seal",
            {"sealer": facts.actor},
        )
    return None


@refuses("watchlist_sealed")
def list_is_sealed_once(facts: SealFacts) -> Refusal | None:
    """A sealed list stays as it is."""
    return Refusal("watchlist_sealed", "the list is sealed already") if facts.sealed else None


@refuses("watchlist_empty")
def list_has_entries(facts: SealFacts) -> Refusal | None:
    """A deployment without a reference to look for has no purpose. Source: seed L23."""
    if facts.accepted == 0:
        return Refusal("watchlist_empty", "no entry was accepted")
    return None


@refuses("entries_not_judged")
def every_entry_was_judged(facts: SealFacts) -> Refusal | None:
    """Enrolled and rejected make up the list. Source: domain specification, 3.4."""
    if facts.unjudged:
        return Refusal(
            "entries_not_judged",
            "accept or reject every proposed entry",
            {"unjudged": str(facts.unjudged)},
        )
    return None


@refuses("extra_authority_missing")
def extra_authority_was_given(facts: SealFacts) -> Refusal | None:
    """Children, vulnerable people and contested categories, each with a reason on the record.

    Source: requirements 55 to 57; section 8, K-10.
    """
    if facts.without_authority:
        return Refusal(
            "extra_authority_missing",
            "have an extra authoriser decide, or remove the entries",
            {"entries": str(facts.without_authority)},
        )
    return None


SEAL_POLICIES: tuple[Policy[SealFacts], ...] = (
    manager_seals,
    two_persons_seal,
    list_is_sealed_once,
    list_has_entries,
    every_entry_was_judged,
    extra_authority_was_given,
)


@dataclass(frozen=True)
class ApprovalFacts:
    """What the approval of a sealed list is judged by."""

    officer: str
    applicant: str
    role: Role
    makers: Sequence[str]
    extra_authorisers: Sequence[str]
    sealed: bool
    approved: bool


@refuses("not_an_authorising_officer")
def officer_may_approve(facts: ApprovalFacts) -> Refusal | None:
    """The AO approves the composition, or the urgent one. Source: seed L32."""
    if facts.role not in APPROVERS:
        return Refusal(
            "not_an_authorising_officer",
            "an Authorising Officer approves",
            {"role": facts.role.value},
        )
    return None


@refuses("officer_made_the_list")
def officer_did_not_make_the_list(facts: ApprovalFacts) -> Refusal | None:
    """Nobody approves a list that they compiled. Source: SOD-2."""
    if facts.officer in facts.makers:
        return Refusal(
            "officer_made_the_list",
            "someone who had no hand in the list must approve",
            {"officer": facts.officer},
        )
    return None


@refuses("officer_is_the_applicant")
def officer_did_not_apply(facts: ApprovalFacts) -> Refusal | None:
    """Nobody approves any part of their own application. Source: SOD-1."""
    if facts.officer == facts.applicant:
        return Refusal(
            "officer_is_the_applicant",
            "someone other than the applicant must approve",
            {"officer": facts.officer},
        )
    return None


@refuses("watchlist_not_sealed")
def approved_list_is_sealed(facts: ApprovalFacts) -> Refusal | None:
    """What is approved can no longer change. Source: seed L30."""
    return None if facts.sealed else Refusal("watchlist_not_sealed", "seal the list first")


@refuses("already_approved")
def approved_once(facts: ApprovalFacts) -> Refusal | None:
    """One approval."""
    return Refusal("already_approved", "the list is approved already") if facts.approved else None


@refuses("officer_gave_the_extra_authority")
def officer_did_not_give_the_extra_authority(facts: ApprovalFacts) -> Refusal | None:
    """A second authority is a second person. Source: domain specification, section 2."""
    if facts.officer not in facts.extra_authorisers:
        return None
    return Refusal(
        "officer_gave_the_extra_authority",
        "someone other than the extra authoriser must approve",
        {"officer": facts.officer},
    )


APPROVAL_POLICIES: tuple[Policy[ApprovalFacts], ...] = (
    officer_may_approve,
    officer_did_not_make_the_list,
    officer_did_not_apply,
    officer_did_not_give_the_extra_authority,
    approved_list_is_sealed,
    approved_once,
)


@dataclass(frozen=True)
class GalleryFacts:
    """What the loading of a list's templates is judged by."""

    role: Role
    deployment_over: bool
    approved: bool
    own: bool


@refuses("not_a_recogniser")
def only_a_recogniser_loads(facts: GalleryFacts) -> Refusal | None:
    """Templates go to the recogniser and to nobody else."""
    if facts.role is not Role.SYSTEM:
        return Refusal("not_a_recogniser", "only a recogniser takes templates")
    return None


@refuses("watchlist_not_approved")
def gallery_is_an_approved_list(facts: GalleryFacts) -> Refusal | None:
    """Nothing is compared with a list that nobody approved. Source: seed L32."""
    return None if facts.approved else Refusal("watchlist_not_approved", "approve the list first")


@refuses("watchlist_of_another")
def gallery_is_the_deployments_own(facts: GalleryFacts) -> Refusal | None:
    """A list belongs to one deployment. Source: seed L30; requirement 26."""
    if not facts.own:
        return Refusal("watchlist_of_another", "load the list that was made for this deployment")
    return None


GALLERY_POLICIES: tuple[Policy[GalleryFacts], ...] = (
    only_a_recogniser_loads,
    deployment_is_open,
    gallery_is_an_approved_list,
    gallery_is_the_deployments_own,
)

"""What keeps a list lawful once it is compiled: looks, removals, extra authority, reopening."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.kernel.closed_lists import ClosedLists, closed_lists
from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.ranks import officer_has_the_rank
from domain.kernel.refusals import Policy, Refusal, refuses

MOST_AT_ONCE = 500
"""Entries that one command may name; an entry of the record has an end."""


def removal_reasons() -> ClosedLists:
    """Why an entry may leave a list."""
    return closed_lists("domain.watchlists", "closed_lists.toml")


@dataclass(frozen=True)
class NamedEntries:
    """Entries that a command names, beside those that are on the list."""

    entries: Sequence[UUID]
    listed: Collection[UUID]


@refuses("entries_not_named", "entries_not_listed")
def names_entries_of_the_list(facts: NamedEntries) -> Refusal | None:
    """A command is about entries that are on the list, 500 at a time at most."""
    if not 1 <= len(set(facts.entries)) == len(facts.entries) <= MOST_AT_ONCE:
        return Refusal(
            "entries_not_named",
            f"name from 1 to {MOST_AT_ONCE} entries, each once",
            {"named": str(len(facts.entries))},
        )
    if unknown := [one for one in facts.entries if one not in facts.listed]:
        return Refusal(
            "entries_not_listed",
            "name entries that are on the list",
            {"not_listed": str(len(unknown))},
        )
    return None


@dataclass(frozen=True)
class ReviewFacts(NamedEntries):
    """What a review is judged by."""

    role: Role


@refuses("not_a_watchlist_manager")
def manager_reviews(facts: ReviewFacts) -> Refusal | None:
    """The watchlist manager looks at each entry before each deployment.

    Source: College APP, "Watchlist"; requirement 210.
    """
    if facts.role is Role.WATCHLIST_MANAGER:
        return None
    return Refusal(
        "not_a_watchlist_manager", "the watchlist manager reviews", {"role": facts.role.value}
    )


REVIEW_POLICIES: tuple[Policy[ReviewFacts], ...] = (manager_reviews, names_entries_of_the_list)


@dataclass(frozen=True)
class RemovalFacts(NamedEntries):
    """What a removal is judged by."""

    role: Role
    reason: str


REMOVERS = frozenset({Role.WATCHLIST_MANAGER, Role.AUTHORISING_OFFICER, Role.DPO})


@refuses("role_may_not_remove")
def role_may_remove(facts: RemovalFacts) -> Refusal | None:
    """Whoever made the list, allowed it, or looks after people's rights. Source: 3.4, 3.9."""
    if facts.role in REMOVERS:
        return None
    return Refusal(
        "role_may_not_remove",
        "the watchlist manager, an Authorising Officer or the DPO removes an entry",
        {"role": facts.role.value},
    )


@refuses("reason_unknown")
def removal_has_a_reason(facts: RemovalFacts) -> Refusal | None:
    """Why the number went down can be read afterwards. Source: 3.4 (each +1 and -1)."""
    if removal_reasons().has("removal_reason", facts.reason):
        return None
    return Refusal(
        "reason_unknown",
        f"expected one of {', '.join(removal_reasons().codes['removal_reason'])}",
    )


REMOVAL_POLICIES: tuple[Policy[RemovalFacts], ...] = (
    role_may_remove,
    names_entries_of_the_list,
    removal_has_a_reason,
)


@dataclass(frozen=True)
class AuthorityFacts(NamedEntries):
    """What a decision on extra authority is judged by."""

    officer: str
    role: Role
    rank: str
    rank_evidence: str
    applicant: str
    makers: Sequence[str]
    approver: str
    needing: Collection[UUID]
    """The entries that need it."""
    granted: bool
    sealed: bool
    reason: str


@refuses("not_an_extra_authoriser")
def extra_authoriser_decides(facts: AuthorityFacts) -> Refusal | None:
    """Children, vulnerable people and contested categories need a second, higher authority.

    Source: domain specification, section 2; requirements 55 to 57.
    """
    if facts.role is Role.EXTRA_AUTHORISER:
        return None
    return Refusal(
        "not_an_extra_authoriser", "an extra authoriser decides this", {"role": facts.role.value}
    )


@refuses("officer_is_not_independent")
def extra_authority_is_independent(facts: AuthorityFacts) -> Refusal | None:
    """Not who applied, compiled or approved. Source: domain specification, section 2; SOD-1."""
    if facts.officer not in {facts.applicant, facts.approver, *facts.makers}:
        return None
    return Refusal(
        "officer_is_not_independent",
        "someone who neither applied for the deployment nor made or approved the list must decide",
        {"officer": facts.officer},
    )


@refuses("extra_authority_not_needed")
def extra_authority_is_needed(facts: AuthorityFacts) -> Refusal | None:
    """It is given to those who need it, by name, never to a whole list."""
    if all(one in facts.needing for one in facts.entries):
        return None
    return Refusal("extra_authority_not_needed", "name only entries that need extra authority")


@refuses("watchlist_sealed")
def extra_authority_comes_before_the_seal(facts: AuthorityFacts) -> Refusal | None:
    """A sealed list is complete; what is declined later is removed."""
    if not (facts.sealed and facts.granted):
        return None
    return Refusal("watchlist_sealed", "extra authority is given before the list is sealed")


@refuses("reason_missing")
def extra_authority_has_a_reason(facts: AuthorityFacts) -> Refusal | None:
    """Why a child is on a list can be read afterwards. Source: 3.4 (FlagEntry), K-10."""
    if is_code(facts.reason):
        return None
    return Refusal("reason_missing", "give the reason by a code")


AUTHORITY_POLICIES: tuple[Policy[AuthorityFacts], ...] = (
    extra_authoriser_decides,
    officer_has_the_rank,
    extra_authority_is_independent,
    names_entries_of_the_list,
    extra_authority_is_needed,
    extra_authority_comes_before_the_seal,
    extra_authority_has_a_reason,
)


@dataclass(frozen=True)
class ReopeningFacts:
    """What the reopening of a list is judged by."""

    officer: str
    role: Role
    applicant: str
    makers: Sequence[str]
    sealed: bool
    running: bool
    deployment_over: bool
    reason: str
    most_added: int
    room: int
    """How many entries the criteria leave room for."""


@refuses("not_an_authorising_officer")
def officer_varies(facts: ReopeningFacts) -> Refusal | None:
    """Only the Authorising Officer widens what was authorised. Source: 3.3 (VaryAuthorisation)."""
    if facts.role is Role.AUTHORISING_OFFICER:
        return None
    return Refusal(
        "not_an_authorising_officer",
        "an Authorising Officer varies the authorisation",
        {"role": facts.role.value},
    )


@refuses("officer_is_not_independent")
def officer_who_varies_is_independent(facts: ReopeningFacts) -> Refusal | None:
    """Nobody widens a list that they compiled or applied for. Source: SOD-1, SOD-2."""
    if facts.officer not in {facts.applicant, *facts.makers}:
        return None
    return Refusal(
        "officer_is_not_independent",
        "someone who neither applied for the deployment nor made the list must vary it",
        {"officer": facts.officer},
    )


@refuses("watchlist_not_sealed", "deployment_over")
def there_is_a_sealed_list(facts: ReopeningFacts) -> Refusal | None:
    """A list that is still open needs no variation, one whose deployment is over no entry."""
    if facts.deployment_over:
        return Refusal("deployment_over", "make a new list for a new deployment")
    return None if facts.sealed else Refusal("watchlist_not_sealed", "the list is open")


@refuses("recognition_is_on")
def recognition_is_off(facts: ReopeningFacts) -> Refusal | None:
    """Faces are compared with a predetermined list: nobody is added under a running camera.

    Source: source document L19; requirements 07 and 51.
    """
    if not facts.running:
        return None
    return Refusal("recognition_is_on", "switch recognition off before the list takes entries")


@refuses("additions_unlimited")
def additions_have_a_limit(facts: ReopeningFacts) -> Refusal | None:
    """A variation says how many, within what the criteria allow. Source: 3.4 (cap)."""
    if 1 <= facts.most_added <= facts.room:
        return None
    return Refusal(
        "additions_unlimited",
        "say how many entries may be added, within what the criteria allow",
        {"asked": str(facts.most_added), "room": str(max(0, facts.room))},
    )


@refuses("reason_missing")
def variation_has_a_reason(facts: ReopeningFacts) -> Refusal | None:
    """Each +1 is explained. Source: domain specification, 3.4."""
    return None if is_code(facts.reason) else Refusal("reason_missing", "give a reason by a code")


REOPENING_POLICIES: tuple[Policy[ReopeningFacts], ...] = (
    officer_varies,
    officer_who_varies_is_independent,
    there_is_a_sealed_list,
    recognition_is_off,
    additions_have_a_limit,
    variation_has_a_reason,
)

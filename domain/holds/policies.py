"""When footage may be kept past its limit: never on one person's word, never without an end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, refuses
from domain.kernel.time import written

_CASE_REFERENCE = re.compile(r"[a-z]{1,4}(-[0-9]{1,8}){1,3}")
"""Opaque: what a name, an offence or a sentence does not fit."""


@dataclass(frozen=True)
class HeldItemFacts:
    """What one item that is to be held is judged by."""

    item: UUID
    item_class: str
    """Empty where nobody registered it."""
    known: bool
    of_the_deployment: bool
    biometric: bool
    may_be_held: bool
    """By the rule of its class."""
    sealed: bool
    gone: bool
    """Destroyed, or its destruction has begun."""
    due_at: datetime | None
    at: datetime


def _compared(facts: HeldItemFacts) -> dict[str, str]:
    told = {"item": facts.item.hex}
    return told | {"class": facts.item_class} if facts.of_the_deployment else told


@refuses("item_unknown")
def item_was_registered(facts: HeldItemFacts) -> Refusal | None:
    """A hold names items that exist. Source: domain specification, 3.8 (narrowest range)."""
    return None if facts.known else Refusal("item_unknown", "no such item", _compared(facts))


@refuses("item_of_another_deployment")
def item_is_of_the_deployment(facts: HeldItemFacts) -> Refusal | None:
    """One hold, one deployment: its pack shows why something was kept, and nothing of others."""
    if facts.known and not facts.of_the_deployment:
        return Refusal(
            "item_of_another_deployment", "ask for it in its deployment", _compared(facts)
        )
    return None


@refuses("biometric_no_exception")
def item_is_not_biometric(facts: HeldItemFacts) -> Refusal | None:
    """Faces and templates have no exception from their 24 hours. Source: C-02, seed L31, L101."""
    if facts.of_the_deployment and facts.biometric:
        return Refusal("biometric_no_exception", "no hold keeps it", _compared(facts))
    return None


@refuses("only_footage_can_be_held")
def item_is_footage(facts: HeldItemFacts) -> Refusal | None:
    """A hold extends footage and nothing else. Source: C-02, RT-10, RT-17."""
    if facts.of_the_deployment and not facts.biometric and not facts.may_be_held:
        return Refusal("only_footage_can_be_held", "hold footage", _compared(facts))
    return None


@refuses("item_not_sealed")
def item_exists(facts: HeldItemFacts) -> Refusal | None:
    """Only what was sealed can be kept."""
    if facts.of_the_deployment and not facts.sealed:
        return Refusal("item_not_sealed", "it was never sealed", _compared(facts))
    return None


@refuses("item_destroyed")
def item_is_not_being_destroyed(facts: HeldItemFacts) -> Refusal | None:
    """Nothing brings back what was destroyed, or whose destruction has begun."""
    if facts.of_the_deployment and facts.gone:
        return Refusal("item_destroyed", "it is gone", _compared(facts))
    return None


@refuses("item_past_its_limit")
def item_is_within_its_limit(facts: HeldItemFacts) -> Refusal | None:
    """What had to be gone is not made lawful by a later hold. Source: specification, section 4."""
    if facts.of_the_deployment and not facts.gone and facts.due_at and facts.due_at <= facts.at:
        return Refusal("item_past_its_limit", "it had to be gone", _compared(facts))
    return None


ITEM_POLICIES: tuple[Policy[HeldItemFacts], ...] = (
    item_was_registered,
    item_is_of_the_deployment,
    item_is_not_biometric,
    item_is_footage,
    item_exists,
    item_is_not_being_destroyed,
    item_is_within_its_limit,
)


@dataclass(frozen=True)
class HoldFacts:
    """What a request, approval, refusal, review or release of a hold is judged by."""

    actor: str
    role: Role
    at: datetime
    requester: str = ""
    """Empty where nobody asked for it."""
    approved: bool = False
    declined: bool = False
    released: bool = False
    counts_until: datetime | None = None
    """Its review date, as it stands."""
    ground: str = ""
    grounds: Mapping[str, str] = field(default_factory=dict)
    case_reference: str = ""
    review_by: datetime | None = None
    """The review date that is asked for."""
    review_within: timedelta = timedelta(0)
    items: Sequence[UUID] = ()
    most_items: int = 0


@refuses("not_a_disclosure_officer")
def disclosure_officer_asks(facts: HoldFacts) -> Refusal | None:
    """A hold is asked for by legal or disclosure. Source: domain specification, section 2."""
    if facts.role is not Role.DISCLOSURE_OFFICER:
        return Refusal(
            "not_a_disclosure_officer", "a disclosure officer asks", {"role": facts.role.value}
        )
    return None


@refuses("not_the_asset_owner")
def asset_owner_decides(facts: HoldFacts) -> Refusal | None:
    """Holds and reviews are the Information Asset Owner's. Source: specification, section 2."""
    if facts.role is not Role.INFORMATION_ASSET_OWNER:
        return Refusal(
            "not_the_asset_owner",
            "the Information Asset Owner decides on holds",
            {"role": facts.role.value},
        )
    return None


@refuses("role_may_not_release")
def asker_or_owner_releases(facts: HoldFacts) -> Refusal | None:
    """Whoever asked or decided may end it: an end keeps nothing."""
    if facts.role not in (Role.INFORMATION_ASSET_OWNER, Role.DISCLOSURE_OFFICER):
        return Refusal(
            "role_may_not_release",
            "the Information Asset Owner or a disclosure officer releases holds",
            {"role": facts.role.value},
        )
    return None


@refuses("same_person")
def two_persons_hold(facts: HoldFacts) -> Refusal | None:
    """Whoever asked for a hold neither approves it nor turns it down nor reviews it.

    Source: domain specification, section 2, SOD: hold requester != hold approver.
    """
    if facts.requester and facts.actor == facts.requester:
        return Refusal(
            "same_person", "another person than the requester decides", {"person": facts.actor}
        )
    return None


@refuses("already_requested")
def requested_once(facts: HoldFacts) -> Refusal | None:
    """A hold is asked for once; for other items, ask for another."""
    return Refusal("already_requested", "ask for a new hold") if facts.requester else None


@refuses("not_requested")
def was_requested(facts: HoldFacts) -> Refusal | None:
    """There is something to decide on."""
    return None if facts.requester else Refusal("not_requested", "nobody asked for this hold")


@refuses("already_decided")
def decided_once(facts: HoldFacts) -> Refusal | None:
    """A hold is approved or turned down once."""
    if facts.approved or facts.declined:
        stands = "approved" if facts.approved else "declined"
        return Refusal("already_decided", "the hold was decided on", {"stands": stands})
    return None


@refuses("not_approved")
def was_approved(facts: HoldFacts) -> Refusal | None:
    """Only what counts can be reviewed or released."""
    return None if facts.approved else Refusal("not_approved", "the hold was never approved")


@refuses("already_released")
def not_released(facts: HoldFacts) -> Refusal | None:
    """A hold that was released does not come back."""
    return Refusal("already_released", "the hold was released") if facts.released else None


@refuses("hold_lapsed")
def not_lapsed(facts: HoldFacts) -> Refusal | None:
    """A hold that nobody reviewed in time has ended. Source: domain specification, 3.8, 3.11."""
    if facts.counts_until is not None and facts.counts_until <= facts.at:
        return Refusal(
            "hold_lapsed",
            "its review date is past: ask for a new hold",
            {"review_by": written(facts.counts_until), "at": written(facts.at)},
        )
    return None


@refuses("ground_unknown")
def ground_is_on_the_list(facts: HoldFacts) -> Refusal | None:
    """The grounds are closed. Source: RT-10."""
    if facts.ground not in facts.grounds:
        # A word that is no ground may be anything, so it is not repeated.
        return Refusal("ground_unknown", f"give one of {', '.join(facts.grounds)}")
    return None


@refuses("case_reference_not_opaque")
def case_reference_is_opaque(facts: HoldFacts) -> Refusal | None:
    """A hold refers to its own file and says nothing of anyone. Source: 3.8, 3.12."""
    if not _CASE_REFERENCE.fullmatch(facts.case_reference):
        return Refusal(
            "case_reference_not_opaque",
            "give a reference of up to four letters and then numbers, as psd-2026-118",
        )
    return None


@refuses("review_date_missing")
def review_date_is_given(facts: HoldFacts) -> Refusal | None:
    """No hold without an end. Source: domain specification, 3.8."""
    if facts.review_by is None:
        return Refusal("review_date_missing", "say by when the hold is to be reviewed")
    return None


@refuses("review_date_past")
def review_date_is_to_come(facts: HoldFacts) -> Refusal | None:
    """A review lies ahead."""
    if facts.review_by is not None and facts.review_by <= facts.at:
        return Refusal(
            "review_date_past",
            "give a review date that is still to come",
            {"review_by": written(facts.review_by), "at": written(facts.at)},
        )
    return None


@refuses("review_date_too_far")
def review_comes_soon(facts: HoldFacts) -> Refusal | None:
    """A hold is looked at again before it is forgotten. Source: domain specification, 3.11."""
    if facts.review_by is not None and facts.review_by > facts.at + facts.review_within:
        return Refusal(
            "review_date_too_far",
            "give an earlier review date",
            {
                "review_by": written(facts.review_by),
                "latest": written(facts.at + facts.review_within),
            },
        )
    return None


@refuses("no_items")
def items_are_named(facts: HoldFacts) -> Refusal | None:
    """A hold is on exact segments. Source: domain specification, 3.8."""
    return None if facts.items else Refusal("no_items", "name the items to be held")


@refuses("too_many_items")
def range_is_narrow(facts: HoldFacts) -> Refusal | None:
    """The narrowest range; more takes another hold. Source: domain specification, 3.8."""
    if len(facts.items) > facts.most_items:
        return Refusal(
            "too_many_items",
            "ask for fewer items at a time",
            {"named": str(len(facts.items)), "most": str(facts.most_items)},
        )
    return None


@refuses("item_named_twice")
def items_are_named_once(facts: HoldFacts) -> Refusal | None:
    """Each item once, so that what is counted is what is kept."""
    twice = [one.hex for one, count in Counter(facts.items).items() if count > 1]
    if twice:
        return Refusal("item_named_twice", "name each item once", {"item": twice[0]})
    return None


REQUEST_POLICIES: tuple[Policy[HoldFacts], ...] = (
    disclosure_officer_asks,
    requested_once,
    ground_is_on_the_list,
    case_reference_is_opaque,
    review_date_is_given,
    review_date_is_to_come,
    review_comes_soon,
    items_are_named,
    range_is_narrow,
    items_are_named_once,
)

APPROVAL_POLICIES: tuple[Policy[HoldFacts], ...] = (
    asset_owner_decides,
    was_requested,
    two_persons_hold,
    decided_once,
    not_lapsed,
)

DECLINE_POLICIES: tuple[Policy[HoldFacts], ...] = (
    asset_owner_decides,
    was_requested,
    two_persons_hold,
    decided_once,
)

REVIEW_POLICIES: tuple[Policy[HoldFacts], ...] = (
    asset_owner_decides,
    two_persons_hold,
    was_approved,
    not_released,
    not_lapsed,
    review_date_is_given,
    review_date_is_to_come,
    review_comes_soon,
)

RELEASE_POLICIES: tuple[Policy[HoldFacts], ...] = (
    asker_or_owner_releases,
    was_approved,
    not_released,
)

"""When an item may be opened, and whose key may sign that it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.custody.classes import ItemClass
from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, refuses
from domain.kernel.time import written


@dataclass(frozen=True)
class Purpose:
    """What a consultation may be for."""

    roles: frozenset[Role]
    classes: frozenset[ItemClass]


PURPOSES: dict[str, Purpose] = {
    "adjudication": Purpose(
        frozenset({Role.ENGAGEMENT_OFFICER, Role.OPERATOR}),
        frozenset(
            {
                ItemClass.FACE_CROP,
                ItemClass.WIDE_FRAME,
                ItemClass.ALERT_DETAIL,
                ItemClass.REFERENCE_IMAGE,
                ItemClass.CALLERS_REFERENCE,
                ItemClass.FREE_TEXT,
            }
        ),
    ),
    "rehearsal-summary": Purpose(
        frozenset({Role.SYSTEM}), frozenset({ItemClass.CALLERS_REFERENCE})
    ),
    "import-resumed": Purpose(
        frozenset({Role.WATCHLIST_MANAGER}), frozenset({ItemClass.CALLERS_REFERENCE})
    ),
    "gallery": Purpose(frozenset({Role.SYSTEM}), frozenset({ItemClass.REFERENCE_TEMPLATE})),
    "footage-review": Purpose(
        frozenset({Role.AUTHORISING_OFFICER, Role.DPO, Role.AUDITOR}),
        frozenset({ItemClass.FOOTAGE_SEGMENT}),
    ),
}
"""Purpose code to who may have it, and what it may open."""


@dataclass(frozen=True)
class ConsultationFacts:
    """What a consultation is judged by."""

    role: Role
    purpose: str
    item_class: ItemClass
    sealed: bool
    destruction_started: bool
    doubted: bool
    """Whether it may have been destroyed in a part of the record that is lost."""
    due_at: datetime
    """The latest instant at which it may exist, with its holds."""
    at: datetime


@refuses("purpose_not_allowed")
def purpose_is_one_of_the_roles(facts: ConsultationFacts) -> Refusal | None:
    """Each read has a purpose that fits the reader's role. Source: DPA 2018 s.62."""
    known = PURPOSES.get(facts.purpose)
    if known is None or facts.role not in known.roles:
        return Refusal(
            "purpose_not_allowed",
            "give a purpose that this role may have",
            {"role": facts.role.value, "purpose": facts.purpose},
        )
    return None


@refuses("not_for_this_purpose")
def purpose_opens_the_class(facts: ConsultationFacts) -> Refusal | None:
    """A purpose opens what it needs and nothing else: footage is not opened to decide an alert.

    Source: domain specification, C-01; DPA 2018 s.36 (purpose limitation).
    """
    known = PURPOSES.get(facts.purpose)
    if known is not None and facts.item_class not in known.classes:
        return Refusal(
            "not_for_this_purpose",
            "this purpose opens other classes of items",
            {"item_class": facts.item_class.value, "purpose": facts.purpose},
        )
    return None


@refuses("item_not_sealed")
def item_exists(facts: ConsultationFacts) -> Refusal | None:
    """Only what was sealed can be opened."""
    return None if facts.sealed else Refusal("item_not_sealed", "the item was never sealed")


@refuses("item_destroyed")
def item_is_not_being_destroyed(facts: ConsultationFacts) -> Refusal | None:
    """Once its destruction began, an item is not read again (level L0)."""
    if facts.destruction_started:
        return Refusal("item_destroyed", "the item was destroyed, or its destruction has begun")
    return None


@refuses("item_may_be_destroyed")
def item_is_known_to_live(facts: ConsultationFacts) -> Refusal | None:
    """What may have been destroyed in a lost part of the record is not read: it may have risen."""
    if facts.doubted and not facts.destruction_started:
        return Refusal(
            "item_may_be_destroyed",
            "the record was brought back from an older copy, and whether the item was destroyed in "
            "what is lost, nobody knows",
        )
    return None


@refuses("past_its_limit")
def item_may_still_exist(facts: ConsultationFacts) -> Refusal | None:
    """What had to be gone is not read, though nobody destroyed it yet. Source: section 4."""
    if facts.due_at < facts.at and not facts.destruction_started:
        return Refusal("past_its_limit", "it had to be gone", {"due_at": written(facts.due_at)})
    return None


@dataclass(frozen=True)
class EnrolmentFacts:
    """What the enrolment of a re-checker is judged by."""

    signs_the_log: bool
    """Whether its key signs this log, or did."""
    known_with_another_key: bool
    for_another: bool
    nodes_own: bool
    """Whether its key is the one that the node keeps for its own re-checker."""


@refuses("key_signs_the_log")
def key_is_not_the_logs(facts: EnrolmentFacts) -> Refusal | None:
    """Whoever signs the log is not another principal."""
    if facts.signs_the_log:
        return Refusal("key_signs_the_log", "give the re-checker a key of its own")
    return None


@refuses("name_is_taken")
def name_stands_for_one_key(facts: EnrolmentFacts) -> Refusal | None:
    """A re-checker's name stands for one key for ever."""
    if facts.known_with_another_key:
        return Refusal("name_is_taken", "this name stands for another key: make a new key")
    return None


@refuses("key_is_the_nodes_own")
def another_person_has_another_key(facts: EnrolmentFacts) -> Refusal | None:
    """A re-check by another person is signed with a key that the node which destroys lacks."""
    if facts.for_another and facts.nodes_own:
        return Refusal(
            "key_is_the_nodes_own",
            "this key is kept by the node that destroys: give one that only you hold",
        )
    return None


ENROLMENT_POLICIES: tuple[Policy[EnrolmentFacts], ...] = (
    key_is_not_the_logs,
    name_stands_for_one_key,
    another_person_has_another_key,
)

CONSULTATION_POLICIES: tuple[Policy[ConsultationFacts], ...] = (
    purpose_is_one_of_the_roles,
    purpose_opens_the_class,
    item_exists,
    item_is_not_being_destroyed,
    item_is_known_to_live,
    item_may_still_exist,
)

"""When an item may be opened."""

from __future__ import annotations

from dataclasses import dataclass

from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, refuses

PURPOSES: dict[str, frozenset[Role]] = {
    "adjudication": frozenset({Role.ENGAGEMENT_OFFICER, Role.OPERATOR}),
    "rehearsal-summary": frozenset({Role.SYSTEM}),
    "gallery": frozenset({Role.SYSTEM}),
}
"""Purpose code to the roles that may have it."""


@dataclass(frozen=True)
class ConsultationFacts:
    """What a consultation is judged by."""

    role: Role
    purpose: str
    sealed: bool
    destruction_started: bool


@refuses("purpose_not_allowed")
def purpose_is_one_of_the_roles(facts: ConsultationFacts) -> Refusal | None:
    """Each read has a purpose that fits the reader's role. Source: DPA 2018 s.62."""
    if facts.role not in PURPOSES.get(facts.purpose, frozenset()):
        return Refusal(
            "purpose_not_allowed",
            "give a purpose that this role may have",
            {"role": facts.role.value, "purpose": facts.purpose},
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


CONSULTATION_POLICIES: tuple[Policy[ConsultationFacts], ...] = (
    purpose_is_one_of_the_roles,
    item_exists,
    item_is_not_being_destroyed,
)

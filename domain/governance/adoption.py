"""Which requirements are in force, and when others may take their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from domain.governance.commands import AdoptRequirements
from domain.governance.events import RequirementsAdopted, RequirementsRefused
from domain.governance.requirements import SHIPPED, Requirements
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Role
from domain.kernel.references import FORCE, journal
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses

REQUIREMENTS = journal("requirements", FORCE)
"""The one stream of what a log's deployments need."""


@dataclass(frozen=True)
class AdoptionFacts:
    """What an adoption is judged by."""

    role: Role
    proposed: Requirements
    versions: frozenset[str]
    """Those that were adopted before, and the one that ships."""


@refuses("not_the_sponsor")
def sponsor_adopts(facts: AdoptionFacts) -> Refusal | None:
    """The project sponsor owns the policy. Source: domain specification, section 2 (L9)."""
    if facts.role is Role.SPONSOR:
        return None
    return Refusal("not_the_sponsor", "the project sponsor adopts", {"role": facts.role.value})


@refuses("version_not_new")
def version_is_new(facts: AdoptionFacts) -> Refusal | None:
    """A version names one content for ever."""
    if facts.proposed.version not in facts.versions:
        return None
    return Refusal(
        "version_not_new", "give a version that was not used", {"version": facts.proposed.version}
    )


@refuses("asks_for_less")
def nothing_is_dropped(facts: AdoptionFacts) -> Refusal | None:
    """A force may ask for more than statute and case law, never for less. Source: 3.2, 3.5."""
    dropped = facts.proposed.dropped_from(SHIPPED)
    if not dropped:
        return None
    return Refusal(
        "asks_for_less",
        "ask for everything that ships, and more if you like",
        {"dropped": ", ".join(dropped)},
    )


ADOPTION_POLICIES: tuple[Policy[AdoptionFacts], ...] = (
    sponsor_adopts,
    version_is_new,
    nothing_is_dropped,
)


class RequirementsRegister(Aggregate):
    """Every version of the requirements that was adopted, the one in force last."""

    KIND = "register of requirements"

    def __init__(self, stream: UUID = REQUIREMENTS) -> None:
        super().__init__(stream)
        self.adopted: list[Requirements] = []

    @property
    def in_force(self) -> Requirements:
        """The newest, or what ships."""
        return self.adopted[-1] if self.adopted else SHIPPED

    def decide_adoption(self, command: AdoptRequirements) -> Refused | None:
        """Put other requirements in force.

        Raises:
            RequirementsError: the fields are no requirements.
        """
        fields = {
            "version": command.version,
            "documents": command.documents,
            "questions": command.questions,
            "training": command.training,
            "oldest_evidence_days": command.oldest_evidence_days,
            "at_most": command.at_most,
            "at_least": command.at_least,
        }
        proposed = Requirements.adopted(**fields, where="the command")
        facts = AdoptionFacts(
            role=command.role,
            proposed=proposed,
            versions=frozenset(one.version for one in (SHIPPED, *self.adopted)),
        )
        if reasons := refusals(ADOPTION_POLICIES, facts):
            return Refused(RequirementsRefused, reasons, command, self.id)
        self.happened(RequirementsAdopted, at=command.at, **proposed.as_adopted())
        return None

    def evolve(self, event: RequirementsAdopted) -> None:
        """Take in one event."""
        match event:
            case RequirementsAdopted():
                self.adopted.append(
                    Requirements.adopted(
                        version=event.version,
                        documents=event.documents,
                        questions=event.questions,
                        training=event.training,
                        oldest_evidence_days=event.oldest_evidence_days,
                        at_most=event.at_most,
                        at_least=event.at_least,
                    )
                )
            case _:
                assert_never(event)

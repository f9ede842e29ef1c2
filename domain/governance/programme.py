"""The whole programme: going on, or paused so that nothing starts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import assert_never
from uuid import UUID

from domain.governance.commands import PauseProgramme, ResumeProgramme
from domain.governance.events import ProgrammePaused, ProgrammeRefused, ProgrammeResumed
from domain.kernel.aggregate import Aggregate
from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.references import FORCE, journal
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses

PROGRAMME = journal("programme", FORCE)
"""The one stream of whether a force's programme goes on."""


@dataclass(frozen=True)
class ProgrammeFacts:
    """What a pause or a resumption is judged by."""

    role: Role
    paused: bool
    resuming: bool
    reason: str
    evidence: Collection[str]


@refuses("not_the_sponsor")
def sponsor_pauses(facts: ProgrammeFacts) -> Refusal | None:
    """The sponsor may pause the programme, and resumes it. Source: section 2 (L9)."""
    if facts.role is Role.SPONSOR:
        return None
    return Refusal("not_the_sponsor", "the project sponsor does this", {"role": facts.role.value})


@refuses("already_paused", "not_paused")
def pause_and_resumption_alternate(facts: ProgrammeFacts) -> Refusal | None:
    """One pause at a time, and nothing to resume without one."""
    if facts.paused and not facts.resuming:
        return Refusal("already_paused", "the programme is paused")
    if facts.resuming and not facts.paused:
        return Refusal("not_paused", "the programme is not paused")
    return None


@refuses("not_a_code")
def pause_has_a_reason(facts: ProgrammeFacts) -> Refusal | None:
    """Why, as a code. Source: NEVER 5."""
    if is_code(facts.reason) and all(is_code(one) for one in facts.evidence):
        return None
    return Refusal("not_a_code", "give reason and evidence by codes")


@refuses("resumed_without_evidence")
def resumption_shows_why(facts: ProgrammeFacts) -> Refusal | None:
    """What led to the pause is shown to be gone. Source: domain specification, 3.2."""
    if not facts.resuming or facts.evidence:
        return None
    return Refusal("resumed_without_evidence", "name what shows that the reason is gone")


PROGRAMME_POLICIES: tuple[Policy[ProgrammeFacts], ...] = (
    sponsor_pauses,
    pause_and_resumption_alternate,
    pause_has_a_reason,
    resumption_shows_why,
)


class Programme(Aggregate):
    """Whether deployments may start at all."""

    KIND = "programme"

    def __init__(self, stream: UUID = PROGRAMME) -> None:
        super().__init__(stream)
        self.paused = False

    def decide_pause(self, command: PauseProgramme) -> Refused | None:
        """Let nothing start."""
        facts = ProgrammeFacts(
            role=command.role,
            paused=self.paused,
            resuming=False,
            reason=command.reason,
            evidence=(),
        )
        if reasons := refusals(PROGRAMME_POLICIES, facts):
            return Refused(ProgrammeRefused, reasons, command, self.id)
        self.happened(ProgrammePaused, at=command.at, officer=command.actor, reason=command.reason)
        return None

    def decide_resumption(self, command: ResumeProgramme) -> Refused | None:
        """Let deployments start again."""
        facts = ProgrammeFacts(
            role=command.role,
            paused=self.paused,
            resuming=True,
            reason=command.reason,
            evidence=command.evidence,
        )
        if reasons := refusals(PROGRAMME_POLICIES, facts):
            return Refused(ProgrammeRefused, reasons, command, self.id)
        self.happened(
            ProgrammeResumed,
            at=command.at,
            officer=command.actor,
            reason=command.reason,
            evidence=command.evidence,
        )
        return None

    def evolve(self, event: ProgrammePaused | ProgrammeResumed) -> None:
        """Take in one event."""
        match event:
            case ProgrammePaused():
                self.paused = True
            case ProgrammeResumed():
                self.paused = False
            case _:
                assert_never(event)

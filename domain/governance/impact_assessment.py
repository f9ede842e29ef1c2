"""The data protection impact assessment: screening, the DPO's advice, the approval of stage 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import assert_never
from uuid import UUID

from domain.governance.commands import AnswerScreening, ApproveDpia, RecordDpoAdvice
from domain.governance.days import day
from domain.governance.events import (
    DpiaApproved,
    DpiaRefused,
    DpoAdviceRecorded,
    ScreeningAnswered,
)
from domain.governance.requirements import Requirements
from domain.kernel.aggregate import Aggregate
from domain.kernel.codes import is_code
from domain.kernel.commands import Command, Role
from domain.kernel.references import FORCE, journal
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses

DPIA = journal("impact-assessment", FORCE)
"""The one stream of a force's data protection impact assessment."""
ADVICE = ("proceed", "proceed-on-conditions", "do-not-proceed")


@dataclass(frozen=True)
class ScreeningFacts:
    """What screening answers are judged by."""

    role: Role
    answered: frozenset[str]
    asked: frozenset[str]


@refuses("role_does_not_screen")
def sponsor_or_dpo_screens(facts: ScreeningFacts) -> Refusal | None:
    """The controller answers, helped by its data protection officer. Source: section 2; L14."""
    if facts.role in (Role.SPONSOR, Role.DPO):
        return None
    return Refusal(
        "role_does_not_screen",
        "the sponsor or the data protection officer answers",
        {"role": facts.role.value},
    )


@refuses("screening_incomplete")
def every_question_is_answered(facts: ScreeningFacts) -> Refusal | None:
    """All at once, so that no answer is left over from another time. Source: L111-L136."""
    if facts.answered == facts.asked:
        return None
    return Refusal(
        "screening_incomplete",
        "answer every question of the requirements in force, and no other",
        {
            "unanswered": _listed(facts.asked - facts.answered),
            "unknown": str(len(facts.answered - facts.asked)),
        },
    )


SCREENING_POLICIES: tuple[Policy[ScreeningFacts], ...] = (
    sponsor_or_dpo_screens,
    every_question_is_answered,
)


@dataclass(frozen=True)
class AdviceFacts:
    """What advice is judged by."""

    role: Role
    version: str
    advice: str


@refuses("not_the_dpo")
def dpo_advises(facts: AdviceFacts) -> Refusal | None:
    """The advice is the DPO's own; nobody else gives or edits it. Source: 3.2; L14-L15."""
    if facts.role is Role.DPO:
        return None
    return Refusal("not_the_dpo", "the data protection officer advises", {"role": facts.role.value})


@refuses("not_a_code")
def advised_version_is_a_code(facts: AdviceFacts) -> Refusal | None:
    """Which version was advised on is named by its code. Source: NEVER 5."""
    if is_code(facts.version):
        return None
    return Refusal("not_a_code", "name the version of the DPIA stage 2 by its code")


@refuses("advice_unknown")
def advice_is_plain(facts: AdviceFacts) -> Refusal | None:
    """One of three; the words stand in the document."""
    if facts.advice in ADVICE:
        return None
    return Refusal("advice_unknown", f"advise {', '.join(ADVICE)}")


ADVICE_POLICIES: tuple[Policy[AdviceFacts], ...] = (
    dpo_advises,
    advised_version_is_a_code,
    advice_is_plain,
)


@dataclass(frozen=True)
class ApprovalFacts:
    """What the approval of a DPIA stage 2 is judged by."""

    role: Role
    approver: str
    adviser: str | None
    """Who advised on this version last, if anyone did."""
    advice: str
    advice_followed: bool
    reason: str
    approved: bool
    commences_on: str


@refuses("not_the_sponsor")
def sponsor_approves(facts: ApprovalFacts) -> Refusal | None:
    """The controller's sponsor approves; who advises does not. Source: section 2 (L9, L11)."""
    if facts.role is Role.SPONSOR and facts.approver != facts.adviser:
        return None
    return Refusal(
        "not_the_sponsor",
        "the project sponsor approves, who is not the one that advised",
        {"role": facts.role.value},
    )


@refuses("advice_missing")
def advice_comes_first(facts: ApprovalFacts) -> Refusal | None:
    """No approval without the DPO's advice on this very version. Source: 3.2; DPA 2018 s.71."""
    if facts.adviser is not None:
        return None
    return Refusal("advice_missing", "have the data protection officer advise on this version")


@refuses("departure_not_reasoned")
def departure_has_a_reason(facts: ApprovalFacts) -> Refusal | None:
    """Advice may be departed from, for a reason that is on the record.

    Source: domain specification, 3.2.
    """
    if facts.advice_followed and not facts.reason:
        return None
    if not facts.advice_followed and is_code(facts.reason):
        return None
    return Refusal(
        "departure_not_reasoned",
        "give a reason, as a code, where the advice is not followed, and none where it is",
    )


@refuses("advised_against")
def approval_is_no_pretence(facts: ApprovalFacts) -> Refusal | None:
    """Advice not to proceed is not followed by an approval: whoever gives it says so. L14-L15."""
    if facts.advice == "do-not-proceed" and facts.advice_followed:
        return Refusal(
            "advised_against", "the advice was not to proceed: say that it is not followed, and why"
        )
    return None


@refuses("already_approved")
def version_is_approved_once(facts: ApprovalFacts) -> Refusal | None:
    """An approval stands; another version needs another."""
    return Refusal("already_approved", "this version is approved") if facts.approved else None


@refuses("commencement_missing")
def processing_has_a_first_day(facts: ApprovalFacts) -> Refusal | None:
    """When processing commences is part of what is approved. Source: L12; requirement 02."""
    if day(facts.commences_on) is not None:
        return None
    return Refusal("commencement_missing", "give the first day of processing as YYYY-MM-DD")


APPROVAL_POLICIES: tuple[Policy[ApprovalFacts], ...] = (
    sponsor_approves,
    advice_comes_first,
    departure_has_a_reason,
    approval_is_no_pretence,
    version_is_approved_once,
    processing_has_a_first_day,
)


class ImpactAssessment(Aggregate):
    """A force's DPIA: the newest answers, the advice on each version, what was approved."""

    KIND = "impact assessment"

    def __init__(self, stream: UUID = DPIA) -> None:
        super().__init__(stream)
        self.answers: Mapping[str, bool] = {}
        self._advice: dict[str, DpoAdviceRecorded] = {}
        """Version to the newest advice on it."""
        self._approved: dict[str, DpiaApproved] = {}

    @property
    def stage_2_demanded(self) -> bool:
        """Whether any answer is yes. Source: DPA 2018 s.64; L15, L111."""
        return any(self.answers.values())

    def unanswered(self, requirements: Requirements) -> list[str]:
        """The questions of the requirements that have no answer."""
        return [one for one in requirements.questions if one not in self.answers]

    def commencement(self, version: str) -> date | None:
        """The first day of processing that the approval of a version named, if it is approved."""
        found = self._approved.get(version)
        return date.fromisoformat(found.commences_on) if found else None

    # -- decide --------------------------------------------------------------------------------

    def decide_screening(
        self, command: AnswerScreening, requirements: Requirements
    ) -> Refused | None:
        """Take the answers."""
        facts = ScreeningFacts(
            role=command.role,
            answered=frozenset(command.answers),
            asked=frozenset(requirements.questions),
        )
        if reasons := refusals(SCREENING_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(ScreeningAnswered, at=command.at, answers=command.answers)
        return None

    def decide_advice(self, command: RecordDpoAdvice) -> Refused | None:
        """Take the DPO's advice; earlier advice stays where it is."""
        facts = AdviceFacts(role=command.role, version=command.version, advice=command.advice)
        if reasons := refusals(ADVICE_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(
            DpoAdviceRecorded,
            at=command.at,
            officer=command.actor,
            version=command.version,
            advice=command.advice,
        )
        return None

    def decide_approval(self, command: ApproveDpia) -> Refused | None:
        """Approve a version."""
        advised = self._advice.get(command.version)
        facts = ApprovalFacts(
            role=command.role,
            approver=command.actor,
            adviser=advised.officer if advised else None,
            advice=advised.advice if advised else "",
            advice_followed=command.advice_followed,
            reason=command.reason,
            approved=command.version in self._approved,
            commences_on=command.commences_on,
        )
        reasons = refusals(APPROVAL_POLICIES, facts)
        if reasons or advised is None:
            return self._refused(reasons, command)
        self.happened(
            DpiaApproved,
            at=command.at,
            officer=command.actor,
            version=command.version,
            advice=advised.advice,
            advice_followed=command.advice_followed,
            reason=command.reason,
            commences_on=command.commences_on,
        )
        return None

    def _refused(self, reasons: list[Refusal], command: Command) -> Refused:
        return Refused(DpiaRefused, reasons, command, self.id)

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: ScreeningAnswered | DpoAdviceRecorded | DpiaApproved) -> None:
        """Take in one event."""
        match event:
            case ScreeningAnswered():
                self.answers = event.answers
            case DpoAdviceRecorded():
                self._advice[event.version] = event
            case DpiaApproved():
                self._approved[event.version] = event
            case _:
                assert_never(event)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"

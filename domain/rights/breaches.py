"""One breach of personal data: 72 hours to tell the Commissioner, and the people at high risk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.codes import is_code
from domain.kernel.commands import Command, Role
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses
from domain.kernel.time import written
from domain.rights import commands as asked
from domain.rights import events as happened
from domain.rights.requests import codes

REPORTERS = frozenset(
    {Role.DPO, Role.SPONSOR, Role.INFORMATION_ASSET_OWNER, Role.AUDITOR, Role.OPERATOR}
)
"""Whoever comes upon a breach says so; only the DPO judges it."""
NOT_LIKELY = "unlikely"
HIGH = "high"


@dataclass(frozen=True)
class BreachFacts:
    """What a step of a breach is judged by."""

    role: Role
    known: bool
    reporting: bool
    closed: bool


@refuses("role_may_not_report", "not_the_dpo")
def role_fits_the_step(facts: BreachFacts) -> Refusal | None:
    """Many may report, the DPO judges and notifies. Source: section 2, 3.9."""
    if facts.reporting and facts.role not in REPORTERS:
        return Refusal(
            "role_may_not_report", "tell somebody who may report", {"role": facts.role.value}
        )
    if not facts.reporting and facts.role is not Role.DPO:
        return Refusal("not_the_dpo", "the DPO does this", {"role": facts.role.value})
    return None


@refuses("breach_known", "breach_unknown", "breach_closed")
def breach_is_open(facts: BreachFacts) -> Refusal | None:
    """Reported once, closed once. Source: DPA 2018 s.67(6)."""
    if facts.reporting:
        return Refusal("breach_known", "give a new reference") if facts.known else None
    if not facts.known:
        return Refusal("breach_unknown", "report the breach first")
    return Refusal("breach_closed", "the breach is closed") if facts.closed else None


BREACH_BASICS: tuple[Policy[BreachFacts], ...] = (role_fits_the_step, breach_is_open)


@dataclass(frozen=True)
class SaidFacts(BreachFacts):
    """What a step that says a code or a time is judged by."""

    of: str
    code: str
    at: datetime
    when: datetime


@refuses("code_unknown", "not_yet")
def breach_is_in_codes(facts: SaidFacts) -> Refusal | None:
    """Codes of the closed lists; and nothing that is still to come. Source: NEVER 5."""
    if facts.of and not codes().has(facts.of, facts.code):
        return Refusal("code_unknown", f"expected one of {', '.join(codes().codes[facts.of])}")
    if facts.when > facts.at:
        return Refusal(
            "not_yet",
            "say so once it is so",
            {"at": written(facts.at), "when": written(facts.when)},
        )
    return None


SAID_POLICIES: tuple[Policy[SaidFacts], ...] = (*BREACH_BASICS, breach_is_in_codes)


@dataclass(frozen=True)
class NotificationFacts(SaidFacts):
    """What the Commissioner's notification is judged by."""

    notified: bool
    notify_by: datetime | None
    reason_for_delay: str


@refuses("already_notified", "delay_not_explained")
def late_notice_is_explained(facts: NotificationFacts) -> Refusal | None:
    """Within 72 hours where feasible; later, with the reasons for the delay.

    Source: DPA 2018 s.67(1), (2).
    """
    if facts.notified:
        return Refusal("already_notified", "the Commissioner was told")
    by = facts.notify_by
    if by is None or facts.when <= by or is_code(facts.reason_for_delay):
        return None
    return Refusal(
        "delay_not_explained",
        "say by a code why the Commissioner is told so late",
        {"by": written(by), "when": written(facts.when)},
    )


NOTIFICATION_POLICIES: tuple[Policy[NotificationFacts], ...] = (
    *SAID_POLICIES,
    late_notice_is_explained,
)


@dataclass(frozen=True)
class EndFacts(BreachFacts):
    """What the end of a breach is judged by."""

    risk: str
    commissioner_told: bool
    people_told: bool


@refuses("not_assessed", "commissioner_not_told", "people_not_told")
def whoever_must_know_knows(facts: EndFacts) -> Refusal | None:
    """The Commissioner unless risk is unlikely, and the people where it is high.

    Source: DPA 2018 s.67(1), s.68(1).
    """
    if not facts.risk:
        return Refusal("not_assessed", "assess the risk first")
    if facts.risk != NOT_LIKELY and not facts.commissioner_told:
        return Refusal("commissioner_not_told", "tell the Commissioner first")
    if facts.risk == HIGH and not facts.people_told:
        return Refusal("people_not_told", "tell the people concerned first")
    return None


END_POLICIES: tuple[Policy[EndFacts], ...] = (*BREACH_BASICS, whoever_must_know_knows)


class Breach(Aggregate):
    """One breach, with its clock."""

    KIND = "breach"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.notify_by: datetime | None = None
        self.risk = ""
        self.commissioner_told = False
        self.people_told = False
        self.closed = False

    def decide_report(self, command: asked.ReportBreach, *, within: timedelta) -> Refused | None:
        """Take a breach down; its clock runs from when the force knew."""
        facts = SaidFacts(
            **self._basis(command, reporting=True),
            of="breach",
            code=command.kind,
            at=command.at,
            when=command.aware_at,
        )
        if reasons := refusals(SAID_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(
            happened.BreachReported,
            at=command.at,
            reporter=command.actor,
            kind=command.kind,
            aware_at=command.aware_at,
            notify_by=command.aware_at + within,
            codes=codes().version,
        )
        return None

    def decide_assessment(self, command: asked.AssessBreach) -> Refused | None:
        """Take the DPO's judgement of the risk."""
        facts = SaidFacts(
            **self._basis(command), of="risk", code=command.risk, at=command.at, when=command.at
        )
        if reasons := refusals(SAID_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(
            happened.BreachAssessed, at=command.at, officer=command.actor, risk=command.risk
        )
        return None

    def decide_notification(self, command: asked.NotifyCommissioner) -> Refused | None:
        """Take down that the Commissioner was told, late or not."""
        facts = NotificationFacts(
            **self._basis(command),
            of="",
            code="",
            at=command.at,
            when=command.notified_at,
            notified=self.commissioner_told,
            notify_by=self.notify_by,
            reason_for_delay=command.reason_for_delay,
        )
        if reasons := refusals(NOTIFICATION_POLICIES, facts):
            return self._refused(reasons, command)
        late = self.notify_by is not None and command.notified_at > self.notify_by
        self.happened(
            happened.CommissionerNotified,
            at=command.at,
            officer=command.actor,
            notified_at=command.notified_at,
            late=late,
            reason_for_delay=command.reason_for_delay if late else "",
        )
        return None

    def decide_telling_people(self, command: asked.NotifyPeople) -> Refused | None:
        """Take down that the people concerned were told."""
        if reasons := refusals(BREACH_BASICS, BreachFacts(**self._basis(command))):
            return self._refused(reasons, command)
        self.happened(happened.PeopleNotified, at=command.at, officer=command.actor)
        return None

    def decide_end(self, command: asked.CloseBreach) -> Refused | None:
        """Close it, once whoever must know knows."""
        facts = EndFacts(
            **self._basis(command),
            risk=self.risk,
            commissioner_told=self.commissioner_told,
            people_told=self.people_told,
        )
        if reasons := refusals(END_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(happened.BreachClosed, at=command.at, officer=command.actor)
        return None

    def _basis(self, command: Command, *, reporting: bool = False) -> dict[str, Any]:
        return {
            "role": command.role,
            "known": self.version > 0,
            "reporting": reporting,
            "closed": self.closed,
        }

    def _refused(self, reasons: list[Refusal], command: asked.OnBreach) -> Refused:
        return Refused(happened.BreachStepRefused, reasons, command, command.breach)

    def evolve(self, event: happened.BreachEvent) -> None:
        """Take in one event."""
        match event:
            case happened.BreachReported():
                self.notify_by = event.notify_by
            case happened.BreachAssessed():
                self.risk = event.risk
            case happened.CommissionerNotified():
                self.commissioner_told = True
            case happened.PeopleNotified():
                self.people_told = True
            case happened.BreachClosed():
                self.closed = True
            case _:
                assert_never(event)

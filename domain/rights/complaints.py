"""One complaint: what about, how long footage still lives, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses
from domain.kernel.time import written
from domain.rights import commands as asked
from domain.rights import events as happened
from domain.rights.requests import HANDLERS, codes


@dataclass(frozen=True)
class ComplaintFacts:
    """What a step of a complaint is judged by."""

    role: Role
    received: bool
    closed: bool
    receiving: bool
    of: str
    code: str
    at: datetime
    received_at: datetime


@refuses("role_may_not_handle")
def officer_handles_complaints(facts: ComplaintFacts) -> Refusal | None:
    """The DPO or a disclosure officer. Source: domain specification, section 2 and 3.9."""
    if facts.role in HANDLERS:
        return None
    return Refusal(
        "role_may_not_handle",
        "the DPO or a disclosure officer deals with complaints",
        {"role": facts.role.value},
    )


@refuses("complaint_known", "complaint_unknown", "complaint_closed")
def complaint_is_open(facts: ComplaintFacts) -> Refusal | None:
    """Received once, closed once. Source: domain specification, 3.9."""
    if facts.receiving:
        return Refusal("complaint_known", "give a new reference") if facts.received else None
    if not facts.received:
        return Refusal("complaint_unknown", "take the complaint down first")
    return Refusal("complaint_closed", "the complaint is closed") if facts.closed else None


@refuses("code_unknown", "received_later")
def complaint_is_in_codes(facts: ComplaintFacts) -> Refusal | None:
    """Codes of the closed lists, never words; and nothing comes from the future. Source: 3.12."""
    if not codes().has(facts.of, facts.code):
        return Refusal("code_unknown", f"expected one of {', '.join(codes().codes[facts.of])}")
    if facts.received_at > facts.at:
        return Refusal(
            "received_later",
            "take it down once it is received",
            {"at": written(facts.at), "received_at": written(facts.received_at)},
        )
    return None


COMPLAINT_POLICIES: tuple[Policy[ComplaintFacts], ...] = (
    officer_handles_complaints,
    complaint_is_open,
    complaint_is_in_codes,
)


class Complaint(Aggregate):
    """One complaint."""

    KIND = "complaint"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.closed = False

    def decide_receipt(
        self, command: asked.ReceiveComplaint, *, segments: int, first_gone_at: datetime | None
    ) -> Refused | None:
        """Take a complaint down, with how long footage still lives."""
        facts = ComplaintFacts(
            role=command.role,
            received=self.version > 0,
            closed=self.closed,
            receiving=True,
            of="complaint",
            code=command.about,
            at=command.at,
            received_at=command.received_at,
        )
        if reasons := refusals(COMPLAINT_POLICIES, facts):
            return Refused(happened.ComplaintStepRefused, reasons, command, command.complaint)
        self.happened(
            happened.ComplaintReceived,
            at=command.at,
            about=command.about,
            deployment=command.where,
            received_at=command.received_at,
            segments=segments,
            first_gone_at=first_gone_at,
            codes=codes().version,
        )
        return None

    def decide_closing(self, command: asked.CloseComplaint) -> Refused | None:
        """Take down what came of it."""
        facts = ComplaintFacts(
            role=command.role,
            received=self.version > 0,
            closed=self.closed,
            receiving=False,
            of="closing",
            code=command.closing,
            at=command.at,
            received_at=command.at,
        )
        if reasons := refusals(COMPLAINT_POLICIES, facts):
            return Refused(happened.ComplaintStepRefused, reasons, command, command.complaint)
        self.happened(
            happened.ComplaintClosed,
            at=command.at,
            officer=command.actor,
            closing=command.closing,
        )
        return None

    def evolve(self, event: happened.ComplaintEvent) -> None:
        """Take in one event."""
        match event:
            case happened.ComplaintReceived():
                pass
            case happened.ComplaintClosed():
                self.closed = True
            case _:
                assert_never(event)

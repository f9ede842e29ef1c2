"""One request of a data subject: from its receipt to its answer, and no search by face."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.closed_lists import ClosedLists, closed_lists
from domain.kernel.commands import Command, Role
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses
from domain.kernel.time import written
from domain.rights import commands as asked
from domain.rights import events as happened

HANDLERS = frozenset({Role.DPO, Role.DISCLOSURE_OFFICER})
"""Who deals with requests and complaints. Source: domain specification, section 2."""
SEARCHES = frozenset({"time-and-place", "case-file"})
LONGEST_SEARCH = timedelta(hours=24)
REVEALING = frozenset({"granted", "refused", "restricted-instead"})
"""Answers that say what was done; of access none of them may be said."""


def codes() -> ClosedLists:
    """The closed lists of requests, complaints and breaches."""
    return closed_lists("domain.rights", "closed_lists.toml")


@dataclass(frozen=True)
class RequestFacts:
    """What a step of a request is judged by."""

    role: Role
    received: bool
    answered: bool
    receiving: bool


@refuses("role_may_not_handle")
def officer_handles_requests(facts: RequestFacts) -> Refusal | None:
    """The DPO or a disclosure officer. Source: domain specification, section 2."""
    if facts.role in HANDLERS:
        return None
    return Refusal(
        "role_may_not_handle",
        "the DPO or a disclosure officer deals with requests",
        {"role": facts.role.value},
    )


@refuses("request_known", "request_unknown", "already_answered")
def request_is_open(facts: RequestFacts) -> Refusal | None:
    """Received once, answered once, and nothing after that. Source: DPA 2018 s.48, s.54."""
    if facts.receiving:
        return Refusal("request_known", "give a new reference") if facts.received else None
    if not facts.received:
        return Refusal("request_unknown", "take the request down first")
    if facts.answered:
        return Refusal("already_answered", "the request was answered")
    return None


BASIC: tuple[Policy[RequestFacts], ...] = (officer_handles_requests, request_is_open)


@dataclass(frozen=True)
class CodeFacts(RequestFacts):
    """What a step that says a code is judged by."""

    of: str
    code: str


@refuses("code_unknown")
def code_is_known(facts: CodeFacts) -> Refusal | None:
    """Codes of the closed lists, never words. Source: NEVER 5; domain specification, 3.12."""
    if codes().has(facts.of, facts.code):
        return None
    return Refusal(
        "code_unknown", f"{facts.of}: expected one of {', '.join(codes().codes[facts.of])}"
    )


CODE_POLICIES: tuple[Policy[CodeFacts], ...] = (*BASIC, code_is_known)


@dataclass(frozen=True)
class ReceiptFacts(CodeFacts):
    """What the receipt of a request is judged by."""

    asker: str
    at: datetime
    received_at: datetime


@refuses("asker_unknown", "received_later")
def receipt_is_as_it_must_be(facts: ReceiptFacts) -> Refusal | None:
    """A kind of person, never who; and nothing is received in the future. Source: 3.12."""
    if not codes().has("asker", facts.asker):
        return Refusal(
            "asker_unknown", f"expected one of {', '.join(codes().codes['asker'])}, never a name"
        )
    if facts.received_at > facts.at:
        return Refusal(
            "received_later",
            "take it down once it is received",
            {"at": written(facts.at), "received_at": written(facts.received_at)},
        )
    return None


RECEIPT_POLICIES: tuple[Policy[ReceiptFacts], ...] = (*CODE_POLICIES, receipt_is_as_it_must_be)


@dataclass(frozen=True)
class SearchFacts(RequestFacts):
    """What a search is judged by."""

    how: str
    since: datetime
    until: datetime


@refuses("no_search_by_face")
def nobody_is_searched_by_face(facts: SearchFacts) -> Refusal | None:
    """A search by face would be new biometric processing of everybody who passed.

    Source: domain specification, 3.9 (access, passer-by); DPA 2018 s.35(5).
    """
    if facts.how in SEARCHES:
        return None
    return Refusal(
        "no_search_by_face",
        "footage is searched by time and place, never by face: ask when and where the person was",
    )


@refuses("search_too_wide")
def search_is_narrow(facts: SearchFacts) -> Refusal | None:
    """A few hours at one place, so that looking for one does not become watching all."""
    if timedelta() < facts.until - facts.since <= LONGEST_SEARCH:
        return None
    return Refusal(
        "search_too_wide",
        "ask for at most 24 hours",
        {"since": written(facts.since), "until": written(facts.until)},
    )


SEARCH_POLICIES: tuple[Policy[SearchFacts], ...] = (
    *BASIC,
    nobody_is_searched_by_face,
    search_is_narrow,
)


@dataclass(frozen=True)
class AnswerFacts(CodeFacts):
    """What an answer is judged by."""

    right: str
    verified: bool
    searched: bool
    ground: str
    told_of_remedies: bool


@refuses("answer_reveals")
def access_is_answered_without_telling_what(facts: AnswerFacts) -> Refusal | None:
    """That somebody was or was not listed is never in an event. Source: 3.12."""
    if facts.right != "access" or facts.code not in REVEALING:
        return None
    return Refusal("answer_reveals", "of access the record says only that a reply was sent")


@refuses("identity_not_verified")
def who_asks_is_known(facts: AnswerFacts) -> Refusal | None:
    """Nothing is given to, or done for, somebody who is not who they say. Source: s.52(4)."""
    if facts.verified or facts.code == "refused":
        return None
    return Refusal("identity_not_verified", "verify who asks first")


@refuses("not_searched")
def something_was_looked_for(facts: AnswerFacts) -> Refusal | None:
    """An answer rests on a search, or on a ground to restrict it. Source: DPA 2018 s.45."""
    if facts.right != "access" or facts.searched or facts.ground:
        return None
    return Refusal("not_searched", "search by time and place, or say why the answer is restricted")


@refuses("not_told_of_remedies")
def person_knows_where_to_turn(facts: AnswerFacts) -> Refusal | None:
    """Told of the Commissioner and the courts, unless that would give the ground away.

    Source: DPA 2018 s.45(5)-(6), s.48(1).
    """
    if facts.told_of_remedies or facts.ground:
        return None
    return Refusal("not_told_of_remedies", "tell the person of the Commissioner and the courts")


ANSWER_POLICIES: tuple[Policy[AnswerFacts], ...] = (
    *CODE_POLICIES,
    access_is_answered_without_telling_what,
    who_asks_is_known,
    something_was_looked_for,
    person_knows_where_to_turn,
)


class Request(Aggregate):
    """One request, with its clock."""

    KIND = "request"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.right = ""
        self.answer_by: datetime | None = None
        self.verified = False
        self.searched = False
        self.ground = ""
        self.answered_at: datetime | None = None

    def decide_receipt(self, command: asked.ReceiveRequest, *, within: timedelta) -> Refused | None:
        """Take a request down; its clock runs from its receipt."""
        facts = ReceiptFacts(
            **self._basis(command, receiving=True),
            of="right",
            code=command.right,
            asker=command.asker,
            at=command.at,
            received_at=command.received_at,
        )
        if reasons := refusals(RECEIPT_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(
            happened.RequestReceived,
            at=command.at,
            right=command.right,
            asker=command.asker,
            received_at=command.received_at,
            answer_by=command.received_at + within,
            codes=codes().version,
        )
        return None

    def decide_identity(self, command: asked.VerifyIdentity) -> Refused | None:
        """Take down that it is known who asks."""
        facts = CodeFacts(**self._basis(command), of="method", code=command.method)
        if reasons := refusals(CODE_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(
            happened.IdentityVerified, at=command.at, officer=command.actor, method=command.method
        )
        return None

    def decide_search(
        self, command: asked.SearchForRequest, *, segments: int, first_gone_at: datetime | None
    ) -> Refused | None:
        """Take down a search, with how much footage there was and until when."""
        facts = SearchFacts(
            **self._basis(command), how=command.how, since=command.since, until=command.until
        )
        if reasons := refusals(SEARCH_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(
            happened.Searched,
            at=command.at,
            officer=command.actor,
            deployment=command.where,
            how=command.how,
            since=command.since,
            until=command.until,
            segments=segments,
            first_gone_at=first_gone_at,
        )
        return None

    def decide_restriction(self, command: asked.RestrictAnswer) -> Refused | None:
        """Take down on which ground something is left out."""
        facts = CodeFacts(**self._basis(command), of="restriction-ground", code=command.ground)
        if reasons := refusals(CODE_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(
            happened.AnswerRestricted, at=command.at, officer=command.actor, ground=command.ground
        )
        return None

    def decide_answer(self, command: asked.AnswerRequest) -> Refused | None:
        """Take down that an answer was sent."""
        facts = AnswerFacts(
            **self._basis(command),
            of="answer",
            code=command.answer,
            right=self.right,
            verified=self.verified,
            searched=self.searched,
            ground=self.ground,
            told_of_remedies=command.told_of_remedies,
        )
        if reasons := refusals(ANSWER_POLICIES, facts):
            return self._refused(reasons, command)
        self.happened(
            happened.RequestAnswered,
            at=command.at,
            officer=command.actor,
            answer=command.answer,
            told_of_remedies=command.told_of_remedies,
        )
        return None

    def _basis(self, command: Command, *, receiving: bool = False) -> dict[str, Any]:
        return {
            "role": command.role,
            "received": self.version > 0,
            "answered": self.answered_at is not None,
            "receiving": receiving,
        }

    def _refused(self, reasons: list[Refusal], command: asked.OnRequest) -> Refused:
        return Refused(happened.RequestStepRefused, reasons, command, command.request)

    def evolve(self, event: happened.RequestEvent) -> None:
        """Take in one event."""
        match event:
            case happened.RequestReceived():
                self.right, self.answer_by = event.right, event.answer_by
            case happened.IdentityVerified():
                self.verified = True
            case happened.Searched():
                self.searched = True
            case happened.AnswerRestricted():
                self.ground = event.ground
            case happened.RequestAnswered():
                self.answered_at = event.timestamp
            case _:
                assert_never(event)

"""Requests, complaints and breaches: their clocks, and what the record never says of anybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest

from domain.governance.requirements import SHIPPED
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.refusals import Refused
from domain.rights import commands as asked
from domain.rights import events as said
from domain.rights.breaches import REPORTERS, Breach
from domain.rights.complaints import Complaint
from domain.rights.requests import HANDLERS, Request, codes
from tests.support import builders as a
from tests.support.builders import Fact
from tests.support.scenarios import given, given_no, happened, refused

A = TypeVar("A", bound=Aggregate)
DPO = "staff:dpo"
MONTH = timedelta(days=30)
THREE_DAYS = timedelta(hours=72)
CODES = codes().version
NOT_HANDLING = [one for one in Role if one not in HANDLERS]


def command(of: type[Command], **changes: Any) -> Any:
    """By the DPO, where the test does not say otherwise."""
    who = {"actor": DPO, "role": Role.DPO}
    by: dict[str, Any] = {"scope": "force", "mode": Mode.REHEARSAL, "at": a.AT, **who}
    ids: dict[str, Any] = {"request": a.REQUEST, "complaint": a.COMPLAINT, "breach": a.BREACH}
    known = {name for one in of.__mro__ for name in getattr(one, "__annotations__", {})}
    return of(**(by | {name: one for name, one in ids.items() if name in known} | changes))


def fact(of: type[A], event: type[Any], /, **fields: Any) -> Fact[A]:
    return Fact(of, event, fields)


# -- requests ----------------------------------------------------------------------------------


def receive(**changes: Any) -> Callable[[Request], Refused | None]:
    fields: dict[str, Any] = {"right": "access", "asker": "passer-by", "received_at": a.AT - a.DAY}
    wanted = command(asked.ReceiveRequest, **(fields | changes))
    return lambda one: one.decide_receipt(wanted, within=MONTH)


def search(
    segments: int = 0, gone: datetime | None = None, **changes: Any
) -> Callable[[Request], Refused | None]:
    span: dict[str, Any] = {"since": a.AT - a.DAY, "until": a.AT - a.DAY / 2}
    wanted = command(
        asked.SearchForRequest,
        **({"where": a.DEPLOYMENT, "how": "time-and-place"} | span | changes),
    )
    return lambda one: one.decide_search(wanted, segments=segments, first_gone_at=gone)


def identify(**changes: Any) -> Callable[[Request], Refused | None]:
    wanted = command(asked.VerifyIdentity, **({"method": "documents"} | changes))
    return lambda one: one.decide_identity(wanted)


def restrict(**changes: Any) -> Callable[[Request], Refused | None]:
    wanted = command(asked.RestrictAnswer, **({"ground": "inquiry"} | changes))
    return lambda one: one.decide_restriction(wanted)


def answer(**changes: Any) -> Callable[[Request], Refused | None]:
    fields: dict[str, Any] = {"answer": "replied", "told_of_remedies": True}
    wanted = command(asked.AnswerRequest, **(fields | changes))
    return lambda one: one.decide_answer(wanted)


def received(**changes: Any) -> Fact[Request]:
    fields: dict[str, Any] = {
        "right": "access",
        "asker": "passer-by",
        "received_at": a.AT - a.DAY,
        "answer_by": a.AT - a.DAY + MONTH,
        "codes": CODES,
    }
    return fact(Request, said.RequestReceived, **(fields | changes))


VERIFIED = fact(Request, said.IdentityVerified, officer=DPO, method="documents")
SEARCHED = fact(
    Request,
    said.Searched,
    officer=DPO,
    deployment=a.DEPLOYMENT,
    how="time-and-place",
    since=a.AT - a.DAY,
    until=a.AT - a.DAY / 2,
    segments=3,
    first_gone_at=a.AT + a.DAY,
)
RESTRICTED = fact(Request, said.AnswerRestricted, officer=DPO, ground="inquiry")
ANSWERED = fact(Request, said.RequestAnswered, officer=DPO, answer="replied", told_of_remedies=True)


def test_a_request_starts_its_clock_when_it_was_received() -> None:
    given_no(Request).when(receive()).then(happened(received()))


def test_the_clocks_are_the_statutes() -> None:
    assert SHIPPED.limit("rights_answer_days") <= 31
    assert SHIPPED.limit("breach_notice_hours") == 72


def test_a_passer_by_is_offered_a_search_by_time_and_place() -> None:
    given(received()).when(search(segments=3, gone=a.AT + a.DAY)).then(happened(SEARCHED))


@pytest.mark.parametrize("how", ["face", "by-face", "image", ""])
def test_nobody_is_ever_searched_by_face(how: str) -> None:
    given(received()).when(search(how=how)).then(
        refused("no_search_by_face", kept_as="rights.step_refused")
    )


@pytest.mark.parametrize("span", [timedelta(), -a.DAY, a.DAY + timedelta(seconds=1)])
def test_a_search_is_narrow(span: timedelta) -> None:
    given(received()).when(search(since=a.AT - a.DAY, until=a.AT - a.DAY + span)).then(
        refused("search_too_wide")
    )


def test_an_answer_is_sent_once_somebody_was_identified_and_something_looked_for() -> None:
    given(received(), VERIFIED, SEARCHED).when(answer()).then(happened(ANSWERED))
    given(received(), SEARCHED).when(answer()).then(refused("identity_not_verified"))
    given(received(), VERIFIED).when(answer()).then(refused("not_searched"))
    given(received(), VERIFIED, SEARCHED).when(answer(told_of_remedies=False)).then(
        refused("not_told_of_remedies")
    )


def test_neither_confirming_nor_denying_rests_on_a_ground() -> None:
    told = fact(
        Request, said.RequestAnswered, officer=DPO, answer="replied", told_of_remedies=False
    )
    given(received(), VERIFIED, RESTRICTED).when(answer(told_of_remedies=False)).then(
        happened(told)
    )


@pytest.mark.parametrize("revealing", ["granted", "refused", "restricted-instead"])
def test_of_access_the_record_never_says_what_the_answer_was(revealing: str) -> None:
    given(received(), VERIFIED, SEARCHED).when(answer(answer=revealing)).then(
        refused("answer_reveals")
    )
    erasure = received(right="erasure")
    done = fact(Request, said.RequestAnswered, officer=DPO, answer=revealing, told_of_remedies=True)
    given(erasure, VERIFIED).when(answer(answer=revealing)).then(happened(done))


@pytest.mark.parametrize(
    ("ask", "codes"),
    [
        (receive(right="anything"), ["code_unknown"]),
        (receive(asker="Mr Example"), ["asker_unknown"]),
        (receive(received_at=a.AT + a.DAY), ["received_later"]),
        (identify(), ["request_unknown"]),
        (answer(), ["request_unknown", "identity_not_verified"]),
    ],
)
def test_what_is_not_as_it_must_be_is_refused(
    ask: Callable[[Request], Refused | None], codes: list[str]
) -> None:
    given_no(Request).when(ask).then(refused(*codes, kept_as="rights.step_refused"))


def test_steps_of_a_request_say_codes_and_end_with_the_answer() -> None:
    given(received()).when(identify()).then(happened(VERIFIED))
    given(received()).when(identify(method="a look")).then(refused("code_unknown"))
    given(received()).when(restrict()).then(happened(RESTRICTED))
    given(received()).when(restrict(ground="because")).then(refused("code_unknown"))
    over = (received(), VERIFIED, SEARCHED, ANSWERED)
    for ask in (identify(), search(), restrict(), answer()):
        given(*over).when(ask).then(refused("already_answered"))
    given(received()).when(receive()).then(refused("request_known"))


@pytest.mark.parametrize("role", NOT_HANDLING)
def test_nobody_else_deals_with_requests_or_complaints(role: Role) -> None:
    given_no(Request).when(receive(role=role)).then(refused("role_may_not_handle"))
    given(received()).when(search(role=role)).then(refused("role_may_not_handle"))
    given_no(Complaint).when(complain(role=role)).then(refused("role_may_not_handle"))


# -- complaints --------------------------------------------------------------------------------


def complain(
    segments: int = 0, gone: datetime | None = None, **changes: Any
) -> Callable[[Complaint], Refused | None]:
    fields: dict[str, Any] = {"about": "stop", "where": a.DEPLOYMENT, "received_at": a.AT}
    wanted = command(asked.ReceiveComplaint, **(fields | changes))
    return lambda one: one.decide_receipt(wanted, segments=segments, first_gone_at=gone)


def close(**changes: Any) -> Callable[[Complaint], Refused | None]:
    wanted = command(asked.CloseComplaint, **({"closing": "upheld"} | changes))
    return lambda one: one.decide_closing(wanted)


def complained(segments: int = 0, gone: datetime | None = None) -> Fact[Complaint]:
    return fact(
        Complaint,
        said.ComplaintReceived,
        about="stop",
        deployment=a.DEPLOYMENT,
        received_at=a.AT,
        segments=segments,
        first_gone_at=gone,
        codes=CODES,
    )


CLOSED = fact(Complaint, said.ComplaintClosed, officer=DPO, closing="upheld")


def test_a_complaint_says_how_long_footage_still_lives() -> None:
    gone = a.AT + 3 * a.DAY
    given_no(Complaint).when(complain(2, gone)).then(happened(complained(2, gone)))


def test_a_complaint_is_closed_once_by_a_code() -> None:
    given(complained()).when(close()).then(happened(CLOSED))
    given(complained()).when(close(closing="forgotten")).then(refused("code_unknown"))
    given(complained(), CLOSED).when(close()).then(refused("complaint_closed"))
    given_no(Complaint).when(close()).then(
        refused("complaint_unknown", kept_as="complaint.step_refused")
    )
    given(complained()).when(complain()).then(refused("complaint_known"))
    given_no(Complaint).when(complain(about="A long story")).then(refused("code_unknown"))
    given_no(Complaint).when(complain(received_at=a.AT + a.DAY)).then(refused("received_later"))


# -- breaches ----------------------------------------------------------------------------------


def report(**changes: Any) -> Callable[[Breach], Refused | None]:
    wanted = command(asked.ReportBreach, **({"kind": "list-lost", "aware_at": a.AT} | changes))
    return lambda one: one.decide_report(wanted, within=THREE_DAYS)


def assess(**changes: Any) -> Callable[[Breach], Refused | None]:
    wanted = command(asked.AssessBreach, **({"risk": "high"} | changes))
    return lambda one: one.decide_assessment(wanted)


def notify(**changes: Any) -> Callable[[Breach], Refused | None]:
    fields: dict[str, Any] = {"notified_at": a.AT, "reason_for_delay": ""}
    wanted = command(asked.NotifyCommissioner, **(fields | changes))
    return lambda one: one.decide_notification(wanted)


def tell_people(**changes: Any) -> Callable[[Breach], Refused | None]:
    wanted = command(asked.NotifyPeople, **changes)
    return lambda one: one.decide_telling_people(wanted)


def end(**changes: Any) -> Callable[[Breach], Refused | None]:
    wanted = command(asked.CloseBreach, **changes)
    return lambda one: one.decide_end(wanted)


def reported() -> Fact[Breach]:
    return fact(
        Breach,
        said.BreachReported,
        reporter=DPO,
        kind="list-lost",
        aware_at=a.AT,
        notify_by=a.AT + THREE_DAYS,
        codes=CODES,
    )


def assessed(risk: str = "high") -> Fact[Breach]:
    return fact(Breach, said.BreachAssessed, officer=DPO, risk=risk)


def notified(at: datetime = a.AT, *, late: bool = False, why: str = "") -> Fact[Breach]:
    return fact(
        Breach,
        said.CommissionerNotified,
        officer=DPO,
        notified_at=at,
        late=late,
        reason_for_delay=why,
    )


PEOPLE_TOLD = fact(Breach, said.PeopleNotified, officer=DPO)
ENDED = fact(Breach, said.BreachClosed, officer=DPO)


def test_a_breach_starts_its_clock_when_the_force_knew() -> None:
    given_no(Breach).when(report()).then(happened(reported()))
    given_no(Breach).when(report(kind="other")).then(refused("code_unknown"))
    given_no(Breach).when(report(aware_at=a.AT + a.DAY)).then(refused("not_yet"))
    given(reported()).when(report()).then(refused("breach_known", kept_as="breach.step_refused"))


def test_the_commissioner_is_told_in_time_or_the_delay_is_explained() -> None:
    in_time, late = a.AT + THREE_DAYS, a.AT + THREE_DAYS + timedelta(seconds=1)
    given(reported()).when(notify(at=late, notified_at=in_time)).then(
        happened(Fact(Breach, *_placed(notified(in_time)), at=late))
    )
    given(reported()).when(notify(at=late, notified_at=late)).then(refused("delay_not_explained"))
    explained = notify(at=late, notified_at=late, reason_for_delay="scale-unclear")
    told = notified(late, late=True, why="scale-unclear")
    given(reported()).when(explained).then(happened(Fact(Breach, *_placed(told), at=late)))
    given(reported(), notified()).when(notify()).then(refused("already_notified"))


def _placed(one: Fact[Breach]) -> tuple[type[Any], Any]:
    return one.event, one.fields


def test_a_breach_ends_once_whoever_must_know_knows() -> None:
    given(reported()).when(end()).then(refused("not_assessed"))
    given(reported(), assessed()).when(end()).then(refused("commissioner_not_told"))
    given(reported(), assessed(), notified()).when(end()).then(refused("people_not_told"))
    given(reported(), assessed(), notified(), PEOPLE_TOLD).when(end()).then(happened(ENDED))
    given(reported(), assessed("risk"), notified()).when(end()).then(happened(ENDED))
    given(reported(), assessed("unlikely")).when(end()).then(happened(ENDED))


def test_steps_of_a_breach_are_the_dpos() -> None:
    for role in (one for one in Role if one is not Role.DPO):
        for ask in (assess(role=role), notify(role=role), tell_people(role=role), end(role=role)):
            answer = given(reported()).when(ask).answer
            assert answer is not None and "not_the_dpo" in answer.codes
        answer = given_no(Breach).when(report(role=role)).answer
        assert (answer is None) == (role in REPORTERS)


def test_nothing_follows_the_end_of_a_breach_or_comes_before_its_report() -> None:
    over = (reported(), assessed("unlikely"), ENDED)
    for ask in (assess(), notify(), tell_people(), end()):
        given(*over).when(ask).then(refused("breach_closed"))
    given_no(Breach).when(assess()).then(refused("breach_unknown"))
    given(reported()).when(assess(risk="some")).then(refused("code_unknown"))
    given(reported()).when(tell_people()).then(happened(PEOPLE_TOLD))

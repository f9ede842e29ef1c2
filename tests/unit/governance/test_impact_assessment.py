"""The DPIA: every question answered, advice that is the DPO's own, an approval that rests on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest

from domain.governance.commands import AnswerScreening, ApproveDpia, RecordDpoAdvice
from domain.governance.events import DpiaApproved, DpoAdviceRecorded, ScreeningAnswered
from domain.governance.impact_assessment import ADVICE, ImpactAssessment
from domain.governance.requirements import SHIPPED
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from tests.support.builders import AT, Fact
from tests.support.governed import DPO, SPONSOR, to
from tests.support.scenarios import given, given_no, happened, refused

Ask = Callable[[ImpactAssessment], Refused | None]

NO_TO_ALL = dict.fromkeys(SHIPPED.questions, False)
APPROVAL = {
    "version": "2.0",
    "advice_followed": True,
    "reason": "",
    "commences_on": "2026-12-01",
}


def screen(role: Role = Role.DPO, yes_to: Sequence[str] = ()) -> Ask:
    """Ask for the answers to be taken: no, where none is named."""
    command = to(
        AnswerScreening,
        at=AT,
        mode=Mode.REHEARSAL,
        role=role,
        answers=NO_TO_ALL | dict.fromkeys(yes_to, True),
    )
    return lambda one: one.decide_screening(command, SHIPPED)


def advise(advice: str = "proceed", role: Role = Role.DPO, **changes: Any) -> Ask:
    """Ask for advice on version 2.0 to be taken."""
    fields = {"actor": DPO, "version": "2.0", "advice": advice} | changes
    command = to(RecordDpoAdvice, at=AT, mode=Mode.REHEARSAL, role=role, **fields)
    return lambda one: one.decide_advice(command)


def approve(role: Role = Role.SPONSOR, **changes: Any) -> Ask:
    """Ask for the approval of version 2.0, as changed."""
    command = to(ApproveDpia, at=AT, mode=Mode.REHEARSAL, role=role, **(APPROVAL | changes))
    return lambda one: one.decide_approval(command)


def advised(advice: str = "proceed", officer: str = DPO) -> Fact[ImpactAssessment]:
    """The DPO advised on version 2.0."""
    fields = {"officer": officer, "version": "2.0", "advice": advice}
    return Fact(ImpactAssessment, DpoAdviceRecorded, fields)


def approved(advice: str = "proceed", **changes: Any) -> Fact[ImpactAssessment]:
    """Version 2.0 was approved."""
    fields = {"officer": SPONSOR, "advice": advice} | APPROVAL | changes
    return Fact(ImpactAssessment, DpiaApproved, fields)


# -- screening ---------------------------------------------------------------------------------


def test_answers_are_recorded_all_at_once() -> None:
    answers = NO_TO_ALL | {"5.3": True}
    (
        given_no(ImpactAssessment)
        .when(screen(yes_to=["5.3"]))
        .then(happened(Fact(ImpactAssessment, ScreeningAnswered, {"answers": answers})))
    )


@pytest.mark.parametrize("question", SHIPPED.questions)
def test_any_yes_demands_stage_2(question: str) -> None:
    found = ImpactAssessment()
    assert screen()(found) is None
    assert not found.stage_2_demanded
    assert screen(yes_to=[question])(found) is None
    assert found.stage_2_demanded


def test_until_they_are_answered_every_question_is_open() -> None:
    found = ImpactAssessment()
    assert found.unanswered(SHIPPED) == list(SHIPPED.questions)
    assert screen()(found) is None
    assert found.unanswered(SHIPPED) == []


def test_a_question_left_out_or_made_up_is_refused() -> None:
    answers = {one: False for one in SHIPPED.questions if one != "5.8"} | {"6.1": True}
    command = to(AnswerScreening, at=AT, mode=Mode.REHEARSAL, answers=answers)
    (
        given_no(ImpactAssessment)
        .when(lambda one: one.decide_screening(command, SHIPPED))
        .then(
            refused(
                "screening_incomplete",
                kept_as="dpia.assessment_refused",
                compared={"unanswered": "5.8", "unknown": "1"},
            )
        )
    )


@pytest.mark.parametrize("role", [one for one in Role if one not in (Role.SPONSOR, Role.DPO)])
def test_nobody_else_screens(role: Role) -> None:
    given_no(ImpactAssessment).when(screen(role)).then(refused("role_does_not_screen"))


# -- advice ------------------------------------------------------------------------------------


@pytest.mark.parametrize("advice", ADVICE)
def test_the_dpo_advises(advice: str) -> None:
    given_no(ImpactAssessment).when(advise(advice)).then(happened(advised(advice)))


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.DPO])
def test_nobody_else_gives_or_edits_advice(role: Role) -> None:
    given(advised("do-not-proceed")).when(advise("proceed", role)).then(refused("not_the_dpo"))


def test_later_advice_is_added_and_the_earlier_stays() -> None:
    given(advised("do-not-proceed")).when(advise()).then(happened(advised()))


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"advice": "perhaps"}, "advice_unknown"), ({"version": "Version 2"}, "not_a_code")],
)
def test_advice_is_plain_and_about_a_version(changes: dict[str, Any], code: str) -> None:
    given_no(ImpactAssessment).when(advise(**changes)).then(refused(code))


# -- approval ----------------------------------------------------------------------------------


def test_an_approval_names_the_advice_and_the_first_day() -> None:
    given(advised()).when(approve()).then(happened(approved()))


def test_what_was_approved_commences_on_its_day_and_nothing_else_does() -> None:
    found = ImpactAssessment()
    assert found.commencement("2.0") is None
    assert advise()(found) is None and approve()(found) is None
    assert found.commencement("2.0") == date(2026, 12, 1)
    assert found.commencement("2.1") is None


def test_the_newest_advice_is_what_an_approval_rests_on() -> None:
    given(advised(), advised("do-not-proceed")).when(approve()).then(refused("advised_against"))


def test_advice_is_departed_from_for_a_reason() -> None:
    departed: dict[str, Any] = {
        "advice_followed": False,
        "reason": "risk-accepted-by-chief-constable",
    }
    (
        given(advised("do-not-proceed"))
        .when(approve(**departed))
        .then(happened(approved("do-not-proceed", **departed)))
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"advice_followed": False, "reason": ""},
        {"advice_followed": False, "reason": "We know better."},
        {"advice_followed": True, "reason": "we-agree"},
    ],
)
def test_a_departure_without_a_reason_is_refused(changes: dict[str, Any]) -> None:
    given(advised()).when(approve(**changes)).then(refused("departure_not_reasoned"))


def test_nothing_is_approved_before_the_dpo_advised_on_it() -> None:
    given_no(ImpactAssessment).when(approve()).then(refused("advice_missing"))
    given(advised()).when(approve(version="2.1")).then(refused("advice_missing"))


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.SPONSOR])
def test_nobody_but_the_sponsor_approves(role: Role) -> None:
    given(advised()).when(approve(role)).then(refused("not_the_sponsor"))


def test_who_advised_does_not_approve() -> None:
    """Whatever role they take for it."""
    given(advised(officer=SPONSOR)).when(approve()).then(refused("not_the_sponsor"))


def test_a_version_is_approved_once() -> None:
    given(advised(), approved()).when(approve()).then(refused("already_approved"))


def test_an_approval_has_a_first_day() -> None:
    given(advised()).when(approve(commences_on="")).then(refused("commencement_missing"))

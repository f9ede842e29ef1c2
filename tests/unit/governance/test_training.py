"""Training: recorded by another, current until a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from domain.governance.commands import RecordTraining, WithdrawTraining
from domain.governance.events import TrainingRecorded, TrainingWithdrawn
from domain.governance.training import Training
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from tests.support.builders import AT, OPERATOR, Fact
from tests.support.governed import SPONSOR, to
from tests.support.scenarios import given, given_no, happened, refused

Ask = Callable[[Training], Refused | None]

PASSED = {
    "person": OPERATOR,
    "course": "lfr-operator",
    "passed_on": "2026-11-01",
    "valid_until": "2027-10-31",
}
ENDED = {"person": OPERATOR, "course": "lfr-operator", "reason": "left-the-force"}


def record(role: Role = Role.SPONSOR, **changes: Any) -> Ask:
    """Ask for a course to be taken down, as changed."""
    command = to(RecordTraining, at=AT, mode=Mode.REHEARSAL, role=role, **(PASSED | changes))
    return lambda one: one.decide_record(command)


def withdraw(role: Role = Role.SPONSOR, **changes: Any) -> Ask:
    """Ask for it to count no longer."""
    command = to(WithdrawTraining, at=AT, mode=Mode.REHEARSAL, role=role, **(ENDED | changes))
    return lambda one: one.decide_withdrawal(command)


def recorded(**changes: Any) -> Fact[Training]:
    """A course was passed."""
    return Fact(Training, TrainingRecorded, PASSED | changes)


def test_a_course_is_recorded_and_withdrawn() -> None:
    given_no(Training).when(record()).then(happened(recorded()))
    given(recorded()).when(withdraw()).then(happened(Fact(Training, TrainingWithdrawn, ENDED)))


@pytest.mark.parametrize(
    ("on", "current"), [(date(2027, 10, 31), True), (date(2027, 11, 1), False)]
)
def test_it_counts_to_its_last_day(on: date, current: bool) -> None:
    training = Training()
    assert record()(training) is None
    assert training.current(OPERATOR, "lfr-operator", on) is current
    assert training.anyone_current("lfr-operator", on) is current


def test_it_counts_for_one_person_and_one_course() -> None:
    training, today = Training(), AT.date()
    assert record()(training) is None
    assert not training.current("staff:other", "lfr-operator", today)
    assert not training.current(OPERATOR, "lfr-adjudicator", today)
    assert not training.anyone_current("lfr-adjudicator", today)


def test_after_a_withdrawal_it_does_not_count_until_it_is_passed_again() -> None:
    training, today = Training(), AT.date()
    assert record()(training) is None and withdraw()(training) is None
    assert not training.current(OPERATOR, "lfr-operator", today)
    assert record()(training) is None
    assert training.current(OPERATOR, "lfr-operator", today)


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.SPONSOR])
def test_nobody_but_the_sponsor_records_training(role: Role) -> None:
    given_no(Training).when(record(role)).then(
        refused("not_the_sponsor", kept_as="training.record_refused")
    )
    given(recorded()).when(withdraw(role)).then(refused("not_the_sponsor"))


def test_nobody_says_that_they_are_trained_themselves() -> None:
    given_no(Training).when(record(person=SPONSOR)).then(refused("own_training"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"person": "Jane Doe"}, "person_not_a_reference"),
        ({"person": "jane"}, "person_not_a_reference"),
        ({"course": "LFR for beginners"}, "not_a_code"),
        ({"passed_on": "2026-11-24"}, "training_not_days"),
        ({"valid_until": "2026-10-31"}, "training_not_days"),
        ({"valid_until": "for ever"}, "training_not_days"),
    ],
)
def test_a_course_that_is_not_as_it_must_be_is_refused(changes: dict[str, Any], code: str) -> None:
    given_no(Training).when(record(**changes)).then(refused(code))


def test_a_withdrawal_names_what_counts_and_says_why() -> None:
    given_no(Training).when(withdraw()).then(refused("training_unknown"))
    given(recorded()).when(withdraw(reason="She left.")).then(refused("reason_not_a_code"))

"""Who is trained for what, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import assert_never
from uuid import UUID

from domain.governance.commands import RecordTraining, WithdrawTraining
from domain.governance.days import day, day_of
from domain.governance.events import TrainingRecorded, TrainingRefused, TrainingWithdrawn
from domain.kernel.aggregate import Aggregate
from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.references import FORCE, journal
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses

TRAINING = journal("training", FORCE)
"""The one stream of who is trained."""


@dataclass(frozen=True)
class TrainingFacts:
    """What a course is judged by."""

    role: Role
    actor: str
    person: str
    course: str
    passed_on: str
    valid_until: str
    on: date


@dataclass(frozen=True)
class WithdrawalFacts:
    """What the withdrawal of a course is judged by."""

    role: Role
    actor: str
    person: str
    known: bool
    reason: str


@refuses("not_the_sponsor")
def sponsor_keeps_training(facts: TrainingFacts | WithdrawalFacts) -> Refusal | None:
    """The sponsor's office says who is trained. Source: section 2 (L9); requirement 23."""
    if facts.role is Role.SPONSOR:
        return None
    return Refusal(
        "not_the_sponsor", "the project sponsor records training", {"role": facts.role.value}
    )


@refuses("own_training")
def nobody_trains_themselves(facts: TrainingFacts | WithdrawalFacts) -> Refusal | None:
    """Who says that someone is trained is someone else. Source: domain specification, section 2."""
    if facts.actor != facts.person:
        return None
    return Refusal("own_training", "someone else must say that you are trained")


@refuses("not_a_code")
def course_is_a_code(facts: TrainingFacts) -> Refusal | None:
    """A course is named by its code. Source: NEVER 5."""
    return None if is_code(facts.course) else Refusal("not_a_code", "name the course by its code")


@refuses("person_not_a_reference")
def person_is_a_reference(facts: TrainingFacts) -> Refusal | None:
    """Staff are references, such as ``staff:operator-1``; names stay outside.

    Source: domain specification, 3.1 NEVER 3.
    """
    kind, _, code = facts.person.partition(":")
    if is_code(kind) and is_code(code):
        return None
    return Refusal("person_not_a_reference", "name the person as staff:CODE")


@refuses("training_not_days")
def training_has_an_end(facts: TrainingFacts) -> Refusal | None:
    """Passed by today, and current until a day. Source: "training currency", 3.2."""
    passed, until = day(facts.passed_on), day(facts.valid_until)
    if passed is not None and until is not None and passed <= facts.on and passed <= until:
        return None
    return Refusal(
        "training_not_days",
        "give the day it was passed, today or before, and the last day it counts, as YYYY-MM-DD",
    )


TRAINING_POLICIES: tuple[Policy[TrainingFacts], ...] = (
    sponsor_keeps_training,
    nobody_trains_themselves,
    person_is_a_reference,
    course_is_a_code,
    training_has_an_end,
)


@refuses("training_unknown")
def training_was_recorded(facts: WithdrawalFacts) -> Refusal | None:
    """Only what counts can be withdrawn."""
    return None if facts.known else Refusal("training_unknown", "name a course that was recorded")


@refuses("reason_not_a_code")
def withdrawal_has_a_reason(facts: WithdrawalFacts) -> Refusal | None:
    """Why, as a code. Source: NEVER 5."""
    return (
        None if is_code(facts.reason) else Refusal("reason_not_a_code", "give the reason by a code")
    )


WITHDRAWAL_POLICIES: tuple[Policy[WithdrawalFacts], ...] = (
    sponsor_keeps_training,
    nobody_trains_themselves,
    training_was_recorded,
    withdrawal_has_a_reason,
)


class Training(Aggregate):
    """Who passed what, and until when it counts."""

    KIND = "register of training"

    def __init__(self, stream: UUID = TRAINING) -> None:
        super().__init__(stream)
        self._until: dict[tuple[str, str], date] = {}
        """Person and course to the last day."""

    def current(self, person: str, course: str, on: date) -> bool:
        """Whether a course counts for a person on a day."""
        until = self._until.get((person, course))
        return until is not None and on <= until

    def anyone_current(self, course: str, on: date) -> bool:
        """Whether a course counts for anyone on a day."""
        return any(one == course and on <= until for (_, one), until in self._until.items())

    # -- decide --------------------------------------------------------------------------------

    def decide_record(self, command: RecordTraining) -> Refused | None:
        """Take a course down."""
        facts = TrainingFacts(
            role=command.role,
            actor=command.actor,
            person=command.person,
            course=command.course,
            passed_on=command.passed_on,
            valid_until=command.valid_until,
            on=day_of(command.at),
        )
        if reasons := refusals(TRAINING_POLICIES, facts):
            return Refused(TrainingRefused, reasons, command, self.id)
        self.happened(
            TrainingRecorded,
            at=command.at,
            person=command.person,
            course=command.course,
            passed_on=command.passed_on,
            valid_until=command.valid_until,
        )
        return None

    def decide_withdrawal(self, command: WithdrawTraining) -> Refused | None:
        """Say that a course no longer counts."""
        facts = WithdrawalFacts(
            role=command.role,
            actor=command.actor,
            person=command.person,
            known=(command.person, command.course) in self._until,
            reason=command.reason,
        )
        if reasons := refusals(WITHDRAWAL_POLICIES, facts):
            return Refused(TrainingRefused, reasons, command, self.id)
        self.happened(
            TrainingWithdrawn,
            at=command.at,
            person=command.person,
            course=command.course,
            reason=command.reason,
        )
        return None

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: TrainingRecorded | TrainingWithdrawn) -> None:
        """Take in one event."""
        match event:
            case TrainingRecorded():
                self._until[event.person, event.course] = date.fromisoformat(event.valid_until)
            case TrainingWithdrawn():
                del self._until[event.person, event.course]
            case _:
                assert_never(event)

"""What a force has in force: taking it down, and how it stands when a deployment asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

from domain.deployments.gates import Readiness, Standing
from domain.governance import commands as asked
from domain.governance.adoption import REQUIREMENTS, RequirementsRegister
from domain.governance.days import day_of
from domain.governance.documents import DOCUMENTS, Documents
from domain.governance.evidence import EVIDENCE, Configuration, PerformanceEvidence
from domain.governance.impact_assessment import DPIA, ImpactAssessment
from domain.governance.programme import PROGRAMME, Programme
from domain.governance.requirements import Requirements
from domain.governance.training import TRAINING, Training
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command, Role
from domain.kernel.errors import NotFoundError
from domain.kernel.events import Happened
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.carrying_out import carry_out

A = TypeVar("A", bound=Aggregate)

DPIA_2 = "dpia-2"
"""The kind of document that screening may demand."""


def adopt_requirements(
    outside: Outside, command: asked.AdoptRequirements
) -> RequirementsRegister | Refused:
    """Put another version of what a deployment needs in force."""
    return _decide(
        outside,
        command,
        RequirementsRegister,
        REQUIREMENTS,
        lambda one: one.decide_adoption(command),
    )


def register_document(
    outside: Outside, command: asked.RegisterPolicyDocument
) -> Documents | Refused:
    """Put a version of a document in force."""
    return _decide(
        outside,
        command,
        Documents,
        DOCUMENTS,
        lambda one: one.decide_registration(command, requirements_of(outside).in_force),
    )


def publish_document(outside: Outside, command: asked.PublishPolicyDocument) -> Documents | Refused:
    """Say where the public can read a version of a document."""
    return _decide(
        outside, command, Documents, DOCUMENTS, lambda one: one.decide_publication(command)
    )


def withdraw_document(
    outside: Outside, command: asked.WithdrawPolicyDocument
) -> Documents | Refused:
    """Take a version of a document out of force."""
    return _decide(
        outside, command, Documents, DOCUMENTS, lambda one: one.decide_withdrawal(command)
    )


def answer_screening(
    outside: Outside, command: asked.AnswerScreening
) -> ImpactAssessment | Refused:
    """Take the answers to the DPIA screening questions."""
    return _decide(
        outside,
        command,
        ImpactAssessment,
        DPIA,
        lambda one: one.decide_screening(command, requirements_of(outside).in_force),
    )


def record_advice(outside: Outside, command: asked.RecordDpoAdvice) -> ImpactAssessment | Refused:
    """Take the DPO's advice."""
    return _decide(outside, command, ImpactAssessment, DPIA, lambda one: one.decide_advice(command))


def approve_dpia(outside: Outside, command: asked.ApproveDpia) -> ImpactAssessment | Refused:
    """Approve a version of the DPIA stage 2."""
    return _decide(
        outside, command, ImpactAssessment, DPIA, lambda one: one.decide_approval(command)
    )


def attach_evidence(
    outside: Outside, command: asked.AttachEvidence
) -> PerformanceEvidence | Refused:
    """Attach a test's figures to what was tested."""
    return _decide(
        outside,
        command,
        PerformanceEvidence,
        EVIDENCE,
        lambda one: one.decide_attachment(command),
    )


def withdraw_evidence(
    outside: Outside, command: asked.WithdrawEvidence
) -> PerformanceEvidence | Refused:
    """Say that a test's figures no longer count."""
    return _decide(
        outside,
        command,
        PerformanceEvidence,
        EVIDENCE,
        lambda one: one.decide_withdrawal(command),
    )


def record_training(outside: Outside, command: asked.RecordTraining) -> Training | Refused:
    """Take down that someone passed a course."""
    return _decide(outside, command, Training, TRAINING, lambda one: one.decide_record(command))


def withdraw_training(outside: Outside, command: asked.WithdrawTraining) -> Training | Refused:
    """Take down that a course no longer counts for someone."""
    return _decide(outside, command, Training, TRAINING, lambda one: one.decide_withdrawal(command))


def pause_programme(outside: Outside, command: asked.PauseProgramme) -> Programme | Refused:
    """Let nothing start."""
    return _decide(outside, command, Programme, PROGRAMME, lambda one: one.decide_pause(command))


def resume_programme(outside: Outside, command: asked.ResumeProgramme) -> Programme | Refused:
    """Let deployments start again."""
    return _decide(
        outside, command, Programme, PROGRAMME, lambda one: one.decide_resumption(command)
    )


_REGISTERS: tuple[tuple[type[Any], UUID], ...] = (
    (RequirementsRegister, REQUIREMENTS),
    (Documents, DOCUMENTS),
    (ImpactAssessment, DPIA),
    (PerformanceEvidence, EVIDENCE),
    (Training, TRAINING),
    (Programme, PROGRAMME),
)
"""Each register and its stream, in the order of :class:`Governance`."""


@dataclass(frozen=True)
class Governance:
    """All that a force has in force, as the record has it."""

    requirements: RequirementsRegister
    documents: Documents
    dpia: ImpactAssessment
    evidence: PerformanceEvidence
    training: Training
    programme: Programme

    @classmethod
    def of(cls, outside: Outside) -> Governance:
        """What the record says now."""
        return cls(*(_found(outside, kind, stream) for kind, stream in _REGISTERS))

    @classmethod
    def followed(cls, events: Iterable[Happened]) -> Governance:
        """What these events of the force say, others left aside."""
        found = cls(*(kind(stream) for kind, stream in _REGISTERS))
        for event in events:
            found.follow(event)
        return found

    def follow(self, event: Happened) -> None:
        """Take in one event of the force; one that is of no register is left aside."""
        for register in self._registers:
            if register.id == event.originator_id:
                register.follow(event)

    def under(self, requirements: Requirements) -> Governance:
        """The same, held against other requirements."""
        register = RequirementsRegister()
        register.adopted.append(requirements)
        return replace(self, requirements=register)

    @property
    def given(self) -> dict[UUID, int]:
        """The streams that a decision rests on, with the versions that were read."""
        return {one.id: one.version for one in self._registers}

    @property
    def _registers(self) -> tuple[Aggregate, ...]:
        return (
            self.requirements,
            self.documents,
            self.dpia,
            self.evidence,
            self.training,
            self.programme,
        )

    def hours(self, limit: str) -> timedelta:
        """A limit of the requirements in force, in hours."""
        return timedelta(hours=self.requirements.in_force.limit(limit))

    def standing(self, wanted: Configuration | None, *, first: date, last: date) -> Standing:
        """How the force stands from one day to another, for what is to be used.

        A document that expires between the two is lacking: nobody will look again before then.
        Where it is not known what is to be used, no evidence is asked for.
        """
        asked_for = self.requirements.in_force
        lacking = self._lacking(asked_for, last) | self._lacking(asked_for, first)
        evidence, shortfall = self._evidence(wanted, last)
        approved = self._dpia_version(first)
        return Standing(
            requirements=asked_for.version,
            documents=self.documents.versions_on(asked_for, first),
            lacking=lacking,
            unanswered=self.dpia.unanswered(asked_for),
            dpia=self._dpia_lacks(first) or self._dpia_lacks(last),
            commences_on=self.dpia.commencement(approved) if approved else None,
            first_day=first,
            evidence=evidence,
            shortfall=shortfall,
        )

    def readiness(self, operator: str, on: date) -> Readiness:
        """Whether the programme goes on and those who will act are trained."""
        courses = self.requirements.in_force.training
        untrained = {
            role: course
            for role, course in courses.items()
            if not (
                self.training.current(operator, course, on)
                if role == Role.OPERATOR.value
                else self.training.anyone_current(course, on)
            )
        }
        return Readiness(paused=self.programme.paused, untrained=untrained)

    def untrained(self, on: date) -> Iterator[tuple[str, str]]:
        """The roles whose course nobody has in date, with the course."""
        for role, course in self.requirements.in_force.training.items():
            if not self.training.anyone_current(course, on):
                yield role, course

    def _evidence(self, wanted: Configuration | None, on: date) -> tuple[str | None, str]:
        """The test that speaks for what is to be used, or why there is none."""
        asked_for = self.requirements.in_force
        if wanted is None:
            return "", ""
        if found := self.evidence.for_use(wanted, asked_for, on):
            return found.evidence, ""
        return None, self.evidence.shortfall(wanted, asked_for, on)

    def _lacking(self, asked_for: Requirements, on: date) -> dict[str, str]:
        found = self.documents.lacking(asked_for, on)
        if self.dpia.answers and not self.dpia.stage_2_demanded:
            found.pop(DPIA_2, None)
        return found

    def _dpia_version(self, on: date) -> str | None:
        found = self.documents.in_force(DPIA_2, on)
        return found.version if found else None

    def _dpia_lacks(self, on: date) -> str:
        """What the DPIA stage 2 of a day lacks beside being in force, in words."""
        version = self._dpia_version(on)
        if version is None or not self.dpia.stage_2_demanded:
            return ""
        if self.dpia.commencement(version) is None:
            return f"version {version} is not approved"
        return ""


def trained_to_adjudicate(outside: Outside, command: Command) -> tuple[bool, dict[UUID, int]]:
    """Whether who adjudicates has the course in date that this needs, and what that rests on."""
    requirements, training = requirements_of(outside), _found(outside, Training, TRAINING)
    course = requirements.in_force.training.get(Role.ENGAGEMENT_OFFICER.value)
    trained = course is None or training.current(command.actor, course, day_of(command.at))
    return trained, {one.id: one.version for one in (requirements, training)}


def requirements_of(outside: Outside) -> RequirementsRegister:
    """Every version of the requirements; what ships, where none was adopted."""
    return _found(outside, RequirementsRegister, REQUIREMENTS)


def _found(outside: Outside, kind: type[A], stream: UUID) -> A:
    try:
        return outside.record.load(kind, stream)
    except NotFoundError:
        return kind(stream)


def _decide(
    outside: Outside,
    command: Command,
    kind: type[A],
    stream: UUID,
    decide: Callable[[A], Refused | None],
) -> A | Refused:
    def attempt() -> A | Refused:
        found = _found(outside, kind, stream)
        if refused := decide(found):
            return refused
        outside.record.append(found, by=command, answers=True)
        return found

    return carry_out(outside, command, attempt, kind=kind, of=stream)

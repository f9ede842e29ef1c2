"""What stand-ins put in force before a rehearsal, where nobody has said anything yet.

A rehearsal passes the same gates as operational use. So that it can be played at once, stand-ins
say what the requirements ask for: documents that do not exist, figures that nobody measured, each
marked as theirs. Whatever a person says first stands instead, with all that follows from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

from api.rehearsal.stand_ins import ENGAGEMENT_OFFICER, OPERATOR, ByAStandIn
from domain.governance.commands import (
    AnswerScreening,
    ApproveDpia,
    AttachEvidence,
    PublishPolicyDocument,
    RecordDpoAdvice,
    RecordTraining,
    RegisterPolicyDocument,
)
from domain.governance.days import day_of
from domain.governance.evidence import STAND_IN, Configuration
from domain.governance.requirements import PUBLISHED, Requirements
from domain.kernel.commands import Mode, Role
from domain.kernel.references import FORCE
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services import governance
from domain.services.governance import DPIA_2, Governance

SPONSOR = "stand-in:sponsor-1"
DPO = "stand-in:dpo-1"
VERSION = "stand-in-1"
COUNTED_BEFORE = timedelta(days=30)
"""How long before today stand-in documents count: a clock that is set back finds them in force."""
COUNTED_AFTER = timedelta(days=3 * 365)

T = TypeVar("T")
Agreed = Callable[[T | Refused], T]


def put_in_force(outside: Outside, agreed: Agreed[object], tell: Callable[[str], None]) -> None:
    """Say what the requirements ask for, in each matter about which nothing was said."""
    found = Governance.of(outside)
    asked_for, today = found.requirements.in_force, day_of(outside.clock.now())
    if not found.documents.version:
        tell("putting stand-in documents in force: none of them exists")
        _documents(outside, agreed, asked_for, today)
    if not found.dpia.version:
        tell("answering the DPIA screening: yes to every question, so stage 2 is demanded")
        _dpia(outside, agreed, asked_for, today)
    if not found.training.version:
        tell("taking down that operator and engagement officer passed their courses")
        for person, role in (
            (OPERATOR, Role.OPERATOR),
            (ENGAGEMENT_OFFICER, Role.ENGAGEMENT_OFFICER),
        ):
            agreed(
                governance.record_training(
                    outside,
                    RecordTraining(
                        **_as(SPONSOR, Role.SPONSOR),
                        at=outside.clock.now(),
                        person=person,
                        course=asked_for.training[role.value],
                        passed_on=today.isoformat(),
                        valid_until=(today + COUNTED_AFTER).isoformat(),
                    ),
                )
            )


def attach_evidence(
    outside: Outside, wanted: Configuration, agreed: Agreed[object], tell: Callable[[str], None]
) -> None:
    """Attach a test that nobody made for what is to be used, unless a person attached one."""
    found, now = Governance.of(outside), outside.clock.now()
    today, asked_for = day_of(now), found.requirements.in_force
    tests = found.evidence
    if not tests.of_stand_ins_only or tests.for_use(wanted, asked_for, today):
        return
    tell("attaching stand-in evidence for this model, threshold and list: nothing was measured")
    agreed(
        governance.attach_evidence(
            outside,
            AttachEvidence(
                **_as(SPONSOR, Role.SPONSOR),
                at=now,
                evidence=f"stand-in-{tests.version + 1}",
                model_digest=wanted.model_digest,
                settings=dict(wanted.settings or {}),
                threshold=wanted.threshold,
                gallery_size=wanted.gallery_size,
                tester="nobody",
                tested_on=today.isoformat(),
                basis=STAND_IN,
                non_mated_searches=0,
                false_positives=0,
                mated_searches=0,
                misses=0,
            ),
        )
    )


def _documents(
    outside: Outside, agreed: Agreed[object], asked_for: Requirements, today: date
) -> None:
    for kind, degree in asked_for.documents.items():
        sponsor = _as(SPONSOR, Role.SPONSOR)
        words = f"A stand-in for the document {kind}. There is no such document."
        agreed(
            governance.register_document(
                outside,
                RegisterPolicyDocument(
                    **sponsor,
                    at=outside.clock.now(),
                    kind=kind,
                    version=VERSION,
                    valid_from=(today - COUNTED_BEFORE).isoformat(),
                    valid_until=(today + COUNTED_AFTER).isoformat(),
                    digest=hashlib.sha256(words.encode()).hexdigest(),
                ),
            )
        )
        if degree == PUBLISHED:
            agreed(
                governance.publish_document(
                    outside,
                    PublishPolicyDocument(
                        **sponsor,
                        at=outside.clock.now(),
                        kind=kind,
                        version=VERSION,
                        page=f"https://rehearsal.invalid/{kind}",
                        published_on=(today - COUNTED_BEFORE).isoformat(),
                    ),
                )
            )


def _dpia(outside: Outside, agreed: Agreed[object], asked_for: Requirements, today: date) -> None:
    in_force = Governance.of(outside).documents.in_force(DPIA_2, today)
    version = in_force.version if in_force else VERSION
    dpo, now = _as(DPO, Role.DPO), outside.clock.now
    agreed(
        governance.answer_screening(
            outside,
            AnswerScreening(**dpo, at=now(), answers=dict.fromkeys(asked_for.questions, True)),
        )
    )
    agreed(
        governance.record_advice(
            outside, RecordDpoAdvice(**dpo, at=now(), version=version, advice="proceed")
        )
    )
    agreed(
        governance.approve_dpia(
            outside,
            ApproveDpia(
                **_as(SPONSOR, Role.SPONSOR),
                at=now(),
                version=version,
                advice_followed=True,
                reason="",
                commences_on=(today - COUNTED_BEFORE).isoformat(),
            ),
        )
    )


def _as(actor: str, role: Role) -> ByAStandIn:
    return ByAStandIn(scope=FORCE, mode=Mode.REHEARSAL, actor=actor, role=role)

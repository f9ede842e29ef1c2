"""A force that has everything in force: what a deployment's gates find in order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.deployments.gates import Announced, Readiness, Standing
from domain.governance import commands as asked
from domain.governance.days import day_of
from domain.governance.documents import Documents
from domain.governance.evidence import MEASURED, PerformanceEvidence
from domain.governance.impact_assessment import ImpactAssessment
from domain.governance.requirements import SHIPPED
from domain.governance.training import Training
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.references import FORCE
from domain.kernel.refusals import Refused

SPONSOR = "staff:sponsor"
DPO = "staff:dpo"
VERSION = "2026-1"
EVIDENCE = "test-1"
YEAR = timedelta(days=365)


def to(command: type[Command], *, at: datetime, mode: Mode, **fields: Any) -> Any:
    """A command about the force's governance: by its sponsor, or as the fields say."""
    by: dict[str, Any] = {
        "scope": FORCE,
        "mode": mode,
        "actor": SPONSOR,
        "role": Role.SPONSOR,
        "at": at,
    }
    return command(**(by | fields))


def everything_in_force(
    *,
    at: datetime,
    mode: Mode = Mode.REHEARSAL,
    model: str,
    threshold: Decimal,
    settings: Mapping[str, str],
    trained: Mapping[str, str],
) -> list[Aggregate]:
    """The registers of a force that lacks nothing, with their events still to be appended.

    Args:
        at: when it was said; documents count from 30 days before to a year after.
        mode: of the record.
        model: that was tested,
        threshold: at this,
        settings: with these, on a list of 20,000.
        trained: person to their course.
    """
    given: dict[str, Any] = {"at": at, "mode": mode}
    today = day_of(at)
    first, last = (today - timedelta(days=30)).isoformat(), (today + YEAR).isoformat()
    documents, dpia, evidence, training = (
        Documents(),
        ImpactAssessment(),
        PerformanceEvidence(),
        Training(),
    )
    answers = [
        documents.decide_registration(
            to(
                asked.RegisterPolicyDocument,
                **given,
                kind=kind,
                version=VERSION,
                valid_from=first,
                valid_until=last,
                digest="d0" * 32,
            ),
            SHIPPED,
        )
        for kind in SHIPPED.documents
    ]
    answers += [
        documents.decide_publication(
            to(
                asked.PublishPolicyDocument,
                **given,
                kind=kind,
                version=VERSION,
                page=f"https://force.example/{kind}",
                published_on=first,
            )
        )
        for kind, degree in SHIPPED.documents.items()
        if degree == "published"
    ]
    dpo = given | {"actor": DPO, "role": Role.DPO}
    answers += [
        dpia.decide_screening(
            to(asked.AnswerScreening, **dpo, answers=dict.fromkeys(SHIPPED.questions, True)),
            SHIPPED,
        ),
        dpia.decide_advice(to(asked.RecordDpoAdvice, **dpo, version=VERSION, advice="proceed")),
        dpia.decide_approval(
            to(
                asked.ApproveDpia,
                **given,
                version=VERSION,
                advice_followed=True,
                reason="",
                commences_on=first,
            )
        ),
        evidence.decide_attachment(
            to(
                asked.AttachEvidence,
                **given,
                **a_test(
                    model_digest=model, threshold=threshold, settings=dict(settings), on=today
                ),
            )
        ),
    ]
    answers += [
        training.decide_record(
            to(
                asked.RecordTraining,
                **given,
                person=person,
                course=course,
                passed_on=first,
                valid_until=last,
            )
        )
        for person, course in trained.items()
    ]
    refused = [one for one in answers if isinstance(one, Refused)]
    assert not refused, refused
    return [documents, dpia, evidence, training]


def a_test(*, on: date, **changes: Any) -> dict[str, Any]:
    """The fields of a measured test on a list of 20,000, on a day."""
    return {
        "evidence": EVIDENCE,
        "gallery_size": 20_000,
        "tester": "laboratory-1",
        "tested_on": on.isoformat(),
        "basis": MEASURED,
        "non_mated_searches": 60_000,
        "false_positives": 10,
        "mated_searches": 400,
        "misses": 44,
    } | changes


def a_standing(**changes: Any) -> Standing:
    """A force that lacks nothing."""
    fields: dict[str, Any] = {
        "requirements": SHIPPED.version,
        "documents": dict.fromkeys(SHIPPED.documents, VERSION),
        "lacking": {},
        "unanswered": [],
        "dpia": "",
        "commences_on": date(2026, 10, 24),
        "first_day": date(2026, 11, 23),
        "evidence": EVIDENCE,
        "shortfall": "",
    }
    return Standing(**(fields | changes))


def a_readiness(**changes: Any) -> Readiness:
    """A programme that goes on, with trained people."""
    fields: dict[str, Any] = {"paused": False, "untrained": {}}
    return Readiness(**(fields | changes))


def an_announcement(**changes: Any) -> Announced:
    """A public that was told a month before, with signs and a way round."""
    fields: dict[str, Any] = {
        "published_at": datetime(2026, 10, 23, 9, 30, tzinfo=UTC),
        "omitted": False,
        "without_signs": [],
        "unavoidable": [],
    }
    return Announced(**(fields | changes))


PINNED = {
    "requirements": SHIPPED.version,
    "documents": dict.fromkeys(SHIPPED.documents, VERSION),
    "evidence": EVIDENCE,
}
"""What an authorisation and a start keep of :func:`a_standing`."""

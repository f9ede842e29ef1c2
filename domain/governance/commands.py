"""What may be asked of a force's governance."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from domain.kernel.commands import Command


@dataclass(frozen=True, kw_only=True)
class AdoptRequirements(Command):
    """Put another version of what a deployment needs in force."""

    version: str
    documents: dict[str, str]
    questions: list[str]
    training: dict[str, str]
    oldest_evidence_days: int
    at_most: dict[str, int]
    at_least: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class RegisterPolicyDocument(Command):
    """Put a version of a document in force, from a day to a day."""

    kind: str
    version: str
    valid_from: str
    """YYYY-MM-DD, the first day."""
    valid_until: str
    """YYYY-MM-DD, the last day: by then it is reviewed, or no longer counts."""
    digest: str
    """SHA-256 of its file, 64 hex digits."""


@dataclass(frozen=True, kw_only=True)
class PublishPolicyDocument(Command):
    """Say where the public can read a version of a document, and since when."""

    kind: str
    version: str
    page: str
    """Its https address."""
    published_on: str
    """YYYY-MM-DD."""


@dataclass(frozen=True, kw_only=True)
class WithdrawPolicyDocument(Command):
    """Take a version of a document out of force at once."""

    kind: str
    version: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AnswerScreening(Command):
    """Answer the DPIA screening questions."""

    answers: dict[str, bool]
    """Question to yes."""


@dataclass(frozen=True, kw_only=True)
class RecordDpoAdvice(Command):
    """Advise on a version of the DPIA stage 2. The actor is the DPO."""

    version: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class ApproveDpia(Command):
    """Approve a version of the DPIA stage 2, on behalf of the controller."""

    version: str
    advice_followed: bool
    reason: str
    """A code; why, where the advice is not followed."""
    commences_on: str
    """YYYY-MM-DD: no face is looked at before."""


@dataclass(frozen=True, kw_only=True)
class AttachEvidence(Command):
    """Attach a test's figures to the configuration that was tested."""

    evidence: str
    """Its own code."""
    model_digest: str
    settings: dict[str, str]
    threshold: Decimal
    gallery_size: int
    tester: str
    tested_on: str
    basis: str
    non_mated_searches: int
    false_positives: int
    mated_searches: int
    misses: int


@dataclass(frozen=True, kw_only=True)
class WithdrawEvidence(Command):
    """Say that a test's figures no longer count."""

    evidence: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RecordTraining(Command):
    """Say that a member of staff passed a course, and for how long that counts."""

    person: str
    course: str
    passed_on: str
    valid_until: str


@dataclass(frozen=True, kw_only=True)
class WithdrawTraining(Command):
    """Say that a course no longer counts for a member of staff."""

    person: str
    course: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PauseProgramme(Command):
    """Let nothing start any more."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class ResumeProgramme(Command):
    """Let deployments start again."""

    reason: str
    evidence: list[str]
    """Codes of what shows that the reason of the pause is gone."""

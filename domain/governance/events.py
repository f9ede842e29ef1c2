"""What happened in a force's governance. Days are written YYYY-MM-DD and are days in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("requirements.adopted")
@dataclass(frozen=True, kw_only=True)
class RequirementsAdopted(Happened):
    """From here on a deployment needs this."""

    version: str
    documents: dict[str, str]
    """Kind to ``in-force`` or ``published``."""
    questions: list[str]
    training: dict[str, str]
    """Role to course."""
    oldest_evidence_days: int
    at_most: dict[str, int]
    """Limit to its number, where this version is stricter than what ships."""
    at_least: dict[str, int]

    SHAPE: ClassVar[int] = 2

    @classmethod
    def upcast(cls, body: dict[str, Any], *, shape: int) -> dict[str, Any]:
        """Before the second shape a force said nothing of limits: those that ship hold."""
        return body | {"at_most": {}, "at_least": {}}


@recorded_as("policy.registered")
@dataclass(frozen=True, kw_only=True)
class PolicyDocumentRegistered(Happened):
    """A version of a document was put in force. A later first day supersedes an earlier one."""

    kind: str
    version: str
    valid_from: str
    valid_until: str
    digest: str
    """SHA-256 of the document's file."""


@recorded_as("policy.published")
@dataclass(frozen=True, kw_only=True)
class PolicyDocumentPublished(Happened):
    """The public can read a version of a document."""

    kind: str
    version: str
    page: str
    """Its https address."""
    published_on: str


@recorded_as("policy.withdrawn")
@dataclass(frozen=True, kw_only=True)
class PolicyDocumentWithdrawn(Happened):
    """A version of a document is out of force."""

    kind: str
    version: str
    reason: str


@recorded_as("dpia.screening_answered")
@dataclass(frozen=True, kw_only=True)
class ScreeningAnswered(Happened):
    """The screening questions were answered; any yes demands a DPIA stage 2 (DPA 2018 s.64)."""

    answers: dict[str, bool]


@recorded_as("dpia.advice_recorded")
@dataclass(frozen=True, kw_only=True)
class DpoAdviceRecorded(Happened):
    """The data protection officer advised. Nobody edits it; later advice is another event."""

    officer: str
    version: str
    """Of the DPIA stage 2 that it is about; the words stand in that document."""
    advice: str
    """``proceed``, ``proceed-on-conditions`` or ``do-not-proceed``."""


@recorded_as("dpia.approved")
@dataclass(frozen=True, kw_only=True)
class DpiaApproved(Happened):
    """The controller approved a version of the DPIA stage 2."""

    officer: str
    version: str
    advice: str
    """The advice that it rests on."""
    advice_followed: bool
    reason: str
    """A code: why the advice was not followed; empty where it was."""
    commences_on: str


@recorded_as("algorithm.evidence_attached")
@dataclass(frozen=True, kw_only=True)
class EvidenceAttached(Happened):
    """A test's figures, for the configuration that was tested and no other."""

    evidence: str
    model_digest: str
    settings: dict[str, str]
    """The recogniser's settings, quality gates among them, as ``deployment.started`` tells them."""
    threshold: Decimal
    gallery_size: int
    """References on the list that was searched."""
    tester: str
    tested_on: str
    basis: str
    """``measured``, or ``stand-in`` (nothing was measured; a rehearsal only)."""
    non_mated_searches: int
    false_positives: int
    mated_searches: int
    misses: int


@recorded_as("algorithm.evidence_withdrawn")
@dataclass(frozen=True, kw_only=True)
class EvidenceWithdrawn(Happened):
    """A test's figures no longer count."""

    evidence: str
    reason: str


@recorded_as("training.recorded")
@dataclass(frozen=True, kw_only=True)
class TrainingRecorded(Happened):
    """A member of staff passed a course."""

    person: str
    course: str
    passed_on: str
    valid_until: str


@recorded_as("training.withdrawn")
@dataclass(frozen=True, kw_only=True)
class TrainingWithdrawn(Happened):
    """A course no longer counts for a member of staff."""

    person: str
    course: str
    reason: str


@recorded_as("programme.paused")
@dataclass(frozen=True, kw_only=True)
class ProgrammePaused(Happened):
    """Nothing starts until it is resumed."""

    officer: str
    reason: str


@recorded_as("programme.resumed")
@dataclass(frozen=True, kw_only=True)
class ProgrammeResumed(Happened):
    """Deployments may start again."""

    officer: str
    reason: str
    evidence: list[str]


@recorded_as("requirements.adoption_refused")
@dataclass(frozen=True, kw_only=True)
class RequirementsRefused(WasRefused):
    """The requirements were not adopted."""


@recorded_as("policy.change_refused")
@dataclass(frozen=True, kw_only=True)
class PolicyDocumentRefused(WasRefused):
    """A document was not put in force, not published or not withdrawn."""


@recorded_as("dpia.assessment_refused")
@dataclass(frozen=True, kw_only=True)
class DpiaRefused(WasRefused):
    """Screening, advice or approval was not taken."""


@recorded_as("algorithm.evidence_refused")
@dataclass(frozen=True, kw_only=True)
class EvidenceRefused(WasRefused):
    """A test's figures were not taken, or not withdrawn."""


@recorded_as("training.record_refused")
@dataclass(frozen=True, kw_only=True)
class TrainingRefused(WasRefused):
    """A course was not taken down, or not withdrawn."""


@recorded_as("programme.change_refused")
@dataclass(frozen=True, kw_only=True)
class ProgrammeRefused(WasRefused):
    """The programme was not paused, or not resumed."""

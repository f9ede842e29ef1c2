"""Performance evidence: what was tested, and whether it still speaks for what is to be used.

A test's figures hold for the model, the threshold, the settings and the size of list that were
tested. Change one, and they say nothing (domain specification, C-13; Bridges [181]).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import assert_never
from uuid import UUID

from domain.governance.commands import AttachEvidence, WithdrawEvidence
from domain.governance.days import day, day_of
from domain.governance.events import EvidenceAttached, EvidenceRefused, EvidenceWithdrawn
from domain.governance.requirements import Requirements
from domain.kernel.aggregate import Aggregate
from domain.kernel.codes import is_code
from domain.kernel.commands import Mode, Role
from domain.kernel.references import FORCE, journal
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses

EVIDENCE = journal("performance-evidence", FORCE)
"""The one stream of a force's performance evidence."""
MEASURED, STAND_IN = "measured", "stand-in"


@dataclass(frozen=True)
class Configuration:
    """What is to be used: evidence must have tested exactly this."""

    model_digest: str
    threshold: Decimal
    gallery_size: int
    """References on the list."""
    settings: Mapping[str, str] | None
    """The recogniser's settings; ``None`` where they are not known yet (at the authorisation)."""


@dataclass(frozen=True)
class EvidenceFacts:
    """What evidence is judged by."""

    role: Role
    mode: Mode
    codes: tuple[str, ...]
    known: bool
    basis: str
    threshold: Decimal
    gallery_size: int
    tested_on: str
    on: date
    non_mated: tuple[int, int]
    """Searches, and those that wrongly returned a reference."""
    mated: tuple[int, int]
    """Searches, and those that failed to return it."""


@dataclass(frozen=True)
class WithdrawalFacts:
    """What a withdrawal of evidence is judged by."""

    role: Role
    known: bool
    reason: str


@refuses("not_the_sponsor")
def sponsor_answers_for_evidence(facts: EvidenceFacts | WithdrawalFacts) -> Refusal | None:
    """The project sponsor answers for what the force relies on. Source: section 2 (L9)."""
    if facts.role is Role.SPONSOR:
        return None
    return Refusal(
        "not_the_sponsor", "the project sponsor attaches evidence", {"role": facts.role.value}
    )


@refuses("not_a_code")
def evidence_is_named_by_codes(facts: EvidenceFacts) -> Refusal | None:
    """Evidence, tester and settings are codes; the report itself is a document. NEVER 5."""
    if all(is_code(one) for one in facts.codes):
        return None
    return Refusal("not_a_code", "give evidence, tester, model and settings by codes")


@refuses("evidence_known")
def evidence_is_new(facts: EvidenceFacts) -> Refusal | None:
    """A code names one test for ever."""
    return Refusal("evidence_known", "give it another code") if facts.known else None


@refuses("basis_not_true")
def basis_fits_the_mode(facts: EvidenceFacts) -> Refusal | None:
    """Figures that nobody measured serve a rehearsal, and nothing else.

    Source: Bridges [199]: a force must satisfy itself that the software is not biased.
    """
    allowed = {MEASURED} if facts.mode is Mode.OPERATIONAL else {MEASURED, STAND_IN}
    if facts.basis in allowed:
        return None
    return Refusal("basis_not_true", f"give {' or '.join(sorted(allowed))}")


@refuses("figures_impossible")
def figures_are_possible(facts: EvidenceFacts) -> Refusal | None:
    """Errors are no more than searches; a test has searches of both kinds, a stand-in none."""
    pairs = (facts.non_mated, facts.mated)
    if facts.basis == STAND_IN:
        possible = all(pair == (0, 0) for pair in pairs)
    else:
        possible = all(0 <= errors <= searches > 0 for searches, errors in pairs)
    threshold = facts.threshold.is_finite() and 0 < facts.threshold < 1
    if possible and threshold and facts.gallery_size > 0:
        return None
    return Refusal(
        "figures_impossible",
        "give a threshold between 0 and 1, a list of at least one, and for mated and non-mated "
        "searches how many there were and how many of them failed (none of either for a stand-in)",
    )


@refuses("tested_in_the_future")
def test_has_happened(facts: EvidenceFacts) -> Refusal | None:
    """What is planned shows nothing."""
    tested = day(facts.tested_on)
    if tested is not None and tested <= facts.on:
        return None
    return Refusal(
        "tested_in_the_future", "give the day of the test as YYYY-MM-DD, today or before"
    )


EVIDENCE_POLICIES: tuple[Policy[EvidenceFacts], ...] = (
    sponsor_answers_for_evidence,
    evidence_is_named_by_codes,
    evidence_is_new,
    basis_fits_the_mode,
    figures_are_possible,
    test_has_happened,
)


@refuses("evidence_unknown")
def evidence_was_attached(facts: WithdrawalFacts) -> Refusal | None:
    """Only what counts can be withdrawn."""
    return None if facts.known else Refusal("evidence_unknown", "name evidence that counts")


@refuses("reason_not_a_code")
def withdrawal_has_a_reason(facts: WithdrawalFacts) -> Refusal | None:
    """Why, as a code. Source: NEVER 5."""
    return (
        None if is_code(facts.reason) else Refusal("reason_not_a_code", "give the reason by a code")
    )


WITHDRAWAL_POLICIES: tuple[Policy[WithdrawalFacts], ...] = (
    sponsor_answers_for_evidence,
    evidence_was_attached,
    withdrawal_has_a_reason,
)


class PerformanceEvidence(Aggregate):
    """The tests that a force relies on."""

    KIND = "performance evidence"

    def __init__(self, stream: UUID = EVIDENCE) -> None:
        super().__init__(stream)
        self._counting: dict[str, EvidenceAttached] = {}
        self._known: set[str] = set()
        self.of_stand_ins_only = True
        """Whether stand-ins alone have said anything here: nothing measured, nothing withdrawn."""

    def for_use(
        self, wanted: Configuration, requirements: Requirements, on: date
    ) -> EvidenceAttached | None:
        """The newest test that speaks for a configuration on a day."""
        fitting = [
            one
            for one in self._counting.values()
            if not _differences(one, wanted, requirements, on)
        ]
        return max(fitting, key=lambda one: one.tested_on, default=None)

    def counting(self, requirements: Requirements, on: date) -> list[str]:
        """The codes of the tests that are neither withdrawn nor too old on a day."""
        return [
            one.evidence for one in self._counting.values() if not _too_old(one, requirements, on)
        ]

    def shortfall(self, wanted: Configuration, requirements: Requirements, on: date) -> str:
        """Why nothing speaks for a configuration: what keeps the nearest test from it, in words."""
        if not self._counting:
            return "no test is attached"
        nearest = min(
            (_differences(one, wanted, requirements, on) for one in self._counting.values()),
            key=len,
        )
        return "; ".join(nearest)

    # -- decide --------------------------------------------------------------------------------

    def decide_attachment(self, command: AttachEvidence) -> Refused | None:
        """Attach a test's figures."""
        facts = EvidenceFacts(
            role=command.role,
            mode=command.mode,
            codes=(
                command.evidence,
                command.tester,
                command.model_digest,
                *command.settings,
                *command.settings.values(),
            ),
            known=command.evidence in self._known,
            basis=command.basis,
            threshold=command.threshold,
            gallery_size=command.gallery_size,
            tested_on=command.tested_on,
            on=day_of(command.at),
            non_mated=(command.non_mated_searches, command.false_positives),
            mated=(command.mated_searches, command.misses),
        )
        if reasons := refusals(EVIDENCE_POLICIES, facts):
            return Refused(EvidenceRefused, reasons, command, self.id)
        self.happened(
            EvidenceAttached,
            at=command.at,
            evidence=command.evidence,
            model_digest=command.model_digest,
            settings=command.settings,
            threshold=command.threshold,
            gallery_size=command.gallery_size,
            tester=command.tester,
            tested_on=command.tested_on,
            basis=command.basis,
            non_mated_searches=command.non_mated_searches,
            false_positives=command.false_positives,
            mated_searches=command.mated_searches,
            misses=command.misses,
        )
        return None

    def decide_withdrawal(self, command: WithdrawEvidence) -> Refused | None:
        """Say that a test no longer counts."""
        facts = WithdrawalFacts(
            role=command.role, known=command.evidence in self._counting, reason=command.reason
        )
        if reasons := refusals(WITHDRAWAL_POLICIES, facts):
            return Refused(EvidenceRefused, reasons, command, self.id)
        self.happened(
            EvidenceWithdrawn, at=command.at, evidence=command.evidence, reason=command.reason
        )
        return None

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: EvidenceAttached | EvidenceWithdrawn) -> None:
        """Take in one event."""
        match event:
            case EvidenceAttached():
                self._counting[event.evidence] = event
                self._known.add(event.evidence)
                self.of_stand_ins_only &= event.basis == STAND_IN
            case EvidenceWithdrawn():
                del self._counting[event.evidence]
                self.of_stand_ins_only = False
            case _:
                assert_never(event)


def _differences(
    tested: EvidenceAttached, wanted: Configuration, requirements: Requirements, on: date
) -> list[str]:
    """What keeps a test from speaking for a configuration; empty where nothing does."""
    found = []
    if tested.model_digest != wanted.model_digest:
        found.append("another model was tested")
    if tested.threshold != wanted.threshold:
        found.append(f"the test was at {tested.threshold}, wanted {wanted.threshold}")
    if tested.gallery_size < wanted.gallery_size:
        found.append(f"the test searched {tested.gallery_size}, the list has {wanted.gallery_size}")
    if wanted.settings is not None and tested.settings != wanted.settings:
        other = sorted(
            name
            for name in tested.settings.keys() | wanted.settings.keys()
            if tested.settings.get(name) != wanted.settings.get(name)
        )
        found.append(f"other settings were tested: {', '.join(other)}")
    if _too_old(tested, requirements, on):
        found.append(f"the test of {tested.tested_on} is too old")
    return found


def _too_old(tested: EvidenceAttached, requirements: Requirements, on: date) -> bool:
    oldest = on - timedelta(days=requirements.oldest_evidence_days)
    return date.fromisoformat(tested.tested_on) < oldest

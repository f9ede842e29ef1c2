"""Performance evidence: it speaks for exactly what was tested, and for so long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.governance.commands import AttachEvidence, WithdrawEvidence
from domain.governance.events import EvidenceAttached, EvidenceWithdrawn
from domain.governance.evidence import STAND_IN, Configuration, PerformanceEvidence
from domain.governance.requirements import SHIPPED
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from tests.support.builders import AT, MODEL, THRESHOLD, Fact
from tests.support.governed import EVIDENCE, a_test, to
from tests.support.scenarios import given, given_no, happened, refused

Ask = Callable[[PerformanceEvidence], Refused | None]

TODAY = AT.date()
SETTINGS = {"gate_sharpness": "12", "fewest_frames": "3"}
TESTED = a_test(model_digest=MODEL, threshold=THRESHOLD, settings=SETTINGS, on=TODAY)
WANTED = Configuration(MODEL, THRESHOLD, 20_000, SETTINGS)
NOBODY_MEASURED: dict[str, Any] = {
    "basis": STAND_IN,
    "non_mated_searches": 0,
    "false_positives": 0,
    "mated_searches": 0,
    "misses": 0,
}


def attach(role: Role = Role.SPONSOR, mode: Mode = Mode.REHEARSAL, **changes: Any) -> Ask:
    """Ask for a test to be attached, as changed."""
    command = to(AttachEvidence, at=AT, mode=mode, role=role, **(TESTED | changes))
    return lambda one: one.decide_attachment(command)


def withdraw(role: Role = Role.SPONSOR, **changes: Any) -> Ask:
    """Ask for it to count no longer."""
    fields = {"evidence": EVIDENCE, "reason": "test-set-was-biased"} | changes
    command = to(WithdrawEvidence, at=AT, mode=Mode.REHEARSAL, role=role, **fields)
    return lambda one: one.decide_withdrawal(command)


def attached(**changes: Any) -> Fact[PerformanceEvidence]:
    """A test was attached."""
    return Fact(PerformanceEvidence, EvidenceAttached, TESTED | changes)


def withdrawn() -> Fact[PerformanceEvidence]:
    """It counts no longer."""
    fields = {"evidence": EVIDENCE, "reason": "test-set-was-biased"}
    return Fact(PerformanceEvidence, EvidenceWithdrawn, fields)


def after(*asked: Ask) -> PerformanceEvidence:
    """The tests after what was asked."""
    found = PerformanceEvidence()
    for ask in asked:
        assert ask(found) is None
    return found


def shortfall(found: PerformanceEvidence, wanted: Configuration = WANTED) -> str:
    """Why nothing speaks for a configuration today; empty where something does."""
    spoken_for = found.for_use(wanted, SHIPPED, TODAY) is not None
    return "" if spoken_for else found.shortfall(wanted, SHIPPED, TODAY)


def test_a_test_is_attached_and_withdrawn() -> None:
    given_no(PerformanceEvidence).when(attach()).then(happened(attached()))
    given(attached()).when(withdraw()).then(happened(withdrawn()))


# -- what it speaks for ------------------------------------------------------------------------


def test_it_speaks_for_what_was_tested_and_for_a_shorter_list() -> None:
    """More references make more false alerts, so fewer are covered."""
    assert shortfall(after(attach())) == ""
    assert shortfall(after(attach()), replace(WANTED, gallery_size=1)) == ""


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"model_digest": "e" * 64}, "another model was tested"),
        ({"threshold": Decimal("0.58")}, "the test was at 0.62, wanted 0.58"),
        ({"gallery_size": 20_001}, "the test searched 20000, the list has 20001"),
        (
            {"settings": {"gate_sharpness": "3", "most_embeddings": "9"}},
            "other settings were tested: fewest_frames, gate_sharpness, most_embeddings",
        ),
        (
            {"model_digest": "e" * 64, "threshold": Decimal("0.7")},
            "another model was tested; the test was at 0.62, wanted 0.7",
        ),
    ],
)
def test_change_one_thing_and_it_says_nothing(other: dict[str, Any], says: str) -> None:
    assert shortfall(after(attach()), replace(WANTED, **other)) == says


def test_where_the_settings_are_not_known_yet_they_are_not_compared() -> None:
    assert shortfall(after(attach()), replace(WANTED, settings=None)) == ""


def test_it_grows_too_old() -> None:
    last = (TODAY - timedelta(days=SHIPPED.oldest_evidence_days)).isoformat()
    assert shortfall(after(attach(tested_on=last))) == ""
    older = (TODAY - timedelta(days=SHIPPED.oldest_evidence_days + 1)).isoformat()
    assert shortfall(after(attach(tested_on=older))) == f"the test of {older} is too old"


def test_without_any_it_says_so() -> None:
    assert shortfall(PerformanceEvidence()) == "no test is attached"
    assert shortfall(after(attach(), withdraw())) == "no test is attached"


def test_the_nearest_test_is_the_one_that_is_told() -> None:
    far = attach(evidence="far", model_digest="e" * 64, threshold=Decimal("0.4"))
    near = attach(evidence="near", threshold=Decimal("0.5"))
    assert shortfall(after(far, near)) == "the test was at 0.5, wanted 0.62"


def test_the_newest_of_several_speaks() -> None:
    older = attach(evidence="older", tested_on="2026-01-01")
    found = after(attach(), older).for_use(WANTED, SHIPPED, TODAY)
    assert found is not None and found.evidence == EVIDENCE


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.SPONSOR])
def test_nobody_but_the_sponsor_answers_for_it(role: Role) -> None:
    given_no(PerformanceEvidence).when(attach(role)).then(
        refused("not_the_sponsor", kept_as="algorithm.evidence_refused")
    )
    given(attached()).when(withdraw(role)).then(refused("not_the_sponsor"))


def test_what_nobody_measured_serves_a_rehearsal_only() -> None:
    (
        given_no(PerformanceEvidence)
        .when(attach(**NOBODY_MEASURED))
        .then(happened(attached(**NOBODY_MEASURED)))
    )
    (
        given_no(PerformanceEvidence)
        .when(attach(mode=Mode.OPERATIONAL, **NOBODY_MEASURED))
        .then(refused("basis_not_true"))
    )
    given_no(PerformanceEvidence).when(attach(basis="vendor-says-so")).then(
        refused("basis_not_true")
    )


@pytest.mark.parametrize(
    "impossible",
    [
        {"false_positives": 60_001},
        {"misses": -1},
        {"mated_searches": 0, "misses": 0},
        {"non_mated_searches": 0, "false_positives": 0},
        {"gallery_size": 0},
        {"threshold": Decimal("NaN")},
        {"threshold": Decimal("1")},
        {"basis": STAND_IN},
        NOBODY_MEASURED | {"basis": "measured"},
    ],
)
def test_impossible_figures_are_refused(impossible: dict[str, Any]) -> None:
    given_no(PerformanceEvidence).when(attach(**impossible)).then(refused("figures_impossible"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tester": "The Laboratory"}, "not_a_code"),
        ({"settings": {"note": "Tested on Jane Doe."}}, "not_a_code"),
        ({"settings": {"Jane Doe": "1"}}, "not_a_code"),
        ({"tested_on": (TODAY + timedelta(days=1)).isoformat()}, "tested_in_the_future"),
        ({"tested_on": "last year"}, "tested_in_the_future"),
    ],
)
def test_a_test_that_is_not_as_it_must_be_is_refused(changes: dict[str, Any], code: str) -> None:
    given_no(PerformanceEvidence).when(attach(**changes)).then(refused(code))


def test_a_code_names_one_test_for_ever() -> None:
    given(attached()).when(attach()).then(refused("evidence_known"))
    given(attached(), withdrawn()).when(attach()).then(refused("evidence_known"))


def test_a_withdrawal_names_what_counts_and_says_why() -> None:
    given_no(PerformanceEvidence).when(withdraw()).then(refused("evidence_unknown"))
    given(attached()).when(withdraw(reason="It was biased.")).then(refused("reason_not_a_code"))


# -- stand-ins ---------------------------------------------------------------------------------


def test_stand_ins_are_told_from_those_that_somebody_measured() -> None:
    """Once a person has said anything, stand-ins add nothing."""
    assert PerformanceEvidence().of_stand_ins_only
    assert after(attach(**NOBODY_MEASURED)).of_stand_ins_only
    assert not after(attach()).of_stand_ins_only
    assert not after(attach(**NOBODY_MEASURED), withdraw()).of_stand_ins_only

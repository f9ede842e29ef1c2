"""The programme: paused by its sponsor, resumed with evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.governance.commands import PauseProgramme, ResumeProgramme
from domain.governance.events import ProgrammePaused, ProgrammeResumed
from domain.governance.programme import Programme
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from tests.support.builders import AT, Fact
from tests.support.governed import SPONSOR, to
from tests.support.scenarios import given, given_no, happened, refused

Ask = Callable[[Programme], Refused | None]

PAUSED = {"officer": SPONSOR, "reason": "disparity-under-review"}
RESUMED = {"officer": SPONSOR, "reason": "retested", "evidence": ["test-2"]}


def pause(role: Role = Role.SPONSOR, reason: str = PAUSED["reason"]) -> Ask:
    """Ask for a pause."""
    command = to(PauseProgramme, at=AT, mode=Mode.REHEARSAL, role=role, reason=reason)
    return lambda one: one.decide_pause(command)


def resume(role: Role = Role.SPONSOR, **changes: Any) -> Ask:
    """Ask for its end."""
    fields = {"reason": "retested", "evidence": ["test-2"]} | changes
    command = to(ResumeProgramme, at=AT, mode=Mode.REHEARSAL, role=role, **fields)
    return lambda one: one.decide_resumption(command)


def paused() -> Fact[Programme]:
    """Nothing starts."""
    return Fact(Programme, ProgrammePaused, PAUSED)


def resumed() -> Fact[Programme]:
    """Deployments may start again."""
    return Fact(Programme, ProgrammeResumed, RESUMED)


def test_it_is_paused_and_resumed_and_paused_again() -> None:
    given_no(Programme).when(pause()).then(happened(paused()))
    given(paused()).when(resume()).then(happened(resumed()))
    given(paused(), resumed()).when(pause()).then(happened(paused()))


def test_one_pause_at_a_time_and_nothing_to_resume_without_one() -> None:
    given(paused()).when(pause()).then(
        refused("already_paused", kept_as="programme.change_refused")
    )
    given_no(Programme).when(resume()).then(refused("not_paused"))


def test_it_is_not_resumed_without_evidence() -> None:
    given(paused()).when(resume(evidence=[])).then(refused("resumed_without_evidence"))


@pytest.mark.parametrize("changes", [{"reason": "All is well."}, {"evidence": ["A letter"]}])
def test_reason_and_evidence_are_codes(changes: dict[str, Any]) -> None:
    given(paused()).when(resume(**changes)).then(refused("not_a_code"))
    given_no(Programme).when(pause(reason="We worry.")).then(refused("not_a_code"))


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.SPONSOR])
def test_nobody_but_the_sponsor_pauses_or_resumes(role: Role) -> None:
    given_no(Programme).when(pause(role)).then(refused("not_the_sponsor"))
    given(paused()).when(resume(role)).then(refused("not_the_sponsor"))

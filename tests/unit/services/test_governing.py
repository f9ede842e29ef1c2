"""What a deployment needs of the force, over whole histories: missing, then there, then gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.alerts.events import AlertAdjudicated
from domain.deployments.events import DeploymentAuthorised, DeploymentStarted
from domain.governance import commands as asked
from domain.governance.requirements import SHIPPED
from domain.kernel.commands import Role
from domain.kernel.refusals import Refused
from domain.services import alerts, deployments, governance
from domain.services.governance import Governance
from tests.support import builders as a
from tests.support.governed import DPO, EVIDENCE, PINNED, VERSION, to
from tests.support.scenarios import Scene, agreed

NOTHING_IN_FORCE = ["documents_not_in_force", "screening_unanswered", "evidence_missing"]
UNTRAINED = "training_lapsed"


def says(scene: Scene, command: type[Any], serve: Callable[..., Any], **fields: Any) -> Any:
    """Someone says something about what is in force, and it is taken down."""
    return agreed(serve(scene.outside, to(command, **scene.by, **fields)))


def authorised(scene: Scene) -> Any:
    """What asking for the authorisation comes to."""
    return deployments.authorise(scene.outside, a.to_authorise(**scene.by))


def started(scene: Scene, **changes: Any) -> Any:
    """What asking for a start comes to."""
    return deployments.start(scene.outside, a.to_start(**scene.by, **changes))


def ready() -> Scene:
    """Authorised, with everything in force."""
    return Scene().applied().listed().authorised()


def test_with_nothing_in_force_the_refusal_names_each_thing() -> None:
    answer = authorised(Scene().applied().listed().reported())
    assert isinstance(answer, Refused)
    assert answer.codes == NOTHING_IN_FORCE
    compared = {one.code: one.compared for one in answer.reasons}
    assert compared["documents_not_in_force"] == dict.fromkeys(SHIPPED.documents, "none in force")
    assert compared["screening_unanswered"] == {"questions": ", ".join(SHIPPED.questions)}
    assert compared["evidence_missing"] == {"nearest_test": "no test is attached"}


def test_authorisation_and_start_keep_what_they_rest_on() -> None:
    scene = Scene().running()
    for kind in (DeploymentAuthorised, DeploymentStarted):
        (kept,) = scene.events(kind)
        assert {name: getattr(kept, name) for name in PINNED} == PINNED


def test_a_document_that_expires_inside_the_window_is_lacking() -> None:
    scene = Scene().applied().listed().in_force()
    says(
        scene,
        asked.RegisterPolicyDocument,
        governance.register_document,
        kind="eia",
        version="1-day",
        valid_from=a.AT.date().isoformat(),
        valid_until=a.AT.date().isoformat(),
        digest="ab" * 32,
    )
    until = a.AT + timedelta(days=1)
    answer = deployments.authorise(scene.outside, a.to_authorise(**scene.by, valid_until=until))
    assert isinstance(answer, Refused)
    assert "documents_not_in_force" in answer.codes
    (reason,) = [one for one in answer.reasons if one.code == "documents_not_in_force"]
    assert reason.compared == {"eia": f"version 1-day expired on {a.AT.date()}"}


WITHDRAWALS: dict[str, tuple[type[Any], Callable[..., Any], dict[str, Any], str]] = {
    "a document": (
        asked.WithdrawPolicyDocument,
        governance.withdraw_document,
        {"kind": "apd", "version": VERSION, "reason": "court-order"},
        "documents_not_in_force",
    ),
    "the evidence": (
        asked.WithdrawEvidence,
        governance.withdraw_evidence,
        {"evidence": EVIDENCE, "reason": "test-set-was-biased"},
        "evidence_missing",
    ),
    "the operator's course": (
        asked.WithdrawTraining,
        governance.withdraw_training,
        {"person": a.OPERATOR, "course": "lfr-operator", "reason": "failed-refresher"},
        UNTRAINED,
    ),
    "the programme": (
        asked.PauseProgramme,
        governance.pause_programme,
        {"reason": "disparity-under-review"},
        "programme_paused",
    ),
}


@pytest.mark.parametrize("what", WITHDRAWALS)
def test_what_is_withdrawn_after_the_authorisation_stops_the_start(what: str) -> None:
    command, serve, fields, code = WITHDRAWALS[what]
    scene = ready()
    says(scene, command, serve, **fields)
    answer = started(scene)
    assert isinstance(answer, Refused)
    assert answer.codes == [code]
    assert scene.events(DeploymentStarted) == []
    assert scene.refusals()[-1] == [code]


def test_without_anyone_to_adjudicate_nothing_starts() -> None:
    scene = ready()
    for person in (a.ENGAGEMENT_OFFICER, a.ANOTHER_ENGAGEMENT_OFFICER):
        says(
            scene,
            asked.WithdrawTraining,
            governance.withdraw_training,
            person=person,
            course="lfr-adjudicator",
            reason="failed-refresher",
        )
    answer = started(scene)
    assert isinstance(answer, Refused)
    (reason,) = answer.reasons
    assert (reason.code, reason.compared) == (UNTRAINED, {"engagement_officer": "lfr-adjudicator"})


def test_other_settings_than_those_tested_do_not_start() -> None:
    """At the authorisation they were not known; at the start they are."""
    answer = started(ready(), recogniser_settings={"cool_down_ms": "1"})
    assert isinstance(answer, Refused)
    (reason,) = answer.reasons
    assert reason.code == "evidence_missing"
    assert reason.compared == {"nearest_test": "other settings were tested: cool_down_ms"}


def test_a_new_version_of_the_dpia_is_advised_on_and_approved_before_it_counts() -> None:
    scene = ready()
    today = a.AT.date().isoformat()
    says(
        scene,
        asked.RegisterPolicyDocument,
        governance.register_document,
        kind="dpia-2",
        version="2.1",
        valid_from=today,
        valid_until="2027-11-01",
        digest="ab" * 32,
    )
    answer = started(scene)
    assert isinstance(answer, Refused)
    (reason,) = answer.reasons
    assert reason.code == "dpia_not_approved"
    assert reason.compared == {"dpia-2": "version 2.1 is not approved"}
    says(
        scene,
        asked.RecordDpoAdvice,
        governance.record_advice,
        actor=DPO,
        role=Role.DPO,
        version="2.1",
        advice="proceed",
    )
    says(
        scene,
        asked.ApproveDpia,
        governance.approve_dpia,
        version="2.1",
        advice_followed=True,
        reason="",
        commences_on=(a.AT.date() + timedelta(days=1)).isoformat(),
    )
    answer = started(scene)
    assert isinstance(answer, Refused)
    assert answer.codes == ["before_commencement"]


def test_where_every_answer_is_no_no_stage_2_is_demanded() -> None:
    scene = Scene().applied().listed().in_force()
    says(
        scene,
        asked.AnswerScreening,
        governance.answer_screening,
        answers=dict.fromkeys(SHIPPED.questions, False),
    )
    says(
        scene,
        asked.WithdrawPolicyDocument,
        governance.withdraw_document,
        kind="dpia-2",
        version=VERSION,
        reason="not-demanded",
    )
    scene.authorised().started()


def test_requirements_that_ask_for_more_are_asked_from_then_on() -> None:
    scene = ready()
    more = SHIPPED.as_adopted() | {
        "version": "2027-1",
        "documents": dict(SHIPPED.documents) | {"radio-plan": "in-force"},
    }
    says(scene, asked.AdoptRequirements, governance.adopt_requirements, **more)
    answer = started(scene)
    assert isinstance(answer, Refused)
    (reason,) = answer.reasons
    assert reason.compared == {"radio-plan": "none in force"}


def test_an_officer_whose_course_lapsed_does_not_adjudicate() -> None:
    scene = Scene().running().alerted().viewed()
    says(
        scene,
        asked.WithdrawTraining,
        governance.withdraw_training,
        person=a.ENGAGEMENT_OFFICER,
        course="lfr-adjudicator",
        reason="failed-refresher",
    )
    answer = alerts.adjudicate(scene.outside, a.to_decide(basis=scene.basis, **scene.by))
    assert isinstance(answer, Refused)
    assert answer.codes == [UNTRAINED]
    assert scene.events(AlertAdjudicated) == []


def test_what_changes_between_decision_and_record_is_decided_anew() -> None:
    """A pause that comes in between stops the very start that was being decided."""
    scene = ready()
    scene.record.meanwhile = [
        lambda: says(scene, asked.PauseProgramme, governance.pause_programme, reason="stop-it")
    ]
    answer = started(scene)
    assert isinstance(answer, Refused)
    assert answer.codes == ["programme_paused"]


def test_a_start_is_lawful_again_once_the_programme_is_resumed() -> None:
    scene = ready()
    says(scene, asked.PauseProgramme, governance.pause_programme, reason="stop-it")
    assert isinstance(started(scene), Refused)
    says(
        scene,
        asked.ResumeProgramme,
        governance.resume_programme,
        reason="retested",
        evidence=["test-2"],
    )
    scene.started()


def test_the_same_command_again_changes_nothing() -> None:
    scene = Scene()
    command = to(asked.PauseProgramme, **scene.by, reason="stop-it")
    agreed(governance.pause_programme(scene.outside, command))
    before = scene.names()
    agreed(governance.pause_programme(scene.outside, command))
    assert scene.names() == before
    assert Governance.of(scene.outside).programme.paused

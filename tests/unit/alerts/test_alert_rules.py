"""An alert: each rule holds, and what is refused is refused with every reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.alerts.aggregate import Alert
from domain.alerts.commands import DecisionKind, RecordDissent
from domain.alerts.events import DissentRecorded, RaiseRefused
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from tests.support.builders import (
    ALERT,
    AT,
    CAMERA,
    DEPLOYMENT,
    ENGAGEMENT_OFFICER,
    ITEMS_OF_THE_ALERT,
    MODEL,
    OTHER_ENTRY,
    RUN,
    THRESHOLD,
    WATCHLIST,
    WINDOW,
    Fact,
    an_alert,
    closed,
    decided,
    everything_stands,
    material,
    to_close,
    to_decide,
    to_raise,
    to_view,
    viewed,
)
from tests.support.scenarios import given, given_no, happened, nothing_happened, refused

MAY_VIEW = (Role.ENGAGEMENT_OFFICER, Role.OPERATOR)
NOT_DECIDING = [role for role in Role if role is not Role.ENGAGEMENT_OFFICER]

Ask = Callable[[Alert], Refused | None]


def raise_(command: dict[str, Any] | None = None, **facts: Any) -> Ask:
    """Ask for an alert, with what it rests on as changed."""
    return lambda one: one.decide_raise(
        to_raise(**(command or {})),
        everything_stands(**facts),
        watchlist=WATCHLIST,
        items=ITEMS_OF_THE_ALERT,
    )


def view(**changes: Any) -> Ask:
    """Ask for a look."""
    return lambda one: one.decide_view(to_view(**changes))


def decide(*, stand_ins: bool = True, trained: bool = True, **changes: Any) -> Ask:
    """Ask for a decision."""
    return lambda one: one.decide_adjudication(
        to_decide(**changes), stand_ins=stand_ins, trained=trained, note_item=None
    )


# -- raising -----------------------------------------------------------------------------------


def test_an_alert_is_recorded_without_the_similarity() -> None:
    """Which face, which entry, which threshold and model, and where its material is kept."""
    given_no(Alert).when(raise_()).then(happened(an_alert()))


def test_an_alert_without_a_wide_frame_says_why() -> None:
    """What is missing is missing for a reason."""
    kept = material(wide_frame=None, wide_frame_omitted="bystander-not-masked")
    given_no(Alert).when(raise_({"material": kept})).then(
        happened(an_alert(wide_frame_omitted="bystander-not-masked"))
    )


@pytest.mark.parametrize("live", [None, OTHER_ENTRY])
def test_no_alert_while_recognition_is_off_or_another_run_is_on(live: Any) -> None:
    """An alert belongs to recognition that is switched on."""
    given_no(Alert).when(raise_(live_run=live)).then(
        refused("run_not_live", kept_as="alert.raise_refused")
    )


@pytest.mark.parametrize("at", [AT - timedelta(milliseconds=1), AT + WINDOW])
def test_no_alert_outside_the_authorised_window(at: Any) -> None:
    """Before its first instant, or from its end on."""
    given_no(Alert).when(raise_(at=at)).then(refused("outside_the_authorised_window"))


def test_no_alert_without_an_authorisation() -> None:
    """Neither a window, nor a threshold, nor a model was authorised."""
    (
        given_no(Alert)
        .when(raise_(valid_from=None, valid_until=None))
        .then(refused("not_authorised", compared={}))
    )


@pytest.mark.parametrize("facts", [{"camera": "camera-2"}, {"inside_zone": False}])
def test_no_alert_outside_the_authorised_cameras_and_zones(facts: dict[str, Any]) -> None:
    """Another camera, or a face beside the zone."""
    given_no(Alert).when(raise_(**facts)).then(
        refused("outside_the_zone", compared={"camera": facts.get("camera", CAMERA)})
    )


def test_no_alert_for_someone_who_is_not_on_the_list() -> None:
    """The entry is live on the approved list at that instant."""
    given_no(Alert).when(raise_(entry_listed=False)).then(refused("entry_not_listed"))


@pytest.mark.parametrize("authorised", [Decimal("0.70"), Decimal("0.60"), None])
def test_no_alert_with_another_threshold_than_the_authorised_one(authorised: Any) -> None:
    """Neither lower nor higher."""
    given_no(Alert).when(raise_(authorised_threshold=authorised)).then(
        refused(
            "threshold_not_authorised",
            compared={"used": str(THRESHOLD), "authorised": str(authorised)},
        )
    )


def test_no_alert_with_another_model_than_the_authorised_one() -> None:
    """C-13: the threshold was authorised for one model."""
    given_no(Alert).when(raise_(authorised_model="e" * 64)).then(
        refused("model_not_authorised", compared={"used": MODEL, "authorised": "e" * 64})
    )


def test_a_wrong_threshold_does_not_hide_a_wrong_model() -> None:
    """Both are said, so that nobody mends the one and then learns of the other."""
    (
        given_no(Alert)
        .when(raise_(authorised_threshold=Decimal("0.7"), authorised_model="e" * 64))
        .then(refused("threshold_not_authorised", "model_not_authorised"))
    )


def test_a_refused_alert_tells_every_reason_at_once() -> None:
    """All five rules speak."""
    (
        given_no(Alert)
        .when(
            raise_(
                live_run=None,
                at=AT + WINDOW,
                inside_zone=False,
                entry_listed=False,
                authorised_threshold=Decimal("0.7"),
            )
        )
        .then(
            refused(
                "run_not_live",
                "outside_the_authorised_window",
                "outside_the_zone",
                "entry_not_listed",
                "threshold_not_authorised",
            )
        )
    )


def test_a_refused_alert_still_says_which_face_it_was_about() -> None:
    """So that the sums of the run balance though nobody was alerted."""
    answer = given_no(Alert).when(raise_({"ordinal": 7}, entry_listed=False)).answer
    assert answer is not None
    kept = answer.recorded()
    assert isinstance(kept, RaiseRefused)
    assert (kept.run, kept.camera, kept.ordinal, kept.template_life_ms) == (RUN, CAMERA, 7, 40)


# -- viewing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", MAY_VIEW)
def test_engagement_officers_and_operators_look_at_alerts(role: Role) -> None:
    """The look names the officer."""
    given(an_alert()).when(view(role=role)).then(happened(viewed()))


@pytest.mark.parametrize("role", [role for role in Role if role not in MAY_VIEW])
def test_nobody_else_looks_at_alerts(role: Role) -> None:
    """Every other role is told so."""
    given(an_alert()).when(view(role=role)).then(
        refused("role_may_not_view", kept_as="alert.view_refused", compared={"role": role.value})
    )


def test_a_closed_alert_is_not_looked_at() -> None:
    """After the close there is nothing left to look at."""
    given(an_alert(), closed()).when(view()).then(refused("alert_closed"))


def test_a_decided_alert_may_be_looked_at_again() -> None:
    """Until its items are gone."""
    given(an_alert(), viewed(), decided()).when(view()).then(happened(viewed()))


def test_a_refused_look_tells_every_reason_at_once() -> None:
    """Both rules speak."""
    given(an_alert(), closed()).when(view(role=Role.APPLICANT)).then(
        refused("role_may_not_view", "alert_closed")
    )


# -- deciding ----------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", [kind.value for kind in DecisionKind])
def test_a_decision_is_recorded_with_its_factors(decision: str) -> None:
    """Viable, not viable or insufficient."""
    given(an_alert(), viewed()).when(decide(decision=decision)).then(
        happened(decided(decision=decision))
    )


@pytest.mark.parametrize("role", NOT_DECIDING)
def test_only_an_engagement_officer_decides(role: Role) -> None:
    """An operator supports, and does not decide."""
    given(an_alert(), viewed()).when(decide(role=role)).then(
        refused(
            "not_an_engagement_officer",
            kept_as="alert.adjudication_refused",
            compared={"role": role.value},
        )
    )


@pytest.mark.parametrize("past", [(an_alert(),), (an_alert(), viewed(officer="staff:other"))])
def test_who_did_not_look_does_not_decide(past: tuple[Fact[Alert], ...]) -> None:
    """Somebody else's look does not count."""
    given(*past).when(decide()).then(refused("not_viewed"))


def test_a_second_decision_is_refused() -> None:
    """Deciding twice changes nothing but the record of the attempt."""
    given(an_alert(), viewed(), decided()).when(decide(decision="not_viable")).then(
        refused("already_decided")
    )


def test_a_closed_alert_stays_undetermined() -> None:
    """Nobody decides it afterwards."""
    given(an_alert(), viewed(), closed()).when(decide()).then(refused("alert_closed"))


@pytest.mark.parametrize("decision", ["", "identified", "VIABLE"])
def test_a_decision_is_one_of_three(decision: str) -> None:
    """Anything else, above all a claim of identity, is refused."""
    given(an_alert(), viewed()).when(decide(decision=decision)).then(refused("decision_unknown"))


@pytest.mark.parametrize("kind", ["subject_factors", "system_factors", "environmental_factors"])
def test_a_decision_without_a_factor_of_each_kind_is_refused(kind: str) -> None:
    """Regard is had to subject, system and environment."""
    none: dict[str, Any] = {kind: []}
    given(an_alert(), viewed()).when(decide(**none)).then(refused("factors_missing"))


@pytest.mark.parametrize(
    ("stand_ins", "basis", "said"),
    [
        (True, "own-judgement", "own-judgement"),
        (False, "scripted-rule", "scripted-rule"),
        (True, "", "unknown"),
        (False, "a colleague said so", "unknown"),
    ],
)
def test_a_decision_says_truly_who_made_it(stand_ins: bool, basis: str, said: str) -> None:
    """A script calls itself a script, and no person hides behind one."""
    given(an_alert(), viewed()).when(decide(stand_ins=stand_ins, basis=basis)).then(
        refused("basis_not_true", compared={"basis": said})
    )


@pytest.mark.parametrize("kind", ["subject_factors", "system_factors", "environmental_factors"])
@pytest.mark.parametrize("factor", ["", "John Smith of 12 High Street"])
def test_a_factor_is_a_code_and_no_sentence(kind: str, factor: str) -> None:
    """It stands in the record for ever; a sentence goes into the note."""
    said: dict[str, Any] = {kind: [factor]}
    given(an_alert(), viewed()).when(decide(**said)).then(refused("not_a_code"))


def test_a_persons_decision_is_their_own_judgement() -> None:
    """Where authenticated officers decide."""
    given(an_alert(), viewed()).when(decide(stand_ins=False, basis="own-judgement")).then(
        happened(decided(basis="own-judgement"))
    )


def test_free_text_is_recorded_as_a_reference_into_the_vault() -> None:
    """The event never holds the text."""
    note = ITEMS_OF_THE_ALERT["alert_detail"]
    (
        given(an_alert(), viewed())
        .when(
            lambda one: one.decide_adjudication(
                to_decide(note="he looked familiar"), stand_ins=True, trained=True, note_item=note
            )
        )
        .then(happened(decided(note_item=note)))
    )


def test_a_refused_decision_tells_every_reason_at_once() -> None:
    """All seven rules speak."""
    (
        given(an_alert(), viewed(officer="staff:other"), decided(), closed())
        .when(decide(role=Role.OPERATOR, decision="identified", subject_factors=[], basis=""))
        .then(
            refused(
                "not_an_engagement_officer",
                "not_viewed",
                "already_decided",
                "alert_closed",
                "decision_unknown",
                "factors_missing",
                "basis_not_true",
            )
        )
    )


# -- closing -----------------------------------------------------------------------------------


def close(one: Alert) -> None:
    """The time is up."""
    one.close_undetermined(to_close())


@pytest.mark.parametrize("past", [(an_alert(),), (an_alert(), viewed())])
def test_an_alert_that_nobody_decided_is_closed_as_undetermined(
    past: tuple[Fact[Alert], ...],
) -> None:
    """A look is no decision."""
    given(*past).when(lambda one: close(one)).then(happened(closed()))


@pytest.mark.parametrize("settled", [decided(), closed()])
def test_an_alert_that_was_settled_stays_as_it_is(settled: Fact[Alert]) -> None:
    """A decision is not overwritten by the close, and a close is said once."""
    given(an_alert(), viewed(), settled).when(lambda one: close(one)).then(nothing_happened())


def test_the_officer_who_decided_is_the_one_who_asked() -> None:
    """And had looked themselves."""
    other = "staff:another-engagement-officer"
    given(an_alert(), viewed(officer=other)).when(decide(actor=other)).then(
        happened(decided(officer=other))
    )
    assert other != ENGAGEMENT_OFFICER


# -- another view ------------------------------------------------------------------------------

OTHER = "staff:engagement-officer-2"
DISSENT: dict[str, Any] = {
    "deployment": DEPLOYMENT,
    "alert": ALERT,
    "decision": "not_viable",
    "subject_factors": ["other-nose"],
    "system_factors": ["above-threshold"],
    "environmental_factors": ["low-light"],
    "basis": "scripted-rule",
}


def dissent(*, trained: bool = True, role: Role = Role.ENGAGEMENT_OFFICER, **changes: Any) -> Ask:
    """Ask for another view to be kept."""
    by: dict[str, Any] = {
        "scope": DEPLOYMENT.hex,
        "mode": Mode.REHEARSAL,
        "actor": OTHER,
        "role": role,
        "at": AT,
    }
    command = RecordDissent(**(by | DISSENT | changes))
    return lambda one: one.decide_dissent(command, stand_ins=True, trained=trained)


def dissented() -> Fact[Alert]:
    """Another view was kept."""
    told = {name: value for name, value in DISSENT.items() if name not in ("deployment", "alert")}
    return Fact(Alert, DissentRecorded, told | {"officer": OTHER})


DECIDED = (an_alert(), viewed(), viewed(officer=OTHER), decided())


def test_a_late_second_decision_is_kept_as_dissent_and_the_first_stands() -> None:
    given(*DECIDED).when(dissent()).then(happened(dissented()))
    alert = Alert(ALERT)
    for number, fact in enumerate((*DECIDED, dissented()), start=1):
        alert.follow(fact.placed(ALERT, number))
    assert alert.decision == "viable"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"decision": "viable"}, "no_dissent"),
        ({"decision": "perhaps"}, "decision_unknown"),
        ({"actor": "staff:stranger"}, "not_viewed"),
        ({"actor": ENGAGEMENT_OFFICER}, "own_decision"),
        ({"subject_factors": []}, "factors_missing"),
        ({"subject_factors": ["He looks different."]}, "not_a_code"),
        ({"basis": "own-judgement"}, "basis_not_true"),
        ({"trained": False}, "training_lapsed"),
        ({"role": Role.OPERATOR}, "not_an_engagement_officer"),
    ],
)
def test_another_view_is_held_to_what_a_decision_is_held_to(
    changes: dict[str, Any], code: str
) -> None:
    given(*DECIDED).when(dissent(**changes)).then(refused(code, kept_as="alert.dissent_refused"))


def test_before_anyone_decided_there_is_nothing_to_dissent_from() -> None:
    given(an_alert(), viewed(officer=OTHER)).when(dissent()).then(refused("not_decided"))


def test_nobody_dissents_twice() -> None:
    given(*DECIDED, dissented()).when(dissent(decision="insufficient")).then(
        refused("own_decision")
    )

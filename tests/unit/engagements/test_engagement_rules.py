"""After a viable possible match: who may act, in what order, and what may be said of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.engagements import commands as asked
from domain.engagements import events as happened_events
from domain.engagements.aggregate import Engagement, codes
from domain.engagements.policies import Beforehand
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from tests.support.builders import ALERT, AT, DEPLOYMENT, ENGAGEMENT_OFFICER, Fact
from tests.support.scenarios import given, given_no, happened, refused

Ask = Callable[[Engagement], Refused | None]

COLLEAGUE = "staff:engagement-officer-2"
BYSTANDER = "staff:engagement-officer-3"
REVIEWER = "staff:auditor"
OFFICERS = [ENGAGEMENT_OFFICER, COLLEAGUE]
VIABLE = Beforehand(decision="viable", adjudicator=ENGAGEMENT_OFFICER, closed=False)
OTHERS = [one for one in Role if one is not Role.ENGAGEMENT_OFFICER]


def to(command: type[asked.OnAlert], **fields: Any) -> Any:
    """A command of the engagement officer's, or as the fields say."""
    by: dict[str, Any] = {
        "scope": DEPLOYMENT.hex,
        "mode": Mode.REHEARSAL,
        "actor": ENGAGEMENT_OFFICER,
        "role": Role.ENGAGEMENT_OFFICER,
        "at": AT,
        "deployment": DEPLOYMENT,
        "alert": ALERT,
    }
    return command(**(by | fields))


def start(before: Beforehand = VIABLE, *, trained: bool = True, **changes: Any) -> Ask:
    """Ask to speak to the person."""
    fields = {"officers": OFFICERS, "power": "stop-and-account"} | changes
    command = to(asked.StartEngagement, **fields)
    return lambda one: one.decide_start(command, before, trained=trained)


def identify(**changes: Any) -> Ask:
    """Ask for what was established to be taken down."""
    fields = {"identity": "same", "method": "documents"} | changes
    return lambda one: one.decide_identity(to(asked.EstablishIdentity, **fields))


def inform(**changes: Any) -> Ask:
    """Ask for it to be taken down that card and rights were given."""
    fields = {"information": "given"} | changes
    return lambda one: one.decide_information(to(asked.GiveInformation, **fields))


def end(**changes: Any) -> Ask:
    """Ask for the end to be taken down."""
    fields = {"duration": "under-5", "force_used": False, "handcuffed": False} | changes
    return lambda one: one.decide_end(to(asked.EndEngagement, **fields))


def outcome(*codes: str, arrest_decided: bool = False, **changes: Any) -> Ask:
    """Ask for an outcome to be recorded."""
    command = to(asked.RecordOutcome, outcomes=list(codes or ("no-further-action",)), **changes)
    return lambda one: one.decide_outcome(command, arrest_decided=arrest_decided)


def correct(*codes: str, reason: str = "charge-dropped", **changes: Any) -> Ask:
    """Ask for another outcome to take its place."""
    command = to(asked.CorrectOutcome, outcomes=list(codes), reason=reason, **changes)
    return lambda one: one.decide_correction(command, arrest_decided=True)


def not_located(before: Beforehand = VIABLE, **changes: Any) -> Ask:
    """Ask for it to be taken down that nobody was found."""
    return lambda one: one.decide_not_located(to(asked.ReportNotLocated, **changes), before)


def review(before: Beforehand = VIABLE, **changes: Any) -> Ask:
    """Ask for the review of a false alert to be taken down."""
    fields = {
        "actor": REVIEWER,
        "role": Role.AUDITOR,
        "causes": ["look-alike"],
        "actions": ["threshold-review"],
    } | changes
    return lambda one: one.decide_review(to(asked.ReviewFalseAlert, **fields), before)


def a_fact(event: type[Any], **fields: Any) -> Fact[Engagement]:
    """Something that happened after the alert."""
    return Fact(Engagement, event, fields)


STARTED = a_fact(
    happened_events.EngagementStarted,
    alert=ALERT,
    officers=OFFICERS,
    power="stop-and-account",
    codes=codes().version,
)
INFORMED = a_fact(
    happened_events.InformationGiven, alert=ALERT, officer=ENGAGEMENT_OFFICER, information="given"
)
ENDED = a_fact(
    happened_events.EngagementEnded,
    alert=ALERT,
    officer=ENGAGEMENT_OFFICER,
    duration="under-5",
    force_used=False,
    handcuffed=False,
)
NOT_LOCATED = a_fact(happened_events.PersonNotLocated, alert=ALERT, officer=ENGAGEMENT_OFFICER)
REVIEWED = a_fact(
    happened_events.FalseAlertReviewed,
    alert=ALERT,
    reviewer=REVIEWER,
    causes=["look-alike"],
    actions=["threshold-review"],
    codes=codes().version,
)


def identified(identity: str = "same") -> Fact[Engagement]:
    """Identity was established."""
    return a_fact(
        happened_events.IdentityEstablished,
        alert=ALERT,
        officer=ENGAGEMENT_OFFICER,
        identity=identity,
        method="documents",
    )


def recorded(*outcomes: str) -> Fact[Engagement]:
    """An outcome was recorded."""
    return a_fact(
        happened_events.OutcomeRecorded,
        alert=ALERT,
        officer=ENGAGEMENT_OFFICER,
        outcomes=list(outcomes),
    )


OVER = (STARTED, identified(), INFORMED, ENDED)


# -- speaking to somebody ----------------------------------------------------------------------


def test_an_engagement_from_the_first_word_to_the_outcome() -> None:
    given_no(Engagement).when(start()).then(happened(STARTED))
    given(STARTED).when(identify()).then(happened(identified()))
    given(STARTED, identified()).when(inform()).then(happened(INFORMED))
    given(STARTED, identified(), INFORMED).when(end()).then(happened(ENDED))
    given(*OVER).when(outcome()).then(happened(recorded("no-further-action")))


@pytest.mark.parametrize("decision", [None, "not_viable", "insufficient"])
def test_nobody_is_spoken_to_before_a_viable_adjudication(decision: str | None) -> None:
    before = Beforehand(decision=decision, adjudicator=ENGAGEMENT_OFFICER, closed=False)
    (
        given_no(Engagement)
        .when(start(before))
        .then(
            refused(
                "alert_not_viable",
                kept_as="engagement.start_refused",
                compared={"decision": decision or "none"},
            )
        )
    )


def test_an_alert_that_was_closed_leads_to_nobody() -> None:
    closed = Beforehand(decision=None, adjudicator=None, closed=True)
    given_no(Engagement).when(start(closed)).then(refused("alert_closed"))
    given_no(Engagement).when(not_located(closed)).then(refused("alert_closed"))


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize("ask", [start, not_located])
def test_only_an_engagement_officer_acts(role: Role, ask: Callable[..., Ask]) -> None:
    given_no(Engagement).when(ask(role=role)).then(refused("not_an_engagement_officer"))


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize("ask", [identify, inform])
def test_only_an_engagement_officer_says_what_happened(role: Role, ask: Callable[..., Ask]) -> None:
    given(STARTED).when(ask(role=role)).then(refused("not_an_engagement_officer"))


def test_an_officer_whose_course_lapsed_engages_nobody() -> None:
    given_no(Engagement).when(start(trained=False)).then(refused("training_lapsed"))


@pytest.mark.parametrize(
    "officers",
    [[], [COLLEAGUE], [ENGAGEMENT_OFFICER, ENGAGEMENT_OFFICER], [ENGAGEMENT_OFFICER, "Sgt Smith"]],
)
def test_officers_are_named_one_by_one(officers: list[str]) -> None:
    """No shared log-in, and no name."""
    given_no(Engagement).when(start(officers=officers)).then(refused("officers_not_named"))


@pytest.mark.parametrize("power", ["", "avoidance", "facial-recognition"])
def test_being_possibly_matched_is_no_power_and_nor_is_walking_away(power: str) -> None:
    given_no(Engagement).when(start(power=power)).then(refused("code_unknown"))


def test_an_alert_leads_to_one_engagement_or_to_none() -> None:
    given(STARTED).when(start()).then(refused("already_engaged"))
    given(STARTED).when(not_located()).then(refused("already_engaged"))
    given(NOT_LOCATED).when(start()).then(refused("already_not_located"))
    given(NOT_LOCATED).when(not_located()).then(refused("already_not_located"))


def test_a_person_who_was_not_found() -> None:
    given_no(Engagement).when(not_located()).then(happened(NOT_LOCATED))


# -- what happened -----------------------------------------------------------------------------

STEPS: dict[str, Callable[..., Ask]] = {"identity": identify, "information": inform, "end": end}


@pytest.mark.parametrize("step", STEPS)
def test_without_an_engagement_there_is_nothing_to_say_of_it(step: str) -> None:
    given_no(Engagement).when(STEPS[step]()).then(
        refused("not_engaged", kept_as="engagement.step_refused")
    )


@pytest.mark.parametrize("step", STEPS)
def test_who_was_not_there_does_not_say_what_happened(step: str) -> None:
    given(STARTED, INFORMED).when(STEPS["end"](actor=BYSTANDER)).then(
        refused("not_among_the_officers")
    )
    if step != "end":
        given(STARTED).when(STEPS[step](actor=BYSTANDER)).then(refused("not_among_the_officers"))


def test_each_step_is_said_once_and_before_the_end() -> None:
    given(STARTED, identified()).when(identify(identity="different")).then(refused("said_before"))
    given(STARTED, INFORMED).when(inform()).then(refused("said_before"))
    for ask in STEPS.values():
        given(*OVER).when(ask()).then(refused("engagement_over"))


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (identify(method="she looked like him"), "code_unknown"),
        (identify(identity="probably"), "identity_unknown"),
        (inform(information="told her"), "code_unknown"),
    ],
)
def test_what_happened_is_said_in_codes(ask: Ask, code: str) -> None:
    given(STARTED).when(ask).then(refused(code))


def test_nobody_goes_without_having_been_informed() -> None:
    """Or without it being said why they could not be."""
    given(STARTED, identified()).when(end()).then(refused("information_not_said"))
    given(STARTED).when(inform(information="not-possible")).then(
        happened(
            a_fact(
                happened_events.InformationGiven,
                alert=ALERT,
                officer=ENGAGEMENT_OFFICER,
                information="not-possible",
            )
        )
    )


def test_a_duration_is_a_band() -> None:
    given(STARTED, INFORMED).when(end(duration="7")).then(refused("code_unknown"))


# -- outcome -----------------------------------------------------------------------------------


def test_an_outcome_comes_after_the_end() -> None:
    given(STARTED, INFORMED).when(outcome()).then(
        refused("engagement_not_over", kept_as="engagement.outcome_refused")
    )
    given_no(Engagement).when(outcome()).then(refused("not_engaged"))


@pytest.mark.parametrize("codes", [("told-off",), ("recall", "recall"), ("No further action",)])
def test_outcomes_are_of_the_closed_list_each_once(codes: tuple[str, ...]) -> None:
    given(*OVER).when(outcome(*codes, arrest_decided=True)).then(refused("code_unknown"))


def test_an_outcome_is_at_least_one() -> None:
    command = to(asked.RecordOutcome, outcomes=[])
    given(*OVER).when(lambda one: one.decide_outcome(command, arrest_decided=False)).then(
        refused("code_unknown")
    )


@pytest.mark.parametrize(
    ("identity", "outcomes"),
    [
        ("same", ["not-same-person"]),
        ("unresolved", ["not-same-person", "no-further-action"]),
        ("different", ["no-further-action"]),
    ],
)
def test_outcome_and_identity_do_not_contradict_each_other(
    identity: str, outcomes: list[str]
) -> None:
    given(STARTED, identified(identity), INFORMED, ENDED).when(outcome(*outcomes)).then(
        refused("outcome_contradicts_identity", compared={"identity": identity})
    )


@pytest.mark.parametrize("code", ["arrest-warrant", "arrest-offence", "recall"])
def test_an_arrest_forces_the_decision_on_the_material(code: str) -> None:
    given(*OVER).when(outcome(code)).then(refused("arrest_without_decision"))
    given(*OVER).when(outcome(code, arrest_decided=True)).then(happened(recorded(code)))


def test_an_outcome_is_corrected_and_the_old_one_is_kept() -> None:
    corrected = a_fact(
        happened_events.OutcomeCorrected,
        alert=ALERT,
        officer=ENGAGEMENT_OFFICER,
        was=["arrest-offence"],
        outcomes=["de-arrested", "no-further-action"],
        reason="charge-dropped",
    )
    over = (*OVER, recorded("arrest-offence"))
    given(*over).when(correct("de-arrested", "no-further-action")).then(happened(corrected))
    given(*over).when(outcome()).then(refused("outcome_recorded"))


def test_a_correction_changes_something_for_a_reason() -> None:
    over = (*OVER, recorded("no-further-action"))
    given(*over).when(correct("no-further-action")).then(refused("nothing_corrected"))
    given(*over).when(correct("info-obtained", reason="I was wrong.")).then(refused("not_a_code"))
    given(*OVER).when(correct("info-obtained")).then(refused("outcome_not_recorded"))


# -- false alerts ------------------------------------------------------------------------------


NOT_VIABLE = Beforehand(decision="not_viable", adjudicator=ENGAGEMENT_OFFICER, closed=False)


def test_a_false_alert_is_reviewed_whether_or_not_anyone_was_spoken_to() -> None:
    given_no(Engagement).when(review(NOT_VIABLE)).then(happened(REVIEWED))
    given(STARTED, identified("different")).when(review()).then(happened(REVIEWED))


@pytest.mark.parametrize("identity", ["same", "unresolved"])
def test_what_was_no_false_alert_is_not_reviewed_as_one(identity: str) -> None:
    given(STARTED, identified(identity)).when(review()).then(
        refused("alert_not_false", kept_as="engagement.review_refused")
    )


@pytest.mark.parametrize("actor", OFFICERS)
def test_nobody_reviews_their_own_work(actor: str) -> None:
    given(STARTED, identified("different")).when(review(actor=actor)).then(
        refused("reviews_own_work")
    )


def test_a_review_is_an_auditors_in_codes_and_once() -> None:
    given_no(Engagement).when(review(NOT_VIABLE, role=Role.OPERATOR)).then(
        refused("not_a_reviewer")
    )
    given_no(Engagement).when(review(NOT_VIABLE, causes=["bad luck"])).then(refused("code_unknown"))
    given_no(Engagement).when(review(NOT_VIABLE, actions=[])).then(refused("code_unknown"))
    given(REVIEWED).when(review(NOT_VIABLE)).then(refused("already_reviewed"))


def test_no_list_has_a_word_for_walking_another_way() -> None:
    """Avoiding the cameras is not by itself a ground for anything (source document L65)."""
    every = {code for listed in codes().codes.values() for code in listed}
    assert not [one for one in every if "avoid" in one]
    assert codes().codes["arrest"].keys() <= codes().codes["outcome"].keys()

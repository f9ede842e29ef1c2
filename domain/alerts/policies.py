"""When a possible match may be raised, viewed and decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.alerts.commands import DecisionKind
from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, refuses
from domain.kernel.time import written


@dataclass(frozen=True)
class RaiseFacts:
    """What a possible match is judged by, read at the instant of raising."""

    at: datetime
    run: UUID
    live_run: UUID | None
    valid_from: datetime | None
    valid_until: datetime | None
    camera: str
    cameras: Sequence[str]
    inside_zone: bool
    entry_listed: bool
    threshold: Decimal
    authorised_threshold: Decimal | None
    model_digest: str
    authorised_model: str | None


@refuses("run_not_live")
def run_is_live(facts: RaiseFacts) -> Refusal | None:
    """An alert belongs to recognition that is switched on. Source: seed L34."""
    if facts.run != facts.live_run:
        return Refusal("run_not_live", "recognition was off when the alert was to be raised")
    return None


@refuses("not_authorised", "outside_the_authorised_window")
def alert_is_inside_the_window(facts: RaiseFacts) -> Refusal | None:
    """Nothing outside the authorised times. Source: requirement 37."""
    if facts.valid_from is None or facts.valid_until is None:
        return Refusal("not_authorised", "the deployment is not authorised")
    if not facts.valid_from <= facts.at < facts.valid_until:
        return Refusal(
            "outside_the_authorised_window",
            "the authorised window was over or not begun",
            {
                "at": written(facts.at),
                "from": written(facts.valid_from),
                "until": written(facts.valid_until),
            },
        )
    return None


@refuses("outside_the_zone")
def alert_is_inside_the_zone(facts: RaiseFacts) -> Refusal | None:
    """Nothing outside the authorised cameras and their zones. Source: requirement 15."""
    if facts.camera not in facts.cameras or not facts.inside_zone:
        return Refusal(
            "outside_the_zone",
            "the face was outside the authorised zone of recognition",
            {"camera": facts.camera},
        )
    return None


@refuses("entry_not_listed")
def entry_is_on_the_list(facts: RaiseFacts) -> Refusal | None:
    """The entry is live on the approved list at that instant. Source: specification, 3.7."""
    if not facts.entry_listed:
        return Refusal("entry_not_listed", "the entry is not on the approved list")
    return None


@refuses("threshold_not_authorised")
def threshold_is_the_authorised_one(facts: RaiseFacts) -> Refusal | None:
    """The recogniser worked with the threshold that the AO authorised. Source: requirement 22."""
    if facts.threshold != facts.authorised_threshold:
        return Refusal(
            "threshold_not_authorised",
            "recognise with the authorised threshold",
            {"used": str(facts.threshold), "authorised": str(facts.authorised_threshold)},
        )
    return None


@refuses("model_not_authorised")
def model_is_the_authorised_one(facts: RaiseFacts) -> Refusal | None:
    """A threshold means nothing with any other model. Source: domain specification, C-13."""
    if facts.model_digest != facts.authorised_model:
        return Refusal(
            "model_not_authorised",
            "recognise with the authorised model",
            {"used": facts.model_digest, "authorised": str(facts.authorised_model)},
        )
    return None


RAISE_POLICIES: tuple[Policy[RaiseFacts], ...] = (
    run_is_live,
    alert_is_inside_the_window,
    alert_is_inside_the_zone,
    entry_is_on_the_list,
    threshold_is_the_authorised_one,
    model_is_the_authorised_one,
)


@dataclass(frozen=True)
class ViewFacts:
    """What a look at an alert is judged by."""

    role: Role
    closed: bool


@refuses("role_may_not_view")
def officer_may_look(facts: ViewFacts) -> Refusal | None:
    """Alerts are looked at by those who decide and by those who support them."""
    if facts.role not in (Role.ENGAGEMENT_OFFICER, Role.OPERATOR):
        return Refusal(
            "role_may_not_view",
            "an engagement officer or operator views alerts",
            {"role": facts.role.value},
        )
    return None


@refuses("alert_closed")
def alert_is_open_to_look(facts: ViewFacts) -> Refusal | None:
    """After the close there is nothing left to look at."""
    return Refusal("alert_closed", "the alert is closed") if facts.closed else None


VIEW_POLICIES: tuple[Policy[ViewFacts], ...] = (officer_may_look, alert_is_open_to_look)


_BASES = frozenset({"scripted-rule", "own-judgement"})


@dataclass(frozen=True)
class AdjudicationFacts:
    """What a decision is judged by."""

    officer: str
    role: Role
    viewers: Sequence[str]
    decided: bool
    closed: bool
    decision: str
    factors: Sequence[Sequence[str]]
    basis: str
    stand_ins: bool
    trained: bool
    """Whether the officer has the course in date that adjudication needs."""


@refuses("not_an_engagement_officer")
def engagement_officer_decides(facts: AdjudicationFacts) -> Refusal | None:
    """Adjudication is the engagement officer's. Source: domain specification, section 2."""
    if facts.role is not Role.ENGAGEMENT_OFFICER:
        return Refusal(
            "not_an_engagement_officer",
            "an engagement officer adjudicates",
            {"role": facts.role.value},
        )
    return None


@refuses("training_lapsed")
def officer_is_trained(facts: AdjudicationFacts) -> Refusal | None:
    """Trained members of police personnel review alerts. Source: seed L29; requirement 23."""
    if not facts.trained:
        return Refusal("training_lapsed", "an officer whose course is in date adjudicates")
    return None


@refuses("not_viewed")
def viewed_before_decided(facts: AdjudicationFacts) -> Refusal | None:
    """The officer who decides has looked first: meaningful human involvement.

    Source: domain specification, 3.7 (DPA 2018 s.50A(1)(a)).
    """
    if facts.officer not in facts.viewers:
        return Refusal("not_viewed", "look at the alert before deciding it")
    return None


@refuses("already_decided")
def decided_once(facts: AdjudicationFacts) -> Refusal | None:
    """The first decision stands; a later one would be a dissent and says so."""
    return Refusal("already_decided", "the alert was decided") if facts.decided else None


@refuses("alert_closed")
def decided_while_open(facts: AdjudicationFacts) -> Refusal | None:
    """A closed alert stays undetermined."""
    return Refusal("alert_closed", "the alert is closed") if facts.closed else None


@refuses("decision_unknown")
def decision_is_one_of_three(facts: AdjudicationFacts) -> Refusal | None:
    """viable, not viable, insufficient. Source: domain specification, 3.7."""
    if facts.decision not in {kind.value for kind in DecisionKind}:
        return Refusal(
            "decision_unknown",
            f"decide {', '.join(kind.value for kind in DecisionKind)}",
        )
    return None


@refuses("factors_missing")
def reasons_are_given(facts: AdjudicationFacts) -> Refusal | None:
    """Regard to subject, system and environmental factors. Source: domain specification [F 7]."""
    if not all(facts.factors):
        return Refusal(
            "factors_missing", "name at least one subject, system and environmental factor"
        )
    return None


@refuses("not_a_code")
def reasons_are_codes(facts: AdjudicationFacts) -> Refusal | None:
    """A factor stands in the record for ever; what needs a sentence is a note. Source: NEVER 5."""
    if not all(is_code(one) for group in facts.factors for one in group):
        return Refusal("not_a_code", "name factors by codes, and put sentences into the note")
    return None


@refuses("basis_not_true")
def script_is_declared(facts: AdjudicationFacts) -> Refusal | None:
    """Where stand-ins play, every decision says that a script made it, and nowhere else."""
    if facts.basis != ("scripted-rule" if facts.stand_ins else "own-judgement"):
        return Refusal(
            "basis_not_true",
            "stand-ins decide by scripted-rule, persons by own-judgement",
            # A word that is no basis may be a sentence: it is not repeated.
            {"basis": facts.basis if facts.basis in _BASES else "unknown"},
        )
    return None


ADJUDICATION_POLICIES: tuple[Policy[AdjudicationFacts], ...] = (
    engagement_officer_decides,
    officer_is_trained,
    viewed_before_decided,
    decided_once,
    decided_while_open,
    decision_is_one_of_three,
    reasons_are_given,
    reasons_are_codes,
    script_is_declared,
)


@dataclass(frozen=True)
class DissentFacts(AdjudicationFacts):
    """What another view is judged by: all that a decision is, and what stands."""

    stands: str | None
    """The decision that stands; ``None`` where nobody decided."""
    adjudicator: str | None
    dissented: bool


@refuses("not_decided")
def something_stands(facts: DissentFacts) -> Refusal | None:
    """Before there is a decision there is nothing to dissent from: decide it."""
    return None if facts.stands else Refusal("not_decided", "the alert was not decided: decide it")


@refuses("own_decision")
def dissent_is_anothers(facts: DissentFacts) -> Refusal | None:
    """Who decided does not dissent from themselves, and nobody dissents twice."""
    if facts.officer != facts.adjudicator and not facts.dissented:
        return None
    return Refusal("own_decision", "another officer, who has not said so before, may dissent")


@refuses("no_dissent")
def dissent_differs(facts: DissentFacts) -> Refusal | None:
    """The same view is no dissent."""
    if facts.stands is None or facts.decision != facts.stands:
        return None
    return Refusal("no_dissent", "this is the decision that stands")


DISSENT_POLICIES: tuple[Policy[DissentFacts], ...] = (
    something_stands,
    engagement_officer_decides,
    officer_is_trained,
    viewed_before_decided,
    decision_is_one_of_three,
    reasons_are_given,
    reasons_are_codes,
    script_is_declared,
    dissent_is_anothers,
    dissent_differs,
)

"""When somebody may be spoken to, and what may be said of it afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain.engagements.commands import Identity
from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, refuses

Codes = Mapping[str, str]
"""The codes of one closed list, with what each means."""


@dataclass(frozen=True)
class Beforehand:
    """What the possible match says of whether anyone may act on it."""

    decision: str | None
    """How it was adjudicated; ``None`` where nobody did."""
    adjudicator: str | None
    closed: bool
    """Whether its time was up before anyone decided."""


@dataclass(frozen=True)
class StartFacts:
    """What an engagement is judged by."""

    role: Role
    actor: str
    trained: bool
    before: Beforehand
    engaged: bool
    not_located: bool
    officers: Sequence[str]
    power: str
    powers: Codes


@dataclass(frozen=True)
class StepFacts:
    """What a step of an engagement is judged by."""

    role: Role
    actor: str
    officers: Collection[str]
    """Who took part; empty where nobody was spoken to."""
    ended: bool
    said: bool
    """Whether this step was taken before."""
    code: str
    codes: Codes
    ending_without_information: bool


@dataclass(frozen=True)
class IdentityFacts:
    """What is said of identity."""

    identity: str


@dataclass(frozen=True)
class OutcomeFacts:
    """What an outcome is judged by."""

    role: Role
    actor: str
    officers: Collection[str]
    ended: bool
    identity: str | None
    recorded: bool
    correcting: bool
    was: Sequence[str]
    outcomes: Sequence[str]
    known: Codes
    arrests: Codes
    """The outcomes that are arrests."""
    arrest_decided: bool
    """Whether it was decided what of the material moves to a case file."""
    reason: str


@dataclass(frozen=True)
class NotLocatedFacts:
    """What is said of a person who was not found is judged by."""

    role: Role
    before: Beforehand
    engaged: bool
    not_located: bool


@dataclass(frozen=True)
class ReviewFacts:
    """What the review of a false alert is judged by."""

    role: Role
    actor: str
    false: bool
    hands: Collection[str]
    """Who adjudicated and who took part in an engagement."""
    reviewed: bool
    causes: Sequence[str]
    actions: Sequence[str]
    known_causes: Codes
    known_actions: Codes


@refuses("not_an_engagement_officer")
def engagement_officer_acts(
    facts: StartFacts | StepFacts | OutcomeFacts | NotLocatedFacts,
) -> Refusal | None:
    """Engagement and outcome are the engagement officer's. Source: domain specification, 2."""
    if facts.role is Role.ENGAGEMENT_OFFICER:
        return None
    return Refusal(
        "not_an_engagement_officer", "an engagement officer does this", {"role": facts.role.value}
    )


@refuses("training_lapsed")
def who_engages_is_trained(facts: StartFacts) -> Refusal | None:
    """Trained members of police personnel act on alerts. Source: source document L29."""
    if facts.trained:
        return None
    return Refusal("training_lapsed", "an officer whose course is in date engages")


@refuses("alert_not_viable", "alert_closed")
def viable_before_engaged(facts: StartFacts | NotLocatedFacts) -> Refusal | None:
    """Nobody is spoken to before an officer found the possible match viable.

    Source: source document L29, L39; requirements 24 and 67.
    """
    if facts.before.closed:
        return Refusal("alert_closed", "the possible match was closed before anyone decided it")
    if facts.before.decision == "viable":
        return None
    return Refusal(
        "alert_not_viable",
        "engage only after an adjudication that found the possible match viable",
        {"decision": facts.before.decision or "none"},
    )


@refuses("already_engaged", "already_not_located")
def followed_up_once(facts: StartFacts | NotLocatedFacts) -> Refusal | None:
    """A possible match leads to one engagement, or to none."""
    if facts.engaged:
        return Refusal("already_engaged", "the person was spoken to because of this alert")
    if facts.not_located:
        return Refusal("already_not_located", "it was recorded that the person was not found")
    return None


@refuses("officers_not_named")
def officers_are_named_one_by_one(facts: StartFacts) -> Refusal | None:
    """Individually, by reference, the actor among them. Source: SOD-7."""
    each = [officer.partition(":") for officer in facts.officers]
    if (
        facts.actor in facts.officers
        and len(set(facts.officers)) == len(facts.officers)
        and all(is_code(kind) and is_code(code) for kind, _, code in each)
    ):
        return None
    return Refusal(
        "officers_not_named", "name each officer once, as staff:CODE, yourself among them"
    )


@refuses("code_unknown")
def power_is_known(facts: StartFacts) -> Refusal | None:
    """Recognition gives no power of its own; the one that was used is said.

    Source: domain specification, 3.7 [F 56].
    """
    if facts.power in facts.powers:
        return None
    return Refusal("code_unknown", f"give the power as one of {', '.join(facts.powers)}")


START_POLICIES: tuple[Policy[StartFacts], ...] = (
    engagement_officer_acts,
    who_engages_is_trained,
    viable_before_engaged,
    followed_up_once,
    officers_are_named_one_by_one,
    power_is_known,
)


@refuses("not_engaged", "not_among_the_officers")
def who_was_there_says_it(facts: StepFacts | OutcomeFacts) -> Refusal | None:
    """What happened is said by someone who took part, individually. Source: SOD-7."""
    if not facts.officers:
        return Refusal("not_engaged", "nobody was spoken to because of this alert")
    if facts.actor in facts.officers:
        return None
    return Refusal("not_among_the_officers", "an officer who took part says what happened")


@refuses("engagement_over", "said_before")
def steps_come_in_order(facts: StepFacts) -> Refusal | None:
    """Each step once, before the end."""
    if facts.ended:
        return Refusal("engagement_over", "the engagement is over")
    if facts.said:
        return Refusal("said_before", "this was recorded already")
    return None


@refuses("code_unknown")
def step_is_in_codes(facts: StepFacts) -> Refusal | None:
    """Closed lists, and no sentence about a person. Source: 3.1 NEVER 5."""
    if facts.code in facts.codes:
        return None
    return Refusal("code_unknown", f"give one of {', '.join(facts.codes)}")


@refuses("information_not_said")
def everyone_is_informed(facts: StepFacts) -> Refusal | None:
    """To every person spoken to: a card and their rights, or why not. Source: [F 5] p13; 3.7."""
    if not facts.ending_without_information:
        return None
    return Refusal(
        "information_not_said", "say first whether card and rights were given, declined or why not"
    )


STEP_POLICIES: tuple[Policy[StepFacts], ...] = (
    engagement_officer_acts,
    who_was_there_says_it,
    steps_come_in_order,
    step_is_in_codes,
    everyone_is_informed,
)


@refuses("identity_unknown")
def identity_is_one_of_three(facts: IdentityFacts) -> Refusal | None:
    """Same, different or unresolved. Source: domain specification, 3.7."""
    if facts.identity in set(Identity):
        return None
    return Refusal("identity_unknown", f"say {', '.join(Identity)}")


@refuses("engagement_not_over")
def outcome_comes_after_the_end(facts: OutcomeFacts) -> Refusal | None:
    """What came of it is said when it is over."""
    if facts.ended or not facts.officers:
        return None
    return Refusal("engagement_not_over", "end the engagement first")


@refuses("outcome_recorded", "outcome_not_recorded")
def recorded_then_corrected(facts: OutcomeFacts) -> Refusal | None:
    """Recorded once; what changes later is a correction that keeps the old value.

    Source: domain specification, 3.7.
    """
    if facts.recorded and not facts.correcting:
        return Refusal("outcome_recorded", "correct the recorded outcome instead")
    if facts.correcting and not facts.recorded and facts.officers:
        return Refusal("outcome_not_recorded", "record an outcome before correcting it")
    return None


@refuses("code_unknown")
def outcomes_are_known(facts: OutcomeFacts) -> Refusal | None:
    """A closed list, at least one, each once. Source: domain specification, 3.7."""
    if (
        facts.outcomes
        and len(set(facts.outcomes)) == len(facts.outcomes)
        and all(one in facts.known for one in facts.outcomes)
    ):
        return None
    return Refusal("code_unknown", f"give each once, of {', '.join(facts.known)}")


@refuses("outcome_contradicts_identity")
def outcome_fits_the_identity(facts: OutcomeFacts) -> Refusal | None:
    """Not the same person means that, in identity and outcome alike, or the sums would not add up.

    Source: domain specification, section 8, K-08.
    """
    if not facts.outcomes:
        return None
    said = "not-same-person" in facts.outcomes
    if said == (facts.identity == Identity.DIFFERENT):
        return None
    return Refusal(
        "outcome_contradicts_identity",
        "record not-same-person where, and only where, another person was found",
        {"identity": facts.identity or "none"},
    )


@refuses("arrest_without_decision")
def arrest_forces_a_decision(facts: OutcomeFacts) -> Refusal | None:
    """What of the material moves to a case file is decided before it is gone.

    Source: domain specification, C-03; requirement 77.
    """
    if facts.arrest_decided or not set(facts.outcomes) & facts.arrests.keys():
        return None
    return Refusal(
        "arrest_without_decision",
        "record the arrest with its decision on the material first (plumbline alert arrest)",
    )


@refuses("nothing_corrected", "not_a_code")
def correction_says_why(facts: OutcomeFacts) -> Refusal | None:
    """A correction changes something, for a reason. Source: domain specification, 3.7 [F 52]."""
    if not facts.correcting:
        return None
    if sorted(facts.outcomes) == sorted(facts.was):
        return Refusal("nothing_corrected", "this is what was recorded")
    return None if is_code(facts.reason) else Refusal("not_a_code", "give the reason by a code")


OUTCOME_POLICIES: tuple[Policy[OutcomeFacts], ...] = (
    engagement_officer_acts,
    who_was_there_says_it,
    outcome_comes_after_the_end,
    recorded_then_corrected,
    outcomes_are_known,
    outcome_fits_the_identity,
    arrest_forces_a_decision,
    correction_says_why,
)

NOT_LOCATED_POLICIES: tuple[Policy[NotLocatedFacts], ...] = (
    engagement_officer_acts,
    viable_before_engaged,
    followed_up_once,
)


@refuses("not_a_reviewer")
def reviewer_reviews(facts: ReviewFacts) -> Refusal | None:
    """An internal auditor reviews. Source: domain specification, section 2."""
    if facts.role is Role.AUDITOR:
        return None
    return Refusal("not_a_reviewer", "an internal auditor reviews", {"role": facts.role.value})


@refuses("reviews_own_work")
def nobody_reviews_their_own_work(facts: ReviewFacts) -> Refusal | None:
    """Who adjudicated or engaged does not judge it. Source: domain specification, section 2."""
    if facts.actor not in facts.hands:
        return None
    return Refusal("reviews_own_work", "someone who had no hand in it reviews")


@refuses("alert_not_false")
def false_alerts_are_reviewed(facts: ReviewFacts) -> Refusal | None:
    """Every false alert, confirmed or not; and nothing else is one. Source: 3.7 [F 42 CMS]."""
    if facts.false:
        return None
    return Refusal(
        "alert_not_false", "review an alert that was not viable, or that led to another person"
    )


@refuses("already_reviewed")
def reviewed_once(facts: ReviewFacts) -> Refusal | None:
    """One review; what is found later is a finding of its own."""
    return Refusal("already_reviewed", "this alert was reviewed") if facts.reviewed else None


@refuses("code_unknown")
def causes_and_actions_are_known(facts: ReviewFacts) -> Refusal | None:
    """Closed lists, at least one of each. Source: domain specification, 3.7."""
    if (
        facts.causes
        and facts.actions
        and all(one in facts.known_causes for one in facts.causes)
        and all(one in facts.known_actions for one in facts.actions)
    ):
        return None
    return Refusal(
        "code_unknown",
        f"give causes of {', '.join(facts.known_causes)} and actions of "
        f"{', '.join(facts.known_actions)}",
    )


REVIEW_POLICIES: tuple[Policy[ReviewFacts], ...] = (
    reviewer_reviews,
    nobody_reviews_their_own_work,
    false_alerts_are_reviewed,
    reviewed_once,
    causes_and_actions_are_known,
)

"""What the force must have in force before a deployment is authorised, and again at each start.

Each rule names all that is missing, so that nobody learns it one refusal at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from domain.kernel.refusals import Refusal, refuses
from domain.kernel.time import written


@dataclass(frozen=True)
class Standing:
    """How the force stood, on the day or days that a decision is about."""

    requirements: str
    """The version of the requirements that it was held against."""
    documents: Mapping[str, str]
    """Kind to the version in force."""
    lacking: Mapping[str, str]
    """Kind of document to what it lacks."""
    unanswered: Sequence[str]
    """DPIA screening questions without an answer."""
    dpia: str
    """What the DPIA stage 2 lacks, in words; empty for nothing."""
    commences_on: date | None
    first_day: date
    """Of the days that the decision is about."""
    evidence: str | None
    """The code of the test that speaks for the configuration; empty where none was asked for."""
    shortfall: str
    """Why no test does; empty where one does."""


@dataclass(frozen=True)
class Readiness:
    """What counts at the instant of a start, beside the standing."""

    paused: bool
    untrained: Mapping[str, str]
    """Role to the course that nobody who would act in it has in date."""


@dataclass(frozen=True)
class Announced:
    """What the public was told before recognition is to begin."""

    published_at: datetime | None
    """When a notice was published first; None for never."""
    omitted: bool
    """Whether none is given, because of a critical threat."""
    without_signs: Sequence[str]
    """Authorised cameras outside whose zones no signs are known to stand."""
    unavoidable: Sequence[str]
    """Authorised cameras that no recorded way avoids."""


class OnAnnounced(Protocol):
    """Facts that have among them what the public was told."""

    @property
    def announced(self) -> Announced: ...
    @property
    def valid_from(self) -> datetime | None: ...
    @property
    def notice_needed(self) -> timedelta: ...


class OnStanding(Protocol):
    """Facts that have a standing among them."""

    @property
    def standing(self) -> Standing: ...


class OnReadiness(Protocol):
    """Facts that have a readiness among them."""

    @property
    def readiness(self) -> Readiness: ...


@refuses("documents_not_in_force")
def documents_are_in_force(facts: OnStanding) -> Refusal | None:
    """Policy, procedure, assessments, notices: in force that day, published where the law asks it.

    Source: source document L15, L78, L103; Bridges [121]; domain specification, C-08.
    """
    if not facts.standing.lacking:
        return None
    return Refusal(
        "documents_not_in_force",
        "put every document in force that the requirements name, and publish those that must be",
        dict(facts.standing.lacking),
    )


@refuses("screening_unanswered")
def screening_is_answered(facts: OnStanding) -> Refusal | None:
    """Whether a DPIA stage 2 is demanded is known. Source: source document L111-L136."""
    if not facts.standing.unanswered:
        return None
    return Refusal(
        "screening_unanswered",
        "answer the DPIA screening questions",
        {"questions": ", ".join(facts.standing.unanswered)},
    )


@refuses("dpia_not_approved")
def dpia_is_approved(facts: OnStanding) -> Refusal | None:
    """The version in force is the one that was approved. Source: L15; DPA 2018 s.64."""
    if not facts.standing.dpia:
        return None
    return Refusal(
        "dpia_not_approved",
        "have the DPIA stage 2 advised on and approved",
        {"dpia-2": facts.standing.dpia},
    )


@refuses("before_commencement")
def processing_has_commenced(facts: OnStanding) -> Refusal | None:
    """No face before the day that was approved. Source: source document L12; requirement 02."""
    commences = facts.standing.commences_on
    if commences is None or commences <= facts.standing.first_day:
        return None
    return Refusal(
        "before_commencement",
        "wait for the first day of processing that was approved",
        {"commences_on": commences.isoformat(), "day": facts.standing.first_day.isoformat()},
    )


@refuses("evidence_missing")
def evidence_speaks_for_the_configuration(facts: OnStanding) -> Refusal | None:
    """A test of this model, threshold, settings and size of list, not too old.

    Source: domain specification, C-13, 3.2; Bridges [181].
    """
    if facts.standing.evidence is not None:
        return None
    return Refusal(
        "evidence_missing",
        "attach a test of exactly this model, threshold, size of list and settings",
        {"nearest_test": facts.standing.shortfall},
    )


STANDING_POLICIES = (
    documents_are_in_force,
    screening_is_answered,
    dpia_is_approved,
    processing_has_commenced,
    evidence_speaks_for_the_configuration,
)


@refuses("programme_paused")
def programme_goes_on(facts: OnReadiness) -> Refusal | None:
    """A pause stops every start. Source: domain specification, 3.2."""
    if not facts.readiness.paused:
        return None
    return Refusal("programme_paused", "the programme is paused until its sponsor resumes it")


@refuses("training_lapsed")
def people_are_trained(facts: OnReadiness) -> Refusal | None:
    """The operator, and someone to adjudicate, have their course in date.

    Source: source document L29; requirement 23.
    """
    if not facts.readiness.untrained:
        return None
    return Refusal(
        "training_lapsed",
        "have these courses passed and recorded, in date",
        dict(facts.readiness.untrained),
    )


READINESS_POLICIES = (programme_goes_on, people_are_trained)


@refuses("notice_missing", "notice_too_late")
def public_was_told(facts: OnAnnounced) -> Refusal | None:
    """Place and time were published long enough before, except for a critical threat.

    Source: domain specification, 3.5; requirements 106 and 208; section 8, K-16.
    """
    announced = facts.announced
    if announced.omitted:
        return None
    if announced.published_at is None:
        return Refusal("notice_missing", "publish a notice, or omit it for a critical threat")
    if facts.valid_from is None or facts.valid_from - announced.published_at >= facts.notice_needed:
        return None
    return Refusal(
        "notice_too_late",
        "begin later, so that the public is told long enough before",
        {
            "published_at": written(announced.published_at),
            "window_from": written(facts.valid_from),
            "hours_needed": f"{facts.notice_needed / timedelta(hours=1):g}",
        },
    )


@refuses("signage_missing")
def signs_stand(facts: OnAnnounced) -> Refusal | None:
    """Signs were seen to stand outside each zone. Source: L65, L129; requirements 68, 107."""
    if not facts.announced.without_signs:
        return None
    return Refusal(
        "signage_missing",
        "put signs outside each zone, and have them verified",
        {"cameras": ", ".join(facts.announced.without_signs)},
    )


@refuses("route_missing")
def people_can_stay_out(facts: OnAnnounced) -> Refusal | None:
    """There is a way that avoids each camera. Source: L65; domain specification, 3.5."""
    if not facts.announced.unavoidable:
        return None
    return Refusal(
        "route_missing",
        "record by which way people can avoid each camera",
        {"cameras": ", ".join(facts.announced.unavoidable)},
    )


NOTICE_POLICIES = (public_was_told, signs_stand, people_can_stay_out)

"""What follows a viable possible match, resting on how it was adjudicated."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from domain.alerts.aggregate import Alert
from domain.arrests.aggregate import Arrest, arrest_after
from domain.engagements import commands as asked
from domain.engagements.aggregate import Engagement, engagement_after
from domain.engagements.policies import Beforehand
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.alerts import alert_of
from domain.services.carrying_out import carry_out
from domain.services.governance import trained_to_adjudicate

Answer = Engagement | Refused


def start(outside: Outside, command: asked.StartEngagement) -> Answer:
    """Speak to the person, if the possible match was found viable."""

    def decide(engagement: Engagement, before: Beforehand) -> Refused | None:
        trained, _ = trained_to_adjudicate(outside, command)
        return engagement.decide_start(command, before, trained=trained)

    return _decide(
        outside, command, decide, resting_on=lambda: trained_to_adjudicate(outside, command)[1]
    )


def establish_identity(outside: Outside, command: asked.EstablishIdentity) -> Answer:
    """Take down whether it is the person on the list."""
    return _decide(outside, command, lambda one, _: one.decide_identity(command))


def give_information(outside: Outside, command: asked.GiveInformation) -> Answer:
    """Take down whether card and rights were given."""
    return _decide(outside, command, lambda one, _: one.decide_information(command))


def end(outside: Outside, command: asked.EndEngagement) -> Answer:
    """Take down that it is over."""
    return _decide(outside, command, lambda one, _: one.decide_end(command))


def record_outcome(outside: Outside, command: asked.RecordOutcome) -> Answer:
    """Take down what came of it."""
    return _decide(
        outside,
        command,
        lambda one, _: one.decide_outcome(
            command, arrest_decided=_arrest_decided(outside, command.alert)
        ),
    )


def correct_outcome(outside: Outside, command: asked.CorrectOutcome) -> Answer:
    """Take down that something else came of it."""
    return _decide(
        outside,
        command,
        lambda one, _: one.decide_correction(
            command, arrest_decided=_arrest_decided(outside, command.alert)
        ),
    )


def not_located(outside: Outside, command: asked.ReportNotLocated) -> Answer:
    """Take down that the person was not found."""
    return _decide(outside, command, lambda one, before: one.decide_not_located(command, before))


def review_false_alert(outside: Outside, command: asked.ReviewFalseAlert) -> Answer:
    """Take down why a false alert was raised."""
    return _decide(outside, command, lambda one, before: one.decide_review(command, before))


def _decide(
    outside: Outside,
    command: asked.OnAlert,
    decide: Callable[[Engagement, Beforehand], Refused | None],
    resting_on: Callable[[], dict[UUID, int]] = dict,
) -> Answer:
    stream = engagement_after(command.alert)

    def attempt() -> Answer:
        alert = alert_of(outside, command.deployment, command.alert)
        engagement, given = _found_or_new(outside, stream), resting_on()
        if refused := decide(engagement, _beforehand(alert)):
            return refused
        outside.record.append(
            engagement, by=command, given={**given, alert.id: alert.version}, answers=True
        )
        return engagement

    return carry_out(outside, command, attempt, kind=Engagement, of=stream)


def _beforehand(alert: Alert) -> Beforehand:
    return Beforehand(decision=alert.decision, adjudicator=alert.adjudicator, closed=alert.closed)


def _arrest_decided(outside: Outside, alert: UUID) -> bool:
    try:
        return outside.record.load(Arrest, arrest_after(alert)).decided is not None
    except NotFoundError:
        return False


def _found_or_new(outside: Outside, stream: UUID) -> Engagement:
    try:
        return outside.record.load(Engagement, stream)
    except NotFoundError:
        return Engagement(stream)

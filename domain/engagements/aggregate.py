"""What followed one possible match: what its policies ask about."""

from __future__ import annotations

from typing import assert_never
from uuid import UUID

from domain.engagements import commands as asked
from domain.engagements import events as happened
from domain.engagements.policies import (
    NOT_LOCATED_POLICIES,
    OUTCOME_POLICIES,
    REVIEW_POLICIES,
    START_POLICIES,
    STEP_POLICIES,
    Beforehand,
    Codes,
    IdentityFacts,
    NotLocatedFacts,
    OutcomeFacts,
    ReviewFacts,
    StartFacts,
    StepFacts,
    identity_is_one_of_three,
)
from domain.kernel.aggregate import Aggregate
from domain.kernel.closed_lists import ClosedLists, closed_lists
from domain.kernel.references import journal
from domain.kernel.refusals import Refused, refusals


def codes() -> ClosedLists:
    """The closed lists of powers, methods, outcomes and the rest."""
    return closed_lists("domain.engagements", "closed_lists.toml")


def engagement_after(alert: UUID) -> UUID:
    """The one stream of what followed a possible match."""
    return journal("engagement", alert.hex)


class Engagement(Aggregate):
    """One possible match, from the first word to the outcome, or to nobody found."""

    KIND = "engagement"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.officers: list[str] = []
        self.identity: str | None = None
        self.informed = False
        self.ended = False
        self.outcomes: list[str] = []
        self.not_located = False
        self.reviewed = False

    @property
    def engaged(self) -> bool:
        """Whether anyone was spoken to."""
        return bool(self.officers)

    # -- decide --------------------------------------------------------------------------------

    def decide_start(
        self, command: asked.StartEngagement, before: Beforehand, *, trained: bool
    ) -> Refused | None:
        """Speak to the person."""
        facts = StartFacts(
            role=command.role,
            actor=command.actor,
            trained=trained,
            before=before,
            engaged=self.engaged,
            not_located=self.not_located,
            officers=command.officers,
            power=command.power,
            powers=codes().codes["power"],
        )
        if reasons := refusals(START_POLICIES, facts):
            return Refused(happened.StartRefused, reasons, command, command.alert)
        self.happened(
            happened.EngagementStarted,
            at=command.at,
            alert=command.alert,
            officers=command.officers,
            power=command.power,
            codes=codes().version,
        )
        return None

    def decide_identity(self, command: asked.EstablishIdentity) -> Refused | None:
        """Take down whether it is the person on the list."""
        facts = self._step(
            command, said=self.identity is not None, code=command.method, of="method"
        )
        reasons = refusals(STEP_POLICIES, facts)
        if wrong := identity_is_one_of_three(IdentityFacts(command.identity)):
            reasons.append(wrong)
        if reasons:
            return Refused(happened.StepRefused, reasons, command, command.alert)
        self.happened(
            happened.IdentityEstablished,
            at=command.at,
            alert=command.alert,
            officer=command.actor,
            identity=command.identity,
            method=command.method,
        )
        return None

    def decide_information(self, command: asked.GiveInformation) -> Refused | None:
        """Take down whether card and rights were given."""
        facts = self._step(command, said=self.informed, code=command.information, of="information")
        if reasons := refusals(STEP_POLICIES, facts):
            return Refused(happened.StepRefused, reasons, command, command.alert)
        self.happened(
            happened.InformationGiven,
            at=command.at,
            alert=command.alert,
            officer=command.actor,
            information=command.information,
        )
        return None

    def decide_end(self, command: asked.EndEngagement) -> Refused | None:
        """Take down that it is over."""
        facts = self._step(command, said=False, code=command.duration, of="duration", ending=True)
        if reasons := refusals(STEP_POLICIES, facts):
            return Refused(happened.StepRefused, reasons, command, command.alert)
        self.happened(
            happened.EngagementEnded,
            at=command.at,
            alert=command.alert,
            officer=command.actor,
            duration=command.duration,
            force_used=command.force_used,
            handcuffed=command.handcuffed,
        )
        return None

    def decide_outcome(
        self, command: asked.RecordOutcome, *, arrest_decided: bool
    ) -> Refused | None:
        """Take down what came of it."""
        facts = self._outcome(command, arrest_decided=arrest_decided, correcting=False)
        if reasons := refusals(OUTCOME_POLICIES, facts):
            return Refused(happened.OutcomeRefused, reasons, command, command.alert)
        self.happened(
            happened.OutcomeRecorded,
            at=command.at,
            alert=command.alert,
            officer=command.actor,
            outcomes=command.outcomes,
        )
        return None

    def decide_correction(
        self, command: asked.CorrectOutcome, *, arrest_decided: bool
    ) -> Refused | None:
        """Take down that something else came of it."""
        facts = self._outcome(
            command, arrest_decided=arrest_decided, correcting=True, reason=command.reason
        )
        if reasons := refusals(OUTCOME_POLICIES, facts):
            return Refused(happened.OutcomeRefused, reasons, command, command.alert)
        self.happened(
            happened.OutcomeCorrected,
            at=command.at,
            alert=command.alert,
            officer=command.actor,
            was=self.outcomes,
            outcomes=command.outcomes,
            reason=command.reason,
        )
        return None

    def decide_not_located(
        self, command: asked.ReportNotLocated, before: Beforehand
    ) -> Refused | None:
        """Take down that the person was not found."""
        facts = NotLocatedFacts(
            role=command.role, before=before, engaged=self.engaged, not_located=self.not_located
        )
        if reasons := refusals(NOT_LOCATED_POLICIES, facts):
            return Refused(happened.NotLocatedRefused, reasons, command, command.alert)
        self.happened(
            happened.PersonNotLocated, at=command.at, alert=command.alert, officer=command.actor
        )
        return None

    def decide_review(self, command: asked.ReviewFalseAlert, before: Beforehand) -> Refused | None:
        """Take down why a false alert was raised."""
        closed = codes()
        hands = {*self.officers, *([before.adjudicator] if before.adjudicator else [])}
        facts = ReviewFacts(
            role=command.role,
            actor=command.actor,
            false=before.decision == "not_viable" or self.identity == asked.Identity.DIFFERENT,
            hands=hands,
            reviewed=self.reviewed,
            causes=command.causes,
            actions=command.actions,
            known_causes=closed.codes["false_alert_cause"],
            known_actions=closed.codes["false_alert_action"],
        )
        if reasons := refusals(REVIEW_POLICIES, facts):
            return Refused(happened.ReviewRefused, reasons, command, command.alert)
        self.happened(
            happened.FalseAlertReviewed,
            at=command.at,
            alert=command.alert,
            reviewer=command.actor,
            causes=command.causes,
            actions=command.actions,
            codes=closed.version,
        )
        return None

    def _step(
        self, command: asked.OnAlert, *, said: bool, code: str, of: str, ending: bool = False
    ) -> StepFacts:
        known: Codes = codes().codes[of]
        return StepFacts(
            role=command.role,
            actor=command.actor,
            officers=self.officers,
            ended=self.ended,
            said=said,
            code=code,
            codes=known,
            ending_without_information=ending and self.engaged and not self.informed,
        )

    def _outcome(
        self,
        command: asked.RecordOutcome | asked.CorrectOutcome,
        *,
        arrest_decided: bool,
        correcting: bool,
        reason: str = "",
    ) -> OutcomeFacts:
        return OutcomeFacts(
            role=command.role,
            actor=command.actor,
            officers=self.officers,
            ended=self.ended,
            identity=self.identity,
            recorded=bool(self.outcomes),
            correcting=correcting,
            was=self.outcomes,
            outcomes=command.outcomes,
            known=codes().codes["outcome"],
            arrests=codes().codes["arrest"],
            arrest_decided=arrest_decided,
            reason=reason,
        )

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: happened.EngagementEvent) -> None:
        """Take in one event."""
        match event:
            case happened.EngagementStarted():
                self.officers = event.officers
            case happened.IdentityEstablished():
                self.identity = event.identity
            case happened.InformationGiven():
                self.informed = True
            case happened.EngagementEnded():
                self.ended = True
            case happened.OutcomeRecorded() | happened.OutcomeCorrected():
                self.outcomes = event.outcomes
            case happened.PersonNotLocated():
                self.not_located = True
            case happened.FalseAlertReviewed():
                self.reviewed = True
            case _:
                assert_never(event)

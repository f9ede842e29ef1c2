"""An alert: what its policies ask about."""

from __future__ import annotations

from typing import assert_never
from uuid import UUID

from domain.alerts import events as happened
from domain.alerts.commands import (
    AdjudicateAlert,
    CloseUndetermined,
    RaiseAlert,
    RecordDissent,
    ViewAlert,
)
from domain.alerts.policies import (
    ADJUDICATION_POLICIES,
    DISSENT_POLICIES,
    RAISE_POLICIES,
    VIEW_POLICIES,
    AdjudicationFacts,
    DissentFacts,
    RaiseFacts,
    ViewFacts,
)
from domain.kernel.aggregate import Aggregate
from domain.kernel.refusals import Refused, refusals


class Alert(Aggregate):
    """One possible match, from raising to decision."""

    KIND = "alert"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.viewers: list[str] = []
        self.decision: str | None = None
        self.adjudicator: str | None = None
        self.dissenters: set[str] = set()
        self.closed = False
        self.raised: happened.AlertRaised | None = None

    @property
    def open(self) -> bool:
        """Whether nobody has decided it and its time is not up."""
        return self.decision is None and not self.closed

    # -- decide --------------------------------------------------------------------------------

    def decide_raise(
        self, command: RaiseAlert, facts: RaiseFacts, *, watchlist: UUID, items: dict[str, UUID]
    ) -> Refused | None:
        """Raise the alert, if everything that it rests on still stands."""
        if reasons := refusals(RAISE_POLICIES, facts):
            # Which face it was about stays known, so that the run's sums still balance.
            face = {
                "run": command.run,
                "camera": command.camera,
                "ordinal": command.ordinal,
                "template_life_ms": command.template_life_ms,
            }
            return Refused(happened.RaiseRefused, reasons, command, self.id, face)
        self.happened(
            happened.AlertRaised,
            at=command.at,
            run=command.run,
            camera=command.camera,
            ordinal=command.ordinal,
            first_seen_ms=command.first_seen_ms,
            captured_ms=command.captured_ms,
            watchlist=watchlist,
            entry=command.entry,
            threshold=command.threshold,
            model_digest=command.model_digest,
            items=items,
            wide_frame_omitted=command.material.wide_frame_omitted,
            template_life_ms=command.template_life_ms,
        )
        return None

    def decide_view(self, command: ViewAlert) -> Refused | None:
        """Let an officer look."""
        if reasons := refusals(VIEW_POLICIES, ViewFacts(role=command.role, closed=self.closed)):
            return Refused(happened.ViewRefused, reasons, command, self.id)
        self.happened(happened.AlertViewed, at=command.at, officer=command.actor)
        return None

    def decide_adjudication(
        self, command: AdjudicateAlert, *, stand_ins: bool, trained: bool, note_item: UUID | None
    ) -> Refused | None:
        """Take an officer's decision."""
        facts = AdjudicationFacts(
            officer=command.actor,
            role=command.role,
            viewers=self.viewers,
            decided=self.decision is not None,
            closed=self.closed,
            decision=command.decision,
            factors=(
                command.subject_factors,
                command.system_factors,
                command.environmental_factors,
            ),
            basis=command.basis,
            stand_ins=stand_ins,
            trained=trained,
        )
        if reasons := refusals(ADJUDICATION_POLICIES, facts):
            return Refused(happened.AdjudicationRefused, reasons, command, self.id)
        self.happened(
            happened.AlertAdjudicated,
            at=command.at,
            officer=command.actor,
            decision=command.decision,
            subject_factors=command.subject_factors,
            system_factors=command.system_factors,
            environmental_factors=command.environmental_factors,
            basis=command.basis,
            note_item=note_item,
        )
        return None

    def decide_dissent(
        self, command: RecordDissent, *, stand_ins: bool, trained: bool
    ) -> Refused | None:
        """Keep another officer's other view; the first decision stands."""
        facts = DissentFacts(
            officer=command.actor,
            role=command.role,
            viewers=self.viewers,
            decided=False,
            closed=False,
            decision=command.decision,
            factors=(
                command.subject_factors,
                command.system_factors,
                command.environmental_factors,
            ),
            basis=command.basis,
            stand_ins=stand_ins,
            trained=trained,
            stands=self.decision,
            adjudicator=self.adjudicator,
            dissented=command.actor in self.dissenters,
        )
        if reasons := refusals(DISSENT_POLICIES, facts):
            return Refused(happened.DissentRefused, reasons, command, self.id)
        self.happened(
            happened.DissentRecorded,
            at=command.at,
            officer=command.actor,
            decision=command.decision,
            subject_factors=command.subject_factors,
            system_factors=command.system_factors,
            environmental_factors=command.environmental_factors,
            basis=command.basis,
        )
        return None

    def close_undetermined(self, command: CloseUndetermined) -> None:
        """Close an alert that nobody decided in time; one that was decided stays as it is."""
        if self.open:
            self.happened(happened.AlertClosedUndetermined, at=command.at, cause=command.cause)

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: happened.AlertEvent) -> None:
        """Take in one event."""
        match event:
            case happened.AlertRaised():
                self.raised = event
            case happened.AlertViewed():
                self.viewers.append(event.officer)
            case happened.AlertAdjudicated():
                self.decision = event.decision
                self.adjudicator = event.officer
            case happened.DissentRecorded():
                self.dissenters.add(event.officer)
            case happened.AlertClosedUndetermined():
                self.closed = True
            case _:
                assert_never(event)

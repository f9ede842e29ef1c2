"""A deployment: what its policies ask about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from domain.deployments import events as happened
from domain.deployments.authority import (
    NOTHING_SENSITIVE,
    PLACE_POLICIES,
    RATIFICATION_POLICIES,
    REPORT_POLICIES,
    VARIATION_POLICIES,
    PlaceFacts,
    RatificationFacts,
    ReportFacts,
    VariationFacts,
    report_codes,
)
from domain.deployments.commands import (
    ApplyForDeployment,
    AuthoriseDeployment,
    CancelDeployment,
    ConfigureCamera,
    DecideOnPlace,
    EndDeployment,
    RatifyAuthorisation,
    StartDeployment,
    StopDeployment,
    SubmitReport,
    VaryAuthorisation,
    WithdrawAuthorisation,
)
from domain.deployments.gates import Announced, Readiness, Standing
from domain.deployments.policies import (
    APPLICATION_POLICIES,
    AUTHORISATION_POLICIES,
    CAMERA_POLICIES,
    CLOSING_POLICIES,
    START_POLICIES,
    STOP_POLICIES,
    WITHDRAWAL_POLICIES,
    ApplicationFacts,
    AuthorisationFacts,
    CameraFacts,
    ClosingFacts,
    ListFacts,
    StartFacts,
    StopFacts,
    WithdrawalFacts,
)
from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Mode
from domain.kernel.refusals import Refused, refusals


class Deployment(Aggregate):
    """One deployment, from application to end."""

    KIND = "deployment"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.mode = ""
        self.officers = ""
        self.applicant = ""
        self.use_case = ""
        self.watchlist = stream
        self.requested_from: datetime | None = None
        self.requested_until: datetime | None = None
        self.cameras: dict[str, str] = {}
        self.recording: set[str] = set()
        """The cameras whose footage is kept."""
        self.report: happened.ReportSubmitted | None = None
        self.place: happened.PlaceDecided | None = None
        self.authorised: happened.DeploymentAuthorised | None = None
        """As it stands: varied, and while it is urgent and not ratified, until it would lapse."""
        self.lapses: datetime | None = None
        """When an urgent authorisation that nobody ratified is over."""
        self.urgent_before = False
        self._given_until: datetime | None = None
        self.run: UUID | None = None
        self.runs: set[UUID] = set()
        self.over = False

    @property
    def sensitive(self) -> list[str]:
        """The sensitive places that the report names."""
        named = self.report.sections.get("sensitive-place", []) if self.report else []
        return [one for one in named if one != NOTHING_SENSITIVE]

    # -- decide --------------------------------------------------------------------------------

    def decide_application(
        self, command: ApplyForDeployment, *, authenticated: bool
    ) -> Refused | None:
        """Take an application."""
        facts = ApplicationFacts(
            mode=command.mode,
            role=command.role,
            authenticated=authenticated,
            codes={
                "use_case": command.use_case,
                "objective": command.objective,
                "location": command.location,
            },
            requested_from=command.requested_from,
            requested_until=command.requested_until,
            exists=self.version > 0,
        )
        if reasons := refusals(APPLICATION_POLICIES, facts):
            return Refused(happened.ApplicationRefused, reasons, command, self.id)
        self.happened(
            happened.DeploymentAppliedFor,
            at=command.at,
            mode=command.mode.value,
            officers="authenticated" if authenticated else "stand-in",
            applicant=command.actor,
            watchlist=command.watchlist,
            use_case=command.use_case,
            objective=command.objective,
            location=command.location,
            requested_from=command.requested_from,
            requested_until=command.requested_until,
        )
        return None

    def decide_camera(self, command: ConfigureCamera) -> Refused | None:
        """Take a camera with its zone."""
        facts = CameraFacts(
            role=command.role,
            camera=command.camera,
            mode=Mode(self.mode),  # as fixed at the application, whatever the command says
            source_kind=command.source_kind,
            zone=command.zone,
            over=self.over,
            authorised=self.authorised is not None,
        )
        if reasons := refusals(CAMERA_POLICIES, facts):
            return Refused(happened.CameraRefused, reasons, command, self.id)
        self.happened(
            happened.CameraConfigured,
            at=command.at,
            camera=command.camera,
            source_kind=command.source_kind,
            zone=command.zone,
            footage_recorded=command.footage_recorded,
        )
        return None

    def decide_report(self, command: SubmitReport) -> Refused | None:
        """Take the applicant's report."""
        facts = ReportFacts(
            actor=command.actor,
            role=command.role,
            applicant=self.applicant,
            submitted=self.report is not None,
            over=self.over,
            sections=command.sections,
        )
        if reasons := refusals(REPORT_POLICIES, facts):
            return Refused(happened.ReportRefused, reasons, command, self.id)
        self.happened(
            happened.ReportSubmitted,
            at=command.at,
            applicant=command.actor,
            catalogue=report_codes().version,
            sections=command.sections,
        )
        return None

    def decide_place(self, command: DecideOnPlace, *, watchlist: ListFacts) -> Refused | None:
        """Take the second authority's decision on a sensitive place."""
        facts = PlaceFacts(
            officer=command.actor,
            role=command.role,
            rank=command.rank,
            rank_evidence=command.rank_evidence,
            applicant=self.applicant,
            makers=watchlist.makers,
            sensitive=self.sensitive,
            authorised=self.authorised is not None,
            over=self.over,
            reason=command.reason,
        )
        if reasons := refusals(PLACE_POLICIES, facts):
            return Refused(happened.PlaceRefused, reasons, command, self.id)
        self.happened(
            happened.PlaceDecided,
            at=command.at,
            officer=command.actor,
            rank=command.rank,
            rank_evidence=command.rank_evidence,
            granted=command.granted,
            reason=command.reason,
        )
        return None

    def decide_authorisation(
        self,
        command: AuthoriseDeployment,
        *,
        watchlist: ListFacts,
        standing: Standing,
        longest_window: timedelta,
        urgent_for: timedelta,
    ) -> Refused | None:
        """Allow the deployment within the command's limits."""
        facts = AuthorisationFacts(
            officer=command.actor,
            role=command.role,
            rank=command.rank,
            rank_evidence=command.rank_evidence,
            urgency=command.urgency,
            urgent_before=self.urgent_before,
            reported=self.report is not None,
            sensitive=self.sensitive,
            place_allowed_by=self.place.officer if self.place and self.place.granted else "",
            longest_window=longest_window,
            applicant=self.applicant,
            watchlist=watchlist,
            targeted=command.targeted,
            intelligence_led=command.intelligence_led,
            valid_from=command.valid_from,
            valid_until=command.valid_until,
            requested_from=self.requested_from,
            requested_until=self.requested_until,
            cameras=command.cameras,
            configured=sorted(self.cameras),
            threshold=command.threshold,
            threshold_justification=command.threshold_justification,
            model_digest=command.model_digest,
            standing=standing,
            already_authorised=self.authorised is not None,
            over=self.over,
        )
        if reasons := refusals(AUTHORISATION_POLICIES, facts):
            return Refused(happened.AuthorisationRefused, reasons, command, self.id)
        self.happened(
            happened.DeploymentAuthorised,
            at=command.at,
            officer=command.actor,
            targeted=command.targeted,
            intelligence_led=command.intelligence_led,
            valid_from=command.valid_from,
            valid_until=command.valid_until,
            cameras=command.cameras,
            watchlist=self.watchlist,
            threshold=command.threshold,
            threshold_justification=command.threshold_justification,
            model_digest=command.model_digest,
            rank=command.rank,
            rank_evidence=command.rank_evidence,
            urgency=command.urgency,
            ratify_by=command.at + urgent_for if command.urgency else None,
            by_nexus=dict(watchlist.by_nexus),
            **_pinned(standing),
        )
        return None

    def decide_ratification(
        self, command: RatifyAuthorisation, *, watchlist: ListFacts
    ) -> Refused | None:
        """Take an urgent authorisation over, or end it and what runs under it."""
        facts = RatificationFacts(
            officer=command.actor,
            role=command.role,
            rank=command.rank,
            rank_evidence=command.rank_evidence,
            at=command.at,
            urgent_officer=self.authorised.officer if self.authorised and self.lapses else "",
            applicant=self.applicant,
            makers=watchlist.makers,
            ratify_by=self.lapses,
            over=self.over,
            reason=command.reason,
        )
        if reasons := refusals(RATIFICATION_POLICIES, facts):
            return Refused(happened.RatificationRefused, reasons, command, self.id)
        self.happened(
            happened.AuthorisationRatified if command.ratified else happened.RatificationDeclined,
            at=command.at,
            officer=command.actor,
            rank=command.rank,
            rank_evidence=command.rank_evidence,
            reason=command.reason,
        )
        if not command.ratified:
            self._switch_off(command.at, cause="not-ratified")
        return None

    def decide_variation(
        self, command: VaryAuthorisation, *, watchlist: ListFacts, longest_window: timedelta
    ) -> Refused | None:
        """Change window or cameras of what was authorised."""
        was = self.authorised
        facts = VariationFacts(
            officer=command.actor,
            role=command.role,
            rank=command.rank,
            rank_evidence=command.rank_evidence,
            applicant=self.applicant,
            makers=watchlist.makers,
            authorised=was is not None,
            over=self.over,
            was_from=was.valid_from if was else None,
            was_until=was.valid_until if was else None,
            was_cameras=was.cameras if was else [],
            valid_from=command.valid_from,
            valid_until=command.valid_until,
            cameras=command.cameras,
            requested_from=self.requested_from,
            requested_until=self.requested_until,
            configured=sorted(self.cameras),
            longest=longest_window,
            reason=command.reason,
        )
        if reasons := refusals(VARIATION_POLICIES, facts):
            return Refused(happened.VariationRefused, reasons, command, self.id)
        self.happened(
            happened.AuthorisationVaried,
            at=command.at,
            officer=command.actor,
            reason=command.reason,
            valid_from=command.valid_from,
            valid_until=command.valid_until,
            cameras=command.cameras,
        )
        return None

    def decide_withdrawal(self, command: WithdrawAuthorisation) -> Refused | None:
        """Take the authorisation back, and switch recognition off with it."""
        facts = WithdrawalFacts(
            role=command.role,
            authorised=self.authorised is not None,
            over=self.over,
            reason=command.reason,
        )
        if reasons := refusals(WITHDRAWAL_POLICIES, facts):
            return Refused(happened.WithdrawalRefused, reasons, command, self.id)
        self.happened(
            happened.AuthorisationWithdrawn,
            at=command.at,
            officer=command.actor,
            reason=command.reason,
        )
        self._switch_off(command.at, cause="authorisation-withdrawn")
        return None

    def _switch_off(self, at: datetime, *, cause: str) -> None:
        """Recognition ends in the same transaction as the authority for it."""
        if self.run is not None:
            self.happened(happened.DeploymentStopped, at=at, run=self.run, cause=cause)

    def decide_start(
        self,
        command: StartDeployment,
        *,
        watchlist: ListFacts,
        items_overdue: int,
        standing: Standing,
        readiness: Readiness,
        announced: Announced,
        notice_needed: timedelta,
    ) -> Refused | None:
        """Switch recognition on, if every gate holds."""
        allowed = self.authorised
        facts = StartFacts(
            role=command.role,
            at=command.at,
            authorised=allowed is not None,
            valid_from=allowed.valid_from if allowed else None,
            valid_until=allowed.valid_until if allowed else None,
            model_allowed=allowed.model_digest if allowed else None,
            model_loaded=command.model_digest,
            gallery_size=command.gallery_size,
            watchlist=watchlist,
            running=self.run is not None,
            run_known=command.run in self.runs,
            over=self.over,
            items_overdue=items_overdue,
            standing=standing,
            readiness=readiness,
            announced=announced,
            notice_needed=notice_needed,
        )
        reasons = refusals(START_POLICIES, facts)
        if reasons or allowed is None:
            return Refused(happened.StartRefused, reasons, command, self.id)
        self.happened(
            happened.DeploymentStarted,
            at=command.at,
            run=command.run,
            watchlist=self.watchlist,
            gallery_size=command.gallery_size,
            model_digest=command.model_digest,
            threshold=allowed.threshold,
            footage_recorded=bool(self.recording),
            recogniser_settings=command.recogniser_settings,
            precautions=command.precautions,
            **_pinned(standing),
        )
        return None

    def decide_stop(self, command: StopDeployment) -> Refused | None:
        """Switch recognition off."""
        if reasons := refusals(
            STOP_POLICIES, StopFacts(role=command.role, running=self.run is not None)
        ):
            return Refused(happened.StopRefused, reasons, command, self.id)
        self.happened(happened.DeploymentStopped, at=command.at, run=self.run, cause=command.cause)
        return None

    def decide_end(self, command: EndDeployment) -> Refused | None:
        """Close a deployment that took place."""
        facts = ClosingFacts(role=command.role, running=self.run is not None, over=self.over)
        if reasons := refusals(CLOSING_POLICIES, facts):
            return Refused(happened.EndRefused, reasons, command, self.id)
        self.happened(happened.DeploymentEnded, at=command.at)
        return None

    def decide_cancellation(self, command: CancelDeployment) -> Refused | None:
        """Close a deployment that will not take place."""
        facts = ClosingFacts(role=command.role, running=self.run is not None, over=self.over)
        if reasons := refusals(CLOSING_POLICIES, facts):
            return Refused(happened.CancellationRefused, reasons, command, self.id)
        self.happened(happened.DeploymentCancelled, at=command.at, reason=command.reason)
        return None

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: happened.DeploymentEvent) -> None:
        """Take in one event."""
        match event:
            case happened.DeploymentAppliedFor():
                self.mode = event.mode
                self.officers = event.officers
                self.applicant = event.applicant
                self.use_case = event.use_case
                self.watchlist = event.watchlist
                self.requested_from = event.requested_from
                self.requested_until = event.requested_until
            case happened.CameraConfigured():
                self.cameras[event.camera] = event.source_kind
                if event.footage_recorded:
                    self.recording.add(event.camera)
                else:
                    self.recording.discard(event.camera)
            case happened.ReportSubmitted():
                self.report = event
            case happened.PlaceDecided():
                self.place = event
            case happened.DeploymentAuthorised():
                self.authorised, self.lapses = event, event.ratify_by
                self.urgent_before |= bool(event.urgency)
                self._stands_until(event.valid_until)
            case happened.AuthorisationRatified():
                self.lapses = None
                self._stands_until(self._given_until)
            case happened.AuthorisationVaried():
                if self.authorised is not None:
                    self.authorised = replace(
                        self.authorised, valid_from=event.valid_from, cameras=event.cameras
                    )
                self._stands_until(event.valid_until)
            case happened.AuthorisationWithdrawn() | happened.RatificationDeclined():
                self.authorised, self.lapses = None, None
            case happened.DeploymentStarted():
                self.run = event.run
                self.runs.add(event.run)
            case happened.DeploymentStopped():
                self.run = None
            case happened.DeploymentEnded() | happened.DeploymentCancelled():
                self.over = True
            case _:
                assert_never(event)

    def _stands_until(self, until: datetime | None) -> None:
        """An urgent authorisation holds no longer than until it lapses."""
        self._given_until = until
        if self.authorised is not None and until is not None:
            ends = until if self.lapses is None else min(until, self.lapses)
            self.authorised = replace(self.authorised, valid_until=ends)


def _pinned(standing: Standing) -> dict[str, Any]:
    """What a decision keeps of the standing that it rests on."""
    return {
        "requirements": standing.requirements,
        "documents": dict(standing.documents),
        "evidence": standing.evidence,
    }

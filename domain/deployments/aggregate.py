"""A deployment: what its policies ask about."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from domain.deployments import events as happened
from domain.deployments.commands import (
    ApplyForDeployment,
    AuthoriseDeployment,
    CancelDeployment,
    ConfigureCamera,
    EndDeployment,
    StartDeployment,
    StopDeployment,
    WithdrawAuthorisation,
)
from domain.deployments.gates import Readiness, Standing
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
        self.watchlist = stream
        self.requested_from: datetime | None = None
        self.requested_until: datetime | None = None
        self.cameras: dict[str, str] = {}
        self.recording: set[str] = set()
        """The cameras whose footage is kept."""
        self.authorised: happened.DeploymentAuthorised | None = None
        self.run: UUID | None = None
        self.runs: set[UUID] = set()
        self.over = False

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

    def decide_authorisation(
        self, command: AuthoriseDeployment, *, watchlist: ListFacts, standing: Standing
    ) -> Refused | None:
        """Allow the deployment within the command's limits."""
        facts = AuthorisationFacts(
            officer=command.actor,
            role=command.role,
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
            **_pinned(standing),
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
        if self.run is not None:
            self.happened(
                happened.DeploymentStopped,
                at=command.at,
                run=self.run,
                cause="authorisation-withdrawn",
            )
        return None

    def decide_start(
        self,
        command: StartDeployment,
        *,
        watchlist: ListFacts,
        items_overdue: int,
        standing: Standing,
        readiness: Readiness,
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
                self.watchlist = event.watchlist
                self.requested_from = event.requested_from
                self.requested_until = event.requested_until
            case happened.CameraConfigured():
                self.cameras[event.camera] = event.source_kind
                if event.footage_recorded:
                    self.recording.add(event.camera)
                else:
                    self.recording.discard(event.camera)
            case happened.DeploymentAuthorised():
                self.authorised = event
            case happened.AuthorisationWithdrawn():
                self.authorised = None
            case happened.DeploymentStarted():
                self.run = event.run
                self.runs.add(event.run)
            case happened.DeploymentStopped():
                self.run = None
            case happened.DeploymentEnded() | happened.DeploymentCancelled():
                self.over = True
            case _:
                assert_never(event)


def _pinned(standing: Standing) -> dict[str, Any]:
    """What a decision keeps of the standing that it rests on."""
    return {
        "requirements": standing.requirements,
        "documents": dict(standing.documents),
        "evidence": standing.evidence,
    }

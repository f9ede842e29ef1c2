"""Applying for, authorising, starting, stopping and closing a deployment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from domain.deployments.aggregate import Deployment
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
from domain.deployments.policies import ListFacts
from domain.governance.days import day_of
from domain.governance.evidence import Configuration
from domain.kernel.errors import NotFoundError
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.carrying_out import carry_out
from domain.services.governance import Governance
from domain.services.lateness import overdue_now
from domain.services.notice import announced
from domain.services.reactions import when_over
from domain.watchlists.aggregate import Watchlist

Answer = Deployment | Refused


def apply_for(outside: Outside, command: ApplyForDeployment) -> Answer:
    """Ask for a deployment."""

    def attempt() -> Answer:
        deployment = _found_or_new(outside, command.deployment)
        authenticated = outside.identities.authenticated(command.actor)
        if refused := deployment.decide_application(command, authenticated=authenticated):
            return refused
        outside.record.append(deployment, by=command, answers=True)
        return deployment

    return carry_out(outside, command, attempt, kind=Deployment, of=command.deployment)


def configure_camera(outside: Outside, command: ConfigureCamera) -> Answer:
    """Give a camera its zone of recognition."""
    return _decide(outside, command, lambda one: one.decide_camera(command))


def authorise(outside: Outside, command: AuthoriseDeployment) -> Answer:
    """Allow a deployment, resting on its watchlist and on what is in force as they stand."""

    def attempt() -> Answer:
        deployment = outside.record.load(Deployment, command.deployment)
        governance = Governance.of(outside)
        watchlist, given = _list_of(outside, deployment, command.at, governance)
        standing = governance.standing(
            Configuration(command.model_digest, command.threshold, watchlist.accepted, None),
            first=day_of(command.valid_from),
            last=day_of(command.valid_until),
        )
        if refused := deployment.decide_authorisation(
            command,
            watchlist=watchlist,
            standing=standing,
            longest_window=governance.hours("window_hours"),
            urgent_for=governance.hours("urgent_hours"),
        ):
            return refused
        given = {**given, **governance.given}
        outside.record.append(deployment, by=command, given=given, answers=True)
        return deployment

    return carry_out(outside, command, attempt, kind=Deployment, of=command.deployment)


def submit_report(outside: Outside, command: SubmitReport) -> Answer:
    """Take the applicant's report to the Authorising Officer."""
    return _decide(outside, command, lambda one: one.decide_report(command))


def decide_on_place(outside: Outside, command: DecideOnPlace) -> Answer:
    """Take the second authority's decision on a sensitive place."""
    return _decide_on_the_list(
        outside, command, lambda one, listed, _: one.decide_place(command, watchlist=listed)
    )


def ratify(outside: Outside, command: RatifyAuthorisation) -> Answer:
    """Take an urgent authorisation over; where it is declined, recognition is off with it."""
    return _decide_on_the_list(
        outside, command, lambda one, listed, _: one.decide_ratification(command, watchlist=listed)
    )


def vary(outside: Outside, command: VaryAuthorisation) -> Answer:
    """Change window or cameras of the authorisation."""
    return _decide_on_the_list(
        outside,
        command,
        lambda one, listed, governance: one.decide_variation(
            command, watchlist=listed, longest_window=governance.hours("window_hours")
        ),
    )


def withdraw(outside: Outside, command: WithdrawAuthorisation) -> Answer:
    """Take the authorisation back; recognition that is on is off in the same transaction."""
    return _decide(outside, command, lambda one: one.decide_withdrawal(command))


def start(outside: Outside, command: StartDeployment) -> Answer:
    """Switch recognition on, resting on the watchlist and on what is in force as they stand."""

    def attempt() -> Answer:
        deployment = outside.record.load(Deployment, command.deployment)
        governance, today = Governance.of(outside), day_of(command.at)
        watchlist, given = _list_of(outside, deployment, command.at, governance)
        told, resting_on = announced(outside, deployment)
        if refused := deployment.decide_start(
            command,
            watchlist=watchlist,
            items_overdue=sum(1 for _ in overdue_now(outside)),
            standing=governance.standing(
                _to_be_used(deployment, command, watchlist), first=today, last=today
            ),
            readiness=governance.readiness(command.actor, today),
            announced=told,
            notice_needed=governance.hours("notice_hours"),
        ):
            return refused
        given = {**given, **governance.given, **resting_on}
        outside.record.append(deployment, by=command, given=given, answers=True)
        return deployment

    return carry_out(outside, command, attempt, kind=Deployment, of=command.deployment)


def stop(outside: Outside, command: StopDeployment) -> Answer:
    """Switch recognition off."""
    return _decide(outside, command, lambda one: one.decide_stop(command))


def end(outside: Outside, command: EndDeployment) -> Answer:
    """Close a deployment that took place, and destroy all that was kept for it."""
    answer = _decide(outside, command, lambda one: one.decide_end(command))
    if isinstance(answer, Deployment):
        when_over(outside, command, deployment=answer.id, cause="deployment_ended")
    return answer


def cancel(outside: Outside, command: CancelDeployment) -> Answer:
    """Close a deployment that will not take place, and destroy all that was kept for it."""
    answer = _decide(outside, command, lambda one: one.decide_cancellation(command))
    if isinstance(answer, Deployment):
        when_over(outside, command, deployment=answer.id, cause="deployment_cancelled")
    return answer


OnDeployment = (
    ConfigureCamera
    | SubmitReport
    | WithdrawAuthorisation
    | StopDeployment
    | EndDeployment
    | CancelDeployment
)


def _decide(
    outside: Outside, command: OnDeployment, decide: Callable[[Deployment], Refused | None]
) -> Answer:
    def attempt() -> Answer:
        deployment = outside.record.load(Deployment, command.deployment)
        if refused := decide(deployment):
            return refused
        outside.record.append(deployment, by=command, answers=True)
        return deployment

    return carry_out(outside, command, attempt, kind=Deployment, of=command.deployment)


def _decide_on_the_list(
    outside: Outside,
    command: DecideOnPlace | RatifyAuthorisation | VaryAuthorisation,
    decide: Callable[[Deployment, ListFacts, Governance], Refused | None],
) -> Answer:
    """Decide by what the list says of who made it, and by the force's limits."""

    def attempt() -> Answer:
        deployment = outside.record.load(Deployment, command.deployment)
        governance = Governance.of(outside)
        watchlist, given = _list_of(outside, deployment, command.at, governance)
        if refused := decide(deployment, watchlist, governance):
            return refused
        given = {**given, **governance.given}
        outside.record.append(deployment, by=command, given=given, answers=True)
        return deployment

    return carry_out(outside, command, attempt, kind=Deployment, of=command.deployment)


def _found_or_new(outside: Outside, deployment: UUID) -> Deployment:
    try:
        return outside.record.load(Deployment, deployment)
    except NotFoundError:
        return Deployment(deployment)


def _list_of(
    outside: Outside, deployment: Deployment, at: datetime, governance: Governance
) -> tuple[ListFacts, Mapping[UUID, int]]:
    """The deployment's list, and the version of it that the decision rests on."""
    try:
        watchlist = outside.record.load(Watchlist, deployment.watchlist)
    except NotFoundError:
        watchlist = Watchlist(deployment.watchlist)
    facts = ListFacts(
        watchlist=watchlist.id,
        approved=watchlist.approved and watchlist.deployment == deployment.id,
        makers=watchlist.makers,
        accepted=len(watchlist.accepted),
        not_reviewed=watchlist.not_reviewed_since(at - governance.hours("list_review_hours")),
        model_digest=watchlist.model_digest,
        extra_authorisers=sorted(watchlist.extra_authorisers),
        by_nexus=watchlist.by_nexus,
    )
    return facts, {watchlist.id: watchlist.version}


def _to_be_used(
    deployment: Deployment, command: StartDeployment, watchlist: ListFacts
) -> Configuration | None:
    """What a run would recognise with; without an authorisation there is no threshold."""
    if deployment.authorised is None:
        return None
    return Configuration(
        command.model_digest,
        deployment.authorised.threshold,
        watchlist.accepted,
        command.recogniser_settings,
    )

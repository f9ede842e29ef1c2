"""The rule behind a refusal: from the kind of refusal and the code to the policy that gave it.

A code alone does not tell: ``deployment_over`` is what five policies say, each about another kind
of request. The record keeps the code, the sentence and the values; the rule's own words and its
source are those of this version of Plumbline, which has to be said wherever they are shown.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.alerts import commands as alert_commands
from domain.alerts import events as alert
from domain.alerts import policies as alert_policies
from domain.arrests import commands as arrest_commands
from domain.arrests import events as arrest
from domain.arrests import policies as arrest_policies
from domain.copies import commands as copy_commands
from domain.copies import events as copies
from domain.copies import policies as copy_policies
from domain.custody import adoption
from domain.custody import commands as custody_commands
from domain.custody import events as custody
from domain.custody import policies as custody_policies
from domain.deployments import authority
from domain.deployments import commands as deployment_commands
from domain.deployments import events as deployment
from domain.deployments import policies as deployment_policies
from domain.engagements import commands as engagement_commands
from domain.engagements import events as engagement
from domain.engagements import policies as engagement_policies
from domain.footage import commands as footage_commands
from domain.footage import events as footage
from domain.footage import policies as footage_policies
from domain.governance import adoption as requirements
from domain.governance import commands as governance_commands
from domain.governance import documents, evidence, impact_assessment, programme, training
from domain.governance import events as governance
from domain.holds import commands as hold_commands
from domain.holds import events as hold
from domain.holds import policies as hold_policies
from domain.kernel import repeats
from domain.kernel.commands import Command
from domain.kernel.refusals import Refusal, WasRefused, declared_by
from domain.notice import commands as notice_commands
from domain.notice import events as notice
from domain.notice import policies as notice_policies
from domain.publication import aggregate as published
from domain.publication import commands as publication_commands
from domain.publication import events as publication
from domain.rights import breaches, complaints, requests
from domain.rights import commands as rights_commands
from domain.rights import events as rights
from domain.sightings import seeding
from domain.watchlists import commands as watchlist_commands
from domain.watchlists import events as watchlist
from domain.watchlists import policies as watchlist_policies
from domain.watchlists import upkeep as watchlist_upkeep

Rule = Callable[[Any], Refusal | None]


@dataclass(frozen=True)
class Request:
    """What can have been asked where a kind of refusal stands."""

    words: str
    """To be read after "asked to"."""
    commands: tuple[type[Command], ...]
    rules: Sequence[Rule]
    """Every policy that can have said no."""
    otherwise: str = "no rule of this version of Plumbline has this code for this request"
    """What is said of a reason that none of them gave."""


REQUESTS: Mapping[type[WasRefused], Request] = {
    alert.RaiseRefused: Request(
        "raise a possible match", (alert_commands.RaiseAlert,), alert_policies.RAISE_POLICIES
    ),
    alert.ViewRefused: Request(
        "look at an alert", (alert_commands.ViewAlert,), alert_policies.VIEW_POLICIES
    ),
    alert.AdjudicationRefused: Request(
        "decide an alert",
        (alert_commands.AdjudicateAlert,),
        alert_policies.ADJUDICATION_POLICIES,
    ),
    alert.DissentRefused: Request(
        "dissent from a decision",
        (alert_commands.RecordDissent,),
        alert_policies.DISSENT_POLICIES,
    ),
    engagement.StartRefused: Request(
        "speak to a person because of a possible match",
        (engagement_commands.StartEngagement,),
        engagement_policies.START_POLICIES,
    ),
    engagement.StepRefused: Request(
        "have a step of an engagement taken down",
        (
            engagement_commands.EstablishIdentity,
            engagement_commands.GiveInformation,
            engagement_commands.EndEngagement,
        ),
        (*engagement_policies.STEP_POLICIES, engagement_policies.identity_is_one_of_three),
    ),
    engagement.OutcomeRefused: Request(
        "have an outcome recorded or corrected",
        (engagement_commands.RecordOutcome, engagement_commands.CorrectOutcome),
        engagement_policies.OUTCOME_POLICIES,
    ),
    engagement.NotLocatedRefused: Request(
        "have it taken down that a person was not found",
        (engagement_commands.ReportNotLocated,),
        engagement_policies.NOT_LOCATED_POLICIES,
    ),
    engagement.ReviewRefused: Request(
        "review a false alert",
        (engagement_commands.ReviewFalseAlert,),
        engagement_policies.REVIEW_POLICIES,
    ),
    arrest.ArrestRefused: Request(
        "record an arrest after a possible match",
        (arrest_commands.RecordArrest,),
        arrest_policies.ARREST_POLICIES,
    ),
    copies.RegistrationRefused: Request(
        "register a copy of a list",
        (copy_commands.RegisterCopy,),
        copy_policies.REGISTRATION_POLICIES,
    ),
    copies.DestructionRefused: Request(
        "have a copy's destruction taken down",
        (copy_commands.DestroyCopy,),
        copy_policies.DESTRUCTION_POLICIES,
    ),
    copies.VerificationRefused: Request(
        "have it taken down whether a copy is gone",
        (copy_commands.VerifyCopy,),
        copy_policies.VERIFICATION_POLICIES,
    ),
    custody.ConsultationRefused: Request(
        "open an item of personal data",
        (custody_commands.ConsultItem,),
        custody_policies.CONSULTATION_POLICIES,
    ),
    hold.RequestRefused: Request(
        "have items kept past their limit",
        (hold_commands.RequestHold,),
        (*hold_policies.REQUEST_POLICIES, *hold_policies.ITEM_POLICIES),
    ),
    hold.ApprovalRefused: Request(
        "approve a hold",
        (hold_commands.ApproveHold,),
        (*hold_policies.APPROVAL_POLICIES, *hold_policies.ITEM_POLICIES),
    ),
    hold.DeclineRefused: Request(
        "turn a hold down", (hold_commands.DeclineHold,), hold_policies.DECLINE_POLICIES
    ),
    hold.ReviewRefused: Request(
        "let a hold count for longer", (hold_commands.ReviewHold,), hold_policies.REVIEW_POLICIES
    ),
    hold.ReleaseRefused: Request(
        "release a hold", (hold_commands.ReleaseHold,), hold_policies.RELEASE_POLICIES
    ),
    custody.AdoptionRefused: Request(
        "adopt a retention schedule",
        (custody_commands.AdoptSchedule,),
        adoption.ADOPTION_POLICIES,
    ),
    custody.RegistrationRefused: Request(
        "register a document",
        (custody_commands.RegisterDocument,),
        adoption.REGISTRATION_POLICIES,
    ),
    custody.EnrolmentRefused: Request(
        "have a key sign re-checks",
        (custody_commands.EnrolRechecker,),
        custody_policies.ENROLMENT_POLICIES,
    ),
    deployment.ApplicationRefused: Request(
        "have a deployment",
        (deployment_commands.ApplyForDeployment,),
        deployment_policies.APPLICATION_POLICIES,
    ),
    deployment.CameraRefused: Request(
        "give a camera its zone",
        (deployment_commands.ConfigureCamera,),
        deployment_policies.CAMERA_POLICIES,
    ),
    deployment.AuthorisationRefused: Request(
        "authorise the deployment",
        (deployment_commands.AuthoriseDeployment,),
        deployment_policies.AUTHORISATION_POLICIES,
    ),
    deployment.ReportRefused: Request(
        "take the applicant's report",
        (deployment_commands.SubmitReport,),
        authority.REPORT_POLICIES,
    ),
    deployment.PlaceRefused: Request(
        "decide on a sensitive place",
        (deployment_commands.DecideOnPlace,),
        authority.PLACE_POLICIES,
    ),
    deployment.RatificationRefused: Request(
        "ratify the urgent authorisation, or decline to",
        (deployment_commands.RatifyAuthorisation,),
        authority.RATIFICATION_POLICIES,
    ),
    deployment.VariationRefused: Request(
        "vary the authorisation",
        (deployment_commands.VaryAuthorisation,),
        authority.VARIATION_POLICIES,
    ),
    deployment.WithdrawalRefused: Request(
        "withdraw the authorisation",
        (deployment_commands.WithdrawAuthorisation,),
        deployment_policies.WITHDRAWAL_POLICIES,
    ),
    deployment.StartRefused: Request(
        "switch recognition on",
        (deployment_commands.StartDeployment,),
        deployment_policies.START_POLICIES,
    ),
    deployment.StopRefused: Request(
        "switch recognition off",
        (deployment_commands.StopDeployment,),
        deployment_policies.STOP_POLICIES,
    ),
    deployment.EndRefused: Request(
        "end the deployment",
        (deployment_commands.EndDeployment,),
        deployment_policies.CLOSING_POLICIES,
    ),
    deployment.CancellationRefused: Request(
        "cancel the deployment",
        (deployment_commands.CancelDeployment,),
        deployment_policies.CLOSING_POLICIES,
    ),
    footage.RecordingRefused: Request(
        "record a camera", (footage_commands.KeepSegment,), footage_policies.RECORDING_POLICIES
    ),
    governance.RequirementsRefused: Request(
        "adopt what a deployment needs",
        (governance_commands.AdoptRequirements,),
        requirements.ADOPTION_POLICIES,
    ),
    governance.PolicyDocumentRefused: Request(
        "put a document in force, publish or withdraw it",
        (
            governance_commands.RegisterPolicyDocument,
            governance_commands.PublishPolicyDocument,
            governance_commands.WithdrawPolicyDocument,
        ),
        tuple(
            dict.fromkeys(
                (
                    *documents.REGISTRATION_POLICIES,
                    *documents.CHANGE_POLICIES,
                )
            )
        ),
    ),
    governance.DpiaRefused: Request(
        "answer the DPIA screening, advise on a DPIA stage 2 or approve it",
        (
            governance_commands.AnswerScreening,
            governance_commands.RecordDpoAdvice,
            governance_commands.ApproveDpia,
        ),
        (
            *impact_assessment.SCREENING_POLICIES,
            *impact_assessment.ADVICE_POLICIES,
            *impact_assessment.APPROVAL_POLICIES,
        ),
    ),
    governance.EvidenceRefused: Request(
        "attach or withdraw performance evidence",
        (governance_commands.AttachEvidence, governance_commands.WithdrawEvidence),
        tuple(dict.fromkeys((*evidence.EVIDENCE_POLICIES, *evidence.WITHDRAWAL_POLICIES))),
    ),
    governance.TrainingRefused: Request(
        "record or withdraw someone's training",
        (governance_commands.RecordTraining, governance_commands.WithdrawTraining),
        tuple(dict.fromkeys((*training.TRAINING_POLICIES, *training.WITHDRAWAL_POLICIES))),
    ),
    governance.ProgrammeRefused: Request(
        "pause or resume the programme",
        (governance_commands.PauseProgramme, governance_commands.ResumeProgramme),
        programme.PROGRAMME_POLICIES,
    ),
    watchlist.CriteriaRefused: Request(
        "propose or approve criteria",
        (watchlist_commands.ProposeCriteria, watchlist_commands.ApproveCriteria),
        watchlist_policies.CRITERIA_POLICIES,
    ),
    watchlist.EntryRefused: Request(
        "propose, accept or reject an entry",
        (
            watchlist_commands.ProposeEntry,
            watchlist_commands.AcceptEntry,
            watchlist_commands.RejectEntry,
        ),
        tuple(
            dict.fromkeys(
                (*watchlist_policies.PROPOSAL_POLICIES, *watchlist_policies.JUDGEMENT_POLICIES)
            )
        ),
    ),
    watchlist.SealRefused: Request(
        "seal the list", (watchlist_commands.SealWatchlist,), watchlist_policies.SEAL_POLICIES
    ),
    watchlist.ApprovalRefused: Request(
        "approve the list",
        (watchlist_commands.ApproveWatchlist,),
        watchlist_policies.APPROVAL_POLICIES,
    ),
    notice.NoticeRefused: Request(
        "say how the public is told",
        (
            notice_commands.PublishNotice,
            notice_commands.OmitNotice,
            notice_commands.VerifySignage,
            notice_commands.RemoveSignage,
            notice_commands.RecordRoute,
        ),
        tuple(
            dict.fromkeys(
                (
                    *notice_policies.PUBLICATION_POLICIES,
                    *notice_policies.OMISSION_POLICIES,
                    *notice_policies.SIGNAGE_POLICIES,
                    *notice_policies.ROUTE_POLICIES,
                    *notice_policies.REMOVAL_POLICIES,
                )
            )
        ),
    ),
    publication.PublicationRefused: Request(
        "publish the deployment record",
        (publication_commands.PublishRecord,),
        published.PUBLICATION_POLICIES,
    ),
    rights.RequestStepRefused: Request(
        "deal with a data subject's request",
        (
            rights_commands.ReceiveRequest,
            rights_commands.VerifyIdentity,
            rights_commands.SearchForRequest,
            rights_commands.RestrictAnswer,
            rights_commands.AnswerRequest,
        ),
        tuple(
            dict.fromkeys(
                (
                    *requests.RECEIPT_POLICIES,
                    *requests.SEARCH_POLICIES,
                    *requests.ANSWER_POLICIES,
                )
            )
        ),
    ),
    rights.ComplaintStepRefused: Request(
        "deal with a complaint",
        (rights_commands.ReceiveComplaint, rights_commands.CloseComplaint),
        complaints.COMPLAINT_POLICIES,
    ),
    rights.BreachStepRefused: Request(
        "deal with a breach",
        (
            rights_commands.ReportBreach,
            rights_commands.AssessBreach,
            rights_commands.NotifyCommissioner,
            rights_commands.NotifyPeople,
            rights_commands.CloseBreach,
        ),
        tuple(dict.fromkeys((*breaches.NOTIFICATION_POLICIES, *breaches.END_POLICIES))),
    ),
    seeding.SeededPassRefused: Request(
        "take down a seeded pass", (seeding.RecordSeededPass,), seeding.SEEDING_POLICIES
    ),
    watchlist.ReviewRefused: Request(
        "call entries looked at again",
        (watchlist_commands.ReviewEntries,),
        watchlist_upkeep.REVIEW_POLICIES,
    ),
    watchlist.RemovalRefused: Request(
        "take an entry off the list",
        (watchlist_commands.RemoveEntry,),
        watchlist_upkeep.REMOVAL_POLICIES,
    ),
    watchlist.ExtraAuthorityRefused: Request(
        "decide on extra authority",
        (watchlist_commands.DecideExtraAuthority,),
        watchlist_upkeep.AUTHORITY_POLICIES,
    ),
    watchlist.ReopeningRefused: Request(
        "let the sealed list take more entries",
        (watchlist_commands.ReopenWatchlist,),
        watchlist_upkeep.REOPENING_POLICIES,
    ),
    watchlist.GalleryRefused: Request(
        "load the list into a recogniser",
        (watchlist_commands.LoadGallery,),
        watchlist_policies.GALLERY_POLICIES,
    ),
    watchlist.ImportRefused: Request(
        "import a watchlist file",
        (watchlist_commands.RefuseImport,),
        (),
        "no policy but the form of a watchlist file, which its reader goes through line by line "
        "(docs/rehearse.md); a file is taken as a whole or not at all",
    ),
    repeats.RepeatRefused: Request("have a command answered again", (), repeats.REPEAT_POLICIES),
}


@dataclass(frozen=True)
class RuleTold:
    """A policy, for a reader."""

    name: str
    """Its name in the code: a true sentence about what is lawful."""
    where: str
    """The module that it stands in."""
    demand: str
    """What it demands and why, in its own words."""
    source: str | None
    """The statute, standard or line of a policy that it comes from, where it names one."""


def rule_behind(kind: type[WasRefused], refusal: Refusal) -> RuleTold | None:
    """The one policy that gave this reason; None where this version has no such rule.

    Args:
        kind: of the refusal that the reason stands in.
        refusal: the reason, as recorded.
    """
    request = REQUESTS.get(kind)
    for rule in request.rules if request else ():
        declared = declared_by(rule)
        if refusal.code in declared.codes and declared.saying in (None, refusal.sentence):
            return told(rule)
    return None


def told(rule: Rule) -> RuleTold:
    """A policy, for a reader: its docstring up to ``Source:``, and what follows that."""
    words = " ".join((inspect.getdoc(rule) or "").split())
    demand, _, source = words.partition("Source:")
    return RuleTold(
        name=rule.__name__,
        where=rule.__module__,
        demand=demand.strip(),
        source=source.strip().rstrip(".") or None,
    )

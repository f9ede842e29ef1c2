"""A watchlist: what its policies ask about."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from enum import Enum, auto
from typing import assert_never
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Role
from domain.kernel.refusals import Refused, refusals
from domain.watchlists import events as happened
from domain.watchlists.commands import (
    AcceptEntry,
    ApproveCriteria,
    ApproveWatchlist,
    DecideExtraAuthority,
    LoadGallery,
    ProposeCriteria,
    ProposeEntry,
    RefuseImport,
    RejectEntry,
    RemoveEntry,
    ReopenWatchlist,
    ReviewEntries,
    SealWatchlist,
)
from domain.watchlists.policies import (
    APPROVAL_POLICIES,
    APPROVERS,
    CRITERIA_POLICIES,
    GALLERY_POLICIES,
    JUDGEMENT_POLICIES,
    PROPOSAL_POLICIES,
    SEAL_POLICIES,
    ApprovalFacts,
    CriteriaFacts,
    GalleryFacts,
    JudgementFacts,
    ProposalFacts,
    SealFacts,
    category_is_within_the_criteria,
)
from domain.watchlists.upkeep import (
    AUTHORITY_POLICIES,
    REMOVAL_POLICIES,
    REOPENING_POLICIES,
    REVIEW_POLICIES,
    AuthorityFacts,
    RemovalFacts,
    ReopeningFacts,
    ReviewFacts,
)

MANY = 2**31
"""Room on a list of which nobody said how many it may have."""


class Standing(Enum):
    """Where an entry stands."""

    PROPOSED = auto()
    ACCEPTED = auto()
    REJECTED = auto()
    REMOVED = auto()


class Watchlist(Aggregate):
    """One list, made for one deployment and no other."""

    KIND = "watchlist"
    GROWS = True

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.deployment: UUID | None = None
        self.proposer = ""
        self.categories: list[str] = []
        self.criteria_approved = False
        self.entries: dict[UUID, happened.EntryProposed] = {}
        self.standing: dict[UUID, Standing] = {}
        self.templates: dict[UUID, UUID] = {}
        self.model_digest: str | None = None
        self.seal_requested_by: str | None = None
        self.sealers: list[str] = []
        self.approved = False
        self.approver = ""
        self.adult_age_bands: frozenset[str] = frozenset()
        self.contested_categories: frozenset[str] = frozenset()
        self.most_entries = 0
        self.may_add: int | None = None
        """How many more a reopened list may take; None for a list that was never sealed."""
        self.authorised_extra: set[UUID] = set()
        self.extra_authorisers: set[str] = set()
        self.reviewed_at: dict[UUID, datetime] = {}
        self._earlier_sealers: set[str] = set()

    @property
    def sealed(self) -> bool:
        """Whether two persons closed the list."""
        return bool(self.sealers)

    @property
    def closed(self) -> bool:
        """Whether the first of the two has closed it: both are to seal the same list."""
        return self.seal_requested_by is not None or self.sealed

    @property
    def makers(self) -> list[str]:
        """Everyone who had a hand in the list: criteria, entries, seal."""
        hands = {self.proposer, *self.sealers, *self._earlier_sealers}
        return sorted(hands | {one.proposer for one in self.entries.values()})

    @property
    def accepted(self) -> list[UUID]:
        """The entries that were accepted, in the order of their proposal."""
        return [one for one in self.entries if self.standing[one] is Standing.ACCEPTED]

    @property
    def by_nexus(self) -> dict[str, int]:
        """Why the accepted entries are expected at the place, and how many for each reason."""
        return dict(sorted(Counter(self.entries[one].nexus for one in self.accepted).items()))

    @property
    def needing_authority(self) -> list[UUID]:
        """The accepted entries that may be on the list only by extra authority."""
        return [one for one in self.accepted if self._needs_authority(self.entries[one])]

    @property
    def room(self) -> int:
        """How many more entries the list may take."""
        left = self.most_entries - len(self.accepted) if self.most_entries else MANY
        return left if self.may_add is None else min(left, self.may_add)

    def not_reviewed_since(self, earliest: datetime) -> int:
        """How many accepted entries nobody looked at since a time."""
        return sum(
            one not in self.reviewed_at or self.reviewed_at[one] < earliest for one in self.accepted
        )

    def _needs_authority(self, entry: happened.EntryProposed) -> bool:
        return (
            entry.vulnerable
            or entry.age_band not in self.adult_age_bands
            or entry.category in self.contested_categories
        )

    # -- decide --------------------------------------------------------------------------------

    def decide_criteria(self, command: ProposeCriteria, *, largest_list: int) -> Refused | None:
        """Take proposed criteria."""
        facts = CriteriaFacts(
            actor=command.actor,
            role=command.role,
            wanted_roles={Role.WATCHLIST_MANAGER},
            proposer=self.proposer,
            applicant="",
            approving=False,
            proposed=self.version > 0,
            approved=self.criteria_approved,
            categories=command.categories,
            most_entries=command.most_entries,
            largest_list=largest_list,
        )
        if reasons := refusals(CRITERIA_POLICIES, facts):
            return Refused(happened.CriteriaRefused, reasons, command, self.id)
        self.happened(
            happened.CriteriaProposed,
            at=command.at,
            deployment=command.deployment,
            proposer=command.actor,
            categories=command.categories,
            accepted_values=command.accepted_values,
            adult_age_bands=command.adult_age_bands,
            contested_categories=command.contested_categories,
            most_entries=command.most_entries,
        )
        return None

    def decide_criteria_approval(
        self, command: ApproveCriteria, *, applicant: str
    ) -> Refused | None:
        """Approve the criteria, before anyone is on the list."""
        facts = CriteriaFacts(
            actor=command.actor,
            role=command.role,
            wanted_roles=APPROVERS,
            proposer=self.proposer,
            applicant=applicant,
            approving=True,
            proposed=self.version > 0,
            approved=self.criteria_approved,
            categories=self.categories,
            most_entries=self.most_entries,
            largest_list=self.most_entries,
        )
        if reasons := refusals(CRITERIA_POLICIES, facts):
            return Refused(happened.CriteriaRefused, reasons, command, self.id)
        self.happened(happened.CriteriaApproved, at=command.at, officer=command.actor)
        return None

    def refuse_import(self, command: RefuseImport) -> Refused:
        """Keep why a file was not imported."""
        return Refused(happened.ImportRefused, command.reasons, command, self.id)

    def decide_proposal(
        self,
        command: ProposeEntry,
        *,
        image_item: UUID,
        reference_item: UUID,
        deployment_over: bool = False,
    ) -> Refused | None:
        """Take a proposed entry, which is then accepted or rejected."""
        facts = self._proposal_facts(
            command.role, command.entry, command.necessity.category, over=deployment_over
        )
        if reasons := refusals(PROPOSAL_POLICIES, facts):
            return Refused(happened.EntryRefused, reasons, command, self.id)
        why = command.necessity
        self.happened(
            happened.EntryProposed,
            at=command.at,
            entry=command.entry,
            proposer=command.actor,
            category=why.category,
            source_system=why.source_system,
            image_basis=why.image_basis,
            necessity=why.necessity,
            attempted_means=why.attempted_means,
            attempted_on=why.attempted_on.isoformat(),
            attempted_result=why.attempted_result,
            nexus=why.nexus,
            age_band=why.age_band,
            vulnerable=why.vulnerable,
            response_code=why.response_code,
            image_item=image_item,
            reference_item=reference_item,
        )
        return None

    def category_refusal(self, entry: UUID) -> str | None:
        """Why the entry's category keeps it off the list, or ``None``."""
        proposed = self.entries[entry]
        facts = self._proposal_facts(Role.WATCHLIST_MANAGER, entry, proposed.category)
        refusal = category_is_within_the_criteria(facts)
        return refusal.code if refusal else None

    def decide_acceptance(
        self, command: AcceptEntry, *, template_item: UUID, deployment_over: bool = False
    ) -> Refused | None:
        """Take an entry whose reference image was good enough."""
        facts = self._judgement_facts(
            command.role, command.entry, model_digest=command.model_digest, over=deployment_over
        )
        if reasons := refusals(JUDGEMENT_POLICIES, facts):
            return Refused(happened.EntryRefused, reasons, command, self.id)
        self.happened(
            happened.EntryAccepted,
            at=command.at,
            entry=command.entry,
            template_item=template_item,
            model_digest=command.model_digest,
        )
        return None

    def decide_rejection(self, command: RejectEntry) -> Refused | None:
        """Turn an entry away."""
        facts = self._judgement_facts(command.role, command.entry, model_digest=None, over=False)
        if reasons := refusals(JUDGEMENT_POLICIES, facts):
            return Refused(happened.EntryRefused, reasons, command, self.id)
        self.happened(
            happened.EntryRejected, at=command.at, entry=command.entry, reasons=command.reasons
        )
        return None

    def decide_seal(self, command: SealWatchlist) -> Refused | None:
        """Close the list: the first person asks, a second does it."""
        standing = Counter(self.standing.values())
        facts = SealFacts(
            actor=command.actor,
            role=command.role,
            requested_by=self.seal_requested_by,
            sealed=self.sealed,
            accepted=standing[Standing.ACCEPTED],
            unjudged=standing[Standing.PROPOSED],
            without_authority=len(set(self.needing_authority) - self.authorised_extra),
        )
        if reasons := refusals(SEAL_POLICIES, facts):
            return Refused(happened.SealRefused, reasons, command, self.id)
        if self.seal_requested_by is None:
            self.happened(
                happened.SealRequested,
                at=command.at,
                sealer=command.actor,
                entries=len(self.accepted),
            )
            return None
        listed = [self.entries[entry] for entry in self.accepted]
        self.happened(
            happened.WatchlistSealed,
            at=command.at,
            sealers=[self.seal_requested_by, command.actor],
            entries=len(listed),
            rejected=standing[Standing.REJECTED],
            by_category=dict(Counter(one.category for one in listed)),
            by_source_system=dict(Counter(one.source_system for one in listed)),
            by_age_band=dict(Counter(one.age_band for one in listed)),
            vulnerable=sum(one.vulnerable for one in listed),
            model_digest=self.model_digest,
        )
        return None

    def decide_approval(self, command: ApproveWatchlist, *, applicant: str = "") -> Refused | None:
        """Approve the composition of the sealed list."""
        facts = ApprovalFacts(
            officer=command.actor,
            applicant=applicant,
            role=command.role,
            makers=self.makers,
            extra_authorisers=sorted(self.extra_authorisers),
            sealed=self.sealed,
            approved=self.approved,
        )
        if reasons := refusals(APPROVAL_POLICIES, facts):
            return Refused(happened.ApprovalRefused, reasons, command, self.id)
        self.happened(
            happened.WatchlistApproved,
            at=command.at,
            officer=command.actor,
            entries=len(self.accepted),
        )
        return None

    def decide_review(self, command: ReviewEntries) -> Refused | None:
        """Take it that these entries were looked at again."""
        facts = ReviewFacts(role=command.role, entries=command.entries, listed=set(self.accepted))
        if reasons := refusals(REVIEW_POLICIES, facts):
            return Refused(happened.ReviewRefused, reasons, command, self.id)
        self.happened(
            happened.EntriesReviewed,
            at=command.at,
            reviewer=command.actor,
            entries=command.entries,
        )
        return None

    def decide_removal(self, command: RemoveEntry) -> Refused | None:
        """Take an entry off the list, whatever state that is in."""
        facts = RemovalFacts(
            role=command.role,
            entries=[command.entry],
            listed=set(self.accepted),
            reason=command.reason,
        )
        if reasons := refusals(REMOVAL_POLICIES, facts):
            return Refused(happened.RemovalRefused, reasons, command, self.id)
        self.happened(
            happened.EntryRemoved,
            at=command.at,
            entry=command.entry,
            remover=command.actor,
            reason=command.reason,
        )
        return None

    def decide_extra_authority(
        self, command: DecideExtraAuthority, *, applicant: str
    ) -> Refused | None:
        """Take a second authority's decision on entries that need one."""
        facts = AuthorityFacts(
            officer=command.actor,
            role=command.role,
            rank=command.rank,
            rank_evidence=command.rank_evidence,
            applicant=applicant,
            makers=self.makers,
            approver=self.approver,
            entries=command.entries,
            listed=set(self.accepted),
            needing=set(self.needing_authority),
            granted=command.granted,
            sealed=self.closed,
            reason=command.reason,
        )
        if reasons := refusals(AUTHORITY_POLICIES, facts):
            return Refused(happened.ExtraAuthorityRefused, reasons, command, self.id)
        self.happened(
            happened.ExtraAuthorityDecided,
            at=command.at,
            officer=command.actor,
            rank=command.rank,
            rank_evidence=command.rank_evidence,
            entries=command.entries,
            granted=command.granted,
            reason=command.reason,
        )
        return None

    def decide_reopening(
        self, command: ReopenWatchlist, *, applicant: str, running: bool, deployment_over: bool
    ) -> Refused | None:
        """Let a sealed list take more entries."""
        facts = ReopeningFacts(
            officer=command.actor,
            role=command.role,
            applicant=applicant,
            makers=self.makers,
            sealed=self.sealed,
            running=running,
            deployment_over=deployment_over,
            reason=command.reason,
            most_added=command.most_added,
            room=self.most_entries - len(self.accepted) if self.most_entries else MANY,
        )
        if reasons := refusals(REOPENING_POLICIES, facts):
            return Refused(happened.ReopeningRefused, reasons, command, self.id)
        self.happened(
            happened.WatchlistReopened,
            at=command.at,
            officer=command.actor,
            reason=command.reason,
            most_added=command.most_added,
        )
        return None

    def decide_gallery(
        self, command: LoadGallery, *, deployment_over: bool = False
    ) -> Refused | None:
        """Let a recogniser take the templates into memory."""
        facts = GalleryFacts(
            role=command.role,
            deployment_over=deployment_over,
            approved=self.approved,
            own=self.deployment == command.deployment,
        )
        if reasons := refusals(GALLERY_POLICIES, facts):
            return Refused(happened.GalleryRefused, reasons, command, self.id)
        return None

    def _proposal_facts(
        self, role: Role, entry: UUID, category: str, *, over: bool = False
    ) -> ProposalFacts:
        return ProposalFacts(
            role=role,
            deployment_over=over,
            criteria_approved=self.criteria_approved,
            sealed=self.closed,
            known=entry in self.entries,
            category=category,
            categories=self.categories,
        )

    def _judgement_facts(
        self, role: Role, entry: UUID, *, model_digest: str | None, over: bool
    ) -> JudgementFacts:
        proposed = entry in self.entries
        return JudgementFacts(
            role=role,
            deployment_over=over,
            proposed=proposed,
            judged=proposed and self.standing[entry] is not Standing.PROPOSED,
            sealed=self.closed,
            within_criteria=proposed and self.category_refusal(entry) is None,
            accepting=model_digest is not None,
            model_digest=model_digest,
            lists_model=self.model_digest,
            room=self.room,
        )

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: happened.WatchlistEvent) -> None:
        """Take in one event."""
        match event:
            case happened.CriteriaProposed():
                self.deployment = event.deployment
                self.proposer = event.proposer
                self.categories = event.categories
                self.adult_age_bands = frozenset(event.adult_age_bands)
                self.contested_categories = frozenset(event.contested_categories)
                self.most_entries = event.most_entries
            case happened.CriteriaApproved():
                self.criteria_approved = True
            case happened.EntryProposed():
                self.entries[event.entry] = event
                self.standing[event.entry] = Standing.PROPOSED
            case happened.EntryAccepted():
                self.standing[event.entry] = Standing.ACCEPTED
                self.templates[event.entry] = event.template_item
                self.model_digest = event.model_digest
                if self.may_add is not None:
                    self.may_add -= 1
            case happened.EntryRejected():
                self.standing[event.entry] = Standing.REJECTED
            case happened.SealRequested():
                self.seal_requested_by = event.sealer
            case happened.WatchlistSealed():
                self.sealers = event.sealers
            case happened.WatchlistApproved():
                self.approved = True
                self.approver = event.officer
            case happened.EntriesReviewed():
                self.reviewed_at |= dict.fromkeys(event.entries, event.timestamp)
            case happened.EntryRemoved():
                self.standing[event.entry] = Standing.REMOVED
            case happened.ExtraAuthorityDecided():
                self.extra_authorisers.add(event.officer)
                if event.granted:
                    self.authorised_extra |= set(event.entries)
                else:
                    self.authorised_extra -= set(event.entries)
            case happened.WatchlistReopened():
                self._earlier_sealers |= set(self.sealers)
                self.seal_requested_by, self.sealers = None, []
                self.approved = False
                self.may_add = event.most_added
            case _:
                assert_never(event)

"""Compiling, sealing and approving a watchlist, and loading it into a recogniser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.events import GalleryLoaded
from domain.deployments.aggregate import Deployment
from domain.kernel.errors import NotFoundError, RecordBrokenError
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import journal, new_reference
from domain.kernel.refusals import Refused
from domain.ports import Outside, VaultError
from domain.services.carrying_out import carry_out
from domain.services.copies import known_outside
from domain.services.custody import Content, Keeping, carry_out_keeping, destroy_for
from domain.services.governance import requirements_of
from domain.watchlists.aggregate import Watchlist
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

Decision = Callable[[Watchlist], Refused | None]


def propose_criteria(outside: Outside, command: ProposeCriteria) -> Watchlist | Refused:
    """Propose who may be on a new list."""

    def attempt() -> Watchlist | Refused:
        watchlist = _found_or_new(outside, command.watchlist)
        requirements = requirements_of(outside)
        largest = requirements.in_force.limit("list_entries")
        if refused := watchlist.decide_criteria(command, largest_list=largest):
            return refused
        given = {requirements.id: requirements.version}
        outside.record.append(watchlist, by=command, given=given, answers=True)
        return watchlist

    return carry_out(outside, command, attempt, kind=Watchlist, of=command.watchlist)


def approve_criteria(outside: Outside, command: ApproveCriteria) -> Watchlist | Refused:
    """Approve who may be on the list."""
    return _decide(
        outside,
        command,
        lambda one: one.decide_criteria_approval(command, applicant=_applicant(outside, one)),
    )


def refuse_import(outside: Outside, command: RefuseImport) -> Watchlist | Refused:
    """Keep why a watchlist file was not imported. Nothing of it was."""
    return _decide(outside, command, lambda one: one.refuse_import(command))


def reject_entry(outside: Outside, command: RejectEntry) -> Watchlist | Refused:
    """Turn an entry away and destroy at once what was kept for it."""
    answer = _decide(outside, command, lambda one: one.decide_rejection(command))
    if isinstance(answer, Watchlist):
        proposed = answer.entries[command.entry]
        destroy_for(
            outside,
            command,
            [proposed.image_item, proposed.reference_item],
            cause="entry_rejected",
            known_outside=known_outside(outside, command.watchlist),
        )
    return answer


def review(outside: Outside, command: ReviewEntries) -> Watchlist | Refused:
    """Take it that entries were looked at again."""
    return _decide(outside, command, lambda one: one.decide_review(command))


def remove_entry(outside: Outside, command: RemoveEntry) -> Watchlist | Refused:
    """Take an entry off the list, and destroy at once what was kept for it.

    A recogniser that compares with the list looks for removals twice a second; an alert for the
    entry is refused from the instant of its removal on.
    """
    answer = _decide(outside, command, lambda one: one.decide_removal(command))
    if isinstance(answer, Watchlist):
        gone = answer.entries[command.entry]
        destroy_for(
            outside,
            command,
            [gone.image_item, gone.reference_item, answer.templates[command.entry]],
            cause="entry_removed",
            known_outside=known_outside(outside, command.watchlist),
        )
    return answer


def decide_extra_authority(outside: Outside, command: DecideExtraAuthority) -> Watchlist | Refused:
    """Take a second authority's decision."""
    return _decide(
        outside,
        command,
        lambda one: one.decide_extra_authority(command, applicant=_applicant(outside, one)),
    )


def reopen(outside: Outside, command: ReopenWatchlist) -> Watchlist | Refused:
    """Let a sealed list take more entries, while recognition is off."""

    def attempt() -> Watchlist | Refused:
        watchlist = outside.record.load(Watchlist, command.watchlist)
        deployment = _deployment_of(outside, watchlist)
        if refused := watchlist.decide_reopening(
            command,
            applicant=deployment.applicant,
            running=deployment.run is not None,
            deployment_over=deployment.over,
        ):
            return refused
        given = {deployment.id: deployment.version}
        outside.record.append(watchlist, by=command, given=given, answers=True)
        return watchlist

    return carry_out(outside, command, attempt, kind=Watchlist, of=command.watchlist)


def seal(outside: Outside, command: SealWatchlist) -> Watchlist | Refused:
    """Close the list: the first person asks, a second does it."""
    return _decide(outside, command, lambda one: one.decide_seal(command))


def approve(outside: Outside, command: ApproveWatchlist) -> Watchlist | Refused:
    """Approve the composition of the sealed list."""
    return _decide(
        outside,
        command,
        lambda one: one.decide_approval(command, applicant=_applicant(outside, one)),
    )


def propose_entry(
    outside: Outside, command: ProposeEntry, *, image: bytes, callers_reference: str
) -> Watchlist | Refused:
    """Propose a person: image and the caller's reference go into the vault, codes to the record."""
    return _decide_with_items(
        outside,
        command,
        [
            Content(ItemClass.REFERENCE_IMAGE, "image/*", command.entry, image),
            Content(
                ItemClass.CALLERS_REFERENCE,
                "text/plain",
                command.entry,
                callers_reference.encode(),
            ),
        ],
        lambda one, deployment, items: one.decide_proposal(
            command,
            deployment_over=deployment.over,
            image_item=items[ItemClass.REFERENCE_IMAGE],
            reference_item=items[ItemClass.CALLERS_REFERENCE],
        ),
    )


def accept_entry(
    outside: Outside, command: AcceptEntry, *, template: memoryview
) -> Watchlist | Refused:
    """Take a proposed entry: its template goes into the vault."""
    return _decide_with_items(
        outside,
        command,
        [
            Content(
                ItemClass.REFERENCE_TEMPLATE,
                "application/x-float32",
                command.entry,
                template,
            )
        ],
        lambda one, deployment, items: one.decide_acceptance(
            command,
            deployment_over=deployment.over,
            template_item=items[ItemClass.REFERENCE_TEMPLATE],
        ),
    )


def load_gallery(outside: Outside, command: LoadGallery) -> list[tuple[UUID, bytearray]] | Refused:
    """The templates of an approved list: one consultation, with a count, recorded first.

    Returns:
        Entry and template (float32, little endian) in buffers that the caller must wipe; or the
        refusal.
    """

    def attempt() -> Watchlist | Refused:
        watchlist = outside.record.load(Watchlist, command.watchlist)
        deployment = outside.record.load(Deployment, command.deployment)
        if refused := watchlist.decide_gallery(command, deployment_over=deployment.over):
            return refused
        outside.record.append(
            GalleryLoaded(
                originator_id=journal("galleries", command.scope),
                originator_version=NEXT_VERSION,
                timestamp=command.at,
                deployment=command.deployment,
                watchlist=command.watchlist,
                camera=command.camera,
                count=len(watchlist.accepted),
                model_digest=watchlist.model_digest or "",
            ),
            by=command,
            given={watchlist.id: watchlist.version, deployment.id: deployment.version},
        )
        return watchlist

    answer = carry_out(outside, command, attempt, kind=Watchlist, of=command.watchlist)
    if isinstance(answer, Refused):
        return answer
    return _templates(outside, answer)


def _templates(outside: Outside, watchlist: Watchlist) -> list[tuple[UUID, bytearray]]:
    """Every accepted entry's template; if one cannot be opened, none stays in memory."""
    opened: list[tuple[UUID, bytearray]] = []
    try:
        for entry in watchlist.accepted:
            label = outside.record.load(Item, watchlist.templates[entry]).label
            opened.append((entry, outside.vault.open(label)))
    except VaultError:
        for _, template in opened:
            template[:] = bytes(len(template))
        raise
    return opened


def _found_or_new(outside: Outside, watchlist: UUID) -> Watchlist:
    try:
        return outside.record.load(Watchlist, watchlist)
    except NotFoundError:
        return Watchlist(watchlist)


OnWatchlist = (
    ApproveCriteria
    | RefuseImport
    | RejectEntry
    | ReviewEntries
    | RemoveEntry
    | DecideExtraAuthority
    | SealWatchlist
    | ApproveWatchlist
)


def _decide(outside: Outside, command: OnWatchlist, decide: Decision) -> Watchlist | Refused:
    def attempt() -> Watchlist | Refused:
        watchlist = outside.record.load(Watchlist, command.watchlist)
        if refused := decide(watchlist):
            return refused
        outside.record.append(watchlist, by=command, answers=True)
        return watchlist

    return carry_out(outside, command, attempt, kind=Watchlist, of=command.watchlist)


def _decide_with_items(
    outside: Outside,
    command: ProposeEntry | AcceptEntry,
    contents: list[Content],
    decide: Callable[[Watchlist, Deployment, dict[str, UUID]], Refused | None],
) -> Watchlist | Refused:
    """Keep the contents, then decide; what was kept for a refused command is destroyed at once."""

    def attempt(keeping: Keeping) -> Watchlist | Refused:
        watchlist = outside.record.load(Watchlist, command.watchlist)
        deployment = _deployment_of(outside, watchlist)
        items = keeping.items or {one.item_class.value: new_reference() for one in contents}
        if refused := decide(watchlist, deployment, items):
            return refused
        if not keeping.items:
            # Nothing is kept for a command that would be refused; decided anew with what was kept.
            keeping.keep(
                contents,
                deployment=deployment.id,
                anchor_at=None,
                window_end=_window_end(deployment),
            )
            return attempt(keeping)
        outside.record.append(
            *keeping.sealed_items(),
            watchlist,
            by=command,
            given={deployment.id: deployment.version},
            answers=True,
        )
        return watchlist

    return carry_out_keeping(
        outside,
        command,
        attempt,
        kind=Watchlist,
        of=command.watchlist,
        if_refused="entry_refused",
    )


def _deployment_of(outside: Outside, watchlist: Watchlist) -> Deployment:
    if watchlist.deployment is None:
        raise RecordBrokenError(f"watchlist {watchlist.id.hex} belongs to no deployment")
    return outside.record.load(Deployment, watchlist.deployment)


def _applicant(outside: Outside, watchlist: Watchlist) -> str:
    """Who applied for the list's deployment; nobody, for criteria that came before it."""
    try:
        return _deployment_of(outside, watchlist).applicant
    except NotFoundError:
        return ""


def _window_end(deployment: Deployment) -> datetime:
    if deployment.requested_until is None:
        raise RecordBrokenError(f"deployment {deployment.id.hex} has no window")
    return deployment.requested_until

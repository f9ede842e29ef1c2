"""The published record of one deployment: when it may be published, and how it is corrected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlsplit
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.references import journal
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses
from domain.publication import events as happened
from domain.publication.commands import PublishRecord

PUBLISHERS = frozenset({Role.SPONSOR, Role.DPO})
_DIGEST = re.compile(r"[0-9a-f]{64}")


def publication_of(deployment: UUID) -> UUID:
    """The one stream of a deployment's published record."""
    return journal("publication", deployment.hex)


@dataclass(frozen=True)
class PublicationFacts:
    """What a publication is judged by."""

    role: Role
    page: str
    digest: str
    was: str
    """The digest that is published now; empty for none."""
    correction: str
    unfit: Sequence[str]
    """Why the record may not be published, in words."""


@refuses("role_may_not_publish")
def role_may_publish(facts: PublicationFacts) -> Refusal | None:
    """The project sponsor or the DPO publishes. Source: domain specification, section 2, 3.10."""
    if facts.role in PUBLISHERS:
        return None
    return Refusal(
        "role_may_not_publish", "the sponsor or the DPO publishes", {"role": facts.role.value}
    )


@refuses("not_fit_for_publication")
def record_is_complete(facts: PublicationFacts) -> Refusal | None:
    """Sums balance, alerts are closed and reviewed, the list is destroyed, the deployment is over.

    Source: domain specification, 3.6 and 3.10.
    """
    if not facts.unfit:
        return None
    return Refusal(
        "not_fit_for_publication",
        "settle what the deployment record names first",
        {"unfit": "; ".join(facts.unfit)},
    )


@refuses("page_unreadable", "digest_missing")
def publication_can_be_found(facts: PublicationFacts) -> Refusal | None:
    """A page that anybody can open, and which figures stand on it. Source: specification, 5.1."""
    found = urlsplit(facts.page)
    if found.scheme != "https" or not found.hostname or found.username:
        return Refusal("page_unreadable", "expected an https address without a user name")
    if not _DIGEST.fullmatch(facts.digest):
        return Refusal("digest_missing", "give the SHA-256 of the published figures")
    return None


@refuses("correction_not_explained", "nothing_to_correct", "figures_unchanged")
def correction_is_visible(facts: PublicationFacts) -> Refusal | None:
    """What was published is corrected with a reason, never silently. Source: 3.10, 5.2."""
    if facts.was and not is_code(facts.correction):
        return Refusal("correction_not_explained", "say by a code why the figures are replaced")
    if facts.correction and not facts.was:
        return Refusal("nothing_to_correct", "nothing is published yet")
    if facts.was == facts.digest:
        return Refusal("figures_unchanged", "these very figures are published already")
    return None


PUBLICATION_POLICIES: tuple[Policy[PublicationFacts], ...] = (
    role_may_publish,
    record_is_complete,
    publication_can_be_found,
    correction_is_visible,
)


class Publication(Aggregate):
    """What was published of one deployment."""

    KIND = "publication"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.digest = ""

    def decide(
        self, command: PublishRecord, *, unfit: Sequence[str], entries: int
    ) -> Refused | None:
        """Take down that the record is published, or that it replaces another."""
        facts = PublicationFacts(
            role=command.role,
            page=command.page,
            digest=command.digest,
            was=self.digest,
            correction=command.correction,
            unfit=unfit,
        )
        if reasons := refusals(PUBLICATION_POLICIES, facts):
            return Refused(happened.PublicationRefused, reasons, command, command.deployment)
        told = {
            "publisher": command.actor,
            "page": command.page,
            "digest": command.digest,
            "entries": entries,
        }
        if self.digest:
            corrected = {"was": self.digest, "reason": command.correction}
            self.happened(happened.RecordCorrected, at=command.at, **told, **corrected)
        else:
            self.happened(happened.RecordPublished, at=command.at, **told)
        return None

    def evolve(self, event: happened.PublicationEvent) -> None:
        """Take in one event."""
        match event:
            case happened.RecordPublished() | happened.RecordCorrected():
                self.digest = event.digest
            case _:
                assert_never(event)

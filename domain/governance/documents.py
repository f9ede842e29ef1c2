"""The documents in force: which version of each kind counts on a day, and where it can be read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import assert_never
from urllib.parse import urlsplit
from uuid import UUID

from domain.governance.commands import (
    PublishPolicyDocument,
    RegisterPolicyDocument,
    WithdrawPolicyDocument,
)
from domain.governance.days import day, day_of
from domain.governance.events import (
    PolicyDocumentPublished,
    PolicyDocumentRefused,
    PolicyDocumentRegistered,
    PolicyDocumentWithdrawn,
)
from domain.governance.requirements import PUBLISHED, Requirements
from domain.kernel.aggregate import Aggregate
from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.references import FORCE, journal
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses

DOCUMENTS = journal("policy-documents", FORCE)
"""The one stream of a force's documents in force."""
KEEPERS = frozenset({Role.SPONSOR, Role.DPO, Role.INFORMATION_ASSET_OWNER})
"""Who may say what is in force. Source: domain specification, section 2; L9-L11."""
_DIGEST = re.compile("[0-9a-f]{64}")
LONGEST_PAGE = 200
"""Characters of a page's address."""


@dataclass(frozen=True)
class RegistrationFacts:
    """What putting a document in force is judged by."""

    role: Role
    kind: str
    kinds: Collection[str]
    version: str
    known: bool
    first_days: Collection[str]
    """From which other versions of this kind count."""
    valid_from: str
    valid_until: str
    digest: str


@dataclass(frozen=True)
class ChangeFacts:
    """What the publication or withdrawal of a document is judged by."""

    role: Role
    known: bool
    withdrawn: bool
    published: bool
    codes: Collection[str]
    page: str | None
    published_on: str | None
    on: date


@refuses("role_keeps_no_documents")
def keeper_says_what_is_in_force(facts: RegistrationFacts | ChangeFacts) -> Refusal | None:
    """Sponsor, data protection officer and information asset owner. Source: section 2."""
    if facts.role in KEEPERS:
        return None
    return Refusal(
        "role_keeps_no_documents",
        "the sponsor, the data protection officer or the information asset owner does this",
        {"role": facts.role.value},
    )


@refuses("kind_unknown")
def kind_is_asked_for(facts: RegistrationFacts) -> Refusal | None:
    """A kind is one that the requirements in force name."""
    if facts.kind in facts.kinds:
        return None
    return Refusal("kind_unknown", f"register one of {', '.join(sorted(facts.kinds))}")


@refuses("version_not_a_code")
def version_is_a_code(facts: RegistrationFacts) -> Refusal | None:
    """No title and no name goes into the record. Source: 3.1 NEVER 5."""
    if is_code(facts.version):
        return None
    return Refusal("version_not_a_code", "name the version by a code such as 1.2 or 2026-08")


@refuses("version_not_new")
def document_version_is_new(facts: RegistrationFacts) -> Refusal | None:
    """A version of a document says one thing for ever."""
    return Refusal("version_not_new", "register another version") if facts.known else None


@refuses("another_from_that_day")
def one_is_in_force(facts: RegistrationFacts) -> Refusal | None:
    """Exactly one version of a kind is in force on a day. Source: domain specification, 3.2."""
    if facts.valid_from not in facts.first_days:
        return None
    return Refusal(
        "another_from_that_day",
        "let it count from another day, or withdraw the version that counts from this one",
        {"valid_from": facts.valid_from},
    )


@refuses("validity_not_days")
def validity_has_an_end(facts: RegistrationFacts) -> Refusal | None:
    """Every document is reviewed by a day. Source: domain specification, 3.11."""
    first, last = day(facts.valid_from), day(facts.valid_until)
    if first is not None and last is not None and first <= last:
        return None
    return Refusal("validity_not_days", "give a first and a last day as YYYY-MM-DD, in this order")


@refuses("digest_missing")
def content_is_fixed(facts: RegistrationFacts) -> Refusal | None:
    """Which file it was can be shown afterwards. Source: time-travel "law in force", section 8."""
    if _DIGEST.fullmatch(facts.digest):
        return None
    return Refusal("digest_missing", "give the SHA-256 of the document's file, 64 hex digits")


REGISTRATION_POLICIES: tuple[Policy[RegistrationFacts], ...] = (
    keeper_says_what_is_in_force,
    kind_is_asked_for,
    version_is_a_code,
    document_version_is_new,
    one_is_in_force,
    validity_has_an_end,
    content_is_fixed,
)


@refuses("document_unknown")
def document_was_registered(facts: ChangeFacts) -> Refusal | None:
    """Only what was put in force can be published or withdrawn, and not after it is out."""
    if facts.known and not facts.withdrawn:
        return None
    return Refusal("document_unknown", "name a version that was registered and not withdrawn")


@refuses("already_published")
def published_once(facts: ChangeFacts) -> Refusal | None:
    """Since when the public could read it does not change."""
    if facts.published and facts.page is not None:
        return Refusal("already_published", "this version was published already")
    return None


@refuses("reason_not_a_code")
def change_is_in_codes(facts: ChangeFacts) -> Refusal | None:
    """Reasons are codes; sentences stand in documents. Source: NEVER 5."""
    if all(is_code(one) for one in facts.codes):
        return None
    return Refusal("reason_not_a_code", "give the reason by a code")


@refuses("publication_not_readable")
def publication_can_be_read(facts: ChangeFacts) -> Refusal | None:
    """An address the public can open, without anyone's credentials. Source: Bridges [121]."""
    if facts.page is None or _public(facts.page):
        return None
    return Refusal(
        "publication_not_readable",
        f"give an https address of at most {LONGEST_PAGE} characters, without credentials, "
        "query or spaces",
    )


@refuses("publication_in_the_future")
def publication_has_happened(facts: ChangeFacts) -> Refusal | None:
    """What is planned is not published."""
    if facts.published_on is None:
        return None
    since = day(facts.published_on)
    if since is not None and since <= facts.on:
        return None
    return Refusal(
        "publication_in_the_future", "give the day of publication as YYYY-MM-DD, today or before"
    )


CHANGE_POLICIES: tuple[Policy[ChangeFacts], ...] = (
    keeper_says_what_is_in_force,
    document_was_registered,
    published_once,
    change_is_in_codes,
    publication_can_be_read,
    publication_has_happened,
)


@dataclass
class Registered:
    """A version of a document, and what became of it."""

    kind: str
    version: str
    valid_from: date
    valid_until: date
    published_on: date | None = None
    withdrawn: bool = False

    def lack(self, degree: str, on: date) -> str | None:
        """What it lacks to serve on a day, in words."""
        if self.withdrawn:
            return f"version {self.version} was withdrawn"
        if on > self.valid_until:
            return f"version {self.version} expired on {self.valid_until}"
        if degree == PUBLISHED and (self.published_on is None or self.published_on > on):
            return f"version {self.version} is not published"
        return None


class Documents(Aggregate):
    """The documents of a force: every version, and which of them counts on a day."""

    KIND = "register of documents in force"

    def __init__(self, stream: UUID = DOCUMENTS) -> None:
        super().__init__(stream)
        self._versions: dict[tuple[str, str], Registered] = {}

    def in_force(self, kind: str, on: date) -> Registered | None:
        """The version that counts on a day: the last to begin, whatever became of it.

        One that expired or was withdrawn is not followed by the one that it superseded: whoever
        wants that back registers it anew, from a day.
        """
        begun = [
            one for one in self._versions.values() if one.kind == kind and one.valid_from <= on
        ]
        # Of two from the same day the first was withdrawn: the later registered counts.
        return max(reversed(begun), key=lambda one: one.valid_from, default=None)

    def lacking(self, requirements: Requirements, on: date) -> dict[str, str]:
        """Kind of document to what it lacks on a day; empty where nothing does."""
        return dict(self._lacking(requirements, on))

    def _lacking(self, requirements: Requirements, on: date) -> Iterator[tuple[str, str]]:
        for kind, degree in requirements.documents.items():
            found = self.in_force(kind, on)
            if found is None:
                yield kind, "none in force"
            elif lack := found.lack(degree, on):
                yield kind, lack

    def versions_on(self, requirements: Requirements, on: date) -> dict[str, str]:
        """Kind of document to the version that serves on a day, where one does."""
        lacking = self.lacking(requirements, on)
        found = {kind: self.in_force(kind, on) for kind in requirements.documents}
        return {kind: one.version for kind, one in found.items() if one and kind not in lacking}

    # -- decide --------------------------------------------------------------------------------

    def decide_registration(
        self, command: RegisterPolicyDocument, requirements: Requirements
    ) -> Refused | None:
        """Put a version in force."""
        same_kind = [one for one in self._versions.values() if one.kind == command.kind]
        facts = RegistrationFacts(
            role=command.role,
            kind=command.kind,
            kinds=requirements.documents.keys(),
            version=command.version,
            known=(command.kind, command.version) in self._versions,
            first_days={one.valid_from.isoformat() for one in same_kind if not one.withdrawn},
            valid_from=command.valid_from,
            valid_until=command.valid_until,
            digest=command.digest,
        )
        if reasons := refusals(REGISTRATION_POLICIES, facts):
            return Refused(PolicyDocumentRefused, reasons, command, self.id)
        self.happened(
            PolicyDocumentRegistered,
            at=command.at,
            kind=command.kind,
            version=command.version,
            valid_from=command.valid_from,
            valid_until=command.valid_until,
            digest=command.digest,
        )
        return None

    def decide_publication(self, command: PublishPolicyDocument) -> Refused | None:
        """Say where the public can read it."""
        facts = self._change(command, (), command.page, command.published_on)
        if reasons := refusals(CHANGE_POLICIES, facts):
            return Refused(PolicyDocumentRefused, reasons, command, self.id)
        self.happened(
            PolicyDocumentPublished,
            at=command.at,
            kind=command.kind,
            version=command.version,
            page=command.page,
            published_on=command.published_on,
        )
        return None

    def decide_withdrawal(self, command: WithdrawPolicyDocument) -> Refused | None:
        """Take it out of force."""
        facts = self._change(command, (command.reason,), None, None)
        if reasons := refusals(CHANGE_POLICIES, facts):
            return Refused(PolicyDocumentRefused, reasons, command, self.id)
        self.happened(
            PolicyDocumentWithdrawn,
            at=command.at,
            kind=command.kind,
            version=command.version,
            reason=command.reason,
        )
        return None

    def _change(
        self,
        command: PublishPolicyDocument | WithdrawPolicyDocument,
        codes: Collection[str],
        page: str | None,
        published_on: str | None,
    ) -> ChangeFacts:
        found = self._versions.get((command.kind, command.version))
        return ChangeFacts(
            role=command.role,
            known=found is not None,
            withdrawn=found is not None and found.withdrawn,
            published=found is not None and found.published_on is not None,
            codes=codes,
            page=page,
            published_on=published_on,
            on=day_of(command.at),
        )

    # -- evolve --------------------------------------------------------------------------------

    def evolve(
        self, event: PolicyDocumentRegistered | PolicyDocumentPublished | PolicyDocumentWithdrawn
    ) -> None:
        """Take in one event."""
        match event:
            case PolicyDocumentRegistered():
                self._versions[event.kind, event.version] = Registered(
                    event.kind,
                    event.version,
                    date.fromisoformat(event.valid_from),
                    date.fromisoformat(event.valid_until),
                )
            case PolicyDocumentPublished():
                published = self._versions[event.kind, event.version]
                published.published_on = date.fromisoformat(event.published_on)
            case PolicyDocumentWithdrawn():
                self._versions[event.kind, event.version].withdrawn = True
            case _:
                assert_never(event)


def _public(page: str) -> bool:
    """Whether a page can be opened by anyone and its address holds nobody's secrets."""
    if len(page) > LONGEST_PAGE or not page.isascii() or not page.isprintable():
        return False
    try:
        parts = urlsplit(page)
        return (
            parts.scheme == "https"
            and bool(parts.hostname)
            and " " not in page
            and "@" not in parts.netloc
            and not parts.query
            and not parts.fragment
        )
    except ValueError:
        return False

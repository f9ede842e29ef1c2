"""Which retention schedule is in force, and when another one may take its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from domain.custody.classes import ItemClass
from domain.custody.commands import AdoptSchedule, RegisterDocument
from domain.custody.deadlines import LimitInForce
from domain.custody.events import (
    AdoptionRefused,
    DocumentRegistered,
    RegistrationRefused,
    ScheduleAdopted,
)
from domain.custody.schedule import BUILT_IN, RetentionSchedule
from domain.kernel.aggregate import Aggregate
from domain.kernel.codes import is_code
from domain.kernel.commands import Role
from domain.kernel.references import FORCE, journal
from domain.kernel.refusals import Policy, Refusal, Refused, refusals, refuses

SCHEDULES = journal("retention-schedules", FORCE)
"""The one stream of a log's schedules and of the documents that speak of them."""


@dataclass(frozen=True)
class AdoptionFacts:
    """What an adoption is judged by."""

    role: Role
    proposed: RetentionSchedule
    in_force: RetentionSchedule
    versions: frozenset[str]
    """Those that were adopted before."""


@refuses("not_the_dpo")
def adopter_is_the_dpo(facts: AdoptionFacts) -> Refusal | None:
    """The data protection officer adopts it; the system the one that ships. Source: policy L79."""
    if facts.role is Role.DPO or (facts.role is Role.SYSTEM and facts.proposed == BUILT_IN):
        return None
    return Refusal("not_the_dpo", "have the data protection officer adopt it")


@refuses("version_not_new")
def version_is_new(facts: AdoptionFacts) -> Refusal | None:
    """A version names one content for ever."""
    version = facts.proposed.version
    if is_code(version) and version not in facts.versions:
        return None
    return Refusal(
        "version_not_new", "give a version that is a code and was not used", {"version": version}
    )


@refuses("class_without_a_rule")
def every_class_has_a_rule(facts: AdoptionFacts) -> Refusal | None:
    """No item without a clock. Source: domain specification, 3.8."""
    missing = sorted(set(ItemClass) - facts.proposed.rules.keys())
    if not missing:
        return None
    return Refusal(
        "class_without_a_rule", "give every class a rule", {"missing": ", ".join(missing)}
    )


@refuses("kept_longer")
def nothing_is_kept_longer(facts: AdoptionFacts) -> Refusal | None:
    """A later schedule may shorten what is kept, never lengthen it. Source: section 4."""
    longer = {
        one: (rule.limit, facts.in_force.rule(one).limit)
        for one, rule in facts.proposed.rules.items()
        if rule.limit > facts.in_force.rule(one).limit
    }
    if not longer:
        return None
    return Refusal(
        "kept_longer",
        "keep nothing longer than the schedule in force",
        {
            one.value: f"{_hours(new)} h, in force {_hours(old)} h"
            for one, (new, old) in longer.items()
        },
    )


@refuses("clock_started_otherwise")
def clocks_start_as_they_did(facts: AdoptionFacts) -> Refusal | None:
    """A later start of a clock would lengthen what is kept."""
    other = sorted(
        one
        for one, rule in facts.proposed.rules.items()
        if rule.starts is not facts.in_force.rule(one).starts
    )
    if not other:
        return None
    return Refusal(
        "clock_started_otherwise",
        "let every clock start as in the schedule in force",
        {"classes": ", ".join(other)},
    )


@refuses("hold_on_more_than_footage")
def holds_extend_footage_only(facts: AdoptionFacts) -> Refusal | None:
    """Biometric items have no exception. Source: domain specification, C-02."""
    held = sorted(
        one
        for one, rule in facts.proposed.rules.items()
        if rule.hold_may_extend and one is not ItemClass.FOOTAGE_SEGMENT
    )
    if not held:
        return None
    return Refusal(
        "hold_on_more_than_footage",
        "let a hold extend footage and nothing else",
        {"classes": ", ".join(held)},
    )


ADOPTION_POLICIES: tuple[Policy[AdoptionFacts], ...] = (
    adopter_is_the_dpo,
    version_is_new,
    every_class_has_a_rule,
    nothing_is_kept_longer,
    clocks_start_as_they_did,
    holds_extend_footage_only,
)


@dataclass(frozen=True)
class RegistrationFacts:
    """What the registration of a document is judged by."""

    role: Role
    document: str
    version: str
    known: bool
    """Whether this version of it was registered before."""
    statements: list[tuple[str, int]] = field(default_factory=list)
    """Class and seconds of each."""


@refuses("not_the_dpo")
def registrar_is_the_dpo(facts: RegistrationFacts) -> Refusal | None:
    """Documents in force are the data protection officer's to name."""
    if facts.role is Role.DPO:
        return None
    return Refusal("not_the_dpo", "have the data protection officer register it")


@refuses("document_not_a_code")
def document_is_named_by_codes(facts: RegistrationFacts) -> Refusal | None:
    """No title and no name goes into the record. Source: 3.1 NEVER 5."""
    if is_code(facts.document) and is_code(facts.version):
        return None
    return Refusal("document_not_a_code", "name document and version by codes")


@refuses("document_known")
def document_is_new(facts: RegistrationFacts) -> Refusal | None:
    """A version of a document says one thing for ever."""
    if not facts.known:
        return None
    return Refusal("document_known", "register another version", {"version": facts.version})


@refuses("statement_not_usable")
def statements_are_usable(facts: RegistrationFacts) -> Refusal | None:
    """Each is about something, for a time that is positive."""
    if facts.statements and all(is_code(name) and limit > 0 for name, limit in facts.statements):
        return None
    return Refusal(
        "statement_not_usable", "give at least one statement, each of a class and more than 0 s"
    )


REGISTRATION_POLICIES: tuple[Policy[RegistrationFacts], ...] = (
    registrar_is_the_dpo,
    document_is_named_by_codes,
    document_is_new,
    statements_are_usable,
)


class Schedules(Aggregate):
    """Every retention schedule that was adopted, the one in force last, and documents beside."""

    KIND = "register of retention schedules"

    def __init__(self, stream: UUID = SCHEDULES) -> None:
        super().__init__(stream)
        self.adopted: list[RetentionSchedule] = []
        self.documents: dict[str, DocumentRegistered] = {}
        """Kind to its newest version."""
        self._registered: set[tuple[str, str]] = set()
        self._adopted_at: datetime | None = None

    @property
    def in_force(self) -> RetentionSchedule:
        """The newest, or the one that ships before any was adopted."""
        return self.adopted[-1] if self.adopted else BUILT_IN

    @property
    def version_in_force(self) -> str:
        """Of the one in force; empty before any was adopted."""
        return self.adopted[-1].version if self.adopted else ""

    def limit_of(self, item_class: ItemClass) -> LimitInForce:
        """How long a class may be kept now, and since when that is so."""
        return LimitInForce(self.in_force.rule(item_class).limit, self._adopted_at)

    def decide_adoption(self, command: AdoptSchedule) -> Refused | None:
        """Put another schedule in force, if it keeps nothing longer."""
        proposed = RetentionSchedule.adopted(command.version, command.owner, command.rules)
        facts = AdoptionFacts(
            role=command.role,
            proposed=proposed,
            in_force=self.in_force,
            versions=frozenset(one.version for one in self.adopted),
        )
        if reasons := refusals(ADOPTION_POLICIES, facts):
            version = command.version if is_code(command.version) else "not-a-code"
            return Refused(AdoptionRefused, reasons, command, self.id, {"version": version})
        self.happened(
            ScheduleAdopted,
            at=command.at,
            version=command.version,
            owner=command.owner,
            rules=command.rules,
        )
        return None

    def decide_registration(self, command: RegisterDocument) -> Refused | None:
        """Keep what a document says."""
        facts = RegistrationFacts(
            role=command.role,
            document=command.document,
            version=command.version,
            known=(command.document, command.version) in self._registered,
            statements=[(one.item_class, one.limit_s) for one in command.statements],
        )
        if reasons := refusals(REGISTRATION_POLICIES, facts):
            document = command.document if is_code(command.document) else "not-a-code"
            return Refused(RegistrationRefused, reasons, command, self.id, {"document": document})
        self.happened(
            DocumentRegistered,
            at=command.at,
            document=command.document,
            version=command.version,
            published_on=command.published_on,
            digest=command.digest,
            statements=command.statements,
        )
        return None

    def evolve(self, event: ScheduleAdopted | DocumentRegistered) -> None:
        """Take in one event."""
        match event:
            case ScheduleAdopted():
                self._adopted_at = event.timestamp
                self.adopted.append(
                    RetentionSchedule.adopted(event.version, event.owner, event.rules)
                )
            case DocumentRegistered():
                self.documents[event.document] = event
                self._registered.add((event.document, event.version))
            case _:
                assert_never(event)


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):g}"

"""Seeded passes: people who are known to have walked through the zone, and whether they alerted.

The only way to a true recognition rate: of ordinary use nobody knows who passed unseen. The people
are volunteers on the list for that purpose (a "blue list"); the record knows them by their entries.

Source: domain specification, section 1 (true recognition rate), 3.7, 5.2.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from domain.kernel.commands import Command, Role
from domain.kernel.events import NEXT_VERSION, Happened, recorded_as
from domain.kernel.references import journal
from domain.kernel.refusals import Policy, Refusal, Refused, WasRefused, refusals, refuses


@dataclass(frozen=True, kw_only=True)
class RecordSeededPass(Command):
    """Say that a known person passed a camera, and which alert that raised, if any."""

    deployment: UUID
    run: UUID
    camera: str
    entry: UUID
    alert: UUID | None


@recorded_as("sighting.seeded_pass_recorded")
@dataclass(frozen=True, kw_only=True)
class SeededPassRecorded(Happened):
    """A person who is on the list for this purpose walked through the zone."""

    witness: str
    run: UUID
    camera: str
    entry: UUID
    alert: UUID | None
    """What it raised; None where recognition missed it."""


@recorded_as("sighting.seeded_pass_refused")
@dataclass(frozen=True, kw_only=True)
class SeededPassRefused(WasRefused):
    """The pass was not taken down."""


@dataclass(frozen=True)
class SeededFacts:
    """What a seeded pass is judged by."""

    role: Role
    run: UUID
    runs: Collection[UUID]
    entry: UUID
    listed: Collection[UUID]
    seeded: bool
    """Whether the entry is of a category that is listed to be tested with."""
    alert: UUID | None
    alerted_entry: UUID | None
    """Whom the alert was for; None where it is none of this run."""
    alert_counted: bool


@refuses("role_may_not_witness")
def witness_may_say_so(facts: SeededFacts) -> Refusal | None:
    """The operator or an auditor saw the person pass. Source: specification, 3.7 (ReviewMissed)."""
    if facts.role in (Role.OPERATOR, Role.AUDITOR):
        return None
    return Refusal(
        "role_may_not_witness", "an operator or auditor says so", {"role": facts.role.value}
    )


@refuses("run_unknown", "entry_not_listed", "entry_not_seeded")
def pass_is_of_somebody_seeded(facts: SeededFacts) -> Refusal | None:
    """Only of volunteers who are listed for it: nobody else's passing is ever taken down.

    Source: domain specification, NEVER 1 to 7; 3.6.
    """
    if facts.run not in facts.runs:
        return Refusal("run_unknown", "there is no such run in this deployment")
    if facts.entry not in facts.listed:
        return Refusal("entry_not_listed", "the entry is not on this deployment's list")
    if not facts.seeded:
        return Refusal("entry_not_seeded", "only volunteers who are listed for it are taken down")
    return None


@refuses("alert_of_another", "alert_counted")
def alert_is_of_that_pass(facts: SeededFacts) -> Refusal | None:
    """An alert of that run for that person, counted once. Source: specification, 5.2 (TPIR)."""
    if facts.alert is None:
        return None
    if facts.alerted_entry != facts.entry:
        return Refusal("alert_of_another", "name an alert of this run for this entry, or none")
    if facts.alert_counted:
        return Refusal("alert_counted", "a pass that raised this alert is taken down already")
    return None


SEEDING_POLICIES: tuple[Policy[SeededFacts], ...] = (
    witness_may_say_so,
    pass_is_of_somebody_seeded,
    alert_is_of_that_pass,
)


def decide_seeded_pass(
    command: RecordSeededPass, facts: SeededFacts
) -> SeededPassRecorded | Refused:
    """Take a seeded pass down, or say why not."""
    if reasons := refusals(SEEDING_POLICIES, facts):
        return Refused(SeededPassRefused, reasons, command, command.deployment)
    return SeededPassRecorded(
        originator_id=journal("seeded", command.scope),
        originator_version=NEXT_VERSION,
        timestamp=command.at,
        witness=command.actor,
        run=command.run,
        camera=command.camera,
        entry=command.entry,
        alert=command.alert,
    )

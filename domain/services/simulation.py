"""What a proposed policy would have refused: the recorded past, decided again under it.

Authorisations and starts are decided by the same aggregates and the same rules as then, on what
stood in the record at that place; only the requirements are the proposed ones. Entries are held
against what the proposal says of entries. An alert would not have been raised where its entry would
not have been listed, its run not have been started, or its threshold not have been allowed.

Nothing is written. What an old entry does not say (a rank, before ranks were asked) is missing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from domain.alerts.events import AlertRaised
from domain.deployments.aggregate import Deployment
from domain.deployments.commands import AuthoriseDeployment, StartDeployment
from domain.deployments.events import DeploymentAuthorised, DeploymentEvent, DeploymentStarted
from domain.deployments.gates import Announced
from domain.deployments.policies import ListFacts
from domain.governance.days import day_of
from domain.governance.evidence import Configuration
from domain.governance.requirements import Requirements
from domain.kernel.commands import Mode, Role
from domain.kernel.errors import DomainError
from domain.kernel.refusals import Refused
from domain.notice.aggregate import Notice, notice_of
from domain.notice.events import NoticeEvent
from domain.ports import Recorded
from domain.services.governance import Governance
from domain.watchlists.aggregate import Watchlist
from domain.watchlists.events import EntryProposed, WatchlistEvent

_FIELDS = {
    "categories": "category",
    "age_bands": "age_band",
    "source_systems": "source_system",
    "nexus": "nexus",
}
_ENTRIES = {*_FIELDS, "vulnerable", "attempted_within_days"}
_DEPLOYMENTS = {"use_cases", "sensitive_places"}
_ALERTS = {"threshold_at_least"}


class ProposalError(DomainError):
    """A proposed policy cannot be read as one."""


@dataclass(frozen=True)
class Proposal:
    """A policy that somebody proposes. Whatever it does not say is as it was."""

    version: str
    requirements: Requirements | None
    codes: Mapping[str, frozenset[str]]
    """Field of an entry to the codes that it may have."""
    vulnerable: bool
    """Whether vulnerable people may be listed."""
    attempted_within: timedelta | None
    """How long before its listing the last failed attempt may lie."""
    use_cases: frozenset[str] | None
    sensitive_places: bool
    """Whether sensitive places may be used at all."""
    threshold_at_least: Decimal | None

    @classmethod
    def parse(cls, text: str, where: str) -> Proposal:
        """Read TOML as ``docs/simulate.md`` shows it.

        Raises:
            ProposalError: it is not as it must be; says where.
            RequirementsError: its requirements are not.
        """
        try:
            read = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ProposalError(f"{where}: {error}") from error
        known = {"version", "requirements", "entries", "deployments", "alerts"}
        entries, deployments, alerts = (
            _table(read, name, keys, where)
            for name, keys in (
                ("entries", _ENTRIES),
                ("deployments", _DEPLOYMENTS),
                ("alerts", _ALERTS),
            )
        )
        if unknown := read.keys() - known:
            raise ProposalError(
                f"{where}: expected {', '.join(sorted(known))}, found {', '.join(sorted(unknown))}"
            )
        requirements = read.get("requirements")
        days = entries.get("attempted_within_days")
        if days is not None and (type(days) is not int or days < 1):
            raise ProposalError(f"{where}: attempted_within_days: expected whole days above 0")
        return cls(
            version=str(read.get("version", "")),
            requirements=None
            if requirements is None
            else Requirements.read(
                {"version": str(read.get("version", "")), "source": where} | requirements, where
            ),
            codes={
                one: _codes(entries[name], f"{where}: {name}")
                for name, one in _FIELDS.items()
                if name in entries
            },
            vulnerable=_yes(entries.get("vulnerable", True), f"{where}: vulnerable"),
            attempted_within=None if days is None else timedelta(days=days),
            use_cases=_codes(deployments["use_cases"], f"{where}: use_cases")
            if "use_cases" in deployments
            else None,
            sensitive_places=_yes(
                deployments.get("sensitive_places", True), f"{where}: sensitive_places"
            ),
            threshold_at_least=_number(alerts.get("threshold_at_least"), where),
        )


def _table(read: Mapping[str, Any], name: str, keys: set[str], where: str) -> Mapping[str, Any]:
    table = read.get(name, {})
    if not isinstance(table, dict) or not table.keys() <= keys:
        raise ProposalError(f"{where}: expected a table {name} with {', '.join(sorted(keys))}")
    return table


def _codes(value: object, where: str) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ProposalError(f"{where}: expected a list of codes")
    return frozenset(value)


def _yes(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ProposalError(f"{where}: expected true or false")
    return value


def _number(value: object, where: str) -> Decimal | None:
    if value is None:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 < found < 1:
        raise ProposalError(f"{where}: threshold_at_least: expected a number between 0 and 1")
    return found


@dataclass(frozen=True)
class WouldBeRefused:
    """Something that took place and would not have."""

    position: int
    deployment: UUID
    what: str
    """``authorisation``, ``start``, ``entry`` or ``alert``."""
    code: str
    because: str


@dataclass
class _One:
    """One deployment as it was at a place, and what of it would not have been."""

    deployment: Deployment
    notice: Notice
    lists: dict[UUID, Watchlist] = field(default_factory=dict)
    not_authorised: bool = False
    runs_not_started: set[UUID] = field(default_factory=set)
    entries_not_listed: set[UUID] = field(default_factory=set)


def simulate(entries: Iterable[Recorded], proposal: Proposal) -> Iterator[WouldBeRefused]:
    """Decide a log again, in its order, under a proposed policy.

    Args:
        entries: of the whole log, from its first.
        proposal: what somebody proposes.
    """
    governance = Governance.followed(())
    ones: dict[str, _One] = {}
    for entry in entries:
        event = entry.event
        governance.follow(event)
        if len(entry.scope) < 32:
            continue
        stream = UUID(entry.scope)
        one = ones.setdefault(entry.scope, _One(Deployment(stream), Notice(notice_of(stream))))
        held = governance.under(proposal.requirements or governance.requirements.in_force)
        yield from _judged(entry, one, held, proposal)
        match event:
            case _ if isinstance(event, DeploymentEvent):
                one.deployment.follow(event)
            case _ if isinstance(event, NoticeEvent):
                one.notice.follow(event)
            case _ if isinstance(event, WatchlistEvent):
                of = event.originator_id
                one.lists.setdefault(of, Watchlist(of)).follow(event)


def _judged(
    entry: Recorded, one: _One, held: Governance, proposal: Proposal
) -> Iterator[WouldBeRefused]:
    match entry.event:
        case EntryProposed() as event:
            for code, because in _against_the_entry(event, proposal):
                one.entries_not_listed.add(event.entry)
                yield _found(entry, one, "entry", code, because)
        case DeploymentAuthorised() as event:
            reasons = [*_against_the_place(one, proposal)]
            reasons += _told(_authorised_again(entry, event, one, held))
            if _too_low(event.threshold, proposal):
                reasons.append(("threshold_too_low", f"threshold {event.threshold}"))
            one.not_authorised = bool(reasons)
            for code, because in reasons:
                yield _found(entry, one, "authorisation", code, because)
        case DeploymentStarted() as event:
            reasons = [*_told(_started_again(entry, event, one, held))]
            if one.not_authorised:
                reasons.append(("not_authorised", "the deployment would not have been authorised"))
            if reasons:
                one.runs_not_started.add(event.run)
            for code, because in reasons:
                yield _found(entry, one, "start", code, because)
        case AlertRaised() as event:
            if event.run in one.runs_not_started:
                because = "recognition would not have been on"
                yield _found(entry, one, "alert", "run_not_live", because)
            if event.entry in one.entries_not_listed:
                because = "the entry would not have been listed"
                yield _found(entry, one, "alert", "entry_not_listed", because)


def _against_the_entry(event: EntryProposed, proposal: Proposal) -> Iterator[tuple[str, str]]:
    for name, allowed in proposal.codes.items():
        if (code := getattr(event, name)) not in allowed:
            yield f"{name}_not_allowed", f"{name.replace('_', ' ')} {code}"
    if event.vulnerable and not proposal.vulnerable:
        yield "vulnerable_not_allowed", "the person is vulnerable"
    if proposal.attempted_within is not None:
        age = day_of(event.timestamp) - date.fromisoformat(event.attempted_on)
        if age > proposal.attempted_within:
            yield "attempt_too_old", f"the last failed attempt was {age.days} days before"


def _against_the_place(one: _One, proposal: Proposal) -> Iterator[tuple[str, str]]:
    if proposal.use_cases is not None and one.deployment.use_case not in proposal.use_cases:
        yield "use_case_not_allowed", f"use case {one.deployment.use_case}"
    if one.deployment.sensitive and not proposal.sensitive_places:
        yield "place_not_allowed", f"sensitive place {', '.join(one.deployment.sensitive)}"


def _too_low(threshold: Decimal, proposal: Proposal) -> bool:
    return proposal.threshold_at_least is not None and threshold < proposal.threshold_at_least


def _authorised_again(
    entry: Recorded, event: DeploymentAuthorised, one: _One, held: Governance
) -> Refused | None:
    listed = _list_of(one, event.watchlist)
    command = AuthoriseDeployment(
        scope=entry.scope,
        mode=Mode(entry.mode),
        actor=event.officer,
        role=Role(entry.role),
        at=event.timestamp,
        deployment=event.originator_id,
        **{
            name: getattr(event, name)
            for name in (
                "targeted",
                "intelligence_led",
                "valid_from",
                "valid_until",
                "cameras",
                "threshold",
                "threshold_justification",
                "model_digest",
                "rank",
                "rank_evidence",
                "urgency",
            )
        },
    )
    return deepcopy(one.deployment).decide_authorisation(
        command,
        watchlist=_facts(listed, one, held, command),
        standing=held.standing(
            Configuration(event.model_digest, event.threshold, len(listed.accepted), None),
            first=day_of(event.valid_from),
            last=day_of(event.valid_until),
        ),
        longest_window=held.hours("window_hours"),
        urgent_for=held.hours("urgent_hours"),
    )


def _started_again(
    entry: Recorded, event: DeploymentStarted, one: _One, held: Governance
) -> Refused | None:
    listed, today = _list_of(one, event.watchlist), day_of(event.timestamp)
    command = StartDeployment(
        scope=entry.scope,
        mode=Mode(entry.mode),
        actor=entry.actor,
        role=Role(entry.role),
        at=event.timestamp,
        deployment=event.originator_id,
        run=event.run,
        model_digest=event.model_digest,
        gallery_size=event.gallery_size,
        recogniser_settings=event.recogniser_settings,
        precautions=event.precautions,
    )
    cameras = one.deployment.authorised.cameras if one.deployment.authorised else []
    return deepcopy(one.deployment).decide_start(
        command,
        watchlist=_facts(listed, one, held, command),
        items_overdue=0,
        standing=held.standing(
            Configuration(
                event.model_digest,
                event.threshold,
                len(listed.accepted),
                event.recogniser_settings,
            ),
            first=today,
            last=today,
        ),
        readiness=held.readiness(entry.actor, today),
        announced=Announced(
            published_at=one.notice.published_at,
            omitted=one.notice.omitted,
            without_signs=sorted(set(cameras) - one.notice.signed),
            unavoidable=sorted(set(cameras) - one.notice.avoidable),
        ),
        notice_needed=held.hours("notice_hours"),
    )


def _list_of(one: _One, watchlist: UUID) -> Watchlist:
    return one.lists.get(watchlist) or Watchlist(watchlist)


def _facts(
    listed: Watchlist, one: _One, held: Governance, command: AuthoriseDeployment | StartDeployment
) -> ListFacts:
    return ListFacts(
        watchlist=listed.id,
        approved=listed.approved and listed.deployment == one.deployment.id,
        makers=listed.makers,
        accepted=len(listed.accepted),
        not_reviewed=listed.not_reviewed_since(command.at - held.hours("list_review_hours")),
        model_digest=listed.model_digest,
        extra_authorisers=sorted(listed.extra_authorisers),
        by_nexus=listed.by_nexus,
    )


def _told(answer: Refused | None) -> Iterator[tuple[str, str]]:
    if answer is not None:
        for why in answer.reasons:
            yield why.code, why.in_words


def _found(entry: Recorded, one: _One, what: str, code: str, because: str) -> WouldBeRefused:
    return WouldBeRefused(entry.position, one.deployment.id, what, code, because)

"""Registers of acts: decisions of officers, refusals, and the operations of section 62."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from domain.alerts import events as alert
from domain.copies import events as copies
from domain.custody import events as custody
from domain.deployments import events as deployment
from domain.engagements import events as engagement
from domain.figures.tables import POSITIONS, Reading, Report, Table, Tally
from domain.kernel.errors import DomainError
from domain.kernel.events import Happened
from domain.kernel.refusals import WasRefused
from domain.kernel.time import written
from domain.notice import events as notice
from domain.ports import Recorded
from domain.watchlists import events as watchlist

EXTRACT_PURPOSES = (
    "verify-lawfulness",
    "self-monitoring",
    "integrity-and-security",
    "criminal-proceedings",
)
"""What a log of operations may be used for. Source: DPA 2018 s.62(4)."""

Row = tuple[Any, ...]


# -- decisions ---------------------------------------------------------------------------------


def decisions(entries: Iterable[Recorded]) -> Report:
    """Every decision of authorising officers and extra authorisers, granted and refused.

    Officers are told by role and rank, never by reference.
    """
    reading, totals = Reading(), Tally()
    urgent: dict[object, datetime] = {}
    rows: list[Row] = []
    for one in reading.over(entries):
        told = _decision(one.event, urgent)
        if told is None:
            continue
        decision, rank, why = told
        rows.append(
            (
                written(one.recorded_at),
                one.scope[:8],
                decision,
                one.role,
                rank,
                why,
                str(one.position),
            )
        )
        totals.add(decision, at=one.position)
    return Report(
        "decisions",
        "Register of authorising officers' decisions",
        "domain specification, 5.3; SOD-1 to SOD-4",
        reading.entries,
        reading.last,
        ("Officers are told by role and rank only.",),
        (
            Table(
                "totals",
                "how often each decision was taken",
                ("decision", "count", POSITIONS),
                totals.rows(),
            ),
            Table(
                "decisions",
                "each decision, in the order of the log",
                ("when", "deployment", "decision", "role", "rank", "why", POSITIONS),
                tuple(rows),
            ),
        ),
    )


_REFUSED_DECISIONS: dict[type[Happened], str] = {
    deployment.AuthorisationRefused: "authorisation not allowed",
    deployment.VariationRefused: "variation not allowed",
    deployment.RatificationRefused: "ratification not allowed",
    deployment.WithdrawalRefused: "withdrawal not allowed",
    deployment.PlaceRefused: "decision on a place not allowed",
    watchlist.CriteriaRefused: "criteria not allowed",
    watchlist.ApprovalRefused: "approval of a list not allowed",
    watchlist.ReopeningRefused: "reopening of a list not allowed",
    watchlist.ExtraAuthorityRefused: "extra authority not allowed",
}


def _decision(event: Happened, urgent: dict[object, datetime]) -> tuple[str, str, str] | None:
    """What was decided, by which rank, and why."""
    match event:
        case deployment.DeploymentAuthorised():
            if event.urgency:
                urgent[event.originator_id] = event.timestamp
                return "deployment authorised urgently", event.rank, event.urgency
            return "deployment authorised", event.rank, event.targeted
        case deployment.AuthorisationRatified():
            after = event.timestamp - urgent.get(event.originator_id, event.timestamp)
            minutes = int(after.total_seconds() // 60)
            return "urgent authorisation ratified", event.rank, f"{event.reason}; {minutes} min"
        case deployment.RatificationDeclined():
            return "urgent authorisation not ratified", event.rank, event.reason
        case deployment.AuthorisationVaried():
            return "authorisation varied", "", event.reason
        case deployment.AuthorisationWithdrawn():
            return "authorisation withdrawn", "", event.reason
        case deployment.PlaceDecided():
            verb = "allowed" if event.granted else "not allowed"
            return f"sensitive place {verb}", event.rank, event.reason
        case watchlist.CriteriaApproved():
            return "criteria approved", "", ""
        case watchlist.WatchlistApproved():
            return "watchlist approved", "", f"{event.entries} entries"
        case watchlist.WatchlistReopened():
            return "watchlist reopened", "", f"{event.reason}; {event.most_added} more"
        case watchlist.ExtraAuthorityDecided():
            verb = "given" if event.granted else "declined"
            why = f"{event.reason}; {len(event.entries)} entries"
            return f"extra authority {verb}", event.rank, why
        case notice.NoticeOmitted():
            return "notice left out", "", event.ground
        case WasRefused() if type(event) in _REFUSED_DECISIONS:
            codes = ", ".join(why.code for why in event.reasons)
            return _REFUSED_DECISIONS[type(event)], "", codes
    return None


# -- refusals ----------------------------------------------------------------------------------


def refusals(entries: Iterable[Recorded]) -> Report:
    """The ledger of refusals: what was asked for and not allowed, by whom in role, and why."""
    reading, by_code = Reading(), Tally()
    rows: list[Row] = []
    for one in reading.over(entries):
        if not isinstance(one.event, WasRefused):
            continue
        codes = [why.code for why in one.event.reasons]
        scope = one.scope if len(one.scope) < 32 else one.scope[:8]
        rows.append(
            (
                written(one.recorded_at),
                scope,
                one.event.NAME,
                one.role,
                ", ".join(codes),
                str(one.position),
            )
        )
        for code in dict.fromkeys(codes):
            by_code.add(one.event.NAME, code, at=one.position)
    return Report(
        "refusals",
        "Ledger of refusals",
        "domain specification, 3.1 and section 8 (refusal ledger)",
        reading.entries,
        reading.last,
        ("A command that is refused for several reasons is counted under each of them.",),
        (
            Table(
                "reasons",
                "how often each kind of command was refused for each reason",
                ("refused", "reason", "count", POSITIONS),
                by_code.rows(),
            ),
            Table(
                "refusals",
                "each refusal, in the order of the log",
                ("when", "scope", "refused", "role", "reasons", POSITIONS),
                tuple(rows),
            ),
        ),
    )


# -- section 62 ----------------------------------------------------------------------------------


def operations(entries: Iterable[Recorded], purpose: str) -> Report:
    """The log of operations on personal data: collection, alteration, consultation, disclosure,
    combination, erasure; who, when, and for consultation and disclosure why and to whom.

    Raises:
        DomainError: the extract is for no purpose that statute allows.
    """
    if purpose not in EXTRACT_PURPOSES:
        raise DomainError(
            f"--purpose: an extract may be used to {', '.join(EXTRACT_PURPOSES)} only "
            f"(DPA 2018 s.62(4)), found {purpose!a}"
        )
    reading, totals = Reading(), Tally()
    rows: list[Row] = []
    classes: dict[object, str] = {}
    for one in reading.over(entries):
        for operation, what, why, recipient in _operations(one.event, classes):
            row = (written(one.recorded_at), operation, what, one.actor, one.role, why, recipient)
            rows.append((*row, one.scope[:8], str(one.position)))
            totals.add(operation, at=one.position)
    return Report(
        "operations",
        "Extract of the log of operations",
        "Data Protection Act 2018, section 62",
        reading.entries,
        reading.last,
        (
            f"This extract is made to {purpose} and may be used for nothing else (s.62(4)).",
            "It names staff by their references. It holds no personal data of the public.",
        ),
        (
            Table(
                "totals",
                "how often each operation is on the record",
                ("operation", "count", POSITIONS),
                totals.rows(),
            ),
            Table(
                "operations",
                "each operation, in the order of the log",
                (
                    "when",
                    "operation",
                    "what",
                    "who",
                    "role",
                    "why",
                    "recipient",
                    "deployment",
                    POSITIONS,
                ),
                tuple(rows),
            ),
        ),
    )


def _operations(event: Happened, classes: dict[object, str]) -> Iterator[tuple[str, str, str, str]]:
    """Operation, what it was done to, why, and who received it."""
    match event:
        case custody.ItemRegistered():
            classes[event.originator_id] = event.item_class
            yield "collection", event.item_class, "", ""
        case watchlist.EntryRemoved():
            yield "alteration", "watchlist entry", event.reason, ""
        case engagement.OutcomeCorrected():
            yield "alteration", "outcome", event.reason, ""
        case custody.ItemConsulted():
            yield "consultation", classes.get(event.originator_id, "item"), event.purpose, ""
        case alert.AlertViewed():
            yield "consultation", "alert", "adjudication", ""
        case custody.GalleryLoaded():
            yield "consultation", f"{event.count} templates", "comparison", event.camera
        case copies.CopyRegistered():
            yield "disclosure", f"watchlist copy ({event.kind})", "", event.holder
        case custody.CopiedOutside():
            yield "disclosure", "item", "", event.destination
        case deployment.DeploymentStarted():
            what = f"faces with {event.gallery_size} entries"
            yield "combination", what, "recognition", ""
        case custody.ItemDestroyed():
            yield "erasure", event.item_class, event.cause, ""

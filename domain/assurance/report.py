"""A verdict in words: what was found, how far it reaches, and what no such check can show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from domain.assurance.figures import CUSTODY_LIMITS
from domain.assurance.holdings import CustodyVerdict, Holding
from domain.assurance.verification import LIMITS, Cosigned, Verdict, printable

FINDINGS_TOLD = 20
"""Findings that are told one by one; a report has more of them."""


def lines(verdict: Verdict) -> Iterator[str]:
    """The lines to print, the finding first."""
    where = f" at position {verdict.position}" if verdict.position is not None else ""
    sentence = verdict.sentence.removeprefix(f"position {verdict.position}: ")
    yield f"{verdict.kind.value.upper()}{where}: {sentence}"
    yield f"log {verdict.origin or 'unknown'}, {verdict.size} entries, root {verdict.root.hex()}"
    yield f"anchored {verdict.anchored_size}, unanchored tail: {verdict.unanchored_tail}"
    yield from (_cosigned(one) for one in verdict.cosigned)
    yield from verdict.remarks
    if verdict.custody is not None:
        yield from map(printable, _custody(verdict.custody))
    yield from (f"  {limit}" for limit in LIMITS)


def _cosigned(one: Cosigned) -> str:
    # an honest clock says less than 10,000 years; what a witness signs is its own affair
    at = (
        datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if one.at < 253_402_300_800
        else f"second {one.at} since 1970"
    )
    return f"witness {one.witness} saw {one.size} entries at {at}, by its own clock"


def _custody(custody: CustodyVerdict) -> Iterator[str]:
    """What custody came to, for a person."""
    if custody.as_of is None or not (custody.holdings or custody.faults):
        yield "custody: no item of personal data was ever registered"
        return
    yield f"custody as of {custody.as_of}:"
    for one in custody.holdings:
        yield f"  {_of_class(one)}"
    yield from (f"  at position {one.position}: {one.sentence}" for one in custody.notices)
    yield from _findings(custody)
    if custody.inventory is None:
        yield "  no inventory of the stores was attested: what lies in them is not shown"
    else:
        found = custody.inventory
        yield (
            f"  inventory at {found.at}: {found.keystore} keys, {found.media} ciphertexts, "
            f"{found.orphans} orphans, {found.resurrected} resurrected, {found.missing} missing"
        )
    if custody.copies.registered:
        yield (
            f"  copies of lists outside: {custody.copies.registered} registered, "
            f"{custody.copies.gone} known to be gone"
        )
    if custody.canary is not None:
        seen = custody.canary
        yield (
            f"  canary at {seen.at}: {seen.outcome.replace('_', ' ')}; {seen.templates} templates "
            f"and {seen.pictures} pictures of faces that nobody has were looked for in "
            f"{len(seen.places)} places, {seen.controls_found} of {seen.controls} controls found"
        )
    if custody.resolved:
        yield f"  {custody.resolved} findings of earlier inventories were resolved since"
    if custody.in_process:
        yield (
            f"  {custody.in_process} receipts were re-checked by the process that destroyed: "
            "not independent"
        )
    for gap in custody.gaps:
        yield f"  the retention worker gave no sign of life between {gap.since} and {gap.until}"
    yield from (f"  {limit}" for limit in CUSTODY_LIMITS)


def _findings(custody: CustodyVerdict) -> Iterator[str]:
    """What is wrong, one by one as far as a person reads on."""
    for one in custody.faults[:FINDINGS_TOLD]:
        yield f"  finding at position {one.position}: {one.sentence} ({one.code})"
    if custody.fault_count > FINDINGS_TOLD:
        yield f"  and {custody.fault_count - FINDINGS_TOLD} findings more"


def _of_class(one: Holding) -> str:
    return (
        f"{one.item_class}: {one.registered} registered, {one.destroyed_in_time} destroyed in "
        f"time, {one.destroyed_late} late, {one.held} held, {one.overdue} overdue, "
        f"{one.remaining} remaining"
    )

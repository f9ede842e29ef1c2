"""A sound record, asked what it says of the custody of personal data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from domain.assurance.custody import FOLLOWED, Custody
from domain.assurance.entries import EntryUnreadableError
from domain.assurance.verification import Kind, Verdict, printable

LOOKED_AT_EVERY = 64
"""Of entries that custody does not follow, one in so many is asked for its time."""


def with_custody(
    verdict: Verdict,
    named: Iterable[tuple[str, bytes]],
    *,
    scope: str | None = None,
    as_of: datetime | None = None,
) -> Verdict:
    """The verdict, with what a sound record says of custody.

    Args:
        verdict: on the record itself; unless that is sound, custody is not asked.
        named: the entries that were verified, each behind its stored name, in the order of the log.
        scope: the deployment, where they are one deployment's and the force's.
        as_of: the time to work it out for, where that is later than the newest of the record.
    """
    if verdict.kind is not Kind.SOUND:
        return verdict
    try:
        custody = followed(named, Custody(scope)).verdict(as_of=as_of)
    except EntryUnreadableError as error:
        return replace(verdict, kind=Kind.UNREADABLE, sentence=printable(str(error)))
    told = replace(verdict, custody=custody)
    if custody.sound:
        return told
    first = custody.first
    more = f" ({custody.fault_count} findings in all)" if custody.fault_count > 1 else ""
    return replace(
        told,
        kind=Kind.OVERDUE if custody.only_late else Kind.INCOMPLETE,
        sentence=printable(f"{first.sentence}{more}. {verdict.sentence}"),
        position=first.position,
    )


def followed(named: Iterable[tuple[str, bytes]], custody: Custody) -> Custody:
    """Follow what custody follows; of the rest only as much as tells the time."""
    last = None
    for place, (name, blob) in enumerate(named):
        last = blob
        if name in FOLLOWED or place % LOOKED_AT_EVERY == 0:
            custody.take(blob)
            last = None
    if last is not None:
        custody.take(last)
    return custody

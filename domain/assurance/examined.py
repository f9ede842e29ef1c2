"""A sound record, asked what it says of the custody of personal data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from domain.assurance.chunks import name_in
from domain.assurance.custody import FOLLOWED, Custody
from domain.assurance.entries import EntryUnreadableError
from domain.assurance.verification import Kind, Row, StoredRow, Verdict, printable

LOOKED_AT_EVERY = 64
"""Of entries that custody does not follow, one in so many is asked for its time."""


class Following:
    """Follows custody while the record itself is verified: each entry is read once.

    What is followed is believed only if the record turns out to be sound.

    Args:
        custody: what follows.
    """

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self._fault: EntryUnreadableError | None = None
        self._seen = 0
        self._last: bytes | None = None

    def rows(self, rows: Sequence[Row]) -> None:
        """Follow rows, in the order of the log."""
        for row in rows:
            blob = row.blob
            # what is no name or no entry at all is for whoever verifies the record
            if isinstance(blob, bytes):
                name = row.name if isinstance(row, StoredRow) else name_in(blob)
                self.entry(name, blob)

    def entry(self, name: object, blob: bytes) -> None:
        """Follow the next entry; of one that custody does not follow, now and then the time."""
        self._seen += 1
        if name in FOLLOWED or self._seen % LOOKED_AT_EVERY == 1:
            self._take(blob)
            self._last = None
        else:
            self._last = blob

    def _take(self, blob: bytes) -> None:
        if self._fault is not None:
            return
        try:
            self._custody.take(blob)
        except EntryUnreadableError as error:
            self._fault = error

    def told(self, verdict: Verdict, *, as_of: datetime | None = None) -> Verdict:
        """The verdict on the record, with what a sound record says of custody.

        Args:
            verdict: unless it is sound, custody is not asked.
            as_of: the time to work it out for; None for the newest of the record.
        """
        if verdict.kind is not Kind.SOUND:
            return verdict
        if self._last is not None:
            self._take(self._last)
        if self._fault is not None:
            return _unreadable(verdict, self._fault)
        try:
            custody = self._custody.verdict(as_of=as_of)
        except EntryUnreadableError as error:
            return _unreadable(verdict, error)
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


def _unreadable(verdict: Verdict, error: EntryUnreadableError) -> Verdict:
    return replace(verdict, kind=Kind.UNREADABLE, sentence=printable(str(error)))


def followed(named: Iterable[tuple[str, bytes]], custody: Custody) -> Custody:
    """Follow entries, each behind its stored name, that were verified before.

    Raises:
        EntryUnreadableError: an entry of custody lacks what every such entry has.
    """
    last = None
    for place, (name, blob) in enumerate(named):
        last = blob
        if name in FOLLOWED or place % LOOKED_AT_EVERY == 0:
            custody.take(blob)
            last = None
    if last is not None:
        custody.take(last)
    return custody

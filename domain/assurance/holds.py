"""Holds on footage: what one may extend, until when, and what makes it extend nothing.

A hold counts from its approval by another person than who asked for it, until its review date or
its release. One that was asked for without a ground, for too long or for too much, or that was
decided by one person, is named and extends nothing. Source: domain specification, RT-10, 3.8 and
section 2 (requester and approver differ).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.assurance.limits import ACT, moment

REVIEW_WITHIN = timedelta(days=28)
"""The longest until a hold is looked at again."""
MOST_ITEMS = 100
"""That one hold may name."""
GROUNDS: Mapping[str, frozenset[str]] = {
    "2026-11-1": frozenset({"dpa-2018", "mopi", "cpia-1996", "complaint", "conduct"}),
}
"""The closed lists of grounds that this verifier knows, by version."""

_Wrong = Iterator[tuple[str, str]]


@dataclass(slots=True)
class _Hold:
    requester: str
    items: tuple[str, ...]
    review_by: datetime
    counts: bool
    """Whether it may extend anything, once it is approved."""
    decided: bool = False
    approved_at: datetime | None = None
    ended_at: datetime | None = None

    def ends(self) -> datetime:
        """When it stops to extend anything, as far as is known."""
        return min(self.review_by, self.ended_at) if self.ended_at else self.review_by


@dataclass
class Holds:
    """Follows what is said of holds, in the order of the log."""

    _holds: dict[str, _Hold] = field(default_factory=dict)
    _by: dict[str, list[_Hold]] = field(default_factory=lambda: defaultdict(list))
    """Item to the approved holds on it."""

    def requested(self, name: str, scope: str, body: Mapping[str, Any], at: datetime) -> _Wrong:
        """Somebody asked for one; gives what is wrong with that, as codes and sentences."""
        if name in self._holds:
            yield "hold_requested_twice", f"hold {name[:8]} was asked for before"
            return
        review_by = moment(body["review_by"])
        wrong = [*_wrong_request(name, scope, body), *_wrong_review(name, review_by, at)]
        yield from wrong
        self._holds[name] = _Hold(
            requester=body["requester"],
            items=tuple(body["items"]),
            review_by=review_by,
            counts=not wrong,
        )

    def approved(self, name: str, body: Mapping[str, Any], at: datetime) -> _Wrong:
        """Somebody let it count."""
        hold = self._holds[name]
        wrong = [*_wrong_decision(name, hold, body["approver"], at)]
        yield from wrong
        hold.counts = hold.counts and not wrong
        hold.decided, hold.approved_at = True, at

    def declined(self, name: str) -> None:
        """Somebody turned it down."""
        self._holds[name].decided = True

    def reviewed(self, name: str, body: Mapping[str, Any], at: datetime) -> _Wrong:
        """Somebody found that it is still needed."""
        hold, review_by = self._holds[name], moment(body["review_by"])
        wrong = [*_wrong_review(name, review_by, at)]
        if at > hold.review_by or hold.ended_at is not None:
            wrong.append(("reviewed_too_late", f"hold {name[:8]} had ended when it was reviewed"))
        if hold.approved_at is None:
            wrong.append(("hold_not_approved", f"hold {name[:8]} was reviewed, never approved"))
        if body["reviewer"] == hold.requester:
            wrong.append(_by_one_person(name))
        yield from wrong
        if not wrong:
            hold.review_by = review_by

    def released(self, name: str, at: datetime) -> None:
        """It is over."""
        hold = self._holds[name]
        hold.ended_at = hold.ended_at or at

    def items(self, name: str) -> tuple[str, ...]:
        """What it names."""
        return self._holds[name].items

    def extend(self, item: str, name: str) -> None:
        """An item is on it from now on."""
        self._by[item].append(self._holds[name])

    def extended(self, item: str, deadline: datetime) -> datetime:
        """When an item must be gone that without holds must be by a deadline.

        A hold that was approved after the deadline, or after the end of the one before it, comes
        too late: what had to be gone is not made lawful.
        """
        for hold in self._by.get(item, ()):
            if hold.counts and hold.approved_at is not None and hold.approved_at <= deadline:
                deadline = max(deadline, hold.ends() + ACT)
        return deadline

    def forget(self, item: str) -> None:
        """It is gone."""
        self._by.pop(item, None)


def _wrong_request(name: str, scope: str, body: Mapping[str, Any]) -> _Wrong:
    known = GROUNDS.get(body["grounds"])
    if known is None:
        yield (
            "hold_of_unknown_grounds",
            f"hold {name[:8]} rests on a list of grounds that this verifier does not know",
        )
    elif body["ground"] not in known:
        yield "hold_without_ground", f"hold {name[:8]} has a ground that is not on the list"
    if not 0 < len(body["items"]) <= MOST_ITEMS:
        yield "hold_too_wide", f"hold {name[:8]} names {len(body['items'])} items"
    if body["deployment"] != scope:
        yield "other_scope", f"hold {name[:8]} is for another deployment than its scope"


def _wrong_review(name: str, review_by: datetime, at: datetime) -> _Wrong:
    if review_by - at > REVIEW_WITHIN + ACT:
        yield (
            "hold_review_too_far",
            f"hold {name[:8]} is to be looked at again later than {REVIEW_WITHIN.days} days on",
        )


def _wrong_decision(name: str, hold: _Hold, approver: str, at: datetime) -> _Wrong:
    if approver == hold.requester:
        yield _by_one_person(name)
    if hold.decided or hold.ended_at is not None:
        yield "hold_decided_twice", f"hold {name[:8]} had been decided on when it was approved"
    if at > hold.review_by:
        yield "hold_lapsed", f"hold {name[:8]} was past its review date when it was approved"


def _by_one_person(name: str) -> tuple[str, str]:
    return "held_by_one_person", f"hold {name[:8]} was asked for and decided by the same person"

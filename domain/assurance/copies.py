"""Copies of watchlists outside the stores: was each looked for and not found by its time?

A copy ends with the word of a second person, so that is all that counts here: an entry that says
that a copy was destroyed ends nothing. What nobody registered is not seen. Source: domain
specification, RT-08 and 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.assurance.figures import written
from domain.assurance.holdings import CopiesLeft, Fault

LIKE = "callers_reference"
"""A list that lies outside may lie there as long as what was imported from it may be kept."""


@dataclass(slots=True)
class _Copy:
    kind: str
    watchlist: str
    deployment: str
    position: int
    destroyed_by: str | None = None
    gone_at: datetime | None = None


@dataclass
class Copies:
    """Follows what is said of copies, in the order of the log."""

    _copies: dict[str, _Copy] = field(default_factory=dict)

    def registered(self, body: Mapping[str, Any], position: int) -> None:
        """There is a copy."""
        self._copies[body["copy"]] = _Copy(
            body["kind"], body["watchlist"], body["deployment"], position
        )

    def destroyed(self, body: Mapping[str, Any]) -> None:
        """Somebody says that they destroyed it."""
        self._copies[body["copy"]].destroyed_by = body["destroyer"]

    def still_there(self, body: Mapping[str, Any]) -> None:
        """Another person found it."""
        self._copies[body["copy"]].destroyed_by = None

    def verified(self, body: Mapping[str, Any], at: datetime) -> Iterator[tuple[str, str]]:
        """Another person looked for it, and it was not there; gives what is wrong with that."""
        one, name = self._copies[body["copy"]], body["copy"][:8]
        if one.destroyed_by is None:
            yield "copy_not_destroyed", f"copy {name} was found gone, and nobody destroyed it"
        elif one.destroyed_by == body["verifier"]:
            yield (
                "copy_verified_by_its_destroyer",
                f"copy {name} was looked for by the person who destroyed it, and no other",
            )
            return
        one.gone_at = one.gone_at or at

    def list_gone(self, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A list is said to be gone; gives what contradicts that."""
        left = [one for one in self._of(body["watchlist"]) if one.gone_at is None]
        if left:
            yield (
                "list_not_gone",
                f"list {body['watchlist'][:8]} is said to be destroyed, and {len(left)} of its "
                "copies are not known to be gone",
            )

    def faults(self, due_of: Callable[[str], datetime | None], now: datetime) -> Iterator[Fault]:
        """Every copy that was there longer than it might, or is.

        Args:
            due_of: deployment to when the copies of its list have to be gone; None where no
                entry tells of it.
            now: what is not known to be gone is taken to be there until then.
        """
        for name, one in self._copies.items():
            due = due_of(one.deployment)
            if due is None or (one.gone_at or now) <= due:
                continue
            what = (
                f"it was found gone at {written(one.gone_at)}"
                if one.gone_at
                else f"at {written(now)} nobody found it gone"
            )
            yield Fault(
                "copy_late",
                one.position,
                f"copy {name[:8]} of a list ({one.kind}) had to be gone by {written(due)}; {what}",
                overdue=True,
            )

    def left(self) -> CopiesLeft:
        """How many there were, and which are left."""
        left = [one for one in self._copies.values() if one.gone_at is None]
        return CopiesLeft(
            registered=len(self._copies),
            gone=len(self._copies) - len(left),
            left=tuple((one.kind, one.position) for one in left),
        )

    def _of(self, watchlist: str) -> list[_Copy]:
        return [one for one in self._copies.values() if one.watchlist == watchlist]

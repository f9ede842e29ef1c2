"""What changed in a deployment between two moments, and which entries changed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.replaying.causes import Path, touched
from api.replaying.moments import Moment
from api.replaying.state import AsItWas, State, flat
from domain.kernel.errors import DomainError
from domain.ports import Recorded

_COMPARED = (
    "phase",
    "application",
    "cameras",
    "footage_recorded",
    "report",
    "place",
    "authorisation",
    "watchlists",
    "runs",
    "alerts",
    "items",
    "refusals",
)
"""Parts of a state that can differ. Who did what is told with each difference instead."""

_FIXED = frozenset({"camera", "run", "entry", "raised_at", "raised_position"})
"""What an alert is born with. That it was raised is one difference, told with its entry."""


@dataclass(frozen=True)
class Cause:
    """An entry that changed something."""

    position: int
    name: str
    role: str


@dataclass(frozen=True)
class Difference:
    """One value that is not what it was. None stands for nothing: not there yet, or empty."""

    path: Path
    before: Any
    after: Any
    causes: list[Cause]
    """The entries that can have changed it, in order; none where only time has passed."""


@dataclass(frozen=True)
class Differences:
    """Two states of a deployment and all that differs between them."""

    before: State
    after: State
    entries: int
    """How many entries of the deployment stand between the two."""
    found: list[Difference]


def differences(
    entries: Iterable[Recorded], deployment: UUID, earlier: Moment, later: Moment
) -> Differences:
    """What differs between a deployment's states at two moments.

    Read once, in a time that grows with the number of entries.

    Args:
        entries: of the deployment, in order, from its first.
        deployment: which.
        earlier: whose entries all belong to the later one too.
        later: how far to read.

    Raises:
        DomainError: the earlier one is the later one.
    """
    if _stand_reversed(earlier, later):
        raise DomainError(f"expected the earlier one first, found {earlier} before {later}")
    as_it_was = AsItWas(deployment)
    before: State | None = None
    causes: dict[Path, list[Cause]] = {}
    between = 0
    for entry in entries:
        if before is None and not earlier.holds(entry):
            before = as_it_was.state(at=earlier.time)
        if not later.holds(entry):
            if before is None:
                raise DomainError(f"expected the earlier one first, found {earlier} before {later}")
            break
        as_it_was.take(entry)
        if before is not None:
            between += 1
            cause = Cause(entry.position, entry.event.NAME, entry.role)
            for path in touched(entry, as_it_was):
                causes.setdefault(path, []).append(cause)
    before = before or as_it_was.state(at=earlier.time)
    after = as_it_was.state(at=later.time)
    return Differences(before, after, between, list(_found(before, after, causes)))


def _found(before: State, after: State, causes: dict[Path, list[Cause]]) -> Iterator[Difference]:
    then, now = _values(before), _values(after)
    for path in sorted(dict.fromkeys((*now, *then)), key=lambda one: _COMPARED.index(one[0])):
        if then.get(path) != now.get(path):
            yield Difference(path, then.get(path), now.get(path), _causes_of(path, causes))


def _values(state: State) -> dict[Path, Any]:
    told = state.as_json()
    return {
        path: value
        for path, value in flat({name: told[name] for name in _COMPARED}).items()
        if not (path[0] == "alerts" and path[-1] in _FIXED)
    }


def _causes_of(path: Path, causes: dict[Path, list[Cause]]) -> list[Cause]:
    """The entries that touched a value, by its own path or with the group that it is in."""
    of_each = (causes.get(path[:depth], []) for depth in range(1, len(path) + 1))
    together = {one.position: one for some in of_each for one in some}
    return [together[position] for position in sorted(together)]


def _stand_reversed(earlier: Moment, later: Moment) -> bool:
    """Whether two of a kind stand the wrong way round."""
    if earlier.position is not None and later.position is not None:
        return earlier.position > later.position
    return earlier.time is not None and later.time is not None and earlier.time > later.time

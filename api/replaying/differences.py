"""What changed in a deployment between two places in the log, and which entries changed it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.replaying.state import AsItWas, flat
from domain.ports import Recorded

_COUNTED = "entries by role"
"""Every entry changes these counts; they are no difference that anyone asks for."""


@dataclass
class Difference:
    """One value that is not what it was."""

    name: str
    before: Any
    after: Any
    positions: list[int] = field(default_factory=list)
    """The entries that changed it, in order."""


def differences(
    entries: Iterable[Recorded], deployment: UUID, *, behind: int, last: int
) -> list[Difference]:
    """What differs between the state after one position and the state after a later one.

    Args:
        entries: of the deployment, in order, from its first.
        deployment: which.
        behind: the earlier position; -1 for before the first entry.
        last: the later position.
    """
    state = AsItWas(deployment)
    before: dict[str, Any] | None = None
    now: dict[str, Any] = {}
    changed: dict[str, list[int]] = {}
    for entry in entries:
        if entry.position > last:
            break
        if entry.position > behind and before is None:
            before = now = _values(state)
        state.take(entry)
        if before is not None:
            then, now = now, _values(state)
            for name in then.keys() | now.keys():
                if then.get(name) != now.get(name):
                    changed.setdefault(name, []).append(entry.position)
    first = before or now
    return [
        Difference(name, first.get(name), now.get(name), changed.get(name, []))
        for name in dict.fromkeys((*first, *now))
        if first.get(name) != now.get(name)
    ]


def _values(state: AsItWas) -> dict[str, Any]:
    told = state.told()
    del told[_COUNTED]
    return flat(told)

"""Keys of epochs: which receipts reach level L4 when one ends, and whether it ended too early.

The key of an item is wrapped by the key of an epoch: that of the day of its registration and, once
a hold on it was approved, one of the hold's own. Older copies of the keystore may hold it wrapped
by any of them. So L4 is reached when all of them are gone.

Nobody outside can see whether the item's key was moved before a process died. So an end is too
early only where no key is left that the item's may be wrapped by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


class EpochName(NamedTuple):
    """Whose key it is."""

    deployment: str
    item_class: str
    which: str
    """The day as ``2026-11-23``, or ``hold-<id>``."""


@dataclass(slots=True)
class Receipts:
    """Receipts for which a level is still to be reached."""

    count: int = 0
    positions: list[int] = field(default_factory=list)

    def add(self, position: int, *, keep: bool) -> None:
        """One more; where it is, if that is kept."""
        self.count += 1
        if keep:
            self.positions.append(position)


@dataclass(slots=True)
class _Held:
    """What is kept of an item that was held, until every key that wrapped its own is gone."""

    left: set[EpochName]
    lasts: bool = True
    receipt: int | None = None
    """Where it is."""


class Epochs:
    """Follows which keys wrap how many items."""

    def __init__(self, *, positions: bool) -> None:
        """Nothing is wrapped yet.

        Args:
            positions: whether to keep where each receipt is.
        """
        self._positions = positions
        self._lasting: dict[EpochName, int] = defaultdict(int)
        """How many items last that only this key wraps."""
        self._receipts: dict[EpochName, Receipts] = defaultdict(Receipts)
        self._held: dict[str, _Held] = {}

    def lasts(self, day: EpochName) -> None:
        """An item was sealed."""
        self._lasting[day] += 1

    def held(self, item: str, day: EpochName, hold: str) -> None:
        """A hold on an item that lasts was approved."""
        if item not in self._held:
            self._taken(day)
            self._held[item] = _Held({day})
        self._held[item].left.add(day._replace(which=f"hold-{hold}"))

    def ends(self, item: str, day: EpochName) -> None:
        """The destruction of an item began."""
        if item in self._held:
            self._held[item].lasts = False
        else:
            self._taken(day)

    def destroyed(self, item: str, day: EpochName, position: int) -> None:
        """An item has its receipt."""
        if item in self._held:
            self._held[item].receipt = position
        else:
            self._receipts[day].add(position, keep=self._positions)

    def gone(self, epoch: EpochName) -> tuple[int, Receipts]:
        """The key of an epoch is gone.

        Returns:
            How many items still needed it, and the receipts for which it was the last one.
        """
        early = self._lasting.get(epoch, 0)
        reached = self._receipts.pop(epoch, Receipts())
        for item, one in self._held_under(epoch):
            one.left.remove(epoch)
            if one.left:
                continue
            early += one.lasts
            if one.receipt is not None:
                reached.add(one.receipt, keep=self._positions)
            del self._held[item]
        return early, reached

    def _held_under(self, epoch: EpochName) -> Iterator[tuple[str, _Held]]:
        return ((item, one) for item, one in list(self._held.items()) if epoch in one.left)

    def _taken(self, day: EpochName) -> None:
        self._lasting[day] -= 1
        if not self._lasting[day]:
            del self._lasting[day]

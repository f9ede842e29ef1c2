"""Keys of epochs: which receipts reach level L4 when one ends, and whether it ended too early.

The key of an item is wrapped by the key of an epoch: that of the day of its registration and, once
a hold on it was approved, one of the hold's own. Older copies of the keystore may hold it wrapped
by any of them. So L4 is reached when all of them are gone.

Nobody outside can see whether the item's key was moved before a process died. So an end is too
early only where no key is left that the item's may be wrapped by.

That a key is gone is not believed because an entry says so: L4 is reached once an inventory that
the re-checker signed lists the keys of epochs after that entry, and this one is not among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

NO_EPOCH = ""
"""In place of the day of an item whose key the root key of its keystore wraps, as once all were."""


class EpochName(NamedTuple):
    """Whose key it is."""

    deployment: str
    item_class: str
    which: str
    """The day as ``2026-11-23``, or ``hold-<id>``."""

    @classmethod
    def of(cls, name: str) -> EpochName:
        """What an inventory lists as ``<deployment>/<class>/<which>``.

        Raises:
            ValueError: it is no such name.
        """
        deployment, item_class, which = name.split("/")
        return cls(deployment, item_class, which)


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

    def take(self, others: Receipts) -> None:
        """Those, too."""
        self.count += others.count
        self.positions += others.positions


@dataclass(slots=True)
class _Lasting:
    """Items that last and that only this key wraps."""

    since: int
    """The position at which the first of them was sealed."""
    count: int = 0


@dataclass(slots=True)
class _Gone:
    """The key of an epoch that was told to be gone, until an inventory shows that it is."""

    at: int
    """The newest position at which it was."""
    receipts: Receipts


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
        self._open: set[EpochName] = set()
        """Those whose key may exist: an item was registered for it, and it was not told gone."""
        self._lasting: dict[EpochName, _Lasting] = {}
        self._gone: dict[EpochName, _Gone] = {}
        self._receipts: dict[EpochName, Receipts] = defaultdict(Receipts)
        self._held: dict[str, _Held] = {}

    def opened(self, day: EpochName) -> None:
        """An item was registered whose key this one is to wrap."""
        self._open.add(day)

    def lasts(self, day: EpochName, position: int) -> None:
        """An item was sealed."""
        self._lasting.setdefault(day, _Lasting(position)).count += 1

    def held(self, item: str, day: EpochName, hold: str) -> None:
        """A hold on an item that lasts was approved."""
        if item not in self._held:
            self._taken(day)
            self._held[item] = _Held({day})
        of_hold = day._replace(which=f"hold-{hold}")
        self._held[item].left.add(of_hold)
        self._open.add(of_hold)

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

    def gone(self, epoch: EpochName, position: int) -> int:
        """An entry says that the key of an epoch is gone.

        Returns:
            How many items still needed it.
        """
        lasting = self._lasting.get(epoch)
        early = lasting.count if lasting else 0
        reached = self._receipts.pop(epoch, Receipts())
        for item, one in self._held_under(epoch):
            one.left.remove(epoch)
            if one.left:
                continue
            early += one.lasts
            if one.receipt is not None:
                reached.add(one.receipt, keep=self._positions)
            del self._held[item]
        self._open.discard(epoch)
        told = self._gone.setdefault(epoch, _Gone(position, Receipts()))
        told.at = position
        told.receipts.take(reached)
        return early

    def shown_gone(
        self, there: AbstractSet[EpochName], as_of: int, deployment: str | None
    ) -> list[tuple[EpochName, Receipts]]:
        """An inventory listed the keys of epochs.

        Args:
            there: those that it found.
            as_of: the size of the log that it was compared with.
            deployment: that it looked at; None for all.

        Returns:
            Epochs that it shows to be gone, and the receipts for which theirs was the last key.
        """
        shown = [
            epoch
            for epoch, told in self._gone.items()
            if told.at < as_of and epoch not in there and deployment in (None, epoch.deployment)
        ]
        return [(one, self._gone.pop(one).receipts) for one in shown]

    def unknown(self, there: AbstractSet[EpochName], as_of: int) -> int:
        """How many keys were there that no item can need.

        One that was told to be gone behind that size may have ended after the inventory looked.
        """
        ended_since = {epoch for epoch, told in self._gone.items() if told.at >= as_of}
        return len(there - self._open - ended_since)

    def missing(self, there: AbstractSet[EpochName], as_of: int, deployment: str | None) -> int:
        """How many are not there although items last that only they can wrap."""
        needed = [
            {day}
            for day, one in self._lasting.items()
            if one.since < as_of and day.which != NO_EPOCH
        ]
        needed += [one.left for one in self._held.values() if one.lasts]
        return sum(
            not those & there
            for those in needed
            if deployment in (None, next(iter(those)).deployment)
        )

    def _held_under(self, epoch: EpochName) -> Iterator[tuple[str, _Held]]:
        return ((item, one) for item, one in list(self._held.items()) if epoch in one.left)

    def _taken(self, day: EpochName) -> None:
        self._lasting[day].count -= 1
        if not self._lasting[day].count:
            del self._lasting[day]

"""Taking stock: what the stores hold, compared with what the record says, signed by who looked.

The re-checker lists the stores itself and signs its own list. Here it is compared with the record;
every difference becomes a finding. Then come the signed inventories: the force's, over everything,
and that of each deployment, over its items alone, so that its pack shows it too: while it has
items, and once more after the last of them is gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.custody.events import (
    EpochDestroyed,
    InventoryAttested,
    ItemDestroyed,
    LossFound,
    OrphanFound,
    ResurrectionFound,
)
from domain.kernel.commands import Command, Mode
from domain.kernel.errors import DomainError
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import FORCE, journal, new_reference
from domain.ports import Outside, Recorded, Stock, Stocktaker, Wanted
from domain.services.carrying_out import by_the_system
from domain.services.survey import ItemSeen, Survey

EVERY = timedelta(days=1)
"""How long after the last one an inventory is due."""
ATTEMPTS = 5
"""How often stock is taken anew because items came or went meanwhile."""


@dataclass(frozen=True)
class Inventory:
    """What an inventory found."""

    as_of: int
    keys: int
    ciphertexts: int
    missing: list[UUID]
    """Items that should exist and lack their key or their ciphertext."""
    orphans: int
    """Keys and files that no entry knows."""
    resurrected: list[UUID]
    """Items with a receipt that are there again."""

    @property
    def clean(self) -> bool:
        """Whether the stores hold what they must, and nothing else."""
        return not (self.missing or self.orphans or self.resurrected)

    @property
    def in_words(self) -> str:
        """One line."""
        return (
            f"inventory at {self.as_of} entries: {self.keys} keys, {self.ciphertexts} ciphertexts, "
            f"{len(self.missing)} missing, {self.orphans} orphans, {len(self.resurrected)} "
            "resurrected"
        )


class StoresInMotionError(DomainError):
    """Items came and went all the time, so no inventory was taken. The next attempt may succeed."""


@dataclass
class _Known:
    """What the record says of items, and of findings that were recorded before."""

    survey: Survey = field(default_factory=Survey)
    found: set[tuple[type[Happened], str, UUID]] = field(default_factory=set)
    strays: Counter[str] = field(default_factory=Counter)
    to_show: set[UUID] = field(default_factory=set)
    """Deployments whose last inventory found something, or came before their last receipt or the
    end of their last key."""

    def take(self, entries: Iterable[Recorded]) -> _Known:
        """Take in entries in the order of the log."""
        for entry in entries:
            self.survey.take([entry])
            match entry.event:
                case ResurrectionFound() | LossFound() if entry.scope != FORCE:
                    self.to_show.add(UUID(entry.scope))
                case ItemDestroyed(deployment=deployment) | EpochDestroyed(deployment=deployment):
                    self.to_show.add(deployment)
                case InventoryAttested() as event if entry.scope != FORCE:
                    clean = not (event.missing or event.orphans or event.resurrected)
                    (self.to_show.discard if clean else self.to_show.add)(UUID(entry.scope))
                case _:
                    pass
            match entry.event:
                case OrphanFound(item=None, store=store):
                    self.strays[store] += 1
                case OrphanFound(item=UUID() as item, store=store):
                    self.found.add((OrphanFound, store, item))
                case ResurrectionFound(item=item, store=store):
                    self.found.add((ResurrectionFound, store, item))
                case LossFound(item=item, store=store):
                    self.found.add((LossFound, store, item))
                case _:
                    pass
        return self


def is_due(survey: Survey, now: datetime) -> bool:
    """Whether nobody has taken stock of everything for so long that somebody has to."""
    last = survey.inventory_at
    return last is None or not timedelta(0) <= now - last < EVERY


def take_stock(outside: Outside, stocktaker: Stocktaker) -> Inventory:
    """List the stores, compare, and record findings and signed inventories.

    Raises:
        StoresInMotionError: items came and went all the time.
        DomainError: the stores could not be listed.
    """
    for _ in range(ATTEMPTS):
        size = outside.record.size()
        known = _Known().take(outside.record.history())
        stock = stocktaker.stock()
        compared = _Compared(known, stock)
        attested = stocktaker.attest(list(compared.wanted(size)))
        if _items_moved(outside, size):
            continue
        at = outside.clock.now()
        for scope, events in compared.findings(at).items():
            outside.record.append(*events, by=_by(outside, scope))
        for scope, fields in attested:
            inventory = InventoryAttested(
                originator_id=journal("inventories", scope),
                originator_version=NEXT_VERSION,
                timestamp=at,
                **fields,
            )
            outside.record.append(inventory, by=_by(outside, scope))
        return compared.inventory(size)
    raise StoresInMotionError("no inventory was taken: items came and went all the time. Try again")


def _items_moved(outside: Outside, size: int) -> bool:
    return any(
        entry.event.NAME.startswith("item.") for entry in outside.record.history(after=size - 1)
    )


def _by(outside: Outside, scope: str) -> Command:
    return Command(
        **by_the_system(outside, scope=scope, mode=Mode(outside.record.mode), part="re-checker")
    )


class _Compared:
    """The stores against the record."""

    def __init__(self, known: _Known, stock: Stock) -> None:
        self._known, self._stock = known, stock
        items = known.survey.items
        there = {"keystore": stock.keys, "media": stock.ciphertexts}
        self._lasting = {one.item for one in items.values() if _lasts(one)}
        self._between = {
            one.item for one in items.values() if not one.destroyed and not _lasts(one)
        }
        self._missing = {store: self._lasting - held for store, held in there.items()}
        self._unknown = {store: held - items.keys() for store, held in there.items()}
        gone = {one.item for one in items.values() if one.destroyed}
        self._risen = {store: held & gone for store, held in there.items()}

    def wanted(self, size: int) -> Iterator[Wanted]:
        """What is to be signed: of everything, and of each deployment that has items or of which
        the last inventory does not show yet that nothing is left."""
        yield self._wanted(FORCE, size, None)
        by_deployment: dict[UUID, set[UUID]] = {}
        told = set(self._known.to_show)
        for one in self._known.survey.items.values():
            by_deployment.setdefault(one.deployment, set()).add(one.item)
            if not one.destroyed or any(one.item in those for those in self._risen.values()):
                told.add(one.deployment)
        for deployment in sorted(told):
            yield self._wanted(deployment.hex, size, by_deployment[deployment])

    def _wanted(self, scope: str, size: int, among: set[UUID] | None) -> Wanted:
        def count(found: dict[str, set[UUID]]) -> int:
            those = set().union(*found.values())
            return len(those if among is None else those & among)

        return Wanted(
            scope=scope,
            as_of=size,
            skip=self._between if among is None else self._between & among,
            among=among,
            missing=count(self._missing),
            orphans=self._orphans() if among is None else 0,
            resurrected=count(self._risen),
        )

    def _orphans(self) -> int:
        return sum(map(len, self._unknown.values())) + sum(self._stock.strays.values())

    def findings(self, at: datetime) -> dict[str, list[Happened]]:
        """What was not found before, by the scope that it belongs to."""
        found: dict[str, list[Happened]] = {}
        for kind, by_store in ((ResurrectionFound, self._risen), (LossFound, self._missing)):
            for store, items in by_store.items():
                for item in sorted(items - self._before(kind, store)):
                    scope = self._known.survey.items[item].deployment.hex
                    found.setdefault(scope, []).append(
                        kind(**_in("custody-findings", scope, at), item=item, store=store)
                    )
        for orphan in self._new_orphans(at):
            found.setdefault(FORCE, []).append(orphan)
        return found

    def _new_orphans(self, at: datetime) -> Iterator[OrphanFound]:
        for store, items in self._unknown.items():
            kind = "key" if store == "keystore" else "ciphertext"
            for item in sorted(items - self._before(OrphanFound, store)):
                yield _orphan(store, kind, item, at)
        for store, count in self._stock.strays.items():
            for _ in range(count - self._known.strays[store]):
                yield _orphan(store, "stray", None, at)

    def _before(self, kind: type[Happened], store: str) -> set[UUID]:
        return {item for what, where, item in self._known.found if (what, where) == (kind, store)}

    def inventory(self, size: int) -> Inventory:
        """What it came to."""
        return Inventory(
            as_of=size,
            keys=len(self._stock.keys),
            ciphertexts=len(self._stock.ciphertexts),
            missing=sorted(set().union(*self._missing.values())),
            orphans=self._orphans(),
            resurrected=sorted(set().union(*self._risen.values())),
        )


def _lasts(one: ItemSeen) -> bool:
    """Whether it must be in the stores: sealed, and its destruction not begun."""
    return one.sealed and not one.destruction_started and not one.destroyed


def _orphan(store: str, kind: str, item: UUID | None, at: datetime) -> OrphanFound:
    return OrphanFound(
        **_in("custody-findings", FORCE, at),
        orphan=new_reference(),
        store=store,
        kind=kind,
        item=item,
    )


def _in(stream: str, scope: str, at: datetime) -> dict[str, Any]:
    return {
        "originator_id": journal(stream, scope),
        "originator_version": NEXT_VERSION,
        "timestamp": at,
    }

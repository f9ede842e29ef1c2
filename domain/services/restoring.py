"""After a restore: what record, stores and signatures know of each other, and how one goes on.

Any of them may be an older copy, and each knows something that the others lost: the record what was
begun and destroyed, the keystore's tombstones what was destroyed, a checkpoint or a witness how
long the log was. What any of them calls destroyed is destroyed again; what none of them can tell
is not read any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from domain.custody.aggregate import LOST, Item
from domain.custody.events import (
    DestructionRechecked,
    DestructionStarted,
    EpochDestroyed,
    InventoryAttested,
    ItemDestroyed,
    ItemDoubted,
    KeystoreRollbackFound,
    LossFound,
    OrphanFound,
    RestoredFromBackup,
    ResurrectionFound,
)
from domain.custody.sealing import EpochEnded, Tombstone
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.errors import DomainError
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import FORCE, journal, new_reference
from domain.ports import Outside, Recorded, Vault
from domain.services.carrying_out import by_the_system, tried_again
from domain.services.custody import BATCH, DestructionFailedError, destroy_for
from domain.services.rechecking import looked
from domain.services.survey import ItemSeen, Survey

STORES = ("keystore", "media")


@dataclass(frozen=True)
class Kept:
    """What lies in the stores."""

    keys: set[UUID]
    ciphertexts: set[UUID]
    buried: Mapping[UUID, Tombstone]
    """Items that have a tombstone."""
    ended: Sequence[EpochEnded]

    @classmethod
    def of(cls, vault: Vault) -> Kept:
        """What lies there now."""
        return cls(vault.keys(), vault.ciphertexts(), vault.buried(), vault.ended_epochs())

    @property
    def chain(self) -> dict[int, str]:
        """Number to digest, of every tombstone."""
        links = (*self.buried.values(), *(one.tombstone for one in self.ended))
        return {one.sequence: one.digest for one in links}

    def in_store(self, store: str) -> set[UUID]:
        """The items of which something lies in it."""
        return self.keys if store == "keystore" else self.ciphertexts


@dataclass(frozen=True)
class Longer:
    """A longer log than the record that is here, as something outside it knows."""

    size: int
    known_from: str
    """``witness``, ``checkpoint`` or ``keystore``."""
    root: str = ""
    """Of that size, hex; empty where nothing signed tells it."""


@dataclass
class Standing:
    """What the record says: of items, of tombstones, and of restores before."""

    survey: Survey = field(default_factory=Survey)
    size: int = 0
    newest: Tombstone | None = None
    """The newest tombstone that it names."""
    orphans: set[UUID] = field(default_factory=set)
    """Items that it never knew and was told of."""
    restored: RestoredFromBackup | None = None
    """The newest restore that it knows of."""
    buried_before: int = 0
    """The newest tombstone of the keystore when that was recorded."""
    longest_lost: int = 0
    """The longest history that it says was lost."""
    undoubted: set[UUID] = field(default_factory=set)
    """Items that may have been destroyed in what is lost, and of which it is not said yet."""

    def take(self, entries: Iterable[Recorded]) -> Standing:
        """Take in entries in the order of the log."""
        for entry in entries:
            self.survey.take([entry])
            self.size = entry.position + 1
            match entry.event:
                case (
                    ItemDestroyed()
                    | DestructionRechecked()
                    | EpochDestroyed()
                    | InventoryAttested()
                ) as event:
                    self._names(Tombstone(event.tombstone_sequence, event.tombstone_digest))
                case OrphanFound(item=UUID() as item):
                    self.orphans.add(item)
                case KeystoreRollbackFound() as event:
                    self.newest = None
                    self.buried_before = min(self.buried_before, event.found_sequence)
                case RestoredFromBackup() as event:
                    self.restored = event
                    self.buried_before = event.tombstone_sequence
                    self.longest_lost = max(self.longest_lost, event.size_known)
                    if not event.keystore_is_current:
                        self.undoubted |= _open_in(self.survey)
                case ItemDoubted() | DestructionStarted() as event:
                    self.undoubted.discard(event.originator_id)
                case _:
                    pass
        return self

    def _names(self, tombstone: Tombstone) -> None:
        if tombstone.sequence > (self.newest.sequence if self.newest else 0):
            self.newest = tombstone


_Found = Mapping[str, set[UUID]]
"""Store to items."""


@dataclass(frozen=True)
class Diagnosis:
    """What does not fit together."""

    size: int
    """Of the record that is here."""
    lost: Longer | None
    """The longest log that anything else knows of, if it is longer."""
    lost_before: bool
    """Whether just that is on the record already."""
    rollback: tuple[int, int] | None
    """The newest tombstone that the record names, and the newest that the keystore has, where that
    is not a continuation."""
    buried: int
    """The newest tombstone of the keystore."""
    came_back: _Found
    """What lies there although the record or a tombstone says that it is destroyed."""
    ended_meanwhile: set[UUID]
    """What the record keeps and a tombstone says is destroyed."""
    missing: _Found
    """What should be there, and nothing destroyed it."""
    unknown: _Found
    """What no entry and no tombstone knows."""
    unburied: set[UUID]
    """Destroyed by the record, without a tombstone here."""
    alive: set[UUID]
    """What the record keeps and no tombstone says is destroyed."""
    undoubted: set[UUID]
    """Of those, what a restore that is on the record left in doubt, and could still be read."""

    @property
    def fits(self) -> bool:
        """Whether everything fits together."""
        return not (
            self.lost or self.rollback or self.ended_meanwhile or self.undoubted
        ) and not any(map(_any_in, (self.came_back, self.missing, self.unknown)))

    @property
    def something_is_lost(self) -> bool:
        """Whether going on means to give something up, and not only to destroy again."""
        return bool(self.lost or _any_in(self.missing) or _any_in(self.unknown))


def diagnose(standing: Standing, kept: Kept, longer: Longer | None = None) -> Diagnosis:
    """Compare. Changes nothing.

    Args:
        standing: the whole record.
        kept: what lies in the stores.
        longer: the longest log that a checkpoint or a witness knows, if it is longer.
    """
    items = standing.survey.items
    receipts = {one.item for one in items.values() if one.destroyed}
    open_ = _open_in(standing.survey)
    lasting = {one.item for one in items.values() if _lasts(one)}
    buried = kept.buried.keys()
    ended = open_ & buried
    gone = receipts | ended | (buried - items.keys())
    # a key beside its tombstone is none that a crash leaves
    risen_keys = kept.keys & (gone | buried)
    lost = _longest(longer, _known_to_the_keystore(standing, kept))
    chain = kept.chain
    return Diagnosis(
        size=standing.size,
        lost=lost,
        lost_before=lost is not None and _is_recorded(standing, lost),
        rollback=_rollback(standing.newest, chain),
        buried=max(chain, default=0),
        came_back={"keystore": risen_keys, "media": kept.ciphertexts & gone},
        ended_meanwhile=ended,
        missing={store: lasting - buried - kept.in_store(store) for store in STORES},
        unknown={store: kept.in_store(store) - items.keys() - buried for store in STORES},
        unburied=receipts - buried,
        alive=open_ - buried,
        undoubted=standing.undoubted - buried,
    )


def _open_in(survey: Survey) -> set[UUID]:
    """The items whose destruction did not begin."""
    return {
        one.item
        for one in survey.items.values()
        if not one.destruction_started and not one.destroyed
    }


def _lasts(one: ItemSeen) -> bool:
    return one.sealed and not one.destruction_started and not one.destroyed


def _rollback(named: Tombstone | None, chain: Mapping[int, str]) -> tuple[int, int] | None:
    """Each link rests on all before it: the newest that the record names stands for the others."""
    if named is None or chain.get(named.sequence) == named.digest:
        return None
    return named.sequence, max(chain, default=0)


def _known_to_the_keystore(standing: Standing, kept: Kept) -> Longer | None:
    """A tombstone comes after ``item.destruction_started``, and that after ``item.registered``."""
    entries = 0
    for item, tombstone in kept.buried.items():
        if tombstone.sequence <= standing.buried_before:
            continue
        seen = standing.survey.items.get(item)
        if seen is None:
            entries += 0 if item in standing.orphans else 2
        elif not seen.destruction_started and not seen.destroyed:
            entries += 1
    return Longer(standing.size + entries, "keystore") if entries else None


def _longest(*known: Longer | None) -> Longer | None:
    return max((one for one in known if one is not None), key=lambda one: one.size, default=None)


def _is_recorded(standing: Standing, lost: Longer) -> bool:
    before = standing.restored
    return before is not None and (before.size_known, before.root_known) == (lost.size, lost.root)


def _any_in(found: _Found) -> bool:
    return any(found.values())


# -- going on ----------------------------------------------------------------------------------


def mend(outside: Outside, found: Diagnosis, *, actor: str, keystore_is_current: bool) -> list[str]:
    """Record what was found, and destroy again what is destroyed. Every step can be repeated.

    First everything that keeps a read from happening: the restore, and which items may have been
    destroyed in what is lost. Then the destruction. The caller is alone in writing.

    Args:
        outside: the ports.
        found: just now.
        actor: the person who accepts what is lost.
        keystore_is_current: whether they say that the keystore was not brought back.

    Returns:
        What was done, in words.

    Raises:
        DestructionFailedError: something could still be opened afterwards.
        DomainError: the keystore is an older copy by what the record says; or a store did not let
            go of something.
    """
    if keystore_is_current and found.rollback:
        raise DomainError("the record knows newer tombstones: this keystore is an older copy")
    survey = Survey().take(outside.record.history())
    return [
        *_tell_of_the_stores(outside, found, actor, keystore_is_current),
        *_doubt(outside, survey, found, keystore_is_current),
        *_tell_of_items(outside, survey, found),
        *_destroy_again(outside, survey, found),
        *_reapply(outside, survey, found),
    ]


def _tell_of_the_stores(
    outside: Outside, found: Diagnosis, actor: str, keystore_is_current: bool
) -> Iterator[str]:
    by = Command(
        scope=FORCE,
        mode=Mode(outside.record.mode),
        actor=actor,
        role=Role.OPERATOR,
        at=outside.clock.now(),
    )
    if found.lost and not found.lost_before:
        outside.record.append(
            RestoredFromBackup(
                **_in("restores", FORCE, by),
                size_found=found.size,
                size_known=found.lost.size,
                known_from=found.lost.known_from,
                root_known=found.lost.root,
                tombstone_sequence=found.buried,
                keystore_is_current=keystore_is_current,
            ),
            by=by,
        )
        yield f"recorded that the entries {found.size} to {found.lost.size - 1} are lost"
    if found.rollback:
        expected, known = found.rollback
        outside.record.append(
            KeystoreRollbackFound(
                **_in("custody-findings", FORCE, by),
                expected_sequence=expected,
                found_sequence=known,
            ),
            by=by,
        )
        yield f"recorded that the keystore is an older copy, with {known} tombstones of {expected}"


def _doubt(
    outside: Outside, survey: Survey, found: Diagnosis, keystore_is_current: bool
) -> Iterator[str]:
    """What lived at the restored size may have been destroyed since, and nothing here knows it."""
    newly = found.lost and not found.lost_before and not keystore_is_current
    doubtful = found.undoubted | (found.alive if newly else set())
    for scope, those in _by_deployment(survey, doubtful).items():
        for batch in _batches(those):
            tried_again(partial(_doubt_batch, outside, scope, batch, found.size))
    if doubtful:
        yield f"refused from here on to read {len(doubtful)} items that may have been destroyed"


def _doubt_batch(outside: Outside, scope: str, batch: Sequence[UUID], size_found: int) -> None:
    by = _by(outside, scope)
    items = [outside.record.load(Item, one) for one in batch]
    for item in items:
        item.doubt(size_found=size_found, at=by.at)
    outside.record.append(*items, by=by)


def _tell_of_items(outside: Outside, survey: Survey, found: Diagnosis) -> Iterator[str]:
    told: dict[str, list[Happened]] = defaultdict(list)
    for kind, by_store in ((ResurrectionFound, found.came_back), (LossFound, found.missing)):
        for store, item in _each(by_store):
            scope = survey.items[item].deployment.hex if item in survey.items else FORCE
            by = _by(outside, scope)
            told[scope].append(kind(**_in("custody-findings", scope, by), item=item, store=store))
    for store, item in _each(found.unknown):
        told[FORCE].append(
            OrphanFound(
                **_in("custody-findings", FORCE, _by(outside, FORCE)),
                orphan=new_reference(),
                store=store,
                kind="key" if store == "keystore" else "ciphertext",
                item=item,
            )
        )
    for scope, events in told.items():
        for batch in _batches(events):
            outside.record.append(*batch, by=_by(outside, scope))
    if told:
        yield f"recorded {sum(map(len, told.values()))} findings of items"


def _destroy_again(outside: Outside, survey: Survey, found: Diagnosis) -> Iterator[str]:
    """Keys and ciphertexts that came back, and those that nobody knows; and every tombstone that
    is missing, so that nothing can be sealed or opened under that name again."""
    again = set().union(*found.came_back.values(), *found.unknown.values()) - found.ended_meanwhile
    for batch in _batches(sorted(again | found.unburied)):
        outside.vault.destroy_keys(batch, at=outside.clock.now())
        if kept := outside.vault.remove_ciphertexts([one for one in batch if one in again]):
            raise next(iter(kept.values()))
    for scope, items in _by_deployment(survey, again & survey.items.keys()).items():
        for batch in _batches(items):
            labels = [outside.record.load(Item, one).label for one in batch]
            by = _by(outside, scope)
            rechecked = outside.rechecker.recheck(labels, at=by.at)
            outside.record.append(looked(rechecked, scope=scope, at=by.at), by=by)
            if rechecked.still_there:
                raise DestructionFailedError(
                    f"item {rechecked.still_there[0].hex}: still in the vault after its destruction"
                )
    if again:
        yield f"destroyed {len(again)} items again"
    if only := found.unburied - again:
        yield f"gave {len(only)} destroyed items their tombstones again"


def _reapply(outside: Outside, survey: Survey, found: Diagnosis) -> Iterator[str]:
    """Receipts for what a tombstone says was destroyed, and for what is lost."""
    missing = set().union(*found.missing.values())
    for items, cause in ((found.ended_meanwhile, "restored"), (missing, LOST)):
        for scope, those in _by_deployment(survey, items).items():
            destroy_for(outside, _by(outside, scope), those, cause=cause)
        if items:
            yield f"gave {len(items)} items their receipts, with the cause {cause}"


def _by_deployment(survey: Survey, items: Collection[UUID]) -> dict[str, list[UUID]]:
    by_scope: dict[str, list[UUID]] = defaultdict(list)
    for one in sorted(items):
        by_scope[survey.items[one].deployment.hex].append(one)
    return by_scope


def _each(found: _Found) -> Iterator[tuple[str, UUID]]:
    return ((store, item) for store, items in found.items() for item in sorted(items))


def _batches(those: Sequence[Any]) -> Iterator[Sequence[Any]]:
    rest = iter(those)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _by(outside: Outside, scope: str) -> Command:
    mode = Mode(outside.record.mode)
    return Command(**by_the_system(outside, scope=scope, mode=mode, part="doctor"))


def _in(stream: str, scope: str, by: Command) -> dict[str, Any]:
    return {
        "originator_id": journal(stream, scope),
        "originator_version": NEXT_VERSION,
        "timestamp": by.at,
    }

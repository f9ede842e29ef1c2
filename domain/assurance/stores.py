"""The stores, as entries tell of them: what has to be there, and what inventories found.

What an inventory finds wrong, and what is wrong with the inventory, is a finding until a later one
of the same scope no longer shows it. Nothing here is believed that can be worked out: which items
and keys of epochs had to be there follows from the entries, as of the size that it was taken at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.assurance.entries import FORCE_SCOPE
from domain.assurance.epochs import EpochName, Epochs
from domain.assurance.holdings import Attested, Fault
from domain.assurance.inventories import REMEMBERED, Listing, items_listed, listed
from domain.assurance.tombstones import Tombstones

_Wrong = Iterator[tuple[str, str]]
"""Codes and sentences."""

_FOUND = {
    "orphan.found": ("orphans", "something is in the {store} that no entry knows"),
    "item.resurrection_found": ("resurrected", "item {item} is in the {store} again"),
    "item.loss_found": ("missing", "item {item} is not in the {store} any more"),
}


@dataclass
class Stores:
    """Follows them, in the order of the log.

    Args:
        scope: the deployment that is asked about; None for all.
        epochs: the keys that wrap items' keys.
    """

    scope: str | None
    epochs: Epochs
    newest: Attested | None = None
    """The newest inventory of what is asked about."""
    resolved: int = 0
    """Findings that a later inventory did not make any more."""
    tombstones: Tombstones = field(default_factory=Tombstones)
    numbered_anew: bool = False
    """Whether a store came from an older copy, so that tombstones have gaps."""
    under_way: int = 0
    """Destructions that began and did not finish."""
    _found: dict[str, list[Fault]] = field(default_factory=dict)
    """Scope to what its newest inventory found wrong, and what was found since."""
    _listing: Listing = field(default_factory=Listing)
    _gone_lately: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """The newest receipts, and where they are."""

    def lasts(self, position: int, item: str, day: EpochName) -> None:
        """An item was sealed: from here on it has to be there."""
        self.epochs.lasts(day, position)
        self._listing.add(position, item, day.deployment)

    def ends(self, position: int, item: str, day: EpochName) -> None:
        """From here on an item need not be there."""
        self._listing.remove(position, item, day.deployment)
        self.epochs.ends(item, day)

    def gone(self, position: int, item: str, day: EpochName) -> None:
        """An item has its receipt: it must not be there."""
        self.epochs.destroyed(item, day, position)
        self._gone_lately.append((position, item))

    def rolled_back(self) -> None:
        """The keystore was an older copy, and gives numbers again that it gave before."""
        self.tombstones, self.numbered_anew = Tombstones(), True

    def findings(self) -> list[Fault]:
        """What is wrong with the stores, as far as is known."""
        return [one for those in self._found.values() for one in those]

    def are_of_others(self, scope: str) -> bool:
        """Whether an entry tells of all that lies there, where one deployment is asked about."""
        return self.scope is not None and scope == FORCE_SCOPE

    def found(self, entry: Mapping[str, Any]) -> None:
        """Something was found there, or not found; the next inventory says how it is."""
        if self.are_of_others(entry["scope"]):
            return
        body = entry["body"]
        code, words = _FOUND[entry["name"]]
        said = words.format(store=body["store"], item=(body["item"] or "")[:8])
        self._found.setdefault(entry["scope"], []).append(Fault(code, entry["pos"], said))

    def attested(
        self, entry: Mapping[str, Any], *, signed: bool, is_between: Callable[[str], bool]
    ) -> bool:
        """Take in an inventory.

        Args:
            entry: ``inventory.attested``.
            signed: whether by an enrolled re-checker.
            is_between: whether an item is between two of its steps, and may be there or not.

        Returns:
            Whether nothing is wrong.
        """
        scope, wrong = (
            entry["scope"],
            [
                Fault(code, entry["pos"], sentence)
                for code, sentence in self._wrong(entry, is_between)
            ],
        )
        # What an earlier inventory of this scope found wrong, and this one does not, was mended.
        still = {one.code for one in wrong}
        before = self._found.pop(scope, [])
        self.resolved += sum(one.code not in still for one in before)
        if wrong:
            self._found[scope] = wrong
        if scope == (self.scope or FORCE_SCOPE):
            self.newest = _told(entry, signed=signed)
        return not wrong

    def _wrong(self, entry: Mapping[str, Any], is_between: Callable[[str], bool]) -> _Wrong:
        """What an inventory found wrong, or is wrong about it."""
        body, whose = entry["body"], whose_are(entry)
        if body["as_of"] > entry["pos"]:
            raise ValueError(f"an inventory as of {body['as_of']} entries")
        for name in ("missing", "orphans", "resurrected"):
            if body[name]:
                yield name, f"the inventory found {body[name]} {name}"
        yield from self._differences(body, whose)
        yield from self._wrong_epochs(body, whose)
        yield from self._wrongly_skipped(body, is_between)
        yield from self._wrong_tombstones(body["tombstone_sequence"])

    def _differences(self, body: Mapping[str, Any], whose: str | None) -> _Wrong:
        """What was there is what had to be there, as far as these entries tell."""
        there = self._listing.at(body["as_of"], whose)
        if there is None:
            yield "inventory_too_old", "the inventory is of a time long before it was told"
            return
        expected = items_listed(there)
        for store in ("keystore", "media"):
            found = (body[f"{store}_count"], body[f"{store}_root"])
            if found != (expected.count, expected.root):
                yield (
                    "stores_differ",
                    f"the {store} held {found[0]} items, by the entries it had to hold "
                    f"{expected.count}"
                    + ("" if found[0] != expected.count else ", and they are others"),
                )

    def _wrong_epochs(self, body: Mapping[str, Any], whose: str | None) -> _Wrong:
        """The keys of epochs that were there are those that had to be."""
        if "epochs" not in body:  # the first shape: what it counted could be more than one thing
            return
        told = listed(one.encode() for one in body["epochs"])
        if (told.count, told.root) != (body["epoch_count"], body["epoch_root"]):
            yield "inventory_contradicts_itself", "its epochs are not its root's"
        there = epochs_in(body)
        if unknown := self.epochs.unknown(there, body["as_of"]):
            yield (
                "epoch_without_need",
                f"the keystore holds {unknown} keys of epochs that are gone or never were",
            )
        if missing := self.epochs.missing(there, body["as_of"], whose):
            yield (
                "epoch_missing",
                f"the keystore lacks {missing} keys of epochs that items are sealed under",
            )

    def _wrongly_skipped(
        self, body: Mapping[str, Any], is_between: Callable[[str], bool]
    ) -> _Wrong:
        """What was left out of the roots was between two of its steps: neither gone nor unknown."""
        lately = {item for at, item in self._gone_lately if at >= body["as_of"]}
        skipped = body.get("skipped", ())
        hidden = [one for one in skipped if one not in lately and not is_between(one)]
        if hidden:
            yield (
                "inventory_left_out",
                f"the inventory left out {len(hidden)} items that are gone, or have to be there",
            )

    def _wrong_tombstones(self, known: int) -> _Wrong:
        newest = self.tombstones.newest
        if known < newest:
            yield (
                "keystore_rolled_back",
                f"the keystore knows {known} tombstones, there are receipts up to {newest}",
            )
        elif self.scope is None and not self.numbered_anew:
            more = self.tombstones.unaccounted(known)
            if more > self.under_way:
                yield (
                    "tombstone_without_receipt",
                    f"the keystore knows {known} tombstones, of which {more} have no receipt; "
                    f"{self.under_way} destructions are under way",
                )


def whose_are(entry: Mapping[str, Any]) -> str | None:
    """The deployment that an inventory is of; None for all."""
    return None if entry["scope"] == FORCE_SCOPE else entry["scope"]


def epochs_in(body: Mapping[str, Any]) -> set[EpochName]:
    """The epochs whose keys an inventory found, from its second shape on."""
    return set(map(EpochName.of, body["epochs"]))


def _told(entry: Mapping[str, Any], *, signed: bool) -> Attested:
    body = entry["body"]
    return Attested(
        position=entry["pos"],
        at=entry["recorded_at"],
        scope=entry["scope"],
        keystore=body["keystore_count"],
        media=body["media_count"],
        missing=body["missing"],
        orphans=body["orphans"],
        resurrected=body["resurrected"],
        signed=signed,
    )

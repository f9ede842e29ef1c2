"""Custody recomputed: was every item of personal data gone by the time at which it had to be?

Nothing that an entry says of itself is believed. Limits come from the retention schedules in the
log (before the first: the ceilings of the law as this verifier knows them), starts of clocks from
the alerts and ends of deployments, times from when entries were recorded; who looked again, from
signatures. An item is *late* if its receipt was recorded after its deadline, and *overdue* if there
is none and the deadline is past. Beside lateness, whatever contradicts itself is named: receipts
that say something else than the registration, items that come to life twice or are opened after
their end, inventories of the stores that are not what the entries say ought to be there.

One pass over the entries in the order of the log; an item is forgotten once it has its receipt, so
that the memory needed is that of the items that live at a time.

**Deadlines.** A clock that starts with an alert or a first frame runs from its anchor; one that
starts with the end of the deployment runs from that end, or from the end of the window that was
applied for if that is earlier. A later schedule shortens what is held already, never below the time
of its own adoption. A hold extends footage alone, while it is approved, neither released nor past
its review. Source: domain specification, section 4 and 3.8.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from domain.assurance.entries import FORCE_SCOPE, EntryUnreadableError
from domain.assurance.holdings import (
    MOST_FAULTS,
    Attested,
    CustodyVerdict,
    Fault,
    Gap,
    Holding,
    Life,
)
from domain.assurance.inventories import Listing, attestation_holds, items_listed
from domain.assurance.rechecks import recheck_holds

DAY = timedelta(hours=24)
FOOTAGE = "footage_segment"
CEILINGS: Mapping[str, timedelta] = {FOOTAGE: 31 * DAY}
"""The longest that a class may ever be kept, whatever a schedule says; 24 hours for any other.
Source: domain specification, section 4 (RT-03 to RT-08, RT-10)."""
ACT = timedelta(minutes=5)
"""How long the destruction itself may take, after a hold ended or a shorter schedule came."""
OVER = "deployment_end"
"""The clock that the end of the deployment starts."""


@dataclass(slots=True)
class _Item:
    """What is kept of an item while it lives."""

    item_class: str
    deployment: str
    concerning: str
    clock: str
    rule: str
    limit: timedelta
    anchor: datetime | None
    due: datetime
    claimed_due: str
    commitment: str
    registered_at: str
    position: int
    sealed: tuple[str, int] | None = None
    begun: bool = False
    lasting: bool = False
    """Whether it must be in the stores: sealed, and its destruction not begun."""


@dataclass(slots=True)
class _Deployment:
    window_end: datetime | None = None
    over_at: datetime | None = None


@dataclass(slots=True)
class _Hold:
    items: tuple[str, ...]
    approved_at: datetime | None
    review_by: datetime
    ended_at: datetime | None = None

    def ends(self) -> datetime:
        """When it stops to extend anything, as far as is known."""
        return min(self.review_by, self.ended_at) if self.ended_at else self.review_by


@dataclass(slots=True)
class _Rule:
    limit: timedelta
    may_be_held: bool


@dataclass(slots=True)
class _Schedule:
    version: str
    adopted_at: datetime
    rules: dict[str, _Rule]


@dataclass
class Custody:
    """Follows the entries of a whole log, or of one deployment and the force.

    Args:
        scope: the deployment, where the entries are one deployment's and the force's; None where
            they are all.
        positions: whether to keep where each figure can be added up again.
    """

    scope: str | None = None
    positions: bool = False

    _items: dict[str, _Item] = field(default_factory=dict)
    _deployments: dict[str, _Deployment] = field(default_factory=lambda: defaultdict(_Deployment))
    _holds: dict[str, _Hold] = field(default_factory=dict)
    _held_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _schedules: list[_Schedule] = field(default_factory=list)
    _keys: dict[str, str] = field(default_factory=dict)
    _rechecked: dict[str, tuple[str, str]] = field(default_factory=dict)
    _receipts: bytearray = field(default_factory=bytearray)
    _newest_receipt: int = 0
    _holdings: dict[str, Holding] = field(default_factory=dict)
    _faults: list[Fault] = field(default_factory=list)
    _fault_count: int = 0
    _inventory: Attested | None = None
    _found_in: dict[str, list[Fault]] = field(default_factory=dict)
    """Scope to what its newest inventory found wrong."""
    _resolved: int = 0
    _unlisted: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    """Receipts by deployment and class since an inventory saw that nothing of them is left."""
    _of_epoch: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    _swept: tuple[datetime, int] | None = None
    _gaps: list[Gap] = field(default_factory=list)
    _in_process: int = 0
    _lives: list[Life] = field(default_factory=list)
    _now: datetime | None = None
    _position: int = 0
    _listing: Listing = field(default_factory=Listing)

    def take(self, blob: bytes) -> None:
        """Take in the next entry, as it is stored.

        Raises:
            EntryUnreadableError: an entry of custody lacks what every such entry has.
        """
        try:
            entry = json.loads(blob)
            self._position = entry["pos"]
            at = _time(entry["recorded_at"])
            if entry["clock"] == "trusted" and (self._now is None or at > self._now):
                self._now = at
            if follow := _FOLLOWED.get(entry["name"]):
                follow(self, entry, entry["body"], at)
        except _UNFOLLOWED as error:
            raise EntryUnreadableError(
                f"position {self._position}: an entry of custody cannot be followed: {error!r}"
            ) from error

    def verdict(self, *, as_of: datetime | None = None) -> CustodyVerdict:
        """What the entries come to, at a time or at the newest that a trusted clock recorded."""
        now = as_of or self._now
        remaining = list(self._items.items())
        found = {name: _copied(one) for name, one in self._holdings.items()}
        in_stores = [one for those in self._found_in.values() for one in those]
        faults = sorted([*self._faults, *in_stores], key=lambda one: one.position)
        count = self._fault_count + len(in_stores)
        lives = [self._life(item, one, None) for item, one in remaining] if self.positions else []
        for item, one in remaining:
            holding, held = found[one.item_class], False
            deadline, held = self._deadline(item, one, now)
            holding.remaining += 1
            self._list(holding, "remaining", one.position)
            started = one.anchor or self._deployments[one.deployment].over_at
            if started and (holding.oldest_anchor is None or started < holding.oldest_anchor):
                holding.oldest_anchor = started
            if holding.next_due is None or deadline < holding.next_due:
                holding.next_due = deadline
            if held:
                holding.held += 1
                self._list(holding, "held", one.position)
            if now is not None and deadline < now:
                holding.overdue += 1
                self._list(holding, "overdue", one.position)
                count += 1
                if len(faults) < MOST_FAULTS:
                    faults.append(
                        Fault(
                            "overdue",
                            one.position,
                            f"{one.item_class} {item[:8]} had to be gone by {_written(deadline)} "
                            f"and has no receipt at {_written(now)}",
                            overdue=True,
                        )
                    )
        for holding in found.values():
            holding.limit_s = int(self._limit(holding.item_class).total_seconds())
        return CustodyVerdict(
            as_of=_written(now) if now else None,
            holdings=tuple(found[name] for name in sorted(found)),
            faults=tuple(faults),
            fault_count=count,
            inventory=self._inventory,
            resolved=self._resolved,
            gaps=tuple(self._gaps_until(now)),
            lives=(*self._lives, *lives),
            in_process=self._in_process,
        )

    # -- what deadlines rest on ------------------------------------------------------------------

    def _applied_for(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._deployments[entry["stream"]].window_end = _time(body["requested_until"])

    def _over(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        one = self._deployments[entry["stream"]]
        one.over_at = one.over_at or at

    def _adopted(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        rules = {
            rule["item_class"]: _Rule(
                timedelta(seconds=rule["limit_s"]), bool(rule["hold_may_extend"])
            )
            for rule in body["rules"]
            if rule["item_class"]
        }
        for item_class, rule in rules.items():
            before = self._limit(item_class)
            if rule.limit > before:
                self._fault(
                    "schedule_lengthened",
                    f"schedule {body['version']} keeps {item_class} for {rule.limit}, until then "
                    f"it was {before}",
                )
            if rule.may_be_held and item_class != FOOTAGE:
                self._fault(
                    "schedule_allows_holds",
                    f"schedule {body['version']} lets a hold extend {item_class}",
                )
        self._schedules.append(_Schedule(body["version"], at, rules))

    def _limit(self, item_class: str) -> timedelta:
        """The limit in force: the ceiling, or what the newest schedule says if that is less."""
        ceiling = CEILINGS.get(item_class, DAY)
        if self._schedules and (rule := self._schedules[-1].rules.get(item_class)):
            return min(ceiling, rule.limit)
        return ceiling

    def _deadline(self, item: str, one: _Item, now: datetime | None) -> tuple[datetime, bool]:
        """When an item must be gone, and whether a hold is what keeps it."""
        start = self._start(one)
        deadline = min(one.due, start + one.limit)
        shorter = self._limit(one.item_class)
        if shorter < one.limit:
            came = self._schedules[-1].adopted_at
            deadline = min(deadline, max(start + shorter, came + ACT))
        if one.item_class != FOOTAGE or item not in self._held_by:
            return deadline, False
        plain = deadline
        for hold in self._held_by[item]:
            found = self._holds[hold]
            if found.approved_at is not None and found.approved_at <= deadline:
                deadline = max(deadline, found.ends() + ACT)
        held = deadline > plain and now is not None and plain <= now < deadline
        return deadline, held

    def _start(self, one: _Item) -> datetime:
        if one.anchor is not None:
            return one.anchor
        where = self._deployments[one.deployment]
        known = [at for at in (where.window_end, where.over_at) if at is not None]
        return min(known) if known else one.due - one.limit

    # -- items -----------------------------------------------------------------------------------

    def _registered(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        item, item_class = entry["stream"], body["item_class"]
        holding = self._holding(item_class)
        holding.registered += 1
        self._list(holding, "registered", entry["pos"])
        limit, clock = self._limit(item_class), body["clock_starts"]
        due = _time(body["due_at"])
        told = body.get("anchor_at")
        anchor = _time(told) if told else (due - limit if clock != OVER else None)
        one = _Item(
            item_class=item_class,
            deployment=body["deployment"],
            concerning=body["concerning"],
            clock=clock,
            rule=body["rule"],
            limit=limit,
            anchor=anchor,
            due=due,
            claimed_due=body["due_at"],
            commitment=body["commitment"],
            registered_at=entry["occurred_at"],
            position=entry["pos"],
        )
        self._items[item] = one
        if body["deployment"] != entry["scope"]:
            self._fault("other_scope", f"item {item[:8]} is another deployment's than its scope")
        if anchor is not None and anchor > at + ACT:
            self._fault("clock_starts_later", f"the clock of item {item[:8]} starts in the future")
        latest = self._start(one) + limit
        if due > latest:
            self._fault(
                "due_too_late",
                f"{item_class} {item[:8]} was registered until {body['due_at']}; by the schedule "
                f"it may exist until {_written(latest)}",
            )

    def _sealed(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        one = self._living(entry, "sealed")
        if one is None:
            return
        if one.sealed is not None:
            self._fault("sealed_twice", f"item {entry['stream'][:8]} was sealed before")
        one.sealed = (body["ciphertext_digest"], body["ciphertext_length"])
        if not one.begun:
            self._lasts(entry["stream"], one)

    def _consulted(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        one = self._living(entry, "opened")
        if one is not None and (one.begun or one.sealed is None):
            self._fault(
                "opened_after_its_end", f"item {entry['stream'][:8]} was opened when it may not be"
            )

    def _begun(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        one = self._living(entry, "destroyed")
        if one is not None:
            one.begun = True
            self._ends(entry["stream"], one)

    def _looked_again(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        kind = body["kind"]
        if kind != "in-process":
            key = self._keys.get(body["rechecker"])
            if key is None or not recheck_holds(body, key):
                self._fault(
                    "recheck_not_signed",
                    f"re-check {body['recheck'][:8]} is not signed by an enrolled re-checker",
                )
        for item in body["items"]:
            self._rechecked[item] = (body["recheck"], kind)
        for item in body["still_there"]:
            self._fault("still_there", f"item {item[:8]} was not gone when it was looked for")

    def _destroyed(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        item = entry["stream"]
        one = self._items.pop(item, None)
        if one is None:
            self._fault("receipt_without_item", f"item {item[:8]} has a receipt and no life")
            return
        if one.lasting:
            self._ends(item, one)
        if not one.begun:
            self._fault("destruction_not_begun", f"item {item[:8]} was gone before it was begun")
        self._compare(item, one, body)
        self._check_recheck(item, body)
        self._take_tombstone(body["tombstone_sequence"])
        gone = max(at, _time(body["finished_at"]))
        deadline, _ = self._deadline(item, one, gone)
        holding = self._holding(one.item_class)
        for level in body["levels"]:
            holding.levels[level] = holding.levels.get(level, 0) + 1
        self._unlisted[one.deployment, one.item_class] += 1
        self._of_epoch[one.deployment, one.item_class, one.registered_at[:10]] += 1
        if self.positions:
            self._lives.append(self._life(item, one, gone))
        self._held_by.pop(item, None)
        if one.sealed is None:
            holding.never_sealed += 1
        if gone <= deadline:
            holding.destroyed_in_time += 1
            self._list(holding, "destroyed_in_time", entry["pos"])
            return
        holding.destroyed_late += 1
        self._list(holding, "destroyed_late", entry["pos"])
        self._fault(
            "late",
            f"{one.item_class} {item[:8]} had to be gone by {_written(deadline)} and was gone at "
            f"{_written(gone)}",
            overdue=True,
        )

    def _compare(self, item: str, one: _Item, body: Mapping[str, Any]) -> None:
        """The receipt says what the registration and the seal said."""
        digest, length = one.sealed or (None, None)
        said = {
            "item_class": one.item_class,
            "deployment": one.deployment,
            "concerning": one.concerning,
            "clock_starts": one.clock,
            "rule": one.rule,
            "due_at": one.claimed_due,
            "commitment": one.commitment,
            "registered_at": one.registered_at,
            "ciphertext_digest": digest,
            "ciphertext_length": length,
        }
        for name, value in said.items():
            if body[name] != value:
                self._fault(
                    "receipt_differs",
                    f"the receipt of item {item[:8]} says another {name} than its registration",
                )
        for level in ("L0", "L1", "L2"):
            if level not in body["levels"]:
                self._fault("level_not_reached", f"item {item[:8]} never reached {level}")

    def _check_recheck(self, item: str, body: Mapping[str, Any]) -> None:
        if body["recheck"] == "in-process":
            self._in_process += 1
        if "recheck_id" not in body:  # the first shape: the same process looked, and said no more
            return
        if self._rechecked.pop(item, None) != (body["recheck_id"], body["recheck"]):
            self._fault(
                "receipt_without_recheck",
                f"the receipt of item {item[:8]} rests on a re-check that does not name it",
            )

    def _take_tombstone(self, sequence: int) -> None:
        """Every receipt has a tombstone of its own."""
        if sequence < 1:
            raise ValueError(f"tombstone {sequence}")
        octet, bit = divmod(sequence, 8)
        if octet >= len(self._receipts):
            if octet > _MOST_TOMBSTONE_BYTES:
                raise ValueError(f"tombstone {sequence}")
            self._receipts.extend(bytes(octet + 1 - len(self._receipts)))
        if self._receipts[octet] >> bit & 1:
            self._fault("tombstone_twice", f"tombstone {sequence} is in two receipts")
        self._receipts[octet] |= 1 << bit
        self._newest_receipt = max(self._newest_receipt, sequence)

    def _living(self, entry: Mapping[str, Any], what: str) -> _Item | None:
        one = self._items.get(entry["stream"])
        if one is None:
            self._fault(
                "not_registered", f"item {entry['stream'][:8]} was {what} and is not registered"
            )
        return one

    # -- what items belong to --------------------------------------------------------------------

    def _raised(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        """The producer's own count: each item that an alert names was registered for it."""
        for item_class, item in body["items"].items():
            one = self._items.get(item)
            if one is None or (one.item_class, one.concerning) != (item_class, entry["stream"]):
                self._fault(
                    "item_not_registered",
                    f"alert {entry['stream'][:8]} names a {item_class} that was not registered "
                    "for it",
                )
            elif one.anchor is not None and one.anchor > _time(entry["occurred_at"]):
                self._fault(
                    "clock_starts_later",
                    f"the clock of {item_class} {item[:8]} starts after its alert",
                )

    def _recorded(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        """A segment of footage: its clock starts with its first frame."""
        one = self._items.get(body["item"])
        if one is None or one.item_class != FOOTAGE:
            self._fault("item_not_registered", f"segment {body['item'][:8]} was not registered")
        elif one.anchor is None or one.anchor > _time(body["first_frame_at"]):
            self._fault(
                "clock_starts_later", f"the clock of segment {body['item'][:8]} starts too late"
            )

    # -- holds -----------------------------------------------------------------------------------

    def _hold_requested(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        self._holds[entry["stream"]] = _Hold(tuple(body["items"]), None, _time(body["review_by"]))

    def _hold_approved(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        hold = self._holds[entry["stream"]]
        hold.approved_at = at
        for item in hold.items:
            one = self._items.get(item)
            if one is None or one.item_class != FOOTAGE:
                self._fault("held_without_right", f"item {item[:8]} cannot be held, and was")
            else:
                self._held_by[item].append(entry["stream"])

    def _hold_reviewed(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        hold = self._holds[entry["stream"]]
        if at > hold.review_by:
            self._fault(
                "reviewed_too_late", f"hold {entry['stream'][:8]} had lapsed when it was reviewed"
            )
            return
        hold.review_by = _time(body["review_by"])

    def _hold_released(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        hold = self._holds[entry["stream"]]
        hold.ended_at = hold.ended_at or at

    # -- what looked at the stores ---------------------------------------------------------------

    def _enrolled(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._keys[body["rechecker"]] = body["public_key"]

    def _attested(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        scope = entry["scope"]
        key = self._keys.get(body["rechecker"])
        signed = key is not None and attestation_holds(body, scope, key)
        if not signed:
            self._fault("inventory_not_signed", "the inventory is not signed by an enrolled key")
        # What an earlier inventory of this scope found wrong, and this one does not, was mended.
        self._resolved += len(self._found_in.pop(scope, []))
        wrong = list(self._wrong_in(entry, body))
        if wrong:
            self._found_in[scope] = wrong
        if scope == FORCE_SCOPE or self.scope is not None:
            self._inventory = _told(entry, body, signed=signed)
        if not (body["orphans"] or body["resurrected"]):
            self._reach("L3", None if scope == FORCE_SCOPE else scope)

    def _wrong_in(self, entry: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Fault]:
        """What an inventory found wrong, or is wrong about it."""
        for name in ("missing", "orphans", "resurrected"):
            if body[name]:
                yield self._now_wrong(name, f"the inventory found {body[name]} {name}")
        yield from self._differences(entry, body)
        if body["tombstone_sequence"] < self._newest_receipt:
            yield self._now_wrong(
                "keystore_rolled_back",
                f"the keystore knows {body['tombstone_sequence']} tombstones, there are receipts "
                f"up to {self._newest_receipt}",
            )

    def _differences(self, entry: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Fault]:
        """What was there is what had to be there, as far as these entries tell."""
        if entry["scope"] == FORCE_SCOPE and self.scope is not None:
            return
        if body["as_of"] > entry["pos"]:
            raise ValueError(f"an inventory as of {body['as_of']} entries")
        whose = None if entry["scope"] == FORCE_SCOPE else entry["scope"]
        there = self._listing.at(body["as_of"], whose)
        if there is None:
            yield self._now_wrong(
                "inventory_too_old", "the inventory is of a time long before it was told"
            )
            return
        expected = items_listed(there)
        for store in ("keystore", "media"):
            found = (body[f"{store}_count"], body[f"{store}_root"])
            if found != (expected.count, expected.root):
                yield self._now_wrong(
                    "stores_differ",
                    f"the {store} held {found[0]} items, by the entries it had to hold "
                    f"{expected.count}"
                    + ("" if found[0] != expected.count else ", and they are others"),
                )

    def _epoch_gone(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        epoch = (body["deployment"], body["item_class"], body["day"])
        alive = [
            item
            for item, one in self._items.items()
            if (one.deployment, one.item_class, one.registered_at[:10]) == epoch and one.lasting
        ]
        if alive:
            self._fault(
                "epoch_gone_too_early",
                f"the key of an epoch is gone that item {alive[0][:8]} is sealed under",
            )
        if count := self._of_epoch.pop(epoch, 0):
            levels = self._holding(body["item_class"]).levels
            levels["L4"] = levels.get("L4", 0) + count

    def _swept_once(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._gaps.extend(self._gaps_between(at))
        self._swept = (at, body["every_s"]) if body["every_s"] else None

    def _gaps_until(self, now: datetime | None) -> list[Gap]:
        return [*self._gaps, *(self._gaps_between(now) if now else [])]

    def _gaps_between(self, at: datetime) -> list[Gap]:
        """The gap since the worker's last sign of life, if it was longer than allowed."""
        if self._swept is None:
            return []
        last, every_s = self._swept
        if at - last <= 2 * timedelta(seconds=every_s):
            return []
        return [Gap(_written(last), _written(at), every_s)]

    # -- sums ------------------------------------------------------------------------------------

    def _life(self, item: str, one: _Item, until: datetime | None) -> Life:
        since = _time(one.registered_at)
        deadline, _ = self._deadline(item, one, until)
        return Life(one.item_class, since, until, one.anchor or since, deadline)

    def _reach(self, level: str, deployment: str | None) -> None:
        for key in [one for one in self._unlisted if deployment in (None, one[0])]:
            levels = self._holding(key[1]).levels
            levels[level] = levels.get(level, 0) + self._unlisted.pop(key)

    def _lasts(self, item: str, one: _Item) -> None:
        one.lasting = True
        self._listing.add(self._position, item, one.deployment)

    def _ends(self, item: str, one: _Item) -> None:
        if one.lasting:
            one.lasting = False
            self._listing.remove(self._position, item, one.deployment)

    def _holding(self, item_class: str) -> Holding:
        if item_class not in self._holdings:
            self._holdings[item_class] = Holding(item_class)
        return self._holdings[item_class]

    def _list(self, holding: Holding, figure: str, position: int) -> None:
        if self.positions:
            holding.positions.setdefault(figure, []).append(position)

    def _now_wrong(self, code: str, sentence: str) -> Fault:
        return Fault(code, self._position, sentence)

    def _fault(self, code: str, sentence: str, *, overdue: bool = False) -> None:
        self._fault_count += 1
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(Fault(code, self._position, sentence, overdue))


_Follow = Callable[[Custody, Mapping[str, Any], Mapping[str, Any], datetime], None]

_FOLLOWED: Mapping[str, _Follow] = {
    "deployment.applied_for": Custody._applied_for,
    "deployment.ended": Custody._over,
    "deployment.cancelled": Custody._over,
    "schedule.adopted": Custody._adopted,
    "item.registered": Custody._registered,
    "item.sealed": Custody._sealed,
    "item.consulted": Custody._consulted,
    "item.destruction_started": Custody._begun,
    "destruction.rechecked": Custody._looked_again,
    "item.destroyed": Custody._destroyed,
    "alert.raised": Custody._raised,
    "footage.segment_recorded": Custody._recorded,
    "hold.requested": Custody._hold_requested,
    "hold.approved": Custody._hold_approved,
    "hold.reviewed": Custody._hold_reviewed,
    "hold.released": Custody._hold_released,
    "rechecker.enrolled": Custody._enrolled,
    "inventory.attested": Custody._attested,
    "epoch.destroyed": Custody._epoch_gone,
    "retention.swept": Custody._swept_once,
}
"""What is followed, by stored name. Names are for ever."""

FOLLOWED = frozenset(_FOLLOWED)

_UNFOLLOWED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What following raises where an entry lacks what every such entry has."""

_MOST_TOMBSTONE_BYTES = 1 << 26
"""A log that claims more tombstones than half a thousand million is not followed."""


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without its zone: {text}")
    return at


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _told(entry: Mapping[str, Any], body: Mapping[str, Any], *, signed: bool) -> Attested:
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


def _copied(holding: Holding) -> Holding:
    return replace(
        holding,
        levels=dict(holding.levels),
        positions={name: list(those) for name, those in holding.positions.items()},
    )

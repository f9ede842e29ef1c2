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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from domain.assurance.canaries import Canaries
from domain.assurance.copies import LIKE, Copies
from domain.assurance.entries import EntryUnreadableError
from domain.assurance.epochs import NO_EPOCH, EpochName, Epochs, Receipts
from domain.assurance.figures import written
from domain.assurance.heartbeat import Heartbeat
from domain.assurance.holdings import (
    MOST_FAULTS,
    CustodyVerdict,
    Fault,
    Holding,
    Life,
    Notice,
)
from domain.assurance.holds import Holds
from domain.assurance.inventories import attestation_holds
from domain.assurance.limits import ACT, FOOTAGE, LONGEST_SEGMENT_MS, OVER, Limits, clock_of, moment
from domain.assurance.rechecks import recheck_holds
from domain.assurance.stores import Stores, epochs_in, whose_are

RECEIPTS_LEVELS = frozenset({"L0", "L1", "L2"})
"""What a receipt may claim: L3 is shown by an inventory, L4 by one without the epoch's key; L5, the
end of the medium, by nothing that is in a log."""


@dataclass(slots=True)
class _Item:
    """What is kept of an item while it lives."""

    item_class: str
    deployment: str
    concerning: str
    clock: str
    """What starts its clock, as it claims."""
    rule: str
    schedule: str | None
    """None in the first shape, which knew none."""
    limit: timedelta
    anchor: datetime | None
    """When its clock started; None where that is the end of the deployment."""
    since: datetime
    """When its registration was recorded."""
    due: datetime
    claimed_due: str
    commitment: str
    registered_at: str
    position: int
    sealed: tuple[str, int] | None = None
    referred: bool = False
    """Whether the entry that it was kept for names it."""
    begun: bool = False
    tombstone_before: int = 0
    """The newest tombstone that was accounted for when its destruction began."""
    doubted: bool = False
    """Whether it may have been destroyed in a part of the record that is lost."""
    lasting: bool = False
    """Whether it must be in the stores: sealed, and its destruction not begun."""


@dataclass(slots=True)
class _Deployment:
    window_end: datetime | None = None
    over_at: datetime | None = None
    alerts: dict[str, datetime] = field(default_factory=dict)
    """When each was raised; forgotten once the deployment is over."""
    newest_receipt: int = -1
    """The position of the newest receipt of an item of it."""


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
    _holds: Holds = field(default_factory=Holds)
    _limits: Limits = field(default_factory=Limits)
    _keys: dict[str, str] = field(default_factory=dict)
    _rechecked: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """Item to the re-check that found it gone: its id, its kind, the newest tombstone it saw."""
    _holdings: dict[str, Holding] = field(default_factory=dict)
    _faults: list[Fault] = field(default_factory=list)
    _fault_count: int = 0
    _late_count: int = 0
    _notices: list[Notice] = field(default_factory=list)
    _copies: Copies = field(default_factory=Copies)
    _canaries: Canaries = field(default_factory=Canaries)
    _unlisted: dict[tuple[str, str], Receipts] = field(
        default_factory=lambda: defaultdict(Receipts)
    )
    """Receipts by deployment and class since an inventory saw that nothing of them is left."""
    _epochs: Epochs = field(init=False)
    _stores: Stores = field(init=False)
    _heartbeat: Heartbeat = field(default_factory=Heartbeat)
    _in_process: int = 0
    _lives: list[Life] = field(default_factory=list)
    _now: datetime | None = None
    """The newest time that a trusted clock recorded."""
    _doubted_now: datetime | None = None
    """The newest that another one did; it counts where no entry is of a trusted one."""
    _doubted_items: list[str] = field(default_factory=list)
    """Registered by a doubted clock, and no trusted one has told a time since."""
    _doubted_ends: list[str] = field(default_factory=list)
    """Deployments that ended so."""
    _position: int = 0

    def __post_init__(self) -> None:
        """Nothing was read yet."""
        self._epochs = Epochs(positions=self.positions)
        self._stores = Stores(self.scope, self._epochs)

    def take(self, blob: bytes) -> None:
        """Take in the next entry, as it is stored.

        Raises:
            EntryUnreadableError: an entry of custody lacks what every such entry has.
        """
        try:
            entry = json.loads(blob)
            self._position = entry["pos"]
            at = moment(entry["recorded_at"])
            if self._now is not None and at < self._now:
                # it stands behind that entry: a clock set back makes nothing earlier
                at = self._now
            elif entry["clock"] == "trusted":
                self._now = at
                if self._doubted_items or self._doubted_ends:
                    self._begin_again(at)
            else:
                self._doubted_now = at
            if follow := _FOLLOWED.get(entry["name"]):
                follow(self, entry, entry["body"], at)
        except _UNFOLLOWED as error:
            raise self._unfollowed("an entry of custody", error) from error

    def _begin_again(self, at: datetime) -> None:
        """What a doubted clock began cannot have begun after a trusted one tells a time."""
        for item in self._doubted_items:
            if (one := self._items.get(item)) is not None and one.anchor is not None:
                one.anchor = min(one.anchor, at)
                one.due = min(one.due, one.anchor + one.limit)
        for deployment in self._doubted_ends:
            where = self._deployments[deployment]
            where.over_at = min(where.over_at or at, at)
        self._doubted_items, self._doubted_ends = [], []

    def _unfollowed(self, what: str, error: Exception) -> EntryUnreadableError:
        return EntryUnreadableError(
            f"position {self._position}: {what} cannot be followed: {error!r}"
        )

    def verdict(self, *, as_of: datetime | None = None) -> CustodyVerdict:
        """What the entries come to, at a time or at the newest that a trusted clock recorded.

        Args:
            as_of: no earlier than that newest, which otherwise stands.

        Raises:
            EntryUnreadableError: an entry has a time or a limit that nobody can reckon with.
        """
        try:
            return self._verdict(as_of)
        except _UNFOLLOWED as error:
            raise self._unfollowed("a time or a limit up to here", error) from error

    def _verdict(self, as_of: datetime | None) -> CustodyVerdict:
        now = max(filter(None, (as_of, self._now or self._doubted_now)), default=None)
        remaining = list(self._items.items())
        found = {name: _copied(one) for name, one in self._holdings.items()}
        in_stores = [*self._stores.findings(), *self._canaries.residue]
        faults = [*self._faults, *in_stores]
        count, late = self._fault_count + len(in_stores), self._late_count
        lives = [self._life(item, one, None) for item, one in remaining] if self.positions else []
        for item, one in remaining:
            holding = found[one.item_class]
            deadline, held = self._deadline(item, one, now)
            holding.remaining += 1
            self._list(holding, "remaining", one.position)
            started = one.anchor or self._deployments[one.deployment].over_at
            if started and (holding.oldest_anchor is None or started < holding.oldest_anchor):
                holding.oldest_anchor = started
                if self.positions:
                    holding.positions["oldest"] = [one.position]
            if holding.next_due is None or deadline < holding.next_due:
                holding.next_due = deadline
            if held:
                holding.held += 1
                self._list(holding, "held", one.position)
            new = [self._unreferred(item, one)] if one.lasting and not one.referred else []
            if now is not None and deadline < now:
                holding.overdue += 1
                late += 1
                self._list(holding, "overdue", one.position)
                new.append(
                    Fault(
                        "overdue",
                        one.position,
                        f"{one.item_class} {item[:8]} had to be gone by {written(deadline)} "
                        f"and has no receipt at {written(now)}",
                        overdue=True,
                    )
                )
            count += len(new)
            faults += new[: max(0, MOST_FAULTS - len(faults))]
        outside = list(self._copies.faults(self._copies_due, now)) if now else []
        count, late = count + len(outside), late + len(outside)
        faults += outside[: max(0, MOST_FAULTS - len(faults))]
        for holding in found.values():
            holding.limit_s = int(self._limits.limit(holding.item_class).total_seconds())
        over = self._deployments[self.scope].over_at if self.scope else None
        return CustodyVerdict(
            as_of=written(now) if now else None,
            over_at=written(over) if over else None,
            holdings=tuple(found[name] for name in sorted(found)),
            faults=tuple(sorted(faults, key=lambda one: one.position)),
            fault_count=count,
            late_count=late,
            notices=(*self._notices, *self._doubts()),
            inventory=self._stores.newest,
            resolved=self._stores.resolved + self._canaries.resolved,
            canary=self._canaries.newest,
            copies=self._copies.left(),
            gaps=self._heartbeat.gaps(now),
            lives=(*self._lives, *lives),
            in_process=self._in_process,
        )

    def _doubts(self) -> Iterator[Notice]:
        if self._now is None and self._doubted_now is not None:
            yield Notice(
                self._position, "no entry is of a trusted clock: times are as one told them"
            )

    # -- what deadlines rest on ------------------------------------------------------------------

    def _applied_for(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._deployments[entry["stream"]].window_end = moment(body["requested_until"])

    def _over(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        one = self._deployments[entry["stream"]]
        one.over_at = one.over_at or at
        one.alerts.clear()
        if entry["clock"] != "trusted":
            self._doubted_ends.append(entry["stream"])

    def _adopted(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._faults_of(self._limits.adopt(body, at))

    def _deadline(self, item: str, one: _Item, now: datetime | None) -> tuple[datetime, bool]:
        """When an item must be gone, and whether a hold is what keeps it."""
        start = self._start(one)
        deadline = min(one.due, self._limits.shortened(one.item_class, one.limit, start))
        plain = deadline
        if self._limits.may_be_held(one.item_class):
            deadline = self._holds.extended(item, plain)
        held = deadline > plain and now is not None and plain <= now < deadline
        return deadline, held

    def _start(self, one: _Item) -> datetime:
        if one.anchor is not None:
            return one.anchor
        where = self._deployments[one.deployment]
        return min(
            (at for at in (where.window_end, where.over_at) if at is not None), default=one.since
        )

    # -- items -----------------------------------------------------------------------------------

    def _registered(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        item, item_class = entry["stream"], body["item_class"]
        holding = self._holding(item_class)
        holding.registered += 1
        self._list(holding, "registered", entry["pos"])
        limit, due = self._limits.limit(item_class), moment(body["due_at"])
        one = _Item(
            item_class=item_class,
            deployment=body["deployment"],
            concerning=body["concerning"],
            clock=body["clock_starts"],
            rule=body["rule"],
            schedule=body.get("schedule"),
            limit=limit,
            anchor=self._anchor(item_class, body, due - limit, at),
            since=at,
            due=due,
            claimed_due=body["due_at"],
            commitment=body["commitment"],
            registered_at=entry["occurred_at"],
            position=entry["pos"],
        )
        self._items[item] = one
        if entry["clock"] != "trusted":
            self._doubted_items.append(item)
        self._epochs.opened(_epoch(one))
        self._judge_registration(item, one, entry)
        latest = self._start(one) + limit
        if due > latest:
            self._fault(
                "due_too_late",
                f"{item_class} {item[:8]} was registered until {body['due_at']}; by the schedule "
                f"it may exist until {written(latest)}",
            )

    def _anchor(
        self, item_class: str, body: Mapping[str, Any], told: datetime, at: datetime
    ) -> datetime | None:
        """When the clock of a new item started, whatever it says that starts it."""
        if clock_of(item_class) == OVER:
            return None
        if body["clock_starts"] == OVER:
            return at
        anchor = moment(body["anchor_at"]) if body.get("anchor_at") else told
        alerts = self._deployments[body["deployment"]].alerts
        return min(anchor, alerts.get(body["concerning"], anchor))

    def _judge_registration(self, item: str, one: _Item, entry: Mapping[str, Any]) -> None:
        body, at = entry["body"], one.since
        where = self._deployments[one.deployment]
        if entry["version"] != 1:
            self._fault("registered_twice", f"item {item[:8]} had a life before")
        if one.deployment != entry["scope"]:
            self._fault("other_scope", f"item {item[:8]} is another deployment's than its scope")
        elif where.window_end is None:
            self._fault("no_deployment", f"item {item[:8]} is of a deployment nobody applied for")
        if one.clock != clock_of(one.item_class):
            self._fault(
                "clock_differs",
                f"the clock of {one.item_class} {item[:8]} was to start with {one.clock}, it "
                f"starts with {clock_of(one.item_class)}",
            )
        told = body.get("anchor_at")
        if one.anchor is not None and told and moment(told) > min(one.anchor, at + ACT):
            self._fault(
                "clock_starts_later",
                f"the clock of {one.item_class} {item[:8]} starts after what starts it",
            )
        if not self._limits.were_in_force(one.schedule or "", at):
            self._fault(
                "schedule_not_in_force",
                f"{one.item_class} {item[:8]} was registered under schedule "
                f"{one.schedule or 'none'}, which is not the one in force in these entries",
            )

    def _sealed(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        one = self._living(entry, "sealed")
        if one is None:
            return
        if one.sealed is not None:
            self._fault("sealed_twice", f"item {entry['stream'][:8]} was sealed before")
        one.sealed = (body["ciphertext_digest"], body["ciphertext_length"])
        if one.begun:
            self._fault(
                "sealed_after_its_end",
                f"item {entry['stream'][:8]} was sealed after its destruction had begun",
            )
        else:
            self._lasts(entry["stream"], one)

    def _consulted(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        one = self._living(entry, "opened")
        if one is not None and (one.begun or one.doubted or one.sealed is None):
            self._fault(
                "opened_after_its_end", f"item {entry['stream'][:8]} was opened when it may not be"
            )
        elif one is not None and at > self._deadline(entry["stream"], one, at)[0] + ACT:
            self._fault(
                "opened_past_its_limit",
                f"item {entry['stream'][:8]} was opened when it had to be gone",
            )

    def _doubted(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        one = self._living(entry, "doubted")
        if one is not None:
            one.doubted = True

    def _begun(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        one = self._living(entry, "destroyed")
        if one is not None and not one.begun:
            one.begun = True
            one.tombstone_before = self._stores.tombstones.newest
            self._stores.under_way += 1
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
            self._rechecked[item] = (body["recheck"], kind, body["tombstone_sequence"])
        for item in body["still_there"]:
            self._fault("still_there", f"item {item[:8]} was not gone when it was looked for")

    def _destroyed(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        item = entry["stream"]
        one = self._items.pop(item, None)
        if one is None:
            self._fault("receipt_without_item", f"item {item[:8]} has a receipt and no life")
            return
        if one.begun:
            self._stores.under_way -= 1
        else:
            self._ends(item, one)
            self._fault("destruction_not_begun", f"item {item[:8]} was gone before it was begun")
        if one.sealed is not None and not one.referred:
            self._found(self._unreferred(item, one))
        self._compare(item, one, body)
        self._check_recheck(item, body)
        self._check_tombstone(item, one, body["tombstone_sequence"])
        self._fold(item, one, entry, max(at, moment(body["finished_at"])))

    def _fold(self, item: str, one: _Item, entry: Mapping[str, Any], gone: datetime) -> None:
        """Add a destroyed item to the sums; nothing else is kept of it."""
        deadline, _ = self._deadline(item, one, gone)
        holding = self._holding(one.item_class)
        for level in RECEIPTS_LEVELS & set(entry["body"]["levels"]):
            holding.levels[level] = holding.levels.get(level, 0) + 1
        self._deployments[one.deployment].newest_receipt = entry["pos"]
        self._unlisted[one.deployment, one.item_class].add(entry["pos"], keep=self.positions)
        self._stores.gone(entry["pos"], item, _epoch(one))
        if self.positions:
            self._lives.append(self._life(item, one, gone))
        self._holds.forget(item)
        if one.sealed is None:
            holding.never_sealed += 1
            self._list(holding, "never_sealed", entry["pos"])
        if gone <= deadline:
            holding.destroyed_in_time += 1
            self._list(holding, "destroyed_in_time", entry["pos"])
            return
        holding.destroyed_late += 1
        self._list(holding, "destroyed_late", entry["pos"])
        self._fault(
            "late",
            f"{one.item_class} {item[:8]} had to be gone by {written(deadline)} and was gone at "
            f"{written(gone)}",
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
        if one.schedule is not None:
            said |= {"schedule": one.schedule, "registered_version": 1}
        for name, value in said.items():
            if body.get(name, ...) != value:
                self._fault(
                    "receipt_differs",
                    f"the receipt of item {item[:8]} says another {name} than its registration",
                )
        for level in sorted(RECEIPTS_LEVELS - set(body["levels"])):
            self._fault("level_not_reached", f"item {item[:8]} never reached {level}")
        if not RECEIPTS_LEVELS.issuperset(body["levels"]):
            self._fault(
                "level_not_shown",
                f"the receipt of item {item[:8]} claims a level that no receipt can show",
            )

    def _check_recheck(self, item: str, body: Mapping[str, Any]) -> None:
        first_shape = "recheck_id" not in body  # the same process looked, and said no more
        if first_shape or body["recheck"] == "in-process":
            self._in_process += 1
        if first_shape:
            if self._keys:
                self._fault(
                    "receipt_without_recheck",
                    f"the receipt of item {item[:8]} names no re-check, and who makes them is "
                    "enrolled",
                )
            return
        found = self._rechecked.pop(item, None)
        if found is None or found[:2] != (body["recheck_id"], body["recheck"]):
            self._fault(
                "receipt_without_recheck",
                f"the receipt of item {item[:8]} rests on a re-check that does not name it",
            )
        elif found[2] < body["tombstone_sequence"]:
            self._fault(
                "recheck_before_destruction",
                f"the re-check of item {item[:8]} saw {found[2]} tombstones, its own is number "
                f"{body['tombstone_sequence']}",
            )

    def _check_tombstone(self, item: str, one: _Item, sequence: int) -> None:
        """Every receipt has a tombstone of its own, made after the destruction began."""
        if not self._stores.tombstones.take(sequence):
            self._fault("tombstone_twice", f"tombstone {sequence} is accounted for twice")
        elif sequence <= one.tombstone_before and not self._stores.numbered_anew:
            self._fault(
                "tombstone_too_early",
                f"tombstone {sequence} of item {item[:8]} is older than its destruction",
            )

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
        raised_at = min(at, moment(entry["occurred_at"]))
        self._deployments[entry["scope"]].alerts[entry["stream"]] = raised_at
        for item_class, item in body["items"].items():
            self._refer(entry, item_class, item, entry["stream"], raised_at)

    def _adjudicated(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        if body["note_item"] is not None:
            self._refer(entry, "free_text", body["note_item"], entry["stream"])

    def _proposed(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._refer(entry, "reference_image", body["image_item"], body["entry"])
        self._refer(entry, "callers_reference", body["reference_item"], body["entry"])

    def _accepted(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._refer(entry, "reference_template", body["template_item"], body["entry"])

    def _recorded(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        """A segment of footage: its clock starts with its first frame."""
        self._refer(entry, FOOTAGE, body["item"], None, moment(body["first_frame_at"]))
        if body["duration_ms"] > LONGEST_SEGMENT_MS:
            self._fault(
                "segment_too_long",
                f"segment {body['item'][:8]} is of {body['duration_ms']} ms: a hold on it keeps "
                "more than it may",
            )

    def _refer(
        self,
        entry: Mapping[str, Any],
        item_class: str,
        item: str,
        concerning: str | None,
        started: datetime | None = None,
    ) -> None:
        """An entry names an item that was kept for it.

        Args:
            entry: it.
            item_class: what it says that the item is.
            item: which.
            concerning: what the item has to be registered for, where that is known.
            started: when its clock started at the latest, where the entry tells.
        """
        one = self._items.get(item)
        if (
            one is None
            or one.item_class != item_class
            or one.deployment != entry["scope"]
            or concerning not in (None, one.concerning)
        ):
            self._fault(
                "item_not_registered",
                f"{entry['name']} names a {item_class} {item[:8]} that was not registered for it",
            )
            return
        one.referred = True
        if started is not None and one.anchor is not None and started < one.anchor:
            one.anchor = started
            self._fault(
                "clock_starts_later",
                f"the clock of {item_class} {item[:8]} starts after what starts it",
            )

    def _unreferred(self, item: str, one: _Item) -> Fault:
        return Fault(
            "nothing_refers_to_it",
            one.position,
            f"{one.item_class} {item[:8]} was sealed, and no entry says what it was kept for",
        )

    # -- holds -----------------------------------------------------------------------------------

    def _hold_requested(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        self._faults_of(self._holds.requested(entry["stream"], entry["scope"], body, at))

    def _hold_declined(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        self._holds.declined(entry["stream"])

    def _hold_approved(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        name = entry["stream"]
        self._faults_of(self._holds.approved(name, body, at))
        for item in self._holds.items(name):
            one = self._items.get(item)
            if one is None or one.item_class != FOOTAGE or one.deployment != entry["scope"]:
                self._fault("held_without_right", f"item {item[:8]} cannot be held, and was")
                continue
            self._holds.extend(item, name)
            if one.lasting:
                self._epochs.held(item, _epoch(one), name)

    def _hold_reviewed(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        self._faults_of(self._holds.reviewed(entry["stream"], body, at))

    def _hold_released(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        self._holds.released(entry["stream"], at)

    # -- copies of lists -------------------------------------------------------------------------

    def _copies_due(self, deployment: str) -> datetime | None:
        """By when every copy of its list must be known to be gone."""
        where = self._deployments.get(deployment)
        known = (where.window_end, where.over_at) if where else ()
        start = min((at for at in known if at is not None), default=None)
        return start + self._limits.limit(LIKE) if start else None

    def _copy_registered(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        self._copies.registered(body, entry["pos"])
        where = self._deployments.get(body["deployment"])
        if where is None or where.window_end is None:
            self._fault(
                "no_deployment",
                f"copy {body['copy'][:8]} is of a list for a deployment that nobody applied for",
            )

    def _copy_destroyed(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        self._copies.destroyed(body)

    def _copy_still_there(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        self._copies.still_there(body)

    def _copy_gone(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._faults_of(self._copies.verified(body, at))

    def _list_gone(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._faults_of(self._copies.list_gone(body))

    # -- what looked at the stores ---------------------------------------------------------------

    def _enrolled(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._keys[body["rechecker"]] = body["public_key"]

    def _attested(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        key = self._keys.get(body["rechecker"])
        signed = key is not None and attestation_holds(body, entry["scope"], key)
        if signed:
            self._reach_l4(entry, body)
        if self._stores.are_of_others(entry["scope"]):
            return
        if not signed:
            self._fault("inventory_not_signed", "the inventory is not signed by an enrolled key")
        clean = self._stores.attested(entry, signed=signed, is_between=self._is_between)
        if signed and clean:
            self._reach_l3(body["as_of"], whose_are(entry))

    def _is_between(self, item: str) -> bool:
        """Whether it lives, and is not sealed yet, or its destruction began."""
        one = self._items.get(item)
        return one is not None and not one.lasting

    def _found_once(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._stores.found(entry)

    def _rolled_back(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._stores.rolled_back()
        self._notices.append(
            Notice(
                entry["pos"],
                f"the keystore was an older copy: it knew {body['found_sequence']} tombstones of "
                f"{body['expected_sequence']}",
            )
        )

    def _restored(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._stores.numbered_anew = True
        self._notices.append(
            Notice(
                entry["pos"],
                f"the record was brought back from an older copy of {body['size_found']} entries; "
                f"there were {body['size_known']} at least",
            )
        )

    def _epoch_gone(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        epoch = EpochName(body["deployment"], body["item_class"], body["day"])
        early = self._epochs.gone(epoch, entry["pos"])
        if early:
            self._fault(
                "epoch_gone_too_early",
                f"the key of an epoch of {epoch.item_class} is gone that {early} items are sealed "
                "under",
            )
        if not self._stores.tombstones.take(body["tombstone_sequence"]):
            self._fault(
                "tombstone_twice",
                f"tombstone {body['tombstone_sequence']} is accounted for twice",
            )

    def _canary_searched(
        self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime
    ) -> None:
        self._canaries.searched(entry, of_the_node=self.scope is None)

    def _swept_once(self, entry: Mapping[str, Any], body: Mapping[str, Any], at: datetime) -> None:
        self._heartbeat.beat(at, body["every_s"])

    # -- sums ------------------------------------------------------------------------------------

    def _life(self, item: str, one: _Item, until: datetime | None) -> Life:
        since = moment(one.registered_at)
        deadline, _ = self._deadline(item, one, until)
        return Life(one.item_class, since, until, one.anchor or since, deadline)

    def _reach_l3(self, as_of: int, deployment: str | None) -> None:
        """An inventory saw that nothing is left of what had its receipt before it looked."""
        for key in [one for one in self._unlisted if deployment in (None, one[0])]:
            if self._deployments[key[0]].newest_receipt < as_of:
                self._reach("L3", key[1], self._unlisted.pop(key))

    def _reach_l4(self, entry: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        """An inventory saw that keys of epochs are gone that were told to be before it looked."""
        if "epochs" not in body:
            return
        shown = self._epochs.shown_gone(epochs_in(body), body["as_of"], whose_are(entry))
        for epoch, receipts in shown:
            self._reach("L4", epoch.item_class, receipts)

    def _reach(self, level: str, item_class: str, gone: Receipts) -> None:
        holding = self._holding(item_class)
        holding.levels[level] = holding.levels.get(level, 0) + gone.count
        if self.positions:
            holding.positions.setdefault(level, []).extend(gone.positions)

    def _lasts(self, item: str, one: _Item) -> None:
        if not one.lasting:
            one.lasting = True
            self._stores.lasts(self._position, item, _epoch(one))

    def _ends(self, item: str, one: _Item) -> None:
        if not one.lasting:
            return
        one.lasting = False
        self._stores.ends(self._position, item, _epoch(one))

    def _holding(self, item_class: str) -> Holding:
        if item_class not in self._holdings:
            self._holdings[item_class] = Holding(item_class)
        return self._holdings[item_class]

    def _list(self, holding: Holding, figure: str, position: int) -> None:
        if self.positions:
            holding.positions.setdefault(figure, []).append(position)

    def _fault(self, code: str, sentence: str, *, overdue: bool = False) -> None:
        self._found(Fault(code, self._position, sentence, overdue))

    def _faults_of(self, found: Iterable[tuple[str, str]]) -> None:
        for code, sentence in found:
            self._fault(code, sentence)

    def _found(self, fault: Fault) -> None:
        self._fault_count += 1
        self._late_count += fault.overdue
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(fault)


_Follow = Callable[[Custody, Mapping[str, Any], Mapping[str, Any], datetime], None]

_FOLLOWED: Mapping[str, _Follow] = {
    "deployment.applied_for": Custody._applied_for,
    "deployment.ended": Custody._over,
    "deployment.cancelled": Custody._over,
    "schedule.adopted": Custody._adopted,
    "item.registered": Custody._registered,
    "item.sealed": Custody._sealed,
    "item.consulted": Custody._consulted,
    "item.doubted": Custody._doubted,
    "item.destruction_started": Custody._begun,
    "destruction.rechecked": Custody._looked_again,
    "item.destroyed": Custody._destroyed,
    "alert.raised": Custody._raised,
    "alert.adjudicated": Custody._adjudicated,
    "watchlist.entry_proposed": Custody._proposed,
    "watchlist.entry_accepted": Custody._accepted,
    "footage.segment_recorded": Custody._recorded,
    "hold.requested": Custody._hold_requested,
    "hold.approved": Custody._hold_approved,
    "hold.declined": Custody._hold_declined,
    "hold.reviewed": Custody._hold_reviewed,
    "hold.released": Custody._hold_released,
    "copy.registered": Custody._copy_registered,
    "copy.destroyed": Custody._copy_destroyed,
    "copy.still_there": Custody._copy_still_there,
    "copy.absence_verified": Custody._copy_gone,
    "watchlist.destroyed": Custody._list_gone,
    "rechecker.enrolled": Custody._enrolled,
    "inventory.attested": Custody._attested,
    "orphan.found": Custody._found_once,
    "item.resurrection_found": Custody._found_once,
    "item.loss_found": Custody._found_once,
    "keystore.rollback_found": Custody._rolled_back,
    "record.restored_from_backup": Custody._restored,
    "epoch.destroyed": Custody._epoch_gone,
    "retention.swept": Custody._swept_once,
    "canary.searched": Custody._canary_searched,
}
"""What is followed, by stored name. Names are for ever."""

FOLLOWED = frozenset(_FOLLOWED)

_UNFOLLOWED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What following raises where an entry lacks what every such entry has."""


def _epoch(one: _Item) -> EpochName:
    """The epoch of the day of its registration; the first shape knew none."""
    day = NO_EPOCH if one.schedule is None else one.registered_at[:10]
    return EpochName(one.deployment, one.item_class, day)


def _copied(holding: Holding) -> Holding:
    return replace(
        holding,
        levels=dict(holding.levels),
        positions={name: list(those) for name, those in holding.positions.items()},
    )

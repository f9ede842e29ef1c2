"""Asking for holds on footage, deciding them, and destroying what no hold keeps any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from domain.custody.adoption import Schedules
from domain.custody.aggregate import Item
from domain.custody.classes import BIOMETRIC, ItemClass
from domain.custody.deadlines import ACT, LimitInForce
from domain.holds.aggregate import Hold, grounds
from domain.holds.commands import (
    ApproveHold,
    DeclineHold,
    ReleaseHold,
    RequestHold,
    ReviewHold,
)
from domain.holds.policies import HeldItemFacts
from domain.kernel.commands import Command
from domain.kernel.errors import NotFoundError, RecordBrokenError
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services.carrying_out import carry_out
from domain.services.custody import destroy_for
from domain.services.epochs import keep_held_keys
from domain.services.schedules import schedules

Answer = Hold | Refused


def request(outside: Outside, command: RequestHold) -> Answer:
    """Ask that items be kept past their limit. Nothing is kept by asking."""

    def attempt() -> Answer:
        hold = _found_or_new(outside, command.hold)
        # So many reasons fit into one entry; who names more is told that, and the first of them.
        judged = command.items[: grounds().limits["items"]]
        facts = _item_facts(outside, command, dict.fromkeys(judged), deployment=command.deployment)
        if refused := hold.decide_request(command, items=facts):
            return refused
        outside.record.append(hold, by=command, answers=True)
        return hold

    return carry_out(outside, command, attempt, kind=Hold, of=command.hold)


def approve(outside: Outside, command: ApproveHold) -> Answer:
    """Let a hold count: from here on its items are left alone until its review.

    The items themselves say that they are held, in the same transaction: a destruction that began
    meanwhile and an approval cannot both succeed. Then their keys move under the hold's own.

    Raises:
        KeystoreError: their keys could not be moved. The hold is approved all the same, and the
            next sweep moves them.
    """

    def attempt() -> Answer:
        hold = _found_or_new(outside, command.hold)
        asked = hold.requested
        facts = (
            _item_facts(outside, command, asked.items, deployment=asked.deployment) if asked else []
        )
        if refused := hold.decide_approval(command, items=facts):
            return refused
        return _appended(outside, command, hold, _keeping(hold, at=command.at))

    answer = carry_out(outside, command, attempt, kind=Hold, of=command.hold)
    if isinstance(answer, Hold):
        newest = ((one.id, one.newest_hold) for one in _items(outside, answer))
        keep_held_keys(outside, newest)
    return answer


def decline(outside: Outside, command: DeclineHold) -> Answer:
    """Turn a hold down."""

    def attempt() -> Answer:
        hold = _found_or_new(outside, command.hold)
        if refused := hold.decide_decline(command):
            return refused
        outside.record.append(hold, by=command, answers=True)
        return hold

    return carry_out(outside, command, attempt, kind=Hold, of=command.hold)


def review(outside: Outside, command: ReviewHold) -> Answer:
    """Let a hold count until a new review date."""

    def attempt() -> Answer:
        hold = _found_or_new(outside, command.hold)
        if refused := hold.decide_review(command):
            return refused
        return _appended(outside, command, hold, _keeping(hold, at=command.at))

    return carry_out(outside, command, attempt, kind=Hold, of=command.hold)


def release(outside: Outside, command: ReleaseHold) -> Answer:
    """End a hold, and destroy at once what is past its limit and on no other hold.

    Raises:
        DestructionFailedError: something could not be destroyed; the hold is released all the same.
    """

    def attempt() -> Answer:
        hold = _found_or_new(outside, command.hold)
        if refused := hold.decide_release(command):
            return refused
        return _appended(
            outside, command, hold, lambda item, by: item.end_hold(hold.id, by=by, at=command.at)
        )

    answer = carry_out(outside, command, attempt, kind=Hold, of=command.hold)
    if isinstance(answer, Hold):
        _destroy_past_their_limit(outside, command, answer)
    return answer


def _destroy_past_their_limit(outside: Outside, command: Command, hold: Hold) -> None:
    now = outside.clock.now()
    known = schedules(outside)
    past = [
        item.id
        for item in _items(outside, hold)
        if not item.held_at(now) and item.due_at(_limit_of(known, item)) <= now + ACT
    ]
    destroy_for(outside, command, past, cause="hold_released")


def _appended(
    outside: Outside, command: Command, hold: Hold, change: Callable[[Item, LimitInForce], None]
) -> Hold:
    """Store what happened to the hold together with what it means for each item still there."""
    known = schedules(outside)
    there = _items(outside, hold)
    for item in there:
        change(item, _limit_of(known, item))
    outside.record.append(hold, *there, by=command, answers=True)
    return hold


def _limit_of(known: Schedules, item: Item) -> LimitInForce:
    return known.limit_of(ItemClass(item.label.item_class))


def _items(outside: Outside, hold: Hold) -> list[Item]:
    """Those of its items whose destruction has not begun."""
    items = (outside.record.load(Item, one) for one in hold.items)
    return [one for one in items if one.destruction is None]


def _item_facts(
    outside: Outside, command: Command, items: Iterable[UUID], *, deployment: UUID
) -> list[HeldItemFacts]:
    return [_facts_of(outside, command, one, deployment) for one in items]


def _facts_of(outside: Outside, command: Command, one: UUID, deployment: UUID) -> HeldItemFacts:
    try:
        item: Item | None = outside.record.load(Item, one)
    except NotFoundError:
        item = None
    registered = item.registered if item else None
    if item is None or registered is None:
        return HeldItemFacts(
            item=one,
            item_class="",
            known=False,
            of_the_deployment=False,
            biometric=False,
            may_be_held=False,
            sealed=False,
            gone=False,
            due_at=None,
            at=command.at,
        )
    item_class = ItemClass(registered.item_class)
    known = schedules(outside)
    return HeldItemFacts(
        item=one,
        item_class=item_class.value,
        known=True,
        of_the_deployment=registered.deployment == deployment,
        biometric=item_class in BIOMETRIC,
        may_be_held=known.in_force.rule(item_class).hold_may_extend,
        sealed=item.sealed is not None,
        gone=item.destruction is not None,
        due_at=item.due_at(known.limit_of(item_class)),
        at=command.at,
    )


def _keeping(hold: Hold, *, at: datetime) -> Callable[[Item, LimitInForce], None]:
    until = hold.review_by
    if until is None:
        raise RecordBrokenError(f"hold {hold.id.hex}: has no review date")
    return lambda item, by: item.hold(hold.id, until=until, by=by, at=at)


def _found_or_new(outside: Outside, hold: UUID) -> Hold:
    try:
        return outside.record.load(Hold, hold)
    except NotFoundError:
        return Hold(hold)

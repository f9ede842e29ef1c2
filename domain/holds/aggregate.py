"""A hold: asked for by one person, decided by another, reviewed or over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from domain.holds import events as happened
from domain.holds.commands import (
    ApproveHold,
    DeclineHold,
    ReleaseHold,
    RequestHold,
    ReviewHold,
)
from domain.holds.policies import (
    APPROVAL_POLICIES,
    DECLINE_POLICIES,
    ITEM_POLICIES,
    RELEASE_POLICIES,
    REQUEST_POLICIES,
    REVIEW_POLICIES,
    HeldItemFacts,
    HoldFacts,
)
from domain.kernel.aggregate import Aggregate
from domain.kernel.closed_lists import ClosedLists, closed_lists
from domain.kernel.commands import Command
from domain.kernel.refusals import Refusal, Refused, refusals


def grounds() -> ClosedLists:
    """The closed list of grounds, with its limits."""
    return closed_lists("domain.holds", "grounds.toml")


class Hold(Aggregate):
    """One hold, on exact items of one deployment."""

    KIND = "hold"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.requested: happened.HoldRequested | None = None
        self.approved = False
        self.declined = False
        self.released = False
        self.review_by: datetime | None = None

    @property
    def items(self) -> list[UUID]:
        """What it is on."""
        return self.requested.items if self.requested else []

    # -- decide --------------------------------------------------------------------------------

    def decide_request(
        self, command: RequestHold, *, items: Sequence[HeldItemFacts]
    ) -> Refused | None:
        """Take the request.

        Args:
            command: what is asked.
            items: what is known of the items that it names, at most as many as one hold may name.
        """
        closed = grounds()
        facts = self._facts(
            command,
            ground=command.ground,
            grounds=closed.codes["ground"],
            case_reference=command.case_reference,
            review_by=command.review_by,
            review_within=_review_within(closed),
            items=command.items,
            most_items=closed.limits["items"],
        )
        reasons = [*refusals(REQUEST_POLICIES, facts), *_of_items(items)]
        if reasons or command.review_by is None:
            return Refused(happened.RequestRefused, reasons, command, self.id)
        self.happened(
            happened.HoldRequested,
            at=command.at,
            deployment=command.deployment,
            requester=command.actor,
            ground=command.ground,
            grounds=closed.version,
            case_reference=command.case_reference,
            items=command.items,
            review_by=command.review_by,
        )
        return None

    def decide_approval(
        self, command: ApproveHold, *, items: Sequence[HeldItemFacts]
    ) -> Refused | None:
        """Let it count; the items are judged again, as they are now."""
        reasons = [*refusals(APPROVAL_POLICIES, self._facts(command)), *_of_items(items)]
        if reasons:
            return Refused(happened.ApprovalRefused, reasons, command, self.id)
        self.happened(happened.HoldApproved, at=command.at, approver=command.actor)
        return None

    def decide_decline(self, command: DeclineHold) -> Refused | None:
        """Turn it down."""
        if reasons := refusals(DECLINE_POLICIES, self._facts(command)):
            return Refused(happened.DeclineRefused, reasons, command, self.id)
        self.happened(happened.HoldDeclined, at=command.at, decliner=command.actor)
        return None

    def decide_review(self, command: ReviewHold) -> Refused | None:
        """Let it count until a new date."""
        facts = self._facts(
            command, review_by=command.review_by, review_within=_review_within(grounds())
        )
        if reasons := refusals(REVIEW_POLICIES, facts):
            return Refused(happened.ReviewRefused, reasons, command, self.id)
        self.happened(
            happened.HoldReviewed,
            at=command.at,
            reviewer=command.actor,
            review_by=command.review_by,
        )
        return None

    def decide_release(self, command: ReleaseHold) -> Refused | None:
        """End it."""
        if reasons := refusals(RELEASE_POLICIES, self._facts(command)):
            return Refused(happened.ReleaseRefused, reasons, command, self.id)
        self.happened(happened.HoldReleased, at=command.at, releaser=command.actor)
        return None

    def _facts(self, command: Command, **asked: Any) -> HoldFacts:
        return HoldFacts(
            actor=command.actor,
            role=command.role,
            at=command.at,
            requester=self.requested.requester if self.requested else "",
            approved=self.approved,
            declined=self.declined,
            released=self.released,
            counts_until=self.review_by,
            **asked,
        )

    # -- evolve --------------------------------------------------------------------------------

    def evolve(self, event: happened.HoldEvent) -> None:
        """Take in one event."""
        match event:
            case happened.HoldRequested():
                self.requested = event
                self.review_by = event.review_by
            case happened.HoldApproved():
                self.approved = True
            case happened.HoldDeclined():
                self.declined = True
            case happened.HoldReviewed():
                self.review_by = event.review_by
            case happened.HoldReleased():
                self.released = True
            case _:
                assert_never(event)


def _of_items(items: Sequence[HeldItemFacts]) -> list[Refusal]:
    return [refusal for one in items for refusal in refusals(ITEM_POLICIES, one)]


def _review_within(closed: ClosedLists) -> timedelta:
    return timedelta(days=closed.limits["review_days"])

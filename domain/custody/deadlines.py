"""When an item must be gone, from what is known of it. Elapsed time in UTC, never local dates.

Source: domain specification, section 4 and 3.8; two clocks on one item: the earlier wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.custody.classes import ClockStart

ACT = timedelta(minutes=5)
"""How long the destruction itself may take, after a hold ended or a shorter schedule came."""


@dataclass(frozen=True)
class LimitInForce:
    """How long a class may be kept by the schedule that is in force."""

    limit: timedelta
    adopted_at: datetime | None
    """None for the schedule that ships."""


@dataclass(frozen=True)
class HeldFrom:
    """A hold that was approved for an item."""

    approved_at: datetime
    ends_at: datetime
    """Its release, or the date by which it had to be reviewed and was not."""


def deadline(
    *,
    clock_starts: str,
    due_at: datetime,
    limit: timedelta,
    anchor_at: datetime | None,
    adopted_at: datetime | None,
    over_at: datetime | None,
    holds: Sequence[HeldFrom] = (),
) -> datetime:
    """The latest instant at which an item may exist.

    Args:
        clock_starts: what started its clock (:class:`domain.custody.classes.ClockStart`).
        due_at: what its registration says, as far as could be known then.
        limit: of its class, by the schedule in force.
        anchor_at: when its clock started; None where that is the end of the deployment.
        adopted_at: when that was adopted; None for the schedule that ships.
        over_at: when its deployment ended or was cancelled; None while it is not over.
        holds: those that were approved for it. Only footage can have any.
    """
    latest = due_at
    start = over_at if clock_starts == ClockStart.DEPLOYMENT_END else anchor_at
    if start is not None:
        by_schedule = start + limit
        if adopted_at is not None:
            # a shorter one counts for what exists, as soon as it could be followed
            by_schedule = max(by_schedule, adopted_at + ACT)
        latest = min(latest, by_schedule)
    for hold in holds:
        # what was due before it was held is not brought back to life
        if hold.approved_at <= latest:
            latest = max(latest, hold.ends_at + ACT)
    return latest

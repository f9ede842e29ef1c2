"""A deployment as it was: rebuilt by its own aggregates from its entries up to a place or time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.aggregate import Alert
from domain.alerts.events import AlertEvent
from domain.deployments.aggregate import Deployment
from domain.deployments.events import DeploymentCancelled, DeploymentEvent
from domain.kernel.refusals import WasRefused
from domain.kernel.time import written
from domain.ports import Recorded
from domain.services.survey import Survey
from domain.sightings.sums import Sums, as_fields, sums_balance
from domain.watchlists.aggregate import Standing, Watchlist
from domain.watchlists.events import WatchlistEvent

Told = dict[str, Any]
"""A state in plain values: text, numbers, yes and no, in named groups."""


class AsItWas:
    """The state that the entries of one deployment leave, taken in one after the other."""

    def __init__(self, deployment: UUID) -> None:
        self.position = -1
        """Of the newest entry that was taken in; -1 for none."""
        self._deployment = Deployment(deployment)
        self._watchlist: Watchlist | None = None
        self._alerts: dict[UUID, Alert] = {}
        self._survey = Survey()
        self._refused: Counter[str] = Counter()
        self._acts: Counter[str] = Counter()
        self._cancelled = False
        self._recorded_at: datetime | None = None

    def take(self, entry: Recorded) -> AsItWas:
        """Take in the next entry."""
        event = entry.event
        self._survey.take([entry])
        self._acts[entry.role] += 1
        self.position, self._recorded_at = entry.position, entry.recorded_at
        if isinstance(event, WasRefused):
            self._refused.update(reason.code for reason in event.reasons)
        elif isinstance(event, DeploymentEvent):
            self._deployment.follow(event)
            self._cancelled = self._cancelled or isinstance(event, DeploymentCancelled)
        elif isinstance(event, WatchlistEvent):
            self._watchlist = self._watchlist or Watchlist(event.originator_id)
            self._watchlist.follow(event)
        elif isinstance(event, AlertEvent):
            self._alerts.setdefault(event.originator_id, Alert(event.originator_id)).follow(event)
        return self

    def told(self) -> Told:
        """The state in plain values."""
        return {
            "deployment": self._told_deployment(),
            "watchlist": self._told_watchlist(),
            "faces": self._told_faces(),
            "alerts": {one.hex: _told_alert(alert) for one, alert in self._alerts.items()},
            "items": self._told_items(),
            "refused": dict(sorted(self._refused.items())),
            "entries by role": dict(sorted(self._acts.items())),
        }

    def _told_deployment(self) -> Told:
        found, allowed = self._deployment, self._deployment.authorised
        return {
            "phase": self._phase(),
            "mode": found.mode,
            "officers": found.officers,
            "applicant": found.applicant,
            "requested from": _time(found.requested_from),
            "requested until": _time(found.requested_until),
            "authorised from": _time(allowed.valid_from if allowed else None),
            "authorised until": _time(allowed.valid_until if allowed else None),
            "authorised by": allowed.officer if allowed else None,
            "cameras": ", ".join(sorted(found.cameras)) or None,
            "threshold": str(allowed.threshold) if allowed else None,
            "model": allowed.model_digest if allowed else None,
            "recognition": "on" if found.run is not None else "off",
            "runs": len(found.runs),
        }

    def _phase(self) -> str:
        found = self._deployment
        if found.over:
            return "cancelled" if self._cancelled else "ended"
        if found.run is not None:
            return "running"
        if found.runs:
            return "stopped"
        if found.authorised is not None:
            return "authorised"
        return "applied for" if found.version else "not applied for"

    def _told_watchlist(self) -> Told:
        found = self._watchlist
        if found is None:
            return {"state": "none"}
        standing = Counter(found.standing.values())
        categories = Counter(one.category for one in found.entries.values())
        return {
            "state": _list_state(found),
            "sealed by": ", ".join(found.sealers) or None,
            "entries proposed": len(found.entries),
            "entries accepted": standing[Standing.ACCEPTED],
            "entries rejected": standing[Standing.REJECTED],
            **{f"proposed as {name}": many for name, many in sorted(categories.items())},
        }

    def _told_faces(self) -> Told:
        whole: Counter[str] = Counter()
        balanced = True
        for sums in self._survey.runs.values():
            whole.update(as_fields(sums))
            balanced = balanced and sums_balance(sums)
        return {**{name: whole[name] for name in as_fields(Sums())}, "sums balance": balanced}

    def _told_items(self) -> Told:
        items = self._survey.items.values()
        live = Counter(one.item_class for one in items if not one.destroyed)
        gone = Counter(one.item_class for one in items if one.destroyed)
        now = self._recorded_at
        overdue = [one for one in items if not one.destroyed and now and one.due_at < now]
        return {
            **{f"{name} live": many for name, many in sorted(live.items())},
            **{f"{name} destroyed": many for name, many in sorted(gone.items())},
            "overdue": len(overdue),
        }


def up_to(
    entries: Iterable[Recorded], *, position: int | None = None, at: datetime | None = None
) -> Iterator[Recorded]:
    """The entries up to a place in the log, or up to what was recorded at a time; else all."""
    for entry in entries:
        if position is not None and entry.position > position:
            return
        if at is not None and entry.recorded_at > at:
            return
        yield entry


def flat(told: Told, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """A state with one line for each value: ``items / face_crop live`` to 2."""
    lines: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, dict):
            lines |= flat(value, (*path, name))
        else:
            lines[" / ".join((*path, name))] = value
    return lines


def _told_alert(alert: Alert) -> Told:
    raised = alert.raised
    return {
        "state": _alert_state(alert),
        "camera": raised.camera if raised else None,
        "entry": raised.entry.hex if raised else None,
        "decision": alert.decision,
    }


def _alert_state(alert: Alert) -> str:
    if alert.decision is not None:
        return "adjudicated"
    if alert.closed:
        return "closed undetermined"
    return "viewed" if alert.viewers else "raised"


def _list_state(found: Watchlist) -> str:
    for reached, word in (
        (found.approved, "approved"),
        (found.sealed, "sealed"),
        (found.closed, "seal requested"),
        (found.criteria_approved, "criteria approved"),
    ):
        if reached:
            return word
    return "criteria proposed"


def _time(at: datetime | None) -> str | None:
    return written(at) if at is not None else None

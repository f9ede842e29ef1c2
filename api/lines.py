"""What goes over the wire about an alert: references, times and codes; never a face, a template
or a similarity.

Every field is written out here. What the register learns to hold one day does not leave by itself.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from domain.kernel.time import written
from domain.ports import AlertChange, AlertLine


class AlertOut(msgspec.Struct, frozen=True, kw_only=True):
    """One possible match, and how far it has come. It says nothing about who anyone is."""

    alert: str
    deployment: str
    mode: str
    """``rehearsal`` or ``operational``."""
    run: str
    camera: str
    watchlist: str
    entry: str
    """A reference of this deployment only; it names nobody."""
    threshold: str
    """The threshold in force, as it was typed. A similarity is never told here."""
    raised_at: str
    state: str
    decision: str | None
    decided_at: str | None
    version: int
    """What a decision on this alert must expect."""
    raised_position: int
    newest_position: int


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some alerts of a deployment, the newest first."""

    alerts: list[AlertOut]
    next: str | None
    """The address of the next page; null on the last."""
    position: int
    """The register had taken in the log up to here: give it as Last-Event-ID to a stream, and the
    stream goes on from this page without a gap."""


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an alert (CloudEvents 1.0)."""

    specversion: str
    id: str
    """The position of the change in the log."""
    source: str
    """The log's origin."""
    type: str
    """The stored name of the event."""
    time: str
    subject: str
    """The alert."""
    datacontenttype: str
    line: AlertOut = msgspec.field(name="data")
    """The alert as this change left it."""


def alert_out(line: AlertLine) -> AlertOut:
    """An alert as it goes out."""
    return AlertOut(
        alert=line.alert.hex,
        deployment=line.deployment.hex,
        mode=line.mode,
        run=line.run.hex,
        camera=line.camera,
        watchlist=line.watchlist.hex,
        entry=line.entry.hex,
        threshold=str(line.threshold),
        raised_at=written(line.raised_at),
        state=line.state.value,
        decision=line.decision,
        decided_at=written(line.decided_at) if line.decided_at else None,
        version=line.version,
        raised_position=line.raised_position,
        newest_position=line.newest_position,
    )


def cloud_event(change: AlertChange, origin: str) -> CloudEvent:
    """A change as it goes out."""
    return CloudEvent(
        specversion="1.0",
        id=str(change.position),
        source=origin,
        type=change.name,
        time=written(change.occurred_at),
        subject=change.line.alert.hex,
        datacontenttype="application/json",
        line=alert_out(change.line),
    )


def deployment_id(text: str) -> UUID | None:
    """A deployment's id: 32 hex digits, or the same with hyphens; None for anything else."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if text.lower() in (found.hex, str(found)) else None

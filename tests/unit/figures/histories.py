"""Histories of deployments for figures: by hand, from published rows, and at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from domain.alerts import events as alert
from domain.deployments import events as deployment
from domain.engagements import events as engagement
from domain.engagements.aggregate import codes, engagement_after
from domain.figures.published import Published
from domain.kernel.events import Happened
from domain.ports import Recorded
from domain.sightings import events as sighting
from domain.watchlists.events import WatchlistSealed
from tests.support import builders as a

_NAMES = UUID("0d9e1c52-2c8e-5c8c-9b0a-6c1f0c6d7a10")
OFFICER = "staff:engagement-officer"


@dataclass
class History:
    """Entries of one deployment, as they come."""

    entries: list[Recorded] = field(default_factory=list)
    at: int = 0
    """Seconds since the first."""

    def add(self, kind: type[Happened], stream: UUID = a.DEPLOYMENT, /, **fields: Any) -> None:
        """One more entry, a second later, at the next position but one: others write too."""
        self.at += 1
        happened = a.AT + timedelta(seconds=self.at)
        event = kind(originator_id=stream, originator_version=self.at, timestamp=happened, **fields)
        position = 2 * len(self.entries)
        self.entries.append(
            Recorded(
                position=position,
                scope=a.DEPLOYMENT.hex,
                mode="rehearsal",
                recorded_at=happened,
                actor="system:test",
                role="system",
                cause="c0" * 16,
                clock="trusted",
                event=event,
            )
        )

    # -- what happens

    def begins(self, *, listed: int = 1, cameras: int = 1) -> History:
        """Applied for, authorised and started."""
        self.add(
            deployment.DeploymentAppliedFor,
            mode="rehearsal",
            officers="stand-in",
            applicant=a.APPLICANT,
            watchlist=a.WATCHLIST,
            use_case="hotspot",
            objective="locate",
            location="here",
            requested_from=a.AT,
            requested_until=a.AT + a.WINDOW,
        )
        for number in range(cameras):
            self.add(
                deployment.CameraConfigured,
                camera=f"camera-{number + 1}",
                source_kind="file",
                zone=a.ZONE,
                footage_recorded=False,
            )
        self.add(
            WatchlistSealed,
            a.WATCHLIST,
            sealers=["staff:1", "staff:2"],
            entries=listed,
            rejected=0,
            by_category={"W1": listed},
            by_source_system={"custody": listed},
            by_age_band={"18+": listed},
            vulnerable=0,
            model_digest=a.MODEL,
        )
        authorised = dict(a.authorised().fields)
        self.add(deployment.DeploymentAuthorised, **authorised)
        self.add(
            deployment.DeploymentStarted, **(dict(a.started().fields) | {"gallery_size": listed})
        )
        return self

    def face(self, kind: type[Happened], ordinal: int, life: int = 3, **fields: Any) -> None:
        """One face ended."""
        base = {"run": a.RUN, "camera": a.CAMERA, "ordinal": ordinal, "template_life_ms": life}
        self.add(kind, uuid5(_NAMES, "faces"), **(base | fields))

    def progressed(self, seen: int) -> None:
        """The tracker's own counter."""
        self.add(
            sighting.RunProgressed,
            uuid5(_NAMES, "faces"),
            run=a.RUN,
            camera=a.CAMERA,
            frames=seen * 10,
            seen=seen,
        )

    def alerted(self, number: int) -> UUID:
        """A possible match."""
        stream = uuid5(_NAMES, f"alert {number}")
        fact = a.an_alert(ordinal=number)
        self.add(alert.AlertRaised, stream, **dict(fact.fields))
        return stream

    def decided(self, stream: UUID, decision: str) -> None:
        """An officer decides."""
        self.add(alert.AlertAdjudicated, stream, **dict(a.decided(decision=decision).fields))

    def engaged(self, of: UUID, identity: str = "same", outcomes: tuple[str, ...] = ()) -> None:
        """Somebody was spoken to."""
        stream = engagement_after(of)
        self.add(
            engagement.EngagementStarted,
            stream,
            alert=of,
            officers=[OFFICER],
            power="conversation",
            codes=codes().version,
        )
        if identity:
            self.add(
                engagement.IdentityEstablished,
                stream,
                alert=of,
                officer=OFFICER,
                identity=identity,
                method="documents",
            )
        if outcomes:
            self.add(
                engagement.OutcomeRecorded,
                stream,
                alert=of,
                officer=OFFICER,
                outcomes=list(outcomes),
            )

    def stops(self) -> History:
        """Recognition is off, and the deployment over."""
        self.add(deployment.DeploymentStopped, run=a.RUN, cause="asked-to-stop")
        self.add(deployment.DeploymentEnded)
        return self


def entered(row: Published, *, with_faces: bool) -> list[Recorded]:
    """A published row as a deployment's entries: what was not printed is left out or made to fit.

    Args:
        row: as it was printed.
        with_faces: an entry for each face too, so that every sum holds.
    """
    said = {name: value for name, value in row.numbers.items() if value is not None}
    arrests, engaged = said.get("arrests", 0), said.get("engaged", said.get("arrests", 0))
    false, true = said.get("false_alerts", 0), said.get("true_alerts", engaged)
    raised = said.get("alerts", true + false)
    if "true_alerts" not in said:
        true = max(true, raised - false)
    history = History().begins(listed=said.get("watchlist", 0), cameras=said.get("cameras", 1))
    streams = [history.alerted(number) for number in range(1, raised + 1)]
    for number, stream in enumerate(streams):
        viable, wrong = number < true, number < true + false
        history.decided(stream, "viable" if viable else "not_viable" if wrong else "insufficient")
        if number < engaged:
            outcome = "arrest-warrant" if number < arrests else "no-further-action"
            history.engaged(stream, "same", (outcome,))
    seen = said.get("faces", raised)
    if with_faces:
        for ordinal in range(raised + 1, seen + 1):
            history.face(sighting.FaceEnrolledAndDiscarded, ordinal)
    history.progressed(seen)
    return history.stops().entries


def at_random(seed: int) -> list[Recorded]:
    """A deployment in which anything that can be recorded may have happened."""
    draw = random.Random(seed)
    history = History().begins(listed=draw.randint(1, 50), cameras=draw.randint(1, 3))
    ordinal = 0
    streams: list[UUID] = []
    for _ in range(draw.randint(0, 40)):
        ordinal += 1
        what = draw.random()
        if what < 0.4:
            life = draw.randint(1, 90)
            history.face(sighting.FaceEnrolledAndDiscarded, ordinal, life)
        elif what < 0.6:
            reason = draw.choice(("pose", "blur", "light"))
            history.face(sighting.FaceNotEnrolled, ordinal, 0, reason=reason)
        elif what < 0.65 and streams:
            history.face(sighting.SightingSuppressed, ordinal, alert=streams[-1])
        else:
            streams.append(history.alerted(ordinal))
        if draw.random() < 0.1:
            history.progressed(ordinal)
    for stream in draw.sample(streams, len(streams)):
        _follow_up(history, stream, draw)
    history.progressed(ordinal)
    return history.stops().entries if draw.random() < 0.8 else history.entries


def _follow_up(history: History, stream: UUID, draw: random.Random) -> None:
    decision = draw.choice(("viable", "viable", "viable", "not_viable", "insufficient", ""))
    if not decision:
        if draw.random() < 0.5:
            history.add(alert.AlertClosedUndetermined, stream, cause="deployment_ended")
        return
    history.decided(stream, decision)
    if decision == "viable" and draw.random() < 0.8:
        if draw.random() < 0.2:
            history.add(
                engagement.PersonNotLocated,
                engagement_after(stream),
                alert=stream,
                officer=OFFICER,
            )
            return
        identity = draw.choice(("same", "same", "different", "unresolved", ""))
        history.engaged(stream, identity, _outcomes(identity, draw))
        if draw.random() < 0.2:
            history.add(
                engagement.OutcomeCorrected,
                engagement_after(stream),
                alert=stream,
                officer=OFFICER,
                was=[],
                outcomes=["de-arrested"],
                reason="charge-dropped",
            )
    if draw.random() < 0.4:
        history.add(
            engagement.FalseAlertReviewed,
            engagement_after(stream),
            alert=stream,
            reviewer="staff:auditor",
            causes=["look-alike"],
            actions=["none-needed"],
            codes=codes().version,
        )


def _outcomes(identity: str, draw: random.Random) -> tuple[str, ...]:
    if identity == "different":
        return ("not-same-person",)
    return tuple(draw.sample(("arrest-warrant", "info-obtained", "conditions-breach"), 2))


def of_kind(entries: list[Recorded], kind: type[Any]) -> Iterator[Any]:
    """The events of a kind."""
    return (one.event for one in entries if isinstance(one.event, kind))

"""The stand-ins: who plays whom, and the rule by which the engagement officer decides.

Every entry that a stand-in leads to names it as one (``stand-in:...``), and every decision says
``scripted-rule``, so that nothing in a rehearsal passes for what a person decided.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from domain.alerts.aggregate import Alert
from domain.alerts.commands import AdjudicateAlert, DecisionKind, RaiseAlert, ViewAlert
from domain.custody.classes import ItemClass
from domain.custody.commands import ConsultItem
from domain.deployments.authority import EVERY_CODE, report_codes, sections
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from domain.notice.aggregate import Notice
from domain.notice.commands import OnNotice, PublishNotice, RecordRoute, VerifySignage
from domain.ports import CommandSink, Outside
from domain.services import notice
from domain.services.alerts import adjudicate, view
from domain.services.custody import consult
from domain.sightings.commands import RecordFaces, ReportSourceFailure

APPLICANT = "stand-in:applicant-1"
FIRST_MANAGER = "stand-in:watchlist-manager-1"
SECOND_MANAGER = "stand-in:watchlist-manager-2"
AUTHORISING_OFFICER = "stand-in:authorising-officer-1"
EXTRA_AUTHORISER = "stand-in:extra-authoriser-1"
OPERATOR = "stand-in:operator-1"
ENGAGEMENT_OFFICER = "stand-in:engagement-officer-1"

CLEAR_MARGIN = 0.05
"""The scripted rule finds a possible match viable from this much above the threshold."""


NOTE = "Decided by the script of a rehearsal; no person looked."


class ByAStandIn(TypedDict):
    """Who asks, when a stand-in does."""

    scope: str
    mode: Mode
    actor: str
    role: Role


def by(deployment: UUID, actor: str, role: Role) -> ByAStandIn:
    """The fields of a stand-in's command."""
    return ByAStandIn(scope=deployment.hex, mode=Mode.REHEARSAL, actor=actor, role=role)


def report() -> dict[str, list[str]]:
    """The applicant's report of a rehearsal: the first code of each section, no real reference."""
    known = report_codes().codes
    told = {one: [next(iter(known[one]))] if one in known else ["rehearsal"] for one in sections()}
    return told | {name: list(known[name]) for name in EVERY_CODE}


TOLD_BEFORE = timedelta(days=30)
"""How long before a rehearsal its notice counts as published."""


def announcements(
    by: ByAStandIn, deployment: UUID, cameras: list[str], now: datetime
) -> Iterator[tuple[Callable[[Outside, Any], Notice | Refused], OnNotice]]:
    """What a rehearsal says of notice, signs and ways, each with who takes it down."""
    about: dict[str, Any] = {**by, "at": now, "deployment": deployment}
    published = PublishNotice(**about, channel="rehearsal", page="", published_at=now - TOLD_BEFORE)
    yield notice.publish, published
    yield notice.verify_signage, VerifySignage(**about, cameras=cameras, signs=1, nearest_m=1)
    yield notice.record_route, RecordRoute(**about, cameras=cameras, route="rehearsal")


class AttendedSink:
    """A command sink beside which a stand-in officer sits: each alert is decided as it comes.

    The officer opens the face crop and the detail, each a recorded consultation, and decides by a
    scripted rule: viable from 0.05 above the threshold, otherwise insufficient.
    """

    def __init__(self, sink: CommandSink, outside: Outside) -> None:
        self._sink = sink
        self._outside = outside
        self.alerts = 0

    def raise_alert(self, command: RaiseAlert) -> bool:
        """Raise the alert and let the stand-in decide it."""
        if not self._sink.raise_alert(command):
            return False
        self.alerts += 1
        self._decide(command)
        return True

    def record_faces(self, command: RecordFaces) -> None:
        """Hand on."""
        self._sink.record_faces(command)

    def report_source_failure(self, command: ReportSourceFailure) -> None:
        """Hand on."""
        self._sink.report_source_failure(command)

    def _decide(self, command: RaiseAlert) -> None:
        officer = by(command.deployment, ENGAGEMENT_OFFICER, Role.ENGAGEMENT_OFFICER)
        clock = self._outside.clock
        view(self._outside, ViewAlert(**officer, at=clock.now(), alert=command.alert))
        similarity = self._similarity(command, officer)
        viable = similarity >= float(command.threshold) + CLEAR_MARGIN
        adjudicate(
            self._outside,
            AdjudicateAlert(
                **officer,
                at=clock.now(),
                deployment=command.deployment,
                alert=command.alert,
                decision=DecisionKind.VIABLE if viable else DecisionKind.INSUFFICIENT,
                subject_factors=["frontal-view" if viable else "unclear-view"],
                system_factors=["above-threshold"],
                environmental_factors=["rehearsal-video"],
                basis="scripted-rule",
                note=NOTE,
            ),
        )

    def _similarity(self, command: RaiseAlert, officer: ByAStandIn) -> float:
        """Open what an officer would look at; the rule itself reads the detail alone."""
        alert = self._outside.record.load(Alert, command.alert)
        items = alert.raised.items if alert.raised else {}
        similarity = 0.0
        for item_class in (ItemClass.FACE_CROP, ItemClass.ALERT_DETAIL):
            opened = consult(
                self._outside,
                ConsultItem(
                    **officer,
                    at=self._outside.clock.now(),
                    item=items[item_class.value],
                    purpose="adjudication",
                ),
            )
            if isinstance(opened, Refused):
                continue
            if item_class is ItemClass.ALERT_DETAIL:
                similarity = float(json.loads(bytes(opened))["exceeding"][0]["similarity"])
            opened[:] = bytes(len(opened))
        return similarity

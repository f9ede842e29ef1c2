"""What the public is told of one deployment: what its policies ask about."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import assert_never
from uuid import UUID

from domain.kernel.aggregate import Aggregate
from domain.kernel.commands import Role
from domain.kernel.references import journal
from domain.kernel.refusals import Refused, refusals
from domain.notice import commands as asked
from domain.notice import events as happened
from domain.notice.policies import (
    OMISSION_POLICIES,
    PUBLICATION_POLICIES,
    REMOVAL_POLICIES,
    ROUTE_POLICIES,
    SIGNAGE_POLICIES,
    TELLERS,
    THOSE_WHO_OMIT,
    OmissionFacts,
    PublicationFacts,
    RemovalFacts,
    RouteFacts,
    SignageFacts,
)


def notice_of(deployment: UUID) -> UUID:
    """The one stream of what the public is told of a deployment."""
    return journal("notice", deployment.hex)


class Notice(Aggregate):
    """How the public is told of one deployment."""

    KIND = "notice"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.published_at: datetime | None = None
        """The earliest, by the publishers' word."""
        self.omitted = False
        self.signed: set[str] = set()
        """Cameras outside whose zones signs stand."""
        self.avoidable: set[str] = set()
        """Cameras that people can avoid by a way that is recorded."""

    def decide_publication(self, command: asked.PublishNotice, *, over: bool) -> Refused | None:
        """Take down where the public can read of it."""
        facts = PublicationFacts(
            role=command.role,
            may=TELLERS,
            over=over,
            at=command.at,
            published_at=command.published_at,
            channel=command.channel,
            page=command.page,
        )
        if reasons := refusals(PUBLICATION_POLICIES, facts):
            return Refused(happened.NoticeRefused, reasons, command, command.deployment)
        self.happened(
            happened.NoticePublished,
            at=command.at,
            publisher=command.actor,
            channel=command.channel,
            page=command.page,
            published_at=command.published_at,
        )
        return None

    def decide_omission(self, command: asked.OmitNotice, *, over: bool) -> Refused | None:
        """Take down that none is given, and for which threat."""
        facts = OmissionFacts(
            role=command.role,
            may=THOSE_WHO_OMIT,
            over=over,
            ground=command.ground,
        )
        if reasons := refusals(OMISSION_POLICIES, facts):
            return Refused(happened.NoticeRefused, reasons, command, command.deployment)
        self.happened(
            happened.NoticeOmitted, at=command.at, officer=command.actor, ground=command.ground
        )
        return None

    def decide_signage(
        self, command: asked.VerifySignage, *, over: bool, configured: Collection[str]
    ) -> Refused | None:
        """Take down that signs stand."""
        facts = SignageFacts(
            role=command.role,
            may=TELLERS,
            over=over,
            cameras=command.cameras,
            configured=configured,
            signs=command.signs,
            nearest_m=command.nearest_m,
        )
        if reasons := refusals(SIGNAGE_POLICIES, facts):
            return Refused(happened.NoticeRefused, reasons, command, command.deployment)
        self.happened(
            happened.SignageVerified,
            at=command.at,
            verifier=command.actor,
            cameras=command.cameras,
            signs=command.signs,
            nearest_m=command.nearest_m,
        )
        return None

    def decide_route(
        self, command: asked.RecordRoute, *, over: bool, configured: Collection[str]
    ) -> Refused | None:
        """Take down by which way people can stay out."""
        facts = RouteFacts(
            role=command.role,
            may=TELLERS,
            over=over,
            cameras=command.cameras,
            configured=configured,
            route=command.route,
        )
        if reasons := refusals(ROUTE_POLICIES, facts):
            return Refused(happened.NoticeRefused, reasons, command, command.deployment)
        self.happened(
            happened.RouteRecorded,
            at=command.at,
            recorder=command.actor,
            cameras=command.cameras,
            route=command.route,
        )
        return None

    def decide_removal(self, command: asked.RemoveSignage, *, running: bool) -> Refused | None:
        """Take down that the signs are gone."""
        facts = RemovalFacts(
            role=command.role,
            may=TELLERS | {Role.SYSTEM},
            over=False,
            standing=bool(self.signed),
            running=running,
        )
        if reasons := refusals(REMOVAL_POLICIES, facts):
            return Refused(happened.NoticeRefused, reasons, command, command.deployment)
        self.happened(happened.SignageRemoved, at=command.at, remover=command.actor)
        return None

    def evolve(self, event: happened.NoticeEvent) -> None:
        """Take in one event."""
        match event:
            case happened.NoticePublished():
                known = (self.published_at, event.published_at)
                self.published_at = min(one for one in known if one is not None)
            case happened.NoticeOmitted():
                self.omitted = True
            case happened.SignageVerified():
                self.signed |= set(event.cameras)
            case happened.SignageRemoved():
                self.signed.clear()
            case happened.RouteRecorded():
                self.avoidable |= set(event.cameras)
            case _:
                assert_never(event)

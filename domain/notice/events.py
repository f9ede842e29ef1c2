"""What was said of how the public is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.kernel.events import Happened, recorded_as
from domain.kernel.refusals import WasRefused


@recorded_as("notice.published")
@dataclass(frozen=True, kw_only=True)
class NoticePublished(Happened):
    """The public can read where and when recognition will be used."""

    publisher: str
    channel: str
    page: str
    """Its https address; empty for a channel that has none."""
    published_at: datetime
    """By the publisher's word; the entry says when that was recorded."""


@recorded_as("notice.omitted")
@dataclass(frozen=True, kw_only=True)
class NoticeOmitted(Happened):
    """No notice was given beforehand, because of a critical threat."""

    officer: str
    ground: str


@recorded_as("signage.verified")
@dataclass(frozen=True, kw_only=True)
class SignageVerified(Happened):
    """Somebody saw the signs stand outside the zone of recognition."""

    verifier: str
    cameras: list[str]
    signs: int
    nearest_m: int


@recorded_as("signage.removed")
@dataclass(frozen=True, kw_only=True)
class SignageRemoved(Happened):
    """The signs are gone: nobody is told of cameras that are off."""

    remover: str


@recorded_as("route.recorded")
@dataclass(frozen=True, kw_only=True)
class RouteRecorded(Happened):
    """People can avoid the cameras by this way. Doing so is no ground for anything."""

    recorder: str
    cameras: list[str]
    route: str


NoticeEvent = NoticePublished | NoticeOmitted | SignageVerified | SignageRemoved | RouteRecorded


@recorded_as("notice.step_refused")
@dataclass(frozen=True, kw_only=True)
class NoticeRefused(WasRefused):
    """What was said of notice, signs or ways was not taken."""

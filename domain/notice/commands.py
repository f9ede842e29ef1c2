"""What may be said of how the public is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.commands import Command


@dataclass(frozen=True, kw_only=True)
class OnNotice(Command):
    """A command about one deployment's notice."""

    deployment: UUID


@dataclass(frozen=True, kw_only=True)
class PublishNotice(OnNotice):
    """Say that place and time can be read by the public."""

    channel: str
    page: str
    """Its https address; empty for a channel that has none."""
    published_at: datetime


@dataclass(frozen=True, kw_only=True)
class OmitNotice(OnNotice):
    """Give no notice beforehand, because of a critical threat."""

    ground: str


@dataclass(frozen=True, kw_only=True)
class VerifySignage(OnNotice):
    """Say that signs stand, where people still have a choice."""

    cameras: list[str]
    signs: int
    nearest_m: int
    """Metres from the nearest sign to the edge of the zone of recognition, at least 1."""


@dataclass(frozen=True, kw_only=True)
class RemoveSignage(OnNotice):
    """Say that the signs are gone."""


@dataclass(frozen=True, kw_only=True)
class RecordRoute(OnNotice):
    """Say by which way people can avoid the cameras."""

    cameras: list[str]
    route: str
    """A code of the way."""

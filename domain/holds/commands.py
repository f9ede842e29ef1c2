"""What may be asked of a hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.commands import Command


@dataclass(frozen=True, kw_only=True)
class RequestHold(Command):
    """Ask that exactly these items be kept. The actor is the requester."""

    deployment: UUID
    hold: UUID
    ground: str
    case_reference: str
    """Of the hold's own file, opaque: up to four letters, then numbers, as ``psd-2026-118``."""
    items: list[UUID]
    review_by: datetime | None


@dataclass(frozen=True, kw_only=True)
class ApproveHold(Command):
    """Let a requested hold count. The actor is another person."""

    hold: UUID


@dataclass(frozen=True, kw_only=True)
class DeclineHold(Command):
    """Turn a requested hold down."""

    hold: UUID


@dataclass(frozen=True, kw_only=True)
class ReviewHold(Command):
    """Let a hold count until a new review date."""

    hold: UUID
    review_by: datetime | None


@dataclass(frozen=True, kw_only=True)
class ReleaseHold(Command):
    """End a hold. What is past its limit is destroyed at once."""

    hold: UUID

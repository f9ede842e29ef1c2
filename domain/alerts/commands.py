"""What may be asked of an alert."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.kernel.commands import Command


class DecisionKind(StrEnum):
    """What an adjudication can come to."""

    VIABLE = "viable"
    NOT_VIABLE = "not_viable"
    INSUFFICIENT = "insufficient"


@dataclass(frozen=True, kw_only=True)
class KeptMaterial:
    """What the recogniser hands over with a possible match, to be sealed.

    The buffers belong to the recogniser, which wipes them when the call returns.
    """

    face_crop: memoryview
    """JPEG of the face."""
    wide_frame: memoryview | None
    """JPEG of the frame with every bystander masked, or ``None``."""
    wide_frame_omitted: str | None
    """Why there is none."""
    probe_template: memoryview
    """float32, little endian."""
    detail: memoryview
    """JSON: similarity, other entries at or above the threshold, exact capture time."""


@dataclass(frozen=True, kw_only=True)
class RaiseAlert(Command):
    """Raise a possible match."""

    deployment: UUID
    alert: UUID
    run: UUID
    camera: str
    ordinal: int
    first_seen_ms: int
    captured_ms: int
    entry: UUID
    threshold: Decimal
    model_digest: str
    inside_zone: bool
    template_life_ms: int
    material: KeptMaterial


@dataclass(frozen=True, kw_only=True)
class ViewAlert(Command):
    """Look at an alert. The actor is the officer."""

    alert: UUID


@dataclass(frozen=True, kw_only=True)
class AdjudicateAlert(Command):
    """Decide an alert. The actor is the officer."""

    deployment: UUID
    alert: UUID
    decision: str
    subject_factors: list[str]
    system_factors: list[str]
    environmental_factors: list[str]
    basis: str
    note: str
    """Free text, for the vault; empty for none."""


@dataclass(frozen=True, kw_only=True)
class RecordDissent(Command):
    """Say that one would have decided otherwise. The actor is the officer."""

    deployment: UUID
    alert: UUID
    decision: str
    subject_factors: list[str]
    system_factors: list[str]
    environmental_factors: list[str]
    basis: str


@dataclass(frozen=True, kw_only=True)
class CloseUndetermined(Command):
    """Close an alert whose time is up."""

    alert: UUID
    cause: str

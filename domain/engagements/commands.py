"""What may be asked after a viable possible match. The actor is the officer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.kernel.commands import Command


class Identity(StrEnum):
    """Whether whoever was spoken to is the person on the list."""

    SAME = "same"
    DIFFERENT = "different"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, kw_only=True)
class OnAlert(Command):
    """A command about what followed a possible match."""

    deployment: UUID
    alert: UUID


@dataclass(frozen=True, kw_only=True)
class StartEngagement(OnAlert):
    """Speak to the person."""

    officers: list[str]
    """Everyone who took part, the actor among them."""
    power: str


@dataclass(frozen=True, kw_only=True)
class EstablishIdentity(OnAlert):
    """Say whether it is the person on the list, by traditional policing methods."""

    identity: str
    method: str


@dataclass(frozen=True, kw_only=True)
class GiveInformation(OnAlert):
    """Say whether card and rights were given: everyone who is spoken to gets them."""

    information: str


@dataclass(frozen=True, kw_only=True)
class EndEngagement(OnAlert):
    """Let the person go, or take them along."""

    duration: str
    force_used: bool
    handcuffed: bool


@dataclass(frozen=True, kw_only=True)
class RecordOutcome(OnAlert):
    """Say what came of it."""

    outcomes: list[str]


@dataclass(frozen=True, kw_only=True)
class CorrectOutcome(OnAlert):
    """Say that something else came of it than was recorded; both stay on the record."""

    outcomes: list[str]
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReportNotLocated(OnAlert):
    """Say that the person was not found."""


@dataclass(frozen=True, kw_only=True)
class ReviewFalseAlert(OnAlert):
    """Say why a false alert was raised, and what is done about it."""

    causes: list[str]
    actions: list[str]

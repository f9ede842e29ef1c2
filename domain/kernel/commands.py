"""The base of every command: who asks, in what role, for which scope, when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.kernel.references import new_reference


class Mode(StrEnum):
    """Fixed when a deployment is applied for, and on every entry (architecture, two modes)."""

    OPERATIONAL = "operational"
    REHEARSAL = "rehearsal"


class Role(StrEnum):
    """Who may do what (domain specification, section 2)."""

    APPLICANT = "applicant"
    WATCHLIST_MANAGER = "watchlist_manager"
    AUTHORISING_OFFICER = "authorising_officer"
    URGENT_AUTHORISING_OFFICER = "urgent_authorising_officer"
    EXTRA_AUTHORISER = "extra_authoriser"
    OPERATOR = "operator"
    ENGAGEMENT_OFFICER = "engagement_officer"
    SPONSOR = "sponsor"
    DPO = "dpo"
    INFORMATION_ASSET_OWNER = "information_asset_owner"
    DISCLOSURE_OFFICER = "disclosure_officer"
    AUDITOR = "auditor"
    SYSTEM = "system"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A request. The time comes in with it; nothing behind it reads a clock."""

    scope: str
    """The deployment's id (32 hex digits), or ``force``."""
    mode: Mode
    actor: str
    """A reference to a member of staff or to a part of the system, never a name."""
    role: Role
    at: datetime
    """Aware, UTC."""
    command_id: UUID = field(default_factory=new_reference)

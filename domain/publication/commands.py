"""What may be asked of a published record."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.kernel.commands import Command


@dataclass(frozen=True, kw_only=True)
class PublishRecord(Command):
    """Say that the record of a deployment can be read by the public; again, to correct it."""

    deployment: UUID
    page: str
    digest: str
    """SHA-256 of the published figures, so that everybody can tell which they were."""
    correction: str
    """Why the figures that were published before are replaced; empty the first time."""

"""Holds, copies and arrests in a scene: each word by a person who may say it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.arrests.aggregate import Arrest
from domain.arrests.commands import RecordArrest
from domain.copies.aggregate import Copies
from domain.copies.commands import DestroyCopy, RegisterCopy, VerifyCopy
from domain.holds.aggregate import Hold
from domain.holds.commands import ApproveHold, DeclineHold, ReleaseHold, RequestHold, ReviewHold
from domain.kernel.commands import Role
from domain.kernel.refusals import Refused
from domain.services import arrests, copies, holds
from tests.support import builders as a
from tests.support.scenarios import Scene

HOLD = UUID(int=0x401D)
COPY = UUID(int=0xC0B1)
ASKER, OWNER = "officer:legal-1", "officer:asset-owner-1"
MANAGER, SECOND = "officer:manager-1", "officer:manager-2"
MONTH = 31 * a.DAY
REVIEW = 28 * a.DAY


def _by(scene: Scene, actor: str, role: Role, changes: dict[str, Any]) -> dict[str, Any]:
    return {"actor": actor, "role": role, "scope": a.DEPLOYMENT.hex} | scene.by | changes


def asked(scene: Scene, *items: UUID, **changes: Any) -> Hold | Refused:
    """A disclosure officer asks that items be kept for as long as a hold may count."""
    fields = {
        "deployment": a.DEPLOYMENT,
        "hold": HOLD,
        "ground": "complaint",
        "case_reference": "psd-2026-118",
        "items": list(items),
        "review_by": scene.clock.now() + REVIEW,
    }
    by = _by(scene, ASKER, Role.DISCLOSURE_OFFICER, fields | changes)
    return holds.request(scene.outside, RequestHold(**by))


def approved(scene: Scene, **changes: Any) -> Hold | Refused:
    """The Information Asset Owner lets it count."""
    by = _by(scene, OWNER, Role.INFORMATION_ASSET_OWNER, {"hold": HOLD} | changes)
    return holds.approve(scene.outside, ApproveHold(**by))


def declined(scene: Scene, **changes: Any) -> Hold | Refused:
    """The Information Asset Owner turns it down."""
    by = _by(scene, OWNER, Role.INFORMATION_ASSET_OWNER, {"hold": HOLD} | changes)
    return holds.decline(scene.outside, DeclineHold(**by))


def reviewed(scene: Scene, **changes: Any) -> Hold | Refused:
    """The Information Asset Owner lets it count for as long again."""
    fields = {"hold": HOLD, "review_by": scene.clock.now() + REVIEW}
    by = _by(scene, OWNER, Role.INFORMATION_ASSET_OWNER, fields | changes)
    return holds.review(scene.outside, ReviewHold(**by))


def released(scene: Scene, **changes: Any) -> Hold | Refused:
    """Whoever asked for it ends it."""
    by = _by(scene, ASKER, Role.DISCLOSURE_OFFICER, {"hold": HOLD} | changes)
    return holds.release(scene.outside, ReleaseHold(**by))


def registered(scene: Scene, **changes: Any) -> Copies | Refused:
    """A manager says that there is a copy of the list."""
    fields = {
        "deployment": a.DEPLOYMENT,
        "watchlist": a.WATCHLIST,
        "copy": COPY,
        "kind": "laptop",
        "location": "vehicle",
        "holder": "operator",
        "exposure": "not-checked",
    }
    by = _by(scene, MANAGER, Role.WATCHLIST_MANAGER, fields | changes)
    return copies.register(scene.outside, RegisterCopy(**by))


def destroyed(scene: Scene, **changes: Any) -> Copies | Refused:
    """They say that they destroyed it."""
    fields = {"watchlist": a.WATCHLIST, "copy": COPY, "method": "device-erased"}
    by = _by(scene, MANAGER, Role.WATCHLIST_MANAGER, fields | changes)
    return copies.destroyed(scene.outside, DestroyCopy(**by))


def verified(scene: Scene, **changes: Any) -> Copies | Refused:
    """Another looks, and it is not there."""
    fields = {
        "watchlist": a.WATCHLIST,
        "copy": COPY,
        "probe": "device-inspected",
        "still_there": False,
    }
    by = _by(scene, SECOND, Role.WATCHLIST_MANAGER, fields | changes)
    return copies.verified(scene.outside, VerifyCopy(**by))


def arrested(scene: Scene, **changes: Any) -> Arrest | Refused:
    """An engagement officer records an arrest, and that the face moves to the case file."""
    fields = {
        "deployment": a.DEPLOYMENT,
        "alert": a.ALERT,
        "decision": "moved_to_case_file",
        "basis": "cpia-1996",
        "item_classes": ["face_crop"],
        "destination": "evidence-store",
    }
    by = _by(scene, "officer:engagement-1", Role.ENGAGEMENT_OFFICER, fields | changes)
    return arrests.record_arrest(scene.outside, RecordArrest(**by))


def days(many: float) -> timedelta:
    """So many of 24 hours."""
    return many * a.DAY

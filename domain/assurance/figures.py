"""What custody came to, as JSON values: one form for reports, certificates and whoever adds up."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from domain.assurance.holdings import CustodyVerdict, Holding
from domain.assurance.verification import LIMITS

BOUNDARY = (
    "The stores of this node: its record, keystore and media store. Copies outside them are listed "
    "where they were registered, and are not seen otherwise."
)
CUSTODY_LIMITS = (
    "Custody is recomputed from what was recorded: copies that nobody recorded are not seen.",
    "That something is gone is what whoever looked again signed; no entry shows a store itself.",
)
"""What no recomputing of custody can say."""


def figures(verdict: CustodyVerdict) -> dict[str, Any]:
    """Every figure of custody, with the places in the log where it can be added up again."""
    return {
        "as_of": verdict.as_of,
        "sound": verdict.sound,
        "classes": [_of_class(one, verdict.as_of) for one in verdict.holdings],
        "inventory": _inventory(verdict),
        "canary": _canary(verdict),
        "copies": _copies(verdict),
        "findings": [asdict(one) for one in verdict.faults],
        "finding_count": verdict.fault_count,
        "notices": [asdict(one) for one in verdict.notices],
        "resolved_findings": verdict.resolved,
        "rechecked_in_process": verdict.in_process,
        "boundary": BOUNDARY,
        "not_shown": [*LIMITS, *CUSTODY_LIMITS],
    }


def _of_class(one: Holding, as_of: str | None) -> dict[str, Any]:
    oldest = one.oldest_anchor
    age = (
        int((datetime.fromisoformat(as_of) - oldest).total_seconds()) if as_of and oldest else None
    )
    return {
        "class": one.item_class,
        "registered": one.registered,
        "never_sealed": one.never_sealed,
        "destroyed_in_time": one.destroyed_in_time,
        "destroyed_late": one.destroyed_late,
        "held": one.held,
        "overdue": one.overdue,
        "remaining": one.remaining,
        "oldest_age_s": age,
        "limit_s": one.limit_s,
        "next_due_at": written(one.next_due) if one.next_due else None,
        "levels": dict(sorted(one.levels.items())),
        "positions": one.positions,
    }


def _inventory(verdict: CustodyVerdict) -> dict[str, Any] | None:
    found = verdict.inventory
    if found is None:
        return None
    return {
        "keystore": found.keystore,
        "media": found.media,
        "orphans": found.orphans,
        "resurrected": found.resurrected,
        "missing": found.missing,
        "at": found.at,
        "position": found.position,
        "signed": found.signed,
    }


def _canary(verdict: CustodyVerdict) -> dict[str, Any] | None:
    found = verdict.canary
    if found is None:
        return None
    return asdict(found) | {
        "places": [{"place": place, "outcome": outcome} for place, outcome in found.places]
    }


def _copies(verdict: CustodyVerdict) -> dict[str, Any]:
    return {
        "registered": verdict.copies.registered,
        "gone": verdict.copies.gone,
        "left": [{"kind": kind, "position": position} for kind, position in verdict.copies.left],
    }


def written(at: datetime) -> str:
    """A time as entries have it: UTC, milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

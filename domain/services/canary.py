"""Putting on record what a canary run came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.custody.canary import CanaryOutcome, Searched, judged, residue_of
from domain.custody.events import CanarySearched, ResidueFound, SearchedPlace
from domain.kernel.commands import Command, Mode
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import FORCE, journal, new_reference
from domain.ports import Outside
from domain.services.carrying_out import by_the_system


@dataclass(frozen=True)
class CanaryRun:
    """A run of faces that nobody has."""

    deployment: UUID
    run: UUID
    played_in: str
    """``node`` or ``beside``."""
    alerts: int
    seen_alive: bool
    precautions: Mapping[str, str]


def record_canary(outside: Outside, run: CanaryRun, searched: Searched) -> CanaryOutcome:
    """Keep what was found, and what it comes to, in one transaction."""
    outcome = judged(searched, seen_alive=run.seen_alive and run.alerts > 0)
    by = Command(
        **by_the_system(outside, scope=FORCE, mode=Mode(outside.record.mode), part="canary")
    )
    common: dict[str, Any] = {
        "originator_id": journal("canary", FORCE),
        "originator_version": NEXT_VERSION,
        "timestamp": by.at,
        "run": run.run,
    }
    told: list[Happened] = [
        ResidueFound(
            **common,
            finding=new_reference(),
            place=place.value,
            content=content,
            form=form,
            count=count,
        )
        for place, content, form, count in residue_of(searched)
    ]
    told.append(
        CanarySearched(
            **common,
            outcome=outcome.value,
            deployment=run.deployment,
            played_in=run.played_in,
            templates=searched.templates,
            pictures=searched.pictures,
            alerts=run.alerts,
            forms=list(searched.forms),
            seen_alive=run.seen_alive,
            precautions=dict(run.precautions),
            places=[
                SearchedPlace(
                    place=one.place.value,
                    outcome=one.outcome.value,
                    files=one.files,
                    bytes_read=one.bytes_read,
                    controls=one.controls,
                    controls_found=one.controls_found,
                    residue=sum(one.residue.values()),
                )
                for one in searched.places
            ],
        )
    )
    outside.record.append(*told, by=by)
    return outcome

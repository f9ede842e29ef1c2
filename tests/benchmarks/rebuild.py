"""``rebuild``: every read model made again from the record, against bare reading and decoding."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import msgspec

from domain.alerts.events import AlertAdjudicated, AlertRaised, AlertViewed
from domain.custody.events import (
    DestructionRechecked,
    DestructionStarted,
    ItemDestroyed,
    ItemRegistered,
    ItemSealed,
)
from domain.kernel.commands import Command, Mode, Role
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import journal
from domain.sightings.events import FaceEnrolledAndDiscarded, FaceNotEnrolled, RunProgressed
from infrastructure.projections.follower import Follower
from infrastructure.projections.registers import PROJECTIONS
from infrastructure.record.event_record import EventRecord
from tests.benchmarks.figure import Figure
from tests.support.stores import STORES, Store

EVENTS = 200_000
ALERT_EVERY = 400
"""Faces to one possible match. Each brings 16 entries: its own, and those of three items."""
PROGRESS_EVERY = 20
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_REFERENCES = UUID("0b6f0b1c-6d0c-5c0e-8f0e-1d2c3b4a5f60")


def rebuild_sqlite() -> Figure:
    """Entries a second into all read models, on SQLite."""
    return _measured("sqlite")


def rebuild_postgres() -> Figure:
    """Entries a second into all read models, on PostgreSQL."""
    return _measured("postgres")


def _measured(kind: str) -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        store = STORES[kind](Path(folder))
        try:
            return _measured_on(store)
        finally:
            store.remove()


def _measured_on(store: Store) -> Figure:
    record = store.open()
    fill(record, EVENTS)
    size = record.size()
    bare = _seconds_of_bare_reading(record)
    follower = Follower(store.database, PROJECTIONS)
    begun = time.perf_counter()
    follower.rebuild()
    seconds = time.perf_counter() - begun
    follower.close()
    return Figure(
        ours=round(size / seconds),
        baseline=round(size / bare),
        ratio=round(bare / seconds, 3),
        unit="entries/s",
        n=size,
    )


def _seconds_of_bare_reading(record: EventRecord) -> float:
    """Every stored entry, read and parsed, and nothing made of it."""
    decode = msgspec.json.Decoder().decode
    begun = time.perf_counter()
    read = sum(1 for _, blob in record.blobs() if decode(blob))
    seconds = time.perf_counter() - begun
    if read != record.size():
        raise RuntimeError(f"{read} entries were read of {record.size()}")
    return seconds


def fill(record: EventRecord, events: int) -> None:
    """Deployments of 25,000 faces, as a busy street would leave them."""
    number = 0
    while record.size() < events:
        deployment, run = _reference("deployment", number), _reference("run", number)
        by = Command(
            scope=deployment.hex,
            mode=Mode.REHEARSAL,
            actor="system:recogniser/camera-1",
            role=Role.SYSTEM,
            at=AT,
        )
        batch: list[Happened] = []
        for event in _day(deployment, run, number):
            batch.append(event)
            if len(batch) >= 1000:
                record.append(*batch, by=by)
                batch = []
                if record.size() >= events:
                    break
        record.append(*batch, by=by)
        number += 1


def _day(deployment: UUID, run: UUID, number: int) -> Iterator[Happened]:
    stream = journal("sightings", f"{run.hex}/camera-1")
    for ordinal in range(1, 25_001):
        at = AT + timedelta(seconds=ordinal)
        common: dict[str, Any] = {
            "originator_id": stream,
            "originator_version": NEXT_VERSION,
            "timestamp": at,
        }
        face: dict[str, Any] = {"run": run, "camera": "camera-1", "ordinal": ordinal}
        if ordinal % ALERT_EVERY == 0:
            tombstone = 1 + 3 * (number * 25_000 + ordinal)
            yield from _possible_match(deployment, run, ordinal, at, first_tombstone=tombstone)
        elif ordinal % 7 == 0:
            yield FaceNotEnrolled(**common, **face, reason="blur", template_life_ms=0)
        else:
            yield FaceEnrolledAndDiscarded(**common, **face, template_life_ms=38)
        if ordinal % PROGRESS_EVERY == 0:
            yield RunProgressed(
                **common, run=run, camera="camera-1", frames=ordinal * 9, seen=ordinal
            )


def _possible_match(
    deployment: UUID, run: UUID, ordinal: int, at: datetime, *, first_tombstone: int
) -> Iterator[Happened]:
    alert = _reference("alert", deployment.int ^ ordinal)
    items = {
        kind: _reference(kind, alert.int) for kind in ("face_crop", "wide_frame", "alert_detail")
    }
    due, digest = AT + timedelta(hours=24), "5f" * 32
    for kind, item in items.items():
        yield ItemRegistered(
            originator_id=item,
            originator_version=1,
            timestamp=at,
            item_class=kind,
            content_type="image/jpeg",
            deployment=deployment,
            concerning=alert,
            schedule="",
            rule="RT-03",
            clock_starts="alert",
            anchor_at=AT,
            due_at=due,
            commitment=digest,
        )
        yield ItemSealed(
            originator_id=item,
            originator_version=2,
            timestamp=at,
            ciphertext_digest=digest,
            ciphertext_length=20_000,
        )
    yield AlertRaised(
        originator_id=alert,
        originator_version=1,
        timestamp=at,
        run=run,
        camera="camera-1",
        ordinal=ordinal,
        first_seen_ms=1000,
        captured_ms=1200,
        watchlist=_reference("watchlist", deployment.int),
        entry=_reference("entry", 1),
        threshold=Decimal("0.62"),
        model_digest=digest,
        items=items,
        wide_frame_omitted=None,
        template_life_ms=40,
    )
    yield AlertViewed(
        originator_id=alert, originator_version=2, timestamp=at, officer="staff:officer-1"
    )
    yield AlertAdjudicated(
        originator_id=alert,
        originator_version=3,
        timestamp=at,
        officer="staff:officer-1",
        decision="not_viable",
        subject_factors=["pose"],
        system_factors=[],
        environmental_factors=["lighting"],
        basis="own-judgement",
        note_item=None,
    )
    for item in items.values():
        yield DestructionStarted(
            originator_id=item, originator_version=3, timestamp=at, cause="decided"
        )
    looked = _reference("recheck", alert.int)
    yield DestructionRechecked(
        originator_id=journal("rechecks", deployment.hex),
        originator_version=NEXT_VERSION,
        timestamp=at,
        recheck=looked,
        rechecker="",
        kind="in-process",
        items=list(items.values()),
        still_there=[],
        tombstone_sequence=first_tombstone + 2,
        tombstone_digest=digest,
        signature="",
    )
    for place, (kind, item) in enumerate(items.items()):
        yield ItemDestroyed(
            originator_id=item,
            originator_version=4,
            timestamp=at,
            item_class=kind,
            deployment=deployment,
            concerning=alert,
            registered_at=at,
            registered_version=1,
            schedule="",
            epoch="",
            methods={},
            holds=[],
            recheck_id=looked,
            rule="RT-03",
            clock_starts="alert",
            due_at=due,
            cause="decided",
            started_at=at,
            finished_at=at,
            commitment=digest,
            ciphertext_digest=digest,
            ciphertext_length=20_000,
            tombstone_sequence=first_tombstone + place,
            tombstone_digest=digest,
            levels=["L0", "L1", "L2"],
            beyond_use=True,
            recheck="in-process",
            boundary="this directory",
            known_copies_outside=[],
        )


def _reference(kind: str, number: int) -> UUID:
    return uuid5(_REFERENCES, f"{kind}/{number}")

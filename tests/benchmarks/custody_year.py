"""``verify_custody_year``: a year of a large force, verified offline from its record's file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.alerts.events import AlertClosedUndetermined
from domain.assurance.rechecks import key_name, public_key_of, signed, statement
from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.events import DestructionRechecked, RecheckerEnrolled
from domain.custody.schedule import BUILT_IN
from domain.custody.sealing import RecheckedBy, SealedContent, Tombstone
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import FORCE, journal, new_reference
from infrastructure.record.event_record import EventRecord
from tests.benchmarks.figure import Figure
from tests.benchmarks.verifying import Verified, bare_tree, sign_for, verified
from tests.support import builders as a
from tests.support.memory import MemoryClock
from tests.support.stores import SQLiteStore

DEPLOYMENTS = 500
ITEMS_EACH = 1_000
OF_AN_ALERT = ("face_crop", "wide_frame", "probe_template", "alert_detail")
A_YEAR = timedelta(days=365)
CEILING_S = 120
AT_ONCE = 100
"""Items that are destroyed and looked for together."""


def verify_custody_year(deployments: int = DEPLOYMENTS, items_each: int = ITEMS_EACH) -> Figure:
    """Items a second through the whole verification, beside the bare tree of the same bytes.

    The verifier is the command itself, from its start to its verdict. It is run on a tenth of the
    year first, so that its memory can be compared: it must not grow with the log.
    """
    tenth, _, _ = _year(deployments // 10 or 1, items_each)
    whole, bare_s, size = _year(deployments, items_each)
    items = deployments * items_each
    return Figure(
        ours=round(items / whole.seconds),
        baseline=round(items / bare_s),
        ratio=round(bare_s / whole.seconds, 3),
        unit="items/s",
        n=items,
        beside={
            "seconds": round(whole.seconds, 1),
            "ceiling in seconds": CEILING_S,
            "entries": size,
            "peak in MiB": round(whole.peak_kib / 1024),
            "peak in MiB for a tenth": round(tenth.peak_kib / 1024),
        },
    )


def _year(deployments: int, items_each: int) -> tuple[Verified, float, int]:
    """What verifying took, what the bare tree took, and the size of the log."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "record").mkdir()
        store = SQLiteStore.fresh(Path(folder) / "record")
        clock = MemoryClock(a.AT)
        record = store.open(clock=clock)
        force = _Force(record, clock)
        for number in range(deployments):
            clock.stands_at(a.AT + number * A_YEAR / deployments)
            force.deploys(items_each)
            print(f"  {number + 1} of {deployments} deployments", end="\r", file=sys.stderr)
        size, bare = record.size(), bare_tree(record)
        store.close()
        sign_for(Path(folder), size, bare.root)
        return verified(Path(folder)), bare.seconds, size


class _Force:
    """A force whose whole custody is put on the record without a store behind it."""

    def __init__(self, record: EventRecord, clock: MemoryClock) -> None:
        self._record, self._clock = record, clock
        self._key = Ed25519PrivateKey.generate()
        self._public_key = public_key_of(self._key)
        self._tombstones = 0
        self._append(
            FORCE,
            RecheckerEnrolled(
                **self._journal("recheckers", FORCE),
                rechecker=key_name(self._public_key),
                public_key=self._public_key,
            ),
        )

    def deploys(self, count: int) -> None:
        """One deployment from its application to the last receipt."""
        at, deployment = self._clock.now(), new_reference()
        window = {"requested_from": at, "requested_until": at + a.WINDOW, "at": at}
        facts = [a.an_applied_deployment(**window), a.camera_configured(at=at)]
        facts += [
            a.authorised(valid_from=at, valid_until=at + a.WINDOW, at=at),
            a.started(at=at),
        ]
        self._append(
            deployment.hex,
            *(fact.placed(deployment, version) for version, fact in enumerate(facts, 1)),
        )
        kept = [item for batch in self._alerts(deployment, count) for item in batch]
        over = (a.stopped(at=at), a.ended(at=at))
        self._append(
            deployment.hex,
            *(fact.placed(deployment, version) for version, fact in enumerate(over, 5)),
        )
        for start in range(0, count, AT_ONCE):
            self._destroys(deployment, kept[start : start + AT_ONCE])

    def _alerts(self, deployment: UUID, count: int) -> Iterator[list[Item]]:
        """Possible matches with all that is kept for each, closed at once."""
        for _ in range(count // len(OF_AN_ALERT)):
            at, alert = self._clock.now(), new_reference()
            items = {name: self._registered(name, deployment, alert) for name in OF_AN_ALERT}
            self._append(deployment.hex, *items.values())
            for item in items.values():
                item.seal(SealedContent(os.urandom(32).hex(), 200_044), at=at)
            named = {name: item.id for name, item in items.items()}
            raised = a.an_alert(items=named, at=at).placed(alert, 1)
            closed = AlertClosedUndetermined(
                originator_id=alert, originator_version=2, timestamp=at, cause="deployment_ended"
            )
            self._append(deployment.hex, *items.values(), raised, closed)
            yield list(items.values())

    def _registered(self, name: str, deployment: UUID, alert: UUID) -> Item:
        item, at = Item(new_reference()), self._clock.now()
        item.register(
            ItemClass(name),
            content_type="application/octet-stream",
            deployment=deployment,
            concerning=alert,
            rule=BUILT_IN.rule(name),
            schedule="",
            anchor_at=at,
            due_at=at + a.DAY,
            commitment=os.urandom(32).hex(),
            at=at,
        )
        return item

    def _destroys(self, deployment: UUID, items: list[Item]) -> None:
        at = self._clock.now()
        for item in items:
            item.start_destruction(cause="deployment_ended", at=at)
        self._append(deployment.hex, *items)
        tombstones = [self._tombstone() for _ in items]
        rechecked = self._rechecked(deployment, items, tombstones[-1])
        by = RecheckedBy(rechecked.recheck, rechecked.kind)
        for item, tombstone in zip(items, tombstones, strict=True):
            item.finish_destruction(tombstone, by, boundary="record, keystore, media", at=at)
        self._append(deployment.hex, rechecked, *items)

    def _tombstone(self) -> Tombstone:
        self._tombstones += 1
        return Tombstone(self._tombstones, sha256(str(self._tombstones).encode()).hexdigest())

    def _rechecked(
        self, deployment: UUID, items: list[Item], newest: Tombstone
    ) -> DestructionRechecked:
        body: dict[str, Any] = {
            "recheck": new_reference(),
            "rechecker": key_name(self._public_key),
            "items": [item.id for item in items],
            "still_there": [],
            "tombstone_sequence": newest.sequence,
            "tombstone_digest": newest.digest,
        }
        said = body | {
            "recheck": body["recheck"].hex,
            "items": [item.id.hex for item in items],
        }
        return DestructionRechecked(
            **self._journal("rechecks", deployment.hex),
            **body,
            kind="separate-process",
            signature=signed(statement(said), self._key),
        )

    def _journal(self, kind: str, scope: str) -> dict[str, Any]:
        return {
            "originator_id": journal(kind, scope),
            "originator_version": NEXT_VERSION,
            "timestamp": self._clock.now(),
        }

    def _append(self, scope: str, *changes: Item | Happened) -> None:
        self._record.append(*changes, by=a.a_command(scope=scope, at=self._clock.now()))

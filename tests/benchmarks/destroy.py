"""Destroying items that are due: with receipts, and another process that looks again."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from contextlib import closing
from pathlib import Path
from uuid import UUID

from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.schedule import BUILT_IN
from domain.custody.sealing import SALT_BYTES, commitment
from domain.kernel.references import new_reference
from domain.services.custody import destroy_for
from domain.services.rechecking import enrol
from infrastructure.custody.separate_rechecker import SeparateRechecker
from tests.benchmarks.figure import Figure
from tests.contract.vault.examples import OnDisk, on_disk
from tests.support.builders import ALERT, DAY, DEPLOYMENT, a_command
from tests.support.scenarios import Scene
from tests.support.stores import SQLiteStore

ITEMS = 10_000
CONTENT_BYTES = 1_000


def destroy(items: int = ITEMS) -> Figure:
    """Items a second from the first entry to the last receipt, and bare unlinking of as many files.

    The bare run unlinks files of the same size from as many directories and syncs each of them
    once: neither keys, nor receipts, nor anybody who looks again.
    """
    with tempfile.TemporaryDirectory() as folder:
        bare_s = _bare(Path(folder) / "bare", items)
        (Path(folder) / "record").mkdir()
        store = SQLiteStore.fresh(Path(folder) / "record")
        with on_disk(Path(folder)) as disk:
            rechecker = SeparateRechecker(
                Path(folder) / "recheck" / "key",
                disk.keystore.directory,
                disk.media.directory,
                enrol=lambda name, key: enrol(scene.outside, name, key),
            )
            scene = Scene().on(store).over(disk.vault, rechecker)
            with closing(rechecker):
                scene.running().alerted()
                made = _made(scene, disk, items)
                begun = time.perf_counter()
                count = destroy_for(scene.outside, a_command(), made, cause="due")
                seconds = time.perf_counter() - begun
        store.close()
    if count != items:
        raise RuntimeError(f"expected {items} destroyed, found {count}")
    return Figure(
        ours=round(items / seconds, 1),
        baseline=round(items / bare_s, 1),
        ratio=round(bare_s / seconds, 3),
        unit="items/s",
        n=items,
        beside={"seconds": round(seconds, 2), "ms an item": round(1000 * seconds / items, 3)},
    )


def _made(scene: Scene, disk: OnDisk, count: int) -> list[UUID]:
    made: list[UUID] = []
    now = scene.clock.now()
    for start in range(0, count, 500):
        batch = []
        for _ in range(min(500, count - start)):
            item, salt, content = (
                Item(new_reference()),
                secrets.token_bytes(SALT_BYTES),
                os.urandom(CONTENT_BYTES),
            )
            item.register(
                ItemClass.FACE_CROP,
                content_type="image/jpeg",
                deployment=DEPLOYMENT,
                concerning=ALERT,
                rule=BUILT_IN.rule(ItemClass.FACE_CROP),
                schedule="",
                anchor_at=now,
                due_at=now + DAY,
                commitment=commitment(salt, content),
                at=now,
            )
            item.seal(disk.vault.seal(item.label, salt=salt, content=content), at=now)
            batch.append(item)
        scene.record.append(*batch, by=a_command())
        made += [one.id for one in batch]
    return made


def _bare(folder: Path, count: int) -> float:
    for number in range(256):
        (folder / f"{number:02x}").mkdir(parents=True)
    files = [folder / f"{number % 256:02x}" / str(number) for number in range(count)]
    for file in files:
        file.write_bytes(bytes(CONTENT_BYTES))
    os.sync()
    begun = time.perf_counter()
    for number in range(256):
        for file in files[number::256]:
            file.unlink()
        descriptor = os.open(folder / f"{number:02x}", os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return time.perf_counter() - begun

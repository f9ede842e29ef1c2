"""Sealing and opening items, beside nothing but the cipher and the same files."""

from __future__ import annotations

import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.custody.sealing import SALT_BYTES, ItemLabel, ToSeal
from domain.kernel.references import new_reference
from tests.benchmarks.figure import Figure
from tests.contract.vault.examples import OnDisk, label, on_disk

ITEMS = 1_000
CONTENT_BYTES = 200_000
BATCH = 100
ROUNDS = 3


def seal_vs_aesgcm(items: int = ITEMS) -> Figure:
    """Items a second that are sealed and then opened, and as many by the bare cipher and files.

    Ours: a key for each item wrapped in the keystore (one transaction for 100), frames, ciphertext
    digest, file, and back. The bare run encrypts the same bytes at once under one key, writes,
    renames, reads and decrypts. The directories, which a store makes once in its life, are there
    before, in both. Neither waits for the disk (fsync is off, in the keystore too);
    beside it, ours with fsync as it always runs. Each is run three times in turn; medians.
    """
    content = secrets.token_bytes(CONTENT_BYTES)
    ours, bare, durable = [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            bare.append(_bare(Path(folder), content, items))
        with tempfile.TemporaryDirectory() as folder, on_disk(Path(folder)) as disk, _no_sync(disk):
            ours.append(_ours(disk, content, items))
        with tempfile.TemporaryDirectory() as folder, on_disk(Path(folder)) as disk:
            durable.append(_ours(disk, content, items))
    seconds, bare_s = statistics.median(ours), statistics.median(bare)
    return Figure(
        ours=round(items / seconds, 1),
        baseline=round(items / bare_s, 1),
        ratio=round(bare_s / seconds, 3),
        unit="items/s",
        n=items,
        beside={
            "worst ratio": round(min(bare) / max(ours), 3),
            "items/s with fsync": round(items / statistics.median(durable), 1),
        },
    )


def _ours(disk: OnDisk, content: bytes, items: int) -> float:
    labels = [_another_label() for _ in range(items)]
    salts = [secrets.token_bytes(SALT_BYTES) for _ in labels]
    _make_directories(disk.media.directory)
    os.sync()  # what ran before must not be written out on our time
    begun = time.perf_counter()
    for start in range(0, items, BATCH):
        batch = zip(labels[start : start + BATCH], salts[start : start + BATCH], strict=True)
        disk.vault.seal_all([ToSeal(one, salt, content) for one, salt in batch])
    for one in labels:
        if disk.vault.open(one) != content:
            raise RuntimeError("opened something else than was sealed")
    return time.perf_counter() - begun


def _another_label() -> ItemLabel:
    like = label()
    return ItemLabel(
        new_reference(),
        like.item_class,
        like.deployment,
        like.content_type,
        like.registered_on,
    )


def _bare(folder: Path, content: bytes, items: int) -> float:
    _make_directories(folder)
    names: list[UUID] = [new_reference() for _ in range(items)]
    cipher, bound_to = AESGCM(secrets.token_bytes(32)), b"an item"
    os.sync()
    begun = time.perf_counter()
    for one in names:
        nonce = secrets.token_bytes(12)
        path = folder / one.hex[:2] / one.hex
        unfinished = path.with_name(one.hex + ".new")
        unfinished.write_bytes(nonce + cipher.encrypt(nonce, content, bound_to))
        unfinished.rename(path)
    for one in names:
        stored = (folder / one.hex[:2] / one.hex).read_bytes()
        if cipher.decrypt(stored[:12], stored[12:], bound_to) != content:
            raise RuntimeError("opened something else than was sealed")
    return time.perf_counter() - begun


def _make_directories(folder: Path) -> None:
    for number in range(256):
        (folder / f"{number:02x}").mkdir(mode=0o700)


@contextmanager
def _no_sync(disk: OnDisk) -> Iterator[None]:
    """Nothing waits for the disk."""
    disk.keystore._connection.execute("PRAGMA synchronous = OFF")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield

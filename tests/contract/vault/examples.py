"""Items to seal, and a vault on disk that can be looked into."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.custody.sealing import SALT_BYTES, ItemLabel
from infrastructure.vault.epoch_keys import KeystoreToken
from infrastructure.vault.keystore import Keystore
from infrastructure.vault.media import MediaStore
from infrastructure.vault.sealed_vault import SealedVault

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SALT = bytes(range(SALT_BYTES))
CONTENT = b"the pixels of a face, once"

_LABEL = ItemLabel(
    item=UUID(int=1),
    item_class="face_crop",
    deployment=UUID("d1" * 16),
    content_type="image/png",
    registered_on=NOON.date(),
)
EPOCH = _LABEL.epoch
"""Whose key wraps the keys of the tests' own items."""


def item(number: int = 1) -> UUID:
    """An item of the tests' own; they do not share their first two digits."""
    return UUID(bytes=bytes([number]) * 16)


def label(number: int = 1, **changed: Any) -> ItemLabel:
    """What an item is."""
    return replace(_LABEL, **({"item": item(number)} | changed))


@dataclass(frozen=True)
class OnDisk:
    """A vault, and the two stores it is made of."""

    keystore: Keystore
    media: MediaStore
    vault: SealedVault

    @property
    def database(self) -> Path:
        """The keystore's file."""
        return self.keystore.directory / "keystore.db"

    def file_of(self, number: int = 1) -> Path:
        """Where the ciphertext of an item lies."""
        return self.media.directory / item(number).hex[:2] / item(number).hex

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement behind the keystore's back, and commit."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    def execute_unguarded(self, statement: str, *values: object) -> None:
        """The same without triggers: what whoever owns the file can do."""
        for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            self.execute(f"DROP TRIGGER {name}")
        self.execute(statement, *values)


@contextmanager
def on_disk(path: Path, token: KeystoreToken | None = None) -> Iterator[OnDisk]:
    """The vault below a path, opened, made where it is missing."""
    keystore = Keystore(path / "keystore", token=token)
    media = MediaStore(path / "media")
    vault = SealedVault(keystore, media)
    try:
        yield OnDisk(keystore, media, vault)
    finally:
        vault.close()

"""The keystore: one wrapped key for each item, and a chain of tombstones of those destroyed.

Its own directory, its own SQLite file, in the one journal mode that keeps no old page: DELETE with
``secure_delete``. (Write-ahead and persistent journals keep deleted keys; measured.) A key exists
here and nowhere else, so a restored record or media store cannot bring an item back. Never back
this directory up.

What it does not promise: an unlinked rollback journal leaves its pages on the raw disk, so the
disk should be encrypted or the directory lie on tmpfs; and an older copy of this directory, if
someone made one, still opens what it held.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from domain.custody.sealing import Tombstone
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.kernel.time import written
from domain.ports import ContentAlteredError, KeyDestroyedError
from infrastructure.files import make_private_directory, write_durably

_KEY_BYTES = 32
_GENESIS = "0" * 64

_SCHEMA = """
CREATE TABLE IF NOT EXISTS item_key (item TEXT PRIMARY KEY, wrapped BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tombstone (
    seq INTEGER PRIMARY KEY, item TEXT NOT NULL UNIQUE, at TEXT NOT NULL,
    prev TEXT NOT NULL, digest TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS tombstone_no_update BEFORE UPDATE ON tombstone
BEGIN SELECT RAISE(ABORT, 'tombstones are for ever (UPDATE refused)'); END;
CREATE TRIGGER IF NOT EXISTS tombstone_no_delete BEFORE DELETE ON tombstone
BEGIN SELECT RAISE(ABORT, 'tombstones are for ever (DELETE refused)'); END;
CREATE TRIGGER IF NOT EXISTS tombstone_no_replace BEFORE INSERT ON tombstone
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM tombstone)
  OR EXISTS (SELECT 1 FROM tombstone WHERE item = NEW.item)
BEGIN SELECT RAISE(ABORT, 'tombstones are for ever (only a new one at the end)'); END;
"""


class KeystoreError(DomainError):
    """The keystore is not as it must be: settings, permissions, or the key that wraps all."""


class Keystore:
    """The keys of one node.

    Args:
        directory: made with 0700 if it is missing.

    Raises:
        KeystoreError: it can be read by others, SQLite does not keep to the settings that make
            deletion real, or the wrapping key is missing while wrapped keys exist.
    """

    def __init__(self, directory: Path) -> None:
        make_private_directory(directory)
        self.directory = directory
        database = directory / "keystore.db"
        database.touch(mode=0o600)
        _require_private(directory)
        _require_private(database)
        self._connection = sqlite3.connect(database, isolation_level=None, timeout=30)
        self._set("journal_mode", "DELETE", "delete")
        self._set("secure_delete", "ON", 1)
        self._set("synchronous", "FULL", 2)
        self._connection.executescript(_SCHEMA)
        self._root = self._root_key(directory / "root.key")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def new_key(self, item: UUID) -> bytearray:
        """A fresh 256-bit key for an item, durable before it is given out, replacing any other.

        Raises:
            KeyDestroyedError: the item was destroyed; it has one life.
        """
        key = bytearray(secrets.token_bytes(_KEY_BYTES))
        with self._transaction():
            if self._tombstone(item) is not None:
                raise KeyDestroyedError(f"item {item.hex}: was destroyed and cannot be sealed")
            self._connection.execute(
                "INSERT INTO item_key (item, wrapped) VALUES (?, ?) "
                "ON CONFLICT (item) DO UPDATE SET wrapped = excluded.wrapped",
                (item.hex, self._wrapped(item, key)),
            )
        return key

    def key(self, item: UUID) -> bytearray:
        """The key of an item.

        Raises:
            KeyDestroyedError: there is none.
            ContentAlteredError: what is stored is not a key that was wrapped here for this item.
        """
        row = self._connection.execute(
            "SELECT wrapped FROM item_key WHERE item = ?", (item.hex,)
        ).fetchone()
        if row is None:
            raise KeyDestroyedError(f"item {item.hex}: there is no key")
        try:
            both = aes_key_unwrap(self._root, row[0])
        except (InvalidUnwrap, ValueError) as error:
            raise ContentAlteredError(f"item {item.hex}: its wrapped key is damaged") from error
        if both[_KEY_BYTES:] != item.bytes:
            raise ContentAlteredError(f"item {item.hex}: its wrapped key is another item's")
        return bytearray(both[:_KEY_BYTES])

    def destroy(self, item: UUID, *, at: datetime) -> Tombstone:
        """Delete the key and chain a tombstone, in one transaction. Repeating answers the same."""
        with self._transaction():
            if found := self._tombstone(item):
                return found
            self._connection.execute("DELETE FROM item_key WHERE item = ?", (item.hex,))
            last = self._connection.execute(
                "SELECT seq, digest FROM tombstone ORDER BY seq DESC LIMIT 1"
            ).fetchone()
            seq, prev = (last[0] + 1, last[1]) if last else (1, _GENESIS)
            digest = _link(seq, item.hex, written(at), prev)
            self._connection.execute(
                "INSERT INTO tombstone (seq, item, at, prev, digest) VALUES (?, ?, ?, ?, ?)",
                (seq, item.hex, written(at), prev, digest),
            )
            return Tombstone(sequence=seq, digest=digest)

    def holds(self, item: UUID) -> bool:
        """Whether an item has a key."""
        found = self._connection.execute("SELECT 1 FROM item_key WHERE item = ?", (item.hex,))
        return found.fetchone() is not None

    def items(self) -> set[UUID]:
        """Every item that has a key."""
        rows = self._connection.execute("SELECT item FROM item_key").fetchall()
        return {UUID(row[0]) for row in rows}

    def verify_tombstones(self) -> Tombstone | None:
        """Recompute the chain; its last link, or ``None`` where nothing was destroyed.

        Raises:
            RecordBrokenError: a link does not follow from the one before, or an item with a
                tombstone has a key.
        """
        prev, last = _GENESIS, None
        rows = self._connection.execute("SELECT seq, item, at, prev, digest FROM tombstone")
        for expected, row in enumerate(sorted(rows.fetchall()), start=1):
            seq, item, at, stored_prev, digest = row
            if seq != expected or stored_prev != prev or digest != _link(seq, item, at, prev):
                raise RecordBrokenError(
                    f"tombstone {expected}: expected to follow {prev[:16]}, found number {seq} "
                    f"after {stored_prev[:16]} with digest {digest[:16]}"
                )
            prev, last = digest, Tombstone(sequence=seq, digest=digest)
        risen = self._connection.execute(
            "SELECT item FROM item_key WHERE item IN (SELECT item FROM tombstone)"
        ).fetchone()
        if risen:
            raise RecordBrokenError(f"item {risen[0]}: was destroyed and has a key")
        return last

    def _wrapped(self, item: UUID, key: bytearray) -> bytes:
        # the item travels inside the wrapping, so that rows cannot be exchanged
        return aes_key_wrap(self._root, bytes(key) + item.bytes)

    def _tombstone(self, item: UUID) -> Tombstone | None:
        row = self._connection.execute(
            "SELECT seq, digest FROM tombstone WHERE item = ?", (item.hex,)
        ).fetchone()
        return Tombstone(sequence=row[0], digest=row[1]) if row else None

    def _root_key(self, path: Path) -> bytes:
        """The key that wraps all others: made once, never made again silently."""
        if not path.exists():
            if self.items():
                raise KeystoreError(
                    f"expected the wrapping key {path}, found none although wrapped keys exist: "
                    "nothing sealed here can be opened; destroy the items or bring it back"
                )
            write_durably(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
        _require_private(path)
        root = path.read_bytes()
        if len(root) != _KEY_BYTES:
            raise KeystoreError(f"expected {_KEY_BYTES} bytes in {path}, found {len(root)}")
        return root

    def _set(self, pragma: str, value: str, expected: object) -> None:
        self._connection.execute(f"PRAGMA {pragma} = {value}")
        found = self._connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        if found != expected:
            raise KeystoreError(
                f"expected SQLite to take {pragma} = {value}, found {found}: deletion would not "
                "be real"
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _link(seq: int, item: str, at: str, prev: str) -> str:
    """One link: SHA-256 over its own fields and the digest before it, hex."""
    return hashlib.sha256(
        f"plumbline-tombstone/v1\n{seq}\n{item}\n{at}\n{prev}\n".encode()
    ).hexdigest()


def _require_private(path: Path) -> None:
    if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
        mode = "700" if path.is_dir() else "600"
        raise KeystoreError(f"{path} can be read by others: run chmod {mode} {path}")

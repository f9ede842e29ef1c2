"""The keystore: one wrapped key for each item, and a chain of tombstones of those destroyed.

The key file wraps one key for each epoch (deployment, class, day of registration), and that wraps
the keys of its items. When the last of them is gone and none can come any more, the key of the
epoch goes too, with a tombstone of its own.

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
import re
import secrets
import shlex
import sqlite3
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from domain.custody.sealing import Epoch, EpochEnded, Tombstone
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.kernel.time import utc, written
from domain.ports import ContentAlteredError, KeyDestroyedError
from infrastructure.files import make_private_directory, sync_directory, write_durably

_KEY_BYTES = 32
_GENESIS = "0" * 64
_PATIENCE_SECONDS = 30
_ITEM = re.compile(r"[0-9a-f]{32}")

_PRAGMAS = (
    ("journal_mode", "DELETE", "delete"),
    ("secure_delete", "ON", 1),
    ("synchronous", "FULL", 2),
)
"""Each setting that deletion rests on, and what SQLite answers once it has taken it."""

_EMPTY_EPOCHS = """
SELECT epoch FROM epoch_key
WHERE NOT EXISTS (SELECT 1 FROM item_key WHERE item_key.epoch = epoch_key.epoch) ORDER BY epoch
"""

_OURS = frozenset(
    {
        *("keystore.db", "keystore.db-journal", "root.key", "root.key.new"),
        *("commands.db", "commands.db-journal"),
    }
)
"""What may lie in the directory."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS item_key "
    "(item TEXT PRIMARY KEY, wrapped BLOB NOT NULL, epoch TEXT) STRICT",
    "CREATE TABLE IF NOT EXISTS epoch_key (epoch TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT",
    """CREATE TABLE IF NOT EXISTS tombstone (
        seq INTEGER PRIMARY KEY, item TEXT NOT NULL UNIQUE, at TEXT NOT NULL,
        prev TEXT NOT NULL, digest TEXT NOT NULL
    ) STRICT""",
    """CREATE TRIGGER IF NOT EXISTS tombstone_no_update BEFORE UPDATE ON tombstone
    BEGIN SELECT RAISE(ABORT, 'tombstones are for ever (UPDATE refused)'); END""",
    """CREATE TRIGGER IF NOT EXISTS tombstone_no_delete BEFORE DELETE ON tombstone
    BEGIN SELECT RAISE(ABORT, 'tombstones are for ever (DELETE refused)'); END""",
    # INSERT OR REPLACE deletes without firing the trigger above.
    """CREATE TRIGGER IF NOT EXISTS tombstone_no_replace BEFORE INSERT ON tombstone
    WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM tombstone)
      OR EXISTS (SELECT 1 FROM tombstone WHERE item = NEW.item)
    BEGIN SELECT RAISE(ABORT, 'tombstones are for ever (only a new one at the end)'); END""",
)


class KeystoreError(DomainError):
    """The keystore is not as it must be, or its disk did not take or give what was asked."""


class Keystore:
    """The keys of one node.

    Args:
        directory: made with 0700 if it is missing.
        only_reading: change nothing, and make nothing where there is no keystore.

    Raises:
        KeystoreError: it can be read by others, SQLite does not keep to the settings that make
            deletion real, or the wrapping key is missing although something was wrapped here; or
            it is only to be read, and not there.
    """

    def __init__(self, directory: Path, *, only_reading: bool = False) -> None:
        if only_reading:
            self._open_to_read(directory)
            return
        make_private_directory(directory)
        _require_private(directory)
        self.directory = directory
        self._database = directory / "keystore.db"
        with ExitStack() as opening, self._in_our_words():
            self._database.touch(mode=0o600)
            _require_private(self._database)
            self._connection = sqlite3.connect(
                self._database, isolation_level=None, timeout=_PATIENCE_SECONDS
            )
            opening.callback(self._connection.close)
            for pragma, value, expected in _PRAGMAS:
                self._set(pragma, value, expected)
            # In a transaction, so that two processes cannot both make a wrapping key.
            with self._transaction():
                for statement in _SCHEMA:
                    self._connection.execute(statement)
                # Before there were epochs, the key file wrapped the keys of items itself.
                columns = {row[1] for row in self._rows("PRAGMA table_info(item_key)")}
                if "epoch" not in columns:
                    self._connection.execute("ALTER TABLE item_key ADD COLUMN epoch TEXT")
                self._root = self._root_key(directory / "root.key")
            opening.pop_all()

    def _open_to_read(self, directory: Path) -> None:
        """Open what is there: a keystore that is away must not look like one that is empty."""
        self.directory = directory
        self._database = directory / "keystore.db"
        with ExitStack() as opening, self._in_our_words():
            _require_private(directory)
            _require_private(self._database)
            self._connection = sqlite3.connect(
                f"file:{quote(str(self._database))}?mode=ro",
                uri=True,
                isolation_level=None,
                timeout=_PATIENCE_SECONDS,
            )
            opening.callback(self._connection.close)
            self._root = _root_in(directory / "root.key")
            self._rows("SELECT count(*) FROM item_key")
            opening.pop_all()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def new_keys(self, wanted: Sequence[tuple[UUID, Epoch]]) -> list[bytearray]:
        """A fresh 256-bit key for each item, durable before they are given out, in ONE transaction.

        Args:
            wanted: each item, with the epoch whose key wraps the item's; made if there is none. A
                key that an item had is replaced.

        Returns:
            32 bytes each, to be used once and wiped.

        Raises:
            KeyDestroyedError: an item was destroyed; it has one life. There is no new key.
            KeystoreError: the disk did not take them. There is no new key.
        """
        keys = [bytearray(secrets.token_bytes(_KEY_BYTES)) for _ in wanted]
        with self._transaction():
            wrapping = {epoch: self._wrapping_key(epoch) for epoch in {one for _, one in wanted}}
            for (item, epoch), key in zip(wanted, keys, strict=True):
                self._keep(item, *wrapping[epoch], key)
        return keys

    def _keep(self, item: UUID, name: str, wrapping: bytes | bytearray, key: bytearray) -> None:
        if self._tombstone(item) is not None:
            raise KeyDestroyedError(f"item {item.hex}: was destroyed and cannot be sealed")
        self._connection.execute(
            "INSERT INTO item_key (item, wrapped, epoch) VALUES (?, ?, ?) ON CONFLICT (item) "
            "DO UPDATE SET wrapped = excluded.wrapped, epoch = excluded.epoch",
            (item.hex, _wrapped(wrapping, key, item.bytes), name),
        )

    def key(self, item: UUID) -> bytearray:
        """The key of an item: 32 bytes, to be wiped.

        Raises:
            KeyDestroyedError: there is none.
            ContentAlteredError: what is stored is not a key that was wrapped here for this item.
        """
        rows = self._rows("SELECT wrapped, epoch FROM item_key WHERE item = ?", item.hex)
        # A key that was put back beside its tombstone, from an older copy, opens nothing.
        if not rows or self._tombstone(item) is not None:
            raise KeyDestroyedError(f"item {item.hex}: there is no key")
        wrapped, epoch = rows[0]
        wrapping = self._root if epoch is None else self._epoch_key(epoch, f"item {item.hex}")
        return _unwrapped(wrapping, wrapped, item.bytes, f"item {item.hex}")

    def destroy(self, items: Sequence[UUID], *, at: datetime) -> dict[UUID, Tombstone]:
        """Delete keys and chain a tombstone for each, in ONE transaction.

        Repeating it answers the same.

        An item that never had a key gets a tombstone too: it may not be sealed any more.

        Raises:
            KeystoreError: the disk did not take it. All the keys may still be there: repeat.
        """
        when = written(at)
        with self._transaction():
            return {item: self._destroyed(item, when) for item in items}

    def _destroyed(self, item: UUID, when: str) -> Tombstone:
        self._connection.execute("DELETE FROM item_key WHERE item = ?", (item.hex,))
        return self._tombstone(item) or self._chained(item.hex, when)

    def _chained(self, what: str, when: str) -> Tombstone:
        last = self.newest_tombstone()
        seq, prev = (last.sequence + 1, last.digest) if last else (1, _GENESIS)
        digest = _link(seq, what, when, prev)
        self._connection.execute(
            "INSERT INTO tombstone (seq, item, at, prev, digest) VALUES (?, ?, ?, ?, ?)",
            (seq, what, when, prev, digest),
        )
        return Tombstone(sequence=seq, digest=digest)

    def end_epochs(self, *, at: datetime, over: Collection[UUID]) -> list[EpochEnded]:
        """Destroy the keys of epochs that wrap nothing and that no item can join any more.

        Args:
            at: when. Epochs of days before this one (UTC) can be joined by nothing;
            over: nor can those of these deployments.
        """
        ended: list[EpochEnded] = []
        today = utc(at).date()
        with self._transaction():
            for (name,) in self._rows(_EMPTY_EPOCHS):
                epoch = _epoch_named(name)
                if epoch.day >= today and epoch.deployment not in over:
                    continue
                self._connection.execute("DELETE FROM epoch_key WHERE epoch = ?", (name,))
                ended.append(EpochEnded(epoch, "file", self._chained(name, written(at))))
        return ended

    def epochs(self) -> set[str]:
        """The names of epochs that have a key."""
        return {_epoch_named(name).name for (name,) in self._rows("SELECT epoch FROM epoch_key")}

    def holds(self, item: UUID) -> bool:
        """Whether an item has a key."""
        return bool(self._rows("SELECT 1 FROM item_key WHERE item = ?", item.hex))

    def items(self) -> set[UUID]:
        """Every item that has a key.

        Raises:
            KeystoreError: there is a key of something that is no item.
        """
        items = set()
        for (name,) in self._rows("SELECT item FROM item_key"):
            if _ITEM.fullmatch(name) is None:
                raise KeystoreError(
                    f"expected items in {self._database}, found a key of something else"
                )
            items.add(UUID(hex=name))
        return items

    def strays(self) -> int:
        """Files in the directory that are none of the keystore's."""
        return sum(1 for one in self.directory.iterdir() if one.name not in _OURS)

    def newest_tombstone(self) -> Tombstone | None:
        """The last link of the chain as it is stored; nothing is recomputed."""
        rows = self._rows("SELECT seq, digest FROM tombstone ORDER BY seq DESC LIMIT 1")
        return Tombstone(sequence=rows[0][0], digest=rows[0][1]) if rows else None

    def buried(self) -> dict[UUID, Tombstone]:
        """Every item that has a tombstone, with it."""
        rows = self._rows("SELECT item, seq, digest FROM tombstone WHERE item NOT LIKE '%/%'")
        return {UUID(hex=item): Tombstone(seq, digest) for item, seq, digest in rows}

    def ended_epochs(self) -> list[EpochEnded]:
        """Every epoch whose key is gone, in the order in which they ended."""
        rows = self._rows(
            "SELECT item, seq, digest FROM tombstone WHERE item LIKE '%/%' ORDER BY seq"
        )
        return [
            EpochEnded(_epoch_named(name), "file", Tombstone(seq, digest))
            for name, seq, digest in rows
        ]

    def verify_tombstones(self) -> Tombstone | None:
        """Recompute the chain, and see that none of its items has a key.

        Returns:
            As :meth:`verify_chain`.

        Raises:
            RecordBrokenError: the chain does not hold, or an item with a tombstone has a key.
        """
        last = self.verify_chain()
        risen = self._rows("SELECT item FROM item_key WHERE item IN (SELECT item FROM tombstone)")
        if risen:
            raise RecordBrokenError(f"item {risen[0][0]}: was destroyed and has a key")
        return last

    def verify_chain(self) -> Tombstone | None:
        """Recompute the chain.

        A chain that was cut at its end, or made anew from its start, is sound in itself: compare
        the answer with the newest tombstone on the record.

        Returns:
            Its last link, or ``None`` where nothing was destroyed.

        Raises:
            RecordBrokenError: a link does not follow from the one before.
        """
        prev, last = _GENESIS, None
        rows = self._rows("SELECT seq, item, at, prev, digest FROM tombstone ORDER BY seq")
        for expected, (seq, item, at, stored_prev, digest) in enumerate(rows, start=1):
            if seq != expected or stored_prev != prev or digest != _link(seq, item, at, prev):
                raise RecordBrokenError(
                    f"tombstone {expected}: expected to follow {prev[:16]}, found number {seq} "
                    f"after {stored_prev[:16]} with digest {digest[:16]}"
                )
            prev, last = digest, Tombstone(sequence=seq, digest=digest)
        return last

    def _wrapping_key(self, epoch: Epoch) -> tuple[str, bytes | bytearray]:
        """The name and the key of an epoch, made if there is none.

        One whose key was destroyed is not brought back: the next one has another name.
        """
        generation = 1
        while self._rows(
            "SELECT 1 FROM tombstone WHERE item = ?", name := _generation(epoch, generation)
        ):
            generation += 1
        if self._rows("SELECT 1 FROM epoch_key WHERE epoch = ?", name):
            return name, self._epoch_key(name, f"epoch {name}")
        key = bytearray(secrets.token_bytes(_KEY_BYTES))
        self._connection.execute(
            "INSERT INTO epoch_key (epoch, wrapped) VALUES (?, ?)",
            (name, _wrapped(self._root, key, _bound(name))),
        )
        return name, key

    def _epoch_key(self, name: str, whose: str) -> bytearray:
        rows = self._rows("SELECT wrapped FROM epoch_key WHERE epoch = ?", name)
        if not rows:
            raise KeyDestroyedError(f"{whose}: the key of its epoch is gone")
        return _unwrapped(self._root, rows[0][0], _bound(name), f"epoch {name}")

    def _tombstone(self, item: UUID) -> Tombstone | None:
        rows = self._rows("SELECT seq, digest FROM tombstone WHERE item = ?", item.hex)
        return Tombstone(sequence=rows[0][0], digest=rows[0][1]) if rows else None

    def _root_key(self, path: Path) -> bytes:
        """The key that wraps all others: made once, never made again silently."""
        if not path.exists():
            (used,) = self._rows(
                "SELECT EXISTS (SELECT 1 FROM item_key) OR EXISTS (SELECT 1 FROM tombstone)"
            )
            if used[0]:
                raise KeystoreError(
                    f"expected the wrapping key {path} of a keystore in use, found none: put it "
                    f"back. If it is lost, so is what was sealed here: put {_KEY_BYTES} fresh "
                    "random bytes there (chmod 600) and destroy the items"
                )
            write_durably(path, secrets.token_bytes(_KEY_BYTES), mode=0o600)
        return _root_in(path)

    def _set(self, pragma: str, value: str, expected: object) -> None:
        self._connection.execute(f"PRAGMA {pragma} = {value}")
        ((found,),) = self._rows(f"PRAGMA {pragma}")
        if found != expected:
            raise KeystoreError(
                f"expected SQLite to take {pragma} = {value} for {self._database}, found {found}: "
                "deletion would not be real"
            )

    def _rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with self._in_our_words():
            return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, and durable: also where the power fails right after the answer."""
        with self._in_our_words():
            # The connection commits at the end, and rolls back where anything was raised.
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
            # COMMIT is the unlinking of the journal, and FULL does not sync that: a journal that
            # came back with the power would roll back, and bring a destroyed key back to life.
            sync_directory(self.directory)

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise KeystoreError(f"keystore {self._database}: {error}") from error


def _wrapped(wrapping: bytes | bytearray, key: bytearray, bound_to: bytes) -> bytes:
    """AES key wrap (RFC 3394) of key || what it is of: rows that are exchanged do not pass."""
    both = key + bound_to
    try:
        return aes_key_wrap(bytes(wrapping), both)
    finally:
        both[:] = bytes(len(both))


def _unwrapped(
    wrapping: bytes | bytearray, wrapped: bytes, bound_to: bytes, whose: str
) -> bytearray:
    try:
        both = aes_key_unwrap(bytes(wrapping), wrapped)
    except InvalidUnwrap as error:
        raise ContentAlteredError(f"{whose}: its wrapped key is damaged") from error
    if both[_KEY_BYTES:] != bound_to:
        raise ContentAlteredError(f"{whose}: its wrapped key is another's")
    return bytearray(both[:_KEY_BYTES])


def _bound(name: str) -> bytes:
    """16 bytes that are an epoch's own."""
    return hashlib.sha256(f"plumbline-epoch/v1\n{name}".encode()).digest()[:16]


def _generation(epoch: Epoch, number: int) -> str:
    return epoch.name if number == 1 else f"{epoch.name}~{number}"


def _epoch_named(name: str) -> Epoch:
    deployment, item_class, day = name.partition("~")[0].split("/")
    return Epoch(UUID(hex=deployment), item_class, date.fromisoformat(day))


def _link(seq: int, item: str, at: str, prev: str) -> str:
    """One link: SHA-256 over its own fields and the digest before it, hex."""
    return hashlib.sha256(
        f"plumbline-tombstone/v1\n{seq}\n{item}\n{at}\n{prev}\n".encode()
    ).hexdigest()


def _root_in(path: Path) -> bytes:
    _require_private(path)
    root = path.read_bytes()
    if len(root) != _KEY_BYTES:
        raise KeystoreError(f"expected {_KEY_BYTES} bytes in {path}, found {len(root)}")
    return root


def _require_private(path: Path) -> None:
    """Refuse what others may read or write; only its owner may decide to close it."""
    found = stat.S_IMODE(path.stat().st_mode)
    if found & 0o077:
        mode = "700" if path.is_dir() else "600"
        raise KeystoreError(
            f"expected {path} to be closed to others, found mode {found:o}: "
            f"run chmod {mode} {shlex.quote(str(path))}"
        )

"""The keystore: one wrapped key for each item, and a chain of tombstones of those destroyed.

One key for each epoch (deployment, class, day of registration) wraps the keys of its items. It lies
here, wrapped by the key file, or on a PKCS#11 token (:mod:`infrastructure.vault.epoch_keys`). When
the last of them is gone and none can come any more, the key of the epoch goes too, with a tombstone
of its own. What is held is wrapped by a key of its hold's own, so that it keeps no epoch of a day
from ending.

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
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from domain.custody.sealing import Epoch, EpochEnded, Tombstone
from domain.kernel.errors import RecordBrokenError
from domain.kernel.time import utc, written
from domain.ports import KeyDestroyedError
from infrastructure.files import make_private_directory, sync_directory, write_durably
from infrastructure.vault.epoch_keys import (
    KEY_BYTES,
    EpochKeys,
    FileEpochKeys,
    KeystoreToken,
    TokenEpochKeys,
    unwrapped_by,
)
from infrastructure.vault.epoch_keys import KeystoreError as KeystoreError

_GENESIS = "0" * 64
_PATIENCE_SECONDS = 30
_ITEM = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"(?P<epoch>[^@~]+)(?:@(?P<where>pkcs11))?(?:~[0-9]+)?")
"""Of an epoch's key: its epoch, who holds it where that is not the file, and its number where the
epoch had one before."""

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


class Keystore:
    """The keys of one node.

    Args:
        directory: made with 0700 if it is missing.
        only_reading: change nothing, and make nothing where there is no keystore.
        token: where the keys of new epochs are made; None for here.

    Raises:
        KeystoreError: it can be read by others, SQLite does not keep to the settings that make
            deletion real, or the wrapping key is missing although something was wrapped here; or
            it is only to be read, and not there; or a token holds keys of it, and is not named. The
            token itself is not asked for anything yet: keys are destroyed without it.
    """

    def __init__(
        self, directory: Path, *, only_reading: bool = False, token: KeystoreToken | None = None
    ) -> None:
        if only_reading:
            self._open_to_read(directory, token)
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
            self._open_holders(opening, token)
            opening.pop_all()

    def _open_to_read(self, directory: Path, token: KeystoreToken | None) -> None:
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
            self._require_finished()
            self._open_holders(opening, token)
            opening.pop_all()

    def _require_finished(self) -> None:
        """See that no transaction was cut off: who only reads cannot take it back.

        Raises:
            KeystoreError: one was; says what finishes it.
        """
        try:
            self._connection.execute("SELECT count(*) FROM item_key").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_READONLY_ROLLBACK":
                raise
            raise KeystoreError(
                f"keystore {self._database}: a transaction in it was cut off, and whoever only "
                "reads cannot take it back; run plumbline sweep first"
            ) from error

    def _open_holders(self, opening: ExitStack, token: KeystoreToken | None) -> None:
        """Know who holds keys of epochs; the last one makes new ones."""
        self._holders: dict[str, EpochKeys] = {"file": FileEpochKeys(self._root)}
        if token is not None:
            self._holders["pkcs11"] = TokenEpochKeys(token, self._root)
        self._maker = list(self._holders.values())[-1]
        opening.callback(self._maker.close)
        for (name,) in self._rows("SELECT epoch FROM epoch_key"):
            self._holder_of(name)

    def require_ready(self) -> None:
        """See that keys can be made and used.

        Raises:
            KeystoreError: the token that holds those of epochs cannot be used.
        """
        self._maker.require_ready()

    def close(self) -> None:
        """Let go of the file, and of the token."""
        self._maker.close()
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
        keys = [bytearray(secrets.token_bytes(KEY_BYTES)) for _ in wanted]
        epochs = dict.fromkeys(epoch for _, epoch in wanted)
        for epoch in epochs:
            self._announce(epoch)
        with self._transaction():
            current = {epoch: self._current_key(epoch) for epoch in epochs}
            for (item, epoch), key in zip(wanted, keys, strict=True):
                if self._tombstone(item) is not None:
                    raise KeyDestroyedError(f"item {item.hex}: was destroyed and cannot be sealed")
                self._put(item, key, *current[epoch])
        return keys

    def key(self, item: UUID) -> bytearray:
        """The key of an item: 32 bytes, to be wiped.

        Raises:
            KeyDestroyedError: there is none.
            ContentAlteredError: what is stored is not a key that was wrapped here for this item.
        """
        wrapped, name = self._of_item(item)
        whose = f"item {item.hex}"
        if name is None:
            return unwrapped_by(self._root, wrapped, item.bytes, whose)
        kept = self._kept(name)
        if kept is None:
            raise KeyDestroyedError(f"{whose}: the key of its epoch is gone")
        return self._holder_of(name).unwrap(name, kept, wrapped, item.bytes, whose)

    def rewrap(self, items: Sequence[UUID], hold: UUID) -> None:
        """Wrap the keys of items by keys of a hold's own, all or none. Repeating it is no change.

        From then on they keep no epoch of a day from ending. The hold has a key for each
        deployment and class, which ends with the last item that it wraps (:meth:`end_epochs`).
        An item whose hold is lifted stays where it is until it is destroyed; another hold takes
        it over.

        Raises:
            KeyDestroyedError: an item has no key.
            KeystoreError: the disk or the token did not take it. Nothing is changed.
        """
        for epoch in {self._held_as(item, hold) for item in items}:
            self._announce(epoch)
        with self._transaction():
            for item in items:
                epoch = self._held_as(item, hold)
                _, name = self._of_item(item)
                if name is not None and _epoch_named(name) == epoch:
                    continue
                key = self.key(item)
                try:
                    self._put(item, key, *self._current_key(epoch))
                finally:
                    key[:] = bytes(len(key))

    def _held_as(self, item: UUID, hold: UUID) -> Epoch:
        """The epoch of this hold that takes the item."""
        _, name = self._of_item(item)
        if name is None:
            raise KeystoreError(f"item {item.hex}: is of no epoch, so its key cannot be moved")
        now = _epoch_named(name)
        return Epoch(now.deployment, now.item_class, day=None, hold=hold)

    def _of_item(self, item: UUID) -> tuple[bytes, str | None]:
        """The wrapped key of an item, and the name of the key that wraps it."""
        rows = self._rows("SELECT wrapped, epoch FROM item_key WHERE item = ?", item.hex)
        # A key that was put back beside its tombstone, from an older copy, opens nothing.
        if not rows or self._tombstone(item) is not None:
            raise KeyDestroyedError(f"item {item.hex}: there is no key")
        return rows[0][0], rows[0][1]

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

        The key of a hold ends as soon as it wraps nothing. Where a crash left a key destroyed and
        its row not, this does the rest.

        Args:
            at: when. Epochs of days before this one (UTC) can be joined by nothing;
            over: nor can those of these deployments.

        Raises:
            KeystoreError: the disk or the token did not take it. Repeat it.
        """
        ended: list[EpochEnded] = []
        today = utc(at).date()
        with self._transaction():
            for name in self._unused():
                epoch = _epoch_named(name)
                if epoch.day is not None and epoch.day >= today and epoch.deployment not in over:
                    continue
                holder, kept = self._holder_of(name), self._kept(name)
                if kept is not None:
                    holder.destroy(kept)
                self._connection.execute("DELETE FROM epoch_key WHERE epoch = ?", (name,))
                link = self._chained(name, written(at))
                ended.append(EpochEnded(epoch, holder.where, link))
        return ended

    def _unused(self) -> list[str]:
        """The keys of epochs of which no key wraps anything: an epoch may have one in each place,
        and has ended only when all are gone."""
        if not (empty := [name for (name,) in self._rows(_EMPTY_EPOCHS)]):
            return []
        used = {
            _epoch_named(name)
            for (name,) in self._rows("SELECT DISTINCT epoch FROM item_key WHERE epoch IS NOT NULL")
        }
        return [name for name in empty if _epoch_named(name) not in used]

    def epochs(self) -> set[str]:
        """The names of epochs that have a key."""
        there = self._there()
        return {
            _epoch_named(name).name
            for name, kept in self._rows("SELECT epoch, wrapped FROM epoch_key")
            if not self._holder_of(name).outside or kept in there
        }

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
        """Files in the directory that are none of the keystore's, and keys of epochs on the token
        that the file does not know: of an older copy of either, or left by somebody's hand.

        They are not removed: a keystore that was copied to be looked at would destroy the keys of
        the one that lives.
        """
        known = {kept for (kept,) in self._rows("SELECT wrapped FROM epoch_key")}
        files = sum(1 for one in self.directory.iterdir() if one.name not in _OURS)
        return files + len(self._there() - known)

    def _there(self) -> set[bytes]:
        """What the file must know of the keys that are held outside it."""
        return {kept for holder in self._holders.values() for kept in holder.there()}

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
            EpochEnded(_epoch_named(name), _where(name), Tombstone(seq, digest))
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

    def _put(self, item: UUID, key: bytearray, name: str, kept: bytes) -> None:
        """Write an item's key, wrapped by this key of its epoch."""
        self._connection.execute(
            "INSERT INTO item_key (item, wrapped, epoch) VALUES (?, ?, ?) ON CONFLICT (item) "
            "DO UPDATE SET wrapped = excluded.wrapped, epoch = excluded.epoch",
            (item.hex, self._wrapped(name, kept, key, item), name),
        )

    def _wrapped(self, name: str, kept: bytes, key: bytearray, item: UUID) -> bytes:
        try:
            return self._maker.wrap(name, kept, key, item.bytes)
        except KeyDestroyedError as error:
            # Announced and not made yet; or destroyed, by a process that died before it said so.
            if self._rows("SELECT 1 FROM item_key WHERE epoch = ? LIMIT 1", name):
                raise KeystoreError(
                    f"{error}, although it wraps keys of items: bring it back, or destroy these "
                    "items. Until then nothing more can be sealed in this epoch"
                ) from error
        self._maker.make(name, kept)
        return self._maker.wrap(name, kept, key, item.bytes)

    def _announce(self, epoch: Epoch) -> None:
        """Make durable which key is going to be made outside this file, before it is.

        So no crash leaves a key that nobody knows of.
        """
        if self._maker.outside and self._kept(self._name(epoch)) is None:
            self._maker.require_ready()
            with self._transaction():
                self._current_key(epoch)

    def _current_key(self, epoch: Epoch) -> tuple[str, bytes]:
        """The name of an epoch's key and what is kept of it, begun if there is none."""
        name = self._name(epoch)
        kept = self._kept(name)
        if kept is None:
            kept = self._maker.prepare(name)
            self._connection.execute(
                "INSERT INTO epoch_key (epoch, wrapped) VALUES (?, ?)", (name, kept)
            )
        return name, kept

    def _name(self, epoch: Epoch) -> str:
        """One whose key was destroyed is not brought back: the next one has another name."""
        place = "" if self._maker.where == "file" else f"@{self._maker.where}"
        generation = 1
        name = epoch.name + place
        while self._rows("SELECT 1 FROM tombstone WHERE item = ?", name):
            generation += 1
            name = f"{epoch.name}{place}~{generation}"
        return name

    def _kept(self, name: str) -> bytes | None:
        rows = self._rows("SELECT wrapped FROM epoch_key WHERE epoch = ?", name)
        return rows[0][0] if rows else None

    def _holder_of(self, name: str) -> EpochKeys:
        if (where := _where(name)) not in self._holders:
            raise KeystoreError(
                f"keys of epochs of {self._database} are on a token: name it with "
                "PLUMBLINE_EPOCH_KEYS"
            )
        return self._holders[where]

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
                    f"back. If it is lost, so is what was sealed here: put {KEY_BYTES} fresh "
                    "random bytes there (chmod 600) and destroy the items"
                )
            write_durably(path, secrets.token_bytes(KEY_BYTES), mode=0o600)
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


def _epoch_named(name: str) -> Epoch:
    return Epoch.from_name(_parts(name)["epoch"])


def _where(name: str) -> str:
    return _parts(name)["where"] or "file"


def _parts(name: str) -> re.Match[str]:
    if (found := _NAME.fullmatch(name)) is None:
        raise KeystoreError(f"expected the name of an epoch's key, found {name!a}")
    return found


def _link(seq: int, item: str, at: str, prev: str) -> str:
    """One link: SHA-256 over its own fields and the digest before it, hex."""
    return hashlib.sha256(
        f"plumbline-tombstone/v1\n{seq}\n{item}\n{at}\n{prev}\n".encode()
    ).hexdigest()


def _root_in(path: Path) -> bytes:
    _require_private(path)
    root = path.read_bytes()
    if len(root) != KEY_BYTES:
        raise KeystoreError(f"expected {KEY_BYTES} bytes in {path}, found {len(root)}")
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

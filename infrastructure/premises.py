"""The premises of one node: record, keystore, media and seal, each in a directory of its own.

They are apart because they live differently: the record may be backed up, the keystore must
not be (architecture, decision 5).
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.ports import Clock
from infrastructure.custody.separate_rechecker import Enrol, SeparateRechecker
from infrastructure.files import make_private_directory
from infrastructure.record.databases import Database, SQLiteDatabase, database_at
from infrastructure.record.event_record import EventRecord, Heard
from infrastructure.record.schema import found_log, migrate, require_current, revision
from infrastructure.seal.keys import KeyFolder
from infrastructure.seal.sealer import Sealer
from infrastructure.seal.token import Token
from infrastructure.vault.ciphertexts import ciphertexts_at
from infrastructure.vault.command_keys import StoredCommandKeys
from infrastructure.vault.epoch_keys import KeystoreToken
from infrastructure.vault.keystore import Keystore
from infrastructure.vault.sealed_vault import SealedVault

_OURS = frozenset({"record", "keystore", "media", "seal", "access", "recheck", "lock"})


class PremisesError(DomainError):
    """The directory is missing, in use, or of the other mode."""


class PremisesInUseError(PremisesError):
    """Another process is alone in writing here."""


class Premises:
    """The directories below one path, and the record's database if that is elsewhere.

    Args:
        path: the data directory.
        url: a PostgreSQL database that holds the record; None for a file below the path.
        log_key: a PKCS#11 token on which the log's keys are made; None for files.
        epoch_keys: a PKCS#11 token on which the keystore's keys of epochs are; None for its file.
        recheck: the directory of the re-checker's key; None for one below the path.
        bucket: ``s3://bucket/prefix`` that holds the ciphertexts; None for a directory below the
            path.
    """

    def __init__(
        self,
        path: Path,
        *,
        url: str | None = None,
        log_key: str | None = None,
        epoch_keys: str | None = None,
        recheck: Path | None = None,
        bucket: str | None = None,
    ) -> None:
        self._log_key = log_key
        self._epoch_keys = epoch_keys
        self._recheck = recheck
        self._bucket = bucket
        self.path = path.absolute()
        self.database: Database = database_at(url, otherwise=self.path / "record" / "record.db")

    @property
    def keystore(self) -> Path:
        """Keys of items, and the tombstones of those that were destroyed."""
        return self.path / "keystore"

    @property
    def media(self) -> Path:
        """Ciphertexts."""
        return self.path / "media"

    @property
    def media_at(self) -> str:
        """Where ciphertexts lie: that directory, or ``s3://bucket/prefix``."""
        return self._bucket or str(self.media)

    @property
    def seal(self) -> Path:
        """The log's key and its newest checkpoint."""
        return self.path / "seal"

    @property
    def recheck(self) -> Path:
        """The re-checker's key, which nobody else reads."""
        return self._recheck or self.path / "recheck"

    @property
    def bucket(self) -> str | None:
        """Where ciphertexts lie if it is in a bucket: ``s3://bucket/prefix``."""
        return self._bucket

    @property
    def boundary(self) -> str:
        """The stores of this node, as a receipt names them."""
        in_a_file = isinstance(self.database, SQLiteDatabase)
        record = "SQLite file" if in_a_file else "PostgreSQL database"
        keys = "SQLite file, its keys on a PKCS#11 token" if self._epoch_keys else "SQLite file"
        media = "S3 bucket" if self._bucket else "directory"
        return (
            f"the record ({record}), the keystore ({keys}) and the media store ({media}) of one "
            "node; no copies outside them"
        )

    @property
    def access(self) -> Path:
        """Who may ask the server what: digests of tokens."""
        return self.path / "access"

    def exists(self) -> bool:
        """Whether there is a record's database."""
        return self.database.exists()

    def found(self, mode: Mode) -> None:
        """Make the premises of a new log, or leave those that stand as they are.

        A crash at any step is mended by the next call: the tables are made in one transaction
        and the origin is written once. Tables of an older shape are not touched.

        Raises:
            SchemaError: the record is of another shape; says the command to run.
        """
        make_private_directory(self.path)
        make_private_directory(self.path / "record")
        if revision(self.database) is None:
            migrate(self.database)
        require_current(self.database)
        found_log(self.database, origin=_new_origin(mode), mode=mode.value)

    def open_record(
        self, mode: Mode, clock: Clock, on_commit: Heard = lambda size: None
    ) -> EventRecord:
        """The record, which must be of this mode.

        Raises:
            PremisesError: a rehearsal in operational premises, or the reverse.
        """
        record = EventRecord(
            self.database,
            clock=clock,
            keys=StoredCommandKeys(self.keystore),
            on_commit=on_commit,
        )
        if record.mode != mode.value:
            record.close()
            raise PremisesError(
                f"{self.database.name} holds a {record.mode} record: a {mode.value} needs a record "
                "of its own"
            )
        return record

    def open_vault(self) -> SealedVault:
        """The vault over this keystore and this media store."""
        return SealedVault(self._keystore(), ciphertexts_at(self.media_at))

    def try_keystore(self) -> None:
        """See that the keystore can be read, and that its token answers.

        Raises:
            KeystoreError: it cannot be read, or the token that holds its keys cannot be used.
        """
        with closing(self._keystore(only_reading=True)) as keystore:
            keystore.require_ready()

    def _keystore(self, *, only_reading: bool = False) -> Keystore:
        token = KeystoreToken.from_uri(self._epoch_keys) if self._epoch_keys else None
        return Keystore(self.keystore, only_reading=only_reading, token=token)

    def rechecker(self, *, enrol: Enrol, credential: Path | None = None) -> SeparateRechecker:
        """Another process that looks again after each destruction, with a key of its own.

        Args:
            enrol: told who it is, before anything rests on it.
            credential: another person's key; None for the one that is kept here.
        """
        return SeparateRechecker(
            credential or self.recheck / "recheck.key",
            self.keystore,
            self.media_at,
            epoch_keys=self._epoch_keys,
            enrol=enrol,
        )

    def sealer(self, origin: str, *, new: bool) -> Sealer:
        """The sealer of the log with this origin, with its key.

        Args:
            origin: the log's name.
            new: whether the log has no entry yet; a key is made for a new log only.

        Raises:
            SealKeyError: the log's key is gone, or another log's.
        """
        token = Token.from_uri(self._log_key) if self._log_key else None
        keys = KeyFolder(self.seal, origin=origin, token=token)
        keys.make(new=new)
        return Sealer(self.seal, keys)

    def _require_usable(self) -> None:
        """Refuse a directory that holds anything but a record of ours, before a byte is written."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise PremisesError(
                f"cannot use {self.path}: expected a directory, found something else"
            )
        strange = sorted(one.name for one in self.path.iterdir() if one.name not in _OURS)
        if strange:
            raise PremisesError(
                f"{self.path} is not empty and holds {len(strange)} things that are not of a "
                "record: give an empty or a new directory with --data"
            )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only process that writes here.

        Raises:
            PremisesError: another process is at work here.
        """
        self._require_usable()
        make_private_directory(self.path)
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise PremisesError(f"cannot write in {self.path}: {error.strerror}") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise PremisesInUseError(
                    f"{self.path} is in use by another process: wait for it, or give another "
                    "directory with --data"
                ) from error
            yield
        finally:
            os.close(descriptor)


def _new_origin(mode: Mode) -> str:
    """A name that no other log has: random, and it says what kind of log it is."""
    return f"plumbline.invalid/{mode.value}/{secrets.token_hex(8)}"

"""The keys under which commands are known again, one for each scope, and their end.

They lie beside the keystore and for the same reasons: a file of its own that keeps no old page
(:mod:`infrastructure.vault.keystore`), never in a backup of the record.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.kernel.errors import DomainError
from infrastructure.files import make_private_directory

_TABLE = (
    "CREATE TABLE IF NOT EXISTS command_key "
    "(name TEXT PRIMARY KEY, scope TEXT NOT NULL UNIQUE, key BLOB NOT NULL) STRICT"
)
_PATIENCE_SECONDS = 30


class CommandKeysError(DomainError):
    """The keys cannot be read or written now."""


class StoredCommandKeys:
    """The keys of one node, in ``commands.db``.

    Args:
        directory: the keystore's; made with 0700 if it is missing.

    Raises:
        CommandKeysError: the file cannot be used.
    """

    def __init__(self, directory: Path) -> None:
        make_private_directory(directory)
        self._file = directory / "commands.db"
        with self._in_our_words():
            self._file.touch(mode=0o600)
            self._connection = sqlite3.connect(
                self._file,
                isolation_level=None,
                timeout=_PATIENCE_SECONDS,
                check_same_thread=False,
            )
            for setting in ("journal_mode = DELETE", "secure_delete = ON", "synchronous = FULL"):
                self._connection.execute(f"PRAGMA {setting}")
            self._connection.execute(_TABLE)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def current(self, scope: str) -> tuple[str, bytes]:
        """The name of a scope's key and the key, made if there is none."""
        asked = "SELECT name, key FROM command_key WHERE scope = ?"
        with self._in_our_words():
            found = self._connection.execute(asked, (scope,)).fetchone()
            if found is None:
                self._connection.execute(
                    "INSERT INTO command_key (name, scope, key) VALUES (?, ?, ?) "
                    "ON CONFLICT (scope) DO NOTHING",
                    (secrets.token_hex(16), scope, secrets.token_bytes(32)),
                )
                found = self._connection.execute(asked, (scope,)).fetchone()
        name, key = found
        return name, key

    def find(self, name: str) -> bytes | None:
        """The key of this name, unless it was erased."""
        with self._in_our_words():
            found = self._connection.execute(
                "SELECT key FROM command_key WHERE name = ?", (name,)
            ).fetchone()
        return found[0] if found else None

    def forget(self, scope: str) -> None:
        """Erase every key of a scope."""
        with self._in_our_words():
            self._connection.execute("DELETE FROM command_key WHERE scope = ?", (scope,))

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise CommandKeysError(f"{self._file}: {error}") from error

"""The secrets behind the commitments to the heads of scopes: a new one for each commitment.

They are worked out from one secret beside the log's key, so that a commitment can be opened for
one scope whenever a pack is made. Without that file no scope can be opened any more; nothing else
rests on it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from domain.assurance.scope_heads import SECRET_BYTES, Opening, ScopeEnd, commit, open_end
from infrastructure.files import make_private_directory, sync_directory, write_durably
from infrastructure.seal.signing import SealError

_PURPOSE = b"plumbline-scope-heads/v1\0"


class ScopeSecrets:
    """The secrets of one log.

    Args:
        directory: holds ``scope.secret`` (0600), from which all are worked out.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "scope.secret"

    def commit(self, ends: Mapping[str, ScopeEnd], *, size: int) -> bytes:
        """The root of the commitment at this size of the log.

        Raises:
            SealError: the secret cannot be read or made.
        """
        return commit(ends, self._of(size))

    def open_end(self, ends: Mapping[str, ScopeEnd], *, size: int, scope: str) -> Opening:
        """What shows one scope's end in the commitment at this size of the log.

        Args:
            ends: of all scopes, as they were at that size.
            size: the ``size`` of ``log.scope_heads_committed``.
            scope: which one.

        Raises:
            KeyError: the log had no such scope then.
            SealError: the secret is gone.
        """
        return open_end(ends, self._of(size), scope)

    def make(self) -> None:
        """Make the secret, once, whichever process comes first.

        Raises:
            SealError: it cannot be written.
        """
        if self._file.exists():
            return
        mine = self._file.with_name(f"{self._file.name}.{secrets.token_hex(8)}")
        try:
            make_private_directory(self._file.parent)
            write_durably(mine, secrets.token_bytes(SECRET_BYTES), mode=0o600)
            with suppress(FileExistsError):
                # unlike a rename, this never takes the place of another's
                os.link(mine, self._file)
            mine.unlink()
            sync_directory(self._file.parent)
        except OSError as error:
            raise SealError(f"cannot write {self._file}: {error.strerror}") from error

    def _of(self, size: int) -> bytes:
        try:
            secret = self._file.read_bytes()
        except OSError as error:
            raise SealError(f"cannot read {self._file}: {error.strerror}") from error
        if len(secret) != SECRET_BYTES:
            raise SealError(f"{self._file}: expected {SECRET_BYTES} bytes, found {len(secret)}")
        return hmac.digest(secret, _PURPOSE + size.to_bytes(8, "big"), hashlib.sha256)

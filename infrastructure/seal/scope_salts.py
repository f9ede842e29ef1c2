"""The salts of the heads that are committed to: one for each scope and each commitment.

They are worked out from one secret beside the log's key, so that a commitment can be opened for
one scope whenever a pack is made, and no two commitments show whether another scope moved on.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from domain.assurance.tree import Frontier
from infrastructure.files import make_private_directory, write_durably
from infrastructure.record.heads import Heads
from infrastructure.seal.signing import SealError

_BYTES = 32
_PURPOSE = b"plumbline-scope-salt/v1\0"


class ScopeSalts:
    """The salts of one log.

    Args:
        directory: holds ``scope.salts`` (0600), the secret; made when first needed.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "scope.salts"

    def salt(self, scope: str, size: int) -> bytes:
        """The salt of a scope in the commitment at this size of the log, 32 bytes."""
        message = _PURPOSE + size.to_bytes(8, "big") + scope.encode()
        return hmac.digest(self._secret(), message, hashlib.sha256)

    def committed(self, heads: Heads) -> bytes:
        """The root over the heads, each under its salt."""
        tree = Frontier()
        for head in heads.scopes:
            told = self.salt(head.scope, heads.size) + head.leaf_hex.encode()
            tree.append(hashlib.sha256(told).digest())
        return tree.root()

    def _secret(self) -> bytes:
        try:
            if not self._file.exists():
                make_private_directory(self._file.parent)
                write_durably(self._file, secrets.token_bytes(_BYTES), mode=0o600)
            secret = self._file.read_bytes()
        except OSError as error:
            raise SealError(f"cannot use {self._file}: {error.strerror}") from error
        if len(secret) != _BYTES:
            raise SealError(f"{self._file}: expected {_BYTES} bytes, found {len(secret)}")
        return secret

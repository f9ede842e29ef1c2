"""The key that a re-checker signs with: a file that the process which destroys never reads."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.assurance.rechecks import key_name, public_key_of, signed
from domain.kernel.errors import DomainError
from infrastructure.files import make_private_directory, write_durably

_KEY_BYTES = 32


class CredentialError(DomainError):
    """The key is missing, open to others, or no key."""


class Credential:
    """An Ed25519 key in a file that only its owner may read (0600).

    Args:
        file: 32 bytes.

    Raises:
        CredentialError: it cannot be used.
    """

    def __init__(self, file: Path) -> None:
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            seed = file.read_bytes()
        except OSError as error:
            raise CredentialError(f"expected a key at {file}: {error.strerror}") from error
        if mode & 0o077:
            raise CredentialError(
                f"expected {file} to be closed to others, found mode {mode:o}: run chmod 600"
            )
        if len(seed) != _KEY_BYTES:
            raise CredentialError(
                f"expected a key of {_KEY_BYTES} bytes at {file}, found {len(seed)}"
            )
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @classmethod
    def made_once(cls, file: Path) -> Credential:
        """The key at this place, made if there is none yet."""
        if not file.exists():
            make_private_directory(file.parent)
            seed = Ed25519PrivateKey.generate().private_bytes_raw()
            try:
                write_durably(file, seed, mode=0o600)
            except OSError as error:
                raise CredentialError(f"cannot write {file}: {error.strerror}") from error
        return cls(file)

    @property
    def public_key(self) -> str:
        """Ed25519, hex."""
        return public_key_of(self._key)

    @property
    def name(self) -> str:
        """How the record calls it."""
        return key_name(self.public_key)

    def sign(self, statement: bytes) -> str:
        """The signature, hex."""
        return signed(statement, self._key)

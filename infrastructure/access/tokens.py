"""The server's tokens: one for each role, of which only digests are kept.

``access/tokens.json`` (0600, in a directory 0700) holds, for each role that has a token, the
token's SHA-256 and when it was made. A plain digest is right here, and only here: a token is 256
random bits, so nobody can guess one to compare, and a slow or salted hash would protect nothing
more. The file is read again whenever it changed, so that a token is revoked the moment the file
is replaced.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.kernel.commands import Role
from domain.kernel.errors import DomainError, UnavailableError
from domain.kernel.time import read, written
from domain.ports import Grant
from infrastructure.files import make_private_directory, write_durably

PREFIX = "plumbline_"
"""How every token begins, so that one that was pasted where it must not be can be found."""

LONGEST = 200
"""Characters; anything longer is no token and is not looked at."""

_FORMAT = 1


class TokenError(DomainError):
    """A token cannot be made or revoked."""


class TokensUnreadableError(UnavailableError):
    """The file of tokens is damaged or open to others: nobody is let in."""


@dataclass(frozen=True)
class KnownToken:
    """A token as the file knows it."""

    role: Role
    digest: bytes
    """SHA-256 of the token, 32 bytes."""
    made_at: datetime

    @property
    def fingerprint(self) -> str:
        """The digest in hex."""
        return self.digest.hex()


class TokenFile:
    """The tokens of one node.

    Args:
        directory: holds ``tokens.json``; is made with the first token.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: list[KnownToken] = []

    @property
    def file(self) -> Path:
        """The digests."""
        return self.directory / "tokens.json"

    def make(self, role: Role, *, at: datetime) -> str:
        """Make the token of a role; this is the only time that it can be seen.

        Raises:
            TokenError: the role has one already.
        """
        make_private_directory(self.directory)
        with self._changing():
            known = self._read()
            if any(one.role is role for one in known):
                raise TokenError(
                    f"there is a token for {role.value} already, and it cannot be shown again: "
                    f"run plumbline tokens revoke {role.value} first"
                )
            token = PREFIX + secrets.token_urlsafe(32)
            self._write([*known, KnownToken(role, _digest(token), at)])
        return token

    def revoke(self, role: Role) -> None:
        """Take a role's token away, at once.

        Raises:
            TokenError: the role has none.
        """
        if not self.file.exists():
            raise TokenError(f"there is no token for {role.value}")
        with self._changing():
            known = self._read()
            if all(one.role is not role for one in known):
                raise TokenError(f"there is no token for {role.value}")
            self._write([one for one in known if one.role is not role])

    def known(self) -> list[KnownToken]:
        """Every token, in the order in which they were made.

        Raises:
            TokensUnreadableError: the file is damaged or open to others.
        """
        with self._lock:
            try:
                found = self.file.stat()
            except FileNotFoundError:
                self._seen, self._known = None, []
                return []
            except OSError as error:
                raise TokensUnreadableError(f"cannot read {self.file}: {error.strerror}") from error
            # Every change is a new file under this name, so that these three cannot stay the same.
            seen = (found.st_ino, found.st_ctime_ns, found.st_size)
            if seen != self._seen:
                self._known, self._seen = self._read(), seen
            return list(self._known)

    def grant(self, token: str) -> Grant | None:
        """What this token opens (see ``domain.ports.AccessTokens``)."""
        if len(token) > LONGEST:
            return None
        wanted = _digest(token)
        # Every one is compared, each in constant time: how long it takes tells nothing.
        found = [one for one in self.known() if hmac.compare_digest(one.digest, wanted)]
        return Grant(found[0].fingerprint, found[0].role) if found else None

    def stands(self, grant: Grant) -> bool:
        """Whether the token was not revoked since."""
        return any(one.fingerprint == grant.fingerprint for one in self.known())

    def _read(self) -> list[KnownToken]:
        try:
            with self.file.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise TokensUnreadableError(
                        f"{self.file} is open to others: run chmod 600 {self.file}"
                    )
                return _tokens(json.loads(file.read()))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TokensUnreadableError(
                f"{self.file} cannot be read as tokens ({type(error).__name__}): nobody is let in"
            ) from error

    def _write(self, known: list[KnownToken]) -> None:
        content = {
            "v": _FORMAT,
            "tokens": [
                {
                    "role": one.role.value,
                    "sha256": one.fingerprint,
                    "made_at": written(one.made_at),
                }
                for one in known
            ],
        }
        write_durably(self.file, (json.dumps(content, indent=1) + "\n").encode(), mode=0o600)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Be the only one who changes the file; the lock goes with the descriptor."""
        try:
            descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)
        except OSError as error:
            raise TokenError(
                f"{self.file} cannot be changed ({error.strerror}): it is as it was"
            ) from error


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _tokens(content: Any) -> list[KnownToken]:
    if content["v"] != _FORMAT:
        raise ValueError("another format")
    found = []
    for one in content["tokens"]:
        digest = bytes.fromhex(one["sha256"])
        if len(digest) != hashlib.sha256().digest_size:
            raise ValueError("not a SHA-256")
        found.append(KnownToken(Role(one["role"]), digest, read(one["made_at"])))
    return found

"""The keys of one log: the one that signs, the one that is to follow, and those that did.

``log.key`` holds the private key in signed-note form (0600), or ``TOKEN+`` and the public key
where the private one is on a token. ``log.vkey`` is the public key, to give away. A rotation lays
the next key beside it as ``log.key.next`` and then renames it over the old, so that at every
instant there is exactly one key that signs. ``retired/<id>.vkey`` and ``retired/<id>.checkpoint``
keep a key that was replaced and the last checkpoint that it signed.
"""

from __future__ import annotations

import stat
from pathlib import Path

from domain.assurance.notes import NoteError, SignerKey, VerifierKey
from infrastructure.files import make_private_directory, sync_directory, write_durably
from infrastructure.seal.signing import SealError, SealKeyError, Signer
from infrastructure.seal.token import Token, TokenSigner

_ON_A_TOKEN = "TOKEN+"


class KeyFolder:
    """The keys of one log.

    Args:
        directory: where they are.
        origin: the log's name; also its keys'.
        token: where new keys are made; None for files. Keys that are on a token need it too.
    """

    def __init__(self, directory: Path, *, origin: str, token: Token | None = None) -> None:
        self.directory = directory
        self.origin = origin
        self.token = token

    @property
    def public_file(self) -> Path:
        """The key that whoever verifies needs, in signed-note form."""
        return self.directory / "log.vkey"

    def make(self, *, new: bool) -> None:
        """Make the log's key, once, and the verifier key that belongs to it.

        Args:
            new: whether the log has no entry yet. A log that was signed keeps its key: another
                would sign as if nothing had happened.

        Raises:
            SealKeyError: the key is missing although the log has entries, or is another log's.
        """
        make_private_directory(self.directory)
        if not self._current_file.exists() and new:
            self._generate(self._current_file)
        public = self.current().verifier()
        if not self.public_file.exists():
            self._publish(public)

    def current(self) -> Signer:
        """The key that signs.

        Raises:
            SealKeyError: it is missing, another log's, or readable to others.
        """
        if not self._current_file.is_file():
            raise SealKeyError(
                f"expected the log's key at {self._current_file}, found none: bring it back"
            )
        return self._read(self._current_file)

    def incoming(self) -> Signer | None:
        """The key that is to follow, while a rotation is not finished."""
        return self._read(self._next_file) if self._next_file.is_file() else None

    def make_incoming(self) -> Signer:
        """Make the key that is to follow; it signs nothing before the record says so."""
        self._generate(self._next_file)
        return self._read(self._next_file)

    def drop_incoming(self) -> None:
        """Remove a key that the record never heard of: a rotation died before it began."""
        incoming = self.incoming()
        if isinstance(incoming, TokenSigner):
            incoming.token.remove(incoming.key)
        self._next_file.unlink(missing_ok=True)
        sync_directory(self.directory)

    def adopt_incoming(self) -> None:
        """Put the incoming key in the place of the current, whose private part is then gone.

        A private key on a token is destroyed there by :meth:`destroy_on_token`.
        """
        self._next_file.rename(self._current_file)
        sync_directory(self.directory)

    def publish_current(self) -> None:
        """Give away the key that signs now."""
        self._publish(self.current().verifier())

    def destroy_on_token(self, key: VerifierKey) -> None:
        """Destroy a private key that was replaced, if it is on the token."""
        if self.token is not None:
            self.token.remove(key)

    def keep_retired(self, key: VerifierKey, last_checkpoint: bytes) -> None:
        """Keep a key that is replaced, and the last checkpoint that it signed."""
        folder = self.directory / "retired"
        make_private_directory(folder)
        write_durably(folder / f"{key.key_id.hex()}.vkey", _line(key.text()), mode=0o644)
        write_durably(self.last_checkpoint_of(key), last_checkpoint, mode=0o644)

    def last_checkpoint_of(self, key: VerifierKey) -> Path:
        """Where the last checkpoint is that a replaced key signed."""
        return self.directory / "retired" / f"{key.key_id.hex()}.checkpoint"

    def kept_in(self, signer: Signer) -> str:
        """Where its private part is: ``file`` or ``token``."""
        return "token" if isinstance(signer, TokenSigner) else "file"

    @property
    def _current_file(self) -> Path:
        return self.directory / "log.key"

    @property
    def _next_file(self) -> Path:
        return self.directory / "log.key.next"

    def _generate(self, file: Path) -> None:
        if self.token is not None:
            on_it = self.token.generate(self.origin)
            text = _ON_A_TOKEN + on_it.key.text()
        else:
            text = SignerKey.generate(self.origin).text()
        try:
            write_durably(file, _line(text), mode=0o600)
        except OSError as error:
            raise SealError(f"cannot write {file}: {error.strerror}") from error

    def _publish(self, key: VerifierKey) -> None:
        write_durably(self.public_file, _line(key.text()), mode=0o644)

    def _read(self, file: Path) -> Signer:
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise SealKeyError(f"{file} can be read by others: run chmod 600 {file}")
        try:
            text = file.read_text(encoding="utf-8").strip()
            key = (
                self._on_the_token(VerifierKey.from_text(text.removeprefix(_ON_A_TOKEN)), file)
                if text.startswith(_ON_A_TOKEN)
                else SignerKey.from_text(text)
            )
        except (NoteError, UnicodeDecodeError) as error:
            raise SealKeyError(f"{file} cannot be read as a key: {error}") from error
        if key.name != self.origin:
            raise SealKeyError(f"expected the key of {self.origin}, found one of {key.name}")
        return key

    def _on_the_token(self, key: VerifierKey, file: Path) -> TokenSigner:
        if self.token is None:
            raise SealKeyError(
                f"{file} says that the key is on a token: name it with PLUMBLINE_LOG_KEY"
            )
        return TokenSigner(self.token, key)


def _line(text: str) -> bytes:
    return f"{text}\n".encode()

"""Signed notes: text, a blank line, and lines with signatures over the text.

::

    example.org/plumbline/rehearsal
    40
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.org/plumbline/rehearsal Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOo...

The text includes its last newline and not the blank line. It may itself hold blank lines: the last
one in the note is the one that separates. A signature line is an em dash (U+2014), a space, the
name of the key, a space, and the base64 of the four bytes of the key's id and the signature.

A key is known by its name **and** its id. A signature by any other key is passed over, which is
how witnesses and new keys can be added later; a signature that claims to be by the known key and
is not is never passed over. Nothing of a note may be used before :func:`open_note` gave it back.

Ed25519 over the text (type 0x01) is made and read here; cosignatures of witnesses (type 0x04) in
:mod:`domain.assurance.cosignatures`.

Source: C2SP signed-note; the text forms of the keys are those of golang.org/x/mod/sumdb/note.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

ED25519 = b"\x01"
"""The signature type of Ed25519 over the text."""

MOST_SIGNATURES = 100
"""More in one note are refused. The specification asks for a limit of at least 16."""

_KEY_SIZE = 32
_ID_SIZE = 4
_DASH = "\u2014 "
_ID = re.compile(r"[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(Exception):
    """Base of the errors about notes and their keys."""


class KeyMalformedError(NoteError):
    """The text is not a key, or not one of a type that is known here."""


class NoteMalformedError(NoteError):
    """The text is not a signed note, or cannot become one."""


class NoteUnsignedError(NoteError):
    """The note carries no signature by the key."""


class SignatureInvalidError(NoteError):
    """The note carries a signature that claims to be by the key, and is not."""


@dataclass(frozen=True)
class VerifierKey:
    """A public key under the name of whom it speaks for. Given out of band, and trusted.

    Raises:
        KeyMalformedError: the name is empty or has a space or a plus; the key is not 32 bytes.
    """

    ALGORITHM: ClassVar[bytes] = ED25519
    """The type byte of the key and of its signatures."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        """Refuse a key that no note could name."""
        _require_key(self.name, self.public)

    @property
    def key_id(self) -> bytes:
        """Four bytes that stand for the key in a note, next to its name."""
        named = self.name.encode() + b"\n" + self.ALGORITHM + self.public
        return hashlib.sha256(named).digest()[:_ID_SIZE]

    def text(self) -> str:
        """``name+id+base64``, one line without its newline."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(self.ALGORITHM + self.public)}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The key that :meth:`text` wrote.

        Raises:
            KeyMalformedError: it is not one, of another type, or its id does not fit.
        """
        match text.split("+", 2):
            case [name, key_id, encoded]:
                key = cls(name, _key_bytes(encoded, cls.ALGORITHM))
            case _:
                raise KeyMalformedError("expected a public key as name+id+base64")
        _require_id(key, key_id)
        return key

    def verify(self, text: str, signature: bytes) -> None:
        """Check a signature over the text.

        Raises:
            SignatureInvalidError: it is not by this key over this text.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature as error:
            raise SignatureInvalidError(
                f"the signature by {self.name}+{self.key_id.hex()} does not fit the text"
            ) from error


@dataclass(frozen=True)
class SignerKey:
    """A private key under the name of whom it speaks for. It is never shown by ``repr``.

    Raises:
        KeyMalformedError: the name is empty or has a space or a plus; the seed is not 32 bytes.
    """

    ALGORITHM: ClassVar[bytes] = ED25519
    """The type byte of the key and of its signatures."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a key that no note could name."""
        _require_key(self.name, self.seed)

    @classmethod
    def generate(cls, name: str) -> Self:
        """A fresh random key."""
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    def verifier(self) -> VerifierKey:
        """The public key to it."""
        return VerifierKey(self.name, self._private.public_key().public_bytes_raw())

    def text(self) -> str:
        """``PRIVATE+KEY+name+id+base64``, one line without its newline. Keep it secret."""
        key_id = self.verifier().key_id.hex()
        return f"PRIVATE+KEY+{self.name}+{key_id}+{_base64(self.ALGORITHM + self.seed)}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The key that :meth:`text` wrote.

        Raises:
            KeyMalformedError: it is not one, of another type, or its id does not fit.
        """
        match text.split("+", 4):
            case ["PRIVATE", "KEY", name, key_id, encoded]:
                key = cls(name, _key_bytes(encoded, cls.ALGORITHM))
            case _:
                raise KeyMalformedError("expected a private key as PRIVATE+KEY+name+id+base64")
        _require_id(key.verifier(), key_id)
        return key

    def sign(self, text: str) -> bytes:
        """The signature over the text, 64 bytes."""
        return self._private.sign(text.encode())

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def sign_note(text: str, key: SignerKey) -> str:
    """The note of this text with one signature, by this key.

    Raises:
        NoteMalformedError: the text does not end in a newline, or has control characters.
    """
    if not text.endswith("\n"):
        raise NoteMalformedError("expected a text that ends in a newline, found one that does not")
    _require_characters(text)
    return f"{text}\n{signature_line(key.verifier(), key.sign(text))}"


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """The line that carries a signature by this key, with its newline."""
    return f"{_DASH}{key.name} {_base64(key.key_id + signature)}\n"


def open_note(note: str, key: VerifierKey) -> str:
    """The text of a note, once the trusted key's signature over it was checked.

    Args:
        note: the whole note, its newlines untranslated.

    Raises:
        NoteMalformedError: it is not a signed note.
        NoteUnsignedError: it has no signature by this key.
        SignatureInvalidError: a signature by this key does not fit, even if another does.
    """
    text, signatures = taken_apart(note)
    verified = False
    for name, key_id, signature in signatures:
        if (name, key_id) != (key.name, key.key_id):
            continue
        key.verify(text, signature)
        verified = True
    if not verified:
        raise NoteUnsignedError(
            f"expected a signature by {key.name}+{key.key_id.hex()}, found none"
        )
    return text


def decoded_base64(text: str) -> bytes | None:
    """The bytes of a base64 text (RFC 4648, section 4), or None where it is not the one form.

    The standard library passes over bits that the last character has too many; two texts for the
    same bytes would then be possible.
    """
    try:
        decoded = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return decoded if _base64(decoded) == text else None


def taken_apart(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The text, and each signature with the name and id of the key that it claims.

    Raises:
        NoteMalformedError: it is not a signed note.
    """
    _require_characters(note)
    body, blank_line, lines = note.rpartition("\n\n")
    if not blank_line or not lines.endswith("\n"):
        raise NoteMalformedError("expected a text, a blank line and lines with signatures")
    signatures = lines[:-1].split("\n")
    if len(signatures) > MOST_SIGNATURES:
        raise NoteMalformedError(
            f"expected at most {MOST_SIGNATURES} signatures, found {len(signatures)}"
        )
    return body + "\n", [_signature(line) for line in signatures]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    decoded = decoded_base64(encoded)
    if (
        not line.startswith(_DASH)
        or not space
        or not _is_name(name)
        or decoded is None
        or len(decoded) <= _ID_SIZE
    ):
        raise NoteMalformedError("expected a signature as an em dash, a key's name and base64")
    return name, decoded[:_ID_SIZE], decoded[_ID_SIZE:]


def _is_name(name: str) -> bool:
    return name != "" and "+" not in name and not any(one.isspace() for one in name)


def _require_key(name: str, key: bytes) -> None:
    if not _is_name(name) or _CONTROL.search(name):
        raise KeyMalformedError("expected a key's name without spaces and plus signs")
    if len(key) != _KEY_SIZE:
        raise KeyMalformedError(f"expected an Ed25519 key of {_KEY_SIZE} bytes, found {len(key)}")


def _key_bytes(encoded: str, algorithm: bytes) -> bytes:
    decoded = decoded_base64(encoded)
    if decoded is None or decoded[:1] != algorithm:
        raise KeyMalformedError(f"expected the base64 of a key of type {algorithm[0]}")
    return decoded[1:]


def _require_id(key: VerifierKey, key_id: str) -> None:
    if _ID.fullmatch(key_id) is None or bytes.fromhex(key_id) != key.key_id:
        raise KeyMalformedError(
            f"key {key.name}: expected the id {key.key_id.hex()}, found {key_id!a}"
        )


def _require_characters(text: str) -> None:
    if _CONTROL.search(text):
        raise NoteMalformedError("expected no control character but newline, found one")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NoteMalformedError(
            f"expected Unicode text, found half of a surrogate pair at character {error.start}"
        ) from error


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()

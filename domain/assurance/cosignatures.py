"""Cosignatures: a witness says that it saw this checkpoint, when, and no fork of it.

A witness is somebody else's program. It keeps the newest checkpoint of each log that it knows, and
adds its signature to a newer one only with a proof that the log grew from the one to the other. A
log that shows two histories to two people would have to get both past the same witness.

The signature is over the time and the checkpoint's text::

    cosignature/v1
    time 1763890200
    example.org/plumbline/rehearsal
    40
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

and stands in the note as any signature does, with the eight bytes of the time before it.

Source: C2SP tlog-cosignature (cosignature/v1, type 0x04).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from domain.assurance.notes import (
    NoteMalformedError,
    NoteUnsignedError,
    SignatureInvalidError,
    SignerKey,
    VerifierKey,
    signature_line,
    taken_apart,
)

COSIGNATURE = b"\x04"
"""The signature type of a timestamped Ed25519 cosignature."""

_LATEST = 2**63 - 1
"""Seconds since 1970. The specification allows no later time."""

_TIME = 8
_SIGNATURE = 64


@dataclass(frozen=True)
class WitnessKey(VerifierKey):
    """A witness's public key. Given out of band, and trusted."""

    ALGORITHM: ClassVar[bytes] = COSIGNATURE


@dataclass(frozen=True)
class WitnessSignerKey(SignerKey):
    """A witness's private key."""

    ALGORITHM: ClassVar[bytes] = COSIGNATURE

    def verifier(self) -> WitnessKey:
        """The public key to it."""
        return WitnessKey(self.name, super().verifier().public)


def cosign(note: str, key: WitnessSignerKey, *, at: int) -> str:
    """The line that adds a witness's signature to a note; its text is all that is signed.

    Args:
        note: a signed checkpoint, which the caller has checked.
        key: the witness's.
        at: seconds since 1970, UTC.

    Raises:
        NoteMalformedError: it is not a note, or the time is before 1970.
    """
    text, _ = taken_apart(note)
    if not 0 <= at <= _LATEST:
        raise NoteMalformedError(f"expected a time from 1970 on, found {at}")
    return signature_line(key.verifier(), at.to_bytes(_TIME, "big") + key.sign(_signed(text, at)))


def add_cosignature(note: str, line: str) -> str:
    """The note with one more signature, which stands in it once.

    Raises:
        NoteMalformedError: what comes of it is not a note.
    """
    _, before = taken_apart(note)
    _, after = taken_apart(note + line)
    if after[:-1] != before:
        raise NoteMalformedError("expected one line with a signature")
    return note if after[-1] in before else note + line


def cosigned_at(note: str, key: WitnessKey) -> int:
    """When a witness cosigned a note, once its signature was checked: seconds since 1970.

    Raises:
        NoteMalformedError: it is not a note.
        NoteUnsignedError: it has no signature by this witness.
        SignatureInvalidError: one by this witness does not fit, or is of a time that cannot be.
    """
    text, signatures = taken_apart(note)
    times = []
    for name, key_id, signature in signatures:
        if (name, key_id) != (key.name, key.key_id):
            continue
        if len(signature) != _TIME + _SIGNATURE:
            raise SignatureInvalidError(f"the cosignature by {key.name} is not 72 bytes long")
        at = int.from_bytes(signature[:_TIME], "big")
        if at > _LATEST:
            raise SignatureInvalidError(f"the cosignature by {key.name} is of no possible time")
        key.verify(_signed(text, at), signature[_TIME:])
        times.append(at)
    if not times:
        raise NoteUnsignedError(f"expected a cosignature by {key.name}, found none")
    return max(times)


def cosignatures(note: str, keys: Iterable[WitnessKey]) -> dict[str, int]:
    """Which of these witnesses cosigned a note, and when; of two keys of one, the later time.

    Raises:
        NoteMalformedError: it is not a note.
        SignatureInvalidError: a signature by one of them does not fit.
    """
    found: dict[str, int] = {}
    for key in keys:
        try:
            found[key.name] = max(cosigned_at(note, key), found.get(key.name, 0))
        except NoteUnsignedError:
            continue
    return found


def _signed(text: str, at: int) -> str:
    return f"cosignature/v1\ntime {at}\n{text}"

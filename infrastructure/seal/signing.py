"""Who signs for a log: a key in a file or on a token, behind one face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.assurance.checkpoints import Checkpoint
from domain.assurance.notes import VerifierKey, signature_line
from domain.kernel.errors import DomainError


class SealError(DomainError):
    """The log cannot be signed now; nothing that is stored is lost."""


class SealKeyError(SealError):
    """The log's key is missing, unreadable to us, or readable to others."""


class Signer(Protocol):
    """A private key, wherever it is kept."""

    @property
    def name(self) -> str:
        """Whom it speaks for: the log's origin."""

    def verifier(self) -> VerifierKey:
        """The public key to it."""

    def sign(self, text: str) -> bytes:
        """The Ed25519 signature over the text, 64 bytes.

        Raises:
            SealKeyError: the key cannot be used now.
        """


def signed_note(checkpoint: Checkpoint, signers: Sequence[Signer]) -> str:
    """The checkpoint as a note with a signature by each (C2SP signed-note)."""
    text = checkpoint.text()
    lines = []
    for signer in signers:
        lines.append(signature_line(signer.verifier(), signer.sign(text)))
    return f"{text}\n{''.join(lines)}"

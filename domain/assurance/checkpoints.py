"""Checkpoints: a log's origin, size and root, signed by the log's key.

::

    example.org/plumbline/rehearsal
    40
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

A log never signs two checkpoints of which one is not an earlier state of the other. Whoever keeps
one checkpoint can therefore hold the log to everything that it covers.

The text has one form for one content, and nothing else is read: the size without leading zeros,
the root as the one base64 of 32 bytes. Lines after the third are extensions; they are kept as they
are, and mean nothing here.

Source: C2SP tlog-checkpoint.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Self

from domain.assurance.notes import (
    SignerKey,
    VerifierKey,
    decoded_base64,
    open_note,
    sign_note,
)
from domain.assurance.tree import HASH_SIZE

LARGEST_SIZE = 2**63 - 1
"""As in the reference implementation, which counts in 64 bits with a sign."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class CheckpointError(Exception):
    """Base of the errors about checkpoints."""


class CheckpointMalformedError(CheckpointError):
    """The text or the values are not a checkpoint."""


class CheckpointOfAnotherLogError(CheckpointError):
    """The checkpoint is in order, but of a log with another origin."""


@dataclass(frozen=True)
class Checkpoint:
    """A log's state at one size.

    Raises:
        CheckpointMalformedError: a value has no place in a checkpoint.
    """

    origin: str
    """Which log it is: one line."""
    size: int
    """The number of entries, from 0."""
    root: bytes
    """The Merkle tree hash of the first ``size`` entries, 32 bytes (RFC 9162)."""
    extensions: tuple[str, ...] = ()
    """Further lines, kept and not interpreted."""

    def __post_init__(self) -> None:
        """Refuse what :meth:`parse` would not read back as the same."""
        if any(line == "" or "\n" in line for line in (self.origin, *self.extensions)):
            raise CheckpointMalformedError("expected lines of text, found an empty or broken one")
        if not 0 <= self.size <= LARGEST_SIZE:
            raise CheckpointMalformedError(
                f"expected a size from 0 to 2**63 - 1, found one of {self.size.bit_length()} bits"
            )
        if len(self.root) != HASH_SIZE:
            raise CheckpointMalformedError(
                f"expected a root of {HASH_SIZE} bytes, found {len(self.root)}"
            )

    def text(self) -> str:
        """The text that is signed, with its last newline."""
        root = base64.b64encode(self.root).decode()
        return "".join(
            f"{line}\n" for line in (self.origin, str(self.size), root, *self.extensions)
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint that :meth:`text` wrote.

        Raises:
            CheckpointMalformedError: it is not the text of one.
        """
        origin, size, root, *extensions = _lines(text)
        if _SIZE.fullmatch(size) is None:
            raise CheckpointMalformedError(
                f"line 2: expected a size without leading zeros, found {size[:40]!a}"
            )
        decoded = decoded_base64(root)
        if decoded is None:
            raise CheckpointMalformedError("line 3: expected a root in base64")
        return cls(origin, int(size), decoded, tuple(extensions))


def sign(checkpoint: Checkpoint, key: SignerKey) -> str:
    """The checkpoint as a signed note."""
    return sign_note(checkpoint.text(), key)


def open_checkpoint(note_text: str, key: VerifierKey, origin: str) -> Checkpoint:
    """The checkpoint in a note, once the key's signature and the origin were checked.

    Raises:
        NoteError: the note is malformed, or not signed by this key.
        CheckpointMalformedError: it is signed, but no checkpoint.
        CheckpointOfAnotherLogError: it is a checkpoint of another log.
    """
    checkpoint = Checkpoint.parse(open_note(note_text, key))
    if checkpoint.origin != origin:
        raise CheckpointOfAnotherLogError(
            f"expected a checkpoint of {origin}, found one of {checkpoint.origin}"
        )
    return checkpoint


def _lines(text: str) -> list[str]:
    if not text.endswith("\n"):
        raise CheckpointMalformedError(
            "expected lines that end in newlines, found the last does not"
        )
    lines = text[:-1].split("\n")
    if len(lines) < 3:
        raise CheckpointMalformedError(
            f"expected the lines origin, size and root, found {len(lines)} lines"
        )
    return lines

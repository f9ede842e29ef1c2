"""Witnessing: what a log asks of a witness, and when a witness may sign.

A log sends the size that the witness has of it, a proof that the log grew from there, and its new
checkpoint::

    old 20852014
    q2Q0OE0tVDHsFTLdNTrQdnmY/4ajZb0UEh2CXAFnt9I=
    KS2FLGDaMyOZtIUgyPQPfBPsPq0uOqFyqDqvfV9UTYw=

    example.org/plumbline/rehearsal
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.org/plumbline/rehearsal Az3grlgtzPICa5OS8npVmf1My...

:func:`answer` decides it without a network, a disk or a clock, so that the witness on a server and
the one with a stick cannot differ. What it promises: it never signs two checkpoints of one log of
which one does not continue the other, and never one that is smaller than what it has.

Source: C2SP tlog-witness. The first checkpoint of a log comes with ``old 0`` and no proof.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from domain.assurance.checkpoints import Checkpoint, CheckpointError
from domain.assurance.cosignatures import WitnessSignerKey, cosign
from domain.assurance.notes import (
    NoteError,
    NoteMalformedError,
    VerifierKey,
    decoded_base64,
    open_note,
)
from domain.assurance.proofs import ProofInvalidError, verify_consistency
from domain.assurance.tree import EMPTY_ROOT, HASH_SIZE

MOST_HASHES = 63
"""No proof of a tree that can exist is longer."""

MOST_BYTES = 64 * 1024
"""A request is small; a larger one is not read."""

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class RequestMalformedError(ValueError):
    """The bytes are not a request to a witness."""


@dataclass(frozen=True)
class AddCheckpoint:
    """A request to add a checkpoint."""

    old: int
    """The size that the log believes the witness to have."""
    proof: tuple[bytes, ...]
    """From that size to the checkpoint's."""
    checkpoint: str
    """The new checkpoint, a signed note."""

    def body(self) -> str:
        """The request as it is sent."""
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in self.proof)
        return f"old {self.old}\n{hashes}\n{self.checkpoint}"

    @classmethod
    def parse(cls, body: str) -> Self:
        """The request that :meth:`body` wrote.

        Raises:
            RequestMalformedError: it is not one.
        """
        head, blank, checkpoint = body.partition("\n\n")
        first, *lines = head.split("\n")
        found = _OLD.fullmatch(first)
        if found is None or not blank or not checkpoint:
            raise RequestMalformedError("expected 'old N', a proof, an empty line and a checkpoint")
        if len(lines) > MOST_HASHES:
            raise RequestMalformedError(f"expected at most {MOST_HASHES} hashes, found more")
        proof = [decoded_base64(line) for line in lines]
        hashes = tuple(one for one in proof if one is not None and len(one) == HASH_SIZE)
        if len(hashes) != len(lines):
            raise RequestMalformedError("expected a proof of hashes of 32 bytes in base64")
        return cls(int(found[1]), hashes, checkpoint)


@dataclass(frozen=True)
class Known:
    """What a witness has of a log: the newest state that it signed."""

    size: int
    root: bytes


NOTHING = Known(0, EMPTY_ROOT)
"""What a witness has of a log that it never signed for."""


@dataclass(frozen=True)
class Cosigned:
    """The witness signs. ``known`` must be durable before the line is given out."""

    known: Known
    line: str


@dataclass(frozen=True)
class NotCosigned:
    """The witness does not sign."""

    status: int
    """The HTTP status that says so."""
    sentence: str
    size: int | None = None
    """What the witness has, where the log was mistaken about it (409)."""


def answer(
    request: AddCheckpoint,
    *,
    known: Mapping[str, Known],
    log_keys: Mapping[str, Iterable[VerifierKey]],
    key: WitnessSignerKey,
    at: int,
) -> Cosigned | NotCosigned:
    """What a witness answers.

    Args:
        request: what it is asked.
        known: what it has, by the log's origin.
        log_keys: the keys of the logs that it witnesses, by origin.
        key: its own.
        at: seconds since 1970, UTC.
    """
    origin = request.checkpoint.partition("\n")[0]
    keys = list(log_keys.get(origin, ()))
    if not keys:
        return NotCosigned(404, f"this witness does not know the log {origin[:200]!a}")
    checkpoint = _opened(request.checkpoint, keys)
    if isinstance(checkpoint, NotCosigned):
        return checkpoint
    if checkpoint.size < request.old:
        return NotCosigned(400, "the checkpoint is smaller than the size it is to grow from")
    has = known.get(origin, NOTHING)
    if has.size != request.old:
        return NotCosigned(409, f"this witness has size {has.size}", has.size)
    if has.size == checkpoint.size and has.root != checkpoint.root:
        return NotCosigned(409, "this witness signed another root of this size", has.size)
    if fault := _not_grown(request, has, checkpoint):
        return NotCosigned(422, fault)
    return Cosigned(Known(checkpoint.size, checkpoint.root), cosign(request.checkpoint, key, at=at))


def _opened(note: str, keys: list[VerifierKey]) -> Checkpoint | NotCosigned:
    """The checkpoint, once one of the log's keys was seen to have signed it."""
    fault = ""
    for key in keys:
        try:
            return Checkpoint.parse(open_note(note, key))
        except (NoteMalformedError, CheckpointError) as error:
            return NotCosigned(400, f"not a checkpoint: {error}")
        except NoteError as error:
            fault = str(error)
    return NotCosigned(403, f"not signed by a key of this log: {fault}")


def _not_grown(request: AddCheckpoint, has: Known, checkpoint: Checkpoint) -> str | None:
    """Why the checkpoint does not continue what the witness has, if it does not."""
    if has.size == 0:
        return "expected no proof from size 0" if request.proof else None
    try:
        verify_consistency(
            old=has.size,
            new=checkpoint.size,
            proof=request.proof,
            old_root=has.root,
            new_root=checkpoint.root,
        )
    except ProofInvalidError as error:
        return f"the log did not grow from what this witness has: {error}"
    return None

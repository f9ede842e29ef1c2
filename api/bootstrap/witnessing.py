"""How we witness the logs of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from domain.assurance.notes import NoteError, VerifierKey
from domain.kernel.errors import DomainError
from infrastructure.clock import SystemClock
from infrastructure.seal.witness_office import WitnessOffice
from infrastructure.seal.witness_server import WitnessServer


def witness_office(directory: Path, *, name: str | None, logs: Sequence[str]) -> WitnessOffice:
    """Our own witness, which knows these logs from now on.

    Args:
        directory: its key and its state; made when first used.
        name: for a new one.
        logs: verifier keys in signed-note form.

    Raises:
        DomainError: the directory or a key cannot be used.
    """
    office = WitnessOffice(directory, clock=SystemClock(), name=name)
    try:
        office.trust([VerifierKey.from_text(text.strip()) for text in logs])
    except NoteError as error:
        raise DomainError(f"a log's key cannot be read: {error}") from error
    return office


def witness_server(
    office: WitnessOffice, host: str, port: int, *, tell: Callable[[str], None]
) -> WitnessServer:
    """The witness over HTTP.

    Raises:
        DomainError: it cannot listen there.
    """
    try:
        return WitnessServer(host, port, answer=office.add_checkpoint, tell=tell)
    except (OSError, OverflowError) as error:
        raise DomainError(f"cannot listen at {host}:{port}: {error}") from error

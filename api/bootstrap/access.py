"""Who may ask a server."""

from __future__ import annotations

from pathlib import Path

from api.bootstrap.surroundings import premises_at
from domain.kernel.errors import DomainError
from infrastructure.access.tokens import TokenFile


def token_file(path: Path) -> TokenFile:
    """The server's tokens, kept beside the record.

    Raises:
        DomainError: there is no record here; a mistyped directory must not get a token.
    """
    premises = premises_at(path)
    if not premises.exists():
        raise DomainError(f"expected a record at {premises.database.name}, found none")
    return TokenFile(premises.access)

"""What is told when a record's database does not take or give what was asked."""

from __future__ import annotations

from domain.kernel.errors import UnavailableError


class RecordUnavailableError(UnavailableError):
    """The database did not take or give what was asked; nothing was stored."""


class OutcomeUnknownError(RecordUnavailableError):
    """The database was lost around COMMIT and could not be asked: look before repeating.

    A command under a key of its caller can be repeated without looking: it is answered once.
    """

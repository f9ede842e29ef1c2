"""How a command ends that could not do what it was asked: in words, with an exit code of ours."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from api.cli.telling import EXIT_BAD_INPUT, EXIT_BROKEN, EXIT_REFUSED, complain
from api.rehearsal.script import RehearsalRefusedError, SumsDoNotBalanceError
from domain.kernel.errors import ConflictError, DomainError, RecordBrokenError
from domain.ports import VaultError
from domain.services.custody import DestructionFailedError


@contextmanager
def in_words() -> Iterator[None]:
    """Say what went wrong in words, never in a traceback of ours."""
    try:
        yield
    except RehearsalRefusedError as error:
        sys.exit(complain(str(error), EXIT_REFUSED))
    except DomainError as error:
        sys.exit(complain(str(error), EXIT_BAD_INPUT))
    except (
        RecordBrokenError,
        SumsDoNotBalanceError,
        DestructionFailedError,
        ConflictError,
        VaultError,
    ) as error:
        sys.exit(complain(f"STOP: {error}", EXIT_BROKEN))
    except OSError as error:
        # A disk that is full or fails can say no to any write there is. What was begun stays on the
        # record as begun, and the next start finishes it.
        where = f" ({error.filename})" if error.filename else ""
        why = error.strerror or str(error)
        sys.exit(complain(f"the system could not do it: {why}{where}", EXIT_BAD_INPUT))

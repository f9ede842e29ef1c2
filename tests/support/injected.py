"""Real premises by a clock that a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from api.bootstrap import custody, node
from tests.support.memory import MemoryClock


class InjectedClock(MemoryClock):
    """One that a test sets, and that a start may doubt as it does the machine's."""

    def doubt(self) -> None:
        """Do not believe it."""
        self.believed = False

    def believe(self) -> None:
        """Believe it."""
        self.believed = True


@contextmanager
def going_by(
    clock: InjectedClock, *, database: str | None, synchronised: bool = False
) -> Iterator[None]:
    """Whatever starts goes by this clock, and its record is in this database, or in a file.

    Args:
        clock: instead of the machine's.
        database: None for a file.
        synchronised: whether the kernel says that something outside keeps the clock.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node, "SystemClock", lambda: clock)
        patch.setattr(custody, "SystemClock", lambda: clock)
        patch.setattr(node, "kept_by_the_network", lambda: synchronised)
        if database is None:
            patch.delenv("PLUMBLINE_DATABASE", raising=False)
        else:
            patch.setenv("PLUMBLINE_DATABASE", database)
        yield

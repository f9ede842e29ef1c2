"""How custody stands just now, for a server: of registers, the record and the keystore."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from domain.custody.events import ClockConfirmed, ClockDoubted, RetentionSwept
from domain.kernel.errors import DomainError
from domain.kernel.references import FORCE, journal
from domain.ports import Clock, CustodyRegister, Health, KeystoreState, Recorded
from infrastructure.record.entry_mapper import entry_of
from infrastructure.record.event_record import recorded
from infrastructure.record.reading import RecordReader

SIGNS = 20
"""So many of the newest entries of retention are looked through for a sign of life."""

FRESH = timedelta(seconds=1)
"""An answer is given again for so long: anyone may ask, however often."""


class HealthNow:
    """Answers for these premises.

    Args:
        register: tells what is overdue.
        reader: of the record.
        try_keystore: raises unless the keystore can be read.
        clock: tells the time.
    """

    def __init__(
        self,
        register: CustodyRegister,
        reader: RecordReader,
        try_keystore: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._register, self._reader = register, reader
        self._try_keystore, self._clock = try_keystore, clock
        self._told: tuple[datetime, Health] | None = None

    def __call__(self) -> Health:
        """How it stands, or stood a moment ago.

        Raises:
            UnavailableError: a database does not answer.
        """
        now = self._clock.now()
        if self._told is None or not timedelta(0) <= now - self._told[0] < FRESH:
            self._told = now, self._found(now)
        return self._told[1]

    def _found(self, now: datetime) -> Health:
        overdue = self._register.overdue(now)
        newest = [
            recorded(entry_of(blob))
            for blob in self._reader.newest(journal("retention", FORCE), SIGNS)
        ]
        swept = _newest(newest, RetentionSwept)
        doubted = _newest(newest, ClockDoubted, ClockConfirmed)
        return Health(
            overdue=len(overdue),
            oldest_overdue_s=int((now - overdue[0].due_at).total_seconds()) if overdue else None,
            swept_s_ago=int((now - swept.recorded_at).total_seconds()) if swept else None,
            swept_every_s=(
                swept.event.every_s if swept and isinstance(swept.event, RetentionSwept) else None
            ),
            keystore=self._keystore_state(),
            clock_doubted=(
                doubted is not None
                and isinstance(doubted.event, ClockDoubted)
                and (swept is None or swept.clock != "trusted" or swept.position < doubted.position)
            ),
        )

    def _keystore_state(self) -> KeystoreState:
        try:
            self._try_keystore()
        except DomainError:
            return KeystoreState.UNREADABLE
        return KeystoreState.READABLE


def _newest(entries: list[Recorded], *kinds: type) -> Recorded | None:
    return next((one for one in entries if isinstance(one.event, kinds)), None)

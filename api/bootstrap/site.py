"""What a server needs: its tokens, the application, and registers that follow meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from api.app import Application, Sources, create_app
from api.bootstrap.access import token_file
from api.bootstrap.health import HealthNow
from api.bootstrap.surroundings import premises_at
from api.stream import Pace
from infrastructure.clock import SystemClock
from infrastructure.projections.follower import Follower
from infrastructure.projections.registers import PROJECTIONS, Registers
from infrastructure.record.reading import RecordReader
from infrastructure.seal.published import ServedLog

LAST_BATCH_S = 0.8
"""How long a batch of the registers may take to end when the server stops."""


@contextmanager
def open_site(
    path: Path, *, pace: Pace, proxies: frozenset[str], tell: Callable[[str], None]
) -> Iterator[Application]:
    """The application that a server runs, over these premises, while the registers follow.

    It reads the record and writes registers only, so it works beside whoever is alone in writing
    the record.

    Args:
        path: the data directory.
        pace: how often the application looks and tells.
        proxies: TLS proxies, if they alone may ask.
        tell: told in a sentence what a person should know of the registers.

    Raises:
        DomainError: there is no record here, or it is of another shape.
    """
    tokens = token_file(path)
    premises = premises_at(path)
    reader = RecordReader(premises.database)
    engine = premises.database.engine()
    registers = Registers.over(engine)
    alerts = registers.alert_register
    follower = _TellingFollower(premises.database, PROJECTIONS, tell=tell)
    application = create_app(
        Sources(
            register=alerts,
            published=ServedLog(premises.seal, reader),
            tokens=tokens,
            origin=reader.origin,
            log_size=reader.size,
            stands_still=alerts.stands_still,
            health=HealthNow(
                registers.custody_register, reader, premises.try_keystore, SystemClock()
            ),
        ),
        pace=pace,
        proxies=proxies,
    )
    follower.came = application.feed.nudge
    stop = Event()

    def follow() -> None:
        try:
            follower.follow(stop)
        except Exception as error:  # noqa: BLE001  whatever it is, somebody has to know
            tell(f"the registers follow no longer ({type(error).__name__}): start the server again")
        finally:
            # However it ended: nobody keeps the registers up from now on.
            application.feed.end_following()

    # A daemon: it may wait for the log for seconds, and a batch that is broken off is not stored.
    thread = Thread(target=follow, name="followers", daemon=True)
    thread.start()
    try:
        yield application
    finally:
        stop.set()
        thread.join(timeout=LAST_BATCH_S)
        if not thread.is_alive():
            follower.close()
        engine.dispose()


class _TellingFollower(Follower):
    """Says when it has taken something in."""

    came: Callable[[], None] = staticmethod(lambda: None)
    """Called after each time that it caught up."""

    def catch_up(self) -> int:
        """As above."""
        size = super().catch_up()
        self.came()
        return size

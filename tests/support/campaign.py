"""Campaigns of several processes that write to one record at once, and what must hold afterwards.

A writer says of each transaction where it stands, once its COMMIT was answered and not before.
Some of what it writes are decisions that rest on another writer's stream. Afterwards the log
itself shows whether anything said is missing, and whether any decision stands behind a change of
what it rested on.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from uuid import UUID

from domain.assurance.notes import SignerKey
from domain.assurance.verification import Kind
from domain.kernel.errors import ConflictError
from infrastructure.record.databases import OutcomeUnknownError, RecordUnavailableError
from infrastructure.record.event_record import EventRecord
from tests.contract.record.examples import asked, face, stream, viewed
from tests.support.postgres import Server
from tests.support.processes import another_process
from tests.support.stores import ORIGIN, Store, reach

KEY = SignerKey(ORIGIN, bytes(range(32))).verifier()

DECIDED_UPON = 2
"""Streams that all writers add to, each time resting on the other of the two."""

RECONNECTED_S = 5
"""Within this long after a server is back, its writers write again."""


@dataclass(frozen=True)
class Said:
    """What a writer says after a COMMIT was answered."""

    position: int
    """Of the first entry of the transaction."""
    size: int
    """Of the log right after it."""
    stream: str
    """Of that first entry."""


@dataclass
class Outcome:
    """What a campaign came to."""

    said: list[Said] = field(default_factory=list)
    conflicts: int = 0
    decisions: int = 0
    unavailable: int = 0
    unknown: int = 0
    kills: int = 0
    slowest_return_s: float = 0.0

    def __str__(self) -> str:
        return (
            f"{len(self.said)} transactions said to be stored ({self.decisions} decisions), "
            f"{self.conflicts} conflicts, {self.unavailable} told unavailable, "
            f"{self.unknown} unknown, {self.kills} kills, "
            f"writers back after at most {self.slowest_return_s:.2f} s"
        )


class CampaignFailedError(Exception):
    """Something that was promised does not hold."""


def write_on(telling: Connection, address: str, writer: int) -> None:
    """Append until told to stop: journals, streams of its own, and decisions between writers."""
    record = reach(address).open()
    chosen = random.Random(writer)
    number = 0
    while not telling.poll():
        number += 1
        try:
            if chosen.random() < 0.3:
                said = _decided(record, chosen.randrange(DECIDED_UPON))
                telling.send("decisions")
            else:
                faces = [face(number, camera=f"camera-{writer}") for _ in range(number % 8)]
                first = viewed(writer * 10_000_000 + number)
                size = record.append(first, *faces, by=asked(scope=f"scope-{writer % 3}"))
                said = Said(size - 1 - len(faces), size, first.originator_id.hex)
            telling.send(said)
        except ConflictError:
            telling.send("conflicts")
        except OutcomeUnknownError:
            telling.send("unknown")
        except RecordUnavailableError:
            telling.send("unavailable")
    telling.recv()
    record.close()


def _decided(record: EventRecord, own: int) -> Said:
    """Add to one of two streams because the other is as it is."""
    other = (own + 1) % DECIDED_UPON
    version, rested_on = (
        record.database.read(
            "SELECT count(*) FROM stored_events WHERE originator_id = ?",
            (record.database.id_of(_between(one)),),
        )[0][0]
        for one in (own, other)
    )
    event = viewed(_FIRST_BETWEEN + own, version=version + 1)
    # What it rested on stands in the entry, where whoever checks the log finds it.
    by = asked(scope="between", actor=f"{other}/{rested_on}")
    size = record.append(event, by=by, given={_between(other): rested_on})
    return Said(size - 1, size, event.originator_id.hex)


_FIRST_BETWEEN = 900_000_000


def _between(one: int) -> UUID:
    return stream(_FIRST_BETWEEN + one)


class Campaign:
    """Some writers on one record, from outside."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.outcome = Outcome()
        self._open = ExitStack()
        self._writers: dict[Connection, BaseProcess] = {}
        self._silent: set[Connection] = set()
        """Writers of whom nothing was heard since this was last set."""
        self._made = 0

    def begin(self, writers: int) -> None:
        """Let so many more writers write."""
        for _ in range(writers):
            self._made += 1
            process, telling = self._open.enter_context(
                another_process(write_on, self.store.address, self._made)
            )
            self._writers[telling] = process

    def hear(self, until: Callable[[], bool], *, at_most_s: float) -> None:
        """Listen to the writers until something holds.

        Raises:
            CampaignFailedError: it does not come to hold in time.
        """
        end = time.monotonic() + at_most_s
        while not until():
            if time.monotonic() > end:
                raise CampaignFailedError(f"not within {at_most_s} s: {self.outcome}")
            self._hear(0.05)

    def hear_of_all(self, *, at_most_s: float) -> None:
        """Listen until every writer has said that something was stored."""
        self._silent = set(self._writers)
        self.hear(lambda: not self._silent, at_most_s=at_most_s)

    def hear_more(self, many: int, *, at_most_s: float) -> None:
        """Listen until so many more transactions were said to be stored."""
        enough = len(self.outcome.said) + many
        self.hear(lambda: len(self.outcome.said) >= enough, at_most_s=at_most_s)

    def hear_for(self, seconds: float) -> None:
        """Listen to the writers for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._hear(0.05)

    def kill_a_writer(self) -> None:
        """Kill one in the middle of whatever it does, and let another begin."""
        telling, process = next(iter(self._writers.items()))
        process.kill()
        process.join()
        self._take_all(telling)
        del self._writers[telling]
        self.outcome.kills += 1
        self.begin(1)

    def kill_server(self, server: Server) -> None:
        """Kill the server, start it again, and hear that every writer writes again."""
        server.kill()
        self.outcome.kills += 1
        server.start()
        begun = time.monotonic()
        for telling in self._writers:  # what was said before is not what is waited for
            self._take_all(telling)
        self.hear_of_all(at_most_s=4 * RECONNECTED_S)
        took = time.monotonic() - begun
        self.outcome.slowest_return_s = max(self.outcome.slowest_return_s, took)
        if took > RECONNECTED_S:
            raise CampaignFailedError(f"writers came back after {took:.1f} s")

    def end(self) -> None:
        """Tell all writers to stop, and hear what they still have to say."""
        for telling in self._writers:
            with suppress(OSError):
                telling.send("stop")
        for telling, process in self._writers.items():
            while process.is_alive():
                self._take_all(telling)
                process.join(0.01)
            self._take_all(telling)
            if process.exitcode:
                raise CampaignFailedError(f"a writer ended with {process.exitcode}")
        self._writers.clear()

    def close(self) -> None:
        """Kill whoever is left."""
        self._open.close()

    def _hear(self, seconds: float) -> None:
        for telling in wait(list(self._writers), timeout=seconds):
            assert isinstance(telling, Connection)
            try:
                self._take(telling)
            except (EOFError, OSError) as error:
                raise CampaignFailedError(f"a writer is gone: {error!r}") from error

    def _take_all(self, telling: Connection) -> None:
        with suppress(EOFError, OSError):
            while telling.poll():
                self._take(telling)

    def _take(self, telling: Connection) -> None:
        said = telling.recv()
        if isinstance(said, Said):
            self.outcome.said.append(said)
            self._silent.discard(telling)
        else:
            setattr(self.outcome, said, getattr(self.outcome, said) + 1)


@contextmanager
def campaign_on(store: Store, *, writers: int) -> Iterator[Campaign]:
    """A campaign that has begun: every writer has said something."""
    campaign = Campaign(store)
    try:
        campaign.begin(writers)
        campaign.hear_of_all(at_most_s=30)
        yield campaign
    finally:
        campaign.close()


def check(store: Store, outcome: Outcome) -> int:
    """What must hold of the log, whatever happened while it was written.

    Returns:
        The number of entries.

    Raises:
        CampaignFailedError: something does not.
    """
    streams: list[str] = []
    counted: Counter[str] = Counter()
    for row in store.rows():
        if row.position != len(streams):
            raise CampaignFailedError(f"expected position {len(streams)}, found {row.position}")
        if row.scope == "between":
            other, _, version = json.loads(row.blob)["actor"].partition("/")
            found = counted[_between(int(other)).hex]
            if found != int(version):
                raise CampaignFailedError(
                    f"position {row.position} rests on version {version} of a stream that was at "
                    f"version {found}"
                )
        counted[row.stream] += 1
        streams.append(row.stream)
    for said in outcome.said:
        if said.size > len(streams) or streams[said.position] != said.stream:
            raise CampaignFailedError(f"said to be stored and not there: {said}")
    if len({said.position for said in outcome.said}) != len(outcome.said):
        raise CampaignFailedError("one position was said twice")
    verdict = store.verdict(KEY)
    if verdict.kind is not Kind.UNANCHORED or verdict.size != len(streams):
        raise CampaignFailedError(f"the log does not verify: {verdict.sentence}")
    return len(streams)

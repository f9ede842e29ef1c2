"""Whether appending stays as fast as a log grows: its last part against its first.

Transactions of 1000 entries, mapped before the clock runs: faces of four cameras' journals, and
one entry in fifty begins a stream of its own, at a random place of its index. Only appending is
timed, COMMIT included. The figure compares the last twentieth with the first; the whole is
2,000,000 entries, and 100,000 in the short version.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from eventsourcing.persistence import StoredEvent

from infrastructure.record.entry_mapper import EntryMapper
from tests.benchmarks.append import BY, on_postgres, on_sqlite
from tests.benchmarks.figure import Figure
from tests.contract.record.examples import face, viewed

ENTRIES = 2_000_000
ENTRIES_SHORT = 100_000
IN_A_TRANSACTION = 1000
OF_A_NEW_STREAM = 20
PARTS = 20


def growth(database: Callable[[], Any], entries: int) -> Figure:
    """Entries a second in the last part of a log, and in its first."""
    mapper = EntryMapper()
    faces = [
        mapper.to_stored_event(face(number, camera=f"camera-{number % 4}"))
        for number in range(IN_A_TRANSACTION - OF_A_NEW_STREAM)
    ]
    with database() as bench:
        seconds = [
            _seconds(bench.recorder, [*faces, *_new_streams(mapper, number)])
            for number in range(entries // IN_A_TRANSACTION)
        ]
    parts = [sum(part) for part in _parts(seconds)]
    in_a_part = entries // PARTS
    return Figure(
        ours=round(in_a_part / parts[-1], 1),
        baseline=round(in_a_part / parts[0], 1),
        ratio=round(parts[0] / parts[-1], 3),
        unit="entries/s",
        n=in_a_part,
        beside={
            "entries in all": entries,
            "ratio by medians of transactions": round(
                statistics.median(_parts(seconds)[0]) / statistics.median(_parts(seconds)[-1]), 3
            ),
            "entries/s in the slowest twentieth": round(in_a_part / max(parts), 1),
        },
    )


def _new_streams(mapper: EntryMapper, transaction: int) -> list[StoredEvent]:
    first = transaction * OF_A_NEW_STREAM
    return [mapper.to_stored_event(viewed(first + number)) for number in range(OF_A_NEW_STREAM)]


def _parts(seconds: list[float]) -> list[list[float]]:
    left = iter(seconds)
    return [list(islice(left, len(seconds) // PARTS)) for _ in range(PARTS)]


def _seconds(recorder: Any, events: list[StoredEvent]) -> float:
    begun = time.perf_counter()
    recorder.insert_events(events, attribution=BY)
    return time.perf_counter() - begun


SHORT: dict[str, Callable[[], Figure]] = {
    "growth_pg_short": partial(growth, on_postgres, ENTRIES_SHORT),
    "growth_sqlite_short": partial(growth, on_sqlite, ENTRIES_SHORT),
}
LONG: dict[str, Callable[[], Figure]] = {
    "growth_pg": partial(growth, on_postgres, ENTRIES),
    "growth_sqlite": partial(growth, on_sqlite, ENTRIES),
}

"""``./run soak [--seconds N]``: writers at once on each database, and servers and writers killed.

Says what it did, and ends with 1 at the first promise that does not hold.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.support.campaign import (
    RECONNECTED_S,
    Campaign,
    CampaignFailedError,
    campaign_on,
    check,
)
from tests.support.postgres import Server
from tests.support.stores import PostgresStore, SQLiteStore, Store

WRITERS = 4
ROUNDS = 10
LONG_OUTAGE_S = 12
"""Longer than a pool tries by itself."""

_chosen = random.Random(20261123)

Act = Callable[[Campaign], None]


def at_once(campaign: Campaign, *, seconds: float) -> None:
    """Four processes, and nothing happens to them."""
    campaign.hear_for(seconds)


def writers_killed(campaign: Campaign) -> None:
    """Writers killed one after the other, at random moments."""
    for _ in range(ROUNDS):
        campaign.hear_more(_chosen.randrange(1, 200), at_most_s=60)
        campaign.kill_a_writer()
        campaign.hear_of_all(at_most_s=60)


def server_killed(campaign: Campaign, *, server: Server) -> None:
    """The server killed again and again at random moments; everybody writes on within seconds."""
    for _ in range(ROUNDS):
        campaign.hear_more(_chosen.randrange(1, 200), at_most_s=60)
        campaign.kill_server(server)


def both_killed(campaign: Campaign, *, server: Server) -> None:
    """The server, and a writer that was at it."""
    for _ in range(ROUNDS):
        campaign.hear_more(_chosen.randrange(1, 100), at_most_s=60)
        campaign.kill_server(server)
        campaign.kill_a_writer()
        campaign.hear_of_all(at_most_s=60)


def server_away(campaign: Campaign, *, server: Server) -> None:
    """The server away for longer than anybody waits, then back."""
    campaign.hear_more(50, at_most_s=60)
    server.kill()
    campaign.hear_for(LONG_OUTAGE_S)
    server.start()
    begun = time.monotonic()
    campaign.hear_of_all(at_most_s=60)
    took = time.monotonic() - begun
    campaign.outcome.slowest_return_s = took
    if took > 2 * RECONNECTED_S:
        raise CampaignFailedError(f"writers came back after {took:.1f} s")


@contextmanager
def _on_sqlite() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as directory:
        yield SQLiteStore.fresh(Path(directory))


@contextmanager
def _on_postgres() -> Iterator[tuple[Store, Server]]:
    server = Server(on_disk=True)
    try:
        yield PostgresStore.on(server), server
    finally:
        server.stop()


def _run(name: str, store: Store, act: Act) -> None:
    print(f"{name} ...", flush=True)
    begun = time.monotonic()
    with campaign_on(store, writers=WRITERS) as campaign:
        act(campaign)
        campaign.end()
    entries = check(store, campaign.outcome)
    store.close()
    print(f"  {entries} entries, contiguous and verified; {campaign.outcome}")
    print(f"  {time.monotonic() - begun:.0f} s", flush=True)


def main() -> None:
    """Run every campaign in turn."""
    parser = argparse.ArgumentParser(prog="./run soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of writing at once (60)")
    seconds = parser.parse_args().seconds
    alone: dict[str, Act] = {
        "four writers at once": partial(at_once, seconds=seconds),
        "writers killed": writers_killed,
    }
    try:
        for name, act in alone.items():
            with _on_sqlite() as store:
                _run(f"SQLite, {name}", store, act)
        for name, act in alone.items():
            with _on_postgres() as (store, _):
                _run(f"PostgreSQL, {name}", store, act)
        for name, killing in {
            "server killed": server_killed,
            "server and writers killed": both_killed,
            "server away": server_away,
        }.items():
            with _on_postgres() as (store, server):
                _run(f"PostgreSQL, {name}", store, partial(killing, server=server))
    except CampaignFailedError as error:
        sys.exit(f"FAILED: {error}")
    print("every promise held")


if __name__ == "__main__":
    main()

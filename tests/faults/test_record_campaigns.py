"""Several processes write at once, and some of them or the server are killed on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.campaign import CampaignFailedError, Said, campaign_on, check
from tests.support.postgres import Server
from tests.support.stores import PostgresStore, Store

SECONDS = 10
ROUNDS = 3


def test_four_processes_at_once_leave_one_log_without_a_gap(store: Store) -> None:
    """Positions contiguous, all that was said is there, no decision behind its ground."""
    with campaign_on(store, writers=4) as campaign:
        campaign.hear_for(SECONDS)
        campaign.end()
    entries = check(store, campaign.outcome)
    assert entries >= len(campaign.outcome.said) > 100
    assert campaign.outcome.decisions > 10
    assert campaign.outcome.conflicts > 0, "nobody ever came too late: not a campaign"
    assert (campaign.outcome.unavailable, campaign.outcome.unknown) == (0, 0)


def test_a_killed_writer_takes_nothing_with_it(store: Store) -> None:
    """Others are not held up, and another goes on where it stood."""
    with campaign_on(store, writers=2) as campaign:
        for _ in range(ROUNDS):
            campaign.hear_more(20, at_most_s=20)
            campaign.kill_a_writer()
            campaign.hear_of_all(at_most_s=20)
        campaign.end()
    check(store, campaign.outcome)
    assert campaign.outcome.kills == ROUNDS


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that may be killed."""
    made = Server()
    yield made
    made.stop()


def test_a_killed_server_loses_nothing_that_was_said_to_be_stored(server: Server) -> None:
    """Again and again in the middle of writing; the writers go on by themselves."""
    store = PostgresStore.on(server)
    with campaign_on(store, writers=3) as campaign:
        for _ in range(ROUNDS):
            campaign.hear_more(30, at_most_s=20)
            campaign.kill_server(server)
        campaign.end()
    check(store, campaign.outcome)
    assert campaign.outcome.kills == ROUNDS
    store.close()


@pytest.mark.parametrize("fault", ["lost", "doubled", "gap", "rests on what moved on", "altered"])
def test_the_check_finds_what_it_looks_for(store: Store, fault: str) -> None:
    """The positive control: each fault made by hand."""
    with campaign_on(store, writers=2) as campaign:
        campaign.hear(lambda: campaign.outcome.decisions > 3, at_most_s=20)
        campaign.end()
    outcome = campaign.outcome
    size = check(store, outcome)
    last = max(outcome.said, key=lambda said: said.size)
    if fault == "lost":
        outcome.said.append(Said(size, size + 1, last.stream))
    elif fault == "doubled":
        outcome.said.append(last)
    else:
        store.drop_triggers()
        store.execute(
            {
                "gap": f"DELETE FROM stored_events WHERE position = {size // 2}",
                "rests on what moved on": "UPDATE stored_events SET state = :state "
                "WHERE position = :position",
                "altered": f"UPDATE stored_events SET leaf = state WHERE position = {size // 2}",
            }[fault],
            **_moved_on(store) if fault == "rests on what moved on" else {},
        )
    with pytest.raises(CampaignFailedError):
        check(store, outcome)


def _moved_on(store: Store) -> dict[str, object]:
    """A decision, as if it had rested on a version that was never there."""
    row = next(row for row in store.rows() if row.scope == "between")
    entry = json.loads(row.blob)
    entry["actor"] += "7"
    state = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
    return {"state": state, "position": row.position}

"""Whether custody is well: one word for anyone, and why for those who look after it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.kernel.commands import Role
from domain.ports import Health, KeystoreState
from tests.api.conftest import Client
from tests.support.serving import WELL, Site, bearer


def test_anyone_is_told_one_word(client: Client) -> None:
    """And nothing else."""
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "well"})
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "found",
    [
        replace(WELL, overdue=1, oldest_overdue_s=60),
        replace(WELL, swept_s_ago=121),
        replace(WELL, keystore=KeystoreState.UNREADABLE),
        replace(WELL, clock_doubted=True),
    ],
    ids=["overdue", "silent", "keystore away", "clock doubted"],
)
def test_whatever_needs_a_person_is_told_by_the_status_too(
    client: Client, site: Site, found: Health
) -> None:
    """So that a monitor which reads no JSON is woken by it."""
    site.health = found
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "look"})


@pytest.mark.parametrize(
    "found",
    [replace(WELL, swept_s_ago=120), replace(WELL, swept_s_ago=None, swept_every_s=None)],
    ids=["a little late", "never kept"],
)
def test_a_worker_is_silent_only_once_it_missed_two_turns(found: Health) -> None:
    """One that never said that it would come is missed by nobody here."""
    assert found.well


@pytest.mark.parametrize("role", list(Role))
def test_only_dpo_and_auditor_are_told_why(client: Client, site: Site, role: Role) -> None:
    """Counts and ages, of nobody."""
    site.health = replace(WELL, overdue=3, oldest_overdue_s=7200)
    answer = client.get("/health", headers=bearer(role)).json()
    if role in (Role.DPO, Role.AUDITOR):
        assert answer["details"] == {
            "overdue": 3,
            "oldest_overdue_s": 7200,
            "swept_s_ago": 30,
            "swept_every_s": 60,
            "keystore": "readable",
            "clock_doubted": False,
        }
    else:
        assert answer == {"status": "look"}

"""What a hold extends, by what was recorded of it, and what makes it extend nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.assurance.holds import GROUNDS, MOST_ITEMS, REVIEW_WITHIN, Holds
from domain.assurance.limits import ACT
from domain.holds.aggregate import grounds

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PLAIN = AT + 10 * DAY
"""When the item would have to be gone."""
REVIEW = AT + 20 * DAY
Wrong = list[tuple[str, str]]


def asked(holds: Holds, at: datetime = AT, **changes: Any) -> Wrong:
    """For one item, as it must be."""
    body = {
        "deployment": "d1",
        "requester": "disclosure-1",
        "ground": "conduct",
        "grounds": "2026-11-1",
        "items": ["i1"],
        "review_by": REVIEW.isoformat(),
    } | changes
    return list(holds.requested("h1", "d1", body, at))


def approved(holds: Holds, at: datetime = AT + DAY, *, approver: str = "owner-1") -> Wrong:
    """By another person; it stands on the item."""
    wrong = list(holds.approved("h1", {"approver": approver}, at))
    holds.extend("i1", "h1")
    return wrong


def reviewed(
    holds: Holds, at: datetime, review_by: datetime, *, reviewer: str = "owner-1"
) -> Wrong:
    body = {"reviewer": reviewer, "review_by": review_by.isoformat()}
    return list(holds.reviewed("h1", body, at))


def codes(wrong: Wrong) -> list[str]:
    return [code for code, _ in wrong]


def test_what_this_verifier_knows_is_what_the_software_asks_for() -> None:
    ours = grounds()
    assert {ours.version: frozenset(ours.codes["ground"])} == GROUNDS
    assert (REVIEW_WITHIN.days, MOST_ITEMS) == (ours.limits["review_days"], ours.limits["items"])


def test_an_approved_hold_extends_until_its_review() -> None:
    holds = Holds()
    assert asked(holds) == []
    assert holds.extended("i1", PLAIN) == PLAIN, "asking keeps nothing"
    assert approved(holds) == []
    assert holds.extended("i1", PLAIN) == REVIEW + ACT
    assert holds.extended("i2", PLAIN) == PLAIN
    holds.released("h1", AT + 15 * DAY)
    assert holds.extended("i1", PLAIN) == AT + 15 * DAY + ACT
    holds.forget("i1")
    assert holds.extended("i1", PLAIN) == PLAIN


def test_a_hold_never_shortens() -> None:
    holds = Holds()
    asked(holds)
    approved(holds)
    holds.released("h1", AT + 2 * DAY)
    assert holds.extended("i1", PLAIN) == PLAIN


def test_a_review_extends_further() -> None:
    holds = Holds()
    asked(holds)
    approved(holds)
    later = REVIEW + 5 * DAY
    assert reviewed(holds, AT + 15 * DAY, later) == []
    assert holds.extended("i1", PLAIN) == later + ACT


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ground": "because"}, "hold_without_ground"),
        ({"grounds": "mine"}, "hold_of_unknown_grounds"),
        ({"review_by": (AT + REVIEW_WITHIN + DAY).isoformat()}, "hold_review_too_far"),
        ({"review_by": "9999-12-31T23:59:59+00:00"}, "hold_review_too_far"),
        ({"items": []}, "hold_too_wide"),
        ({"items": ["i1"] * (MOST_ITEMS + 1)}, "hold_too_wide"),
        ({"deployment": "d2"}, "other_scope"),
    ],
)
def test_a_hold_that_may_not_be_asked_for_is_named_and_extends_nothing(
    changes: dict[str, Any], code: str
) -> None:
    holds = Holds()
    assert codes(asked(holds, **changes)) == [code]
    assert approved(holds) == []
    assert holds.extended("i1", PLAIN) == PLAIN


def test_the_first_request_stands() -> None:
    """Otherwise a hold could be asked for by another name after it was approved."""
    holds = Holds()
    asked(holds)
    assert codes(asked(holds, requester="somebody-else")) == ["hold_requested_twice"]
    assert codes(approved(holds, approver="disclosure-1")) == ["held_by_one_person"]


def _declined(holds: Holds) -> None:
    holds.declined("h1")


def _released(holds: Holds) -> None:
    holds.released("h1", AT)


@pytest.mark.parametrize(
    ("before", "given", "code"),
    [
        (None, {"approver": "disclosure-1"}, "held_by_one_person"),
        (_declined, {}, "hold_decided_twice"),
        (_released, {}, "hold_decided_twice"),
        (None, {"at": REVIEW + DAY}, "hold_lapsed"),
    ],
)
def test_an_approval_that_may_not_be_is_named_and_extends_nothing(
    before: Callable[[Holds], None] | None, given: dict[str, Any], code: str
) -> None:
    holds = Holds()
    asked(holds)
    if before is not None:
        before(holds)
    assert codes(approved(holds, **given)) == [code]
    assert holds.extended("i1", PLAIN) == PLAIN


def test_a_second_approval_is_named() -> None:
    holds = Holds()
    asked(holds)
    approved(holds)
    assert codes(approved(holds)) == ["hold_decided_twice"]


def test_a_hold_that_was_approved_after_the_limit_is_too_late() -> None:
    holds = Holds()
    asked(holds)
    approved(holds, PLAIN + DAY)
    assert holds.extended("i1", PLAIN) == PLAIN


@pytest.mark.parametrize(
    ("at", "review_by", "reviewer", "code"),
    [
        (REVIEW + DAY, REVIEW + 5 * DAY, "owner-1", "reviewed_too_late"),
        (AT + 2 * DAY, AT + 40 * DAY, "owner-1", "hold_review_too_far"),
        (AT + 2 * DAY, AT + 25 * DAY, "disclosure-1", "held_by_one_person"),
    ],
)
def test_a_review_that_may_not_be_is_named_and_changes_nothing(
    at: datetime, review_by: datetime, reviewer: str, code: str
) -> None:
    holds = Holds()
    asked(holds)
    approved(holds)
    assert codes(reviewed(holds, at, review_by, reviewer=reviewer)) == [code]
    assert holds.extended("i1", PLAIN) == REVIEW + ACT


def test_a_hold_that_nobody_approved_or_that_is_over_is_not_reviewed() -> None:
    holds = Holds()
    asked(holds)
    assert codes(reviewed(holds, AT + DAY, AT + 25 * DAY)) == ["hold_not_approved"]
    approved(holds)
    holds.released("h1", AT + 2 * DAY)
    assert codes(reviewed(holds, AT + 3 * DAY, AT + 25 * DAY)) == ["reviewed_too_late"]

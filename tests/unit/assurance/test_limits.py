"""How long a class may be kept, by the law and by the schedules that a log adopted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.assurance.limits import ACT, CEILINGS, CLOCKS, DAY, FOOTAGE, Limits, clock_of
from domain.assurance.tombstones import Tombstones
from domain.custody.schedule import BUILT_IN

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def adopted(limits: Limits, version: str, at: datetime = AT, **hours: int) -> list[str]:
    """A schedule that says something of some classes; gives what it may not say."""
    rules: list[dict[str, Any]] = [
        {"item_class": name, "limit_s": count * 3600, "hold_may_extend": name == FOOTAGE}
        for name, count in hours.items()
    ]
    return [code for code, _ in limits.adopt({"version": version, "rules": rules}, at)]


def test_the_verifier_knows_the_same_law_as_the_software() -> None:
    """Written down twice, so that neither believes the other; here they are compared."""
    for item_class, rule in BUILT_IN.rules.items():
        assert Limits().limit(item_class.value) == rule.limit
        assert clock_of(item_class.value) == rule.starts.value
        assert Limits().may_be_held(item_class.value) == rule.hold_may_extend
    assert CEILINGS.keys() | CLOCKS.keys() <= {one.value for one in BUILT_IN.rules}


def test_a_schedule_may_shorten_and_never_lengthen() -> None:
    """The ceiling of the law stands above every schedule."""
    limits = Limits()
    assert adopted(limits, "1", face_crop=12) == []
    assert limits.limit("face_crop") == 12 * HOUR
    assert limits.limit("wide_frame") == DAY
    assert adopted(limits, "2", face_crop=48) == ["schedule_lengthened"]
    assert limits.limit("face_crop") == DAY


def test_what_is_held_already_is_shortened_too() -> None:
    """Not below the time of the adoption, and the act itself may take its minutes."""
    limits = Limits()
    adopted(limits, "1", AT + 2 * HOUR, face_crop=12)
    assert limits.shortened("face_crop", DAY, AT) == AT + 12 * HOUR
    adopted(limits, "2", AT + 6 * HOUR, face_crop=5)
    assert limits.shortened("face_crop", DAY, AT) == AT + 6 * HOUR + ACT
    assert limits.shortened("wide_frame", DAY, AT) == AT + DAY


def test_the_same_schedule_again_postpones_nothing() -> None:
    """Otherwise adopting it every hour would keep everything."""
    limits = Limits()
    for number in range(20):
        adopted(limits, str(number), AT + number * HOUR, face_crop=1)
    assert limits.shortened("face_crop", DAY, AT) == AT + HOUR


@pytest.mark.parametrize(
    ("version", "minutes", "right"),
    [("", 1, True), ("1", 1, True), ("2", 0, True), ("1", 6, False), ("3", 0, False)],
)
def test_a_registration_names_the_schedule_in_force(
    version: str, minutes: int, right: bool
) -> None:
    """Or the one that was replaced a moment before."""
    limits = Limits()
    if version == "":
        assert limits.were_in_force("", AT)
        assert not limits.were_in_force("1", AT)
        return
    adopted(limits, "1")
    assert not limits.were_in_force("", AT + 6 * timedelta(minutes=1))
    adopted(limits, "2", AT)
    assert limits.were_in_force(version, AT + timedelta(minutes=minutes)) is right


def test_only_footage_may_be_held_and_only_where_the_schedule_lets_it() -> None:
    """C-02."""
    limits = Limits()
    assert limits.may_be_held(FOOTAGE)
    rules = [{"item_class": FOOTAGE, "limit_s": 3600, "hold_may_extend": False}]
    rules += [{"item_class": "face_crop", "limit_s": 3600, "hold_may_extend": True}]
    found = [code for code, _ in limits.adopt({"version": "1", "rules": rules}, AT)]
    assert found == ["schedule_allows_holds"]
    assert not limits.may_be_held(FOOTAGE)
    assert not limits.may_be_held("face_crop")


def test_each_tombstone_is_accounted_for_once() -> None:
    """In any order, and gaps are counted."""
    tombstones = Tombstones()
    assert [tombstones.take(one) for one in (3, 1, 3, 9, 1)] == [True, True, False, True, False]
    assert (tombstones.newest, tombstones.count) == (9, 3)
    assert tombstones.unaccounted(10) == 7
    for none in (0, -1, 1 << 40):
        with pytest.raises(ValueError, match="tombstone"):
            tombstones.take(none)

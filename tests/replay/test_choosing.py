"""Which entries are shown: all that fit what was asked, and no other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.replaying.choosing import Choice, a_time, chosen, one_alert
from domain.kernel.errors import DomainError
from domain.kernel.refusals import WasRefused
from domain.services import alerts
from tests.support.builders import ALERT, to_decide
from tests.support.scenarios import Scene

OTHER_ALERT = UUID("0b1b6e2e-6d0e-4d6f-9c41-30a6a58d3f11")


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Two alerts; the first decided, and once more, which is refused; all of it destroyed."""
    made = Scene().running().alerted().viewed().decided(note="a note")
    alerts.adjudicate(made.outside, to_decide(**made.by))
    return made.alerted(OTHER_ALERT, ordinal=2).stopped().ended()


def shown(scene: Scene, **asked: Any) -> list[tuple[int, str]]:
    """Position and name of each entry that is shown."""
    entries = chosen(scene.record.history(), Choice(**asked))
    return [(one.position, one.event.NAME) for one in entries]


def test_who_asks_for_nothing_sees_everything(scene: Scene) -> None:
    """In the order of the log."""
    assert [position for position, _ in shown(scene)] == list(range(scene.record.size()))


@pytest.mark.parametrize("kind", ["alert.raised", "alert", "item.destroyed", "watchlist"])
def test_a_kind_is_a_stored_name_or_a_whole_context(scene: Scene, kind: str) -> None:
    """And nothing of any other."""
    everything = shown(scene)
    expected = [one for one in everything if one[1] == kind or one[1].startswith(kind + ".")]
    assert shown(scene, kinds=(kind,)) == expected != []


def test_several_kinds_are_all_shown(scene: Scene) -> None:
    """Each entry once."""
    both = shown(scene, kinds=("alert", "item", "alert.raised"))
    assert both == [one for one in shown(scene) if one[1].split(".")[0] in ("alert", "item")]


def test_only_refusals(scene: Scene) -> None:
    """What was asked for and not done."""
    expected = [one.position for one in scene.record.history() if isinstance(one.event, WasRefused)]
    assert [position for position, _ in shown(scene, refusals=True)] == expected != []


def test_a_role_and_an_actor(scene: Scene) -> None:
    """Together they must both fit."""
    entries = list(scene.record.history())
    actor = next(one.actor for one in entries if one.role == "engagement_officer")
    by_role = [one.position for one in entries if one.role == "engagement_officer"]
    assert [one for one, _ in shown(scene, roles=("engagement_officer",))] == by_role != []
    assert [one for one, _ in shown(scene, actor=actor)] == [
        one.position for one in entries if one.actor == actor
    ]
    assert shown(scene, roles=("authorising_officer",), actor=actor) == []


def test_from_one_position_to_another(scene: Scene) -> None:
    """Both ends belong to it."""
    assert [position for position, _ in shown(scene, first=5, last=9)] == [5, 6, 7, 8, 9]
    assert shown(scene, first=9, last=5) == []


def test_between_two_times(scene: Scene) -> None:
    """When it happened, not when it was recorded."""
    times = sorted({one.event.timestamp for one in scene.record.history()})
    since, until = times[0], times[-1]
    assert shown(scene, since=since, until=until) == shown(scene)
    assert shown(scene, since=until + timedelta(seconds=1)) == []
    assert shown(scene, until=since - timedelta(seconds=1)) == []


def test_the_story_of_one_alert(scene: Scene) -> None:
    """Its entries, its items from registration to receipt, and what was refused about it."""
    story = [name for _, name in shown(scene, alert=ALERT)]
    for name in ("alert.raised", "alert.viewed", "alert.adjudicated", "alert.adjudication_refused"):
        assert story.count(name) == 1, name
    assert story.count("item.registered") == story.count("item.destroyed") == 5
    other = shown(scene, alert=OTHER_ALERT)
    assert {"alert.raised", "alert.closed_undetermined"} <= {name for _, name in other}
    assert not set(other) & set(shown(scene, alert=ALERT))


def test_an_alert_is_found_by_its_first_digits(scene: Scene) -> None:
    """If they are enough."""
    history = scene.record.history
    assert one_alert(history(), ALERT.hex[:8]) == ALERT
    assert one_alert(history(), str(ALERT).upper()) == ALERT
    for digits, words in (("ffff", "no alert begins"), ("", "no alert begins")):
        with pytest.raises(DomainError, match=rf"{words}.*{ALERT.hex[:8]}"):
            one_alert(history(), digits)


def test_what_can_only_be_a_slip_is_said_to_be_one() -> None:
    """With what there is instead."""
    with pytest.raises(DomainError, match=r"'alert\.raise'.*alert\.raised"):
        Choice(kinds=("alert.raise",))
    with pytest.raises(DomainError, match=r"'alerts'.*alert, "):
        Choice(kinds=("alerts",))
    with pytest.raises(DomainError, match=r"'officer'.*operator"):
        Choice(roles=("officer",))


def test_a_time_needs_its_zone() -> None:
    """Nine o'clock where?"""
    nine = datetime(2026, 11, 23, 9, tzinfo=UTC)
    for text in ("2026-11-23T09:00:00Z", "2026-11-23t10:00:00+01:00", " 2026-11-23 09:00Z "):
        assert a_time(text) == nine
    for text in ("2026-11-23T09:00:00", "2026-11-23"):
        with pytest.raises(DomainError, match="with its zone"):
            a_time(text)
    with pytest.raises(DomainError, match="expected a time like"):
        a_time("yesterday")

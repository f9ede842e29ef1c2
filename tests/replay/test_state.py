"""A deployment as it was: at every place what it was then, and what changed in between."""

from __future__ import annotations

from typing import Any

import pytest

from api.replaying.differences import differences
from api.replaying.state import AsItWas, flat, up_to
from domain.custody.events import ItemDestroyed
from domain.sightings.commands import Enrolled
from tests.support.builders import ALERT, DEPLOYMENT
from tests.support.scenarios import Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A whole deployment with one alert."""
    return Scene().running().alerted().viewed().decided(note="a note").stopped().ended()


def at(scene: Scene, position: int) -> dict[str, Any]:
    """The state after a position, one line for each value."""
    state = AsItWas(DEPLOYMENT)
    for entry in up_to(scene.record.history(), position=position):
        state.take(entry)
    return flat(state.told())


def place_of(scene: Scene, name: str) -> int:
    """Where an event of this name stands first."""
    return next(one.position for one in scene.record.history() if name == one.event.NAME)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("deployment.applied_for", "not applied for", "applied for"),
        ("deployment.authorised", "applied for", "authorised"),
        ("deployment.started", "authorised", "running"),
        ("deployment.stopped", "running", "stopped"),
        ("deployment.ended", "stopped", "ended"),
    ],
)
def test_the_phase_is_that_of_the_place(scene: Scene, name: str, before: str, after: str) -> None:
    """Before the entry the one, after it the other."""
    place = place_of(scene, name)
    assert at(scene, place - 1)["deployment / phase"] == before
    assert at(scene, place)["deployment / phase"] == after


def test_the_list_the_alert_and_the_items_are_those_of_the_place(scene: Scene) -> None:
    """While the run is on, and when everything is over."""
    decided = at(scene, place_of(scene, "alert.adjudicated"))
    assert decided["watchlist / state"] == "approved"
    assert decided[f"alerts / {ALERT.hex} / state"] == "adjudicated"
    assert decided["items / face_crop live"] == 1
    assert "items / face_crop destroyed" not in decided
    over = at(scene, scene.record.size())
    assert over["items / face_crop destroyed"] == 1
    assert "items / face_crop live" not in over
    assert over["faces / alerted"] == 1
    destroyed = len(scene.events(ItemDestroyed))
    assert sum(v for k, v in over.items() if k.endswith("destroyed")) == destroyed > 0


def test_a_time_is_what_was_recorded_by_then(scene: Scene) -> None:
    """Not a moment more."""
    entries = list(scene.record.history())
    middle = entries[len(entries) // 2].recorded_at
    taken = list(up_to(scene.record.history(), at=middle))
    assert taken
    assert all(one.recorded_at <= middle for one in taken)
    assert [one.position for one in taken] == list(range(len(taken)))


def test_what_changed_is_told_with_the_entries_that_changed_it(scene: Scene) -> None:
    """From the start to the stop."""
    start, stop = place_of(scene, "deployment.started"), place_of(scene, "deployment.stopped")
    found = {
        one.name: one
        for one in differences(scene.record.history(), DEPLOYMENT, behind=start, last=stop)
    }
    phase = found["deployment / phase"]
    assert (phase.before, phase.after, phase.positions) == ("running", "stopped", [stop])
    alert = found[f"alerts / {ALERT.hex} / state"]
    assert (alert.before, alert.after) == (None, "adjudicated")
    assert alert.positions[0] == place_of(scene, "alert.raised")
    assert alert.positions[-1] == place_of(scene, "alert.adjudicated")
    assert "watchlist / state" not in found


def test_every_difference_is_one_between_the_two_states(scene: Scene) -> None:
    """For several pairs of places: no difference too many, none missing."""
    size = scene.record.size()
    for behind, last in ((-1, 3), (-1, size - 1), (5, 5), (7, 20), (size - 5, size + 9)):
        before, after = at(scene, behind), at(scene, last)
        expected = {
            name: (before.get(name), after.get(name))
            for name in before.keys() | after.keys()
            if before.get(name) != after.get(name) and not name.startswith("entries by role")
        }
        found = differences(scene.record.history(), DEPLOYMENT, behind=behind, last=last)
        assert {one.name: (one.before, one.after) for one in found} == expected
        assert all(one.positions for one in found)


def test_sums_that_do_not_balance_are_told_to_be_so() -> None:
    """A face was seen that has no outcome."""
    scene = Scene().running()
    assert at(scene, scene.record.size())["faces / sums balance"] is True
    scene.saw(Enrolled(ordinal=1, template_life_ms=2), progress=(10, 2))
    assert at(scene, scene.record.size())["faces / sums balance"] is False

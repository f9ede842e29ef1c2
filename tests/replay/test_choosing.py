"""Which entries are shown: all that fit what was asked, and no other."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.replaying.choosing import Choice, Choosing, one_alert, the_one
from api.replaying.moments import Moment, a_moment, a_time
from domain.kernel.errors import DomainError
from domain.kernel.refusals import WasRefused
from domain.ports import Recorded
from domain.services import alerts, custody
from tests.replay.history import a_history, in_memory
from tests.support import builders as a
from tests.support.builders import ALERT, to_decide
from tests.support.scenarios import Scene

OTHER_ALERT = UUID("0b1b6e2e-6d0e-4d6f-9c41-30a6a58d3f11")
NEVER_RAISED = UUID("0b1b6e2e-0000-4d6f-9c41-30a6a58d3f11")


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Two alerts and one that was refused; the first decided, and once more, which is refused.

    A sighting was suppressed into the first, and somebody was not let at its picture.
    """
    made = Scene().running().alerted().viewed().decided(note="a note")
    alerts.adjudicate(made.outside, to_decide(**made.by))
    made.saw(a.suppressed(3))
    crop = next(made.items_of(ALERT))
    custody.consult(made.outside, a.to_consult(item=crop, purpose="curiosity", **made.by))
    made.alerted(OTHER_ALERT, ordinal=2)
    made.saw(a.suppressed(4, alert=OTHER_ALERT), a.enrolled(5))
    made.stopped()
    alerts.raise_alert(made.outside, a.to_raise(alert=NEVER_RAISED, ordinal=6, **made.by))
    return made.ended()


def shown(scene: Scene, **asked: Any) -> list[tuple[int, str]]:
    """Position and name of each entry that is shown."""
    entries = Choosing(Choice(**asked)).among(scene.record.history())
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
    assert [position for position, _ in shown(scene, refusals=True)] == expected
    assert len(expected) == 3


def test_roles_and_an_actor(scene: Scene) -> None:
    """Any of the roles; role and actor must both fit."""
    entries = list(scene.record.history())
    by_role = [one.position for one in entries if one.role in ("engagement_officer", "operator")]
    roles = ("engagement_officer", "operator")
    assert [one for one, _ in shown(scene, roles=roles)] == by_role
    assert [one for one, _ in shown(scene, actor=a.OPERATOR)] == [
        one.position for one in entries if one.actor == a.OPERATOR
    ]
    assert shown(scene, roles=("authorising_officer",), actor=a.OPERATOR) == []


def test_from_one_position_to_another(scene: Scene) -> None:
    """Both ends belong to it."""
    assert [position for position, _ in shown(scene, first=5, last=9)] == [5, 6, 7, 8, 9]
    assert shown(scene, first=9, last=5) == []


def test_nothing_is_read_behind_the_last_position() -> None:
    """Not even the next entry but one."""
    entries = in_memory(a_history()).history()
    assert [one.position for one in Choosing(Choice(last=4)).among(entries)] == [0, 1, 2, 3, 4]
    assert next(entries).position == 6


def test_between_two_times() -> None:
    """When it happened, as the line shows it; both ends belong to it."""
    record = in_memory(a_history())

    def seen(since: str | None, until: str | None) -> list[int]:
        choice = Choice(
            since=a_time(since) if since else None, until=a_time(until) if until else None
        )
        return [one.position for one in Choosing(choice).among(record.history())]

    assert seen("2026-11-23T09:30:04Z", "2026-11-23T09:30:06Z") == [4, 5, 6]
    assert seen("2026-11-23T10:30:23+01:00", None) == [23, 24, 25]
    # told to the minute: they stand among later ones, and show an earlier time
    assert seen(None, "2026-11-23T09:30:00Z") == [0, 14, 15, 18]


def test_the_story_of_one_alert(scene: Scene) -> None:
    """Its entries, its items from registration to receipt, what was suppressed and refused."""
    story = [name for _, name in shown(scene, alert=ALERT)]
    for name in (
        "alert.raised",
        "alert.viewed",
        "alert.adjudicated",
        "alert.adjudication_refused",
        "sighting.suppressed",
        "item.consultation_refused",
    ):
        assert story.count(name) == 1, name
    assert story.count("item.registered") == story.count("item.destroyed") == 5
    assert not any(name.startswith(("watchlist.", "deployment.", "face.")) for name in story)
    other = shown(scene, alert=OTHER_ALERT)
    assert {"alert.raised", "alert.closed_undetermined"} <= {name for _, name in other}
    assert not set(other) & set(shown(scene, alert=ALERT))


def test_the_story_of_an_alert_that_was_refused(scene: Scene) -> None:
    """The refusal, and nothing that was kept."""
    assert [name for _, name in shown(scene, alert=NEVER_RAISED)] == ["alert.raise_refused"]


def test_a_part_of_a_story_knows_the_items_that_were_registered_before_it(scene: Scene) -> None:
    """What else is asked for does not make it forget them."""
    story = shown(scene, alert=ALERT)
    assert shown(scene, alert=ALERT, kinds=("item.destroyed",)) == [
        one for one in story if one[1] == "item.destroyed"
    ]
    assert shown(scene, alert=ALERT, first=story[-1][0]) == story[-1:]


def test_an_alert_is_found_by_its_first_digits(scene: Scene) -> None:
    """If they are enough; else the error lists those there are."""
    history = scene.record.history
    assert one_alert(history(), ALERT.hex[:8]) == ALERT
    assert one_alert(history(), str(ALERT).upper()) == ALERT
    assert one_alert(history(), "0b1b6e2e0") == NEVER_RAISED
    for digits in ("ffff", "", " "):
        with pytest.raises(DomainError, match=rf"no alert begins.*{ALERT.hex}.*{OTHER_ALERT.hex}"):
            one_alert(history(), digits)
    with pytest.raises(DomainError, match=rf"2 alerts begin.*{OTHER_ALERT.hex}") as found:
        one_alert(history(), "0b1b")
    assert ALERT.hex not in str(found.value)
    with pytest.raises(DomainError, match="there is none"):
        one_alert([], "0b1b")


def test_a_long_list_of_ids_is_cut() -> None:
    """And says how many more there are."""
    ids = [UUID(int=one).hex for one in range(25)]
    with pytest.raises(DomainError, match=r"and 5 more$"):
        the_one(ids, "ffff", "deployment")


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
    for text in ("2026-11-23T09:00:00Z", "2026-11-23t10:00:00+01:00", " 2026-11-23 09:00z "):
        assert a_time(text) == nine
    for text in ("2026-11-23T09:00:00", "2026-11-23"):
        with pytest.raises(DomainError, match="with its zone"):
            a_time(text)
    for text in ("yesterday", "", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+01:00"):
        with pytest.raises(DomainError, match="expected a time like"):
            a_time(text)


def test_a_moment_is_a_position_or_a_time() -> None:
    """Whichever was typed."""
    assert a_moment("17") == Moment(position=17)
    assert a_moment("2026-11-23T09:00:00Z") == Moment(time=datetime(2026, 11, 23, 9, tzinfo=UTC))
    for text in ("-1", "\u0663", "1.5", "9" * 5000, ""):
        with pytest.raises(DomainError, match=r"expected a (time|position)"):
            a_moment(text)


def many(entry: Recorded, entries: int) -> Iterator[Recorded]:
    """So many entries like this one, none of them kept."""
    for position in range(entries):
        yield replace(entry, position=position, recorded_at=a.AT + timedelta(seconds=position))


def test_a_hundred_thousand_entries_are_gone_through_in_flat_memory(scene: Scene) -> None:
    """Whatever is asked for, hardly more is held than for a hundred."""
    entry = next(one for one in scene.record.history() if one.event.NAME.startswith("face."))
    choice = Choice(kinds=("face",), roles=("system",), alert=None, since=a.AT - a.DAY)

    def peak(entries: int, asked: Choice) -> tuple[int, int]:
        tracemalloc.start()
        found = sum(1 for _ in Choosing(asked).among(many(entry, entries)))
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found, held

    few = peak(100, choice)[1]
    found, held = peak(100_000, choice)
    assert found == 100_000
    assert held < few + 20_000
    found, held = peak(20_000, Choice(alert=ALERT))
    assert found == 0
    assert held < few + 20_000

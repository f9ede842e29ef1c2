"""How a canary run is judged, and that what it came to is kept as it was told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.custody.canary import (
    REQUIRED,
    CanaryOutcome,
    Found,
    Place,
    PlaceOutcome,
    Searched,
    judged,
    residue_of,
)
from domain.custody.events import CanarySearched, ResidueFound
from domain.kernel.references import FORCE, journal
from domain.services.canary import CanaryRun, record_canary
from tests.support.scenarios import Scene

CLEAN, FOUND, FAILED = CanaryOutcome.CLEAN, CanaryOutcome.FOUND, CanaryOutcome.SEARCH_FAILED
RESIDUE = {("template", "float32"): 2}
RUN = UUID(int=7)
DEPLOYMENT = UUID(int=8)
MAY_BE_CLOSED = sorted(set(Place) - REQUIRED)


def a_place(place: Place = Place.RECORD, **changes: Any) -> Found:
    """One in which the search found all that it had to find, and nothing else."""
    clean = Found(
        place=place,
        readable=True,
        absent=False,
        files=3,
        bytes_read=4096,
        controls=10,
        controls_found=10,
        residue={},
    )
    return replace(clean, **changes)


def a_search(*places: Found, **changes: Any) -> Searched:
    """All places clean but those that are given."""
    given = {one.place: one for one in places}
    everywhere = tuple(given.get(one) or a_place(one) for one in Place)
    clean = Searched(templates=80, pictures=158, forms=("float32", "jpeg"), places=everywhere)
    return replace(clean, **changes)


def without(*places: Place) -> Searched:
    """A search that does not tell of these at all."""
    return a_search(places=tuple(a_place(one) for one in Place if one not in places))


# -- one place -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({}, PlaceOutcome.CLEAN),
        ({"residue": RESIDUE}, PlaceOutcome.FOUND),
        ({"controls_found": 9}, PlaceOutcome.SEARCH_FAILED),
        ({"controls_found": 11}, PlaceOutcome.SEARCH_FAILED),
        ({"controls": 0, "controls_found": 0}, PlaceOutcome.SEARCH_FAILED),
        ({"readable": False}, PlaceOutcome.NOT_READABLE),
        ({"absent": True, "files": 0, "controls": 0, "controls_found": 0}, PlaceOutcome.ABSENT),
        # what was found was found, however badly the rest was searched
        ({"residue": RESIDUE, "readable": False}, PlaceOutcome.FOUND),
        ({"residue": RESIDUE, "absent": True}, PlaceOutcome.FOUND),
        ({"residue": RESIDUE, "controls_found": 0}, PlaceOutcome.FOUND),
        # what could not be read is not called absent, nor searched
        ({"readable": False, "absent": True}, PlaceOutcome.NOT_READABLE),
        ({"readable": False, "controls_found": 0}, PlaceOutcome.NOT_READABLE),
    ],
)
def test_a_place_is_clean_only_where_the_search_found_all_of_its_controls(
    told: dict[str, Any], outcome: PlaceOutcome
) -> None:
    """Nothing found is nothing known, unless what had to be found was."""
    assert a_place(**told).outcome is outcome


# -- the whole -----------------------------------------------------------------------------------


def test_a_search_that_found_its_controls_and_nothing_else_is_clean() -> None:
    """Everywhere."""
    assert judged(a_search(), seen_alive=True) is CLEAN


@pytest.mark.parametrize("place", Place)
def test_residue_in_any_place_is_found(place: Place) -> None:
    """Required or not."""
    assert judged(a_search(a_place(place, residue=RESIDUE)), seen_alive=True) is FOUND


@pytest.mark.parametrize("place", Place)
def test_a_missing_control_in_any_place_fails_the_whole_search(place: Place) -> None:
    """A place that is open but was badly searched is nowhere passed over."""
    assert judged(a_search(a_place(place, controls_found=9)), seen_alive=True) is FAILED


@pytest.mark.parametrize("changes", [{"readable": False}, {"absent": True}])
@pytest.mark.parametrize("place", sorted(REQUIRED))
def test_a_required_place_that_was_not_searched_fails_the_whole_search(
    place: Place, changes: dict[str, bool]
) -> None:
    """Neither closed nor missing will do."""
    assert judged(a_search(a_place(place, **changes)), seen_alive=True) is FAILED


@pytest.mark.parametrize("place", sorted(REQUIRED))
def test_a_required_place_that_is_not_told_of_fails_the_whole_search(place: Place) -> None:
    """What nobody speaks of was not searched."""
    assert judged(without(place), seen_alive=True) is FAILED


@pytest.mark.parametrize("changes", [{"readable": False}, {"absent": True}])
@pytest.mark.parametrize("place", MAY_BE_CLOSED)
def test_a_place_that_may_be_closed_does_not_spoil_the_rest(
    place: Place, changes: dict[str, bool]
) -> None:
    """Its own line says so. Swap needs a right that whoever asks may not have."""
    assert judged(a_search(a_place(place, **changes)), seen_alive=True) is CLEAN


@pytest.mark.parametrize("place", MAY_BE_CLOSED)
def test_a_place_that_may_be_closed_need_not_be_told_of(place: Place) -> None:
    """A record in files has no server's directory."""
    assert judged(without(place), seen_alive=True) is CLEAN


def test_what_has_to_be_searched_is_a_list_that_a_lawyer_can_check() -> None:
    """None of them goes without this line changing."""
    assert set(REQUIRED) == {"record", "keystore", "media", "premises", "memory"}


@pytest.mark.parametrize("changes", [{"templates": 0}, {"pictures": 0}, {"places": ()}])
def test_a_search_for_nothing_or_nowhere_fails(changes: dict[str, Any]) -> None:
    """It would find nothing whatever lies there."""
    assert judged(a_search(**changes), seen_alive=True) is FAILED


def test_a_template_that_was_not_seen_while_it_lived_fails_the_search() -> None:
    """Who does not see it then would not see it afterwards."""
    assert judged(a_search(), seen_alive=False) is FAILED


@pytest.mark.parametrize(
    "spoiled",
    [
        a_search(a_place(Place.SWAP, residue=RESIDUE), a_place(controls_found=0)),
        a_search(a_place(Place.SWAP, residue=RESIDUE), a_place(readable=False)),
        a_search(a_place(Place.SWAP, residue=RESIDUE), templates=0),
    ],
)
@pytest.mark.parametrize("seen_alive", [True, False])
def test_what_was_found_is_never_outweighed_by_a_search_that_failed(
    spoiled: Searched, seen_alive: bool
) -> None:
    """The worse news is the one that is told."""
    assert judged(spoiled, seen_alive=seen_alive) is FOUND


def test_residue_is_listed_by_place_content_and_form() -> None:
    """In the order of the places, and each once."""
    twice = {("template", "hex"): 1, ("picture", "jpeg"): 4}
    searched = a_search(a_place(Place.MEMORY, residue=RESIDUE), a_place(residue=twice))
    assert residue_of(searched) == [
        (Place.RECORD, "picture", "jpeg", 4),
        (Place.RECORD, "template", "hex", 1),
        (Place.MEMORY, "template", "float32", 2),
    ]
    assert residue_of(a_search()) == []


# -- on the record -------------------------------------------------------------------------------


def a_run(**changes: Any) -> CanaryRun:
    """A run that raised a possible match, whose template was seen alive."""
    run = CanaryRun(
        deployment=DEPLOYMENT,
        run=RUN,
        played_in="node",
        alerts=1,
        seen_alive=True,
        precautions={"core_dumps": "off"},
    )
    return replace(run, **changes)


@pytest.fixture
def scene() -> Scene:
    """A record, a clock and stand-ins."""
    return Scene()


def test_a_clean_run_is_one_entry_that_says_what_was_searched(scene: Scene) -> None:
    """By place, with the controls, in the force's own stream."""
    assert record_canary(scene.outside, a_run(), a_search()) is CLEAN
    (told,) = scene.events(CanarySearched)
    assert told.originator_id == journal("canary", FORCE)
    assert (told.outcome, told.run, told.deployment) == ("clean", RUN, DEPLOYMENT)
    assert (told.templates, told.pictures, told.alerts, told.seen_alive) == (80, 158, 1, True)
    assert (told.forms, told.precautions) == (["float32", "jpeg"], {"core_dumps": "off"})
    assert [one.place for one in told.places] == list(Place)
    assert {
        (one.outcome, one.files, one.bytes_read, one.controls, one.controls_found, one.residue)
        for one in told.places
    } == {("clean", 3, 4096, 10, 10, 0)}
    assert not scene.events(ResidueFound)


def test_each_content_and_form_that_was_found_is_an_entry_of_its_own(scene: Scene) -> None:
    """And the entry of the whole says how many in each place."""
    both = {("template", "float32"): 2, ("picture", "jpeg"): 3}
    searched = a_search(a_place(residue=both), a_place(Place.LOGS, controls_found=9))
    assert record_canary(scene.outside, a_run(), searched) is FOUND
    assert [(one.run, one.place, one.content, one.form, one.count) for one in _residue(scene)] == [
        (RUN, "record", "picture", "jpeg", 3),
        (RUN, "record", "template", "float32", 2),
    ]
    assert len({one.finding for one in _residue(scene)}) == 2
    (told,) = scene.events(CanarySearched)
    outcomes = {one.place: (one.outcome, one.residue) for one in told.places}
    assert told.outcome == "found"
    assert outcomes["record"] == ("found", 5)
    assert outcomes["logs"] == ("search_failed", 0)
    assert outcomes["media"] == ("clean", 0)


def _residue(scene: Scene) -> list[ResidueFound]:
    return scene.events(ResidueFound)


@pytest.mark.parametrize("changes", [{"alerts": 0}, {"seen_alive": False}])
def test_a_run_in_which_not_all_took_place_fails_the_search(
    scene: Scene, changes: dict[str, Any]
) -> None:
    """Without a possible match, nothing was kept of which something could be left."""
    assert record_canary(scene.outside, a_run(**changes), a_search()) is FAILED
    (told,) = scene.events(CanarySearched)
    assert told.outcome == "search_failed"
    assert (told.alerts, told.seen_alive) == (
        changes.get("alerts", 1),
        changes.get("seen_alive", True),
    )

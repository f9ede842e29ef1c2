"""What a verifier makes of canary runs: it believes the controls, not the word."""

from __future__ import annotations

from typing import Any

import pytest

from domain.assurance.canaries import Canaries


def place(name: str = "record", outcome: str = "clean", **changes: Any) -> dict[str, Any]:
    return {
        "place": name,
        "outcome": outcome,
        "controls": 10,
        "controls_found": 10,
        "residue": 0,
    } | changes


FOUND = place("memory", "found", residue=2)


def run(canaries: Canaries, outcome: str, *places: dict[str, Any], node: bool = True) -> None:
    body = {"outcome": outcome, "templates": 13, "pictures": 24, "places": list(places)}
    entry = {"pos": 7, "recorded_at": "2026-11-23T09:30:00.000Z", "body": body}
    canaries.searched(entry, of_the_node=node)


def test_what_was_found_is_a_finding_until_a_search_is_clean() -> None:
    canaries = Canaries()
    run(canaries, "found", place(), FOUND)
    assert [(one.code, one.position) for one in canaries.residue] == [("residue_found", 7)]
    assert "memory" in canaries.residue[0].sentence and "record" not in canaries.residue[0].sentence
    run(canaries, "search_failed", place())
    assert len(canaries.residue) == 1, "a search that shows nothing mends nothing"
    run(canaries, "clean", place())
    assert (canaries.residue, canaries.resolved) == ([], 1)
    assert canaries.newest is not None and canaries.newest.outcome == "clean"


@pytest.mark.parametrize(
    "called_clean",
    [
        place(controls_found=9),
        place(controls=0, controls_found=0),
        place(residue=1),
        FOUND,
    ],
)
def test_a_search_that_only_calls_itself_clean_mends_nothing(called_clean: dict[str, Any]) -> None:
    canaries = Canaries()
    run(canaries, "found", FOUND)
    run(canaries, "clean", place(), called_clean)
    assert len(canaries.residue) == 1


def test_what_a_run_calls_clean_and_found_something_is_a_finding() -> None:
    canaries = Canaries()
    run(canaries, "clean", place(residue=1))
    assert len(canaries.residue) == 1


def test_places_that_are_not_there_spoil_nothing() -> None:
    canaries = Canaries()
    run(canaries, "found", FOUND)
    run(canaries, "clean", place(), place("swap", "absent", controls=0, controls_found=0))
    assert canaries.residue == []


def test_it_tells_of_no_deployment() -> None:
    canaries = Canaries()
    run(canaries, "found", FOUND, node=False)
    assert canaries.residue == [] and canaries.newest is not None

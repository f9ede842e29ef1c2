"""Every requirement is served by something that exists and shown by tests that exist."""

from __future__ import annotations

import pytest

from tests.architecture.traceability import NUMBERS, PAGE, known_tests, page, requirements, wrong


def test_every_requirement_is_there_once() -> None:
    assert list(requirements()) == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_a_requirement_is_served_and_shown(number: str) -> None:
    assert list(wrong(number, requirements()[number])) == []


def test_the_page_is_what_the_list_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.architecture.traceability"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"says": "x", "by": ["event:alert.raised"]}, "no test"),
        ({"says": "x", "by": ["event:alert.razed"], "human": "y"}, "no event alert.razed"),
        ({"says": "x", "by": ["figure:fees"], "human": "y"}, "no figure fees"),
        ({"says": "x", "by": ["command:report weather"], "human": "y"}, "no command"),
        ({"says": "x", "by": ["rule:domain.alerts.policies.none"], "human": "y"}, "no rule"),
        ({"says": "x", "by": ["rule:domain.figures.rates.rate"], "human": "y"}, "no rule"),
        ({"says": "x", "by": [], "human": "y"}, "nothing serves it"),
        ({"says": "x", "by": ["event:alert.raised"], "tests": ["a/b"]}, "no test a/b"),
    ],
)
def test_a_line_that_is_not_true_is_found(line: dict[str, object], found: str) -> None:
    assert any(found in one for one in wrong("999", line))


def test_the_tests_that_are_pointed_at_are_read_from_the_files() -> None:
    assert "traceability/every_requirement_is_there_once" in known_tests()

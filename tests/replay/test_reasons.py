"""Why something was refused: every code of every rule is found again, with its words."""

from __future__ import annotations

import inspect

import pytest

from api.replaying.reasons import RULES, rules_with, why
from domain.catalogue import EVENTS
from domain.kernel.errors import DomainError
from domain.kernel.refusals import WasRefused
from domain.services import alerts, deployments
from tests.support.builders import to_decide, to_start
from tests.support.scenarios import Scene


def test_every_kind_of_refusal_has_its_rules() -> None:
    """A new refusal event must say which rules led to it."""
    refusals = {kind for kind in EVENTS.values() if issubclass(kind, WasRefused)}
    assert set(RULES) == refusals


def test_every_rule_is_found_by_a_code_and_says_what_it_demands() -> None:
    """Among the rules that led to its refusal; at most one other shares the code."""
    for kind, rules in RULES.items():
        for rule in rules:
            assert inspect.getdoc(rule), rule
            codes = [
                one
                for one in rule.__code__.co_consts
                if isinstance(one, str) and one.replace("_", "").isalpha() and "_" in one
            ]
            assert any(
                rule in found and len(found) <= 2
                for found in (rules_with(one, rules) for one in codes)
            ), f"{kind.NAME}: {rule.__name__}"


def test_a_second_decision_is_explained_by_its_rule() -> None:
    """With what was asked, by whom, and the rules of that day."""
    scene = Scene().running().alerted().viewed().decided()
    alerts.adjudicate(scene.outside, to_decide(**scene.by))
    position = scene.record.size() - 1
    answer = why(scene.record.history(), position)
    assert (answer.asked, answer.role) == ("adjudication", "engagement_officer")
    (reason,) = answer.reasons
    assert (reason.code, reason.sentence) == ("already_decided", "the alert was decided")
    assert reason.rule
    assert answer.in_force["authorised threshold"] == "0.62"
    assert "retention of face_crop" in answer.in_force


def test_what_was_compared_is_shown() -> None:
    """The values, as the record keeps them."""
    scene = Scene().applied().listed()
    deployments.start(scene.outside, to_start(**scene.by))
    answer = why(scene.record.history(), scene.record.size() - 1)
    assert "not_authorised" in [one.code for one in answer.reasons]
    assert "authorised threshold" not in answer.in_force
    assert all(one.rule for one in answer.reasons)
    assert any(one.source for one in answer.reasons)


def test_an_entry_that_refused_nothing_has_no_why() -> None:
    """Nor has one that is not there."""
    scene = Scene().running()
    with pytest.raises(DomainError, match=r"entry 0 \(.*\) refused nothing"):
        why(scene.record.history(), 0)
    with pytest.raises(DomainError, match="no entry at position 9999"):
        why(scene.record.history(), 9999)

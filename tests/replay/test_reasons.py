"""Why something was refused: every code of every rule is found again, with its words."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any, get_type_hints

import pytest

import domain
from api.replaying.reasons import NO_DOCUMENT, Answer, NoRefusal, why
from api.replaying.rulebook import REQUESTS, rule_behind, told
from domain.catalogue import EVENTS
from domain.kernel.errors import DomainError
from domain.kernel.refusals import Refusal, WasRefused, declared_by, refuses
from domain.watchlists.events import EntryRefused
from tests.replay.history import (
    ALERT,
    DEPLOYMENT,
    OTHER_DEPLOYMENT,
    WATCHLIST,
    a_history,
    in_memory,
)
from tests.support import builders as a
from tests.support.scenarios import Scene
from tests.unit.services.test_refusals_are_kept import ATTEMPTS, Attempt

Policy = Callable[[Any], Refusal | None]


def policies() -> Iterator[Policy]:
    """Every function of the domain that gives a refusal or nothing, wherever it stands."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        if module.name.startswith("domain.assurance"):
            continue
        loaded = importlib.import_module(module.name)
        for _, found in inspect.getmembers(loaded, inspect.isfunction):
            if (
                found.__module__ == module.name
                and get_type_hints(found).get("return") == Refusal | None
            ):
                yield found


def codes_in(source: str) -> set[str]:
    """The codes with which a function's text makes a refusal."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    made = [one.args[0] for one in calls if getattr(one.func, "id", "") == "Refusal"]
    return {str(one.value) if isinstance(one, ast.Constant) else "?" for one in made}


POLICIES = list(policies())


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_a_policy_declares_the_codes_that_it_gives_and_says_what_it_demands(
    policy: Policy,
) -> None:
    """Exactly those that stand in it; and a docstring that a person can be shown."""
    declared = declared_by(policy)
    assert set(declared.codes) == codes_in(inspect.getsource(policy))
    words = told(policy)
    assert len(words.demand) > 10
    assert "Source" not in words.demand
    assert words.source is None or len(words.source) > 3


def test_every_policy_was_looked_at() -> None:
    """And a code that is written nowhere would be found."""
    assert len(POLICIES) > 80
    assert codes_in('def one(): return Refusal("a", "b") or Refusal(name, "c")') == {"a", "?"}


def test_every_kind_of_refusal_has_its_rules() -> None:
    """A new refusal event must say which rules led to it; each rule has its event."""
    refusals = {kind for kind in EVENTS.values() if issubclass(kind, WasRefused)}
    assert set(REQUESTS) == refusals
    used = {rule for request in REQUESTS.values() for rule in request.rules}
    # it keeps nothing from being proposed: an entry is then rejected, which is no refusal
    assert {one.__name__ for one in set(POLICIES) - used} == {"category_is_within_the_criteria"}


def test_a_code_of_a_kind_of_refusal_leads_to_exactly_one_rule() -> None:
    """Where two rules share a code, each declares its sentence and they differ."""
    for kind, request in REQUESTS.items():
        for rule in request.rules:
            declared = declared_by(rule)
            for code in declared.codes:
                sentence = declared.saying or "any sentence"
                found = rule_behind(kind, Refusal(code, sentence))
                assert found == told(rule), f"{kind.NAME} {code}"


def test_two_rules_with_one_code_are_told_apart() -> None:
    """Whoever may not propose an entry is told so by one, whoever may not judge it by another."""
    code = "not_a_watchlist_manager"
    proposing = rule_behind(EntryRefused, Refusal(code, "the watchlist manager compiles the list"))
    judging = rule_behind(EntryRefused, Refusal(code, "the watchlist manager judges entries"))
    assert proposing is not None
    assert judging is not None
    assert (proposing.name, judging.name) == ("manager_compiles", "manager_or_system_judges")
    assert rule_behind(EntryRefused, Refusal(code, "something else")) is None


def test_a_declared_sentence_is_the_one_that_the_policy_says() -> None:
    """Else the record would lead to the wrong rule."""
    declaring = [one for one in POLICIES if declared_by(one).saying is not None]
    assert len(declaring) == 2
    for policy in declaring:
        body = inspect.getsource(policy).split("-> Refusal | None", 1)[1]
        assert f'"{declared_by(policy).saying}"' in body


def test_declaring_leaves_the_policy_as_it_is() -> None:
    """It is the same pure function."""

    def never(facts: object) -> Refusal | None:
        return None

    assert refuses("never")(never) is never


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=list(ATTEMPTS))
def test_each_refused_attempt_is_explained(attempt: Attempt) -> None:
    """Asked of the services, told from the record: every reason has its rule."""
    scene = attempt.before(Scene())
    attempt.ask(scene)
    (entry,) = (one for one in scene.record.history() if attempt.name == one.event.NAME)
    answer = why(scene.record.history(a.DEPLOYMENT.hex), a.DEPLOYMENT, entry.position)
    assert isinstance(answer, Answer)
    assert [one.code for one in answer.reasons] == attempt.codes
    for reason in answer.reasons:
        if attempt.name == "watchlist.import_refused":
            assert reason.rule is None
            assert reason.otherwise is not None
            assert "docs/rehearse.md" in reason.otherwise
        else:
            assert reason.rule is not None
    assert answer.commands or attempt.name == "command.repeat_refused"


def explained(position: int) -> Answer | NoRefusal:
    """Of the made-up history."""
    return why(in_memory(a_history()).history(DEPLOYMENT.hex), DEPLOYMENT, position)


def test_a_refused_start_is_explained_from_the_record() -> None:
    """What was asked, by whom, what was compared, and the state that it met."""
    answer = explained(11)
    assert isinstance(answer, Answer)
    assert (answer.asked_to, answer.commands) == ("switch recognition on", ["StartDeployment"])
    assert (answer.actor, answer.role) == (a.OPERATOR, "operator")
    assert (answer.asked_at, answer.clock) == ("2026-11-23T09:30:11.000Z", "trusted")
    first, second = answer.reasons
    assert first.rule is not None
    assert (first.rule.name, first.rule.source) == ("start_is_authorised", "seed L34")
    assert first.rule.demand == "No recognition without an authorisation."
    assert second.compared == {"gallery": "2", "list": "1"}
    assert second.rule is not None
    assert second.rule.where == "domain.deployments.policies"
    met = answer.judged_against
    assert met is not None
    assert (met.kind, met.id, met.version, met.position) == ("deployment", DEPLOYMENT.hex, 2, 1)
    assert answer.phase == "applied_for"
    assert met.state["cameras"] == {a.CAMERA: "file"}
    assert met.state["authorisation"] is None
    assert answer.lists == {WATCHLIST.hex: "approved"}


def test_only_what_was_in_force_before_it_is_told() -> None:
    """Each with the entry that says so; documents are not on the record, and that is said."""
    early, late = explained(11), explained(22)
    assert isinstance(early, Answer)
    assert isinstance(late, Answer)
    assert early.documents == late.documents == NO_DOCUMENT
    then = {one.what: (one.value, one.position) for one in early.in_force}
    assert then["catalogue of accepted values, version"] == ("2026-1", 2)
    assert then["retention of reference_image"] == ("RT-06, counted from deployment_end", 5)
    assert not any(name.startswith(("authorised", "recogniser")) for name in then)
    later = {one.what: (one.value, one.position) for one in late.in_force}
    assert later["authorised threshold"] == ("0.62 (evidence-2026-3)", 12)
    assert later["authorised model"] == (a.MODEL, 12)
    assert later["recogniser setting cool_down_ms"] == ("10000", 13)
    assert later["retention of face_crop"] == ("RT-03, counted from alert", 16)


def test_what_it_was_aimed_at_is_told_as_it_was() -> None:
    """An alert by its decision; what was not there yet as not there."""
    answer = explained(22)
    assert isinstance(answer, Answer)
    assert answer.judged_against is not None
    assert (answer.judged_against.kind, answer.judged_against.id) == ("alert", ALERT.hex)
    assert (answer.judged_against.version, answer.judged_against.position) == (3, 20)
    assert answer.judged_against.state["decision"] == "viable"


def test_a_code_that_this_version_does_not_know_is_told_as_recorded() -> None:
    """With its sentence and its values, and without a rule that might be another's."""
    entries = list(in_memory(a_history()).history(DEPLOYMENT.hex))
    answer = why(entries, DEPLOYMENT, 11)
    assert isinstance(answer, Answer)
    of_old = Refusal("start_not_blessed", "wait for the blessing", {"blessed": "no"})
    refusal = next(one for one in entries if one.position == 11)
    assert isinstance(refusal.event, WasRefused)
    refusal.event.reasons[:] = [of_old]
    answer = why(entries, DEPLOYMENT, 11)
    assert isinstance(answer, Answer)
    (reason,) = answer.reasons
    assert (reason.code, reason.sentence, reason.rule) == (of_old.code, of_old.sentence, None)
    assert reason.otherwise is not None
    assert "no rule of this version" in reason.otherwise


def test_an_entry_that_refused_nothing_is_shown_instead() -> None:
    """It says what happened."""
    answer = explained(4)
    assert isinstance(answer, NoRefusal)
    assert answer.entry.position == 4


def test_an_entry_of_another_deployment_or_of_none_is_not_explained() -> None:
    """The error says where this one's are."""
    with pytest.raises(DomainError, match=r"not of this deployment.*at 2 and 4"):
        explained(3)
    with pytest.raises(DomainError, match="no entry at position 99: its newest is at 25"):
        explained(99)
    other = in_memory(a_history()).history(OTHER_DEPLOYMENT.hex)
    with pytest.raises(DomainError, match=r"its own are at 3$"):
        why(other, OTHER_DEPLOYMENT, 1)

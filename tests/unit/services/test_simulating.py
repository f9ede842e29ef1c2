"""The recorded past, decided again under a proposed policy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.governance.requirements import SHIPPED, RequirementsError
from domain.kernel.errors import DomainError
from domain.services import deployments
from domain.services.simulation import Proposal, ProposalError, WouldBeRefused, simulate
from tests.stateful.test_any_order import STAGES
from tests.support import builders as a
from tests.support.scenarios import Scene, agreed

NOTHING_NEW = 'version = "as-it-is"\n'


def found(scene: Scene, proposal: str) -> list[WouldBeRefused]:
    return list(simulate(scene.record.history(), Proposal.parse(proposal, "proposal.toml")))


def told(scene: Scene, proposal: str) -> set[tuple[str, str]]:
    return {(one.what, one.code) for one in found(scene, proposal)}


@pytest.mark.parametrize("stage", range(len(STAGES)))
def test_what_was_allowed_is_allowed_again_by_the_same_rules(stage: int) -> None:
    """So that what a proposal refuses is its own doing."""
    scene = Scene()
    STAGES[stage](scene)
    assert found(scene, NOTHING_NEW) == []


def alerted() -> Scene:
    return Scene().running().alerted().stopped().ended()


@pytest.mark.parametrize(
    ("proposal", "expected"),
    [
        (
            '[entries]\ncategories = ["other"]',
            {("entry", "category_not_allowed"), ("alert", "entry_not_listed")},
        ),
        (
            "[entries]\nattempted_within_days = 2",
            {("entry", "attempt_too_old"), ("alert", "entry_not_listed")},
        ),
        ('[entries]\nnexus = ["seen-here-before"]', set()),
        (
            '[deployments]\nuse_cases = ["none"]',
            {
                ("authorisation", "use_case_not_allowed"),
                ("start", "not_authorised"),
                ("alert", "run_not_live"),
            },
        ),
        (
            "[alerts]\nthreshold_at_least = 0.7",
            {
                ("authorisation", "threshold_too_low"),
                ("start", "not_authorised"),
                ("alert", "run_not_live"),
            },
        ),
        ("[alerts]\nthreshold_at_least = 0.62", set()),
    ],
)
def test_a_proposal_refuses_what_it_would_have_and_what_followed(
    proposal: str, expected: set[tuple[str, str]]
) -> None:
    assert told(alerted(), proposal) == expected


def with_requirements(change: Callable[[str], str]) -> str:
    """What ships, as changed, as the requirements of a proposal."""
    lines = ['version = "proposed-1"', "[requirements.documents]"]
    lines += [f'{kind} = "{degree}"' for kind, degree in SHIPPED.documents.items()]
    lines += [
        "[requirements.screening]",
        f"questions = {list(SHIPPED.questions)}",
        "[requirements.training]",
        'operator = "lfr-operator"',
        "[requirements.evidence]",
        "oldest_days = 730",
        "[requirements.at_most]",
        "window_hours = 168",
        "[requirements.at_least]",
        "notice_hours = 24",
    ]
    return change("\n".join(lines))


def test_stricter_requirements_are_held_against_what_was_in_force_then() -> None:
    scene = alerted()
    assert found(scene, with_requirements(lambda text: text)) == []
    shorter = with_requirements(lambda text: text.replace("window_hours = 168", "window_hours = 4"))
    assert ("authorisation", "window_too_long") in told(scene, shorter)
    another = with_requirements(lambda text: text.replace("eia = ", 'radio = "in-force"\neia = '))
    assert ("authorisation", "documents_not_in_force") in told(scene, another)
    assert ("start", "documents_not_in_force") in told(scene, another)
    earlier = with_requirements(lambda text: text.replace("notice_hours = 24", "notice_hours = 72"))
    assert ("start", "notice_too_late") in told(scene, earlier)
    assert ("authorisation", "notice_too_late") not in told(scene, earlier)


def test_vulnerable_people_and_sensitive_places() -> None:
    scene = Scene().applied().list_opened()
    scene.entry_proposed(necessity=a.why(vulnerable=True))
    assert told(scene, "[entries]\nvulnerable = false") == {("entry", "vulnerable_not_allowed")}
    school = Scene().applied().listed().in_force()
    school.reported(sections=a.the_sections(sensitive_place=["school"]))
    agreed(deployments.decide_on_place(school.outside, a.to_decide_on_the_place(**school.by)))
    school.authorised()
    assert told(school, "[deployments]\nsensitive_places = false") == {
        ("authorisation", "place_not_allowed")
    }


def test_nothing_is_written() -> None:
    scene = alerted()
    before = scene.record.size()
    assert found(scene, '[entries]\ncategories = ["other"]')
    assert scene.record.size() == before


def test_each_finding_names_its_entry() -> None:
    scene = alerted()
    by_position = {one.position: one.event for one in scene.record.history()}
    for one in found(scene, '[deployments]\nuse_cases = ["none"]'):
        assert by_position[one.position].NAME in {
            "deployment.authorised",
            "deployment.started",
            "alert.raised",
        }
        assert one.deployment == a.DEPLOYMENT and one.because


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = ", "proposal.toml"),
        ("[people]\nnames = []", "found people"),
        ("[entries]\nname = 5", "a table entries with"),
        ("[entries]\ncategories = 5", "list of codes"),
        ("[entries]\nvulnerable = 5", "true or false"),
        ("[entries]\nattempted_within_days = 0", "whole days above 0"),
        ("[alerts]\nthreshold_at_least = 7", "between 0 and 1"),
        ('[alerts]\nthreshold_at_least = "x"', "between 0 and 1"),
    ],
)
def test_a_proposal_that_is_none_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(ProposalError, match=says):
        Proposal.parse(text, "proposal.toml")
    with pytest.raises(RequirementsError):
        Proposal.parse('version = "p-1"\n[requirements.documents]\n', "proposal.toml")
    assert issubclass(ProposalError, DomainError)


def test_a_refusal_in_the_past_is_no_finding() -> None:
    scene = Scene().applied()
    deployments.start(scene.outside, a.to_start(**scene.by))
    assert scene.refusals() and found(scene, '[entries]\ncategories = ["x"]') == []

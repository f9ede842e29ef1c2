"""What a deployment needs: read from a file, adopted by the sponsor, never less than what ships."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.governance.adoption import RequirementsRegister
from domain.governance.commands import AdoptRequirements
from domain.governance.events import RequirementsAdopted
from domain.governance.requirements import SHIPPED, Requirements, RequirementsError
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from tests.support.builders import AT, Fact
from tests.support.governed import to
from tests.support.scenarios import given, given_no, happened, refused

NEXT = SHIPPED.as_adopted() | {"version": "2027-1"}
FILE = """
version = "2027-1"
source = "the force's policy"
[documents]
policy = "published"
[screening]
questions = ["5.1"]
[training]
operator = "course-1"
[evidence]
oldest_days = 90
[at_most]
list_entries = 2000
[at_least]
notice_hours = 48
"""


def adopt(role: Role = Role.SPONSOR, **changes: Any) -> Callable[..., Refused | None]:
    """Ask for an adoption of what ships, as changed."""
    command = to(AdoptRequirements, at=AT, mode=Mode.REHEARSAL, role=role, **(NEXT | changes))
    return lambda one: one.decide_adoption(command)


def adopted(**changes: Any) -> Fact[RequirementsRegister]:
    """What ships was adopted, as changed."""
    return Fact(RequirementsRegister, RequirementsAdopted, NEXT | changes)


def test_more_may_be_asked_for() -> None:
    more: dict[str, Any] = {"documents": dict(SHIPPED.documents) | {"radio-plan": "in-force"}}
    given_no(RequirementsRegister).when(adopt(**more)).then(happened(adopted(**more)))


def test_until_one_is_adopted_what_ships_is_in_force() -> None:
    register = RequirementsRegister()
    assert register.in_force == SHIPPED
    assert adopt()(register) is None
    assert register.in_force.version == "2027-1"


@pytest.mark.parametrize(
    ("less", "dropped"),
    [
        (
            {"documents": {k: v for k, v in SHIPPED.documents.items() if k != "apd"}},
            "document apd published",
        ),
        (
            {"documents": dict(SHIPPED.documents) | {"policy": "in-force"}},
            "document policy published",
        ),
        ({"questions": list(SHIPPED.questions[1:])}, "question 5.1"),
        ({"training": {"operator": "lfr-operator"}}, "training of engagement_officer"),
        ({"oldest_evidence_days": 731}, "evidence of at most 730 days"),
        ({"at_most": {"list_entries": 10_001}}, "list_entries of at most 10000"),
        ({"at_least": {"notice_hours": 23}}, "notice_hours of at least 24"),
    ],
)
def test_less_than_what_ships_is_refused_and_named(less: dict[str, Any], dropped: str) -> None:
    (
        given_no(RequirementsRegister)
        .when(adopt(**less))
        .then(
            refused(
                "asks_for_less",
                kept_as="requirements.adoption_refused",
                compared={"dropped": dropped},
            )
        )
    )


def test_a_later_version_is_held_against_what_ships_and_not_against_the_one_before() -> None:
    """A force that asked for more may go back to what the law asks."""
    given(adopted(oldest_evidence_days=30)).when(adopt(version="2027-2")).then(
        happened(adopted(version="2027-2"))
    )


@pytest.mark.parametrize("version", ["2027-1", SHIPPED.version])
def test_a_version_names_one_content_for_ever(version: str) -> None:
    given(adopted()).when(adopt(version=version)).then(refused("version_not_new"))


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.SPONSOR])
def test_nobody_but_the_sponsor_adopts(role: Role) -> None:
    given_no(RequirementsRegister).when(adopt(role)).then(refused("not_the_sponsor"))


def test_a_file_is_read() -> None:
    read = Requirements.parse(FILE, "file.toml")
    assert (read.version, dict(read.documents)) == ("2027-1", {"policy": "published"})
    assert (read.questions, read.oldest_evidence_days) == (("5.1",), 90)
    assert [read.limit("list_entries"), read.limit("notice_hours")] == [2000, 48]
    assert read.limit("window_hours") == SHIPPED.limit("window_hours"), "not said: as it ships"


@pytest.mark.parametrize(
    ("instead", "of", "says"),
    [
        ("version = ", 'version = "2027-1"', "file.toml"),
        ("", 'source = "the force\'s policy"', "expected at_least, at_most, documents, .*source"),
        ('version = "A Title"', 'version = "2027-1"', "version that is a code"),
        ('policy = "read"', 'policy = "published"', "in-force or published .*found read"),
        ('questions = "5.1"', 'questions = ["5.1"]', "list of codes under questions"),
        ("oldest_days = 0", "oldest_days = 90", "days above 0"),
        ("days = 90", "oldest_days = 90", "a table evidence with oldest_days"),
        ("operator = 5", 'operator = "course-1"', "codes under training"),
        ("list_size = 5", "list_entries = 2000", "under at_most, found list_size"),
        ("notice_hours = true", "notice_hours = 48", "whole numbers above 0 under at_least"),
    ],
)
def test_a_file_that_is_not_as_it_must_be_says_what_is_wrong(
    instead: str, of: str, says: str
) -> None:
    assert of in FILE
    with pytest.raises(RequirementsError, match=says):
        Requirements.parse(FILE.replace(of, instead), "file.toml")

"""Seeded passes: the one way to a true recognition rate, and only of volunteers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.figures.deployment_record import counted
from domain.kernel.commands import Role
from domain.kernel.refusals import Refused
from domain.services import watchlists
from domain.services.sightings import record_seeded_pass
from domain.sightings.seeding import RecordSeededPass
from tests.support import builders as a
from tests.support.scenarios import Scene, agreed


def with_a_volunteer(category: str = "BLUE") -> Scene:
    """A run whose list has one entry, of this category."""
    scene = Scene().applied()
    proposed = a.to_propose_criteria(categories=[category], **scene.by)
    agreed(watchlists.propose_criteria(scene.outside, proposed))
    agreed(watchlists.approve_criteria(scene.outside, a.to_approve_criteria(**scene.by)))
    scene.entry_proposed(necessity=a.why(category=category)).entry_accepted().list_approved()
    return scene.authorised().started().alerted()


def passed(scene: Scene, **changes: Any) -> list[str]:
    """Why a pass is refused; nothing where it is taken down."""
    fields: dict[str, Any] = {
        "scope": a.DEPLOYMENT.hex,
        "actor": a.OPERATOR,
        "role": Role.OPERATOR,
        "deployment": a.DEPLOYMENT,
        "run": a.RUN,
        "camera": a.CAMERA,
        "entry": a.ENTRY,
        "alert": a.ALERT,
    }
    answer = record_seeded_pass(scene.outside, RecordSeededPass(**(fields | scene.by | changes)))
    return answer.codes if isinstance(answer, Refused) else []


def test_with_seeded_passes_the_rate_is_told_with_its_interval() -> None:
    scene = with_a_volunteer()
    assert passed(scene) == [] and passed(scene, alert=None) == []
    record = counted(a.DEPLOYMENT, scene.record.history(a.DEPLOYMENT.hex), {})
    told = record.rates["true_recognition_rate"]
    assert (told.count, told.of, told.value) == (1, 2, 0.5)
    assert told.low is not None and told.high is not None and told.low < 0.5 < told.high
    assert record.not_measured == ()


def test_without_them_it_is_not_measured_and_no_number_is_told() -> None:
    scene = with_a_volunteer()
    record = counted(a.DEPLOYMENT, scene.record.history(a.DEPLOYMENT.hex), {})
    assert "true_recognition_rate" not in record.rates
    assert record.not_measured == (
        "true recognition rate: no passes of known persons are recorded",
    )


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"role": Role.ENGAGEMENT_OFFICER}, ["role_may_not_witness"]),
        ({"run": UUID(int=99), "alert": None}, ["run_unknown"]),
        ({"entry": a.OTHER_ENTRY, "alert": None}, ["entry_not_listed"]),
        ({"alert": UUID(int=99)}, ["alert_of_another"]),
    ],
)
def test_what_is_not_as_it_must_be_is_refused(changes: dict[str, Any], codes: list[str]) -> None:
    assert passed(with_a_volunteer(), **changes) == codes


def test_nobody_else_who_passes_is_taken_down() -> None:
    assert passed(with_a_volunteer("wanted-by-the-courts")) == ["entry_not_seeded"]


def test_an_alert_counts_for_one_pass() -> None:
    scene = with_a_volunteer()
    assert passed(scene) == [] and passed(scene) == ["alert_counted"]

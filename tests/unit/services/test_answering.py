"""What footage is still there for a request or a complaint, and that nothing else is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.governance.commands import AdoptRequirements
from domain.governance.requirements import SHIPPED
from domain.kernel.commands import Role
from domain.kernel.errors import NotFoundError
from domain.rights import commands as asked
from domain.rights.events import BreachReported, ComplaintReceived, RequestReceived, Searched
from domain.services import governance, rights
from domain.services.retention import sweep
from tests.support import builders as a
from tests.support import governed
from tests.support.scenarios import Scene, agreed
from tests.unit.services.test_footage import kept, recording

HOUR = timedelta(hours=1)
BY: dict[str, Any] = {"scope": "force", "actor": "staff:dpo", "role": Role.DPO}


def with_footage() -> Scene:
    """One segment of footage was kept."""
    scene = recording(Scene())
    kept(scene)
    return scene.stopped().ended()


def searched(scene: Scene, **changes: object) -> Searched:
    """A request that is searched for at the deployment's time."""
    by: dict[str, Any] = BY | scene.by
    received: dict[str, Any] = {"right": "access", "asker": "passer-by", "received_at": a.AT}
    agreed(
        rights.receive_request(
            scene.outside, asked.ReceiveRequest(**by, request=a.REQUEST, **received)
        )
    )
    span: dict[str, Any] = {"since": a.AT - HOUR, "until": a.AT + HOUR} | changes
    agreed(
        rights.search(
            scene.outside,
            asked.SearchForRequest(
                **by,
                request=a.REQUEST,
                where=a.DEPLOYMENT,
                how="time-and-place",
                **span,
            ),
        )
    )
    (found,) = scene.events(Searched)
    return found


def test_a_search_finds_the_footage_of_that_time_and_says_until_when() -> None:
    found = searched(with_footage())
    assert found.segments == 1
    assert found.first_gone_at == a.AT + timedelta(days=31)


def test_a_search_of_another_time_finds_none() -> None:
    found = searched(with_footage(), since=a.AT - 3 * HOUR, until=a.AT - 2 * HOUR)
    assert (found.segments, found.first_gone_at) == (0, None)


def test_a_search_after_a_month_finds_none() -> None:
    scene = with_footage().later(timedelta(days=32))
    sweep(scene.outside)
    assert searched(scene).segments == 0


def test_a_complaint_says_how_long_footage_lives() -> None:
    scene = with_footage()
    agreed(
        rights.receive_complaint(
            scene.outside,
            asked.ReceiveComplaint(
                **(BY | scene.by),
                complaint=a.COMPLAINT,
                about="stop",
                where=a.DEPLOYMENT,
                received_at=a.AT,
            ),
        )
    )
    (found,) = scene.events(ComplaintReceived)
    assert (found.segments, found.first_gone_at) == (1, a.AT + timedelta(days=31))


def test_what_is_about_no_deployment_is_told() -> None:
    with pytest.raises(NotFoundError):
        searched(Scene())


def test_the_clocks_are_the_forces_own_where_it_is_stricter() -> None:
    scene = Scene()
    stricter = {"rights_answer_days": 14, "breach_notice_hours": 24}
    adopted = SHIPPED.as_adopted() | {"version": "2027-1", "at_most": stricter}
    agreed(
        governance.adopt_requirements(
            scene.outside, governed.to(AdoptRequirements, **adopted, **scene.by)
        )
    )
    by: dict[str, Any] = BY | scene.by
    received: dict[str, Any] = {"right": "erasure", "asker": "may-be-listed", "received_at": a.AT}
    request = asked.ReceiveRequest(**by, request=a.REQUEST, **received)
    agreed(rights.receive_request(scene.outside, request))
    report = asked.ReportBreach(**by, breach=a.BREACH, kind="list-lost", aware_at=a.AT)
    agreed(rights.report_breach(scene.outside, report))
    (asked_for,), (breached,) = scene.events(RequestReceived), scene.events(BreachReported)
    assert asked_for.answer_by == a.AT + timedelta(days=14)
    assert breached.notify_by == a.AT + timedelta(hours=24)

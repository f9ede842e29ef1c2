"""How the public is told: a notice before, signs at the place, a way round, all at a start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.deployments.events import DeploymentStarted
from domain.kernel.commands import Role
from domain.kernel.refusals import Refused
from domain.notice import events as happened_
from domain.notice.aggregate import Notice
from domain.services import deployments, notice
from tests.support import builders as a
from tests.support.builders import Fact
from tests.support.scenarios import Scene, agreed, given, given_no, happened, refused

Ask = Callable[[Notice], Refused | None]
HOUR = timedelta(hours=1)


def publish(*, over: bool = False, **changes: Any) -> Ask:
    return lambda one: one.decide_publication(a.to_publish_the_notice(**changes), over=over)


def omit(*, over: bool = False, **changes: Any) -> Ask:
    return lambda one: one.decide_omission(a.to_omit_the_notice(**changes), over=over)


def signs(*, over: bool = False, **changes: Any) -> Ask:
    return lambda one: one.decide_signage(
        a.to_verify_the_signs(**changes), over=over, configured=[a.CAMERA]
    )


def way(*, over: bool = False, **changes: Any) -> Ask:
    return lambda one: one.decide_route(
        a.to_record_the_way(**changes), over=over, configured=[a.CAMERA]
    )


def take_down(*, running: bool = False, **changes: Any) -> Ask:
    return lambda one: one.decide_removal(a.to_remove_the_signs(**changes), running=running)


def fact(event: type[Any], **fields: Any) -> Fact[Notice]:
    return Fact(Notice, event, fields)


PUBLISHED = fact(
    happened_.NoticePublished,
    publisher=a.OPERATOR,
    channel="force-website",
    page="https://force.example/notice-1",
    published_at=a.AT - 2 * a.DAY,
)
OMITTED = fact(happened_.NoticeOmitted, officer=a.AUTHORISING_OFFICER, ground="threat-to-life")
SIGNED = fact(
    happened_.SignageVerified, verifier=a.OPERATOR, cameras=[a.CAMERA], signs=4, nearest_m=30
)
WAY = fact(happened_.RouteRecorded, recorder=a.OPERATOR, cameras=[a.CAMERA], route="north-entrance")
REMOVED = fact(happened_.SignageRemoved, remover=a.OPERATOR)


@pytest.mark.parametrize(
    ("ask", "fact"),
    [(publish(), PUBLISHED), (omit(), OMITTED), (signs(), SIGNED), (way(), WAY)],
)
def test_what_the_public_is_told_is_recorded(ask: Ask, fact: Fact[Notice]) -> None:
    given_no(Notice).when(ask).then(happened(fact))


@pytest.mark.parametrize(
    ("ask", "codes"),
    [
        (publish(role=Role.ENGAGEMENT_OFFICER), ["role_may_not_tell"]),
        (publish(over=True), ["deployment_over"]),
        (publish(channel="On the website"), ["channel_unnamed"]),
        (publish(page="http://force.example"), ["page_unreadable"]),
        (publish(page="https://user@force.example"), ["page_unreadable"]),
        (publish(published_at=a.AT + HOUR), ["published_later"]),
        (omit(role=Role.OPERATOR), ["role_may_not_tell"]),
        (omit(ground="convenience"), ["no_critical_threat"]),
        (signs(cameras=["camera-9"]), ["camera_unknown"]),
        (signs(cameras=[]), ["camera_unknown"]),
        (signs(signs=0), ["signs_inside_the_zone"]),
        (signs(nearest_m=0), ["signs_inside_the_zone"]),
        (way(route="By the north entrance"), ["way_unnamed"]),
        (way(role=Role.AUDITOR, over=True), ["role_may_not_tell", "deployment_over"]),
    ],
)
def test_what_is_not_as_it_must_be_is_refused(ask: Ask, codes: list[str]) -> None:
    given_no(Notice).when(ask).then(refused(*codes, kept_as="notice.step_refused"))


def test_signs_come_down_once_recognition_is_off() -> None:
    given(SIGNED).when(take_down()).then(happened(REMOVED))
    given(SIGNED).when(take_down(running=True)).then(refused("recognition_is_on"))
    given(PUBLISHED).when(take_down()).then(refused("no_signs"))
    given(SIGNED, REMOVED).when(take_down()).then(refused("no_signs"))


def test_an_urgent_officer_may_leave_it_out_too() -> None:
    urgent: dict[str, Any] = {"role": Role.URGENT_AUTHORISING_OFFICER, "actor": a.URGENT_OFFICER}
    given_no(Notice).when(omit(**urgent)).then(
        happened(fact(happened_.NoticeOmitted, officer=a.URGENT_OFFICER, ground="threat-to-life"))
    )


# -- at the start ------------------------------------------------------------------------------


def ready() -> Scene:
    """Authorised; nobody was told of anything."""
    scene = Scene().applied().listed().in_force().reported()
    agreed(deployments.authorise(scene.outside, a.to_authorise(**scene.by)))
    return scene


def starting(scene: Scene) -> list[str]:
    """Why a start is refused."""
    answer = deployments.start(scene.outside, a.to_start(**scene.by))
    return answer.codes if isinstance(answer, Refused) else []


def test_nothing_starts_before_the_public_was_told() -> None:
    scene = ready()
    assert starting(scene) == ["notice_missing", "signage_missing", "route_missing"]
    agreed(notice.publish(scene.outside, a.to_publish_the_notice(**scene.by)))
    assert starting(scene) == ["signage_missing", "route_missing"]
    agreed(notice.verify_signage(scene.outside, a.to_verify_the_signs(**scene.by)))
    assert starting(scene) == ["route_missing"]
    agreed(notice.record_route(scene.outside, a.to_record_the_way(**scene.by)))
    assert starting(scene) == [] and scene.events(DeploymentStarted)


def test_notice_a_few_minutes_before_is_no_notice() -> None:
    scene = ready().announced()
    late = Scene().applied().listed().in_force().reported()
    agreed(deployments.authorise(late.outside, a.to_authorise(**late.by)))
    soon = a.to_publish_the_notice(published_at=a.AT - HOUR / 2, **late.by)
    agreed(notice.publish(late.outside, soon))
    agreed(notice.verify_signage(late.outside, a.to_verify_the_signs(**late.by)))
    agreed(notice.record_route(late.outside, a.to_record_the_way(**late.by)))
    assert starting(late) == ["notice_too_late"] and starting(scene) == []


def test_a_critical_threat_leaves_the_notice_out_and_not_the_signs() -> None:
    scene = ready()
    agreed(notice.omit(scene.outside, a.to_omit_the_notice(**scene.by)))
    assert starting(scene) == ["signage_missing", "route_missing"]


def test_every_authorised_camera_needs_signs_and_a_way() -> None:
    scene = Scene().applied().camera(camera="camera-2").listed().in_force().reported()
    both = [a.CAMERA, "camera-2"]
    agreed(deployments.authorise(scene.outside, a.to_authorise(cameras=both, **scene.by)))
    assert starting(scene.announced()) == ["signage_missing", "route_missing"]
    assert starting(scene.announced(["camera-2"])) == []


def test_signs_that_came_down_no_longer_stand() -> None:
    scene = ready().announced()
    agreed(notice.remove_signage(scene.outside, a.to_remove_the_signs(**scene.by)))
    assert starting(scene) == ["signage_missing"]

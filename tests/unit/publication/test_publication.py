"""A record is published once it is complete, and corrected in the open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.figures.deployment_record import counted
from domain.kernel.commands import Mode, Role
from domain.kernel.refusals import Refused
from domain.publication import events as said
from domain.publication.aggregate import PUBLISHERS, Publication
from domain.publication.commands import PublishRecord
from domain.services import notice, publication, sightings
from tests.support import builders as a
from tests.support import keeping
from tests.support.builders import Fact
from tests.support.scenarios import Scene, agreed, given, given_no, happened, refused

FIRST, SECOND = "a1" * 32, "b2" * 32
PAGE = "https://force.example/record-1"


def publish(
    *, unfit: tuple[str, ...] = (), **changes: Any
) -> Callable[[Publication], Refused | None]:
    return lambda one: one.decide(to_publish(**changes), unfit=unfit, entries=10)


def to_publish(**changes: Any) -> PublishRecord:
    fields: dict[str, Any] = {
        "scope": a.DEPLOYMENT.hex,
        "mode": Mode.OPERATIONAL,
        "actor": "staff:sponsor",
        "role": Role.SPONSOR,
        "at": a.AT,
        "deployment": a.DEPLOYMENT,
        "page": PAGE,
        "digest": FIRST,
        "correction": "",
    }
    return PublishRecord(**(fields | changes))


TOLD = {"publisher": "staff:sponsor", "page": PAGE, "entries": 10}
PUBLISHED = Fact(Publication, said.RecordPublished, TOLD | {"digest": FIRST})
CORRECTED = Fact(
    Publication,
    said.RecordCorrected,
    TOLD | {"digest": SECOND, "was": FIRST, "reason": "an-alert-was-reviewed"},
)


def test_a_complete_record_is_published() -> None:
    given_no(Publication).when(publish()).then(happened(PUBLISHED))


def test_a_correction_keeps_what_was_published_before() -> None:
    wanted: dict[str, Any] = {"digest": SECOND, "correction": "an-alert-was-reviewed"}
    given(PUBLISHED).when(publish(**wanted)).then(happened(CORRECTED))


@pytest.mark.parametrize("role", [one for one in Role if one not in PUBLISHERS])
def test_nobody_else_publishes(role: Role) -> None:
    given_no(Publication).when(publish(role=role)).then(
        refused("role_may_not_publish", kept_as="publication.step_refused")
    )


@pytest.mark.parametrize(
    ("past", "changes", "code"),
    [
        ((), {"unfit": ("an alert is not closed",)}, "not_fit_for_publication"),
        ((), {"page": "http://force.example"}, "page_unreadable"),
        ((), {"digest": "soon"}, "digest_missing"),
        ((), {"correction": "nothing-yet"}, "nothing_to_correct"),
        ((PUBLISHED,), {"digest": SECOND}, "correction_not_explained"),
        ((PUBLISHED,), {"correction": "the-same"}, "figures_unchanged"),
    ],
)
def test_what_is_not_published(
    past: tuple[Fact[Publication], ...], changes: dict[str, Any], code: str
) -> None:
    before = given(*past) if past else given_no(Publication)
    before.when(publish(**changes)).then(refused(code))


# -- over whole deployments ----------------------------------------------------------------------


def published(scene: Scene, **changes: Any) -> list[str]:
    """Why a publication is refused; nothing where it is not."""
    by = scene.by | {"mode": scene.mode}
    answer = publication.publish(scene.outside, to_publish(**by, **changes))
    return answer.codes if isinstance(answer, Refused) else []


def over(mode: Mode = Mode.OPERATIONAL) -> Scene:
    """A deployment without an alert, from application to end, with its signs down."""

    scene = Scene(mode=mode).running()
    agreed(keeping.registered(scene))
    scene.stopped()
    sightings.reconcile(scene.outside, a.to_reconcile(**scene.by))
    agreed(notice.remove_signage(scene.outside, a.to_remove_the_signs(**scene.by)))
    scene.ended()
    agreed(keeping.destroyed(scene))
    agreed(keeping.verified(scene))
    return scene


def test_nothing_is_published_before_the_end() -> None:
    scene = Scene(mode=Mode.OPERATIONAL).running()
    assert published(scene) == ["not_fit_for_publication"]


def test_a_rehearsal_is_never_published() -> None:
    assert published(over(Mode.REHEARSAL)) == ["not_fit_for_publication"]


def test_what_is_missing_is_named() -> None:
    scene = Scene(mode=Mode.OPERATIONAL).running().alerted().stopped()
    answer = publication.publish(scene.outside, to_publish(**scene.by))
    assert isinstance(answer, Refused)
    (reason,) = answer.reasons
    for missing in ("not over", "alert is not closed", "not compared", "signs are not known"):
        assert missing in reason.compared["unfit"]


def test_a_settled_deployment_is_published_and_the_record_tells_of_it() -> None:
    scene = over()
    missing = counted(a.DEPLOYMENT, scene.record.history(a.DEPLOYMENT.hex), {}).unfit
    assert published(scene) == ([] if not missing else ["not_fit_for_publication"]), missing
    assert missing == ()
    told = counted(a.DEPLOYMENT, scene.record.history(a.DEPLOYMENT.hex), {})
    assert [one["digest"] for one in told.facts["publications"]] == [FIRST]
    assert published(scene, digest=SECOND, correction="an-outcome-was-corrected") == []
    told = counted(a.DEPLOYMENT, scene.record.history(a.DEPLOYMENT.hex), {})
    assert [one["digest"] for one in told.facts["publications"]] == [FIRST, SECOND]

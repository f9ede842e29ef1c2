"""The end of a deployment: what nobody decided is closed, and all that was kept is destroyed."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from domain.alerts.events import AlertClosedUndetermined
from domain.custody.events import (
    DestructionRechecked,
    DestructionStarted,
    ItemDestroyed,
    ItemRegistered,
)
from domain.deployments.events import DeploymentCancelled, DeploymentEnded
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError
from domain.kernel.refusals import Refused
from domain.services import alerts, deployments, watchlists
from domain.sightings.events import RunReconciled
from tests.support import builders as a
from tests.support.builders import ALERT, DEPLOYMENT, OTHER_ENTRY
from tests.support.memory import RecordFullError
from tests.support.scenarios import Scene, agreed

SECOND_ALERT = UUID(int=0xA2)

Close = Callable[[Scene], object]


def end(scene: Scene) -> object:
    """The deployment is ended."""
    return agreed(deployments.end(scene.outside, a.to_end(**scene.by)))


def cancel(scene: Scene) -> object:
    """The deployment is cancelled."""
    return agreed(deployments.cancel(scene.outside, a.to_cancel(**scene.by)))


EITHER = pytest.mark.parametrize(
    ("close", "name", "cause"),
    [
        (end, DeploymentEnded.NAME, "deployment_ended"),
        (cancel, DeploymentCancelled.NAME, "deployment_cancelled"),
    ],
)


def with_two_alerts() -> Scene:
    """A stopped run with one alert that was decided and one that was not."""
    scene = Scene().running().alerted().alerted(SECOND_ALERT, ordinal=2)
    scene.saw(progress=(50, 2))
    return scene.viewed().decided(note="he looked familiar").stopped()


@EITHER
def test_the_close_comes_first_then_the_alerts_then_the_items(
    close: Close, name: str, cause: str
) -> None:
    """In this order on the record: over, its sums compared, undetermined, begun, destroyed."""
    scene = with_two_alerts()
    size, items = scene.record.size(), len(scene.live_items())
    close(scene)
    assert scene.names(since=size) == [
        name,
        RunReconciled.NAME,
        AlertClosedUndetermined.NAME,
        *[DestructionStarted.NAME] * items,
        DestructionRechecked.NAME,
        *[ItemDestroyed.NAME] * items,
    ]


@EITHER
def test_an_alert_that_nobody_decided_is_closed_as_undetermined(
    close: Close, name: str, cause: str
) -> None:
    """And one that was decided stays as it was decided."""
    scene = with_two_alerts()
    close(scene)
    (closed,) = scene.events(AlertClosedUndetermined)
    assert (closed.originator_id, closed.cause) == (SECOND_ALERT, cause)
    assert scene.alert(ALERT).decision == "viable"
    assert not scene.alert(ALERT).closed


@EITHER
def test_everything_that_was_kept_is_destroyed(close: Close, name: str, cause: str) -> None:
    """One receipt for each item ever registered, and an empty vault."""
    scene = with_two_alerts()
    close(scene)
    registered = [one.originator_id for one in scene.events(ItemRegistered)]
    assert [one.originator_id for one in scene.events(ItemDestroyed)] == registered
    assert {one.cause for one in scene.events(ItemDestroyed)} == {cause}
    assert (scene.vault.keys(), scene.vault.ciphertexts()) == (set(), set())
    assert set(scene.vault.tombstones) == set(registered)


@EITHER
def test_the_custodian_destroys_not_whoever_closed(close: Close, name: str, cause: str) -> None:
    """The operator closed; the system did what follows from it."""
    scene = with_two_alerts()
    size = scene.record.size()
    close(scene)
    first, *following = (one for one in scene.record.history() if one.position >= size)
    assert (first.actor, first.role) == (a.OPERATOR, Role.OPERATOR.value)
    assert {(one.actor, one.role) for one in following} == {("system:custodian", "system")}


def test_a_deployment_that_never_started_is_cancelled_with_its_list() -> None:
    """Cancellation starts the clocks of destruction though nothing ever ran."""
    scene = Scene().applied().listed()
    cancel(scene)
    assert scene.live_items() == scene.vault.keys() == set()
    assert len(scene.events(ItemDestroyed)) == 3


def test_a_deployment_for_which_nothing_was_kept_is_closed_too() -> None:
    """There is nothing to destroy, and nothing is said of it."""
    scene = Scene().applied()
    size = scene.record.size()
    cancel(scene)
    assert scene.names(since=size) == ["deployment.cancelled"]


def test_the_items_of_another_deployment_are_left_alone() -> None:
    """Its own end destroys them."""
    scene = Scene().running()
    other, others_list = UUID(int=0xD2), UUID(int=0x112)
    scope = {"scope": other.hex}
    agreed(
        deployments.apply_for(
            scene.outside, a.to_apply(deployment=other, watchlist=others_list, **scope)
        )
    )
    agreed(
        watchlists.propose_criteria(
            scene.outside, a.to_propose_criteria(deployment=other, watchlist=others_list, **scope)
        )
    )
    agreed(
        watchlists.approve_criteria(
            scene.outside, a.to_approve_criteria(watchlist=others_list, **scope)
        )
    )
    agreed(
        watchlists.propose_entry(
            scene.outside,
            a.to_propose_an_entry(watchlist=others_list, entry=OTHER_ENTRY, **scope),
            image=b"an image",
            callers_reference="row-1",
        )
    )
    scene.stopped().ended()
    assert scene.live_items() == scene.vault.keys() == set(scene.items_of(OTHER_ENTRY))
    assert len(scene.live_items()) == 2


def test_nobody_is_added_to_the_list_of_a_deployment_that_is_over() -> None:
    """A face that came after the end would have no end of its own."""
    scene = Scene().applied().list_opened()
    cancel(scene)
    answer = watchlists.propose_entry(
        scene.outside, a.to_propose_an_entry(), image=b"an image", callers_reference="row-1"
    )
    assert isinstance(answer, Refused)
    assert scene.live_items() == scene.vault.keys() == set()


def test_an_entry_that_is_overtaken_by_the_end_is_refused() -> None:
    """The deployment was closed while the image was being kept."""
    scene = Scene().applied().list_opened()
    overtaken: list[object] = []

    def close_once(label: object) -> None:
        if not overtaken:
            overtaken.append(label)
            cancel(scene)

    scene.vault.after_seal = close_once
    answer = watchlists.propose_entry(
        scene.outside, a.to_propose_an_entry(), image=b"an image", callers_reference="row-1"
    )
    assert isinstance(answer, Refused)
    assert scene.live_items() == scene.vault.keys() == scene.vault.ciphertexts() == set()


def test_looks_during_the_end_keep_nothing_alive() -> None:
    """Someone views the open alert again and again while it is closed; the destruction goes on."""
    scene = Scene().running().alerted().stopped()
    scene.record.meanwhile = [lambda: alerts.view(scene.outside, a.to_view(**scene.by))] * 4
    end(scene)
    assert scene.record.meanwhile == []
    assert len(scene.events(AlertClosedUndetermined)) == 1
    assert scene.live_items() == scene.vault.keys() == set()


def test_a_deployment_is_not_ended_under_another_scope() -> None:
    """Its end would stand where nobody looks for what was kept for it."""
    scene = Scene().running().stopped()
    size = scene.record.size()
    with pytest.raises(DomainError, match=f"expected a command in scope {DEPLOYMENT.hex}"):
        deployments.end(scene.outside, a.to_end(scope="force"))
    assert scene.record.size() == size
    assert not scene.deployment().over


def test_a_record_that_cannot_store_the_end_destroys_nothing() -> None:
    """No store, no effect."""
    scene = Scene().running().stopped()
    held = scene.vault.keys()
    scene.record.full = True
    with pytest.raises(RecordFullError):
        deployments.end(scene.outside, a.to_end())
    assert scene.vault.keys() == held

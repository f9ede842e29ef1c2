"""Raising an alert: decided on how things stand when it is stored, not when it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from domain.alerts.aggregate import Alert
from domain.alerts.events import AlertRaised, RaiseRefused
from domain.custody.events import DestructionStarted, ItemDestroyed, ItemRegistered, ItemSealed
from domain.kernel.commands import Mode
from domain.kernel.errors import ConflictError, NotFoundError
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.refusals import Refused
from domain.services import alerts, deployments
from domain.services.carrying_out import ATTEMPTS
from domain.services.retention import sweep
from domain.services.sightings import reconcile
from domain.sightings.events import RunReconciled
from tests.support.builders import (
    ALERT,
    AT,
    DAY,
    DEPLOYMENT,
    ENTRY,
    OTHER_ENTRY,
    RUN,
    WATCHLIST,
    WINDOW,
    a_command,
    camera_configured,
    enrolled,
    entry_rejected,
    to_cancel,
    to_end,
    to_raise,
    to_reconcile,
    to_stop,
)
from tests.support.scenarios import Scene, agreed

ITEMS = 4
"""How many items an alert has."""


def stop(scene: Scene) -> None:
    """Recognition is switched off."""
    agreed(deployments.stop(scene.outside, to_stop()))


def stop_and_end(scene: Scene) -> None:
    """Recognition is switched off and the deployment is ended."""
    stop(scene)
    agreed(deployments.end(scene.outside, to_end()))


def stop_and_cancel(scene: Scene) -> None:
    """Recognition is switched off and the deployment is cancelled."""
    stop(scene)
    agreed(deployments.cancel(scene.outside, to_cancel()))


def after_the_seal(scene: Scene, number: int, act: Callable[[Scene], None]) -> None:
    """Let something happen elsewhere once the ``number``-th item of the alert is durable."""
    sealed: list[UUID] = []

    def count(item: UUID) -> None:
        sealed.append(item)
        if len(sealed) == number:
            act(scene)

    scene.vault.after_seal = lambda label: count(label.item)


def moves(scene: Scene, stream: UUID, event: Callable[[int], Happened]) -> None:
    """Somebody else adds an event to a stream that the alert rests on."""
    scene.record.append(event(scene.record.version(stream) + 1), by=a_command())


def harmless_for_the_list(scene: Scene) -> None:
    """The list gets an event that takes nobody off it."""
    fact = entry_rejected(entry=OTHER_ENTRY)
    moves(scene, WATCHLIST, lambda version: fact.placed(WATCHLIST, version))


def harmless_for_the_deployment(scene: Scene) -> None:
    """The deployment gets a second camera."""
    fact = camera_configured(camera="camera-2")
    moves(scene, DEPLOYMENT, lambda version: fact.placed(DEPLOYMENT, version))


def test_an_alert_rests_on_the_versions_of_deployment_and_list() -> None:
    """They are compared again under the log's lock."""
    scene = Scene().running().alerted()
    raising = scene.record.transactions[-1]
    assert raising.names == [ItemSealed.NAME] * ITEMS + [AlertRaised.NAME]
    assert raising.given == {
        DEPLOYMENT: scene.record.version(DEPLOYMENT),
        WATCHLIST: scene.record.version(WATCHLIST),
    }


def test_a_lawful_alert_is_raised_once() -> None:
    """One event, one set of items, nothing destroyed."""
    scene = Scene().running()
    alert = agreed(alerts.raise_alert(scene.outside, to_raise()))
    assert alert.open
    assert [one.originator_id for one in scene.events(AlertRaised)] == [ALERT]
    assert scene.events(DestructionStarted) == []


def test_an_alert_that_is_refused_at_once_keeps_nothing() -> None:
    """Nothing is registered for it, and nothing reaches the vault."""
    scene = Scene().running()
    size, held = scene.record.size(), scene.vault.keys()
    answer = alerts.raise_alert(scene.outside, to_raise(entry=OTHER_ENTRY))
    assert isinstance(answer, Refused)
    assert answer.codes == ["entry_not_listed"]
    assert scene.names(since=size) == [RaiseRefused.NAME]
    assert scene.vault.keys() == held


@pytest.mark.parametrize("number", [1, ITEMS])
@pytest.mark.parametrize("act", [stop, stop_and_end, stop_and_cancel])
def test_an_alert_that_is_overtaken_by_the_stop_is_refused(
    act: Callable[[Scene], None], number: int
) -> None:
    """Recognition went off while its material was being kept: no alert, and a recorded refusal."""
    scene = Scene().running()
    after_the_seal(scene, number, act)
    answer = alerts.raise_alert(scene.outside, to_raise())
    assert isinstance(answer, Refused)
    assert answer.codes == ["run_not_live"]
    assert scene.refusals() == [["run_not_live"]]
    assert scene.events(AlertRaised) == []


@pytest.mark.parametrize("number", [1, ITEMS])
@pytest.mark.parametrize("act", [stop, stop_and_end, stop_and_cancel])
def test_what_was_kept_for_an_overtaken_alert_is_destroyed(
    act: Callable[[Scene], None], number: int
) -> None:
    """Each of its items has a receipt, and the vault holds what the record says it holds."""
    scene = Scene().running()
    kept_before = scene.live_items()
    after_the_seal(scene, number, act)
    alerts.raise_alert(scene.outside, to_raise())
    registered = {
        one.originator_id for one in scene.events(ItemRegistered) if one.concerning == ALERT
    }
    destroyed = [one.originator_id for one in scene.events(ItemDestroyed)]
    assert len(registered) == ITEMS
    assert registered <= set(destroyed)
    assert len(destroyed) == len(set(destroyed))
    assert scene.vault.keys() == scene.vault.ciphertexts() == scene.live_items() <= kept_before


def test_what_was_kept_for_an_overtaken_alert_was_destroyed_for_that_reason() -> None:
    """The custodian did it, not the recogniser."""
    scene = Scene().running()
    after_the_seal(scene, ITEMS, stop)
    alerts.raise_alert(scene.outside, to_raise())
    assert [one.cause for one in scene.events(DestructionStarted)] == ["alert_refused"] * ITEMS
    actors = {
        one.actor for one in scene.record.history() if isinstance(one.event, DestructionStarted)
    }
    assert actors == {"system:custodian"}


def test_an_overtaken_alert_still_counts_as_the_outcome_of_its_face() -> None:
    """The sums of the run balance though nobody was alerted."""
    scene = Scene().running()
    scene.saw(enrolled(2), progress=(50, 2))
    after_the_seal(scene, ITEMS, stop)
    alerts.raise_alert(scene.outside, to_raise(ordinal=1))
    assert reconcile(scene.outside, to_reconcile())


def test_a_run_that_was_compared_too_early_is_compared_again() -> None:
    """The end came while an alert was under way; its refusal is the face's outcome after all."""
    scene = Scene().running()
    scene.saw(progress=(50, 1))
    after_the_seal(scene, 1, stop_and_end)
    alerts.raise_alert(scene.outside, to_raise(ordinal=1))
    sweep(scene.outside)
    assert scene.names()[-1] == RunReconciled.NAME


@pytest.mark.parametrize("act", [harmless_for_the_list, harmless_for_the_deployment])
@pytest.mark.parametrize("number", [1, ITEMS])
def test_an_alert_is_raised_though_something_harmless_moved_what_it_rests_on(
    number: int, act: Callable[[Scene], None]
) -> None:
    """Decided anew, with the material that was kept the first time."""
    scene = Scene().running()
    after_the_seal(scene, number, act)
    agreed(alerts.raise_alert(scene.outside, to_raise()))
    assert len(scene.events(AlertRaised)) == 1
    assert sum(1 for one in scene.events(ItemRegistered) if one.concerning == ALERT) == ITEMS
    assert scene.events(DestructionStarted) == []
    assert scene.refusals() == []


def never_stands_still(scene: Scene) -> None:
    """The list moves before each attempt to store the alert; the first append registers items."""
    scene.record.meanwhile = [lambda: None]
    scene.record.meanwhile += [lambda: harmless_for_the_list(scene)] * ATTEMPTS


def test_an_alert_is_tried_a_bounded_number_of_times() -> None:
    """If what it rests on never stands still, the caller is told."""
    scene = Scene().running()
    never_stands_still(scene)
    with pytest.raises(ConflictError):
        alerts.raise_alert(scene.outside, to_raise())
    assert scene.record.meanwhile == []
    assert scene.events(AlertRaised) == []


def test_an_alert_that_was_given_up_leaves_nothing_in_the_vault() -> None:
    """No alert refers to what was kept, so nobody would ever look for it."""
    scene = Scene().running()
    kept_before = scene.live_items()
    never_stands_still(scene)
    with pytest.raises(ConflictError):
        alerts.raise_alert(scene.outside, to_raise())
    assert scene.live_items() == scene.vault.keys() == kept_before


def test_the_same_alert_a_second_time_changes_nothing() -> None:
    """A recogniser that heard no answer asks again: one alert, and nothing kept beside it."""
    scene = Scene().running().alerted()
    kept_before = scene.live_items()
    again_without_harm(scene)
    assert len(scene.events(AlertRaised)) == 1
    assert scene.live_items() == scene.vault.keys() == kept_before


def again_without_harm(scene: Scene) -> None:
    """Ask again, whatever the answer is."""
    try:
        alerts.raise_alert(scene.outside, to_raise())
    except ConflictError:
        return


def test_an_alert_for_a_deployment_that_nobody_applied_for_is_not_found() -> None:
    """There is nothing to concern."""
    scene = Scene()
    with pytest.raises(NotFoundError, match=f"there is no deployment {DEPLOYMENT.hex}"):
        alerts.raise_alert(scene.outside, to_raise())
    with pytest.raises(NotFoundError):
        scene.record.load(Alert, ALERT)


def test_an_alert_of_a_camera_that_was_not_authorised_is_refused() -> None:
    """It has a zone, and nobody allowed its use."""
    scene = Scene().applied().camera(camera="camera-2").listed().authorised().started()
    answer = alerts.raise_alert(scene.outside, to_raise(camera="camera-2"))
    assert isinstance(answer, Refused)
    assert answer.codes == ["outside_the_zone"]


def test_an_alert_outside_the_window_is_refused_by_its_own_time() -> None:
    """The time comes in with the command."""
    scene = Scene().running()
    answer = alerts.raise_alert(scene.outside, to_raise(at=AT + WINDOW))
    assert isinstance(answer, Refused)
    assert answer.codes == ["outside_the_authorised_window"]


def test_operational_alerts_are_raised_alike() -> None:
    """The rules are the same where it matters."""
    scene = Scene(mode=Mode.OPERATIONAL).running().alerted()
    (raised,) = scene.events(AlertRaised)
    assert (raised.run, raised.entry) == (RUN, ENTRY)
    assert {one.due_at for one in scene.events(ItemRegistered) if one.concerning == ALERT} == {
        AT + DAY
    }
    assert raised.originator_version == NEXT_VERSION + 1

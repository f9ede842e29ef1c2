"""Retention: what is due goes, on time, whoever is looking and whatever a clock says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.alerts.events import AlertClosedUndetermined
from domain.custody.events import (
    DestructionRechecked,
    DestructionStarted,
    ItemDestroyed,
    OverdueFound,
    RetentionSwept,
)
from domain.custody.sealing import EpochEnded, Tombstone
from domain.deployments.events import DeploymentCancelled, DeploymentEnded, DeploymentStopped
from domain.kernel.errors import ConflictError, DomainError
from domain.kernel.refusals import Refused
from domain.ports import ContentAlteredError, Outside
from domain.services import alerts, custody, watchlists
from domain.services.custody import DestructionFailedError
from domain.services.lateness import jumped, retention_now
from domain.services.retention import AHEAD, MOST_EVERY_S, Retention, sweep
from domain.services.survey import Survey
from domain.sightings.events import RunInterrupted, RunReconciled
from tests.support.builders import (
    ALERT,
    AT,
    DAY,
    DEPLOYMENT,
    ENTRY,
    OTHER_ENTRY,
    WINDOW,
    enrolled,
    to_propose_an_entry,
    to_raise,
)
from tests.support.keeping import approved, asked
from tests.support.memory import MemoryVault
from tests.support.scenarios import Scene, agreed
from tests.unit.services.test_footage import kept, recording

A_MOMENT = timedelta(milliseconds=1)
LONG = timedelta(days=3)
OF_AN_ALERT = {"face_crop", "probe_template", "alert_detail", "wide_frame"}


def a_long_run() -> Scene:
    """A deployment whose window lasts three days, running, with one alert."""
    until = {"requested_until": AT + LONG}
    scene = Scene().applied(**until).listed().authorised(valid_until=AT + LONG)
    return scene.started().alerted()


def destroyed_classes(scene: Scene) -> set[str]:
    """The classes of what was destroyed."""
    return {one.item_class for one in scene.events(ItemDestroyed)}


# -- alerts ------------------------------------------------------------------------------------


def test_nothing_is_destroyed_before_it_is_due() -> None:
    """A moment before 24 hours after the alert."""
    scene = a_long_run().later(DAY - AHEAD - A_MOMENT)
    assert sweep(scene.outside) == 0
    assert scene.events(DestructionStarted) == []


def test_the_items_of_an_alert_go_a_day_after_it_while_the_run_goes_on() -> None:
    """The list stays, the run stays, the alert's items do not."""
    scene = a_long_run().later(DAY)
    assert sweep(scene.outside) == 4
    assert destroyed_classes(scene) == OF_AN_ALERT
    assert {one.cause for one in scene.events(ItemDestroyed)} == {"due"}
    assert scene.deployment().run is not None
    assert scene.live_items() == scene.vault.keys() == set(scene.items_of(ENTRY))


def test_each_alert_is_due_by_its_own_time() -> None:
    """An hour apart, the second outlives the first by an hour."""
    second = UUID(int=0xA2)
    scene = a_long_run().later(timedelta(hours=1)).alerted(second, ordinal=2)
    scene.later(DAY - timedelta(hours=1))
    assert sweep(scene.outside) == 4
    assert set(scene.items_of(second)) <= scene.live_items()
    scene.later(timedelta(hours=1))
    assert sweep(scene.outside) == 4
    assert not scene.live_items() & set(scene.items_of(second))


def test_an_open_alert_is_closed_as_undetermined_before_its_items_go() -> None:
    """Once, and before the first of them."""
    scene = a_long_run().later(DAY)
    size = scene.record.size()
    sweep(scene.outside)
    names = scene.names(since=size)
    assert names[0] == AlertClosedUndetermined.NAME
    assert names.count(AlertClosedUndetermined.NAME) == 1
    assert scene.events(AlertClosedUndetermined)[0].cause == "due"
    assert not scene.alert(ALERT).open


def test_a_decided_alert_is_not_closed_again() -> None:
    """Its items, and the note that came later, go all the same."""
    scene = a_long_run().later(timedelta(hours=2)).viewed().decided(note="he looked familiar")
    scene.later(DAY - timedelta(hours=2))
    assert sweep(scene.outside) == 5
    assert destroyed_classes(scene) == {*OF_AN_ALERT, "free_text"}
    assert scene.events(AlertClosedUndetermined) == []


# -- watchlists --------------------------------------------------------------------------------


@pytest.mark.parametrize("waited", [timedelta(0), DAY])
def test_an_expired_deployment_is_stopped_reconciled_ended_and_emptied(waited: timedelta) -> None:
    """From the last instant of its window on, without anyone asking."""
    scene = Scene().running().alerted()
    scene.saw(enrolled(2), progress=(100, 2))
    scene.later(WINDOW - A_MOMENT)
    assert sweep(scene.outside) == 0
    size, items = scene.record.size(), len(scene.live_items())
    scene.later(A_MOMENT + waited)
    assert sweep(scene.outside) == items == 7
    late = 4 if waited > DAY - WINDOW else 0
    assert scene.names(since=size) == [
        *[OverdueFound.NAME] * late,
        DeploymentStopped.NAME,
        RunReconciled.NAME,
        DeploymentEnded.NAME,
        AlertClosedUndetermined.NAME,
        *[DestructionStarted.NAME] * items,
        DestructionRechecked.NAME,
        *[ItemDestroyed.NAME] * items,
    ]
    assert scene.events(DeploymentStopped)[0].cause == "authorisation_expired"
    assert scene.live_items() == scene.vault.keys() == scene.vault.ciphertexts() == set()


def test_an_expired_deployment_that_never_started_is_cancelled() -> None:
    """What was compiled for it goes with it."""
    scene = Scene().applied().listed().later(WINDOW)
    assert sweep(scene.outside) == 3
    assert [one.reason for one in scene.events(DeploymentCancelled)] == ["authorisation_expired"]
    assert scene.live_items() == scene.vault.keys() == set()


def test_the_authorised_window_counts_once_there_is_one() -> None:
    """It may end before the requested one."""
    scene = Scene().applied().listed().authorised(valid_until=AT + timedelta(hours=1))
    scene.later(timedelta(hours=1))
    assert sweep(scene.outside) == 3
    assert scene.survey().deployments[DEPLOYMENT].over


def test_faces_that_were_being_followed_at_the_expiry_are_counted_as_interrupted() -> None:
    """The sums balance, and say so."""
    scene = Scene().running()
    scene.saw(enrolled(1), progress=(100, 3)).later(WINDOW)
    sweep(scene.outside)
    (interrupted,) = scene.events(RunInterrupted)
    assert (interrupted.seen_at_least, interrupted.interrupted_at_least) == (3, 2)
    assert scene.events(RunReconciled)[0].interrupted == 2


def test_a_camera_that_was_set_up_twice_is_counted_once() -> None:
    """Its zone was drawn again; what was lost on it was lost once."""
    scene = Scene().applied().camera().listed().authorised().started()
    scene.saw(enrolled(1), progress=(100, 3)).later(WINDOW)
    sweep(scene.outside)
    assert len(scene.events(RunInterrupted)) == 1


class OnceFailingVault(MemoryVault):
    """A vault that keeps the first key that it is to destroy."""

    failed = False

    def destroy_keys(self, items: Sequence[UUID], *, at: datetime) -> dict[UUID, Tombstone]:
        """Fail once, then do as asked."""
        if self.failed:
            return super().destroy_keys(items, at=at)
        self.failed = True
        return super().destroy_keys(items[1:], at=at) | {items[0]: Tombstone(1, "0" * 64)}


def test_what_an_end_failed_to_destroy_is_destroyed_by_the_next_sweep() -> None:
    """Not at the end of the window that was once requested: the deployment is over."""
    scene = Scene(vault=OnceFailingVault()).applied(requested_until=AT + LONG)
    scene.listed().authorised(valid_until=AT + LONG).started().stopped()
    with pytest.raises(DestructionFailedError):
        scene.ended()
    scene.later(DAY)
    sweep(scene.outside)
    assert scene.live_items() == scene.vault.keys() == set()


def test_what_a_rejection_failed_to_destroy_is_destroyed_by_the_next_sweep() -> None:
    """Destruction that has begun is finished while the deployment goes on."""
    scene = Scene(vault=OnceFailingVault()).applied().list_opened().entry_proposed()
    with pytest.raises(DestructionFailedError):
        scene.entry_rejected(ENTRY)
    scene.later(A_MOMENT)
    sweep(scene.outside)
    assert scene.live_items() == scene.vault.keys() == set()
    assert {one.cause for one in scene.events(ItemDestroyed)} == {"entry_rejected"}


# -- repeating ---------------------------------------------------------------------------------


class TokenAwayVault(MemoryVault):
    """Its items can be destroyed, and the keys of their epochs cannot."""

    def end_epochs(self, *, at: datetime, over: Collection[UUID]) -> list[EpochEnded]:
        """Fail."""
        raise DomainError("the token is away")


def test_epochs_that_cannot_end_keep_nothing_else_alive() -> None:
    """It is told, the sign of life is left, and the next sweep asks again."""
    scene = Scene(vault=TokenAwayVault()).running().alerted().later(WINDOW + DAY)
    swept = Retention(scene.outside).sweep(every_s=60)
    assert (swept.failures, swept.overdue) == (["the token is away"] * 2, 0)
    assert scene.vault.keys() == scene.vault.ciphertexts() == set()
    assert len(scene.events(RetentionSwept)) == 1
    assert scene.record.forgotten == {DEPLOYMENT.hex}


class DamagedVault(MemoryVault):
    """One held key is damaged: it can be moved no more."""

    damaged: UUID | None = None

    def hold_keys(self, items: Sequence[UUID], *, hold: UUID) -> None:
        """All or none."""
        if self.damaged in items:
            raise ContentAlteredError(f"the key of item {self.damaged} is damaged")
        super().hold_keys(items, hold=hold)


def test_one_damaged_key_keeps_no_other_where_it_is_and_no_sweep_from_its_end() -> None:
    """Both are on one hold."""
    vault = DamagedVault()
    scene = recording(Scene(vault=vault))
    first, second = kept(scene), kept(scene)
    scene.alerted()
    agreed(asked(scene, first, second))
    agreed(approved(scene))
    vault.damaged = first
    scene.later(WINDOW + DAY)
    swept = Retention(scene.outside).sweep(every_s=60)
    assert swept.failures == [f"the key of item {first} is damaged"]
    assert scene.live_items() == {first, second}, "what was due is gone"
    assert len(scene.events(RetentionSwept)) == 1


@pytest.mark.parametrize(
    "wrong",
    [DomainError("locked"), ContentAlteredError("altered"), ConflictError("busy"), OSError("disk")],
)
def test_a_batch_that_fails_keeps_no_other_alive(
    wrong: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor the sign of life from being left; the next sweep destroys what is left."""
    monkeypatch.setattr(custody, "BATCH", 2)
    scene = Scene().running().alerted().later(WINDOW + DAY)
    destroyed, calls = scene.vault.destroy_keys, list[int]()

    def fails_once(items: Sequence[UUID], *, at: datetime) -> dict[UUID, Tombstone]:
        calls.append(len(items))
        if len(calls) == 1:
            raise wrong
        return destroyed(items, at=at)

    monkeypatch.setattr(scene.vault, "destroy_keys", fails_once)
    swept = Retention(scene.outside).sweep(every_s=60)
    assert swept.failures == [str(wrong)]
    assert scene.live_items() == set(), "and what failed was asked for again in the same sweep"
    assert len(scene.events(RetentionSwept)) == 1


def test_a_deployment_that_cannot_be_closed_keeps_no_other_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both windows are over."""
    scene = Scene().running().alerted().later(WINDOW + DAY)
    asked_for = list[UUID]()

    def fails(outside: Outside, deployment: Any, **how: Any) -> None:
        asked_for.append(deployment.deployment)
        raise OSError("the disk is away")

    with monkeypatch.context() as patch:
        patch.setattr("domain.services.retention.close", fails)
        swept = Retention(scene.outside).sweep(every_s=60)
    assert "the disk is away" in swept.failures and asked_for == [DEPLOYMENT]
    assert scene.live_items() == set(), "what is due goes all the same"
    assert Retention(scene.outside).sweep(every_s=60).failures == []


@pytest.mark.parametrize("every_s", [-1, MOST_EVERY_S + 1, 16 * 86_400])
def test_a_worker_that_seldom_comes_destroys_nothing_ahead_of_its_time(every_s: int) -> None:
    """It is refused: what would be late by the next sweep but one goes now."""
    scene = a_long_run()
    with pytest.raises(ValueError, match="between sweeps"):
        Retention(scene.outside).sweep(every_s=every_s)
    assert scene.events(RetentionSwept) == []


def test_a_second_sweep_finds_nothing_to_do() -> None:
    """And leaves nothing on the record."""
    scene = a_long_run().later(LONG)
    assert sweep(scene.outside) == 7
    size = scene.record.size()
    assert sweep(scene.outside) == 0
    assert scene.record.size() == size


def test_an_empty_record_is_swept() -> None:
    """There is nothing to do, and nothing is said of it."""
    scene = Scene()
    assert sweep(scene.outside) == 0
    assert scene.record.size() == 0


# -- clocks ------------------------------------------------------------------------------------


def test_a_clock_that_is_set_back_extends_nothing() -> None:
    """The newest time that a trusted clock recorded counts."""
    scene = a_long_run().later(DAY)
    scene.saw(enrolled(2), progress=(100, 2))
    scene.clock.stands_at(AT)
    assert sweep(scene.outside) == 4
    assert destroyed_classes(scene) == OF_AN_ALERT


def test_a_suspect_clock_that_is_set_forward_destroys_nothing() -> None:
    """One bad stamp must not age everything."""
    scene = a_long_run()
    scene.clock.believed = False
    scene.clock.moves(timedelta(days=400))
    assert sweep(scene.outside) == 0
    assert scene.live_items() == scene.vault.keys()
    assert len(scene.live_items()) == 7


def test_what_a_suspect_clock_recorded_does_not_age_anything_later() -> None:
    """Its entries say suspect, and advance nothing once the clock is believed again."""
    scene = a_long_run()
    scene.clock.believed = False
    scene.clock.moves(timedelta(days=400))
    scene.saw(enrolled(2))
    scene.clock.stands_at(AT + timedelta(hours=1))
    scene.clock.believed = True
    assert sweep(scene.outside) == 0


def test_a_suspect_clock_does_not_save_what_a_trusted_one_saw_fall_due() -> None:
    """The newest trusted time is past the due time already."""
    scene = a_long_run().later(DAY)
    scene.saw(enrolled(2))
    scene.clock.believed = False
    assert sweep(scene.outside) == 4


@pytest.mark.parametrize(
    ("newest", "now", "believed", "expected"),
    [
        (None, AT, True, AT),
        (AT, AT + DAY, True, AT + DAY),
        (AT, AT - DAY, True, AT),
        (AT, AT + DAY, False, AT),
        (AT, AT - DAY, False, AT),
    ],
    ids=["nothing recorded", "forward", "set back", "suspect forward", "suspect set back"],
)
def test_the_time_that_retention_goes_by(
    newest: datetime | None, now: datetime, believed: bool, expected: datetime
) -> None:
    """The later of the wall clock and the newest trusted time; a suspect clock counts for none."""
    scene = Scene()
    scene.clock.stands_at(now)
    scene.clock.believed = believed
    assert retention_now(scene.outside, Survey(newest_trusted=newest)) == expected


# -- what comes too late -----------------------------------------------------------------------


def test_nothing_is_kept_for_a_deployment_that_the_sweep_closed() -> None:
    """Neither an alert nor an entry."""
    scene = Scene().running().later(WINDOW)
    sweep(scene.outside)
    assert isinstance(alerts.raise_alert(scene.outside, to_raise(**scene.by)), Refused)
    answer = watchlists.propose_entry(
        scene.outside,
        to_propose_an_entry(entry=OTHER_ENTRY, **scene.by),
        image=b"an image",
        callers_reference="row-2",
    )
    assert isinstance(answer, Refused)
    assert scene.live_items() == scene.vault.keys() == set()


# -- signs of life, what is late, and what will be ---------------------------------------------


def test_a_sweep_leaves_a_sign_of_life_also_where_nothing_is_due() -> None:
    """Its absence is a finding, so its presence must be recorded."""
    scene = Scene()
    Retention(scene.outside).sweep(every_s=600)
    (swept,) = scene.events(RetentionSwept)
    assert (swept.live, swept.due, swept.destroyed, swept.overdue) == (0, 0, 0, 0)
    assert (swept.next_due_at, swept.every_s) == (None, 600)


def test_what_would_be_late_by_the_next_sweep_is_destroyed_now() -> None:
    """A worker that looks every hour cannot wait for the last minute."""
    scene = a_long_run().later(DAY - timedelta(hours=2))
    assert Retention(scene.outside).sweep(every_s=60).destroyed == 0
    assert Retention(scene.outside).sweep(every_s=3600).destroyed == 4
    assert scene.events(OverdueFound) == []


def test_what_is_late_is_told_once_and_for_ever() -> None:
    """Before it is destroyed, so that a crash in between hides nothing."""
    scene = a_long_run().later(DAY + A_MOMENT)
    retention = Retention(scene.outside)
    assert retention.sweep(every_s=0).destroyed == 4
    assert retention.sweep(every_s=0).destroyed == 0
    late = scene.events(OverdueFound)
    assert len(late) == 4
    assert {one.due_at for one in late} == {AT + DAY}


def test_one_that_reads_only_what_is_new_plans_the_same_as_one_that_reads_all() -> None:
    """However often it looked before."""
    scene = a_long_run()
    again = Retention(scene.outside)
    for _ in range(3):
        scene.later(timedelta(hours=1))
        again.sweep()
        assert again.plan() == Retention(scene.outside).plan()
    assert [one.deadline for one in again.plan()] == sorted(one.deadline for one in again.plan())


def test_an_early_end_brings_the_deadline_forward() -> None:
    """Two clocks on one item: the earlier wins."""
    scene = a_long_run()
    before = {one.item: one.deadline for one in Retention(scene.outside).plan()}
    images = [one for one in Retention(scene.outside).plan() if one.item_class == "reference_image"]
    scene.stopped()
    survey = scene.survey()
    survey.deployments[DEPLOYMENT].over_at = scene.clock.now()
    (image,) = (one for one in survey.live() if one.item == images[0].item)
    assert survey.deadline(image) == scene.clock.now() + DAY < before[image.item]


def test_a_clock_that_jumped_far_ahead_is_told_only_where_it_would_destroy_something() -> None:
    """A machine that was off for a week with nothing kept has nothing to lose."""
    assert jumped(Scene().applied().later(7 * DAY).outside, Scene().applied().survey()) is None
    scene = Scene().applied().listed()
    survey = scene.survey()
    assert jumped(scene.later(DAY).outside, survey) is None
    assert jumped(scene.later(364 * DAY).outside, survey) == 365 * DAY


def test_a_clock_that_is_doubted_destroys_nothing_more() -> None:
    """Retention goes by the newest time that was trusted."""
    scene = a_long_run()
    scene.later(365 * DAY).clock.believed = False
    assert Retention(scene.outside).sweep(every_s=600).destroyed == 0
    scene.clock.believed = True
    assert Retention(scene.outside).sweep(every_s=600).destroyed > 0

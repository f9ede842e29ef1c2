"""After a crash at any step: nothing half kept, nothing half destroyed, nothing destroyed twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from domain.alerts.events import AlertClosedUndetermined
from domain.custody.events import ItemDestroyed
from domain.deployments.events import DeploymentCancelled, DeploymentEnded, DeploymentStopped
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.kernel.refusals import Refused
from domain.services import alerts, deployments, watchlists
from domain.services.custody import consult
from domain.services.recovery import finish_what_was_begun
from domain.services.retention import sweep
from domain.services.sightings import reconcile
from domain.sightings.events import ReconciliationFailed, RunInterrupted, RunReconciled
from domain.sightings.sums import sums_balance
from tests.support import builders as a
from tests.support.builders import ALERT, DEPLOYMENT, OTHER_ENTRY, WINDOW
from tests.support.memory import Crash, Fuse
from tests.support.scenarios import Scene, agreed

SECOND_ALERT = UUID(int=0xA2)


# -- what is played ----------------------------------------------------------------------------


def a_whole_deployment(scene: Scene) -> None:
    """From the application to the end, with everything that can be kept, read and destroyed."""
    scene.applied().list_opened()
    scene.entry_proposed().entry_proposed(OTHER_ENTRY)
    scene.entry_accepted().entry_rejected(OTHER_ENTRY)
    scene.list_approved().authorised()
    watchlists.load_gallery(scene.outside, a.to_load_the_gallery(**scene.by))
    scene.started()
    scene.saw(a.enrolled(2), progress=(50, 3))
    scene.alerted(ordinal=1).viewed()
    read_the_crop(scene)
    scene.decided(note="he looked familiar")
    scene.alerted(SECOND_ALERT, ordinal=3)
    scene.saw(a.not_enrolled(4), a.suppressed(5), progress=(100, 5))
    scene.stopped()
    reconcile(scene.outside, a.to_reconcile(**scene.by))
    scene.ended()


def a_deployment_that_expires(scene: Scene) -> None:
    """Nobody stops it; three faces were seen and one has an outcome when its time is up."""
    scene.running().saw(a.enrolled(2), progress=(50, 3))
    scene.alerted(ordinal=1)
    scene.later(WINDOW)
    sweep(scene.outside)


def an_alert_that_is_overtaken(scene: Scene) -> None:
    """Recognition is stopped while the material of an alert is being kept; then it is cancelled."""
    scene.running().saw(progress=(50, 1))
    seen: list[object] = []

    def stop_once(label: object) -> None:
        seen.append(label)
        if len(seen) == 2:
            scene.stopped()

    scene.vault.after_seal = stop_once
    assert isinstance(alerts.raise_alert(scene.outside, a.to_raise(**scene.by)), Refused)
    agreed(deployments.cancel(scene.outside, a.to_cancel(**scene.by)))


def read_the_crop(scene: Scene) -> None:
    """The engagement officer opens the face crop."""
    raised = scene.alert().raised
    assert raised is not None
    consult(scene.outside, a.to_consult(item=raised.items["face_crop"], **scene.by))


@dataclass(frozen=True)
class Play:
    """Something that is played, in one of the modes."""

    act: Callable[[Scene], None]
    mode: Mode

    def to_its_end(self) -> Scene:
        """Without a crash."""
        scene = Scene(mode=self.mode)
        self.act(scene)
        return scene

    def crashed(self, step: int) -> Scene:
        """Until the process dies after a step."""
        scene = Scene(mode=self.mode, fuse=Fuse(after=step))
        with pytest.raises(Crash):
            self.act(scene)
        return scene


PLAYS = [
    Play(act, mode)
    for act in (a_whole_deployment, a_deployment_that_expires, an_alert_that_is_overtaken)
    for mode in Mode
]


def every_step() -> Iterator[object]:
    """Each play, dying after each of its steps."""
    for play in PLAYS:
        for step in range(1, play.to_its_end().fuse.steps + 1):
            yield pytest.param(play, step, id=f"{play.act.__name__}-{play.mode}-{step}")


# -- what must hold ----------------------------------------------------------------------------


def started_again(scene: Scene, *, fuse: Fuse | None = None) -> list[str]:
    """A new process over the same record and vault does what every start does."""
    scene.record.fuse = scene.vault.fuse = fuse or Fuse()
    scene.record.meanwhile.clear()
    scene.vault.after_seal = lambda label: None
    return finish_what_was_begun(scene.outside)


def assert_nothing_is_half_done(scene: Scene) -> None:
    """The promises that hold after every start."""
    survey = scene.survey()
    live = scene.live_items()
    for item in survey.items.values():
        over = survey.deployments[item.deployment].over
        assert item.destroyed or (item.sealed and not item.destruction_started and not over)
    assert scene.vault.keys() == scene.vault.ciphertexts() == live
    receipts = Counter(one.originator_id for one in scene.events(ItemDestroyed))
    assert set(receipts.values()) <= {1}
    assert set(scene.vault.tombstones) == set(receipts)
    for deployment in survey.deployments.values():
        assert deployment.run is None
        if deployment.over:
            assert deployment.deployment not in survey.open_alerts.values()
    for run, sums in survey.runs.items():
        assert sums_balance(sums), (run, sums)
    verdicts = Counter(
        one.run for one in scene.events(RunReconciled) + scene.events(ReconciliationFailed)
    )
    assert verdicts == dict.fromkeys(survey.runs, 1)
    losses = Counter((one.run, one.camera) for one in scene.events(RunInterrupted))
    assert set(losses.values()) <= {1}


# -- crashes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: f"{play.act.__name__}-{play.mode}")
def test_without_a_crash_there_is_nothing_to_finish(play: Play) -> None:
    """The plays themselves end with everything destroyed."""
    scene = play.to_its_end()
    assert scene.live_items() == set()
    size = scene.record.size()
    assert started_again(scene) == []
    assert scene.record.size() == size
    assert_nothing_is_half_done(scene)


@pytest.mark.parametrize(("play", "step"), list(every_step()))
def test_a_start_finishes_what_a_dead_process_left_half_done(play: Play, step: int) -> None:
    """Whatever step was the last; and a second start finds nothing left to do."""
    scene = play.crashed(step)
    started_again(scene)
    assert_nothing_is_half_done(scene)
    size = scene.record.size()
    assert started_again(scene) == []
    assert scene.record.size() == size


def every_step_of_a_start() -> Iterator[object]:
    """A run with two alerts whose process dies, and the start after it dying after each step."""
    for mode in Mode:
        play = Play(a_whole_deployment, mode)
        middle = play.to_its_end().fuse.steps // 2
        scene = play.crashed(middle)
        fuse = Fuse()
        started_again(scene, fuse=fuse)
        for step in range(1, fuse.steps + 1):
            yield pytest.param(play, middle, step, id=f"{mode}-{step}")


@pytest.mark.parametrize(("play", "first", "second"), list(every_step_of_a_start()))
def test_a_start_that_dies_itself_is_finished_by_the_next(
    play: Play, first: int, second: int
) -> None:
    """Every step of recovery can be repeated."""
    scene = play.crashed(first)
    with pytest.raises(Crash):
        started_again(scene, fuse=Fuse(after=second))
    started_again(scene)
    assert_nothing_is_half_done(scene)


# -- what a start does -------------------------------------------------------------------------


def test_a_run_whose_worker_died_is_stopped_counted_reconciled_and_ended() -> None:
    """With how many faces were lost at least."""
    scene = Scene().running().saw(a.enrolled(2), progress=(50, 4)).alerted(ordinal=1)
    size = scene.record.size()
    done = started_again(scene)
    assert scene.names(since=size)[:5] == [
        DeploymentStopped.NAME,
        RunInterrupted.NAME,
        RunReconciled.NAME,
        DeploymentEnded.NAME,
        AlertClosedUndetermined.NAME,
    ]
    assert scene.events(DeploymentStopped)[0].cause == "worker_died"
    (interrupted,) = scene.events(RunInterrupted)
    assert (interrupted.seen_at_least, interrupted.interrupted_at_least) == (4, 2)
    assert scene.events(RunReconciled)[0].interrupted == 2
    assert done == [f"closed deployment {DEPLOYMENT.hex[:8]}"]


def test_a_worker_that_died_is_said_to_have_died_though_no_face_is_known_to_be_lost() -> None:
    """Those that it opened after its last entry are not known."""
    scene = Scene().running().saw(a.enrolled(1), progress=(50, 1))
    started_again(scene)
    (interrupted,) = scene.events(RunInterrupted)
    assert (interrupted.seen_at_least, interrupted.interrupted_at_least) == (1, 0)


def test_a_rehearsal_that_was_abandoned_before_it_started_is_cancelled() -> None:
    """It belonged to the process that played it."""
    scene = Scene().applied().listed()
    assert started_again(scene) == [f"closed deployment {DEPLOYMENT.hex[:8]}"]
    assert [one.reason for one in scene.events(DeploymentCancelled)] == ["rehearsal_abandoned"]
    assert scene.live_items() == scene.vault.keys() == set()


def test_an_operational_deployment_that_had_not_started_goes_on() -> None:
    """What two managers sealed is still there, and can be authorised and started."""
    scene = Scene(mode=Mode.OPERATIONAL).applied().listed()
    held = scene.vault.keys()
    assert started_again(scene) == []
    assert scene.vault.keys() == held == scene.live_items()
    scene.authorised().started().alerted()


def test_an_item_that_was_registered_and_never_sealed_is_destroyed() -> None:
    """Its receipt names no ciphertext; the deployment goes on."""
    play = Play(a_whole_deployment, Mode.OPERATIONAL)
    # Steps: application, camera, criteria, their approval, and the registration of two items.
    scene = play.crashed(5)
    done = started_again(scene)
    assert len(done) == 2
    assert [one.ciphertext_digest for one in scene.events(ItemDestroyed)] == [None, None]
    assert {one.cause for one in scene.events(ItemDestroyed)} == {"recovery"}
    assert not scene.survey().deployments[DEPLOYMENT].over
    scene.entry_proposed()


def test_a_destruction_that_had_begun_keeps_its_cause() -> None:
    """Recovery finishes it; it does not say why it began."""
    scene = Scene(mode=Mode.OPERATIONAL).applied().list_opened().entry_proposed()
    scene.record.fuse = Fuse(after=2)
    with pytest.raises(Crash):
        scene.entry_rejected(a.ENTRY)
    started_again(scene)
    assert {one.cause for one in scene.events(ItemDestroyed)} == {"entry_rejected"}


def test_an_open_alert_is_closed_though_the_crash_came_right_after_the_end() -> None:
    """Its items go, so it cannot stay open for ever."""
    scene = Scene().running().alerted().stopped()
    scene.record.fuse = Fuse(after=1)
    with pytest.raises(Crash):
        scene.ended()
    started_again(scene)
    assert [one.originator_id for one in scene.events(AlertClosedUndetermined)] == [ALERT]


@pytest.mark.parametrize("mode", Mode)
def test_a_run_that_was_stopped_just_before_the_crash_is_reconciled(mode: Mode) -> None:
    """Every run that was ever started has its sums on the record."""
    scene = Scene(mode=mode).running().saw(a.enrolled(1), progress=(50, 1)).stopped()
    started_again(scene)
    assert len(scene.events(RunReconciled)) + len(scene.events(ReconciliationFailed)) == 1


def test_a_start_of_an_empty_record_does_nothing() -> None:
    """The very first start."""
    scene = Scene()
    assert started_again(scene) == []
    assert scene.record.size() == 0


def test_a_record_that_cannot_store_stops_the_start() -> None:
    """No store, no effect: nothing is destroyed that the record does not know of."""
    scene = Scene().running()
    held = scene.vault.keys()
    scene.record.full = True
    with pytest.raises(DomainError):
        started_again(scene)
    assert scene.vault.keys() == held

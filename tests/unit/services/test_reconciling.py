"""Reconciling a run: a dropped or doubled outcome is found, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import pytest

from domain.alerts.events import AlertRaised, RaiseRefused
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError, NotFoundError
from domain.kernel.events import NEXT_VERSION, Happened
from domain.kernel.references import journal, new_reference
from domain.kernel.time import Grain
from domain.ports import Outside, Recorded
from domain.services import alerts, deployments
from domain.services.rechecking import LookAgain
from domain.services.retention import sweep
from domain.services.sightings import reconcile, stream_of
from domain.sightings.events import (
    FaceEnrolledAndDiscarded,
    FaceNotEnrolled,
    ReconciliationFailed,
    RunInterrupted,
    RunProgressed,
    RunReconciled,
    SightingSuppressed,
)
from tests.support.builders import (
    AT,
    CAMERA,
    DEPLOYMENT,
    OTHER_ENTRY,
    RUN,
    a_command,
    enrolled,
    not_enrolled,
    suppressed,
    to_raise,
    to_reconcile,
    to_start,
)
from tests.support.memory import MemoryRecord
from tests.support.scenarios import Scene, agreed

OUTCOMES = (
    AlertRaised,
    RaiseRefused,
    FaceEnrolledAndDiscarded,
    FaceNotEnrolled,
    SightingSuppressed,
)
REFUSED_ALERT = UUID(int=0xA2)


def a_run() -> Scene:
    """One face of every outcome on one camera, and two more on another."""
    scene = Scene().applied()
    scene.camera(camera="camera-2")
    scene.listed().authorised(cameras=[CAMERA, "camera-2"]).started()
    scene.alerted(ordinal=1)
    alerts.raise_alert(
        scene.outside,
        to_raise(alert=REFUSED_ALERT, ordinal=2, entry=OTHER_ENTRY, **scene.by),
    )
    scene.saw(enrolled(3, life_ms=77), not_enrolled(4), progress=(100, 4))
    scene.saw(suppressed(5), enrolled(6), progress=(200, 6))
    scene.saw(enrolled(1), not_enrolled(2), progress=(200, 2), camera="camera-2")
    return scene.stopped()


class RecordWithout(MemoryRecord):
    """A record in whose history one entry is missing, or stands twice."""

    position: int
    times: int

    @classmethod
    def of(cls, scene: Scene, position: int, *, times: int) -> RecordWithout:
        """The same record, its history tampered with at one position."""
        record = cls(scene.clock)
        vars(record).update(vars(scene.record))
        record.position, record.times = position, times
        return record

    def history(self, scope: str | None = None, *, after: int = -1) -> Iterator[Recorded]:
        """The entries, but for the one."""
        for entry in super().history(scope, after=after):
            yield from [entry] * (self.times if entry.position == self.position else 1)


def outcomes(scene: Scene) -> list[tuple[int, str]]:
    """Position and ``camera/ordinal`` of every outcome of the run."""
    return [
        (one.position, f"{one.event.camera}/{one.event.ordinal}")
        for one in scene.record.history()
        if isinstance(one.event, OUTCOMES)
    ]


def reconciled_over(scene: Scene, record: MemoryRecord) -> bool:
    """Reconcile over another view of the record."""
    outside = Outside(record, scene.vault, scene.clock, scene.identities, LookAgain(scene.vault))
    return reconcile(outside, to_reconcile())


def test_a_run_in_which_every_face_has_one_outcome_is_reconciled() -> None:
    """The six sums, and the longest life of any template."""
    scene = a_run()
    assert reconcile(scene.outside, to_reconcile())
    (reconciled,) = scene.events(RunReconciled)
    assert reconciled == RunReconciled(
        originator_id=journal("runs", DEPLOYMENT.hex),
        originator_version=1,
        timestamp=scene.clock.now(),
        run=RUN,
        seen=8,
        not_enrolled=2,
        enrolled_and_discarded=3,
        alerted=1,
        suppressed=1,
        interrupted=1,
        max_template_life_ms=77,
    )


EVERY_OUTCOME = pytest.mark.parametrize("which", range(8))


def test_the_run_has_as_many_outcomes_as_the_tests_below_tamper_with() -> None:
    """One of each kind and three more."""
    assert len(outcomes(a_run())) == 8
    assert {type(one.event) for one in a_run().record.history()} >= set(OUTCOMES)


@EVERY_OUTCOME
def test_a_dropped_outcome_is_found(which: int) -> None:
    """Whichever it is, its camera and ordinal are named, and the failure is on the record."""
    scene = a_run()
    position, face = outcomes(scene)[which]
    assert not reconciled_over(scene, RecordWithout.of(scene, position, times=0))
    (failed,) = scene.events(ReconciliationFailed)
    assert (failed.missing, failed.doubled) == ([face], [])
    assert scene.events(RunReconciled) == []


@EVERY_OUTCOME
def test_a_doubled_outcome_is_found(which: int) -> None:
    """Whichever it is, its camera and ordinal are named."""
    scene = a_run()
    position, face = outcomes(scene)[which]
    assert not reconciled_over(scene, RecordWithout.of(scene, position, times=2))
    (failed,) = scene.events(ReconciliationFailed)
    assert (failed.missing, failed.doubled) == ([], [face])


@EVERY_OUTCOME
def test_an_untouched_record_is_reconciled_over_the_same_view(which: int) -> None:
    """The view itself changes nothing."""
    scene = a_run()
    position, _ = outcomes(scene)[which]
    assert reconciled_over(scene, RecordWithout.of(scene, position, times=1))


def test_a_dropped_counter_is_found() -> None:
    """Outcomes of faces that, by the counter, nobody saw."""
    scene = a_run()
    last = [one for one in scene.record.history() if isinstance(one.event, RunProgressed)][1]
    assert not reconciled_over(scene, RecordWithout.of(scene, last.position, times=0))
    assert scene.events(ReconciliationFailed)[0].doubled == ["camera-1/5", "camera-1/6"]


def test_a_failed_reconciliation_says_what_each_side_counted() -> None:
    """Seen by the tracker, and what the record holds."""
    scene = Scene().running()
    scene.saw(enrolled(1), not_enrolled(3), progress=(100, 3)).stopped()
    assert not reconcile(scene.outside, to_reconcile())
    assert scene.events(ReconciliationFailed) == [
        ReconciliationFailed(
            originator_id=journal("runs", DEPLOYMENT.hex),
            originator_version=1,
            timestamp=scene.clock.now(),
            run=RUN,
            seen=3,
            not_enrolled=1,
            enrolled_and_discarded=1,
            alerted=0,
            suppressed=0,
            interrupted=0,
            missing=["camera-1/2"],
            doubled=[],
        )
    ]


def test_a_reconciliation_is_timed_to_the_second() -> None:
    """As the faces are."""
    scene = Scene().running().stopped()
    at = scene.clock.now().replace(microsecond=345_000)
    scene.clock.stands_at(at)
    reconcile(scene.outside, to_reconcile(at=at))
    assert scene.events(RunReconciled)[0].timestamp == Grain.SECOND.floor(at)


def test_a_run_that_never_was_is_not_found() -> None:
    """There is nothing to reconcile."""
    scene = Scene().running()
    with pytest.raises(NotFoundError):
        reconcile(scene.outside, to_reconcile(run=OTHER_ENTRY))


UNKNOWN_RUN = UUID(int=0x99)
COUNTERS_OF_AN_UNKNOWN_RUN = [
    RunProgressed(
        originator_id=stream_of(UNKNOWN_RUN, CAMERA),
        originator_version=NEXT_VERSION,
        timestamp=AT,
        run=UNKNOWN_RUN,
        camera=CAMERA,
        frames=1,
        seen=1,
    ),
    RunInterrupted(
        originator_id=stream_of(UNKNOWN_RUN, CAMERA),
        originator_version=NEXT_VERSION,
        timestamp=AT,
        run=UNKNOWN_RUN,
        camera=CAMERA,
        seen_at_least=1,
        interrupted_at_least=1,
    ),
]


@pytest.mark.parametrize("event", COUNTERS_OF_AN_UNKNOWN_RUN, ids=lambda event: event.NAME)
def test_counters_of_a_run_that_never_was_stop_nobody(event: Happened) -> None:
    """One entry that fits nothing must not end retention and recovery for ever."""
    scene = Scene().running()
    scene.record.append(event, by=a_command())
    assert sweep(scene.outside) == 0


def test_a_reference_of_a_run_is_used_once() -> None:
    """A second run under the first one's reference would wipe the first one's sums away."""
    scene = Scene().running()
    scene.saw(enrolled(1), progress=(100, 2)).stopped()
    before = reconcile(scene.outside, to_reconcile())
    deployments.start(scene.outside, to_start(**scene.by))
    assert reconcile(scene.outside, to_reconcile()) == before


def test_a_run_that_was_compared_while_it_was_on_is_compared_again_when_it_is_off() -> None:
    """What came after the first comparison counts too."""
    scene = Scene().running()
    scene.saw(enrolled(1), progress=(50, 1))
    with suppress(DomainError):
        reconcile(scene.outside, to_reconcile())
    scene.saw(progress=(100, 3)).stopped().ended()
    (failed,) = scene.events(ReconciliationFailed)
    assert failed.missing == ["camera-1/2", "camera-1/3"]


def test_two_runs_have_sums_of_their_own() -> None:
    """The second balances though the first does not."""
    scene = Scene().running()
    scene.saw(enrolled(1), progress=(100, 2)).stopped()
    second = new_reference()
    agreed(deployments.start(scene.outside, to_start(run=second, **scene.by)))
    assert not reconcile(scene.outside, to_reconcile())
    assert reconcile(scene.outside, to_reconcile(run=second))


def test_an_operational_run_is_reconciled_alike() -> None:
    """The arithmetic knows no mode."""
    scene = Scene(mode=Mode.OPERATIONAL).running()
    scene.saw(enrolled(1), progress=(100, 1)).stopped()
    assert reconcile(scene.outside, replace(to_reconcile(), mode=Mode.OPERATIONAL))


def test_a_counter_that_falls_hides_no_face() -> None:
    """Five were seen; that a later report says three does not unsee two of them."""
    scene = Scene().running().saw(progress=(9, 5))
    scene.saw(enrolled(1), enrolled(2), enrolled(3), progress=(20, 3)).stopped()
    assert not reconcile(scene.outside, to_reconcile(**scene.by))

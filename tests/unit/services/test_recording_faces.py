"""What became of faces, stored in one transaction and timed no finer than the crowd allows."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.kernel.errors import DomainError
from domain.kernel.time import Grain
from domain.services.recovery import finish_what_was_begun
from domain.services.sightings import record_faces, report_source_failure, stream_of
from domain.services.sink import InProcessSink
from domain.sightings.events import (
    FaceEnrolledAndDiscarded,
    FaceNotEnrolled,
    RunProgressed,
    SightingSuppressed,
    SourceFailed,
)
from tests.support.builders import (
    ALERT,
    CAMERA,
    DEPLOYMENT,
    OTHER_ENTRY,
    RUN,
    enrolled,
    not_enrolled,
    suppressed,
    to_raise,
    to_record_faces,
    to_report_a_failure,
)
from tests.support.scenarios import Scene

ODD = datetime(2026, 11, 23, 9, 30, 17, 345_000, tzinfo=UTC)
SECOND = datetime(2026, 11, 23, 9, 30, 17, tzinfo=UTC)
MINUTE = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture
def scene() -> Scene:
    """A running deployment, at an odd fraction of a second."""
    scene = Scene().running()
    scene.clock.stands_at(ODD)
    return scene


def saw(scene: Scene, **changes: Any) -> None:
    """The recogniser says what became of three faces, and how far it got."""
    faces = [enrolled(1, life_ms=42), not_enrolled(2, reason="pose"), suppressed(3)]
    asked = {"faces": faces, "progress": (250, 3), **scene.by, **changes}
    record_faces(scene.outside, to_record_faces(**asked))


def test_each_face_has_one_event_and_the_counters_come_with_them(scene: Scene) -> None:
    """All in one transaction, in one journal of this run and camera."""
    saw(scene)
    stream, size = stream_of(RUN, CAMERA), scene.record.size()
    common: dict[str, Any] = {
        "originator_id": stream,
        "timestamp": SECOND,
        "run": RUN,
        "camera": CAMERA,
    }
    expected = (
        FaceEnrolledAndDiscarded(originator_version=1, ordinal=1, template_life_ms=42, **common),
        FaceNotEnrolled(
            originator_version=2, ordinal=2, reason="pose", template_life_ms=0, **common
        ),
        SightingSuppressed(
            originator_version=3, ordinal=3, alert=ALERT, template_life_ms=30, **common
        ),
        RunProgressed(originator_version=4, frames=250, seen=3, **common),
    )
    assert scene.record.transactions[-1].events == expected
    assert size == len(list(scene.record.history()))


@pytest.mark.parametrize(("faces", "told"), [(0, MINUTE), (9, MINUTE), (10, SECOND), (300, SECOND)])
def test_events_and_entries_are_told_to_the_same_grain(
    scene: Scene, faces: int, told: datetime
) -> None:
    """A quiet time is told to the minute, also by the time of the recording."""
    size = scene.record.size()
    saw(scene, faces_in_the_last_minute=faces)
    written = [one for one in scene.record.history() if one.position >= size]
    assert {one.event.timestamp for one in written} == {told}
    assert {one.recorded_at for one in written} == {told}


def test_every_camera_of_a_run_has_a_journal_of_its_own(scene: Scene) -> None:
    """And so has every run."""
    saw(scene)
    saw(scene, camera="camera-2")
    streams = [stream_of(RUN, CAMERA), stream_of(RUN, "camera-2"), stream_of(OTHER_ENTRY, CAMERA)]
    assert [scene.record.version(one) for one in streams] == [4, 4, 0]


def test_the_journal_goes_on_where_it_was(scene: Scene) -> None:
    """Nobody has to have read it before."""
    saw(scene)
    saw(scene)
    versions = [one.originator_version for one in scene.record.events(stream_of(RUN, CAMERA))]
    assert versions == list(range(1, 9))


def test_nothing_to_say_is_not_said(scene: Scene) -> None:
    """No face, no counter, no transaction."""
    size = scene.record.size()
    saw(scene, faces=[], progress=None)
    assert scene.record.size() == size


def test_a_face_event_holds_nothing_by_which_a_passer_by_could_be_found(scene: Scene) -> None:
    """Run, camera, ordinal and the life of the template; for a rejected face, why."""
    saw(scene)
    passers_by = scene.events(FaceEnrolledAndDiscarded) + scene.events(FaceNotEnrolled)
    for event in passers_by:
        own = set(vars(event)) - {"originator_id", "originator_version", "timestamp"}
        assert own <= {"run", "camera", "ordinal", "template_life_ms", "reason"}


def test_a_source_that_could_not_be_read_on_is_recorded(scene: Scene) -> None:
    """Why, and how many frames were read before."""
    report_source_failure(scene.outside, to_report_a_failure(**scene.by))
    (failed,) = scene.events(SourceFailed)
    assert failed == SourceFailed(
        originator_id=stream_of(RUN, CAMERA),
        originator_version=1,
        timestamp=ODD,
        run=RUN,
        camera=CAMERA,
        reason="truncated_video",
        frames=12,
    )


def test_the_sink_carries_out_what_a_recogniser_hands_over(scene: Scene) -> None:
    """And answers whether the alert exists."""
    sink = InProcessSink(scene.outside)
    assert sink.raise_alert(to_raise(**scene.by)) is True
    refused_alert = UUID(int=0xA2)
    assert sink.raise_alert(to_raise(alert=refused_alert, entry=OTHER_ENTRY, **scene.by)) is False
    sink.record_faces(to_record_faces(faces=[enrolled(2)], **scene.by))
    sink.report_source_failure(to_report_a_failure(**scene.by))
    assert scene.names()[-4:] == [
        "alert.raised",
        "alert.raise_refused",
        "face.enrolled_and_discarded",
        "run.source_failed",
    ]
    assert scene.record.transactions[-2].grain is Grain.SECOND


def test_faces_that_are_said_of_another_deployments_run_stop_nobody(scene: Scene) -> None:
    """They are turned away, or at least do not keep the run from being closed."""
    other = UUID(int=0xD2)
    with suppress(DomainError):
        saw(scene, deployment=other, scope=other.hex)
    finish_what_was_begun(scene.outside)
    assert scene.survey().deployments[DEPLOYMENT].over
    assert scene.live_items() == set()

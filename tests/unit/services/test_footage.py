"""Keeping footage: what may be recorded, whole or not at all, and gone by its own clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.custody.classes import ItemClass
from domain.custody.events import ItemDestroyed, ItemRegistered
from domain.custody.sealing import commitment
from domain.footage.commands import KeepSegment, ReportLostSegment, SegmentFacts
from domain.footage.events import RecordingRefused, SegmentLost, SegmentRecorded
from domain.kernel.commands import Role
from domain.kernel.errors import DomainError
from domain.kernel.references import journal
from domain.kernel.refusals import Refused
from domain.ports import VaultError
from domain.services.custody import consult, consult_stream, destroy_for
from domain.services.footage import keep_segment, report_lost
from domain.services.recovery import finish_what_was_begun
from domain.services.retention import AHEAD, Retention
from tests.support import builders as a
from tests.support.memory import Crash
from tests.support.scenarios import Scene

MONTH = 31 * a.DAY
CHUNKS = (b"the camera's ", b"own ", b"packets")


class SegmentOf:
    """A segment that comes in piece by piece."""

    content_type = "video/x-matroska"

    def __init__(self, *chunks: bytes | BaseException, duration_ms: int = 59_960) -> None:
        self._chunks = chunks
        self._duration_ms = duration_ms
        self.read = False

    def chunks(self) -> Iterator[bytes]:
        """The pieces, up to what goes wrong."""
        self.read = True
        for chunk in self._chunks:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk

    def facts(self) -> SegmentFacts:
        """Of a minute, unless another length was given."""
        return SegmentFacts(self._duration_ms, 1_499, "h264", starts_with_key_frame=True)


@pytest.fixture
def scene() -> Scene:
    """A run that is on, with a camera that records."""
    return recording(Scene())


def recording(scene: Scene) -> Scene:
    """Applied for with a camera that records, started."""
    return scene.applied().camera(footage_recorded=True).listed().authorised().started()


def to_keep(scene: Scene, **changes: Any) -> KeepSegment:
    """The recorder's command, now."""
    fields: dict[str, Any] = {
        "actor": "system:recorder/camera-1",
        "role": Role.SYSTEM,
        "scope": a.DEPLOYMENT.hex,
        "deployment": a.DEPLOYMENT,
        "run": a.RUN,
        "camera": a.CAMERA,
        "first_frame_at": scene.clock.now(),
    }
    return KeepSegment(**(fields | scene.by | changes))


def kept(scene: Scene, **changes: Any) -> UUID:
    """A segment that is kept; its item."""
    answer = keep_segment(scene.outside, to_keep(scene, **changes), SegmentOf(*CHUNKS))
    assert not isinstance(answer, Refused), answer
    return answer.id


def review(scene: Scene, item: UUID, **changes: Any) -> Iterator[bytearray] | Refused:
    """The DPO looks at it."""
    asked: dict[str, Any] = {"item": item, "purpose": "footage-review", "role": Role.DPO}
    return consult_stream(scene.outside, a.to_consult(**(asked | scene.by | changes)))


# -- kept ----------------------------------------------------------------------------------------


def test_a_segment_is_registered_before_it_is_read_and_told_once_it_is_whole(scene: Scene) -> None:
    """Its clock starts with its first frame, whenever it was registered."""
    first = scene.clock.now() - timedelta(seconds=2)
    seen: list[list[str]] = []

    class Watched(SegmentOf):
        def chunks(self) -> Iterator[bytes]:
            seen.append(scene.names()[-1:])
            yield from super().chunks()

    segment = Watched(*CHUNKS)
    item = keep_segment(scene.outside, to_keep(scene, first_frame_at=first), segment)
    assert not isinstance(item, Refused)
    assert seen == [["item.registered"]]
    assert scene.names()[-2:] == ["item.sealed", "footage.segment_recorded"]
    registered = scene.events(ItemRegistered)[-1]
    assert (registered.anchor_at, registered.due_at) == (first, first + MONTH)
    assert (registered.clock_starts, registered.rule) == ("first_frame", "RT-10")
    (told,) = scene.events(SegmentRecorded)
    assert (told.item, told.first_frame_at, told.camera) == (item.id, first, a.CAMERA)
    assert (told.duration_ms, told.frames, told.codec) == (59_960, 1_499, "h264")
    assert told.originator_id == journal("footage", f"{a.RUN.hex}/{a.CAMERA}")
    assert told.commitment == commitment(scene.vault.salts[item.id], b"".join(CHUNKS))


def test_each_segment_has_a_key_and_a_clock_of_its_own(scene: Scene) -> None:
    """Two in a row: two items, two deadlines."""
    first = kept(scene)
    scene.later(timedelta(minutes=1))
    second = kept(scene)
    due = {one.originator_id: one.due_at for one in scene.events(ItemRegistered)}
    assert due[second] - due[first] == timedelta(minutes=1)
    assert {first, second} <= scene.vault.keys()


# -- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": Role.OPERATOR, "actor": "officer-1"}, "role_may_not_record"),
        ({"run": UUID(int=99)}, "run_not_on"),
        ({"camera": "camera-9"}, "camera_does_not_record"),
        ({"first_frame_at": a.AT + timedelta(milliseconds=1)}, "first_frame_to_come"),
    ],
)
def test_what_may_not_be_recorded_is_refused_unread(
    scene: Scene, changes: dict[str, Any], code: str
) -> None:
    """No item is registered, no byte is read, and the refusal is on the record."""
    before, segment = scene.live_items(), SegmentOf(*CHUNKS)
    answer = keep_segment(scene.outside, to_keep(scene, **changes), segment)
    assert isinstance(answer, Refused)
    assert answer.codes == [code]
    (refusal,) = scene.events(RecordingRefused)
    assert [why.code for why in refusal.reasons] == [code]
    assert (scene.live_items(), segment.read) == (before, False)


def test_a_camera_that_was_configured_not_to_record_is_not_recorded() -> None:
    """Which is itself on the record, from the configuration on."""
    scene = Scene().running()
    answer = keep_segment(scene.outside, to_keep(scene), SegmentOf(*CHUNKS))
    assert isinstance(answer, Refused)
    assert answer.codes == ["camera_does_not_record"]


def test_nothing_is_recorded_once_recognition_is_off(scene: Scene) -> None:
    """A run that was stopped has no more footage."""
    scene.stopped()
    answer = keep_segment(scene.outside, to_keep(scene), SegmentOf(*CHUNKS))
    assert isinstance(answer, Refused)
    assert answer.codes == ["run_not_on"]


# -- whole or not at all -------------------------------------------------------------------------


def test_a_segment_that_breaks_off_leaves_nothing(scene: Scene) -> None:
    """Neither key nor ciphertext; its item has a receipt, and the gap can be told."""
    before = scene.live_items()
    command = to_keep(scene)
    with pytest.raises(DomainError, match="the camera went away"):
        keep_segment(
            scene.outside, command, SegmentOf(CHUNKS[0], DomainError("the camera went away"))
        )
    assert scene.live_items() == before
    assert scene.vault.keys() | scene.vault.ciphertexts() == before
    assert scene.events(ItemDestroyed)[-1].cause == "could_not_be_carried_out"
    assert not scene.events(SegmentRecorded)
    lost = ReportLostSegment(**vars(to_keep(scene)), duration_ms=12_000, cause="footage")
    report_lost(scene.outside, lost)
    (told,) = scene.events(SegmentLost)
    assert told.first_frame_at == scene.clock.now()
    assert (told.duration_ms, told.cause) == (12_000, "footage")


@pytest.mark.parametrize(("duration_ms", "is_kept"), [(60_000, True), (60_001, False)])
def test_a_segment_is_of_a_minute_at_most(scene: Scene, duration_ms: int, is_kept: bool) -> None:
    """A hold takes whole segments: nothing is kept of one that is longer."""
    before, segment = scene.live_items(), SegmentOf(*CHUNKS, duration_ms=duration_ms)
    if is_kept:
        keep_segment(scene.outside, to_keep(scene), segment)
    else:
        with pytest.raises(DomainError, match="60000 ms at most, found one of 60001"):
            keep_segment(scene.outside, to_keep(scene), segment)
    assert (scene.live_items() != before) is is_kept


def test_a_segment_that_was_destroyed_while_it_came_in_is_not_kept(scene: Scene) -> None:
    """Whatever destroyed it was right: nothing refers to what is gone."""

    class Overtaken(SegmentOf):
        def chunks(self) -> Iterator[bytes]:
            yield CHUNKS[0]
            (item,) = scene.live_items() - before
            destroy_for(scene.outside, to_keep(scene), [item], cause="due")
            yield CHUNKS[1]

    before = scene.live_items()
    with pytest.raises(VaultError):
        keep_segment(scene.outside, to_keep(scene), Overtaken())
    assert scene.live_items() == before
    assert not scene.events(SegmentRecorded)
    assert scene.vault.keys() | scene.vault.ciphertexts() == before


@pytest.mark.parametrize("after", range(1, 6))
def test_a_crash_at_any_step_leaves_a_segment_or_nothing(after: int) -> None:
    """The next start destroys what was registered and never sealed."""
    scene = recording(Scene())
    before = scene.live_items()
    scene.fuse.after = scene.fuse.steps + after
    with suppress(Crash):
        kept(scene)
    scene.fuse.after = None
    finish_what_was_begun(scene.outside)
    told = {one.item for one in scene.events(SegmentRecorded)}
    assert scene.live_items() == told
    assert scene.vault.keys() == scene.vault.ciphertexts() == told
    assert len(told) <= 1
    assert before.isdisjoint(told)


# -- looked at -----------------------------------------------------------------------------------


def test_footage_is_opened_only_through_a_recorded_consultation(scene: Scene) -> None:
    """The entry stands before the first byte is given out."""
    item = kept(scene)
    opened = review(scene, item)
    assert scene.names()[-1] == "item.consulted"
    assert not isinstance(opened, Refused)
    assert b"".join(opened) == b"".join(CHUNKS)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"role": Role.OPERATOR}, "purpose_not_allowed"),
        ({"purpose": "adjudication", "role": Role.OPERATOR}, "not_for_this_purpose"),
    ],
)
def test_nobody_else_opens_footage(scene: Scene, changes: dict[str, Any], code: str) -> None:
    """An operator has no need of it, whatever for."""
    answer = review(scene, kept(scene), **changes)
    assert isinstance(answer, Refused)
    assert answer.codes == [code]


def test_a_review_of_footage_opens_no_face(scene: Scene) -> None:
    """The purpose is footage's alone."""
    scene.alerted()
    crop = next(
        one.item for one in scene.survey().items.values() if one.item_class == ItemClass.FACE_CROP
    )
    asked = a.to_consult(item=crop, purpose="footage-review", role=Role.DPO, **scene.by)
    answer = consult(scene.outside, asked)
    assert isinstance(answer, Refused)
    assert answer.codes == ["not_for_this_purpose"]


# -- its own clock -------------------------------------------------------------------------------


def test_footage_outlives_its_deployment_and_goes_by_its_own_clock(scene: Scene) -> None:
    """31 days of elapsed time from its first frame, not a moment longer; nothing else is left."""
    item = kept(scene)
    scene.stopped().ended()
    assert scene.live_items() == {item}
    scene.later(MONTH - AHEAD - timedelta(milliseconds=1))
    Retention(scene.outside).sweep()
    assert scene.live_items() == {item}
    scene.later(timedelta(milliseconds=1))
    Retention(scene.outside).sweep()
    assert scene.live_items() == set()
    receipt = scene.events(ItemDestroyed)[-1]
    assert receipt.finished_at <= receipt.due_at
    assert not scene.vault.keys() | scene.vault.ciphertexts()


@pytest.mark.parametrize(
    "first",
    [
        datetime(2026, 10, 24, 23, 30, tzinfo=UTC),  # the night the clocks go back
        datetime(2027, 3, 27, 23, 30, tzinfo=UTC),  # the night they go forward
    ],
)
def test_a_change_of_the_clocks_gives_footage_not_an_hour_more_or_less(
    scene: Scene, first: datetime
) -> None:
    """Elapsed time in UTC, whatever the wall clock of the place shows."""
    scene.clock.stands_at(max(first, a.AT))
    kept(scene, first_frame_at=first)
    registered = scene.events(ItemRegistered)[-1]
    assert registered.due_at - first == timedelta(seconds=31 * 24 * 3600)

"""When a camera may be recorded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.kernel.commands import Role
from domain.kernel.refusals import Policy, Refusal, refuses
from domain.kernel.time import written


@dataclass(frozen=True)
class RecordingFacts:
    """What a segment is judged by before a byte of it is kept."""

    role: Role
    at: datetime
    run: UUID
    run_on: UUID | None
    """The run of the deployment that is on."""
    camera: str
    recording: Collection[str]
    """The cameras of which it is on the record that they record."""
    first_frame_at: datetime


@refuses("role_may_not_record")
def recogniser_records(facts: RecordingFacts) -> Refusal | None:
    """Footage comes from the cameras of a run and from nobody's hand."""
    if facts.role is not Role.SYSTEM:
        return Refusal(
            "role_may_not_record", "only the recogniser records", {"role": facts.role.value}
        )
    return None


@refuses("run_not_on")
def run_is_on(facts: RecordingFacts) -> Refusal | None:
    """No footage without a run that was started and is not stopped. Source: seed L90, L97."""
    if facts.run != facts.run_on:
        return Refusal("run_not_on", "footage is recorded only while its run is on")
    return None


@refuses("camera_does_not_record")
def camera_is_said_to_record(facts: RecordingFacts) -> Refusal | None:
    """Whether a camera records is fixed before the authorisation, and public text says it.

    Source: domain specification, C-01 (``cctvRecorded`` is a fact of each deployment).
    """
    if facts.camera not in facts.recording:
        return Refusal(
            "camera_does_not_record",
            "the record says that this camera is not recorded",
            {"camera": facts.camera},
        )
    return None


@refuses("first_frame_to_come")
def first_frame_is_past(facts: RecordingFacts) -> Refusal | None:
    """A first frame in the future would give the segment a longer life than 31 days."""
    if facts.first_frame_at > facts.at:
        return Refusal(
            "first_frame_to_come",
            "a segment's clock starts with its first frame, which has come in",
            {"first_frame_at": written(facts.first_frame_at), "at": written(facts.at)},
        )
    return None


RECORDING_POLICIES: tuple[Policy[RecordingFacts], ...] = (
    recogniser_records,
    run_is_on,
    camera_is_said_to_record,
    first_frame_is_past,
)

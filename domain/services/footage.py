"""Keeping footage: each segment an item of its own, with a key and a clock of its own.

The order is that of every item (:mod:`domain.services.custody`): registered -> key -> ciphertext ->
sealed, together with what tells of the segment. The content is never whole in memory: it goes into
the vault as it comes from the camera.
"""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from domain.custody.aggregate import Item
from domain.custody.classes import ItemClass
from domain.custody.sealing import SALT_BYTES, SealedStream
from domain.deployments.aggregate import Deployment
from domain.footage.commands import LONGEST_SEGMENT_MS, KeepSegment, ReportLostSegment, Segment
from domain.footage.events import RecordingRefused, SegmentLost, SegmentRecorded
from domain.footage.policies import RECORDING_POLICIES, RecordingFacts
from domain.kernel.errors import ConflictError, DomainError
from domain.kernel.events import NEXT_VERSION
from domain.kernel.references import journal, new_reference
from domain.kernel.refusals import Refused, refusals
from domain.ports import Outside, VaultError
from domain.services.carrying_out import carry_out
from domain.services.custody import destroy_for
from domain.services.schedules import schedules


def keep_segment(outside: Outside, command: KeepSegment, segment: Segment) -> Item | Refused:
    """Keep a segment while it comes in; it is there once it is whole, or not at all.

    Args:
        outside: the ports.
        command: which, and when its first frame came in.
        segment: what comes from the camera.

    Raises:
        DomainError: the segment could not be put together, or the record or the disk did not take
            it; nothing of it is kept.
        VaultError: the vault could not keep it.
    """
    new = new_reference()
    item = carry_out(
        outside, command, lambda: _registered(outside, command, new, segment), kind=Item, of=new
    )
    if isinstance(item, Refused):
        return item
    try:
        content = outside.vault.seal_stream(
            item.label, salt=secrets.token_bytes(SALT_BYTES), chunks=segment.chunks()
        )
        return _kept(outside, command, item, segment, content)
    except (DomainError, VaultError):
        destroy_for(outside, command, [item.id], cause="could_not_be_carried_out")
        raise


def report_lost(outside: Outside, command: ReportLostSegment) -> None:
    """Keep that footage has a gap, and why."""
    outside.record.append(
        SegmentLost(
            **_told(command),
            duration_ms=command.duration_ms,
            cause=command.cause,
        ),
        by=command,
    )


def _registered(
    outside: Outside, command: KeepSegment, new: UUID, segment: Segment
) -> Item | Refused:
    """The item, registered, if this camera may be recorded now."""
    deployment = outside.record.load(Deployment, command.deployment)
    facts = RecordingFacts(
        role=command.role,
        at=command.at,
        run=command.run,
        run_on=deployment.run,
        camera=command.camera,
        recording=deployment.recording,
        first_frame_at=command.first_frame_at,
    )
    if reasons := refusals(RECORDING_POLICIES, facts):
        return Refused(RecordingRefused, reasons, command, deployment.id)
    known = schedules(outside)
    item = Item(new)
    rule = known.in_force.rule(ItemClass.FOOTAGE_SEGMENT)
    item.register(
        ItemClass.FOOTAGE_SEGMENT,
        content_type=segment.content_type,
        deployment=deployment.id,
        concerning=command.run,
        rule=rule,
        schedule=known.version_in_force,
        anchor_at=command.first_frame_at,
        due_at=command.first_frame_at + rule.limit,
        commitment="",
        at=command.at,
    )
    outside.record.append(item, by=command, given={deployment.id: deployment.version}, answers=True)
    return item


def _kept(
    outside: Outside, command: KeepSegment, item: Item, segment: Segment, content: SealedStream
) -> Item:
    """The item, sealed, with what tells of it, in one transaction.

    Raises:
        ConflictError: it was destroyed while it came in.
        DomainError: it is longer than any may be: whoever holds a minute would hold hours.
    """
    if segment.facts().duration_ms > LONGEST_SEGMENT_MS:
        raise DomainError(
            f"expected a segment of {LONGEST_SEGMENT_MS} ms at most, found one of "
            f"{segment.facts().duration_ms} ms"
        )
    found = outside.record.load(Item, item.id)
    if found.destruction is not None:
        raise ConflictError(f"item {item.id.hex}: was destroyed before it was whole")
    found.seal(content.content, at=outside.clock.now())
    facts = segment.facts()
    recorded = SegmentRecorded(
        **_told(command),
        item=item.id,
        duration_ms=facts.duration_ms,
        frames=facts.frames,
        codec=facts.codec,
        starts_with_key_frame=facts.starts_with_key_frame,
        commitment=content.commitment,
    )
    outside.record.append(found, recorded, by=command)
    return found


def _told(command: KeepSegment | ReportLostSegment) -> dict[str, Any]:
    return {
        "originator_id": journal("footage", f"{command.run.hex}/{command.camera}"),
        "originator_version": NEXT_VERSION,
        "timestamp": command.at,
        "run": command.run,
        "camera": command.camera,
        "first_frame_at": command.first_frame_at,
    }

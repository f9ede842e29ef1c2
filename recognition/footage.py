"""Footage: a camera's own packets, cut into segments of at most a minute, never re-encoded.

Promises: what is kept is what the camera sent, packet by packet; a segment begins with a key frame
wherever the camera sends one in time, so that it can be played alone; no segment is longer than a
minute by the camera's own times; plain footage is never written anywhere but into the sink. Sound
is left out: the purposes of recognition need none.

A segment is Matroska, which carries every codec that a camera sends and is written without going
back. Recording has a thread of its own: a slow disk holds recognition up only once the packets that
may wait are waiting.

Source: domain specification, RT-10, L90, L97; RFC 9559 (Matroska).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from queue import Queue
from typing import TypedDict
from uuid import UUID

import av
from av.packet import Packet
from av.stream import Stream

from domain.footage.commands import (
    LONGEST_SEGMENT_MS,
    KeepSegment,
    ReportLostSegment,
    SegmentFacts,
)
from domain.kernel.codes import code_of
from domain.kernel.commands import Mode, Role
from domain.kernel.errors import DomainError
from domain.ports import Clock, FootageSink, VaultError
from recognition.sources import VideoPacket

CONTENT_TYPE = "video/x-matroska"

WAITING_PACKETS = 256
"""Packets of one segment that may wait for the disk: some ten seconds of video."""


class FootageError(DomainError):
    """The camera's packets cannot be put together into a segment."""


@dataclass(frozen=True)
class RecordingOf:
    """What every command of this recorder says."""

    deployment: UUID
    run: UUID
    camera: str
    mode: Mode


class IncomingSegment:
    """One segment, filled by the camera's thread and read by the recorder's.

    Implements ``domain.footage.commands.Segment``.
    """

    content_type = CONTENT_TYPE

    def __init__(self, first: VideoPacket, *, at: datetime) -> None:
        self.first_frame_at = at
        self._codec = first.stream.codec_context.name
        self._starts_with_key_frame = first.is_keyframe
        self._waiting: Queue[Packet[Stream] | None] = Queue(WAITING_PACKETS)
        self._written = _Written()
        self._container = av.open(self._written, mode="w", format="matroska")
        self._stream = self._container.add_stream_from_template(first.stream)
        self._decoded_at = _shown_at(first) if first.dts is None else first.dts
        self._base = self._decoded_at
        self._frames = 0
        self._duration_ms = 0
        self._whole = False

    # -- the camera's thread

    def add(self, packet: VideoPacket) -> None:
        """Take one packet more; waits while too many wait."""
        # Some containers leave out when a packet is to be decoded; what counts is the order.
        if packet.dts is not None:
            self._decoded_at = max(self._decoded_at, packet.dts)
        copy = Packet(bytes(packet))
        copy.dts = self._decoded_at - self._base
        copy.pts = max(_shown_at(packet), self._decoded_at) - self._base
        copy.duration = packet.duration
        copy.time_base = packet.time_base
        copy.is_keyframe = packet.is_keyframe
        self._waiting.put(copy)

    def end(self) -> None:
        """No packet follows."""
        self._waiting.put(None)

    # -- the recorder's thread

    def chunks(self) -> Iterator[bytes]:
        """Its bytes as they come (see ``domain.footage.commands.Segment``)."""
        try:
            for packet in self._packets():
                packet.stream = self._stream
                self._container.mux(packet)
                yield from self._written.taken()
            self._container.close()
        except (av.FFmpegError, ValueError) as error:
            raise FootageError(
                f"expected packets that fit into a segment, found: {error}"
            ) from error
        yield from self._written.taken()

    def facts(self) -> SegmentFacts:
        """What it was (see ``domain.footage.commands.Segment``)."""
        return SegmentFacts(
            duration_ms=self._duration_ms,
            frames=self._frames,
            codec=self._codec,
            starts_with_key_frame=self._starts_with_key_frame,
        )

    def discard(self) -> None:
        """Read on to the end without keeping anything; whoever fills it never waits in vain."""
        for _ in self._packets():
            pass

    def _packets(self) -> Iterator[Packet[Stream]]:
        while not self._whole:
            packet = self._waiting.get()
            if packet is None:
                self._whole = True
                return
            self._frames += 1
            self._duration_ms = max(self._duration_ms, round(_end_s(packet) * 1000))
            yield packet


class Recorder:
    """Records one camera of one run.

    Args:
        of: the run.
        clock: says when a first frame came in.
        open_sink: opens where segments go; called in the recorder's own thread.
        longest_ms: of a segment, milliseconds.
    """

    def __init__(
        self,
        *,
        of: RecordingOf,
        clock: Clock,
        open_sink: Callable[[], AbstractContextManager[FootageSink]],
        longest_ms: int = LONGEST_SEGMENT_MS,
    ) -> None:
        self._of = of
        self._clock = clock
        self._open_sink = open_sink
        self._cut = _Cut(Fraction(longest_ms, 1000))
        self._segments: Queue[IncomingSegment | None] = Queue()
        self._segment: IncomingSegment | None = None
        self._stopped = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"recorder-{of.camera}")
        self._work: Future[None] | None = None

    def __enter__(self) -> Recorder:
        self._work = self._thread.submit(self._record)
        return self

    def __exit__(self, *exception: object) -> None:
        """Keep what came in, then stop.

        Raises:
            DomainError: what happened to a segment could not be put on the record.
        """
        self._end_segment()
        self._segments.put(None)
        self._thread.shutdown()
        if self._work is not None:
            self._work.result()

    def take(self, packet: VideoPacket) -> None:
        """Take one packet of the camera, in the order in which they came.

        Packets before the first key frame can be seen by nobody, and are left out.

        Raises:
            FootageError: what happened to an earlier segment could not be put on the record; why
                is raised at the end.
        """
        if self._stopped:
            raise FootageError(f"recording of {self._of.camera} came to an end")
        if packet.size == 0 or (packet.dts is None and packet.pts is None):
            return
        if self._segment is None and not packet.is_keyframe:
            return
        if self._cut.before(packet):
            self._end_segment()
            self._segment = IncomingSegment(packet, at=self._clock.now())
            self._segments.put(self._segment)
        if self._segment is not None:
            self._segment.add(packet)

    def _end_segment(self) -> None:
        if self._segment is not None:
            self._segment.end()
        self._segment = None

    # -- the recorder's thread

    def _record(self) -> None:
        segment: IncomingSegment | None = None
        try:
            with self._open_sink() as sink:
                while (segment := self._segments.get()) is not None:
                    self._keep(sink, segment)
        except BaseException:
            self._stopped = True
            # The camera's thread must not wait for ever for its packets to be taken.
            while segment is not None:
                segment.discard()
                segment = self._segments.get()
            raise

    def _keep(self, sink: FootageSink, segment: IncomingSegment) -> None:
        """Keep a segment, or have it on the record that it was lost or refused."""
        try:
            sink.keep_segment(KeepSegment(**self._by(), **self._which(segment)), segment)
            segment.discard()
        except (DomainError, VaultError) as error:
            segment.discard()
            sink.report_lost(
                ReportLostSegment(
                    **self._by(),
                    **self._which(segment),
                    duration_ms=segment.facts().duration_ms,
                    cause=code_of(error),
                )
            )

    def _by(self) -> _ByTheRecorder:
        return _ByTheRecorder(
            scope=self._of.deployment.hex,
            mode=self._of.mode,
            actor=f"system:recorder/{self._of.camera}",
            role=Role.SYSTEM,
            at=self._clock.now(),
        )

    def _which(self, segment: IncomingSegment) -> _Which:
        return _Which(
            deployment=self._of.deployment,
            run=self._of.run,
            camera=self._of.camera,
            first_frame_at=segment.first_frame_at,
        )


class _ByTheRecorder(TypedDict):
    scope: str
    mode: Mode
    actor: str
    role: Role
    at: datetime


class _Which(TypedDict):
    deployment: UUID
    run: UUID
    camera: str
    first_frame_at: datetime


class _Cut:
    """Where one segment ends and the next begins.

    At the last key frame after which another would come too late, going by the longest time that
    the camera let pass between two so far; where it sends none in time, at the limit.
    """

    def __init__(self, longest_s: Fraction) -> None:
        self._longest_s = longest_s
        self._began_s: Fraction | None = None
        self._key_s = self._longest_gap_s = Fraction()

    def before(self, packet: VideoPacket) -> bool:
        """Whether a segment begins with this packet."""
        at_s = _seconds(_shown_at(packet), packet.time_base)
        until_s = at_s + _seconds(packet.duration or 0, packet.time_base)
        if packet.is_keyframe:
            if self._began_s is not None:
                self._longest_gap_s = max(self._longest_gap_s, at_s - self._key_s)
            self._key_s = at_s
        if not self._must_begin(at_s, until_s, packet.is_keyframe):
            return False
        self._began_s = at_s
        return True

    def _must_begin(self, at_s: Fraction, until_s: Fraction, key_frame: bool) -> bool:
        if self._began_s is None:
            return True
        if key_frame:
            starts_anew = at_s < self._began_s  # as a camera's own clock may
            end_s = max(until_s, at_s + self._longest_gap_s)
            return starts_anew or end_s - self._began_s > self._longest_s
        return until_s - self._began_s > self._longest_s


class _Written:
    """What the container wrote, until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        """Called by the container, from the front to the back."""
        self._parts.append(bytes(part))
        return len(part)

    def taken(self) -> list[bytes]:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return parts


def _shown_at(packet: VideoPacket) -> int:
    """When it is to be shown, or decoded where that is all it tells; in its own time base."""
    stamp = packet.dts if packet.pts is None else packet.pts
    if stamp is None:
        raise ValueError("a packet without any time")
    return stamp


def _seconds(stamps: int, time_base: Fraction | None) -> Fraction:
    return stamps * (time_base or Fraction())


def _end_s(packet: Packet[Stream]) -> Fraction:
    """Where it ends, as shown."""
    return _seconds((packet.pts or 0) + (packet.duration or 0), packet.time_base)

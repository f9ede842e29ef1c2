"""The frames of a recorded video: for rehearsal, which takes regular files only.

Promises: nothing but the file itself is opened (no camera, no address, no playlist that leads
elsewhere); a video that ends before its container says so never passes silently, nor one that its
decoder calls damaged, and one that is whole is never refused.

What can be known of the end differs by container, and ``states_its_length`` tells it:

* MP4, QuickTime, Matroska and WebM state the length of their parts in bytes. A file cut at any
  byte is found, also when every frame is still there.
* An MPEG transport stream, a fragmented MP4 and a Matroska file written live state no length.
  A cut inside a packet is found, and one inside a frame if the decoder notices; a cut between
  two frames cannot be told from a recording that was stopped there.

What can be known of damage is what the decoder notices, for video carries no checksums: a quarter
to a half of smashed pieces of 8 to 800 bytes only spoiled pictures. That a file is the one that was
meant is for its digest to say.

A transport stream may begin between two key frames: its frames begin at the first one that can be
decoded.

Documents: ISO/IEC 14496-12 section 4.2 (boxes), RFC 8794 section 4 (EBML elements), RFC 9559
section 5 (Matroska), ISO/IEC 13818-1 section 2.4.3.2 (188-byte packets).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from domain.kernel.errors import DomainError

VideoPacket: TypeAlias = "Packet[VideoStream]"
"""What a camera sent, still encoded."""

CONTAINERS = "MP4, QuickTime, Matroska, WebM or MPEG-TS"

_OPTIONS = {
    # Containers that hold their frames themselves: a playlist would lead to other files or hosts.
    "format_whitelist": "mov,matroska,mpegts",
    "protocol_whitelist": "",
}
_READ_BYTES = 1 << 18
_MICROSECONDS = 1_000_000
_SLACK_S = 0.1
"""A container's duration is an estimate: one packet of sound, or a frame, may be rounded away."""


class SourceError(DomainError):
    """The file cannot be rehearsed with. The message names it by its file name only."""


class SourceMissingError(SourceError):
    """There is no such file."""


class SourceUnreadableError(SourceError):
    """The file exists, but the system does not let us read it."""


class NotARegularFileError(SourceError):
    """It is a device, a pipe, a socket, a directory or an address."""


class EmptyFileError(SourceError):
    """It holds no byte."""


class NotAVideoError(SourceError):
    """Its container cannot be read."""


class NoVideoStreamError(SourceError):
    """It can be read, but holds no pictures."""


class CorruptVideoError(SourceError):
    """A frame is damaged and others follow it. The frames before it were yielded."""


class TruncatedVideoError(SourceError):
    """The video ends before its container says so. The frames that were whole were yielded."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture and when it was taken."""

    ordinal: int
    """From 0, without gaps."""
    captured_ms: int
    """Media time since the first frame, milliseconds. Never less than the frame before."""
    image: NDArray[np.uint8]
    """uint8, shape (h, w, 3), BGR, upright: the rotation that a telephone notes is applied. No
    other copy of it is kept: whoever overwrites it leaves nothing of it."""


class FileSource:
    """A recorded video as a sequence of frames. Every iteration reads it from the start.

    Decoding takes one thread: two halve the time a frame takes (10.4 to 5.4 ms at 1280 x 720) for
    the same work, and the cores belong to the models.

    Args:
        path: a regular file, or a symbolic link to one.

    Raises:
        SourceError: it is no such file, or not even its first frame can be decoded.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = _checked(path)
        with self._opened() as (container, extent):
            stream = container.streams.video[0]
            self.fps = float(stream.average_rate or stream.guessed_rate or 0)
            """Frames a second on average, for progress; 0 if the file does not say."""
            self.frame_count_estimate = _estimated_frames(container, self.fps)
            """For progress only; 0 if the file does not say."""
            self.states_its_length = extent is not _Extent.UNSTATED
            """Whether an early end would be noticed for certain."""
        with closing(iter(self)) as frames:
            first = next(frames, None)
        if first is None:
            raise TruncatedVideoError(f"{self.name}: expected at least one frame, found none")
        self.height, self.width = first.image.shape[:2]
        first.image.fill(0)

    @property
    def name(self) -> str:
        """The file's name, without where it lies."""
        return self._path.name

    def __iter__(self) -> Generator[Frame, None, None]:
        """The frames, as :meth:`frames` gives them."""
        return self.frames()

    def frames(
        self, on_packet: Callable[[VideoPacket], None] | None = None
    ) -> Generator[Frame, None, None]:
        """Decode the frames in the order in which they are shown.

        Args:
            on_packet: is given every packet of the video before it is decoded.

        Raises:
            CorruptVideoError: after the frames before the damage.
            TruncatedVideoError: after the last whole frame.
            SourceError: the file is not what it was when the source was made.
        """
        with self._opened() as (container, extent):
            first_ms: float | None = None
            captured_ms = 0
            colours = VideoReformatter()
            for ordinal, picture in enumerate(self._pictures(container, extent, on_packet)):
                if picture.pts is None or picture.time_base is None:
                    raise CorruptVideoError(f"{self.name}: expected frame {ordinal} to have a time")
                media_ms = float(picture.pts * picture.time_base * 1000)
                first_ms = media_ms if first_ms is None else first_ms
                if round(media_ms - first_ms) < captured_ms:
                    raise CorruptVideoError(
                        f"{self.name}: expected frame {ordinal} at {captured_ms} ms or later, "
                        f"found {round(media_ms - first_ms)} ms"
                    )
                captured_ms = round(media_ms - first_ms)
                yield Frame(ordinal, captured_ms, _upright(picture, colours))

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, _Extent]]:
        with _open_regular(self._path) as file:
            extent = _extent(file)
            if extent is _Extent.DAMAGED:
                raise CorruptVideoError(
                    f"{self.name}: expected a container whose parts fit into each other, "
                    f"found one that is damaged"
                )
            file.seek(0)
            found = "a file that ends early" if extent is _Extent.CUT else "something else"
            no_video = NotAVideoError(
                f"{self.name}: expected a video in {CONTAINERS}, found {found}"
            )
            try:
                container = av.open(file, mode="r", options=_OPTIONS, buffer_size=_READ_BYTES)
            except av.FFmpegError as error:
                raise no_video from error
            with container:
                if len(container.streams) == 0:
                    raise no_video
                if not container.streams.video:
                    raise NoVideoStreamError(
                        f"{self.name}: expected a video stream, "
                        f"found {len(container.streams)} of other kinds"
                    )
                yield container, extent

    def _pictures(
        self,
        container: InputContainer,
        extent: _Extent,
        on_packet: Callable[[VideoPacket], None] | None,
    ) -> Iterator[VideoFrame]:
        """Every undamaged picture, then the error if the video is not whole."""
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        packets = _Packets(container, stream)
        try:
            for packet in packets:
                if on_packet is not None:
                    on_packet(packet)
                for picture in _decoded(packet):
                    if picture.is_corrupt:
                        raise _DamagedPicture
                    yield picture
        except (av.FFmpegError, _DamagedPacket, _DamagedPicture) as error:
            if not isinstance(error, _DamagedPicture):
                yield from _waiting(stream)
            if extent is _Extent.CUT or not packets.any_left():
                raise self._ends_early(packets) from error
            raise CorruptVideoError(
                f"{self.name}: expected frames that can be decoded, "
                f"found damage near {packets.end_s:.2f} s with more to follow"
            ) from error
        stated_s = _stated_duration_s(container)
        if extent is _Extent.CUT or packets.end_s < stated_s - max(_SLACK_S, 1 / (self.fps or 1)):
            raise self._ends_early(packets)

    def _ends_early(self, packets: _Packets) -> TruncatedVideoError:
        return TruncatedVideoError(
            f"{self.name}: expected the whole video, found that it ends early, "
            f"at {packets.end_s:.2f} s"
        )


class _DamagedPacket(Exception):
    """The demuxer did not get all of it. It was not given to the decoder."""


class _DamagedPicture(Exception):
    """The decoder had to guess. What waits behind it may have been guessed from it."""


class _Packets:
    """The packets of one stream, and how far in time the packets of all streams reach."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._stream = stream
        self._packets = container.demux()
        self.end_s = 0.0

    def __iter__(self) -> Iterator[VideoPacket]:
        for packet in self._packets:
            if packet.pts is not None and packet.time_base is not None:
                end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                self.end_s = max(self.end_s, end_s)
            if packet.stream is self._stream:
                yield cast("VideoPacket", packet)

    def any_left(self) -> bool:
        """Whether more of the video follows. Reads on to the end."""
        try:
            return any(packet.size > 0 for packet in self)
        except av.FFmpegError:
            return False


def _decoded(packet: VideoPacket) -> list[VideoFrame]:
    if packet.is_corrupt:
        raise _DamagedPacket
    return packet.decode()


def _waiting(stream: VideoStream) -> Iterator[VideoFrame]:
    """The pictures that wait in the decoder for those shown before them."""
    try:
        for picture in stream.codec_context.decode(None):
            if picture.is_corrupt:
                return
            picture.time_base = stream.time_base  # a packet would have brought it
            yield picture
    except av.FFmpegError:
        return


def _upright(picture: VideoFrame, colours: VideoReformatter) -> NDArray[np.uint8]:
    converted = colours.reformat(picture, format="bgr24", threads=1)
    image = converted.to_ndarray()
    quarter_turns = round(picture.rotation / 90)
    upright = cast(NDArray[np.uint8], np.ascontiguousarray(np.rot90(image, quarter_turns)))
    for plane in converted.planes:
        pixels = np.frombuffer(memoryview(plane), np.uint8)
        if not np.shares_memory(pixels, upright):
            # What is given out is wiped by whoever takes it. This nobody else sees again.
            pixels.fill(0)
    return upright


def _estimated_frames(container: InputContainer, fps: float) -> int:
    stated = container.streams.video[0].frames
    return stated or round((container.duration or 0) / _MICROSECONDS * fps)


def _stated_duration_s(container: InputContainer) -> float:
    """The duration that the container states, 0 if it states none.

    That of a transport stream was worked out from its last packet, and says nothing new.
    """
    if container.format.name == "mpegts":
        return 0.0
    return (container.duration or 0) / _MICROSECONDS


# --- the file itself ---------------------------------------------------------------------------

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _checked(path: str | Path) -> Path:
    """The path, if it cannot be an address. An address may carry a password: it is not repeated."""
    scheme, separator, _ = str(path).partition(":/")
    if separator and "/" not in scheme:
        raise NotARegularFileError(
            f"rehearsal takes regular files only, found an address ({scheme}:)"
        )
    return Path(path)


def _open_regular(path: Path) -> BinaryIO:
    """Open the file, having looked before (opening a device may start it) and after."""
    try:
        _check_kind(path.name, os.stat(path))
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceMissingError(f"{path.name}: expected a video file, found none") from error
    except OSError as error:
        raise SourceUnreadableError(
            f"{path.name}: expected a video file that can be read, found: {error.strerror}"
        ) from error
    file = os.fdopen(descriptor, "rb")
    try:
        _check_kind(path.name, os.fstat(descriptor))
    except SourceError:
        file.close()
        raise
    return file


def _check_kind(name: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        found = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise NotARegularFileError(f"{name}: rehearsal takes regular files only, found {found}")
    if status.st_size == 0:
        raise EmptyFileError(f"{name}: expected a video file, found 0 bytes")


# --- is all of it there? -----------------------------------------------------------------------


class _Extent(Enum):
    """What the container says of its own length in bytes."""

    WHOLE = "every part it states is there"
    CUT = "a part reaches beyond the end of the file"
    DAMAGED = "its parts do not fit into each other"
    UNSTATED = "it states no length"


_BOXES = frozenset(
    {b"ftyp", b"styp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"uuid", b"meta"}
    | {b"free", b"skip", b"wide"}
)
_LARGE_SIZE, _TO_THE_END = 1, 0

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_CLUSTER = b"\x1f\x43\xb6\x75"

_THREE_PACKETS = 577
_SYNC = b"\x47"


def _extent(file: BinaryIO) -> _Extent:
    """Whether the file is as long as its container says."""
    length = os.fstat(file.fileno()).st_size
    start = file.read(_THREE_PACKETS)
    if start[:4] == _EBML:
        return _matroska_extent(file, length)
    if start[4:8] in _BOXES:
        return _mp4_extent(file, length)
    for packet_bytes, sync_at in ((188, 0), (192, 4)):
        if start[sync_at::packet_bytes][:3] == _SYNC * 3 and length % packet_bytes:
            return _Extent.CUT
    return _Extent.UNSTATED


def _mp4_extent(file: BinaryIO, length: int) -> _Extent:
    """Walk the boxes of the file: 4 bytes of size and 4 of kind, or 1, kind and 8 bytes of size.

    A maker's own bytes after the last box are no box of ours, whatever size they seem to state.
    Example: ``ftyp`` 32, ``moov`` 900, ``mdat`` 5000 make 5932 bytes; with 5931 the last is cut.
    """
    position, stated = 0, _Extent.WHOLE
    while position < length:
        file.seek(position)
        header = file.read(16)
        size, kind = int.from_bytes(header[:4]), header[4:8]
        if size == _LARGE_SIZE:
            size = int.from_bytes(header[8:16])
        if kind == b"moof" or (kind == b"mdat" and size == _TO_THE_END):
            stated = _Extent.UNSTATED
        if size < 8:
            return stated
        position += size
        if position > length:
            return _Extent.CUT if kind in _BOXES else stated
    return stated


def _matroska_extent(file: BinaryIO, length: int) -> _Extent:
    """Walk the elements: an id and a size, each 1 to 8 bytes long as its first bits tell.

    The segment and its clusters are entered, any other element is stepped over; a part must end
    within the part that it stands in. A demuxer would step over the pictures of a cluster that
    does not fit, and say nothing. An element of unknown size (all its bits are 1: written live)
    ends where the one around it does.
    Example: a segment of 100 bytes at 40 ends at 140; a cluster in it at 90 may have 50, not 51.
    """
    position, ends, stated = 0, [length], _Extent.WHOLE
    while position < length:
        while position == ends[-1]:
            ends.pop()
            if len(ends) == 1:  # what follows the segment is nobody's
                return stated
        file.seek(position)
        header = file.read(12)
        id_bytes = _vint_length(header[:1])
        size_bytes = _vint_length(header[id_bytes : id_bytes + 1])
        if position + id_bytes + max(1, size_bytes) > length:
            return _Extent.CUT
        if not size_bytes or id_bytes > 4:
            return _Extent.DAMAGED
        unknown = (1 << 7 * size_bytes) - 1
        size = int.from_bytes(header[id_bytes : id_bytes + size_bytes]) & unknown
        position += id_bytes + size_bytes
        if size == unknown:
            stated, size = _Extent.UNSTATED, ends[-1] - position
        if position + size > ends[-1]:
            around_is_whole = len(ends) > 1 and stated is _Extent.WHOLE
            return _Extent.DAMAGED if around_is_whole else _Extent.CUT
        if header[:id_bytes] in (_SEGMENT, _CLUSTER):
            ends.append(position + size)
        else:
            position += size
    return stated


def _vint_length(first: bytes) -> int:
    """The length that the first byte of an id or a size tells: 1 plus its leading zero bits.

    Example: 0x1a is 00011010, three zeros, so four bytes. 0 if there is no such byte.
    """
    return 9 - first[0].bit_length() if first and first[0] else 0

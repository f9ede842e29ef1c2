"""Sealing content of any length, frame by frame, in memory of one frame.

The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizar, 2015, "Online Authenticated-
Encryption and its Nonce-Reuse Misuse-Resistance"), over AES-256-GCM. What is stored is

    prefix (7 bytes) || frame 0 || frame 1 || ... || last frame

where each frame is encrypted content and a tag (16 bytes). Every frame but the last has
:data:`FRAME_BYTES` of content. The nonce of a frame is prefix || its number (4 bytes, big-endian)
|| whether it is the last (1 byte), so a frame opens only in its own place: what was swapped, left
out, repeated or cut off at the border of a frame does not open. A key is used for one stream only.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME_BYTES = 1 << 18
"""Content of a frame. An image is one frame, so that it costs no more than one encryption."""
PREFIX_BYTES = 7
TAG_BYTES = 16
MOST_FRAMES = 1 << 32

_ZEROS = memoryview(bytes(FRAME_BYTES))


class FrameAlteredError(Exception):
    """A frame does not open in its place.

    Args:
        number: which, from 0.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"frame {number} does not open in its place")
        self.number = number


class Readable(Protocol):
    """A ciphertext from its beginning."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


def room_for_a_frame() -> bytearray:
    """Where content is gathered before it is encrypted; it is wiped after each stream."""
    return bytearray(FRAME_BYTES)


def sealed(
    key: bytes | bytearray,
    bound_to: bytes,
    pieces: Iterable[bytes | bytearray | memoryview],
    *,
    room: bytearray | None = None,
) -> Iterator[bytearray]:
    """The ciphertext of what comes, frame by frame.

    Args:
        key: 32 bytes, of this stream alone.
        bound_to: what must be given again to open it.
        pieces: the content, cut in any way.
        room: of :func:`room_for_a_frame`, for one stream at a time; None to make one.

    Raises:
        ValueError: there is more of it than a stream can hold (1 PiB).
    """
    cipher, prefix = AESGCM(key), secrets.token_bytes(PREFIX_BYTES)
    # one that is made anew for each item costs more than encrypting the item
    view, used = memoryview(room or room_for_a_frame()), 0
    filled = number = 0
    try:
        for piece in pieces:
            rest = memoryview(piece).cast("B")
            while rest:
                if filled == FRAME_BYTES:
                    # something follows, so this is not the last
                    yield _encrypted(cipher, prefix, number, view, bound_to, last=False)
                    filled, number = 0, number + 1
                taken = min(len(rest), FRAME_BYTES - filled)
                view[filled : filled + taken] = rest[:taken]
                filled, rest = filled + taken, rest[taken:]
                used = max(used, filled)
        yield _encrypted(cipher, prefix, number, view[:filled], bound_to, last=True)
    finally:
        wipe(view[:used])


def opened(key: bytes | bytearray, bound_to: bytes, file: Readable) -> Iterator[bytearray]:
    """The content, frame by frame, in buffers that the caller must wipe.

    A frame is given out once it is known to be whole and in its place, and whether it is the last.

    Raises:
        FrameAlteredError: what comes next is not what was sealed. What was given out is.
    """
    cipher, prefix = AESGCM(key), _exactly(file, PREFIX_BYTES)
    whole = FRAME_BYTES + TAG_BYTES
    number, frame = 0, _exactly(file, whole)
    while True:
        # a frame that is not whole is the last
        following = _exactly(file, whole) if len(frame) == whole else b""
        yield _decrypted(cipher, prefix, number, frame, bound_to, last=not following)
        if not following:
            return
        number, frame = number + 1, following


def wipe(buffer: bytearray | memoryview) -> None:
    """Overwrite with zeros, in place; of a view, bytes."""
    view = memoryview(buffer)
    for start in range(0, len(view), len(_ZEROS)):
        piece = view[start : start + len(_ZEROS)]
        piece[:] = _ZEROS[: len(piece)]


def _encrypted(
    cipher: AESGCM, prefix: bytes, number: int, frame: memoryview, bound_to: bytes, *, last: bool
) -> bytearray:
    """A frame; the first with the prefix before it."""
    before = b"" if number else prefix
    out = bytearray(len(before) + len(frame) + TAG_BYTES)
    view = memoryview(out)
    view[: len(before)] = before
    cipher.encrypt_into(_nonce(prefix, number, last), frame, bound_to, view[len(before) :])
    return out


def _decrypted(
    cipher: AESGCM, prefix: bytes, number: int, frame: bytes, bound_to: bytes, *, last: bool
) -> bytearray:
    if len(prefix) < PREFIX_BYTES or len(frame) < TAG_BYTES:
        raise FrameAlteredError(number)
    plain = bytearray(len(frame) - TAG_BYTES)
    try:
        cipher.decrypt_into(_nonce(prefix, number, last), frame, bound_to, plain)
    except InvalidTag as error:
        wipe(plain)
        raise FrameAlteredError(number) from error
    return plain


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    if number >= MOST_FRAMES:
        raise ValueError(f"expected at most {MOST_FRAMES} frames")
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _exactly(file: Readable, size: int) -> bytes:
    """So many bytes, or what is left: a network may give less at a time."""
    found = file.read(size)
    while len(found) < size and (more := file.read(size - len(found))):
        found += more
    return found

"""Sealing in frames: each opens in its own place, and memory does not grow with the content."""

from __future__ import annotations

import io
import secrets
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.custody.sealing import SALT_BYTES, commitment
from domain.ports import ContentAlteredError
from infrastructure.vault import frames
from infrastructure.vault.ciphertexts import MediaStoreError
from infrastructure.vault.frames import (
    FRAME_BYTES,
    PREFIX_BYTES,
    TAG_BYTES,
    FrameAlteredError,
    opened,
    sealed,
)
from tests.contract.vault.examples import SALT, OnDisk, item, label

KEY, BOUND_TO = bytes(range(32)), b"an item"
STORED_FRAME = FRAME_BYTES + TAG_BYTES


class Dripping(io.BytesIO):
    """A file that gives less than it is asked for, as a network does."""

    def read(self, size: int | None = -1, /) -> bytes:
        """At most 1,000 bytes."""
        return super().read(min(size or 1000, 1000))


def stored(*pieces: bytes) -> bytes:
    """The ciphertext of what comes in these pieces."""
    return b"".join(sealed(KEY, BOUND_TO, pieces))


def given_out(ciphertext: bytes, *, bound_to: bytes = BOUND_TO) -> tuple[bytes, int | None]:
    """What is given out of it, and the number of the frame that does not open."""
    out = b""
    try:
        for frame in opened(KEY, bound_to, io.BytesIO(ciphertext)):
            out += frame
    except FrameAlteredError as error:
        return out, error.number
    return out, None


def cut(ciphertext: bytes) -> tuple[bytes, list[bytes]]:
    """The prefix and the frames."""
    rest = ciphertext[PREFIX_BYTES:]
    return ciphertext[:PREFIX_BYTES], [
        rest[at : at + STORED_FRAME] for at in range(0, len(rest), STORED_FRAME)
    ]


LENGTHS = [
    0,
    1,
    FRAME_BYTES - 1,
    FRAME_BYTES,
    FRAME_BYTES + 1,
    2 * FRAME_BYTES,
    3 * FRAME_BYTES + 5,
]


@pytest.mark.parametrize("length", LENGTHS)
def test_what_is_sealed_opens_and_is_as_long_as_it_must_be(length: int) -> None:
    """A whole number of frames has no empty one behind it."""
    content = secrets.token_bytes(length)
    ciphertext = stored(content)
    many = max(1, -(-length // FRAME_BYTES))
    assert len(ciphertext) == PREFIX_BYTES + length + many * TAG_BYTES
    assert given_out(ciphertext) == (content, None)
    assert b"".join(opened(KEY, BOUND_TO, Dripping(ciphertext))) == content


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 50))
def test_how_it_is_cut_makes_no_difference(pieces: list[bytes], frame_bytes: int) -> None:
    """Neither what comes nor the length of a frame: what was sealed is given out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "FRAME_BYTES", frame_bytes)
        assert given_out(stored(*pieces)) == (b"".join(pieces), None)


@pytest.fixture(scope="module")
def four() -> tuple[bytes, bytes]:
    """Content of three frames and a piece, and its ciphertext."""
    content = secrets.token_bytes(3 * FRAME_BYTES + 5)
    return content, stored(content)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("at", [0, -1])
def test_a_changed_frame_is_named_and_those_before_it_are_given_out(
    four: tuple[bytes, bytes], number: int, at: int
) -> None:
    """Its first byte, or its tag."""
    content, ciphertext = four
    prefix, those = cut(ciphertext)
    changed = bytearray(those[number])
    changed[at] ^= 1
    those[number] = bytes(changed)
    assert given_out(prefix + b"".join(those)) == (content[: number * FRAME_BYTES], number)


@pytest.mark.parametrize(
    ("order", "first_wrong"),
    [
        ((0, 1, 2), 2),
        ((0, 1), 1),
        ((0,), 0),
        ((), 0),
        ((1, 0, 2, 3), 0),
        ((0, 2, 1, 3), 1),
        ((0, 0, 1, 2, 3), 1),
        ((0, 1, 3), 2),
        ((0, 1, 2, 3, 3), 3),
        ((3,), 0),
    ],
)
def test_frames_that_are_swapped_left_out_repeated_or_cut_off_do_not_open(
    four: tuple[bytes, bytes], order: tuple[int, ...], first_wrong: int
) -> None:
    """At their borders, where each of them is whole."""
    content, ciphertext = four
    prefix, those = cut(ciphertext)
    out, wrong = given_out(prefix + b"".join(those[one] for one in order))
    assert (out, wrong) == (content[: first_wrong * FRAME_BYTES], first_wrong)


@pytest.mark.parametrize(
    "length", [0, 3, PREFIX_BYTES, PREFIX_BYTES + 3, PREFIX_BYTES + STORED_FRAME]
)
def test_what_is_cut_off_anywhere_does_not_open(four: tuple[bytes, bytes], length: int) -> None:
    """In the prefix, in a frame, behind one."""
    assert given_out(four[1][:length]) == (b"", 0)


def test_another_prefix_key_or_label_opens_nothing(four: tuple[bytes, bytes]) -> None:
    """Each frame is bound to all three."""
    _, ciphertext = four
    assert given_out(bytes(PREFIX_BYTES) + ciphertext[PREFIX_BYTES:]) == (b"", 0)
    assert given_out(ciphertext, bound_to=b"another item") == (b"", 0)


# -- in the vault --------------------------------------------------------------------------------


def coming(many: int, size: int = 1 << 20) -> Iterator[bytes]:
    """So many pieces, each another."""
    for number in range(many):
        yield number.to_bytes(4, "big") * (size // 4)


def test_a_stream_is_sealed_and_opened_in_memory_that_does_not_grow_with_it(opened: OnDisk) -> None:
    """64 MiB in some frames of memory; its commitment is that of the whole."""
    tracemalloc.start()
    try:
        told = opened.vault.seal_stream(label(), salt=SALT, chunks=coming(64))
        read = 0
        for frame in opened.vault.open_stream(label()):
            read += len(frame)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == told.length == 64 << 20
    assert most < 5 << 20
    assert told.commitment == commitment(SALT, b"".join(coming(64)))


def test_a_damaged_frame_is_named_with_its_item(opened: OnDisk) -> None:
    """What was given out before is sound."""
    opened.vault.seal_stream(label(), salt=SALT, chunks=coming(2))
    content = bytearray(opened.file_of().read_bytes())
    content[PREFIX_BYTES + 5 * STORED_FRAME] ^= 1
    opened.file_of().write_bytes(content)
    out = b""
    with pytest.raises(ContentAlteredError, match=f"item {item().hex}: frame 5 of its ciphertext"):
        for frame in opened.vault.open_stream(label()):
            out += frame
    assert out == b"".join(coming(2))[: 5 * FRAME_BYTES - SALT_BYTES]


def test_what_stops_coming_leaves_nothing(opened: OnDisk) -> None:
    """Whatever it stops with; and there is no file, not even an unfinished one."""

    def broken() -> Iterator[bytes]:
        yield from coming(2)
        raise OSError("the camera is gone")

    with pytest.raises(OSError, match="the camera is gone") as raised:
        opened.vault.seal_stream(label(), salt=SALT, chunks=broken())
    assert not isinstance(raised.value, MediaStoreError)
    assert opened.vault.ciphertexts() == set()
    assert list(opened.file_of().parent.iterdir()) == []

"""Checkpoints: the published example, one form only, one log only."""

from __future__ import annotations

import pytest

from domain.assurance.checkpoints import (
    Checkpoint,
    CheckpointMalformedError,
    CheckpointOfAnotherLogError,
    open_checkpoint,
    sign,
)
from domain.assurance.notes import NoteError, NoteUnsignedError, sign_note
from domain.assurance.tree import EMPTY_ROOT
from tests.unit.assurance.logs import KEY, ORIGIN, OTHER_KEY

# The example in the C2SP tlog-checkpoint specification.
SPEC_TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SPEC_ROOT = bytes.fromhex("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62")

CHECKPOINT = Checkpoint(origin=ORIGIN, size=40, root=bytes(range(32)))


def test_the_example_of_the_specification_is_read_and_written() -> None:
    """Origin, size and root, there and back."""
    checkpoint = Checkpoint.parse(SPEC_TEXT)
    assert checkpoint == Checkpoint("example.com/behind-the-sofa", 20852163, SPEC_ROOT)
    assert checkpoint.text() == SPEC_TEXT


@pytest.mark.parametrize("size", [0, 1, 9, 10, 2**63 - 1])
def test_a_checkpoint_of_any_size_is_written_and_read(size: int) -> None:
    """From the empty log to the largest."""
    checkpoint = Checkpoint(ORIGIN, size, EMPTY_ROOT)
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


def test_extension_lines_are_kept() -> None:
    """They mean nothing here, and are under the signature."""
    checkpoint = Checkpoint.parse(SPEC_TEXT + "Timestamp: 1\nanything at all\n")
    assert checkpoint.extensions == ("Timestamp: 1", "anything at all")
    assert checkpoint.text() == SPEC_TEXT + "Timestamp: 1\nanything at all\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        SPEC_TEXT.removesuffix("\n"),
        f"{SPEC_TEXT}\n",
        f"{SPEC_TEXT}a line without its newline",
        f"{SPEC_TEXT}one\n\ntwo\n",
        f"\n{SPEC_TEXT}",
        "\n".join(SPEC_TEXT.split("\n")[:2]) + "\n",
        SPEC_TEXT.replace("example.com/behind-the-sofa", ""),
        SPEC_TEXT.replace("20852163", ""),
        SPEC_TEXT.replace("20852163", "020852163"),
        SPEC_TEXT.replace("20852163", "00"),
        SPEC_TEXT.replace("20852163", "-1"),
        SPEC_TEXT.replace("20852163", "+1"),
        SPEC_TEXT.replace("20852163", " 1"),
        SPEC_TEXT.replace("20852163", "1_000"),
        SPEC_TEXT.replace("20852163", "1e3"),
        SPEC_TEXT.replace("20852163", "٣"),
        SPEC_TEXT.replace("20852163", str(2**63)),
        SPEC_TEXT.replace("20852163", "9" * 5000),
        SPEC_TEXT.replace("q2I=", "q2I"),
        SPEC_TEXT.replace("q2I=", "q2J="),
        SPEC_TEXT.replace("q2I=", "q2I= "),
        SPEC_TEXT.replace("CsUY", ""),
        SPEC_TEXT.replace("CsUY", "CsUYCsUY"),
        SPEC_TEXT.replace("/Xajj", "_Xajj"),
        SPEC_TEXT.replace("\n", "\r\n"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    """One content has one form: no leading zero, no other base64, no missing line."""
    with pytest.raises(CheckpointMalformedError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, bytes(32), ()),
        ("two\nlines", 1, bytes(32), ()),
        (ORIGIN, -1, bytes(32), ()),
        (ORIGIN, 2**63, bytes(32), ()),
        (ORIGIN, 1, bytes(31), ()),
        (ORIGIN, 1, bytes(33), ()),
        (ORIGIN, 1, bytes(32), ("",)),
        (ORIGIN, 1, bytes(32), ("a\nb",)),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_cannot_be_made(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    """Nothing is signed that means something else once it is read."""
    with pytest.raises(CheckpointMalformedError):
        Checkpoint(origin, size, root, extensions)


def test_a_signed_checkpoint_opens_under_its_key_for_its_log() -> None:
    """And under no other key, and for no other log."""
    note = sign(CHECKPOINT, KEY)
    assert open_checkpoint(note, KEY.verifier(), ORIGIN) == CHECKPOINT
    with pytest.raises(NoteUnsignedError):
        open_checkpoint(note, OTHER_KEY.verifier(), ORIGIN)
    with pytest.raises(CheckpointOfAnotherLogError, match=f"of other, found one of {ORIGIN}"):
        open_checkpoint(note, KEY.verifier(), "other")


def test_no_bit_of_a_signed_checkpoint_can_change_unseen() -> None:
    """One bit of every character in turn."""
    note = sign(CHECKPOINT, KEY)
    for index, character in enumerate(note):
        corrupt = note[:index] + chr(ord(character) ^ 1 << index % 7) + note[index + 1 :]
        with pytest.raises(NoteError):
            open_checkpoint(corrupt, KEY.verifier(), ORIGIN)


def test_a_signed_text_that_is_no_checkpoint_is_refused() -> None:
    """The key's signature makes a note, not a checkpoint."""
    with pytest.raises(CheckpointMalformedError):
        open_checkpoint(sign_note("Good morning.\n", KEY), KEY.verifier(), ORIGIN)

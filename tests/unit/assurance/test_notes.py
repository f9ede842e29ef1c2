"""Signed notes: the published vectors, and every character corrupted."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.assurance.notes import (
    KeyMalformedError,
    NoteError,
    NoteMalformedError,
    NoteUnsignedError,
    SignatureInvalidError,
    SignerKey,
    VerifierKey,
    open_note,
    sign_note,
)

# The example in the documentation of golang.org/x/mod/sumdb/note.
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd"
    "ngotpRZb6KE6RyyBwJnAM=\n"
)
GO_NOTE = f"{GO_TEXT}\n{GO_LINE}"

# The example in the C2SP signed-note specification, under "Verifier keys".
SPEC_PUBLIC = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mF"
    "XmRKuwHjG1Yu72IneyaQM=\n"
)

SIGNER = SignerKey.from_text(GO_PRIVATE)
VERIFIER = VerifierKey.from_text(GO_PUBLIC)
ANOTHER = SignerKey("example.org/witness", bytes(range(32)))


def line(note: str) -> str:
    """The signature line of a note with one signature."""
    return note.rpartition("\n\n")[2]


def signature_line(name: str, key_id: bytes, signature: bytes) -> str:
    """A signature line, whatever is in it."""
    return f"— {name} {base64.b64encode(key_id + signature).decode()}\n"


def test_the_reference_implementation_and_we_sign_alike() -> None:
    """The same key and text give the same note, byte for byte."""
    assert sign_note(GO_TEXT, SIGNER) == GO_NOTE
    assert open_note(GO_NOTE, VERIFIER) == GO_TEXT


def test_the_keys_of_the_reference_implementation_are_read_and_written() -> None:
    """Public and private, there and back."""
    assert (SIGNER.text(), VERIFIER.text()) == (GO_PRIVATE, GO_PUBLIC)
    assert SIGNER.verifier() == VERIFIER
    assert VERIFIER.key_id.hex() == "c74f20a3"


def test_the_example_of_the_specification_opens() -> None:
    """A note that neither we nor the reference implementation signed."""
    key = VerifierKey.from_text(SPEC_PUBLIC)
    assert open_note(SPEC_NOTE, key) == "This is an example message.\n"


def test_the_signature_is_plain_ed25519_over_the_text() -> None:
    """Whoever has the public key and any Ed25519 library can check it by hand."""
    signature = base64.b64decode(GO_LINE.split(" ")[2])[4:]
    seed = base64.b64decode(GO_PRIVATE.split("+", 4)[4])[1:]
    private = Ed25519PrivateKey.from_private_bytes(seed)
    private.public_key().verify(signature, GO_TEXT.encode())


@pytest.mark.parametrize("bit", [0, 1, 4, 7])
def test_no_character_of_a_note_can_change_unseen(bit: int) -> None:
    """One bit of every character in turn: refused each time."""
    for index, character in enumerate(GO_NOTE):
        corrupt = GO_NOTE[:index] + chr(ord(character) ^ 1 << bit) + GO_NOTE[index + 1 :]
        with pytest.raises(NoteError):
            open_note(corrupt, VERIFIER)


def test_no_cut_of_a_note_opens() -> None:
    """Neither its beginning nor its end."""
    for index in range(len(GO_NOTE)):
        with pytest.raises(NoteError):
            open_note(GO_NOTE[:index], VERIFIER)
    for index in range(1, len(GO_NOTE)):
        with pytest.raises(NoteError):
            open_note(GO_NOTE[index:], VERIFIER)


def test_a_text_may_hold_blank_lines_and_what_looks_like_a_signature() -> None:
    """The last blank line is the one that separates."""
    text = f"one\n\n{GO_LINE}\ntwo\n"
    assert open_note(sign_note(text, ANOTHER), ANOTHER.verifier()) == text
    with pytest.raises(NoteUnsignedError):
        open_note(sign_note(text, ANOTHER), VERIFIER)


def test_signatures_by_other_keys_are_passed_over() -> None:
    """Before ours and after it: a witness, our name with another id, our id with another name."""
    other_name = signature_line("Neumann", VERIFIER.key_id, bytes(64))
    other_id = signature_line("PeterNeumann", b"\0\0\0\0", bytes(64))
    longer = signature_line("example.org/post-quantum", b"\1\2\3\4", bytes(2420))
    others = line(sign_note(GO_TEXT, ANOTHER)) + other_name + other_id + longer
    for lines in (others + GO_LINE, GO_LINE + others):
        assert open_note(f"{GO_TEXT}\n{lines}", VERIFIER) == GO_TEXT
    with pytest.raises(NoteUnsignedError, match=r"PeterNeumann\+c74f20a3, found none"):
        open_note(f"{GO_TEXT}\n{others}", VERIFIER)


@pytest.mark.parametrize("length", [1, 63, 64, 65])
def test_a_false_signature_by_the_known_key_is_never_passed_over(length: int) -> None:
    """Not even beside a true one."""
    false = signature_line("PeterNeumann", VERIFIER.key_id, bytes(length))
    for lines in (false, GO_LINE + false, false + GO_LINE):
        with pytest.raises(SignatureInvalidError, match=r"PeterNeumann\+c74f20a3 does not fit"):
            open_note(f"{GO_TEXT}\n{lines}", VERIFIER)


def test_a_signature_over_another_text_is_refused() -> None:
    """Moved from one note to another."""
    with pytest.raises(SignatureInvalidError):
        open_note(f"Another text.\n\n{GO_LINE}", VERIFIER)


def test_a_hundred_signatures_are_read_and_one_more_is_refused() -> None:
    """A limit that no honest note comes near."""
    other = line(sign_note(GO_TEXT, ANOTHER))
    assert open_note(f"{GO_TEXT}\n{GO_LINE}{other * 99}", VERIFIER) == GO_TEXT
    with pytest.raises(NoteMalformedError, match="at most 100 signatures, found 101"):
        open_note(f"{GO_TEXT}\n{GO_LINE}{other * 100}", VERIFIER)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        GO_TEXT,
        GO_LINE,
        GO_TEXT + GO_LINE,
        f"{GO_TEXT}\n",
        f"{GO_NOTE}\n",
        f"{GO_NOTE}not a signature\n",
        GO_NOTE.removesuffix("\n"),
        GO_NOTE.replace("\n", "\r\n"),
        GO_NOTE.replace("—", "-"),
        GO_NOTE.replace("— ", "—"),
        GO_NOTE.replace("— ", "—\u00a0"),
        GO_NOTE.replace("— PeterNeumann ", "— PeterNeumann  "),
        GO_NOTE.replace("— PeterNeumann ", "— Peter+Neumann "),
        GO_NOTE.replace("— PeterNeumann ", "— Peter\u2003Neumann "),
        GO_NOTE.replace("— PeterNeumann ", "—  "),
        GO_NOTE.replace("— PeterNeumann ", "— "),
        GO_NOTE.replace("AM=\n", "AM\n"),
        GO_NOTE.replace("AM=\n", "AN=\n"),
        GO_NOTE.replace("AM=\n", "AM= \n"),
        GO_NOTE.replace("x08go/", "x08go_"),
        f"{GO_NOTE}— example.org/short AAAA\n",
        f"{GO_NOTE}— example.org/only-an-id AAAAAA==\n",
        GO_NOTE.replace("problem is.", "problem\tis."),
        GO_NOTE.replace("problem is.", "problem\x00is."),
        GO_NOTE.replace("problem is.", "problem\ud800is."),
    ],
)
def test_what_is_no_signed_note_is_refused_as_malformed(note: str) -> None:
    """Every rule of the format in turn."""
    with pytest.raises(NoteMalformedError):
        open_note(note, VERIFIER)


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "return\r\n", "half \udc00\n"])
def test_a_text_that_cannot_become_a_note_is_not_signed(text: str) -> None:
    """Nothing is signed that nobody could open."""
    with pytest.raises(NoteMalformedError):
        sign_note(text, SIGNER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        GO_PRIVATE,
        f"{GO_PUBLIC}\n",
        f" {GO_PUBLIC}",
        GO_PUBLIC.replace("PeterNeumann", ""),
        GO_PUBLIC.replace("PeterNeumann", "Peter Neumann"),
        GO_PUBLIC.replace("PeterNeumann", "Peterneumann"),
        GO_PUBLIC.replace("c74f20a3", "c74f20a4"),
        GO_PUBLIC.replace("c74f20a3", "C74F20A3"),
        GO_PUBLIC.replace("c74f20a3", "0xc74f20"),
        GO_PUBLIC.replace("c74f20a3", ""),
        GO_PUBLIC.replace("+ARpc", "+AhRp"),
        GO_PUBLIC.replace("+ARpc", "+AR"),
        GO_PUBLIC[:-4],
        GO_PUBLIC.replace("+ARpc", "+BRpc"),
        "PeterNeumann+c74f20a3+",
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    """A name, an id that fits, and 32 bytes of type 1."""
    with pytest.raises(KeyMalformedError):
        VerifierKey.from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GO_PUBLIC,
        GO_PRIVATE.replace("PRIVATE+KEY", "PRIVATE+key"),
        GO_PRIVATE.replace("c74f20a3", "c74f20a4"),
        GO_PRIVATE.replace("PeterNeumann", "Neumann"),
        GO_PRIVATE.replace("+AYEK", "+BYEK"),
        GO_PRIVATE[:-4],
        f"{GO_PRIVATE}\n",
    ],
)
def test_what_is_no_private_key_is_refused(text: str) -> None:
    """And the message does not show it."""
    with pytest.raises(KeyMalformedError) as refused:
        SignerKey.from_text(text)
    assert GO_PRIVATE[-20:-4] not in str(refused.value)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "a\u00a0b", "bell\x07"])
def test_a_name_that_no_note_could_hold_is_refused(name: str) -> None:
    """For a public and for a private key."""
    for kind in (VerifierKey, SignerKey):
        with pytest.raises(KeyMalformedError, match="name"):
            kind(name, bytes(32))


def test_a_private_key_is_not_shown() -> None:
    """Not by accident in a log line, either."""
    assert repr(SIGNER) == "SignerKey(name='PeterNeumann')"


def test_a_fresh_key_signs_and_is_never_the_same() -> None:
    """Made, written down, read back, used."""
    one, two = SignerKey.generate("example.org/log"), SignerKey.generate("example.org/log")
    assert one.seed != two.seed
    note = sign_note("text\n", SignerKey.from_text(one.text()))
    assert open_note(note, one.verifier()) == "text\n"
    with pytest.raises(NoteUnsignedError):
        open_note(note, two.verifier())

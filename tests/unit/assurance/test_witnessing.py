"""What a witness signs and what it never signs, whoever asks; and what its signature says."""

from __future__ import annotations

import base64

import pytest

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.cosignatures import (
    WitnessKey,
    WitnessSignerKey,
    add_cosignature,
    cosign,
    cosignatures,
    cosigned_at,
)
from domain.assurance.notes import (
    NoteError,
    NoteMalformedError,
    NoteUnsignedError,
    SignatureInvalidError,
    SignerKey,
    VerifierKey,
    open_note,
    sign_note,
    signature_line,
)
from domain.assurance.proofs import LevelHashes, consistency_proof
from domain.assurance.tree import EMPTY_ROOT, leaf_hash
from domain.assurance.witnessing import (
    MOST_HASHES,
    NOTHING,
    AddCheckpoint,
    Cosigned,
    Known,
    NotCosigned,
    RequestMalformedError,
    answer,
)

ORIGIN = "example.org/plumbline/rehearsal"
LOG = SignerKey(ORIGIN, bytes(range(32)))
OTHER_LOG = SignerKey(ORIGIN, bytes(range(1, 33)))
WITNESS = WitnessSignerKey("witness.example", bytes(range(2, 34)))
SECOND = WitnessSignerKey("second.example", bytes(range(3, 35)))
AT = 1_763_890_200


def a_tree(size: int, *, forked_at: int | None = None) -> LevelHashes:
    """A log, or one that another history took the place of from some entry on."""
    tree = LevelHashes()
    for number in range(size):
        forked = forked_at is not None and number >= forked_at
        tree.append(leaf_hash(b"%s%d" % (b"other " if forked else b"", number)))
    return tree


TREE = a_tree(40)


def checkpoint(
    size: int, *, tree: LevelHashes = TREE, key: SignerKey = LOG, origin: str = ORIGIN
) -> str:
    """A signed checkpoint."""
    return sign(Checkpoint(origin, size, tree.root(size)), key)


def asked(old: int, new: int, *, tree: LevelHashes = TREE) -> AddCheckpoint:
    """An honest request."""
    proof = consistency_proof(old, new, tree.hash_at) if old else []
    return AddCheckpoint(old, tuple(proof), checkpoint(new, tree=tree))


def decided(request: AddCheckpoint, *, has: int = 0) -> Cosigned | NotCosigned:
    """What a witness that has seen the log at a size answers."""
    known = {ORIGIN: Known(has, TREE.root(has))} if has else {}
    keys = {ORIGIN: [LOG.verifier()]}
    return answer(request, known=known, log_keys=keys, key=WITNESS, at=AT)


def refusal(request: AddCheckpoint, *, has: int = 0) -> int:
    """The status with which it does not sign."""
    answered = decided(request, has=has)
    assert isinstance(answered, NotCosigned), answered
    return answered.status


# -- the cosignature ------------------------------------------------------------------------------


def test_a_cosignature_tells_who_saw_the_checkpoint_and_when() -> None:
    """It stands beside the log's own signature, which is still good."""
    note = checkpoint(40)
    for witness, at in ((WITNESS, AT), (SECOND, AT + 5)):
        note = add_cosignature(note, cosign(note, witness, at=at))
    keys = [WITNESS.verifier(), SECOND.verifier()]
    assert cosignatures(note, keys) == {"witness.example": AT, "second.example": AT + 5}
    assert open_note(note, LOG.verifier()).startswith(f"{ORIGIN}\n40\n")
    assert cosignatures(checkpoint(40), keys) == {}


def test_a_cosignature_is_over_the_text_and_the_time() -> None:
    """Moved to another checkpoint, or to another time, it is no longer one."""
    line = cosign(checkpoint(40), WITNESS, at=AT)
    with pytest.raises(SignatureInvalidError):
        cosigned_at(add_cosignature(checkpoint(39), line), WITNESS.verifier())
    later = cosign(checkpoint(40), WITNESS, at=AT + 1)
    mixed = line[:-20] + later[-20:]
    with pytest.raises(NoteError):
        cosigned_at(add_cosignature(checkpoint(40), mixed), WITNESS.verifier())


def test_the_log_cannot_cosign_for_its_witness() -> None:
    """A key of the other kind has another id, even over the same bytes."""
    as_log = SignerKey(WITNESS.name, WITNESS.seed)
    assert as_log.verifier().key_id != WITNESS.verifier().key_id
    note = add_cosignature(
        checkpoint(40), sign(Checkpoint.parse(open_note(checkpoint(40), LOG.verifier())), as_log)
        .rpartition("\n\n")[2]
    )  # fmt: skip
    with pytest.raises(NoteUnsignedError):
        cosigned_at(note, WITNESS.verifier())


def test_a_witness_key_is_not_taken_for_a_logs_key() -> None:
    """Nor the other way round; each reads its own text back."""
    text = WITNESS.verifier().text()
    assert WitnessKey.from_text(text) == WITNESS.verifier()
    assert WitnessSignerKey.from_text(WITNESS.text()) == WITNESS
    with pytest.raises(NoteError, match="type 1"):
        VerifierKey.from_text(text)
    with pytest.raises(NoteError, match="type 4"):
        WitnessKey.from_text(LOG.verifier().text())


def test_a_cosignature_from_a_time_that_cannot_be_is_refused() -> None:
    """Later than the specification allows, though the witness itself signed it."""
    note, key = checkpoint(40), WITNESS.verifier()
    text, _ = note.split("\n\n")
    for at, possible in ((2**63 - 1, True), (2**63, False)):
        signature = WITNESS.sign(f"cosignature/v1\ntime {at}\n{text}\n")
        line = signature_line(key, at.to_bytes(8, "big") + signature)
        if possible:
            assert cosigned_at(add_cosignature(note, line), key) == at
        else:
            with pytest.raises(SignatureInvalidError, match="no possible time"):
                cosigned_at(add_cosignature(note, line), key)


def test_no_byte_of_a_cosignature_can_change_unseen() -> None:
    """Neither its time nor the signature, nor the key's id, under which it is then not found."""
    note, key = checkpoint(40), WITNESS.verifier()
    line = cosign(note, WITNESS, at=AT)
    name, encoded = line.removeprefix("\u2014 ").split()
    raw = base64.b64decode(encoded)
    assert len(raw) == 4 + 8 + 64
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        wrong = f"\u2014 {name} {base64.b64encode(changed).decode()}\n"
        with pytest.raises(NoteUnsignedError if place < 4 else SignatureInvalidError):
            cosigned_at(add_cosignature(note, wrong), key)
    for cut in (raw[:-1], raw + b"\0", raw[:12]):
        short = f"\u2014 {name} {base64.b64encode(cut).decode()}\n"
        with pytest.raises(SignatureInvalidError, match="72 bytes"):
            cosigned_at(add_cosignature(note, short), key)


def test_of_a_witness_that_signed_twice_the_later_time_counts() -> None:
    """With one key, or with the old and the new one while it changes them."""
    new = WitnessSignerKey(WITNESS.name, bytes(range(4, 36)))
    note = checkpoint(40)
    for key, at in ((WITNESS, AT + 3), (WITNESS, AT), (new, AT + 2)):
        note = add_cosignature(note, cosign(note, key, at=at))
    assert cosigned_at(note, WITNESS.verifier()) == AT + 3
    for keys in ((WITNESS, new), (new, WITNESS)):
        assert cosignatures(note, [key.verifier() for key in keys]) == {WITNESS.name: AT + 3}


def test_a_line_in_the_text_does_not_stand_for_a_signature() -> None:
    """A log that quotes its witness in an extension line is not thereby cosigned."""
    line = cosign(checkpoint(40), WITNESS, at=AT)
    quoting = sign(Checkpoint(ORIGIN, 40, TREE.root(), (line[:-1],)), LOG)
    with pytest.raises(NoteUnsignedError):
        cosigned_at(quoting, WITNESS.verifier())
    own = cosign(quoting, WITNESS, at=AT)
    assert cosigned_at(add_cosignature(quoting, own), WITNESS.verifier()) == AT
    assert add_cosignature(quoting, line) == quoting + line


def test_a_line_that_is_more_or_less_than_a_signature_is_not_added() -> None:
    """Nothing slips into a checkpoint that way."""
    note, line = checkpoint(40), cosign(checkpoint(40), WITNESS, at=AT)
    assert add_cosignature(add_cosignature(note, line), line) == add_cosignature(note, line)
    for wrong in ("\n" + line, line + line.replace("witness", "w"), line[:-1], "hello\n", ""):
        with pytest.raises(NoteMalformedError):
            add_cosignature(note, wrong)
    with pytest.raises(NoteMalformedError, match="time from 1970"):
        cosign(note, WITNESS, at=-1)


# -- the request ----------------------------------------------------------------------------------


def test_a_request_reads_back_as_it_was_sent() -> None:
    """With and without a proof."""
    for request in (asked(0, 20), asked(7, 40), asked(40, 40)):
        assert AddCheckpoint.parse(request.body()) == request
    assert asked(7, 40).body().startswith("old 7\n")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 7\n",
        "old 07\n\nx\n",
        "old -1\n\nx\n",
        "old 7\nabc\n\nx\n",
        "old 7\n" + "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n" * (MOST_HASHES + 1) + "\nx\n",
        "old 99999999999999999999\n\nx\n",
        "size 7\n\nx\n",
        "old 7\n\n",
    ],
)
def test_what_is_no_request_is_refused(body: str) -> None:
    """Whatever a stranger sends."""
    with pytest.raises(RequestMalformedError):
        AddCheckpoint.parse(body)


# -- the decision ---------------------------------------------------------------------------------


def test_a_witness_signs_what_grew_from_what_it_has() -> None:
    """From nothing, from a smaller size, and the same again."""
    for has, new in ((0, 20), (20, 40), (1, 40), (40, 40)):
        signed = decided(asked(has, new), has=has)
        assert isinstance(signed, Cosigned)
        assert signed.known == Known(new, TREE.root(new))
        note = add_cosignature(asked(has, new).checkpoint, signed.line)
        assert cosigned_at(note, WITNESS.verifier()) == AT


def test_a_witness_never_signs_a_fork_even_with_the_logs_own_key() -> None:
    """Larger, or of the same size, with whatever proof."""
    fork = a_tree(40, forked_at=10)
    for new in (21, 40):
        assert refusal(asked(20, new, tree=fork), has=20) == 422
    other = AddCheckpoint(20, (), checkpoint(20, tree=a_tree(20, forked_at=10)))
    told = decided(other, has=20)
    assert isinstance(told, NotCosigned)
    assert (told.status, told.size) == (409, 20)
    assert "another root" in told.sentence
    for proof in ((), (bytes(32),), tuple(consistency_proof(20, 40, TREE.hash_at))):
        assert refusal(AddCheckpoint(20, proof, checkpoint(40, tree=fork)), has=20) == 422


def test_a_witness_never_goes_back() -> None:
    """A smaller checkpoint, whatever the log says the witness has."""
    assert refusal(AddCheckpoint(20, (), checkpoint(10)), has=20) == 400
    told = decided(AddCheckpoint(10, (), checkpoint(10)), has=20)
    assert isinstance(told, NotCosigned)
    assert (told.status, told.size) == (409, 20)
    assert refusal(asked(0, 10), has=20) == 409


def test_a_log_that_is_mistaken_about_the_witness_is_told_its_size() -> None:
    """So that it can make the right proof."""
    told = decided(asked(0, 40), has=20)
    assert isinstance(told, NotCosigned)
    assert (told.status, told.size) == (409, 20)
    assert "size 20" in told.sentence


def test_a_log_that_the_witness_does_not_know_is_not_signed_for() -> None:
    """Nor one under a known name with another key."""
    stranger = SignerKey("example.org/other", bytes(range(32)))
    request = AddCheckpoint(0, (), checkpoint(20, key=stranger, origin="example.org/other"))
    assert refusal(request) == 404
    assert refusal(AddCheckpoint(0, (), checkpoint(20, key=OTHER_LOG))) == 403
    altered = checkpoint(20).replace("\n20\n", "\n21\n")
    assert refusal(AddCheckpoint(0, (), altered)) == 403


def test_what_is_no_checkpoint_is_told_so() -> None:
    """Under a name that the witness knows: no note at all, or a signed text that is none."""
    for note in (f"{ORIGIN}\n20\n", checkpoint(20)[:-1], sign_note(f"{ORIGIN}\n020\nAA==\n", LOG)):
        assert refusal(AddCheckpoint(0, (), note)) == 400


def test_a_log_may_have_two_keys_while_it_changes_them() -> None:
    """Either will do."""
    keys = {ORIGIN: [OTHER_LOG.verifier(), LOG.verifier()]}
    signed = answer(asked(0, 20), known={}, log_keys=keys, key=WITNESS, at=AT)
    assert isinstance(signed, Cosigned)


def test_the_first_checkpoint_comes_without_a_proof() -> None:
    """A proof from nothing proves nothing; an empty log has the empty root."""
    proof = (bytes(32),)
    assert refusal(AddCheckpoint(0, proof, checkpoint(20))) == 422
    wrong = sign(Checkpoint(ORIGIN, 0, bytes(32)), LOG)
    assert refusal(AddCheckpoint(0, (), wrong)) == 409
    empty = decided(AddCheckpoint(0, (), sign(Checkpoint(ORIGIN, 0, EMPTY_ROOT), LOG)))
    assert isinstance(empty, Cosigned)
    assert empty.known == NOTHING

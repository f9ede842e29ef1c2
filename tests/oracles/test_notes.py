"""Signed notes and cosignatures: what Go signs we read, what we sign Go reads."""

from __future__ import annotations

import pytest

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.cosignatures import WitnessKey, WitnessSignerKey, add_cosignature, cosign
from domain.assurance.cosignatures import cosigned_at as ours_cosigned_at
from domain.assurance.notes import SignatureInvalidError, VerifierKey, open_note
from tests.oracles.others import Oracle
from tests.support.exports import KEY, ORIGIN

TEXT = "example.org/other\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
WITNESS = WitnessSignerKey("witness.example/w1", bytes(range(2, 34)))
AT = 1_763_890_200


def told(agreed: tuple[bool, str]) -> tuple[str, str]:
    """The key that it made, and what it signed with it."""
    assert agreed[0], agreed[1]
    first, rest = agreed[1].split("\n", 1)
    return first.removeprefix("OK "), rest


def test_what_go_signs_we_read(oracle: Oracle) -> None:
    """And not with a word changed."""
    public, signed = told(oracle.ask("sign", "example.org/other", given=TEXT))
    key = VerifierKey.from_text(public)
    assert open_note(signed, key) == TEXT
    assert Checkpoint.parse(open_note(signed, key)).size == 5
    with pytest.raises(SignatureInvalidError):
        open_note(signed.replace("\n5\n", "\n6\n"), key)


@pytest.mark.parametrize("at", [0, AT, 2**63 - 1])
def test_what_a_witness_written_in_go_cosigns_we_read(oracle: Oracle, at: int) -> None:
    """Its key, its id, its time; and not with a word of the checkpoint changed."""
    public, signed = told(oracle.ask("cosign", "witness.example/w2", str(at), given=TEXT))
    key = WitnessKey.from_text(public)
    assert ours_cosigned_at(signed, key) == at
    with pytest.raises(SignatureInvalidError):
        ours_cosigned_at(signed.replace("\n5\n", "\n6\n"), key)


@pytest.mark.parametrize("at", [0, AT, 2**63 - 1])
def test_what_our_witness_cosigns_go_reads(oracle: Oracle, at: int) -> None:
    """Beside the log's own signature; and not with a word of the checkpoint changed."""
    note = sign(Checkpoint(ORIGIN, 5, bytes(32), ("an extension line",)), KEY)
    note = add_cosignature(note, cosign(note, WITNESS, at=at))
    key = WITNESS.verifier().text()
    assert oracle.ask("cosigned", key, given=note) == (True, f"OK {at}\n")
    assert not oracle.ask("cosigned", key, given=note.replace("\n5\n", "\n6\n"))[0]
    assert not oracle.ask("cosigned", key, given=note.replace("an ext", "no ext"))[0]
    other = WitnessSignerKey(WITNESS.name, bytes(32)).verifier().text()
    assert not oracle.ask("cosigned", other, given=note)[0]

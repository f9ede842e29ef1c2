"""Our tree, proofs and tiles against three programs by others: Go's x/mod, pymerkle, sigstore."""

from __future__ import annotations

import functools
import random
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.assurance.notes import VerifierKey, open_note
from domain.assurance.proofs import (
    LevelHashes,
    ProofInvalidError,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from domain.assurance.tree import leaf_hash
from tests.oracles.conftest import Oracle
from tests.support.exports import write_export

LARGE = 65_537
SIZES = (255, 256, 257, 65_535, 65_536, 65_537)


def entry(number: int) -> bytes:
    """The entry at a position."""
    return b"entry %d" % number


@functools.cache
def tree() -> LevelHashes:
    """One tree, of which the smaller sizes are earlier states."""
    made = LevelHashes()
    for number in range(LARGE):
        made.append(leaf_hash(entry(number)))
    return made


@functools.cache
def pymerkle_tree(size: int) -> Any:
    """The same tree in another program."""
    from pymerkle import InmemoryTree

    made = InmemoryTree(algorithm="sha256")
    for number in range(size):
        made.append_entry(entry(number))
    return made


def flipped(one: bytes) -> bytes:
    """The hash with one bit changed."""
    return bytes([one[0] ^ 1]) + one[1:]


def corrupted(proof: Sequence[bytes]) -> list[list[bytes]]:
    """The proof with each hash changed in turn, one missing, and one too many."""
    changed = [[*proof[:at], flipped(one), *proof[at + 1 :]] for at, one in enumerate(proof)]
    return [*changed, list(proof[:-1]), [*proof, bytes(32)]] if proof else [[bytes(32)]]


def refuses(check: Callable[..., None], **asked: Any) -> bool:
    """Whether our verifier refuses."""
    try:
        check(**asked)
    except ProofInvalidError:
        return True
    return False


def sigstore_accepts(*, index: int, size: int, proof: list[bytes], root: bytes, raw: bytes) -> bool:
    """Whether sigstore's verifier takes an inclusion proof for valid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sigstore._internal.merkle import verify_merkle_inclusion
        from sigstore.errors import VerificationError
    claimed = SimpleNamespace(
        log_index=index, tree_size=size, hashes=proof, root_hash=root, log_id=None
    )
    inner = SimpleNamespace(inclusion_proof=claimed, canonicalized_body=raw)
    found = SimpleNamespace(_inner=inner)
    try:
        verify_merkle_inclusion(found)  # type: ignore[arg-type]
    except VerificationError:
        return False
    return True


@settings(max_examples=40, derandomize=True, database=None, deadline=None)
@given(size=st.integers(0, 600))
def test_pymerkle_finds_the_same_root(size: int) -> None:
    """At every size up to 600."""
    assert bytes(pymerkle_tree(600).get_root(size)) == tree().root(size)


def test_pymerkle_finds_the_same_root_of_large_trees() -> None:
    """Around the sizes at which a tile fills."""
    whole = pymerkle_tree(LARGE)
    for size in SIZES:
        assert bytes(whole.get_root(size)) == tree().root(size)


@settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(places=st.tuples(st.integers(1, 600), st.integers(0, 599)))
def test_sigstore_accepts_our_inclusion_proofs_and_no_corrupted_one(
    places: tuple[int, int],
) -> None:
    """Each hash of the proof in turn; ours refuses the same."""
    size, index = places[0], places[1] % places[0]
    proof = inclusion_proof(index, size=size, hash_at=tree().hash_at)
    root, raw = tree().root(size), entry(index)
    asked: dict[str, Any] = {"index": index, "size": size, "root": root}
    verify_inclusion(leaf_hash(raw), proof=proof, **asked)
    assert sigstore_accepts(proof=proof, raw=raw, **asked)
    assert not sigstore_accepts(proof=proof, raw=raw + b"!", **asked)
    for wrong in corrupted(proof):
        assert refuses(verify_inclusion, leaf=leaf_hash(raw), proof=wrong, **asked)
        assert not sigstore_accepts(proof=wrong, raw=raw, **asked)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 300, 599, 600, *SIZES])
def test_go_accepts_our_proofs_and_no_corrupted_one(oracle: Oracle, size: int) -> None:
    """Inclusion of the first, the last and one in between; growth from several sizes."""
    chosen = random.Random(size)
    root, hash_at = tree().root(size), tree().hash_at
    for index in {0, size - 1, chosen.randrange(size)}:
        leaf = leaf_hash(entry(index))
        proof = inclusion_proof(index, size=size, hash_at=hash_at)
        asked: dict[str, Any] = {"size": size, "root": root, "index": index, "leaf": leaf}
        verify_inclusion(proof=proof, **asked)
        assert oracle.accepts_inclusion(proof=proof, **asked)
        for wrong in chosen.sample(corrupted(proof), min(3, len(corrupted(proof)))):
            assert refuses(verify_inclusion, proof=wrong, **asked)
            assert not oracle.accepts_inclusion(proof=wrong, **asked)
    for old in {1, max(1, size // 2), max(1, size - 1), chosen.randrange(size) + 1}:
        proof = consistency_proof(old, size, hash_at)
        grown: dict[str, Any] = {
            "old": old,
            "old_root": tree().root(old),
            "new": size,
            "new_root": root,
        }
        verify_consistency(proof=proof, **grown)
        assert oracle.accepts_consistency(proof=proof, **grown)
        for wrong in chosen.sample(corrupted(proof), min(3, len(corrupted(proof)))):
            assert refuses(verify_consistency, proof=wrong, **grown)
            assert not oracle.accepts_consistency(proof=wrong, **grown)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600])
def test_go_accepts_our_exports(oracle: Oracle, tmp_path: Path, size: int) -> None:
    """Checkpoint, every tile and every bundle, recomputed from the entries."""
    export = write_export(tmp_path, [entry(number) for number in range(size)])
    assert oracle.ask("check", str(export)) == (True, f"OK {size}\n")


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537])
def test_go_accepts_our_large_exports(oracle: Oracle, tmp_path: Path, size: int) -> None:
    """At the sizes at which the second level fills."""
    export = write_export(tmp_path, [entry(number) for number in range(size)])
    assert oracle.ask("check", str(export)) == (True, f"OK {size}\n")


def test_go_refuses_an_export_with_any_file_changed_missing_or_added(
    oracle: Oracle, tmp_path: Path
) -> None:
    """Each file in turn, so that what it accepts means something."""
    export = write_export(tmp_path, [entry(number) for number in range(300)])
    assert oracle.accepts(export)
    for file in sorted(one for one in export.rglob("*") if one.is_file()):
        before = file.read_bytes()
        for changed in (flipped(before), before[:-1], before + b"\0"):
            if changed.strip() == before.strip():
                continue
            file.write_bytes(changed)
            assert not oracle.accepts(export), file
        file.unlink()
        assert not oracle.accepts(export), file
        file.write_bytes(before)
    (export / "tile/0/002").write_bytes(bytes(32 * 256))
    assert not oracle.accepts(export)


def test_what_go_signs_we_read(oracle: Oracle) -> None:
    """And not with a word changed."""
    text = "example.org/other\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    agreed, told = oracle.ask("sign", "example.org/other", given=text)
    assert agreed
    public, signed = told.split("\n", 1)
    assert open_note(signed, VerifierKey.from_text(public)) == text
    with pytest.raises(Exception, match="does not fit the text"):
        open_note(signed.replace("\n5\n", "\n6\n"), VerifierKey.from_text(public))

"""Our tree and our proofs against three programs by others, and what none of the four accepts."""

from __future__ import annotations

import functools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assurance.proofs import (
    LevelHashes,
    ProofInvalidError,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from domain.assurance.tree import Frontier, leaf_hash
from tests.oracles.others import Oracle, Program, PymerkleTree

LARGE = (255, 256, 257, 65_535, 65_536, 65_537)

many = settings(max_examples=60, derandomize=True, database=None, deadline=None)
seeds = st.integers(0, 2**32)


@dataclass(frozen=True)
class Trees:
    """The same entries in our tree and in pymerkle's."""

    entries: Sequence[bytes]
    ours: LevelHashes
    theirs: PymerkleTree


def trees_of(entries: Sequence[bytes]) -> Trees:
    """Both trees over these entries."""
    ours = LevelHashes()
    for entry in entries:
        ours.append(leaf_hash(entry))
    return Trees(entries, ours, PymerkleTree(entries))


@functools.cache
def some_trees(size: int, seed: int) -> Trees:
    """Entries of 0 to 40 bytes; some are empty, some the same."""
    chosen = random.Random(seed)
    return trees_of([chosen.randbytes(chosen.randrange(41)) for _ in range(size)])


@functools.cache
def large_trees() -> Trees:
    """One tree, of which all smaller sizes are earlier states."""
    return trees_of([b"entry %d" % number for number in range(max(LARGE))])


def flipped(one: bytes) -> bytes:
    """The bytes with one bit changed."""
    return bytes([one[0] ^ 1]) + one[1:]


def corrupted(proof: Sequence[bytes]) -> list[list[bytes]]:
    """The proof with each hash changed in turn, one missing, and one too many."""
    changed = [[*proof[:at], flipped(one), *proof[at + 1 :]] for at, one in enumerate(proof)]
    return [*changed, [*proof, bytes(32)], *([list(proof[:-1])] if proof else [])]


def we_accept_inclusion(
    *, entry: bytes, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Our own verifier in the shape of the others."""
    try:
        verify_inclusion(leaf, index=index, size=size, proof=proof, root=root)
    except ProofInvalidError:
        return False
    return True


def we_accept_consistency(**asked: Any) -> bool:
    """Likewise."""
    try:
        verify_consistency(**asked)
    except ProofInvalidError:
        return False
    return True


def check_inclusion(other: Program, trees: Trees, *, index: int, size: int) -> None:
    """Ours and theirs accept the proof, and refuse it once anything in it is changed."""
    proof = inclusion_proof(index, size=size, hash_at=trees.ours.hash_at)
    good: dict[str, Any] = {
        "entry": trees.entries[index],
        "leaf": leaf_hash(trees.entries[index]),
        "index": index,
        "size": size,
        "proof": proof,
        "root": trees.ours.root(size),
    }
    another = trees.entries[index] + b"!"
    wrong = [
        *({**good, "proof": one} for one in corrupted(proof)),
        {**good, "entry": another, "leaf": leaf_hash(another)},
        {**good, "root": flipped(good["root"])},
    ]
    for accepts in (we_accept_inclusion, other.accepts_inclusion):
        assert accepts(**good)
        for asked in wrong:
            assert not accepts(**asked)


def check_consistency(oracle: Oracle, trees: Trees, *, old: int, new: int) -> None:
    """Ours and Go's accept the proof, and refuse it once anything in it is changed."""
    proof = consistency_proof(old, new, trees.ours.hash_at)
    good: dict[str, Any] = {
        "old": old,
        "new": new,
        "proof": proof,
        "old_root": trees.ours.root(old),
        "new_root": trees.ours.root(new),
    }
    wrong = [
        *({**good, "proof": one} for one in corrupted(proof)),
        {**good, "old_root": flipped(good["old_root"])},
        {**good, "new_root": flipped(good["new_root"])},
    ]
    for accepts in (we_accept_consistency, oracle.accepts_consistency):
        assert accepts(**good)
        for asked in wrong:
            assert not accepts(**asked)


def check_growth(trees: Trees, *, old: int, new: int) -> None:
    """pymerkle's own proof holds for our two roots, for no others, and with no hash changed."""
    proof = trees.theirs.consistency(old, new)
    roots = trees.ours.root(old), trees.ours.root(new)
    assert proof.holds(*roots, hashes=proof.hashes)
    assert not proof.holds(flipped(roots[0]), roots[1], hashes=proof.hashes)
    assert not proof.holds(roots[0], flipped(roots[1]), hashes=proof.hashes)
    for hashes in corrupted(proof.hashes):
        assert not proof.holds(*roots, hashes=hashes)


# -- trees of up to 600 entries -------------------------------------------------------------------


@many
@given(size=st.integers(0, 600), seed=seeds)
def test_pymerkle_finds_the_roots_that_we_find(size: int, seed: int) -> None:
    """Of the whole tree and of an earlier state of it; our frontier finds them too."""
    trees = some_trees(size, seed)
    frontier = Frontier()
    for entry in trees.entries:
        frontier.append(leaf_hash(entry))
    assert trees.theirs.root(size) == trees.ours.root() == frontier.root()
    assert trees.theirs.root(seed % (size + 1)) == trees.ours.root(seed % (size + 1))


@many
@given(size=st.integers(0, 600), seed=seeds)
def test_go_finds_the_root_that_we_find(oracle: Oracle, size: int, seed: int) -> None:
    """From the entries, which it hashes itself."""
    trees = some_trees(size, seed)
    assert oracle.root(trees.entries) == trees.ours.root()


def test_the_root_of_nothing_and_of_one_are_found_by_all(oracle: Oracle) -> None:
    """The smallest trees, which a random choice may leave out."""
    for entries in ([], [b""], [b"a"]):
        trees = trees_of(entries)
        assert oracle.root(entries) == trees.theirs.root(len(entries)) == trees.ours.root()


@many
@given(size=st.integers(1, 600), seed=seeds)
def test_the_others_accept_our_inclusion_proofs_and_no_corrupted_one(
    other: Program, size: int, seed: int
) -> None:
    """Each hash in turn, another entry, another root."""
    check_inclusion(other, some_trees(size, seed), index=seed % size, size=size)


@many
@given(size=st.integers(1, 600), seed=seeds)
def test_go_accepts_our_consistency_proofs_and_no_corrupted_one(
    oracle: Oracle, size: int, seed: int
) -> None:
    """Each hash in turn, either root."""
    check_consistency(oracle, some_trees(size, seed), old=seed % size + 1, new=size)


@many
@given(size=st.integers(1, 600), seed=seeds)
def test_pymerkle_makes_the_proofs_that_we_make(size: int, seed: int) -> None:
    """Inclusion hash for hash; growth in a form of its own, for our roots."""
    trees, index = some_trees(size, seed), seed % size
    ours = inclusion_proof(index, size=size, hash_at=trees.ours.hash_at)
    assert trees.theirs.inclusion(index, size=size) == ours
    check_growth(trees, old=index + 1, new=size)


# -- around the sizes at which a tile and a level of tiles fill ------------------------------------


def places(size: int) -> list[int]:
    """The first leaf, the last, those around the last edge of a tile, and some between."""
    chosen = random.Random(size)
    edge = (size - 1) // 256 * 256
    return sorted({0, size - 1, edge, max(0, edge - 1), *(chosen.sample(range(size), 4))})


@pytest.mark.parametrize("size", LARGE)
def test_all_find_the_same_root_of_large_trees(oracle: Oracle, size: int) -> None:
    """One side before the power of two, on it, and behind it."""
    trees = large_trees()
    assert trees.theirs.root(size) == trees.ours.root(size)
    assert oracle.root(trees.entries[:size]) == trees.ours.root(size)


@pytest.mark.parametrize("size", LARGE)
def test_the_others_accept_our_inclusion_proofs_in_large_trees(other: Program, size: int) -> None:
    """And no corrupted one."""
    for index in places(size):
        check_inclusion(other, large_trees(), index=index, size=size)


@pytest.mark.parametrize("size", LARGE)
def test_the_others_see_large_trees_grow_as_we_do(oracle: Oracle, size: int) -> None:
    """From each other large size, and from some between."""
    for old in {*(place + 1 for place in places(size)), *(one for one in LARGE if one <= size)}:
        check_consistency(oracle, large_trees(), old=old, new=size)
        check_growth(large_trees(), old=old, new=size)


def test_nobody_sees_a_log_grow_from_a_fork(oracle: Oracle) -> None:
    """A log that was written anew from some entry on, with the proof that it makes itself."""
    entries = [b"entry %d" % number for number in range(40)]
    honest, forked = trees_of(entries), trees_of([*entries[:10], b"another", *entries[11:]])
    asked: dict[str, Any] = {
        "old": 20,
        "new": 40,
        "proof": consistency_proof(20, 40, forked.ours.hash_at),
        "new_root": forked.ours.root(40),
    }
    for accepts in (we_accept_consistency, oracle.accepts_consistency):
        assert accepts(old_root=forked.ours.root(20), **asked)
        assert not accepts(old_root=honest.ours.root(20), **asked)
    growth = forked.theirs.consistency(20, 40)
    assert growth.holds(forked.ours.root(20), forked.ours.root(40), hashes=growth.hashes)
    assert not growth.holds(honest.ours.root(20), forked.ours.root(40), hashes=growth.hashes)

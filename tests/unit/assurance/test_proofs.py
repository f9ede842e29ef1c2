"""What a proof shows, and that a changed one shows nothing."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest

from domain.assurance.proofs import (
    LevelHashes,
    ProofInvalidError,
    consistency_proof,
    inclusion_proof,
    multiproof,
    verify_consistency,
    verify_inclusion,
    verify_multiproof,
)
from domain.assurance.tree import EMPTY_ROOT, Frontier, leaf_hash, node_hash

SIZES = range(1, 34)


def leaf(number: int) -> bytes:
    """The leaf hash at an index."""
    return leaf_hash(b"%d" % number)


def a_tree(size: int) -> LevelHashes:
    """A tree of this size."""
    tree = LevelHashes()
    for number in range(size):
        tree.append(leaf(number))
    return tree


WHOLE = a_tree(max(SIZES))
ROOTS = {size: WHOLE.root(size) for size in (0, *SIZES)}


def spoiled(proof: list[bytes]) -> list[list[bytes]]:
    """Each hash changed, each left out, each twice, two swapped, one too many."""
    ways = [[*proof, bytes(32)], [bytes(32), *proof]]
    for at, one in enumerate(proof):
        ways.append([*proof[:at], bytes([one[0] ^ 1]) + one[1:], *proof[at + 1 :]])
        ways.append(proof[:at] + proof[at + 1 :])
        ways.append([*proof[:at], one, *proof[at:]])
        ways.append([*proof[:at], one[:-1], *proof[at + 1 :]])
    if len(proof) > 1:
        ways.append([proof[1], proof[0], *proof[2:]])
    return ways


def test_the_levels_give_every_root_that_the_frontier_gives() -> None:
    """Now and at every size before."""
    frontier = Frontier()
    assert ROOTS[0] == frontier.root() == EMPTY_ROOT
    for size in SIZES:
        frontier.append(leaf(size - 1))
        assert ROOTS[size] == frontier.root()


def test_the_example_in_the_prose_is_right() -> None:
    """Six leaves a to f."""
    a, b, c, d, e, f = (leaf(number) for number in range(6))
    ab, cd, ef = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    tree = a_tree(6)
    assert tree.root() == node_hash(node_hash(ab, cd), ef)
    assert inclusion_proof(2, size=6, hash_at=tree.hash_at) == [d, ab, ef]
    assert consistency_proof(3, 6, tree.hash_at) == [c, d, ab, ef]
    assert consistency_proof(4, 6, tree.hash_at) == [ef]
    assert consistency_proof(5, 6, tree.hash_at) == [e, f, node_hash(ab, cd)]
    assert consistency_proof(6, 6, tree.hash_at) == []
    assert multiproof([1, 2], size=6, hash_at=tree.hash_at) == [a, d, ef]


def test_every_leaf_of_every_tree_can_be_shown_to_be_in_it() -> None:
    """And at no other index, under no other root, as no other leaf."""
    for size in SIZES:
        for index in range(size):
            proof = inclusion_proof(index, size=size, hash_at=WHOLE.hash_at)
            good: dict[str, Any] = {"index": index, "size": size, "root": ROOTS[size]}
            verify_inclusion(leaf(index), proof=proof, **good)
            wrong_places: list[dict[str, Any]] = [
                {"index": index ^ 1},
                {"size": index},
                {"root": leaf(99)},
            ]
            for wrong in (*wrong_places, {"index": -1}, {"index": size}):
                with pytest.raises(ProofInvalidError):
                    verify_inclusion(leaf(index), proof=proof, **{**good, **wrong})
            with pytest.raises(ProofInvalidError):
                verify_inclusion(leaf(99), proof=proof, **good)
            for bad in spoiled(proof):
                with pytest.raises(ProofInvalidError):
                    verify_inclusion(leaf(index), proof=bad, **good)


def test_every_tree_can_be_shown_to_begin_with_every_smaller_one() -> None:
    """And with no other, nor with any proof changed."""
    for new in SIZES:
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, WHOLE.hash_at)
            good: dict[str, Any] = {
                "old": old,
                "new": new,
                "old_root": ROOTS[old],
                "new_root": ROOTS[new],
            }
            verify_consistency(proof=proof, **good)
            for wrong in ({"old_root": leaf(99)}, {"new_root": leaf(99)}, {"new": old - 1}):
                with pytest.raises(ProofInvalidError):
                    verify_consistency(proof=proof, **{**good, **wrong})
            for bad in spoiled(proof):
                with pytest.raises(ProofInvalidError):
                    verify_consistency(proof=bad, **good)


def test_a_rewritten_beginning_cannot_be_shown_to_be_the_old_one() -> None:
    """The old tree with one leaf changed, and the honest proof for the new one."""
    forked = LevelHashes()
    for number in range(20):
        forked.append(leaf(number) if number != 3 else leaf(99))
    with pytest.raises(ProofInvalidError):
        verify_consistency(
            old=10,
            new=20,
            proof=consistency_proof(10, 20, forked.hash_at),
            old_root=ROOTS[10],
            new_root=forked.root(),
        )


def test_a_proof_from_the_empty_tree_is_neither_made_nor_taken() -> None:
    """It would hold for any log."""
    with pytest.raises(ValueError, match="found 0 and 5"):
        consistency_proof(0, 5, WHOLE.hash_at)
    with pytest.raises(ProofInvalidError, match="empty tree"):
        verify_consistency(old=0, new=5, proof=[], old_root=EMPTY_ROOT, new_root=ROOTS[5])


def test_any_choice_of_leaves_can_be_shown_to_be_in_the_tree_at_once() -> None:
    """With no hash that could be worked out from the others, and none changed."""
    for size in range(1, 9):
        for many in range(1, size + 1):
            for chosen in combinations(range(size), many):
                proof = multiproof(chosen, size=size, hash_at=WHOLE.hash_at)
                leaves = {index: leaf(index) for index in chosen}
                verify_multiproof(leaves, size=size, proof=proof, root=ROOTS[size])
                for bad in spoiled(proof):
                    with pytest.raises(ProofInvalidError):
                        verify_multiproof(leaves, size=size, proof=bad, root=ROOTS[size])
                for index in chosen:
                    with pytest.raises(ProofInvalidError):
                        verify_multiproof(
                            {**leaves, index: leaf(99)}, size=size, proof=proof, root=ROOTS[size]
                        )


def test_no_byte_can_move_from_one_hash_to_the_next() -> None:
    """Side by side they are the same bytes and give the same node; one is then no hash."""
    a, b = leaf(0), leaf(1)
    longer, shorter = a + b[:1], b[1:]
    assert node_hash(longer, shorter) == ROOTS[2]
    with pytest.raises(ProofInvalidError, match="32 bytes, found 33"):
        verify_inclusion(longer, index=0, size=2, proof=[shorter], root=ROOTS[2])
    with pytest.raises(ProofInvalidError, match="32 bytes, found 33"):
        verify_multiproof({0: longer}, size=2, proof=[shorter], root=ROOTS[2])
    with pytest.raises(ProofInvalidError, match="32 bytes, found"):
        verify_consistency(old=1, new=2, proof=[shorter], old_root=longer, new_root=ROOTS[2])


def test_one_proof_for_many_is_shorter_than_many_proofs() -> None:
    """Half of the leaves of a larger tree, spread at random."""
    size = 4096
    tree, chosen = a_tree(size), sorted(random.Random(1).sample(range(size), size // 2))
    together = multiproof(chosen, size=size, hash_at=tree.hash_at)
    apart = sum(len(inclusion_proof(one, size=size, hash_at=tree.hash_at)) for one in chosen)
    assert len(together) * 5 < apart
    leaves = {index: leaf(index) for index in chosen}
    verify_multiproof(leaves, size=size, proof=together, root=tree.root())


@pytest.mark.parametrize("indices", [[], [1, 1], [2, 1], [5], [-1, 2]])
def test_indices_that_are_no_choice_are_refused(indices: list[int]) -> None:
    """Rising, each once, all in the tree."""
    with pytest.raises(ValueError, match="rising"):
        multiproof(indices, size=5, hash_at=WHOLE.hash_at)


def test_leaves_outside_the_tree_are_refused() -> None:
    """Also when there are none at all."""
    for leaves in ({}, {5: leaf(5)}, {-1: leaf(0)}):
        with pytest.raises(ProofInvalidError):
            verify_multiproof(leaves, size=5, proof=[], root=ROOTS[5])


def test_a_subtree_that_is_not_complete_yet_is_not_given() -> None:
    """Whoever asks for it asks too early."""
    tree = a_tree(5)
    for level, index in ((0, 5), (1, 2), (2, 1), (3, 0), (9, 0), (-1, 0), (0, -1)):
        with pytest.raises(IndexError):
            tree.hash_at(level, index)
    with pytest.raises(ValueError, match="32 bytes"):
        tree.append(b"short")
    with pytest.raises(ValueError, match="from 0 to 5"):
        tree.root(6)

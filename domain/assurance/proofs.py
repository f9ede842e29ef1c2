"""Proofs over the Merkle tree: that an entry is in a log, and that a log only grew.

A log of 1,000,000 entries can be held to its word with 20 hashes. Whoever has the root of a tree
(from a signed checkpoint) and an entry checks an **inclusion proof**: the roots of the subtrees
beside the path from the leaf to the root. Whoever has the roots of two sizes checks a
**consistency proof**: the smallest set of subtrees from which both roots can be worked out, so
that the larger tree is the smaller one with entries added at its end, and nothing else.

**One picture for all of them.** A range of leaves [a, b) is split as the tree itself is: at
a + k, where k is the largest power of two smaller than b - a. A range whose size is a power of two
is a complete subtree, known by its level and index (:data:`HashAt`); only the right edge of the
tree has others, and those are worked out from complete ones.

**Inclusion.** Walk from the whole range down to the leaf; at each split note the side that was not
taken. Read backwards, these are the proof, from the leaf's neighbour up to a half of the tree.

**Consistency.** Walk the larger tree towards the edge between old leaves and new ones, m. Where m
is exactly the end of the range, the range is a subtree of the old tree: it is given as a hash,
unless it is the whole old tree, whose root the verifier has. Otherwise the side that m does not
fall into is given, and the walk goes on in the other.

**Many entries at once.** A multiproof gives each subtree that holds none of the wanted leaves and
whose sibling holds one: no hash twice, and none that can be worked out from the others. Its hashes
come in the order of the log, from left to right. It can be shorter than one proof for each entry
by a factor of five, and more where the entries lie together.

**Example.** Six leaves a to f: the tree is node(node(ab, cd), ef). The inclusion proof of c is
[d, ab, ef]: d stands beside c, ab beside cd, ef beside abcd. From size 3 to size 6 the proof is
[c, d, ab, ef]: the old root is node(ab, c), the new one node(node(ab, node(c, d)), ef), and the
four hashes give both. The multiproof of b and c is [a, d, ef].

Source: RFC 9162, sections 2.1.3 and 2.1.4. A proof from the empty tree is refused: it would hold
for any log, and proves nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from domain.assurance.tree import EMPTY_ROOT, HASH_SIZE, node_hash

HashAt = Callable[[int, int], bytes]
"""(level, index) to the root of the complete subtree number ``index`` of ``2**level`` leaves."""

LARGEST_TREE = 2**63 - 1


class ProofInvalidError(ValueError):
    """The proof does not show what it is said to show."""


class LevelHashes:
    """Every complete subtree of a growing tree: what proofs and tiles are read from.

    Takes 64 bytes a leaf.
    """

    def __init__(self) -> None:
        """The empty tree."""
        self._levels = [bytearray()]
        self._size = 0

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at the end, and every subtree that it completes."""
        if len(leaf) != HASH_SIZE:
            raise ValueError(f"expected a leaf hash of {HASH_SIZE} bytes, found {len(leaf)}")
        self._levels[0] += leaf
        level, merges = 0, self._size
        self._size += 1
        while merges & 1:
            row = self._levels[level]
            parent = node_hash(bytes(row[-2 * HASH_SIZE : -HASH_SIZE]), bytes(row[-HASH_SIZE:]))
            level, merges = level + 1, merges >> 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += parent

    def hash_at(self, level: int, index: int) -> bytes:
        """The root of one complete subtree.

        Raises:
            IndexError: the tree has no such subtree (yet).
        """
        if not (0 <= level < len(self._levels) and 0 <= index < self._size >> level):
            raise IndexError(f"a tree of {self._size} leaves has no subtree {index} at {level}")
        return bytes(self._levels[level][HASH_SIZE * index : HASH_SIZE * (index + 1)])

    def root(self, size: int | None = None) -> bytes:
        """The root, now or at an earlier size."""
        wanted = self._size if size is None else size
        if not 0 <= wanted <= self._size:
            raise ValueError(f"expected a size from 0 to {self._size}, found {wanted}")
        return range_hash(0, wanted, self.hash_at)


def range_hash(start: int, end: int, hash_at: HashAt) -> bytes:
    """The root over the leaves [start, end), which must be a range that the tree splits into."""
    if start == end:
        return EMPTY_ROOT
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return hash_at(level, start >> level)
    middle = start + _left(width)
    return node_hash(range_hash(start, middle, hash_at), range_hash(middle, end, hash_at))


# -- one entry -----------------------------------------------------------------------------------


def inclusion_proof(index: int, *, size: int, hash_at: HashAt) -> list[bytes]:
    """What shows that the leaf ``index`` is in the tree of ``size`` leaves.

    Raises:
        ValueError: the tree has no such leaf.
    """
    _require(0 <= index < size, f"expected an index below the size {size}, found {index}")
    return [range_hash(start, end, hash_at) for start, end in _beside(index, size)]


def verify_inclusion(
    leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf hash stands at this index of the tree with this root.

    The size is taken from the checkpoint that the root is from; the proof alone does not bind it.

    Raises:
        ProofInvalidError: the proof does not show it.
    """
    _prove(0 <= index < size <= LARGEST_TREE, "the index is not one of a leaf of the tree")
    _require_hashes([leaf, *proof, root])
    beside = list(_beside(index, size))
    _prove(len(proof) == len(beside), f"expected {len(beside)} hashes, found {len(proof)}")
    found = leaf
    for (start, _), sibling in zip(beside, proof, strict=True):
        found = node_hash(found, sibling) if start > index else node_hash(sibling, found)
    _prove(found == root, "leaf and proof do not give the root")


def _beside(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges beside the path from a leaf to the root, the leaf's neighbour first."""
    beside = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((start, middle))
            start = middle
    return beside[::-1]


# -- a log that grew -----------------------------------------------------------------------------


def consistency_proof(old: int, new: int, hash_at: HashAt) -> list[bytes]:
    """What shows that the tree of ``new`` leaves begins with the tree of ``old`` leaves.

    Empty where the sizes are equal.

    Raises:
        ValueError: the old size is 0 or larger than the new one.
    """
    _require(0 < old <= new, f"expected sizes from 1 up, found {old} and {new}")
    given, _ = _edges(old, new)
    return [range_hash(start, end, hash_at) for start, end in given]


def verify_consistency(
    *, old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that one tree is another with entries added at its end.

    Raises:
        ProofInvalidError: the proof does not show it, or the old tree is empty.
    """
    _prove(old > 0, "a proof from the empty tree would hold for any log")
    _prove(old <= new <= LARGEST_TREE, f"the tree shrank from {old} to {new}")
    _require_hashes([*proof, old_root, new_root])
    given, whole_old = _edges(old, new)
    _prove(len(proof) == len(given), f"expected {len(given)} hashes, found {len(proof)}")
    known = dict(zip(given, proof, strict=True))
    if whole_old is not None:
        known[whole_old] = old_root
    _prove(_folded(0, old, known) == old_root, "the proof does not give the old root")
    _prove(_folded(0, new, known) == new_root, "the proof does not give the new root")


def _edges(old: int, new: int) -> tuple[list[tuple[int, int]], tuple[int, int] | None]:
    """The ranges of a consistency proof, in RFC 9162's order, and the old tree where it is one."""
    sides: list[tuple[int, int]] = []
    start, end = 0, new
    while end != old:
        middle = start + _left(end - start)
        if old <= middle:
            sides.append((middle, end))
            end = middle
        else:
            sides.append((start, middle))
            start = middle
    if start == 0:
        return sides[::-1], (0, old)
    return [(start, end), *sides[::-1]], None


def _folded(start: int, end: int, known: Mapping[tuple[int, int], bytes]) -> bytes:
    """The root over a range, from the subtrees that are known."""
    if (start, end) in known:
        return known[start, end]
    _prove(end - start > 1, "the proof leaves a subtree unknown")
    middle = start + _left(end - start)
    return node_hash(_folded(start, middle, known), _folded(middle, end, known))


# -- many entries --------------------------------------------------------------------------------


def multiproof(indices: Sequence[int], *, size: int, hash_at: HashAt) -> list[bytes]:
    """What shows that several leaves are in the tree of ``size`` leaves.

    Args:
        indices: rising, each once, at least one.
        size: of the tree.
        hash_at: gives the hashes of its complete subtrees.

    Raises:
        ValueError: the indices are not rising, or not all of them are in the tree.
    """
    wanted = list(indices)
    _require(_are_rising(wanted, size), f"expected rising indices below {size}")
    return [range_hash(start, end, hash_at) for start, end in _without(wanted, 0, size)]


def verify_multiproof(
    leaves: Mapping[int, bytes], *, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that each leaf hash stands at its index of the tree with this root.

    Raises:
        ProofInvalidError: the proof does not show it.
    """
    wanted = sorted(leaves)
    _prove(size <= LARGEST_TREE and _are_rising(wanted, size), "expected indices below the size")
    _require_hashes([*leaves.values(), *proof, root])
    given = iter(proof)

    def folded(start: int, end: int, first: int, last: int) -> bytes:
        """The root over [start, end), in which the wanted leaves first..last lie."""
        if first == last:
            return _next(given)
        if end - start == 1:
            return leaves[start]
        middle = start + _left(end - start)
        split = bisect_left(wanted, middle, first, last)
        left = folded(start, middle, first, split)
        return node_hash(left, folded(middle, end, split, last))

    found = folded(0, size, 0, len(wanted))
    _prove(next(given, None) is None, "the proof has hashes too many")
    _prove(found == root, "leaves and proof do not give the root")


def _without(wanted: list[int], start: int, end: int) -> Iterator[tuple[int, int]]:
    """The largest ranges without a wanted leaf, from left to right."""
    pending = [(start, end, 0, len(wanted))]
    while pending:
        start, end, first, last = pending.pop()
        if first == last:
            yield start, end
        elif end - start > 1:
            middle = start + _left(end - start)
            split = bisect_left(wanted, middle, first, last)
            pending += [(middle, end, split, last), (start, middle, first, split)]


def _next(given: Iterator[bytes]) -> bytes:
    found = next(given, None)
    if found is None:
        raise ProofInvalidError("the proof has hashes too few")
    return found


def _are_rising(indices: Sequence[int], size: int) -> bool:
    return (
        len(indices) > 0
        and indices[0] >= 0
        and indices[-1] < size
        and all(one < other for one, other in pairwise(indices))
    )


def _left(width: int) -> int:
    """The largest power of two smaller than the width, which is at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)


def _prove(holds: bool, sentence: str) -> None:
    if not holds:
        raise ProofInvalidError(sentence)


def _require_hashes(hashes: Sequence[bytes]) -> None:
    for one in hashes:
        _prove(len(one) == HASH_SIZE, f"expected hashes of {HASH_SIZE} bytes, found {len(one)}")

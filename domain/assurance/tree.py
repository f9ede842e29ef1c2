"""The Merkle tree over the log's entries, kept as its frontier.

The tree hash is that of RFC 9162: a leaf is ``SHA256(0x00 || entry)``, a node is
``SHA256(0x01 || left || right)``, and a tree of n > 1 leaves splits at k, the largest power of
two smaller than n::

    MTH(D[0:n]) = node(MTH(D[0:k]), MTH(D[k:n]))

The two first bytes keep a leaf from ever being taken for a node. No odd leaf is copied or moved
up, so that two different lists of entries never have one root.

**Invariant.** Written as a sum of falling powers of two, n = 2^a + 2^b + ... + 2^z with
a > b > ... > z, the first 2^a leaves are one complete subtree, the next 2^b another, and so on.
The frontier holds exactly the roots of these complete subtrees, largest first: one for each bit
that is 1 in n. Nothing else of the tree is needed, either to append to it or to know its root.

**Append.** A new leaf is a complete subtree of one. As long as the last subtree of the frontier
is as large as the new one, the two become one of twice the size: as often as n ends in 1 bits.

**Root.** The last two subtrees are the two sides of the smallest split; their node is the right
side of the split before it, and so on to the left: fold the frontier from its end.

**Example.** Six leaves a to f: 6 = 4 + 2, so the frontier is [abcd, ef] and the root is
node(abcd, ef). Append g: 6 is even, nothing merges, the frontier is [abcd, ef, g] (7 = 4 + 2 + 1)
and the root is node(abcd, node(ef, g)). Append h: 7 ends in three 1 bits, so three merges follow:
gh = node(g, h), efgh = node(ef, gh), abcdefgh = node(abcd, efgh). The frontier of 8 is
[abcdefgh], which is also the root.

Source: RFC 9162, section 2.1.1.
"""

from __future__ import annotations

import hashlib
from typing import Self

HASH_SIZE = 32
"""Bytes of a hash (SHA-256)."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


class FrontierMalformedError(ValueError):
    """The bytes are not the frontier of a tree of that size."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry, over the bytes that are stored."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees of a tree: all that is needed to append and to know the root.

    Appending costs two hashes on average, whatever the size.
    """

    __slots__ = ("_roots", "_size")

    def __init__(self) -> None:
        """The frontier of the empty tree."""
        self._size = 0
        self._roots: list[bytes] = []

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash at the end."""
        if len(leaf) != HASH_SIZE:
            raise ValueError(f"expected a leaf hash of {HASH_SIZE} bytes, found {len(leaf)}")
        subtree, merges = leaf, self._size
        while merges & 1:
            subtree = node_hash(self._roots.pop(), subtree)
            merges >>= 1
        self._roots.append(subtree)
        self._size += 1

    def append_complete(self, root: bytes, leaves: int) -> None:
        """Add a complete subtree at the end, where one of that size begins.

        Args:
            root: over its leaves.
            leaves: how many there are: a power of two that divides the size.
        """
        if leaves & (leaves - 1) or self._size % leaves:
            raise ValueError(f"no subtree of {leaves} leaves begins at {self._size}")
        subtree, merges = root, self._size // leaves
        while merges & 1:
            subtree = node_hash(self._roots.pop(), subtree)
            merges >>= 1
        self._roots.append(subtree)
        self._size += leaves

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self._roots:
            return EMPTY_ROOT
        *larger, root = self._roots
        for subtree in reversed(larger):
            root = node_hash(subtree, root)
        return root

    def to_bytes(self) -> bytes:
        """The roots of the complete subtrees, largest first, 32 bytes each."""
        return b"".join(self._roots)

    @classmethod
    def from_bytes(cls, size: int, raw: bytes) -> Self:
        """The frontier of a tree of ``size`` leaves, as :meth:`to_bytes` wrote it.

        Whether the hashes are the right ones cannot be seen here; their number can.

        Raises:
            FrontierMalformedError: the size is negative, or the number of hashes is not the
                number of 1 bits in it.
        """
        if size < 0:
            raise FrontierMalformedError(f"expected a size of 0 or more, found {size}")
        if len(raw) != size.bit_count() * HASH_SIZE:
            raise FrontierMalformedError(
                f"expected {size.bit_count()} hashes of {HASH_SIZE} bytes for a tree of size "
                f"{size}, found {len(raw)} bytes"
            )
        frontier = cls()
        frontier._size = size
        frontier._roots = [raw[i : i + HASH_SIZE] for i in range(0, len(raw), HASH_SIZE)]
        return frontier

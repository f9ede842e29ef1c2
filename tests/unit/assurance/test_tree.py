"""The Merkle tree: the published vectors, the definition itself, and every hash corrupted."""

from __future__ import annotations

import hashlib

import pytest

from domain.assurance.tree import (
    EMPTY_ROOT,
    Frontier,
    FrontierMalformedError,
    leaf_hash,
    node_hash,
)

# The leaves and roots of the certificate-transparency reference tests.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def frontier_of(entries: list[bytes]) -> Frontier:
    """The frontier after these entries."""
    frontier = Frontier()
    for entry in entries:
        frontier.append(leaf_hash(entry))
    return frontier


def tree_hash(entries: list[bytes]) -> bytes:
    """MTH, written as RFC 9162 section 2.1.1 defines it."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while 2 * k < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + tree_hash(entries[:k]) + tree_hash(entries[k:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_the_certificate_transparency_tests(size: int) -> None:
    """Eight leaves that every implementation agrees on."""
    assert frontier_of(LEAVES[:size]).root().hex() == ROOTS[size]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    """An empty log has a root too."""
    assert Frontier().root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_the_root_follows_the_definition_at_every_size() -> None:
    """The frontier is a short cut; the definition says where it must arrive."""
    entries = [str(number).encode() for number in range(131)]
    frontier = Frontier()
    for size, entry in enumerate(entries):
        assert frontier.root() == tree_hash(entries[:size])
        frontier.append(leaf_hash(entry))
    assert frontier.size == 131


def test_the_example_in_the_documentation_is_right() -> None:
    """Six leaves, then a seventh and an eighth."""
    a, b, c, d, e, f, g, h = (leaf_hash(letter.encode()) for letter in "abcdefgh")
    abcd = node_hash(node_hash(a, b), node_hash(c, d))
    ef, gh = node_hash(e, f), node_hash(g, h)
    frontier = frontier_of([letter.encode() for letter in "abcdef"])
    assert (frontier.to_bytes(), frontier.root()) == (abcd + ef, node_hash(abcd, ef))
    frontier.append(g)
    assert frontier.to_bytes() == abcd + ef + g
    assert frontier.root() == node_hash(abcd, node_hash(ef, g))
    frontier.append(h)
    assert frontier.to_bytes() == frontier.root() == node_hash(abcd, node_hash(ef, gh))


def test_a_frontier_taken_up_again_goes_on_as_if_it_had_never_stopped() -> None:
    """At every size: store, load, append."""
    frontier = Frontier()
    for number in range(40):
        taken_up = Frontier.from_bytes(frontier.size, frontier.to_bytes())
        for one in (frontier, taken_up):
            one.append(leaf_hash(bytes([number])))
        assert (taken_up.size, taken_up.root()) == (frontier.size, frontier.root())


def test_every_hash_in_the_frontier_counts() -> None:
    """Corrupt each stored byte in turn: the root is another."""
    frontier = frontier_of([bytes([number]) for number in range(23)])
    raw = frontier.to_bytes()
    for index in range(len(raw)):
        corrupt = bytearray(raw)
        corrupt[index] ^= 1
        assert Frontier.from_bytes(23, bytes(corrupt)).root() != frontier.root()


@pytest.mark.parametrize("size", range(9))
@pytest.mark.parametrize("cut", [-32, -1, 1, 32])
def test_a_frontier_with_too_few_or_too_many_bytes_is_refused(size: int, cut: int) -> None:
    """The number of hashes is the number of 1 bits in the size."""
    raw = frontier_of(LEAVES[:size]).to_bytes()
    wrong = raw[:cut] if cut < 0 else raw + bytes(cut)
    if wrong == raw:
        wrong = bytes(32)
    with pytest.raises(FrontierMalformedError):
        Frontier.from_bytes(size, wrong)


def test_a_negative_size_is_refused() -> None:
    """There is no such tree."""
    with pytest.raises(FrontierMalformedError, match="0 or more, found -1"):
        Frontier.from_bytes(-1, bytes(32))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_leaf_that_is_no_hash_is_refused(length: int) -> None:
    """An entry handed in where its hash belongs would make a tree of something else."""
    with pytest.raises(ValueError, match=f"32 bytes, found {length}"):
        Frontier().append(bytes(length))


def test_an_entry_cannot_pass_for_a_node() -> None:
    """An entry made of two hashes has another hash than the node over them."""
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    assert leaf_hash(left + right) != node_hash(left, right)
    assert frontier_of([left + right]).root() != frontier_of([b"left", b"right"]).root()

"""The hashes on disk are those of the tree, at every size, and damage to them is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.assurance.proofs import LevelHashes
from domain.assurance.tree import EMPTY_ROOT, Frontier, leaf_hash
from infrastructure.seal.tree_store import TreeIncompleteError, TreeStore

EDGES = [1, 2, 3, 255, 256, 257, 511, 512, 513, 600]


def leaves(start: int, stop: int) -> list[bytes]:
    """Leaf hashes of entries that say their number."""
    return [leaf_hash(b"entry %d" % number) for number in range(start, stop)]


def in_memory(size: int) -> LevelHashes:
    """The same tree, kept by the proofs' own means."""
    tree = LevelHashes()
    for leaf in leaves(0, size):
        tree.append(leaf)
    return tree


@pytest.fixture(scope="module")
def whole() -> LevelHashes:
    """The tree of 66,000 leaves."""
    return in_memory(66_000)


def test_it_has_the_root_of_every_size_up_to_its_own(tmp_path: Path) -> None:
    """Also those at which no tile is full."""
    store, tree = TreeStore(tmp_path), Frontier()
    store.extend(leaves(0, 600))
    assert store.root(0) == EMPTY_ROOT
    for size, leaf in enumerate(leaves(0, 600), 1):
        tree.append(leaf)
        assert store.root(size) == tree.root()
        assert store.frontier(size).to_bytes() == tree.to_bytes()


@pytest.mark.parametrize("first", EDGES)
def test_adding_in_two_steps_is_adding_at_once(tmp_path: Path, first: int) -> None:
    """Wherever the first step ended."""
    at_once, in_steps = TreeStore(tmp_path / "one"), TreeStore(tmp_path / "two")
    at_once.extend(leaves(0, 700))
    in_steps.extend(leaves(0, first))
    in_steps.extend(leaves(first, 700))
    files = {file.name: file.read_bytes() for file in at_once.directory.iterdir()}
    assert files == {file.name: file.read_bytes() for file in in_steps.directory.iterdir()}
    assert sorted(files) == ["0", "1"]


def test_it_has_every_complete_subtree_of_a_large_tree(tmp_path: Path, whole: LevelHashes) -> None:
    """At every level, over three files."""
    store = TreeStore(tmp_path)
    store.extend(leaves(0, whole.size))
    assert store.size == whole.size
    for level in range(17):
        for index in {0, 1, (whole.size >> level) - 1}:
            if index < whole.size >> level:
                assert store.hash_at(level, index) == whole.hash_at(level, index)
    for size in (65_535, 65_536, 65_537, whole.size):
        assert store.root(size) == whole.root(size)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """And not made up."""
    store = TreeStore(tmp_path)
    with pytest.raises(TreeIncompleteError):
        store.hash_at(0, 0)
    store.extend(leaves(0, 300))
    for level, index in ((0, 300), (1, 150), (8, 1), (9, 0)):
        with pytest.raises(TreeIncompleteError):
            store.hash_at(level, index)
    with pytest.raises(TreeIncompleteError):
        store.root(301)


@pytest.mark.parametrize("size", [0, 5, 255, 256, 300])
def test_what_is_cut_off_can_be_added_again(tmp_path: Path, size: int) -> None:
    """Nothing of what was cut stays in a file above."""
    store = TreeStore(tmp_path)
    store.extend(leaves(0, 600))
    store.cut(size)
    assert store.size == size
    store.extend([bytes(32)] * (600 - size))
    tree = Frontier()
    for leaf in [*leaves(0, size), *[bytes(32)] * (600 - size)]:
        tree.append(leaf)
    assert store.root(600) == tree.root()


@pytest.mark.parametrize("cut", [1, 31, 32, 33])
def test_a_write_that_was_broken_off_is_finished_by_the_next(tmp_path: Path, cut: int) -> None:
    """Half a hash at the end of either file is no hash."""
    store = TreeStore(tmp_path)
    store.extend(leaves(0, 513))
    for name in ("0", "1"):
        file = tmp_path / name
        file.write_bytes(file.read_bytes()[:-cut])
    store.extend(leaves(store.size, 513))
    tree = in_memory(513)
    assert store.root(513) == tree.root()


def test_only_we_can_read_it(tmp_path: Path) -> None:
    """Hashes may be public, but that is for an export to decide."""
    store = TreeStore(tmp_path / "tree")
    store.extend(leaves(0, 3))
    assert (tmp_path / "tree").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "tree" / "0").stat().st_mode & 0o777 == 0o600

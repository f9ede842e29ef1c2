"""One scope's end can be shown, and nothing of the others."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from domain.assurance.proofs import ProofInvalidError
from domain.assurance.scope_heads import ScopeEnd, commit, open_end, verify_opening
from domain.assurance.tree import leaf_hash

SECRET = bytes(range(32))
OTHER_SECRET = bytes(range(1, 33))
ENDS = {f"{number:032x}": ScopeEnd(number + 1, leaf_hash(b"%d" % number)) for number in range(9)}


@pytest.mark.parametrize("count", range(1, 10))
def test_every_scope_can_be_opened(count: int) -> None:
    """In logs of one to nine scopes, in whatever order they are handed over."""
    chosen = list(ENDS)[:count]
    ends = {scope: ENDS[scope] for scope in chosen}
    shuffled = {scope: ENDS[scope] for scope in random.Random(count).sample(chosen, count)}
    root = commit(ends, SECRET)
    assert commit(shuffled, SECRET) == root
    for scope in ends:
        opening = open_end(ends, SECRET, scope)
        assert opening.end == ends[scope]
        verify_opening(opening, root)


def test_an_opening_with_anything_changed_opens_nothing() -> None:
    """Its size, its leaf, its token, its place and each hash of its proof."""
    root = commit(ENDS, SECRET)
    for scope in ENDS:
        good = open_end(ENDS, SECRET, scope)
        proofs = [
            (*good.proof[:at], bytes(32), *good.proof[at + 1 :]) for at in range(len(good.proof))
        ]
        changed = [
            replace(good, end=replace(good.end, size=good.end.size + 1)),
            replace(good, end=replace(good.end, size=good.end.size - 1)),
            replace(good, end=replace(good.end, leaf=bytes(32))),
            replace(good, token=bytes(32)),
            replace(good, token=good.token[:-1]),
            replace(good, index=good.index ^ 1),
            replace(good, count=good.index),
            *(replace(good, proof=proof) for proof in proofs),
        ]
        for wrong in changed:
            with pytest.raises(ProofInvalidError):
                verify_opening(wrong, root)
        with pytest.raises(ProofInvalidError):
            verify_opening(good, commit(ENDS, OTHER_SECRET))


def test_an_opening_shows_nothing_of_another_scope() -> None:
    """No name, no token and no leaf hash of the others; the same search finds its own."""
    for scope in ENDS:
        shown = repr(open_end(ENDS, SECRET, scope))
        others = {other for other in ENDS if other != scope}
        for other in others:
            opened = open_end(ENDS, SECRET, other)
            assert other not in shown
            assert repr(opened.token) not in shown
            assert repr(opened.end.leaf) not in shown
        assert repr(open_end(ENDS, SECRET, scope).token) in shown
        assert repr(ENDS[scope].leaf) in shown


def test_the_order_of_the_scopes_changes_with_the_secret() -> None:
    """So that a place says nothing about a name."""
    places = {
        tuple(open_end(ENDS, bytes([number]) * 32, scope).index for scope in ENDS)
        for number in range(5)
    }
    assert len(places) == 5


def test_what_was_not_committed_to_cannot_be_opened() -> None:
    """Nor can anything be committed to under a secret that is too short."""
    with pytest.raises(KeyError):
        open_end(ENDS, SECRET, "f" * 32)
    with pytest.raises(ValueError, match="32 bytes"):
        commit(ENDS, b"short")

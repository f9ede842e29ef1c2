"""One scope's end can be shown, and nothing of the others."""

from __future__ import annotations

import hashlib
import hmac
import random
from dataclasses import replace

import pytest

from domain.assurance.proofs import ProofInvalidError
from domain.assurance.scope_heads import ScopeEnd, commit, open_end, verify_opening
from domain.assurance.tree import leaf_hash, node_hash

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
            *(replace(good, end=replace(good.end, size=size)) for size in (-1, 0, 2**63, 2**64)),
            *(replace(good, proof=proof) for proof in proofs),
        ]
        for wrong in changed:
            with pytest.raises(ProofInvalidError):
                verify_opening(wrong, root)
        with pytest.raises(ProofInvalidError):
            verify_opening(good, commit(ENDS, OTHER_SECRET))


def test_no_byte_can_move_from_the_token_to_the_size() -> None:
    """The leaf would be over the same bytes, and say another size."""
    root = commit(ENDS, SECRET)
    for scope in ENDS:
        good = open_end(ENDS, SECRET, scope)
        raw = good.token + good.end.size.to_bytes(8, "big") + good.end.leaf
        end = ScopeEnd(int.from_bytes(raw[31:39], "big"), raw[39:])
        with pytest.raises(ProofInvalidError):
            verify_opening(replace(good, token=raw[:31], end=end), root)
        end = ScopeEnd(int.from_bytes(raw[33:41], "big"), raw[41:])
        with pytest.raises(ProofInvalidError):
            verify_opening(replace(good, token=raw[:33], end=end), root)


def test_the_example_in_the_prose_is_right() -> None:
    """Three scopes, worked out by hand from what is said there."""
    chosen = {scope: ENDS[scope] for scope in list(ENDS)[:3]}
    tokens = {hmac.digest(SECRET, scope.encode(), "sha256"): end for scope, end in chosen.items()}
    a, b, c = (
        leaf_hash(token + tokens[token].size.to_bytes(8, "big") + tokens[token].leaf)
        for token in sorted(tokens)
    )
    assert commit(chosen, SECRET) == node_hash(node_hash(a, b), c)
    second = next(
        opening
        for opening in (open_end(chosen, SECRET, scope) for scope in chosen)
        if opening.token == sorted(tokens)[1]
    )
    assert (second.index, second.count, second.proof) == (1, 3, (a, c))


def leaf_of(token: bytes, end: ScopeEnd) -> bytes:
    """A leaf, if this is the token."""
    return leaf_hash(token + end.size.to_bytes(8, "big") + end.leaf)


def test_who_knows_all_of_another_scope_but_the_secret_cannot_find_it_in_an_opening() -> None:
    """Its name, size and last leaf; the opening; an opening of another commitment of the same."""
    names = list(ENDS)[:2]
    ends = {name: ENDS[name] for name in names}
    for own, other in (names, names[::-1]):
        opening, later = open_end(ends, SECRET, own), open_end(ends, OTHER_SECRET, other)
        (sibling,) = opening.proof
        keys = (b"", bytes(32), own.encode(), opening.token, later.token, commit(ends, SECRET))
        guesses = [later.token, opening.token, hashlib.sha256(other.encode()).digest()]
        for key in keys:
            guesses.append(hmac.digest(key, other.encode(), "sha256"))
            guesses.append(hashlib.sha256(key + other.encode()).digest())
        assert sibling not in {leaf_of(guess, ends[other]) for guess in guesses}
        # positive control: with the secret the same search finds it
        found = hmac.digest(SECRET, other.encode(), "sha256")
        assert sibling == leaf_of(found, ends[other])


def test_two_openings_of_one_scope_share_nothing_but_its_end() -> None:
    """So that who is shown two commitments cannot see what else stayed as it was."""
    for scope in ENDS:
        one, later = (open_end(ENDS, secret, scope) for secret in (SECRET, OTHER_SECRET))
        assert one.end == later.end
        assert {one.token, *one.proof}.isdisjoint({later.token, *later.proof})


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

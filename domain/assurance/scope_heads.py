"""A commitment to where every scope ends, of which one can be opened without the others.

A pack for one deployment must show that nothing of it was left out at its end, and must show
nothing of other deployments. Before a checkpoint the log therefore commits to the heads of all its
scopes: for each, how many entries it has and the leaf hash of the last one.

**What is committed to.** One leaf for each scope::

    SHA256(0x00 || token || size in 8 bytes || last leaf hash)

where ``token = HMAC-SHA256(secret, scope)``. The leaves stand in the order of their tokens, and the
root is the tree hash over them (:mod:`domain.assurance.tree`).

**Why it hides.** A scope's name is random, but staff know names of other deployments, and could
try them against hashes that they see; sizes are small numbers, and easily tried. An opening shows
its own token, the place and number of the leaves, and the hashes beside its path. Each of those is
over at least one other token. A token is the output of a keyed function whose key, the secret,
never leaves the log's premises: nobody without it can work out the token of another scope from its
name, from this token, or from those of other commitments, so no guess can be tried, not even by
who knows all of another scope but its token. Were one salt given out for all leaves, every guess
could be. The order is that of the tokens, and says nothing. The secret is new for each commitment,
so that two openings of different scopes, or of one at different times, share nothing. What is
shown is how many scopes there are.

**Why it binds.** The leaf is over the hash of the scope's last entry, and that entry names its
scope and its place there: a leaf of one scope cannot be shown as the end of another, nor with
another size. What an opening does not show is that the log made only one leaf for a scope: tokens
are not checked against names, since that takes the secret, and a dishonest log could commit to an
earlier end of a scope under a second token. Whoever is given all entries and the secret recomputes
the root and sees it. An opening is for one of ``count`` places, so that no more leaves than that
can ever be opened: whoever has the entries alone compares the count with the number of scopes.

**Example.** Three scopes with the tokens 5e.., 91.. and c0..: their leaves a, b, c stand in this
order, and the root is node(node(a, b), c). The opening of the second has index 1, count 3 and the
proof [a, c].
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from domain.assurance.proofs import (
    LevelHashes,
    ProofInvalidError,
    inclusion_proof,
    verify_inclusion,
)
from domain.assurance.tree import HASH_SIZE, leaf_hash

SECRET_BYTES = 32


@dataclass(frozen=True)
class ScopeEnd:
    """Where a scope ends."""

    size: int
    """How many entries it has."""
    leaf: bytes
    """The leaf hash of its last entry."""


@dataclass(frozen=True)
class Opening:
    """What shows one scope's end in a commitment."""

    token: bytes
    end: ScopeEnd
    index: int
    """Its place in the order of the tokens."""
    count: int
    """How many scopes were committed to."""
    proof: tuple[bytes, ...]


def commit(ends: Mapping[str, ScopeEnd], secret: bytes) -> bytes:
    """The root of a commitment to these ends.

    Args:
        ends: of every scope of the log.
        secret: 32 random bytes, used for this commitment alone.
    """
    return _tree(ends, secret)[0].root()


def open_end(ends: Mapping[str, ScopeEnd], secret: bytes, scope: str) -> Opening:
    """What shows one scope's end to somebody who has only the root.

    Raises:
        KeyError: nothing was committed to about this scope.
    """
    end = ends[scope]
    tree, order = _tree(ends, secret)
    token = _token(secret, scope)
    index = order.index(token)
    return Opening(
        token=token,
        end=end,
        index=index,
        count=len(order),
        proof=tuple(inclusion_proof(index, size=len(order), hash_at=tree.hash_at)),
    )


def verify_opening(opening: Opening, root: bytes) -> None:
    """Check that a commitment with this root is to this end.

    Raises:
        ProofInvalidError: it is not.
    """
    if len(opening.token) != HASH_SIZE or len(opening.end.leaf) != HASH_SIZE:
        raise ProofInvalidError(f"expected a token and a leaf hash of {HASH_SIZE} bytes")
    if not 0 < opening.end.size < 2**63:
        raise ProofInvalidError(f"expected a size from 1 up, found {opening.end.size}")
    verify_inclusion(
        _leaf(opening.token, opening.end),
        index=opening.index,
        size=opening.count,
        proof=opening.proof,
        root=root,
    )


def _tree(ends: Mapping[str, ScopeEnd], secret: bytes) -> tuple[LevelHashes, list[bytes]]:
    """The tree over all leaves, and their tokens in its order."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"expected a secret of {SECRET_BYTES} bytes, found {len(secret)}")
    by_token = {_token(secret, scope): end for scope, end in ends.items()}
    order = sorted(by_token)
    tree = LevelHashes()
    for token in order:
        tree.append(_leaf(token, by_token[token]))
    return tree, order


def _token(secret: bytes, scope: str) -> bytes:
    return hmac.new(secret, scope.encode(), hashlib.sha256).digest()


def _leaf(token: bytes, end: ScopeEnd) -> bytes:
    return leaf_hash(token + end.size.to_bytes(8, "big") + end.leaf)

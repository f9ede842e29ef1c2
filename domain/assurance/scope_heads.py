"""A commitment to where every scope ends, of which one can be opened without the others.

A pack for one deployment must show that nothing of it was left out at its end, and must show
nothing of other deployments. Before a checkpoint the log therefore commits to the heads of all its
scopes: for each, how many entries it has and the leaf hash of the last one.

**What is committed to.** One leaf for each scope::

    SHA256(0x00 || token || size in 8 bytes || last leaf hash)

where ``token = HMAC-SHA256(secret, scope)``. The leaves stand in the order of their tokens, and the
root is the tree hash over them (:mod:`domain.assurance.tree`).

**Why it hides.** A scope's name is random, but staff know names of other deployments, and could
try them against hashes that they see. An opening shows one token, and inclusion hashes. Without the
secret, which never leaves the log's premises and is new for each commitment, no token of another
scope can be worked out from its name, so no guess can be tried; the order of the tokens says
nothing either. The opening's own token opens nothing else.

**Why it binds.** Two different states of a scope at one commitment would be two leaves with the
same token; whoever opens shows the index, the size and the token, and the log's verifier checks
that the opened token is the one for the scope by the entries themselves: the last leaf hash is
over an entry that names the scope. What it does not show: that the log did not commit to one scope
under two tokens. Whoever has the secret can check that.
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
        ends: of every scope of the log, at least one.
        secret: 32 random bytes, used for this commitment alone.
    """
    return _tree(ends, secret)[0].root()


def open_end(ends: Mapping[str, ScopeEnd], secret: bytes, scope: str) -> Opening:
    """What shows one scope's end to somebody who has only the root.

    Raises:
        KeyError: nothing was committed to about this scope.
    """
    tree, order = _tree(ends, secret)
    index = order.index(scope) if scope in ends else _missing(scope)
    return Opening(
        token=_token(secret, scope),
        end=ends[scope],
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


def _tree(ends: Mapping[str, ScopeEnd], secret: bytes) -> tuple[LevelHashes, list[str]]:
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"expected a secret of {SECRET_BYTES} bytes, found {len(secret)}")
    order = sorted(ends, key=lambda scope: _token(secret, scope))
    tree = LevelHashes()
    for scope in order:
        tree.append(_leaf(_token(secret, scope), ends[scope]))
    return tree, order


def _token(secret: bytes, scope: str) -> bytes:
    return hmac.new(secret, scope.encode(), hashlib.sha256).digest()


def _leaf(token: bytes, end: ScopeEnd) -> bytes:
    return leaf_hash(token + end.size.to_bytes(8, "big") + end.leaf)


def _missing(scope: str) -> int:
    raise KeyError(scope)

"""What a re-checker signs: that it looked for destroyed items with its own eyes, and what it saw.

Source: Ed25519 as in RFC 8032, over canonical JSON as in RFC 8785.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from domain.assurance.entries import canonical

FORMAT = "plumbline-recheck/v1"

_SIGNED = ("items", "recheck", "rechecker", "still_there", "tombstone_digest", "tombstone_sequence")
"""The fields of ``destruction.rechecked`` that the signature is over."""


def key_name(public_key: str) -> str:
    """How the record calls a key: the first 16 hex digits of the SHA-256 of its 32 bytes.

    Args:
        public_key: Ed25519, hex.
    """
    return sha256(bytes.fromhex(public_key)).hexdigest()[:16]


def public_key_of(key: Ed25519PrivateKey) -> str:
    """The public half, hex."""
    return key.public_key().public_bytes_raw().hex()


def statement(body: Mapping[str, Any]) -> bytes:
    """What is signed of a re-check: the fields of its event, as JSON values."""
    return canonical({"format": FORMAT, **{name: body[name] for name in _SIGNED}})


def signed(statement: bytes, key: Ed25519PrivateKey) -> str:
    """The signature, hex."""
    return key.sign(statement).hex()


def recheck_holds(body: Mapping[str, Any], public_key: str) -> bool:
    """Whether the key signed this re-check, and is the one that it names.

    Args:
        body: of ``destruction.rechecked``, as it is stored.
        public_key: Ed25519, hex.
    """
    return signature_holds(statement(body), body, public_key)


def signature_holds(statement: bytes, body: Mapping[str, Any], public_key: str) -> bool:
    """Whether the ``signature`` in a body is this key's over a statement, and names the key."""
    try:
        if key_name(public_key) != body["rechecker"]:
            return False
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(body["signature"]), statement)
    except (InvalidSignature, ValueError):
        return False
    return True

"""Inventories of the stores: how a set of items becomes a root, and what ought to be there.

An item ought to be in the keystore and in the media store from its ``item.sealed`` until its
``item.destruction_started``. Between its registration and its seal, and between the beginning and
the end of its destruction, it may be there or not: so it is in no root and in no count.

A root is the Merkle root (RFC 9162) over the sorted names: of items their 16 bytes, of epochs their
text. It tells two sets apart without naming what is in them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.assurance.entries import canonical
from domain.assurance.rechecks import signature_holds
from domain.assurance.tree import Frontier, leaf_hash

FORMAT = "plumbline-inventory/v1"

_SIGNED = (
    "as_of",
    "epoch_count",
    "epoch_root",
    "keystore_count",
    "keystore_root",
    "media_count",
    "media_root",
    "missing",
    "orphans",
    "rechecker",
    "resurrected",
    "tombstone_digest",
    "tombstone_sequence",
)
"""The fields of ``inventory.attested`` that the signature is over."""
_ALSO_SIGNED = ("epochs", "skipped")
"""Those that came with its second shape."""

REMEMBERED = 10_000
"""Changes that an inventory may lag behind; more than were ever between listing and storing."""


@dataclass(frozen=True)
class Listed:
    """A set of names, as an inventory tells it."""

    count: int
    root: str
    """Hex."""


def listed(names: Iterable[bytes]) -> Listed:
    """Count and root of a set of names."""
    tree = Frontier()
    for name in sorted(set(names)):
        tree.append(leaf_hash(name))
    return Listed(tree.size, tree.root().hex())


def items_listed(items: Iterable[str]) -> Listed:
    """Count and root of items, each given as 32 hex digits."""
    return listed(bytes.fromhex(one) for one in items)


def statement(body: Mapping[str, Any], scope: str) -> bytes:
    """What is signed of an inventory: the fields of its event, and the scope that it is about."""
    names = [*_SIGNED, *(one for one in _ALSO_SIGNED if one in body)]
    return canonical({"format": FORMAT, "scope": scope, **{name: body[name] for name in names}})


def attestation_holds(body: Mapping[str, Any], scope: str, public_key: str) -> bool:
    """Whether the key signed this inventory, and is the one that it names.

    Args:
        body: of ``inventory.attested``, as it is stored.
        scope: of its entry.
        public_key: Ed25519, hex.
    """
    return signature_holds(statement(body, scope), body, public_key)


@dataclass
class Listing:
    """The items that ought to be in the stores, as one goes through the entries of the log."""

    _now: dict[str, str] = field(default_factory=dict)
    """Item to deployment."""
    _changes: deque[tuple[int, str, str, bool]] = field(
        default_factory=lambda: deque(maxlen=REMEMBERED)
    )
    """Position, item, deployment, and whether it came."""

    def add(self, position: int, item: str, deployment: str) -> None:
        """An item came to exist with the entry at this position."""
        self._now[item] = deployment
        self._changes.append((position, item, deployment, True))

    def remove(self, position: int, item: str, deployment: str) -> None:
        """From this position on an item need not be there."""
        if self._now.pop(item, None) is not None:
            self._changes.append((position, item, deployment, False))

    def at(self, size: int, deployment: str | None) -> set[str] | None:
        """What ought to be there when the log had this size: of a deployment, or of all.

        Returns:
            The items; None where that is so long ago that it is not remembered.
        """
        if len(self._changes) == REMEMBERED and self._changes[0][0] >= size:
            return None
        then = dict(self._now)
        for position, item, whose, came in reversed(self._changes):
            if position < size:
                break
            if came:
                then.pop(item, None)
            else:
                then[item] = whose
        return {item for item, whose in then.items() if deployment in (None, whose)}

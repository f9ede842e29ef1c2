"""Small logs made in memory, honestly and by people who would rather have another history."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.entries import canonical, complete
from domain.assurance.notes import SignerKey
from domain.assurance.tree import Frontier, leaf_hash
from domain.assurance.verification import (
    StoredHead,
    StoredRow,
    StoredScopeHead,
    Verdict,
    verify,
)

ORIGIN = "example.org/plumbline/rehearsal"
KEY = SignerKey(ORIGIN, bytes(range(32)))
OTHER_KEY = SignerKey(ORIGIN, bytes(range(1, 33)))

SCOPES = ("force", "d1" * 16, "d2" * 16)
STREAMS = tuple(f"{number:032x}" for number in range(1, 6))


def half_an_entry(**changed: object) -> dict[str, object]:
    """What an event knows of itself."""
    return {
        "v": 1,
        "name": "alert.viewed",
        "shape": 1,
        "stream": STREAMS[0],
        "version": 1,
        "occurred_at": "2026-11-23T09:30:00.000Z",
        "body": {"camera": "c1", "ordinal": 1},
    } | changed


def place_in_the_log(**changed: Any) -> dict[str, Any]:
    """What only the log knows of an entry."""
    return {
        "log": ORIGIN,
        "pos": 0,
        "mode": "rehearsal",
        "scope": SCOPES[0],
        "scope_pos": 0,
        "scope_prev": None,
        "recorded_at": "2026-11-23T09:30:00.250Z",
        "clock": "trusted",
        "actor": "officer-1",
        "role": "operator",
        "cause": "c" * 32,
    } | changed


@dataclass(frozen=True)
class Log:
    """A log as a store would hold it."""

    rows: tuple[StoredRow, ...]
    head: StoredHead
    scope_heads: tuple[StoredScopeHead, ...]

    def root(self, size: int | None = None) -> bytes:
        """The root over the first entries, or over all."""
        tree = Frontier()
        for row in self.rows[:size]:
            tree.append(row.leaf)
        return tree.root()

    def checkpoint(
        self, size: int | None = None, *, key: SignerKey = KEY, origin: str = ORIGIN
    ) -> str:
        """A signed checkpoint over the first entries, or over all."""
        size = len(self.rows) if size is None else size
        return sign(Checkpoint(origin, size, self.root(size)), key)

    def with_rows(self, rows: Iterable[StoredRow]) -> Log:
        """Other rows under the same heads."""
        return replace(self, rows=tuple(rows))

    def with_row(self, place: int, /, **changed: Any) -> Log:
        """One row changed in place, and nothing else."""
        return self.with_rows(
            row._replace(**changed) if index == place else row
            for index, row in enumerate(self.rows)
        )


def a_log(size: int = 40, *, entries: Mapping[int, Mapping[str, object]] | None = None) -> Log:
    """A log of three scopes and five streams.

    Args:
        size: the number of entries.
        entries: fields of some entries that differ, by position. Everything after is worked
            out from the entries as they then are: this is also the attacker who rewrites a
            history from some entry on and lacks only the key.
    """
    scopes: dict[str, tuple[int, str | None]] = {}
    versions: dict[str, int] = {}
    blobs = []
    for pos in range(size):
        scope, stream = SCOPES[pos * pos % 3 if pos % 4 else 2], STREAMS[pos % len(STREAMS)]
        scope_pos, scope_prev = scopes.get(scope, (0, None))
        versions[stream] = versions.get(stream, 0) + 1
        blob = complete(
            half_an_entry(stream=stream, version=versions[stream], body={"ordinal": pos}),
            **place_in_the_log(pos=pos, scope=scope, scope_pos=scope_pos, scope_prev=scope_prev),
        )
        if entries and pos in entries:
            blob = canonical(json.loads(blob) | entries[pos])
        scopes[scope] = (scope_pos + 1, leaf_hash(blob).hex())
        blobs.append(blob)
    return stored(blobs)


def stored(blobs: Sequence[bytes], *, columns: Sequence[StoredRow] = ()) -> Log:
    """A log of these entries, with all that can be worked out without a key.

    Args:
        blobs: the entries.
        columns: where an entry cannot be read, the columns of the row at its place are taken.
    """
    tree, heads, rows = Frontier(), dict[str, StoredScopeHead](), []
    for position, blob in enumerate(blobs):
        leaf = leaf_hash(blob)
        tree.append(leaf)
        row = _row(position, leaf, blob) or columns[position]._replace(leaf=leaf, blob=blob)
        heads[row.scope] = StoredScopeHead(row.scope, row.scope_pos + 1, leaf.hex())
        rows.append(row)
    return Log(tuple(rows), StoredHead(tree.size, tree.to_bytes()), tuple(heads.values()))


def verified(log: Log, *, own: str | None = None, outside: str | None = None) -> Verdict:
    """The verdict on a log, its rows given one by one as a store gives them."""
    return verify(
        iter(log.rows),
        head=log.head,
        scope_heads=iter(log.scope_heads),
        key=KEY.verifier(),
        own_checkpoint=own,
        outside_checkpoint=outside,
    )


def _row(position: int, leaf: bytes, blob: bytes) -> StoredRow | None:
    try:
        entry = json.loads(blob)
        return StoredRow(
            position=position,
            stream=entry["stream"],
            version=entry["version"],
            name=entry["name"],
            scope=entry["scope"],
            scope_pos=int(entry["scope_pos"]),
            leaf=leaf,
            blob=blob,
        )
    except (ValueError, KeyError, TypeError):
        return None

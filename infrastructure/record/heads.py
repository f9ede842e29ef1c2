"""The heads of a log: what the next entries are placed behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.assurance.verification import StoredScopeHead

HEADS = (
    "SELECT head.size AS log_size, head.frontier, one.scope, one.size, one.leaf "
    "FROM log_head head LEFT JOIN scope_head one ON 1 = 1 ORDER BY one.scope"
)
"""One statement, so that all are read at one instant on any database."""


@dataclass(frozen=True)
class Heads:
    """The log's head and the heads of all scopes at one instant, as they are stored."""

    size: int
    frontier: bytes
    scopes: Sequence[StoredScopeHead]

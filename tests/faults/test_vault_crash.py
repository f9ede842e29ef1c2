"""The vault, killed, interrupted and out of room: what it answered holds, the rest can be repeated.

Three kinds of fault. Kills at random moments; a stop before every single step that goes to disk;
and a limit on the size of files, which ends a write in its middle as a full disk does. With the
signal that comes with that limit ignored the write fails; with the signal taken, the process dies
there, in the middle of SQLite's own COMMIT too.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID

import pytest

from domain.custody.sealing import ItemLabel
from domain.kernel.errors import DomainError
from domain.ports import CiphertextMissingError, KeyDestroyedError
from tests.contract.vault.examples import NOON, SALT, OnDisk, item, label, on_disk
from tests.support.residue import search

KILLS = 8
SEED = 20261123
CONTENT = random.Random(SEED).randbytes(50_000)
_PROCESSES = multiprocessing.get_context("spawn")


# Kills at random moments


@dataclass
class Told:
    """What a process said before it was killed."""

    sealed: set[UUID] = field(default_factory=set)
    to_be_destroyed: set[UUID] = field(default_factory=set)
    destroyed: dict[UUID, tuple[int, str]] = field(default_factory=dict)

    def take(self, line: tuple[str, UUID, int, str]) -> None:
        """One more thing that was said."""
        what, one, sequence, digest = line
        if what == "sealed":
            self.sealed.add(one)
        elif what == "to be destroyed":
            self.to_be_destroyed.add(one)
        else:
            self.destroyed[one] = (sequence, digest)


def one_of_many(seed: int, number: int) -> ItemLabel:
    """The items of one process do not meet those of another."""
    return label(item_class=f"class {seed}").__class__(
        item=UUID(int=random.Random(seed * 1_000_000 + number).getrandbits(128)),
        item_class="face_crop",
        deployment=label().deployment,
        content_type="image/png",
    )

"""A full disk: what does not fit is refused as a whole, and nothing that was stored is harmed.

The disk is a limit on the size of a file, set in a process of its own: a write beyond it fails
as a write to a full disk does.
"""

from __future__ import annotations

import resource
import signal
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from domain.assurance.notes import SignerKey
from domain.assurance.verification import Kind
from infrastructure.record.databases import RecordUnavailableError
from tests.contract.record.examples import asked, viewed
from tests.support.processes import another_process
from tests.support.stores import ORIGIN, SQLiteStore

KEY = SignerKey(ORIGIN, bytes(range(32))).verifier()


@dataclass(frozen=True)
class Account:
    """What the process on the full disk saw."""

    stored: int
    """Entries of which an append had said that they are stored."""
    messages: list[str]
    """Of the append that met the full disk, and of one more that met it again."""
    found: int
    """Entries that are there while the disk is full."""
    kind: str
    """What verification says of them."""
    afterwards: int
    """The size after one more append, once there is space again."""
    kind_afterwards: str


def fill(database: Path, spare: int) -> Account:
    """Append until the disk is full, then once more, then make space and append again."""
    store = SQLiteStore(database)
    record = store.open()
    stored = record.append(*(viewed(number) for number in range(3)), by=asked())
    largest = max(file.stat().st_size for file in store.file.parent.glob("record.db*"))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + spare, resource.RLIM_INFINITY))
    messages: list[str] = []
    for number in count(100, step=5):
        try:
            stored = record.append(*(viewed(number + one) for one in range(5)), by=asked())
        except RecordUnavailableError as error:
            messages.append(str(error))
            if len(messages) == 2:
                break
    found, kind = len(store.rows()), store.kind(KEY)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    afterwards = record.append(viewed(1, version=2), by=asked())
    return Account(stored, messages, found, kind, afterwards, store.kind(KEY))


def fill_and_tell(telling: Connection, database: Path, spare: int) -> None:
    """Send the account home."""
    telling.send(fill(database, spare))


@pytest.mark.parametrize("spare", [0, 100, 5_000, 41_000, 150_001])
def test_a_full_disk_refuses_the_append_and_harms_nothing(tmp_path: Path, spare: int) -> None:
    """The log verifies while the disk is full, and takes entries again once there is space."""
    store = SQLiteStore.fresh(tmp_path)
    with another_process(fill_and_tell, store.file, spare) as (_, telling):
        account = telling.recv()
    assert account.found == account.stored >= 3
    assert all("did not take 5 events" in message for message in account.messages)
    assert (account.kind, account.kind_afterwards) == (Kind.UNANCHORED, Kind.UNANCHORED)
    assert account.afterwards == account.stored + 1
    assert len(store.rows()) == account.stored + 1

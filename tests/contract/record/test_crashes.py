"""What was said to be stored is stored, whatever becomes of the process that said it."""

from __future__ import annotations

import random
from contextlib import suppress
from multiprocessing.connection import Connection

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.notes import SignerKey
from domain.assurance.tree import Frontier
from domain.assurance.verification import Kind
from tests.contract.record.examples import asked, face, viewed
from tests.support.processes import another_process
from tests.support.stores import ORIGIN, Store, reach

KILLS = 5
KEY = SignerKey(ORIGIN, bytes(range(32)))


def append_without_end(telling: Connection, address: str, seed: int) -> None:
    """Append transactions of one to nine entries, and tell of each once its COMMIT is done."""
    record = reach(address).open()
    chosen = random.Random(seed)
    for number in range(1_000_000):
        scope = chosen.choice(["one", "two", "three"])
        faces = [face(number, camera=scope) for _ in range(chosen.randrange(9))]
        size = record.append(viewed(seed * 1_000_000 + number), *faces, by=asked(scope=scope))
        telling.send(size)


def killed_while_appending(store: Store, seed: int) -> list[int]:
    """The sizes that a process told of before it was killed, in the middle of whatever it did."""
    moment = random.Random(seed).randrange(1, 60)
    with another_process(append_without_end, store.address, seed) as (process, telling):
        told = [telling.recv() for _ in range(moment)]
        process.kill()
        process.join()
        with suppress(EOFError):
            while True:
                told.append(telling.recv())
    return told


def test_a_killed_process_loses_nothing_that_it_said_was_stored(store: Store) -> None:
    """Five kills, one after the other, each on what the one before left behind."""
    for seed in range(1, KILLS + 1):
        told = killed_while_appending(store, seed)
        rows = store.rows()
        assert max(told) <= len(rows), "an entry that was told of is gone"
        assert [row.position for row in rows] == list(range(len(rows)))
        assert store.kind(KEY.verifier()) is Kind.UNANCHORED

        record = store.open()
        assert record.append(viewed(seed), by=asked()) == len(rows) + 1
        tree = Frontier()
        for leaf in record.leaves():
            tree.append(leaf)
        signed = sign(Checkpoint(ORIGIN, record.size(), tree.root()), KEY)
        found = store.verdict(KEY.verifier(), own=signed)
        assert (found.kind, found.unanchored_tail) == (Kind.SOUND, 0)

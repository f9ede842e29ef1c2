"""The vault, killed, stopped and out of room: what it answered holds, the rest can be repeated.

Three kinds of fault. A kill at a random moment. A stop before each single step that our own code
takes on the disk. And a limit on the size of files, which ends a write in its middle as a full disk
does: with its signal ignored the write fails; with its signal taken the process dies right there,
in the middle of SQLite's COMMIT too.
"""

from __future__ import annotations

import os
import random
import resource
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from domain.custody.sealing import Tombstone
from domain.kernel.errors import DomainError
from domain.ports import CiphertextMissingError, KeyDestroyedError, VaultError
from tests.contract.vault.examples import NOON, SALT, OnDisk, item, label, on_disk
from tests.support.processes import PROCESSES
from tests.support.residue import search

KILLS = 8
SEED = 20261123
CONTENT = random.Random(SEED).randbytes(200_000)
PIECES = {f"content at {at}": CONTENT[at : at + 48] for at in range(0, len(CONTENT), 20_000)}


_ITEMS = UUID("0f2f6b1e-6c1d-5b0f-8a54-0d7d3c0f9b11")


@dataclass
class Told:
    """What processes said before they were killed."""

    sealed: set[UUID] = field(default_factory=set)
    being_destroyed: set[UUID] = field(default_factory=set)
    destroyed: dict[UUID, Tombstone] = field(default_factory=dict)

    def take(self, one: UUID, what: str | Tombstone) -> None:
        """One more thing that was said of an item."""
        if isinstance(what, Tombstone):
            self.destroyed[one] = what
        else:
            {"sealed": self.sealed, "being destroyed": self.being_destroyed}[what].add(one)


def seal_and_destroy_without_end(path: Path, seed: int, telling: Connection) -> None:
    """Seal items and destroy every other one, and tell of each once it was answered."""
    chosen = random.Random(seed)
    living = []
    with on_disk(path) as opened:
        for number in count():
            one = uuid5(_ITEMS, f"{seed}/{number}")
            opened.vault.seal(label(item=one), salt=SALT, content=one.bytes * 500)
            telling.send((one, "sealed"))
            living.append(one)
            if chosen.random() < 0.5:
                gone = living.pop(chosen.randrange(len(living)))
                telling.send((gone, "being destroyed"))
                telling.send((gone, opened.vault.destroy_keys([gone], at=NOON)[gone]))
                opened.vault.remove_ciphertexts([gone])


def kill_at_a_random_moment(path: Path, seed: int, told: Told) -> None:
    """Let a process seal and destroy, and kill it in the middle of whatever it does."""
    chosen = random.Random(SEED + seed)
    hearing, telling = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=seal_and_destroy_without_end, args=(path, seed, telling))
    process.start()
    telling.close()
    for _ in range(chosen.randrange(1, 40)):
        told.take(*hearing.recv())
    process.join(timeout=chosen.uniform(0, 0.005))
    process.kill()
    process.join()
    with suppress(EOFError):
        while True:
            told.take(*hearing.recv())
    assert process.exitcode == -signal.SIGKILL


def test_a_killed_process_takes_back_nothing_that_it_answered(tmp_path: Path) -> None:
    """Eight kills, each on what the one before left; then all that is left can be destroyed."""
    told = Told()
    for seed in range(KILLS):
        kill_at_a_random_moment(tmp_path, seed, told)
        with on_disk(tmp_path) as opened:
            opened.keystore.verify_tombstones()
            for one in told.sealed - told.being_destroyed:
                assert opened.vault.open(label(item=one)) == one.bytes * 500
            for one, tombstone in told.destroyed.items():
                with pytest.raises(KeyDestroyedError):
                    opened.vault.open(label(item=one))
                assert opened.vault.destroy_keys([one], at=NOON)[one] == tombstone
            assert opened.media.strays() == []
            # Between a key and its ciphertext a process is with one item at a time.
            in_between = opened.vault.keys() ^ opened.vault.ciphertexts()
            assert len(in_between) <= seed + 1
    assert len(told.destroyed) > KILLS

    with on_disk(tmp_path) as opened:
        for one in opened.vault.keys() | opened.vault.ciphertexts():
            opened.vault.destroy_keys([one], at=NOON)[one]
            opened.vault.remove_ciphertexts([one])
        newest = opened.keystore.verify_tombstones()
        assert newest and newest.sequence >= len(told.sealed)
        assert opened.vault.keys() == opened.vault.ciphertexts() == set()


class Stopped(BaseException):
    """The process ended here. Not an ``Exception``, so that nothing tidies up after it."""


@contextmanager
def stopping_before(step: int) -> Iterator[list[str]]:
    """Stop before one of the calls that change what is on the disk, counted from 1.

    Yields:
        The names of the calls so far. A transaction of SQLite's is no call of ours: it is done
        once the keystore's directory is synced.
    """
    calls: list[str] = []

    def stopping(name: str, call: Callable[..., None]) -> Callable[..., None]:
        def counted(*arguments: object) -> None:
            calls.append(name)
            if len(calls) == step:
                raise Stopped(f"before call {step}: {name}")
            call(*arguments)

        return counted

    with pytest.MonkeyPatch.context() as patch:
        for name in ("mkdir", "fsync", "rename", "unlink"):
            patch.setattr(os, name, stopping(name, getattr(os, name)))
        yield calls


def seal(opened: OnDisk) -> None:
    """Seal the item."""
    opened.vault.seal(label(), salt=SALT, content=CONTENT)


def destroy(opened: OnDisk) -> None:
    """Destroy the item, both steps."""
    opened.vault.destroy_keys([item()], at=NOON)[item()]
    opened.vault.remove_ciphertexts([item()])


OPENING = ["mkdir", "fsync", "rename", "fsync", "fsync", "mkdir", "fsync"]
SEALING = ["fsync", "mkdir", "fsync", "fsync", "rename", "fsync"]
SEALING_AGAIN = ["fsync", "fsync", "rename", "fsync"]
DESTROYING = ["fsync", "unlink", "unlink", "fsync"]


def test_the_steps_that_are_stopped_below_are_all_there_are(tmp_path: Path) -> None:
    """Otherwise a new step would never be stopped before."""
    with stopping_before(0) as calls, on_disk(tmp_path) as opened:
        assert calls == OPENING
        calls.clear()
        seal(opened)
        assert calls == SEALING
        calls.clear()
        seal(opened)
        assert calls == SEALING_AGAIN
        calls.clear()
        destroy(opened)
        assert calls == DESTROYING


@pytest.mark.parametrize("step", range(1, len(OPENING) + 1))
def test_a_vault_whose_making_was_stopped_is_made_by_the_next_start(
    tmp_path: Path, step: int
) -> None:
    """At whatever step: it is empty, and it can be used."""
    with pytest.raises(Stopped), stopping_before(step), on_disk(tmp_path):
        pass
    with on_disk(tmp_path) as opened:
        assert not opened.vault.holds(item())
        seal(opened)
    with on_disk(tmp_path) as opened:
        assert opened.vault.open(label()) == CONTENT


@pytest.mark.parametrize(
    ("step", "already_sealed"),
    [
        (step, again)
        for again, calls in ((False, SEALING), (True, SEALING_AGAIN))
        for step in range(1, len(calls) + 1)
    ],
)
def test_a_sealing_that_was_stopped_can_be_repeated_or_undone(
    tmp_path: Path, step: int, already_sealed: bool
) -> None:
    """At whatever step: what there is of the item is listed; repeated it opens; destroyed it is
    gone. Also where it replaced an earlier sealing."""
    paths = [tmp_path / "repeated", tmp_path / "undone"]
    for path in paths:
        with on_disk(path) as opened:
            if already_sealed:
                seal(opened)
            with pytest.raises(Stopped), stopping_before(step):
                seal(opened)
    with on_disk(paths[0]) as opened:
        assert opened.vault.keys() == {item()}
        seal(opened)
        assert opened.vault.open(label()) == CONTENT
        assert opened.vault.keys() == opened.vault.ciphertexts() == {item()}
    with on_disk(paths[1]) as opened:
        destroy(opened)
        assert opened.vault.keys() == opened.vault.ciphertexts() == set()
        assert search([paths[1]], PIECES) == []


@pytest.mark.parametrize("step", range(1, len(DESTROYING) + 1))
def test_a_destruction_that_was_stopped_can_be_repeated(tmp_path: Path, step: int) -> None:
    """At whatever step the key is gone already; repeated, the ciphertext is too, and one tombstone
    tells of both attempts."""
    with on_disk(tmp_path) as opened:
        seal(opened)
        with pytest.raises(Stopped), stopping_before(step):
            destroy(opened)
    with on_disk(tmp_path) as opened:
        with pytest.raises(KeyDestroyedError):
            opened.vault.open(label())
        destroy(opened)
        assert not opened.vault.holds(item())
        newest = opened.keystore.verify_tombstones()
        assert newest and newest.sequence == 1


ACTS: Mapping[str, Callable[[OnDisk], None]] = {"seal": seal, "destroy": destroy}
# The first bytes of the journal, its header, its first page, and pages of the database itself:
# the last limit is met in the middle of COMMIT, with a whole journal.
IN_THE_KEYSTORE = [0, 600, 6_000, 30_000]
IN_THE_MEDIA_STORE = 100_000
NOWHERE = 1_000_000


def act_within(
    path: Path, act: str, limit: int, *, dying: bool, again: bool, telling: Connection
) -> None:
    """Seal or destroy while no file may grow beyond a limit, and tell what came of it.

    Args:
        path: of the vault.
        act: a name in ``ACTS``.
        limit: bytes.
        dying: take the signal that comes with the limit, instead of a failed write.
        again: do it once more, without the limit, on the same connection.
        telling: where to.
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if dying else signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with on_disk(path) as opened:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
        try:
            ACTS[act](opened)
        except DomainError as error:
            telling.send(f"{type(error).__name__}: {error}")
        else:
            telling.send("done")
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        if again:
            ACTS[act](opened)
            telling.send("done")


def told_within(
    path: Path, act: str, limit: int, *, dying: bool = False, again: bool = False
) -> list[str]:
    """Do it in a process of its own; what it told before it ended."""
    hearing, telling = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(
        target=act_within,
        args=(path, act, limit),
        kwargs={"dying": dying, "again": again, "telling": telling},
    )
    process.start()
    telling.close()
    told = []
    with suppress(EOFError):
        while True:
            told.append(hearing.recv())
    process.join()
    assert process.exitcode == (-signal.SIGXFSZ if dying else 0)
    return told


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A vault whose keystore has many pages, so that a limit can be met in each part of it."""
    with on_disk(tmp_path) as opened:
        opened.execute(
            "WITH RECURSIVE one(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one WHERE n < 400) "
            "INSERT INTO item_key (item, wrapped) "
            "SELECT lower(hex(randomblob(16))), randomblob(56) FROM one"
        )
        assert IN_THE_KEYSTORE[-1] < opened.database.stat().st_size < IN_THE_MEDIA_STORE
    return tmp_path


@pytest.mark.parametrize("limit", IN_THE_KEYSTORE)
@pytest.mark.parametrize("dying", [False, True])
def test_a_keystore_without_room_takes_no_key(filled: Path, limit: int, dying: bool) -> None:
    """There is neither key nor ciphertext; with room, sealing succeeds."""
    told = told_within(filled, "seal", limit, dying=dying)
    assert [one.split(":")[0] for one in told] == ([] if dying else ["KeystoreError"])
    with on_disk(filled) as opened:
        assert not opened.vault.holds(item())
        seal(opened)
        assert opened.vault.open(label()) == CONTENT


@pytest.mark.parametrize("limit", IN_THE_KEYSTORE)
@pytest.mark.parametrize("dying", [False, True])
def test_a_keystore_without_room_destroys_nothing_and_later_all(
    filled: Path, limit: int, dying: bool
) -> None:
    """No tombstone without the deletion and no deletion without a tombstone; and no journal that
    was left behind keeps the key."""
    with on_disk(filled) as opened:
        seal(opened)
        ((wrapped,),) = opened.execute("SELECT wrapped FROM item_key WHERE item = ?", item().hex)
    told = told_within(filled, "destroy", limit, dying=dying)
    assert [one.split(":")[0] for one in told] == ([] if dying else ["KeystoreError"])
    found = {one.path.name for one in search([filled], {"wrapped": wrapped})}
    # A process that dies cannot roll back, and one whose COMMIT met the limit meets it again when
    # it rolls back: the journal stays for the next start, with the key in it.
    in_the_journal = limit > (600 if dying else 6_000)
    assert found == {"keystore.db"} | ({"keystore.db-journal"} if in_the_journal else set())
    with on_disk(filled) as opened:
        assert opened.vault.open(label()) == CONTENT
        assert opened.keystore.verify_tombstones() is None
        destroy(opened)
        assert not opened.vault.holds(item())
        assert search([filled], {"wrapped": wrapped}) == []


@pytest.mark.parametrize("dying", [False, True])
def test_a_media_store_without_room_keeps_nothing_readable(filled: Path, dying: bool) -> None:
    """There is a key and nothing that it opens; the item can be destroyed, or sealed with room."""
    told = told_within(filled, "seal", IN_THE_MEDIA_STORE, dying=dying)
    if not dying:
        assert told == [
            f"MediaStoreError: item {item().hex}: cannot write 200055 bytes of its ciphertext: "
            "File too large"
        ]
    with on_disk(filled) as opened:
        with pytest.raises(CiphertextMissingError):
            opened.vault.open(label())
        assert opened.keystore.holds(item())
        assert opened.vault.ciphertexts() == ({item()} if dying else set())
        assert search([filled], PIECES) == []
        destroy(opened)
        assert not opened.vault.holds(item())
        with pytest.raises(VaultError):
            seal(opened)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("limit", [*IN_THE_KEYSTORE, IN_THE_MEDIA_STORE])
def test_the_same_process_goes_on_once_there_is_room(filled: Path, act: str, limit: int) -> None:
    """No transaction is left open by one that failed."""
    with on_disk(filled) as opened:
        seal(opened)
    told = told_within(filled, act, limit, again=True)
    assert told[1:] == ["done"]
    with on_disk(filled) as opened:
        if act == "seal":
            assert opened.vault.open(label()) == CONTENT
        else:
            assert not opened.vault.holds(item())


def test_with_room_enough_nothing_fails(filled: Path) -> None:
    """So the limits above are why something did."""
    for act in ACTS:
        assert told_within(filled, act, NOWHERE) == ["done"]

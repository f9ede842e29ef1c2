"""A record is sealed with what was committed of its scopes, and never again for nothing."""

from __future__ import annotations

from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from domain.assurance.checkpoints import open_checkpoint
from domain.assurance.scope_heads import ScopeEnd, verify_opening
from domain.assurance.verification import Kind
from domain.kernel.errors import RecordBrokenError
from domain.log.events import ScopeHeadsCommitted
from infrastructure.seal.keys import KeyFolder
from infrastructure.seal.sealer import ClockBehindError
from infrastructure.seal.signing import SealError, SealKeyError
from tests.contract.record.examples import ANOTHER_DEPLOYMENT, DEPLOYMENT, asked, face, viewed
from tests.contract.seal.sealed import Sealed, root_of
from tests.support.processes import another_process
from tests.support.stores import Store, reach

HEADS = ScopeHeadsCommitted.NAME


def test_a_new_log_begins_with_its_key(sealed: Sealed) -> None:
    """In the form that a verifier needs, and never the private part."""
    (entry,) = sealed.record.history()
    assert (entry.position, entry.scope, entry.event.NAME) == (0, "force", "log.key_generated")
    assert entry.event.verifier_key == sealed.verifier_key().text()  # type: ignore[attr-defined]
    # PRIVATE+KEY+name+hash+key: the key, in base64, may have a plus sign of its own.
    private = sealed.real_key().text().split("+", 4)[4].encode()
    assert all(private not in blob for _, blob in sealed.record.blobs())
    assert private in (sealed.keys.directory / "log.key").read_bytes()


def test_an_older_log_gets_the_entry_at_its_next_start(store: Store, tmp_path: Path) -> None:
    """Once."""
    record = store.open()
    KeyFolder(tmp_path / "seal", origin=record.origin).make(new=True)
    record.append(viewed(), by=asked())
    for _ in range(2):
        assert Sealed(store, tmp_path / "seal").names() == ["alert.viewed", "log.key_generated"]
    with pytest.raises(SealKeyError, match="bring it back"):
        Sealed(store, tmp_path / "another")


def test_the_heads_of_all_scopes_are_committed_to_before_each_checkpoint(sealed: Sealed) -> None:
    """As they were just before; and any one of them can be opened alone."""
    for deployment in (DEPLOYMENT, ANOTHER_DEPLOYMENT):
        sealed.record.append(
            face(1, camera=deployment.hex),
            face(2, camera=deployment.hex),
            by=asked(scope=deployment.hex),
        )
    checkpoint = sealed.sealing.seal()
    *before, newest = sealed.record.history()
    assert checkpoint.size == len(before) + 1 == sealed.record.size()
    event = newest.event
    assert isinstance(event, ScopeHeadsCommitted)
    assert (newest.scope, event.size, event.scopes) == ("force", 5, 3)
    leaves = sealed.leaves()
    ends = {
        scope: ScopeEnd(
            sum(one.scope == scope for one in before),
            leaves[max(one.position for one in before if one.scope == scope)],
        )
        for scope in {one.scope for one in before}
    }
    opening = sealed.scope_secrets.open_end(ends, size=event.size, scope=DEPLOYMENT.hex)
    verify_opening(opening, bytes.fromhex(event.root))
    assert opening.end == ScopeEnd(2, leaves[2])


def test_a_log_without_news_keeps_its_checkpoint(sealed: Sealed) -> None:
    """What is recorded for a checkpoint asks for none."""
    sealed.grow(3)
    first = sealed.sealing.seal()
    note = sealed.note()
    for _ in range(3):
        assert sealed.sealing.seal() == first
    assert (sealed.record.size(), sealed.note()) == (first.size, note)
    assert sealed.names().count(HEADS) == 1
    sealed.grow(1)
    assert sealed.sealing.seal().size == first.size + 2


def test_a_log_whose_only_news_are_commitments_is_not_signed_again(sealed: Sealed) -> None:
    """However many of them somebody put there."""
    sealed.grow(3)
    first = sealed.sealing.seal()
    sealed.sealing._commit_heads()
    sealed.sealing._commit_heads()
    assert sealed.sealing.seal() == first
    assert sealed.record.size() == first.size + 2


def test_a_sealing_that_died_before_it_signed_is_finished_with_the_same_commitment(
    sealed: Sealed,
) -> None:
    """The commitment is there; only the signature is missing."""
    sealed.grow(3)
    private = sealed.keys.directory / "log.key"
    sealed.sealing.seal()
    sealed.grow(1)
    private.chmod(0o644)
    with pytest.raises(SealKeyError):
        sealed.sealing.seal()
    assert sealed.names()[-1] != HEADS, "what cannot be signed is not committed to"
    private.chmod(0o600)
    sealed.sealing._commit_heads()  # and here it died
    size = sealed.record.size()
    assert sealed.sealing.seal().size == size == sealed.record.size()


def test_the_checkpoint_is_the_tree_over_the_stored_entries(sealed: Sealed) -> None:
    """Worked out from nothing but the record; and the whole verifies."""
    for round_ in range(4):
        sealed.grow(200, first=200 * round_)
        checkpoint = sealed.sealing.seal()
        assert checkpoint.root == root_of(sealed.leaves())
    key = sealed.verifier_key()
    assert open_checkpoint(sealed.note(), key, sealed.record.origin) == checkpoint
    assert sealed.store.kind(key, own=sealed.note()) is Kind.SOUND


def test_a_log_that_was_cut_or_rewritten_is_not_sealed(sealed: Sealed) -> None:
    """With its head in order, as a forger who owns the database would leave it."""
    sealed.grow(5)
    sealed.sealing.seal()
    before = sealed.note()
    sealed.store.drop_triggers()
    shorter = sealed.sealer.tree.frontier(4).to_bytes()
    sealed.store.execute("DELETE FROM stored_events WHERE position >= 4")
    sealed.store.execute("UPDATE log_head SET size = 4, frontier = :f", f=shorter)
    with pytest.raises(RecordBrokenError, match="has 4 entries, but 7 were signed"):
        sealed.sealing.seal()
    assert (sealed.note(), sealed.record.size()) == (before, 4)


def test_nothing_is_recorded_or_signed_while_the_clock_is_behind(sealed: Sealed) -> None:
    """Behind the last cosignature, that is."""
    sealed.grow(2)
    sealed.sealing._not_before = lambda: sealed.clock.at + timedelta(milliseconds=1)
    with pytest.raises(ClockBehindError, match="set the clock"):
        sealed.sealing.seal()
    assert sealed.names()[-1] != HEADS and sealed.note() == ""
    sealed.clock.at += timedelta(milliseconds=1)
    sealed.sealing._not_before = lambda: sealed.clock.at
    assert sealed.sealing.seal().size == 4


def seal_at_once(telling: Connection, address: str, directory: Path, rounds: int) -> None:
    """Add an entry and seal, again and again; tell every checkpoint that was signed."""
    sealed = Sealed(reach(address), directory)
    telling.send("ready")
    telling.recv()
    signed = []
    for number in range(rounds):
        sealed.grow(1, first=number)
        one = sealed.sealing.seal()
        signed.append((one.size, one.root))
    telling.send(signed)


def test_two_processes_never_sign_two_roots_of_one_size(sealed: Sealed) -> None:
    """Whatever they add and sign at the same time; and all that was signed is one history."""
    where = (sealed.store.address, sealed.keys.directory, 20)
    with (
        another_process(seal_at_once, *where) as (_, one),
        another_process(seal_at_once, *where) as (_, other),
    ):
        for telling in (one, other):
            assert telling.recv() == "ready"
        for telling in (one, other):
            telling.send("go")
        signed = [*one.recv(), *other.recv()]
    leaves = sealed.leaves()
    assert len(signed) == 40
    for size, root in signed:
        assert root == root_of(leaves[:size])


def test_a_full_disk_seals_nothing_and_harms_nothing(sealed: Sealed) -> None:
    """Nor does it leave half a checkpoint; with room the next sealing succeeds."""
    sealed.grow(2)
    sealed.sealing.seal()
    before = sealed.note()
    sealed.grow(2000, first=10)
    where = (sealed.store.address, sealed.keys.directory)
    with another_process(seal_on_a_full_disk, *where) as (_, telling):
        words, afterwards = telling.recv()
    assert "cannot write the hashes of the log" in words
    assert afterwards == before
    assert sealed.sealing.seal().root == root_of(sealed.leaves())


def seal_on_a_full_disk(telling: Connection, address: str, directory: Path) -> None:
    """Try to seal where no file may grow."""
    import resource
    import signal

    sealed = Sealed(reach(address), directory)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
    try:
        sealed.sealing.seal()
        words = "sealed"
    except SealError as error:
        words = str(error)
    telling.send((words, sealed.note()))

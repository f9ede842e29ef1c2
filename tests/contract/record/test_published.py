"""The signed log as the server gives it out, over every kind of store."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.notes import SignerKey
from domain.assurance.tree import Frontier, leaf_hash, node_hash
from infrastructure.record.event_record import EventRecord
from infrastructure.record.reading import RecordReader
from infrastructure.seal.published import ServedLog, SignedLogUnavailableError
from infrastructure.seal.tree_store import TreeStore
from tests.contract.record.examples import asked, face
from tests.support.stores import Store

ENTRIES = 530
"""Two full tiles, and a partial one."""


@pytest.fixture
def record(store: Store) -> EventRecord:
    """A log of three tiles."""
    opened = store.open()
    opened.append(*[face(number) for number in range(ENTRIES)], by=asked())
    return opened


@pytest.fixture
def seal(tmp_path: Path) -> Path:
    """Where checkpoint and key are."""
    made = tmp_path / "seal"
    made.mkdir()
    return made


def signed(record: EventRecord, seal: Path, size: int) -> SignerKey:
    """Sign the log at a size."""
    key = SignerKey.generate(record.origin)
    tree = TreeStore(seal / "tree")
    # the sealer's tree may be ahead of what it signed
    tree.extend(itertools.islice(record.leaves(), size + 3))
    note = sign(Checkpoint(record.origin, size, tree.root(size)), key)
    (seal / "checkpoint").write_text(note)
    (seal / "log.vkey").write_text(key.verifier().text() + "\n")
    return key


def hashes(tile: bytes | None) -> list[bytes]:
    """A tile taken apart."""
    assert tile is not None
    return [tile[at : at + 32] for at in range(0, len(tile), 32)]


def test_tiles_give_the_root_that_was_signed(record: EventRecord, seal: Path) -> None:
    """Put together by somebody who has nothing else."""
    signed(record, seal, 523)
    log = ServedLog(seal, RecordReader(record.database))
    leaves = hashes(log.tile(0, 0, 256)) + hashes(log.tile(0, 1, 256)) + hashes(log.tile(0, 2, 11))
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    note = log.checkpoint()
    assert note == (seal / "checkpoint").read_bytes()
    assert Checkpoint.parse(note.decode().partition("\n\n")[0] + "\n").root == tree.root()


def test_a_tile_of_the_next_level_holds_the_roots_of_full_tiles(
    record: EventRecord, seal: Path
) -> None:
    """Each eight levels above."""
    signed(record, seal, ENTRIES)
    log = ServedLog(seal, RecordReader(record.database))

    def folded(row: list[bytes]) -> bytes:
        while len(row) > 1:
            row = [node_hash(a, b) for a, b in zip(row[::2], row[1::2], strict=True)]
        return row[0]

    expected = [folded(hashes(log.tile(0, index, 256))) for index in (0, 1)]
    assert hashes(log.tile(1, 0, 2)) == expected
    assert hashes(log.tile(1, 0, 1)) == expected[:1]


def test_nothing_is_shown_beyond_the_checkpoint(record: EventRecord, seal: Path) -> None:
    """The record holds more, and nobody signed for it."""
    signed(record, seal, 300)
    log = ServedLog(seal, RecordReader(record.database))
    assert log.tile(0, 1, 44) is not None and log.entry_bundle(1, 44) is not None
    for level, index, width in (
        (0, 1, 45),
        (0, 1, 256),
        (0, 2, 1),
        (1, 0, 2),
        (2, 0, 1),
        (63, 0, 1),
    ):
        assert log.tile(level, index, width) is None
    assert log.entry_bundle(1, 45) is None
    assert log.entry_bundle(10**18, 256) is None


def test_a_bundle_holds_the_entries_as_they_are_stored(
    store: Store, record: EventRecord, seal: Path
) -> None:
    """Each behind its length, byte for byte, and hashing to its leaf."""
    signed(record, seal, ENTRIES)
    log = ServedLog(seal, RecordReader(record.database))

    def entries(bundle: bytes | None) -> Iterator[bytes]:
        assert bundle is not None
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            yield bundle[2 : 2 + length]
            bundle = bundle[2 + length :]

    found = [*entries(log.entry_bundle(1, 256)), *entries(log.entry_bundle(2, 18))]
    assert found == [row.blob for row in store.rows()][256:]
    assert [leaf_hash(one) for one in found[:256]] == hashes(log.tile(0, 1, 256))


def test_signed_entries_that_are_gone_are_not_left_out_in_silence(
    record: EventRecord, seal: Path
) -> None:
    """A bundle is whole or not there."""
    signed(record, seal, ENTRIES)

    class Cut(RecordReader):
        """A record whose tail was cut off."""

        def blobs(self, start: int, count: int) -> list[bytes]:
            """All but the last."""
            return super().blobs(start, count)[:-1]

    with pytest.raises(SignedLogUnavailableError, match="expected 256 signed entries, found 255"):
        ServedLog(seal, Cut(record.database)).entry_bundle(0, 256)


def test_before_the_first_checkpoint_nothing_is_shown(record: EventRecord, seal: Path) -> None:
    """Not even one entry."""
    log = ServedLog(seal, RecordReader(record.database))
    assert log.checkpoint() is None
    assert log.tile(0, 0, 1) is None
    assert log.entry_bundle(0, 1) is None
    with pytest.raises(SignedLogUnavailableError):
        log.verifier_key()


def test_hashes_that_were_cut_off_are_not_taken_for_a_smaller_log(
    record: EventRecord, seal: Path
) -> None:
    """It is for the sealer to make them again; until then nobody is told that there are none."""
    signed(record, seal, 300)
    TreeStore(seal / "tree").cut(299)
    log = ServedLog(seal, RecordReader(record.database))
    assert log.tile(0, 1, 43) is not None
    with pytest.raises(SignedLogUnavailableError):
        log.tile(0, 1, 44)


def test_a_checkpoint_that_the_key_did_not_sign_is_not_served(
    record: EventRecord, seal: Path
) -> None:
    """Nor is what it would cover."""
    signed(record, seal, 300)
    note = (seal / "checkpoint").read_text()
    for bad in (note.replace("300", "301"), note[:-3], "", "\xff"):
        (seal / "checkpoint").write_bytes(bad.encode("latin-1", "replace"))
        log = ServedLog(seal, RecordReader(record.database))
        for ask in (log.checkpoint, lambda log=log: log.tile(0, 0, 1)):
            with pytest.raises(SignedLogUnavailableError):
                ask()

"""The sealer signs the log as it is, and nothing that goes back on what it signed before."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from domain.assurance.checkpoints import Checkpoint, open_checkpoint, sign
from domain.assurance.notes import SignatureInvalidError, SignerKey, VerifierKey
from domain.assurance.tree import Frontier, leaf_hash
from domain.kernel.errors import RecordBrokenError
from infrastructure.seal.sealer import Sealer, SealKeyError

ORIGIN = "example.org/plumbline/rehearsal"
LEAVES = [leaf_hash(b"entry %d" % number) for number in range(12)]


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    """A sealer with its key."""
    made = Sealer(tmp_path / "seal", origin=ORIGIN)
    made.make_key()
    return made


def verifier_key(sealer: Sealer) -> VerifierKey:
    """The key that was given away."""
    return VerifierKey.from_text(sealer.verifier_key_file.read_text(encoding="utf-8").strip())


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaves."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def permissions(path: Path) -> int:
    """Who may do what."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_is_made_once_and_only_we_can_read_it(sealer: Sealer) -> None:
    """Calling again keeps it: another key would make every checkpoint worthless."""
    private = sealer.directory / "log.key"
    assert permissions(private) == 0o600
    assert permissions(sealer.directory) == 0o700
    assert permissions(sealer.verifier_key_file) == 0o644
    before = (private.read_bytes(), sealer.verifier_key_file.read_bytes())
    sealer.make_key()
    assert (private.read_bytes(), sealer.verifier_key_file.read_bytes()) == before
    key = SignerKey.from_text(private.read_text(encoding="utf-8").strip())
    assert key.verifier() == verifier_key(sealer)


def test_two_logs_do_not_get_the_same_key(sealer: Sealer, tmp_path: Path) -> None:
    """Each is random."""
    other = Sealer(tmp_path / "other", origin=ORIGIN)
    other.make_key()
    assert verifier_key(other) != verifier_key(sealer)


def test_the_public_key_is_made_again_from_the_private_one(sealer: Sealer) -> None:
    """A crash between the two files is mended by the next call."""
    key = verifier_key(sealer)
    sealer.verifier_key_file.unlink()
    sealer.make_key()
    assert verifier_key(sealer) == key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o611, 0o602])
def test_a_key_that_others_can_use_is_refused_with_the_command_to_run(
    sealer: Sealer, mode: int
) -> None:
    """Whoever can read it can sign another history."""
    private = sealer.directory / "log.key"
    private.chmod(mode)
    with pytest.raises(SealKeyError, match=f"run chmod 600 {private}"):
        sealer.seal(LEAVES, size=3)
    assert not sealer.checkpoint_file.exists()
    private.chmod(0o600)
    assert sealer.seal(LEAVES, size=3).size == 3


def test_without_its_key_nothing_is_signed(sealer: Sealer) -> None:
    """Missing, damaged, or of another log: each is said."""
    private = sealer.directory / "log.key"
    written = private.read_bytes()
    for content, complaint in (
        (b"", "cannot be read as a key"),
        (b"\xff\xfe", "cannot be read as a key"),
        (written[:-9] + b"A" + written[-8:], "cannot be read as a key|expected the key"),
        (f"{SignerKey.generate('example.org/other').text()}\n".encode(), "expected the key of"),
    ):
        private.write_bytes(content)
        with pytest.raises(SealKeyError, match=complaint):
            sealer.seal(LEAVES, size=3)
    private.unlink()
    with pytest.raises(SealKeyError, match="found none"):
        sealer.seal(LEAVES, size=3)
    assert not sealer.checkpoint_file.exists()


def test_a_checkpoint_says_the_size_and_the_root_and_is_signed(sealer: Sealer) -> None:
    """Anyone with the public key can open it; with another key nobody can."""
    sealed = sealer.seal(iter(LEAVES), size=7)
    assert sealed == Checkpoint(ORIGIN, 7, root(LEAVES[:7]))
    note = sealer.checkpoint_file.read_text(encoding="utf-8")
    assert open_checkpoint(note, verifier_key(sealer), ORIGIN) == sealed
    with pytest.raises(SignatureInvalidError):
        open_checkpoint(note.replace("\n7\n", "\n8\n"), verifier_key(sealer), ORIGIN)


def test_a_log_that_grew_is_signed_again(sealer: Sealer) -> None:
    """Also one that did not grow, and one that was empty."""
    for size in (0, 3, 3, 12):
        assert sealer.seal(LEAVES, size=size) == Checkpoint(ORIGIN, size, root(LEAVES[:size]))


def test_a_log_that_shrank_is_not_signed(sealer: Sealer) -> None:
    """What was signed before stays as the last checkpoint."""
    sealer.seal(LEAVES, size=7)
    before = sealer.checkpoint_file.read_bytes()
    with pytest.raises(RecordBrokenError, match="has 6 entries, but 7 were signed"):
        sealer.seal(LEAVES, size=6)
    assert sealer.checkpoint_file.read_bytes() == before


@pytest.mark.parametrize("position", range(7))
def test_a_log_of_which_a_signed_entry_was_changed_is_not_signed(
    sealer: Sealer, position: int
) -> None:
    """At the same size and at a larger one. What was not signed yet may be anything."""
    sealer.seal(LEAVES, size=7)
    before = sealer.checkpoint_file.read_bytes()
    changed = [*LEAVES[:position], bytes(32), *LEAVES[position + 1 :]]
    for size in (7, 12):
        with pytest.raises(RecordBrokenError, match="the first 7 entries are not those"):
            sealer.seal(changed, size=size)
    assert sealer.checkpoint_file.read_bytes() == before
    assert sealer.seal([*LEAVES[:7], bytes(32)], size=8).size == 8


def test_fewer_entries_than_the_log_claims_are_not_signed(sealer: Sealer) -> None:
    """The size comes from the log's head, the leaves from its entries."""
    with pytest.raises(RecordBrokenError, match="expected 13 entries to sign, found 12"):
        sealer.seal(LEAVES, size=13)
    assert not sealer.checkpoint_file.exists()


def test_a_log_of_another_name_is_not_signed(sealer: Sealer) -> None:
    """Neither the first time nor over a checkpoint of the log that was here before."""
    other = Sealer(sealer.directory, origin="example.org/another")
    with pytest.raises(SealKeyError, match=r"expected the key of .*/another"):
        other.seal(LEAVES, size=7)
    assert not sealer.checkpoint_file.exists()
    sealer.seal(LEAVES, size=7)
    before = sealer.checkpoint_file.read_bytes()
    with pytest.raises(SealKeyError, match=r"expected the key of .*/another"):
        other.seal(LEAVES, size=12)
    assert sealer.checkpoint_file.read_bytes() == before


def not_ours(sealer: Sealer) -> dict[str, bytes]:
    """What may lie where the last checkpoint was."""
    ours = sealer.checkpoint_file.read_bytes()
    own_key = SignerKey.from_text((sealer.directory / "log.key").read_text("utf-8").strip())
    three = Checkpoint(ORIGIN, 3, root(LEAVES[:3]))
    return {
        "nothing": b"",
        "half of it": ours[: len(ours) // 2],
        "bytes that are no text": b"\xff" + ours,
        "another size under the signature": ours.replace(b"\n7\n", b"\n3\n"),
        "other line ends": ours.replace(b"\n", b"\r\n"),
        "one signed by somebody else": sign(three, SignerKey.generate(ORIGIN)).encode(),
        "one of another log by our key": sign(Checkpoint("x", 3, three.root), own_key).encode(),
    }


def test_over_a_last_checkpoint_that_is_not_ours_nothing_is_signed(sealer: Sealer) -> None:
    """Without the last checkpoint nothing could say whether the log goes back on it."""
    sealer.seal(LEAVES, size=7)
    ours = sealer.checkpoint_file.read_bytes()
    for what, content in not_ours(sealer).items():
        sealer.checkpoint_file.write_bytes(content)
        with pytest.raises(RecordBrokenError, match="not signing"):
            sealer.seal(LEAVES, size=12)
        assert sealer.checkpoint_file.read_bytes() == content, what
    sealer.checkpoint_file.write_bytes(ours)
    assert sealer.seal(LEAVES, size=12).size == 12


@pytest.mark.parametrize("size", [None, 7])
def test_a_half_written_checkpoint_is_harmless(sealer: Sealer, size: int | None) -> None:
    """A crash while writing leaves it beside the last one, and the next seal writes over it."""
    if size is not None:
        sealer.seal(LEAVES, size=size)
    half = sealer.directory / "checkpoint.new"
    half.write_bytes(b"example.org/plumbline/reh")
    half.chmod(0o600)
    assert sealer.seal(LEAVES, size=12).size == 12
    assert not half.exists()
    note = sealer.checkpoint_file.read_text(encoding="utf-8")
    assert open_checkpoint(note, verifier_key(sealer), ORIGIN).size == 12
    assert permissions(sealer.checkpoint_file) == 0o644


def test_a_half_written_key_is_harmless(tmp_path: Path) -> None:
    """It was never used; the key that is made instead is as private as any."""
    sealer = Sealer(tmp_path / "seal", origin=ORIGIN)
    sealer.directory.mkdir()
    half = sealer.directory / "log.key.new"
    half.write_bytes(b"PRIVATE+KEY")
    half.chmod(0o644)
    sealer.make_key()
    assert permissions(sealer.directory / "log.key") == 0o600
    assert sealer.seal(LEAVES, size=1).size == 1

"""The sealer signs the log as it is, and nothing that goes back on what it signed before."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from domain.assurance.checkpoints import Checkpoint, open_checkpoint, sign
from domain.assurance.notes import SignatureInvalidError, SignerKey, VerifierKey
from domain.assurance.tree import Frontier, leaf_hash
from domain.kernel.errors import RecordBrokenError
from infrastructure.record.heads import Heads
from infrastructure.seal.keys import KeyFolder
from infrastructure.seal.sealer import ClockBehindError, Sealer
from infrastructure.seal.signing import SealKeyError
from tests.support.stores import HALF_PAST_NINE

ORIGIN = "example.org/plumbline/rehearsal"
LEAVES = [leaf_hash(b"entry %d" % number) for number in range(12)]


class Leaves:
    """A log that is nothing but its leaf hashes; it counts how many are read."""

    origin = ORIGIN
    mode = "rehearsal"

    def __init__(self, leaves: Sequence[bytes], *, head: Sequence[bytes] | None = None) -> None:
        self._leaves = list(leaves)
        self._head = self._leaves if head is None else list(head)
        self.read = 0

    def heads(self) -> Heads:
        """The head that the log claims."""
        return Heads(len(self._head), tree(self._head).to_bytes(), [])

    def leaves(self, *, after: int = -1) -> Iterator[bytes]:
        """The leaf hashes behind a position."""
        for leaf in self._leaves[after + 1 :]:
            self.read += 1
            yield leaf


def tree(leaves: Sequence[bytes]) -> Frontier:
    """The tree over these leaves."""
    found = Frontier()
    for leaf in leaves:
        found.append(leaf)
    return found


def seal(sealer: Sealer, leaves: Sequence[bytes] | Leaves) -> Checkpoint:
    """Sign these leaves at half past nine."""
    log = leaves if isinstance(leaves, Leaves) else Leaves(leaves)
    return sealer.seal(log, now=HALF_PAST_NINE)


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    """A sealer with its key."""
    return a_sealer(tmp_path / "seal")


def a_sealer(directory: Path, *, origin: str = ORIGIN) -> Sealer:
    """A sealer with its key in a directory."""
    keys = KeyFolder(directory, origin=origin)
    keys.make(new=True)
    return Sealer(directory, keys)


def verifier_key(sealer: Sealer) -> VerifierKey:
    """The key that was given away."""
    return VerifierKey.from_text(sealer.verifier_key_file.read_text(encoding="utf-8").strip())


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
    sealer.keys.make(new=True)
    assert (private.read_bytes(), sealer.verifier_key_file.read_bytes()) == before
    key = SignerKey.from_text(private.read_text(encoding="utf-8").strip())
    assert key.verifier() == verifier_key(sealer)


def test_two_logs_do_not_get_the_same_key(sealer: Sealer, tmp_path: Path) -> None:
    """Each is random."""
    assert verifier_key(a_sealer(tmp_path / "other")) != verifier_key(sealer)


def test_the_public_key_is_made_again_from_the_private_one(sealer: Sealer) -> None:
    """A crash between the two files is mended by the next call."""
    key = verifier_key(sealer)
    sealer.verifier_key_file.unlink()
    sealer.keys.make(new=True)
    assert verifier_key(sealer) == key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o611, 0o602])
def test_a_key_that_others_can_use_is_refused_with_the_command_to_run(
    sealer: Sealer, mode: int
) -> None:
    """Whoever can read it can sign another history."""
    private = sealer.directory / "log.key"
    private.chmod(mode)
    with pytest.raises(SealKeyError, match=f"run chmod 600 {private}"):
        seal(sealer, LEAVES[:3])
    assert not sealer.checkpoint_file.exists()
    private.chmod(0o600)
    assert seal(sealer, LEAVES[:3]).size == 3


def test_without_its_key_nothing_is_signed(sealer: Sealer) -> None:
    """Missing, damaged, or of another log: each is said."""
    private = sealer.directory / "log.key"
    whole = private.read_bytes()
    for content, complaint in (
        (b"", "cannot be read as a key"),
        (b"\xff\xfe", "cannot be read as a key"),
        (whole[:-9] + b"A" + whole[-8:], "cannot be read as a key|expected the key"),
        (f"{SignerKey.generate('example.org/other').text()}\n".encode(), "expected the key of"),
    ):
        private.write_bytes(content)
        with pytest.raises(SealKeyError, match=complaint):
            seal(sealer, LEAVES[:3])
    private.unlink()
    with pytest.raises(SealKeyError, match="found none"):
        seal(sealer, LEAVES[:3])
    assert not sealer.checkpoint_file.exists()


def test_a_checkpoint_says_the_size_and_the_root_and_is_signed(sealer: Sealer) -> None:
    """Anyone with the public key can open it; with another key nobody can."""
    sealed = seal(sealer, LEAVES[:7])
    assert sealed == Checkpoint(ORIGIN, 7, tree(LEAVES[:7]).root())
    note = sealer.checkpoint_file.read_text(encoding="utf-8")
    assert open_checkpoint(note, verifier_key(sealer), ORIGIN) == sealed
    with pytest.raises(SignatureInvalidError):
        open_checkpoint(note.replace("\n7\n", "\n8\n"), verifier_key(sealer), ORIGIN)


def test_a_log_that_grew_is_signed_again(sealer: Sealer) -> None:
    """Also one that was empty; one that did not grow keeps its checkpoint."""
    for size in (0, 3, 3, 12):
        assert seal(sealer, LEAVES[:size]) == Checkpoint(ORIGIN, size, tree(LEAVES[:size]).root())


def test_only_what_is_new_is_read(sealer: Sealer) -> None:
    """Whatever the size of the log; also by a process that has just started."""
    many = [leaf_hash(b"%d" % number) for number in range(3000)]
    log = Leaves(many[:2500])
    seal(sealer, log)
    assert log.read == 2500
    for size, news in ((2503, 3), (3000, 497), (3000, 0)):
        log = Leaves(many[:size])
        fresh = Sealer(sealer.directory, sealer.keys)
        assert seal(fresh, log).root == tree(many[:size]).root()
        assert log.read == news


@pytest.mark.parametrize("damage", ["gone", "cut", "of another log", "changed"])
def test_hashes_that_do_not_fit_what_was_signed_are_made_anew(sealer: Sealer, damage: str) -> None:
    """They are a cache: the record is read again, and the signature is right."""
    many = [leaf_hash(b"%d" % number) for number in range(700)]
    seal(sealer, many[:600])
    first = sealer.tree.directory / "0"
    whole = first.read_bytes()
    match damage:
        case "gone":
            first.unlink()
        case "cut":
            first.write_bytes(whole[: 32 * 100 + 7])
        case "of another log":
            first.write_bytes(bytes(len(whole)))
        case "changed":
            first.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    log = Leaves(many)
    assert seal(sealer, log).root == tree(many).root()
    assert log.read >= 700
    assert sealer.tree.root(600) == tree(many[:600]).root()


def test_a_log_that_shrank_is_not_signed(sealer: Sealer) -> None:
    """What was signed before stays as the last checkpoint."""
    seal(sealer, LEAVES[:7])
    before = sealer.checkpoint_file.read_bytes()
    with pytest.raises(RecordBrokenError, match="has 6 entries, but 7 were signed"):
        seal(sealer, LEAVES[:6])
    assert sealer.checkpoint_file.read_bytes() == before


@pytest.mark.parametrize("position", range(7))
def test_a_log_of_which_a_signed_entry_was_changed_is_not_signed(
    sealer: Sealer, position: int
) -> None:
    """At the same size and at a larger one. What was not signed yet may be anything."""
    seal(sealer, LEAVES[:7])
    before = sealer.checkpoint_file.read_bytes()
    changed = [*LEAVES[:position], bytes(32), *LEAVES[position + 1 :]]
    for size in (7, 12):
        with pytest.raises(RecordBrokenError, match="the first 7 entries are not those"):
            seal(sealer, changed[:size])
    assert sealer.checkpoint_file.read_bytes() == before
    assert seal(sealer, [*LEAVES[:7], bytes(32)]).size == 8


def test_an_old_entry_that_was_changed_in_place_is_never_signed(sealer: Sealer) -> None:
    """Nobody reads it again for a signature, so what is signed is what was signed before."""
    seal(sealer, LEAVES[:7])
    changed = [bytes(32), *LEAVES[1:]]
    assert seal(sealer, Leaves(changed, head=LEAVES)).root == tree(LEAVES).root()


def test_a_head_that_does_not_fit_the_entries_is_not_signed(sealer: Sealer) -> None:
    """Too large, or over other entries."""
    with pytest.raises(RecordBrokenError, match="expected 12 entries to sign, found 11"):
        seal(sealer, Leaves(LEAVES[:11], head=LEAVES))
    with pytest.raises(RecordBrokenError, match="head does not fit its entries"):
        seal(sealer, Leaves(LEAVES, head=[bytes(32), *LEAVES[1:]]))
    assert not sealer.checkpoint_file.exists()
    assert seal(sealer, LEAVES).size == 12


def test_a_clock_before_the_last_cosignature_signs_nothing(sealer: Sealer) -> None:
    """Whatever was signed then would seem older than what the witness saw."""
    late = HALF_PAST_NINE + timedelta(seconds=1)
    with pytest.raises(ClockBehindError, match=r"the clock says .*30:00.*given at .*30:01"):
        sealer.seal(Leaves(LEAVES), now=HALF_PAST_NINE, not_before=late)
    assert not sealer.checkpoint_file.exists()
    assert sealer.seal(Leaves(LEAVES), now=late, not_before=late).size == 12


def test_a_log_of_another_name_is_not_signed(sealer: Sealer) -> None:
    """Neither the first time nor over a checkpoint of the log that was here before."""
    other = Sealer(sealer.directory, KeyFolder(sealer.directory, origin="example.org/another"))
    with pytest.raises(SealKeyError, match=r"expected the key of .*/another"):
        seal(other, LEAVES[:7])
    assert not sealer.checkpoint_file.exists()
    seal(sealer, LEAVES[:7])
    before = sealer.checkpoint_file.read_bytes()
    with pytest.raises(SealKeyError, match=r"expected the key of .*/another"):
        seal(other, LEAVES)
    assert sealer.checkpoint_file.read_bytes() == before


def not_ours(sealer: Sealer) -> dict[str, bytes]:
    """What may lie where the last checkpoint was."""
    ours = sealer.checkpoint_file.read_bytes()
    own_key = SignerKey.from_text((sealer.directory / "log.key").read_text("utf-8").strip())
    three = Checkpoint(ORIGIN, 3, tree(LEAVES[:3]).root())
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
    seal(sealer, LEAVES[:7])
    ours = sealer.checkpoint_file.read_bytes()
    for what, content in not_ours(sealer).items():
        sealer.checkpoint_file.write_bytes(content)
        with pytest.raises(RecordBrokenError, match="not signing"):
            seal(sealer, LEAVES)
        assert sealer.checkpoint_file.read_bytes() == content, what
    sealer.checkpoint_file.write_bytes(ours)
    assert seal(sealer, LEAVES).size == 12


@pytest.mark.parametrize("size", [None, 7])
def test_a_half_written_checkpoint_is_harmless(sealer: Sealer, size: int | None) -> None:
    """A crash while writing leaves it beside the last one, and the next seal writes over it."""
    if size is not None:
        seal(sealer, LEAVES[:size])
    half = sealer.directory / "checkpoint.new"
    half.write_bytes(b"example.org/plumbline/reh")
    half.chmod(0o600)
    assert seal(sealer, LEAVES).size == 12
    assert not half.exists()
    note = sealer.checkpoint_file.read_text(encoding="utf-8")
    assert open_checkpoint(note, verifier_key(sealer), ORIGIN).size == 12
    assert permissions(sealer.checkpoint_file) == 0o644


def test_a_half_written_key_is_harmless(tmp_path: Path) -> None:
    """It was never used; the key that is made instead is as private as any."""
    (tmp_path / "seal").mkdir()
    half = tmp_path / "seal" / "log.key.new"
    half.write_bytes(b"PRIVATE+KEY")
    half.chmod(0o644)
    sealer = a_sealer(tmp_path / "seal")
    assert permissions(sealer.directory / "log.key") == 0o600
    assert seal(sealer, LEAVES[:1]).size == 1


def test_a_signature_is_added_to_the_checkpoint_that_it_is_over(sealer: Sealer) -> None:
    """In the place of an older one by the same key; a newer checkpoint is left alone."""
    first = seal(sealer, LEAVES[:7])
    note = sealer.checkpoint_file.read_text(encoding="utf-8")
    lines = ["\u2014 a AAAAAQAA\n", "\u2014 a AAAAAgAA\n", "\u2014 b AAAAAQAA\n"]
    newer = "\u2014 a AAAAAQAB\n"
    for line in lines:
        assert sealer.add_signature(first, line)
    assert sealer.checkpoint_file.read_text(encoding="utf-8") == note + "".join(lines)
    assert sealer.add_signature(first, newer)
    told = sealer.checkpoint_file.read_text(encoding="utf-8")
    assert told == note + lines[1] + lines[2] + newer
    second = seal(sealer, LEAVES)
    assert not sealer.add_signature(first, newer)
    assert sealer.last() == second and newer not in (sealer.last_note() or "")

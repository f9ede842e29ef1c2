"""A key is replaced so that whoever holds the old one can follow, and a crash loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.assurance.checkpoints import open_checkpoint
from domain.assurance.notes import NoteUnsignedError, open_note
from domain.assurance.verification import Kind
from domain.kernel.errors import RecordBrokenError
from infrastructure.seal.following import KeyNotFollowedError, follow
from infrastructure.seal.signing import SealKeyError
from tests.contract.seal.sealed import Sealed, root_of
from tests.support.stores import SQLiteStore


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Sealed]:
    """On one store: a rotation asks a record for nothing that an append does not."""
    store = SQLiteStore.fresh(tmp_path)
    yield Sealed(store, tmp_path / "seal")
    store.close()


def test_a_rotation_leads_from_the_old_key_to_the_new(sealed: Sealed) -> None:
    """Whoever holds the old key finds the new one under a checkpoint that the old one signed."""
    sealed.grow(3)
    old = sealed.verifier_key()
    old_private = (sealed.keys.directory / "log.key").read_bytes()
    sealed.register.rotate()
    new = sealed.verifier_key()
    assert new != old
    retired = sealed.keys.directory / "retired"
    between = (retired / f"{old.key_id.hex()}.checkpoint").read_text("utf-8")
    assert (retired / f"{old.key_id.hex()}.vkey").read_text("utf-8").strip() == old.text()
    last = open_checkpoint(between, old, sealed.record.origin)
    assert open_checkpoint(between, new, sealed.record.origin) == last
    assert last.root == root_of(sealed.leaves()[: last.size])
    rotated = next(one for one in sealed.record.history() if one.event.NAME == "log.key_rotated")
    assert rotated.position < last.size
    assert rotated.event.new_verifier_key == new.text()  # type: ignore[attr-defined]
    with pytest.raises(NoteUnsignedError):
        open_note(sealed.note(), old)
    assert sealed.store.kind(new, own=sealed.note()) is Kind.SOUND
    kept = [file.read_bytes() for file in sealed.keys.directory.rglob("*") if file.is_file()]
    assert not any(old_private.strip() in content for content in kept)


def test_whoever_holds_an_old_key_can_follow_it_to_the_one_that_signs(sealed: Sealed) -> None:
    """Over every rotation since, from the entries alone; each link can fail."""
    keys = [sealed.verifier_key()]
    for number in range(2):
        sealed.grow(3, first=10 * number)
        sealed.register.rotate()
        keys.append(sealed.verifier_key())
    retired = sealed.keys.directory / "retired"
    blobs = list(sealed.record.blobs())
    for place, key in enumerate(keys):
        steps = follow(key, retired=retired, blobs=blobs)
        assert [step.key for step in steps] == keys[place + 1 :]
    file = retired / f"{keys[0].key_id.hex()}.checkpoint"
    whole = file.read_text("utf-8")
    text, old_line, new_line = whole[: whole.index("\u2014")], *whole.splitlines(True)[-2:]
    changed = [(position, blob.replace(b"camera-1", b"camera-9")) for position, blob in blobs]
    for content, entries, words in (
        (text + old_line, blobs, "did not sign the checkpoint in which it follows"),
        (text + new_line, blobs, "is not a checkpoint that the key"),
        (whole, changed, "are not those that the key"),
        (whole, blobs[:4], "has 7 entries, the log holds 4"),
        ("", blobs, "is not a checkpoint"),
    ):
        file.write_text(content, "utf-8")
        with pytest.raises(KeyNotFollowedError, match=words):
            follow(keys[0], retired=retired, blobs=entries)


def test_a_checkpoint_of_the_old_key_in_which_no_key_follows_leads_nowhere(sealed: Sealed) -> None:
    """A thief who signs with both keys still needs an entry that says so."""
    sealed.grow(3)
    checkpoint = sealed.sealing.seal()
    sealed.keys.keep_retired(sealed.verifier_key(), sealed.note().encode())
    blobs = list(sealed.record.blobs())[: checkpoint.size]
    with pytest.raises(KeyNotFollowedError, match="says which key follows"):
        follow(sealed.verifier_key(), retired=sealed.keys.directory / "retired", blobs=blobs)


def test_keys_can_be_rotated_again_and_again(sealed: Sealed) -> None:
    """Each once, each retired with the size of its last checkpoint."""
    for _ in range(3):
        sealed.grow(2)
        register = sealed.register.rotate()
    assert len(register.keys) == 4 and list(register.retired) == register.keys[:-1]
    assert sorted(register.retired.values()) == list(register.retired.values())
    again = Sealed(sealed.store, sealed.keys.directory)
    assert again.register.read().current == again.verifier_key().text()


STEPS = [
    ("keys", "make_incoming"),
    ("record", "append"),
    ("sealing", "seal"),
    ("keys", "keep_retired"),
    ("keys", "adopt_incoming"),
    ("keys", "publish_current"),
]


class Died(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", range(len(STEPS)), ids=lambda step: ".".join(STEPS[step]))
def test_a_rotation_that_died_is_finished_or_taken_back_by_the_next_start(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch, step: int, when: str
) -> None:
    """There is one key that signs at every instant, and the record says which."""
    sealed.grow(2)
    sealed.sealing.seal()
    part, name = getattr(sealed, STEPS[step][0]), STEPS[step][1]
    done = getattr(part, name)
    recorded = []

    def dies(*args: object, **kwargs: object) -> object:
        if name == "seal" and not any("rotated" in one for one in sealed.names()):
            return done(*args, **kwargs)
        if when == "after":
            recorded.append(done(*args, **kwargs))
        raise Died

    monkeypatch.setattr(part, name, dies)
    with pytest.raises(Died):
        sealed.register.rotate()
    monkeypatch.undo()
    again = Sealed(sealed.store, sealed.keys.directory)
    register = again.register.read()
    assert register.outgoing is None
    assert register.current == again.keys.current().verifier().text()
    assert again.verifier_key().text() == register.current
    assert not (again.keys.directory / "log.key.next").exists()
    rotated = "log.key_rotated" in again.names()
    assert ("log.key_retired" in again.names()) == rotated == (len(register.keys) == 2)
    again.grow(1, first=50)
    assert again.sealing.seal().root == root_of(again.leaves())


def test_the_old_key_stays_until_a_checkpoint_was_signed_by_both(
    sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise nobody could follow from the one to the other."""
    old = sealed.verifier_key()
    monkeypatch.setattr(sealed.sealing, "_follower", lambda: None)
    with pytest.raises(RecordBrokenError, match="the checkpoint of the rotation"):
        sealed.register.rotate()
    assert sealed.keys.current().verifier() == old == sealed.verifier_key()


def test_a_key_that_the_record_does_not_name_signs_nothing(sealed: Sealed) -> None:
    """Not even one of this log's name."""
    (sealed.keys.directory / "log.key").unlink()
    sealed.keys.public_file.unlink()
    sealed.keys.make(new=True)
    with pytest.raises(SealKeyError, match=r"the record says that this log is signed by .*bring"):
        Sealed(sealed.store, sealed.keys.directory)

"""A part of the premises that was lost or replaced stops the start; nothing is made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from api.bootstrap import open_node
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.ports import Outside
from domain.services.rechecking import LookAgain
from infrastructure.premises import Premises
from tests.rehearsal.conftest import Played, command, run
from tests.support.scenarios import Scene


@pytest.fixture
def data(played: Played, tmp_path: Path) -> Path:
    """A copy of premises in which a rehearsal was played."""
    shutil.copytree(played.data, tmp_path / "data")
    return tmp_path / "data"


def _open(data: Path) -> None:
    with open_node(data, Mode.REHEARSAL):
        pass


def test_premises_that_are_whole_open(data: Path) -> None:
    """So that the refusals below mean something."""
    _open(data)


def test_a_lost_log_key_is_not_made_anew(data: Path) -> None:
    """Another key would go on signing as if nothing had happened."""
    shutil.rmtree(data / "seal")
    with pytest.raises(DomainError, match=r"expected the log's key .* bring it back"):
        _open(data)
    assert not (data / "seal" / "log.key").exists()


def test_a_lost_keystore_is_not_taken_for_a_new_one(data: Path) -> None:
    """The record has receipts for keys that a new keystore never destroyed."""
    shutil.rmtree(data / "keystore")
    with pytest.raises(RecordBrokenError, match="the keystore knows 0"):
        _open(data)


def test_an_older_copy_of_the_keystore_is_noticed(
    data: Path, played: Played, tmp_path: Path
) -> None:
    """Brought back from before the last destruction."""
    fresh = tmp_path / "fresh"
    _open(fresh)
    shutil.rmtree(data / "keystore")
    shutil.copytree(fresh / "keystore", data / "keystore")
    with pytest.raises(RecordBrokenError, match="brought back from an older copy"):
        _open(data)


@pytest.mark.parametrize("lost", [("media",), ("keystore", "media"), ("keystore",)])
def test_no_receipt_is_written_for_what_is_not_there(tmp_path: Path, lost: tuple[str, ...]) -> None:
    """A disk that was not mounted: its items are not destroyed because nobody sees them."""
    premises, scene = Premises(tmp_path / "data"), Scene()
    premises.found(Mode.REHEARSAL)
    record = premises.open_record(Mode.REHEARSAL, scene.clock, lambda size: None)
    premises.sealer(record.origin, new=True)
    vault = premises.open_vault()
    scene.outside = Outside(record, vault, scene.clock, scene.identities, LookAgain(vault))
    scene.applied().list_opened().entry_proposed()
    vault.close()
    record.close()
    for part in lost:
        (premises.path / part).rename(tmp_path / part)
    with pytest.raises(RecordBrokenError, match="2 items are not there"):
        _open(premises.path)


def test_what_was_destroyed_and_is_back_is_noticed(data: Path) -> None:
    """A media store from an older copy."""
    item = "ab" * 16
    (data / "media" / "ab").mkdir(exist_ok=True)
    (data / "media" / "ab" / item).write_bytes(b"a ciphertext")
    with pytest.raises(RecordBrokenError, match="1 are there that the record does not know"):
        _open(data)


def test_a_lost_record_beside_a_key_that_signed_is_noticed_before_anything_is_played(
    data: Path,
) -> None:
    """The key is another log's."""
    shutil.rmtree(data / "record")
    with pytest.raises(DomainError, match="found one of"):
        _open(data)


def test_a_key_that_is_none_is_wrong_usage_and_no_finding(played: Played) -> None:
    """Its exit code must not name what was found in the log."""
    done = run(command("verify", played.data, "--key", played.data / "record" / "none"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "expected a verifier key at" in done.stderr


def test_verify_leaves_nothing_in_the_directory_that_it_reads(data: Path) -> None:
    """An auditor's copy stays as it was."""
    for journal in (data / "record").glob("record.db-*"):
        journal.unlink()
    before = sorted(path.name for path in (data / "record").iterdir())
    done = run(command("verify", data, "--key", data / "seal" / "log.vkey"))
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in (data / "record").iterdir()) == before

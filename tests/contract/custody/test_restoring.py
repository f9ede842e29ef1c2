"""Older copies of record, media and keystore in all combinations: the right finding each time, and
never a read of what was destroyed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.bootstrap import examined, mended, open_node, verify_premises
from api.bootstrap.doctor import LossNotAcceptedError
from api.cli.main import app
from domain.assurance.notes import VerifierKey
from domain.assurance.verification import Kind
from domain.assurance.witnessing import AddCheckpoint
from domain.custody.aggregate import Item
from domain.custody.events import (
    ConsultationRefused,
    ItemDoubted,
    KeystoreRollbackFound,
    LossFound,
    OrphanFound,
    RestoredFromBackup,
    ResurrectionFound,
)
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.ports import Outside
from domain.services.rechecking import LookAgain
from domain.services.restoring import Diagnosis, Longer
from infrastructure.clock import SystemClock
from infrastructure.record.event_record import EventRecord
from infrastructure.seal.witness_office import WitnessOffice
from tests.contract.seal.sealed import served
from tests.support.memory import MemoryIdentities
from tests.support.restored import PARTS, Past, Stopped, at_work, what_opens
from tests.unit.services.test_footage import CHUNKS

ACTOR = "stand-in:dpo-1"


@pytest.fixture(scope="module", params=["postgres", "sqlite"])
def past(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Past]:
    """One past on each kind of database."""
    lived = Past.lived(tmp_path_factory.mktemp("past"), kind=request.param)
    yield lived
    lived.remove()


@dataclass(frozen=True)
class Expected:
    """What is found. ``A`` was destroyed around the copy, ``D`` after it, ``C`` came after it and
    lives, ``B`` lives: see :class:`Past`."""

    lost: bool = False
    """Whether entries are."""
    rollback: bool = False
    keys_back: str = ""
    files_back: str = ""
    ended: str = ""
    """Alive by the record, destroyed by the tombstones."""
    keys_missing: str = ""
    files_missing: str = ""
    keys_unknown: str = ""
    files_unknown: str = ""
    opens: str = ""
    """What may be read afterwards."""


E = Expected
_RM, _RK, _MK, _ALL = "record media", "record keystore", "media keystore", "record media keystore"
TABLE = {
    ("record", "before"): E(lost=True, ended="AD", keys_unknown="C", files_unknown="C"),
    ("record", "during"): E(lost=True, ended="D", keys_unknown="C", files_unknown="C"),
    ("record", "after"): E(lost=True, ended="D", keys_unknown="C", files_unknown="C"),
    ("media", "before"): E(files_back="AD", files_missing="C", opens="B"),
    ("media", "during"): E(files_back="AD", files_missing="C", opens="B"),
    ("media", "after"): E(files_back="D", files_missing="C", opens="B"),
    ("keystore", "before"): E(rollback=True, keys_back="AD", keys_missing="C", opens="B"),
    ("keystore", "during"): E(rollback=True, keys_back="D", keys_missing="C", opens="B"),
    ("keystore", "after"): E(rollback=True, keys_back="D", keys_missing="C", opens="B"),
    (_RM, "before"): E(lost=True, ended="AD", files_back="AD", keys_unknown="C"),
    (_RM, "during"): E(lost=True, ended="D", files_back="D", keys_unknown="C"),
    (_RM, "after"): E(lost=True, ended="D", files_back="D", keys_unknown="C"),
    (_RK, "before"): E(lost=True, files_missing="AD", files_unknown="C"),
    (_RK, "during"): E(lost=True, files_missing="D", files_unknown="C"),
    (_RK, "after"): E(lost=True, files_missing="D", files_unknown="C"),
    (_MK, "before"): E(
        rollback=True, keys_back="AD", files_back="AD", keys_missing="C", files_missing="C",
        opens="B",
    ),
    (_MK, "during"): E(
        rollback=True, keys_back="D", files_back="AD", keys_missing="C", files_missing="C",
        opens="B",
    ),
    (_MK, "after"): E(
        rollback=True, keys_back="D", files_back="D", keys_missing="C", files_missing="C",
        opens="B",
    ),
    # All of one time: only the checkpoint knows better. What was destroyed since lives here, and
    # nobody can tell it from what was not: nothing of before is read.
    (_ALL, "before"): E(lost=True),
    (_ALL, "during"): E(lost=True),
    (_ALL, "after"): E(lost=True),
}  # fmt: skip
"""Which parts are older copies, of when, and what is found."""


def found_in(past: Past, found: Diagnosis, opens: str) -> Expected:
    """A diagnosis in the words of the table."""
    return Expected(
        lost=found.lost is not None,
        rollback=found.rollback is not None,
        keys_back=past.named(found.came_back["keystore"]),
        files_back=past.named(found.came_back["media"]),
        ended=past.named(found.ended_meanwhile),
        keys_missing=past.named(found.missing["keystore"]),
        files_missing=past.named(found.missing["media"]),
        keys_unknown=past.named(found.unknown["keystore"]),
        files_unknown=past.named(found.unknown["media"]),
        opens=opens,
    )


def go_on(path: Path, *, keystore_is_current: bool = False) -> list[str]:
    """As a person who has no newer copies."""
    after = mended(path, actor=ACTOR, accept_loss=True, keystore_is_current=keystore_is_current)
    assert after.inventory.clean
    return after.done


@pytest.mark.parametrize(("parts", "moment"), TABLE)
def test_an_older_copy_is_found_and_what_was_destroyed_is_not_read(
    past: Past, parts: str, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No start before a person goes on; afterwards the stores hold what the record says, what was
    found is on it, and whoever verifies it finds it sound."""
    expected = TABLE[parts, moment]
    with past.brought_back(tmp_path / "data", parts.split(), moment, monkeypatch) as data:
        with pytest.raises(RecordBrokenError, match="older copy"), at_work(data):
            pass
        found = examined(data)
        go_on(data)
        with open_node(data, Mode.REHEARSAL) as node:
            opens = what_opens(node.outside, past.items)
            node.seal()
            history = [entry.event for entry in node.record.history()]
            key = node.sealer.verifier_key_file.read_text(encoding="utf-8")
        assert found_in(past, found, opens) == expected
        assert verify_premises(data, key_text=key, outside_checkpoint=None).kind is Kind.SOUND
        assert examined(data).fits

    restored = [one for one in history if isinstance(one, RestoredFromBackup)]
    assert [(one.size_found, one.size_known, one.known_from) for one in restored] == (
        [(past.sizes[moment], past.sizes["now"], "checkpoint")] if expected.lost else []
    )
    assert (data / "seal" / "lost").exists() == expected.lost
    told = {
        (type(one), one.store, past.named([one.item]))
        for one in history
        if isinstance(one, ResurrectionFound | LossFound | OrphanFound) and one.item
    }
    assert told == {
        (kind, store, name)
        for kind, store, names in (
            (ResurrectionFound, "keystore", expected.keys_back),
            (ResurrectionFound, "media", expected.files_back),
            (LossFound, "keystore", expected.keys_missing),
            (LossFound, "media", expected.files_missing),
            (OrphanFound, "keystore", expected.keys_unknown),
            (OrphanFound, "media", expected.files_unknown),
        )
        for name in names
    }
    assert any(isinstance(one, KeystoreRollbackFound) for one in history) == expected.rollback
    assert any(isinstance(one, ItemDoubted) for one in history) == expected.lost


def test_the_table_has_every_combination() -> None:
    """Seven, at three moments."""
    assert len(TABLE) == (2 ** len(PARTS) - 1) * 3


def test_premises_of_which_nothing_was_brought_back_fit(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what is found above means something; and the two that live can be read."""
    with past.brought_back(tmp_path / "data", (), "before", monkeypatch) as data:
        assert found_in(past, examined(data), "") == Expected()
        with at_work(data) as outside:
            assert what_opens(outside, past.items) == "BC"


@pytest.mark.parametrize("parts", ["record", _RM])
def test_a_keystore_that_was_not_brought_back_knows_what_was_destroyed(
    past: Past, parts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person says so, on the record; then what has no tombstone is not in doubt."""
    with past.brought_back(tmp_path / "data", parts.split(), "before", monkeypatch) as data:
        go_on(data, keystore_is_current=True)
        with at_work(data) as outside:
            assert what_opens(outside, past.items) == "B"


def test_an_older_keystore_is_not_called_current(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the record knows better."""
    with past.brought_back(tmp_path / "data", ["keystore"], "before", monkeypatch) as data:
        found = examined(data)
        with pytest.raises(DomainError, match="this keystore is an older copy"):
            go_on(data, keystore_is_current=True)
        assert examined(data) == found


@pytest.mark.parametrize("parts", PARTS)
def test_nothing_is_given_up_that_nobody_accepts(
    past: Past, parts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is anything changed by looking."""
    with past.brought_back(tmp_path / "data", [parts], "before", monkeypatch) as data:
        found = examined(data)
        with pytest.raises(LossNotAcceptedError, match="look for newer copies first"):
            mended(data, actor=ACTOR, accept_loss=False, keystore_is_current=False)
        assert examined(data) == found


def test_a_read_of_what_came_back_is_refused_on_the_record_before_anybody_mends(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key and ciphertext are there, and would open; the record says that its destruction began."""
    with past.brought_back(tmp_path / "data", _MK.split(), "before", monkeypatch) as data:
        premises, clock = past.premises(data), SystemClock()
        record = premises.open_record(Mode.REHEARSAL, clock)
        vault = premises.open_vault()
        outside = Outside(record, vault, clock, MemoryIdentities(), LookAgain(vault))
        label = record.load(Item, past.items["A"]).label
        assert bytes(vault.open(label)) == b"".join(CHUNKS)
        assert what_opens(outside, past.items) == "B"
        refused = [
            entry.event
            for entry in record.history()
            if isinstance(entry.event, ConsultationRefused)
        ]
        assert [past.named([one.concerning]) for one in refused if one.concerning] == ["A", "D"]
        assert {why.code for one in refused for why in one.reasons} == {"item_destroyed"}
        vault.close()
        record.close()


def stopped_after(entries: int, append: Callable[..., int]) -> Callable[..., int]:
    """An append that is stopped once it stored so many times."""
    left = iter(range(1, entries))

    def then_stopped(record: EventRecord, *changes: Any, **given: Any) -> int:
        position = append(record, *changes, **given)
        if next(left, None) is None:
            raise Stopped
        return position

    return then_stopped


@pytest.mark.parametrize("parts", [_RM, _MK, _ALL])
def test_going_on_that_is_broken_off_anywhere_is_finished_by_the_next_attempt(
    past: Past, parts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt after one entry, the next after two; a restore is told once."""
    with past.brought_back(tmp_path / "data", parts.split(), "before", monkeypatch) as data:
        attempts, append = 0, EventRecord.append
        while not examined(data).fits:
            attempts += 1
            with pytest.MonkeyPatch.context() as patch, suppress(Stopped):
                patch.setattr(EventRecord, "append", stopped_after(attempts, append))
                go_on(data)
            with suppress(RecordBrokenError), at_work(data) as outside:
                assert set(what_opens(outside, past.items)) <= set(TABLE[parts, "before"].opens)
        assert attempts >= 2
        go_on(data)
        with at_work(data) as outside:
            assert what_opens(outside, past.items) == TABLE[parts, "before"].opens
            restored = [
                one for one in outside.record.history() if isinstance(one.event, RestoredFromBackup)
            ]
        assert len(restored) == ("record" in parts)


# -- what only a witness knows -------------------------------------------------------------------


def test_a_witness_knows_that_all_of_it_is_older_and_goes_on_refusing(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Record, stores and checkpoint are of one time. Going on is told to whoever asks for it."""
    parts = [*PARTS, "seal"]
    with past.brought_back(tmp_path / "data", parts, "before", monkeypatch) as data:
        office = WitnessOffice(tmp_path / "w1", clock=SystemClock(), name="w1.example")
        office.trust([VerifierKey.from_text((data / "seal" / "log.vkey").read_text().strip())])
        newest = (past.path / "now" / "seal" / "checkpoint").read_text("utf-8")
        assert office.add_checkpoint(AddCheckpoint(0, (), newest).body().encode()).status == 200
        with served(office) as line:
            (data / "seal" / "witnesses").write_text(f"{line}\n", "utf-8")
            with pytest.raises(RecordBrokenError, match="older copy"), at_work(data):
                pass
            found = examined(data)
            assert found.lost == Longer(past.sizes["now"], "witness")
            after = mended(data, actor=ACTOR, accept_loss=True, keystore_is_current=False)
            assert [one for one in after.witnessed if one.startswith("ALARM")] == after.witnessed
            with at_work(data) as outside:
                assert what_opens(outside, past.items) == ""


def test_without_a_witness_all_of_it_together_is_taken_for_the_present(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit that docs/restore.md states: there is nothing left that knows better."""
    parts = [*PARTS, "seal"]
    with past.brought_back(tmp_path / "data", parts, "after", monkeypatch) as data:
        assert examined(data).fits
        with at_work(data) as outside:
            assert "A" not in what_opens(outside, past.items)


# -- what a person types -------------------------------------------------------------------------


def test_the_command_line_tells_goes_on_and_tells_that_all_fits(
    past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """12 where anything does not fit, 4 where a loss is not accepted, 0 once it fits."""
    with past.brought_back(tmp_path / "data", ["record"], "before", monkeypatch) as data:

        def doctor(*words: str) -> tuple[int, str]:
            done = CliRunner().invoke(app, ["doctor", "--data", str(data), *words])
            return done.exit_code, done.output

        first, last = past.sizes["before"], past.sizes["now"] - 1
        code, told = doctor()
        assert (code, f"{first} to {last} are lost" in told) == (12, True)
        code, told = doctor("--json")
        assert (code, json.loads(told)["size_known"]) == (12, last + 1)
        assert doctor("--mend")[0] == doctor("--accept-loss")[0] == 2
        code, told = doctor("--mend", "--accept-loss", "--actor", "dpo-1")
        assert (code, f"the entries {first} to {last} are lost" in told) == (0, True)
        assert doctor() == (0, doctor()[1])
        assert "everything fits together" in doctor()[1]

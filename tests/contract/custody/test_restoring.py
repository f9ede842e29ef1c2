"""Older copies of record, media and keystore in all combinations: the right finding each time, and
never a read of what was destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.bootstrap import examined, mended, open_node, verify_premises
from api.bootstrap.doctor import LossNotAcceptedError
from domain.assurance.verification import Kind
from domain.custody.events import (
    ConsultationRefused,
    ItemDoubted,
    KeystoreRollbackFound,
    LossFound,
    OrphanFound,
    ResurrectionFound,
    RestoredFromBackup,
)
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.services.restoring import Diagnosis
from tests.support.restored import PARTS, Past, at_work, what_opens

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


def test_the_table_has_every_combination(past: Past) -> None:
    """Seven, at three moments; and premises of which nothing was brought back fit."""
    assert len(TABLE) == (2 ** len(PARTS) - 1) * 3

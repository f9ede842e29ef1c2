"""Nothing of another deployment can be read from a pack, though the two lived side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.assurance.packs import MULTIPROOF
from domain.assurance.tree import HASH_SIZE
from tests.contract.packs.packed import (
    OTHER,
    OTHER_ACTOR,
    OTHER_COMMAND,
    OTHER_RUN,
    OURS,
    others,
    pack,
)
from tests.contract.record.examples import stream
from tests.contract.seal.sealed import Sealed
from tests.support.residue import search


@pytest.fixture
def needles(sealed: Sealed) -> dict[str, bytes]:
    """Whatever would tell of the other deployment: ids, streams, staff, times, places, links."""
    rows = [row for row in sealed.store.rows() if row.scope == OTHER]
    words = {
        "its id": OTHER,
        "its id with dashes": "d2d2d2d2-d2d2-d2d2-d2d2-d2d2d2d2d2d2",
        "its staff": OTHER_ACTOR,
        "a command": OTHER_COMMAND.hex,
        "its run": OTHER_RUN.hex,
        "its camera": "camera-of-the-other",
        "its day": "2027-01-02",
        "the start of its id": OTHER[:8],
        **{f"stream {number}": stream(700 + number).hex for number in range(3)},
        **{f"a stream as stored at {row.position}": row.stream for row in rows},
        **{f"the leaf hash at {row.position}, in hex": row.leaf.hex() for row in rows},
    }
    return {what: word.encode() for what, word in words.items() if word not in ("", OURS)}


def found_in(directory: Path, needles: dict[str, bytes]) -> set[str]:
    """Which of them a search of every file finds."""
    return {one.name for one in search([directory], needles)}


def test_no_word_of_another_deployment_is_in_a_pack(
    sealed: Sealed, tmp_path: Path, needles: dict[str, bytes]
) -> None:
    """Every one of these words is in the other's own pack, so the search would have found it."""
    pack(sealed, tmp_path / "ours")
    pack(sealed, tmp_path / "other", scope=OTHER)
    absent = needles.keys() - found_in(tmp_path / "other", needles)
    assert absent == {"its id with dashes"}, "a word that no pack would hold shows nothing"
    assert found_in(tmp_path / "ours", needles) == set()
    (tmp_path / "ours/data/history.html").write_text("camera-of-the-other")
    assert found_in(tmp_path / "ours", needles) == {"its camera"}


def test_of_its_entries_only_hashes_that_no_one_can_guess_are_in_a_pack(
    sealed: Sealed, tmp_path: Path
) -> None:
    """A leaf hash stands beside an entry of ours in the tree, or it is not in the pack at all."""
    others(sealed, 80)
    others(sealed, 81)
    sealed.sealing.seal()
    pack(sealed, tmp_path / "ours")
    rows = sealed.store.rows()
    ours = {row.position for row in rows if row.scope != OTHER}
    leaves = {str(row.position): row.leaf for row in rows if row.scope == OTHER}
    found = search([tmp_path / "ours"], leaves)
    assert found, "where two deployments go on by turns, some stand beside each other"
    for one in found:
        assert one.path == tmp_path / "ours" / MULTIPROOF
        assert one.offset % HASH_SIZE == 0
        assert int(one.name) ^ 1 in ours
    assert len(found) < len(leaves)

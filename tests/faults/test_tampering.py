"""The tamper matrix: nobody changes an exported log unseen, by our verifier or by Go's.

Four people. The clumsy one changes a file. The careful one also writes the tiles anew that belong
to it. The thorough one writes every file anew but the checkpoint. The thief has the log's key and
signs what they made: that agrees with itself, and only what was kept elsewhere, or what a witness
signed, speaks against it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from domain.assurance.checkpoints import Checkpoint, sign
from domain.assurance.cosignatures import WitnessSignerKey, add_cosignature, cosign
from domain.assurance.entries import canonical
from domain.assurance.exports import verify_export
from domain.assurance.tiles import ENTRIES, WIDTH, Tile, entry_bundle
from domain.assurance.tree import EMPTY_ROOT, leaf_hash
from domain.assurance.verification import Kind, Verdict
from tests.oracles.conftest import Oracle, oracle  # noqa: F401
from tests.support.exports import KEY, ORIGIN, write_export
from tests.unit.assurance.logs import a_log

LARGE = 300
"""Two tiles, and one above them."""
WITNESS = WitnessSignerKey("w1.example", bytes(range(32)))
SEEN_AT = 1_795_426_200

Judge = Callable[[Path], bool]
"""Whether somebody takes an export for sound."""


@pytest.fixture(params=["ours", "go"])
def judge(request: pytest.FixtureRequest) -> Judge:
    """Our verifier and Go's, in turn."""
    if request.param == "ours":
        return lambda directory: ours(directory).kind is Kind.SOUND
    of_others: Oracle = request.getfixturevalue("oracle")
    return of_others.accepts


def ours(directory: Path, *, outside: str | None = None, witnessed: bool = False) -> Verdict:
    """What our verifier says of an export."""
    return verify_export(
        directory,
        key=KEY.verifier(),
        outside_checkpoint=outside,
        witnesses=[WITNESS.verifier()] if witnessed else [],
    )


@pytest.fixture(scope="module")
def entries() -> list[bytes]:
    """Real entries, chained in three scopes and five streams."""
    return [row.blob for row in a_log(LARGE).rows]


@pytest.fixture(scope="module")
def large(entries: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of all of them. Nobody writes here."""
    return write_export(tmp_path_factory.mktemp("large") / "log", entries)


@pytest.fixture
def small(entries: list[bytes], tmp_path: Path) -> Path:
    """A log of three entries."""
    return write_export(tmp_path / "log", entries[:3])


@pytest.fixture
def copy(large: Path, tmp_path: Path) -> Path:
    """A copy of the large log, to do things to."""
    return Path(shutil.copytree(large, tmp_path / "copy"))


# -- single bytes --------------------------------------------------------------------------------


def files_of(directory: Path) -> list[Path]:
    """Every file below a directory, in order."""
    return sorted(one for one in directory.rglob("*") if one.is_file())


def flips(raw: bytes, *, every: int = 1) -> Iterator[bytes]:
    """The bytes with one bit of one byte changed, for each in turn; which bit depends on where."""
    for at in range(0, len(raw), every):
        yield raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :]


def test_every_byte_of_a_small_log_matters(judge: Judge, small: Path) -> None:
    """Checkpoint, tiles and bundle; changed, missing at the end, and one too many."""
    assert judge(small)
    for file in files_of(small):
        if file.name == "log.vkey":
            continue  # what Go is told to trust; our verifier is told elsewhere
        before = file.read_bytes()
        # Go reads a last newline and spare bits of base64 in more than one form
        lenient = 3 if file.name == "checkpoint" else 0
        body, rest = before[: len(before) - lenient], before[len(before) - lenient :]
        for changed in [*(one + rest for one in flips(body)), b"", body[:-1] + rest, before + b"x"]:
            file.write_bytes(changed)
            assert not judge(small), file
        file.unlink()
        assert not judge(small), file
        file.write_bytes(before)
    assert judge(small)


def test_the_bytes_that_others_pass_over_matter_too(small: Path) -> None:
    """One content has one form: no spare bits, no other line end."""
    for name in ("checkpoint", "log.vkey"):
        before = (small / name).read_bytes()
        for changed in [*flips(before), before + b"\n", before.replace(b"\n", b"\r\n")]:
            (small / name).write_bytes(changed)
            assert ours(small).kind is not Kind.SOUND
        (small / name).write_bytes(before)
    assert ours(small).kind is Kind.SOUND


def test_bytes_of_every_file_of_a_larger_log_matter(judge: Judge, copy: Path) -> None:
    """Some of each: tiles of both levels, full and partial, and both bundles."""
    assert judge(copy)
    for file in files_of(copy):
        if file.name == "log.vkey":
            continue
        before = file.read_bytes()
        for changed in flips(before[:-3], every=max(1, len(before) // 12)):
            file.write_bytes(changed + before[-3:])
            assert not judge(copy), file
        file.write_bytes(before)


# -- entries -------------------------------------------------------------------------------------


def changed_at(place: int) -> Callable[[list[bytes]], list[bytes]]:
    """Another role in one entry."""

    def change(entries: list[bytes]) -> list[bytes]:
        other = canonical(json.loads(entries[place]) | {"role": "auditor"})
        return [*entries[:place], other, *entries[place + 1 :]]

    return change


CHANGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], Kind]] = {
    "change the first": (changed_at(0), Kind.ALTERED),
    "change one in the middle": (changed_at(100), Kind.ALTERED),
    "change the last": (changed_at(LARGE - 1), Kind.ALTERED),
    "drop the first": (lambda all_of: all_of[1:], Kind.MISSING),
    "drop one in the middle": (lambda all_of: all_of[:100] + all_of[101:], Kind.MISSING),
    "drop one in the second bundle": (lambda all_of: all_of[:270] + all_of[271:], Kind.MISSING),
    "cut off the last": (lambda all_of: all_of[:-1], Kind.TRUNCATED),
    "cut off the second bundle": (lambda all_of: all_of[:WIDTH], Kind.TRUNCATED),
    "double one": (lambda all_of: [*all_of[:100], *all_of[99:]], Kind.REORDERED),
    "double the last": (lambda all_of: [*all_of, all_of[-1]], Kind.REORDERED),
    "swap two": (
        lambda all_of: [*all_of[:7], all_of[8], all_of[7], *all_of[9:]],
        Kind.REORDERED,
    ),
    "swap two far apart": (
        lambda all_of: [*all_of[:7], all_of[290], *all_of[8:290], all_of[7], *all_of[291:]],
        Kind.REORDERED,
    ),
    "slip one in": (lambda all_of: [*all_of[:50], all_of[200], *all_of[50:]], Kind.REORDERED),
}


@pytest.fixture(params=sorted(CHANGES))
def change(request: pytest.FixtureRequest) -> tuple[Callable[[list[bytes]], list[bytes]], Kind]:
    """Each thing that can be done to the entries, in turn, and what it is."""
    return CHANGES[request.param]


Change = tuple[Callable[[list[bytes]], list[bytes]], Kind]


def bundled(directory: Path, entries: Sequence[bytes]) -> None:
    """Write these entries under the names that the log's size gives, and nothing else."""
    inside = [list(entries[:WIDTH]), list(entries[WIDTH:])]
    for index, some in enumerate(inside):
        name = Tile(ENTRIES, index, WIDTH if index == 0 else LARGE - WIDTH).path
        (directory / name).unlink()
        if some:
            bundle = entry_bundle(some) if len(some) <= WIDTH else b""
            (directory / name).write_bytes(bundle)


def hashed(directory: Path, entries: Sequence[bytes]) -> None:
    """Write the tiles of level 0 of these entries under the names that are there."""
    for index, some in enumerate((entries[:WIDTH], entries[WIDTH:])):
        name = Tile(0, index, WIDTH if index == 0 else LARGE - WIDTH).path
        (directory / name).write_bytes(b"".join(leaf_hash(one) for one in some))


def test_the_clumsy_one_is_seen(
    judge: Judge, copy: Path, entries: list[bytes], change: Change
) -> None:
    """Entries changed in their bundles, and nothing else."""
    do, kind = change
    bundled(copy, do(entries))
    assert not judge(copy)
    expected = {kind, Kind.ALTERED} if kind is Kind.REORDERED else {kind}
    assert ours(copy).kind in expected


def test_the_careful_one_is_seen(
    judge: Judge, copy: Path, entries: list[bytes], change: Change
) -> None:
    """With the leaf hashes beside them: the tile above, a link or a place still speaks."""
    do, _ = change
    bundled(copy, do(entries))
    hashed(copy, do(entries))
    assert not judge(copy)
    assert ours(copy).kind not in (Kind.SOUND, Kind.UNANCHORED, Kind.UNREADABLE)


def test_the_thorough_one_is_seen(
    judge: Judge, large: Path, tmp_path: Path, entries: list[bytes], change: Change
) -> None:
    """Every file anew, but the checkpoint, which only the key can sign."""
    do, _ = change
    made = write_export(tmp_path / "made", do(entries))
    shutil.copy(large / "checkpoint", made / "checkpoint")
    assert not judge(made)
    assert ours(made).kind not in (Kind.SOUND, Kind.UNANCHORED, Kind.UNREADABLE)


def test_one_that_changes_an_entry_with_its_leaf_and_every_tile_is_a_fork(
    judge: Judge, large: Path, tmp_path: Path, entries: list[bytes]
) -> None:
    """The last of its scope and stream, so that no link speaks: only the signature does."""
    made = write_export(tmp_path / "made", changed_at(LARGE - 1)(entries))
    shutil.copy(large / "checkpoint", made / "checkpoint")
    assert not judge(made)
    assert ours(made).kind is Kind.FORKED


def test_a_forger_without_the_key_signs_in_vain(
    judge: Judge, tmp_path: Path, entries: list[bytes], large: Path
) -> None:
    """Under the log's name with another key, and with the log's key beside it."""
    forger = replace(KEY, seed=bytes(32))
    made = write_export(tmp_path / "made", changed_at(4)(entries), key=forger)
    shutil.copy(large / "log.vkey", made / "log.vkey")
    assert not judge(made)
    assert ours(made).kind is Kind.UNSIGNED


# -- with the key --------------------------------------------------------------------------------


def rewritten(entries: list[bytes]) -> list[bytes]:
    """The last entry of the log changed: a history that agrees with itself."""
    return changed_at(len(entries) - 1)(entries)


@pytest.mark.parametrize(
    ("do", "kind"),
    [(rewritten, Kind.FORKED), (lambda all_of: all_of[:-1], Kind.TRUNCATED)],
)
def test_the_thief_is_held_to_a_checkpoint_that_was_kept_elsewhere(
    large: Path,
    tmp_path: Path,
    entries: list[bytes],
    do: Callable[[list[bytes]], list[bytes]],
    kind: Kind,
) -> None:
    """Rewritten, or cut and signed again: by itself it is sound, and the verdict says so little."""
    kept = (large / "checkpoint").read_text("utf-8")
    made = write_export(tmp_path / "made", do(entries))
    alone = ours(made)
    assert alone.kind is Kind.SOUND
    assert "No checkpoint from elsewhere was given" in alone.sentence
    assert ours(made, outside=kept).kind is kind
    assert ours(large, outside=kept).kind is Kind.SOUND


def test_the_thief_lacks_the_witness(large: Path, tmp_path: Path, entries: list[bytes]) -> None:
    """Its cosignature is not on what was signed again, and does not fit it either."""
    made = write_export(tmp_path / "made", rewritten(entries))
    witnessed = Path(shutil.copytree(large, tmp_path / "witnessed"))
    note = (large / "checkpoint").read_text("utf-8")
    line = cosign(note, WITNESS, at=SEEN_AT)
    (witnessed / "checkpoint").write_text(add_cosignature(note, line), "utf-8")
    seen = ours(witnessed, witnessed=True)
    assert (seen.kind, [one.at for one in seen.cosigned]) == (Kind.SOUND, [SEEN_AT])
    assert ours(made, witnessed=True).kind is Kind.UNSIGNED
    forged = (made / "checkpoint").read_text("utf-8")
    (made / "checkpoint").write_text(add_cosignature(forged, line), "utf-8")
    assert ours(made, witnessed=True).kind is Kind.UNSIGNED


# -- damage, and what is no export ---------------------------------------------------------------


def test_tiles_of_earlier_sizes_may_stay_and_must_fit(judge: Judge, copy: Path) -> None:
    """Those who hold an earlier checkpoint need them."""
    for level in (0, ENTRIES):
        raw = (copy / Tile(level, 0).path).read_bytes()
        beginning = raw[: 7 * 32] if level == 0 else first_seven(raw)
        earlier = copy / Tile(level, 0, 7).path
        earlier.parent.mkdir()
        earlier.write_bytes(beginning)
        assert judge(copy)
        assert ours(copy).remarks == ()
        for changed in flips(beginning, every=61):
            earlier.write_bytes(changed)
            assert ours(copy).kind is Kind.ALTERED
        earlier.write_bytes(beginning)


def first_seven(bundle: bytes) -> bytes:
    """The first seven entries of a bundle."""
    at = 0
    for _ in range(7):
        at += 2 + int.from_bytes(bundle[at : at + 2], "big")
    return bundle[:at]


def test_a_tile_behind_the_checkpoint_is_counted_and_not_believed(copy: Path) -> None:
    """An export that is being written has its tiles first."""
    (copy / "tile/0/002").write_bytes(bytes(32 * WIDTH))
    told = ours(copy)
    assert told.kind is Kind.SOUND
    assert told.remarks == (
        "Not looked at: 1 files that are of no tile up to the checkpoint's size.",
    )


def test_hashes_alone_can_be_checked_and_are_called_that(copy: Path) -> None:
    """Who may not have the entries asks for that; nobody is left to think they were there."""
    shutil.rmtree(copy / "tile/entries")
    assert ours(copy).kind is Kind.TRUNCATED
    told = verify_export(copy, key=KEY.verifier(), hashes_only=True)
    assert (told.kind, told.size) == (Kind.SOUND, LARGE)
    assert "nothing is said of any entry" in told.remarks[0]
    for file in files_of(copy / "tile"):
        before = file.read_bytes()
        for changed in flips(before, every=len(before) // 5):
            file.write_bytes(changed)
            found = verify_export(copy, key=KEY.verifier(), hashes_only=True)
            assert found.kind in (Kind.ALTERED, Kind.FORKED)
        file.write_bytes(before)


def test_a_size_that_nobody_could_hold_is_a_finding(small: Path) -> None:
    """Signed, and out of all proportion: nothing is counted up to it."""
    huge = sign(Checkpoint(ORIGIN, 2**63 - 1, EMPTY_ROOT), KEY)
    (small / "checkpoint").write_text(huge, "utf-8")
    assert ours(small).kind is Kind.TRUNCATED
    found = verify_export(small, key=KEY.verifier(), hashes_only=True)
    assert found.kind is Kind.MISSING


def test_links_and_strange_files_are_findings_and_no_crash(small: Path, tmp_path: Path) -> None:
    """Nothing outside the export is read."""
    bundle = small / Tile(ENTRIES, 0, 3).path
    before = bundle.read_bytes()
    (tmp_path / "elsewhere").write_bytes(before)
    bundle.unlink()
    bundle.symlink_to(tmp_path / "elsewhere")
    assert ours(small).kind is Kind.UNREADABLE
    bundle.unlink()
    bundle.mkdir()
    assert ours(small).kind is Kind.TRUNCATED
    bundle.rmdir()
    bundle.write_bytes(b"\xff" * (WIDTH * 65_537 + 1))
    assert ours(small).kind is Kind.UNREADABLE
    bundle.write_bytes(before)
    (small / "checkpoint").write_bytes(b"\xff\xfe")
    assert ours(small).kind is Kind.UNREADABLE
    (small / "checkpoint").write_bytes(b"A" * 70_000)
    assert ours(small).kind is Kind.UNREADABLE

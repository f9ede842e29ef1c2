"""An export is the whole signed log in C2SP's layout, whenever it is looked at."""

from __future__ import annotations

import base64
import hashlib
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from domain.assurance.notes import SignerKey, VerifierKey
from domain.kernel.errors import RecordBrokenError
from infrastructure.seal.export import Exported, Exporter, ExportError
from tests.contract.seal.sealed import Sealed, forked
from tests.support.processes import another_process
from tests.support.stores import SQLiteStore, Store, reach


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Sealed]:
    """On one store: an export asks a record for nothing but its entries."""
    store = SQLiteStore.fresh(tmp_path)
    yield Sealed(store, tmp_path / "seal")
    store.close()


def export(sealed: Sealed, directory: Path, *, public: bool = False) -> Exported:
    """As ``log export`` does."""
    sealed.sealer.examine(sealed.record, now=sealed.clock.now())
    keys = [VerifierKey.from_text(text) for text in sealed.register.read().keys]
    exporter = Exporter(directory, tree=sealed.sealer.tree, record=sealed.record, public=public)
    return exporter.export(sealed.note(), keys)


def contents(directory: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


# -- a reader that shares no code with ours ------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def mth(leaves: list[bytes]) -> bytes:
    """The tree hash, by its definition."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node(mth(leaves[:k]), mth(leaves[k:]))


def index_path(index: int) -> str:
    """C2SP tlog-tiles: groups of three digits."""
    text = f"{index % 1000:03d}"
    while index >= 1000:
        index //= 1000
        text = f"x{index % 1000:03d}/{text}"
    return text


def recomputed(directory: Path) -> list[bytes]:
    """Every entry, once the tiles and the checkpoint were worked out from the entries alone."""
    _, size_line, root_line, *_ = (directory / "checkpoint").read_text("utf-8").split("\n")
    size, entries = int(size_line), []
    for index in range(-(-size // 256)):
        width = min(256, size - 256 * index)
        name = index_path(index) + ("" if width == 256 else f".p/{width}")
        bundle = (directory / "tile" / "entries" / name).read_bytes()
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            entries.append(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]
    assert len(entries) == size
    row = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
    assert base64.b64decode(root_line) == mth(row)
    level = 0
    while row:
        for index in range(-(-len(row) // 256)):
            hashes = row[256 * index : 256 * (index + 1)]
            name = index_path(index) + ("" if len(hashes) == 256 else f".p/{len(hashes)}")
            assert (directory / "tile" / str(level) / name).read_bytes() == b"".join(hashes)
        row = [mth(row[256 * i : 256 * (i + 1)]) for i in range(len(row) // 256)]
        level += 1
    return entries


@pytest.mark.parametrize("size", [2, 255, 256, 257, 600])
def test_an_export_recomputes_from_its_own_entries(store: Store, tmp_path: Path, size: int) -> None:
    """By a reader of these tests' own, which knows the two formats and nothing else."""
    sealed = Sealed(store, tmp_path / "seal")
    if size > 2:
        sealed.grow(size - 2)
    sealed.sealing.seal()
    exported = export(sealed, tmp_path / "out")
    assert exported.size == size == sealed.record.size()
    assert recomputed(tmp_path / "out") == [blob for _, blob in sealed.record.blobs()]
    assert (tmp_path / "out" / "log.vkey").read_text("utf-8") == f"{sealed.verifier_key().text()}\n"
    assert (tmp_path / "out" / "checkpoint").read_text("utf-8") == sealed.note()


def test_exporting_again_only_adds_what_is_new(sealed: Sealed, tmp_path: Path) -> None:
    """Nothing that was there is written again but the checkpoint; nothing is taken away."""
    out = tmp_path / "out"
    sealed.grow(598)
    sealed.sealing.seal()
    export(sealed, out)
    before = contents(out)
    places = {name: (out / name).stat().st_ino for name in before}
    assert export(sealed, out).written == 0
    sealed.grow(300, first=600)
    sealed.sealing.seal()
    written = export(sealed, out).written
    after = contents(out)
    assert before.items() - after.items() == {("checkpoint", before["checkpoint"])}
    assert written == len(after) - len(before) + 1 == 6
    assert {name for name in before if (out / name).stat().st_ino != places[name]} == {"checkpoint"}
    recomputed(out)
    at_once = tmp_path / "at-once"
    export(sealed, at_once)
    assert contents(at_once).items() <= after.items()


def test_what_is_not_signed_is_not_exported(sealed: Sealed, tmp_path: Path) -> None:
    """Up to the newest checkpoint, and no further."""
    sealed.grow(3)
    checkpoint = sealed.sealing.seal()
    sealed.grow(300, first=10)
    assert export(sealed, tmp_path / "out").size == checkpoint.size == 5
    assert len(recomputed(tmp_path / "out")) == 5


def test_the_public_gets_no_entries(sealed: Sealed, tmp_path: Path) -> None:
    """Hashes and checkpoint only; and not beside entries that lie there already."""
    sealed.grow(300)
    sealed.sealing.seal()
    export(sealed, tmp_path / "public", public=True)
    export(sealed, tmp_path / "whole")
    public, whole = contents(tmp_path / "public"), contents(tmp_path / "whole")
    assert public == {name: content for name, content in whole.items() if "entries" not in name}
    assert any("entries" in name for name in whole)
    with pytest.raises(ExportError, match="the public gets none"):
        export(sealed, tmp_path / "whole", public=True)
    assert contents(tmp_path / "whole") == whole
    export(sealed, tmp_path / "public")
    assert contents(tmp_path / "public") == whole


def test_entries_are_only_for_us_to_read(sealed: Sealed, tmp_path: Path) -> None:
    """They show times and roles; hashes may be public."""
    sealed.sealing.seal()
    export(sealed, tmp_path / "out")
    (bundle,) = (tmp_path / "out" / "tile" / "entries").rglob("2")
    (tile,) = (tmp_path / "out" / "tile" / "0").rglob("2")
    assert bundle.stat().st_mode & 0o777 == 0o600
    assert tile.stat().st_mode & 0o777 == 0o644


# -- a directory that holds something else -------------------------------------------------------


def something_else(out: Path) -> None:
    """A directory that somebody uses."""
    out.mkdir(exist_ok=True)
    (out / "notes.txt").write_text("mine")


def another_logs(out: Path) -> None:
    """An export of another log."""
    (out / "log.vkey").write_text(SignerKey.generate("example.org/x").verifier().text() + "\n")


def a_file(out: Path) -> None:
    """No directory at all."""
    shutil.rmtree(out)
    out.write_text("x")


def no_checkpoint(out: Path) -> None:
    """A checkpoint that nobody signed."""
    (out / "checkpoint").write_text("x")


def bytes_only(out: Path) -> None:
    """A checkpoint that is no text."""
    (out / "checkpoint").write_bytes(b"\xff")


def without_its_key(out: Path) -> None:
    """Tiles of who knows which log."""
    (out / "log.vkey").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (something_else, "holds 1 things that are not of an export"),
        (another_logs, "holds another log"),
        (a_file, "expected a directory"),
        (no_checkpoint, "is not a checkpoint"),
        (bytes_only, "is not a checkpoint"),
        (without_its_key, "says not of which log"),
    ],
)
def test_a_directory_that_holds_something_else_is_left_alone(
    sealed: Sealed, tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    """Not a byte of it is changed."""
    sealed.sealing.seal()
    out = tmp_path / "out"
    export(sealed, out)
    spoil(out)
    sealed.grow(3)
    sealed.sealing.seal()
    before = contents(out) if out.is_dir() else {}
    with pytest.raises(ExportError, match=words):
        export(sealed, out)
    assert (contents(out) if out.is_dir() else {}) == before


def test_a_checkpoint_that_this_log_does_not_continue_is_left_alone(
    sealed: Sealed, tmp_path: Path
) -> None:
    """A larger one, or another history: this log was cut, or the key was stolen."""
    out = tmp_path / "out"
    sealed.grow(3)
    sealed.sealing.seal()
    earlier = sealed.note()
    export(sealed, out)
    sealed.grow(3, first=10)
    sealed.sealing.seal()
    export(sealed, out)
    sealed.sealer.checkpoint_file.write_text(earlier, "utf-8")
    with pytest.raises(ExportError, match="holds a checkpoint of 9 entries, this log was signed"):
        export(sealed, out)
    (out / "checkpoint").write_text(forked(sealed, 4), "utf-8")
    with pytest.raises(ExportError, match="this log has another history"):
        export(sealed, out)


def test_after_a_rotation_an_earlier_export_is_continued(sealed: Sealed, tmp_path: Path) -> None:
    """Its key is one that signed this log; the new one is given away with the new checkpoint."""
    sealed.grow(3)
    sealed.sealing.seal()
    export(sealed, tmp_path / "out")
    sealed.register.rotate()
    export(sealed, tmp_path / "out")
    recomputed(tmp_path / "out")
    assert (tmp_path / "out" / "log.vkey").read_text(
        "utf-8"
    ).strip() == sealed.verifier_key().text()


# -- a log that is not what was signed -----------------------------------------------------------


def test_an_entry_that_was_changed_is_not_given_away(sealed: Sealed, tmp_path: Path) -> None:
    """Nor does the export get a checkpoint then."""
    sealed.grow(300)
    sealed.sealing.seal()
    sealed.store.drop_triggers()
    sealed.store.execute(
        "UPDATE stored_events SET state = (SELECT state FROM stored_events WHERE position = 7) "
        "WHERE position = 270"
    )
    with pytest.raises(RecordBrokenError, match="position 270: the entry is not the one"):
        export(sealed, tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint").exists()


def test_hashes_that_were_damaged_are_not_given_away(sealed: Sealed, tmp_path: Path) -> None:
    """In the middle, where no root of the newest checkpoint looks at them."""
    sealed.grow(600)
    sealed.sealing.seal()
    first = sealed.sealer.tree.directory / "0"
    whole = first.read_bytes()
    first.write_bytes(whole[:64] + bytes(32) + whole[96:])
    with pytest.raises(RecordBrokenError, match="do not fit each other: tile/0/000"):
        export(sealed, tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint").exists()


# -- broken off ----------------------------------------------------------------------------------


def export_on_a_full_disk(
    telling: Connection, address: str, directory: Path, out: Path, largest: int
) -> None:
    """Try to export where no file may grow beyond a size."""
    sealed = Sealed(reach(address), directory)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    try:
        export(sealed, out)
        telling.send("exported")
    except ExportError as error:
        telling.send(str(error))


@pytest.mark.parametrize("largest", [10, 1_000, 9_000])
def test_a_full_disk_leaves_the_earlier_export_whole(
    sealed: Sealed, tmp_path: Path, largest: int
) -> None:
    """No checkpoint without its tiles, no half file under a real name; with room it goes on."""
    out = tmp_path / "out"
    sealed.grow(3)
    sealed.sealing.seal()
    export(sealed, out)
    before = (out / "checkpoint").read_bytes()
    sealed.grow(600, first=10)
    sealed.sealing.seal()
    where = (sealed.store.address, sealed.keys.directory, out, largest)
    with another_process(export_on_a_full_disk, *where) as (_, telling):
        assert f"cannot write the export in {out}: File too large" in telling.recv()
    assert (out / "checkpoint").read_bytes() == before
    recomputed(out)
    export(sealed, out)
    assert len(recomputed(out)) == sealed.record.size()
    assert not list(out.rglob("*.new"))


class Stopped(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("step", range(12))
def test_whenever_it_stops_a_reader_finds_every_tile_that_the_checkpoint_needs(
    sealed: Sealed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """The earlier checkpoint or the new one; and the next export finishes what was begun."""
    out = tmp_path / "out"
    sealed.grow(255)
    sealed.sealing.seal()
    export(sealed, out)
    sealed.grow(260, first=300)
    sealed.sealing.seal()
    renamed: list[Path] = []

    def rename(path: Path, target: Path) -> Path:
        if len(renamed) == step:
            raise Stopped
        renamed.append(target)
        path.replace(target)
        return target

    monkeypatch.setattr(Path, "rename", rename)
    with suppress(Stopped):
        export(sealed, out)
    monkeypatch.undo()
    recomputed(out)
    export(sealed, out)
    assert len(recomputed(out)) == sealed.record.size()

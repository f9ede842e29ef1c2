"""An exported log: checkpoint, hash tiles and entry bundles, checked against each other.

The entries come from the bundles, their leaf hashes from the tiles of level 0. Every tile above
holds the roots of those below it and is worked out again. Partial tiles of earlier sizes may lie
beside the full ones, for those who still hold an earlier checkpoint: each must be where its full
tile begins. What lies behind the checkpoint's size (an export that is being written has its tiles
first and its checkpoint last) is counted and not looked at.

Source: C2SP tlog-tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from domain.assurance.checkpoints import Checkpoint, CheckpointError
from domain.assurance.chunks import root_over
from domain.assurance.cosignatures import WitnessKey
from domain.assurance.custody import Custody
from domain.assurance.entries import LARGEST_ENTRY
from domain.assurance.examined import Following
from domain.assurance.files import content, names_below, text
from domain.assurance.notes import NoteError, VerifierKey, open_note
from domain.assurance.summing import workers
from domain.assurance.tiles import (
    ENTRIES,
    WIDTH,
    Tile,
    TileMalformedError,
    entry_bundle,
    parse_tile_path,
    read_entry_bundle,
)
from domain.assurance.tree import HASH_SIZE
from domain.assurance.verification import (
    FaultFoundError,
    Kind,
    TiledRow,
    Verdict,
    in_silence,
    not_looked_at,
    verify,
    verify_hashes,
)

CHECKPOINT = "checkpoint"
KEY = "log.vkey"

_MOST_BUNDLE_BYTES = WIDTH * (LARGEST_ENTRY + 2)


def verify_export(
    directory: Path,
    *,
    key: VerifierKey,
    outside_checkpoint: str | None = None,
    witnesses: Sequence[WitnessKey] = (),
    hashes_only: bool = False,
    as_of: datetime | None = None,
    progress: Callable[[int], None] = in_silence,
) -> Verdict:
    """Recompute an exported log.

    Args:
        directory: holds ``checkpoint`` and ``tile/``.
        key: the log's public key, got from somewhere other than the export.
        outside_checkpoint: a signed checkpoint that someone else kept, if any.
        witnesses: each of them must have cosigned a checkpoint.
        hashes_only: check the hash tiles alone, as whoever gets no entries must.
        as_of: the time to work custody out for; None for the newest of the log.
        progress: told the number of entries now and then.
    """
    try:
        export = _Export(directory, key)
    except FaultFoundError as fault:
        return not_looked_at(fault.kind, str(fault))
    custody = Following(Custody())
    if hashes_only:
        verdict = verify_hashes(
            export.leaves(),
            key=key,
            own_checkpoint=export.note,
            outside_checkpoint=outside_checkpoint,
            witnesses=witnesses,
        )
    else:
        verdict = verify(
            export.rows(),
            head=None,
            scope_heads=None,
            key=key,
            own_checkpoint=export.note,
            outside_checkpoint=outside_checkpoint,
            witnesses=witnesses,
            progress=progress,
            workers=workers(),
            following=custody.rows,
        )
    told = replace(verdict, remarks=export.remarks(hashes_only=hashes_only))
    return told if hashes_only else custody.told(told, as_of=as_of)


class _Export:
    """The files of one export.

    Raises:
        FaultFoundError: the checkpoint is missing or not signed, or the directory holds links.
    """

    def __init__(self, directory: Path, key: VerifierKey) -> None:
        self._directory = directory
        self._names = set(names_below(directory))
        self._read: set[str] = {CHECKPOINT}
        self._tiles = _tiles(self._names)
        self._partial = _partial(self._tiles)
        self._above: list[list[bytes]] = []
        self.note = text(directory / CHECKPOINT, CHECKPOINT)
        self._size = _opened(self.note, key).size
        self._require_signers_key()

    def rows(self) -> Iterator[TiledRow]:
        """Every entry with the leaf hash beside it; afterwards the tiles above are checked.

        Ends early where no bundle follows; that the log is then shorter than its checkpoint says
        is for whoever counts.
        """
        for index in range(-(-self._size // WIDTH)):
            width = min(WIDTH, self._size - index * WIDTH)
            if not self._has_bundle(index, width):
                return
            leaves = self._hashes(Tile(0, index, width))
            entries = self._bundle(Tile(ENTRIES, index, width))
            yield from (
                TiledRow(index * WIDTH + place, leaf, entry)
                for place, (leaf, entry) in enumerate(zip(leaves, entries, strict=False))
            )
            self._require_count(width, index, "hashes", len(leaves))
            self._require_count(width, index, "entries", len(entries))
            self._fold(leaves)
        self._check_unfinished_tiles()

    def leaves(self) -> Iterator[bytes]:
        """Every leaf hash of the tiles of level 0; afterwards the tiles above are checked."""
        for index in range(-(-self._size // WIDTH)):
            width = min(WIDTH, self._size - index * WIDTH)
            leaves = self._hashes(Tile(0, index, width))
            yield from leaves
            self._require_count(width, index, "hashes", len(leaves))
            self._fold(leaves)
        self._check_unfinished_tiles()

    def remarks(self, *, hashes_only: bool) -> tuple[str, ...]:
        """What was not looked at."""
        remarks = []
        if hashes_only:
            remarks.append("Only hashes were checked: nothing is said of any entry.")
        beyond = len(self._names - self._read)
        if beyond and not hashes_only:
            remarks.append(
                f"Not looked at: {beyond} files that are of no tile up to the checkpoint's size."
            )
        return tuple(remarks)

    def _has_bundle(self, index: int, width: int) -> bool:
        """Whether the bundle is there; if a later one is and this is not, something was taken."""
        wanted = Tile(ENTRIES, index, width)
        if wanted.path in self._names:
            return True
        if any(tile.level == ENTRIES and tile.index > index for tile in self._tiles):
            raise FaultFoundError(Kind.MISSING, f"expected {wanted.path}, found none")
        return False

    def _hashes(self, tile: Tile) -> list[bytes]:
        raw = self._content(tile, most=WIDTH * HASH_SIZE)
        if len(raw) % HASH_SIZE:
            raise FaultFoundError(
                Kind.UNREADABLE,
                f"{tile.path}: expected hashes of {HASH_SIZE} bytes, found {len(raw)} bytes",
            )
        self._check_earlier(tile, lambda width: raw[: width * HASH_SIZE])
        return [raw[at : at + HASH_SIZE] for at in range(0, len(raw), HASH_SIZE)]

    def _bundle(self, tile: Tile) -> list[bytes]:
        raw = self._content(tile, most=_MOST_BUNDLE_BYTES)
        try:
            entries = read_entry_bundle(raw)
        except TileMalformedError as error:
            raise FaultFoundError(Kind.UNREADABLE, f"{tile.path}: {error}") from error
        self._check_earlier(tile, lambda width: entry_bundle(entries[:width]))
        return entries

    def _content(self, tile: Tile, *, most: int) -> bytes:
        self._read.add(tile.path)
        return content(self._directory / tile.path, tile.path, most=most)

    def _check_earlier(self, tile: Tile, beginning: Callable[[int], bytes]) -> None:
        """Partial tiles of earlier sizes are where this one begins."""
        for width in self._partial.get((tile.level, tile.index), ()):
            if width >= tile.width:
                continue
            earlier = Tile(tile.level, tile.index, width)
            if self._content(earlier, most=_MOST_BUNDLE_BYTES) != beginning(width):
                raise FaultFoundError(
                    Kind.ALTERED, f"{earlier.path} is not the beginning of {tile.path}"
                )

    def _require_count(self, width: int, index: int, of_what: str, found: int) -> None:
        if found == width:
            return
        last = (index + 1) * WIDTH >= self._size
        kind = Kind.ALTERED if found > width else Kind.TRUNCATED if last else Kind.MISSING
        raise FaultFoundError(
            kind, f"from position {index * WIDTH} on: expected {width} {of_what}, found {found}"
        )

    def _fold(self, leaves: Sequence[bytes]) -> None:
        """Take in a tile of level 0, and compare every tile above that it completes."""
        level, hashes = 0, leaves
        while len(hashes) == WIDTH:
            level += 1
            if level > len(self._above):
                self._above.append([])
            row = self._above[level - 1]
            row.append(root_over(hashes))
            if len(row) % WIDTH:
                return
            hashes = row[-WIDTH:]
            self._compare(level, len(row) // WIDTH - 1, hashes)

    def _check_unfinished_tiles(self) -> None:
        for level, row in enumerate(self._above, start=1):
            if over := len(row) % WIDTH:
                self._compare(level, len(row) // WIDTH, row[-over:])

    def _compare(self, level: int, index: int, expected: Sequence[bytes]) -> None:
        tile = Tile(level, index, len(expected))
        found = self._hashes(tile)
        for place, one in enumerate(expected):
            if place >= len(found) or found[place] != one:
                below = Tile(level - 1, index * WIDTH + place)
                raise FaultFoundError(
                    Kind.ALTERED, f"{tile.path}: hash {place} is not the root over {below.path}"
                )
        if len(found) != len(expected):
            raise FaultFoundError(
                Kind.ALTERED,
                f"{tile.path}: expected {len(expected)} hashes, found {len(found)}",
            )

    def _require_signers_key(self) -> None:
        """The key that lies here for convenience is one that signed, and written in its one form.

        It need not be the one that was given: while a key is replaced, both sign.
        """
        if KEY not in self._names:
            return
        self._read.add(KEY)
        found = text(self._directory / KEY, KEY)
        try:
            key = VerifierKey.from_text(found.removesuffix("\n"))
            open_note(self.note, key)
        except NoteError as error:
            raise FaultFoundError(
                Kind.ALTERED, f"{KEY} is not a key that signed the checkpoint: {error}"
            ) from error
        if found != f"{key.text()}\n":
            raise FaultFoundError(Kind.ALTERED, f"{KEY}: expected a key and a newline")


def _opened(note: str, key: VerifierKey) -> Checkpoint:
    try:
        return Checkpoint.parse(open_note(note, key))
    except NoteError as error:
        raise FaultFoundError(Kind.UNSIGNED, f"the log's own checkpoint: {error}") from error
    except CheckpointError as error:
        # The key did sign it: a newer format, it may be.
        raise FaultFoundError(Kind.UNREADABLE, f"the log's own checkpoint: {error}") from error


def _tiles(names: Set[str]) -> list[Tile]:
    """The tiles and bundles that are there, in order."""
    found = []
    for name in sorted(names):
        try:
            found.append(parse_tile_path(name))
        except TileMalformedError:
            continue
    return found


def _partial(tiles: Sequence[Tile]) -> dict[tuple[int, int], list[int]]:
    """The widths of the partial tiles that are there, by level and index."""
    found: dict[tuple[int, int], list[int]] = {}
    for tile in tiles:
        if tile.width < WIDTH:
            found.setdefault((tile.level, tile.index), []).append(tile.width)
    return found

"""The media store: one file of ciphertext for each item.

What is not ours is reported and never touched.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from domain.kernel.errors import DomainError
from infrastructure.files import make_private_directory, sync_directory
from infrastructure.vault.ciphertexts import MediaStoreError

_UNFINISHED = ".new"
"""What a name ends with until the file is whole."""


class MediaStore:
    """Ciphertexts below one directory, ``<first two hex digits>/<item>``.

    Args:
        directory: made with 0700 if it is missing.
        only_reading: make nothing; a store that is away must not look like one that is empty.

    Raises:
        MediaStoreError: it is only to be read, and not there.
    """

    def __init__(self, directory: Path, *, only_reading: bool = False) -> None:
        if not only_reading:
            make_private_directory(directory)
            # of a folder that a process made and died before it synced
            sync_directory(directory)
        elif not directory.is_dir():
            raise MediaStoreError(f"expected ciphertexts below {directory}, found no directory")
        self.directory = directory

    def write_stream(self, item: UUID, pieces: Iterable[bytes | bytearray | memoryview]) -> None:
        """Store an item's ciphertext as it comes (see ``Ciphertexts``)."""
        path = self._path(item)
        unfinished = _unfinished(path)
        with _in_our_words("write", item):
            if not path.parent.is_dir():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                sync_directory(self.directory)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with open(descriptor, "wb", buffering=0) as file:
                os.fchmod(descriptor, 0o600)
                for piece in pieces:
                    with _in_our_words(f"write {len(piece)} bytes of", item):
                        _write_all(file, piece)
                with _in_our_words("write", item):
                    os.fsync(descriptor)
            with _in_our_words("write", item):
                unfinished.rename(path)
                sync_directory(path.parent)
        except Exception:
            # A full disk needs the room at once; after a crash, ``remove`` sees to it.
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise

    def open(self, item: UUID) -> _File | None:
        """An item's ciphertext from its beginning, to be closed; or ``None``."""
        with _in_our_words("read", item):
            try:
                return _File(item, self._path(item).open("rb"))
            except FileNotFoundError:
                return None

    def remove(self, item: UUID) -> None:
        """Unlink what there is of an item, finished or not, and make its absence durable."""
        path = self._path(item)
        with _in_our_words("remove", item):
            if not path.parent.is_dir():
                return
            path.unlink(missing_ok=True)
            _unfinished(path).unlink(missing_ok=True)
            sync_directory(path.parent)

    def remove_all(self, items: Sequence[UUID]) -> dict[UUID, DomainError]:
        """Unlink what there is of items; each directory is synced once.

        Returns:
            What could not be removed, and why. The others are gone for good.
        """
        kept: dict[UUID, DomainError] = {}
        by_directory: dict[Path, list[UUID]] = defaultdict(list)
        for item in items:
            by_directory[self._path(item).parent].append(item)
        for directory, those in by_directory.items():
            unlinked = [one for one in those if self._unlinked(one, kept)]
            try:
                if directory.is_dir():
                    sync_directory(directory)
            except OSError as error:
                why = MediaStoreError(
                    f"cannot make it durable that {directory} lost a file: {error}"
                )
                kept.update(dict.fromkeys(unlinked, why))
        return kept

    def _unlinked(self, item: UUID, kept: dict[UUID, DomainError]) -> bool:
        try:
            with _in_our_words("remove", item):
                path = self._path(item)
                path.unlink(missing_ok=True)
                _unfinished(path).unlink(missing_ok=True)
        except MediaStoreError as error:
            kept[item] = error
            return False
        return True

    def holds(self, item: UUID) -> bool:
        """Whether there is a ciphertext of an item, finished or not."""
        path = self._path(item)
        with _in_our_words("look for", item):
            return _is_there(path) or _is_there(_unfinished(path))

    def items(self) -> set[UUID]:
        """Every item that has a ciphertext, finished or not."""
        return {item for path in self._files() if (item := self._item(path)) is not None}

    def strays(self) -> list[Path]:
        """Files here that are no item's. They are reported, never touched."""
        return sorted(path for path in self._files() if self._item(path) is None)

    def _files(self) -> Iterator[Path]:
        """Everything below that is no directory of its own; links are not followed."""
        for folder, folders, names in os.walk(self.directory, onerror=_closed_to_us):
            yield from (Path(folder, name) for name in names)
            yield from (path for name in folders if (path := Path(folder, name)).is_symlink())

    def _path(self, item: UUID) -> Path:
        return self.directory / item.hex[:2] / item.hex

    def _item(self, path: Path) -> UUID | None:
        """The item whose file this is: it lies exactly where we put one."""
        finished = path.with_name(path.name.removesuffix(_UNFINISHED))
        try:
            item = UUID(hex=finished.name)
        except ValueError:
            return None
        return item if finished == self._path(item) else None


def _unfinished(path: Path) -> Path:
    return path.with_name(path.name + _UNFINISHED)


def _is_there(path: Path) -> bool:
    """Whether anything has this name: a link that leads nowhere too."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _closed_to_us(error: OSError) -> None:
    """Stop the walk: a list without a directory that could not be read would be no inventory."""
    raise MediaStoreError(f"cannot list {error.filename}: {error.strerror}") from error


class _File:
    """An item's ciphertext, read piece by piece."""

    def __init__(self, item: UUID, file: BinaryIO) -> None:
        self._item = item
        self._file = file

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        with _in_our_words("read", self._item):
            return self._file.read(size)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _write_all(file: BinaryIO | FileIO, piece: bytes | bytearray | memoryview) -> None:
    """A disk may take less than it is given."""
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


@contextmanager
def _in_our_words(doing: str, item: UUID) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MediaStoreError(
            f"item {item.hex}: cannot {doing} its ciphertext: {error.strerror}"
        ) from error

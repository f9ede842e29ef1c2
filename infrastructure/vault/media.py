"""The media store: one file of ciphertext for each item."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from infrastructure.files import make_private_directory, sync_directory, write_durably

_UNFINISHED = ".new"


class MediaStore:
    """Ciphertexts below one directory, ``<first two hex digits>/<item>``.

    Args:
        directory: made with 0700 if it is missing.
    """

    def __init__(self, directory: Path) -> None:
        make_private_directory(directory)
        self.directory = directory

    def write(self, item: UUID, ciphertext: bytes) -> None:
        """Store an item's ciphertext; whole and durable, or not at all."""
        path = self._path(item)
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            sync_directory(self.directory)
        write_durably(path, ciphertext, mode=0o600)

    def read(self, item: UUID) -> bytes | None:
        """An item's ciphertext, or ``None``."""
        try:
            return self._path(item).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, item: UUID) -> None:
        """Unlink what there is of an item, finished or not, and make its absence durable."""
        path = self._path(item)
        if not path.parent.is_dir():
            return
        path.unlink(missing_ok=True)
        path.with_name(path.name + _UNFINISHED).unlink(missing_ok=True)
        sync_directory(path.parent)

    def holds(self, item: UUID) -> bool:
        """Whether there is a ciphertext of an item, finished or not."""
        path = self._path(item)
        return path.exists() or path.with_name(path.name + _UNFINISHED).exists()

    def items(self) -> set[UUID]:
        """Every item that has a ciphertext, finished or not."""
        return {item for path in self._files() if (item := _item_of(path)) is not None}

    def strays(self) -> list[Path]:
        """Files here that are no item's. They are reported, never touched."""
        return sorted(path for path in self._files() if _item_of(path) is None)

    def _files(self) -> list[Path]:
        return [path for path in self.directory.rglob("*") if not path.is_dir()]

    def _path(self, item: UUID) -> Path:
        return self.directory / item.hex[:2] / item.hex


def _item_of(path: Path) -> UUID | None:
    name = path.name.removesuffix(_UNFINISHED)
    if len(name) != 32 or path.parent.name != name[:2]:
        return None
    try:
        return UUID(hex=name)
    except ValueError:
        return None

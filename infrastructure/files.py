"""Files that must be whole or absent, and directories that nobody else may read."""

from __future__ import annotations

import os
from pathlib import Path

from domain.kernel.errors import DomainError


class DirectoryError(DomainError):
    """A directory cannot be made or used."""


def write_durably(path: Path, content: bytes | bytearray | memoryview, *, mode: int) -> None:
    """Write to a temporary name, sync, rename, sync the directory.

    A crash leaves the old file or the new one, never half; the temporary one may stay.
    """
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.rename(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable: what was added is there, what was unlinked is not."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private_directory(directory: Path) -> None:
    """Make a directory that only we can enter (0700); one that exists is left as it is.

    Raises:
        DirectoryError: the system does not let us.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DirectoryError(f"cannot use {directory}: {error.strerror}") from error

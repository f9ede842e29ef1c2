"""Files from elsewhere, read as what they may be: cut, huge, links, or not there at all.

Whatever is wrong with a file is a finding in words, never an exception of the system's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from domain.assurance.verification import FaultFoundError, Kind

MOST_NOTE_BYTES = 64 * 1024
"""A checkpoint or key is small; more is not read."""


_NO_SURPRISES = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Follow no link, wait for no pipe; not every system has these."""


def open_plain(path: Path, name: str) -> int:
    """A descriptor of a regular file, which is not reached through a link of its own name.

    Raises:
        FaultFoundError: it is missing, not a regular file, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_SURPRISES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FaultFoundError(Kind.MISSING, f"expected {name}, found none") from error
    except (OSError, ValueError) as error:
        # ValueError: a name with a null character
        why = getattr(error, "strerror", None) or error
        raise FaultFoundError(Kind.UNREADABLE, f"{name} cannot be read: {why}") from error
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise FaultFoundError(Kind.UNREADABLE, f"{name}: expected a file, found something else")


def content(path: Path, name: str, *, most: int) -> bytes:
    """A whole file.

    Args:
        path: where it is.
        name: what to call it in a finding.
        most: bytes; a longer file is not read.

    Raises:
        FaultFoundError: as :func:`open_plain`, or it is longer.
    """
    with open(open_plain(path, name), "rb") as file:
        try:
            raw = file.read(most + 1)
        except OSError as error:
            raise FaultFoundError(
                Kind.UNREADABLE, f"{name} cannot be read: {error.strerror}"
            ) from error
    if len(raw) > most:
        raise FaultFoundError(Kind.UNREADABLE, f"{name}: expected at most {most} bytes, found more")
    return raw


def text(path: Path, name: str, *, most: int = MOST_NOTE_BYTES) -> str:
    """A whole file as UTF-8, its line ends as they are: a signature covers them.

    Raises:
        FaultFoundError: as :func:`content`, or it is not UTF-8.
    """
    try:
        return content(path, name, most=most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FaultFoundError(Kind.UNREADABLE, f"{name}: expected text in UTF-8") from error


def names_below(directory: Path) -> Iterator[str]:
    """The path of each file below a directory, parts joined by ``/``, in no order.

    Raises:
        FaultFoundError: there is a link, or something that is neither file nor directory: what
            it leads to lies outside.
    """
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            found = list(os.scandir(directory / folder))
        except OSError as error:
            raise FaultFoundError(
                Kind.UNREADABLE, f"the directory {folder or '.'} cannot be read: {error.strerror}"
            ) from error
        for one in found:
            name = f"{folder}/{one.name}" if folder else one.name
            if one.is_dir(follow_symlinks=False):
                pending.append(name)
            elif one.is_file(follow_symlinks=False):
                yield name
            else:
                raise FaultFoundError(
                    Kind.UNREADABLE,
                    f"{name}: expected a file or a directory, found a link or something else",
                )

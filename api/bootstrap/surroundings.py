"""What this process takes from its surroundings: settings, time, and files that a person names."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path

from domain.kernel.errors import DomainError
from infrastructure.clock import SystemClock
from infrastructure.files import sync_directory, write_durably
from infrastructure.premises import Premises
from infrastructure.settings import Settings


def settings() -> Settings:
    """The settings of this process."""
    return Settings.read(os.environ)


def premises_at(path: Path) -> Premises:
    """The premises below a path, with the record in the database that the settings name, if any."""
    known = settings()
    return Premises(
        path,
        url=known.database,
        log_key=known.log_key,
        epoch_keys=known.epoch_keys,
        recheck=known.recheck,
        bucket=known.media,
    )


def now() -> datetime:
    """The present instant."""
    return SystemClock().now()


def today() -> date:
    """The present day, UTC."""
    return SystemClock().now().date()


def typed_path(text: str) -> Path:
    """A path as the person typed it, from where they stand (``./run`` changes directory)."""
    return (Path(os.environ.get("PLUMBLINE_HERE", ".")) / Path(text).expanduser()).absolute()


def exact_text(path: Path) -> str:
    """A file's text with its line ends as they are: a signature covers them."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def remove_durably(path: Path) -> None:
    """Remove a file's name and make that durable. Nothing is overwritten.

    Raises:
        OSError: the system does not let us.
    """
    path.unlink()
    sync_directory(path.parent)


def new_directory(path: Path) -> None:
    """Make a directory that was not there.

    Raises:
        DomainError: it is there, or cannot be made.
    """
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise DomainError(f"expected to make the directory {path}: {error.strerror}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is whole or absent.

    Raises:
        DomainError: it cannot be written there.
    """
    try:
        write_durably(path, content, mode=0o644)
    except OSError as error:
        raise DomainError(f"cannot write {path}: {error.strerror}") from error

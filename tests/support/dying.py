"""A process over real premises that dies at a chosen durable step, and leaves what it leaves.

It ends by ``os._exit``: nothing is closed, rolled back, unlocked or tidied up. Each step that it
reaches is told first, so that a step which is never reached shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import FileIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from infrastructure.custody.separate_rechecker import SeparateRechecker
from infrastructure.record.event_record import EventRecord
from infrastructure.vault import media
from infrastructure.vault.keystore import Keystore
from tests.support.injected import InjectedClock, going_by
from tests.support.processes import PROCESSES

DIED = 86
"""The exit status of one that died where it was to die."""


@dataclass(frozen=True)
class At:
    """A step, and which time that it is reached."""

    step: str | None
    """None for any."""
    nth: int = 1


@dataclass
class _Steps:
    """Counts them, tells them, and dies."""

    dying: At | None
    telling: Connection
    passed: list[str] = field(default_factory=list)

    def reached(self, step: str) -> None:
        """A step is durable, or in the middle of becoming so."""
        self.passed.append(step)
        self.telling.send(step)
        if self.dying is None or self.dying.step not in (None, step):
            return
        times = len(self.passed) if self.dying.step is None else self.passed.count(step)
        if times == self.dying.nth:
            os._exit(DIED)

    def after(self, patch: pytest.MonkeyPatch, owner: type, name: str, step: str) -> None:
        """A step once a method has answered."""
        call = getattr(owner, name)

        def then_reached(*given: Any, **named: Any) -> Any:
            answer = call(*given, **named)
            self.reached(step)
            return answer

        patch.setattr(owner, name, then_reached)


@contextmanager
def _watched(steps: _Steps, data: Path) -> Iterator[None]:
    """Every durable step of custody below this directory is counted."""
    with pytest.MonkeyPatch.context() as patch:
        _watch_record(steps, patch)
        steps.after(patch, Keystore, "_put", "key not committed")
        steps.after(patch, Keystore, "new_keys", "key made")
        _watch_media(steps, patch, data / "media")
        steps.after(patch, media.MediaStore, "write_stream", "ciphertext durable")
        steps.after(patch, Keystore, "_destroyed", "key's end not committed")
        steps.after(patch, Keystore, "destroy", "keys destroyed")
        steps.after(patch, media.MediaStore, "remove_all", "ciphertexts gone")
        steps.after(patch, SeparateRechecker, "recheck", "looked again")
        _watch_epochs(steps, patch)
        steps.after(patch, SeparateRechecker, "attest", "inventory signed")
        yield


def _watch_record(steps: _Steps, patch: pytest.MonkeyPatch) -> None:
    append, size = EventRecord.append, 0

    def then_reached(record: EventRecord, *changes: Any, **named: Any) -> int:
        nonlocal size
        before = size or record.size()
        size = append(record, *changes, **named)
        if stored := [entry.event.NAME for entry in record.history(after=before - 1)]:
            steps.reached(" + ".join(dict.fromkeys(stored)))
        return size

    patch.setattr(EventRecord, "append", then_reached)


def _watch_media(steps: _Steps, patch: pytest.MonkeyPatch, directory: Path) -> None:
    rename, unlink, write_all = os.rename, os.unlink, media._write_all

    def half_first(file: FileIO, piece: bytes) -> None:
        write_all(file, piece[: len(piece) // 2])
        steps.reached("ciphertext half written")
        write_all(file, piece[len(piece) // 2 :])

    def renamed(source: Any, target: Any) -> None:
        ours = directory in Path(target).parents
        if ours:
            steps.reached("ciphertext not renamed")
        rename(source, target)
        if ours:
            steps.reached("ciphertext renamed")

    def unlinked(path: Any) -> None:
        unlink(path)
        if directory in Path(path).parents:
            steps.reached("ciphertext unlinked")

    patch.setattr(media, "_write_all", half_first)
    patch.setattr(os, "rename", renamed)
    patch.setattr(os, "unlink", unlinked)


def _watch_epochs(steps: _Steps, patch: pytest.MonkeyPatch) -> None:
    end_epochs = Keystore.end_epochs

    def then_reached(keystore: Keystore, **named: Any) -> Any:
        ended = end_epochs(keystore, **named)
        if ended:
            steps.reached("epoch keys ended")
        return ended

    patch.setattr(Keystore, "end_epochs", then_reached)


Act = Callable[[Path], None]
"""What a process does over the premises below a directory: a function of a module."""


def _act(
    act: Act, data: Path, database: str | None, at: datetime, dying: At | None, telling: Connection
) -> None:
    with going_by(InjectedClock(at), database=database), _watched(_Steps(dying, telling), data):
        act(data)


def until_it_dies(
    act: Act, data: Path, *, database: str | None, at: datetime, dying: At | None
) -> tuple[bool, list[str]]:
    """Let a process of its own act, and die where it is to.

    Args:
        act: what it does.
        data: the premises.
        database: where their record is; None for a file.
        at: what its clock shows first.
        dying: where it dies; None for never.

    Returns:
        Whether it died, and the steps that it reached.
    """
    hearing, telling = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_act, args=(act, data, database, at, dying, telling))
    process.start()
    telling.close()
    reached = []
    with suppress(EOFError):
        while True:
            reached.append(hearing.recv())
    process.join()
    assert process.exitcode in (0, DIED), (process.exitcode, reached)
    return process.exitcode == DIED, reached

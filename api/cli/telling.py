"""How the command line speaks: answers on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from recognition.pipeline import Progress as RunProgress

EXIT_USAGE = 2
"""What was typed cannot be understood; nothing was looked at."""
EXIT_REFUSED = 3
"""The rules said no; the refusal is on the record."""
EXIT_BAD_INPUT = 4
"""A file, an option or a directory is not as it must be."""
EXIT_BROKEN = 5
"""The record or its sums contradict each other, or an item could not be destroyed."""

PLAIN_EVERY_S = 1.0


def say(words: str) -> None:
    """One line of an answer."""
    print(words, flush=True)


def say_json(value: object) -> None:
    """One JSON value as an answer."""
    print(printable_json(json.dumps(value, ensure_ascii=False)), flush=True)


def printable(words: str) -> str:
    """The words, with whatever could steer a terminal shown as what it is.

    Codes, references and sentences of a record were written by others: none of them may move a
    cursor, hide a line or turn the direction of the text.
    """
    if words.isprintable():
        return words
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in words)


def printable_json(text: str) -> str:
    """One line of JSON with the same value, in which nothing could steer a terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def on_a_terminal() -> bool:
    """Whether a person's screen shows what is said, and not a file or another program."""
    return sys.stdout.isatty()


def complain(words: str, exit_code: int) -> int:
    """Say what went wrong; gives the exit code back."""
    print(f"plumbline: {words}", file=sys.stderr, flush=True)
    return exit_code


class Teller:
    """Tells how long work goes: a bar for people at a terminal, plain lines for everyone else."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar: Progress | None = None
        self._task = None
        self._told_at = 0.0
        self._log_size = 0

    def committed(self, log_size: int) -> None:
        """Remember how far the record has come; called after each COMMIT."""
        self._log_size = log_size

    def step(self, words: str) -> None:
        """A step that begins."""
        self.finish()
        self._console.print(f"{words} [log {self._log_size}]", markup=False, soft_wrap=True)

    def frames(self, progress: RunProgress, alerts: int) -> None:
        """How far recognition has come."""
        words = (
            f"{progress.captured_ms / 1000:.1f} s of video, {progress.seen} faces seen, "
            f"{alerts} possible matches"
        )
        self.work(words, progress.frames, progress.frames_in_all or None)

    def work(self, words: str, done: int, in_all: int | None) -> None:
        """How far any long work has come."""
        if self._console.is_terminal:
            self._show(words, done, in_all)
            return
        now = time.monotonic()
        if now - self._told_at < PLAIN_EVERY_S:
            return
        self._told_at = now
        whole = f" of {in_all}" if in_all else ""
        self._console.print(
            f"  {done}{whole}: {words} [log {self._log_size}]", markup=False, soft_wrap=True
        )

    def finish(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self, words: str, done: int, in_all: int | None) -> None:
        if self._bar is None:
            self._bar = Progress(
                TextColumn("  {task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._shown = self._bar.add_task(words, total=in_all)
        self._bar.update(self._shown, description=words, completed=done, total=in_all)

"""``python verify.pyz TARGET --key FILE``: the verifier on a machine without Plumbline.

Needs Python 3.11 or newer and the package ``cryptography``; opens no connection, writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from domain.assurance.files import MOST_NOTE_BYTES
from domain.assurance.report import lines
from domain.assurance.targets import KeyUnusableError, Trusted, examine
from domain.assurance.verification import Kind

EXIT_USAGE = 2
TOLD_FROM = 200_000
"""Entries from which on a person wants to know how far it is."""
TOLD_EVERY = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify what the arguments name.

    Returns:
        The exit code of the finding; 2 where nothing was looked at.
    """
    given = _parser().parse_args(arguments)
    try:
        trusted = Trusted.read(
            _read(given.key, "verifier key"),
            checkpoint=_read(given.checkpoint, "checkpoint") if given.checkpoint else None,
            witnesses=[_read(one, "witness key") for one in given.witness_key],
            as_of=given.as_of,
        )
    except KeyUnusableError as error:
        sys.stderr.write(f"verify: {error}\n")
        return EXIT_USAGE
    verdict = examine(
        Path(given.target), trusted, hashes_only=given.hashes_only, progress=Telling()
    )
    for line in lines(verdict):
        sys.stdout.write(f"{line}\n")
    return verdict.kind.exit_code


class Telling:
    """Says on standard error how far a long verification is."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self._next = TOLD_FROM

    def __call__(self, size: int) -> None:
        """So many entries are done."""
        if size >= self._next:
            self._next = size + TOLD_EVERY
            sys.stderr.write(f"verify: {size} entries so far\n")


def _read(path: str, what: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read(MOST_NOTE_BYTES)
    except (OSError, ValueError) as error:
        # ValueError: bytes that are no text
        raise KeyUnusableError(f"expected a {what} at {path}: {error}") from error


def _a_time(given: str) -> datetime:
    at = datetime.fromisoformat(given)
    if at.tzinfo is None:
        raise ValueError("expected a time with its zone")
    return at.astimezone(UTC)


def _parser() -> argparse.ArgumentParser:
    codes = ", ".join(f"{kind.exit_code} {kind.value}" for kind in Kind)
    parser = argparse.ArgumentParser(
        prog="verify.pyz",
        description="Recompute a log, an evidence pack or a record, and name the first thing that "
        "is wrong.",
        epilog=f"Exit codes: {codes}; 2 wrong usage.",
    )
    parser.add_argument(
        "target", help="an exported log, an evidence pack, a record.db, or a data directory"
    )
    parser.add_argument(
        "--key", required=True, metavar="FILE", help="the log's verifier key, got from elsewhere"
    )
    parser.add_argument("--checkpoint", metavar="FILE", help="a checkpoint that was kept elsewhere")
    parser.add_argument(
        "--witness-key",
        action="append",
        default=[],
        metavar="FILE",
        help="a witness that must have cosigned; may be given again",
    )
    parser.add_argument(
        "--as-of",
        type=_a_time,
        metavar="TIME",
        help="ask what is overdue then, and not at the newest time in the log: such as "
        "2026-11-23T09:30:00Z",
    )
    parser.add_argument(
        "--hashes-only",
        action="store_true",
        help="of an export without entries, check the hashes alone",
    )
    return parser

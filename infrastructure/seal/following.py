"""From a key that somebody was given once to the key that signs the log now.

For each rotation: the old key signed a checkpoint, which the new key signed too; the entries below
it have that checkpoint's root; and one of them says which key follows. Whoever trusts the old key
may therefore trust the new one, and needs nobody's word for it. Nothing is taken from the cache of
hashes: every entry is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from domain.assurance.checkpoints import Checkpoint, CheckpointError
from domain.assurance.notes import NoteError, VerifierKey, open_note
from domain.assurance.tree import Frontier, leaf_hash
from domain.kernel.errors import DomainError
from domain.log.events import KeyRotated
from infrastructure.record.entry_mapper import entry_of, event_of


class KeyNotFollowedError(DomainError):
    """The key does not lead to the one that signs now."""


@dataclass(frozen=True)
class Step:
    """One key vouched for the next."""

    key: VerifierKey
    size: int
    """The size of the checkpoint that both signed."""


def follow(key: VerifierKey, *, retired: Path, blobs: Iterable[tuple[int, bytes]]) -> list[Step]:
    """The keys that a key leads to, the one that signs now last; none where it still signs.

    Args:
        key: a key of this log that was given out of band.
        retired: the directory with the last checkpoint of each key that was replaced.
        blobs: every entry of the log with its position, from the first.

    Raises:
        KeyNotFollowedError: a checkpoint is missing, is not signed by both keys, or is not over
            these entries.
    """
    steps: list[Step] = []
    tree, last = Frontier(), _last_of(key, retired)
    announced: VerifierKey | None = None
    for position, blob in blobs:
        if last is None:
            break
        tree.append(leaf_hash(blob))
        announced = _announced(blob, key, position) or announced
        if tree.size == last[0].size:
            key = _vouched_for(key, announced, last, tree)
            steps.append(Step(key, tree.size))
            last, announced = _last_of(key, retired), None
    if last is not None:
        raise KeyNotFollowedError(
            f"the last checkpoint of the key {_named(key)} has {last[0].size} entries, the log "
            f"holds {tree.size}"
        )
    return steps


def _last_of(key: VerifierKey, retired: Path) -> tuple[Checkpoint, str] | None:
    """The last checkpoint that a key signed, if it was replaced."""
    file = retired / f"{key.key_id.hex()}.checkpoint"
    try:
        note = file.read_bytes().decode()
        return Checkpoint.parse(open_note(note, key)), note
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, NoteError, CheckpointError) as error:
        raise KeyNotFollowedError(
            f"{file} is not a checkpoint that the key {_named(key)} signed: {error}"
        ) from error


def _announced(blob: bytes, key: VerifierKey, position: int) -> VerifierKey | None:
    """The key that an entry says follows this one."""
    entry = entry_of(blob)
    if entry.get("name") != KeyRotated.NAME:
        return None
    event = event_of(entry)
    if not isinstance(event, KeyRotated) or event.old_verifier_key != key.text():
        return None
    try:
        return VerifierKey.from_text(event.new_verifier_key)
    except NoteError as error:
        raise KeyNotFollowedError(f"position {position}: {error}") from error


def _vouched_for(
    key: VerifierKey,
    announced: VerifierKey | None,
    last: tuple[Checkpoint, str],
    tree: Frontier,
) -> VerifierKey:
    checkpoint, note = last
    if tree.root() != checkpoint.root:
        raise KeyNotFollowedError(
            f"the first {tree.size} entries are not those that the key {_named(key)} signed last"
        )
    if announced is None:
        raise KeyNotFollowedError(
            f"no entry that the key {_named(key)} signed says which key follows it"
        )
    try:
        open_note(note, announced)
    except NoteError as error:
        raise KeyNotFollowedError(
            f"the key {_named(announced)} did not sign the checkpoint in which it follows: {error}"
        ) from error
    return announced


def _named(key: VerifierKey) -> str:
    return f"{key.name}+{key.key_id.hex()}"

"""What a person points at: an export, a pack, a record's database, or a node's data directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from domain.assurance import bags, exports
from domain.assurance.cosignatures import WitnessKey
from domain.assurance.custody import Custody
from domain.assurance.databases import DatabaseUnreadableError, stored_in_sqlite
from domain.assurance.examined import Following
from domain.assurance.exports import verify_export
from domain.assurance.files import text
from domain.assurance.notes import NoteError, VerifierKey
from domain.assurance.packs import verify_pack
from domain.assurance.summing import workers
from domain.assurance.verification import (
    FaultFoundError,
    Kind,
    Verdict,
    in_silence,
    not_looked_at,
    verify,
)


class KeyUnusableError(Exception):
    """What was given as a key is none: nothing was looked at."""


class Target(StrEnum):
    """What there is to verify."""

    EXPORT = "export"
    PACK = "pack"
    DATABASE = "database"
    PREMISES = "premises"
    """A node's data directory: its record and its seal."""
    NOTHING = "nothing"


@dataclass(frozen=True)
class Trusted:
    """What whoever verifies got from somewhere other than what they verify."""

    key: VerifierKey
    """The log's public key."""
    checkpoint: str | None = None
    """A signed checkpoint that someone else kept."""
    witnesses: tuple[WitnessKey, ...] = ()
    """Each must have cosigned a checkpoint."""
    as_of: datetime | None = None
    """The time to work custody out for; None for the newest of the record."""

    @classmethod
    def read(
        cls,
        key: str,
        *,
        checkpoint: str | None = None,
        witnesses: Sequence[str] = (),
        as_of: datetime | None = None,
    ) -> Trusted:
        """From the texts of the files.

        Raises:
            KeyUnusableError: a key cannot be read as one.
        """
        try:
            log = VerifierKey.from_text(key.strip())
        except NoteError as error:
            raise KeyUnusableError(f"the key given is not a verifier key: {error}") from error
        try:
            seen_by = tuple(WitnessKey.from_text(one.strip()) for one in witnesses)
        except NoteError as error:
            raise KeyUnusableError(f"a witness key given is none: {error}") from error
        return cls(log, checkpoint, seen_by, as_of)


def kind_of(path: Path) -> Target:
    """What lies at a path, by the names in it. Nothing is opened."""
    if path.is_file():
        return Target.DATABASE
    try:
        names = {one.name for one in path.iterdir()}
    except OSError:
        return Target.NOTHING
    if names & {bags.DECLARATION_NAME, bags.MANIFEST, bags.TAG_MANIFEST, "data"}:
        return Target.PACK
    if names & {exports.CHECKPOINT, "tile"}:
        return Target.EXPORT
    return Target.PREMISES if "record" in names else Target.NOTHING


def examine(
    path: Path,
    trusted: Trusted,
    *,
    hashes_only: bool = False,
    progress: Callable[[int], None] = in_silence,
) -> Verdict:
    """Verify whatever lies at a path.

    Args:
        path: an export, a pack, a database of SQLite or a data directory that holds one.
        trusted: what to hold it to.
        hashes_only: of an export, check the hash tiles alone.
        progress: told the number of entries now and then.
    """
    match kind_of(path):
        case Target.PACK:
            return verify_pack(
                path,
                key=trusted.key,
                outside_checkpoint=trusted.checkpoint,
                witnesses=trusted.witnesses,
                as_of=trusted.as_of,
                progress=progress,
            )
        case Target.EXPORT:
            return verify_export(
                path,
                key=trusted.key,
                outside_checkpoint=trusted.checkpoint,
                witnesses=trusted.witnesses,
                hashes_only=hashes_only,
                as_of=trusted.as_of,
                progress=progress,
            )
        case Target.DATABASE:
            # the seal lies beside the record's directory, where the file is still in its place
            seal = path.absolute().parent.parent / "seal"
            return _verify_database(path, seal, trusted, progress)
        case _:
            return _verify_database(path / "record" / "record.db", path / "seal", trusted, progress)


def own_checkpoint(seal: Path) -> str | None:
    """The newest checkpoint that a node keeps, if there is one.

    Raises:
        FaultFoundError: it is there and cannot be read.
    """
    checkpoint = seal / "checkpoint"
    return text(checkpoint, "the log's own checkpoint") if checkpoint.exists() else None


def _verify_database(
    database: Path, seal: Path, trusted: Trusted, progress: Callable[[int], None]
) -> Verdict:
    try:
        own = own_checkpoint(seal)
        custody = Following(Custody())
        with stored_in_sqlite(database) as log:
            verdict = verify(
                log.rows,
                head=log.head,
                scope_heads=log.scope_heads,
                key=trusted.key,
                own_checkpoint=own,
                outside_checkpoint=trusted.checkpoint,
                witnesses=trusted.witnesses,
                progress=progress,
                workers=workers(),
                following=custody.rows,
            )
        return custody.told(verdict, as_of=trusted.as_of)
    except DatabaseUnreadableError as error:
        return not_looked_at(Kind.UNREADABLE, str(error))
    except FaultFoundError as fault:
        return not_looked_at(fault.kind, str(fault))

"""What is stored: in which mode and shape, what its entries say, whether it is what was signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from api.bootstrap.surroundings import premises_at
from domain.assurance.custody import Custody
from domain.assurance.examined import Following
from domain.assurance.summing import workers
from domain.assurance.targets import KeyUnusableError, Trusted, own_checkpoint
from domain.assurance.verification import (
    FaultFoundError,
    Kind,
    Verdict,
    in_silence,
    not_looked_at,
    verify,
)
from domain.deployments.events import ApplicationRefused, DeploymentAppliedFor
from domain.governance.events import EvidenceAttached
from domain.kernel.commands import Mode
from domain.kernel.errors import DomainError
from domain.kernel.references import FORCE
from domain.ports import Recorded
from domain.services.governance import Governance
from infrastructure.record.entry_mapper import entry_of
from infrastructure.record.event_record import recorded
from infrastructure.record.schema import migrate
from infrastructure.record.stored_rows import RecordUnreadableError

_APPLICATIONS = frozenset({DeploymentAppliedFor.NAME, ApplicationRefused.NAME})


def mode_of(path: Path) -> Mode:
    """The mode of the record in these premises.

    Raises:
        RecordUnreadableError: there is none, or it cannot be read.
    """
    with premises_at(path).database.stored() as log:
        return Mode(log.mode)


def deployments_in(path: Path) -> list[str]:
    """The scope of every deployment that was applied for, whatever came of it, in order."""
    with premises_at(path).database.stored() as log:
        return list(dict.fromkeys(row.scope for row in log.rows if row.name in _APPLICATIONS))


def stored_entries(path: Path, scope: str) -> Iterator[bytes]:
    """The entries of one scope as they are stored, byte for byte, in the order of the log."""
    with premises_at(path).database.stored() as log:
        yield from (row.blob for row in log.rows if row.scope == scope)


def origin_of(path: Path) -> str:
    """The name of the log in these premises; empty where it has no entry yet."""
    with premises_at(path).database.stored() as log:
        return log.head.origin or "" if log.head else ""


def named_entries(path: Path, scope: str | None) -> Iterator[tuple[str, bytes]]:
    """The entries of one deployment and the force, or all, each behind its stored name."""
    with premises_at(path).database.stored() as log:
        for row in log.rows:
            if scope is None or row.scope in (scope, FORCE):
                yield row.name, row.blob


def read_history(path: Path, scope: str | None) -> Iterator[Recorded]:
    """The entries of one scope or all, decoded, in the order of the log. Changes nothing."""
    with premises_at(path).database.stored() as log:
        for row in log.rows:
            if scope is None or row.scope == scope:
                yield recorded(entry_of(row.blob))


def evidence_in(path: Path) -> dict[str, EvidenceAttached]:
    """Every test that was ever attached in these premises, by its code."""
    events = (one.event for one in read_history(path, FORCE))
    return {one.evidence: one for one in events if isinstance(one, EvidenceAttached)}


def governance_in(path: Path) -> Governance:
    """What the force of these premises has in force. Changes nothing."""
    return Governance.followed(one.event for one in read_history(path, FORCE))


def verify_premises(
    path: Path,
    *,
    key_text: str,
    outside_checkpoint: str | None,
    witness_keys: Sequence[str] = (),
    as_of: datetime | None = None,
    progress: Callable[[int], None] = in_silence,
) -> Verdict:
    """Recompute everything that these premises hold of the record, in whatever database it is.

    Raises:
        DomainError: a key given cannot be read as one.
    """
    trusted = trusted_by(key_text, outside_checkpoint, witness_keys, as_of=as_of)
    premises = premises_at(path)
    try:
        own = own_checkpoint(premises.seal)
        custody = Following(Custody())
        with premises.database.stored() as log:
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
        return custody.told(verdict, as_of=as_of)
    except RecordUnreadableError as error:
        return not_looked_at(Kind.UNREADABLE, str(error))
    except FaultFoundError as fault:
        return not_looked_at(fault.kind, str(fault))


def trusted_by(
    key: str,
    checkpoint: str | None,
    witness_keys: Sequence[str],
    *,
    as_of: datetime | None = None,
) -> Trusted:
    """What whoever verifies holds a log to, from the texts of files.

    Raises:
        DomainError: a key given cannot be read as one.
    """
    try:
        return Trusted.read(key, checkpoint=checkpoint, witnesses=witness_keys, as_of=as_of)
    except KeyUnusableError as error:
        raise DomainError(str(error)) from error


def migrate_premises(path: Path) -> str:
    """Bring the record of these premises to the newest shape; says which record and shape."""
    premises = premises_at(path)
    if not premises.exists():
        raise DomainError(f"expected a record at {premises.database.name}, found none")
    with premises.alone():
        return f"{premises.database.name}: schema {migrate(premises.database)}"

"""Examining premises after a restore, and going on with what is left."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from api.bootstrap.node import open_node, ports_over, signing_of
from api.bootstrap.reading import mode_of
from api.bootstrap.surroundings import premises_at
from domain.assurance.tree import Frontier
from domain.kernel.errors import DomainError, RecordBrokenError
from domain.services.inventory import Inventory, take_stock
from domain.services.restoring import Diagnosis, Kept, Longer, Standing, diagnose, mend
from infrastructure.clock import SystemClock
from infrastructure.record.event_record import EventRecord
from infrastructure.seal.sealer import Sealer
from infrastructure.seal.witnesses import Witnesses


class LossNotAcceptedError(DomainError):
    """Something would be given up, and nobody said that it may be."""


@dataclass(frozen=True)
class Mended:
    """What came of going on."""

    done: list[str]
    """In words."""
    inventory: Inventory
    """Signed by the re-checker afterwards."""
    witnessed: list[str]
    """What the witnesses said to the log as it goes on."""


def examined(path: Path) -> Diagnosis:
    """Compare record, stores, checkpoint and witnesses. Nothing is recorded or destroyed.

    Raises:
        DomainError: there is no record here, it is in use, or a part cannot be read.
        RecordBrokenError: the record or the keystore contradicts itself: this is no older copy.
    """
    premises, mode = premises_at(path), mode_of(path)
    with premises.alone(), ExitStack() as closing:
        clock = SystemClock()
        record = premises.open_record(mode, clock)
        closing.callback(record.close)
        sealing, witnesses, _ = signing_of(premises, record, clock)
        vault = premises.open_vault()
        closing.callback(vault.close)
        vault.verify_chain()
        standing = Standing().take(record.history())
        longer = _longer(record, standing, sealing.sealer, witnesses)
        return diagnose(standing, Kept.of(vault), longer)


def mended(path: Path, *, actor: str, accept_loss: bool, keystore_is_current: bool) -> Mended:
    """Record what was found, destroy again what is destroyed, and go on from there.

    Args:
        path: the data directory.
        actor: the person who asks for it.
        accept_loss: whether they accept that something is given up.
        keystore_is_current: whether they say that the keystore was not brought back.

    Raises:
        LossNotAcceptedError: something is lost, and they do not accept it. Nothing was changed.
        DomainError: as :func:`examined`; or a store did not let go of something.
        RecordBrokenError: as :func:`examined`.
    """
    premises, mode = premises_at(path), mode_of(path)
    with premises.alone(), ExitStack() as closing:
        clock = SystemClock()
        record = premises.open_record(mode, clock)
        closing.callback(record.close)
        outside, vault, _ = ports_over(premises, record, clock, None, closing)
        sealing, witnesses, _ = signing_of(premises, record, clock)
        vault.verify_chain()
        standing = Standing().take(record.history())
        longer = _longer(record, standing, sealing.sealer, witnesses)
        found = diagnose(standing, Kept.of(vault), longer)
        if found.something_is_lost and not accept_loss:
            raise LossNotAcceptedError(
                "something is lost: look for newer copies first. To go on without it, say "
                "--accept-loss"
            )
        done = mend(outside, found, actor=actor, keystore_is_current=keystore_is_current)
        if found.lost:
            done += _set_aside(found, standing, sealing.sealer, witnesses)
    with open_node(path, mode) as node:
        done += node.recovered
        inventory = take_stock(node.outside, node.rechecker)
        node.seal()
        return Mended(done, inventory, node.witnessed)


def _longer(
    record: EventRecord, standing: Standing, sealer: Sealer, witnesses: Witnesses
) -> Longer | None:
    """The longest log that the checkpoint or a witness knows of, if that is not the one here."""
    last = sealer.last()
    signed = [Longer(last.size, "checkpoint", last.root.hex())] if last else []
    signed += [Longer(one.size, "witness", one.root.hex()) for one in witnesses.held()]
    roots = _roots_at(record, {one.size for one in signed})
    known = [
        _lost(one, standing) for one in signed if roots.get(one.size) != bytes.fromhex(one.root)
    ]
    told = witnesses.longest_told()
    if told > max(standing.size, standing.longest_lost, *(one.size for one in signed)):
        known.append(Longer(told, "witness"))
    return max(known, key=lambda one: one.size, default=None)


def _lost(signed: Longer, standing: Standing) -> Longer:
    """What was signed and is not here: lost now, or known to be and not set aside yet.

    Raises:
        RecordBrokenError: the record was not cut, it was changed.
    """
    before = standing.restored
    if before is not None and before.size_found < signed.size <= before.size_known:
        return Longer(before.size_known, before.known_from, before.root_known)
    if signed.size > standing.size:
        return signed
    raise RecordBrokenError(
        f"the first {signed.size} entries are not those that were signed: this is no older copy, "
        "the record was changed. Nothing is written to it"
    )


def _roots_at(record: EventRecord, sizes: set[int]) -> dict[int, bytes]:
    """The roots of the log at sizes that it has."""
    tree, roots = Frontier(), {}
    for leaf in record.leaves():
        tree.append(leaf)
        if tree.size in sizes:
            roots[tree.size] = tree.root()
    return roots


def _set_aside(
    found: Diagnosis, standing: Standing, sealer: Sealer, witnesses: Witnesses
) -> list[str]:
    """What was signed of the lost history is kept, and no longer continued."""
    last = sealer.last()
    signed_it = last is not None and last.size > _size_found(found, standing)
    witnesses.set_aside(beyond=-1 if signed_it else _size_found(found, standing))
    if signed_it:
        sealer.set_aside()
    return [f"what was signed of the lost history is kept in {sealer.lost_directory}"]


def _size_found(found: Diagnosis, standing: Standing) -> int:
    before = standing.restored
    return before.size_found if found.lost_before and before is not None else found.size

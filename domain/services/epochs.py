"""The keys that wrap the keys of items end with the last of them (level L4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import partial
from uuid import UUID

from domain.custody.epochs import EndedEpochs, epochs_of
from domain.kernel.commands import Command, Mode
from domain.kernel.errors import NotFoundError
from domain.ports import EpochEnded, Outside, VaultError
from domain.services.carrying_out import by_the_system, tried_again


def end_epochs(outside: Outside, *, over: Collection[UUID]) -> None:
    """Destroy the keys of epochs that wrap nothing any more, and say so on the record.

    A crash between the two leaves a tombstone in the keystore that no entry tells of; the next
    start tells it (:func:`tell_ended`).

    Args:
        outside: the ports.
        over: deployments for which nothing can be registered any more.
    """
    _tell(outside, outside.vault.end_epochs(at=outside.clock.now(), over=over))


def keep_held_keys(outside: Outside, held: Iterable[tuple[UUID, UUID | None]]) -> list[str]:
    """Move the keys of held items under their holds', so that they keep no epoch from ending.

    Repeating it changes nothing. What has no key (any more) is left to the next inventory.

    Args:
        outside: the ports.
        held: items, each with the newest hold that was approved on it, if any was.

    Returns:
        Which could not be moved since what is stored is no key of theirs, in words.

    Raises:
        KeystoreError: none could.
    """
    by_hold: dict[UUID, set[UUID]] = defaultdict(set)
    for item, hold in held:
        if hold is not None:
            by_hold[hold].add(item)
    if not by_hold:
        return []
    keys, damaged = outside.vault.keys(), []
    for hold, items in by_hold.items():
        damaged += _held(outside, sorted(items & keys), hold)
    return damaged


def _held(outside: Outside, items: list[UUID], hold: UUID) -> list[str]:
    try:
        outside.vault.hold_keys(items, hold=hold)
    except VaultError as error:
        # all or none: one that is damaged must not keep the others where they are
        if len(items) == 1:
            return [str(error)]
        return [words for one in items for words in _held(outside, [one], hold)]
    return []


def tell_ended(outside: Outside, *, of: Collection[UUID]) -> list[str]:
    """Record the ends of epochs that the keystore knows of and the record does not.

    Args:
        outside: the ports.
        of: the deployments that the record knows.

    Returns:
        What was recorded, in words.
    """
    told = _tell(
        outside, (one for one in outside.vault.ended_epochs() if one.epoch.deployment in of)
    )
    return [f"recorded the end of epoch {one.epoch.item_class} {one.epoch.which}" for one in told]


def _tell(outside: Outside, ended: Iterable[EpochEnded]) -> list[EpochEnded]:
    """Record those that nobody recorded; gives them back."""
    by_deployment: dict[UUID, list[EpochEnded]] = defaultdict(list)
    for one in ended:
        by_deployment[one.epoch.deployment].append(one)
    return [
        one
        for deployment, those in by_deployment.items()
        for one in tried_again(partial(_tell_of, outside, deployment, those))
    ]


def _tell_of(outside: Outside, deployment: UUID, those: list[EpochEnded]) -> list[EpochEnded]:
    by = Command(
        **by_the_system(
            outside, scope=deployment.hex, mode=Mode(outside.record.mode), part="custodian"
        )
    )
    try:
        known = outside.record.load(EndedEpochs, epochs_of(deployment))
    except NotFoundError:
        known = EndedEpochs(epochs_of(deployment))
    new = [one for one in those if one.tombstone.digest not in known.told]
    for one in new:
        known.tell(one, at=by.at)
    if new:
        outside.record.append(known, by=by)
    return new

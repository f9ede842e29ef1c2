"""A deletion certificate: that nothing of a deployment is left, but what may still be.

It lies in the deployment's evidence pack, and says no more than the entries beside it do: whoever
verifies the pack recomputes every figure of it, and whether it could be given at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.assurance.checkpoints import Checkpoint
from domain.assurance.entries import canonical
from domain.assurance.figures import figures, written
from domain.assurance.holdings import CustodyVerdict
from domain.assurance.limits import FOOTAGE

CERTIFICATE = "data/certificate.json"
PAGE = "data/certificate.html"
FORMAT = "plumbline-deletion-certificate/1"


def certificate(
    custody: CustodyVerdict, *, scope: str, mode: str, checkpoint: Checkpoint
) -> dict[str, Any]:
    """What a certificate says, as JSON values.

    Args:
        custody: of the deployment, with positions.
        scope: the deployment.
        mode: of its entries.
        checkpoint: what signs them.
    """
    return figures(custody) | {
        "format": FORMAT,
        "deployment": scope,
        "mode": mode,
        "log": checkpoint.origin,
        "checkpoint": {"size": checkpoint.size, "root": checkpoint.root.hex()},
        "over_at": custody.over_at,
        "statement": statement(custody),
    }


def to_bytes(told: dict[str, Any]) -> bytes:
    """The one form of a certificate: canonical JSON and a newline."""
    return canonical(told) + b"\n"


def statement(custody: CustodyVerdict) -> str:
    """What is certified, in a sentence or a few."""
    registered = sum(one.registered for one in custody.holdings)
    gone = sum(one.destroyed for one in custody.holdings)
    late = sum(one.destroyed_late for one in custody.holdings)
    if not registered:
        return "No item of personal data was registered for this deployment."
    told = [f"{registered} items of personal data were registered, {gone} of them are destroyed."]
    if late:
        told.append(f"{late} were destroyed LATE: they existed longer than they were allowed to.")
    for one in custody.holdings:
        if one.remaining:
            due = f"; the next is due by {written(one.next_due)}" if one.next_due else ""
            told.append(
                f"{one.remaining} of class {one.item_class} remain, as they may, {one.held} of "
                f"them on a hold{due}."
            )
    if not any(one.remaining for one in custody.holdings):
        told.append("Nothing is left in the stores.")
    return " ".join([*told, *_said_beside(custody)])


def _said_beside(custody: CustodyVerdict) -> Iterator[str]:
    """What whoever reads that must not be left to find out."""
    if outside := len(custody.copies.left):
        yield f"{outside} copies of its list outside the stores are not known to be gone."
    if custody.inventory is None:
        yield "No inventory of the stores was taken."
    if custody.in_process:
        yield (
            f"{custody.in_process} of them were looked for again by the process that destroyed "
            "them: not independent."
        )


def why_not(custody: CustodyVerdict) -> Iterator[str]:
    """What keeps a deployment from being certified, in sentences; nothing where it can be."""
    if custody.over_at is None:
        yield "the deployment is not over"
    for one in custody.holdings:
        if one.overdue:
            yield f"{one.overdue} of class {one.item_class} are left although they had to be gone"
        if one.item_class != FOOTAGE and one.remaining > one.overdue:
            yield f"{one.remaining - one.overdue} of class {one.item_class} are left"
    wrong = [one for one in custody.faults if not one.overdue]
    for fault in wrong[:_TOLD]:
        yield f"position {fault.position}: {fault.sentence}"
    if (more := custody.fault_count - custody.late_count - len(wrong[:_TOLD])) > 0:
        yield f"{more} findings more"


_TOLD = 5
"""Findings that are told one by one."""

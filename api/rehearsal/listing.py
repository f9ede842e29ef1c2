"""Bringing somebody's CSV and photographs in: all of it, or none of it and every reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from api.rehearsal.examining import Examined, examine, is_told
from api.rehearsal.imported import Left, registered
from api.rehearsal.stand_ins import ByAStandIn
from domain.custody.commands import ConsultItem
from domain.kernel.errors import DomainError
from domain.kernel.references import new_reference
from domain.kernel.refusals import Refusal, Refused
from domain.ports import Outside
from domain.services import watchlists
from domain.services.custody import consult
from domain.watchlists.accepted import AcceptedValues
from domain.watchlists.aggregate import Standing, Watchlist
from domain.watchlists.commands import (
    AcceptEntry,
    Necessity,
    ProposeEntry,
    RefuseImport,
    RejectEntry,
)
from domain.watchlists.listing import (
    ListedEntry,
    ListingProblem,
    ListingRefusedError,
    read_listing,
)
from recognition.engine import Engine

_KEPT = 100
"""Reasons of one refused file that are recorded; an entry of the record has an end."""


class ListingUnreadableError(DomainError):
    """The file or the folder cannot be read at all."""


@dataclass(frozen=True)
class Reading:
    """What is read."""

    csv: Path
    images: Path
    accepted: AcceptedValues


@dataclass(frozen=True)
class Entered:
    """What came of an import."""

    rejected: list[str]
    """Each rejected row and why, in words."""
    left: list[Left]
    """What it was imported from, which lies there still."""


def enter(
    outside: Outside,
    reading: Reading,
    *,
    engine: Engine,
    manager: ByAStandIn,
    deployment: UUID,
    watchlist: UUID,
    on_row: Callable[[str], None],
) -> Entered:
    """Propose every row of the file, and accept or reject each.

    File and folder are registered as copies of the list first. The whole file and every photograph
    is read before the first entry is proposed: a file with a fault anywhere is refused as a whole,
    with every reason, and the refusal is recorded. An import that was killed goes on where it was:
    rows whose reference is on the list are not proposed again.

    Raises:
        ListingRefusedError: the file or a photograph is not as it must be.
        ListingUnreadableError: there is no such file or folder.
        PhotographChangedError: a photograph was replaced meanwhile.
    """
    raw, names = _found(reading)
    left = registered(
        outside,
        csv=reading.csv,
        images=reading.images,
        photographs=[reading.images / name for name in names],
        manager=manager,
        deployment=deployment,
        watchlist=watchlist,
        tell=on_row,
    )
    try:
        listing = read_listing(
            raw, images=names, accepted=reading.accepted, on=outside.clock.now().date()
        )
        examined = examine(listing.rows, reading.images, engine, on_row)
    except ListingRefusedError as error:
        watchlists.refuse_import(
            outside,
            RefuseImport(
                **manager,
                at=outside.clock.now(),
                watchlist=watchlist,
                reasons=[_as_refusal(problem) for problem in error.problems[:_KEPT]],
            ),
        )
        raise
    rejected = []
    with examined:
        known = _known(outside, manager, watchlist)
        for row, entry in enumerate(examined.rows):
            reasons = _enter(outside, examined, row, engine, manager, watchlist, known)
            if reasons:
                rejected.append(f"line {entry.line}: {', '.join(reasons)}")
            if is_told(row + 1, len(examined.rows)):
                on_row(
                    f"watchlist: {row + 1} of {len(examined.rows)} entries, "
                    f"{len(rejected)} rejected"
                )
    return Entered(rejected, left)


def _found(reading: Reading) -> tuple[bytes, list[str]]:
    """The file's content and the names in the folder."""
    try:
        raw = reading.csv.read_bytes()
        names = [path.name for path in reading.images.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise ListingUnreadableError(
            f"cannot read the watchlist: {error.filename}: {error.strerror}"
        ) from error
    return raw, names


def _as_refusal(problem: ListingProblem) -> Refusal:
    return Refusal(
        problem.code,
        problem.sentence,
        {} if problem.line is None else {"line": str(problem.line)},
    )


def _known(outside: Outside, manager: ByAStandIn, watchlist: UUID) -> dict[str, UUID]:
    """The references that an import before this one proposed, each opened on the record."""
    listed = outside.record.load(Watchlist, watchlist)
    known = {}
    for entry, proposed in listed.entries.items():
        if listed.standing[entry] in (Standing.PROPOSED, Standing.ACCEPTED):
            opened = consult(
                outside,
                ConsultItem(
                    **manager,
                    at=outside.clock.now(),
                    item=proposed.reference_item,
                    purpose="import-resumed",
                ),
            )
            if isinstance(opened, Refused):
                raise DomainError(f"the import cannot go on: {', '.join(opened.codes)}")
            known[opened.decode()] = entry
            opened[:] = bytes(len(opened))
    return known


def _enter(
    outside: Outside,
    examined: Examined,
    row: int,
    engine: Engine,
    manager: ByAStandIn,
    watchlist: UUID,
    known: dict[str, UUID],
) -> list[str]:
    """Propose one row; accept it, or reject it with the reasons that are given back."""
    listed, now = examined.rows[row], outside.clock.now
    entry = known.get(listed.entry_ref)
    if entry is None:
        entry = new_reference()
        proposed = watchlists.propose_entry(
            outside,
            ProposeEntry(
                **manager,
                at=now(),
                watchlist=watchlist,
                entry=entry,
                necessity=_necessity(listed),
            ),
            image=examined.photograph(row),
            callers_reference=listed.entry_ref,
        )
        if not isinstance(proposed, Watchlist):
            raise DomainError(f"line {listed.line}: {', '.join(proposed.codes)}")
    else:
        proposed = outside.record.load(Watchlist, watchlist)
        if proposed.standing[entry] is not Standing.PROPOSED:
            return []
    reasons = [
        *([f"quality_{unfit}"] if (unfit := examined.unfit(row)) else []),
        *([one] if (one := proposed.category_refusal(entry)) else []),
    ]
    if reasons:
        watchlists.reject_entry(
            outside,
            RejectEntry(**manager, at=now(), watchlist=watchlist, entry=entry, reasons=reasons),
        )
        return reasons
    accepted = watchlists.accept_entry(
        outside,
        AcceptEntry(
            **manager,
            at=now(),
            watchlist=watchlist,
            entry=entry,
            model_digest=engine.package.digest,
        ),
        template=examined.template(row),
    )
    if isinstance(accepted, Refused):
        raise DomainError(f"line {listed.line}: {', '.join(accepted.codes)}")
    return []


def _necessity(row: ListedEntry) -> Necessity:
    return Necessity(
        category=row.category,
        source_system=row.source_system,
        image_basis=row.image_basis,
        necessity=row.necessity,
        attempted_means=row.attempted_means,
        attempted_on=row.attempted_on,
        attempted_result=row.attempted_result,
        nexus=row.nexus,
        age_band=row.age_band,
        vulnerable=row.vulnerable,
        response_code=row.response_code,
    )

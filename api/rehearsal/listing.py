"""Bringing somebody's CSV and photographs in: all of it, or none of it and every reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from api.rehearsal.imported import Left, registered
from api.rehearsal.stand_ins import ByAStandIn
from domain.kernel.errors import DomainError
from domain.kernel.references import new_reference
from domain.kernel.refusals import Refusal
from domain.ports import Outside
from domain.services import watchlists
from domain.watchlists.accepted import AcceptedValues
from domain.watchlists.aggregate import Watchlist
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
from recognition.models import DEFAULT_NAME
from recognition.quality import REFERENCE_GATES, norm_reason
from recognition.references import Reference, ReferenceReader, ReferenceUnfitError
from recognition.templates import Template

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


@dataclass(frozen=True)
class _Row:
    """One row with its photograph and the one face in it."""

    entry: ListedEntry
    photograph: bytes
    reference: Reference


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
    with every reason, and the refusal is recorded.

    Raises:
        ListingRefusedError: the file or a photograph is not as it must be.
        ListingUnreadableError: there is no such file or folder.
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
        rows = _read(reading, raw, names, engine, on=outside.clock.now().date())
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
    for done, row in enumerate(rows, start=1):
        reasons = _enter(outside, row, engine, manager, watchlist)
        if reasons:
            rejected.append(f"line {row.entry.line}: {', '.join(reasons)}")
        on_row(f"watchlist: {done} of {len(rows)} entries, {len(rejected)} rejected")
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


def _read(
    reading: Reading, raw: bytes, names: list[str], engine: Engine, *, on: date
) -> list[_Row]:
    """Every row with its photograph. Nothing has been proposed yet."""
    listing = read_listing(raw, images=names, accepted=reading.accepted, on=on)
    reader = ReferenceReader(engine.detect)
    rows, problems = [], []
    for entry in listing.rows:
        try:
            photograph = (reading.images / entry.image).read_bytes()
            rows.append(_Row(entry, photograph, reader.examine(photograph)))
        except ReferenceUnfitError as error:
            problems.append(_image_problem(entry, error.code, str(error)))
        except OSError as error:
            problems.append(_image_problem(entry, "image_unreadable", str(error.strerror)))
    if problems:
        raise ListingRefusedError(problems)
    return rows


def _image_problem(entry: ListedEntry, code: str, sentence: str) -> ListingProblem:
    return ListingProblem(entry.line, "image", code, f"line {entry.line}: {sentence}")


def _as_refusal(problem: ListingProblem) -> Refusal:
    return Refusal(
        problem.code,
        problem.sentence,
        {} if problem.line is None else {"line": str(problem.line)},
    )


def _enter(
    outside: Outside, row: _Row, engine: Engine, manager: ByAStandIn, watchlist: UUID
) -> list[str]:
    """Propose one row; accept it, or reject it with the reasons that are given back."""
    entry, now = new_reference(), outside.clock.now
    proposed = watchlists.propose_entry(
        outside,
        ProposeEntry(
            **manager,
            at=now(),
            watchlist=watchlist,
            entry=entry,
            necessity=_necessity(row.entry),
        ),
        image=row.photograph,
        callers_reference=row.entry.entry_ref,
    )
    if not isinstance(proposed, Watchlist):
        raise DomainError(f"line {row.entry.line}: {', '.join(proposed.codes)}")
    template = engine.embed(row.reference.image, row.reference.detection.landmarks)
    try:
        unfit = row.reference.unfit or _too_weak(engine, template)
        reasons = [
            *([f"quality_{unfit}"] if unfit else []),
            *([one] if (one := proposed.category_refusal(entry)) else []),
        ]
        if reasons:
            watchlists.reject_entry(
                outside,
                RejectEntry(**manager, at=now(), watchlist=watchlist, entry=entry, reasons=reasons),
            )
            return reasons
        watchlists.accept_entry(
            outside,
            AcceptEntry(
                **manager,
                at=now(),
                watchlist=watchlist,
                entry=entry,
                model_digest=engine.package.digest,
            ),
            template=template.values.data.cast("B"),
        )
        return []
    finally:
        template.wipe()


def _too_weak(engine: Engine, template: Template) -> str | None:
    """Whether the embedding's norm says that the photograph is poor, where that was measured."""
    if engine.package.name != DEFAULT_NAME:
        return None
    return norm_reason(template.norm_before, REFERENCE_GATES)


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

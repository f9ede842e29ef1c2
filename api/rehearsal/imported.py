"""What an import leaves lying: registered as copies of the list, and removed if that is wanted."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from api.bootstrap import remove_durably
from api.rehearsal.stand_ins import ByAStandIn
from domain.copies.commands import DestroyCopy, RegisterCopy, VerifyCopy
from domain.kernel.errors import DomainError
from domain.kernel.references import new_reference
from domain.kernel.refusals import Refused
from domain.ports import Outside
from domain.services import copies

_GROUP_OR_OTHERS = (
    (stat.S_IRGRP, stat.S_IWGRP, stat.S_IXGRP),
    (stat.S_IROTH, stat.S_IWOTH, stat.S_IXOTH),
)


@dataclass(frozen=True)
class Left:
    """One thing that was imported from and lies there still."""

    copy: UUID
    kind: str
    place: Path
    files: Sequence[Path]
    """What of it was imported; nothing else is ever touched."""


def registered(
    outside: Outside,
    *,
    csv: Path,
    images: Path,
    photographs: Sequence[Path],
    manager: ByAStandIn,
    deployment: UUID,
    watchlist: UUID,
    tell: Callable[[str], None],
) -> list[Left]:
    """Register the file and the folder that are imported from, before anything of them is.

    Who else could read or change them is on the record, by a code; in a rehearsal it is told.

    Raises:
        DomainError: a copy was refused.
    """
    found = [
        Left(new_reference(), "csv", csv, [csv]),
        Left(new_reference(), "image_folder", images, photographs),
    ]
    for one in found:
        exposure = exposure_of(one.place)
        answer = copies.register(
            outside,
            RegisterCopy(
                **manager,
                at=outside.clock.now(),
                deployment=deployment,
                watchlist=watchlist,
                copy=one.copy,
                kind=one.kind,
                location="import-folder",
                holder="watchlist-manager",
                exposure=exposure,
            ),
        )
        _agreed(answer)
        if exposure != "owner-only":
            tell(f"WARNING: the list's {one.kind} is not yours alone: {exposure}")
    return found


def removed(
    outside: Outside,
    left: Sequence[Left],
    *,
    watchlist: UUID,
    by: ByAStandIn,
    verifier: ByAStandIn,
    tell: Callable[[str], None],
) -> None:
    """Remove what was imported; another stand-in then looks whether it is gone.

    What cannot be removed, or is only a link to what lies elsewhere, stays registered as open.
    """
    for one in left:
        if reason := _removed(one):
            tell(f"the list's {one.kind} stays: {reason}")
            continue
        end = {"watchlist": watchlist, "copy": one.copy}
        destruction = DestroyCopy(**by, at=outside.clock.now(), method="unlinked", **end)
        _agreed(copies.destroyed(outside, destruction))
        looked = VerifyCopy(
            **verifier,
            at=outside.clock.now(),
            probe="looked-by-name",
            still_there=any(os.path.lexists(file) for file in one.files),
            **end,
        )
        _agreed(copies.verified(outside, looked))


def exposure_of(place: Path) -> str:
    """Who but its owner could read or change a file or folder, as a code.

    By its permissions and those of every folder above it. Whoever is in its group is another; so
    is an owner other than us.
    """
    real = place.resolve()
    found = real.stat()
    above = [folder.stat() for folder in real.parents]
    if found.st_uid not in (0, os.geteuid()):
        return "others-may-write"
    may = set(_may(found, above))
    return next(
        (one for one in ("others-may-write", "others-may-read") if one in may), "owner-only"
    )


def _may(found: os.stat_result, above: Sequence[os.stat_result]) -> Iterator[str]:
    for read, write, enter in _GROUP_OR_OTHERS:
        if not all(folder.st_mode & enter for folder in above):
            continue
        replaced = above[0].st_mode & write and not above[0].st_mode & stat.S_ISVTX
        if found.st_mode & write or replaced:
            yield "others-may-write"
        if found.st_mode & (read | enter if stat.S_ISDIR(found.st_mode) else read):
            yield "others-may-read"


def _removed(one: Left) -> str | None:
    """Remove its files, and its folder if that leaves it empty; why not, if not."""
    try:
        if any(file.is_symlink() or file.stat().st_nlink > 1 for file in one.files):
            return "it is linked, and removing a link removes nothing"
        for file in one.files:
            remove_durably(file)
        if one.place.is_dir() and not one.place.is_symlink() and not any(one.place.iterdir()):
            one.place.rmdir()
    except OSError as error:
        return f"it could not be removed ({error.strerror})"
    return None


def _agreed(answer: copies.Answer) -> None:
    if isinstance(answer, Refused):
        raise DomainError(f"a copy of the list: {', '.join(answer.codes)}")

"""The demo's watchlist: one man who passes twice, and one who never passes."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from domain.watchlists.listing import COLUMNS

_LISTED = (
    ("demo-listed-1", "listed-1.jpg", "obama2.jpg", "W1"),
    ("demo-listed-2", "listed-2.jpg", "biden.jpg", "W2"),
)
"""The caller's reference, the file's name (never a person's), the photograph, the category."""


@dataclass(frozen=True)
class Listing:
    """A watchlist file and its folder of photographs, as ``plumbline rehearse`` takes them."""

    csv: Path
    images: Path


def write_watchlist(
    folder: Path, photographs: Mapping[str, Path], *, attempted_on: date
) -> Listing:
    """Write the list into a folder.

    Args:
        folder: an existing folder.
        photographs: path by file name, with ``obama2.jpg`` and ``biden.jpg`` among them.
        attempted_on: the day on which less intrusive means are said to have failed.
    """
    listing = Listing(csv=folder / "watchlist.csv", images=folder / "images")
    listing.images.mkdir()
    with listing.csv.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, COLUMNS)
        rows.writeheader()
        for reference, name, photograph, category in _LISTED:
            shutil.copyfile(photographs[photograph], listing.images / name)
            rows.writerow(
                {
                    "entry_ref": reference,
                    "image": name,
                    "category": category,
                    "source_system": "custody",
                    "image_basis": "other-lawful",
                    "necessity": "locate-wanted",
                    "attempted_means": "address-check",
                    "attempted_on": attempted_on.isoformat(),
                    "attempted_result": "not-found",
                    "nexus": "intelligence-location",
                    "age_band": "18+",
                    "vulnerable": "no",
                    "response_code": "stop-and-speak",
                }
            )
    return listing

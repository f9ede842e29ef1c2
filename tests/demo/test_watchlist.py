"""The demo's watchlist has the agreed columns and carries nobody's name."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from api.demo.watchlist import Listing, write_watchlist
from domain.watchlists.accepted import accepted_values
from domain.watchlists.listing import read_listing

DAY = date(2026, 1, 5)
HEADER = (
    "entry_ref,image,category,source_system,image_basis,necessity,attempted_means,attempted_on,"
    "attempted_result,nexus,age_band,vulnerable,response_code"
)


@pytest.fixture
def written(tmp_path: Path) -> Listing:
    """The watchlist of two stand-in photographs."""
    sources = {name: tmp_path / name for name in ("obama2.jpg", "biden.jpg")}
    for name, path in sources.items():
        path.write_bytes(name.encode())
    folder = tmp_path / "list"
    folder.mkdir()
    return write_watchlist(folder, sources, attempted_on=DAY)


def test_the_header_is_the_agreed_one(written: Listing) -> None:
    """In this order, and nothing beside it."""
    assert written.csv.read_text().splitlines()[0] == HEADER


def test_two_men_are_listed_each_with_a_photograph_of_his_own(written: Listing) -> None:
    """One who passes twice and one who never passes."""
    with written.csv.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["entry_ref"], row["attempted_on"]) for row in rows] == [
        ("demo-listed-1", "2026-01-05"),
        ("demo-listed-2", "2026-01-05"),
    ]
    assert [(written.images / row["image"]).read_bytes() for row in rows] == [
        b"obama2.jpg",
        b"biden.jpg",
    ]


def test_nobodys_name_is_in_the_file_or_the_file_names(written: Listing) -> None:
    """The photographs are copied under names that say nothing."""
    told = written.csv.read_text() + " ".join(path.name for path in written.images.iterdir())
    assert "listed-1.jpg" in told
    assert not [name for name in ("obama", "biden") if name in told.lower()]


def test_the_rules_for_watchlist_files_accept_it(written: Listing) -> None:
    """The demo goes through the same reading as anybody's file."""
    listing = read_listing(
        written.csv.read_bytes(),
        images=[path.name for path in written.images.iterdir()],
        accepted=accepted_values(),
        on=DAY,
    )
    assert [entry.entry_ref for entry in listing.rows] == ["demo-listed-1", "demo-listed-2"]

"""What is told of a whole rehearsal: no name, no free text and no image in any of it.

Names and words are planted where a careless person would leave them (the list's own references, the
names of photographs, a comment inside one), and then looked for in everything that people and
programs are given: the record's entries, its history in words, its states, every report, an export,
a pack and the lines on standard error.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from api.demo.watchlist import Listing
from api.rehearsal.stand_ins import NOTE
from tests.rehearsal.conftest import rehearse_command, run, spoken
from tests.support.residue import search

REFERENCE = "nominal-zq7planted1"
FILE_NAME = "zq7planted2-surname"
COMMENT = "zq7planted3 of Somewhere Street"
NEEDLES = {
    "reference of the list": REFERENCE.encode(),
    "name of a photograph": FILE_NAME.encode(),
    "comment in a photograph": COMMENT.encode(),
    "note of an officer": NOTE.encode(),
    "note of an officer, in part": b"no person looked",
    "beginning of a photograph": b"\xff\xd8\xff\xfe",
    "beginning of a picture that was made": b"\xff\xd8\xff\xe0",
    "the same in base64": b"/9j/",
}


REPORTS = (
    "decisions",
    "refusals",
    "operations --purpose self-monitoring",
    "annual --from 2000-01-01 --to 2099-12-31",
    "equality",
    "processing",
    "dpia",
    "camera-code",
)


def planted(listing: Listing, folder: Path) -> Listing:
    """The list, with a name in each place where one could stand."""
    shutil.copytree(listing.images, folder / "images")
    (photograph, *_) = sorted((folder / "images").iterdir())
    picture = photograph.read_bytes()
    assert picture[:2] == b"\xff\xd8"
    comment = COMMENT.encode()
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    renamed = photograph.with_name(f"{FILE_NAME}.jpg")
    renamed.write_bytes(picture[:2] + segment + picture[2:])
    rows = listing.csv.read_text(encoding="utf-8")
    photograph.unlink()
    rows = rows.replace(photograph.name, renamed.name).replace("demo-listed-1", REFERENCE)
    (folder / "list.csv").write_text(rows, encoding="utf-8")
    return Listing(folder / "list.csv", folder / "images")


@pytest.fixture(scope="module")
def told(clip: Path, listing: Listing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that is told of one rehearsal."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    data, out = folder / "data", folder / "out"
    done = run(rehearse_command(planted(listing, folder / "in"), clip, data))
    assert done.returncode == 0, done.stderr
    (folder / "summary.json").write_text(done.stdout, encoding="utf-8")
    (out / "standard-error").write_text(done.stderr, encoding="utf-8")
    deployment = json.loads(done.stdout)["deployment"]
    written = {
        "report deployment": ("report", "deployment", deployment, "-o", str(out / "record")),
        "report custody": ("report", "custody", "-o", str(out / "custody.html")),
        "certificate": ("report", "certificate", deployment, "-o", str(out / "certificate")),
        "export": ("log", "export", str(out / "export")),
        "pack": ("pack", deployment, "-o", str(out / "pack")),
        "replay": ("replay", deployment),
        "entries": ("replay", deployment, "--json"),
        "state": ("state", deployment, "--json"),
        "foi": ("foi", "--from", "2020-01-01", "--to", "2099-12-31"),
        "governance": ("governance", "show", "--json"),
        "plan": ("custody", "plan"),
        "application": ("report", "application", deployment, "-o", str(out / "application")),
        "sizes": ("watchlist", "sizes", deployment),
        **{name: ("report", *name.split(), "-o", str(out / name.split()[0])) for name in REPORTS},
    }
    for name, words in written.items():
        ended, said, complained = spoken(*words, "--data", str(data))
        assert ended == 0, (name, complained)
        (out / f"{name}.txt").write_text(said + complained, encoding="utf-8")
    return folder


def test_nothing_that_was_planted_is_in_anything_that_is_told(told: Path) -> None:
    assert search([told / "out"], NEEDLES) == []
    assert len(list((told / "out").rglob("*"))) > 50, "there was something to search"


def test_what_was_planted_would_have_been_found(told: Path, tmp_path: Path) -> None:
    """Controls: it stands in what was given, and in a copy of what is told with each put in."""
    names = {one.name for one in search([told / "in"], NEEDLES)}
    assert {
        "reference of the list",
        "name of a photograph",
        "comment in a photograph",
        "beginning of a photograph",
    } <= names
    for name, needle in NEEDLES.items():
        spoilt = tmp_path / "spoilt.txt"
        spoilt.write_bytes((told / "out" / "replay.txt").read_bytes() + needle)
        assert name in {one.name for one in search([spoilt], NEEDLES)}


def test_whoever_gave_the_list_reads_their_own_reference_and_nobody_else_does(told: Path) -> None:
    """The summary answers the person who played it, in the words of their own file."""
    summary = json.loads((told / "summary.json").read_text(encoding="utf-8"))
    assert [one["entry_ref"] for one in summary["alerts"]] == [REFERENCE]


def test_the_record_itself_holds_none_of_it(told: Path) -> None:
    """Entry by entry, as a pack gives them to somebody else."""
    entries = (told / "out" / "pack" / "data" / "entries.jsonl").read_text(encoding="utf-8")
    for name, needle in NEEDLES.items():
        assert needle not in entries.encode(), name
    names = {json.loads(line)["name"] for line in entries.splitlines()}
    assert {"watchlist.entry_proposed", "alert.adjudicated", "item.destroyed"} <= names

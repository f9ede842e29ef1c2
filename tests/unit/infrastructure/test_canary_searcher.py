"""The searcher, a process of its own: it finds what is there, and says so when it cannot look."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.custody.canary import Found, Place, PlaceOutcome
from infrastructure.canary.search_process import PLANT, Search
from infrastructure.canary.searcher import (
    SearcherError,
    SeparateSearcher,
    Where,
    as_answered,
    as_asked,
)

RANDOM = np.random.default_rng(20261124)
FORMS = 10
ROOT = Path(__file__).parents[3]


@pytest.fixture
def searcher() -> Search:
    """Beside no process: what it finds in files. Of memory, see below."""
    return Search(-1, -1)


def a_template() -> NDArray[np.float32]:
    values = RANDOM.normal(size=128).astype(np.float32)
    return values / np.linalg.norm(values)


def a_picture() -> NDArray[np.uint8]:
    return RANDOM.integers(0, 256, (96, 80, 3), dtype=np.uint8)


def told(searcher: Search) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    template, picture = a_template(), a_picture()
    searcher.template({}, template.tobytes())
    searcher.picture({"shape": picture.shape}, picture.tobytes())
    return template, picture


def place(searcher: Search, where: Where) -> Found:
    """What the searcher says of one place."""
    return as_answered(searcher.through(as_asked(where)))


def test_a_clean_folder_is_clean_because_every_plant_in_it_was_found(
    searcher: Search, tmp_path: Path
) -> None:
    told(searcher)
    (tmp_path / "innocent").write_bytes(os.urandom(100_000))
    found = place(searcher, Where(Place.RECORD, [tmp_path], plants=[tmp_path]))
    assert found.outcome is PlaceOutcome.CLEAN
    assert (found.files, found.controls, found.controls_found) == (1, FORMS, FORMS)
    assert [one.name for one in tmp_path.iterdir()] == ["innocent"], "plants are taken away"


def test_a_template_and_a_picture_in_files_are_found_and_counted_by_form(
    searcher: Search, tmp_path: Path
) -> None:
    template, picture = told(searcher)
    told(searcher)
    (tmp_path / "raw").write_bytes(b"abc" + template.tobytes())
    (tmp_path / "again").write_bytes(template.tobytes())
    (tmp_path / "coded").write_bytes(b'{"v":"' + base64.b64encode(template.tobytes()) + b'"}')
    (tmp_path / "pixels").write_bytes(picture.tobytes())
    found = place(searcher, Where(Place.MEDIA, [tmp_path], plants=[tmp_path]))
    assert found.outcome is PlaceOutcome.FOUND
    assert found.residue == {
        ("template", "float32"): 1,
        ("template", "base64"): 1,
        ("picture", "pixels"): 1,
    }


def test_a_text_that_was_recorded_and_is_not_found_fails_the_search(
    searcher: Search, tmp_path: Path
) -> None:
    told(searcher)
    known = "0123456789abcdef0123456789abcdef"
    where = Where(Place.RECORD, [tmp_path], plants=[tmp_path], known=[known])
    (tmp_path / "database").write_bytes(b"something else")
    assert place(searcher, where).outcome is PlaceOutcome.SEARCH_FAILED
    (tmp_path / "database").write_bytes(b"--" + known.encode() + b"--")
    assert place(searcher, where).outcome is PlaceOutcome.CLEAN


def test_a_folder_in_which_nothing_can_be_planted_is_not_called_clean(
    searcher: Search, tmp_path: Path
) -> None:
    template, _ = told(searcher)
    missing = tmp_path / "missing"
    where = Where(Place.RECORD, [tmp_path], plants=[missing])
    assert place(searcher, where).outcome is PlaceOutcome.NOT_READABLE
    (tmp_path / "left").write_bytes(template.tobytes())
    assert place(searcher, where).outcome is PlaceOutcome.FOUND, "and searched all the same"


def test_a_folder_that_is_gone_is_not_readable(searcher: Search, tmp_path: Path) -> None:
    told(searcher)
    found = place(searcher, Where(Place.DATABASE, [tmp_path / "gone"], known=["0123456789abcdef"]))
    assert found.outcome is PlaceOutcome.NOT_READABLE


def test_a_place_without_anything_that_must_be_found_there_is_not_called_clean(
    searcher: Search, tmp_path: Path
) -> None:
    told(searcher)
    (tmp_path / "file").write_bytes(b"something")
    assert place(searcher, Where(Place.LOGS, [tmp_path])).outcome is PlaceOutcome.SEARCH_FAILED


def test_a_log_is_its_own_control(searcher: Search, tmp_path: Path) -> None:
    template, _ = told(searcher)
    log = tmp_path / "service.log"
    log.write_text("".join(f"2026-11-23 alert {at} was shown to the operator\n" for at in range(9)))
    clean = place(searcher, Where(Place.LOGS, [log]))
    assert (clean.outcome, clean.controls) == (PlaceOutcome.CLEAN, 1)
    with log.open("a") as file:
        file.write(f"DEBUG template={template.tolist()}\n")
    found = place(searcher, Where(Place.LOGS, [log]))
    assert found.residue == {("template", "json"): 1}


def test_of_shared_directories_only_what_changed_meanwhile_counts(tmp_path: Path) -> None:
    template = a_template()
    before = tmp_path / "before"
    before.write_bytes(template.tobytes())
    os.sync()
    _wait_for_a_tick(tmp_path)
    searcher = Search(-1, -1)
    searcher.template({}, template.tobytes())
    where = Where(Place.TEMPORARY, [tmp_path], plants=[tmp_path], recent=True, ours=False)
    assert place(searcher, where).outcome is PlaceOutcome.CLEAN
    (tmp_path / "after").write_bytes(template.tobytes())
    assert place(searcher, where).outcome is PlaceOutcome.FOUND


def _wait_for_a_tick(folder: Path) -> None:
    """Until a new file is younger than all that are there."""
    newest = max(one.stat().st_ctime_ns for one in folder.iterdir())
    while True:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            if os.fstat(file.fileno()).st_ctime_ns > newest:
                return


def test_what_a_killed_search_left_is_removed_by_the_next_in_folders_of_ours_only(
    searcher: Search, tmp_path: Path
) -> None:
    told(searcher)
    ours, shared = tmp_path / "ours", tmp_path / "shared"
    for folder in (ours, shared):
        folder.mkdir()
        (folder / f"{PLANT}left").write_bytes(b"left by a search that was killed")
    place(searcher, Where(Place.RECORD, [ours], plants=[ours]))
    place(searcher, Where(Place.TEMPORARY, [shared], plants=[shared], ours=False))
    assert list(ours.iterdir()) == []
    assert [one.name for one in shared.iterdir()] == [f"{PLANT}left"]


# -- memory, and the process itself ----------------------------------------------------------------

REMEMBERS = """
import json
import numpy as np
from domain.custody.canary import Place
from infrastructure.canary.searcher import SeparateSearcher

searcher, random = SeparateSearcher(), np.random.default_rng()
template = random.normal(size=128).astype(np.float32)
picture = random.integers(0, 256, (96, 80, 3), dtype=np.uint8)
searcher.template(template)
searcher.picture(picture)

def memory():
    found = next(one for one in searcher.search([]).places if one.place is Place.MEMORY)
    return [found.outcome, found.controls_found, sorted(map(list, found.residue))]

told = {"alive": searcher.sees_the_newest()}
kept = template.copy()
template.fill(0)
told["a copy"] = searcher.sees_the_newest()
picture.fill(0)
told["kept"] = memory()
kept.fill(0)
told["gone"] = searcher.sees_the_newest()
told["without a plant"] = memory()
searcher.leave_a_plant()
told["with one"] = memory()
print(json.dumps(told))
"""
"""In a process of its own: that of the tests is large, and has been told many templates."""


def test_what_is_kept_in_memory_is_found_and_clean_takes_a_plant() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REMEMBERS], capture_output=True, text=True, cwd=ROOT, check=True
    )
    told = json.loads(done.stdout)
    assert (told["alive"], told["a copy"], told["gone"]) == (True, True, False)
    assert told["kept"] == ["found", 0, [["template", "float32"]]]
    assert told["without a plant"] == ["search_failed", 0, []]
    assert told["with one"] == ["clean", FORMS, []]


def test_a_searcher_that_ended_is_an_error_that_says_so() -> None:
    searcher = SeparateSearcher()
    searcher.close()
    with pytest.raises(SearcherError, match="the searcher"):
        searcher.template(a_template())


def test_a_searcher_that_was_killed_gives_no_answer() -> None:
    searcher = SeparateSearcher()
    searcher.template(a_template())
    searcher._process.kill()
    searcher._process.wait()
    with pytest.raises(SearcherError, match="the searcher"):
        searcher.search([])
    searcher.close()

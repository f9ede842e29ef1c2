"""The searcher, a process of its own: it finds what is there, and says so when it cannot look."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.custody.canary import Found, Place, PlaceOutcome
from infrastructure.canary.search_process import PLANT
from infrastructure.canary.searcher import SearcherError, SeparateSearcher, Where

RANDOM = np.random.default_rng(20261124)
FORMS = 10


@pytest.fixture
def searcher() -> Iterator[SeparateSearcher]:
    one = SeparateSearcher()
    yield one
    one.close()


def a_template() -> NDArray[np.float32]:
    values = RANDOM.normal(size=128).astype(np.float32)
    return values / np.linalg.norm(values)


def a_picture() -> NDArray[np.uint8]:
    return RANDOM.integers(0, 256, (96, 80, 3), dtype=np.uint8)


def told(searcher: SeparateSearcher) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    template, picture = a_template(), a_picture()
    searcher.template(template)
    searcher.picture(picture)
    return template, picture


def place(searcher: SeparateSearcher, where: Where) -> Found:
    """What the searcher says of one place."""
    return next(one for one in searcher.search([where]).places if one.place is where.place)


def memory(searcher: SeparateSearcher) -> Found:
    """What the searcher says of this process's memory."""
    return next(one for one in searcher.search([]).places if one.place is Place.MEMORY)


def test_a_clean_folder_is_clean_because_every_plant_in_it_was_found(
    searcher: SeparateSearcher, tmp_path: Path
) -> None:
    told(searcher)
    (tmp_path / "innocent").write_bytes(os.urandom(100_000))
    found = place(searcher, Where(Place.RECORD, [tmp_path], plants=[tmp_path]))
    assert found.outcome is PlaceOutcome.CLEAN
    assert (found.files, found.controls, found.controls_found) == (1, FORMS, FORMS)
    assert [one.name for one in tmp_path.iterdir()] == ["innocent"], "plants are taken away"


def test_a_template_and_a_picture_in_files_are_found_and_counted_by_form(
    searcher: SeparateSearcher, tmp_path: Path
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


def test_what_is_kept_in_this_process_s_memory_is_found(searcher: SeparateSearcher) -> None:
    template, _ = told(searcher)
    assert searcher.sees_the_newest()
    kept = template.copy()
    template.fill(0)
    assert searcher.sees_the_newest(), "a copy is as good"
    assert memory(searcher).residue[("template", "float32")] == 1
    kept.fill(0)
    assert not searcher.sees_the_newest()


def test_memory_is_called_clean_only_if_what_was_left_there_was_found(
    searcher: SeparateSearcher,
) -> None:
    template, picture = told(searcher)
    template.fill(0)
    picture.fill(0)
    assert memory(searcher).outcome is PlaceOutcome.SEARCH_FAILED
    searcher.leave_a_plant()
    assert memory(searcher).outcome is PlaceOutcome.CLEAN
    assert memory(searcher).controls == FORMS


def test_a_text_that_was_recorded_and_is_not_found_fails_the_search(
    searcher: SeparateSearcher, tmp_path: Path
) -> None:
    told(searcher)
    known = "0123456789abcdef0123456789abcdef"
    where = Where(Place.RECORD, [tmp_path], plants=[tmp_path], known=[known])
    (tmp_path / "database").write_bytes(b"something else")
    assert place(searcher, where).outcome is PlaceOutcome.SEARCH_FAILED
    (tmp_path / "database").write_bytes(b"--" + known.encode() + b"--")
    assert place(searcher, where).outcome is PlaceOutcome.CLEAN


def test_a_folder_in_which_nothing_can_be_planted_is_not_called_clean(
    searcher: SeparateSearcher, tmp_path: Path
) -> None:
    template, _ = told(searcher)
    missing = tmp_path / "missing"
    where = Where(Place.RECORD, [tmp_path], plants=[missing])
    assert place(searcher, where).outcome is PlaceOutcome.NOT_READABLE
    (tmp_path / "left").write_bytes(template.tobytes())
    assert place(searcher, where).outcome is PlaceOutcome.FOUND, "and searched all the same"


def test_a_folder_that_is_gone_is_not_readable(searcher: SeparateSearcher, tmp_path: Path) -> None:
    told(searcher)
    found = place(searcher, Where(Place.DATABASE, [tmp_path / "gone"], known=["0123456789abcdef"]))
    assert found.outcome is PlaceOutcome.NOT_READABLE


def test_a_place_without_anything_that_must_be_found_there_is_not_called_clean(
    searcher: SeparateSearcher, tmp_path: Path
) -> None:
    told(searcher)
    (tmp_path / "file").write_bytes(b"something")
    assert place(searcher, Where(Place.LOGS, [tmp_path])).outcome is PlaceOutcome.SEARCH_FAILED


def test_a_log_is_its_own_control(searcher: SeparateSearcher, tmp_path: Path) -> None:
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
    with _a_tick_later(tmp_path):
        searcher = SeparateSearcher()
    try:
        searcher.template(template)
        searcher.picture(a_picture())
        where = Where(Place.TEMPORARY, [tmp_path], plants=[tmp_path], recent=True, ours=False)
        assert place(searcher, where).outcome is PlaceOutcome.CLEAN
        (tmp_path / "after").write_bytes(template.tobytes())
        assert place(searcher, where).outcome is PlaceOutcome.FOUND
    finally:
        searcher.close()


def _a_tick_later(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """Wait until a new file is younger than all that are there."""
    newest = max(one.stat().st_ctime_ns for one in folder.iterdir())
    while True:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            if os.fstat(file.fileno()).st_ctime_ns > newest:
                return tempfile.TemporaryDirectory()


def test_what_a_killed_search_left_is_removed_by_the_next_in_folders_of_ours_only(
    searcher: SeparateSearcher, tmp_path: Path
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


def test_a_searcher_that_ended_is_an_error_that_says_so(tmp_path: Path) -> None:
    searcher = SeparateSearcher()
    told(searcher)
    searcher.close()
    with pytest.raises(SearcherError, match="the searcher"):
        searcher.template(a_template())


def test_a_searcher_that_was_killed_gives_no_answer(searcher: SeparateSearcher) -> None:
    told(searcher)
    searcher._process.kill()
    searcher._process.wait()
    with pytest.raises(SearcherError, match="the searcher"):
        searcher.search([])
